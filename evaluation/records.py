"""What happened to one request: the only thing that is recorded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from routing.domain import Decision, Query, RequestId


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished generation. Times are seconds since the request was accepted.

    `confidence` is the probability of exactly this answer under the model at temperature 1:
    the product of the probabilities of its tokens, the end-of-sequence token included.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    confidence: float
    finish_reason: str
    first_token_s: float
    total_s: float
    cost: float = 0.0  # dollars


ABANDONED = "Abandoned"
"""The `error` of a generation whose client went away."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A generation that did not finish; `error` is the class name of what stopped it."""

    error: str
    total_s: float
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Dropped:
    """A shadow copy that was not sent, and why; users' requests are never dropped."""

    reason: str
    total_s: float = 0.0


UNFINISHED = "unfinished"
"""The `reason` of a copy that waits or runs: it stays where its front end dies with it."""


Outcome: TypeAlias = Answer | Failure | Dropped


@dataclass(frozen=True, slots=True)
class Interaction:
    """One request from question to outcome. `image_hashes` are SHA-256 of the pictures' pixels."""

    request_id: RequestId
    at_s: float  # Unix time at which the request was accepted
    query: Query
    decision: Decision
    outcome: Outcome
    streamed: bool
    image_hashes: tuple[str, ...] = ()
    user: str | None = None
    detail: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
