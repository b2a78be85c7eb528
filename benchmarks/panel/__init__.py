"""The panel: our students and what a user would build from the same labels in an afternoon, on the same rows.

`python -m benchmarks.panel --help`
"""
from benchmarks import RESULTS

FOLDER = RESULTS / "panel"
CELLS = FOLDER / "results.jsonl"  # of the panel itself, on data sets that constants may be chosen on
CHOSEN = FOLDER / "choosing.jsonl"  # on other such data sets, which have fewer peers and sizes
REPORTED = FOLDER / "reporting.jsonl"  # and on those that only report
ROUND = 2  # Of the recipes: raise it when students change. On data sets that only report each round is run once
ROUNDS = {"procedures": 3, "weaknesses": 3}  # Where it is another: here texts have several labels


def round_of(name: str) -> int:
    "The round of the recipes that a data set is run with"
    return ROUNDS.get(name, ROUND)
