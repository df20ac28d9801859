"""How well the accuracy that a quality table expects foretells what comes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_auc_score

from evaluation.calibration import brier, ece
from evaluation.routebench import Case
from evaluation.tally import FloatArray, Tally
from routing.domain import Limits, ModelCard
from routing.offers import offers
from routing.quality import QualityTable


@dataclass(frozen=True, slots=True)
class Predicted:
    """How well a backbone's expected accuracy foretells its held-out answers.

    `ece` and `brier` are those of the expected accuracy that routing uses, `auroc` is the chance
    that a right answer was expected to be right more than a wrong one was; `brier_by_task` and
    `auroc_by_task` say what the tasks' posteriors alone would give.
    """

    backbone: str
    ece: float
    brier: float
    brier_by_task: float
    auroc: float
    auroc_by_task: float


def foretold(
    found: Sequence[Case], cards: Sequence[ModelCard], table: QualityTable
) -> tuple[Predicted, ...]:
    """Hold the accuracy that a table expects of every answer against how it was graded."""
    whole = _expected(found, cards, table)
    tasks = _expected(found, cards, table.by_task_alone())
    told = []
    for k, card in enumerate(cards):
        score = np.array([case.answers[card.id].score for case in found])
        seen, rough = Tally.of(whole[:, k], score), Tally.of(tasks[:, k], score)
        told.append(
            Predicted(
                card.id, ece(seen), brier(seen).score, brier(rough).score,
                _auroc(score, whole[:, k]), _auroc(score, tasks[:, k]),
            )
        )  # fmt: skip
    return tuple(told)


def _expected(found: Sequence[Case], cards: Sequence[ModelCard], table: QualityTable) -> FloatArray:
    """Expected accuracies, (cases, cards)."""
    limits = Limits()
    return np.array([
        [o.accuracy for o in offers(c.query, c.scores, c.features, cards, table, limits)]
        for c in found
    ])  # fmt: skip


def _auroc(score: FloatArray, expected: FloatArray) -> float:
    right = score >= 0.5
    if right.all() or not right.any():
        return math.nan
    return float(roc_auc_score(right, expected))
