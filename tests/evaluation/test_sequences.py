"""What stays true while one looks: simulations with known truth, and exact references."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta, binomtest

from evaluation.asymptotic import asymptotic
from evaluation.compare import Pair, calibration_errors, closing_in, verdicts
from evaluation.sequences import (
    MeanSequence,
    SplitSequence,
    bounded_mean,
    e_bh,
    mcnemar_e_value,
    paired,
)


def generator(seed: int) -> np.random.Generator:  # noqa: TID251 - the type
    return np.random.default_rng(seed)  # noqa: TID251 - a test draws its own data


@pytest.mark.parametrize("p", [0.5, 0.9])
def test_the_mean_is_covered_at_every_moment_in_all_but_five_per_cent(p: float) -> None:
    missed = 0
    for seed in range(200):
        state = MeanSequence()
        draws = (generator(seed).random(600) < p).astype(float)
        for start in range(0, 600, 30):
            state = state.update(draws[start : start + 30])
            low, high = state.interval()
            if not low <= p <= high:
                missed += 1
                break

    # at most 5 % in truth; the test allows for its own 200 draws
    assert binomtest(missed, 200, 0.05, alternative="greater").pvalue > 0.001


def test_the_interval_closes_in_on_the_mean() -> None:
    draws = (generator(1).random(5_000) < 0.8).astype(float)

    low, high = MeanSequence().update(draws).interval()

    assert low < 0.8 < high
    assert high - low < 0.06


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.integers(0, 60))
def test_batches_do_not_matter_and_a_restart_loses_nothing(xs: list[float], cut: int) -> None:
    whole = MeanSequence().update(xs)
    first = MeanSequence().update(xs[:cut])
    parts = MeanSequence.load(json.loads(json.dumps(first.dump()))).update(xs[cut:])

    assert parts.n == whole.n
    assert parts.interval() == pytest.approx(whole.interval())


@given(st.lists(st.floats(0, 1), min_size=2, max_size=80))
def test_an_interval_never_widens(xs: list[float]) -> None:
    state, width = MeanSequence(), 1.0
    for x in xs:
        state = state.update([x])
        low, high = state.interval()
        assert high - low <= width + 1e-12
        width = high - low


def test_values_outside_the_range_are_refused() -> None:
    with pytest.raises(ValueError, match=r"in \[0\.0, 1\.0\]"):
        MeanSequence().update([1.5])


def test_a_paired_difference_is_found() -> None:
    rng = generator(3)
    old, new = rng.random(1_500) < 0.7, rng.random(1_500) < 0.8

    low, high = paired().update(new.astype(float) - old).interval()

    assert 0 < low < 0.1 < high


def test_without_a_difference_the_paired_interval_keeps_zero() -> None:
    excluded = 0
    for seed in range(100):
        rng = generator(1_000 + seed)
        state = paired()
        for _ in range(10):
            old, new = rng.random(50) < 0.7, rng.random(50) < 0.7
            state = state.update(new.astype(float) - old)
        low, high = state.interval()
        excluded += not low <= 0 <= high

    assert excluded <= 5


@pytest.mark.parametrize("p", [0.05, 0.5, 0.97])
def test_the_sequence_in_constant_time_is_never_left_by_the_truth(p: float) -> None:
    rng = generator(11)
    left = 0
    for _ in range(400):
        sums = np.cumsum(rng.random(300) < p)
        ends = [bounded_mean(n, float(sums[n - 1])) for n in range(5, 301, 5)]
        left += any(not low <= p <= high for low, high in ends)
    fractions = np.cumsum(rng.beta(2, 1, 3_000))  # between 0 and 1, with the mean 2/3
    low, high = bounded_mean(3_000, float(fractions[-1]))

    assert left / 400 <= 0.05
    assert low < 2 / 3 < high < low + 0.1


@given(st.integers(0, 60), st.integers(0, 60))
def test_the_sequence_in_constant_time_is_the_mixture_of_its_formula(won: int, lost: int) -> None:
    low, high = bounded_mean(won + lost, won)

    def mixture(m: float) -> float:  # the integral, over Jeffreys' prior
        def ratio(p: float) -> float:
            odds = won * math.log(p / m) + lost * math.log((1 - p) / (1 - m))
            return math.exp(odds) * float(beta.pdf(p, 0.5, 0.5))

        return float(quad(ratio, 0, 1, limit=200)[0])

    for end in (low, high):
        if 1e-3 < end < 1 - 1e-3:
            assert mixture(end) == pytest.approx(20, rel=0.02)


def test_a_split_difference_is_covered_and_found() -> None:
    rng = generator(4)
    arms = [bool(rng.random() < 0.5) for _ in range(4_000)]
    events = [(arm, float(rng.random() < (0.85 if arm else 0.65)), 0.5) for arm in arms]

    low, high = SplitSequence.start(least_propensity=0.5).update(events).interval()

    assert 0 < low < 0.2 < high


def test_a_propensity_below_the_promised_one_is_refused() -> None:
    with pytest.raises(ValueError, match="below"):
        SplitSequence.start(least_propensity=0.2).update([(True, 1.0, 0.1)])


@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_is_the_beta_mixture_of_likelihood_ratios(old: int, new: int) -> None:
    def ratio(p: float) -> float:
        log_ratio = new * math.log(2 * p) + old * math.log(2 * (1 - p))
        return math.exp(log_ratio) * float(beta.pdf(p, 0.5, 0.5))

    left, _ = quad(ratio, 1e-12, 0.5, limit=200)
    right, _ = quad(ratio, 0.5, 1 - 1e-12, limit=200)

    assert mcnemar_e_value(old, new) == pytest.approx(left + right, rel=1e-2)
    assert mcnemar_e_value(old, new, better=True) == pytest.approx(2 * right, rel=1e-2)
    assert mcnemar_e_value(old, new, better=False) == pytest.approx(2 * left, rel=1e-2)


def test_mcnemar_rarely_reaches_twenty_when_both_are_equal_though_looked_at_always() -> None:
    reached = 0
    for seed in range(400):
        wins = np.cumsum(generator(seed).random(300) < 0.5)
        values = [mcnemar_e_value(n - int(w), int(w)) for n, w in enumerate(wins, start=1)]
        reached += max(values) >= 20

    assert reached / 400 <= 0.05


def test_e_bh_keeps_the_largest_and_is_monotone() -> None:
    assert e_bh([]) == ()
    assert e_bh([1.0, 1.0]) == (False, False)
    assert e_bh([1e9, 0.0, 41.0, 3.0]) == (True, False, True, False)


def pair(old: float, new: float) -> Pair:
    return Pair("r", "ocr", old, new)


def test_one_soft_score_takes_no_evidence_away() -> None:
    wins = [pair(0.0, 1.0)] * 8
    (hard, _), (soft, _) = verdicts(wins), verdicts([*wins, pair(0.9, 0.9)])

    assert soft.e_value == pytest.approx(hard.e_value, rel=0.2)


def test_verdicts_are_seldom_wrong_though_looked_at_after_every_pair() -> None:
    """Ville's inequality: of sequences without a difference at most alpha ever reach 1/alpha."""
    false = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)  # noqa: TID251 - a test draws its own data
        scores = rng.choice([0.0, 0.5, 1.0], size=(150, 2), p=[0.3, 0.05, 0.65])
        pairs = [pair(float(a), float(b)) for a, b in scores]
        looks = (verdicts(pairs[:n])[0].conclusion for n in range(5, 151, 5))
        false += any(look in {"better", "worse"} for look in looks)

    assert false / 200 <= 0.05


def test_verdicts_keep_the_false_discovery_rate_over_tasks() -> None:
    """One task among ten with an e-value of 33 is no discovery; alone it is one."""
    won = [pair(0.0, 1.0) for _ in range(8)]
    equal = [
        replace(pair(float(k % 2), float(k % 2)), task=f"t{t}") for t in range(9) for k in range(20)
    ]
    alone, among = verdicts(won), verdicts([*won, *equal])

    mine = {v.task: v for v in among}[won[0].task]
    assert 20 < alone[0].e_value < 200
    assert (alone[0].conclusion, mine.conclusion) == ("better", "undecided")
    assert alone[0].e_value == mine.e_value


def test_the_overlap_of_solved_sets_is_held_against_chance() -> None:
    both, old, new = pair(1.0, 1.0), pair(1.0, 0.0), pair(0.0, 1.0)
    told = verdicts([both] * 6 + [old] * 2 + [new] * 1 + [pair(0.0, 0.0)])[0].solved

    assert told.jaccard == pytest.approx(6 / 9)
    p, q = 0.8, 0.7
    assert told.jaccard_if_independent == pytest.approx(p * q / (p + q - p * q))


def test_calibration_of_both_sides_is_told_where_both_answered() -> None:
    told = [replace(pair(float(k < 8), float(k < 9)), old_confidence=0.6, new_confidence=0.9)
            for k in range(10)]  # fmt: skip
    failed = replace(pair(1.0, 0.0), old_confidence=0.1, answered=False)

    assert calibration_errors([*told, failed]) == pytest.approx((0.2, 0.0))
    assert calibration_errors([]) == (0.0, 0.0)


def test_a_sequence_closes_in_on_where_it_stands() -> None:
    pairs = [pair(float(k % 3 == 0), 1.0) for k in range(200)]

    told = closing_in(pairs, looks=20)

    whole = verdicts(pairs)[-1]
    assert [n for n, *_ in told] == sorted({n for n, *_ in told})
    assert told[-1] == (200, whole.difference, *whole.interval)
    assert len(told) == 20
    assert closing_in([]) == []


@pytest.mark.parametrize("spread", [0.7, 1.5])
def test_seconds_may_be_compared_as_often_as_one_likes(spread: float) -> None:
    """Differences of log-normal seconds with mean zero: excluded at any look in at most 5 %."""
    anytime = peeked = 0
    looks = range(30, 601, 10)
    for seed in range(300):
        rng = np.random.default_rng(seed)  # noqa: TID251 - a test draws its own data
        values = rng.lognormal(-2, spread, 600) - rng.lognormal(-2, spread, 600)
        ends = [asymptotic(values[:n]) for n in looks]
        anytime += any(not low <= 0 <= high for low, high in ends)
        errors = [abs(values[:n].mean()) / (values[:n].std() / math.sqrt(n)) for n in looks]
        peeked += max(errors) > 1.96

    assert anytime / 300 <= 0.05
    assert peeked / 300 > 0.2  # what an interval for a fixed number would have done


@pytest.mark.parametrize("share", [0.02, 0.05])
def test_what_happens_rarely_is_not_missed(share: float) -> None:
    """Dollars that differ for one request in twenty or fifty."""
    missed = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)  # noqa: TID251 - a test draws its own data
        values = (rng.random(600) < share).astype(float)
        ends = [asymptotic(values[:n]) for n in range(20, 601, 10)]
        missed += any(not low <= share <= high for low, high in ends)

    assert missed / 200 <= 0.05


def test_seconds_that_differ_are_found_to_differ() -> None:
    rng = np.random.default_rng(1)  # noqa: TID251 - a test draws its own data
    low, high = asymptotic(rng.lognormal(-2, 0.5, 400) - 0.05)

    assert 0 < low < math.exp(-2 + 0.125) - 0.05 < high
    assert asymptotic([0.1, 0.2] * 9) == (-math.inf, math.inf)
    assert asymptotic([0.1] * 199) == (-math.inf, math.inf)
    assert asymptotic([0.1] * 200) == pytest.approx((0.1, 0.1))


def test_events_of_another_arm_leave_a_splits_difference_unbiased() -> None:
    """Three arms in thirds, true difference 0.3: covered at the end in nearly every repetition."""
    covered = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)  # noqa: TID251 - a test draws its own data
        events: list[tuple[bool | None, float, float]] = []
        for arm in rng.integers(0, 3, 600):
            score = float(rng.random() < (0.5, 0.8, 0.1)[arm])
            events.append((None if arm == 2 else arm == 1, score, 1 / 3))
        state = SplitSequence.start(least_propensity=1 / 3).update(events)
        low, high = state.interval()
        covered += low <= 0.3 <= high
        assert high - low < 0.6

    assert covered >= 57


def test_a_split_says_the_same_whether_it_is_told_one_by_one_or_all_at_once() -> None:
    rng = generator(9)
    events = [(bool(rng.random() < 0.4), float(rng.random() < 0.7), 0.4) for _ in range(300)]
    start = SplitSequence.start(least_propensity=0.4)

    whole, stepwise = start.update(events), start
    for event in events:
        stepwise = stepwise.update([event])

    assert whole.interval() == pytest.approx(stepwise.interval())
    assert (whole.control, whole.treatment) == (stepwise.control, stepwise.treatment)
    assert whole.inner.e_value(0.0) == pytest.approx(stepwise.inner.e_value(0.0))


def test_a_restart_keeps_where_a_splits_candidates_lie() -> None:
    inner = SplitSequence.start(least_propensity=0.2).inner.update([0.5, -0.25, 1.0])

    again = MeanSequence.load(json.loads(json.dumps(inner.dump())))

    assert again.interval() == inner.interval()
    assert again.update([0.5]).interval() == inner.update([0.5]).interval()
