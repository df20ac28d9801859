"""Who writes what down: interactions, copies and feedback go to the spool and are counted."""

from evaluation.events import Feedback, Probe, Served, Shadowed
from evaluation.experiments import FIRST_TRY
from evaluation.records import Interaction
from evaluation.spool import Spool
from routing.domain import RequestId
from serving.reply import Told
from serving.telemetry import Metrics


class Recording:
    """The writing end of everything; every method raises OSError when the disk refuses."""

    def __init__(self, spool: Spool, metrics: Metrics) -> None:
        self._spool = spool
        self._metrics = metrics

    def interaction(self, told: Told) -> None:
        """Write a user's request down, a probe, or what a cascade has not given."""
        if told.primary_id is not None:
            more = {"primary_id": told.primary_id, "experiment": told.experiment}
            self._spool.append(Shadowed.of(told.seen, **more))
            self._metrics.count("barn_escalations", told.seen.decision.task.value)
            first = told.experiment == FIRST_TRY
            self._metrics.spent(told.seen, "first try" if first else "second try")
        elif told.probe_set is not None:
            self._spool.append(Probe.of(told.seen, probe_set=told.probe_set[:64]))
            self._metrics.spent(told.seen, "probe")
        else:
            self._spool.append(Served.of(told.seen, experiment=told.experiment))
            self._metrics.saw(told)

    def due(self, experiment: str) -> None:
        """Count a shadow copy that is due; `copy` will tell how it ended."""
        self._metrics.count("barn_shadow_offered", experiment)

    def waits(self, seen: Interaction, primary: RequestId, experiment: str) -> None:
        """Write down that a shadow copy waits; what `copy` writes of it takes this one's place."""
        self._spool.append(Shadowed.of(seen, primary_id=primary, experiment=experiment))

    def copy(self, seen: Interaction, primary: RequestId, experiment: str, *, lag_s: float) -> None:
        """Write down how a shadow copy ended, so long after its primary's answer."""
        self._spool.append(Shadowed.of(seen, primary_id=primary, experiment=experiment))
        self._metrics.copied(experiment, seen.outcome, lag_s)
        self._metrics.spent(seen, "copy")

    def word(self, said: Feedback, by_probe: bool = False) -> None:  # noqa: FBT001, FBT002 - a mark
        """Write one word of feedback down; what a probe knows of itself is none of users'."""
        self._spool.append(said)
        if not by_probe:
            self._metrics.heard(said)
