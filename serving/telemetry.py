"""Who counts what: the metrics of `serving.registry`, in one process or in several.

In several processes on one node the values lie in a shared folder (prometheus_client's multiprocess
mode), so any front end's /metrics tells the node's whole; nodes are scraped one by one and add up.
"""

import math
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any, Literal, TypeAlias
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
from serving.registry import REGISTRY
from serving.reply import Told

_PORT_TAKEN_S = 5.0
Route: TypeAlias = Literal["chat", "probe", "other"]
"""What was asked for: users' chats are what the service promises to answer."""


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
                mode: Literal["livesum", "livemostrecent"] = (
                    "livesum" if m.name == "barn_ongoing_requests" else "livemostrecent"
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
            error = outcome.error if isinstance(outcome, Failure) else type(outcome).__name__
            gone = error == ABANDONED
            self.count("barn_requests", *place, "abandoned" if gone else "failed")
            if not gone:
                self.count("barn_failures", *place, error)
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
        names = ("parse", "route", "first_try", "second_try", "queue", "engine")
        phases = {name: timing[f"{name}_s"] for name in names if f"{name}_s" in timing}
        rest = "framework" if "engine" in phases else "first"  # an engine that does not tell
        phases[rest] = max(0.0, outcome.first_token_s - sum(phases.values()))
        phases["stream"] = outcome.total_s - outcome.first_token_s
        for phase, seconds in phases.items():
            self.observe("barn_phase_seconds", seconds, phase, backbone)

    def spent(self, seen: Interaction, kind: str) -> None:
        """Count the tokens and dollars of an answer, served or of another kind."""
        decision, outcome = seen.decision, seen.outcome
        if not isinstance(outcome, Answer):
            return
        self.count("barn_tokens", decision.model, "prompt", kind, by=outcome.prompt_tokens)
        self.count("barn_tokens", decision.model, "completion", kind, by=outcome.completion_tokens)
        self.count("barn_cost_dollars", decision.model, decision.task.value, kind, by=outcome.cost)

    def copied(self, experiment: str, outcome: Outcome, lag_s: float) -> None:
        """Count how a shadow copy ended, and how long after its primary's answer it was there."""
        if isinstance(outcome, Answer):
            self.observe("barn_shadow_lag_seconds", lag_s, experiment)
        ended = {Answer: "answered", Dropped: "dropped"}.get(type(outcome), "failed")
        self.count("barn_shadow_copies", experiment, ended)

    def gauge_all(self, name: str, values: Mapping[tuple[str, ...], float]) -> None:
        """Set a gauge for every place that there is; those that are no more have no number."""
        gone = self._placed.get(name, set()) - values.keys()
        for place in gone:
            self.gauge(name, math.nan, *place)
            if self._shared is None:  # else its file keeps it, and `_Living` leaves it out
                self._gauges[name].remove(*place)
        for place, value in values.items():
            self.gauge(name, value, *place)
        self._placed[name] = set(values)

    def heard(self, said: Feedback) -> None:
        """Count one word of feedback, and how long after its request it came."""
        self.count("barn_feedback", said.source)
        with suppress(ValueError):  # not an id of ours: it will be an orphan
            told = UUID(said.request_id)
            if told.version != 7:
                return
            asked_ms = told.int >> 80  # RFC 9562
            self.observe("barn_feedback_delay_seconds", max(0.0, said.at_s - asked_ms / 1000))

    def refused(self, code: str, route: Route = "other") -> None:
        """Count an error that a client was told."""
        self.count("barn_errors", route, code)

    def text(self) -> bytes:
        """The current values of every process of this node, in Prometheus' text format."""
        return generate_latest(self._all())

    def _all(self) -> CollectorRegistry:
        if self._shared is None:
            return self._own
        together = CollectorRegistry()
        _Living(together, path=str(self._shared))  # type: ignore[no-untyped-call]
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


class _Living(MultiProcessCollector):
    """Forgets the dead at every look: the port's registry is made once and looked at for days."""

    def collect(self) -> Any:
        _forget_the_dead(Path(self._path))
        for metric in super().collect():  # type: ignore[no-untyped-call]
            # what is no more has no number: told for ever, ended experiments would pile up
            metric.samples = [s for s in metric.samples if not math.isnan(s.value)]
            yield metric


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
