"""What a split promises, for any data: exact, free of shared texts, the same in any order, every label
where it must be."""
from __future__ import annotations

import math
import warnings
from collections import Counter, defaultdict
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from datasets import Dataset, Features, List, Value
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sieves_distill import split_dataset

SPLITS = settings(deadline=None, max_examples=60,
                  suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])

fractions = st.sampled_from([0.05, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 1 / 3, 0.4, 0.45])
seeds = st.integers(0, 2**32)


def wanted(n: int, fraction: float) -> int: return int((Decimal(str(fraction)) * n).quantize(Decimal(1), ROUND_HALF_UP))


def key(text: str) -> str: return " ".join(text.casefold().split())


def quietly(*args, **kwargs):
    "The split, and the text of the one warning or None."
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        split = split_dataset(*args, **kwargs)
    assert len(caught) <= 1
    return split, str(caught[0].message) if caught else None


@st.composite
def classes(draw, least: int = 2):
    "Single-label rows without duplicates, at least so many a label."
    counts = draw(st.lists(st.one_of(st.just(least), st.integers(least, 6), st.integers(least, 60)),
                           min_size=1, max_size=16))
    labels = [label for label, n in enumerate(counts) for _ in range(n)]
    return Dataset.from_dict({"text": [f"text {i}" for i in range(len(labels))], "labels": labels})


@st.composite
def tagged(draw):
    "Multi-label rows, many of them with the same text but for case and white space, with another column."
    n_labels, n = draw(st.integers(1, 5)), draw(st.integers(3, 60))
    texts = draw(st.lists(
        st.tuples(st.integers(0, draw(st.sampled_from([5, 30, 1000]))),
                  st.sampled_from(["Word {}", "word  {}", " WORD {}\n", "straße {}", "STRASSE {}"])),
        min_size=n, max_size=n))
    rows = draw(st.lists(st.lists(st.booleans(), min_size=n_labels, max_size=n_labels), min_size=n, max_size=n))
    return Dataset.from_dict({"text": [form.format(i) for i, form in texts], "labels": rows, "row": list(range(n))},
                             features=Features(text=Value("string"), labels=List(Value("bool")), row=Value("int64")))


def row_labels(row: list | int) -> set:
    return ({i for i, on in enumerate(row) if on} or {"none"}) if isinstance(row, list) else {row}


def groups_of(dataset) -> dict[str, tuple[int, set]]:
    "Each text's number of rows and labels."
    size, labels = Counter(), defaultdict(set)
    for text, row in zip(dataset["text"], dataset["labels"]):
        size[key(text)] += 1
        labels[key(text)] |= row_labels(row)
    return {text: (size[text], labels[text]) for text in size}


@SPLITS
@given(classes(), fractions, seeds)
def test_single_label_is_exact_and_no_label_is_more_than_a_row_off(dataset, fraction, seed):
    n = wanted(len(dataset), fraction)
    assume(0 < n < len(dataset))
    split, _ = quietly(dataset, fraction, seed=seed)
    assert len(split["val"]) == n
    assert sorted(split["train"]["text"][:] + split["val"]["text"][:]) == sorted(dataset["text"])
    total, val = (np.bincount(dataset["labels"]),
                  np.bincount(split["val"]["labels"], minlength=max(dataset["labels"]) + 1))
    assert (abs(val - total * n / len(dataset)) <= 1 + 1e-9).all()
    assert set(split["val"]["labels"]) <= set(split["train"]["labels"])


@SPLITS
@given(classes(), fractions, seeds)
def test_labels_too_rare_for_a_share_are_covered_as_far_as_rows_reach(dataset, fraction, seed):
    n = wanted(len(dataset), fraction)
    assume(0 < n < len(dataset))
    split, warning = quietly(dataset, fraction, seed=seed)
    shares = [math.floor(count * n / len(dataset)) for count in Counter(dataset["labels"]).values()]
    uncovered = set(dataset["labels"]) - set(split["val"]["labels"])
    assert len(uncovered) == max(0, shares.count(0) - (n - sum(shares)))
    assert bool(uncovered) == (warning is not None and "no row in val for" in warning)


@SPLITS
@given(tagged(), fractions, st.sampled_from([0.0, 0.1, 0.25]), seeds)
def test_parts_are_a_partition_that_no_text_crosses(dataset, val_frac, test_frac, seed):
    try: split, _ = quietly(dataset, val_frac, test_frac, seed=seed)
    except ValueError: assume(False)
    assert list(split) == ["train", "val"] + ["test"] * bool(test_frac)
    assert sorted(i for part in split.values() for i in part["row"]) == list(range(len(dataset)))
    for part in split.values():
        for row in part: assert dataset[row["row"]] == row
    sides = [{key(text) for text in part["text"]} for part in split.values()]
    assert sum(map(len, sides)) == len(set().union(*sides))


@SPLITS
@given(tagged(), fractions, st.sampled_from([0.0, 0.2]), seeds)
def test_every_held_out_label_is_in_train(dataset, val_frac, test_frac, seed):
    try: split, warning = quietly(dataset, val_frac, test_frac, seed=seed)
    except ValueError: assume(False)
    known = {label for row in split["train"]["labels"] for label in row_labels(row)}
    assert known == {label for row in dataset["labels"] for label in row_labels(row)}


@SPLITS
@given(st.one_of(tagged(), classes(least=1)), fractions, seeds)
def test_rows_are_missing_from_val_only_where_nothing_fits(dataset, fraction, seed):
    try: split, warning = quietly(dataset, fraction, seed=seed)
    except ValueError: assume(False)
    short = wanted(len(dataset), fraction) - len(split["val"])
    assert short >= 0
    if not short: return
    assert f"val has {len(split['val'])} rows instead of {wanted(len(dataset), fraction)}" in warning
    train = groups_of(split["train"])
    texts = Counter(label for _, labels in train.values() for label in labels)
    assert not [text for text, (size, labels) in train.items()
                if size <= short and all(texts[label] > 1 for label in labels)]


@SPLITS
@given(st.lists(st.integers(2, 7), min_size=2, max_size=12), fractions, seeds)
def test_whole_groups_come_as_near_to_the_fraction_as_they_can(sizes, fraction, seed):
    dataset = Dataset.from_dict({"text": [f"text {i}" for i, size in enumerate(sizes) for _ in range(size)],
                                 "labels": [0] * sum(sizes)})
    n, sums = wanted(len(dataset), fraction), {0}
    for size in sizes: sums |= {total + size for total in sums}
    best = max(total for total in sums if total <= n)
    assume(best)
    split, warning = quietly(dataset, fraction, seed=seed)
    assert len(split["val"]) == best
    assert (warning is None) == (best == n)


@SPLITS
@given(tagged(), fractions, st.sampled_from([0.0, 0.2]), seeds, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(dataset, val_frac, test_frac, seed, random):
    order = list(range(len(dataset)))
    random.shuffle(order)
    try: split, warning = quietly(dataset, val_frac, test_frac, seed=seed)
    except ValueError as e:
        with pytest.raises(ValueError) as again: quietly(dataset.select(order), val_frac, test_frac, seed=seed)
        assert str(again.value) == str(e)
        return
    again, warning_again = quietly(dataset.select(order), val_frac, test_frac, seed=seed)
    assert ({part: rows.to_list() for part, rows in again.items()}
            == {part: rows.to_list() for part, rows in split.items()})
    assert warning_again == warning


@pytest.mark.filterwarnings("ignore:split_dataset")
def test_seeds_give_different_splits_of_rows_whose_labels_are_all_different():
    "Were the choice a matter of the labels alone, rows with a rare combination would be in every val, or in none."
    hot = np.random.default_rng(0).random((400, 30)) < 0.15
    dataset = Dataset.from_dict({"text": [f"text {i}" for i in range(400)], "labels": hot.tolist()})
    times = Counter(text for seed in range(20) for text in split_dataset(dataset, 0.2, seed=seed)["val"]["text"])
    assert len(times) > 370 and max(times.values()) < 15  # by chance: 395 and 10
    for seed in range(3):
        val = np.array(split_dataset(dataset, 0.2, seed=seed)["val"]["labels"][:])
        assert abs(val.sum(axis=0) - hot.sum(axis=0) * 0.2).max() <= 2
