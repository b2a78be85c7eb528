"""What soft labels are worth: students that learn a teacher's labels, and students that learn its scores as well.

    python -m benchmarks.panel.soft [--sizes 50 200 500] [--seeds 0 1 2]

The teacher is a logistic regression, on MiniLM or on TF-IDF, that has learnt from the gold labels of rows which are neither learnt from nor tested on; the students see its answers alone, and
are tested on gold. Its scores are given to them as they are, and spoilt: all too sure of themselves (logits times 3), not sure enough (logits by 2.5), for the chosen label only, or drawn at random.
In the last row the labels are those of the panel with 20 % wrong, and the scores drawn at random: the worst that scores can be.

The SetFit student is its head on the frozen encoder, with the teacher on TF-IDF: one on the student's own encoder would have nothing to say that it could not learn exactly.
Each line of soft.jsonl is one run; those that are there are not run again. The table is written to soft.md.
"""
from __future__ import annotations

import argparse
import json
import logging
import warnings
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.special import expit, logit, softmax

from benchmarks import RESULTS, data
from benchmarks.panel import rows
from benchmarks.panel.__main__ import macro_f1
from benchmarks.panel.report import markdown
from sieves_distill import Classification
from sieves_distill import train as recipe

CELLS = RESULTS / "panel" / "soft.jsonl"
LEAST_TAUGHT = 150  # rows that a teacher learns from, at least
TEACHERS = {"model2vec": ["minilm", "tfidf"], "setfit": ["tfidf"]}


def probabilities(name: str, kind: str, learn, at):
    "Of each label, for the texts at positions `at` of the pool"
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    texts, y, names = rows.pool(name)
    if kind == "minilm": X, Z, C = *(rows.encoded(name, "minilm")[one] for one in (learn, at)), 3
    else:
        words = TfidfVectorizer(sublinear_tf=True)
        X, Z, C = words.fit_transform([texts[i] for i in learn]), words.transform([texts[i] for i in at]), 10
    out = np.zeros((len(at), len(names)))
    fit = lambda y: LogisticRegression(C=C, max_iter=1000).fit(X, y)
    if y.ndim == 1:
        model = fit(y[learn])
        out[:, model.classes_] = model.predict_proba(Z)
    else:
        for j in np.flatnonzero(y[learn].any(0) & ~y[learn].all(0)): out[:, j] = fit(y[learn, j]).predict_proba(Z)[:, 1]
    return out


def tempered(p, temperature: float, multi: bool):
    return expit(logit(p.clip(1e-9, 1 - 1e-9)) / temperature) if multi else softmax(np.log(p.clip(1e-9)) / temperature, axis=1)


def chosen_only(y, scores):
    out = np.full(scores.shape, np.nan)
    out[np.arange(len(y)), y] = scores[np.arange(len(y)), y]
    return out


SCORES = {  # of probabilities, the labels that follow from them, and a generator of random numbers; None is not for several labels a text
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


def f1(framework: str, name: str, at, y, test, truth, seed: int, scores) -> tuple[float, bool]:
    "Macro-F1 of a student, and whether it chose to learn soft labels"
    texts, _, names = rows.pool(name)
    task = Classification(names, multi_label=y.ndim == 2, task_id=name)
    soft, of = recipe._soft_labels(y, scores), lambda at: [texts[i] for i in at]
    if framework == "model2vec":
        pipeline, *_, chosen = recipe._token_table(recipe._static_model(data.static_base()), of(at), y, task, seed, soft=soft)
        proba = pipeline.predict_proba(of(test))
        return macro_f1(truth, proba > .5 if y.ndim == 2 else proba.argmax(1)), chosen["soft_labels"]
    X = rows.encoded(name, "minilm")
    counts, seen, factor = recipe._counts_of(of(at), tokenizer())
    count, *_ = recipe._beside(X[at], counts, y, len(names), seed, soft=soft)
    (weight, bias, _), _, softly = recipe._heads(X[at], counts, count, y, len(names), seed, soft=soft)
    logits = X[test] @ weight[:, :X.shape[1]].T + bias
    if count:
        with recipe.quiet(): shares = recipe.token_shares(tokenizer()(of(test), add_special_tokens=False)["input_ids"], len(tokenizer()))
        logits = logits + shares[:, seen] @ (weight[:, X.shape[1]:] * factor * count).T
    return macro_f1(truth, logits > 0 if y.ndim == 2 else logits.argmax(1)), softly


def cells(framework: str, name: str, size: int, seed: int):
    "(teacher, kind of scores, positions of the training rows, labels, scores or None, test positions, gold) of what is to be run"
    at, gold, _, _, test, truth = rows.cell(name, size, seed, 0.)
    few = 300 if gold.ndim == 2 else 1000  # the sets of several labels a text are small: the teacher needs rows, too
    test, truth, rng = test[:few], truth[:few], np.random.default_rng([seed, 2])
    rest = np.setdiff1d(np.arange(len(rows.pool(name)[0])), np.concatenate([at, test]))
    if len(rest) >= LEAST_TAUGHT:
        for teacher in TEACHERS[framework]:
            p = probabilities(name, teacher, rest, at)
            y = p >= .5 if gold.ndim == 2 else p.argmax(1)
            if not (y.any() if gold.ndim == 2 else len(np.unique(y)) > 1): continue
            yield teacher, "none", at, y, None, test, truth
            for kind, of in SCORES.items():
                if (scores := of(p, y, rng)) is not None: yield teacher, kind, at, y, scores, test, truth
    if gold.ndim == 1:
        y = rows.cell(name, size, seed, .2)[1]
        scores = chosen_only(y, rng.uniform(.5, 1, (len(y), len(rows.pool(name)[2]))))
        yield "gold, 20 % wrong", "none", at, y, None, test, truth
        yield "gold, 20 % wrong", WRONG, at, y, scores, test, truth


def table(found: list[dict]) -> str:
    "Of each kind of scores the mean gain over the same student without, and where it was chosen to learn them"
    value = {(c["framework"], c["teacher"], c["set"], c["size"], c["seed"], c["scores"]): c for c in found}
    lines = []
    for framework in TEACHERS:
        for kind in [*SCORES, WRONG]:
            keys = [k for k in value if k[0] == framework and k[-1] == kind]
            if len(keys) < 2: continue
            gain = np.array([value[k]["f1"] - value[(*k[:-1], "none")]["f1"] for k in keys])
            lines.append([framework, kind, f"{gain.mean():+.4f} ±{gain.std(ddof=1) / len(gain) ** .5:.4f}", f"{(gain > 0).sum()} : {(gain < 0).sum()}", f"{gain.min():+.3f}",
                          f"{np.mean([value[k]['soft'] for k in keys]):.0%}", len(keys)])
    return ("Macro-F1 on gold with the teacher's scores, minus that without (± standard error over the runs); in how many runs it is better : worse; the worst run; and how often the student chose to learn them.\n\n"
            + markdown(["student", "scores", "gain", "better : worse", "worst", "learnt", "runs"], lines) + "\n")


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.panel.soft", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=rows.SETS, choices=rows.SETS)
    parser.add_argument("--sizes", nargs="+", type=int, default=[50, 200, 500])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--frameworks", nargs="+", default=list(TEACHERS), choices=list(TEACHERS))
    parser.add_argument("--results", type=Path, default=CELLS)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    found = [json.loads(line) for line in args.results.read_text().splitlines()] if args.results.exists() else []
    known = {(c["framework"], c["set"], c["size"], c["seed"], c["teacher"], c["scores"]) for c in found}
    for seed in args.seeds:
        for size in args.sizes:
            for name in args.sets:
                if not rows.has_size(name, size): continue
                for framework in args.frameworks:
                    for teacher, kind, at, y, scores, test, truth in cells(framework, name, size, seed):
                        if (framework, name, size, seed, teacher, kind) in known: continue
                        score, soft = f1(framework, name, at, y, test, truth, seed, scores)
                        found.append({"framework": framework, "set": name, "size": size, "seed": seed, "teacher": teacher, "scores": kind, "f1": score, "soft": bool(soft)})
                        with args.results.open("a") as file: file.write(json.dumps(found[-1]) + "\n")
    args.results.with_suffix(".md").write_text(table(found))
    print(table(found))


if __name__ == "__main__": main()
