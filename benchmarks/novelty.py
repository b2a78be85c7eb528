"""Does a student know what it has not learnt? Requests out of scope (CLINC150), told by `student.novelty` and by the
maximum probability.

    python -m benchmarks.novelty [--seeds 0 1 2]

A student learns 150 intents from `n` requests each; what it is then shown are the test requests, 4,500 in scope and
1,000 that belong to no intent. AUROC, and FPR@95: the share of requests in scope that are taken for new where 95 % of
those out of scope are. Then what a user would see: false alarms and catches at two stated rates, whose thresholds come
from the training rows alone; and what a cascade whose threshold promises 95 % agreement keeps, and how much of that is
right, when requests in scope and out of scope come in as in the test part. Writes novelty.jsonl and novelty.md.
"""
from __future__ import annotations

import numpy as np
from sklearn.metrics import roc_auc_score

from benchmarks import RESULTS, data, running, training
from sieves_distill import choose_threshold
from sieves_distill.export.rows import Rows
from sieves_distill.students.novelty import fit_text_novelty
from sieves_distill.heads.tokens import load_static_model, token_vectors
from sieves_distill.train.lesson import inner_split

FILE = RESULTS / "novelty.jsonl"
CASES = [("model2vec", 30), ("setfit", 10)]  # framework, rows of each intent
RATES = (.01, .05)


class Told:
    "A student that tells what is new to it, without a folder"
    def __init__(self, student, known):
        self.kind, self.labels, self.task_id = student.kind, student.labels, student.task_id
        self.multi_label, self.predict_proba = student.multi_label, student.predict_proba
        self.novelty = lambda texts: known(student, texts)


def told(framework: str, texts, y, names, seed: int) -> Told:
    "A student, and what tells new texts, fitted as `distill` does"
    trained = training.train(framework, texts, y, names, seed)
    rows, vectors, unseen = Rows(list(texts), y, trained.student.kind), None, None
    if framework == "model2vec": vectors = token_vectors(load_static_model(training.base(framework)))
    elif trained.made["kept"] == "fine-tuned": unseen = inner_split(rows, seed, at_least=20)[1]
    return Told(trained.student, fit_text_novelty(trained.student, texts, y, seed, vectors, unseen))


def detection(familiar, new) -> dict:
    "How well a score tells new requests"
    truth = np.r_[np.zeros(len(familiar)), np.ones(len(new))]
    return {"auroc": float(roc_auc_score(truth, np.r_[familiar, new])),
            "fpr95": float(np.mean(familiar >= np.quantile(new, .05, method="lower")))}


def cell(framework: str, n: int, seed: int) -> dict:
    parts, rng = data.clinc_parts(), np.random.default_rng(seed)
    names = sorted({label for _, label in parts["train"]} - {"oos"})
    of_label = {name: [text for text, label in parts["train"] if label == name] for name in names}
    texts = [str(text) for name in names for text in rng.permutation(of_label[name])[:n]]
    student = told(framework, texts, np.repeat(np.arange(len(names)), n), names, seed)
    inside = {side: [row for row in parts[side] if row[1] != "oos"] for side in ("val", "test")}
    shown = [text for text, _ in inside["test"]], [text for text, label in parts["test"] if label == "oos"]
    proba, novelty = [student.predict_proba(some) for some in shown], [student.novelty(some) for some in shown]
    right = proba[0].argmax(1) == [names.index(label) for _, label in inside["test"]]
    out = {"framework": framework, "n": n, "seed": seed, "accuracy": float(right.mean()),
           "max_probability": detection(*(1 - some.max(1) for some in proba)), "novelty": detection(*novelty),
           "rates": {str(rate): [float(np.mean(some >= 1 - rate)) for some in novelty] for rate in RATES}}
    rows = Rows([text for text, _ in inside["val"]], np.array([names.index(label) for _, label in inside["val"]]),
                student.kind)
    for rate in (None, .05):
        chosen = choose_threshold(student, rows, .95, false_alarms=rate)
        limit = np.inf if chosen.threshold is None else chosen.threshold
        kept = [(p.max(1) >= limit) & (new < (2 if rate is None else 1 - rate)) for p, new in zip(proba, novelty)]
        out[f"cascade, {rate}"] = {
            "kept": float(kept[0].mean()), "kept_new": float(kept[1].mean()),
            "agreement": float(right[kept[0]].mean()), "agreement_of_all": float(
                right[kept[0]].sum() / max(1, kept[0].sum() + kept[1].sum()))}
    return out


def table(cells: list[dict]) -> str:
    "What was recorded, as Markdown; means over seeds"
    def mean(some, *path):
        for name in path: some = [value[name] for value in some]
        return float(np.mean(some))
    lines = ["| student | seeds | accuracy | AUROC: maximum probability | novelty "
             "| FPR@95: maximum probability | novelty | stated 1 %: false alarms, caught "
             "| stated 5 %: false alarms, caught |",
             "|---|---|---|---|---|---|---|---|---|"]
    cascades = ["| student | new documents | kept of those in scope | kept of those out of scope "
                "| right among the kept, in scope alone | right among all kept |", "|---|---|---|---|---|---|"]
    for framework, n in dict.fromkeys((c["framework"], c["n"]) for c in cells):
        some = [c for c in cells if (c["framework"], c["n"]) == (framework, n)]
        name = f"{framework}, {n} rows an intent"
        figures = [f"{mean(some, 'accuracy'):.3f}"] + [
            f"{mean(some, who, figure):.3f}" for figure in ("auroc", "fpr95") for who in ("max_probability", "novelty")]
        rates = [f"{mean(some, 'rates', str(rate), 0):.1%}, {mean(some, 'rates', str(rate), 1):.1%}" for rate in RATES]
        lines.append(f"| {name} | {len(some)} | {' | '.join(figures + rates)} |")
        ways = {"cascade, None": "answered like others", "cascade, 0.05": "sent on, `false_alarms=0.05`"}
        for key, words in ways.items():
            shares = [f"{mean(some, key, figure):.1%}"
                      for figure in ("kept", "kept_new", "agreement", "agreement_of_all")]
            cascades.append(f"| {name} | {words} | {' | '.join(shares)} |")
    return "\n".join(["# Requests out of scope", "", __doc__.split("\n\n")[2].replace("\n", " "), "", *lines, "",
                      "A threshold for 95 % agreement, chosen on the validation part in scope; 4,500 requests in scope "
                      "and 1,000 out of scope come in:", "", *cascades, ""])


def main():
    parser = running.arguments("novelty", __doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--frameworks", nargs="+", default=[framework for framework, _ in CASES])
    options = parser.parse_args()
    running.silence()
    done = {(c["framework"], c["n"], c["seed"]) for c in running.read_lines(FILE)}
    for framework, n in CASES:
        for seed in options.seeds:
            if framework not in options.frameworks or (framework, n, seed) in done: continue
            running.add_line(FILE, cell(framework, n, seed))
    FILE.with_suffix(".md").write_text(table(running.read_lines(FILE)))


if __name__ == "__main__": main()
