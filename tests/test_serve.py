"""A real server on loopback: it answers as the student does, loses nothing when it is stopped, and takes no harm."""
from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import httpx
import numpy as np
import pytest
from sieves_distill import Student
from sieves_distill.deploy.bulk import open_student

import old_folders
from conftest import run

FOLDERS = {"numpy": "model2vec_multi", "onnx": "setfit_table"}  # a format, and the student that is exported
STOPPED = {0, -signal.SIGTERM}  # uvicorn ends by the signal that it was sent, once it has done all
# Gives the socket of number argv[1] to what is run in its place, as systemd does
ACTIVATE = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass
class Running:
    "A server, and what it logs"
    process: subprocess.Popen
    url: str
    log: Path

    def client(self) -> httpx.Client: return httpx.Client(base_url=self.url, timeout=30)

    def post(self, path: str, content):
        with self.client() as client: return client.post(path, json=content)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@contextmanager
def running(command, log: Path, url: str | None = None, cwd=None, pass_fds=(), **env):
    "The server that a command starts, when it is ready; it is ended after that."
    env = {**os.environ, "PORT": "0", **env}
    with open(log, "wb") as file:
        process = subprocess.Popen(list(map(str, command)), cwd=cwd, env=env, stderr=file, pass_fds=pass_fds)
    try:
        deadline = time.monotonic() + 60
        def look() -> str | None:
            served = url or (match := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())) and match[0]
            return served if served and "startup complete" in log.read_text() else None
        while (address := look()) is None:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(.02)
        yield Running(process, address, log)
    finally:
        if process.poll() is None: process.kill()
        process.wait()


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> dict[str, Path]:
    "A folder of each format that a container can serve."
    root = tmp_path_factory.mktemp("exported")
    return {format: Student.load(old_folders.FIXTURES / name).export(root / format, format=format)
            for format, name in FOLDERS.items()}


def site_of(folder: Path, site: Path) -> Path:
    "A folder with the packages that requirements-serve.txt names, and no others."
    site.mkdir()
    for line in (folder / "requirements-serve.txt").read_text().split():
        package = distribution(line.partition("==")[0])
        for top in {file.parts[0] for file in package.files} - {"..", "__pycache__"}:
            if not (site / top).exists(): (site / top).symlink_to(package.locate_file(top))
    return site


def texts_of(folder: Path) -> list[str]:
    "Texts like those that it learned from, and others."
    texts = Student.load(old_folders.FIXTURES / FOLDERS[folder.name]).train_data["text"][:30]
    return [*texts, "words that nobody knows", "bread " * 80, "café ⚽ 你好", "a\0b"]


def assert_same(answers: list[dict], student, texts: list[str], atol: float):
    name = "labels" if student.multi_label else "label"
    proba = [[answer["proba"][label] for label in student.labels] for answer in answers]
    np.testing.assert_allclose(proba, student.predict_proba(texts), rtol=0, atol=atol)
    assert [answer[name] for answer in answers] == student.predict(texts)


@pytest.mark.parametrize("format", FOLDERS)
def test_container_answers_alone(format, exported, tmp_path):
    "What the Dockerfile runs, where nothing is installed but what it installs; then its health check."
    folder, lines = exported[format], (exported[format] / "Dockerfile").read_text().splitlines()
    commands = {line.split()[0]: json.loads(line[line.index("["):]) for line in lines if "CMD [" in line}
    alone = {"PYTHONPATH": str(site_of(folder, tmp_path / "site")), "HOST": "127.0.0.1"}
    student, texts = open_student(folder), texts_of(folder)
    python = [sys.executable, "-S", "-B"]
    assert commands["CMD"][0] == commands["HEALTHCHECK"][0] == "python"
    with running([*python, *commands["CMD"][1:]], tmp_path / "log", cwd=folder, **alone) as server:
        health = [*python, *commands["HEALTHCHECK"][1:]]
        env = os.environ | alone | {"PORT": server.url.rpartition(":")[2]}
        assert subprocess.run(health, env=env).returncode == 0
        assert subprocess.run(health, env=env | {"PORT": "1"}, stderr=subprocess.DEVNULL).returncode
        with server.client() as client, ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda text: client.post("/predict", json={"text": text}).json(), texts))
            batch = client.post("/predict/batch", json={"texts": texts}).json()["answers"]
            explained = client.post("/explain", json={"text": texts[0]}).json()
            maps = Path(f"/proc/{server.process.pid}/maps")
            assert not maps.exists() or "libtorch" not in maps.read_text()
        assert_same(answers, student, texts, 1e-6)
        assert_same(batch, student, texts, 1e-6)
        assert explained == student.explain(texts[0])
        assert server.stop() in STOPPED
    assert "WARNING" not in server.log.read_text() and "ERROR" not in server.log.read_text()


def test_command_line_serves_a_folder_of_its_own(exported, tmp_path):
    command = [sys.executable, "-c", "from sieves_distill.cli import app; app()", "serve"]
    folder = old_folders.FIXTURES / "model2vec_single"
    with running([*command, folder, "--port", "0"], tmp_path / "log", MAX_TEXTS="3") as server:
        student = Student.load(folder)
        texts = student.train_data["text"][:3]
        assert_same(server.post("/predict/batch", {"texts": texts}).json()["answers"], student, texts, 1e-6)
        assert "at most 3 texts, found 4" in server.post("/predict/batch", {"texts": ["a"] * 4}).text
        taken = subprocess.run([*command, exported["numpy"], "--port", server.url.rpartition(":")[2]],
                               capture_output=True, text=True)
        assert taken.returncode == 1 and "in use" in taken.stderr and "Traceback" not in taken.stderr
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(30) in {0, 130, -signal.SIGINT}
    assert "Traceback" not in server.log.read_text()


def test_an_exported_folder_is_served_without_torch(exported):
    code = "import sys; from sieves_distill import make_app; make_app(sys.argv[1]); print('torch' in sys.modules)"
    assert run(sys.executable, "-c", code, exported["onnx"], cwd=exported["onnx"]).strip() == "False"


def started(folder: Path, log: Path, **options):
    return running([sys.executable, "serve.py"], log, cwd=folder, **options)


def until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(.01)


def value(metrics: str, name: str) -> float:
    "A value of Prometheus' text; 0 where there is none."
    return sum(float(line.rpartition(" ")[2]) for line in metrics.splitlines() if line.rpartition(" ")[0] == name)


def test_what_was_begun_is_answered_after_sigterm(exported, tmp_path):
    "Texts wait a second for others, and the server is asked to stop meanwhile."
    texts, student = texts_of(exported["numpy"])[:12], open_student(exported["numpy"])
    with started(exported["numpy"], tmp_path / "log", BATCH_WAIT_MS="1000", BATCH_SIZE="64") as server:
        with ThreadPoolExecutor(len(texts)) as pool:
            answers = [pool.submit(server.post, "/predict", {"text": text}) for text in texts]
            until(lambda: value(httpx.get(server.url + "/metrics").text, "student_texts_waiting") == len(texts))
            begun = time.monotonic()
            assert server.stop() in STOPPED
            assert time.monotonic() - begun < 10
        assert_same([answer.result().json() for answer in answers], student, texts, 1e-6)
        with pytest.raises(httpx.ConnectError): httpx.get(server.url + "/health/live")


def test_drains_before_it_stops(exported, tmp_path):
    "For a while it says that it will stop, and goes on; connections are closed after their answers."
    with started(exported["numpy"], tmp_path / "log", DRAIN="1") as server, server.client() as client:
        answer = client.get("/health/ready")
        assert answer.json() == {"status": "ready"} and "connection" not in answer.headers
        server.process.send_signal(signal.SIGTERM)
        until(lambda: client.get("/health/ready").status_code == 503)
        assert client.get("/health/ready").json() == client.get("/health").json() == {"status": "stopping"}
        assert client.get("/health").status_code == 503
        answer = client.post("/predict", json={"text": "a cup"})
        assert answer.status_code == 200 and answer.headers["connection"] == "close"
        assert client.get("/health/live").status_code == 200
        assert server.process.wait(30) in STOPPED


def test_restart_loses_nothing(exported, tmp_path):
    "Clients ask without pause and without trying again while one process takes the place of another, by one socket."
    folder, texts = exported["numpy"], texts_of(exported["numpy"])
    expected, done, failures, restarted = open_student(folder).predict(texts), [0] * 6, [], threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        command = [sys.executable, "-c", ACTIVATE, listener.fileno(), sys.executable, "serve.py"]
        def server(i: int):
            return running(command, tmp_path / f"log{i}", url, folder, (listener.fileno(),), DRAIN=".5")
        def ask(i: int):
            with httpx.Client(base_url=url, timeout=30) as client:
                while not restarted.is_set() or done[i] % len(texts):
                    at = done[i] % len(texts)
                    try:
                        if client.post("/predict", json={"text": texts[at]}).json()["labels"] != expected[at]:
                            failures.append(texts[at])
                    except Exception as error: failures.append(error)
                    done[i] += 1
        with ThreadPoolExecutor(len(done)) as pool:
            with server(0) as first:
                clients = [pool.submit(ask, i) for i in range(len(done))]
                until(lambda: min(done) > 2)
                assert first.stop() in STOPPED
            with server(1) as second:  # those that come meanwhile wait
                before = min(done)
                until(lambda: min(done) > before + 20)
                with server(2):
                    assert second.stop() in STOPPED
                    restarted.set()
                    for client in clients: client.result(30)
    assert not failures, failures[:5]


def test_metrics_count_each_text_once(exported, tmp_path):
    folder, texts = exported["onnx"], texts_of(exported["onnx"]) * 2
    with started(folder, tmp_path / "log", BATCH_WAIT_MS="5") as server:
        with server.client() as client, ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda text: client.post("/predict", json={"text": text}).json(), texts))
            for bad in ({"text": ""}, {"text": 1}, {"text": 2}): client.post("/predict", json=bad)
            metrics = client.get("/metrics").text
    given = [answer["label"] for answer in answers]
    for label in open_student(folder).labels:
        assert value(metrics, f'student_labels_total{{label="{label}"}}') == given.count(label)
    counts = {name: value(metrics, name) for name in (
        "student_texts_total", 'student_requests_total{path="/predict",status="200"}', "student_batch_texts_sum",
        'student_request_seconds_count{path="/predict"}', 'student_request_seconds_bucket{le="+Inf",path="/predict"}')}
    assert list(counts.values()) == [len(texts)] * 3 + [len(texts) + 3] * 2, counts
    assert value(metrics, "student_batch_texts_count") < len(texts)  # some were computed together
    assert value(metrics, 'student_requests_total{path="/predict",status="422"}') == 3
    assert value(metrics, 'student_errors_total{reason="string_type"}') == 2
    assert value(metrics, "student_requests_in_progress") == 1  # that for the metrics
    assert value(metrics, "student_texts_waiting") == 0


def spoken(url: str, *parts: bytes, pause: float = 0) -> bytes:
    "What a server says to bytes that no client of HTTP may send."
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while block := connection.recv(65536): answer += block
    return answer


def test_a_body_that_is_too_long_is_not_read(exported, tmp_path):
    "It is refused by its header alone, or as soon as it is longer."
    head = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    with started(exported["numpy"], tmp_path / "log", MAX_BYTES="1000") as server:
        answer = spoken(server.url, head + b"Content-Length: 1000000000000\r\n\r\n{")
        assert answer.startswith(b"HTTP/1.1 413") and b"at most 1,000 bytes, found 1,000,000,000,000" in answer
        chunk = b"1f4\r\n" + b" " * 500 + b"\r\n"
        answer = spoken(server.url, head + b"Transfer-Encoding: chunked\r\n\r\n", chunk, chunk, chunk, pause=.05)
        assert answer.startswith(b"HTTP/1.1 413") and b"at most 1,000 bytes, found 1,500" in answer
        for wrong in (b"Content-Length: -1\r\n\r\n", b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
                      b"Content-Length: 5\r\n\r\n{"):  # the last ends before it is whole
            assert b" 500 " not in spoken(server.url, head + wrong)[:20]
        assert server.post("/predict", {"text": "a cup"}).status_code == 200


def test_no_text_is_logged(exported, tmp_path):
    with started(exported["numpy"], tmp_path / "log") as server, server.client() as client:
        client.post("/predict", json={"text": "a secret"})
        client.post("/predict?text=secret", json={"text": "secret " * 20_000})
        client.post("/predict", content=b'{"text": "secret', headers={"Content-Type": "application/json"})
        client.get("/secret?secret=secret")
        client.post("/explain", json={"secret": "secret"})
        broken = json.dumps({"text": "secret \ud800"})
        client.post("/predict", content=broken, headers={"Content-Type": "application/json"})
        spoken(server.url, b"secret\r\n\r\n")
        assert "secret" not in client.get("/metrics").text
        assert server.stop() in STOPPED
    assert "secret" not in server.log.read_text()


def test_survives_what_its_own_description_allows_and_what_it_does_not(exported, tmp_path):
    "Schemathesis makes requests of the server's OpenAPI description, right ones and wrong ones, and checks answers."
    with started(exported["numpy"], tmp_path / "log") as server:
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/openapi.json", "--seed", "0",
                   "--max-examples", "10", "--phases", "examples,coverage,fuzzing", "--no-color"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
        assert not done.returncode, done.stdout[-6000:] + done.stderr[-2000:]
        with server.client() as client:
            assert client.get("/health/live").status_code == 200
            assert 'status="500"' not in client.get("/metrics").text
    assert "ERROR" not in server.log.read_text()


@pytest.mark.skipif(not shutil.which("hadolint"), reason="hadolint is not installed")
def test_dockerfile_has_nothing_that_hadolint_knows(exported):
    for folder in exported.values():
        done = subprocess.run(["hadolint", folder / "Dockerfile"], capture_output=True, text=True)
        assert not done.returncode, done.stdout
