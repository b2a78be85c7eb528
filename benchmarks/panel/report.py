"""Table and figures from results.jsonl."""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np

NAMES = {"tfidf_lr": "TF-IDF + LR", "static_lr": "LR on static base", "model2vec_fit": "Model2Vec fit", "model2vec_student": "Model2Vec student",
         "minilm_lr": "LR on MiniLM", "setfit_trainer": "SetFit Trainer", "setfit_student": "SetFit student"}
PEERS = {"model2vec_student": ["tfidf_lr", "static_lr", "model2vec_fit"], "setfit_student": ["tfidf_lr", "minilm_lr", "setfit_trainer"]}
SAME_ENCODER = ["minilm_lr", "setfit_trainer"]
SEVERAL = ["attack", "platforms"]  # data sets with several labels a text


def load(path: Path):
    "The results as a pandas frame, one row a cell and method; the last of two lines for the same counts"
    import pandas as pd
    frame = pd.DataFrame(map(json.loads, path.read_text().splitlines()))
    return frame.drop_duplicates(["set", "size", "seed", "noise", "method"], keep="last").reset_index(drop=True)


def outdated(frame) -> str:
    "Which runs are of a recipe that has changed since, as sentences; empty where there are none"
    if "outdated" not in frame or not frame.outdated.notna().any(): return ""
    of = frame[frame.outdated.notna()].groupby(["method", "outdated"])
    return " ".join(f"{len(runs)} of {(frame.method == method).sum()} runs of {NAMES[method]} are older than what is said here of the recipe: {why}; rows {', '.join(f'{n:,}' for n in sorted(set(runs['size'])))}."
                    for (method, why), runs in of)


def scores(frame, noise: float):
    "Macro-F1, a line for each data set and size, a column for each method: means over the seeds; with the number of seeds of each"
    part = frame[frame.noise == noise]
    return (part.pivot_table(values="f1", index=["set", "size"], columns="method", aggfunc=how).reindex(columns=[m for m in NAMES if m in set(part.method)]) for how in ("mean", "count"))


def paired(frame, student: str, peer: str, noise: float | None = None):
    "A student and a peer on the cells, seed by seed, that both have: a frame of their F1"
    part = frame if noise is None else frame[frame.noise == noise]
    wide = part.pivot_table(values="f1", index=["set", "size", "seed", "noise"], columns="method")
    return wide[[student, peer]].dropna() if {student, peer} <= set(wide.columns) else wide.iloc[:0]


def gaps(frame, student: str, noise: float = 0.):
    "For each data set and size, how far the student is above the best of its peers; each peer on the same seeds as the student"
    import pandas as pd
    out = {}
    for peer in PEERS[student]:
        both = paired(frame, student, peer, noise)
        if len(both): out[peer] = (both[student] - both[peer]).groupby(["set", "size"]).mean()
    return pd.DataFrame(out).min(axis=1)


def noise_loss(frame):
    "For each method, the mean macro-F1 that 20 % of wrong labels cost, over the seeds and cells that it has with both"
    import pandas as pd
    wide = frame.pivot_table(values="f1", index=["set", "size", "seed", "method"], columns="noise")
    if not {0., .2} <= set(wide.columns): return pd.DataFrame(columns=["clean", "noisy", "loss", "runs"])
    wide = wide[[0., .2]].dropna()
    out = wide.groupby("method").agg(clean=(0., "mean"), noisy=(.2, "mean"), runs=(0., "size"))
    out["loss"] = out.clean - out.noisy
    return out.reindex([m for m in NAMES if m in out.index])


def compared(gain) -> list[str]:
    "Of the gains of some runs, an array or series `(n,)`: the mean with its standard error, and how many are better : worse; empty for fewer than two"
    return [f"{gain.mean():+.4f} ±{gain.std(ddof=1) / len(gain) ** .5:.4f}", f"{(gain > 0).sum()} : {(gain < 0).sum()} of {len(gain)}"] if len(gain) > 1 else ["", ""]


BOTH_NOISES = ["clean", "better : worse", "20 % wrong", "better : worse"]  # what heads the cells of `compared_both`


def compared_both(gain, noise) -> list[str]:
    "`compared`, of the runs with clean and of those with wrong labels: gains and the share of wrong labels of each run, `(n,)`"
    return [cell for share in (0., .2) for cell in compared(gain[noise == share])]


def against(frame, other: str) -> str:
    "The macro-F1 of the SetFit student beside what it is with one part changed, by rows, and in how many runs it is better : worse as it is"
    both = paired(frame, "setfit_student", other)
    gain = both.setfit_student - both[other]
    return markdown(["rows", *BOTH_NOISES], [[f"{n:,}", *compared_both(of, of.index.get_level_values("noise"))] for n, of in gain.groupby("size")]) + "\n"


def token_table(frame) -> str:
    """What a token table adds to the macro-F1 of the SetFit student: the mean over the runs that were scored with and without, its standard error, and in how many of them it is better : worse with it"""
    if "native_f1" not in frame: return ""
    of = frame[frame.native_f1.notna()]
    gain = of.get("with_table_f1", of.f1).fillna(of.f1) - of.native_f1
    several = of.set.isin(SEVERAL)
    lines = [[labels, f"{size:,}", *compared_both(gain[at := (several == many) & (of["size"] == size)], of.noise[at])]
             for labels, many in (("one", False), ("several", True)) for size in sorted(set(of["size"][several == many]))]
    return markdown(["labels a text", "rows", *BOTH_NOISES], lines)


def paired_loss(frame, student: str, peer: str):
    "What 20 % of wrong labels cost a student and a peer, means over the runs that both have with and without; and how many these are; None where there are none"
    wide = frame[frame.method.isin([student, peer])].pivot_table(values="f1", index=["set", "size", "seed"], columns=["method", "noise"])
    if len(wide.columns) < 4 or not len(wide := wide.dropna()): return None
    return *((wide[m, 0.] - wide[m, .2]).mean() for m in (student, peer)), len(wide)


def _spread(frame):
    "How far each run is from the mean of its cell; NaN where it is the only one"
    cell = frame.groupby(["set", "size", "noise", "method"]).f1
    return (frame.f1 - cell.transform("mean")).where(cell.transform("size") > 1)


def bars(frame) -> list[tuple[str, str, bool | None]]:
    "What was to be reached: (bar, what was found, reached or not; None where nothing was measured)"
    out, spread = [], _spread(frame)
    for student, above in (("model2vec_student", .02), ("setfit_student", .03)):
        gap = gaps(frame, student)
        if not len(gap): continue
        worst = ", ".join(f"{s} {n} {g:+.3f}" for (s, n), g in gap.sort_values().items() if g < -.01)
        rivals = PEERS[student] if student == "model2vec_student" else SAME_ENCODER
        means = {p: (both[student] - both[p]).mean() for p in rivals if len(both := paired(frame, student, p, 0.))}
        out.append((f"{NAMES[student]}: in no cell more than 0.01 below the best peer", f"{(gap >= -.01).sum()} of {len(gap)} cells{'; ' + worst if worst else ''}", not worst))
        out.append((f"{NAMES[student]}: mean at least {above} above the best peer", "; ".join(f"{v:+.3f} above {NAMES[p]}" for p, v in means.items()), min(means.values()) >= above))
        mine = frame[frame.method == student]
        low = mine[mine.f1 < mine.majority]
        out.append((f"{NAMES[student]}: never below the majority baseline", f"{len(low)} of {len(mine)} runs below", not len(low)))
        if len(of := spread[mine.index].dropna()):
            others = [spread[frame.method == m].dropna() for m in PEERS[student]]
            told = "; ".join(f"{NAMES[m]} {(one < -.05).sum()} of {len(one)}, {one.min():+.3f}" for m, one in zip(PEERS[student], others) if len(one))
            out.append((f"{NAMES[student]}: no seed more than 0.05 below the mean of its cell", f"{(of < -.05).sum()} of {len(of)} runs, the lowest {of.min():+.3f} ({told})", bool((of >= -.05).all())))
        found = {p: one for p in PEERS[student] if (one := paired_loss(frame, student, p))}
        if found:
            told = "; ".join(f"{mine:.3f}, {NAMES[p]} {other:.3f} ({n} runs of both)" for p, (mine, other, n) in found.items())
            out.append((f"{NAMES[student]}: loses less to wrong labels than every peer", told, all(mine < other for mine, other, _ in found.values())))
    cost = frame[(frame["size"] == 500) & (frame.noise == 0)].pivot_table(values="cpu_seconds", index=["set", "seed"], columns="method")
    if {"model2vec_student", "model2vec_fit"} <= set(cost.columns):
        ratio = (cost.model2vec_student / cost.model2vec_fit).dropna()
        out.append(("Model2Vec student: 500 documents in a third of the time of fit", f"{ratio.median():.2f} of its CPU time, at most {ratio.max():.2f} ({len(ratio)} runs)", bool(ratio.max() <= 1 / 3)))
    if len(mine := frame[(frame["size"] == 500) & (frame.method == "setfit_student")]):
        out.append(("SetFit student: 500 documents in 5 minutes", f"{mine.cpu_seconds.max() / 60:.1f} minutes of one core at most ({len(mine)} runs)", bool(mine.cpu_seconds.max() <= 300)))
    return out


def markdown(columns: list[str], lines: list[list]) -> str:
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in [columns, ["---"] + ["--:"] * (len(columns) - 1), *lines])


def score_table(frame, noise: float) -> str:
    "Macro-F1, mean over the seeds; in brackets the number of seeds where it is not three; bold the best of those whose encoder is static"
    mean, count = scores(frame, noise)
    static = [m for m in ("tfidf_lr", "static_lr", "model2vec_fit", "model2vec_student") if m in mean.columns]
    def cell(row, n, m):
        if np.isnan(row[m]): return ""
        bold = "**" if m in static and row[m] == row[static].max() else ""
        return f"{bold}{row[m]:.3f}{bold}{'' if n[m] == 3 else f' ({n[m]:.0f})'}"
    return markdown(["data", "rows", *(NAMES[m] for m in mean.columns)], [[*key, *(cell(mean.loc[key], count.loc[key], m) for m in mean.columns)] for key in sorted(mean.index)])


def short_table(frame, methods=("tfidf_lr", "minilm_lr", "model2vec_student", "setfit_student"), sizes=(50, 200, 500)) -> str:
    "Macro-F1 with clean labels, of the students and the best-known peers; in brackets the number of seeds where it is not three; bold the best of a line that every method has"
    mean, count = scores(frame, 0.)
    methods = [m for m in methods if m in mean.columns]
    def line(key):
        row, n = mean.loc[key, list(methods)], count.loc[key]
        best = row.max() if row.notna().all() else None
        return [*key, *("" if np.isnan(row[m]) else f"{'**' if row[m] == best else ''}{row[m]:.3f}{'**' if row[m] == best else ''}{'' if n[m] == 3 else f' ({n[m]:.0f})'}" for m in methods)]
    about = frame.about.iloc[-1]
    versions = ", ".join(f"{name} {about[name]}" for name in ("scikit-learn", "model2vec", "setfit", "torch"))
    return (markdown(["data", "rows", *(NAMES[m] for m in methods)], [line(key) for key in sorted(mean.index) if key[1] in sizes])
            + f"\n\n{short_table.__doc__}. `python -m benchmarks.panel`; Python {about['python']}, {versions}. {outdated(frame)}".rstrip() + "\n")


def bar_table(frame) -> str: return markdown(["bar", "found", "reached"], [[a, b, "yes" if c else "**no**"] for a, b, c in bars(frame)])


def cost_table(frame) -> str:
    """Medians over the data sets, clean labels: CPU seconds of training (for students with their report), peak memory above what was there before, what is deployed
    (without the frozen encoder of the LR peers), texts a CPU second"""
    cost = frame[frame.noise == 0].groupby(["method", "size"]).agg(seconds=("cpu_seconds", "median"), peak=("peak_mb", "median"), mb=("mb", "median"), rate=("texts_per_second", "median"), runs=("f1", "size"))
    lines = [[NAMES[m], n, f"{r.seconds:.1f}", f"{r.peak:,.0f}", f"{r.mb:,.1f}", "" if np.isnan(r.rate) else f"{r.rate:,.0f}", int(r.runs)] for m in NAMES for (of, n), r in cost.iterrows() if of == m]
    return markdown(["method", "rows", "CPU s", "peak MB", "MB", "texts/s", "runs"], lines)


def table(frame) -> str:
    "All of it as markdown"
    about = frame.about.iloc[-1]
    parts = ["# The panel", score_table.__doc__ + "."]
    for noise, title in ((0., "Clean labels"), (.2, "20 % of the labels wrong")):
        if (frame.noise == noise).any(): parts += [f"## {title}", score_table(frame, noise)]
    parts += [*filter(None, [outdated(frame)]), "## What was to be reached", bar_table(frame), "## What it costs", " ".join(cost_table.__doc__.split()) + ".", cost_table(frame),
              "`python -m benchmarks.panel`; " + ", ".join(f"{k} {v}" for k, v in about.items()) + "."]
    return "\n\n".join(parts) + "\n"


MARKS = {"tfidf_lr": ("s", "--"), "static_lr": ("^", ":"), "model2vec_fit": ("x", "-."), "model2vec_student": ("o", "-"), "minilm_lr": ("v", ":"), "setfit_trainer": ("+", "-."), "setfit_student": ("D", "-")}


def plot(frame, noise: float = 0., methods=("tfidf_lr", "static_lr", "model2vec_fit", "model2vec_student")):
    "Macro-F1 against the number of rows, a panel for each data set"
    import matplotlib.pyplot as plt
    from matplotlib.ticker import NullFormatter, NullLocator
    mean, _ = scores(frame, noise)
    sets = list(dict.fromkeys(mean.index.get_level_values(0)))
    fig, axes = plt.subplots(2, -(-len(sets) // 2), figsize=(9, 4.4), dpi=72, sharex=True, layout="constrained")
    for ax, name in zip(axes.flat, sets):
        for m in methods:
            if m not in mean.columns: continue
            line = mean.loc[name][m].dropna()
            mark, style = MARKS[m]
            ax.plot(line.index, line.values, style, marker=mark, color="black" if m.endswith("student") else "0.45", label=NAMES[m], markersize=5, fillstyle="full" if m.endswith("student") else "none")
        ax.set(title=name, xscale="log")
        ax.set_xticks([50, 200, 500, 2000], ["50", "200", "500", "2,000"])
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_minor_formatter(NullFormatter())
    for ax in axes.flat[len(sets):]: ax.axis("off")
    fig.supxlabel("training rows")
    fig.supylabel("macro-F1")
    fig.legend(*axes.flat[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(methods), frameon=False)
    return fig


def write(path: Path) -> None:
    "table.md and the figures beside the results"
    import matplotlib
    matplotlib.use("Agg")
    frame = load(path)
    path.with_name("table.md").write_text(table(frame))
    path.with_name("short.md").write_text(short_table(frame))
    for noise, name in ((0., "clean"), (.2, "noisy")):
        if not (frame.noise == noise).any(): continue
        plot(frame, noise).savefig(path.with_name(f"{name}.png"), dpi=72)
    print(path.with_name("table.md").read_text())
