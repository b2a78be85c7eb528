"""The panel: our students and what a user would build from the same labels in an afternoon, on the same rows.

`python -m benchmarks.panel --help`
"""
from benchmarks import RESULTS

FOLDER = RESULTS / "panel"
CELLS = FOLDER / "results.jsonl"  # of the panel itself, on data sets that constants may be chosen on
CHOSEN = FOLDER / "choosing.jsonl"  # on other such data sets, which have fewer peers and sizes
REPORTED = FOLDER / "reporting.jsonl"  # and on those that only report
ROUND = 2  # Of the recipes: raise it when students change. On data sets that only report each round is run once
