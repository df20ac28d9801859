"""A cascade's way through the gateway: one answer is held back until it is known which is given."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol

from evaluation.experiments import FIRST_TRY, SECOND_TRY
from evaluation.records import Answer, Failure, Outcome
from routing.domain import Decision, ModelCard, ModelId
from routing.offers import current_latency_s
from serving.desk import Case, Desk
from serving.engines.base import Piece
from serving.errors import BackboneDownError, ServiceError
from serving.escalation import escalated, kept, left_of
from serving.live import Loads
from serving.reply import Reply, again, durably

OF_TRY: Mapping[str, str] = MappingProxyType({FIRST_TRY: "-first", SECOND_TRY: "-second"})
"""What an answer's id ends with that was not given."""


class Asks(Protocol):
    """What a cascade needs of the gateway: see `serving.gateway.Gateway`."""

    desk: Desk
    loads: Loads

    def second(
        self, first: Reply, decision: Decision, started_s: float, *, held: bool
    ) -> Reply: ...
    def tell(self, reply: Reply, told: Outcome, a_try: str | None = None) -> None: ...


class Cascading:
    """Asks a second backbone where the first one is not sure enough, and gives one answer.

    A whole answer is the surer one of the two; a stream is the second one's, whose confidence would
    be known only at its end.
    """

    def __init__(self, gateway: Asks, case: Case) -> None:
        self.policy = gateway.desk.cascade(case)
        self._gateway = gateway

    async def answered(self, first: Reply, left: list[ModelCard], started_s: float) -> Reply:
        """Hold the first answer back until its confidence says whether it is good enough."""
        held = [piece async for piece in first.pieces]
        told = first.outcome[0]
        if not isinstance(told, Answer) or self.policy is None:
            return replace(first, pieces=again(held, None))
        able = {c.id for c in left} & set(first.decision.able)
        load = self._gateway.loads.now()
        offers = [
            replace(o, latency_s=current_latency_s(o, load[o.card.id]))
            for o in first.decision.offers
            if o.card.id in able
        ]
        own = next(o for o in offers if o.card.id == first.decision.model)
        sure = first.calibrated(told, first.decision.model)
        first.notes["calibrated_confidence"] = sure
        following = self.policy.escalation(left_of(first.case.asked, told), offers, own, sure)
        if following is None:
            durably(lambda outcome: self._gateway.tell(first, outcome), told)
            return replace(first, pieces=again(held, None))
        return await self._escalated(first, told, held, following.card.id, started_s)

    async def _escalated(
        self, first: Reply, told: Answer, held: list[Piece], following: ModelId, started_s: float
    ) -> Reply:
        """Ask the second backbone; where it fails before it speaks, the first answer is given."""
        whole = not first.question.streamed
        sure = first.notes["calibrated_confidence"]
        decision = escalated(first.decision, following, sure)
        second = self._gateway.second(first, decision, started_s, held=whole)
        before_s = second.notes["before_s"]
        first_try_s = before_s - sum(first.notes[n] for n in ("parse_s", "route_s"))
        own = {"before_s": before_s, "first_try_s": first_try_s, "escalated": 1.0}
        second.notes.update(first.notes | own)
        try:
            pieces = await _begun(second, whole=whole)
        except ServiceError as error:
            if isinstance(error, BackboneDownError):
                self._gateway.loads.refused(following)
            return self._first(first, told, held)
        except BaseException:
            with suppress(OSError):  # something else is being raised, and says more
                self._gateway.tell(first, told, FIRST_TRY)
            raise
        came = second.outcome[0] if second.outcome else None
        if isinstance(came, Failure):  # it said nothing at all
            return self._first(first, told, held)
        if isinstance(came, Answer) and whole:
            its_sure = second.calibrated(came, following)
            if sure > its_sure:
                durably(lambda outcome: self._gateway.tell(second, outcome, SECOND_TRY), came)
                first = replace(first, decision=kept(first.decision, following, its_sure))
                return self._first(first, told, held, second, came)
        durably(lambda outcome: self._gateway.tell(first, outcome, FIRST_TRY), told)
        if isinstance(came, Answer) and whole:
            durably(lambda outcome: self._gateway.tell(second, outcome), came)
        rest = None if whole else second.pieces
        return replace(
            second, pieces=again(pieces, rest), first_try=told, first_model=first.decision.model
        )

    def _first(
        self,
        first: Reply,
        told: Answer,
        held: list[Piece],
        second: Reply | None = None,
        came: Answer | None = None,
    ) -> Reply:
        """Give the first answer, though a second one was asked for."""
        waited_s = first.transcript.elapsed_s()
        first.notes["second_try_s"] = waited_s - told.total_s
        told = replace(told, first_token_s=waited_s, total_s=waited_s)
        first.outcome[0] = told
        durably(lambda outcome: self._gateway.tell(first, outcome), told)
        model = None if second is None else second.decision.model
        return replace(first, pieces=again(held, None), second_try=came, second_model=model)


async def _begun(second: Reply, *, whole: bool) -> list[Piece]:
    """Every piece, or the first one of a stream."""
    if whole:
        return [piece async for piece in second.pieces]
    piece = await anext(second.pieces, None)
    return [piece] if piece else []
