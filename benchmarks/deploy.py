"""What each form of a student costs whoever deploys it, and what it changes: one table.

    python -m benchmarks.deploy [--students FOLDER]     (about twenty CPU minutes)

BBC news, the first hundred words of each article, which are some 600 characters; a student of each framework from 300
articles, scored on 300 others. Each format is loaded in processes of its own, with one thread: the quickest of three
starts counts, and speed is in texts a CPU second. Installed megabytes are those of the packages that it needs with all
that they need, as they are installed here. Last, `label_files` on Parquet beside the same texts in memory.
"""
from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
from packaging.requirements import Requirement

from benchmarks import RESULTS, data, running
from benchmarks.training import base, macro_f1
from sieves_distill.basics.disk import deployed_megabytes

FILE = RESULTS / "deploy.json"
TRAIN, HELD_OUT, WORDS, SINGLY = 300, 300, 100, 30
TRAINING = {"model2vec": {}, "setfit": {"max_steps": 20}}


@dataclass(frozen=True)
class Form:
    "A format, and how it is run"
    framework: str
    packages: tuple  # That whoever deploys it installs
    load: str  # A line of Python that makes `student` of `folder`
    answers: str = "student.predict_proba(texts).tolist()"  # What it says of all `texts`, as JSON knows it


ALONE = "sys.path.insert(0, folder); from student import load; student = load(folder, threads=1)"
WHOLE = "from sieves_distill import Student; student = Student.load(folder)"
EXACT = f"{WHOLE}; student.exact = True"
FORMS = {
    "model2vec": Form("model2vec", ("sieves-distill",), WHOLE),
    "numpy": Form("model2vec", ("numpy", "tokenizers"), ALONE),
    "setfit": Form("setfit", ("sieves-distill",), EXACT),
    "setfit, bfloat16": Form("setfit", ("sieves-distill",), WHOLE),
    "onnx": Form("setfit", ("numpy", "tokenizers", "onnxruntime"), ALONE),
    "onnx-int8": Form("setfit", ("numpy", "tokenizers", "onnxruntime"), ALONE),
}
WORKER = """
import json, resource, sys, time
folder, texts, singly = sys.argv[1], json.load(open(sys.argv[2])), int(sys.argv[3])
LOAD
student.predict(["a text"])
cpu = lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
start = {"wall": time.time() - float(sys.argv[4]), "cpu": cpu()}
if not singly:
    print(json.dumps({"start": start}))
    sys.exit()
def rate(go):
    n, before = 0, cpu()
    while not n or cpu() - before < 2: n += go()
    return n / (cpu() - before)
def one_by_one():
    for text in texts[:singly]: student.predict([text])
    return len(texts[:singly])
def together():
    student.predict(texts)
    return len(texts)
# not ru_maxrss, which begins with that of the process that started this one
peak = lambda: int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]) / 1e3
rates = {"singly": rate(one_by_one), "together": rate(together)}
print(json.dumps({"start": start, "rates": rates, "peak_mb": peak(), "answers": ANSWERS}))
"""


def requirements(name: str) -> list[str]:
    "What a package names as needed, without extras; this one names them in settings.ini"
    if name == "sieves-distill":
        from configparser import ConfigParser
        config = ConfigParser(delimiters=["="])
        config.read("settings.ini", encoding="utf-8")
        return config["DEFAULT"]["requirements"].split()
    return distribution(name).requires or []


def needed(names) -> dict[str, Distribution]:
    "The packages, and all that they need, by name"
    out, open_names = {}, [(name, frozenset()) for name in names]
    seen = set()
    while open_names:
        name, extras = open_names.pop()
        if (name, extras) in seen: continue
        seen.add((name, extras))
        for line in requirements(name):
            need = Requirement(line)
            if need.marker and not any(need.marker.evaluate({"extra": extra}) for extra in extras or {""}): continue
            open_names.append((need.name.lower(), frozenset(need.extras)))
        try:
            if name != "sieves-distill": out[name] = distribution(name)
        except PackageNotFoundError: pass  # of another platform
    return out


def installed_megabytes(names) -> float:
    "What the files of these packages, and of all that they need, weigh"
    sizes = {}
    for package in needed(names).values():
        for file in package.files or []:
            path = Path(file.locate())
            if path.suffix != ".pyc" and path.is_file(): sizes[path.resolve()] = path.stat().st_size
    return sum(sizes.values()) / 1e6


def rows():
    "Texts to train on with their labels, texts held out with theirs, and the names"
    texts, y, names = data.bbc()
    texts = data.first_words(texts, WORDS)
    order = np.random.default_rng(0).permutation(len(texts))
    take = lambda at: ([texts[i] for i in at], np.asarray(y)[at])
    return take(order[:TRAIN]), take(order[TRAIN:TRAIN + HELD_OUT]), names


def students(folder: Path, learn, names) -> dict[str, Path]:
    "The folder of a student of each framework, made where it is not there"
    from sieves_distill import Classification
    task = Classification(names, multi_label=False, task_id="topic")
    made = {}
    for framework, train_kwargs in TRAINING.items():
        made[framework] = folder / framework
        if made[framework].exists(): continue
        task.distill(base(framework), framework, data.as_dataset(*learn, names), folder / framework,
                     val_frac=.2, seed=0, train_kwargs=train_kwargs, progress=False)
    return made


def measure(form: Form, folder: Path, texts: list[str], tmp: Path) -> dict:
    "What one process says of a format, the best of three starts"
    (tmp / "texts").write_text(json.dumps(texts))
    env = {**os.environ, "OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}
    def run(singly: int) -> dict:
        code = WORKER.replace("LOAD", form.load).replace("ANSWERS", form.answers)
        command = [sys.executable, "-c", code, folder, tmp / "texts", singly, time.time()]
        done = subprocess.run(list(map(str, command)), env=env, capture_output=True, text=True, check=True)
        return json.loads(done.stdout.splitlines()[-1])
    measured = run(SINGLY)
    starts = [measured["start"], run(0)["start"], run(0)["start"]]
    return measured | {"start": {clock: min(start[clock] for start in starts) for clock in ("wall", "cpu")}}


def bulk(folder: Path, texts: list[str], tmp: Path, n: int = 20_000) -> dict:
    "CPU seconds of `label_files` on a Parquet file, and of predicting the same texts in memory, the least of three"
    import pyarrow as pa
    import pyarrow.parquet as pq
    from sieves_distill.deploy.bulk import label_files, open_student
    student, many = open_student(folder), [texts[i % len(texts)] for i in range(n)]
    pq.write_table(pa.table({"text": many}), tmp / "in.parquet")
    def least(go) -> float:
        seconds = []
        for i in range(3):
            before = time.process_time()
            go(i)
            seconds.append(time.process_time() - before)
        return min(seconds)
    in_memory = least(lambda i: student.predict(many))
    from_files = least(lambda i: label_files(student, tmp / "in.parquet", tmp / f"out-{i}"))
    return {"texts": n, "in_memory": round(n / in_memory), "from_files": round(n / from_files)}


def costs(name: str, form: Form, measured: dict, megabytes: float) -> dict:
    "What a format takes of whoever deploys it"
    return {
        "format": name, "framework": form.framework, "folder_mb": round(megabytes, 1),
        "install_mb": round(installed_megabytes(form.packages)), "start_s": round(measured["start"]["wall"], 2),
        "start_cpu_s": round(measured["start"]["cpu"], 2), "peak_mb": round(measured["peak_mb"]),
        "singly": round(measured["rates"]["singly"]), "together": round(measured["rates"]["together"]),
    }


def result(name: str, form: Form, measured: dict, megabytes: float, expected, truth) -> dict:
    proba = np.array(measured["answers"])
    return costs(name, form, measured, megabytes) | {
        "greatest_difference": float(np.abs(proba - expected).max()),
        "same_answers": float((proba.argmax(1) == expected.argmax(1)).mean()),
        "f1": round(macro_f1(truth, proba.argmax(1)), 4),
    }


HEAD = ("format", "folder, MB", "installed, MB", "first answer, s", "of CPU, s", "peak memory, MB", "texts/s singly",
        "texts/s together", "greatest difference", "same answers", "F1")


def table(lines: list[dict], head: tuple = HEAD) -> str:
    "The table, in Markdown"
    rows = [[line["format"], f"{line['folder_mb']:.1f}", line["install_mb"], line["start_s"], line["start_cpu_s"],
             line["peak_mb"], f"{line['singly']:,}", f"{line['together']:,}", f"{line['greatest_difference']:.1g}",
             f"{line['same_answers']:.1%}", f"{line['f1']:.3f}"] for line in lines]
    cells = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(map(str, row))} |\n" for row in cells)


def main():
    parser = running.arguments("deploy", __doc__)
    parser.add_argument("--students", type=Path, help="a folder to keep the students in, or to take them from")
    args = parser.parse_args()
    running.silence()
    from sieves_distill import Student
    learn, (held_out, truth), names = rows()
    lines, expected = [], {}
    with tempfile.TemporaryDirectory() as tmp:
        made = students(args.students or Path(tmp), learn, names)
        for name, form in FORMS.items():
            folder = made[form.framework]
            if form.load == ALONE: folder = Student.load(folder).export(Path(tmp) / name, format=name)
            measured = measure(form, folder, held_out, Path(tmp))
            expected.setdefault(form.framework, np.array(measured["answers"]))
            lines.append(result(name, form, measured, deployed_megabytes(folder), expected[form.framework], truth))
            print(lines[-1], flush=True)
            if name == "numpy":
                rates = bulk(folder, held_out, Path(tmp))
                print(rates, flush=True)
    command = {"command": "python -m benchmarks.deploy"}
    about = command | running.machine("numpy", "tokenizers", "onnxruntime", "torch", "model2vec", "setfit")
    running.write_json(FILE, {"about": about, "lines": lines, "bulk": rates})
    FILE.with_suffix(".md").write_text(table(lines))


if __name__ == "__main__": main()
