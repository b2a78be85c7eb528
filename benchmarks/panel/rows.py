"""Which rows a cell learns from and is scored on, and what its labels are.

A cell is (data set, size, seed, noise). Its test rows have gold labels, and are as many as there are up to 1,000; they hang on the data set, size and seed alone.
"""
from __future__ import annotations

from functools import lru_cache

import numpy as np

from benchmarks import data

SETS = ["bbc", "newsgroups", "reuters", "spam", "tweets", "movies", "attack", "platforms"]
SIZES = [50, 200, 500, 2000]
POOL = 4000  # rows of a data set that any cell may use: enough for 2,000 to learn from and 1,000 to test on, and quick to encode
MOST_TEST, LEAST_TEST = 1000, 150
HELD_BACK = 3  # rows beside the size that `distill` holds out for its report; no method learns from them


@lru_cache(maxsize=None)
def pool(name: str):
    "Texts, labels and names of a data set, at most `POOL` rows drawn at random"
    texts, y, names = data.LOADERS[name]()
    keep = np.sort(np.random.default_rng(0).permutation(len(texts))[:POOL])
    return [texts[i] for i in keep], np.asarray(y)[keep], names


def has_size(name: str, size: int) -> bool: return len(pool(name)[0]) - size - HELD_BACK >= LEAST_TEST


@lru_cache(maxsize=4)
def positions(name: str, size: int, seed: int):
    "Positions in the pool of the training, held-back and test rows, stratified by label"
    from datasets import ClassLabel, Dataset, Features, List, Value
    from sieves_distill import split_dataset
    from sieves_distill.basics.quiet import quiet
    texts, y, names = pool(name)
    features = Features({"text": Value("string"), "labels": List(Value("bool")) if y.ndim == 2 else ClassLabel(names=names), "row": Value("int64")})
    everything = Dataset.from_dict({"text": texts, "labels": y.tolist(), "row": list(range(len(texts)))}, features)
    n, n_test = size + HELD_BACK, min(MOST_TEST, len(texts) - size - HELD_BACK)
    with quiet():
        parts = split_dataset(everything, n_test / len(texts), seed=seed)
        train = parts["train"] if len(parts["train"]) == n else split_dataset(parts["train"], n / len(parts["train"]), seed=seed)["val"]
        inner = split_dataset(train, HELD_BACK / n, seed=seed)
    return tuple(np.array(p["row"]) for p in (inner["train"], inner["val"], parts["val"]))


@lru_cache(maxsize=None)
def confusions(name: str):
    "How likely each label is to be taken for each other one, rows summing to one: labels whose texts have similar mean vectors in the static base are confused most"
    _, y, names = pool(name)
    hot = y if y.ndim == 2 else np.eye(len(names), dtype=bool)[y]
    X = encoded(name, "static")
    means = np.stack([X[of].mean(0) if of.any() else np.zeros(X.shape[1]) for of in hot.T])
    means = means - means.mean(0)
    means /= np.linalg.norm(means, axis=1, keepdims=True) + 1e-12
    alike = np.exp(means @ means.T / .2)
    np.fill_diagonal(alike, 0)
    return alike / alike.sum(1, keepdims=True)


def with_noise(name: str, y, share: float, seed: int):
    "The labels with a share of the rows wrong: one of a row's labels, drawn at random, is taken for another that the row does not have"
    rng, chances, y = np.random.default_rng([seed, 1]), confusions(name), y.copy()
    for i in rng.permutation(len(y))[:round(share * len(y))]:
        if y.ndim == 1:
            y[i] = rng.choice(len(chances), p=chances[y[i]])
        elif y[i].any() and not y[i].all():
            one = rng.choice(np.flatnonzero(y[i]))
            p = np.where(y[i], 0, chances[one])
            y[i, one] = False
            y[i, rng.choice(len(p), p=p / p.sum())] = True
    return y


@lru_cache(maxsize=None)
def encoded(name: str, encoder: str):
    "The pool by a frozen encoder, `minilm` or `static`: made once, and kept on disk"
    path = data.CACHE / "panel" / f"{'attack' if name == 'platforms' else name}-{encoder}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        texts = pool(name)[0]
        if encoder == "minilm":
            from sentence_transformers import SentenceTransformer
            X = SentenceTransformer(data.minilm(), device="cpu").encode(texts, show_progress_bar=False)
        else:
            from model2vec import StaticModel
            X = StaticModel.from_pretrained(data.static_base()).encode(texts)
        partial = path.with_suffix(".partial.npy")
        np.save(partial, X.astype("float32"))
        partial.replace(path)
    return np.load(path)


@lru_cache(maxsize=4)
def cell(name: str, size: int, seed: int, noise: float):
    "Training positions with their labels, held-back positions with theirs, test positions with gold"
    y = pool(name)[1]
    train, held, test = positions(name, size, seed)
    both = np.concatenate([train, held])
    learn = with_noise(name, y[both], noise, seed) if noise else y[both]
    return train, learn[:len(train)], held, learn[len(train):], test, y[test]
