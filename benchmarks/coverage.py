"""How often every interval that is offered holds the truth; a part of `benchmarks.sequences`."""

import math
from itertools import product
from typing import Any

import numpy as np
from scipy.stats import binom

from benchmarks.outcomes import outcomes
from evaluation.asymptotic import asymptotic
from evaluation.differences import Difference, beside_control
from evaluation.experiments import Spec
from evaluation.intervals import wilson
from evaluation.ppi import prediction_powered_mean
from evaluation.sequences import MeanSequence, SplitSequence, bounded_mean, paired

ALPHA = 0.05


def coverage(experiments: int) -> dict[str, float]:
    """Share of runs in which each 95 % interval holds the truth: at every look for sequences."""
    names = ("mean sequence", "mean from sums", "paired sequence", "paired Brier scores",
             "seconds (asymptotic)", *(f"{of}, a candidate's share {share:.0%}" for of, share in
             product(("split", "split's seconds", "split's Brier scores"), SHARES)))  # fmt: skip
    missed = dict.fromkeys(names, 0)
    for seed in range(experiments):
        rng = np.random.default_rng(50_000 + seed)
        xs = (rng.random(400) < 0.8).astype(float)
        sums = np.cumsum(xs)[19::20]
        ends = [bounded_mean(20 * (k + 1), float(s)) for k, s in enumerate(sums)]
        missed["mean from sums"] += any(not low <= 0.8 <= high for low, high in ends)
        state = MeanSequence()
        bad = False
        for part in np.split(xs, 20):
            state = state.update(part)
            first, last = state.interval()
            bad = bad or not first <= 0.8 <= last
        missed["mean sequence"] += bad
        pairs = outcomes(rng, 400, 0.7, 0.75, 0.5)
        twin, bad = paired(), False
        for part in np.split(pairs[:, 1] - pairs[:, 0], 20):
            twin = twin.update(part)
            first, last = twin.interval()
            bad = bad or not first <= 0.05 <= last
        missed["paired sequence"] += bad
        losses = np.where(rng.random((400, 2)) < 0.03, 0.8, 0.01)
        looks = [
            Difference.of_scores((losses[:n, 1] - losses[:n, 0]).tolist(), ALPHA) for n in LOOKS
        ]
        missed["paired Brier scores"] += any(not d.low <= 0 <= d.high for d in looks)
        for share in SHARES:
            for of, bad in _split_missed(rng, share).items():
                missed[f"{of}, a candidate's share {share:.0%}"] += bad
        slower = rng.lognormal(-2, 0.5, 600) - rng.lognormal(-2.1, 0.5, 600)
        true = math.exp(-2 + 0.125) - math.exp(-2.1 + 0.125)
        ends = [asymptotic(slower[:n]) for n in range(30, 601, 10)]
        missed["seconds (asymptotic)"] += any(not a <= true <= b for a, b in ends)
    told = {name: 1 - count / experiments for name, count in missed.items()}
    return told | _wilson() | {"judge corrected (one look), least of 108 settings": _judged()}


SHARES = (0.05, 0.1, 0.5)
LOOKS = (25, 50, 100, 200, 400)


def _split_missed(rng: np.random.Generator, share: float) -> dict[str, bool]:
    """Whether a split's intervals ever missed, at any look; five points better, nothing else."""
    spec = Spec(name="s", control="old", candidates=("new",), mode="split", share=share)
    rows: list[dict[str, Any]] = []
    for k in range(LOOKS[-1]):
        new = bool(rng.random() < share)
        rows.append(
            {
                "request_id": f"r{k}", "at_s": float(k), "user": None,
                "backbone": "new" if new else "old", "propensity": share if new else 1 - share,
                "score": float(rng.random() < (0.75 if new else 0.7)),
                "brier": 0.8 if rng.random() < 0.03 else 0.01,
                "total_s": float(rng.lognormal(0, 0.3)), "first_token_s": None,
                "per_token_s": None, "cost": None,
            }
        )  # fmt: skip
    split, before = SplitSequence.start(least_propensity=min(share, 1 - share)), 0
    missed = {"split": False, "split's seconds": False, "split's Brier scores": False}
    for n in LOOKS:
        part, before = rows[before:n], n
        split = split.update((r["backbone"] == "new", r["score"], r["propensity"]) for r in part)
        low, high = split.interval()
        missed["split"] |= not low <= 0.05 <= high
        found = beside_control(spec, "new", rows[:n], rows[:n])
        seconds, brier = found["total_s"], found["brier"]
        missed["split's seconds"] |= not seconds.low <= 0 <= seconds.high
        missed["split's Brier scores"] |= not brier.low <= 0 <= brier.high
    return missed


def _wilson() -> dict[str, float]:
    """Exact coverage of the interval for display, one look: on average over accuracies, and least.

    No decision rests on it.
    """
    accuracies = np.linspace(0.001, 0.999, 999)
    mean, least = [], []
    for n in (1, 2, 5, 10, 20, 50, 100, 400):
        right = np.arange(n + 1)
        low, high = np.array([wilson(float(k), n) for k in right]).T
        holds = (low[:, None] <= accuracies) & (accuracies <= high[:, None])
        share = (binom.pmf(right[:, None], n, accuracies) * holds).sum(axis=0)
        mean.append(float(share.mean()))
        least.append(float(share.min()))
    return {"wilson (one look), mean over accuracies": min(mean), "wilson, least": min(least)}


def _judged(repetitions: int = 4_000) -> float:
    """The least coverage of the judge-corrected interval over sizes, accuracies and errors."""
    rng = np.random.default_rng(11)
    shares = []
    sizes = product((20, 40, 100), (500, 3_000))
    for (n, many), accuracy, error, kind in product(
        sizes, (0.5, 0.9, 0.97), (0.02, 0.15, 0.3), ("both ways", "lenient")
    ):
        covered = 0
        for _ in range(repetitions):
            right = (rng.random(n + many) < accuracy).astype(float)
            wrong = rng.random(n + many) < error
            if kind == "lenient":  # it lets errors pass and never finds one where there is none
                wrong &= right == 0
            says = np.where(wrong, 1 - right, right)
            one = prediction_powered_mean(right[:n], says[:n], says[n:])
            covered += one.low <= accuracy <= one.high
        shares.append(covered / repetitions)
    return min(shares)
