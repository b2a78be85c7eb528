"""The export of sieves itself beside ours, on the same documents: its own `Doc`, its own results, its own tasks.

    python -m benchmarks.export_sieves [documents]       (default 100,000; needs sieves, as tests/test_sieves.py says)

CPU seconds, without imports; each way once to warm up on a thousand documents, then three times in turn, the median.
"""
from __future__ import annotations

import statistics
import sys
import time

import datasets
import dspy
from datasets import List
from sieves import Doc
from sieves.tasks import predictive
from sieves.tasks.predictive import core
from sieves.tasks.predictive.schemas import classification, ner
from sieves_distill import to_hf_dataset


def main(n: int):
    core.PredictiveTask._init_bridge = lambda self, model_type: None  # no export needs the bridge to a language model
    datasets.Sequence = List  # sieves is made for datasets 3
    lm = dspy.LM("openai/none", api_key="none")
    labels = ["sports", "tech", "money", "world", "arts"]
    kinds = {
        "Classification, single": (predictive.Classification, {"labels": labels, "mode": "single"}, lambda i: classification.ResultSingleLabel(label=labels[i % 5], score=0.9)),
        "Classification, multi": (predictive.Classification, {"labels": labels, "mode": "multi"}, lambda i: classification.ResultMultiLabel(label_scores=[(label, (i * 7 + j * 3) % 10 / 10) for j, label in enumerate(labels)])),
        "NER": (predictive.NER, {"entities": ["PERSON"]}, lambda i: ner.Result(text="", entities=[ner.Entity(text="Ada", start=0, end=3, entity_type="PERSON", score=0.5)])),
    }
    print(f"{n:,} documents\n{'task':24} {'ours, s':>9} {'sieves, s':>10} {'times':>7}")
    for name, (kind, arguments, result) in kinds.items():
        task = kind(model=lm, task_id="asked", **arguments)
        docs = [Doc(text=f"Ada {i}: the keeper saved two penalties, and a new chip came out.", results={"asked": result(i)}) for i in range(n)]
        seconds = {"ours": [], "sieves": []}
        for some in (docs[:1000], docs, docs, docs):
            for way, export in (("ours", lambda: to_hf_dataset(some, task)), ("sieves", lambda: task.to_hf_dataset(some))):
                start = time.process_time()
                assert len(export()) == len(some)
                seconds[way].append(time.process_time() - start)
        ours, sieves = (statistics.median(runs[1:]) for runs in seconds.values())
        print(f"{name:24} {ours:9.2f} {sieves:10.2f} {sieves / ours:7.1f}")


if __name__ == "__main__": main(int((sys.argv[1:] or ["100000"])[0].replace(",", "")))
