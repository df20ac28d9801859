"""The registry of metrics: every name, unit, label and help text.

Names follow Prometheus' conventions, and OpenTelemetry's GenAI conventions where they have one.
Every label comes from a bounded set: tasks, families, configured backbones and policies, error
codes, sources, and experiments that an operator made.
"""

from dataclasses import dataclass
from typing import Literal

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0)
PHASES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 120.0)
DELAYS = (1.0, 10.0, 60.0, 600.0, 3_600.0, 86_400.0, 604_800.0)
BATCHES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
SHARES = tuple(k / 10 for k in range(1, 11))
_PLACE = ("task", "family", "backbone", "policy")


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric as it is exported; `buckets` for histograms only."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def unit(self) -> str:
        """The unit, which Prometheus wants at the name's end; `1` for numbers and shares.

        >>> Metric("barn_spool_bytes", "gauge", "Bytes.").unit
        'bytes'
        """
        last = self.name.rpartition("_")[2]
        return last if last in {"seconds", "bytes", "dollars"} else "1"


REGISTRY: tuple[Metric, ...] = (
    Metric("barn_requests", "counter", "Requests that a backbone was started for.", (*_PLACE, "outcome")),
    Metric("barn_errors", "counter",
           "Refusals and failures that a client was told: of users' chats, of probes, of all else.",
           ("route", "code")),
    Metric("barn_failures", "counter",
           "Requests that a backbone had begun and that broke, by the kind of error.",
           (*_PLACE, "error")),
    Metric("gen_ai_server_request_duration_seconds", "histogram",
           "From accepting a request to its last token.", _PLACE, SECONDS),
    Metric("gen_ai_server_time_to_first_token_seconds", "histogram",
           "From accepting a request to its first token; of streamed answers.", _PLACE, SECONDS),
    Metric("gen_ai_server_time_per_output_token_seconds", "histogram",
           "Between tokens after the first one; of streamed answers.", ("backbone",), PHASES),
    Metric("barn_phase_seconds", "histogram",
           "Where a request's time went: parse, route, first_try and second_try (of a cascade, that "
           "were not given), queue, engine (to "
           "the first piece; of an answer that is not streamed, to the whole of it), framework (the "
           "hop to the replica and back), stream.",
           ("phase", "backbone"), PHASES),
    Metric("barn_batch_size", "histogram", "Requests that an answer began beside, itself included.",
           ("backbone",), BATCHES),
    Metric("barn_tokens", "counter",
           "Tokens in prompts and answers: of what users were served, of tries of cascades, of "
           "shadow copies, of probes.", ("backbone", "direction", "kind")),
    Metric("barn_cost_dollars", "counter", "Dollars by the configured prices, of the same kinds.",
           ("backbone", "task", "kind")),
    Metric("barn_ongoing_requests", "gauge",
           "Requests that front ends have sent and that have not ended, waiting ones too.",
           ("backbone",)),
    Metric("barn_replica_requests", "gauge",
           "Requests that the replicas have taken, of every front end, copies too; what front ends "
           "have sent beyond it waits in the queue.", ("backbone",)),
    Metric("barn_backbone_up", "gauge", "1 while a replica of the backbone can be asked.",
           ("backbone",)),
    Metric("barn_decisions", "counter",
           "Choices of a backbone, and why: preferred, drawn (explored), by an experiment, pinned by "
           "the client, escalated by a cascade.",
           ("policy", "backbone", "why")),
    Metric("barn_escalations", "counter", "Cascades that asked a second backbone.", ("task",)),
    Metric("barn_confidence", "histogram", "Confidence of answers.", ("backbone",), SHARES),
    Metric("barn_shadow_offered", "counter", "Shadow copies that were due.", ("experiment",)),
    Metric("barn_shadow_copies", "counter", "Shadow copies by how they ended.", ("experiment", "outcome")),
    Metric("barn_shadow_lag_seconds", "histogram",
           "From a user's answer to the end of its shadow copy.", ("experiment",), SECONDS),
    Metric("barn_spool_bytes", "gauge", "Bytes in the spool that wait for the store."),
    Metric("barn_drain_lag_seconds", "gauge",
           "Since everything that was in the spool was in the store."),
    Metric("barn_drain_failures", "counter", "Times the store was away when events were due."),
    Metric("barn_feedback", "counter", "Words of feedback.", ("source",)),
    Metric("barn_feedback_delay_seconds", "histogram",
           "From accepting a request to a word about its answer.", (), DELAYS),
    Metric("barn_table_version", "gauge", "Version of the quality table in use."),
    Metric("barn_graded_answers", "gauge", "Graded answers of the last 24 hours.",
           ("backbone", "task")),
    Metric("barn_accuracy", "gauge", "Accuracy on them.", ("backbone", "task")),
    Metric("barn_accuracy_low", "gauge", "Lower end of its 95 % interval.", ("backbone", "task")),
    Metric("barn_accuracy_high", "gauge", "Upper end of its 95 % interval.", ("backbone", "task")),
    Metric("barn_accuracy_hour_high", "gauge",
           "Upper end of the last hour's 95 % confidence sequence, which may be looked at always.",
           ("backbone", "task")),
    Metric("barn_accuracy_day_low", "gauge", "Lower end of the last day's.", ("backbone", "task")),
    Metric("barn_calibration_error", "gauge", "ECE, equal-mass bins.", ("backbone", "task")),
    Metric("barn_brier_score", "gauge", "Brier score.", ("backbone", "task")),
    Metric("barn_reliability", "gauge",
           "Accuracy of answers by how sure they were: bands of confidence, named by the lower end.",
           ("backbone", "confidence")),
    Metric("barn_reliability_answers", "gauge", "Graded answers in the band.",
           ("backbone", "confidence")),
    Metric("barn_drift_changes", "gauge", "Changes found in the newest answers.",
           ("backbone", "task", "of")),
    Metric("barn_drift_score", "gauge",
           "How far the mean moved with the last of them; 0 where there was none.",
           ("backbone", "task", "of")),
    Metric("barn_experiment_e_value", "gauge", "Evidence of a difference.", ("experiment", "candidate", "task")),
    Metric("barn_experiment_difference", "gauge", "Candidate − control.", ("experiment", "candidate", "task")),
)  # fmt: skip
