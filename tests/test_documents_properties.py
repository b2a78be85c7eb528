"""What reading and writing documents promises: nothing is lost on the way, whatever is in them, and memory does not
grow with their number."""
from __future__ import annotations

import gzip
import json
import re
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import datasets
import numpy as np
import pandas as pd
import pytest
from datasets import Dataset, load_dataset
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sieves_distill import Classification, Doc, docs_to_dataset, docs_to_pandas, iter_docs, read_docs, write_docs
from sieves_distill.documents.values import read_answer, parse_json, as_plain
from sieves_distill.documents.write import id_type

from conftest import ROOT, run

ROUNDS = settings(deadline=None, max_examples=80,
                  suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
FILES = [".jsonl", ".jsonl.gz", ".parquet"]

unicode = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PAIR = "[\ud800-\udbff](?=[\udc00-\udfff])"  # of halves, which is one character
halves = st.text(max_size=20, alphabet=st.characters()).map(lambda s: re.sub(PAIR, "", s))
numbers = st.integers(-2**70, 2**70) | st.floats(allow_nan=False)
NOTHING_BUT_TEXT = "null", "NaN", "{}", "[1]", '{"a": 1}', "```json\n[]\n```"
leaves = st.none() | st.booleans() | numbers | unicode | st.sampled_from(NOTHING_BUT_TEXT)


def deep(texts):
    def inside(inner): return st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
    return st.recursive(leaves | texts, inside, max_leaves=8)


def documents(texts):
    ids = st.sampled_from([
        st.none(), st.integers(), st.integers(-2**63, 2**63 - 1), unicode, st.none() | st.integers() | unicode,
        st.none() | st.integers(-9, 9), st.none() | unicode])
    pairs = st.tuples(unicode, numbers)
    answers = st.one_of(deep(texts), pairs, st.lists(pairs, max_size=3)).map(read_answer)
    results = st.dictionaries(unicode, answers, max_size=3)
    return ids.flatmap(lambda ids: st.lists(st.builds(
        Doc, st.none() | texts, ids, results, results, st.dictionaries(texts, deep(texts), max_size=3),
        st.none() | st.lists(texts, max_size=3)), max_size=6))


def same(got, docs):
    assert got == docs
    assert repr(got) == repr(docs)  # tells 1 from 1.0 from True, and -0.0 from 0.0


@pytest.mark.parametrize("suffix", FILES)
@ROUNDS
@given(docs=documents(unicode))
def test_files_lose_nothing(docs, suffix, tmp_path):
    assert write_docs(iter(docs), tmp_path / f"docs{suffix}") == len(docs)
    same(read_docs(tmp_path / f"docs{suffix}"), docs)


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz"])
@ROUNDS
@given(docs=documents(halves))
def test_lines_keep_lone_surrogates(docs, suffix, tmp_path):
    write_docs(docs, tmp_path / f"docs{suffix}")
    same(read_docs(tmp_path / f"docs{suffix}"), docs)


@ROUNDS
@given(docs=documents(unicode))
def test_datasets_and_frames_lose_nothing(docs):
    ds, frame = docs_to_dataset(docs), docs_to_pandas(docs)
    streamed = [ds.to_iterable_dataset()] if docs else []
    for source in ds, ds.to_pandas(), ds.to_list(), frame, frame.to_dict("records"), *streamed:
        same(read_docs(source), docs)


@ROUNDS
@given(st.dictionaries(unicode.filter(lambda c: c not in ("text", "id", "results", "gold", "meta", "chunks")),
                       leaves, max_size=4), deep(unicode))
def test_rows_of_others_lose_nothing(columns, answer):
    [doc] = read_docs([{"text": "x", "said": answer, **columns}], results={"t": "said"})
    assert doc.meta == {name: v for name, v in columns.items() if name != "said"}
    value = columns.get("said", answer)
    if isinstance(value, str): value = parse_json(value)
    assert doc.results == ({} if value is None else {"t": read_answer(value)})


@ROUNDS
@given(deep(unicode), st.sampled_from(["{}", " {}\n", "```json\n{}\n```", "```\n{}```", "``` JSON\n{}\n```\n"]))
def test_json_is_found_in_its_fences(value, form):
    text = form.replace("{}", json.dumps(value, ensure_ascii=False))
    assert repr(parse_json(text)) == (repr(value) if isinstance(value, (dict, list)) else repr(text))


@ROUNDS
@given(st.text(max_size=40))
def test_a_text_that_is_no_json_stays_itself(text):
    parsed = parse_json(text)
    assert parsed is text or isinstance(parsed, (list, dict))


def test_types_of_ids_survive_in_parquet_whenever_they_come(tmp_path):
    for late in [7], ["a"], [7, "a"], ["a", 7], [7, 2**70], [None, "a", 7]:
        docs = [Doc("x")] * 10_001 + [Doc("y", i) for i in late for _ in range(10_001)]
        write_docs(iter(docs), tmp_path / "docs.parquet")
        same(read_docs(tmp_path / "docs.parquet"), docs)
    assert [p.name for p in tmp_path.iterdir()] == ["docs.parquet"]


def test_types_of_ids():
    kinds = [id_type(None, ids) for ids in ([], [None], [1, None], ["a"], [1, "a"], [2**63])]
    assert kinds == [None, None, "int64", "string", "json", "json"]
    kinds = [id_type("int64", ids) for ids in ([], [None], [1], ["a"], [2**63])]
    assert kinds == ["int64", "int64", "int64", "json", "json"]


@pytest.mark.parametrize("dtype", ["object", "category", "string", "string[python]", "string[pyarrow]", "str"])
def test_labels_in_any_dtype(dtype):
    frame = pd.DataFrame({"text": ["a", "b"], "label": pd.Series(["tech", None], dtype=dtype)})
    assert read_docs(frame, results={"t": "label"}) == [Doc("a", results={"t": "tech"}), Doc("b")]


@pytest.mark.parametrize("dtype", ["float16", "float32", "Float32", "float32[pyarrow]", "float64", "Float64", "object"])
def test_scores_in_any_dtype_are_the_decimals_they_print(dtype):
    frame = pd.DataFrame({"text": ["a", "b"], "label": ["tech", "tech"], "score": pd.Series([0.7, None], dtype=dtype)})
    docs = [Doc("a", results={"t": ("tech", 0.7)}), Doc("b", results={"t": "tech"})]
    assert read_docs(frame, results={"t": ("label", "score")}) == docs


def test_a_csv_through_pandas(tmp_path):
    docs = [Doc("comma, \"quote\"\nnew line", "a1", {"t": ("tech", 0.9)}, {"t": "tech"}, {"url": "x"}),
            Doc("é 😀", "a2", {"t": None})]
    docs_to_pandas(docs).to_csv(tmp_path / "docs.csv", index=False)
    assert read_docs(pd.read_csv(tmp_path / "docs.csv")) == docs
    (tmp_path / "bought.csv").write_text("text,label,score\nfirst,tech,0.9\nsecond,,\n,sports,0.5\n")
    assert read_docs(pd.read_csv(tmp_path / "bought.csv"), results={"t": ("label", "score")}) == [
        Doc("first", results={"t": ("tech", 0.9)}), Doc("second"), Doc(None, results={"t": ("sports", 0.5)})]


def test_lines_written_here_are_read_by_others(tmp_path):
    docs = [Doc("a", 1, {"t": "tech"}, meta={"url": "x"}), Doc("b", 2, {"t": "sports"}, meta={"url": "y"})]
    write_docs(docs, tmp_path / "docs.jsonl")
    assert read_docs(pd.read_json(tmp_path / "docs.jsonl", lines=True)) == docs
    loaded = load_dataset("json", data_files=str(tmp_path / "docs.jsonl"), split="train",
                          cache_dir=str(tmp_path / "cache"))
    assert read_docs(loaded) == docs


@pytest.mark.skipif(not hasattr(datasets, "Json"), reason="no such feature in this version of datasets")
def test_columns_of_json_in_a_dataset_are_decoded(tmp_path):
    docs = [Doc("a", 1, {"t": ("tech", 0.9)}, meta={"x": [1, "a"]}),
            Doc("b", 2, {"t": None, "u": {"a": 0.5}}, meta={"x": [None]}),
            Doc("c", 3, {"t": [("a", 0.25)]}, meta={"x": []})]
    write_docs(docs, tmp_path / "docs.jsonl")
    for streaming in False, True:
        loaded = load_dataset("json", data_files=str(tmp_path / "docs.jsonl"), split="train",
                              cache_dir=str(tmp_path / "cache"), streaming=streaming)
        assert read_docs(loaded) == docs


@pytest.mark.parametrize("write", [docs_to_dataset, docs_to_pandas, ".jsonl", ".jsonl.gz", ".parquet"])
@pytest.mark.parametrize("doc, exc, message", [
    (Doc(3), TypeError, "document at position 1: found the text 3 (int), expected a str or None"),
    (Doc("x", id=True), TypeError, "found the id True (bool), expected an int or a str"),
    (Doc("x", id=0.5), TypeError, "document 0.5: found the id 0.5 (float)"),
    (Doc("x", id="a2", gold={"t": Decimal("0.5")}), TypeError,
     "document 'a2': found Decimal('0.5') (Decimal) in gold['t'], expected what JSON can hold"),
    (Doc("x", id="a2", results={"t": {"sports"}}), TypeError, "document 'a2': found {'sports'} (set) in results['t']"),
    (Doc("x", meta={"a": [{"day": date(2026, 1, 1)}]}), TypeError, "(date) in meta['a'][0]['day'], expected"),
    (Doc("x", meta={"a": {3: "x"}}), TypeError,
     "document at position 1: found the key 3 (int) in meta['a'], expected a str"),
    (Doc("x", meta={"n": 10**5000}), ValueError, "document at position 1: Exceeds the limit"),
    (Doc("x", chunks="one"), TypeError, "found the chunks 'one' (str), expected a list of str or None"),
    (Doc("x", chunks=["one", None]), TypeError, "expected a list of str or None"),
    ("a text", TypeError, "document at position 1: found 'a text' (str), expected an object with .text and .results"),
])
def test_what_cannot_be_written_is_named_and_leaves_no_file(write, doc, exc, message, tmp_path):
    def attempt(docs): return write_docs(docs, tmp_path / f"docs{write}") if isinstance(write, str) else write(docs)
    with pytest.raises(exc, match=re.escape(message)): attempt([Doc("fine"), doc])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("data, message", [
    (b'{"text": "a"}\n\n{"text": "b"', "line 3: found no valid JSON"),
    ('{"text": "a"}'.encode("utf-16"), "line 1: found bytes that are not UTF-8"),
    (b'[\n{"text": "a"}\n]', "give it a name that ends in .json"),
    (b'{"text": "a", "meta": ' + b"[" * 90_000 + b"]" * 90_000 + b"}", "line 1: found"),
    (b'{"text": "a", "meta": {"x": ' + b"[" * 300 + b"]" * 300 + b"}}", None),
    (b'{"text": "a", "results": {"x": ' + b"[" * 990 + b"]" * 990 + b"}}", "line 1: found"),
    (b'{"txt": "a"}', "line 1: found no column 'text', expected one of 'txt'; did you mean 'txt'?"),
])
def test_broken_lines_are_named(data, message, tmp_path):
    for name, written in ("bad.jsonl", data), ("bad.jsonl.gz", gzip.compress(data)):
        path = tmp_path / name
        path.write_bytes(written)
        if message is None: assert len(read_docs(path)) == 1
        else:
            with pytest.raises((KeyError, ValueError), match=re.escape(message)): read_docs(path)


def test_files_that_are_something_else(tmp_path):
    for name, data, message in (
            ("bad.jsonl.gz", b'{"text": "a"}\n', "after line 0: found a broken"),
            ("bad.parquet", b'{"text": "a"}\n', "bad.parquet: cannot be read as Parquet")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ValueError, match=message): read_docs(tmp_path / name)
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(IsADirectoryError): write_docs([], tmp_path / "folder.jsonl")


def test_a_link_is_written_through(tmp_path):
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "real.jsonl")
    write_docs([Doc("a")], tmp_path / "link.jsonl")
    assert (tmp_path / "link.jsonl").is_symlink() and read_docs(tmp_path / "real.jsonl") == [Doc("a")]


def test_pydantic_models():
    pydantic = pytest.importorskip("pydantic")
    Result = pydantic.create_model("Result", label_scores=(list[tuple[str, float]], ...))
    task = Classification(["a", "b"], task_id="t")
    docs = [Doc("x", results={"t": Result(label_scores=[("a", 0.9), ("b", 0.2)])})]
    for source in docs_to_dataset(docs), docs_to_pandas(docs):
        assert read_docs(source)[0].results == {"t": {"label_scores": [("a", 0.9), ("b", 0.2)]}}
        rows = task.to_hf_dataset(read_docs(source), scores=True).to_list()
        assert rows == task.to_hf_dataset(docs, scores=True).to_list()


def test_numpy_becomes_python():
    assert as_plain(np.array([0.7, 0.1], np.float16)) == [0.7, 0.1]
    assert type(as_plain(np.longdouble(0.5))) is float
    assert as_plain(np.array([{"label": np.str_("x")}, None], object)) == [{"label": "x"}, None]


def test_importing_the_module_is_light():
    code = "import sieves_distill.documents, sys; print(*sys.modules)"
    loaded = run(sys.executable, "-c", code, cwd=ROOT / "tests").split()
    assert "sieves_distill.documents" in loaded and not {"datasets", "pyarrow", "pandas", "numpy"} & set(loaded)


SCRIPT = """
import sys
from sieves_distill import Doc, iter_docs, write_docs
n, path = int(sys.argv[1]), sys.argv[2]
write_docs((Doc(f"{i} " + "x" * 10_000, id=i, results={"t": "tech"}) for i in range(n)), path)
assert sum(doc.id == i for i, doc in enumerate(iter_docs(path))) == n
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to read the peak of a process")
@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_memory_does_not_grow_with_the_documents(suffix, tmp_path):
    def peak_mb(n): return int(run(sys.executable, "-c", SCRIPT, n, tmp_path / f"{n}{suffix}", cwd=tmp_path)) / 1024
    few, many = 4_000, 30_000
    grown = peak_mb(many) - peak_mb(few)
    text_mb = (many - few) * 10_000 / 2**20
    assert grown < 80, f"{many - few:,} more documents, {text_mb:.0f} MB of text, took {grown:.0f} MB more"
