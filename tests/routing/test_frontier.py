"""What a table promises along the dial."""

import pytest

from routing.domain import ModelCard, Task
from routing.frontier import DIALS, frontier
from routing.offers import exchange_rate
from routing.quality import Posterior, QualityTable, Success, Worth
from tests.builders import NEW, OLD

ROOM = 4_096
CHEAP = ModelCard(OLD, "llama-1", ROOM, 1, price_in=0.001, price_out=0.0)
DEAR = ModelCard(NEW, "llama-3", ROOM, 1, price_in=0.004, price_out=0.0)


def table(**accuracy: tuple[float, float]) -> QualityTable:
    """Accuracies of the old and of the new backbone, by the name of a task."""

    def worth(which: int) -> Worth:
        return Worth(
            accuracy={
                Task(t): Posterior(
                    right=1e3 * pair[which], wrong=1e3 * (1 - pair[which]), source=""
                )
                for t, pair in accuracy.items()
            }
        )

    return QualityTable(backbones={OLD: worth(0), NEW: worth(1)})


def test_the_dial_runs_from_the_cheapest_to_the_best_of_each_task() -> None:
    told = frontier(
        (CHEAP, DEAR), table(ocr=(0.9, 0.9), arithmetic=(0.4, 0.9)),
        {Task.OCR: 3, Task.ARITHMETIC: 1}, prompt_tokens=1_000,
    )  # fmt: skip

    alone = {p.name: p for p in told if p.quality is None}
    turned = [p for p in told if p.quality is not None]
    assert [p.quality for p in turned] == list(DIALS)
    assert alone[OLD].accuracy == pytest.approx((3 * 0.9 + 0.4) / 4)
    assert alone[NEW].cost == pytest.approx(4 * alone[OLD].cost)
    assert (turned[0].accuracy, turned[0].cost) == (alone[OLD].accuracy, alone[OLD].cost)
    best = turned[-1]
    assert best.accuracy == pytest.approx(0.9)  # reading stays cheap, sums go to the dear one
    assert best.cost == pytest.approx((3 * 0.001 + 0.004) / 4)
    assert [p.cost for p in turned] == sorted(p.cost for p in turned)


@pytest.mark.parametrize("gain", [0.02, 0.1, 0.4])
def test_a_task_changes_hands_where_the_gain_is_worth_the_price(gain: float) -> None:
    told = frontier((CHEAP, DEAR), table(ocr=(0.5, 0.5 + gain)), {Task.OCR: 1}, prompt_tokens=1_000)
    for promise in told[2:]:
        assert promise.quality is not None
        dearer = exchange_rate(promise.quality) * (1 - 0.25)  # a quarter of the price
        slack = 0.02 * (1 - promise.quality)
        if abs(gain - dearer) > slack + 0.001:
            assert (promise.accuracy > 0.5 + gain / 2) == (gain > dearer)


def test_a_prompt_longer_than_a_context_still_has_its_price() -> None:
    told = frontier((CHEAP, DEAR), table(ocr=(0.6, 0.8)), {Task.OCR: 1}, prompt_tokens=10 * ROOM)
    assert all(p.cost > 0 and p.accuracy > 0.5 for p in told)


def test_a_mix_without_traffic_is_refused() -> None:
    with pytest.raises(ValueError, match="some traffic"):
        frontier((CHEAP, DEAR), QualityTable(), {}, prompt_tokens=100)


def test_success_predictors_are_left_out() -> None:
    plain = table(ocr=(0.5, 0.9))
    sure = Success(intercept=5.0, weights={}, facts=(), tasks={}, evidence={Task.OCR: 1e6})
    worth = plain.backbones[OLD].model_copy(update={"success": sure})
    told = plain.model_copy(update={"backbones": plain.backbones | {OLD: worth}})

    def promised(of: QualityTable) -> object:
        return frontier((CHEAP, DEAR), of, {Task.OCR: 1}, prompt_tokens=100)

    assert promised(told) == promised(plain)
