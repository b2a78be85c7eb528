"""What is measured, and what the site shows of it: run as `python -m benchmarks.NAME`, recorded in `results/`"""
import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before anything asks for it

RESULTS = Path(__file__).parent / "results"
