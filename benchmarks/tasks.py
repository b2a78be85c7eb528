"""What distils, and how good its students are: one line a task, from what the other benchmarks have recorded.

    python -m benchmarks.tasks          (writes tasks.md; trains nothing)

`plot` draws their quality against the rows they learned from.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from benchmarks import RESULTS, running
from benchmarks.panel.report import rows_axis

ROWS = 300  # that the students of all tasks but classification learned from
SIZES = 100, 300, 1000  # that students of these tasks were measured with
COLUMNS = ["task", "frameworks", "rows", "measured", "students", "beside them", "on", "command"]


def lines(path: str, **where) -> list[dict]:
    "What was recorded, where all of these are true"
    return [row for row in running.read_lines(RESULTS / path) if all(row[name] == where[name] for name in where)]


def measured(path: str, **where) -> list[dict]:
    "The lines of students that learned from `ROWS` rows; those of seeds that all of the students have"
    rows = lines(path, **where, size=ROWS)
    seeds: dict[str, set] = {}
    for row in rows: seeds.setdefault(row["student"], set()).add(row["seed"])
    common = set.intersection(*seeds.values())
    return [row for row in rows if row["seed"] in common]


def mean(rows: list[dict], value: Callable, **where) -> str:
    "The mean of a figure over the lines of which all these are true, with two digits"
    values = [value(row) for row in rows if all(row.get(name) == wanted for name, wanted in where.items())]
    return f"{np.mean(values):.2f}" if values else "not measured"


def by_student(rows: list[dict], figure) -> str:
    "The mean of a figure for each student that was measured, with its name"
    students = dict.fromkeys(row["student"] for row in rows)
    return ", ".join(f"{mean(rows, figure, student=student)} {student}" for student in students)


def classification() -> list[str]:
    cells = lines("panel/results.jsonl", size=200, noise=0)
    f1 = {method: mean(cells, lambda cell: cell["f1"], method=method)
          for method in ("setfit_student", "model2vec_student", "tfidf_lr", "minilm_lr")}
    return ["`Classification`", "setfit, model2vec", "200", "macro-F1",
            f"{f1['setfit_student']} setfit, {f1['model2vec_student']} model2vec",
            f"{f1['tfidf_lr']} TF-IDF + LR, {f1['minilm_lr']} LR on MiniLM", "eight sets of texts, gold", "panel"]


def scores() -> list[str]:
    rows = lines("scores.jsonl", set="tweets", size=ROWS)
    pearson = {name: mean(rows, lambda row: row["pearson"][name], framework="model2vec")
               for name in ("student", "tfidf_ridge", "frozen_ridge")}
    setfit, guided = (mean(rows, lambda row: row["pearson"]["student"], framework=name)
                      for name in ("setfit", "guided"))
    return ["`SentimentAnalysis`", "model2vec, setfit", f"{ROWS}", "Pearson",
            f"{setfit} setfit, {pearson['student']} model2vec, {guided} model2vec with 3,340 unlabelled texts",
            f"{pearson['tfidf_ridge']} TF-IDF ridge, {pearson['frozen_ridge']} ridge on its base",
            "tweets, human ratings", "scores"]


def entities() -> list[str]:
    rows = measured("entities.jsonl", set="attack")
    return ["`NER`", "crf, transformers", f"{ROWS}", "entity F1, strict",
            by_student(rows, lambda row: row["f1"]),
            f"{mean(rows, lambda row: row['listed'], student='crf')} list of names", "names of attackers, gold",
            "entities"]


def masking() -> list[str]:
    rows = measured("pii.jsonl")
    kept = lambda name: lambda row: row[name]["without_leak"]
    return ["`PIIMasking`", "crf, transformers", f"{ROWS}", "texts without a leak", by_student(rows, kept("at 0.2")),
            f"{mean(rows, kept('patterns'), student='crf')} patterns alone", "synthetic texts", "pii"]


def records() -> list[str]:
    rows = measured("records.jsonl")
    listed = mean(rows, lambda row: row["listed"], student="crf")
    return ["`InformationExtraction`, one record a text", "crf, transformers", f"{ROWS}", "field F1",
            by_student(rows, lambda row: row["f1"]), f"{listed} list of values",
            "invoices of new layouts, labelled by a language model", "records"]


def answers() -> list[str]:
    rows = measured("answers.jsonl")
    listed = mean(rows, lambda row: row["listed"], student="crf")
    return ["`QuestionAnswering`", "crf, transformers, seq2seq, lora", f"{ROWS}", "F1 of answers",
            by_student(rows, lambda row: row["f1"]), f"{listed} list of values",
            "four questions on invoices of new layouts", "answers"]


def relations() -> list[str]:
    rows = measured("relations.jsonl")
    f1 = {name: mean(rows, lambda row: row[name], student="crf") for name in ("listed", "nearest")}
    given = mean(rows, lambda row: row["given"]["f1"], student="crf")
    return ["`RelationExtraction`", "crf, model2vec, transformers", f"{ROWS}", "triplet F1",
            f"{by_student(rows, lambda row: row['f1'])} ({given} crf with both nominals given)",
            f"{f1['listed']} list of triplets, {f1['nearest']} nearest pair",
            "nominals in sentences (SemEval-2010 task 8), gold", "relations"]


def summaries() -> list[str]:
    rows = lines("writing.jsonl", size=ROWS)
    rouge = {name: mean(rows, lambda row: row[name]["rouge_l"]) for name in ("student", "beginning")}
    return ["`Summarization`", "seq2seq, lora", f"{ROWS}", "ROUGE-L", f"{rouge['student']} lora (135 M parameters)",
            f"{rouge['beginning']} first words", "abstracts of papers, their authors' summaries", "writing"]


def table() -> str:
    "A line for each task"
    measured = [classification(), scores(), entities(), masking(), records(), answers(), relations(), summaries()]
    out = [[*line[:-1], f"`python -m benchmarks.{line[-1]}`"] for line in measured]
    out.append(["`Translation`", "seq2seq, lora", "", "", "not measured", "", "", ""])
    return "".join(f"| {' | '.join(line)} |\n" for line in (COLUMNS, ["---"] * len(COLUMNS), *out))


@dataclass(frozen=True)
class Panel:
    "A part of the figure: a set of texts, and what students were measured by on it"
    title: str
    path: str  # Where the lines of its students are
    figure: Callable  # Of a line
    measure: str  # What that is
    simple: Callable  # The same of what needs no student
    where: dict = field(default_factory=dict)


PANELS = (
    Panel("names of attackers", "entities.jsonl", lambda row: row["f1"], "entity F1", lambda row: row["listed"],
          {"set": "attack"}),
    Panel("names in social media", "entities.jsonl", lambda row: row["f1"], "entity F1", lambda row: row["listed"],
          {"set": "wnut17"}),
    Panel("what identifies people", "pii.jsonl", lambda row: row["at 0.2"]["without_leak"], "texts without a leak",
          lambda row: row["patterns"]["without_leak"]),
    Panel("mood of tweets", "scores.jsonl", lambda row: row["pearson"]["student"], "Pearson",
          lambda row: row["pearson"]["tfidf_ridge"], {"set": "tweets"}),
    Panel("mood of film reviews", "scores.jsonl", lambda row: row["pearson"]["student"], "Pearson",
          lambda row: row["pearson"]["tfidf_ridge"], {"set": "movies"}),
    Panel("fields of invoices", "records.jsonl", lambda row: row["f1"], "field F1", lambda row: row["listed"]),
    Panel("questions on invoices", "answers.jsonl", lambda row: row["f1"], "F1 of answers", lambda row: row["listed"]),
    Panel("relations of nominals", "relations.jsonl", lambda row: row["f1"], "triplet F1", lambda row: row["nearest"]),
)
COLOURS = {"crf": "C0", "transformers": "C1", "crf + unlabelled": "C2", "model2vec": "C3", "setfit": "C4",
           "model2vec + unlabelled": "C5", "without a student": "grey"}


def points(panel: Panel) -> dict[str, dict[int, list[float]]]:
    "For each student, and for what needs none, its figures by the number of rows, one a seed"
    out: dict[str, dict[int, list[float]]] = {}
    for row in lines(panel.path, **panel.where):
        student = row.get("student") or row["framework"]
        if student == "guided": student = "model2vec + unlabelled"
        size = running.nearest(row["size"], SIZES)
        out.setdefault(student, {}).setdefault(size, []).append(panel.figure(row))
        if student in ("crf", "model2vec"):
            out.setdefault("without a student", {}).setdefault(size, []).append(panel.simple(row))
    return out


def _plot_panel(ax, panel: Panel):
    for student, by_size in points(panel).items():
        sizes, alone = sorted(by_size), student == "without a student"
        ax.plot(sizes, [np.mean(by_size[size]) for size in sizes], "--" if alone else "o-", color=COLOURS[student],
                markersize=4, label=student)
        if alone: continue
        worst, best = ([extreme(by_size[size]) for size in sizes] for extreme in (min, max))
        ax.vlines(sizes, worst, best, color=COLOURS[student], linewidth=1)
    ax.set(title=panel.title, ylabel=panel.measure, xlim=(85, 1200), ylim=(0, 1))
    rows_axis(ax, SIZES)


def plot():
    "Quality against the number of rows, a panel for each set of texts; strokes go from the worst seed to the best"
    import matplotlib.pyplot as plt
    fig, axes = plt.subplots(2, -(-len(PANELS) // 2), figsize=(10, 5), dpi=72, layout="constrained")
    for ax, panel in zip(axes.flat, PANELS): _plot_panel(ax, panel)
    handles = {label: line for ax in axes.flat for line, label in zip(*ax.get_legend_handles_labels())}
    shown = [student for student in COLOURS if student in handles]
    fig.supxlabel("training rows")
    fig.legend([handles[student] for student in shown], shown, loc="outside upper center", ncols=4, frameon=False)
    return fig


def main(): running.write_table(RESULTS / "tasks.md", table())


if __name__ == "__main__": main()
