"""A student with one part of its recipe left out at a time, on the panel's rows.

    python -m benchmarks.panel.ablation [--sizes 50 200 500] [--seeds 0] [--noise 0 0.2]
    python -m benchmarks.panel.ablation --sizes 2000 --seeds 0 1 2 --parts 'second look'     (of more than 1,000 rows)
    python -m benchmarks.panel.ablation --student setfit [--sets tweets movies …] [--sizes 200] [--seeds 3]     (minutes a run)

Each line of ablation.jsonl and ablation_setfit.jsonl is one run; those that are there are not run again. The table is printed, and written beside them.
"""
from __future__ import annotations

import argparse
import json
import logging
import warnings
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
from tqdm.auto import tqdm

from benchmarks import RESULTS, data
from benchmarks.panel import rows
from benchmarks.panel.__main__ import macro_f1
from benchmarks.panel.methods import Rows, no_names
from benchmarks.panel.report import BOTH_NOISES, compared, markdown
from sieves_distill import Classification
from sieves_distill import train as recipe

CELLS = {"model2vec": RESULTS / "panel" / "ablation.jsonl", "setfit": RESULTS / "panel" / "ablation_setfit.jsonl"}


def log_loss(y, logits) -> float:
    "What ranks candidates in place of the ranking: the log loss, each label weighing the same"
    from scipy.special import log_softmax
    if y.ndim == 1:
        log_proba = log_softmax(logits, axis=1)
        return -np.mean([-log_proba[y == j, j].mean() for j in np.unique(y)])
    loss = np.logaddexp(0, np.where(y, -logits, logits))
    return -np.mean([loss[y[:, j] == side, j].mean() for j in np.flatnonzero(y.any(0) & ~y.all(0)) for side in (True, False)])


def weights(means: bool, bursts: bool, of=recipe._token_weights):
    "The weights of tokens without the rarity in the means, or the damping of bursts"
    def without(shares):
        in_means, in_counts = of(shares)
        idf = in_means ** 2
        return in_means if means else np.ones_like(in_means), in_counts if bursts else idf * (in_counts > 0)
    return without


def next_names(task, of=recipe._label_texts):
    "Each label is called what the next one is"
    first, *rest = of(task)
    return [*rest, first]


MODEL2VEC = {  # what is left out: (what stands in its place, whether it makes a difference to a cell of this size and kind)
    "nothing": ({}, lambda size, multi: True),
    "names of the labels": ({"_names_fit": no_names}, lambda size, multi: True),
    "look at whether they fit (names in any case)": ({"_names_fit": lambda *_: True}, lambda size, multi: True),
    "weight of three rows for a name (one instead)": ({"_NAMED": 1}, lambda size, multi: True),
    "weight of three rows for a name (ten instead)": ({"_NAMED": 10}, lambda size, multi: True),
    "names that say something (`class 1` and so on instead)": ({"_label_texts": lambda task: [f"class {i}" for i in range(len(task.labels))]}, lambda size, multi: True),
    "true names (each label has that of the next)": ({"_label_texts": next_names}, lambda size, multi: True),
    "true names, and the look whether they fit": ({"_label_texts": next_names, "_names_fit": lambda *_: True}, lambda size, multi: True),
    "counts of tokens": ({"_COUNTS": (0,)}, lambda size, multi: True),
    "heads for five weights of the counts (for 1 alone)": ({"_COUNTS": (1,)}, lambda size, multi: True),
    "mean of the heads (that which ranks best instead)": ({"_shares": lambda scores, n_rows, of=recipe._shares: of(scores, np.inf)}, lambda size, multi: size <= recipe._FEW),
    "shares by ranking (all heads count alike)": ({"_shares": lambda scores, n_rows: np.full(len(scores), 1 / len(scores))}, lambda size, multi: size <= recipe._FEW),
    "shares by ranking (by log loss instead)": ({"_ranking": log_loss}, lambda size, multi: True),
    "three rounds of folds (one instead)": ({"_rounds": lambda n: 1}, lambda size, multi: size <= 300),
    "doubt of labels": ({"_DOUBT": 0}, lambda size, multi: True),
    "second look at the labels (one instead)": ({"_LOOKS": 1}, lambda size, multi: size > recipe._FEW),
    "absence of an intercept": ({"_strength": lambda y, of=recipe._strength: {**of(y), "fit_intercept": True}}, lambda size, multi: True),
    "strong regularisation (C = 10 for all)": ({"_strength": lambda y, of=recipe._strength: {**of(y), "C": 10}}, lambda size, multi: True),
    "weakening of it with the rows (C = 1 for all)": ({"_strength": lambda y, of=recipe._strength: {**of(y), "C": 1}}, lambda size, multi: size > 100),
    "damping of bursts": ({"_token_weights": weights(means=True, bursts=False)}, lambda size, multi: True),
    "rarity in the means": ({"_token_weights": weights(means=False, bursts=True)}, lambda size, multi: True),
    "offsets": ({"_offsets": lambda y, logits: np.zeros(logits.shape[2])}, lambda size, multi: not multi),
    "penalty on the offsets": ({"_STIFF": 0}, lambda size, multi: not multi),
    "growth of the penalty with a label's rows": ({"_RARE": np.inf}, lambda size, multi: not multi),
    "thresholds": ({"_thresholds": lambda y, logits: np.zeros(y.shape[1])}, lambda size, multi: multi),
    "halving of the thresholds' way": ({"_thresholds": lambda y, logits, of=recipe._thresholds: 2 * of(y, logits)}, lambda size, multi: multi),
}


def by_f1(y, frozen, tuned):
    "The encoder that is kept is that with the better F1 on the rows held out"
    return "frozen" if recipe._macro_f1(y, frozen) > recipe._macro_f1(y, tuned) else "fine-tuned", {}


def own_trust(X, counts, count, y, n_labels, seed, of=recipe._heads, **params):
    "A head that goes by the trust which the embeddings that it learns from suggest"
    return of(X, counts, count, y, n_labels, seed, **{**params, "trust": None})


def equal_trust(model, texts, hot, trust, *rest, of=recipe._fine_tune_body): return of(model, texts, hot, np.ones_like(trust), *rest)


def cosine_loss(body):
    "SetFit's default"
    from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss
    return CosineSimilarityLoss(body)


SETFIT = {
    "nothing": ({}, {}, lambda size, multi: True),
    "fine-tuning of the encoder": ({"_steps": lambda *_: 0}, {}, lambda size, multi: True),
    "loss over all pairs of a batch (SetFit's pairs instead)": ({}, {"loss": cosine_loss}, lambda size, multi: True),
    "learning rate of 1e-4 (SetFit's 2e-5 instead)": ({}, {"body_learning_rate": 2e-5}, lambda size, multi: True),
    "average of the weights before and after": ({"_average": lambda *_: None}, {}, lambda size, multi: True),
    "trust while fine-tuning": ({"_fine_tune_body": equal_trust}, {}, lambda size, multi: True),
    "frozen encoder's trust in the head (its own instead)": ({"_heads": own_trust}, {}, lambda size, multi: True),
    "rows left out of fine-tuning (none instead)": ({"_doubtful": lambda y, likelihood: np.zeros(len(y), bool)}, {}, lambda size, multi: 100 <= size <= 300 and not multi),
    "the bound of 300 rows for that (none instead)": ({"_doubtful": partial(recipe._doubtful, most=np.inf)}, {}, lambda size, multi: size > 300 and not multi),
    "choice of the encoder by log loss (by F1 instead)": ({"_keep": by_f1}, {}, lambda size, multi: size >= 100),
    "choice of the encoder (always fine-tuned)": ({"_keep": lambda *_: ("fine-tuned", {})}, {}, lambda size, multi: size >= 100),
}
USUAL = {"model2vec": (rows.SETS, [50, 200, 500], [0]), "setfit": (["tweets", "movies", "attack", "reuters", "newsgroups"], [200], [3])}  # data sets, sizes and seeds
PARTS = {"model2vec": {part: (instead, {}, matters) for part, (instead, matters) in MODEL2VEC.items()}, "setfit": SETFIT}


tuned: dict = {}  # the cell whose fine-tuned encoder is at hand, and its weights


def reused(cell):
    "Fine-tuning that is not done again where only what comes after it differs"
    def fine_tune(model, *rest, of=recipe._fine_tune_body):
        if cell in tuned: return model.model_body.load_state_dict(tuned[cell])
        of(model, *rest)
        tuned.clear()
        tuned[cell] = {k: v.clone() for k, v in model.model_body.state_dict().items()}
    return {"_fine_tune_body": fine_tune}


def answers(r: Rows, texts: list[str], student: str, seed: int, instead: dict, train_kwargs: dict):
    "What a student of these rows says of texts, label positions or booleans, where `instead` stands in the place of parts of its recipe"
    task = Classification(r.names, multi_label=r.multi, task_id=r.name)
    with patch.multiple(recipe, **{"_DOUBT": recipe._DOUBT, **instead}):
        if student == "setfit":
            with tqdm(disable=True) as bar: model, _ = recipe._train_setfit(data.minilm(), r.dataset(), task, {}, train_kwargs, seed, bar)
        else: model, *_ = recipe._token_table(recipe._static_model(data.static_base()), r.texts(), r.y, task, seed)
    proba = model.predict_proba(texts)
    return proba > .5 if r.multi else proba.argmax(1)


def run(name: str, size: int, seed: int, noise: float, part: str, student: str) -> float:
    train, y, _, _, test, truth = rows.cell(name, size, seed, noise)
    r = Rows(name, seed, train, y, train[:0], y[:0])
    instead, train_kwargs, _ = PARTS[student][part]
    if not train_kwargs and instead.keys() <= {"_average", "_heads", "_keep"}: instead = {**instead, **reused((name, size, seed, noise))}
    return macro_f1(truth, answers(r, r.texts(test), student, seed, instead, train_kwargs))


def table(cells: list[dict], student: str) -> str:
    "For each part that was left out, the mean F1 with and without it, over the cells that it makes a difference to; clean and noisy apart"
    f1 = {(c["set"], c["size"], c["seed"], c["noise"], c["without"]): c["f1"] for c in cells}
    lines = []
    for part in list(PARTS[student])[1:]:
        line = [part]
        for noise in (0., .2):
            keys = [k[:4] for k in f1 if k[4] == part and k[3] == noise and (*k[:4], "nothing") in f1]
            diff = np.array([f1[(*k, part)] - f1[(*k, "nothing")] for k in keys])
            line += compared(diff)
        if any(line[1:]): lines.append(line)
    full = {words: [v for k, v in f1.items() if k[4] == "nothing" and k[3] == n] for n, words in ((0., "with clean labels"), (.2, "with 20 % wrong"))}
    name = {"model2vec": "Model2Vec", "setfit": "SetFit"}[student]
    return (f"Macro-F1 of the {name} student as it is: {', '.join(f'{np.mean(found):.4f} {words}' for words, found in full.items() if found)}. What leaving out a part does to it (± standard error over the runs), "
            "and in how many runs it is better : worse without.\n\n" + markdown(["left out", *BOTH_NOISES], lines) + "\n")


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.panel.ablation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--student", default="model2vec", choices=list(PARTS))
    parser.add_argument("--sets", nargs="+", choices=rows.SETS, help=f"all; for setfit {', '.join(USUAL['setfit'][0])}")
    parser.add_argument("--sizes", nargs="+", type=int, help="50, 200 and 500; for setfit 200")
    parser.add_argument("--seeds", nargs="+", type=int, help="0; for setfit 3, which the panel does not use")
    parser.add_argument("--noise", nargs="+", type=float, default=[0., .2])
    parser.add_argument("--parts", nargs="+", default=[""], help="words that occur in the names of the parts to leave out; all")
    parser.add_argument("--results", type=Path)
    args = parser.parse_args()
    sets, sizes, seeds = (given or usual for given, usual in zip((args.sets, args.sizes, args.seeds), USUAL[args.student]))
    results = args.results or CELLS[args.student]
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    cells = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    known = {(c["set"], c["size"], c["seed"], c["noise"], c["without"]) for c in cells}
    for seed in seeds:
        for noise in args.noise:
            for size in sizes:
                for name in sets:
                    if not rows.has_size(name, size): continue
                    for part, (*_, matters) in PARTS[args.student].items():
                        key = name, size, seed, noise, part
                        if key in known or not matters(size, rows.pool(name)[1].ndim == 2) or part != "nothing" and not any(words in part for words in args.parts): continue
                        cells.append({"set": name, "size": size, "seed": seed, "noise": noise, "without": part, "f1": run(*key, args.student)})
                        with results.open("a") as file: file.write(json.dumps(cells[-1]) + "\n")
    results.with_suffix(".md").write_text(table(cells, args.student))
    print(table(cells, args.student))


if __name__ == "__main__": main()
