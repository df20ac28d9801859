"""Verdicts looked at after every event: how often they are false, how soon they come, what covers.

    .venv/bin/python -m benchmarks.sequences

2,000 experiments without a difference, each looked at after every pair: the share of false verdicts
of Barn's whole verdict (the mean of a bet and of McNemar's e-value), of McNemar's alone, and of the
naive t-test peeked at as often. Then power at 2, 5 and 10 points of difference against the
fixed-horizon test, and the coverage of every interval that is offered. Reports over several tasks,
and a split's guard, are judged whole.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binom, norm

from benchmarks.coverage import coverage
from benchmarks.outcomes import outcomes
from evaluation.compare import Pair, Verdict, verdicts
from evaluation.experiments import Spec
from evaluation.sequences import (
    mcnemar_e_value,
    paired,
)
from evaluation.splits import compared
from routing.domain import Task

PAIRS = 1_000
ALPHA = 0.05


def e_values(pairs: Any) -> Any:
    """McNemar's e-value after every pair."""
    only_old = np.cumsum((pairs[:, 0] == 1) & (pairs[:, 1] == 0))
    only_new = np.cumsum((pairs[:, 0] == 0) & (pairs[:, 1] == 1))
    known: dict[tuple[int, int], float] = {}
    told = []
    for key in zip(only_old.tolist(), only_new.tolist(), strict=True):
        if key not in known:
            known[key] = mcnemar_e_value(*key)
        told.append(known[key])
    return np.array(told)


def verdict_e_values(pairs: Any) -> Any:
    """The e-value of a verdict after every pair: of the bet on the difference and of McNemar's."""
    bet, told = paired(ALPHA), []
    for difference in pairs[:, 1] - pairs[:, 0]:
        bet = bet.update([difference])
        told.append(bet.e_value(0.0))
    return (np.array(told) + e_values(pairs)) / 2


def t_rejects(pairs: Any) -> Any:
    """Whether a paired t-test at level 5 % rejects, after every pair from the tenth on."""
    d = pairs[:, 1] - pairs[:, 0]
    n = np.arange(1, d.size + 1)
    mean = np.cumsum(d) / n
    variance = np.maximum(np.cumsum(d**2) / n - mean**2, 1e-12)
    return (np.abs(mean) / np.sqrt(variance / n) > norm.ppf(0.975)) & (n >= 10)


def false_verdicts(experiments: int) -> dict[str, float]:
    """Share of experiments without a difference in which each test ever says there is one."""
    barn = mcnemar = naive = once = 0
    for seed in range(experiments):
        pairs = outcomes(np.random.default_rng(seed), PAIRS, 0.75, 0.75, 0.5)
        barn += bool((verdict_e_values(pairs) >= 1 / ALPHA).any())
        mcnemar += bool((e_values(pairs) >= 1 / ALPHA).any())
        rejects = t_rejects(pairs)
        naive += bool(rejects.any())
        once += bool(rejects[-1])
    return {
        "Barn's verdict, looked at after every pair": barn / experiments,
        "McNemar's e-value alone, looked at after every pair": mcnemar / experiments,
        "t-test, looked at after every pair": naive / experiments,
        "t-test, looked at once at the end": once / experiments,
    }


def power(experiments: int) -> list[dict[str, float]]:
    """Share found within a horizon, and the median pairs needed, at three differences."""
    told = []
    for points, horizon in ((0.02, 12_000), (0.05, 3_000), (0.10, 1_000)):
        found = fixed = 0
        needed = []
        for seed in range(experiments):
            pairs = outcomes(
                np.random.default_rng(10_000 + seed), horizon, 0.75, 0.75 + points, 0.5
            )
            reached = np.flatnonzero(verdict_e_values(pairs) >= 1 / ALPHA)
            found += bool(reached.size)
            needed.append(int(reached[0]) + 1 if reached.size else horizon)
            b = int(((pairs[:, 0] == 1) & (pairs[:, 1] == 0)).sum())
            c = int(((pairs[:, 0] == 0) & (pairs[:, 1] == 1)).sum())
            fixed += bool(2 * binom.cdf(min(b, c), b + c, 0.5) < ALPHA)
        told.append(
            {
                "difference": points, "horizon": horizon, "barn": found / experiments,
                "McNemar once at the horizon": fixed / experiments,
                "median pairs until Barn's verdict": float(np.median(needed)),
            }
        )  # fmt: skip
    return told


TASKS = 8


def several_tasks(experiments: int, looks: int = 8, each: int = 80) -> dict[str, float]:
    """Whole reports over eight tasks, looked at again and again: `verdicts` and a split's guard.

    Without any difference: how often a report ever called a task better or worse. With three tasks
    better by 20 points: the share of false ones among the tasks called, at the look that first
    called any. In a split without a difference: how often a candidate was ever taken out.
    """
    ever, shares, taken_out = 0, [], 0
    for seed in range(experiments):
        rng = np.random.default_rng(20_000 + seed)
        ever += any(_called(verdicts(some)) for some in _reports(rng, 0.0, looks, each))
        for some in _reports(rng, 0.2, looks, each):
            if called := _called(verdicts(some)):
                shares.append(sum(int(task) >= 3 for task in called) / len(called))
                break
        taken_out += _taken_out(rng, looks, each)
    return {
        "no difference: any task ever called": ever / experiments,
        "three of eight differ: false share when first called": float(np.mean(shares or [0.0])),
        "three of eight differ: experiments in which any was called": len(shares) / experiments,
        "split without a difference: candidate ever taken out": taken_out / experiments,
    }


def _reports(rng: np.random.Generator, gain: float, looks: int, each: int) -> Any:
    """The pairs that there are at every look; the first three tasks have the gain."""
    made = []
    for k in range(TASKS * each):
        task = k % TASKS
        better = 0.6 + (gain if task < 3 else 0.0)
        old, new = outcomes(rng, 1, 0.6, better, 0.5)[0]
        made.append(Pair(f"r{k}", str(task), old, new))
    return [made[: len(made) * (look + 1) // looks] for look in range(looks)]


def _called(report: tuple[Verdict, ...]) -> list[str]:
    return [v.task for v in report if v.task != "all" and v.conclusion in {"better", "worse"}]


def _taken_out(rng: np.random.Generator, looks: int, each: int) -> bool:
    """Whether the guard ever saw a candidate surely worse, where none is."""
    spec = Spec(name="s", control="old", candidates=("new",), mode="split", share=0.5)
    tasks = list(Task)[:TASKS]
    rows: list[dict[str, Any]] = [
        {
            "request_id": f"r{k}", "at_s": float(k), "user": None, "task": tasks[k % TASKS].value,
            "backbone": "new" if rng.random() < 0.5 else "old", "propensity": 0.5,
            "score": float(rng.random() < 0.6),
        }
        for k in range(TASKS * each)
    ]  # fmt: skip
    for look in range(looks):
        some = rows[: len(rows) * (look + 1) // looks]
        found = compared(spec, "new", some).values()
        if any(v.interval[1] < -spec.margin for v in found):
            return True
    return False


def main() -> None:
    """Simulate, print, and write JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--experiments", type=int, default=2_000)
    parser.add_argument("--out", type=Path, default=Path("runs/sequences.json"))
    args = parser.parse_args()
    report = {
        "false verdicts": false_verdicts(args.experiments),
        "several tasks": several_tasks(max(20, args.experiments // 10)),
        "power": power(max(20, args.experiments // 20)),
        "coverage": coverage(max(100, args.experiments // 4)),
    }
    print(json.dumps(report, indent=1))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
