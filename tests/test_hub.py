"""Students go to the hub and come back: `huggingface_hub` against a server on loopback that stands for the hub."""
import shutil
import sys

import pytest
from huggingface_hub import constants

from conftest import ROOT, run
from hub_server import HubServer
from sieves_distill import Student

FOLDERS = ROOT / "tests/fixtures/old_folders"
TEXTS = ["The team won the match.", "A new phone.", ""]


@pytest.fixture
def hub(monkeypatch, tmp_path):
    "The hub that `huggingface_hub` talks to, as `user`, with an empty cache; the working directory is empty too."
    with HubServer() as server:
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
        monkeypatch.setenv("HF_TOKEN", "hf_owner")
        monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
        monkeypatch.chdir(tmp_path)
        point_at(server.url, monkeypatch)
        yield server


def point_at(url: str, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")


def push(name: str = "model2vec_single", **options) -> str:
    return Student.load(FOLDERS / name).push_to_hub("user/topics", **options)


@pytest.mark.parametrize("name", ["model2vec_single", "setfit_single"])
def test_there_and_back(name, hub, monkeypatch):
    "The same probabilities, from a private repository without any of the texts, and offline from the copy."
    assert push(name).startswith(f"{hub.url}/user/topics/commit/")
    repo = hub.repos["user/topics"]
    files = repo.commits[repo.refs["main"]]
    assert repo.private and not [path for path in files if path.startswith("data/")]
    from datasets import load_from_disk
    texts = [text.encode() for side in load_from_disk(str(FOLDERS / name / "data")).values() for text in side["text"]]
    assert len(texts) > 20 and not [path for path, content in files.items() if any(text in content for text in texts)]
    expected = Student.load(FOLDERS / name).predict_proba(TEXTS).tolist()
    assert Student.load("user/topics").predict_proba(TEXTS).tolist() == expected
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert Student.load("user/topics").predict_proba(TEXTS).tolist() == expected
    assert not [path for path in hub.asked if path.startswith("GET") and path.endswith(".pkl")], "a pickle was fetched"


def test_data_and_revisions(hub, tmp_path):
    "With data=True the rows go along; a later push without them takes them away; each revision can be had."
    first = push(data=True, message="with rows").rsplit("/")[-1]
    assert len(Student.load("user/topics").train_data) > 20
    push("model2vec_multi")
    assert Student.load("user/topics").train_data is None and Student.load("user/topics").multi_label
    assert len(Student.load("user/topics", revision=first).train_data) > 20
    with pytest.raises(FileNotFoundError, match="'user/topics' has no such revision"):
        Student.load("user/topics", revision="v9")
    shutil.copytree(FOLDERS / "model2vec_single", tmp_path / "user/topics")
    assert not Student.load("user/topics").multi_label, "a folder of that name wins"


@pytest.mark.parametrize("token, error, words", [
    (None, PermissionError, "expected a token that may write, found none"),
    ("hf_wrong", PermissionError, "the hub does not accept the token"),
    ("hf_other", PermissionError, "the token may not do this with 'user/topics'"),
])
def test_a_push_that_is_refused_says_why(hub, monkeypatch, token, error, words):
    monkeypatch.setenv("HF_TOKEN", token) if token else monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(error) as told: push()
    assert words in str(told.value) and "\n" not in str(told.value) and not hub.repos


@pytest.mark.parametrize("setting, error, words", [
    ("none", FileNotFoundError, "found neither a folder 'user/topics' here nor a repository of that name"),
    ("unseen", FileNotFoundError, "found neither a folder 'user/topics' here nor a repository of that name"),
    ("offline", ConnectionError, "of a repository of that name, and the hub is switched off by HF_HUB_OFFLINE"),
    ("no network", ConnectionError, "the hub at http://127.0.0.1:9 cannot be reached"),
])
def test_a_load_that_fails_says_why(hub, monkeypatch, setting, error, words):
    if setting != "none": push()
    if setting == "unseen": monkeypatch.setenv("HF_TOKEN", "hf_other")
    if setting == "offline": monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    if setting == "no network": point_at("http://127.0.0.1:9", monkeypatch)
    with pytest.raises(error) as told: Student.load("user/topics")
    assert words in str(told.value) and "\n" not in str(told.value)


def test_a_push_offline_says_so(hub, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ConnectionError, match="switched off by HF_HUB_OFFLINE: unset that"): push()
    assert not hub.asked


def test_a_public_repository_is_not_taken_for_a_private_one(hub, monkeypatch):
    push(private=False)
    with pytest.raises(ValueError, match="is there already, and public"): push()
    monkeypatch.delenv("HF_TOKEN")
    assert Student.load("user/topics").labels, "all may read it"


def test_a_repository_of_something_else_stays(hub):
    "A push removes what an earlier student left, and nothing of others."
    push()
    files = {".gitattributes": b"", "README.md": b"", "config.json": b"{}", "data/train.csv": b""}
    hub.repos["user/topics"].commit(files)
    with pytest.raises(ValueError, match="found other files in 'user/topics', such as 'config.json'"): push()
    assert hub.repos["user/topics"].commits[hub.repos["user/topics"].sha("main")] == files
    hub.repos["user/topics"].commit({".gitattributes": b"", "README.md": b""})
    assert push()


CODE = f"""
from sieves_distill import Student
student = Student.load({str(FOLDERS / 'model2vec_single')!r})
student.push_to_hub("user/topics")
assert (Student.load("user/topics").predict_proba({TEXTS}) == student.predict_proba({TEXTS})).all()
"""


def test_by_the_environment_alone(hub, tmp_path):
    "Of a fresh Python, as a user has it: HF_ENDPOINT and HF_TOKEN."
    run(sys.executable, "-c", CODE, cwd=tmp_path, HF_ENDPOINT=hub.url, HF_HOME=str(tmp_path / "home"),
        HF_HUB_OFFLINE="0", PYTHONPATH=str(ROOT))
    assert list(hub.repos) == ["user/topics"]
