"""The registry of metrics: every name, unit, label and help text, and who counts what.

Names follow Prometheus' conventions, and OpenTelemetry's GenAI conventions where they have one.
Every label comes from a bounded set: tasks, families, configured backbones and policies, error
codes, sources, and experiments that an operator made. In several processes on one node the values
lie in a shared folder (prometheus_client's multiprocess mode), so any front end's /metrics tells
the node's whole; nodes are scraped one by one and add up.
"""

import math
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Literal
from uuid import UUID

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    start_http_server,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from evaluation.events import Feedback
from evaluation.records import ABANDONED, Answer, Dropped, Failure, Interaction, Outcome
from serving.reply import Told

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
PHASES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
DELAYS = (1.0, 10.0, 60.0, 600.0, 3_600.0, 86_400.0, 604_800.0)
BATCHES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
SHARES = tuple(k / 10 for k in range(1, 11))
_PORT_TAKEN_S = 5.0
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
    Metric("barn_errors", "counter", "Refusals and failures that a client was told.", ("code",)),
    Metric("gen_ai_server_request_duration_seconds", "histogram",
           "From accepting a request to its last token.", _PLACE, SECONDS),
    Metric("gen_ai_server_time_to_first_token_seconds", "histogram",
           "From accepting a request to its first token; of streamed answers.", _PLACE, SECONDS),
    Metric("gen_ai_server_time_per_output_token_seconds", "histogram",
           "Between tokens after the first one; of streamed answers.", ("backbone",), PHASES),
    Metric("barn_phase_seconds", "histogram",
           "Where a request's time went: parse, route, first_try (of a cascade), queue, engine (to "
           "the first piece; of an answer that is not streamed, to the whole of it), framework (the "
           "hop to the replica and back), stream.",
           ("phase", "backbone"), PHASES),
    Metric("barn_batch_size", "histogram", "Requests that an answer began beside, itself included.",
           ("backbone",), BATCHES),
    Metric("barn_tokens", "counter",
           "Tokens in prompts and answers: of what users were served, of first tries of cascades, of "
           "shadow copies, of probes.", ("backbone", "direction", "kind")),
    Metric("barn_cost_dollars", "counter", "Dollars by the configured prices, of the same kinds.",
           ("backbone", "task", "kind")),
    Metric("barn_ongoing_requests", "gauge", "Requests under way or waiting.", ("backbone",)),
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
           "Upper end of the 95 % interval over the last hour's graded answers.", ("backbone", "task")),
    Metric("barn_calibration_error", "gauge", "ECE, equal-mass bins.", ("backbone", "task")),
    Metric("barn_brier_score", "gauge", "Brier score.", ("backbone", "task")),
    Metric("barn_reliability", "gauge",
           "Accuracy of answers by how sure they were: bands of confidence, named by the lower end.",
           ("backbone", "confidence")),
    Metric("barn_reliability_answers", "gauge", "Graded answers in the band.",
           ("backbone", "confidence")),
    Metric(
        "barn_drift_changes", "gauge", "Changes found in the newest answers.",
        ("backbone", "task", "of"),
    ),
    Metric("barn_experiment_e_value", "gauge", "Evidence of a difference.", ("experiment", "candidate", "task")),
    Metric("barn_experiment_difference", "gauge", "Candidate − control.", ("experiment", "candidate", "task")),
)  # fmt: skip


class Metrics:
    """The metrics of one process."""

    def __init__(self, shared: Path | None = None) -> None:
        self._shared = shared
        if shared is not None:
            shared.mkdir(parents=True, exist_ok=True)
            _forget_the_dead(shared)
        self._own = CollectorRegistry()
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        self._placed: dict[str, set[tuple[str, ...]]] = {}
        for m in REGISTRY:
            if m.kind == "counter":
                self._counters[m.name] = Counter(m.name, m.help, m.labels, registry=self._own)
            elif m.kind == "gauge":
                mode: Literal["livemax", "mostrecent"] = (
                    "livemax" if m.name == "barn_ongoing_requests" else "mostrecent"
                )
                self._gauges[m.name] = Gauge(
                    m.name, m.help, m.labels, registry=self._own, multiprocess_mode=mode
                )
            else:
                self._histograms[m.name] = Histogram(
                    m.name, m.help, m.labels, registry=self._own, buckets=m.buckets
                )

    def count(self, name: str, *labels: str, by: float = 1.0) -> None:
        """Add to a counter of the registry."""
        found = self._counters[name]
        (found.labels(*labels) if labels else found).inc(by)

    def gauge(self, name: str, value: float, *labels: str) -> None:
        """Set a gauge of the registry."""
        found = self._gauges[name]
        (found.labels(*labels) if labels else found).set(value)

    def observe(self, name: str, value: float, *labels: str) -> None:
        """Add an observation to a histogram of the registry."""
        found = self._histograms[name]
        (found.labels(*labels) if labels else found).observe(value)

    def saw(self, told: Told) -> None:
        """Count one interaction of a user."""
        decision, outcome = told.seen.decision, told.seen.outcome
        place = (decision.task.value, decision.family.value, decision.model, decision.policy)
        self.count("barn_decisions", decision.policy, decision.model, _why(told))
        if not isinstance(outcome, Answer):
            gone = isinstance(outcome, Failure) and outcome.error == ABANDONED
            self.count("barn_requests", *place, "abandoned" if gone else "failed")
            return
        self.count("barn_requests", *place, "answered")
        self.observe("gen_ai_server_request_duration_seconds", outcome.total_s, *place)
        self.spent(told.seen, "served")
        self.observe("barn_confidence", outcome.confidence, decision.model)
        if told.seen.streamed:  # others come as one piece: it would pass for the first token
            self.observe("gen_ai_server_time_to_first_token_seconds", outcome.first_token_s, *place)
            if outcome.completion_tokens > 1:
                rest = (outcome.total_s - outcome.first_token_s) / (outcome.completion_tokens - 1)
                self.observe("gen_ai_server_time_per_output_token_seconds", rest, decision.model)
        timing = told.seen.detail.get("timing", {})
        self._phases(timing, outcome, decision.model)
        if "batch" in timing:
            self.observe("barn_batch_size", timing["batch"], decision.model)

    def _phases(self, timing: Mapping[str, float], outcome: Answer, backbone: str) -> None:
        names = ("parse", "route", "first_try", "queue", "engine")
        phases = {name: timing[f"{name}_s"] for name in names if f"{name}_s" in timing}
        rest = "framework" if "engine" in phases else "first"  # an engine that does not tell
        phases[rest] = max(0.0, outcome.first_token_s - sum(phases.values()))
        phases["stream"] = outcome.total_s - outcome.first_token_s
        for phase, seconds in phases.items():
            self.observe("barn_phase_seconds", seconds, phase, backbone)

    def spent(self, seen: Interaction, kind: str) -> None:
        """Count the tokens and dollars of an answer: `served`, `first try`, `copy` or `probe`."""
        decision, outcome = seen.decision, seen.outcome
        if not isinstance(outcome, Answer):
            return
        self.count("barn_tokens", decision.model, "prompt", kind, by=outcome.prompt_tokens)
        self.count("barn_tokens", decision.model, "completion", kind, by=outcome.completion_tokens)
        self.count("barn_cost_dollars", decision.model, decision.task.value, kind, by=outcome.cost)

    def copied(self, experiment: str, outcome: Outcome, lag_s: float) -> None:
        """Count how a shadow copy ended, and how long after its primary's answer."""
        self.observe("barn_shadow_lag_seconds", lag_s, experiment)
        ended = {Answer: "answered", Dropped: "dropped"}.get(type(outcome), "failed")
        self.count("barn_shadow_copies", experiment, ended)

    def gauge_all(self, name: str, values: Mapping[tuple[str, ...], float]) -> None:
        """Set a gauge for every place that there is; those that are no more have no number."""
        gone = self._placed.get(name, set()) - values.keys()
        for place in gone:
            self.gauge(name, math.nan, *place)
        for place, value in values.items():
            self.gauge(name, value, *place)
        self._placed[name] = set(values)

    def heard(self, said: Feedback) -> None:
        """Count one word of feedback, and how long after its request it came."""
        self.count("barn_feedback", said.source)
        with suppress(ValueError):  # not an id of ours: it will be an orphan
            asked_ms = UUID(said.request_id).int >> 80  # of a UUID version 7 (RFC 9562)
            self.observe("barn_feedback_delay_seconds", max(0.0, said.at_s - asked_ms / 1000))

    def refused(self, code: str) -> None:
        """Count an error that a client was told."""
        self.count("barn_errors", code)

    def text(self) -> bytes:
        """The current values of every process of this node, in Prometheus' text format."""
        return generate_latest(self._all())

    def _all(self) -> CollectorRegistry:
        if self._shared is None:
            return self._own
        together = CollectorRegistry()
        MultiProcessCollector(together, path=str(self._shared))  # type: ignore[no-untyped-call]
        return together

    def listen(self, host: str, port: int, stop: Event) -> None:
        """Tell this node's metrics on a port of its own, until `stop` is set.

        One process of the node has the port; the others wait to follow it.
        """
        while not stop.is_set():
            try:
                server, thread = start_http_server(port, host, self._all())
            except OSError:
                stop.wait(_PORT_TAKEN_S)
                continue
            stop.wait()
            server.shutdown()
            server.server_close()
            thread.join()


def _forget_the_dead(folder: Path) -> None:
    """Remove what killed processes said was going on in them; their counts stay."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = file.stem.rpartition("_")[2]
        if pid.isdecimal() and not _lives(int(pid)):
            with suppress(FileNotFoundError):  # another process was first
                mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]  # is untyped


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def _why(told: Told) -> str:
    """Why a request went to its backbone, in one of five words."""
    if told.experiment is not None:
        return "experiment"
    if told.seen.decision.policy == "pinned":
        return "pinned"
    if "escalated" in told.seen.detail.get("timing", {}):
        return "escalated"
    return "drawn" if told.seen.decision.drawn else "preferred"
