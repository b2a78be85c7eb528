"""What Ray Data costs on one machine, beside `label_files`: the same rows in Parquet, labelled by the same student.

    python -m benchmarks.ray_data     (about two minutes; needs ray)

BBC news, the first hundred words of each article, again and again, in eight files; a Model2Vec student, exported for
numpy. Ray has two workers of half a core each. Its first job starts it, the second finds it running. What counts is
CPU seconds, those of all processes that take part, which other work on the machine changes little.
"""
from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import psutil

from benchmarks import RESULTS, data, running
from benchmarks.training import base
from sieves_distill import Classification, label_files
from sieves_distill.deploy.ray import Labeller

FILE, TRAIN, WORDS, FILES, ROWS, WORKERS = RESULTS / "ray.json", 200, 100, 8, 10_000, 2


def prepare(folder: Path) -> Path:
    "Write the files below `in`; the folder of the student"
    texts, y, names = data.bbc()
    texts = data.first_words(texts, WORDS)
    order = np.random.default_rng(0).permutation(len(texts))
    learn = data.as_dataset([texts[i] for i in order[:TRAIN]], np.asarray(y)[order[:TRAIN]], names)
    task = Classification(names, multi_label=False, task_id="topic")
    student = task.distill(base("model2vec"), "model2vec", learn, folder / "student", 0.2, seed=0, progress=False)
    (folder / "in").mkdir()
    for i in range(FILES):
        rows = [texts[n % len(texts)] for n in range(i * ROWS, (i + 1) * ROWS)]
        pq.write_table(pa.table({"text": rows}), folder / f"in/{i}.parquet")
    return student.export(folder / "numpy", "numpy")


def by_ray(student: Path, folder: Path, output: Path):
    import ray
    if not ray.is_initialized(): ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    rows = ray.data.read_parquet(str(folder / "in")).repartition(2 * WORKERS)
    rows.map_batches(Labeller, fn_constructor_args=(str(student),), batch_format="pyarrow", batch_size=2048,
                     num_cpus=0.5, concurrency=WORKERS).write_parquet(str(output))


class Meter(threading.Thread):
    "Adds up the CPU seconds of this process and all below it, which it looks at five times a second"
    def __init__(self):
        super().__init__(daemon=True)
        self.first, self.last, self.ended = {}, {}, threading.Event()

    def look(self):
        here = psutil.Process()
        for process in (here, *here.children(recursive=True)):
            try: seconds = sum(process.cpu_times()[:2])
            except psutil.NoSuchProcess: continue
            self.first.setdefault(process.pid, 0.)  # it began since
            self.last[process.pid] = seconds

    def run(self):
        while not self.ended.wait(0.2): self.look()

    def __enter__(self):
        self.look()
        self.first = dict(self.last)  # what they had before
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()
        self.look()

    @property
    def seconds(self) -> float: return sum(self.last.values()) - sum(self.first.values())


def timed(job: Callable, output: Path) -> dict:
    "The seconds that a job takes, by the CPU and by the clock; it must have labelled each row"
    begun = time.perf_counter()
    with Meter() as meter: job(output)
    seconds, cpu = time.perf_counter() - begun, meter.seconds
    labels = pq.read_table(output, columns=["label"])["label"]
    assert len(labels) == FILES * ROWS and not labels.null_count
    return {"cpu": round(cpu, 2), "clock": round(seconds, 2), "texts": len(labels)}


def main():
    running.arguments("ray_data", __doc__).parse_args()
    running.silence()
    with tempfile.TemporaryDirectory() as tmp:
        folder = Path(tmp)
        student = prepare(folder)
        jobs = {
            "`label_files`": lambda output: label_files(student, folder / "in", output),
            "Ray, from its start": lambda output: by_ray(student, folder, output),
            "Ray, once it runs": lambda output: by_ray(student, folder, output),
        }
        runs = {}
        for i, (name, job) in enumerate(jobs.items()):
            runs[name] = timed(job, folder / f"out-{i}")
            print(name, runs[name], flush=True)
    about = running.machine("ray", "pyarrow", "numpy", "tokenizers", threads=False)
    running.write_json(FILE, {"about": {"command": "python -m benchmarks.ray_data", **about}, "runs": runs})


if __name__ == "__main__": main()
