"""What a request's way through the gateway is made of: who answers, and the answer itself."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeAlias

from evaluation.records import Answer, Interaction, Outcome
from routing.domain import Decision, ModelCard, ModelId, RequestId
from serving.desk import Case
from serving.engines.base import Engine, Piece
from serving.errors import DeadlineError, EngineError, ServiceError, StorageError
from serving.parsing import Question
from serving.prompts import PromptFormat
from serving.transcript import Clock, Transcript

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hosted:
    """One backbone as the gateway knows it."""

    card: ModelCard
    engine: Engine
    format: PromptFormat


@dataclass(frozen=True, slots=True)
class Told:
    """An interaction and where it belongs: a user's own, a first try of a cascade, or a split."""

    seen: Interaction
    primary_id: RequestId | None = None
    experiment: str | None = None
    probe_set: str | None = None


Recorder: TypeAlias = Callable[[Told], None]
"""Writes an interaction down before its last byte leaves; raises OSError when it cannot."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Who answers, and the answer as it comes; `transcript` is complete when `pieces` is."""

    request_id: RequestId
    case: Case
    decision: Decision
    pieces: AsyncGenerator[Piece]
    transcript: Transcript
    outcome: list[Outcome]
    question: Question
    first_try: Answer | None = None  # a cascade's answer that was not good enough
    first_model: ModelId | None = None
    second_try: Answer | None = None  # a cascade's that was less sure than the first
    second_model: ModelId | None = None
    notes: dict[str, float] = field(default_factory=dict)

    def calibrated(self, told: Answer, model: ModelId) -> float:
        """How probably an answer of `model` is right, by the table of the request."""
        worth = self.case.state.table.worth(model)
        return worth.calibrated(self.decision.task, told.confidence)


def durably(record: Callable[[Outcome], None], outcome: Outcome) -> None:
    """Record an outcome.

    Raises:
        StorageError: it could not be written down, so the answer must not be given.
    """
    try:
        record(outcome)
    except OSError as error:
        raise StorageError(f"the answer could not be recorded: {error}") from error


def quietly(record: Callable[[Outcome], None], outcome: Outcome) -> None:
    """Record how a request ended for which nobody waits any more."""
    try:
        record(outcome)
    except OSError as error:  # there is no answer that must not be given
        _log.error("a failure could not be recorded: %s", error)


async def in_time(
    pieces: AsyncGenerator[Piece], ends_s: float, clock: Clock
) -> AsyncGenerator[Piece]:
    """Yield the pieces that come before `ends_s` on the gateway's clock.

    Raises:
        DeadlineError: the next one did not.
        EngineError: the engine raised what no engine should; a client is told of it all the same.
    """
    while True:
        try:
            async with asyncio.timeout(max(0.0, ends_s - clock())):
                piece = await anext(pieces, None)
        except TimeoutError as error:
            raise DeadlineError("the answer did not come within the deadline") from error
        except ServiceError:
            raise
        except Exception as error:
            _log.exception("an engine failed as none should")  # its words are not for clients
            raise EngineError(type(error).__name__) from error
        if piece is None:
            return
        yield piece


async def again(first: list[Piece], rest: AsyncGenerator[Piece] | None) -> AsyncGenerator[Piece]:
    """Yield the pieces that were awaited already, then the rest."""
    if rest is None:
        for piece in first:
            yield piece
        return
    async with aclosing(rest):
        for piece in first:
            yield piece
        async for piece in rest:
            yield piece
