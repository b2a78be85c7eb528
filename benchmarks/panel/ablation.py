"""A student with one part of its recipe left out at a time, on the panel's rows.

    python -m benchmarks.panel.ablation [--sizes 50 200 500] [--seeds 0] [--noise 0 0.2]
    python -m benchmarks.panel.ablation --sizes 2000 --seeds 0 1 2 --parts 'second look'     (of more than 1,000 rows)
    python -m benchmarks.panel.ablation --student setfit [--sets tweets movies …] [--sizes 200] [--seeds 3]
                                                                                              (minutes a run)
    python -m benchmarks.panel.ablation --check [--student setfit]     (does each part change the student? runs no cell)

Each line of ablation.jsonl and ablation_setfit.jsonl is one run; those that are there are not run again. The table is
printed, and written beside them.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from scipy.special import log_softmax

from benchmarks import running, training
from benchmarks.panel import FOLDER, rows
from benchmarks.panel.methods import no_names
from benchmarks.panel.report import BOTH_NOISES, compared, markdown
from sieves_distill.heads.shifts import best_thresholds
from sieves_distill.train.lesson import macro_f1
from sieves_distill.train.recipe import Recipe

FILES = {"model2vec": FOLDER / "ablation.jsonl", "setfit": FOLDER / "ablation_setfit.jsonl"}
DEFAULT = Recipe()


def always(*_) -> bool: return True


def large(size: int, multi: bool) -> bool: return size > DEFAULT.few


def small(size: int, multi: bool) -> bool: return size <= DEFAULT.few


def one_label(size: int, multi: bool) -> bool: return not multi


def several_labels(size: int, multi: bool) -> bool: return multi


@dataclass(frozen=True)
class Part:
    "A part of a recipe, and what stands in its place where it is left out"
    changes: dict = field(default_factory=dict)  # fields of `Recipe`
    train_kwargs: dict = field(default_factory=dict)
    matters: Callable = always  # Whether it can make a difference to a cell, of its size and whether labels are several
    on: dict = field(default_factory=dict)  # Fields of the recipe, under which a small cell shows that it does

    def left_out(self, recipe: Recipe = DEFAULT) -> Recipe:
        "The recipe without this part"
        return replace(recipe, **self.changes)


def next_names(task) -> list[str]:
    "Each label is called what the next one is"
    first, *others = DEFAULT.label_texts(task)
    return [*others, first]


def numbered_names(task) -> list[str]:
    "Each label is called what says nothing of it"
    return [f"class {i}" for i in range(len(task.labels))]


def log_loss(kind, y, logits) -> float:
    "What ranks candidates in place of the ranking: the log loss, each label weighing the same"
    if not kind.multi_label:
        log_proba = log_softmax(logits, axis=1)
        return -np.mean([-log_proba[y == j, j].mean() for j in np.unique(y)])
    loss = np.logaddexp(0, np.where(y, -logits, logits))
    return -np.mean([loss[y[:, j] == side, j].mean() for j in kind.varied(y) for side in (True, False)])


def best_alone(scores, n_rows: int):
    "The head that ranks best is all of the mean, as with many rows"
    return DEFAULT.head_shares(scores, np.inf)


def equal_shares(scores, n_rows: int): return np.full(len(scores), 1 / len(scores))


def bursts_undamped(shares):
    "A token counts by its rarity, however often it stands in a text where it stands"
    in_means, in_counts = DEFAULT.token_weights(shares)
    return in_means, in_means ** 2 * (in_counts > 0)


def means_unweighted(shares):
    "Tokens weigh the same in the means"
    in_means, in_counts = DEFAULT.token_weights(shares)
    return np.ones_like(in_means), in_counts


def strength(**changed) -> dict:
    "The change that gives heads some parameters other than they have"
    return {"strength": lambda kind, y: {**DEFAULT.strength(kind, y), **changed}}


def no_offsets(y, logits, *_): return np.zeros(logits.shape[2])


def no_thresholds(y, logits): return np.zeros(y.shape[1])


def whole_thresholds(y, logits): return best_thresholds(y, logits)


def half_thresholds(y, logits): return best_thresholds(y, logits) / 2


IN_ANY_CASE = {"names_fit": always}
MODEL2VEC = {  # what is left out
    "nothing": Part(),
    "names of the labels": Part({"names_fit": no_names}),
    "look at whether they fit (names in any case)": Part(IN_ANY_CASE, on={"label_texts": next_names}),
    "choice of names by out-of-fold rows (names wherever they fit)": Part(
        {"names_rank": always}, on={"label_texts": next_names, **IN_ANY_CASE}),
    "head on the base as it came": Part({"keep_table": always}, on={"keep_table": lambda *_: False}),
    "weight of three rows for a name (one instead)": Part({"name_rows": 1}),
    "weight of three rows for a name (ten instead)": Part({"name_rows": 10}),
    "names that say something (`class 1` and so on instead)": Part({"label_texts": numbered_names}),
    "true names (each label has that of the next)": Part({"label_texts": next_names}),
    "true names, and the look whether they fit": Part({"label_texts": next_names, **IN_ANY_CASE}),
    "counts of tokens": Part({"count_weights": (0,)}),
    "heads for five weights of the counts (for 1 alone)": Part({"count_weights": (1,)}),
    "mean of the heads (that which ranks best instead)": Part({"head_shares": best_alone}, matters=small),
    "shares by ranking (all heads count alike)": Part({"head_shares": equal_shares}, matters=small),
    "shares by ranking (by log loss instead)": Part({"ranking_score": log_loss}),
    "three rounds of folds (one instead)": Part({"fold_rounds": lambda n: 1}, matters=lambda size, multi: size <= 300),
    "doubt of labels": Part({"doubt": 0}),
    "second look at the labels (one instead)": Part({"looks": 1}, matters=large, on={"few": 40}),
    "absence of an intercept": Part(strength(fit_intercept=True)),
    "strong regularisation (C = 10 for all)": Part(strength(C=10)),
    "weakening of it with the rows (C = 1 for all)": Part(strength(C=1), matters=lambda size, multi: size > 100),
    "damping of bursts": Part({"token_weights": bursts_undamped}),
    "rarity in the means": Part({"token_weights": means_unweighted}),
    "offsets": Part({"fit_offsets": no_offsets}, matters=one_label),
    "penalty on the offsets": Part({"stiff": 0}, matters=one_label),
    "growth of the penalty with a label's rows": Part({"rare": np.inf}, matters=one_label),
    "thresholds": Part({"fit_thresholds": no_thresholds}, matters=several_labels),
    "draws and shares of the thresholds (the best for the rows instead)": Part(
        {"fit_thresholds": whole_thresholds}, matters=several_labels),
    "draws and shares of the thresholds (half of the way to the best instead)": Part(
        {"fit_thresholds": half_thresholds}, matters=several_labels),
}


def cosine_loss(body):
    "SetFit's default"
    from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss
    return CosineSimilarityLoss(body)


def no_average(body, before) -> None:
    "The encoder stays as fine-tuning left it"


def equal_trust(model, texts, hot, trust, *rest):
    "Fine-tuning that believes all labels"
    return DEFAULT.fine_tune(model, texts, hot, np.ones_like(trust), *rest)


def none_doubtful(kind, y, *_): return np.zeros(len(y), bool)


def by_f1(kind, y, frozen, tuned):
    "The encoder that is kept is that with the better F1 on the rows held out"
    return "frozen" if macro_f1(kind, y, frozen) > macro_f1(kind, y, tuned) else "fine-tuned", {}


def always_tuned(*_): return "fine-tuned", {}


def chosen(size: int, multi: bool) -> bool:
    "Whether an encoder is chosen, by rows held out"
    return size >= 100


SETFIT = {
    "nothing": Part(),
    "fine-tuning of the encoder": Part(train_kwargs={"num_epochs": 0, "max_steps": -1}),
    "loss over all pairs of a batch (SetFit's pairs instead)": Part(train_kwargs={"loss": cosine_loss}),
    "learning rate of 1e-4 (SetFit's 2e-5 instead)": Part(train_kwargs={"body_learning_rate": 2e-5}),
    "average of the weights before and after": Part({"average": no_average}),
    "trust while fine-tuning": Part({"fine_tune": equal_trust}),
    "frozen encoder's trust in the head (its own instead)": Part({"frozen_trust": False}),
    "rows left out of fine-tuning (none instead)": Part(
        {"doubtful": none_doubtful}, matters=lambda size, multi: 100 <= size <= DEFAULT.most_doubtful and not multi),
    "the bound of 300 rows for that (none instead)": Part(
        {"most_doubtful": np.inf}, matters=lambda size, multi: size > DEFAULT.most_doubtful and not multi,
        on={"most_doubtful": 100}),
    "choice of the encoder by log loss (by F1 instead)": Part({"keep_encoder": by_f1}, matters=chosen),
    "choice of the encoder (always fine-tuned)": Part({"keep_encoder": always_tuned}, matters=chosen),
}
PARTS = {"model2vec": MODEL2VEC, "setfit": SETFIT}
USUAL = {  # data sets, sizes and seeds
    "model2vec": (rows.SETS, [50, 200, 500], [0]),
    "setfit": (["tweets", "movies", "attack", "reuters", "newsgroups"], [200], [3]),
}


class TunedOnce:
    "Fine-tuning that is not done again for a cell where only what comes after it differs"
    after = {"average", "frozen_trust", "keep_encoder"}  # fields of `Recipe`

    def __init__(self): self.cell, self.weights = None, None

    def __call__(self, cell: tuple, model, *rest) -> None:
        body = model.model_body
        if cell == self.cell:
            body.load_state_dict(self.weights)
            return
        DEFAULT.fine_tune(model, *rest)
        self.cell, self.weights = cell, {name: tensor.clone() for name, tensor in body.state_dict().items()}

    def recipe(self, part: Part, cell: tuple) -> Recipe:
        "The recipe without a part, which is fine-tuned by this where that comes to the same"
        if part.train_kwargs or not part.changes.keys() <= self.after: return part.left_out()
        return replace(part.left_out(), fine_tune=partial(self, cell))


tuned_once = TunedOnce()


def run(name: str, size: int, seed: int, noise: float, part: str, framework: str) -> float:
    "The macro-F1 of a student without a part"
    cell, left_out = rows.cell(name, size, seed, noise), PARTS[framework][part]
    recipe = tuned_once.recipe(left_out, (name, size, seed, noise))
    trained = training.train(framework, cell.texts, cell.y, cell.names, seed, recipe=recipe, **left_out.train_kwargs)
    return training.macro_f1(cell.truth, training.answers(trained.student, cell.test_texts))


def differences(cells: list[dict], part: str, noise: float | None = None) -> np.ndarray:
    "F1 without a part minus F1 with it, of the runs that have both"
    f1 = {(*_cell(c), c["without"]): c["f1"] for c in cells}
    pairs = [(value, f1[*key, "nothing"]) for (*key, without), value in f1.items()
             if without == part and (*key, "nothing") in f1 and noise in (None, key[3])]
    return np.array([without - whole for without, whole in pairs])


def _cell(result: dict) -> tuple: return tuple(result[name] for name in ("set", "size", "seed", "noise"))


def table(cells: list[dict], framework: str) -> str:
    """For each part that was left out, the mean F1 with and without it, over the cells that it makes a difference to;
    clean and noisy apart"""
    lines = [[part, *compared(differences(cells, part, 0.)), *compared(differences(cells, part, .2))]
             for part in list(PARTS[framework])[1:]]
    whole = {(*_cell(c), c["without"]): c for c in cells if c["without"] == "nothing"}.values()
    means = {words: [c["f1"] for c in whole if c["noise"] == noise]
             for noise, words in ((0., "with clean labels"), (.2, "with 20 % wrong"))}
    shown = ", ".join(f"{np.mean(values):.4f} {words}" for words, values in means.items() if values)
    name = {"model2vec": "Model2Vec", "setfit": "SetFit"}[framework]
    return (f"Macro-F1 of the {name} student as it is: {shown}. What leaving out a part does to it (± standard error "
            "over the runs), and in how many runs it is better : worse without.\n\n"
            + markdown(["left out", *BOTH_NOISES], [line for line in lines if any(line[1:])]) + "\n")


CHECKED = {  # small cells, on one of which each part makes a difference; and how these students are trained
    "model2vec": ([("tweets", 50, 0, .2), ("tweets", 200, 0, .2), ("attack", 50, 0, .2)], {}),
    "setfit": ([("tweets", 150, 2, .2), ("tweets", 120, 0, .2)], {"max_steps": 2}),
}


def check(framework: str, cells: list[dict]) -> list[str]:
    """Does each part change the student at all, on one of a few small cells? Prints the answers, and returns the parts
    that do not, unless they made no difference either in `cells`, the runs that are recorded"""
    inert, students = [], {}
    for name, part in list(PARTS[framework].items())[1:]:
        changed = any(_changes(part, framework, cell, students) for cell in CHECKED[framework][0])
        recorded = differences(cells, name)
        expected = not len(recorded) or recorded.any()
        if expected and not changed: inert.append(name)
        verdict = "yes" if changed else "NO" if expected else "no, nor in the table"
        print(f"{name:58} {verdict}", flush=True)
    return inert


def _changes(part: Part, framework: str, key: tuple, students: dict) -> bool:
    "Whether the student of a cell says something else without a part; `students` are what was asked before"
    cell, kwargs = rows.cell(*key), CHECKED[framework][1]
    def proba(recipe: Recipe, **more):
        rows_and_seed = cell.texts, cell.y, cell.names, cell.seed
        trained = training.train(framework, *rows_and_seed, recipe=recipe, **kwargs | more)
        return trained.student.predict_proba(list(cell.test_texts[:200]))
    if not part.on and not part.matters(len(cell.y), cell.multi): return False
    under = replace(DEFAULT, **part.on)  # for both students
    if (key, under) not in students: students[key, under] = proba(under)
    return not np.array_equal(students[key, under], proba(part.left_out(under), **part.train_kwargs))


def missing(args, sets, sizes, seeds, known: set):
    "The runs that were asked for and are not known"
    for seed in seeds:
        for noise in args.noise:
            for size in sizes:
                for name in sets:
                    if not rows.has_size(name, size): continue
                    for part, left_out in PARTS[args.student].items():
                        asked = part == "nothing" or any(words in part for words in args.parts)
                        run = name, size, seed, noise, part
                        if asked and run not in known and left_out.matters(size, rows.is_multi(name)): yield run


def main():
    parser = running.arguments("panel.ablation", __doc__)
    parser.add_argument("--student", default="model2vec", choices=list(PARTS))
    parser.add_argument("--sets", nargs="+", choices=rows.CHOOSING,
                        help=f"all but clinc; for setfit {', '.join(USUAL['setfit'][0])}")
    parser.add_argument("--sizes", nargs="+", type=int, help="50, 200 and 500; for setfit 200")
    parser.add_argument("--seeds", nargs="+", type=int, help="0; for setfit 3, which the panel does not use")
    parser.add_argument("--noise", nargs="+", type=float, default=[0., .2])
    parser.add_argument("--parts", nargs="+", default=[""], help="words in the names of what to leave out; all")
    parser.add_argument("--results", type=Path)
    parser.add_argument("--check", action="store_true", help="only look whether each part changes the student")
    args = parser.parse_args()
    running.silence()
    path = args.results or FILES[args.student]
    cells = running.read_lines(path)
    if args.check:
        if inert := check(args.student, cells): raise SystemExit(f"parts that changed nothing: {', '.join(inert)}")
        return
    asked = (given or usual for given, usual in zip((args.sets, args.sizes, args.seeds), USUAL[args.student]))
    for *cell, part in missing(args, *asked, {(*_cell(c), c["without"]) for c in cells}):
        result = dict(zip(("set", "size", "seed", "noise", "without"), (*cell, part)))
        cells.append({**result, "f1": run(*cell, part, args.student)})
        running.add_line(path, cells[-1])
    path.with_suffix(".md").write_text(table(cells, args.student))
    print(table(cells, args.student))


if __name__ == "__main__": main()
