"""A request's whole path, in one screen: classify, decide, stream, record."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace

from evaluation.experiments import SECOND_TRY
from evaluation.records import ABANDONED, Answer, Failure, Interaction, Outcome
from routing.domain import Decision, ModelCard, ModelId, Query, RequestId
from routing.eligible import NoEligibleModelError
from routing.features import FACTS
from serving.cascading import OF_TRY, Cascading
from serving.desk import AUTO, Case, Desk
from serving.engines.base import Piece, Prompt
from serving.errors import (
    BackboneDownError,
    ContextLengthError,
    NoModelError,
    OverloadedError,
    ServiceError,
    StorageError,
    UnknownModelError,
)
from serving.live import Loads
from serving.parsing import Question
from serving.reply import Hosted, Recorder, Reply, Told, again, durably, in_time, quietly
from serving.transcript import Clock, Transcript

LONGEST_TOKEN = 128
"""Characters; the longest tokens of LLaMA's vocabularies are runs of as many spaces."""
MANY_CHARACTERS = 4_000  # from here on a thread tokenises: milliseconds that others must not wait


class Gateway:
    """Knows the backbones, the desk and the spool; owns none of them."""

    def __init__(  # noqa: PLR0913 - the composition root names every part once
        self,
        *,
        hosted: Mapping[ModelId, Hosted],
        desk: Desk,
        loads: Loads,
        record: Recorder,
        uniform: Callable[[], float],
        clock: Clock,
        now: Callable[[], float],
        new_id: Callable[[], RequestId],
    ) -> None:
        self.hosted = hosted
        self.desk = desk
        self.loads = loads
        self._record = record
        self._uniform = uniform
        self._clock = clock
        self.now = now
        self._new_id = new_id

    async def answer(  # noqa: C901, PLR0915 - a request's whole way, to be read in one screen
        self, question: Question, started_s: float
    ) -> Reply:
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
        parsed_s = self._clock()
        if sum(len(turn.text) for turn in question.turns) > MANY_CHARACTERS:
            case, left = await asyncio.to_thread(self._case, question)
        else:
            case, left = self._case(question)
        request_id = self._new_id()
        timing = {"parse_s": parsed_s - started_s, "route_s": self._clock() - parsed_s}
        cascading = Cascading(self, case)
        failures: list[str] = []
        refusal: ServiceError | None = None
        while True:
            try:
                decision = self._decide(case, left)
            except ServiceError as error:
                raise (refusal or error) from error  # what refused first says more
            if failures:
                tried = ", ".join(failures)
                decision = replace(decision, reason=f"{decision.reason}; instead of {tried}")
            first_of_two = cascading.policy is not None and len(left) > 1
            reply = self.start(request_id, question, case, decision, started_s, held=first_of_two)
            reply.notes.update(timing)
            try:
                if first_of_two:
                    return await cascading.answered(reply, left, started_s)
                first = await anext(reply.pieces, None)
            except (BackboneDownError, OverloadedError) as error:
                if isinstance(error, StorageError):
                    raise
                if isinstance(error, BackboneDownError):
                    self.loads.refused(decision.model)
                refusal = refusal or error
                left = [card for card in left if card.id != decision.model]
                if not left:
                    raise
                if reply.outcome:  # it broke on the way and was recorded: what follows is another
                    request_id = self._new_id()
                case = case.without(left[0].id)
                failures.append(f"{decision.model} ({error.code})")
                continue
            return replace(reply, pieces=again([first] if first else [], reply.pieces))

    def _case(self, question: Question) -> tuple[Case, list[ModelCard]]:
        named = self._named(question)
        longest = max(h.card.context_tokens for h in named.values())
        characters = sum(len(turn.text) for turn in question.turns)
        if characters > LONGEST_TOKEN * longest:  # not even tokenised: that would take seconds
            raise ContextLengthError(
                f"{characters} characters do not fit a context of {longest} tokens", "messages"
            )
        sizes = {m: h.format.size(h.format.token_ids(question.turns)) for m, h in named.items()}
        query = Query(
            question.text, question.facts, question.earlier, question.user, sizes,
            question.sampling.max_new_tokens, question.named_limit,
        )  # fmt: skip
        pinned = None if self._routes(question.model) else ModelId(question.model)
        return self.desk.case(question, query, pinned), [h.card for h in named.values()]

    @staticmethod
    def _routes(model: str) -> bool:
        return model == AUTO or model.startswith(f"{AUTO}:")

    def _named(self, question: Question) -> Mapping[ModelId, Hosted]:
        if self._routes(question.model):
            return self.hosted
        model = ModelId(question.model)
        if model not in self.hosted:
            names = ", ".join([AUTO, *self.hosted])
            raise UnknownModelError(f"no model {question.model!r}; there are: {names}", "model")
        return {model: self.hosted[model]}

    def _decide(self, case: Case, cards: list[ModelCard]) -> Decision:
        try:
            return case.decided(cards, u=self._uniform())
        except NoEligibleModelError as error:
            query = case.query
            whole = min(query.prompt_tokens.get(c.id, 0) + query.room_tokens for c in cards)
            if whole > max(c.context_tokens for c in cards):
                raise ContextLengthError(str(error), "messages") from error
            raise NoModelError(str(error)) from error

    def prompt(self, question: Question, model: ModelId) -> Prompt:
        """What a backbone is shown of a question, and how long its answer may become."""
        hosted = self.hosted[model]
        shown = hosted.format
        pictures = tuple(p.shrunk(shown.description.fit) for p in question.pictures)
        ids, sampling = shown.token_ids(question.turns), question.sampling
        room = max(1, hosted.card.context_tokens - shown.size(ids))
        if room < sampling.max_new_tokens:
            sampling = replace(sampling, max_new_tokens=room)
        return Prompt(ids, pictures, sampling, background=question.probe_set is not None)

    def start(  # noqa: PLR0913 - what an answer is made of
        self,
        request_id: RequestId,
        question: Question,
        case: Case,
        decision: Decision,
        started_s: float,
        *,
        held: bool = False,
        spare: bool = False,
    ) -> Reply:
        """Ask one backbone; nothing is sent before the first piece is awaited.

        Args:
            request_id: of the request.
            question: what was asked.
            case: what routing knows of it.
            decision: whom to ask.
            started_s: when the request was accepted.
            held: whoever asks tells the answer itself, once it is known what it is for.
            spare: there is another answer: one that fails before it begins is not the request's.
        """
        hosted = self.hosted[decision.model]
        transcript = Transcript(self._clock, started_s, case.query.prompt_tokens[decision.model])
        outcome: list[Outcome] = []
        # what went before this backbone was asked: a shadow copy has nothing of it
        notes = {"before_s": self._clock() - started_s}

        def record(told: Outcome) -> None:
            outcome.append(told)
            if held and isinstance(told, Answer):
                return
            begun = bool(transcript.tokens) and not held
            if spare and isinstance(told, Failure) and told.error != ABANDONED and not begun:
                self.tell(reply, told, SECOND_TRY)
            else:
                self.tell(reply, told)

        ends_s = started_s + question.deadline_s
        stream = hosted.engine.stream(self.prompt(question, decision.model))
        pieces = self._recorded(stream, transcript, record, ends_s, hosted.card)
        reply = Reply(
            request_id, case, decision, pieces, transcript, outcome, question, notes=notes
        )
        return reply

    def second(self, first: Reply, decision: Decision, started_s: float, *, held: bool) -> Reply:
        """Ask another backbone what the first one has answered already; see `start`."""
        return self.start(
            first.request_id, first.question, first.case, decision, started_s,
            held=held, spare=True,
        )  # fmt: skip

    def tell(self, reply: Reply, told: Outcome, a_try: str | None = None) -> None:
        """Write an outcome down: the request's, or as a try of a cascade that was not given.

        Raises:
            OSError: it could not be written down.
        """
        own_id, primary = reply.request_id, None
        if a_try is not None:
            own_id, primary = RequestId(f"{own_id}{OF_TRY[a_try]}"), own_id
        hashes = tuple(p.sha256 for p in reply.question.pictures)
        detail: dict[str, Mapping[str, float]] = {
            "timing": reply.notes | reply.transcript.timing(),
            "tasks": reply.case.scores.told(),
            "accuracy": {o.card.id: round(o.accuracy, 4) for o in reply.decision.offers},
            "cost": {o.card.id: o.cost for o in reply.decision.offers},
            "picture": dict(zip(FACTS, reply.case.features.facts, strict=True)),
            "limits": reply.case.asked.limits.told(),
            "able": dict.fromkeys(reply.decision.able, 1.0),
            "draw": {} if reply.case.u is None else {"u": reply.case.u},
        }
        interaction = Interaction(
            own_id, self.now() - told.total_s, reply.case.query, reply.decision, told,
            reply.question.streamed, hashes, reply.question.user, detail,
        )  # fmt: skip
        experiment = a_try or reply.case.experiment_of(reply.decision)
        self._record(Told(interaction, primary, experiment, reply.question.probe_set))

    async def _recorded(
        self,
        stream: AsyncGenerator[Piece],
        transcript: Transcript,
        record: Callable[[Outcome], None],
        ends_s: float,
        card: ModelCard,
    ) -> AsyncGenerator[Piece]:
        outcome: Outcome | None = None
        refused, began_s = False, self._clock()
        try:
            with self.loads.under_way(card.id):
                async with aclosing(stream) as pieces:
                    async for piece in in_time(pieces, ends_s, self._clock):
                        transcript.add(piece)
                        if piece.finish_reason is not None:  # recorded before the last byte leaves
                            outcome = transcript.finished(card.price_in, card.price_out)
                            self.loads.took(card.id, self._clock() - began_s)
                            durably(record, outcome)
                        yield piece
        except (BackboneDownError, OverloadedError) as error:
            refused = not transcript.tokens  # never started: another backbone may be asked
            outcome = outcome or transcript.broken(by=type(error).__name__)
            if not refused and not isinstance(error, StorageError):
                quietly(record, outcome)
            raise
        except ServiceError as error:
            if outcome is None:
                outcome = transcript.broken(by=type(error).__name__)
                quietly(record, outcome)
            raise
        finally:
            if outcome is None:
                quietly(record, transcript.broken(by=ABANDONED))
