"""Write what an earlier version makes of a few texts: folders of students, and what those students predict.

    git worktree add ../earlier COMMIT
    PYTHONPATH=../earlier python tools/old_folders.py

They go to tests/fixtures/old_folders, where tests/test_old_folders.py holds today's version to them: run this only to
remember another version. The students are tiny, and what they predict is as bad as that.
"""
from __future__ import annotations

import json
import os
import platform
import random
import shutil
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path

os.environ["HF_HUB_OFFLINE"], os.environ["OMP_NUM_THREADS"] = "1", "1"

FIXTURES = Path(__file__).resolve().parents[1] / "tests/fixtures/old_folders"
WORDS = {"sport": "ball goal team cup", "tech": "chip code screen app", "food": "bread soup salt cake"}
FILLERS = "the a of we they saw new old time day way good"
LABELS = list(WORDS)
FOLDERS = {  # the framework, whether a text may have several labels, and how many texts there are a label
    "model2vec_single": ("model2vec", False, 20),
    "model2vec_multi": ("model2vec", True, 20),
    "setfit_single": ("setfit", False, 20),
    "setfit_multi": ("setfit", True, 20),
    "setfit_table": ("setfit", False, 140),  # enough for a table of tokens beside the head
}
TRAIN_KWARGS = {"model2vec": None, "setfit": {"max_steps": 2}}
UNSEEN = ["cup soup", "Chip CODE, no ball!", "words that nobody knows", "", "bread " * 80, "café ⚽ 你好"]


def texts_and_labels(each: int) -> list[tuple[str, str]]:
    "Short texts, no two alike: a word of the label among others that say nothing."
    draw = random.Random(0)
    def text(words: str) -> str: return " ".join([*draw.choices(FILLERS.split(), k=3), draw.choice(words.split())])
    return [(f"{text(words)} {i}", label) for i in range(each) for label, words in WORDS.items()]


def machine() -> dict[str, str]:
    "What the last bit of a probability may depend on."
    import torch
    cpu = Path("/proc/cpuinfo")
    names = cpu.read_text(encoding="utf-8").splitlines() if cpu.exists() else []
    return {"machine": platform.machine(), "instructions": torch.backends.cpu.get_cpu_capability(),
            "cpu": next((line.partition(":")[2].strip() for line in names if line.startswith("model name")), ""),
            **{name: version(name) for name in ("torch", "numpy", "scipy")}}


def docs_of(multi_label: bool, each: int) -> list:
    "Where there may be several labels, every fourth text has the next one too, and every sixth has none."
    from sieves_distill import Doc
    def answer(i: int, label: str):
        if not multi_label: return label
        scores = dict.fromkeys(LABELS, 0.1) | {label: 0.2 if i % 6 == 0 else 0.9}
        return scores | ({LABELS[(i + 1) % 3]: 0.8} if i % 4 == 0 else {})
    return [Doc(text, results={"topic": answer(i, label)}) for i, (text, label) in enumerate(texts_and_labels(each))]


def write(base: str, framework: str, multi_label: bool, each: int, folder: Path) -> None:
    "Train a student, and note beside its folder what it says."
    import sieves_distill
    task = sieves_distill.Classification(LABELS, multi_label=multi_label, task_id="topic")
    docs = docs_of(multi_label, each)
    task.distill(base, framework, docs, folder, 0.25, train_kwargs=TRAIN_KWARGS[framework], seed=0, progress=False)
    student = sieves_distill.Student.load(folder)
    texts = [doc.text for doc in docs[::each // 2]] + UNSEEN
    recorded = {
        "machine": machine(), "labels": student.labels, "multi_label": student.multi_label, "framework": framework,
        "verdict": student.report.verdict, "rows": len(student.train_data), "texts": texts,
        "predicted": student.predict(texts), "proba": student.predict_proba(texts).tolist()}
    student.exact = True  # where the CPU has bfloat16, the above may be of that
    recorded |= {"exactly_predicted": student.predict(texts), "exact_proba": student.predict_proba(texts).tolist()}
    folder.with_suffix(".json").write_text(json.dumps(recorded, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    import sieves_distill
    from sieves_distill import testing
    print(f"sieves_distill of {Path(sieves_distill.__file__).parent}")
    shutil.rmtree(FIXTURES, ignore_errors=True)
    FIXTURES.mkdir(parents=True)
    texts = [text for text, _ in texts_and_labels(1)] + [FILLERS, *WORDS.values()]
    with tempfile.TemporaryDirectory() as temporary:
        bases = {"model2vec": testing.tiny_static_model(Path(temporary) / "static", texts),
                 "setfit": testing.tiny_sentence_transformer(Path(temporary) / "encoder", texts)}
        for name, (framework, multi_label, each) in FOLDERS.items():
            write(bases[framework], framework, multi_label, each, FIXTURES / name)
    size = sum(path.stat().st_size for path in FIXTURES.rglob("*") if path.is_file())
    print(f"{size / 1024:.0f} KB in {FIXTURES}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
