"""Calibration figures against independent libraries, and by their laws."""

import numpy as np
import pytest
import relplot
from calibration import get_calibration_error, get_ece_em
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binom, binomtest
from sklearn.metrics import brier_score_loss

from evaluation.calibration import (
    aurc,
    brier,
    ece,
    ece_debiased,
    reliability,
    risk_coverage,
    smooth_ece,
)
from evaluation.intervals import wilson
from evaluation.tally import BINS, Tally

Floats = NDArray[np.float64]


def answers(n: int, seed: int, *, tilt: float = 0.0) -> tuple[Floats, Floats]:
    """Confidences on the tally's own grid, and outcomes that are right with p = c − tilt."""
    rng = np.random.default_rng(seed)  # noqa: TID251 - a test draws its own data
    confidence = (np.floor(rng.beta(2, 1, n) * BINS) + 0.5) / BINS
    right = (rng.random(n) < np.clip(confidence - tilt, 0, 1)).astype(np.float64)
    return confidence, right


@pytest.mark.parametrize(("seed", "tilt"), [(1, 0.0), (2, 0.1), (3, 0.3)])
def test_equal_mass_ece_agrees_with_uncertainty_calibration(seed: int, tilt: float) -> None:
    confidence, right = answers(20_000, seed, tilt=tilt)

    ours = ece(Tally.of(confidence, right))

    assert ours == pytest.approx(get_ece_em(confidence, right.astype(int), num_bins=15), abs=0.004)


@pytest.mark.parametrize(("seed", "tilt"), [(4, 0.1), (5, 0.2), (6, 0.3)])
def test_debiased_error_agrees_with_uncertainty_calibration(seed: int, tilt: float) -> None:
    confidence, right = answers(20_000, seed, tilt=tilt)

    ours = ece_debiased(Tally.of(confidence, right))

    theirs = get_calibration_error(confidence, right.astype(int), p=2, debias=True)
    assert ours == pytest.approx(theirs, abs=0.004)


def test_the_debiased_square_is_zero_on_average_for_a_calibrated_model() -> None:
    plain, corrected = [], []
    for seed in range(200):
        tally = Tally.of(*answers(500, seed))
        plain.append(ece(tally))
        corrected.append(ece_debiased(tally))

    assert np.mean(plain) > 0.04
    assert np.mean(corrected) < np.mean(plain) / 2


def test_scores_between_right_and_wrong_are_debiased_by_their_own_variance() -> None:
    squares = []
    for seed in range(300):
        rng = np.random.default_rng(seed)  # noqa: TID251 - a test draws its own data
        confidence = rng.choice([0.2, 0.5, 0.8], 120)
        score = np.clip(confidence + rng.uniform(-0.2, 0.2, 120), 0, 1)  # calibrated, quiet
        tally = Tally.of(confidence, score)
        squares.append(_square(tally))

    spread = np.std(squares) / np.sqrt(len(squares))
    assert abs(np.mean(squares)) < 3 * spread  # with p(1 − p) for variance it is far below zero


def _square(tally: Tally) -> float:
    """What `ece_debiased` takes the root of, before it is cut at zero; three groups."""
    kept = tally.n > 0
    n, score = tally.n[kept], tally.score[kept]
    mean, sure = score / n, tally.confidence[kept] / n
    variance = tally.score_squares[kept] / n - mean**2
    square = float((n * ((mean - sure) ** 2 - variance / (n - 1))).sum() / n.sum())
    assert ece_debiased(tally) == pytest.approx(np.sqrt(max(0.0, square)))
    return square


@pytest.mark.parametrize(("seed", "tilt"), [(7, 0.0), (8, 0.1), (9, 0.25)])
def test_smooth_ece_agrees_with_relplot(seed: int, tilt: float) -> None:
    confidence, right = answers(5_000, seed, tilt=tilt)

    ours = smooth_ece(Tally.of(confidence, right))

    assert ours == pytest.approx(relplot.smECE(confidence, right), abs=0.004)


def test_the_brier_score_agrees_with_scikit_learn_and_its_parts_add_up() -> None:
    confidence, right = answers(5_000, 10, tilt=0.1)

    told = brier(Tally.of(confidence, right))

    assert told.score == pytest.approx(brier_score_loss(right, confidence))
    whole = told.reliability - told.resolution + told.uncertainty + told.within
    assert whole == pytest.approx(told.score)
    assert abs(told.within) < 0.002


def test_aurc_is_the_mean_selective_risk() -> None:
    confidence, right = answers(2_000, 11)
    order = np.argsort(-confidence, kind="stable")
    errors = 1 - right[order]
    exact = (np.cumsum(errors) / np.arange(1, errors.size + 1)).mean()

    assert aurc(Tally.of(confidence, right)) == pytest.approx(exact, abs=0.002)


def test_risk_falls_to_the_error_rate_at_full_coverage() -> None:
    confidence, right = answers(2_000, 12)

    coverage, risk = risk_coverage(Tally.of(confidence, right))

    assert coverage[-1] == pytest.approx(1.0)
    assert risk[-1] == pytest.approx(1 - right.mean())
    assert risk[0] < risk[-1]


def test_a_reliability_diagram_holds_every_answer_once() -> None:
    tally = Tally.of(*answers(3_000, 13))

    bars = reliability(tally, bins=10)

    assert sum(b.n for b in bars) == 3_000
    assert max(b.n for b in bars) < 2 * min(b.n for b in bars)
    assert [b.confidence for b in bars] == sorted(b.confidence for b in bars)


def test_nothing_seen_gives_figures_and_no_nan() -> None:
    nothing = Tally.empty()

    figures = [ece(nothing), ece_debiased(nothing), smooth_ece(nothing), aurc(nothing)]

    assert figures == [0.0, 0.0, 0.0, 0.0]
    assert reliability(nothing) == ()
    assert brier(nothing).score == 0.0


pairs = st.lists(st.tuples(st.floats(0, 1), st.sampled_from([0.0, 0.5, 1.0])), max_size=40)


@given(pairs, pairs)
def test_adding_two_gateways_is_seeing_both_streams(
    a: list[tuple[float, float]], b: list[tuple[float, float]]
) -> None:
    def tally(seen: list[tuple[float, float]]) -> Tally:
        return Tally.of([c for c, _ in seen], [s for _, s in seen])

    added, whole = tally(a) + tally(b), tally(a + b)

    assert added.count == whole.count
    assert added.accuracy == pytest.approx(whole.accuracy)
    assert ece(added) == pytest.approx(ece(whole), abs=1e-9)
    assert smooth_ece(added) == pytest.approx(smooth_ece(whole), abs=1e-6)
    assert brier(added).score == pytest.approx(brier(whole).score)


def test_values_outside_the_unit_interval_are_refused() -> None:
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        Tally.of([1.2], [1.0])
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        Tally.of([float("nan")], [1.0])


@pytest.mark.parametrize(("right", "n"), [(0, 5), (3, 10), (50, 60), (1_000, 1_000)])
def test_wilson_with_continuity_correction_agrees_with_scipy(right: int, n: int) -> None:
    told = binomtest(right, n).proportion_ci(0.95, method="wilsoncc")
    assert wilson(right, n) == pytest.approx((told.low, told.high))


@pytest.mark.parametrize("n", [1, 3, 10, 40, 200])
def test_wilson_covers_at_any_accuracy_as_it_says(n: int) -> None:
    accuracies = np.linspace(0.001, 0.999, 999)
    right = np.arange(n + 1)
    low, high = np.array([wilson(float(k), n) for k in right]).T
    holds = (low[:, None] <= accuracies) & (accuracies <= high[:, None])
    covered = (binom.pmf(right[:, None], n, accuracies) * holds).sum(axis=0)
    assert covered.min() >= 0.945
