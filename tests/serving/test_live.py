"""How busy and how slow backbones are right now, and gauges that forget what is no more."""

import pytest

from routing.domain import ModelId
from serving.live import RECENT_S, Loads
from serving.telemetry import Metrics


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_the_current_latency_follows_answers_and_is_forgotten() -> None:
    clock, old = Clock(), ModelId("old")
    loads = Loads({old: 4}, clock)
    unknown = loads.now()[old].recent_s
    loads.took(old, 1.0)
    first = loads.now()[old].recent_s
    for _ in range(30):
        clock.now_s += 1
        loads.took(old, 3.0)
    slower = loads.now()[old].recent_s
    clock.now_s += RECENT_S + 1

    assert (unknown, first) == (0.0, 1.0)
    assert slower == pytest.approx(3.0, abs=0.01)
    assert loads.now()[old].recent_s == 0.0


def test_a_gauge_of_something_that_is_no_more_has_no_number() -> None:
    metrics = Metrics()
    metrics.gauge_all("barn_accuracy", {("old", "ocr"): 0.5, ("new", "ocr"): 0.75})
    metrics.gauge_all("barn_accuracy", {("new", "ocr"): 0.8})

    told = metrics.text().decode()
    assert 'barn_accuracy{backbone="old",task="ocr"} NaN' in told
    assert 'barn_accuracy{backbone="new",task="ocr"} 0.8' in told
