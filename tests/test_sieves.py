"""sieves' own tasks and documents go through unchanged, and its own datasets are equal to ours, column by column."""
from __future__ import annotations

import pytest

pydantic = pytest.importorskip("pydantic")
sieves = pytest.importorskip("sieves", reason=(
    "sieves is not installed; it wants Python 3.12 and, beside this library, datasets from 4 on "
    "(pip install --no-deps)"))

import datasets  # noqa: E402
from datasets import Dataset, Features, List  # noqa: E402
from sieves_distill import from_sieves, to_hf_dataset  # noqa: E402
from sieves_distill import tasks as ours  # noqa: E402

TEXTS = ["Ada Lovelace met Charles Babbage in London.", "It rained in Turin, « à verse » 🌧️."]


class Person(pydantic.BaseModel, frozen=True):
    name: str
    age: int | None = None
    nicknames: list[str] = []


def cases() -> dict:
    "A task of sieves by name, made without a model, and a result for each text as sieves' own types."
    from sieves.tasks import predictive as p
    from sieves.tasks.predictive import schemas as s
    ada = s.ner.Entity(text="Ada Lovelace", start=0, end=12, entity_type="PERSON", score=0.5)
    turin = s.ner.Entity(text="Turin", start=13, end=18, entity_type="CITY")
    head, tail = (s.relation_extraction.RelationEntity(text=text, entity_type="PERSON")
                  for text in ("Ada Lovelace", "Charles Babbage"))
    met = s.relation_extraction.RelationTriplet(head=head, relation="met", tail=tail, score=0.5)
    people = [Person(name="Ada", age=36, nicknames=["Countess"]), Person(name="Charles")]
    single, multi = s.classification.ResultSingleLabel, s.classification.ResultMultiLabel
    moods = {"overall": 0.5, "company": 0.7, "weather": 0.1}
    qa, ie = s.question_answering, s.information_extraction
    pairs = ("Who?", "Ada"), ("Where?", "London")
    return {
        "single": (p.Classification, dict(labels=["people", "weather"], mode="single"),
                   [single(label="people", score=0.9), single(label="weather", score=0.4)]),
        "multi": (p.Classification, dict(labels={"people": "who", "weather": "rain"}, mode="multi"),
                  [multi(label_scores=[("weather", 0.5), ("people", 0.9)]),
                   multi(label_scores=[("people", 0.1), ("weather", 0.49)])]),
        "sentiment": (p.SentimentAnalysis, dict(aspects=("weather", "company")),
                      [s.sentiment_analysis.Result(sentiment_per_aspect=moods, score=score) for score in (0.5, None)]),
        "ner": (p.NER, dict(entities=["PERSON", "CITY"]),
                [s.ner.Result(entities=[ada], text=TEXTS[0]), s.ner.Result(entities=[turin], text=TEXTS[1])]),
        "pii": (p.PIIMasking, dict(), [s.pii_masking.Result(masked_text="[MASKED] met [MASKED].", pii_entities=[]),
                                       s.pii_masking.Result(masked_text=TEXTS[1], pii_entities=[])]),
        "ie": (p.InformationExtraction, dict(entity_type=Person),
               [ie.ResultMulti(entities=people), ie.ResultMulti(entities=[])]),
        "ie-single": (p.InformationExtraction, dict(entity_type=Person, mode="single"),
                      [ie.ResultSingle(entity=Person(name="Ada", age=36)),
                       ie.ResultSingle(entity=Person(name="nobody"))]),
        "relations": (p.RelationExtraction, dict(relations=["met"], entity_types=["PERSON"]),
                      [s.relation_extraction.Result(triplets=[met]), s.relation_extraction.Result(triplets=[])]),
        "qa": (p.QuestionAnswering, dict(questions=["Who?", "Where?"]),
               [qa.Result(qa_pairs=[qa.QuestionAnswer(question=q, answer=a, score=score) for q, a in pairs])
                for score in (0.5, None)]),
        "summary": (p.Summarization, dict(n_words=3),
                    [s.summarization.Result(summary="A meeting.", score=score) for score in (0.5, None)]),
        "translation": (p.Translation, dict(to="German"),
                        [s.translation.Result(translation="Es regnete.", score=score) for score in (0.5, None)]),
    }


def made(kind, arguments, monkeypatch):
    "A task of sieves; only the bridge to a language model, which no export needs, is left out."
    from sieves.tasks.predictive import core
    monkeypatch.setattr(kind, "_init_bridge", lambda self, model_type: None)
    import dspy
    return kind(model=dspy.LM("openai/none", api_key="none"), task_id="asked", **arguments)


@pytest.mark.parametrize("name", ["single", "multi", "sentiment", "ner", "pii", "ie", "ie-single", "relations", "qa",
                                  "summary", "translation"])
def test_sieves_own_dataset_equals_ours(name, monkeypatch):
    kind, arguments, results = cases()[name]
    task = made(kind, arguments, monkeypatch)
    # From datasets 4 on a Sequence of structs takes no list of dicts, which sieves, made for datasets 3, gives it
    monkeypatch.setattr(datasets, "Sequence", List)
    docs = [sieves.Doc(text=text, results={"asked": result}) for text, result in zip(TEXTS, results, strict=True)]
    theirs, here = task.to_hf_dataset(docs), to_hf_dataset(docs, task)
    assert isinstance(here, Dataset) and isinstance(here.features, Features)
    assert here.column_names == theirs.column_names
    assert here.features == theirs.features
    for column in here.column_names: assert theirs[column][:] == here[column][:], column
    assert here.to_list() == from_sieves(task).to_hf_dataset(docs).to_list()
    assert isinstance(from_sieves(task), (ours.Task, ours.Classification))


def test_a_pipeline_of_sieves_is_a_teacher():
    "A pipeline with a task that asks no model, run by sieves itself"
    from sieves.tasks.core import Task
    from sieves_distill import Classification, Doc
    class ByRain(Task):
        def _call(self, docs):
            for doc in docs:
                doc.results[self.id] = "weather" if "rain" in doc.text else "people"
                yield doc

        @property
        def _config(self): return None

        _serialize = deserialize = _config
    rain = sieves.Pipeline([ByRain("topic", False, -1)])
    topic = Classification(["people", "weather"], multi_label=False, task_id="topic", model=rain)
    docs = topic([Doc(text) for text in TEXTS], progress=False)
    assert [doc.results["topic"] for doc in docs] == ["people", "weather"]
    assert docs[0].meta["topic"]["teacher"] == "a sieves pipeline"
    with pytest.raises(KeyError, match="give both the same task_id"):
        other = Classification(["people", "weather"], multi_label=False, task_id="other", model=topic.model)
        other([Doc("a")], progress=False)
