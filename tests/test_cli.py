"""The entry point itself, in a process of its own, as a shell or cron starts it."""
import json
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
from sieves_distill.testing import tiny_static_model

from conftest import ROOT

GROUPS = {"sports": "goal match cup team coach", "tech": "phone chip code screen app"}
COMMAND = [sys.executable, "-c", "from sieves_distill.cli import app; app()"]
COLUMNS = ["--text-column", "body", "--label-column", "topic", "--gold-column", "checked", "--id-column", "nr"]


def ran(*args, code: int = 0, **options) -> subprocess.CompletedProcess:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([*COMMAND, *map(str, args)], capture_output=True, text=True, env=env, timeout=300, **options)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    "A folder with a spreadsheet, as Excel saves it in much of Europe, and a base."
    folder = tmp_path_factory.mktemp("cli")
    rows = [(f"{a} {b}, it says", topic) for topic, words in GROUPS.items()
            for a in words.split() for b in words.split()]
    sheet = pd.DataFrame(rows, columns=["body", "topic"])
    sheet["checked"] = sheet["topic"].where(sheet.index % 4 == 0)
    sheet.to_csv(folder / "sheet.csv", sep=";", index_label="nr", encoding="utf-8-sig")
    tiny_static_model(folder / "base", sheet["body"].tolist())
    return folder


def test_from_a_spreadsheet_to_a_labelled_spreadsheet(folder):
    done = ran("distill", "base", "sheet.csv", "student", *COLUMNS, "--seed", 0, "--json", cwd=folder)
    metrics = json.loads(done.stdout)  # nothing else is on standard output
    assert metrics["gold"]["n"] == 10 and metrics["agreement"]["n"] == 10
    notes = done.stderr.splitlines()
    assert all(line.startswith("sieves-distill distill: ") for line in notes) and "labels: sports, tech" in notes[0]
    assert ran("export", "student", "small", "--format", "numpy", cwd=folder).stdout == "small\n"
    ran("label", "small", "sheet.csv", "out", "--text-column", "body", cwd=folder)
    labelled = pd.read_csv(folder / "out/sheet.csv", sep=";")
    assert list(labelled) == ["nr", "body", "topic", "checked", "label", "proba"]
    assert (labelled["label"] == labelled["topic"]).mean() > .9


TASKS = """
from pydantic import BaseModel
from sieves_distill import InformationExtraction

class Order(BaseModel):
    article: str
    number: int

order = InformationExtraction(Order, mode="single", task_id="order")
"""


def test_a_record_whose_model_a_python_file_holds(folder):
    (folder / "my_tasks.py").write_text(TASKS)
    rows = [(f"order {number}: {article}, please", {"article": article, "number": number})
            for article in ("lamp", "green chair", "desk", "shelf", "red rug") for number in range(100, 112)]
    orders = pd.DataFrame(rows, columns=["text", "record"])
    orders["record"] = orders["record"].map(json.dumps)  # a cell of JSON
    orders.to_csv(folder / "orders.csv", index=False)
    args = ["--task", "my_tasks:order", "--framework", "crf", "--label-column", "record", "--seed", 0]
    done = ran("distill", "none", "orders.csv", "orders", *args, "--min", "records=.9", cwd=folder)
    assert done.stdout.startswith("Of 12 documents") and "task" not in done.stderr
    (folder / "my_tasks.py").unlink()  # using the student needs no file of the user's
    line = ran("predict", "orders", "order 107: green chair, please", "--json", cwd=folder).stdout
    assert json.loads(line)["record"] == {"article": "green chair", "number": 107}
    short = ran("report", "orders", "--min", "records=1", "--max", "f1=0.5", code=3, cwd=folder)
    assert "expected F1 of fields (value) of at most 0.5" in short.stderr
    assert "no module 'my_tasks'" in ran("distill", "none", "orders.csv", "new", *args, code=1, cwd=folder).stderr


def test_exit_codes_and_where_errors_go(folder):
    wrong = ran("distill", "base", "sheet.csv", "nothing", code=1, cwd=folder)
    assert wrong.stdout == "" and "--text-column" in wrong.stderr and wrong.stderr.count("\n") == 1
    ran("distill", "base", code=2, cwd=folder)
    ran(code=2)
    assert not (folder / "nothing").exists()


def test_ctrl_c_ends_a_training_and_leaves_what_was_there(folder):
    sheet = pd.read_csv(folder / "sheet.csv", sep=";").drop(columns=["nr"])
    rows = pd.concat([sheet.assign(body=sheet["body"] + f" {i}") for i in range(200)])
    rows.to_csv(folder / "long.csv", index=False)
    args = ["distill", "base", "long.csv", "later", *COLUMNS[:4]]
    process = subprocess.Popen([*COMMAND, *args], cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                               env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert "labels: sports, tech" in process.stderr.readline()
    time.sleep(.5)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130 and not (folder / "later").exists()
