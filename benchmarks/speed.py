"""How quick the students are beside their frameworks' own prediction, and how their training grows with the rows.

    python -m benchmarks.speed                             (inference, and training on up to 100,000 short texts with Model2Vec, 20,000 with SetFit; writes results/speed.json)
    python -m benchmarks.speed --training setfit           (only this part, in place of what is in the file of it)

Times are CPU seconds, which depend less than the wall clock on what else the machine is doing; of predictions the least of five. Training is in a process of its own, whose peak memory is
that of the whole process, imports included.
"""
from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np

from benchmarks import RESULTS, data

OUT = RESULTS / "speed.json"


def least(function, times: int = 5) -> float:
    found = []
    for _ in range(times):
        start = time.process_time()
        function()
        found.append(time.process_time() - start)
    return min(found)


def student(framework: str, texts, y, names, folder, **kwargs):
    from datasets import ClassLabel, Dataset, Features, Value
    from sieves_distill import Classification
    rows = Dataset.from_dict({"text": texts, "labels": y}, Features({"text": Value("string"), "labels": ClassLabel(names=names)}))
    base = data.static_base() if framework == "model2vec" else data.minilm()
    return Classification(names, multi_label=False, task_id="speed").distill(base, framework, rows, folder, kwargs.pop("val_frac", .1), seed=0, progress=False, **kwargs)


def int8(body):
    "The encoder with the weights of its linear layers in int8, a scale for each output, and their inputs quantized as they come"
    from torch import nn
    from torch.ao.quantization import per_channel_dynamic_qconfig, quantize_dynamic
    return quantize_dynamic(body, {nn.Linear: per_channel_dynamic_qconfig})


def inference(framework: str, name: str, n: int, **kwargs) -> dict:
    "Texts a CPU second of a student and of its framework's own loader on the same folder, and the share of the tokenizer"
    from sieves_distill import Student
    texts, y, names = data.LOADERS[name]()
    order = np.random.default_rng(0).permutation(len(texts))
    texts, y = [texts[i] for i in order], np.asarray(y)[order]
    with tempfile.TemporaryDirectory() as tmp:
        one = student(framework, texts[:300], y[:300].tolist(), names, f"{tmp}/student", **kwargs)
        if framework == "model2vec":
            from model2vec.inference import StaticModelPipeline
            native = StaticModelPipeline.from_pretrained(f"{tmp}/student")
            tokenize = lambda: [native.model.tokenizer.encode_batch_fast(texts[i:i + 1024], add_special_tokens=False) for i in range(0, n, 1024)]
        else:
            from setfit import SetFitModel
            native, fast = SetFitModel.from_pretrained(f"{tmp}/student"), Student.load(f"{tmp}/student", backend="openvino")
            tokenize = lambda: [native.model_body.tokenizer(texts[i:i + 32], truncation=True) for i in range(0, n, 32)]
    texts = (texts * (n // len(texts) + 1))[:n]
    times = 5 if framework == "model2vec" else 2
    one.predict(texts[:64]); native.predict(texts[:64])
    seconds = {"student": least(lambda: one.predict(texts), times), "native": least(lambda: native.predict(texts), times), "tokenizer": least(tokenize, times)}
    if framework == "setfit":
        answers = {"bfloat16": one.predict(texts)}
        def measure(kind, student): seconds[kind], answers[kind] = least(lambda: student.predict(texts), times), student.predict(texts)
        fast.predict(texts[:64]); measure("openvino", fast)
        one.exact = fast.exact = True  # what a CPU without instructions for bfloat16 gives
        fast.predict(texts[:64]); measure("exact", one); measure("openvino_exact", fast)
        one.model.model_body = int8(one.model.model_body)
        measure("int8", one)
        extra = {f"{k}_ratio": round(seconds["native"] / seconds[k], 2) for k in ("exact", "openvino", "openvino_exact", "int8")}
        extra |= {f"{k}_same_answers": round(float(np.mean([a == b for a, b in zip(answers[k], answers["exact"])])), 4) for k in answers if k != "exact"}
    else: extra = {}
    return {"framework": framework, "data": name, "texts": n, **{f"{k}_texts_per_second": round(n / v) for k, v in seconds.items()},
            "ratio": round(seconds["native"] / seconds["student"], 2), **extra, "tokenizer_share": round(seconds["tokenizer"] / seconds["student"], 2)}


TRAINING = {"model2vec": [1000, 10_000, 100_000], "setfit": [500, 2000, 5000, 20_000]}


def training(framework: str, n: int) -> dict:
    "Train on `n` short texts, movie snippets from which words are left out at random so that no two are alike"
    texts, y, names = data.movies()
    rng, some = np.random.default_rng(0), {}
    while len(some) < n:
        i = int(rng.integers(len(texts)))
        some[" ".join(w for w in texts[i].split() if rng.random() > .3)] = int(y[i])
    with tempfile.TemporaryDirectory() as tmp:
        cpu = time.process_time()
        made = student(framework, list(some), list(some.values()), names, f"{tmp}/student", val_frac=.01)
        cpu = time.process_time() - cpu
    return {"framework": framework, "rows": n, "cpu_seconds": round(cpu, 1), "train_seconds": made.metrics["run"]["seconds"]["train"], "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)}


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--training", nargs="*", choices=list(TRAINING), help="frameworks to train with; only this part is run")
    parser.add_argument("--inference", nargs="*", choices=list(TRAINING), help="frameworks to predict with; only this part is run")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    if args.one: return print(json.dumps(training(args.one[0], int(args.one[1]))))
    if args.training is args.inference is None: args.training = args.inference = list(TRAINING)
    found = {"inference": [], "training": []}
    # training first: a process begins with the peak memory of the one that started it
    for framework in args.training or []:
        for n in TRAINING[framework]:
            out = subprocess.run([sys.executable, "-m", "benchmarks.speed", "--one", framework, str(n)], check=True, stdout=subprocess.PIPE, text=True).stdout
            found["training"].append(json.loads(out.splitlines()[-1]))
            print(found["training"][-1], flush=True)
    if "model2vec" in (args.inference or []): found["inference"].append(inference("model2vec", "tweets", 20_000))
    if "setfit" in (args.inference or []): found["inference"] += [inference("setfit", name, n, train_kwargs={"max_steps": 1}) for name, n in (("tweets", 1000), ("bbc", 200))]
    for line in found["inference"]: print(line)
    old = json.loads(OUT.read_text()) if OUT.exists() else {"inference": [], "training": []}
    parts = {part: [line for line in old[part] if not any(line["framework"] == new["framework"] for new in found[part])] + found[part] for part in found}
    about = {"command": "python -m benchmarks.speed", "cores": os.cpu_count(), "threads": os.environ.get("OMP_NUM_THREADS"), "python": platform.python_version(),
             **{n: version(n) for n in ("scikit-learn", "model2vec", "setfit", "sentence-transformers", "openvino", "torch")}}
    OUT.write_text(json.dumps({"about": about, **parts}, indent=1) + "\n")


if __name__ == "__main__": main()
