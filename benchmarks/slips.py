"""Are the suspects among entities, fields and triplets really wrong?

    python -m benchmarks.slips              (runs what is missing, and writes the table)
    python -m benchmarks.slips --sets invoices --seeds 0      (some of it)
    python -m benchmarks.slips --table      (runs nothing)

One row in ten gets a slip: an entity or a triplet is lost or gets another type, a field gets the value that another row
has. Scored is the share of such rows among the first rows of `suspects`, each row once: among the first 20, and among
as many as have slips. A random order has 0.1. Errors that the rows had before count as false alarms.
"""
from __future__ import annotations

import random
import time
from itertools import product

import numpy as np

from benchmarks import RESULTS, entities, records, relations, running
from sieves_distill import Doc, suspects

FILE = RESULTS / "slips.jsonl"
SEEDS, SHARE = (0, 1, 2), .1


def _sentences(draw: random.Random):
    task, train, _ = entities.attack()
    docs = draw.sample(train, 500)
    def slip(answer):
        answer = [dict(entity) for entity in answer]
        at = draw.randrange(len(answer))
        if draw.random() < .5: return answer[:at] + answer[at + 1:]
        answer[at]["entity_type"] = draw.choice([name for name in task.kind.entity_types
                                                 if name != answer[at]["entity_type"]])
        return answer
    return task, docs, slip


def _invoices(draw: random.Random):
    docs = [doc for doc in draw.sample(records.docs("train"), 400) if doc.results[records.TASK.task_id]][:300]
    answers = [doc.results[records.TASK.task_id] for doc in docs]
    def slip(answer):
        name = draw.choice([name for name, value in answer.items() if value is not None])
        others = [other[name] for other in answers if other[name] not in (None, answer[name])]
        return {**answer, name: draw.choice(others)}
    return records.TASK, docs, slip


def _relations(draw: random.Random):
    docs = [relations.doc(row) for row in draw.sample(relations.sentences("train"), 500)]
    def slip(answer):
        if not answer or draw.random() < .5: return []
        (head, relation, tail), = answer
        return [(head, draw.choice([name for name in relations.RELATIONS if name != relation]), tail)]
    return relations.TASK, docs, slip


SETS = {"attack": _sentences, "invoices": _invoices, "relations": _relations}
WORDS = {"attack": "entities, ATT&CK", "invoices": "records, invoices", "relations": "triplets, SemEval-2010 task 8"}


def run(name: str, seed: int) -> dict:
    "One cell: the rows with slips, and where `suspects` ranks them"
    draw = random.Random(seed)
    task, docs, slip = SETS[name](draw)
    given = [doc.results[task.task_id] for doc in docs]
    slips = set(draw.sample([i for i, answer in enumerate(given) if answer], round(SHARE * len(docs))))
    start = time.process_time()
    ranked = suspects([Doc(doc.text, results={task.task_id: slip(answer) if i in slips else answer})
                       for i, (doc, answer) in enumerate(zip(docs, given))], task, seed=seed, progress=False)
    seconds = time.process_time() - start
    first = [row in slips for row in dict.fromkeys(ranked["row"])]
    return {"set": name, "seed": seed, "n": len(docs), "slips": len(slips), "first_20": float(np.mean(first[:20])),
            "precision": sum(first[:len(slips)]) / len(slips), "cpu_seconds": round(seconds, 1)}


def table(cells: list[dict]) -> str:
    "Markdown: a line for each set, means over the seeds"
    lines = ["| answers | rows | with a slip | seeds | slips among the first 20 | among as many as there are | CPU s |",
             "|---|---|---|---|---|---|---|"]
    for name in SETS:
        here = [cell for cell in cells if cell["set"] == name]
        if not here: continue
        mean = {key: np.mean([cell[key] for cell in here]) for key in here[0] if key != "set"}
        lines.append(f"| {WORDS[name]} | {mean['n']:.0f} | {mean['slips']:.0f} | {len(here)} | "
                     f"{mean['first_20']:.2f} | {mean['precision']:.2f} | {mean['cpu_seconds']:.0f} |")
    return "\n".join([*lines, "", "`python -m benchmarks.slips`", ""])


def main() -> None:
    parser = running.arguments("slips", __doc__)
    parser.add_argument("--table", action="store_true", help="run nothing")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    asked = parser.parse_args()
    running.silence()
    cells = product(asked.sets, asked.seeds) if not asked.table else ()
    running.run_missing(FILE, ("set", "seed"), cells, run, table)


if __name__ == "__main__": main()
