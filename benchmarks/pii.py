"""Students that mask what identifies people: how many texts come out without a leak, by the threshold and the rows.

    SIEVES_DISTILL_DATA=folder python -m benchmarks.pii              (runs what is missing, and writes the table)
    python -m benchmarks.pii --students transformers --sizes 300 --seeds 0      (some of it)
    python -m benchmarks.pii --table                                 (runs nothing)

1,500 synthetic texts from 209 templates (presidio-research); all texts of a template are on the same side, so that no
form that is tested was learned. They only report: no constant was chosen on them. The promise of `choose_masking`, 90 %
of the texts without a leak, is held against test texts; it is chosen on 200 texts that the student was not trained on.
"""
from __future__ import annotations

import random
import tempfile
import time
from functools import lru_cache
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks import RESULTS, data, running
from benchmarks.data import BESIDE, beside
from sieves_distill import Doc, PIIMasking, choose_masking
from sieves_distill.evaluate.masking import count_leaks
from sieves_distill.tasks.entities import entity_array

FILE = RESULTS / "pii.jsonl"
SIZES, SEEDS, THRESHOLDS, TARGET = (100, 300, 1000), (0, 1, 2), (.5, .2, .05), .9
STUDENTS = {"crf": lambda: None, "transformers": data.minilm}


@lru_cache
def rows() -> list[dict]: return beside("pii_synthetic")


def masked(row: dict) -> Doc:
    "The text, and as a teacher's answer the text with the name of its type in the place of each entity"
    text, pieces, at = row["text"], [], 0
    for entity in sorted(row["entities"], key=lambda entity: entity["start"]):
        pieces += [text[at:entity["start"]], f"[{entity['entity_type']}]"]
        at = entity["end"]
    return Doc(text, results={"PIIMasking": "".join([*pieces, text[at:]])})


def split(seed: int) -> tuple[list[dict], list[dict]]:
    "Rows to learn from and to test on, a third of the templates, in an order of chance"
    rng, templates = random.Random(seed), sorted({row["template"] for row in rows()})
    held = set(rng.sample(templates, len(templates) // 3))
    shuffled = rng.sample(rows(), len(rows()))
    learn, test = ([row for row in shuffled if (row["template"] in held) is side] for side in (False, True))
    return learn, test


def run(framework: str, size: int, seed: int) -> dict:
    "One cell"
    learn, test = split(seed)
    size = min(size, len(learn))
    task = PIIMasking(sorted({entity["entity_type"] for row in rows() for entity in row["entities"]}))
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        student = task.distill(STUDENTS[framework](), framework, map(masked, learn[:size]), Path(folder) / "student",
                               .1, seed=seed, progress=False)
        seconds = time.process_time() - start
        cell = {"student": framework, "size": size, "seed": seed, "cpu_seconds": round(seconds, 1),
                "mb": student.metrics["run"]["megabytes"]}
    chosen, test = test[:200], test[200:]
    cell |= {f"at {threshold:g}": figures(student, threshold, test) for threshold in THRESHOLDS}
    cell["patterns"] = figures(None, None, test, task)
    promise = choose_masking(student, task.for_students().to_hf_dataset(map(masked, chosen)), TARGET)
    cell["chosen"] = promise.threshold
    if promise.threshold is not None: cell["at chosen"] = figures(student, promise.threshold, test)
    return cell


def figures(student, threshold, test: list[dict], task=None) -> dict:
    "Shares of texts without a leak, of characters masked, and of what is masked that had to be"
    texts, kind = [row["text"] for row in test], task.kind if student is None else student.kind
    dataset = PIIMasking(kind.entity_types).for_students().to_hf_dataset(map(masked, test))
    truth, _ = kind.read_column(dataset, "entities")
    if student is None: answers = entity_array(kind.complete(text, ()) for text in texts)
    else:
        kind.threshold = threshold
        answers = kind.encode(student.predict(texts))
    counts = count_leaks(texts, truth, answers)
    hit, left, needless, *_ = counts.sum(0).tolist()
    return {"without_leak": round(float((counts[:, 1] == 0).mean()), 4), "recall": round(hit / (hit + left), 4),
            "precision": round(hit / (hit + needless), 4)}


def table(cells: list[dict]) -> str:
    "Markdown: a line for each student and number of rows, means over the seeds"
    shown = ["patterns", *(f"at {threshold:g}" for threshold in THRESHOLDS)]
    titles = ["patterns alone", *(f"masked from {threshold:g} on" for threshold in THRESHOLDS)]
    lines = [f"| student | rows | seeds | {' | '.join(titles)} | 90 % promised: threshold, kept | CPU s |",
             "|---|" + "---|" * (len(shown) + 4)]
    for framework, size in product(STUDENTS, SIZES):
        here = [cell for cell in cells if cell["student"] == framework
                and running.nearest(cell["size"], SIZES) == size]
        if not here: continue
        mean = lambda name, figure: np.mean([cell[name][figure] for cell in here])
        proven = [cell for cell in here if cell["chosen"] is not None]
        kept = sum(cell["at chosen"]["without_leak"] >= TARGET for cell in proven)
        thresholds = ", ".join("none" if cell["chosen"] is None else f"{cell['chosen']:g}" for cell in here)
        promise = f"{thresholds}; {kept} of {len(proven)}"
        columns = [f"{mean(name, 'without_leak'):.3f} (precision {mean(name, 'precision'):.2f})" for name in shown]
        seconds = np.mean([cell["cpu_seconds"] for cell in here])
        lines.append(f"| {framework} | {size:,} | {len(here)} | {' | '.join(columns)} | {promise} | {seconds:.0f} |")
    heading = "Texts without a leak, by what was masked in them:"
    return "\n\n".join([heading, "\n".join(lines), "`python -m benchmarks.pii`"]) + "\n"


def main() -> None:
    parser = running.arguments("pii", __doc__)
    parser.add_argument("--table", action="store_true", help="run nothing")
    parser.add_argument("--students", nargs="+", choices=STUDENTS, default=list(STUDENTS))
    parser.add_argument("--sizes", nargs="+", type=int, choices=SIZES, default=SIZES)
    parser.add_argument("--seeds", nargs="+", type=int, choices=SEEDS, default=SEEDS)
    asked = parser.parse_args()
    running.silence()
    done = {(cell["student"], cell["size"], cell["seed"]) for cell in running.read_lines(FILE)}
    here = (BESIDE / "pii_synthetic.jsonl.gz").exists() and not asked.table
    for framework, size, seed in product(asked.students, asked.sizes, asked.seeds) if here else ():
        if (framework, min(size, len(split(seed)[0])), seed) not in done:
            running.add_line(FILE, run(framework, size, seed))
    running.write_table(FILE, table(running.read_lines(FILE)))


if __name__ == "__main__": main()
