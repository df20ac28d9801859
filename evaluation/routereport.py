"""The router's bench in one call: fit on half of the answers, judge on the other, draw and tell."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.metrics import roc_auc_score

from evaluation.calibration import brier, ece
from evaluation.confidence_maps import fits
from evaluation.offline import Answered, DatasetError, complete
from evaluation.routebench import (
    Case,
    Point,
    apgr,
    balanced,
    cases,
    cpt,
    interval,
    oracle,
    point,
    rank_score,
    replay,
)
from evaluation.tally import FloatArray, Tally
from evaluation.worth import table_from
from routing.domain import Limits, ModelCard
from routing.frontier import DIALS
from routing.offers import offers
from routing.policies.cascade import Cascade
from routing.policies.family import ByFamily
from routing.policies.fixed import Fixed
from routing.policies.utility import Utility
from routing.policy import Policy
from routing.quality import QualityTable
from routing.tasks import shipped

Seen = tuple[FloatArray, FloatArray, FloatArray]


@dataclass(frozen=True, slots=True)
class Judged:
    """One policy's frontier and measures; intervals are 95 % bootstraps over items."""

    name: str
    frontier: tuple[Point, ...]
    apgr: float
    apgr_interval: tuple[float, float]
    cpt_50: float
    cpt_80: float
    best_rank_score: float
    best: Point  # at the dial that was most accurate on the half that the table was fitted on
    thrifty: Point  # and of those there within 60 % of the best single backbone's cost
    accuracy_at_60: float  # share of the best single backbone's accuracy that `thrifty` has


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


@dataclass(frozen=True, slots=True)
class BenchReport:
    """Everything that the bench found."""

    n: int
    predicted: tuple[Predicted, ...]
    singles: tuple[Point, ...]
    oracle: Point
    oracle_apgr: float
    policies: tuple[Judged, ...]

    def to_json(self) -> str:
        """All of it, as JSON."""
        return json.dumps(asdict(self), indent=1)

    def print(self, console: Console) -> None:
        """A table for people."""
        best = max(self.singles, key=lambda p: p.accuracy)
        whole = best.cost or 1.0  # without prices every share is zero
        shown = Table("way", "accuracy", "cost of best", "APGR (95 %)", "CPT 50 %", "CPT 80 %",
                      "acc. at 60 % cost", "rank score")  # fmt: skip
        for p in (*self.singles, self.oracle):
            shown.add_row(p.name, f"{p.accuracy:.1%}", f"{p.cost / whole:.0%}", *[""] * 5)
        for j in self.policies:
            top = j.best
            low, high = j.apgr_interval
            gap = ("no gap", "–", "–") if math.isnan(j.apgr) else (
                f"{j.apgr:.3f} ({low:.3f}–{high:.3f})", f"{j.cpt_50:.0%}", f"{j.cpt_80:.0%}"
            )  # fmt: skip
            shown.add_row(
                j.name, f"{top.accuracy:.1%}", f"{top.cost / whole:.0%}", *gap,
                f"{j.accuracy_at_60:.1%} ({j.thrifty.cost / whole:.0%})",
                f"{j.best_rank_score:.3f}",
            )  # fmt: skip
        console.print(shown)
        console.print(self._foretold())
        if not math.isnan(self.oracle_apgr):
            console.print(f"APGR of the oracle: {self.oracle_apgr:.3f}")
        if any(math.isnan(j.apgr) for j in self.policies):
            console.print("no gap: the cheapest backbone is the best one, so none can be recovered")

    def _foretold(self) -> Table:
        shown = Table("expected accuracy of", "ECE", "Brier", "by task alone", "AUROC",
                      "by task alone")  # fmt: skip
        for p in self.predicted:
            figures = (p.ece, p.brier, p.brier_by_task, p.auroc, p.auroc_by_task)
            shown.add_row(p.backbone, *(f"{figure:.3f}" for figure in figures))
        return shown

    def draw(self, path: Path) -> None:
        """The cost–quality frontier as a picture."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8, 5), layout="constrained")
        axes = figure.subplots()
        for p in self.singles:
            axes.scatter([p.cost * 1e3], [p.accuracy], marker="s", s=60, label=p.name)
        axes.scatter([self.oracle.cost * 1e3], [self.oracle.accuracy], marker="*", s=140,
                     label="oracle")  # fmt: skip
        ends = sorted(self.singles, key=lambda p: p.cost)
        xs, ys = [p.cost * 1e3 for p in ends], [p.accuracy for p in ends]
        axes.plot([xs[0], xs[-1]], [ys[0], ys[-1]], ":", color="grey", label="random mix")
        for j in self.policies:
            line = sorted(j.frontier, key=lambda p: p.cost)
            axes.plot([p.cost * 1e3 for p in line], [p.accuracy for p in line], "o-", ms=3,
                      label=j.name if math.isnan(j.apgr) else f"{j.name} (APGR {j.apgr:.2f})",
            )  # fmt: skip
        axes.set_xlabel("cost per 1,000 requests ($)")
        axes.set_ylabel("accuracy")
        axes.set_title(f"{self.n} held-out items, half vision-heavy, half reasoning-heavy")
        axes.legend(fontsize=8)
        axes.grid(alpha=0.3)
        figure.savefig(path, dpi=130)


def run_bench(told: Sequence[Answered], cards: Sequence[ModelCard], seed: int) -> BenchReport:
    """Fit the table on one half of the items and judge every policy on the other."""
    answered = {a.backbone for a in told}
    cards = [c for c in cards if c.id in answered]
    table = table_from([a for a in told if fits(a.id)], note="route-bench")
    judged = balanced(list(complete([a for a in told if not fits(a.id)])))
    found = cases(judged, shipped(), lambda a: a.facts)
    if not found or len(cards) < 2:
        raise DatasetError(
            "route-bench needs answers of at least two configured backbones, to vision-heavy and "
            "to reasoning-heavy items"
        )
    singles = tuple(point(c.id, 1.0, replay(found, cards, table, Fixed(c.id), 1.0)) for c in cards)
    weak = min(singles, key=lambda p: p.cost)
    strong = max(singles, key=lambda p: p.accuracy)
    policies: tuple[Policy, ...] = (Utility(), Cascade(), ByFamily())
    rng = np.random.default_rng(seed)  # noqa: TID251 - seeded by the caller
    known = balanced(list(complete([a for a in told if fits(a.id)])))
    fitted = cases(known, shipped(), lambda a: a.facts)
    runs = [
        (p.name, _sweep(found, cards, table, p), _sweep(fitted, cards, table, p)) for p in policies
    ]
    best = point("oracle", 1.0, oracle(found, cards))
    return BenchReport(
        n=len(found),
        predicted=foretold(found, cards, table),
        singles=singles,
        oracle=best,
        oracle_apgr=apgr([best], weak, strong),
        policies=tuple(
            _judge(name, sweep, before, weak, strong, singles, found, cards, table, rng)
            for name, sweep, before in runs
        ),
    )


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


def _sweep(
    found: Sequence[Case], cards: Sequence[ModelCard], table: object, policy: Policy
) -> list[tuple[float, Seen]]:
    dials = DIALS if not isinstance(policy, ByFamily) else (0.5,)
    return [(q, replay(found, cards, table, policy, q)) for q in dials]  # type: ignore[arg-type]


def _judge(  # noqa: PLR0913 - everything a judgement is made of
    name: str,
    sweep: list[tuple[float, Seen]],
    before: list[tuple[float, Seen]],
    weak: Point,
    strong: Point,
    singles: Sequence[Point],
    found: Sequence[Case],
    cards: Sequence[ModelCard],
    table: object,
    rng: np.random.Generator,  # noqa: TID251 - the type
) -> Judged:
    frontier = tuple(point(name, q, seen) for q, seen in sweep)
    ends = {
        p.name: replay(found, cards, table, Fixed(p.name), 1.0)  # type: ignore[arg-type]
        for p in (weak, strong)
    }

    def again(at: np.ndarray) -> float:
        def cut(seen: Seen) -> Seen:
            return seen[0][at], seen[1][at], seen[2][at]

        front = [point(name, q, cut(seen)) for q, seen in sweep]
        return apgr(
            front, point("w", 1, cut(ends[weak.name])), point("s", 1, cut(ends[strong.name]))
        )

    low_high = interval(again, len(found), rng)
    # the dial is chosen on the other half: the best of many on this one would flatter
    tried = [point(name, q, seen) for q, seen in before]
    cheap = [p for p in tried if p.cost <= 0.6 * strong.cost] or [min(tried, key=lambda p: p.cost)]
    by_dial = {p.quality: p for p in frontier}
    best = by_dial[max(tried, key=lambda p: (p.accuracy, -p.cost)).quality]
    thrifty = by_dial[max(cheap, key=lambda p: (p.accuracy, -p.cost)).quality]
    cheapest, dearest = min(p.cost for p in singles), max(p.cost for p in singles)
    return Judged(
        name=name,
        frontier=frontier,
        apgr=apgr(frontier, weak, strong),
        apgr_interval=low_high,
        cpt_50=cpt(frontier, weak, strong, 0.5),
        cpt_80=cpt(frontier, weak, strong, 0.8),
        best_rank_score=max(rank_score(p, cheapest, dearest) for p in frontier),
        best=best,
        thrifty=thrifty,
        accuracy_at_60=thrifty.accuracy / strong.accuracy,
    )
