"""The router's bench: its measures against their definitions, and a replay with known truth."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import mannwhitneyu
from sklearn.metrics import auc

from evaluation.confidence_maps import fits
from evaluation.foretold import foretold
from evaluation.offline import Answered, DatasetError, complete
from evaluation.routebench import (
    Point,
    apgr,
    balanced,
    cases,
    cpt,
    intervals,
    oracle,
    price,
    rank_score,
)
from evaluation.routereport import BenchReport, run_bench
from evaluation.worth import table_from
from routing.domain import Limits, ModelCard, ModelId, Task
from routing.offers import offers
from routing.policies.split import Split
from routing.tasks import shipped

CHEAP = ModelCard(ModelId("cheap"), "llama-1", 1 << 20, 4, 0.001, 0.001)
DEAR = ModelCard(ModelId("dear"), "llama-3", 1 << 20, 4, 0.004, 0.004)
CARDS = (CHEAP, DEAR)
READ, ADD, MULTIPLY = "what does the sign say?", "what is 3 plus 4?", "multiply 3 by 4."


def at(name: str, accuracy: float, cost: float) -> Point:
    return Point(name, 0.5, accuracy, cost, 0.0)


WEAK, STRONG = at("weak", 0.6, 1.0), at("strong", 0.8, 3.0)


def recorded(seed: int, n: int) -> list[Answered]:
    """Answers whose truth is known: reading is as good by both, sums only by the dear one.

    The cheap one multiplies worse than it adds.
    """
    rng = np.random.default_rng(seed)  # noqa: TID251 - a simulation's own seed
    told = []
    for i in range(n):
        question = (READ, ADD, READ, MULTIPLY)[i % 4]
        task = Task.OCR if question == READ else Task.ARITHMETIC
        chance = {"cheap": {READ: 0.9, ADD: 0.7, MULTIPLY: 0.2}[question], "dear": 0.9}
        for card in CARDS:
            right = rng.random() < chance[card.id]
            sure = 0.5 + 0.4 * right + 0.1 * rng.random()
            told.append(
                Answered(
                    f"i{i}", card.id, task.value, question, "x",
                    float(right), "exact", sure, 0.0, 0.1, 3, prompt_tokens=80,
                )
            )  # fmt: skip
    return told


def test_a_random_mix_recovers_half_of_the_gap() -> None:
    mix = [at("mix", 0.6 + 0.2 * k / 10, 1 + 2 * k / 10) for k in range(11)]
    assert apgr(mix, WEAK, STRONG) == pytest.approx(0.5)
    assert apgr([], WEAK, STRONG) == pytest.approx(0.5)  # nothing but the two ends
    assert cpt(mix, WEAK, STRONG, 0.8) == pytest.approx(0.8)


def test_apgr_is_the_area_under_the_gap_recovered_over_the_cost_spent() -> None:
    frontier = [at("a", 0.74, 1.4), at("b", 0.78, 2.0), at("c", 0.76, 2.6)]
    xs = [0.0, 0.2, 0.5, 0.8, 1.0]
    ys = [0.0, 0.7, 0.9, 0.9, 1.0]  # at 0.8 a router may spend less and stay at 0.9
    assert apgr(frontier, WEAK, STRONG) == pytest.approx(auc(xs, ys))
    for recovered in (0.35, 0.5, 0.8):
        assert cpt(frontier, WEAK, STRONG, recovered) == pytest.approx(
            np.interp(recovered, ys[:3], xs[:3])
        )


def test_without_a_gap_there_is_nothing_to_recover() -> None:
    assert math.isnan(apgr([WEAK], STRONG, WEAK))
    assert cpt([WEAK], STRONG, WEAK, 0.5) == 0.0


def test_the_rank_score_is_the_weighted_harmonic_mean_of_accuracy_and_log_saving() -> None:
    saving = (math.log2(8) - math.log2(2)) / (math.log2(8) - math.log2(1))
    expected = 1 / ((1 / 1.1) / 0.75 + (0.1 / 1.1) / saving)  # 1/F = w/A + (1 - w)/C
    assert rank_score(at("p", 0.75, 2.0), 1.0, 8.0) == pytest.approx(expected)
    assert rank_score(at("p", 0.75, 8.0), 1.0, 8.0) == 0.0
    assert rank_score(at("p", 0.75, 1.0), 1.0, 8.0) > rank_score(at("p", 0.75, 2.0), 1.0, 8.0)


def test_the_oracle_is_the_cheapest_right_answer() -> None:
    items = list(complete(recorded(3, 60)))
    found = cases(items, shipped(), lambda a: a.facts)
    scores, costs, _ = oracle(found, CARDS)

    for answers, score, cost in zip(items, scores, costs, strict=True):
        right = [c for c in CARDS if answers[c.id].score == 1.0]
        assert score == bool(right)
        assert cost == min(price(answers[c.id], c) for c in right or CARDS)


def test_the_bootstrap_covers_a_mean_about_as_often_as_it_says() -> None:
    inside = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)  # noqa: TID251 - a simulation's own seed
        seen = (rng.random(200) < 0.7).astype(float)
        [(low, high)] = intervals(lambda at, s=seen: (float(s[at].mean()),), 200, rng)  # type: ignore[misc]
        inside += low <= 0.7 <= high
    assert inside / 200 >= 0.90


def test_traffic_is_half_vision_heavy_and_half_reasoning_heavy() -> None:
    items = list(complete(recorded(1, 30)))
    only_reading = [i for i in items if i["dear"].task == Task.OCR.value]
    assert len(balanced(items)) == 30
    assert balanced(only_reading) == []


def test_expected_accuracies_are_held_against_what_came() -> None:
    told = recorded(5, 1_200)
    table = table_from([a for a in told if fits(a.id)], note="")
    items = list(complete([a for a in told if not fits(a.id)]))
    found = cases(items, shipped(), lambda a: a.facts)

    cheap, dear = foretold(found, CARDS, table)

    assert (cheap.backbone, dear.backbone) == ("cheap", "dear")
    assert cheap.ece < 0.06
    assert cheap.brier < cheap.brier_by_task  # the question says more than its task
    assert cheap.auroc >= cheap.auroc_by_task > 0.6
    assert dear.auroc == pytest.approx(0.5, abs=0.1)  # nothing foretells its errors

    score = np.array([i["cheap"].score for i in items])
    expected = np.array([
        offers(c.query, c.scores, c.features, CARDS, table, Limits())[0].accuracy for c in found
    ])  # fmt: skip
    u = mannwhitneyu(expected[score == 1], expected[score == 0]).statistic
    assert cheap.auroc == pytest.approx(u / ((score == 1).sum() * (score == 0).sum()))
    assert cheap.brier == pytest.approx(np.mean((expected - score) ** 2))


def test_routing_beats_a_random_mix_where_the_backbones_differ_by_task(tmp_path: Path) -> None:
    report: BenchReport = run_bench(recorded(7, 1_000), CARDS, seed=1)

    by_name = {p.name: p for p in report.policies}
    best = by_name["utility/1"]
    assert best.measures["APGR"] > 0.6
    for name, value in best.measures.items():
        low, high = best.intervals[name]
        assert low <= value <= high, name
    assert best.measures["accuracy at 60 % cost"] > 0.93
    assert best.measures["above the best"] == pytest.approx(
        best.best.accuracy - max(p.accuracy for p in report.singles)
    )
    assert report.oracle.accuracy >= max(p.accuracy for p in report.singles)
    assert [round(p.share, 1) for p in report.random_mix] == [k / 10 for k in range(11)]
    assert report.random_mix[0].accuracy == pytest.approx(report.singles[0].accuracy)
    assert report.random_mix[10].cost == pytest.approx(report.singles[1].cost)
    report.draw(tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes()[:4] == b"\x89PNG"
    assert json.loads(report.to_json())["predicted"][0]["backbone"] == "cheap"


def test_without_prices_the_measured_seconds_stand_for_them() -> None:
    free = [ModelCard(c.id, c.generation, 1 << 20, 4, 0.0, 0.0) for c in CARDS]
    slow = [replace(a, latency_s=0.3 if a.backbone == "dear" else 0.1) for a in recorded(2, 400)]
    report = run_bench(slow, free, seed=1)

    cheap, dear = report.singles
    assert report.prices == "seconds"
    assert dear.cost == pytest.approx(3 * cheap.cost)
    assert cheap.cost == pytest.approx(0.1)  # seconds of a request


def test_a_policy_that_draws_is_replayed_as_often_as_it_draws() -> None:
    half = Split({ModelId("cheap"): 1.0, ModelId("dear"): 3.0}, "mix")
    (mix,) = run_bench(recorded(4, 800), CARDS, 1, [half]).policies

    assert mix.best.share == pytest.approx(0.75, abs=0.01)


def test_a_bench_of_one_backbone_is_refused() -> None:
    only = [a for a in recorded(1, 40) if a.backbone == "dear"]
    with pytest.raises(DatasetError, match="at least two"):
        run_bench(only, CARDS, seed=1)
