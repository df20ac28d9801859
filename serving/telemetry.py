"""The metrics of a front end: names, units, labels, help. Every label set is bounded."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from evaluation.records import Answer, Dropped, Interaction, Outcome

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
_PLACE = ("task", "family", "backbone", "policy")


class Metrics:
    """One registry per front end replica."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        own = self._registry
        self._requests = Counter(
            "barn_requests",
            "Requests that a backbone was started for.",
            [*_PLACE, "outcome"],
            registry=own,
        )
        self._errors = Counter("barn_errors", "Refusals and failures.", ["code"], registry=own)
        self._first_token = Histogram(
            "barn_time_to_first_token_seconds",
            "From accepting a request to its first token.",
            _PLACE,
            buckets=SECONDS,
            registry=own,
        )
        self._duration = Histogram(
            "barn_request_duration_seconds",
            "From accepting a request to its last token.",
            _PLACE,
            buckets=SECONDS,
            registry=own,
        )
        self._tokens = Counter(
            "barn_tokens", "Tokens in prompts and answers.", ["backbone", "direction"], registry=own
        )

        self._copies = Counter(
            "barn_shadow_copies",
            "Shadow copies by how they ended.",
            ["experiment", "outcome"],
            registry=own,
        )

    def saw(self, seen: Interaction) -> None:
        """Count one interaction."""
        decision = seen.decision
        place = (decision.task.value, decision.family.value, decision.model, decision.policy)
        told = seen.outcome
        if not isinstance(told, Answer):
            self._requests.labels(*place, "failed").inc()
            return
        self._requests.labels(*place, "answered").inc()
        self._first_token.labels(*place).observe(told.first_token_s)
        self._duration.labels(*place).observe(told.total_s)
        self._tokens.labels(decision.model, "prompt").inc(told.prompt_tokens)
        self._tokens.labels(decision.model, "completion").inc(told.completion_tokens)

    def copied(self, experiment: str, outcome: Outcome) -> None:
        """Count how a shadow copy ended."""
        ended = {Answer: "answered", Dropped: "dropped"}.get(type(outcome), "failed")
        self._copies.labels(experiment, ended).inc()

    def refused(self, code: str) -> None:
        """Count an error that a client was told."""
        self._errors.labels(code).inc()

    def text(self) -> bytes:
        """The current values, in Prometheus' text format."""
        return generate_latest(self._registry)
