"""Drift is found soon and seldom by mistake; a judge's error is corrected for."""

import numpy as np
import pytest

from evaluation.confidence_maps import fit_isotonic, fit_map, fit_platt, fits
from evaluation.drift import drifts, task_mix_drifts
from evaluation.ppi import prediction_powered_mean
from routing.quality import Isotonic, Platt


def generator(seed: int) -> np.random.Generator:  # noqa: TID251 - the type
    return np.random.default_rng(seed)  # noqa: TID251 - a test draws its own data


def test_a_fall_in_accuracy_is_found_within_some_hundred_answers() -> None:
    rng = generator(1)
    values = np.concatenate([rng.random(800) < 0.9, rng.random(800) < 0.6]).astype(float)

    (first, *_) = drifts(values)

    assert 800 < first.at < 1_200
    assert first.after < first.before


def test_steady_accuracy_seldom_alarms() -> None:
    alarms = sum(
        bool(drifts((generator(seed).random(1_000) < 0.8).astype(float))) for seed in range(40)
    )

    assert alarms <= 2


def test_a_change_in_the_mix_of_tasks_names_the_tasks() -> None:
    tasks = ["ocr"] * 400 + ["chart"] * 400

    assert set(task_mix_drifts(tasks)) == {"ocr", "chart"}
    assert task_mix_drifts(["ocr", "chart"] * 300) == {}


def judged(seed: int, n: int, many: int, error: float) -> tuple[np.ndarray, ...]:
    rng = generator(seed)
    truth = (rng.random(n + many) < 0.7).astype(float)
    flipped = rng.random(n + many) < error
    judge = np.where(flipped, 1 - truth, truth)
    return truth[:n], judge[:n], judge[n:]


def test_the_truth_is_covered_although_the_judge_errs() -> None:
    runs = [prediction_powered_mean(*judged(seed, 100, 1_000, 0.15)) for seed in range(400)]

    covered = np.mean([r.low <= 0.7 <= r.high for r in runs])
    assert covered >= 0.93
    assert np.mean([r.value for r in runs]) == pytest.approx(0.7, abs=0.015)


def test_a_good_judge_narrows_the_interval_and_a_useless_one_does_no_harm() -> None:
    truth, judge, unlabelled = judged(3, 100, 2_000, 0.05)
    alone = prediction_powered_mean(truth, judge, np.array([]))

    good = prediction_powered_mean(truth, judge, unlabelled)
    useless = prediction_powered_mean(*judged(3, 100, 2_000, 0.5))

    assert good.high - good.low < 0.7 * (alone.high - alone.low)
    assert useless.weight < 0.2


@pytest.mark.parametrize("n", [20, 40, 100])
@pytest.mark.parametrize("accuracy", [0.5, 0.9, 0.97])
@pytest.mark.parametrize("error", [0.02, 0.15, 0.3])
def test_few_doubly_graded_answers_still_cover_the_truth(
    n: int, accuracy: float, error: float
) -> None:
    covered = 0
    for seed in range(500):
        rng = generator(seed)
        truth = (rng.random(n + 500) < accuracy).astype(float)
        judge = np.where(rng.random(n + 500) < error, 1 - truth, truth)
        one = prediction_powered_mean(truth[:n], judge[:n], judge[n:])
        covered += one.low <= accuracy <= one.high

    assert covered / 500 >= 0.94 - 2 * (0.95 * 0.05 / 500) ** 0.5  # nominal less a point, simulated


def test_a_guess_from_fewer_is_refused() -> None:
    with pytest.raises(ValueError, match="20 of both needed"):
        prediction_powered_mean(np.array([1.0]), np.array([1.0]), np.array([1.0]))


def overconfident(n: int, seed: int) -> tuple[list[str], np.ndarray, np.ndarray]:
    rng = generator(seed)
    raw = rng.beta(6, 1, n)
    right = (rng.random(n) < raw**3).astype(float)
    return [f"r{i}" for i in range(n)], raw, right


def test_a_map_beats_raw_confidence_on_answers_that_it_was_not_fitted_on() -> None:
    ids, raw, right = overconfident(1_000, 4)

    found = fit_map(ids, raw, right)

    assert found is not None
    assert found.brier < found.raw_brier
    assert found.judged_on == sum(not fits(i, "map") for i in ids)
    assert found.map(0.9) < 0.85


def test_calibrated_confidence_is_kept_as_it_is_where_no_map_helps() -> None:
    rng = generator(5)
    raw = rng.random(400)
    right = (rng.random(400) < raw).astype(float)
    found = fit_map([f"r{i}" for i in range(400)], raw, right)

    assert found is not None
    assert found.brier <= found.raw_brier
    assert found.map(0.3) == pytest.approx(0.3, abs=0.1)


def test_too_few_answers_get_no_map() -> None:
    ids, raw, right = overconfident(30, 6)

    assert fit_map(ids, raw, right) is None


def test_both_kinds_of_map_rise_and_stay_in_range() -> None:
    _, raw, right = overconfident(800, 7)
    grid = np.linspace(0, 1, 101)

    for found in (fit_platt(raw, right), fit_isotonic(raw, right)):
        values = [found(float(c)) for c in grid]
        assert values == sorted(values)
        assert 0 <= values[0] <= values[-1] <= 1


def test_platt_finds_the_temperature_that_made_the_data() -> None:
    rng = generator(8)
    logit = rng.normal(0, 2, 20_000)
    right = (rng.random(20_000) < 1 / (1 + np.exp(-logit / 2))).astype(float)

    found = fit_platt(1 / (1 + np.exp(-logit)), right)

    assert found.slope == pytest.approx(0.5, abs=0.03)
    assert found.offset == pytest.approx(0.0, abs=0.05)


def test_an_isotonic_map_that_falls_is_refused() -> None:
    with pytest.raises(ValueError, match="must rise"):
        Isotonic(raw=(0.1, 0.5), calibrated=(0.9, 0.2))
    assert Platt()(0.3) == pytest.approx(0.3)
