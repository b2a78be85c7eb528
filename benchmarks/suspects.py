"""Are the suspects really wrong, and does a choice of documents save labels?

    python -m benchmarks.suspects [--part errors choice] [--data bbc newsgroups ...] [--seeds 0 1 2 3 4]

Each cell is a line in suspects.jsonl; cells that are there are not run again. The tables are printed, and written to
suspects.md.

*errors*: in 1,000 rows with gold labels, 10 % of the rows get a wrong answer. Two kinds: `random`, any wrong answer on
any row; `confused`, as an LLM errs: rows that a classifier on MiniLM embeddings is unsure of, drawn in proportion to
the probability that it gives to wrong answers, get the wrong answer that it finds likeliest. Of several labels one is
lost, or one comes in addition, or one takes another's place. Scored is the share of planted errors among as many first
ranks as errors were planted: a random order has 0.1. Errors that the data had before count as false alarms, so that the
true share is higher. The peers cut the same folds and have the same head, on other features (MiniLM is at a
disadvantage with `confused` errors, which it has made itself).

*choice*: 50 random labels, then 50 more at a time, chosen at random, as the most uncertain, or by `choose_next`, from a
pool of 2,000 documents or what there is; after each step a Model2Vec student is trained, and scored on a third of the
data held out. Gold stands in for the teacher.
"""
from __future__ import annotations

import time
from functools import lru_cache
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

from benchmarks import RESULTS, data, running, training
from benchmarks.panel.report import markdown
from sieves_distill import choose_next, suspects
from sieves_distill.basics.quiet import quiet
from sieves_distill.export.rows import Rows
from sieves_distill.heads.tokens import load_static_model, static_token_shares, token_vectors
from sieves_distill.relabel.opinion import cut_folds, judge_unseen
from sieves_distill.relabel.suspicion import label_quality

FILE = RESULTS / "suspects.jsonl"
SETS = ["bbc", "newsgroups", "reuters", "tweets", "movies", "attack", "platforms"]
ROWS, SHARE = 1000, .1
START, STEP, ROUNDS, POOL = 50, 50, 7, 3000
WAYS = {"random": None, "uncertain": 1, "choose_next": 4}  # `pool` of choose_next
CHANCE = "the rows as they come"


@lru_cache(maxsize=None)
def rows(name: str, seed: int, n: int):
    "Texts, labels and names of a data set, at most `n` rows drawn at random"
    texts, y, names = data.LOADERS[name]()
    keep = np.random.default_rng(seed).permutation(len(texts))[:n]
    return [texts[i] for i in keep], np.asarray(y)[keep], names


def features(texts) -> dict:
    """What the peers see: frozen MiniLM, frozen static vectors, and these with the words' TF-IDF, as the Model2Vec
    student does"""
    from scipy import sparse
    from sentence_transformers import SentenceTransformer
    with quiet():
        minilm = SentenceTransformer(data.minilm(), device="cpu").encode(texts, show_progress_bar=False)
        model = load_static_model(data.static_base())
    shares = static_token_shares(model, texts)
    df = np.bincount(shares.indices, minlength=shares.shape[1])
    seen = np.flatnonzero(df)
    means = shares @ token_vectors(model)
    counts = shares[:, seen] @ sparse.diags(np.log((1 + len(texts)) / (1 + df[seen])) + 1)
    means = means * np.sqrt(len(texts) / (means ** 2).sum())
    counts = counts * np.sqrt(len(texts) / (counts.data ** 2).sum())
    return {"minilm": minilm, "static": means, "model2vec": sparse.hstack([means, counts], format="csr")}


def as_hot(y):
    "Labels as booleans `(n, n_labels)`"
    return y if y.ndim == 2 else np.eye(y.max() + 1, dtype=bool)[y]


def wrong_answers(embeddings, y, seed: int):
    "Probabilities `(n, n_labels)` of the answers that are not given, by a classifier that has not seen the row"
    hot, model = as_hot(y), LogisticRegression(max_iter=1000, class_weight="balanced")
    proba = np.zeros(hot.shape)
    for rest, held in KFold(5, shuffle=True, random_state=seed).split(embeddings):
        if y.ndim == 1:
            model.fit(embeddings[rest], y[rest])
            proba[np.ix_(held, model.classes_)] = model.predict_proba(embeddings[held])
            continue
        for j in np.flatnonzero(y[rest].any(0) & ~y[rest].all(0)):
            proba[held, j] = model.fit(embeddings[rest], y[rest, j]).predict_proba(embeddings[held])[:, 1]
    return np.where(hot, 0, proba) if y.ndim == 1 else np.where(hot, 1 - proba, proba)


def plant(y, kind: str, embeddings, seed: int):
    "The labels with a tenth of the rows wrong"
    rng, hot, wrong = np.random.default_rng([seed, 1]), as_hot(y), y.copy()
    if kind == "confused": likely = wrong_answers(embeddings, y, seed)
    else: likely = np.where(hot, 0, 1.) if y.ndim == 1 else np.ones(y.shape)
    weight = likely.sum(1) if y.ndim == 1 else likely.max(1)
    def pick(i, labels): return labels[np.argmax(likely[i, labels])] if kind == "confused" else rng.choice(labels)
    for i in rng.choice(len(y), round(SHARE * len(y)), replace=False, p=weight / weight.sum()):
        given, others = np.flatnonzero(hot[i]), np.flatnonzero(~hot[i])
        if y.ndim == 1: wrong[i] = pick(i, others)
        else:
            change = rng.choice(["lost", "added", "replaced"])
            if len(given) and (change != "added" or not len(others)): wrong[i, pick(i, given)] = False
            if len(others) and (change != "lost" or not len(given)): wrong[i, pick(i, others)] = True
    return wrong


def first_ranks(texts, y, names, ranked, peers: dict, k: int, seed: int) -> dict:
    "The `k` rows that each way takes for the most suspect, positions"
    kind = training.task_of(y, names).kind
    labelled = Rows(texts, y, kind)
    folds = cut_folds(labelled, 5, 0)
    top = {"suspects": ranked["row"][:k].to_numpy()}
    for peer, X in peers.items():
        quality, _ = label_quality(kind, y, judge_unseen(X, labelled, folds))
        top[peer] = np.argsort(quality, kind="stable")[:k]
    return top | {CHANCE: np.random.default_rng(seed).permutation(len(y))[:k]}


def errors_cell(name: str, seed: int, kind: str, peers: dict) -> dict:
    "Errors of a kind, planted in the rows of a seed, and how many of them each way finds"
    texts, gold, names = rows(name, seed, ROWS)
    y = plant(gold, kind, peers["minilm"], seed)
    wrong = (y != gold).reshape(len(y), -1).any(1)
    k, start = int(wrong.sum()), time.perf_counter()
    ranked = suspects(data.as_dataset(texts, y, names), training.task_of(y, names), progress=False)
    seconds = time.perf_counter() - start
    flagged = ranked["row"][ranked["issue"]].to_numpy()
    top = first_ranks(texts, y, names, ranked, peers, k, seed)
    issues = {"n": len(flagged), "precision": float(wrong[flagged].mean()) if len(flagged) else None,
              "recall": float(wrong[flagged].sum() / k)}
    return {"part": "errors", "data": name, "seed": seed, "kind": kind, "n": len(y), "labels": len(names),
            "multi_label": gold.ndim == 2, "planted": k,
            "precision": {way: float(wrong[at].mean()) for way, at in top.items()},
            "precision_first_20": float(wrong[top["suspects"][:20]].mean()), "issues": issues, "seconds": seconds}


def choose(student, way: str, texts, known, rng, seed: int):
    "Positions of the next texts to label"
    order = rng.permutation(len(texts))
    if WAYS[way] is None: return order[:STEP]
    shuffled = [texts[i] for i in order]
    chosen = choose_next(student, shuffled, STEP, known=known, pool=WAYS[way], seed=seed, progress=False)
    return order[chosen["position"]]


def choice_cell(name: str, seed: int, way: str) -> dict:
    "The learning curve of one way to choose"
    texts, y, names = rows(name, seed, POOL)
    n_test, rng = len(texts) // 3, np.random.default_rng([seed, 2])
    have, curve, seconds = list(range(n_test, n_test + START)), [], []
    for step in range(ROUNDS + 1):
        known = [texts[i] for i in have]
        student = training.train("model2vec", known, y[have], names, seed).student
        f1 = training.macro_f1(y[:n_test], training.answers(student, texts[:n_test]))
        curve.append({"labels": len(have), "f1": f1})
        rest = np.setdiff1d(np.arange(n_test, len(texts)), have)
        if step == ROUNDS or len(rest) < STEP: break
        start = time.perf_counter()
        have += rest[choose(student, way, [texts[i] for i in rest], known, rng, seed)].tolist()
        seconds.append(time.perf_counter() - start)
    return {"part": "choice", "data": name, "seed": seed, "way": way, "pool": len(texts) - n_test, "n_test": n_test,
            "multi_label": y.ndim == 2, "curve": curve, "seconds_per_choice": float(np.mean(seconds))}


def errors_line(name: str, cells: list[dict]) -> list:
    "Means over the seeds"
    def mean(get): return float(np.mean([get(c) for c in cells]))
    first = cells[0]
    p = {way: mean(lambda c: c["precision"][way]) for way in first["precision"]}
    sd = np.std([c["precision"]["suspects"] for c in cells], ddof=1) if len(cells) > 1 else 0
    return [f"{name}{' (multi-label)' if first['multi_label'] else ''}", first["labels"], first["kind"], len(cells),
            f"{p[CHANCE]:.2f}", f"{mean(lambda c: c['precision_first_20']):.2f}", f"**{p['suspects']:.2f}** ±{sd:.2f}",
            *(f"{p[peer]:.2f}" for peer in ("model2vec", "static", "minilm")),
            f"{mean(lambda c: c['issues']['n']):.0f} of {first['n']}",
            f"{mean(lambda c: c['issues']['precision'] or 0):.2f}", f"{mean(lambda c: c['issues']['recall']):.2f}",
            f"{mean(lambda c: c['seconds']):.1f}"]


def errors_table(cells: list[dict]) -> str:
    heads = ["data", "labels", "errors", "seeds", "random order", "first 20", "**`suspects`**", "Model2Vec recipe",
             "static vectors", "MiniLM", "marked as issue", "of these planted", "of the planted marked", "s"]
    groups: dict = {}
    for c in cells: groups.setdefault((SETS.index(c["data"]), c["kind"] != "random"), []).append(c)
    lines = [errors_line(SETS[i], group) for (i, _), group in sorted(groups.items())]
    return as_table(heads, "|---|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|", lines)


def as_table(heads: list[str], rule: str, lines: list[list]) -> str:
    "Markdown, with columns aligned as `rule` has it"
    head, _, *body = markdown(heads, lines).splitlines()
    return "\n".join([head, rule, *body])


def saved(chosen, random, at: int, labels) -> str:
    "How many random labels reach the mean F1 that `at` chosen ones do, on the mean curve made monotone"
    target, curve = chosen[labels.index(at)], np.maximum.accumulate(random)
    if target > curve[-1]: return f"more than {labels[-1]}"
    if target <= curve[0]: return f"{labels[0]}"
    return f"{np.interp(target, curve, labels):.0f}"


def gain(chosen, random) -> tuple[str, str]:
    """Of a way over random labels, the F1 of both `(n_seeds, n_steps)`: the mean over the steps with a t-interval; a
    verdict"""
    from scipy.stats import t
    gains = (chosen - random)[:, 1:].mean(1)
    mean, half = gains.mean(), t.ppf(.975, len(gains) - 1) * gains.std(ddof=1) / np.sqrt(len(gains))
    verdict = "saves labels" if mean > half else "COSTS labels" if mean < -half else "no clear difference"
    return f"{mean:+.3f} [{mean - half:+.3f}, {mean + half:+.3f}]", verdict


SHOWN = (100, 200, 400)  # numbers of labels


def choice_lines(name: str, ways: dict):
    "A line for each way; `ways` has the cells of each, by seed"
    seeds = sorted(set.intersection(*map(set, ways.values())))
    f1 = {way: np.array([[point["f1"] for point in cells[seed]["curve"]] for seed in seeds])
          for way, cells in ways.items()}
    labels = [point["labels"] for point in ways["random"][seeds[0]]["curve"]]
    for way in WAYS:
        if way not in f1: continue
        mean, worth, verdict, difference = f1[way].mean(0), "", "", ""
        if way != "random" and len(seeds) > 1:
            difference, verdict = gain(f1[way], f1["random"])
            worth = saved(mean, f1["random"].mean(0), 200, labels)
        seconds = np.mean([c["seconds_per_choice"] for c in ways[way].values()])
        yield [name, len(seeds), way, *(f"{mean[labels.index(n)]:.3f}" if n in labels else "" for n in SHOWN),
               difference, worth, verdict, f"{seconds:.1f}"]


def choice_table(cells: list[dict]) -> str:
    heads = ["data", "seeds", "way", *(f"F1 at {n}" for n in SHOWN), "gain over random [95 %]",
             "200 of these are worth so many random labels", "verdict", "s a choice"]
    by: dict = {}
    for c in cells: by.setdefault(c["data"], {}).setdefault(c["way"], {})[c["seed"]] = c
    lines = [line for name in sorted(by, key=SETS.index) for line in choice_lines(name, by[name])]
    return as_table(heads, "|---|--:|---|--:|--:|--:|--:|--:|---|--:|", lines)


ABOUT_ERRORS = (
    f"{ROWS:,} rows (attack, platforms: all there are), {SHARE:.0%} of them wrong. Precision at as many ranks as there "
    "are errors, means over the seeds (± standard deviation). *Confused* errors are where a classifier on MiniLM "
    "embeddings is unsure (so that MiniLM is at a disadvantage there). Errors that the data had before count as false "
    "alarms.")
ABOUT_CHOICE = (
    "Macro-F1 of Model2Vec students on held-out gold labels, 50 random labels to start with, 50 more a step, up to "
    "400. The gain is the mean over all steps, paired by seed, with a t-interval; *uncertain* takes the most uncertain "
    "as they are.")


def report(cells: list[dict]) -> str:
    errors, choice = ([c for c in cells if c["part"] == part] for part in ("errors", "choice"))
    out = []
    if errors: out += ["**Planted errors**", ABOUT_ERRORS, errors_table(errors)]
    if choice: out += ["**Chosen labels**", ABOUT_CHOICE, choice_table(choice)]
    return "\n\n".join([*out, "`python -m benchmarks.suspects`\n"])


def missing(args, known: set):
    "The cells that were asked for and are not known, run"
    for seed in args.seeds:
        for name in args.data:
            if "errors" in args.part and ("errors", name, seed, None) not in known:
                peers = features(rows(name, seed, ROWS)[0])
                yield from [errors_cell(name, seed, kind, peers) for kind in ("random", "confused")]
            for way in WAYS if "choice" in args.part else ():
                if ("choice", name, seed, way) not in known: yield choice_cell(name, seed, way)


def main():
    parser = running.arguments("suspects", __doc__)
    parser.add_argument("--part", nargs="+", default=["errors", "choice"], choices=["errors", "choice"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--data", nargs="+", default=SETS, choices=SETS)
    parser.add_argument("--results", type=Path, default=FILE)
    args = parser.parse_args()
    running.silence()
    cells = running.read_lines(args.results)
    for cell in missing(args, {(c["part"], c["data"], c["seed"], c.get("way")) for c in cells}):
        cells.append(cell)
        running.add_line(args.results, cell)
        print({name: value for name, value in cell.items() if name != "curve"}, flush=True)
    args.results.with_suffix(".md").write_text(report(cells))
    print(report(cells))


if __name__ == "__main__": main()
