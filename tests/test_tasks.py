"""Whatever a teacher says: a right row, or an error that names the document. And a custom task distils."""
from __future__ import annotations

import math
import warnings

import pytest
from datasets import ClassLabel, List, Value
from hypothesis import HealthCheck, given, settings, strategies as st
from pydantic import BaseModel

from sieves_distill import (
    NER, Classification, CustomTask, Doc, InformationExtraction, PIIMasking, QuestionAnswering, RelationExtraction,
    SentimentAnalysis, Summarization, Translation, distill)
from sieves_distill.testing import tiny_static_model


class Place(BaseModel):
    name: str
    height: float | None = None
    tags: list[str] = []


ODD = ["a,b", 'quote "\'', "new\nline", "👍🏽", "שלום", "العربية", "nul \0", " padded "]
TASKS = [
    Classification(ODD, task_id="t"), Classification(ODD, multi_label=False, task_id="t"),
    SentimentAnalysis(["price"], task_id="t"), NER(["PERSON", *ODD], task_id="t"), PIIMasking(task_id="t"),
    InformationExtraction(Place, task_id="t"), InformationExtraction(Place, mode="single", task_id="t"),
    RelationExtraction(["knows", *ODD], task_id="t"), QuestionAnswering(["Who?", "When?"], task_id="t"),
    Summarization(n_words=3, task_id="t"), Translation(to="German", task_id="t"),
    CustomTask({"labels": ClassLabel(names=["low", "high"]), "n": List({"m": Value("int32")})},
               lambda result: {"labels": result["labels"], "n": result["n"]}, task_id="t"),
]
words = st.one_of(st.text(st.characters(), max_size=8),
                  st.sampled_from([*ODD, "\ud83d", "", "PERSON", "knows", "Who?", "low", "overall", "price"]))
numbers = st.one_of(st.integers(-2, 2**40), st.floats(allow_nan=True, allow_infinity=True),
                    st.sampled_from([0.5, 1, 0.0, True, math.nan]))
keys = st.sampled_from([
    "entities", "entity", "text", "start", "end", "entity_type", "score", "label", "label_scores", "labels", "n", "m",
    "name", "height", "tags", "head", "tail", "relation", "triplets", "summary", "translation", "masked_text",
    "qa_pairs", "question", "answer", "Who?", "When?", "overall", "price", "sentiment_per_aspect", *ODD[:3]])
results = st.recursive(
    st.one_of(st.none(), words, numbers, st.binary(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.tuples(inner, inner),
                            st.dictionaries(keys, inner, max_size=5)), max_leaves=12)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(results, st.one_of(words, st.none(), st.integers()))
def test_any_answer_gives_a_row_or_an_error_that_names_the_document(task, result, text):
    good = Doc("fine", id="good", results={"t": None})
    doc = Doc(text, id="d7", results={"t": result})
    try: dataset = task.to_hf_dataset([doc])
    except (TypeError, ValueError) as e: assert "document 'd7'" in str(e), e
    else:
        assert dataset.column_names == ["text", *task.columns()] and dataset[0]["text"] == text
    skipped = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try: rows = len(task.to_hf_dataset([good, doc], on_error="skip", skipped=skipped))
        except ValueError as e: rows = 0; assert "nothing to export" in str(e)
    assert rows + len(skipped) == 2 and "document 'good'" in skipped[0]


scores = st.one_of(st.none(), st.floats(0, 1, width=32))
entities = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 10), scores), max_size=5)


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(str.strip), entities)
def test_entities_come_back_as_they_were(text, spans):
    named = [{"text": text[i:i + n], "start": i, "end": i + n, "entity_type": "PERSON", "score": score}
             for i, n, score in spans if i + n <= len(text) and text[i:i + n].strip()]
    assert NER(["PERSON"]).to_hf_dataset([Doc(text, results={"NER": named})])[0] == {"text": text, "entities": named}


def test_ten_megabytes_and_a_source_that_fails():
    text = "word " * 2_000_000
    assert Summarization(n_words=3).to_hf_dataset([Doc(text, results={"Summarization": text})])[0]["summary"] == text

    def source():
        yield from [Doc("It rained.", results={"Summarization": "Rain."})] * 5_000
        raise ConnectionError("lost the teacher")

    with pytest.raises(ConnectionError) as caught: Summarization(n_words=3).to_hf_dataset(source())
    assert "5,000 documents" in caught.value.__notes__[0]


@pytest.mark.parametrize("several", [False, True])
def test_a_custom_task_distils(several, tmp_path):
    names = ["low", "high"]
    def read(result):
        label = "high" if result["cvss"] >= 7 else "low"
        return {"labels": [label] if several else label, "cvss": result["cvss"]}
    labels = List(ClassLabel(names=names)) if several else ClassLabel(names=names)
    task = CustomTask({"labels": labels, "cvss": Value("float32")}, read, task_id="severity")
    texts = {9.8: "remote code execution", 2.0: "small typo fixed"}
    docs = [Doc(f"{texts[cvss]} {i}", results={"severity": {"cvss": cvss}}, gold={"severity": {"cvss": cvss}})
            for i in range(30) for cvss in texts]
    assert set(task.to_hf_dataset(docs).column_names) == {"text", "labels", "cvss"}
    base = tmp_path / "base"
    tiny_static_model(base, list(texts.values()))
    student = distill(task, str(base), "model2vec", docs, tmp_path / "student", 0.2, seed=0, progress=False)
    assert student.labels == names and student.multi_label is several
    assert "gold" in (tmp_path / "student" / "metrics.json").read_text()
    assert student.predict(["remote code execution"])[0] == (["high"] if several else "high")


def test_what_has_no_labels_is_not_distilled(tmp_path):
    with pytest.raises(TypeError, match=r"a student of model2vec can give, found .*'crf' and 'transformers' can"):
        NER().distill("base", "model2vec", [], tmp_path / "student", 0.2)
