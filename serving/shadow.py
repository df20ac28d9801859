"""Bounded copies of users' requests to candidates, after the answer has left.

A copy has the lowest priority: it waits until the backbones are nearly idle, and is dropped and
counted when that takes too long, when the queue is full, or when its experiment's budget is spent.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol

from evaluation.experiments import Spec
from evaluation.records import UNFINISHED, Answer, Dropped, Failure, Interaction, Outcome
from routing.domain import ModelId, RequestId
from serving.errors import OverloadedError, ServiceError
from serving.gateway import Gateway
from serving.parsing import Question
from serving.reply import Reply
from serving.transcript import Transcript

_log = logging.getLogger(__name__)


def _short(name: str) -> str:
    """A name in a few characters, different for different names."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class ShadowLimits:
    """What copies may cost the service.

    `admit_below` is the share of capacity in use, of control and candidate, above which a copy
    waits; `patience_s` how long it may wait.
    """

    queue: int = 64
    concurrency: int = 2
    admit_below: float = 0.25
    patience_s: float = 10.0


class Ledger(Protocol):
    """Where copies are written down."""

    def due(self, experiment: str) -> None: ...
    def waits(self, seen: Interaction, primary: RequestId, experiment: str) -> None: ...
    def copy(
        self, seen: Interaction, primary: RequestId, experiment: str, *, lag_s: float
    ) -> None: ...


class Running(Protocol):
    """The experiments that take traffic, and the tokens that their copies have spent."""

    def running(self) -> Sequence[Spec]: ...
    def spent(self, experiment: str) -> int: ...
    def spend(self, experiment: str, tokens: int) -> None: ...


@dataclass(frozen=True, slots=True)
class _Copy:
    spec: Spec
    candidate: ModelId
    reply: Reply
    question: Question
    due_s: float


class Shadows:
    """Owns its queue and its workers; `close` ends them."""

    def __init__(
        self,
        gateway: Gateway,
        limits: ShadowLimits,
        running: Running,
        ledger: Ledger,
        clock: Callable[[], float],
    ) -> None:
        self.gateway = gateway
        self._limits = limits
        self._running = running
        self._ledger = ledger
        self._clock = clock
        self._queue: asyncio.Queue[_Copy] = asyncio.Queue(maxsize=limits.queue)
        self._workers: set[asyncio.Task[None]] = set()

    def offer(self, reply: Reply) -> None:
        """Copy an answered request to every experiment that wants it; never blocks, never fails."""
        try:
            self._offer(reply)
        except Exception:  # noqa: BLE001 - whatever it is, the user's answer comes first
            _log.exception(
                "request %s could not be copied; its answer is not harmed", reply.request_id
            )

    def _offer(self, reply: Reply) -> None:
        outcome = reply.outcome[0] if reply.outcome else None
        if not isinstance(outcome, Answer) or reply.question.probe_set is not None:
            return
        for spec in self._running.running():
            wanted = (
                spec.mode == "shadow"
                and reply.decision.model == spec.control
                and spec.wants(reply.decision.task.value, reply.question.user)
                and spec.copied(reply.request_id)
            )
            if not wanted:
                continue
            due_s = self._clock() + self._limits.patience_s
            for candidate in map(ModelId, spec.trying):
                if candidate in self.gateway.hosted:
                    self._ledger.due(spec.name)
                    self._enqueue(_Copy(spec, candidate, reply, reply.question, due_s))

    def _enqueue(self, copy: _Copy) -> None:
        if self._over_budget(copy):
            self._end(copy, Dropped("budget"))
            return
        if self._queue.full():
            self._end(copy, Dropped("queue full"))
            return
        # Written down before it waits: a front end that is killed leaves no copy without an end.
        seen = self._seen(copy, Dropped(UNFINISHED))
        try:
            self._ledger.waits(seen, copy.reply.request_id, copy.spec.name)
        except OSError as error:
            _log.error("a shadow copy could not be written down, it runs all the same: %s", error)
        self._queue.put_nowait(copy)
        while len(self._workers) < self._limits.concurrency:
            # owned here and ended by `close`; there is no task group around a web server's life
            worker = asyncio.get_running_loop().create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    def _over_budget(self, copy: _Copy) -> bool:
        return self._running.spent(copy.spec.name) >= copy.spec.max_tokens

    async def _work(self) -> None:
        while True:
            copy = await self._queue.get()
            outcome: Outcome = Dropped("shutdown")
            try:
                outcome = await self._outcome(copy)
            except Exception as error:  # noqa: BLE001 - the worker must live, others are queued
                _log.exception("a copy for %s failed", copy.spec.name)
                outcome = Failure(error=type(error).__name__, total_s=0.0)
            finally:
                self._end(copy, outcome)

    async def _outcome(self, copy: _Copy) -> Outcome:
        if not await self._admitted(copy):
            return Dropped("busy")
        if self._over_budget(copy):  # those before it in the queue may have spent the rest
            return Dropped("budget")
        return await self._run(copy)

    async def _admitted(self, copy: _Copy) -> bool:
        """Wait for a quiet moment; False when none came in time."""
        while self._clock() < copy.due_s:
            if not self._busy():
                return True
            await asyncio.sleep(0.02)
        return False

    def _busy(self) -> bool:
        """Whether any backbone is: those that this copy does not need may share its machine."""
        shares = [self.gateway.loads.share(place) for place in self.gateway.hosted]
        return max(shares) >= self._limits.admit_below

    async def _run(self, copy: _Copy) -> Outcome:
        """Ask the candidate as the primary was asked: streamed when that was."""
        model = copy.candidate
        hosted = self.gateway.hosted[model]
        size = copy.reply.case.query.prompt_tokens.get(model, 0)
        transcript = Transcript(self._clock, self._clock(), size)
        try:
            prompt = replace(self.gateway.prompt(copy.question, model), background=True)
            size = hosted.format.size(prompt.token_ids)
            if size + copy.reply.case.query.room_tokens > hosted.card.context_tokens:
                return Dropped("too long for the candidate")
            transcript = Transcript(self._clock, self._clock(), size)
            async with (
                asyncio.timeout(copy.question.deadline_s),
                aclosing(hosted.engine.stream(prompt)) as pieces,
            ):
                async for piece in pieces:
                    transcript.add(piece)
        except OverloadedError:  # its place went to users meanwhile: no fault of the candidate
            return Dropped("busy")
        except (ServiceError, TimeoutError) as error:
            if isinstance(error, TimeoutError) and not transcript.tokens and self._busy():
                return Dropped("busy")  # everybody went before it
            return transcript.broken(by=type(error).__name__)
        return transcript.finished(hosted.card.price_in, hosted.card.price_out)

    def _end(self, copy: _Copy, outcome: Outcome) -> None:
        """Every copy ends here, exactly once: answered, failed or dropped."""
        if not isinstance(outcome, Dropped):
            self._running.spend(copy.spec.name, outcome.prompt_tokens + outcome.completion_tokens)
        seen = self._seen(copy, outcome)
        try:
            lag_s = self._clock() - copy.due_s + self._limits.patience_s
            self._ledger.copy(seen, copy.reply.request_id, copy.spec.name, lag_s=lag_s)
        except OSError as error:  # a copy is worth no user's answer
            _log.error("a shadow copy could not be recorded: %s", error)

    def _seen(self, copy: _Copy, outcome: Outcome) -> Interaction:
        primary = copy.reply
        decision = replace(
            primary.decision,
            model=copy.candidate,
            propensity=1.0,
            policy=f"shadow:{copy.spec.name}",
            reason=f"copy of {primary.request_id}",
        )
        own = _short(f"{copy.spec.name}/{copy.candidate}")
        return Interaction(
            RequestId(f"{primary.request_id}-{own}"),
            self.gateway.now(),
            primary.case.query,
            decision,
            outcome,
            copy.question.streamed,
            tuple(p.sha256 for p in copy.question.pictures),
            copy.question.user,
        )

    async def close(self) -> None:
        """End the workers and count what is left as dropped."""
        workers = list(self._workers)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        while not self._queue.empty():
            self._end(self._queue.get_nowait(), Dropped("shutdown"))
