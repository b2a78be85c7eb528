"""What is measured, and what the site shows of it: run as `python -m benchmarks.NAME`, with the recorded results in `results/`"""
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
