"""`Student.load` runs no code that comes with a folder, however it is dressed."""
from __future__ import annotations

import json
import os
import random
import shutil
import sys
from pathlib import Path

import joblib
import pytest
from sieves_distill import Classification, Doc, Student

import forked
from conftest import run

WORDS = {"sport": "ball goal team cup", "tech": "chip code screen app", "food": "bread soup salt cake"}
TASK = Classification(list(WORDS), multi_label=False, task_id="topic")
DOCS = [Doc(" ".join(random.Random(i).choices(words.split(), k=6)) + f" {i}", results={"topic": label})
        for i in range(8) for label, words in WORDS.items()]
TEXTS = [doc.text for doc in DOCS]


@pytest.fixture(scope="module")
def made(request, tmp_path_factory) -> Path:
    "A student of one framework or the other."
    from sieves_distill import testing
    where = tmp_path_factory.mktemp(request.param)
    make_base = {"model2vec": testing.tiny_static_model, "setfit": testing.tiny_sentence_transformer}[request.param]
    train_kwargs = {"max_steps": 1} if request.param == "setfit" else None
    with pytest.warns(UserWarning, match="less data"):
        TASK.distill(make_base(where / "base", TEXTS), request.param, DOCS, where / "student", 0.25,
                     train_kwargs=train_kwargs, seed=0, progress=False)
    return where / "student"


both = pytest.mark.parametrize("made", ["model2vec", "setfit"], indirect=True)
setfit = pytest.mark.parametrize("made", ["setfit"], indirect=True)
model2vec = pytest.mark.parametrize("made", ["model2vec"], indirect=True)


@pytest.fixture
def folder(made, tmp_path) -> Path:
    "A copy of the student to tamper with."
    return Path(shutil.copytree(made, tmp_path / "student"))


class Bomb:
    "Touches a file when it is unpickled."
    def __init__(self, path: Path): self.path = path
    def __reduce__(self): return Path.touch, (self.path,)


@pytest.fixture
def bomb(tmp_path) -> Bomb: return Bomb(tmp_path / "exploded")


def rewrite(path: Path, change) -> None:
    about = json.loads(path.read_text(encoding="utf-8"))
    change(about)
    path.write_text(json.dumps(about), encoding="utf-8")


@setfit
def test_pickled_head_is_not_read(made, folder, bomb):
    joblib.dump(bomb, folder / "model_head.pkl")
    assert Student.load(folder).predict(TEXTS) == Student.load(made).predict(TEXTS)
    assert not bomb.path.exists()
    joblib.load(folder / "model_head.pkl")
    assert bomb.path.exists(), "the bomb is a dud"


@setfit
def test_pickled_head_is_not_needed(made, folder):
    (folder / "model_head.pkl").unlink()
    assert Student.load(folder).predict(TEXTS) == Student.load(made).predict(TEXTS)


GUARDED = """
import sys
import datasets, joblib, pickle, torch  # what they unpickle while they are imported is their own
from sieves_distill import Student

def refuse(*args, **kwargs): raise RuntimeError("unpickled")
def guard(event, args):
    if event == "pickle.find_class": refuse()
for module in pickle, joblib, torch: module.load = refuse
pickle.loads = refuse
sys.addaudithook(guard)

folder, *texts = sys.argv[1:]
student = Student.load(folder)
shape = student.predict_proba(texts).shape
print(len(student.predict(texts)), shape, len(student.train_data), student.report.verdict[:11])
try: joblib.numpy_pickle.load(folder + "/../pickled")
except RuntimeError as error: print(error)
"""


@both
def test_nothing_is_unpickled(folder, bomb):
    "Every way to unpickle is closed: to load the student, its training rows and its report needs none of them."
    joblib.dump(bomb, folder.parent / "pickled")
    shown = run(sys.executable, "-c", GUARDED, folder, *TEXTS[:3], cwd=folder.parent)
    assert shown.splitlines() == ["3 (3, 3) 18 The student", "unpickled"]
    assert not bomb.path.exists()


@both
def test_pickled_weights_are_refused(folder, bomb):
    import torch
    (folder / "model.safetensors").unlink()
    torch.save(bomb, folder / "pytorch_model.bin")
    with pytest.raises(FileNotFoundError, match="no model.safetensors in it"): Student.load(folder)
    assert not bomb.path.exists()


@setfit
def test_pickled_weights_are_refused_where_they_hide(folder, bomb):
    "The file that is looked for is there, but the encoder is said to lie in a folder below."
    import torch
    below = folder / "0_Transformer"
    below.mkdir()
    for path in folder.glob("*.json"): shutil.copy(path, below)
    torch.save(bomb, below / "pytorch_model.bin")
    rewrite(folder / "modules.json", lambda modules: modules[0].update(path=below.name))
    with pytest.raises(OSError, match="model.safetensors"): Student.load(folder)
    assert not bomb.path.exists()


@both
@pytest.mark.parametrize("name", ["head.safetensors", "model.safetensors"])
def test_pickle_by_another_name_is_refused(folder, name, bomb):
    joblib.dump(bomb, folder / name)
    with pytest.raises(Exception, match="(?i)header"): Student.load(folder)
    assert not bomb.path.exists()


@model2vec
def test_legacy_pipeline_is_not_read(folder, bomb):
    "model2vec falls back to a skops file, which can hold objects, where there is no head in safetensors."
    joblib.dump(bomb, folder / "pipeline.skops")
    (folder / "head.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="no head.safetensors in it"): Student.load(folder)
    assert not bomb.path.exists()


CODE = """
from pathlib import Path
Path({path!r}).touch()
from transformers import BertConfig as Config, BertModel as Model, BertTokenizerFast as Tokenizer
from sentence_transformers.sentence_transformer.modules import Transformer as Module
from torch.nn import Identity
"""


@pytest.fixture
def code(folder, bomb) -> Path:
    "A module in the folder that touches the file as soon as it is imported."
    (folder / "modeling_bomb.py").write_text(CODE.format(path=str(bomb.path)))
    return bomb.path


def by_module(folder): rewrite(folder / "modules.json", lambda modules: modules[0].update(type="modeling_bomb.Module"))


def by_config(folder):
    auto_map = {"AutoConfig": "modeling_bomb.Config", "AutoModel": "modeling_bomb.Model"}
    rewrite(folder / "config.json", lambda config: config.update(model_type="bomb", auto_map=auto_map))


def by_settings_that_trust(folder):
    by_config(folder)
    kinds = "model_args", "config_args", "tokenizer_args", "model_kwargs", "config_kwargs", "processor_kwargs"
    settings = {kind: {"trust_remote_code": True} for kind in kinds}
    rewrite(folder / "sentence_bert_config.json", lambda config: config.update(settings))


def by_tokenizer(folder):
    settings = {"tokenizer_class": "Tokenizer", "auto_map": {"AutoTokenizer": [None, "modeling_bomb.Tokenizer"]}}
    rewrite(folder / "tokenizer_config.json", lambda config: config.update(settings))


def by_activation(folder):
    (folder / "3_Dense").mkdir()
    config = {"in_features": 16, "out_features": 16, "bias": True, "activation_function": "modeling_bomb.Identity"}
    (folder / "3_Dense/config.json").write_text(json.dumps(config))
    module = {"idx": 3, "name": "3", "path": "3_Dense", "type": "sentence_transformers.models.Dense"}
    rewrite(folder / "modules.json", lambda modules: modules.append(module))


WAYS = [by_module, by_config, by_settings_that_trust, by_tokenizer, by_activation]


def load_both(folder: Path, mark: Path) -> None:
    "Load the student, and then as one who trusts its folder; say after each whether its code has run."
    forked.say_into(folder.parent / "log")
    from sentence_transformers import SentenceTransformer
    from transformers import dynamic_module_utils
    dynamic_module_utils.HF_MODULES_CACHE = str(folder.parent / "modules")
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    answers = []
    for load in Student.load, lambda path: SentenceTransformer(path, trust_remote_code=True):
        try: load(str(folder))
        except Exception as error: print(type(error).__name__, error, file=sys.stderr)
        answers.append(mark.exists())
    (folder.parent / "answers").write_text(json.dumps(answers))


def code_runs(folder: Path, mark: Path) -> list[bool]:
    "Whether the folder's code runs for us, and for one who trusts it, in a process that finds it when it looks for it."
    process = forked.start(load_both, folder, mark)
    process.join()
    assert process.exitcode == 0, (folder.parent / "log").read_text()
    return json.loads((folder.parent / "answers").read_text())


@setfit
@pytest.mark.parametrize("way", WAYS)
def test_code_in_the_folder_is_not_run(folder, code, way):
    way(folder)
    assert code_runs(folder, code) == [False, True]


@model2vec
def test_code_beside_a_static_model_is_not_run(folder, code):
    by_config(folder)
    assert code_runs(folder, code)[0] is False


TRUSTED = """
from transformers import AutoConfig, AutoModel, BertConfig, BertModel
class Config(BertConfig): model_type = "bomb"
class Model(BertModel): config_class = Config
"""


def distil_trusted(base: Path, out: Path) -> None:
    "Distil from a base with code of its own, as one who trusts it, and load the student with that word and without."
    forked.say_into(out.parent / "log")
    from transformers import dynamic_module_utils
    dynamic_module_utils.HF_MODULES_CACHE = str(out.parent / "modules")
    made = TASK.distill(base, "setfit", DOCS, out, 0.25, {"trust_remote_code": True}, {"max_steps": 1}, seed=0,
                        progress=False)
    answers = {"made": made.predict(TEXTS), "trusted": Student.load(out, trust_remote_code=True).predict(TEXTS)}
    try: Student.load(out)
    except ValueError as error: answers["untrusted"] = str(error)
    (out.parent / "answers").write_text(json.dumps(answers))


@setfit
def test_code_that_is_trusted_is_known_to_whoever_loads_the_student(made, tmp_path):
    "What was needed to make a student is said by its folder and its card, and code runs only where the user says so."
    from sieves_distill import testing
    base = Path(testing.tiny_sentence_transformer(tmp_path / "base", TEXTS))
    (base / "modeling_bomb.py").write_text(TRUSTED)
    by_config(base)
    process = forked.start(distil_trusted, base, tmp_path / "student")
    process.join()
    assert process.exitcode == 0, (tmp_path / "log").read_text()
    answers = json.loads((tmp_path / "answers").read_text())
    assert answers["made"] == answers["trusted"]
    assert "Student.load(path, trust_remote_code=True)" in answers["untrusted"]
    card = (tmp_path / "student" / "README.md").read_text(encoding="utf-8")
    assert "Student.load(path, trust_remote_code=True)" in card
    assert "from_pretrained(path, trust_remote_code=True)" in card
