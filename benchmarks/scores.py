"""Students that give scores, beside ridge regressions: Pearson's r to the mean human rating, by the number of rows.

    python -m benchmarks.scores                             (runs what is missing, and writes the table)
    python -m benchmarks.scores --table                     (runs nothing)
    python -m benchmarks.scores --sets tweets --seeds 1 --frameworks model2vec

`guided` is a Model2Vec student that learns what a SetFit student of the same rows says of all other texts.

Texts that some twenty people have rated from -4 to 4 (package `vaderSentiment`), brought to 0 to 1. Tweets are what
features and constants were chosen on; snippets of film reviews, of reviews of goods and of editorials only report. The
last 500 texts in a random order are for the test alone.
"""
from __future__ import annotations

import tempfile
import time
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.stats import pearsonr

from benchmarks import data, running
from sieves_distill import SentimentAnalysis
from sieves_distill.evaluate.score_figures import fit_score_baselines
from sieves_distill.export.rows import Rows
from sieves_distill.students.frameworks import framework_of
from sieves_distill.train.lesson import Lesson
from sieves_distill.train.recipe import Recipe

RESULTS = Path(__file__).parent / "results" / "scores.jsonl"
SETS = {"tweets": "tweets", "movies": "movieReviewSnippets", "amazon": "amazonReviewSnippets",
        "editorials": "nytEditorialSnippets"}
SIZES, SEEDS, TESTED = (100, 300, 1000), 3, 500
BASES = {"model2vec": data.static_base, "setfit": data.minilm, "guided": data.static_base}


@lru_cache
def split(name: str) -> tuple[Rows, Rows]:
    "The rows of a set, to learn from and to test on"
    texts, ratings = data.ratings(SETS[name])
    rows = Rows(texts, ((ratings + 4) / 8)[:, None], SentimentAnalysis().kind)
    order = np.random.default_rng(0).permutation(len(rows))
    return rows[order[:-TESTED]], rows[order[-TESTED:]]


def run(name: str, size: int, seed: int, framework: str) -> dict:
    "One cell: a student, the regression on its base as it came, and those that need no base, on the same rows"
    rest, test = split(name)
    rows = rest[np.random.default_rng(seed).choice(len(rest), size, replace=False)]
    start = time.process_time()
    if framework == "guided": student, beside = guided(rows, rest, test, seed), {}
    else:
        train = framework_of(framework, rows.kind).part("train")
        trained = train(Lesson(rows, SentimentAnalysis(), BASES[framework](), Recipe(), seed))
        student, beside = trained.student, trained.beside
    seconds, start = time.process_time() - start, time.process_time()
    outputs = student.predict_proba(test.texts)
    rate = len(test) / (time.process_time() - start)
    limits = student.predict_interval(test.texts, .9)
    inside = [low <= score <= high for (low, high), score in zip((row["overall"] for row in limits), test.y[:, 0])]
    models = {"student": outputs, **{name: model.predict_proba(test.texts) for name, model in beside.items()}}
    if framework == "model2vec":
        models["tfidf_ridge"] = fit_score_baselines(rows)["tfidf_ridge"](test.texts)
        models["mean"] = np.full(outputs.shape, rows.y.mean())
    off = {model: round(float(np.abs(numbers[:, 0].clip(0, 1) - test.y[:, 0]).mean()), 4)
           for model, numbers in models.items()}
    r = {model: round(float(pearsonr(numbers[:, 0], test.y[:, 0])[0]), 4)
         for model, numbers in models.items() if model != "mean"}
    with tempfile.TemporaryDirectory() as folder:
        student.save_pretrained(folder)
        mb = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e6
    return {"set": name, "size": size, "seed": seed, "framework": framework, "pearson": r, "mae": off,
            "inside_90": round(float(np.mean(inside)), 4), "width_90": round(float(np.mean(
                [row["overall"][1] - row["overall"][0] for row in limits])), 3),
            "cpu_seconds": round(seconds, 1), "texts_per_cpu_second": round(rate), "mb": round(mb, 1)}


def guided(rows: Rows, rest: Rows, test: Rows, seed: int):
    "A Model2Vec student of labelled rows and of what a SetFit student says of the others; the test is its report's"
    from datasets import DatasetDict
    sides = DatasetDict(train=rows.to_dataset(), val=test.to_dataset())
    return SentimentAnalysis().distill(
        BASES["guided"](), "model2vec", sides, Path(tempfile.mkdtemp()) / "student", None, seed=seed, progress=False,
        unlabelled=rest.texts, guide=data.minilm())


def table(cells: list[dict]) -> str:
    "Markdown: a line for each set and size, means over the seeds"
    lines = ["| set | rows | seeds | TF-IDF ridge | ridge on static base | model2vec | … + unlabelled | "
             "ridge on MiniLM | "
             "setfit | held by 90 % (model2vec / setfit / … + unlabelled) | CPU s to train | texts a CPU s |",
             "|---|---|---|---|---|---|---|---|---|---|---|---|"]
    for name in SETS:
        for size in SIZES:
            by_base = {framework: [cell for cell in cells if (cell["set"], cell["size"], cell["framework"]) ==
                                   (name, size, framework)] for framework in BASES}
            if not any(by_base.values()): continue
            r = [_mean(by_base[framework], lambda cell: cell["pearson"][model]) for framework, model in (
                ("model2vec", "tfidf_ridge"), ("model2vec", "frozen_ridge"), ("model2vec", "student"),
                ("guided", "student"),
                ("setfit", "frozen_ridge"), ("setfit", "student"))]
            others = [" / ".join(_mean(by_base[framework], lambda cell: cell[key], form) for framework in BASES)
                      for key, form in (("inside_90", ".2f"), ("cpu_seconds", ".0f"), ("texts_per_cpu_second", ",.0f"))]
            seeds = " / ".join(str(len(here)) for here in by_base.values())
            lines.append(f"| {' | '.join([name, f'{size:,}', seeds, *r, *others])} |")
    return "\n".join(lines) + "\n"


def _mean(cells: list[dict], value, form: str = ".3f") -> str:
    return format(float(np.mean([value(cell) for cell in cells])), form) if cells else "–"


def main() -> None:
    parser = running.arguments("scores", __doc__)
    parser.add_argument("--table", action="store_true", help="run nothing")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--frameworks", nargs="+", choices=BASES, default=list(BASES))
    parser.add_argument("--sizes", nargs="+", type=int, choices=SIZES, default=SIZES)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many")
    asked = parser.parse_args()
    running.silence()
    wanted = [(name, size, seed, framework) for framework in asked.frameworks for seed in range(asked.seeds)
              for name in asked.sets for size in asked.sizes]
    cells = wanted if not asked.table else ()
    running.run_missing(RESULTS, ("set", "size", "seed", "framework"), cells, run, table)


if __name__ == "__main__": main()
