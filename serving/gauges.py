"""What the evaluator says of quality, as gauges: one process sets them for all."""

from evaluation.experiments import Register, shadow_verdicts
from evaluation.online import Window, drift, figure, tallies
from evaluation.stores.sql import Store
from routing.quality import QualityTable
from serving.telemetry import Metrics


def set_quality(metrics: Metrics, store: Store, table: QualityTable, window: Window) -> None:
    """Set accuracy, calibration, drift, experiments and the table's version."""
    metrics.gauge("barn_table_version", table.version)
    for (backbone, task), tally in tallies(store, window).items():
        one = figure(backbone, task, tally, (0.0, 1.0))
        metrics.gauge("barn_graded_answers", one.n, backbone, task)
        metrics.gauge("barn_accuracy", one.accuracy, backbone, task)
        metrics.gauge("barn_accuracy_low", one.interval[0], backbone, task)
        metrics.gauge("barn_accuracy_high", one.interval[1], backbone, task)
        metrics.gauge("barn_calibration_error", one.ece, backbone, task)
        metrics.gauge("barn_brier_score", one.brier.score, backbone, task)
    for of, places in drift(store, window).items():
        for name, changes in places.items():
            backbone = name if of != "task_mix" else "all"
            metrics.gauge("barn_drift_changes", len(changes), backbone, of)
    for spec in Register(store).running():
        if spec.mode == "shadow":
            for candidate in spec.candidates:
                for verdict in shadow_verdicts(store, spec, candidate):
                    place = (spec.name, candidate, verdict.task)
                    metrics.gauge("barn_experiment_e_value", verdict.e_value, *place)
                    metrics.gauge("barn_experiment_difference", verdict.difference, *place)
