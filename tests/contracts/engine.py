"""What every engine must keep; each check is run on the scripted, the real and the vLLM engine."""

import asyncio
from collections.abc import Awaitable
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

import pytest

from evaluation.confidence import sequence_probability
from serving.engines.base import Engine, Piece, Prompt, Sampling


class Check(Protocol):
    __name__: str

    def __call__(self, engine: Engine, prompt: Prompt) -> Awaitable[None]: ...


async def collected(engine: Engine, prompt: Prompt) -> list[Piece]:
    async with aclosing(engine.stream(prompt)) as pieces:
        return [piece async for piece in pieces]


def asked(prompt: Prompt, **sampling: object) -> Prompt:
    return Prompt(prompt.token_ids, prompt.pictures, Sampling(**sampling))  # type: ignore[arg-type]


async def ends_with_one_finish_reason(engine: Engine, prompt: Prompt) -> None:
    pieces = await collected(engine, asked(prompt, max_new_tokens=6, streamed=True))
    assert [p.finish_reason for p in pieces[:-1]] == [None] * (len(pieces) - 1)
    assert pieces[-1].finish_reason in {"stop", "length"}


async def keeps_to_the_limit_of_tokens(engine: Engine, prompt: Prompt) -> None:
    pieces = await collected(engine, asked(prompt, max_new_tokens=1, streamed=True))
    assert sum(len(p.tokens) for p in pieces) == 1


async def says_the_same_streamed_and_whole(engine: Engine, prompt: Prompt) -> None:
    parts = await collected(engine, asked(prompt, max_new_tokens=6, streamed=True))
    whole = await collected(engine, asked(prompt, max_new_tokens=6))
    assert "".join(p.text for p in parts) == "".join(p.text for p in whole)
    split = [t.logprob for p in parts for t in p.tokens]
    together = [t.logprob for p in whole for t in p.tokens]
    assert sequence_probability(split) == pytest.approx(sequence_probability(together), rel=0.05)


async def gives_log_probabilities(engine: Engine, prompt: Prompt) -> None:
    pieces = await collected(engine, asked(prompt, max_new_tokens=4, top_logprobs=1))
    tokens = [t for p in pieces for t in p.tokens]
    assert tokens
    assert all(t.logprob <= 0 and len(t.top) == 1 for t in tokens)


async def tells_where_the_time_went(engine: Engine, prompt: Prompt) -> None:
    for streamed in (True, False):
        first, *rest = await collected(engine, asked(prompt, max_new_tokens=3, streamed=streamed))
        assert first.spent is not None
        assert 0 <= first.spent.queue_s < 5
        assert 0 < first.spent.engine_s < 30
        assert first.spent.batch is not None
        assert first.spent.batch >= 1
        assert not any(p.spent for p in rest)


async def starts_what_is_asked_in_the_background_last(engine: Engine, prompt: Prompt) -> None:
    one, ended = asked(prompt, max_new_tokens=2), list[str]()

    async def ask(name: str, prompt: Prompt) -> None:
        await collected(engine, prompt)
        ended.append(name)

    copies = [ask("copy", replace(one, background=True)) for _ in range(120)]
    await asyncio.gather(*copies, ask("user", one))
    assert ended.index("user") < 80  # more than a batch of copies had still to start


async def answers_many_at_once_as_it_would_one(engine: Engine, prompt: Prompt) -> None:
    one = asked(prompt, max_new_tokens=5)
    alone = "".join(p.text for p in await collected(engine, one))
    many = await asyncio.gather(*(collected(engine, one) for _ in range(8)))
    assert {"".join(p.text for p in pieces) for pieces in many} == {alone}


async def goes_on_after_a_reader_that_left(engine: Engine, prompt: Prompt) -> None:
    async with aclosing(engine.stream(asked(prompt, max_new_tokens=6, streamed=True))) as pieces:
        await anext(pieces)
    assert await collected(engine, asked(prompt, max_new_tokens=2))
    assert await engine.healthy()


CHECKS: tuple[Check, ...] = (
    ends_with_one_finish_reason,
    keeps_to_the_limit_of_tokens,
    says_the_same_streamed_and_whole,
    gives_log_probabilities,
    answers_many_at_once_as_it_would_one,
    goes_on_after_a_reader_that_left,
)
