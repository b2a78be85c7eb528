"""Table and figures from results.jsonl."""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np

NAMES = {"tfidf_lr": "TF-IDF + LR", "static_lr": "LR on static base", "model2vec_fit": "Model2Vec fit",
         "model2vec_student": "Model2Vec student", "minilm_lr": "LR on MiniLM", "setfit_trainer": "SetFit Trainer",
         "setfit_student": "SetFit student"}
# on the data sets that only report
REPORTING = {"words": "TF-IDF words", "chars": "TF-IDF characters", "static": "static base", "minilm": "MiniLM",
             "minilm_words": "MiniLM + words", "model2vec_student": "Model2Vec student",
             "model2vec_guided": "… + unlabelled", "setfit_student": "SetFit student"}
CHEAP_PEERS = ["words", "chars", "static"]
ALL_PEERS = [*CHEAP_PEERS, "minilm", "minilm_words"]
STATIC = ["tfidf_lr", "static_lr", "model2vec_fit", "model2vec_student"]  # what costs about the same to run
PEERS = {"model2vec_student": ["tfidf_lr", "static_lr", "model2vec_fit"],
         "setfit_student": ["tfidf_lr", "minilm_lr", "setfit_trainer"]}
SAME_ENCODER = ["minilm_lr", "setfit_trainer"]
SEVERAL = ["attack", "platforms"]  # data sets with several labels a text
RUN = ["set", "size", "seed"]  # what tells the runs of a method apart, beside the noise


def load(path: Path):
    "The results as a pandas frame, one row a cell and method; the last of two lines for the same counts"
    import pandas as pd
    frame = pd.DataFrame(map(json.loads, path.read_text().splitlines()))
    last = frame.drop_duplicates([*RUN, "noise", "method"], keep="last").reset_index(drop=True)
    last.attrs["looks"] = looks(frame)  # which an older line tells of, too
    return last


def outdated(frame) -> str:
    "Which runs are of a recipe that has changed since, as sentences; empty where there are none"
    if "outdated" not in frame or not frame.outdated.notna().any(): return ""
    def sentence(method, why, runs):
        sizes = ", ".join(f"{n:,}" for n in sorted(set(runs["size"])))
        return (f"{len(runs)} of {(frame.method == method).sum()} runs of {NAMES[method]} are older than what is said "
                f"here of the recipe: {why}; rows {sizes}.")
    groups = frame[frame.outdated.notna()].groupby(["method", "outdated"])
    return " ".join(sentence(method, why, runs) for (method, why), runs in groups)


def scores(frame, noise: float):
    """Macro-F1, a line for each data set and size, a column for each method: means over the seeds; and the number of
    seeds, likewise"""
    part = frame[frame.noise == noise]
    methods = [method for method in NAMES if method in set(part.method)]
    def table(aggregate):
        wide = part.pivot_table(values="f1", index=["set", "size"], columns="method", aggfunc=aggregate)
        return wide.reindex(columns=methods)
    return table("mean"), table("count")


def paired(frame, student: str, peer: str, noise: float | None = None):
    "A student and a peer on the cells, seed by seed, that both have: a frame of their F1"
    part = frame if noise is None else frame[frame.noise == noise]
    wide = part.pivot_table(values="f1", index=[*RUN, "noise"], columns="method")
    return wide[[student, peer]].dropna() if {student, peer} <= set(wide.columns) else wide.iloc[:0]


def gaps(frame, student: str, noise: float = 0.):
    "For each data set and size, how far the student is above the best of its peers; each peer on the student's seeds"
    import pandas as pd
    out = {}
    for peer in PEERS[student]:
        both = paired(frame, student, peer, noise)
        if len(both): out[peer] = (both[student] - both[peer]).groupby(["set", "size"]).mean()
    return pd.DataFrame(out).min(axis=1)


def noise_loss(frame):
    "For each method, the mean macro-F1 that 20 % of wrong labels cost, over the seeds and cells that it has with both"
    import pandas as pd
    wide = frame.pivot_table(values="f1", index=[*RUN, "method"], columns="noise")
    if not {0., .2} <= set(wide.columns): return pd.DataFrame(columns=["clean", "noisy", "loss", "runs"])
    wide = wide[[0., .2]].dropna()
    out = wide.groupby("method").agg(clean=(0., "mean"), noisy=(.2, "mean"), runs=(0., "size"))
    out["loss"] = out.clean - out.noisy
    return out.reindex([method for method in NAMES if method in out.index])


def compared(gain) -> list[str]:
    """Of the gains of some runs, an array or series `(n,)`: the mean with its standard error, and how many are better :
    worse; empty for fewer than two"""
    if len(gain) < 2: return ["", ""]
    error = gain.std(ddof=1) / len(gain) ** .5
    return [f"{gain.mean():+.4f} ±{error:.4f}", f"{(gain > 0).sum()} : {(gain < 0).sum()} of {len(gain)}"]


BOTH_NOISES = ["clean", "better : worse", "20 % wrong", "better : worse"]  # what heads the cells of `compared_both`


def compared_both(gain, noise) -> list[str]:
    """`compared`, of the runs with clean and of those with wrong labels: gains and the share of wrong labels of each
    run, `(n,)`"""
    return [cell for share in (0., .2) for cell in compared(gain[noise == share])]


def against(frame, other: str) -> str:
    """The macro-F1 of the SetFit student beside what it is with one part changed, by rows, and in how many runs it is
    better : worse as it is"""
    both = paired(frame, "setfit_student", other)
    gain = both.setfit_student - both[other]
    lines = [[f"{n:,}", *compared_both(runs, runs.index.get_level_values("noise"))] for n, runs in gain.groupby("size")]
    return markdown(["rows", *BOTH_NOISES], lines) + "\n"


def token_table(frame) -> str:
    """What a token table adds to the macro-F1 of the SetFit student: the mean over the runs that were scored with and
    without, its standard error, and in how many of them it is better : worse with it"""
    if "native_f1" not in frame: return ""
    runs = frame[frame.native_f1.notna()]
    gain = runs.get("with_table_f1", runs.f1).fillna(runs.f1) - runs.native_f1
    several = runs.set.isin(SEVERAL)
    lines = []
    for labels, many in (("one", False), ("several", True)):
        for size in sorted(set(runs["size"][several == many])):
            at = (several == many) & (runs["size"] == size)
            lines.append([labels, f"{size:,}", *compared_both(gain[at], runs.noise[at])])
    return markdown(["labels a text", "rows", *BOTH_NOISES], lines)


def paired_loss(frame, student: str, peer: str):
    """What 20 % of wrong labels cost a student and a peer, means over the runs that both have with and without; and how
    many these are; None where there are none"""
    both = frame[frame.method.isin([student, peer])]
    wide = both.pivot_table(values="f1", index=RUN, columns=["method", "noise"])
    if len(wide.columns) < 4 or not len(wide := wide.dropna()): return None
    loss, peer_loss = ((wide[method, 0.] - wide[method, .2]).mean() for method in (student, peer))
    return loss, peer_loss, len(wide)


def _spread(frame):
    "How far each run is from the mean of its cell; NaN where it is the only one"
    cell = frame.groupby(["set", "size", "noise", "method"]).f1
    return (frame.f1 - cell.transform("mean")).where(cell.transform("size") > 1)


def _gap_bars(frame, student: str, above: float):
    "No cell far below the best peer, and the mean well above it"
    name, gap = NAMES[student], gaps(frame, student)
    worst = ", ".join(f"{data} {n} {g:+.3f}" for (data, n), g in gap.sort_values().items() if g < -.01)
    yield (f"{name}: in no cell more than 0.01 below the best peer",
           f"{(gap >= -.01).sum()} of {len(gap)} cells{'; ' + worst if worst else ''}", not worst)
    rivals = PEERS[student] if student == "model2vec_student" else SAME_ENCODER
    pairs = {peer: both for peer in rivals if len(both := paired(frame, student, peer, 0.))}
    means = {peer: (both[student] - both[peer]).mean() for peer, both in pairs.items()}
    yield (f"{name}: mean at least {above} above the best peer",
           "; ".join(f"{mean:+.3f} above {NAMES[peer]}" for peer, mean in means.items()), min(means.values()) >= above)


def _run_bars(frame, student: str):
    "No run below the majority baseline, and none far below the mean of its cell"
    runs, spread = frame[frame.method == student], _spread(frame)
    low = runs[runs.f1 < runs.majority]
    yield f"{NAMES[student]}: never below the majority baseline", f"{len(low)} of {len(runs)} runs below", not len(low)
    if len(mine := spread[runs.index].dropna()):
        peers = {peer: spread[frame.method == peer].dropna() for peer in PEERS[student]}
        shown = "; ".join(f"{NAMES[peer]} {(theirs < -.05).sum()} of {len(theirs)}, {theirs.min():+.3f}"
                          for peer, theirs in peers.items() if len(theirs))
        yield (f"{NAMES[student]}: no seed more than 0.05 below the mean of its cell",
               f"{(mine < -.05).sum()} of {len(mine)} runs, the lowest {mine.min():+.3f} ({shown})",
               bool((mine >= -.05).all()))


def _noise_bar(frame, student: str):
    "Wrong labels cost less than they cost every peer"
    losses = {peer: loss for peer in PEERS[student] if (loss := paired_loss(frame, student, peer))}
    if not losses: return
    shown = "; ".join(f"{mine:.3f}, {NAMES[peer]} {theirs:.3f} ({n} runs of both)"
                      for peer, (mine, theirs, n) in losses.items())
    yield (f"{NAMES[student]}: loses less to wrong labels than every peer", shown,
           all(mine < theirs for mine, theirs, _ in losses.values()))


def _time_bars(frame):
    "What 500 documents cost"
    clean = frame[(frame["size"] == 500) & (frame.noise == 0)]
    cost = clean.pivot_table(values="cpu_seconds", index=["set", "seed"], columns="method")
    if {"model2vec_student", "model2vec_fit"} <= set(cost.columns):
        ratio = (cost.model2vec_student / cost.model2vec_fit).dropna()
        yield ("Model2Vec student: 500 documents in a third of the time of fit",
               f"{ratio.median():.2f} of its CPU time, at most {ratio.max():.2f} ({len(ratio)} runs)",
               bool(ratio.max() <= 1 / 3))
    if len(runs := frame[(frame["size"] == 500) & (frame.method == "setfit_student")]):
        slowest = runs.cpu_seconds.max()
        yield ("SetFit student: 500 documents in 5 minutes",
               f"{slowest / 60:.1f} minutes of one core at most ({len(runs)} runs)", bool(slowest <= 300))


def bars(frame) -> list[tuple[str, str, bool]]:
    "What was to be reached: (bar, what was found, reached or not)"
    out = []
    for student, above in (("model2vec_student", .02), ("setfit_student", .03)):
        if not len(gaps(frame, student)): continue
        out += [*_gap_bars(frame, student, above), *_run_bars(frame, student), *_noise_bar(frame, student)]
    return [*out, *_time_bars(frame)]


def markdown(columns: list[str], lines: list[list]) -> str:
    rule = ["---"] + ["--:"] * (len(columns) - 1)
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in [columns, rule, *lines])


def caption(table) -> str:
    "What a table says of itself, in one line"
    return " ".join(table.__doc__.split()) + "."


def _shown(score: float, n_seeds: float, bold: bool) -> str:
    "A score in a table; in brackets the number of seeds where it is not three"
    if np.isnan(score): return ""
    mark = "**" if bold else ""
    return f"{mark}{score:.3f}{mark}{'' if n_seeds == 3 else f' ({n_seeds:.0f})'}"


def score_table(frame, noise: float) -> str:
    """Macro-F1, mean over the seeds; in brackets the number of seeds where it is not three; bold the best of those
    whose encoder is static"""
    mean, count = scores(frame, noise)
    static = [method for method in STATIC if method in mean.columns]
    def line(key):
        row, n = mean.loc[key], count.loc[key]
        best = row[static].max()
        return [*key, *(_shown(row[m], n[m], m in static and row[m] == best) for m in mean.columns)]
    lines = [line(key) for key in sorted(mean.index)]
    return markdown(["data", "rows", *(NAMES[method] for method in mean.columns)], lines)


def reporting_table(frame) -> str:
    """Macro-F1 on gold, mean over the seeds that all methods of a line have; bold the best of a line. The five peers
    are logistic regressions with balanced weights whose C is chosen by three folds. `looks`: how many rounds of the
    recipes a data set was run with"""
    methods, looked = [method for method in REPORTING if method in set(frame.method)], frame.attrs["looks"]
    def line(key, cells):
        wide = cells.pivot_table(values="f1", index="seed", columns="method").reindex(columns=methods)
        wide = wide.dropna(axis=1, how="all").dropna()
        row = wide.mean().reindex(methods)
        return [*key, *(_shown(row[m], 3, row[m] == row.max()) for m in methods), len(wide), looked[key[0]]]
    lines = [line(key, cells) for key, cells in frame.groupby(["set", "size"]) if set(cells.method) - set(ALL_PEERS)]
    return markdown(["data", "rows", *(REPORTING[m] for m in methods), "seeds", "looks"], lines)


def looks(frame) -> dict[str, int]:
    "How many rounds of the recipes each data set was run with; a line with a note was carried over, and not run again"
    if "round" not in frame: return dict.fromkeys(frame.set.unique(), 0)
    run = frame if "note" not in frame else frame[frame.note.isna()]
    rounds = run.groupby("set")["round"].nunique()
    return {name: int(rounds.get(name, 0)) for name in frame.set.unique()}


def _above(frame, student: str, peers: list[str]):
    "How far a student is above the best of its peers, by data set, size and seed that all have"
    wide = frame.pivot_table(values="f1", index=RUN, columns="method").reindex(columns=[student, *peers])
    wide = wide.dropna()
    return (wide[student] - wide[peers].max(axis=1)).groupby(["set", "size"]).mean()


def reporting_bars(frame) -> str:
    "What students are above the best peer of each cell, on the cells that all of them have"
    asked = [("model2vec_student", CHEAP_PEERS, "the best cheap peer"), ("model2vec_guided", ["minilm"], "MiniLM"),
             ("model2vec_guided", ["model2vec_student"], "that without unlabelled texts"),
             ("setfit_student", ALL_PEERS, "the best of all peers")]
    lines = []
    for student, peers, words in asked:
        gap = _above(frame, student, peers)
        if not len(gap): continue
        worst = ", ".join(f"{name} {n} {g:+.3f}" for (name, n), g in gap.sort_values().items() if g < -.01)
        name = REPORTING[student] if student != "model2vec_guided" else "Model2Vec student with unlabelled texts"
        lines.append([f"{name} above {words}", f"{gap.mean():+.3f}", len(gap), worst or "none"])
    return markdown(["", "mean", "cells", "more than 0.01 below"], lines)


LESS = 3  # times fewer rows that a student is asked to be as good with


def efficiency(frame, student: str):
    """A student beside the best of all peers with `LESS` times its rows: a frame, a line for each data set and size,
    means over the seeds that all have"""
    wide = frame.pivot_table(values="f1", index=RUN, columns="method").reindex(columns=[student, *ALL_PEERS])
    peers = wide[ALL_PEERS].dropna().reset_index()
    peers = peers[peers["size"] % LESS == 0].assign(size=lambda rows: rows["size"] // LESS).set_index(RUN)
    both = wide[[student]].dropna().join(peers, how="inner").groupby(["set", "size"])
    mean = both.mean()
    best = {"peer": mean[ALL_PEERS].idxmax(axis=1), "best": mean[ALL_PEERS].max(axis=1), "seeds": both.size()}
    return mean[[student]].rename(columns={student: "f1"}).assign(**best)


def efficiency_table(frame) -> str:
    """Students beside the best peer that has learnt from three times as many rows, macro-F1 on gold, means over seeds
    that both have; bold where the student is no worse. Their test rows are others, of the same data set"""
    parts = {name: efficiency(frame, name) for name in ("model2vec_student", "model2vec_guided", "setfit_student")}
    def cell(part, key):
        if key not in part.index: return ["", ""]
        row = part.loc[key]
        mark = "**" if row.f1 >= row.best else ""
        return [f"{mark}{row.f1:.3f}{mark}", f"{row.best:.3f} {REPORTING[row.peer]}"]
    keys = sorted(set().union(*(part.index for part in parts.values())))
    lines = [[name, n, n * LESS, *(value for part in parts.values() for value in cell(part, (name, n)))]
             for name, n in keys]
    heads = [head for name in parts for head in (REPORTING[name], "best peer")]
    return markdown(["data", "rows of the student", "of the peer", *heads], lines)


def lost_table(frame) -> str:
    """How much of the macro-F1 is lost where a fifth of the labels is wrong, mean over the seeds that a method has with
    clean labels and with wrong ones; bold the least of a line. Only what all have can be compared: see `seeds`"""
    clean, wrong = (frame[frame.noise == noise].set_index(["set", "size", "method", "seed"]).f1 for noise in (0., .2))
    lost = (clean - wrong).dropna()
    methods = [method for method in REPORTING if method in lost.index.get_level_values("method")]
    def line(key, cells):
        wide = cells.unstack("method").reindex(columns=methods).dropna(axis=1, how="all").dropna()
        row = wide.mean().reindex(methods)
        return [*key, *(_shown(row[m], 3, row[m] == row.min()) for m in methods), len(wide)]
    lines = [line(key, cells) for key, cells in lost.groupby(["set", "size"])]
    return markdown(["data", "rows", *(REPORTING[m] for m in methods), "seeds"], lines)


def reporting(frame) -> str:
    "All that is said of data sets that only report, as markdown"
    clean = frame[frame.noise == 0]
    parts = ["# Data sets that only report", reporting_table(clean), caption(reporting_table), reporting_bars(clean)]
    if len(efficiency(clean, "setfit_student")):
        parts += ["## With a third of the rows", efficiency_table(clean), caption(efficiency_table)]
    if (frame.noise == .2).any():
        wrong = frame[frame.noise == .2]
        parts += ["## A fifth of the labels wrong", reporting_table(wrong), lost_table(frame), caption(lost_table)]
    return "\n\n".join(parts) + "\n"


def write_reporting(path: Path) -> None:
    "reporting.md, beside the results"
    if path.exists(): path.with_name("reporting.md").write_text(reporting(load(path)))


SHORT = ("tfidf_lr", "minilm_lr", "model2vec_student", "setfit_student")  # the students and the best-known peers


def short_table(frame, methods=SHORT, sizes=(50, 200, 500)) -> str:
    """Macro-F1 with clean labels, of the students and the best-known peers; in brackets the number of seeds where it is
    not three; bold the best of a line that every method has"""
    mean, count = scores(frame, 0.)
    methods = [method for method in methods if method in mean.columns]
    def line(key):
        row, n = mean.loc[key, methods], count.loc[key]
        best = row.max() if row.notna().all() else None
        return [*key, *(_shown(row[method], n[method], row[method] == best) for method in methods)]
    lines = [line(key) for key in sorted(mean.index) if key[1] in sizes]
    about = frame.about.iloc[-1]
    versions = ", ".join(f"{name} {about[name]}" for name in ("scikit-learn", "model2vec", "setfit", "torch"))
    source = f"`python -m benchmarks.panel`; Python {about['python']}, {versions}."
    return (markdown(["data", "rows", *(NAMES[method] for method in methods)], lines)
            + f"\n\n{caption(short_table)} {source} {outdated(frame)}".rstrip() + "\n")


def bar_table(frame) -> str:
    lines = [[bar, figures, "yes" if reached else "**no**"] for bar, figures, reached in bars(frame)]
    return markdown(["bar", "found", "reached"], lines)


def cost_table(frame) -> str:
    """Medians over the data sets, clean labels: CPU seconds of training (for students with their report), peak memory
    above what was there before, what is deployed (without the frozen encoder of the LR peers), texts a CPU second"""
    cost = frame[frame.noise == 0].groupby(["method", "size"]).agg(
        seconds=("cpu_seconds", "median"), peak=("peak_mb", "median"), mb=("mb", "median"),
        rate=("texts_per_second", "median"), runs=("f1", "size"))
    def line(method, n, row):
        rate = "" if np.isnan(row.rate) else f"{row.rate:,.0f}"
        return [NAMES[method], n, f"{row.seconds:.1f}", f"{row.peak:,.0f}", f"{row.mb:,.1f}", rate, int(row.runs)]
    lines = [line(name, n, row) for method in NAMES for (name, n), row in cost.iterrows() if name == method]
    return markdown(["method", "rows", "CPU s", "peak MB", "MB", "texts/s", "runs"], lines)


def table(frame) -> str:
    "All of it as markdown"
    about = frame.about.iloc[-1]
    parts = ["# The panel", caption(score_table)]
    for noise, title in ((0., "Clean labels"), (.2, "20 % of the labels wrong")):
        if (frame.noise == noise).any(): parts += [f"## {title}", score_table(frame, noise)]
    parts += [*filter(None, [outdated(frame)]), "## What was to be reached", bar_table(frame),
              "## What it costs", caption(cost_table), cost_table(frame),
              "`python -m benchmarks.panel`; " + ", ".join(f"{k} {v}" for k, v in about.items()) + "."]
    return "\n\n".join(parts) + "\n"


MARKS = {"tfidf_lr": ("s", "--"), "static_lr": ("^", ":"), "model2vec_fit": ("x", "-."),
         "model2vec_student": ("o", "-"), "minilm_lr": ("v", ":"), "setfit_trainer": ("+", "-."),
         "setfit_student": ("D", "-")}


def _plot_line(ax, line, method: str):
    "The macro-F1 of a method, a series by rows; students in black"
    mark, style = MARKS[method]
    student = method.endswith("student")
    ax.plot(line.index, line.values, style, marker=mark, color="black" if student else "0.45", label=NAMES[method],
            markersize=5, fillstyle="full" if student else "none")


def rows_axis(ax, sizes):
    "Numbers of rows on the x-axis, logarithmic, with a tick at each of some and no other"
    from matplotlib.ticker import NullFormatter, NullLocator
    ax.set_xscale("log")
    ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_minor_formatter(NullFormatter())


def plot(frame, noise: float = 0., methods=tuple(STATIC)):
    "Macro-F1 against the number of rows, a panel for each data set"
    import matplotlib.pyplot as plt
    mean, _ = scores(frame, noise)
    sets = list(dict.fromkeys(mean.index.get_level_values(0)))
    fig, axes = plt.subplots(2, -(-len(sets) // 2), figsize=(9, 4.4), dpi=72, sharex=True, layout="constrained")
    for ax, name in zip(axes.flat, sets):
        for method in methods:
            if method in mean.columns: _plot_line(ax, mean.loc[name][method].dropna(), method)
        ax.set(title=name)
        rows_axis(ax, [50, 200, 500, 2000])
    for ax in axes.flat[len(sets):]: ax.axis("off")
    fig.supxlabel("training rows")
    fig.supylabel("macro-F1")
    lines = axes.flat[0].get_legend_handles_labels()
    fig.legend(*lines, loc="outside upper center", ncols=len(methods), frameon=False)
    return fig


def write(path: Path) -> None:
    "table.md, short.md and the figures, beside the results"
    import matplotlib
    matplotlib.use("Agg")
    frame = load(path)
    path.with_name("table.md").write_text(table(frame))
    path.with_name("short.md").write_text(short_table(frame))
    for noise, name in ((0., "clean"), (.2, "noisy")):
        if not (frame.noise == noise).any(): continue
        plot(frame, noise).savefig(path.with_name(f"{name}.png"), dpi=72)
    print(path.with_name("table.md").read_text())
