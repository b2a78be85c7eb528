"""How many texts a server answers in a second, how soon, and whether a restart loses a request.

    python -m benchmarks.serve [--students FOLDER] [--seconds 8]     (about fifteen minutes on two cores)

The students of `benchmarks.deploy`, exported, and served by the `serve.py` in their folder with one thread. Clients are
threads of another process on the same machine, each with a connection that it keeps, who send one text a request and
the next one when they have the answer: one client, and sixteen. Texts are the first hundred words of news, and the
first ten; CPU is what a text costs the server. *Singly* computes each text by itself, *together* those that came
meanwhile, *waiting* makes each wait 5 ms for others. Last, sixteen clients ask while the server is restarted three
times: by a socket that outlives it, as systemd's socket units do, where they never ask again; and by a port that is
opened anew, where they ask again what found it closed.
"""
from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import numpy as np

from benchmarks import RESULTS, data, running
from benchmarks.deploy import rows, students

FILE = RESULTS / "serve.json"
FORMATS = {"numpy": "model2vec", "onnx": "setfit", "onnx-int8": "setfit"}
MODES = {"singly": {"BATCH_SIZE": "1"}, "together": {}, "waiting": {"BATCH_WAIT_MS": "5"}}
WORDS, CLIENTS, RESTARTS = (100, 10), (1, 16), 3
HEADERS = {"Content-Type": "application/json"}
ACTIVATE = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
os.execv(sys.executable, [sys.executable, "serve.py"])
"""


class Service:
    "A server in a process of its own; by a socket that it is given, or by a port"
    def __init__(self, folder: Path, port: int = 0, listener: socket.socket | None = None, **env: str):
        start = ["serve.py"] if listener is None else ["-c", ACTIVATE, str(listener.fileno())]
        env = {**os.environ, "OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1", "THREADS": "1", "PORT": str(port), **env}
        handed = () if listener is None else (listener.fileno(),)
        self.process = subprocess.Popen([sys.executable, *start], cwd=folder, env=env, pass_fds=handed,
                                        stderr=subprocess.PIPE, text=True)
        self.port, seen = port, ""
        for line in self.process.stderr:
            seen += line
            if match := re.search(r"Listening at http://127\.0\.0\.1:(\d+)", line): self.port = int(match[1])
            if "startup complete" in line: break
        else: raise RuntimeError(f"the server did not start:\n{seen}")

    def cpu(self) -> float:
        "Seconds of CPU that it has taken"
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.stderr.read()
        self.process.wait()


def ask(connection: HTTPConnection, path: str, content: bytes) -> dict:
    connection.request("POST", path, content, HEADERS)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200: raise RuntimeError(f"{answer.status}: {body[:200]!r}")
    return json.loads(body)


class Load:
    "Clients who ask without pause, each text in turn, until they are told to stop"
    def __init__(self, port: int, texts: list[str], n_clients: int, expected: list | None = None, again: bool = False):
        self.port, self.expected, self.again = port, expected, again  # What is right; whether to ask again
        self.bodies = [json.dumps({"text": text}).encode() for text in texts]
        self.seconds, self.failures, self.repeated, self.stopped = [], [], 0, threading.Event()
        self.threads = [threading.Thread(target=self.client, args=(i,)) for i in range(n_clients)]
        for thread in self.threads: thread.start()

    def client(self, at: int):
        with contextlib.closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            while not self.stopped.is_set():
                at = (at + 1) % len(self.bodies)
                begun = time.perf_counter()
                try: answer = self.ask(connection, self.bodies[at])
                except Exception as error:
                    self.failures.append(repr(error))
                    connection.close()
                    continue
                self.seconds.append(time.perf_counter() - begun)
                if self.expected and answer["label"] != self.expected[at]: self.failures.append("another answer")

    def ask(self, connection: HTTPConnection, body: bytes) -> dict:
        while True:
            try: return ask(connection, "/predict", body)
            except (HTTPException, OSError):
                connection.close()
                if not self.again: raise
                self.repeated += 1
                time.sleep(.05)

    def stop(self):
        self.stopped.set()
        for thread in self.threads: thread.join()


def measure(service: Service, texts: list[str], n_clients: int, seconds: float) -> dict:
    "Milliseconds of a request, texts a second, and what they cost the server"
    load = Load(service.port, texts, n_clients)
    time.sleep(seconds / 4)  # to warm up
    before, begun, cpu = len(load.seconds), time.perf_counter(), service.cpu()
    time.sleep(seconds)
    taken, passed, cpu = load.seconds[before:], time.perf_counter() - begun, service.cpu() - cpu
    load.stop()
    if load.failures: raise RuntimeError(f"{len(load.failures)} requests failed, the first with {load.failures[0]}")
    p50, p95 = (round(float(value) * 1e3, 2) for value in np.percentile(taken, [50, 95]))
    return {"p50_ms": p50, "p95_ms": p95, "texts_s": round(len(taken) / passed, 1),
            "cpu_ms": round(cpu * 1e3 / len(taken), 2)}


def in_batches(service: Service, texts: list[str], seconds: float, size: int = 64) -> float:
    "Texts a second of one client that sends many at once"
    body, n, begun = json.dumps({"texts": texts[:size]}).encode(), 0, time.perf_counter()
    with contextlib.closing(HTTPConnection("127.0.0.1", service.port, timeout=120)) as connection:
        while not n or time.perf_counter() - begun < seconds:
            n += len(ask(connection, "/predict/batch", body)["answers"])
    return round(n / (time.perf_counter() - begun), 1)


def restarted(folder: Path, texts: list[str], expected: list, outlives: bool) -> dict:
    "What sixteen clients see while a server is restarted"
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0))) if outlives else None
        port = listener.getsockname()[1] if outlives else 0
        service = Service(folder, port, listener, DRAIN=".5")
        port = service.port = port or service.port
        load = Load(port, texts, 16, expected, again=not outlives)
        for _ in range(RESTARTS):
            time.sleep(2)
            service.stop()
            service = Service(folder, port, listener, DRAIN=".5")
        time.sleep(2)
        load.stop()
        service.stop()
    return {"socket": "outlives the server" if outlives else "opened anew", "restarts": RESTARTS,
            "answered": len(load.seconds), "asked_again": load.repeated, "lost": len(load.failures),
            "longest_s": round(max(load.seconds), 2), "failures": load.failures[:3]}


def table(lines: list[dict]) -> str:
    "The table, in Markdown"
    names = [f"{name}, {n} client{'s' * (n > 1)}" for n in CLIENTS
             for name in ("p50, ms", "p95, ms", "texts/s", "CPU, ms")]
    head = ["format", "words", "computed", *names, "texts/s, 64 a request"]
    cells = [head, ["---", "--:", "---", *["--:"] * (len(head) - 3)]]
    for line in lines:
        figures = [f"{line[str(n)][key]:,}" for n in CLIENTS for key in ("p50_ms", "p95_ms", "texts_s", "cpu_ms")]
        cells.append([line["format"], line["words"], line["mode"], *figures, f"{line['batch_texts_s']:,}"])
    return "".join(f"| {' | '.join(map(str, row))} |\n" for row in cells)


def main():
    parser = running.arguments("serve", __doc__)
    parser.add_argument("--students", type=Path, help="a folder to keep the students in, or to take them from")
    parser.add_argument("--seconds", type=float, default=8, help="that each figure is measured for")
    args = parser.parse_args()
    running.silence()
    from sieves_distill import Student
    learn, (held_out, _), names = rows()
    lines, busy = [], round(os.getloadavg()[2], 1)  # other work on the same cores
    with tempfile.TemporaryDirectory() as tmp:
        made = students(args.students or Path(tmp), learn, names)
        folders = {format: Student.load(made[framework]).export(Path(tmp) / format, format=format)
                   for format, framework in FORMATS.items()}
        for format, folder in folders.items():
            for words in WORDS:
                texts = data.first_words(held_out, words)
                for mode, env in MODES.items():
                    service = Service(folder, **env)
                    line = {"format": format, "words": words, "mode": mode}
                    line |= {str(n): measure(service, texts, n, args.seconds) for n in CLIENTS}
                    line["batch_texts_s"] = in_batches(service, texts, args.seconds)
                    service.stop()
                    lines.append(line)
                    print(line, flush=True)
        expected = Student.load(made["model2vec"]).predict(held_out)
        restarts = [restarted(folders["numpy"], held_out, expected, outlives) for outlives in (True, False)]
        print(*restarts, sep="\n", flush=True)
    about = {"command": "python -m benchmarks.serve", "load_before": busy} | running.machine(
        "fastapi", "starlette", "uvicorn", "pydantic", "numpy", "tokenizers", "onnxruntime", threads=False)
    running.write_json(FILE, {"about": about, "lines": lines, "restarts": restarts})
    FILE.with_suffix(".md").write_text(table(lines))


if __name__ == "__main__": main()
