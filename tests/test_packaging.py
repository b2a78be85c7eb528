"""What a user installs: the archives hold what they should, install alone, and import lightly."""
import json
import subprocess
import sys
import tarfile
import time
import zipfile
from importlib.metadata import Distribution
from pathlib import Path

import pytest

import sieves_distill
from conftest import ROOT, copy_checkout, run

MODULES = {str(p.relative_to(ROOT)) for p in (ROOT / "sieves_distill").rglob("*.py")}
PAGE = {*(f"sieves_distill/deploy/web/{name}" for name in ("page.html", "tokenizers.min.mjs", "LICENSE-tokenizers")),
        *(f"sieves_distill/relabel/web/{part}.{end}" for part in ("panel", "form", "spans") for end in ("mjs", "css"))}
HEAVY = ["torch", "transformers", "sentence_transformers", "datasets", "setfit", "model2vec", "sklearn", "scipy",
         "numpy", "pandas", "pyarrow", "matplotlib", "ipywidgets", "IPython", "nbdev", "fastcore"]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory) -> Path:
    where = tmp_path_factory.mktemp("sdist")
    checkout = copy_checkout(where / "checkout")
    run(sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", where, cwd=checkout)
    return next(where.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory) -> Path:
    "Made from the sdist, so it shows that the sdist holds all that a build needs."
    where = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", where,
        sdist, cwd=where)
    return next(where.glob("*.whl"))


@pytest.fixture(scope="module")
def bare(wheel, tmp_path_factory) -> Path:
    "The python of an environment that holds the package alone: no dependency, no checkout."
    env = tmp_path_factory.mktemp("bare") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", env, cwd=env.parent)
    run(sys.executable, "-m", "pip", "--python", env / "bin/python", "install", "--no-index", "--no-deps", wheel,
        cwd=env.parent)
    return env / "bin/python"


def test_sdist_holds_the_package_and_what_builds_it(sdist):
    with tarfile.open(sdist) as archive: names = {m.name.partition("/")[2] for m in archive.getmembers() if m.isfile()}
    assert MODULES | PAGE | {"setup.py", "settings.ini", "LICENSE", "README.md", "CHANGELOG.md", "PKG-INFO"} <= names
    assert not [n for n in names if n.split("/")[0] in {"nbs", "tests", "tools", "benchmarks", "_docs", "_proc"}]


def test_wheel_holds_the_package_alone(wheel):
    with zipfile.ZipFile(wheel) as archive: names = set(archive.namelist())
    assert MODULES | PAGE == {n for n in names if ".dist-info/" not in n}
    assert any(n.endswith("LICENSE") for n in names)


def test_metadata_says_what_settings_say(bare):
    info = Distribution.at(next(bare.parents[1].rglob("sieves_distill-*.dist-info")))
    assert info.version == sieves_distill.__version__
    assert info.metadata["Requires-Python"] == ">=3.11" and info.metadata["License"] == "MIT"
    always = {r for r in info.requires if "extra ==" not in r}
    assert {"setfit>=1.2", "model2vec[train]>=0.10", "datasets>=4", "transformers>=5"} <= always
    assert not [r for r in always if r.startswith(("nbdev", "fastcore", "execnb", "pytest"))], (
        "needed to develop, not to run")
    extras = {"demo", "llm", "review", "openvino", "onnx", "serve", "browser", "ner", "pii", "records", "writing",
              "ray", "dev"}
    assert set(info.metadata.get_all("Provides-Extra")) == extras
    scripts = {entry.name: entry.value for entry in info.entry_points if entry.group == "console_scripts"}
    assert scripts == {"sieves-distill": "sieves_distill.cli:app"}


def test_installed_package_imports_without_its_dependencies(bare):
    shown = run(bare, "-c", "import sieves_distill as s; print(s.__file__); print(s.Doc, s.Classification)",
                cwd=bare.parent)
    assert Path(shown.splitlines()[0]).is_relative_to(bare.parents[1])


def test_import_pulls_in_nothing_heavy():
    loaded = json.loads(run(
        sys.executable, "-c", "import sieves_distill, sys, json; print(json.dumps(list(sys.modules)))",
        cwd=ROOT / "tests"))
    assert "sieves_distill.tasks.labels" in loaded
    assert not set(HEAVY) & set(loaded)


def test_import_takes_a_third_of_a_second_at_most():
    def best(code: str) -> float:
        times = []
        for _ in range(7):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT / "tests")
            times.append(time.perf_counter() - start)
        return min(times)
    assert best("import sieves_distill") - best("pass") <= 0.3


def test_every_public_name_resolves():
    assert {"Doc", "Classification", "DistillationFramework", "Student", "to_hf_dataset", "split_dataset",
            "evaluate_student"} <= set(sieves_distill.__all__)
    for name in sieves_distill.__all__: assert getattr(sieves_distill, name).__name__ == name
    assert set(sieves_distill.__all__) <= set(dir(sieves_distill))


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'sieves_distill' has no attribute 'distil'"): sieves_distill.distil


def test_type_checkers_see_the_lazy_names():
    "The imports under TYPE_CHECKING are what an editor knows of the lazy names: they must be the same."
    import ast
    tree = ast.parse((ROOT / "sieves_distill/__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    assert {alias.name: node.module for node in block.body for alias in node.names} == sieves_distill._LAZY
