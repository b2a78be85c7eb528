"""Documents to a dataset on disk: CPU time and memory, beside plain pyarrow and `Dataset.from_list`.

    python -m benchmarks.export                  (10 k, 100 k and 1 M documents; writes results/export.json)
    python -m benchmarks.export --sizes 10000    (only these; prints the table and writes nothing)

The bar: to export 1 M documents that exist already costs at most twice what pyarrow needs for the same rows, `net` <=
2.

| way | what is timed |
|---|---|
| arrow | the floor: the same two columns, there already as Python lists, written to an Arrow file by pyarrow |
| to_hf_dataset | a list of documents, there already, to a dataset, and `save_to_disk` |
| generator | the same, but the documents are made one by one as they are asked for: what it holds in memory |
| from_list | the naive way: a list of dicts, made of those documents, given to `datasets`, and `save_to_disk` |

`cpu` is in CPU seconds, which depend less than the wall clock on what else the machine is doing: the median of five
runs, each in a fresh process, the ways in turn. The runs' range is in the JSON: pyarrow's time is for the most part
that of the first touch of fresh memory, and can vary a few times over. `x arrow` is `cpu` as a multiple of pyarrow's;
`net` the same with the making of the documents taken off, where it was timed; `alone` is `net` without `save_to_disk`,
which copies a dataset: one beyond 64 MB lies in a file by then, as pyarrow's rows do. Times are without imports. Peak
memory, from one more run, is above what was there before, documents in a list included: `rss` as the kernel counts it,
pages of memory-mapped files (which it can drop at any time) included; `heap` without them, sampled every 5 ms.
"""
from __future__ import annotations

import gc
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks import RESULTS, running

FILE = RESULTS / "export.json"
LABELS = ["sports", "tech", "money", "world", "arts"]
WAYS = ["documents", "arrow", "to_hf_dataset", "generator", "from_list"]
ROUNDS = 5
TASKS = ["single", "multi"]
STORY = ("The keeper saved two penalties, a new chip came out, and the stock of the club that sold its streaming "
         "rights soared. ") * 3


def result(task: str, i: int):
    "What the teacher said about document `i`: a label, or a score for each label."
    return LABELS[i % 5] if task == "single" else {label: (i * 7 + j * 3) % 10 / 10 for j, label in enumerate(LABELS)}


def text(i: int) -> str: return f"{i}: {STORY[i % 117:i % 117 + 120]}"


def documents(n: int, task: str):
    from sieves_distill import Doc
    for i in range(n): yield Doc(text(i), results={"topic": result(task, i)})


def rows(docs, task: str):
    "What `Dataset.from_list` wants of documents."
    for doc in docs:
        answer = doc.results["topic"]
        labels = LABELS.index(answer) if task == "single" else [answer[label] >= 0.5 for label in LABELS]
        yield {"text": doc.text, "labels": labels}


def rss(field: str) -> int:
    "A line of /proc/self/status in bytes; 0 where there is none."
    try: lines = Path("/proc/self/status").read_text().splitlines()
    except OSError: return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(field)), 0)


def peak_rss() -> int: return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class HeapPeak(threading.Thread):
    "The highest resident anonymous memory while it runs."
    def __init__(self):
        super().__init__(daemon=True)
        self.peak, self.stopped = 0, threading.Event()

    def run(self):
        while not self.stopped.wait(0.005): self.peak = max(self.peak, rss("RssAnon"))


def prepare(way: str, n: int, task: str, kind):
    "What there is before the clock starts: columns for pyarrow, else documents, which a generator makes as it goes"
    if way == "arrow": return [[text(i) for i in range(n)], [row["labels"] for row in rows(documents(n, task), task)]]
    return list(documents(n, task)) if way in ("to_hf_dataset", "from_list") else documents(n, task)


def write_arrow(columns: list, features, path: Path) -> None:
    import pyarrow as pa
    table = pa.table(columns, schema=features.arrow_schema)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer: writer.write_table(table)


def export(way: str, material, task: str, kind, features, folder: Path):
    "The dataset of a way, not yet saved; None for those that make none"
    from datasets import Dataset
    from sieves_distill import to_hf_dataset
    if way == "arrow": return write_arrow(material, features, folder / "data.arrow")
    if way == "from_list": return Dataset.from_list(list(rows(material, task)), features=features)
    if way != "documents": return to_hf_dataset(material, kind)
    for _ in material: pass


def measure(way: str, n: int, task: str, folder: Path, memory: bool) -> dict:
    "Run one way once in this process, for its time or for its memory: to look at memory takes time."
    from datasets import Features, Value
    from sieves_distill import Classification
    kind = Classification(LABELS, multi_label=task == "multi", task_id="topic")
    features = Features({"text": Value("string"), **kind.columns()})
    kind.to_hf_dataset(documents(10, task)).save_to_disk(folder / "warm")  # what is imported late is imported now
    if way == "arrow": import pyarrow  # as well
    material, sampler = prepare(way, n, task, kind), HeapPeak()
    gc.collect()
    before, heap = peak_rss(), rss("RssAnon")
    if memory: sampler.start()
    start, cpu, saving = time.perf_counter(), time.process_time(), 0
    dataset = export(way, material, task, kind, features, folder)
    if dataset is not None:
        saving = time.process_time()
        dataset.save_to_disk(folder / "data")
        saving = time.process_time() - saving
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    if not memory:
        return {"seconds": round(seconds, 4), "cpu_seconds": round(cpu, 4), "save_cpu_seconds": round(saving, 4),
                "rows_per_second": round(n / seconds)}
    sampler.stopped.set()
    sampler.join()
    return {"peak_rss_mb": round((peak_rss() - before) / 2**20),
            "peak_heap_mb": round(max(0, sampler.peak - heap) / 2**20)}


def fresh(way: str, n: int, task: str, memory: bool = False) -> dict:
    "`measure` in a process of its own."
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "HF_DATASETS_DISABLE_PROGRESS_BARS": "1", "TMPDIR": folder}
        command = [sys.executable, "-m", "benchmarks.export", "--alone", way, str(n), task, folder,
                   "memory" if memory else "time"]
        out = subprocess.run(command, capture_output=True, text=True, env=env)
        if out.returncode: raise RuntimeError(f"{way} on {n} documents failed:\n{out.stderr}")
        return json.loads(out.stdout.splitlines()[-1])


def compare(n: int, task: str, rounds: int) -> list[dict]:
    "All ways on the same documents."
    runs = [{way: fresh(way, n, task) for way in WAYS} for _ in range(rounds)]
    ranked = {way: sorted((run[way] for run in runs), key=lambda run: run["cpu_seconds"]) for way in WAYS}
    median = {way: ranked[way][rounds // 2] for way in WAYS}
    making, floor = (median[way]["cpu_seconds"] for way in ("documents", "arrow"))
    out = []
    for way, run in median.items():
        net = run["cpu_seconds"] - (making if way == "generator" else 0)
        alone = net - run["save_cpu_seconds"]
        times = {"times_arrow": run["cpu_seconds"], "net_times_arrow": net, "alone_times_arrow": alone}
        out.append({"way": way, "task": task, "documents": n, **run,
                    "cpu_seconds_range": [ranked[way][i]["cpu_seconds"] for i in (0, -1)],
                    **fresh(way, n, task, memory=True),
                    **{name: round(value / floor, 2) for name, value in times.items()}})
    return out


COLUMNS = {  # heads of the table, and how the figures below them are written
    "task": ("task", "<7"), "documents": ("documents", ">10,"), "way": ("way", "<14"), "seconds": ("seconds", ">8.2f"),
    "cpu": ("cpu_seconds", ">7.2f"), "rows/s": ("rows_per_second", ">10,"), "x arrow": ("times_arrow", ">8.2f"),
    "net": ("net_times_arrow", ">6.2f"), "alone": ("alone_times_arrow", ">6.2f"), "rss MB": ("peak_rss_mb", ">7,"),
    "heap MB": ("peak_heap_mb", ">8,")}


def table(runs: list[dict]) -> str:
    "The runs as text, with the time of each relative to pyarrow's on the same rows."
    heads = " ".join(format(head, re.match(r"[<>]\d+", how)[0]) for head, (_, how) in COLUMNS.items())
    return "\n".join([heads, *(" ".join(format(run[name], how) for name, how in COLUMNS.values()) for run in runs)])


def main() -> None:
    parser = running.arguments("export", __doc__)
    parser.add_argument("--sizes", type=int, nargs="+", metavar="N",
                        help="numbers of documents; the results are then only printed")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="runs of each way, of which the median counts")
    parser.add_argument("--alone", nargs=5, help=running.HIDDEN)
    args = parser.parse_args()
    if args.alone:
        way, n, task, folder, what = args.alone
        return print(json.dumps(measure(way, int(n), task, Path(folder), memory=what == "memory")))
    sizes = args.sizes or [10_000, 100_000, 1_000_000]
    runs = [run for task in TASKS for n in sizes for run in compare(n, task, args.rounds)]
    print(table(runs))
    if args.sizes: return
    about = {"command": "python -m benchmarks.export", **running.machine("datasets", "pyarrow", "numpy", threads=False)}
    running.write_json(FILE, {"about": about, "runs": runs})


if __name__ == "__main__": main()
