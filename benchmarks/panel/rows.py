"""Which rows a cell learns from and is scored on, and what its labels are.

A cell is (data set, size, seed, noise). Its test rows have gold labels, and are as many as there are up to 1,000; they
hang on the data set, size and seed alone.

Data sets are of two kinds. On those of `CHOOSING` constants of the recipes are chosen. Those of `REPORTING` say what
the recipes are worth: nothing is ever chosen on them, and each recipe is run on them once.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from benchmarks import data

SETS = ["bbc", "newsgroups", "reuters", "spam", "tweets", "movies", "attack", "platforms"]
CHOOSING = [*SETS, "clinc", "software", "phases"]  # for many labels with few rows each, and for several labels a text
# that the text hardly tells
REPORTING = ["amazon", "editorials", "elections", "weaknesses", "procedures", "banking", "relations"]
SIZES = [50, 200, 500, 2000]
POOL = 4000  # rows of a set that any cell may use: enough to learn from 2,000, test on 1,000, and quick to encode
POOLS = {"banking": 6000, "clinc": 6000}  # So that texts without labels are left of sets with many labels, too
LEAST_ROWS = 3  # for a label, on the mean
MOST_TEST, LEAST_TEST = 1000, 150
HELD_BACK = 3  # rows beside the size that `distill` holds out for its report; no method learns from them


@lru_cache(maxsize=None)
def pool(name: str):
    "Texts, labels and names of a data set, at most `POOL` rows drawn at random"
    texts, y, names = data.LOADERS[name]()
    keep = _kept(name, len(texts))
    return [texts[i] for i in keep], np.asarray(y)[keep], names


def _kept(name: str, n: int): return np.sort(np.random.default_rng(0).permutation(n)[:POOLS.get(name, POOL)])


@lru_cache(maxsize=None)
def taught(name: str):
    "The labels of the pool that are learnt from: a teacher's where the data set has them, else the gold"
    if name not in data.TAUGHT: return pool(name)[1]
    y = np.asarray(data.TAUGHT[name]())
    return y[_kept(name, len(y))]


def has_size(name: str, size: int) -> bool:
    texts, _, names = pool(name)
    return len(texts) - size - HELD_BACK >= LEAST_TEST and (name in SETS or size >= LEAST_ROWS * len(names))


def has_unlabelled(name: str, size: int) -> bool:
    "Whether a cell of this size leaves texts that are neither learned from nor tested on"
    return len(pool(name)[0]) > size + HELD_BACK + MOST_TEST


def is_multi(name: str) -> bool:
    "Whether its texts have several labels"
    return pool(name)[1].ndim == 2


@lru_cache(maxsize=4)
def positions(name: str, size: int, seed: int):
    "Positions in the pool of the training, held-back and test rows, stratified by label"
    from sieves_distill import split_dataset
    from sieves_distill.basics.quiet import quiet
    texts, y, names = pool(name)
    everything = data.as_dataset(texts, y, names).add_column("row", list(range(len(texts))))
    n, n_test = size + HELD_BACK, min(MOST_TEST, len(texts) - size - HELD_BACK)
    with quiet():
        train, test = split_dataset(everything, n_test / len(texts), seed=seed).values()
        if len(train) != n: train = split_dataset(train, n / len(train), seed=seed)["val"]
        learn, held = split_dataset(train, HELD_BACK / n, seed=seed).values()
    return tuple(np.array(part["row"]) for part in (learn, held, test))


@lru_cache(maxsize=None)
def confusions(name: str):
    """How likely each label is to be taken for each other one, rows summing to one: labels whose texts have similar
    mean vectors in the static base are confused most"""
    _, y, names = pool(name)
    hot = y if y.ndim == 2 else np.eye(len(names), dtype=bool)[y]
    X = encoded(name, "static")
    means = np.stack([X[has].mean(0) if has.any() else np.zeros(X.shape[1]) for has in hot.T])
    means = means - means.mean(0)
    means /= np.linalg.norm(means, axis=1, keepdims=True) + 1e-12
    alike = np.exp(means @ means.T / .2)
    np.fill_diagonal(alike, 0)
    return alike / alike.sum(1, keepdims=True)


def with_noise(name: str, y, share: float, seed: int):
    """The labels with a share of the rows wrong: one of a row's labels, drawn at random, is taken for another that the
    row does not have"""
    rng, chances, y = np.random.default_rng([seed, 1]), confusions(name), y.copy()
    for i in rng.permutation(len(y))[:round(share * len(y))]:
        if y.ndim == 1:
            y[i] = rng.choice(len(chances), p=chances[y[i]])
        elif y[i].any() and not y[i].all():
            lost = rng.choice(np.flatnonzero(y[i]))
            p = np.where(y[i], 0, chances[lost])
            y[i, lost] = False
            y[i, rng.choice(len(p), p=p / p.sum())] = True
    return y


@lru_cache(maxsize=None)
def encoded(name: str, encoder: str):
    "The pool by a frozen encoder, `minilm` or `static`: made once, and kept on disk"
    path = data.CACHE / "panel" / f"{'attack' if name == 'platforms' else name}-{encoder}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial.npy")
        np.save(partial, _encode(pool(name)[0], encoder).astype("float32"))
        partial.replace(path)
    return np.load(path)


def _encode(texts: list[str], encoder: str):
    if encoder == "minilm":
        from sentence_transformers import SentenceTransformer
        return SentenceTransformer(data.minilm(), device="cpu").encode(texts, show_progress_bar=False)
    from model2vec import StaticModel
    return StaticModel.from_pretrained(data.static_base()).encode(texts)


class Texts(list):
    "Texts that know where in their pool they stand, for peers whose encoder is frozen"
    def __init__(self, name: str, at):
        super().__init__(pool(name)[0][i] for i in at)
        self.name, self.at = name, at

    def encoded(self, encoder: str): return encoded(self.name, encoder)[self.at]


@dataclass(frozen=True, eq=False)
class Cell:
    "Rows of a data set, as positions in its pool: to learn from, with labels that may be wrong, and to be tested on"
    name: str
    seed: int
    at: np.ndarray  # to learn from
    y: np.ndarray
    test: np.ndarray
    truth: np.ndarray  # the gold of these
    noise: float = 0.  # the share of labels that are wrong
    held: np.ndarray | None = None  # what `distill` wants for its report, with labels; none where no report is made
    y_held: np.ndarray | None = None

    @property
    def multi(self) -> bool: return self.y.ndim == 2

    @property
    def names(self) -> list[str]: return pool(self.name)[2]

    @property
    def texts(self) -> Texts: return Texts(self.name, self.at)

    @property
    def held_texts(self) -> Texts: return Texts(self.name, self.held)

    @property
    def test_texts(self) -> Texts: return Texts(self.name, self.test)

    @property
    def rest(self) -> Texts:
        "The other texts of the pool, which have no labels"
        return Texts(self.name, np.setdiff1d(np.arange(len(pool(self.name)[0])), [*self.at, *self.held, *self.test]))

    @property
    def gold(self) -> np.ndarray:
        "What the labels to learn from should be"
        return pool(self.name)[1][self.at]


@lru_cache(maxsize=4)
def cell(name: str, size: int, seed: int, noise: float) -> Cell:
    "A cell of the panel"
    learn, held, test = positions(name, size, seed)
    both = np.concatenate([learn, held])
    labels = taught(name)[both]
    if noise: labels = with_noise(name, labels, noise, seed)
    return Cell(name, seed, learn, labels[:len(learn)], test, pool(name)[1][test], noise, held, labels[len(learn):])
