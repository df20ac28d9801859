"""Intervals and tests that stay true however often one looks.

A confidence sequence covers the mean at every time simultaneously with probability 1 − α; an
e-value exceeds 1/α with probability at most α under its hypothesis, at any stopping time (Ville).
States are constant in size and move on by batches, so they survive restarts.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import betainc, betaln, xlog1py, xlogy

from evaluation.tally import FloatArray

GRID = 1_001
_TRUNCATION = 0.5
_TINY = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class MeanSequence:
    """Confidence sequence for the mean of values in [low, high], by hedged betting.

    Waudby-Smith & Ramdas (2023), theorem 3, with the predictable plug-in bets of their equation
    26: for every candidate mean two gamblers bet that the truth lies above or below; candidates
    whose capital reached 1/α at some time are out for good.

    `up` and `down` are the gamblers' log capitals, (GRID,); `out` marks the excluded candidates,
    which lie evenly between `least` and `most`: what the mean itself cannot be outside of.
    """

    alpha: float = 0.05
    low: float = 0.0
    high: float = 1.0
    least: float | None = None  # None: low
    most: float | None = None  # None: high
    n: int = 0
    total: float = 0.0
    deviations: float = 0.0
    up: FloatArray = field(default_factory=lambda: np.zeros(GRID))
    down: FloatArray = field(default_factory=lambda: np.zeros(GRID))
    out: FloatArray = field(default_factory=lambda: np.zeros(GRID))

    @property
    def _ends(self) -> tuple[float, float]:
        """The outermost candidates, as shares of the way from low to high."""
        width = self.high - self.low
        least = self.low if self.least is None else self.least
        most = self.high if self.most is None else self.most
        return (least - self.low) / width, (most - self.low) / width

    def update(self, values: ArrayLike) -> "MeanSequence":
        """See some more values, in order.

        Raises:
            ValueError: one lies outside [low, high].
        """
        raw = np.asarray(values, np.float64).ravel()
        if raw.size == 0:
            return self
        if raw.min() < self.low or raw.max() > self.high:
            raise ValueError(f"values must lie in [{self.low}, {self.high}]")
        xs = (raw - self.low) / (self.high - self.low)
        state = self
        for start in range(0, xs.size, 512):  # bounds the memory of one step
            state = state._step(xs[start : start + 512])
        return state

    def _step(self, xs: FloatArray) -> "MeanSequence":
        times = self.n + np.arange(1, xs.size + 1)
        totals = self.total + np.cumsum(xs)
        means = (0.5 + totals) / (times + 1)
        deviations = self.deviations + np.cumsum((xs - means) ** 2)
        # the bet at time t may use what was known before it, and nothing else
        before = np.concatenate([[self.deviations], deviations[:-1]])
        variance = (0.25 + before) / times
        bets = np.sqrt(2 * math.log(2 / self.alpha) / (variance * times * np.log1p(times)))
        grid = np.linspace(*self._ends, GRID)
        with np.errstate(divide="ignore"):
            above = np.minimum(bets[:, None], _TRUNCATION / grid[None, :])
            below = np.minimum(bets[:, None], _TRUNCATION / (1 - grid[None, :]))
        off = xs[:, None] - grid[None, :]
        up = self.up + np.cumsum(np.log1p(above * off), axis=0)
        down = self.down + np.cumsum(np.log1p(-below * off), axis=0)
        best = np.maximum(up, down).max(axis=0) + math.log(0.5)
        out = np.maximum(self.out, (best >= -math.log(self.alpha)).astype(np.float64))
        return replace(
            self,
            n=int(times[-1]),
            total=float(totals[-1]),
            deviations=float(deviations[-1]),
            up=up[-1],
            down=down[-1],
            out=out,
        )

    def interval(self) -> tuple[float, float]:
        """The current interval for the mean; it never widens."""
        kept = np.flatnonzero(self.out == 0)
        width = self.high - self.low
        if kept.size == 0:  # the truth lies between two candidates: around the least excluded
            kept = np.array([int(np.argmin(np.maximum(self.up, self.down)))])
        least, most = self._ends
        step = (most - least) / (GRID - 1)  # a candidate stands for its neighbourhood
        first = max(least, least + kept[0] * step - step)
        last = min(most, least + kept[-1] * step + step)
        return self.low + width * float(first), self.low + width * float(last)

    @property
    def mean(self) -> float:
        """Mean of what was seen; the middle of the range when nothing was."""
        share = self.total / self.n if self.n else 0.5
        return self.low + (self.high - self.low) * share

    def e_value(self, against: float) -> float:
        """Evidence that the mean is not `against`: the hedged capital at that candidate."""
        least, most = self._ends
        share = (against - self.low) / (self.high - self.low)
        at = round((share - least) / (most - least) * (GRID - 1))
        return 0.5 * math.exp(min(700.0, max(float(self.up[at]), float(self.down[at]))))

    def dump(self) -> dict[str, float | list[float] | None]:
        """Everything, as JSON can carry it."""
        return {
            "alpha": self.alpha, "low": self.low, "high": self.high, "n": self.n,
            "least": self.least, "most": self.most,
            "total": self.total, "deviations": self.deviations, "up": self.up.tolist(),
            "down": self.down.tolist(), "out": self.out.tolist(),
        }  # fmt: skip

    @classmethod
    def load(cls, values: Mapping[str, float | list[float] | None]) -> "MeanSequence":
        """Continue from what `dump` gave."""
        arrays = {name: np.asarray(values[name]) for name in ("up", "down", "out")}
        plain = {name: float(values[name]) for name in  # type: ignore[arg-type]  # scalars
                 ("alpha", "low", "high", "total", "deviations")}  # fmt: skip
        ends = {name: values[name] for name in ("least", "most")}
        return cls(n=int(values["n"]), **plain, **ends, **arrays)  # type: ignore[arg-type]  # by name


def bounded_mean(n: float, total: float, *, alpha: float = 0.05) -> tuple[float, float]:
    """Confidence sequence for the mean of values in [0, 1], from their number and sum alone.

    For a mean m the mixture B(½ + s, ½ + n − s) / (B(½, ½) m^s (1 − m)^(n − s)) of s = `total` is a
    test martingale for Bernoulli values (Robbins 1970) and a supermartingale for any others in
    [0, 1], whose moment generating function is below theirs (Hoeffding 1963); what is kept are the
    means at which it is below 1/α. Exact like `MeanSequence`, somewhat wider where values vary less
    than Bernoulli's, and constant in memory and time.

    >>> [round(end, 2) for end in bounded_mean(100, 90)]
    [0.77, 0.97]
    """
    if n <= 0:
        return 0.0, 1.0
    lost = n - total
    whole = float(betaln(0.5 + total, 0.5 + lost) - betaln(0.5, 0.5)) + math.log(alpha)

    def over(m: float) -> float:
        return whole - float(xlogy(total, m) + xlog1py(lost, -m))

    mean = min(1.0, max(0.0, total / n))
    low = 0.0 if over(_TINY) < 0 else float(brentq(over, _TINY, mean, xtol=1e-6))
    high = 1.0 if over(1 - _TINY) < 0 else float(brentq(over, mean, 1 - _TINY, xtol=1e-6))
    return low, high


def paired(alpha: float = 0.05) -> MeanSequence:
    """A sequence for the mean difference of two scores on the same request, in [−1, 1]."""
    return MeanSequence(alpha=alpha, low=-1.0, high=1.0)


Event = tuple[bool | None, float, float]
"""One event of a split: whether it went to the treatment (None: to an arm that is neither it nor
control), its score, and the probability of the arm that it went to."""


@dataclass(frozen=True, slots=True)
class SplitSequence:
    """Difference of means, treatment − control, when each request goes to one arm at random.

    Each event gives an unbiased estimate of the difference (augmented inverse propensity, Robins et
    al. 1994; the centring uses the past only), whose mean a betting sequence then covers.
    `least_propensity` bounds the estimates and must hold for every event.
    """

    least_propensity: float
    inner: MeanSequence
    control: tuple[int, float] = (0, 0.0)  # events and sum of scores
    treatment: tuple[int, float] = (0, 0.0)

    @classmethod
    def start(cls, *, alpha: float = 0.05, least_propensity: float = 0.05) -> "SplitSequence":
        """Begin; propensities of both arms must be at least `least_propensity`."""
        bound = 1 + 1 / least_propensity
        inner = MeanSequence(alpha=alpha, low=-bound, high=bound, least=-1.0, most=1.0)
        return cls(least_propensity, inner)

    def update(self, events: Iterable[Event]) -> "SplitSequence":
        """See some more events, in order.

        Raises:
            ValueError: a propensity is below the least one.
        """
        arms = {False: self.control, True: self.treatment}
        estimates = []
        for treated, score, propensity in events:
            old, new = _smoothed_mean(arms[False]), _smoothed_mean(arms[True])
            estimate = new - old
            if treated is not None:
                if propensity < self.least_propensity:
                    raise ValueError(f"propensity {propensity} is below {self.least_propensity}")
                off = (score - (new if treated else old)) / propensity
                estimate += off if treated else -off
                n, total = arms[treated]
                arms[treated] = (n + 1, total + score)
            estimates.append(estimate)
        inner = self.inner.update(estimates)
        return replace(self, inner=inner, control=arms[False], treatment=arms[True])

    def interval(self) -> tuple[float, float]:
        """The current interval for the difference, in [−1, 1]."""
        low, high = self.inner.interval()
        return max(-1.0, low), min(1.0, high)


def _smoothed_mean(arm: tuple[int, float]) -> float:
    return (0.5 + arm[1]) / (1 + arm[0])


def mcnemar_e_value(only_old: int, only_new: int, *, better: bool | None = None) -> float:
    """E-value against "both are right equally often", from the pairs on which they differ.

    A Beta(1/2, 1/2) mixture of likelihood ratios over the discordant pairs, so it may be looked at
    after every pair; the fixed-horizon relative is McNemar (1947).

    Args:
        only_old: pairs that only the old model solved.
        only_new: pairs that only the new model solved.
        better: True asks only for "new is better", False only for "worse", None for either.

    >>> mcnemar_e_value(0, 20) > 20, mcnemar_e_value(10, 10) < 1
    (True, True)
    """
    n = only_old + only_new
    if n == 0:
        return 1.0
    a, b = 0.5 + only_new, 0.5 + only_old
    log_e = n * math.log(2) + float(betaln(a, b) - betaln(0.5, 0.5))
    if better is not None:
        below = float(betainc(a, b, 0.5))  # posterior mass where the old model wins
        share = 1 - below if better else below
        log_e += math.log(2 * max(share, 1e-300))
    return math.exp(min(700.0, log_e))


def e_bh(e_values: Sequence[float], *, alpha: float = 0.05) -> tuple[bool, ...]:
    """Which hypotheses to reject at false discovery rate α, under any dependence.

    Wang & Ramdas (2022): the k largest e-values, for the largest k with e_(k) ≥ K / (k α).

    >>> e_bh([100.0, 1.0, 50.0])
    (True, False, True)
    """
    ordered = sorted(e_values, reverse=True)
    enough = [e for k, e in enumerate(ordered, start=1) if e * k * alpha >= len(ordered)]
    least = min(enough, default=math.inf)
    return tuple(e >= least for e in e_values)
