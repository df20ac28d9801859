"""Fit maps from raw confidence to calibrated probability, and judge them on other answers.

Half of the answers (by a hash of their id) fit a map, the other half judge it: no map is judged on
what it was fitted on, and where none beats the raw confidence there, that is the map.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression

from evaluation.tally import FloatArray
from routing.quality import ConfidenceMap, Isotonic, Platt

LEAST = 60
"""Graded answers of one backbone and task below which no map is fitted."""
_FEW_FOR_ISOTONIC = 200
_CLIP = 1e-6


@dataclass(frozen=True, slots=True)
class Fitted:
    """A map, and mean squared errors (Brier) on the judging half: of the map, and of raw values."""

    map: ConfidenceMap
    brier: float
    raw_brier: float
    judged_on: int


def fits(item_id: str, purpose: str = "table") -> bool:
    """Tell whether an item belongs to the half that is fitted on; each purpose halves anew.

    Items whose ids differ only behind the last hyphen (questions about one picture) stay together.
    """
    picture = item_id.rpartition("-")[0] or item_id
    return hashlib.blake2s(f"{purpose}/{picture}".encode()).digest()[0] % 2 == 0


def fit_platt(confidence: FloatArray, score: FloatArray) -> Platt:
    """Least log-loss slope and offset on the logit (Platt 1999; temperature is 1 / slope).

    A light pull towards the identity keeps perfectly separable samples finite.
    """
    clipped = confidence.clip(_CLIP, 1 - _CLIP)
    logit = np.log(clipped / (1 - clipped))

    def loss(at: FloatArray) -> float:
        x = at[0] * logit + at[1]
        nll = np.logaddexp(0, x) - score * x
        return float(nll.sum() + 0.5 * (at[0] - 1) ** 2 + 0.5 * at[1] ** 2)

    best = minimize(loss, np.array([1.0, 0.0]), bounds=[(0.0, 20.0), (-20.0, 20.0)]).x
    return Platt(slope=float(best[0]), offset=float(best[1]))


def fit_isotonic(confidence: FloatArray, score: FloatArray, *, most: int = 40) -> Isotonic:
    """Isotonic regression (Zadrozny & Elkan 2002), thinned to at most `most` points."""
    model = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    model.fit(confidence, score)
    xs, ys = model.X_thresholds_, model.y_thresholds_
    if xs.size > most:
        kept = np.unique(np.linspace(0, xs.size - 1, most).round().astype(int))
        xs, ys = xs[kept], ys[kept]
    return Isotonic(
        raw=tuple(np.clip(xs, 0, 1).tolist()), calibrated=tuple(np.clip(ys, 0, 1).tolist())
    )


def fit_map(request_ids: Sequence[str], confidence: FloatArray, score: FloatArray) -> Fitted | None:
    """Fit both kinds on one half, keep what is best on the other: one of them, or raw values.

    None where there are too few answers to tell.
    """
    half = np.array([fits(i, "map") for i in request_ids], dtype=bool)
    if min(half.sum(), (~half).sum()) < LEAST / 2:
        return None
    c, s = confidence[half], score[half]
    candidates: list[ConfidenceMap] = [Platt(), fit_platt(c, s)]  # the first one is the identity
    if half.sum() >= _FEW_FOR_ISOTONIC:
        candidates.append(fit_isotonic(c, s))
    c, s = confidence[~half], score[~half]
    judged = [
        (float(np.mean([(m(float(a)) - b) ** 2 for a, b in zip(c, s, strict=True)])), m)
        for m in candidates
    ]
    best, found = min(judged, key=lambda pair: pair[0])
    return Fitted(found, best, judged[0][0], int((~half).sum()))
