"""Has something changed? ADWIN (Bifet & Gavaldà 2007) over accuracy, confidence and task mix."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from river.drift import ADWIN

FALSE_ALARMS = 0.002
"""ADWIN's delta: its bound on the rate of false alarms."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A change that was found: after how many values, and the mean before and after it."""

    at: int
    before: float
    after: float


def drifts(values: Iterable[float], *, delta: float = FALSE_ALARMS) -> tuple[Drift, ...]:
    """Find the changes of mean in a stream of values in [0, 1].

    Args:
        values: in the order in which they came.
        delta: bound on the rate of false alarms.
    """
    detector = ADWIN(delta=delta)  # type: ignore[no-untyped-call]  # river is partly typed
    found: list[Drift] = []
    before = 0.0
    for number, value in enumerate(values, start=1):
        before = float(detector.estimation)
        detector.update(value)  # type: ignore[no-untyped-call]  # same
        if detector.drift_detected:
            found.append(Drift(number, before, float(detector.estimation)))
    return tuple(found)


def task_mix_drifts(
    tasks: Sequence[str], *, delta: float = FALSE_ALARMS
) -> dict[str, tuple[Drift, ...]]:
    """Find the changes in the share of every task in a stream of requests."""
    kinds = sorted(set(tasks))
    level = delta / max(1, len(kinds))  # one false alarm over all tasks, not one each
    told = {kind: drifts((float(t == kind) for t in tasks), delta=level) for kind in kinds}
    return {kind: changes for kind, changes in told.items() if changes}
