"""Build the documentation site into _docs: with Quarto where it is installed, else with smalldocs.

    python tools/site.py [--smalldocs]     (--smalldocs: even where Quarto is installed)

Both read the notebooks as nbdev processes them (in _proc, which imports what they import) and the same _quarto.yml.
The saved outputs are shown; no other cell is run.
"""
from __future__ import annotations

import argparse
import gc
import shutil
import subprocess
import sys
from pathlib import Path

import nbdev.serve
from entries import Pages, settle_links
from nbdev.config import get_config


def adapt(proc: Path, site_url: str) -> None:
    """Make the processed notebooks fit for smalldocs.

    nbdev's links to our own API hold the address of the published site: point them to the pages beside them.
    The `output-file` that nbdev adds is not read by smalldocs; it holds what is the default there."""
    for path in proc.rglob("*.ipynb"):
        up = "../" * (len(path.relative_to(proc).parts) - 1)
        text = path.read_text(encoding="utf-8").replace(f"({site_url}/", f"({up}")
        path.write_text(text.replace(f"output-file: {path.stem}.html\\n", ""), encoding="utf-8")


def build(smalldocs: bool) -> Path:
    "Render the site; return its folder."
    gc.disable()  # this process ends soon, and each of some 200 shells would look through all that is imported
    cfg = get_config()
    nbdev.serve.FilterDefaults = Pages  # by name: `proc_nbs` takes no other way to hand on its processors
    proc = nbdev.serve.proc_nbs(n_workers=0, force=True)  # in this process: to begin others costs more than they save
    site_url = cfg.doc_host + cfg.doc_baseurl
    settle_links(proc, site_url)
    gc.freeze()  # at the exit, each shell asks for a collection: there is nothing left to look through
    if smalldocs:
        adapt(proc, site_url)
        command = [sys.executable, "-m", "smalldocs.cli", "render", "--strict"]
    else:
        command = ["quarto", "render", "--no-cache"]
    if subprocess.run(command, cwd=proc).returncode: sys.exit("The site was not built: see above.")
    shutil.rmtree(cfg.doc_path, ignore_errors=True)
    return Path(shutil.move(proc / cfg.doc_path.name, cfg.doc_path))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smalldocs", action="store_true", help="use smalldocs even where Quarto is installed")
    args = parser.parse_args()
    print(f"The site is in {build(args.smalldocs or not shutil.which('quarto'))}")
