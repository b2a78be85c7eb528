"""Documents from a generator become a dataset in memory that does not grow with their number."""
from __future__ import annotations

import sys
from pathlib import Path

import pytest

from conftest import run

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(),
                                reason="needs /proc to read the peak of a process")

LENGTH = 2_000  # characters of a text: 200,000 documents are 400 MB
SCRIPT = """
import sys
from sieves_distill import Classification, Doc
n, length, multi_label = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "multi"
labels = ["sports", "tech", "money"]
task = Classification(labels, multi_label=multi_label)
def documents(n):
    for i in range(n):
        result = {label: 0.5 for label in labels} if multi_label else labels[i % 3]
        yield Doc(f"{i} " + "x" * length, results={"Classification": result})
dataset = task.to_hf_dataset(documents(n))
# The peak of this process alone, unlike ru_maxrss
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
assert len(dataset) == n and dataset[n - 1]["text"].startswith(f"{n - 1} ")
print(peak)
"""


def peak_mb(n: int, kind: str, temporary: Path) -> float:
    return int(run(sys.executable, "-c", SCRIPT, n, LENGTH, kind, cwd=temporary, TMPDIR=str(temporary))) / 1024


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_memory_does_not_grow_with_the_documents(kind, tmp_path):
    few, many = 20_000, 200_000
    grown = peak_mb(many, kind, tmp_path) - peak_mb(few, kind, tmp_path)
    text_mb = (many - few) * LENGTH / 2**20
    assert grown < 120, f"{many - few:,} more documents, {text_mb:.0f} MB of text, took {grown:.0f} MB more"
