"""The router's bench in one call: fit on half of the answers, judge on the other, draw and tell."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from evaluation.confidence_maps import fits
from evaluation.foretold import Predicted, foretold
from evaluation.offline import Answered, DatasetError, complete
from evaluation.routebench import (
    Case,
    Point,
    apgr,
    balanced,
    cases,
    cpt,
    intervals,
    oracle,
    point,
    rank_score,
    replay,
)
from evaluation.tally import FloatArray
from evaluation.worth import table_from
from routing.domain import ModelCard, ModelId
from routing.frontier import DIALS
from routing.policies.cascade import Cascade
from routing.policies.family import ByFamily
from routing.policies.fixed import Fixed
from routing.policies.utility import Utility
from routing.policy import Policy
from routing.quality import QualityTable
from routing.tasks import shipped

Seen = tuple[FloatArray, FloatArray, FloatArray]
MEASURES = (
    "accuracy", "cost of best", "above the best", "APGR", "CPT 50 %", "CPT 80 %",
    "accuracy at 60 % cost", "rank score",
)  # fmt: skip
"""What a policy is judged by. The best is the most accurate single backbone."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One policy's frontier and measures, with 95 % bootstraps over items by the measure's name.

    `best` is at the dial that was most accurate on the half that the table was fitted on, `thrifty`
    at the one that was there within 60 % of the cost of the best single backbone; the rank score is
    at the one whose was highest there.
    """

    name: str
    frontier: tuple[Point, ...]
    best: Point
    thrifty: Point
    measures: dict[str, float]
    intervals: dict[str, tuple[float, float]]

    def told(self, measure: str, form: str = ".1%") -> str:
        """A measure with its interval, for people; a dash where there is nothing to measure."""
        value, (low, high) = self.measures[measure], self.intervals[measure]
        return "–" if math.isnan(value) else f"{value:{form}} ({low:{form}}–{high:{form}})"


@dataclass(frozen=True, slots=True)
class BenchReport:
    """Everything that the bench found."""

    n: int
    prices: str  # "$", or what stands for them
    predicted: tuple[Predicted, ...]
    singles: tuple[Point, ...]
    random_mix: tuple[Point, ...]
    """Of the cheapest and the dearest backbone, by the dearest one's share."""
    oracle: Point
    oracle_apgr: float
    policies: tuple[Judged, ...]

    def to_json(self) -> str:
        """All of it, as JSON."""
        return json.dumps(asdict(self), indent=1)

    def print(self, console: Console) -> None:
        """A table for people."""
        whole = max(self.singles, key=lambda p: p.accuracy).cost or 1.0
        shown = Table("way", *MEASURES, title="with 95 % intervals")
        for p in (*self.singles, self.oracle):
            shown.add_row(p.name, f"{p.accuracy:.1%}", f"{p.cost / whole:.0%}", *[""] * 6)
        for j in self.policies:
            shown.add_row(
                j.name, j.told("accuracy"), j.told("cost of best", ".0%"), j.told("above the best"),
                j.told("APGR", ".2f"), j.told("CPT 50 %", ".0%"), j.told("CPT 80 %", ".0%"),
                j.told("accuracy at 60 % cost"), j.told("rank score", ".3f"),
            )  # fmt: skip
        console.print(shown)
        console.print(self._foretold())
        if not math.isnan(self.oracle_apgr):
            console.print(f"APGR of the oracle: {self.oracle_apgr:.3f}")
        if any(math.isnan(j.measures["APGR"]) for j in self.policies):
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
        xs, ys = [p.cost * 1e3 for p in self.random_mix], [p.accuracy for p in self.random_mix]
        axes.plot(xs, ys, ":", color="grey", label="random mix")
        for j in self.policies:
            line = sorted(j.frontier, key=lambda p: p.cost)
            axes.plot([p.cost * 1e3 for p in line], [p.accuracy for p in line], "o-", ms=3,
                      label=f"{j.name} (APGR {j.measures['APGR']:.2f})")  # fmt: skip
        axes.set_xlabel(f"cost per 1,000 requests ({self.prices})")
        axes.set_ylabel("accuracy")
        axes.set_title(f"{self.n} held-out items, half vision-heavy, half reasoning-heavy")
        axes.legend(fontsize=8)
        axes.grid(alpha=0.3)
        figure.savefig(path, dpi=130)


def run_bench(
    told: Sequence[Answered],
    cards: Sequence[ModelCard],
    seed: int,
    policies: Sequence[Policy] = (Utility(), Cascade(), ByFamily()),
) -> BenchReport:
    """Fit the table on one half of the items and judge every policy on the other.

    Where no card has a price, the seconds that its answers took stand for it.

    Raises:
        DatasetError: there are not two backbones, or not both kinds of items.
    """
    answered = {a.backbone for a in told}
    cards, prices = _priced([c for c in cards if c.id in answered], told)
    table = table_from([a for a in told if fits(a.id)], note="route-bench")
    judged = balanced(list(complete([a for a in told if not fits(a.id)])))
    found = cases(judged, shipped(), lambda a: a.facts)
    if not found or len(cards) < 2:
        raise DatasetError(
            "route-bench needs answers of at least two configured backbones, to vision-heavy and "
            "to reasoning-heavy items"
        )
    alone = {c.id: replay(found, cards, table, Fixed(c.id), 1.0) for c in cards}
    singles = tuple(point(name, 1.0, seen) for name, seen in alone.items())
    known = balanced(list(complete([a for a in told if fits(a.id)])))
    fitted = cases(known, shipped(), lambda a: a.facts)
    best = point("oracle", 1.0, oracle(found, cards))
    weak = min(singles, key=lambda p: p.cost)
    strong = max(singles, key=lambda p: p.accuracy)
    rng = np.random.default_rng(seed)  # noqa: TID251 - seeded by the caller
    return BenchReport(
        n=len(found),
        prices=prices,
        predicted=foretold(found, cards, table),
        singles=singles,
        random_mix=_mixed(weak, max(singles, key=lambda p: p.cost)),
        oracle=best,
        oracle_apgr=apgr([best], weak, strong),
        policies=tuple(
            _judge(
                p.name, _sweep(found, cards, table, p), _sweep(fitted, cards, table, p), alone, rng
            )
            for p in policies
        ),
    )


def _mixed(cheap: Point, dear: Point) -> tuple[Point, ...]:
    """What is expected of sending a share of all to `dear` by chance, and the rest to `cheap`."""

    def between(share: float) -> Point:
        accuracy = (1 - share) * cheap.accuracy + share * dear.accuracy
        cost = (1 - share) * cheap.cost + share * dear.cost
        return Point("random mix", 1.0, accuracy, cost, share)

    return tuple(between(k / 10) for k in range(11))


def _priced(cards: Sequence[ModelCard], told: Sequence[Answered]) -> tuple[list[ModelCard], str]:
    if any(c.price_in or c.price_out for c in cards):
        return list(cards), "$"
    made = []
    for card in cards:
        own = [a for a in told if a.backbone == card.id]
        seconds = sum(a.latency_s for a in own)
        each = 1000 * seconds / max(1, sum(a.prompt_tokens + a.completion_tokens for a in own))
        made.append(replace(card, price_in=each, price_out=each))
    return made, "seconds"


def _sweep(
    found: Sequence[Case], cards: Sequence[ModelCard], table: QualityTable, policy: Policy
) -> list[tuple[float, Seen]]:
    dials = DIALS if not isinstance(policy, ByFamily) else (0.5,)
    return [(q, replay(found, cards, table, policy, q)) for q in dials]


def _judge(
    name: str,
    sweep: list[tuple[float, Seen]],
    before: list[tuple[float, Seen]],
    alone: dict[ModelId, Seen],
    rng: np.random.Generator,  # noqa: TID251 - the type
) -> Judged:
    whole = [point(model, 1.0, seen) for model, seen in alone.items()]
    strong = max(whole, key=lambda p: p.accuracy)
    # the dial is chosen on the other half: the best of many on this one would flatter
    tried = [point(name, q, seen) for q, seen in before]
    cheap = [p for p in tried if p.cost <= 0.6 * strong.cost] or [min(tried, key=lambda p: p.cost)]
    dial = max(tried, key=lambda p: (p.accuracy, -p.cost)).quality
    thrifty_dial = max(cheap, key=lambda p: (p.accuracy, -p.cost)).quality
    ends = [p.cost for p in whole]
    ranked_dial = max(tried, key=lambda p: rank_score(p, min(ends), max(ends))).quality

    def measured(at: np.ndarray | slice) -> tuple[float, ...]:
        def cut(label: str, quality: float, seen: Seen) -> Point:
            return point(label, quality, (seen[0][at], seen[1][at], seen[2][at]))

        frontier = [cut(name, q, seen) for q, seen in sweep]
        singles = {model: cut(model, 1.0, seen) for model, seen in alone.items()}
        weak, best = min(singles.values(), key=lambda p: p.cost), singles[ModelId(strong.name)]
        at_dial = {p.quality: p for p in frontier}
        mine, thrifty, ranked = (at_dial[q] for q in (dial, thrifty_dial, ranked_dial))
        costs = [p.cost for p in singles.values()]
        return (
            mine.accuracy,
            mine.cost / (best.cost or 1.0),
            mine.accuracy - best.accuracy,
            apgr(frontier, weak, best),
            cpt(frontier, weak, best, 0.5),
            cpt(frontier, weak, best, 0.8),
            thrifty.accuracy / (best.accuracy or 1.0),
            rank_score(ranked, min(costs), max(costs)),
        )

    frontier = tuple(point(name, q, seen) for q, seen in sweep)
    by_dial = {p.quality: p for p in frontier}
    return Judged(
        name=name,
        frontier=frontier,
        best=by_dial[dial],
        thrifty=by_dial[thrifty_dial],
        measures=dict(zip(MEASURES, measured(slice(None)), strict=True)),
        intervals=dict(zip(MEASURES, intervals(measured, len(sweep[0][1][0]), rng), strict=True)),
    )
