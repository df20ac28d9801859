"""Does a model's confidence mean what it says? Errors, diagrams and curves, all read off a Tally.

Confidences are resolved to 1/256; on real confidences the figures equal those of the raw pairs to
about that resolution.
"""

from dataclasses import dataclass

import numpy as np

from evaluation.tally import BINS, FloatArray, Tally, sums_by

DEFAULT_BINS = 15
_GRID = 512


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of a reliability diagram: mean confidence and mean score of `n` answers."""

    n: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Brier:
    """Murphy's (1973) decomposition: score = reliability − resolution + uncertainty + within.

    `within` is what binning leaves over (Stephenson et al. 2008); with right-or-wrong scores and
    fine bins it is close to zero. Lower scores are better.
    """

    score: float
    reliability: float
    resolution: float
    uncertainty: float
    within: float


def reliability(tally: Tally, *, bins: int = DEFAULT_BINS) -> tuple[Bin, ...]:
    """Group the answers into at most `bins` bins of about equal mass, in order of confidence."""
    groups = _equal_mass(tally, bins)
    return tuple(
        Bin(round(float(n)), float(c / n), float(s / n)) for n, c, s, _ in zip(*groups, strict=True)
    )


BANDS = 8


def bands(tally: Tally) -> dict[float, Bin]:
    """Group the answers by confidence into eight bands of equal width, by lower end; for heat maps.

    Bands without answers are left out.

    >>> {low: one.accuracy for low, one in bands(Tally.of([0.9, 0.95, 0.1], [1, 0, 0])).items()}
    {0.0: 0.0, 0.875: 0.5}
    """
    n, confidence, score = (
        values.reshape(BANDS, -1).sum(axis=1) for values in (tally.n, tally.confidence, tally.score)
    )
    return {
        k / BANDS: Bin(round(float(n[k])), float(confidence[k] / n[k]), float(score[k] / n[k]))
        for k in range(BANDS)
        if n[k]
    }


def _equal_mass(tally: Tally, bins: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Sums of n, confidence, score and its square per group; no group splits a tally's cell."""
    total = tally.n.sum()
    if total == 0:
        return np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0)
    middle = np.cumsum(tally.n) - tally.n / 2
    group = np.minimum((middle * bins / total).astype(np.int64), bins - 1)
    n = sums_by(group, tally.n, bins)
    kept = n > 0
    summed = (tally.confidence, tally.score, tally.score_squares)
    confidence, score, squares = (sums_by(group, v, bins)[kept] for v in summed)
    return n[kept], confidence, score, squares


def ece(tally: Tally, *, bins: int = DEFAULT_BINS) -> float:
    """Expected calibration error with equal-mass bins (Naeini et al. 2015; Nixon et al. 2019).

    >>> ece(Tally.of([0.9] * 10, [1.0] * 5 + [0.0] * 5))
    0.4
    """
    n, confidence, score, _ = _equal_mass(tally, bins)
    return round(float(np.abs(confidence - score).sum() / max(1.0, n.sum())), 12)


def ece_debiased(tally: Tally, *, bins: int = DEFAULT_BINS) -> float:
    """Root-mean-square calibration error without its upward bias (Kumar et al. 2019, section 5).

    sqrt(max(0, Σ w_b [(ȳ_b − c̄_b)² − v_b / (n_b − 1)])), v_b the variance of a bin's scores. The
    plug-in error of a perfectly calibrated model is positive for finite samples; this one's square
    has mean zero.
    """
    n, confidence, score, squares = _equal_mass(tally, bins)
    usable = n > 1
    n, confidence, score, squares = n[usable], confidence[usable], score[usable], squares[usable]
    if n.size == 0:
        return 0.0
    mean, sure = score / n, confidence / n
    variance = np.maximum(0.0, squares / n - mean**2)
    square = float((n * ((mean - sure) ** 2 - variance / (n - 1))).sum() / n.sum())
    return float(np.sqrt(max(0.0, square)))


def smooth_ece(tally: Tally) -> float:
    """SmoothECE (Błasiok & Nakkiran 2023): kernel-smoothed error at its own natural bandwidth σ*.

    The kernel is a Gaussian reflected at 0 and 1. smECE_σ falls as σ grows; the returned value is
    the one where smECE_σ = σ.
    """
    total = tally.n.sum()
    if total == 0:
        return 0.0
    places = np.where(
        tally.n > 0, tally.confidence / np.maximum(tally.n, 1), (np.arange(BINS) + 0.5) / BINS
    )
    residual = sums_by(
        np.clip((places * _GRID).astype(np.int64), 0, _GRID - 1),
        (tally.score - tally.confidence) / total,
        _GRID,
    )
    low, high = 1e-3, 1.0
    while high - low > 1e-4:
        sigma = (low + high) / 2
        low, high = (sigma, high) if _smoothed(residual, sigma) > sigma else (low, sigma)
    return _smoothed(residual, high)


def _smoothed(residual: FloatArray, sigma: float) -> float:
    """∫ |Σ r_i K_σ(t − x_i)| dt with reflection, by FFT over the picture mirrored to period 2."""
    mirrored = np.concatenate([residual, residual[::-1]])
    frequency = np.fft.rfftfreq(mirrored.size, d=1 / _GRID)
    kernel = np.exp(-2 * (np.pi * frequency * sigma) ** 2)  # a Gaussian's Fourier transform
    smooth = np.fft.irfft(np.fft.rfft(mirrored) * kernel, mirrored.size)[:_GRID]
    return float(np.abs(smooth).sum())


def brier(tally: Tally, *, bins: int = DEFAULT_BINS) -> Brier:
    """Brier score (1950) and its decomposition over equal-mass bins."""
    n, confidence, score, _ = _equal_mass(tally, bins)
    total = max(1.0, float(n.sum()))
    mean, sure = score / np.maximum(n, 1), confidence / np.maximum(n, 1)
    whole = tally.squares / total
    rel = float((n * (sure - mean) ** 2).sum() / total)
    res = float((n * (mean - tally.accuracy) ** 2).sum() / total)
    uncertainty = tally.variance
    return Brier(whole, rel, res, uncertainty, whole - rel + res - uncertainty)


def risk_coverage(tally: Tally) -> tuple[FloatArray, FloatArray]:
    """Coverage and selective risk when only the most confident answers are given.

    Two arrays (k,), from the most confident cell to all answers (El-Yaniv & Wiener 2010).
    """
    n, wrong = tally.n[::-1], (tally.n - tally.score)[::-1]
    seen = np.cumsum(n)
    kept = n > 0
    total = max(1.0, float(n.sum()))
    return seen[kept] / total, np.cumsum(wrong)[kept] / np.maximum(seen[kept], 1)


def aurc(tally: Tally) -> float:
    """Area under the risk–coverage curve (Geifman et al. 2019), lower is better, in [0, 1].

    The mean over answers, taken in order of confidence, of the error rate among all answers at
    least as confident; answers of one cell count as tied, so each sees the cell's average.
    """
    n, wrong = tally.n[::-1], (tally.n - tally.score)[::-1]
    kept = n > 0
    if not kept.any():
        return 0.0
    n, wrong = n[kept], wrong[kept]
    before_n, before_wrong = np.cumsum(n) - n, np.cumsum(wrong) - wrong
    area = 0.0
    for size, bad, seen, failed in zip(n, wrong, before_n, before_wrong, strict=True):
        place = np.arange(1, round(float(size)) + 1)
        area += float(((failed + place * bad / size) / (seen + place)).sum())
    return area / float(n.sum())
