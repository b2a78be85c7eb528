"""What each form of a student that names entities costs whoever deploys it, and what it changes: one table.

    python -m benchmarks.deploy_tags [--students FOLDER]     (about five CPU minutes)

Sentences of ATT&CK (see `benchmarks.entities`), 88 characters on average: a CRF and an encoder (all-MiniLM-L6-v2, sixty
steps, for speed and parity, not for its F1) from 200 of them, asked about 300 others. How it is measured says
`benchmarks.deploy`; *same names* is the share of texts that get the very same names at the same places as from the
student in memory, *greatest difference* that of the score of a name that both give.
"""
from __future__ import annotations

import random
import tempfile
from pathlib import Path

import numpy as np

from benchmarks import RESULTS, data, deploy, entities, running
from benchmarks.deploy import ALONE, WHOLE, Form, costs, measure
from sieves_distill.basics.disk import deployed_megabytes
from sieves_distill.evaluate.entity_figures import count_entities, entity_figures

FILE = RESULTS / "deploy_tags.json"
TRAIN, HELD_OUT = 200, 300
BASES = {"crf": lambda: None, "transformers": data.minilm}
TRAINING = {"crf": None, "transformers": {"max_steps": 60}}
GRAPH, NAMES = ("numpy", "tokenizers", "onnxruntime"), "student.predict(texts)"
FORMS = {
    "crf": Form("crf", ("sieves-distill", "python-crfsuite"), WHOLE, NAMES),
    "numpy": Form("crf", ("numpy", "python-crfsuite"), ALONE, NAMES),
    "transformers": Form("transformers", ("sieves-distill",), WHOLE, NAMES),
    "onnx": Form("transformers", GRAPH, ALONE, NAMES), "onnx-int8": Form("transformers", GRAPH, ALONE, NAMES),
}


def by_place(row: list[dict]) -> dict:
    "Of the names in a text the scores, by place and type"
    return {(each["start"], each["end"], each["entity_type"]): each["score"] for each in row}


def changes(task, rows: list, expected: list, truth) -> dict:
    "What a format answers otherwise than the student, and how well it does"
    pairs = [(by_place(a), by_place(b)) for a, b in zip(rows, expected)]
    off = [abs(a[place] - b[place]) for a, b in pairs for place in a.keys() & b.keys()]
    figures = entity_figures(count_entities(task.kind, truth, task.kind.encode(rows)).sum(0))
    return {"greatest_difference": max(off, default=0.), "f1": round(float(figures["f1"]), 4),
            "same_answers": float(np.mean([a.keys() == b.keys() for a, b in pairs]))}


def table(lines: list[dict]) -> str:
    "That of `benchmarks.deploy`, whose answers are names here"
    return deploy.table(lines, tuple({"same answers": "same names"}.get(name, name) for name in deploy.HEAD))


def main():
    parser = running.arguments("deploy_tags", __doc__)
    parser.add_argument("--students", type=Path, help="a folder to keep the students in, or to take them from")
    args = parser.parse_args()
    running.silence()
    from sieves_distill import Student
    task, train, test = entities.attack()
    train, test = random.Random(0).sample(train, TRAIN), random.Random(0).sample(test, HELD_OUT)
    texts, truth = [doc.text for doc in test], task.kind.read_column(task.to_hf_dataset(test), "entities")[0]
    lines, expected = [], {}
    with tempfile.TemporaryDirectory() as tmp:
        made = {framework: (args.students or Path(tmp)) / framework for framework in BASES}
        for framework, folder in made.items():
            if not folder.exists():
                task.distill(BASES[framework](), framework, train, folder, val_frac=.2, seed=0, progress=False,
                             train_kwargs=TRAINING[framework])
        for name, form in FORMS.items():
            folder = made[form.framework]
            if form.load == ALONE: folder = Student.load(folder).export(Path(tmp) / name, format=name)
            measured = measure(form, folder, texts, Path(tmp))
            rows = measured["answers"]
            expected.setdefault(form.framework, rows)
            lines.append(costs(name, form, measured, deployed_megabytes(folder))
                         | changes(task, rows, expected[form.framework], truth))
            print(lines[-1], flush=True)
    about = {"command": "python -m benchmarks.deploy_tags"}
    about |= running.machine("numpy", "tokenizers", "onnxruntime", "torch", "transformers", "python-crfsuite")
    running.write_json(FILE, {"about": about, "lines": lines})
    FILE.with_suffix(".md").write_text(table(lines))


if __name__ == "__main__": main()
