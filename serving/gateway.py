"""A request's whole path, in one screen: classify, decide, stream, record."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace

from evaluation.records import Interaction, Outcome
from routing.domain import Decision, ModelCard, ModelId, Query, RequestId
from routing.eligible import NoEligibleModelError
from routing.policies.fixed import Fixed
from routing.policy import Policy, decide
from routing.tasks import TaskScores, classify
from serving.engines.base import Engine, Piece, Prompt
from serving.errors import (
    BackboneDownError,
    ContextLengthError,
    DeadlineError,
    NoModelError,
    OverloadedError,
    ServiceError,
    StorageError,
    UnknownModelError,
)
from serving.parsing import Question
from serving.prompts import PromptFormat
from serving.transcript import Clock, Transcript

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Hosted:
    """One backbone as the gateway knows it."""

    card: ModelCard
    engine: Engine
    format: PromptFormat


@dataclass(frozen=True, slots=True)
class Reply:
    """Who answers, and the answer as it comes; `transcript` is complete when `pieces` is."""

    request_id: RequestId
    decision: Decision
    pieces: AsyncGenerator[Piece]
    transcript: Transcript
    outcome: list[Outcome]


class Gateway:
    """Knows the backbones, the policy and the spool; owns none of them."""

    def __init__(  # noqa: PLR0913 - the composition root names every part once
        self,
        *,
        hosted: Mapping[ModelId, Hosted],
        policy: Policy,
        record: Callable[[Interaction], None],
        uniform: Callable[[], float],
        clock: Clock,
        now: Callable[[], float],
        new_id: Callable[[], RequestId],
    ) -> None:
        self.hosted = hosted
        self._policy = policy
        self._record = record
        self._uniform = uniform
        self._clock = clock
        self._now = now
        self._new_id = new_id

    async def answer(self, question: Question, started_s: float) -> Reply:
        """Route `question`, start its answer and wait for the first piece.

        A backbone that is down or full is replaced by the next that the policy would choose,
        unless the request names its backbone.

        Args:
            question: what was asked.
            started_s: when the request was accepted, on the gateway's clock.

        Raises:
            UnknownModelError, NoModelError, ContextLengthError: nothing can take it.
            OverloadedError, BackboneDownError, DeadlineError, EngineError: see `errors`.
        """
        prompts = {m: h.format.token_ids(question.turns) for m, h in self._named(question).items()}
        query = self._query(question, prompts)
        scores = classify(query)
        left = [self.hosted[m].card for m in prompts]
        policy = self._policy if question.model == AUTO else Fixed(left[0].id, "pinned")
        request_id = self._new_id()
        failures: list[str] = []
        while True:
            decision = self._decide(query, scores, left, policy)
            if failures:
                tried = ", ".join(failures)
                decision = replace(decision, reason=f"{decision.reason}; instead of {tried}")
            reply = self._start(request_id, question, query, decision, prompts, started_s)
            try:
                first = await anext(reply.pieces, None)
            except (BackboneDownError, OverloadedError) as error:
                left = [card for card in left if card.id != decision.model]
                if not left or isinstance(error, StorageError):
                    raise
                failures.append(f"{decision.model} ({error.code})")
                continue
            return replace(reply, pieces=_again(first, reply.pieces))

    def _named(self, question: Question) -> Mapping[ModelId, Hosted]:
        if question.model == AUTO:
            return self.hosted
        model = ModelId(question.model)
        if model not in self.hosted:
            names = ", ".join([AUTO, *self.hosted])
            raise UnknownModelError(f"no model {question.model!r}; there are: {names}", "model")
        return {model: self.hosted[model]}

    def _query(self, question: Question, prompts: Mapping[ModelId, tuple[int, ...]]) -> Query:
        sizes = {m: self.hosted[m].format.size(ids) for m, ids in prompts.items()}
        return Query(question.text, question.facts, sizes, question.sampling.max_new_tokens)

    def _decide(
        self, query: Query, scores: TaskScores, cards: list[ModelCard], policy: Policy
    ) -> Decision:
        try:
            return decide(query, scores, cards, policy, u=self._uniform())
        except NoEligibleModelError as error:
            whole = min(query.prompt_tokens.get(c.id, 0) + query.max_new_tokens for c in cards)
            if whole > max(c.context_tokens for c in cards):
                raise ContextLengthError(str(error), "messages") from error
            raise NoModelError(str(error)) from error

    def _start(  # noqa: PLR0913 - one call, kept out of `answer` for its length only
        self,
        request_id: RequestId,
        question: Question,
        query: Query,
        decision: Decision,
        prompts: Mapping[ModelId, tuple[int, ...]],
        started_s: float,
    ) -> Reply:
        hosted = self.hosted[decision.model]
        side = hosted.format.description.image_side_px
        prompt = Prompt(
            prompts[decision.model],
            tuple(picture.shrunk(side) for picture in question.pictures),
            question.sampling,
        )
        transcript = Transcript(self._clock, started_s, query.prompt_tokens[decision.model])
        outcome: list[Outcome] = []

        def record(seen: Outcome) -> None:
            outcome.append(seen)
            hashes = tuple(p.sha256 for p in question.pictures)
            at_s = self._now() - seen.total_s
            self._record(
                Interaction(
                    request_id,
                    at_s,
                    query,
                    decision,
                    seen,
                    question.streamed,
                    hashes,
                    question.user,
                )
            )

        ends_s = started_s + question.deadline_s
        pieces = self._recorded(hosted.engine.stream(prompt), transcript, record, ends_s)
        return Reply(request_id, decision, pieces, transcript, outcome)

    async def _recorded(
        self,
        stream: AsyncGenerator[Piece],
        transcript: Transcript,
        record: Callable[[Outcome], None],
        ends_s: float,
    ) -> AsyncGenerator[Piece]:
        outcome: Outcome | None = None
        refused = False
        try:
            async with aclosing(stream) as pieces:
                async for piece in self._in_time(pieces, ends_s):
                    transcript.add(piece)
                    if piece.finish_reason is not None:  # recorded before the last byte leaves
                        outcome = transcript.finished()
                        _durably(record, outcome)
                    yield piece
        except (BackboneDownError, OverloadedError) as error:
            refused = not transcript.tokens  # never started: another backbone may be asked
            outcome = outcome or transcript.broken(by=type(error).__name__)
            if not refused and not isinstance(error, StorageError):
                record(outcome)
            raise
        except ServiceError as error:
            if outcome is None:
                outcome = transcript.broken(by=type(error).__name__)
                record(outcome)
            raise
        finally:
            if outcome is None:
                record(transcript.broken(by="Abandoned"))

    async def _in_time(self, pieces: AsyncGenerator[Piece], ends_s: float) -> AsyncGenerator[Piece]:
        while True:
            try:
                async with asyncio.timeout(max(0.0, ends_s - self._clock())):
                    piece = await anext(pieces, None)
            except TimeoutError as error:
                raise DeadlineError("the answer did not come within the deadline") from error
            if piece is None:
                return
            yield piece


def _durably(record: Callable[[Outcome], None], outcome: Outcome) -> None:
    try:
        record(outcome)
    except OSError as error:
        raise StorageError(f"the answer could not be recorded: {error}") from error


async def _again(first: Piece | None, rest: AsyncGenerator[Piece]) -> AsyncGenerator[Piece]:
    async with aclosing(rest):
        if first is not None:
            yield first
        async for piece in rest:
            yield piece
