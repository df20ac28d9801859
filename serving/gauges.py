"""What the evaluator says of quality, as gauges: one process sets them for all."""

from collections.abc import Callable, Mapping

from evaluation.calibration import bands
from evaluation.drift import Drift
from evaluation.experiments import Register
from evaluation.online import Figure, Place, Window, by_backbone, figure, tallies
from evaluation.sequences import bounded_mean
from evaluation.shadows import shadow_verdicts
from evaluation.splits import split_verdicts
from evaluation.stores.sql import Store
from evaluation.tally import Tally
from evaluation.watched import drift
from routing.quality import QualityTable
from serving.telemetry import Metrics

LEAST_IN_AN_HOUR = 20
"""Graded answers without which an hour says nothing."""


def set_quality(
    metrics: Metrics, store: Store, table: QualityTable, window: Window, hour: Window
) -> None:
    """Set accuracy, calibration, drift, experiments and the table's version.

    `window` is what the figures are of; `hour` is its end, to hold against the whole of it.

    What is no more (a task without grades in the window, an experiment that has ended) loses its
    number, so that no alert hangs on it.
    """
    metrics.gauge("barn_table_version", table.version)
    found = tallies(store, window)
    _set_accuracy(metrics, found)
    now = {p: t for p, t in tallies(store, hour).items() if t.count >= LEAST_IN_AN_HOUR}
    high: dict[tuple[str, ...], float] = {
        p: bounded_mean(t.count, float(t.score.sum()))[1] for p, t in now.items()
    }
    # an alert holds it against the day's low end: both are of what may be looked at all day
    metrics.gauge_all("barn_accuracy_hour_high", high)
    _set_reliability(metrics, found)
    changes: dict[tuple[str, ...], tuple[Drift, ...]] = {
        (w.backbone, w.task, w.of): w.changes for w in drift(store, window)
    }
    metrics.gauge_all("barn_drift_changes", {p: len(found) for p, found in changes.items()})
    moved = {p: abs(c[-1].after - c[-1].before) if c else 0.0 for p, c in changes.items()}
    metrics.gauge_all("barn_drift_score", moved)
    _set_experiments(metrics, store)


def _set_accuracy(metrics: Metrics, found: Mapping[Place, Tally]) -> None:
    told = {place: figure(*place, tally) for place, tally in found.items()}
    gauges: dict[str, Callable[[Figure], float]] = {
        "barn_graded_answers": lambda one: one.n,
        "barn_accuracy": lambda one: one.accuracy,
        "barn_accuracy_low": lambda one: one.interval[0],
        "barn_accuracy_high": lambda one: one.interval[1],
        "barn_accuracy_day_low": lambda one: one.sequence[0],
        "barn_calibration_error": lambda one: one.ece,
        "barn_brier_score": lambda one: one.brier.score,
    }
    for name, value in gauges.items():
        metrics.gauge_all(name, {place: value(one) for place, one in told.items()})


def _set_reliability(metrics: Metrics, found: Mapping[Place, Tally]) -> None:
    places = {
        (backbone, f"{low:.3f}"): band
        for backbone, tally in by_backbone(found).items()
        for low, band in bands(tally).items()
    }
    metrics.gauge_all("barn_reliability", {p: band.accuracy for p, band in places.items()})
    metrics.gauge_all("barn_reliability_answers", {p: band.n for p, band in places.items()})


def _set_experiments(metrics: Metrics, store: Store) -> None:
    evidence: dict[tuple[str, ...], float] = {}
    differences: dict[tuple[str, ...], float] = {}
    for spec in Register(store).running():
        if spec.mode == "shadow":
            for candidate in spec.candidates:
                for verdict in shadow_verdicts(store, spec, candidate):
                    place = (spec.name, candidate, verdict.task)
                    evidence[place], differences[place] = verdict.e_value, verdict.difference
            continue
        for candidate, tasks in split_verdicts(store, spec).items():
            for task, compared in tasks.items():
                place = (spec.name, candidate, task)
                evidence[place], differences[place] = compared.e_value, compared.difference
    metrics.gauge_all("barn_experiment_e_value", evidence)
    metrics.gauge_all("barn_experiment_difference", differences)
