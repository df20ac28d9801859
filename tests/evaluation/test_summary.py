"""What a report says of a labelled set, some of which was never answered."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.calibration import ece
from evaluation.offline import Answered
from evaluation.report import html_report
from evaluation.summary import rows, versus
from evaluation.tally import Tally

ANSWER = Answered("", "b", "ocr", "q?", "x", 1.0, "exact", 0.6, 0.1, 1.0, 2)


def told() -> list[Answered]:
    """Forty answers, all right at a confidence of 0.6; sixty questions that got none."""
    right = [replace(ANSWER, id=f"a{k}") for k in range(40)]
    none = replace(ANSWER, score=0.0, confidence=0.0, latency_s=0.0, cost=0.0, error="down")
    return right + [replace(none, id=f"e{k}") for k in range(60)]


def test_what_was_not_answered_is_wrong_but_neither_unsure_nor_quick() -> None:
    row = next(r for r in rows(told(), {"ocr": "vision"}) if r.task == "ocr")

    assert (row.n, row.accuracy, row.errors) == (100, 0.4, 60)
    assert row.interval[0] < 0.4 < row.interval[1]
    assert row.ece == pytest.approx(ece(Tally.of(np.full(40, 0.6), np.ones(40))))
    assert row.brier == pytest.approx(0.16)
    assert row.mean_confidence == pytest.approx(0.6)
    assert row.latency_p50_s == 1.0


def test_a_backbone_that_never_answered_is_told_all_the_same() -> None:
    silent = [replace(a, backbone="silent") for a in told()[40:]]
    summary = rows(told() + silent, {"ocr": "vision"})
    row = next(r for r in summary if r.backbone == "silent")

    assert (row.accuracy, row.errors, row.latency_p50_s) == (0.0, 60, 0.0)
    page = html_report("set", told() + silent, summary, versus(told() + silent))
    assert "errors" in page
    assert "silent" in page
