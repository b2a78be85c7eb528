"""A job that labels files may be killed at any moment: begun again, it loses no row and writes none twice."""
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sieves_distill import Student
from sieves_distill.deploy.bulk import label_files

import old_folders

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")

STUDENT = old_folders.FIXTURES / "model2vec_multi"
JOB = """
import resource, sys
from sieves_distill.deploy.bulk import label_files
done = label_files(sys.argv[1], sys.argv[2], sys.argv[3])
print(done.rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
FILES, ROWS = ("a.jsonl", "b.parquet", "c.csv", "deeper/d.jsonl"), 6000


@pytest.fixture(scope="module")
def texts() -> list[str]:
    known = Student.load(STUDENT).train_data["text"]
    return [f"{known[i % len(known)]} {i}" for i in range(ROWS)]


@pytest.fixture(scope="module")
def source(texts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("in")
    (folder / "deeper").mkdir()
    for name in FILES:
        path = folder / name
        if name.endswith(".parquet"): pq.write_table(pa.table({"n": range(ROWS), "text": texts}), path)
        elif name.endswith(".csv"): path.write_text("n,text\n" + "".join(f"{i},{t}\n" for i, t in enumerate(texts)))
        else: path.write_text("".join(json.dumps({"n": i, "text": t}) + "\n" for i, t in enumerate(texts)))
    return folder


def start(source, output) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", JOB, str(STUDENT), str(source), str(output)], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def read(path) -> list[tuple]:
    "The numbers, texts and labels of a file."
    if path.suffix == ".parquet": rows = pq.read_table(path).to_pylist()
    elif path.suffix == ".csv":
        import csv
        with path.open(newline="") as file: rows = list(csv.DictReader(file))
        for row in rows: row["labels"] = json.loads(row["labels"])
    else: rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [(int(row["n"]), row["text"], row["labels"]) for row in rows]


def test_killed_again_and_again_it_loses_no_row_and_writes_none_twice(source, texts, tmp_path):
    output, moments = tmp_path / "out", []
    for name in (*FILES, None):  # killed while it writes each of them, then left to end
        process = start(source, output)
        while name and process.poll() is None and not (output / f"{name}.tmp").exists(): time.sleep(.002)
        if name: process.send_signal(signal.SIGKILL)
        printed, errors = process.communicate()
        assert process.returncode == (-signal.SIGKILL if name else 0), errors
        moments.append(sorted(path.name for path in output.rglob("*") if path.is_file()))
    assert any("a.jsonl.tmp" in names for names in moments), "it was killed while it wrote"
    answers = Student.load(STUDENT).predict(texts)
    for name in FILES: assert read(output / name) == list(zip(range(ROWS), texts, answers))
    left = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}
    assert left == {*FILES, "_labels.json"}


def test_two_jobs_do_not_write_to_one_folder(source, tmp_path):
    process = start(source, tmp_path / "out")
    while process.poll() is None and not (tmp_path / "out/a.jsonl.tmp").exists(): time.sleep(.002)
    process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(ValueError, match="another job is writing"):
            label_files(STUDENT, source, tmp_path / "out")
    finally: process.send_signal(signal.SIGCONT)
    printed, errors = process.communicate()
    assert printed.split()[0] == str(ROWS * len(FILES)), errors


def test_a_changed_file_is_labelled_again(source, tmp_path):
    (tmp_path / "in").mkdir()
    path = tmp_path / "in/a.jsonl"
    path.write_text('{"text": "a"}\n')
    label_files(STUDENT, path, tmp_path / "out")
    path.write_text('{"text": "a"}\n{"text": "b"}\n')
    later = time.time() + 5
    os.utime(path, (later, later))
    assert label_files(STUDENT, path, tmp_path / "out").rows == 2


def test_memory_does_not_grow_with_the_file(texts, tmp_path):
    used = {}
    for times in (1, 30):
        folder = tmp_path / f"in-{times}"
        folder.mkdir()
        table = pa.table({"text": [f"{text} and so on" * 5 for text in texts] * times})
        pq.write_table(table, folder / "a.parquet", row_group_size=5000)
        process = start(folder, tmp_path / f"out-{times}")
        printed, errors = process.communicate()
        assert process.returncode == 0, errors
        used[times] = int(printed.split()[1]) / 1e3
    assert used[30] < used[1] + 100, f"MB: {used}"  # the texts alone are more than that
