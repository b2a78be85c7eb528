"""Documents to a dataset on disk: CPU time and memory, beside plain pyarrow and `Dataset.from_list`.

    python -m benchmarks.export                  (10 k, 100 k and 1 M documents; writes results/export.json)
    python -m benchmarks.export --sizes 10000    (only these; prints the table and writes nothing)

The bar: to export 1 M documents that exist already costs at most twice what pyarrow needs for the same rows, `net` <= 2.

| way | what is timed |
|---|---|
| arrow | the floor: the same two columns, there already as Python lists, written to an Arrow file by pyarrow |
| to_hf_dataset | a list of documents, there already, to a dataset, and `save_to_disk` |
| generator | the same, but the documents are made one by one as they are asked for: what it holds in memory |
| from_list | the naive way: a list of dicts, made of the documents that are there already, given to `datasets`, and `save_to_disk` |
| documents | the making of the documents alone, which the generator must wait for |

`cpu` is in CPU seconds, which depend less than the wall clock on what else the machine is doing: the median of five runs, each in a fresh process, the
ways in turn. The runs' range is in the JSON: pyarrow's time is for the most part that of the first touch of fresh memory, and can vary a few times over.
`x arrow` is `cpu` as a multiple of pyarrow's; `net` the same with the making of the documents taken off, where it was timed; `alone` is `net` without
`save_to_disk`, which copies a dataset: one beyond 64 MB lies in a file by then, as pyarrow's rows do. Times are without imports.
Peak memory, from one more run, is above what was there before, documents in a list included: `rss` as the kernel counts it, pages of memory-mapped
files (which it can drop at any time) included; `heap` without them, sampled every 5 ms.
"""
from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import threading
import time
from importlib.metadata import version
from pathlib import Path

from benchmarks import RESULTS

LABELS = ["sports", "tech", "money", "world", "arts"]
WAYS = ["documents", "arrow", "to_hf_dataset", "generator", "from_list"]
ROUNDS = 5
TASKS = ["single", "multi"]
STORY = "The keeper saved two penalties, a new chip came out, and the stock of the club that sold its streaming rights soared. " * 3


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
        said = doc.results["topic"]
        yield {"text": doc.text, "labels": LABELS.index(said) if task == "single" else [said[label] >= 0.5 for label in LABELS]}


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


def measure(way: str, n: int, task: str, folder: Path, memory: bool) -> dict:
    "Run one way once in this process, for its time or for its memory: to look at memory takes time."
    import pyarrow as pa
    from datasets import ClassLabel, Dataset, Features, List, Value
    from sieves_distill import Classification, to_hf_dataset
    kind = Classification(LABELS, multi_label=task == "multi", task_id="topic")
    features = Features(text=Value("string"), labels=List(Value("bool")) if task == "multi" else ClassLabel(names=LABELS))
    kind.to_hf_dataset(documents(10, task)).save_to_disk(folder / "warm")  # what is imported late is imported now
    if way == "arrow": columns = [[text(i) for i in range(n)], [row["labels"] for row in rows(documents(n, task), task)]]
    docs = list(documents(n, task)) if way in ("to_hf_dataset", "from_list") else documents(n, task)
    dataset, saving = None, 0
    gc.collect()
    before, heap = peak_rss(), rss("RssAnon")
    sampler = HeapPeak()
    if memory: sampler.start()
    start, cpu = time.perf_counter(), time.process_time()
    if way == "documents":
        for _ in docs: pass
    elif way == "arrow":
        table = pa.table(columns, schema=features.arrow_schema)
        with pa.OSFile(str(folder / "data.arrow"), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer: writer.write_table(table)
    elif way == "from_list": dataset = Dataset.from_list(list(rows(docs, task)), features=features)
    else: dataset = to_hf_dataset(docs, kind)
    if dataset is not None:
        saving = time.process_time()
        dataset.save_to_disk(folder / "data")
        saving = time.process_time() - saving
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    if memory:
        sampler.stopped.set(); sampler.join()
        return {"peak_rss_mb": round((peak_rss() - before) / 2**20), "peak_heap_mb": round(max(0, sampler.peak - heap) / 2**20)}
    return {"seconds": round(seconds, 4), "cpu_seconds": round(cpu, 4), "save_cpu_seconds": round(saving, 4), "rows_per_second": round(n / seconds)}


def fresh(way: str, n: int, task: str, memory: bool = False) -> dict:
    "`measure` in a process of its own."
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1", "TMPDIR": folder}
        out = subprocess.run([sys.executable, "-m", "benchmarks.export", "--one", way, str(n), task, folder, "memory" if memory else "time"], capture_output=True, text=True, env=env)
        if out.returncode: raise RuntimeError(f"{way} on {n} documents failed:\n{out.stderr}")
        return json.loads(out.stdout.splitlines()[-1])


def compare(n: int, task: str) -> list[dict]:
    "All ways on the same documents."
    rounds = [{way: fresh(way, n, task) for way in WAYS} for _ in range(ROUNDS)]
    ranked = {way: sorted((r[way] for r in rounds), key=lambda run: run["cpu_seconds"]) for way in WAYS}
    median = {way: runs[ROUNDS // 2] for way, runs in ranked.items()}
    making, floor = (median[way]["cpu_seconds"] for way in ("documents", "arrow"))
    out = []
    for way, run in median.items():
        net = run["cpu_seconds"] - (making if way == "generator" else 0)
        out.append({"way": way, "task": task, "documents": n, **run, "cpu_seconds_range": [ranked[way][i]["cpu_seconds"] for i in (0, -1)],
                    **fresh(way, n, task, memory=True), "times_arrow": round(run["cpu_seconds"] / floor, 2),
                    "net_times_arrow": round(net / floor, 2), "alone_times_arrow": round((net - run["save_cpu_seconds"]) / floor, 2)})
    return out


def table(runs: list[dict]) -> str:
    "The runs as text, with the time of each relative to pyarrow's on the same rows."
    lines = [f"{'task':7} {'documents':>10} {'way':14} {'seconds':>8} {'cpu':>7} {'rows/s':>10} {'x arrow':>8} {'net':>6} {'alone':>6} {'rss MB':>7} {'heap MB':>8}"]
    for run in runs:
        lines.append(f"{run['task']:7} {run['documents']:10,} {run['way']:14} {run['seconds']:8.2f} {run['cpu_seconds']:7.2f} {run['rows_per_second']:10,} "
                     f"{run['times_arrow']:8.2f} {run['net_times_arrow']:6.2f} {run['alone_times_arrow']:6.2f} {run['peak_rss_mb']:7,} {run['peak_heap_mb']:8,}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", metavar="N", help="numbers of documents; the results are then only printed")
    parser.add_argument("--one", nargs=5, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        way, n, task, folder, what = args.one
        return print(json.dumps(measure(way, int(n), task, Path(folder), memory=what == "memory")))
    runs = [run for task in TASKS for n in args.sizes or [10_000, 100_000, 1_000_000] for run in compare(n, task)]
    print(table(runs))
    if not args.sizes:
        about = {"command": "python -m benchmarks.export", "python": platform.python_version(), "cpus": os.cpu_count(),
                 **{name: version(name) for name in ("datasets", "pyarrow", "numpy")}}
        (RESULTS / "export.json").write_text(json.dumps({"about": about, "runs": runs}, indent=1) + "\n")


if __name__ == "__main__": main()
