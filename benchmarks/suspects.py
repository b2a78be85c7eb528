"""Are the suspects really wrong, and does a choice of documents save labels?

    python -m benchmarks.suspects [--part errors choice] [--data bbc newsgroups ...] [--seeds 0 1 2 3 4]

Each cell is a line in suspects.jsonl; cells that are there are not run again. The tables are printed, and written to suspects.md.

*errors*: in 1,000 rows with gold labels, 10 % of the rows get a wrong answer. Two kinds: `random`, any wrong answer on any row; `confused`, as an LLM errs: rows that a
classifier on MiniLM embeddings is unsure of, drawn in proportion to the probability that it gives to wrong answers, get the wrong answer that it finds likeliest. Of several labels
one is lost, or one comes in addition, or one takes another's place. Scored is the share of planted errors among as many first ranks as errors were planted: a random order has 0.1. Errors
that the data had before count as false alarms, so that the true share is higher. The peers cut the same folds and have the same head, on other features (MiniLM is
at a disadvantage with `confused` errors, which it has made itself).

*choice*: 50 random labels, then 50 more at a time, chosen at random, as the most uncertain, or by `choose_next`, from a pool of 2,000 documents or what there is; after each step a Model2Vec
student is trained, and scored on a third of the data held out. Gold stands in for the teacher.
"""
from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from functools import lru_cache

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
from datasets import ClassLabel, Dataset, Features, List, Value
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import KFold

from benchmarks import RESULTS, data
from sieves_distill import Classification
from sieves_distill.basics.quiet import quiet
from sieves_distill.relabel.suspicion import _cut, _out_of_fold, _quality, suspects
from sieves_distill.relabel.choice import choose_next
from sieves_distill.heads.tokens import load_static_model, static_token_shares, token_vectors
from sieves_distill.train.model2vec import train_model2vec

CELLS, TABLE = RESULTS / "suspects.jsonl", RESULTS / "suspects.md"
SETS = ["bbc", "newsgroups", "reuters", "tweets", "movies", "attack", "platforms"]
ROWS, SHARE = 1000, .1
START, STEP, ROUNDS, POOL = 50, 50, 7, 3000
WAYS = {"random": None, "uncertain": 1, "choose_next": 4}


@lru_cache(maxsize=None)
def rows(name: str, seed: int, n: int):
    texts, y, names = data.LOADERS[name]()
    keep = np.random.default_rng(seed).permutation(len(texts))[:n]
    return [texts[i] for i in keep], np.asarray(y)[keep], names


def dataset(texts, y, names) -> Dataset:
    labels = List(Value("bool")) if y.ndim == 2 else ClassLabel(names=names)
    return Dataset.from_dict({"text": texts, "labels": y.tolist()}, Features(text=Value("string"), labels=labels))


def features(texts) -> dict:
    "What the peers see: frozen MiniLM, frozen static vectors, and these with the words' TF-IDF, as the Model2Vec student does"
    from scipy import sparse
    from sentence_transformers import SentenceTransformer
    with quiet():
        minilm = SentenceTransformer(data.minilm(), device="cpu").encode(texts, show_progress_bar=False)
        model = load_static_model(data.static_base())
    shares = static_token_shares(model, texts)
    df = np.bincount(shares.indices, minlength=shares.shape[1])
    seen = np.flatnonzero(df)
    means, counts = shares @ token_vectors(model), shares[:, seen] @ sparse.diags(np.log((1 + len(texts)) / (1 + df[seen])) + 1)
    scaled = [x * np.sqrt(len(texts) / (x.data ** 2 if sparse.issparse(x) else x ** 2).sum()) for x in (means, counts)]
    return {"minilm": minilm, "static": scaled[0], "model2vec": sparse.hstack(scaled, format="csr")}


def wrong_answers(embeddings, y, seed: int):
    "Probabilities `(n, n_labels)` of the answers that are not given, by a classifier that has not seen the row"
    lr, k = LogisticRegression(max_iter=1000, class_weight="balanced"), y.max() + 1 if y.ndim == 1 else y.shape[1]
    proba = np.zeros((len(y), k))
    for a, b in KFold(5, shuffle=True, random_state=seed).split(embeddings):
        if y.ndim == 1:
            model = lr.fit(embeddings[a], y[a])
            proba[np.ix_(b, model.classes_)] = model.predict_proba(embeddings[b])
        else:
            for j in range(k): proba[b, j] = lr.fit(embeddings[a], y[a, j]).predict_proba(embeddings[b])[:, 1] if 0 < y[a, j].sum() < len(a) else 0
    if y.ndim == 1: return np.where(np.eye(k, dtype=bool)[y], 0, proba)
    return np.where(y, 1 - proba, proba)


def plant(y, kind: str, embeddings, seed: int):
    "The labels with a tenth of the rows wrong"
    rng, y = np.random.default_rng([seed, 1]), y.copy()
    hot = y if y.ndim == 2 else np.eye(y.max() + 1, dtype=bool)[y]
    likely = wrong_answers(embeddings, y, seed) if kind == "confused" else np.where(hot, 0, 1.) if y.ndim == 1 else np.ones(y.shape)
    weight = likely.sum(1) if y.ndim == 1 else likely.max(1)
    def one(of, row): return row[np.argmax(of[row])] if kind == "confused" else rng.choice(row)
    for i in rng.choice(len(y), round(SHARE * len(y)), replace=False, p=weight / weight.sum()):
        if y.ndim == 1: y[i] = one(likely[i], np.flatnonzero(~hot[i]))
        else:
            given, other, change = np.flatnonzero(y[i]), np.flatnonzero(~y[i]), rng.choice(["lost", "added", "replaced"])
            if len(given) and (change != "added" or not len(other)): y[i, one(likely[i], given)] = False
            if len(other) and (change != "lost" or not len(given)): y[i, one(likely[i], other)] = True
    return y


def errors_cells(name: str, seed: int):
    "Both kinds of planted errors in the same rows"
    texts, gold, names = rows(name, seed, ROWS)
    peers, task = features(texts), Classification(names, multi_label=gold.ndim == 2)
    for kind in ("random", "confused"):
        y = plant(gold, kind, peers["minilm"], seed)
        wrong = (y != gold) if y.ndim == 1 else (y != gold).any(1)
        k, start = int(wrong.sum()), time.perf_counter()
        found = suspects(dataset(texts, y, names), task, progress=False)
        seconds = time.perf_counter() - start
        flagged = found["row"][found["issue"]].to_numpy()
        top = {"suspects": found["row"][:k].to_numpy()}
        folds = _cut(texts, y, 5, 0)
        for peer, X in peers.items(): top[peer] = np.argsort(_quality(y, _out_of_fold(X, y, len(names), folds))[0], kind="stable")[:k]
        top["the rows as they come"] = np.random.default_rng(seed).permutation(len(y))[:k]
        yield {"part": "errors", "data": name, "seed": seed, "kind": kind, "n": len(y), "labels": len(names), "multi_label": gold.ndim == 2, "planted": k,
               "precision": {way: float(wrong[first].mean()) for way, first in top.items()}, "precision_first_20": float(wrong[top["suspects"][:20]].mean()),
               "issues": {"n": len(flagged), "precision": float(wrong[flagged].mean()) if len(flagged) else None, "recall": float(wrong[flagged].sum() / k)}, "seconds": seconds}


def macro_f1(truth, proba) -> float:
    present, said = (np.flatnonzero(truth.any(0)), proba > .5) if truth.ndim == 2 else (np.unique(truth), proba.argmax(1))
    return float(f1_score(truth, said, labels=present, average="macro", zero_division=0))


def choice_cell(name: str, seed: int, way: str) -> dict:
    "The learning curve of one way to choose"
    from tqdm import tqdm
    texts, y, names = rows(name, seed, POOL)
    task, n_test, rng = Classification(names, multi_label=y.ndim == 2), len(texts) // 3, np.random.default_rng([seed, 2])
    have, test, curve, seconds = list(range(n_test, n_test + START)), range(n_test), [], []
    for step in range(ROUNDS + 1):
        train = dataset([texts[i] for i in have], y[have], names)
        student, _ = train_model2vec(data.static_base(), train, task, {}, {}, seed, tqdm(disable=True))
        curve.append({"labels": len(have), "f1": macro_f1(y[:n_test], student.predict_proba([texts[i] for i in test]))})
        rest = np.setdiff1d(np.arange(n_test, len(texts)), have)
        if step == ROUNDS or len(rest) < STEP: break
        rest, start = rng.permutation(rest), time.perf_counter()
        if WAYS[way] is None: have += rest[:STEP].tolist()
        else: have += rest[choose_next(student, [texts[i] for i in rest], STEP, known=[texts[i] for i in have], pool=WAYS[way], seed=seed, progress=False)["position"]].tolist()
        seconds.append(time.perf_counter() - start)
    return {"part": "choice", "data": name, "seed": seed, "way": way, "pool": len(texts) - n_test, "n_test": n_test, "multi_label": y.ndim == 2, "curve": curve, "seconds_per_choice": float(np.mean(seconds))}


def errors_table(cells: list[dict]) -> str:
    lines = ["| data | labels | errors | seeds | random order | first 20 | **`suspects`** | Model2Vec recipe | static vectors | MiniLM | marked as issue | of these planted | of the planted marked | s |",
             "|---|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"]
    groups: dict = {}
    for c in cells: groups.setdefault((SETS.index(c["data"]), c["data"], c["kind"] != "random"), []).append(c)
    for (_, name, _), found in sorted(groups.items()):
        mean = lambda get: float(np.mean([get(c) for c in found]))
        p = {way: mean(lambda c: c["precision"][way]) for way in found[0]["precision"]}
        sd = np.std([c["precision"]["suspects"] for c in found], ddof=1) if len(found) > 1 else 0
        lines.append(f"| {name}{' (multi-label)' if found[0]['multi_label'] else ''} | {found[0]['labels']} | {found[0]['kind']} | {len(found)} | {p['the rows as they come']:.2f} | {mean(lambda c: c['precision_first_20']):.2f} | "
                     f"**{p['suspects']:.2f}** ±{sd:.2f} | {p['model2vec']:.2f} | {p['static']:.2f} | {p['minilm']:.2f} | {mean(lambda c: c['issues']['n']):.0f} of {found[0]['n']} | "
                     f"{mean(lambda c: c['issues']['precision'] or 0):.2f} | {mean(lambda c: c['issues']['recall']):.2f} | {mean(lambda c: c['seconds']):.1f} |")
    return "\n".join(lines)


def saved(chosen, random, at: int, labels) -> str:
    "How many random labels reach the mean F1 that `at` chosen ones do, on the mean curve made monotone"
    target, curve = chosen[labels.index(at)], np.maximum.accumulate(random)
    if target > curve[-1]: return f"more than {labels[-1]}"
    if target <= curve[0]: return f"{labels[0]}"
    return f"{np.interp(target, curve, labels):.0f}"


def choice_table(cells: list[dict]) -> str:
    from scipy.stats import t
    shown = (100, 200, 400)
    lines = [f"| data | seeds | way | {' | '.join(f'F1 at {n}' for n in shown)} | gain over random [95 %] | 200 of these are worth so many random labels | verdict | s a choice |", "|---|--:|---|--:|--:|--:|--:|--:|---|--:|"]
    by: dict = {}
    for c in cells: by.setdefault(c["data"], {}).setdefault(c["way"], {})[c["seed"]] = c
    for name in sorted(by, key=SETS.index):
        seeds = sorted(set.intersection(*(set(found) for found in by[name].values())))
        f1 = {way: np.array([[point["f1"] for point in found[seed]["curve"]] for seed in seeds]) for way, found in by[name].items()}
        labels = [point["labels"] for point in by[name]["random"][seeds[0]]["curve"]]
        for way in WAYS:
            if way not in f1: continue
            at = [f"{f1[way].mean(0)[labels.index(n)]:.3f}" if n in labels else "" for n in shown]
            gain, worth, verdict = "", "", ""
            if way != "random" and len(seeds) > 1:
                mean = (f1[way] - f1["random"])[:, 1:].mean(1)
                half = t.ppf(.975, len(seeds) - 1) * mean.std(ddof=1) / np.sqrt(len(seeds))
                gain, worth = f"{mean.mean():+.3f} [{mean.mean() - half:+.3f}, {mean.mean() + half:+.3f}]", saved(f1[way].mean(0), f1["random"].mean(0), 200, labels)
                verdict = "saves labels" if mean.mean() > half else "COSTS labels" if mean.mean() < -half else "no clear difference"
            lines.append(f"| {name} | {len(seeds)} | {way} | {' | '.join(at)} | {gain} | {worth} | {verdict} | {np.mean([c['seconds_per_choice'] for c in by[name][way].values()]):.1f} |")
    return "\n".join(lines)


def report(cells: list[dict]) -> str:
    parts = {part: [c for c in cells if c["part"] == part] for part in ("errors", "choice")}
    out = []
    if parts["errors"]:
        out += ["**Planted errors**", "", f"{ROWS:,} rows (attack, platforms: all there are), {SHARE:.0%} of them wrong. Precision at as many ranks as there are errors, means over the seeds (± standard deviation). *Confused* errors "
                "are where a classifier on MiniLM embeddings is unsure (so that MiniLM is at a disadvantage there). Errors that the data had before count as false alarms.", "", errors_table(parts["errors"]), ""]
    if parts["choice"]:
        out += ["**Chosen labels**", "", "Macro-F1 of Model2Vec students on held-out gold labels, 50 random labels to start with, 50 more a step, up to 400. The gain is the mean over all steps, paired by seed, with a t-interval; *uncertain* takes the most uncertain as they are.", "",
                choice_table(parts["choice"]), ""]
    return "\n".join([*out, "`python -m benchmarks.suspects`\n"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", nargs="+", default=["errors", "choice"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--data", nargs="+", default=SETS)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    cells = [json.loads(line) for line in CELLS.read_text().splitlines()] if CELLS.exists() else []
    known = {(c["part"], c["data"], c["seed"], c.get("way")) for c in cells}
    def keep(cell):
        cells.append(cell)
        with CELLS.open("a") as file: file.write(json.dumps(cell) + "\n")
        print({k: v for k, v in cell.items() if k not in ("curve",)}, flush=True)
    for seed in args.seeds:
        for name in args.data:
            if "errors" in args.part and ("errors", name, seed, None) not in known:
                for cell in list(errors_cells(name, seed)): keep(cell)
            for way in WAYS if "choice" in args.part else ():
                if ("choice", name, seed, way) not in known: keep(choice_cell(name, seed, way))
    TABLE.write_text(report(cells))
    print(report(cells))


if __name__ == "__main__": main()
