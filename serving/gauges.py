"""What the evaluator says of quality, as gauges: one process sets them for all."""

from collections.abc import Mapping

from evaluation.calibration import bands
from evaluation.experiments import Register, Spec, shadow_verdicts
from evaluation.online import Place, Window, by_backbone, drift, figure, tallies
from evaluation.stores.sql import Store
from evaluation.tally import Tally
from routing.quality import QualityTable
from serving.telemetry import Metrics


def set_quality(metrics: Metrics, store: Store, table: QualityTable, window: Window) -> None:
    """Set accuracy, calibration, drift, experiments and the table's version."""
    metrics.gauge("barn_table_version", table.version)
    found = tallies(store, window)
    _set_accuracy(metrics, found)
    _set_reliability(metrics, found)
    for of, places in drift(store, window).items():
        for name, changes in places.items():
            backbone = name if of != "task_mix" else "all"
            metrics.gauge("barn_drift_changes", len(changes), backbone, of)
    for spec in Register(store).running():
        if spec.mode == "shadow":
            _set_experiment(metrics, store, spec)


def _set_accuracy(metrics: Metrics, found: Mapping[Place, Tally]) -> None:
    for (backbone, task), tally in found.items():
        one = figure(backbone, task, tally, (0.0, 1.0))
        metrics.gauge("barn_graded_answers", one.n, backbone, task)
        metrics.gauge("barn_accuracy", one.accuracy, backbone, task)
        metrics.gauge("barn_accuracy_low", one.interval[0], backbone, task)
        metrics.gauge("barn_accuracy_high", one.interval[1], backbone, task)
        metrics.gauge("barn_calibration_error", one.ece, backbone, task)
        metrics.gauge("barn_brier_score", one.brier.score, backbone, task)


def _set_reliability(metrics: Metrics, found: Mapping[Place, Tally]) -> None:
    for backbone, tally in by_backbone(found).items():
        for low, band in bands(tally).items():
            metrics.gauge("barn_reliability", band.accuracy, backbone, f"{low:.3f}")
            metrics.gauge("barn_reliability_answers", band.n, backbone, f"{low:.3f}")


def _set_experiment(metrics: Metrics, store: Store, spec: Spec) -> None:
    for candidate in spec.candidates:
        for verdict in shadow_verdicts(store, spec, candidate):
            place = (spec.name, candidate, verdict.task)
            metrics.gauge("barn_experiment_e_value", verdict.e_value, *place)
            metrics.gauge("barn_experiment_difference", verdict.difference, *place)
