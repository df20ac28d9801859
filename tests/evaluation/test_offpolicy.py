"""Estimates of a policy from another's logs, where the truth is known."""

import numpy as np
import pytest

from evaluation.offpolicy import Estimate, cross_fitted_means, doubly_robust, ips, snips

TASKS, ARMS, EVENTS, REPETITIONS = 4, 3, 1_000, 500
TARGET = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.3, 0.4, 0.3], [0.05, 0.9, 0.05]])
LOGGING = np.array([[0.4, 0.3, 0.3], [0.5, 0.3, 0.2], [0.2, 0.5, 0.3], [0.3, 0.4, 0.3]])
ACCURACY = np.array([[0.9, 0.92, 0.93], [0.4, 0.6, 0.8], [0.7, 0.7, 0.75], [0.2, 0.5, 0.55]])
TRUTH = float((TARGET * ACCURACY).sum(axis=1).mean())


def estimates(seed: int) -> dict[str, Estimate]:
    rng = np.random.default_rng(seed)  # noqa: TID251 - a test draws its own data
    task = rng.integers(0, TASKS, EVENTS)
    arm = (rng.random(EVENTS)[:, None] > np.cumsum(LOGGING[task], axis=1)).sum(axis=1)
    arm = np.minimum(arm, ARMS - 1)
    reward = (rng.random(EVENTS) < ACCURACY[task, arm]).astype(np.float64)
    weight = TARGET[task, arm] / LOGGING[task, arm]
    means = cross_fitted_means(reward, task * ARMS + arm).reshape(5, TASKS, ARMS)
    fold = np.arange(EVENTS) % 5
    logged = means[fold, task, arm]
    expected = (means[fold, task] * TARGET[task]).sum(axis=1)
    return {
        "ips": ips(reward, weight),
        "snips": snips(reward, weight),
        "dr": doubly_robust(reward, weight, logged, expected),
    }


def test_the_truth_lies_in_the_interval_in_93_per_cent_of_500_repetitions() -> None:
    runs = [estimates(seed) for seed in range(REPETITIONS)]

    for name in ("ips", "snips", "dr"):
        covered = np.mean([r[name].low <= TRUTH <= r[name].high for r in runs])
        assert covered >= 0.93, name
        assert np.mean([r[name].value for r in runs]) == pytest.approx(TRUTH, abs=0.003)


def test_doubly_robust_is_the_narrowest() -> None:
    told = estimates(1)

    width = {name: e.high - e.low for name, e in told.items()}

    assert width["dr"] < width["snips"] < width["ips"]


def test_the_logging_policy_itself_is_its_plain_mean() -> None:
    rewards, ones = np.array([1.0, 0.0, 1.0, 1.0]), np.ones(4)

    assert ips(rewards, ones).value == snips(rewards, ones).value == 0.75
    assert ips(rewards, ones).effective_n == 4
