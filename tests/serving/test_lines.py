"""Prompts go to replicas on lines of our own: whole, once, and nowhere that is about to stop."""

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace

import pytest

from serving.autoscaling import LINES, by_requests
from serving.engines.base import Picture, Piece, Prompt, Sampling, Spent, Token
from serving.engines.frames import MOST_BYTES, Address, Framed
from serving.engines.lines import Lines, LostError, NotTakenError, Replica
from serving.engines.listener import Listener
from serving.engines.scripted import Scripted
from serving.errors import BackboneDownError, EngineError
from tests.contracts.engine import CHECKS, Check, collected

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(30)]
PROMPT = Prompt((1, 2, 3), (Picture(2, 1, b"abcdef"),), Sampling(seed=3, streamed=True))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


ALL_OF_IT = Piece("é", (Token(1, "é", -math.inf, (("é", -0.5),)),), "stop", Spent(0.1, 0.2, 3))


@dataclass
class Echo:
    """Keeps what it was asked, and says one piece with everything a piece can hold."""

    asked: list[Prompt] = field(default_factory=list)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece]:
        self.asked.append(prompt)
        yield ALL_OF_IT

    async def healthy(self) -> bool:
        return True


class OnALine:
    """An engine behind a listener, as a front end sees it."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece]:
        async with aclosing(self.replica.ask(prompt)) as pieces:
            async for piece in pieces:
                yield piece

    async def healthy(self) -> bool:
        return True


class Opened:
    """Listeners and the front end's side of each; closed when the test ends."""

    def __init__(self) -> None:
        self._both: list[tuple[Listener, Replica]] = []

    async def __call__(self, engine: Scripted | Echo) -> tuple[Listener, Replica]:
        listener = Listener(engine)
        self._both.append((listener, Replica(await listener.start("127.0.0.1"))))
        return self._both[-1]

    async def close(self) -> None:
        for listener, replica in self._both:
            replica.close()
            for line in list(listener.lines):
                line.hang_up()
            await listener.close()


@pytest.fixture
async def listening() -> AsyncIterator[Opened]:
    opened = Opened()
    yield opened
    await opened.close()


@pytest.fixture
async def scripted(listening: Opened) -> OnALine:
    _, replica = await listening(Scripted(("a ", "cat ", "sat")))
    return OnALine(replica)


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
async def test_an_engine_on_a_line_keeps_the_contract(check: Check, scripted: OnALine) -> None:
    await check(scripted, PROMPT)


async def test_a_prompt_and_its_piece_arrive_as_they_were_sent(listening: Opened) -> None:
    echo = Echo()
    _, replica = await listening(echo)

    said = await collected(OnALine(replica), PROMPT)

    assert echo.asked == [PROMPT]
    spent = said[0].spent
    assert spent is not None
    assert spent.replica_s is not None
    assert 0 < spent.replica_s < 5
    assert [replace(said[0], spent=replace(spent, replica_s=None))] == [ALL_OF_IT]


async def test_a_line_is_used_again_and_a_second_one_opened_only_for_what_comes_meanwhile(
    listening: Opened,
) -> None:
    listener, replica = await listening(Scripted(pause_s=0.02))

    for _ in range(3):
        await collected(OnALine(replica), PROMPT)
    one_after_another = len(listener.lines)
    await asyncio.gather(*(collected(OnALine(replica), PROMPT) for _ in range(2)))

    assert (one_after_another, len(listener.lines)) == (1, 2)


async def test_a_reader_that_leaves_frees_the_place_in_the_engine(listening: Opened) -> None:
    listener, replica = await listening(Scripted(("a ",) * 50, pause_s=0.05))

    async with aclosing(replica.ask(PROMPT)) as pieces:
        await anext(pieces)
        under_way = listener.ongoing
    for _ in range(100):
        if not listener.ongoing:
            break
        await asyncio.sleep(0.01)

    assert (under_way, listener.ongoing, replica.ongoing) == (1, 0, 0)


@pytest.mark.parametrize(
    ("raised", "expected"),
    [(BackboneDownError("vLLM stopped"), BackboneDownError), (EngineError("odd"), EngineError)],
)
async def test_what_an_engine_raises_is_raised_at_the_front(
    raised: BackboneDownError | EngineError, expected: type[Exception], listening: Opened
) -> None:
    listener, replica = await listening(Scripted(refuses=raised))

    with pytest.raises(expected, match=str(raised)):
        await collected(OnALine(replica), PROMPT)

    assert len(listener.lines) == 1  # the line is as good as before


async def test_a_replica_that_stops_finishes_its_answers_and_takes_no_other(
    listening: Opened,
) -> None:
    listener, replica = await listening(Scripted(("a ", "cat ", "sat"), pause_s=0.05))
    await collected(OnALine(replica), PROMPT)  # leaves an idle line behind
    under_way = asyncio.ensure_future(collected(OnALine(replica), PROMPT))
    await asyncio.sleep(0.06)

    stopping = asyncio.ensure_future(listener.close())
    await asyncio.sleep(0)
    with pytest.raises(NotTakenError):
        await collected(OnALine(replica), PROMPT)
    said = await under_way
    await stopping

    assert "".join(p.text for p in said) == "a cat sat"
    with pytest.raises(NotTakenError):
        await collected(OnALine(replica), PROMPT)


async def test_a_prompt_that_crosses_the_goodbye_was_not_taken(listening: Opened) -> None:
    listener, replica = await listening(Scripted())
    await collected(OnALine(replica), PROMPT)
    listener.leaving = True  # the goodbye is still to be said
    asked = asyncio.ensure_future(collected(OnALine(replica), PROMPT))
    await asyncio.sleep(0.05)

    await listener.close()

    with pytest.raises(NotTakenError):
        await asked


async def test_a_line_that_breaks_under_an_answer_is_lost(listening: Opened) -> None:
    listener, replica = await listening(Scripted(("a ",) * 50, pause_s=0.05))

    async with aclosing(replica.ask(PROMPT)) as pieces:
        await anext(pieces)
        for line in list(listener.lines):
            line.hang_up()
        with pytest.raises(LostError):
            async for _ in pieces:
                pass


async def test_who_does_not_know_the_secret_is_not_listened_to(listening: Opened) -> None:
    echo = Echo()
    _, replica = await listening(echo)
    stranger = Replica(Address(replica.address.host, replica.address.port, "guessed"))

    with pytest.raises(LostError):
        await collected(OnALine(stranger), PROMPT)

    assert echo.asked == []


async def test_a_frame_beyond_the_limit_ends_the_line() -> None:
    class Deaf(Framed):
        def frame_received(self, frame: bytes) -> None:
            raise AssertionError(frame)

    class Wire(asyncio.Transport):
        aborted = False

        def abort(self) -> None:
            self.aborted = True

    deaf, wire = Deaf(), Wire()
    deaf.connection_made(wire)

    deaf.data_received((MOST_BYTES + 1).to_bytes(4) + b"x" * 100)

    assert wire.aborted


async def test_frames_are_whole_however_they_are_cut() -> None:
    class Kept(Framed):
        def __init__(self) -> None:
            super().__init__()
            self.frames: list[bytes] = []

        def frame_received(self, frame: bytes) -> None:
            self.frames.append(frame)

    sent = b"".join(len(f).to_bytes(4) + f for f in (b"", b"a", b"bc" * 300))
    for size in (1, 3, 7, 1_000):
        kept = Kept()
        for start in range(0, len(sent), size):
            kept.data_received(sent[start : start + size])
        assert kept.frames == [b"", b"a", b"bc" * 300]


def test_the_least_busy_replica_is_asked_whoever_keeps_it_busy() -> None:
    first, second = Address("127.0.0.1", 1, "a"), Address("127.0.0.1", 2, "b")
    lines = Lines()

    lines.reported({first: 3, second: 1})
    quiet = lines.least_busy()
    lines.reported({first: 0, second: 1})
    other = lines.least_busy()
    lines.reported({second: 1})

    assert quiet is not None
    assert other is not None
    assert (quiet.address, other.address, len(lines)) == (second, first, 1)


@dataclass
class Context:
    """As Ray Serve's `AutoscalingContext`, as far as the rule looks."""

    current_num_replicas: int
    total_num_requests: float
    aggregated_metrics: dict[str, dict[str, float]]
    target_num_replicas: int = 1
    config: "Context | None" = None

    def get_target_ongoing_requests(self) -> float:
        return 4.0


def test_replicas_are_wanted_for_the_requests_that_come_on_lines_too() -> None:
    busy = Context(1, 2, {LINES: {"a": 10.0}})
    busy.config = busy
    asleep = Context(0, 0, {})

    assert by_requests(busy) == (3.0, {})
    assert by_requests(asleep) == (1, {})
