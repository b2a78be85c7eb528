"""Students that write answer files, requests and the shell as others do."""
import csv
import json

import pyarrow.parquet as pq
import pytest
from datasets import Dataset
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from sieves_distill import QuestionAnswering, Student, Summarization, label_files, make_app
from sieves_distill.cli import app
from sieves_distill.students.answer_writer import Seq2SeqAnswers
from sieves_distill.students.writer import Seq2SeqStudent, Writing
from sieves_distill.testing import tiny_seq2seq

TEXTS = ["the bank has raised its rates", "no goals were scored in the final"]
TASKS = {"answers": (QuestionAnswering(["who?", "why?"]), Seq2SeqAnswers),
         "summary": (Summarization(n_words=4), Seq2SeqStudent)}


@pytest.fixture(scope="module", params=TASKS)
def written(request, tmp_path_factory):
    "The column of an answer, the folder of a student, and what it answers to `TEXTS`"
    folder = tmp_path_factory.mktemp(request.param)
    task, student_class = TASKS[request.param]
    base = tiny_seq2seq(folder / "base", [*TEXTS, "question: who? context: why?"])
    student = student_class.from_base(base, task.kind, Writing(64, 3), task.task_id)
    student.save_pretrained(folder / "student")
    return request.param, folder / "student", student.results(TEXTS)


def test_files_have_the_answers(written, tmp_path):
    column, folder, answers = written
    rows = Dataset.from_dict({"text": [TEXTS[0], " ", TEXTS[1]]})
    (tmp_path / "in").mkdir()
    rows.to_csv(tmp_path / "in" / "a.csv")
    rows.to_json(tmp_path / "in" / "b.jsonl")
    rows.to_parquet(tmp_path / "in" / "c.parquet")
    done = label_files(Student.load(folder), tmp_path / "in", tmp_path / "out")
    assert (done.rows, done.empty) == (9, 3)
    wanted = [answers[0], None, answers[1]]
    assert pq.read_table(tmp_path / "out" / "c.parquet")[column].to_pylist() == wanted
    lines = [json.loads(line) for line in (tmp_path / "out" / "b.jsonl").read_text().splitlines()]
    assert [line[column] for line in lines] == wanted and all(line.get("confidence") is None for line in lines)
    with open(tmp_path / "out" / "a.csv", newline="") as file: shown = [row[column] for row in csv.DictReader(file)]
    assert shown[1] == "" and (json.loads(shown[0]) if column == "answers" else shown[0]) == answers[0]


def test_a_service_and_the_shell_give_them(written):
    column, folder, answers = written
    replied = {column: answers[0]} | ({"confidence": None} if column == "answers" else {})
    client = TestClient(make_app(folder))
    assert client.post("/predict", json={"text": TEXTS[0]}).json() == replied
    assert client.post("/predict/batch", json={"texts": TEXTS}).status_code == 200
    shown = CliRunner().invoke(app, ["predict", str(folder), TEXTS[0], "--json"])
    assert json.loads(shown.stdout) == {"text": TEXTS[0], **replied}
