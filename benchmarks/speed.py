"""How quick the students are beside their frameworks' own prediction, and how their training grows with the rows.

    python -m benchmarks.speed                             (inference, and training on up to 100,000 short texts with
                                                            Model2Vec, 20,000 with SetFit; writes results/speed.json)
    python -m benchmarks.speed --training setfit           (only this part, in place of what is in the file of it)

Times are CPU seconds, which depend less than the wall clock on what else the machine is doing; of predictions the least
of five. Training is in a process of its own, whose peak memory is that of the whole process, imports included.
"""
from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks import RESULTS, data, running, training

FILE = RESULTS / "speed.json"
TRAINING = {"model2vec": [1000, 10_000, 100_000], "setfit": [500, 2000, 5000, 20_000]}  # rows
INFERENCE = {"model2vec": [("tweets", 20_000), ("bbc", 5000)],  # data, and texts of it
             "setfit": [("tweets", 1000), ("bbc", 200)]}
N_WORDS = 100  # that a text has at most where Model2Vec predicts; long ones hardly tell more of it
N_ROWS = 300  # that the students whose inference is timed have learned from


def least(function, times: int = 5) -> float:
    "CPU seconds of the quickest of some calls"
    seconds = []
    for _ in range(times):
        start = time.process_time()
        function()
        seconds.append(time.process_time() - start)
    return min(seconds)


def distil(framework: str, texts, y, names, folder, val_frac: float = .1, **kwargs):
    task = training.task_of(y, names, "speed")
    return task.distill(training.base(framework), framework, data.as_dataset(texts, y, names), folder, val_frac, seed=0,
                        progress=False, **kwargs)


def int8(body):
    """The encoder with the weights of its linear layers in int8, a scale for each output, and inputs quantized as they
    come"""
    from torch import nn
    from torch.ao.quantization import per_channel_dynamic_qconfig, quantize_dynamic
    return quantize_dynamic(body, {nn.Linear: per_channel_dynamic_qconfig})


def sample(name: str, n: int):
    "Shuffled texts of a data set with labels and names: some to learn from, and as many as are asked for, repeated"
    texts, y, names = data.LOADERS[name]()
    order = np.random.default_rng(0).permutation(len(texts))
    texts, y = [texts[i] for i in order], np.asarray(y)[order]
    return (texts[:N_ROWS], y[:N_ROWS], names), (texts * (n // len(texts) + 1))[:n]


def result(framework: str, name: str, n: int, seconds: dict, extra: dict | None = None) -> dict:
    "What is recorded of the CPU seconds that `n` texts took each way"
    rates = {f"{way}_texts_per_second": round(n / value) for way, value in seconds.items()}
    return {"framework": framework, "data": name, "texts": n, **rates,
            "ratio": round(seconds["native"] / seconds["student"], 2), **(extra or {}),
            "tokenizer_share": round(seconds["tokenizer"] / seconds["student"], 2)}


def model2vec_inference(name: str, n: int) -> dict:
    """Texts a CPU second of a student and of its framework's own loader on the same folder, and the share of the
    tokenizer"""
    from model2vec.inference import StaticModelPipeline
    rows, texts = sample(name, n)
    texts = [" ".join(text.split()[:N_WORDS]) for text in texts]
    with tempfile.TemporaryDirectory() as tmp:
        student = distil("model2vec", *rows, f"{tmp}/student")
        native = StaticModelPipeline.from_pretrained(f"{tmp}/student")
    def tokenize():
        encode = native.model.tokenizer.encode_batch_fast
        return [encode(texts[start:start + 1024], add_special_tokens=False) for start in range(0, n, 1024)]
    student.predict(texts[:64])
    native.predict(texts[:64])
    seconds = {"student": least(lambda: student.predict(texts)), "native": least(lambda: native.predict(texts)),
               "tokenizer": least(tokenize)}
    return result("model2vec", name, n, seconds)


def setfit_inference(name: str, n: int) -> dict:
    "The same, with OpenVINO, without bfloat16, and with weights of int8"
    from setfit import SetFitModel
    from sieves_distill import Student
    rows, texts = sample(name, n)
    with tempfile.TemporaryDirectory() as tmp:
        student = distil("setfit", *rows, f"{tmp}/student", train_kwargs={"max_steps": 1})
        native, fast = SetFitModel.from_pretrained(f"{tmp}/student"), Student.load(f"{tmp}/student", backend="openvino")
    tokenizer = native.model_body.tokenizer
    def tokenize(): return [tokenizer(texts[start:start + 32], truncation=True) for start in range(0, n, 32)]
    seconds, answers = {}, {}
    def measure(way, model):
        model.predict(texts[:64])
        seconds[way], answers[way] = least(lambda: model.predict(texts), 2), model.predict(texts)
    measure("student", student)
    native.predict(texts[:64])
    seconds |= {"native": least(lambda: native.predict(texts), 2), "tokenizer": least(tokenize, 2)}
    measure("openvino", fast)
    student.exact = fast.exact = True  # what a CPU without instructions for bfloat16 gives
    measure("exact", student)
    measure("openvino_exact", fast)
    student.model.model_body = int8(student.model.model_body)
    measure("int8", student)
    return result("setfit", name, n, seconds, beside_exact(seconds, answers))


def beside_exact(seconds: dict, answers: dict) -> dict:
    "How quick each way is beside the framework, and the share of answers that are those of full precision"
    ratios = {f"{way}_ratio": round(seconds["native"] / seconds[way], 2)
              for way in ("exact", "openvino", "openvino_exact", "int8")}
    def same(way): return round(float(np.mean([a == b for a, b in zip(answers[way], answers["exact"])])), 4)
    ways = {"bfloat16": "student", "openvino": "openvino", "openvino_exact": "openvino_exact", "int8": "int8"}
    return ratios | {f"{name}_same_answers": same(way) for name, way in ways.items()}


INFER = {"model2vec": model2vec_inference, "setfit": setfit_inference}


def train(framework: str, n: int) -> dict:
    "Train on `n` short texts, movie snippets from which words are left out at random so that no two are alike"
    texts, y, names = data.movies()
    rng, snippets = np.random.default_rng(0), {}
    while len(snippets) < n:
        i = int(rng.integers(len(texts)))
        snippets[" ".join(word for word in texts[i].split() if rng.random() > .3)] = int(y[i])
    with tempfile.TemporaryDirectory() as tmp:
        start = time.process_time()
        student = distil(framework, list(snippets), list(snippets.values()), names, f"{tmp}/student", val_frac=.01)
        seconds = time.process_time() - start
    return {"framework": framework, "rows": n, "cpu_seconds": round(seconds, 1),
            "train_seconds": student.metrics["run"]["seconds"]["train"],
            "peak_mb": round(running.memory_peak())}


def merged(old: list[dict], new: list[dict]) -> list[dict]:
    "The lines of an earlier run, those of the frameworks that were run again replaced"
    frameworks = {line["framework"] for line in new}
    return [line for line in old if line["framework"] not in frameworks] + new


def main():
    parser = running.arguments("speed", __doc__)
    parser.add_argument("--training", nargs="*", choices=list(TRAINING), help="frameworks to train with; no other part")
    parser.add_argument("--inference", nargs="*", choices=list(INFER), help="frameworks to predict with; no other part")
    parser.add_argument("--texts", type=int, help="so many of the first data set alone, and so many rows to train on")
    parser.add_argument("--results", type=Path, default=FILE)
    parser.add_argument("--alone", nargs=2, help=running.HIDDEN)
    args = parser.parse_args()
    running.silence()
    if args.alone: return print(json.dumps(train(args.alone[0], int(args.alone[1]))))
    if args.training is args.inference is None: args.training = args.inference = list(TRAINING)
    lines: dict = {"inference": [], "training": []}
    # training first: a process begins with the peak memory of the one that started it
    for framework in args.training or []:
        for n in [args.texts] if args.texts else TRAINING[framework]:
            lines["training"].append(running.apart("speed", "--alone", framework, n))
            print(lines["training"][-1], flush=True)
    for framework in args.inference or []:
        cases = INFERENCE[framework]
        for name, n in [(cases[0][0], args.texts)] if args.texts else cases:
            lines["inference"].append(INFER[framework](name, n))
            print(lines["inference"][-1], flush=True)
    old = json.loads(args.results.read_text()) if args.results.exists() else {"inference": [], "training": []}
    packages = ("scikit-learn", "model2vec", "setfit", "sentence-transformers", "openvino", "torch")
    about = {"command": "python -m benchmarks.speed", **running.machine(*packages)}
    parts = {part: merged(old[part], lines[part]) for part in lines}
    running.write_json(args.results, {"about": about, **parts})


if __name__ == "__main__": main()
