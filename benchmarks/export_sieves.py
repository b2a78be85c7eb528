"""The export of sieves itself beside ours, on the same documents: its own `Doc`, its own results, its own tasks.

    python -m benchmarks.export_sieves [documents]       (default 100,000; needs sieves, as tests/test_sieves.py says)

CPU seconds, without imports; each way once to warm up on a thousand documents, then three times in turn, the median.
"""
from __future__ import annotations

import statistics
import sys
import time

LABELS = ["sports", "tech", "money", "world", "arts"]


def single_label(i: int):
    from sieves.tasks.predictive.schemas import classification
    return classification.ResultSingleLabel(label=LABELS[i % 5], score=0.9)


def multi_label(i: int):
    from sieves.tasks.predictive.schemas import classification
    scores = [(label, (i * 7 + j * 3) % 10 / 10) for j, label in enumerate(LABELS)]
    return classification.ResultMultiLabel(label_scores=scores)


def entities(i: int):
    from sieves.tasks.predictive.schemas import ner
    return ner.Result(text="", entities=[ner.Entity(text="Ada", start=0, end=3, entity_type="PERSON", score=0.5)])


KINDS = {  # class of sieves, its arguments, and what gives the result of a document
    "Classification, single": ("Classification", {"labels": LABELS, "mode": "single"}, single_label),
    "Classification, multi": ("Classification", {"labels": LABELS, "mode": "multi"}, multi_label),
    "NER": ("NER", {"entities": ["PERSON"]}, entities),
}


def measure(task, docs: list) -> dict[str, float]:
    "The median CPU seconds of each way"
    from sieves_distill import to_hf_dataset
    ways = {"ours": lambda docs: to_hf_dataset(docs, task), "sieves": task.to_hf_dataset}
    seconds = {way: [] for way in ways}
    for some in (docs[:1000], docs, docs, docs):
        for way, export in ways.items():
            start = time.process_time()
            assert len(export(some)) == len(some)
            seconds[way].append(time.process_time() - start)
    return {way: statistics.median(runs[1:]) for way, runs in seconds.items()}


def main(n: int):
    import datasets
    import dspy
    from sieves import Doc
    from sieves.tasks import predictive
    from sieves.tasks.predictive import core
    core.PredictiveTask._init_bridge = lambda self, model_type: None  # no export needs the bridge to a language model
    datasets.Sequence = datasets.List  # sieves is made for datasets 3
    lm = dspy.LM("openai/none", api_key="none")
    print(f"{n:,} documents\n{'task':24} {'ours, s':>9} {'sieves, s':>10} {'times':>7}")
    for name, (kind, arguments, result) in KINDS.items():
        task = getattr(predictive, kind)(model=lm, task_id="asked", **arguments)
        text = "Ada {}: the keeper saved two penalties, and a new chip came out."
        seconds = measure(task, [Doc(text=text.format(i), results={"asked": result(i)}) for i in range(n)])
        print(f"{name:24} {seconds['ours']:9.2f} {seconds['sieves']:10.2f} {seconds['sieves'] / seconds['ours']:7.1f}")


if __name__ == "__main__": main(int((sys.argv[1:] or ["100000"])[0].replace(",", "")))
