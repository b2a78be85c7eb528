"""Does an audit keep its word, and how soon does it see that a promise is broken?

    python -m benchmarks.audit [--streams 2000] [--length 20000] [--seed 0]

Streams of audited documents, of which a share agrees. *False alarms*: agreement is just what was promised, and the test
after each document ever finds the promise broken. *Left*: the mean agreement so far is ever outside its interval, also
where agreement goes up and down. *Delay*: agreement is 98 %, the promise 95 %, and after some documents it falls; how
many audited documents until the alarm, and until the interval of the mean since deployment excludes the promise, which
is what one would look at without a test for changes. Writes audit.json and audit.md.
"""
from __future__ import annotations

from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from benchmarks import RESULTS, running
from sieves_distill.decide.anytime import PromiseTest, excludes

FILE = RESULTS / "audit.json"
PROMISES = (.8, .9, .95, .99)
SHIFTS = [(good, share) for good in (100, 1000, 10000) for share in (.93, .9, .8)]  # documents before, agreement after
STATED = .05


def agreements(name: str, target: float, length: int):
    "The agreement of each document: what was promised, or that and more"
    if name == "as promised": return np.full(length, target)
    return target + (1 - target) * (.5 + .5 * np.sin(np.arange(length) / 200))


def kept(name: str, target: float, streams: int, length: int, rng) -> dict:
    "How many streams ever alarm, and ever leave their interval; of late every tenth of them is looked at"
    share = agreements(name, target, length)
    mean, right = share.cumsum() / np.arange(1, length + 1), np.zeros(streams)
    test, left = PromiseTest(target, STATED), np.zeros(streams, bool)
    for n in range(1, length + 1):
        agreed = rng.random(streams) < share[n - 1]
        test.see(agreed)
        right += agreed
        if n <= 1000 or n % 10 == 0: left |= excludes(right, n, mean[n - 1], 1 - STATED)
    return {"agreement": name, "target": target, "alarms": float(test.broken.mean()), "left": float(left.mean())}


def delay(good: int, share: float, streams: int, rng, target: float = .95, before: float = .98) -> dict:
    "Audited documents from a fall of agreement to the alarm; those that alarm before the fall are left out"
    test, right = PromiseTest(target, STATED), np.zeros(streams)
    late, late_mean = np.full(streams, np.nan), np.full(streams, np.nan)
    for n in range(1, good + 20_001):
        agreed = rng.random(streams) < (before if n <= good else share)
        test.see(agreed)
        right += agreed
        if n == good: early = test.broken.copy()
        if n <= good: continue
        late[test.broken & np.isnan(late)] = n - good
        excluded = excludes(right, n, target, 1 - STATED) & (right < target * n)
        late_mean[excluded & np.isnan(late_mean)] = n - good
        if not np.isnan(late).any() and (n - good > 5000 or not np.isnan(late_mean).any()): break
    late, late_mean = late[~early], np.nan_to_num(late_mean[~early], nan=np.inf)
    return {"good": good, "share": share, "early": float(early.mean()), "median": float(np.median(late)),
            "nine_in_ten": float(np.quantile(late, .9)), "by_mean": _finite(np.median(late_mean))}


def _finite(value: float) -> float | None: return float(value) if np.isfinite(value) else None


def table(results: dict) -> str:
    lines = ["# Audits", "", f"{results['streams']:,} streams of {results['length']:,} audited documents each; stated: "
             f"{STATED:.0%} at most.", "", "| agreement | promised | ever a false alarm | ever left its interval |",
             "|---|--:|--:|--:|"]
    lines += [f"| {c['agreement']} | {c['target']:g} | {c['alarms']:.1%} | {c['left']:.1%} |" for c in results["kept"]]
    lines += ["", "Promised are 95 %; agreement is 98 %, and then falls. Audited documents until it is known (with "
              "`audit=0.02`, 50 times as many come in):", "",
              "| falls to | after | median | in 9 of 10 streams | by the mean since deployment |",
              "|--:|--:|--:|--:|--:|"]
    for c in results["delay"]:
        by_mean = "more than 5,000" if c["by_mean"] is None else f"{c['by_mean']:,.0f}"
        lines.append(f"| {c['share']:.0%} | {c['good']:,} | {c['median']:,.0f} | {c['nine_in_ten']:,.0f} | {by_mean} |")
    return "\n".join([*lines, "", "`python -m benchmarks.audit`", ""])


def main():
    parser = running.arguments("audit", __doc__)
    parser.add_argument("--streams", type=int, default=2000)
    parser.add_argument("--length", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, default=FILE)
    args = parser.parse_args()
    rng, names = np.random.default_rng(args.seed), ("as promised", "up and down")
    results = {"streams": args.streams, "length": args.length,
               "kept": [kept(name, target, args.streams, args.length, rng)
                        for name in tqdm(names) for target in PROMISES],
               "delay": [delay(*shift, min(args.streams, 500), rng) for shift in tqdm(SHIFTS)]}
    running.write_json(args.results, results)
    args.results.with_suffix(".md").write_text(table(results))
    print(table(results))


if __name__ == "__main__": main()
