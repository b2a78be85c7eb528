"""How many texts a SetFit student answers where another program has taken a core, by the threads of torch.

    python -m benchmarks.threads            (some minutes; writes results/threads.json)

One thread, all threads, and all threads of which unneeded ones are left unused (`quicker_threads`, as a student is
asked), in turns, so that what else the machine is doing falls on all alike. CPU and wall seconds of each call.
"""
from __future__ import annotations

import os
import subprocess
import sys
import time

import torch

from benchmarks import RESULTS, data, running
from sieves_distill.heads.embed import embed

ROUNDS, N_TEXTS = 3, 192
WAYS = {"one thread": (1, False), "all threads": (None, False), "all threads, as a student is asked": (None, True)}


def timed(body, texts, threads: int, adapt: bool) -> dict:
    torch.set_num_threads(threads)
    cpu, wall = time.process_time(), time.perf_counter()
    embed(body, texts, adapt=adapt)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    seconds = {"cpu_seconds": round(cpu, 2), "wall_seconds": round(wall, 2)}
    return {**seconds, "texts_per_second": round(len(texts) / wall, 1)}


def in_turns(body, texts, every: int) -> dict:
    out = {way: [] for way in WAYS}
    for _ in range(ROUNDS):
        for way, (threads, adapt) in WAYS.items(): out[way].append(timed(body, texts, threads or every, adapt))
    return out


def main() -> None:
    running.arguments("threads", __doc__).parse_args()
    from sentence_transformers import SentenceTransformer
    running.silence()
    body, texts = SentenceTransformer(data.minilm(), device="cpu"), data.LOADERS["tweets"]()[0][:N_TEXTS]
    every, result = torch.get_num_threads(), {}
    for hogs in 0, 1:
        others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(hogs)]
        try: result[f"{hogs} cores taken"] = {"load": os.getloadavg()[0], **in_turns(body, texts, every)}
        finally:
            for other in others: other.kill()
    content = {"texts": N_TEXTS, "threads": every, "machine": running.machine("torch", threads=False), "runs": result}
    running.write_json(RESULTS / "threads.json", content)


if __name__ == "__main__": main()
