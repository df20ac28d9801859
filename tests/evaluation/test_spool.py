import errno
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from evaluation.drain import Drainer
from evaluation.events import Event, Served
from evaluation.records import Answer, Failure, Interaction, Outcome
from evaluation.spool import Spool, is_abandoned, read_lines, segments
from evaluation.stores.sql import Store, connect
from routing.domain import Decision, ImageFacts, Query, RequestId, Task
from tests.builders import OLD

ANSWER = Answer("red", 80, 2, 0.9, "stop", 0.01, 0.02)


def interaction(request_id: str = "r1", outcome: Outcome = ANSWER) -> Interaction:
    decision = Decision(OLD, Task.ATTRIBUTE, 1.0, "by-family/1", "attribute by 'color'")
    query = Query("what color is it?", (ImageFacts(64, 64),))
    return Interaction(RequestId(request_id), 1_000.0, query, decision, outcome, streamed=False)


def told(request_id: str) -> Served:
    return Served.of(interaction(request_id))


def store_in(folder: Path) -> Store:
    return Store(connect(f"sqlite:///{folder / 'events.sqlite3'}"))


def test_a_drained_event_says_what_happened(tmp_path: Path) -> None:
    spool, store = Spool(tmp_path / "spool", "w"), store_in(tmp_path)
    spool.append(Served.of(interaction()))

    moved = Drainer(tmp_path / "spool", store).drain()

    row = store.find("r1")
    assert moved == 1
    assert row is not None
    assert (row["backbone"], row["task"], row["family"]) == ("old", "attribute", "vision")
    assert (row["answer"], row["confidence"], row["completion_tokens"]) == ("red", 0.9, 2)


def test_a_backlog_is_moved_in_rounds_and_the_lag_tells_of_it(tmp_path: Path) -> None:
    spool, store = Spool(tmp_path / "spool", "w"), store_in(tmp_path)
    for number in range(7):
        spool.append(told(f"r{number}"))
    spool.close()
    now = iter(range(100))
    drainer = Drainer(tmp_path / "spool", store, batch=2, most=4, now=lambda: float(next(now)))

    assert drainer.drain() == 4
    lag_s = drainer.lag_s()
    assert drainer.drain() == 3
    assert drainer.lag_s() < lag_s
    assert store.count() == 7
    assert not segments(tmp_path / "spool")


def test_a_busy_writer_does_not_keep_a_round_from_ending(tmp_path: Path) -> None:
    spool, store = Spool(tmp_path / "spool", "w"), store_in(tmp_path)
    batches: list[int] = []

    class Busy(Store):
        """While it stores a batch, another event is written."""

        def append(self, events: Sequence[Event]) -> None:
            batches.append(len(events))
            super().append(events)
            spool.append(told(f"later{len(batches)}"))

    for number in range(3):
        spool.append(told(f"r{number}"))
    drainer = Drainer(tmp_path / "spool", Busy(store.engine), batch=2)

    assert [drainer.drain(), drainer.drain()] == [4, 1]
    assert batches == [2, 2, 1]  # events wait for a batch; one by one they cost ten times as much


def test_a_failure_is_stored_without_an_answer(tmp_path: Path) -> None:
    spool, store = Spool(tmp_path / "spool", "w"), store_in(tmp_path)
    spool.append(Served.of(interaction(outcome=Failure("EngineError", 0.5))))

    Drainer(tmp_path / "spool", store).drain()

    row = store.find("r1")
    assert row is not None
    assert (row["outcome"], row["error"], row["answer"]) == ("failed", "EngineError", None)


def test_an_event_after_a_sync_that_failed_is_drained(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A drainer that has read what was taken back must not look behind the end of the file."""
    spool, drainer = Spool(tmp_path, "w", fsync=True), Drainer(tmp_path, store)
    spool.append(Served.of(interaction("r1")))

    def fail(_: int) -> None:
        drainer.drain()  # at the worst moment
        raise OSError(errno.EIO, "no")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="no"):
        spool.append(Served.of(interaction("r2-with-a-long-name")))
    monkeypatch.undo()
    spool.append(Served.of(interaction("r3")))
    spool.append(Served.of(interaction("r4")))
    spool.close()
    drainer.drain()

    assert all(store.find(r) is not None for r in ("r1", "r3", "r4"))
    assert segments(tmp_path) == []


def test_draining_again_from_the_start_changes_nothing(tmp_path: Path) -> None:
    spool, store = Spool(tmp_path / "spool", "w"), store_in(tmp_path)
    for number in range(5):
        spool.append(Served.of(interaction(f"r{number}")))

    Drainer(tmp_path / "spool", store).drain()
    Drainer(tmp_path / "spool", store).drain()  # a restarted drainer knows no offset

    assert store.count() == 5


def test_a_segment_goes_only_when_its_writer_has_let_go(tmp_path: Path) -> None:
    spool, store = Spool(tmp_path / "spool", "w"), store_in(tmp_path)
    drainer = Drainer(tmp_path / "spool", store)
    spool.append(Served.of(interaction()))

    drainer.drain()
    assert len(segments(tmp_path / "spool")) == 1
    spool.close()
    drainer.drain()

    assert segments(tmp_path / "spool") == []


def test_a_full_segment_is_followed_by_another(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", "w", rotate_bytes=700)

    for number in range(4):
        spool.append(Served.of(interaction(f"r{number}")))

    assert len(segments(tmp_path / "spool")) > 1
    store = store_in(tmp_path)
    Drainer(tmp_path / "spool", store).drain()
    assert store.count() == 4


def test_a_store_that_is_away_loses_nothing(tmp_path: Path) -> None:
    spool, store = Spool(tmp_path / "spool", "w"), store_in(tmp_path)
    drainer = Drainer(tmp_path / "spool", store)
    spool.append(Served.of(interaction()))
    database = tmp_path / "events.sqlite3"
    away = tmp_path / "away"
    store.close()
    database.rename(away)
    database.mkdir()

    with pytest.raises(OperationalError):
        drainer.drain()
    database.rmdir()
    away.rename(database)
    drainer.drain()

    assert store.count() == 1


def test_a_line_that_no_version_of_ours_wrote_is_set_aside(tmp_path: Path) -> None:
    folder, store = tmp_path / "spool", store_in(tmp_path)
    spool = Spool(folder, "w")
    spool.append(Served.of(interaction()))
    segment = segments(folder)[0]
    with segment.open("ab") as file:
        file.write(b'{"kind": "served", "version": 99}\n')

    Drainer(folder, store).drain()

    assert store.count() == 1
    assert segment.with_suffix(".rejected").read_bytes() == b'{"kind": "served", "version": 99}\n'


def test_a_killed_writer_loses_no_event_that_it_acknowledged(tmp_path: Path) -> None:
    program = textwrap.dedent(
        f"""
        import sys
        from pathlib import Path
        from evaluation.events import Served
        from evaluation.spool import Spool
        from tests.evaluation.test_spool import interaction

        spool = Spool(Path({str(tmp_path / "spool")!r}), "w")
        for number in range(10**9):
            spool.append(Served.of(interaction(f"r{{number}}")))
            sys.stdout.write(f"{{number}}\\n")
            sys.stdout.flush()
        """
    )
    root = Path(__file__).parents[2]
    writer = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=root, text=True
    )
    assert writer.stdout is not None
    for _ in range(200):
        writer.stdout.readline()
    os.kill(writer.pid, signal.SIGKILL)
    acknowledged = 200 + len(writer.stdout.read().splitlines())
    writer.wait()
    writer.stdout.close()
    store = store_in(tmp_path)

    Drainer(tmp_path / "spool", store).drain()

    assert acknowledged <= store.count() <= acknowledged + 1
    assert segments(tmp_path / "spool") == []


def test_a_living_writer_is_not_abandoned(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", "w")
    (segment,) = segments(tmp_path / "spool")

    assert not is_abandoned(segment)
    spool.close()
    assert is_abandoned(segment)


@given(st.text(max_size=50), st.floats(0, 1), st.integers(0, 10**6))
def test_an_event_survives_the_trip_through_json(text: str, confidence: float, tokens: int) -> None:
    answer = Answer(text, tokens, tokens, confidence, "length", 0.1, 0.2)
    event = Served.of(interaction(outcome=answer))

    assert Served.model_validate_json(event.model_dump_json(exclude_none=True)) == event


def test_a_line_that_could_not_be_made_durable_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path, "w", fsync=True)
    spool.append(told("r1"))

    def refuse(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(OSError, match="no space"):
        spool.append(told("r2"))
    monkeypatch.undo()
    spool.append(told("r3"))

    kept = [line for s in segments(tmp_path) for line, _ in read_lines(s, 0, 10)]
    assert [b"r1" in kept[0], b"r3" in kept[1], len(kept)] == [True, True, 2]
    spool.close()
