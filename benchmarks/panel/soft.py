"""What soft labels are worth: students that learn a teacher's labels, and students that learn its scores as well.

    python -m benchmarks.panel.soft [--sizes 50 200 500] [--seeds 0 1 2]

The teacher is a logistic regression, on MiniLM or on TF-IDF, that has learnt from the gold labels of rows which are
neither learnt from nor tested on; the students see its answers alone, and are tested on gold. Its scores are given to
them as they are, and spoilt: all too sure of themselves (logits times 3), not sure enough (logits by 2.5), for the
chosen label only, or drawn at random. In the last row the labels are those of the panel with 20 % wrong, and the scores
drawn at random: the worst that scores can be.

The SetFit student is its head on the frozen encoder, with the teacher on TF-IDF: one on the student's own encoder would
have nothing to say that it could not learn exactly. Each line of soft.jsonl is one run; those that are there are not
run again. The table is written to soft.md.
"""
from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from pathlib import Path

import numpy as np
from scipy.special import expit, logit, softmax

from benchmarks import data, running, training
from benchmarks.panel import FOLDER, rows
from benchmarks.panel.report import markdown
from sieves_distill.basics.quiet import quiet
from sieves_distill.heads.names import soft_labels
from sieves_distill.heads.tokens import count_tokens, token_shares
from sieves_distill.train.recipe import Recipe
from sieves_distill.train.setfit import Evidence, View, fit_heads, make_plan

FILE = FOLDER / "soft.jsonl"
LEAST_TAUGHT = 150  # rows that a teacher learns from, at least
TEACHERS = {"model2vec": ["minilm", "tfidf"], "setfit": ["tfidf"]}


@dataclass(frozen=True, eq=False)
class Taught:
    "What a student is given: the labels of a teacher and perhaps its scores `(n, n_labels)`"
    cell: rows.Cell
    teacher: str
    kind: str  # of scores
    scores: np.ndarray | None = None


def teacher_features(name: str, teacher: str, learn, at):
    """What a teacher sees of the rows that it learns from and of others, positions in the pool; and the C of its
    regression"""
    if teacher == "minilm":
        X = rows.encoded(name, "minilm")
        return X[learn], X[at], 3
    from sklearn.feature_extraction.text import TfidfVectorizer
    words = TfidfVectorizer(sublinear_tf=True)
    return words.fit_transform(rows.Texts(name, learn)), words.transform(rows.Texts(name, at)), 10


def probabilities(name: str, teacher: str, learn, at):
    "Of each label, for the texts at positions `at` of the pool"
    from sklearn.linear_model import LogisticRegression
    _, y, names = rows.pool(name)
    X, X_at, C = teacher_features(name, teacher, learn, at)
    proba = np.zeros((len(at), len(names)))
    def fit(y): return LogisticRegression(C=C, max_iter=1000).fit(X, y)
    if y.ndim == 1:
        model = fit(y[learn])
        proba[:, model.classes_] = model.predict_proba(X_at)
    else:
        varied = np.flatnonzero(y[learn].any(0) & ~y[learn].all(0))
        for j in varied: proba[:, j] = fit(y[learn, j]).predict_proba(X_at)[:, 1]
    return proba


def tempered(p, temperature: float, multi: bool):
    if multi: return expit(logit(p.clip(1e-9, 1 - 1e-9)) / temperature)
    return softmax(np.log(p.clip(1e-9)) / temperature, axis=1)


def chosen_only(y, scores):
    "The scores of the labels that were chosen"
    out, at = np.full(scores.shape, np.nan), np.arange(len(y))
    out[at, y] = scores[at, y]
    return out


SCORES = {  # of probabilities, the labels that follow from them, and random numbers; None: not for several labels
    "as they are": lambda p, y, rng: p,
    "too sure": lambda p, y, rng: tempered(p, 1 / 3, y.ndim == 2),
    "not sure enough": lambda p, y, rng: tempered(p, 2.5, y.ndim == 2),
    "of the chosen label only": lambda p, y, rng: chosen_only(y, p) if y.ndim == 1 else None,
    "at random": lambda p, y, rng: chosen_only(y, rng.uniform(.5, 1, p.shape)) if y.ndim == 1 else None,
}
WRONG = "at random, labels wrong"


@lru_cache(maxsize=1)
def tokenizer():
    from transformers import AutoTokenizer
    return AutoTokenizer.from_pretrained(data.minilm())


def model2vec_f1(taught: Taught) -> tuple[float, bool]:
    "Macro-F1 of a student, and whether it chose to learn soft labels"
    cell = taught.cell
    trained = training.train("model2vec", cell.texts, cell.y, cell.names, cell.seed, scores=taught.scores)
    f1 = training.macro_f1(cell.truth, training.answers(trained.student, cell.test_texts))
    return f1, trained.made["soft_labels"]


def setfit_f1(taught: Taught) -> tuple[float, bool]:
    "The same, of the head on the encoder as it came, which has seen all texts already"
    cell = taught.cell
    kind, n = training.task_of(cell.y, cell.names).kind, len(cell.y)
    X, X_test = cell.texts.encoded("minilm"), cell.test_texts.encoded("minilm")
    counts = count_tokens(cell.texts, tokenizer())
    evidence = Evidence(list(cell.texts), cell.y, kind, Recipe(), cell.seed, np.arange(n), np.arange(0),
                        soft_labels(kind, cell.y, taught.scores), counts=counts)
    view = View("frozen", X, X[:0])
    plan = make_plan(view, evidence)
    heads = fit_heads(view, evidence, plan)
    weight, on_counts = np.split(heads.both.weight, [X.shape[1]], axis=1)
    logits = X_test @ weight.T + heads.both.bias
    if plan.count_weight:
        shares = _shares(cell.test_texts)[:, counts.seen]
        logits = logits + shares @ (on_counts * counts.factor * plan.count_weight).T
    return training.macro_f1(cell.truth, kind.decide_logits(logits)), heads.soft


def _shares(texts):
    with quiet(): ids = tokenizer()(list(texts), add_special_tokens=False)["input_ids"]
    return token_shares(ids, len(tokenizer()))


F1 = {"model2vec": model2vec_f1, "setfit": setfit_f1}


def lessons(framework: str, name: str, size: int, seed: int):
    "What is to be run of a cell"
    cell = rows.cell(name, size, seed, 0.)
    few = 300 if cell.multi else 1000  # the sets of several labels a text are small: the teacher needs rows, too
    cell, rng = replace(cell, test=cell.test[:few], truth=cell.truth[:few]), np.random.default_rng([seed, 2])
    others = np.setdiff1d(np.arange(len(rows.pool(name)[0])), np.concatenate([cell.at, cell.test]))
    for teacher in TEACHERS[framework] if len(others) >= LEAST_TAUGHT else ():
        p = probabilities(name, teacher, others, cell.at)
        y = p >= .5 if cell.multi else p.argmax(1)
        if not (y.any() if cell.multi else len(np.unique(y)) > 1): continue
        answered = replace(cell, y=y)
        yield Taught(answered, teacher, "none")
        for kind, spoil in SCORES.items():
            if (scores := spoil(p, y, rng)) is not None: yield Taught(answered, teacher, kind, scores)
    if not cell.multi:
        wrong = replace(cell, y=rows.cell(name, size, seed, .2).y)
        scores = chosen_only(wrong.y, rng.uniform(.5, 1, (len(wrong.y), len(cell.names))))
        yield Taught(wrong, "gold, 20 % wrong", "none")
        yield Taught(wrong, "gold, 20 % wrong", WRONG, scores)


def table(cells: list[dict]) -> str:
    "Of each kind of scores the mean gain over the same student without, and where it was chosen to learn them"
    result = {(c["framework"], c["teacher"], c["set"], c["size"], c["seed"], c["scores"]): c for c in cells}
    lines = []
    for framework, kind in product(TEACHERS, [*SCORES, WRONG]):
        keys = [key for key in result if key[0] == framework and key[-1] == kind]
        if len(keys) < 2: continue
        gain = np.array([result[key]["f1"] - result[*key[:-1], "none"]["f1"] for key in keys])
        learnt = np.mean([result[key]["soft"] for key in keys])
        lines.append([framework, kind, f"{gain.mean():+.4f} ±{gain.std(ddof=1) / len(gain) ** .5:.4f}",
                      f"{(gain > 0).sum()} : {(gain < 0).sum()}", f"{gain.min():+.3f}", f"{learnt:.0%}", len(keys)])
    return ("Macro-F1 on gold with the teacher's scores, minus that without (± standard error over the runs); in how "
            "many runs it is better : worse; the worst run; and how often the student chose to learn them.\n\n"
            + markdown(["student", "scores", "gain", "better : worse", "worst", "learnt", "runs"], lines) + "\n")


def missing(args, known: set):
    "What was asked for and is not known: framework, data set, rows, seed, and what the student is given"
    for seed, size, name in product(args.seeds, args.sizes, args.sets):
        if not rows.has_size(name, size): continue
        for framework in args.frameworks:
            for taught in lessons(framework, name, size, seed):
                cell = framework, name, size, seed
                if (*cell, taught.teacher, taught.kind) not in known: yield *cell, taught


def main():
    parser = running.arguments("panel.soft", __doc__)
    parser.add_argument("--sets", nargs="+", default=rows.SETS, choices=rows.SETS)
    parser.add_argument("--sizes", nargs="+", type=int, default=[50, 200, 500])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--frameworks", nargs="+", default=list(TEACHERS), choices=list(TEACHERS))
    parser.add_argument("--results", type=Path, default=FILE)
    args = parser.parse_args()
    running.silence()
    names = ("framework", "set", "size", "seed", "teacher", "scores")
    cells = running.read_lines(args.results)
    for *cell, taught in missing(args, {tuple(c[name] for name in names) for c in cells}):
        score, soft = F1[cell[0]](taught)
        result = dict(zip(names, (*cell, taught.teacher, taught.kind)))
        cells.append({**result, "f1": score, "soft": bool(soft)})
        running.add_line(args.results, cells[-1])
    args.results.with_suffix(".md").write_text(table(cells))
    print(table(cells))


if __name__ == "__main__": main()
