"""A judge model sees picture, question and answer; its word is kept apart from the truth."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import select

from evaluation.drain import Drainer
from evaluation.events import Served
from evaluation.spool import Spool
from evaluation.stores.schema import feedback
from evaluation.stores.sql import Store, connect
from serving.beside_settings import JudgeModel
from serving.engines.scripted import Scripted
from serving.images import decode_bytes
from serving.judging import Judging
from serving.pictures import PictureStore
from serving.settings import ImageLimits
from tests.builders import NEW, OLD, api, gateway
from tests.evaluation.test_spool import interaction

SETTINGS = JudgeModel(url="http://judge/v1", model="new", share=1)


class Judged:
    """A store with answers in it, and a judge that is one of our own services."""

    def __init__(self, folder: Path, word: str, **changes: Any) -> None:
        self.store = Store(connect(f"sqlite:///{folder / 'events.sqlite3'}"))
        self.folder, self.spool = folder, Spool(folder / "spool", "w")
        self.pictures = PictureStore(folder / "pictures")
        self.asked: list[dict[str, Any]] = []
        judge = gateway(engines={NEW: Scripted((word,)), OLD: Scripted((word,))})
        client: Any = TestClient(api(judge), base_url="http://127.0.0.1/v1")
        client.event_hooks["request"].append(
            lambda request: self.asked.append(json.loads(request.content))
        )
        self.judging = Judging(
            SETTINGS.model_copy(update=changes), self.store, self.pictures, self.spool.append,
            client, lambda: 2_000.0,
        )  # fmt: skip

    def served(self, *ids: str, hashes: tuple[str, ...] = ()) -> None:
        for name in ids:
            seen = interaction(name)
            self.spool.append(Served.of(seen, image_hashes=hashes))
        self.drain()

    def drain(self) -> None:
        Drainer(self.folder / "spool", self.store).drain()

    def words(self) -> dict[str, bool]:
        self.drain()
        rows = self.store.rows(select(feedback).where(feedback.c.source == "judge"))
        return {row["request_id"]: row["correct"] for row in rows}


def picture() -> Any:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(buffer, "PNG")
    return decode_bytes(buffer.getvalue(), ImageLimits(), "test")


@pytest.mark.parametrize(("word", "verdict"), [("Yes.", True), ("no", False)])
def test_a_verdict_becomes_feedback_of_the_judge(
    tmp_path: Path, word: str, verdict: object
) -> None:
    judged = Judged(tmp_path, word)
    judged.served("a", "b")
    assert judged.judging.once() == 2
    assert judged.words() == {"a": verdict, "b": verdict}
    assert judged.judging.once() == 0


def test_the_judge_is_shown_the_picture(tmp_path: Path) -> None:
    judged, seen = Judged(tmp_path, "yes"), picture()
    judged.pictures.keep(seen)
    judged.served("a", hashes=(seen.sha256,))
    judged.judging.once()
    [body] = judged.asked
    shown, text = body["messages"][0]["content"]
    assert shown["image_url"]["url"].startswith("data:image/png;base64,")
    assert "Question: what color is it?" in text["text"]
    assert "Answer: red" in text["text"]


def test_an_answer_whose_picture_is_not_kept_is_not_judged_blindly(tmp_path: Path) -> None:
    judged = Judged(tmp_path, "yes")
    judged.served("a", hashes=("0" * 64,))
    assert judged.judging.once() == 0
    assert judged.asked == []


def test_a_judge_that_says_neither_gives_no_verdict(tmp_path: Path) -> None:
    judged = Judged(tmp_path, "perhaps")
    judged.served("a")
    assert judged.judging.once() == 0
    assert judged.words() == {}


def test_only_the_configured_share_is_judged_and_only_so_many_at_once(tmp_path: Path) -> None:
    judged = Judged(tmp_path, "yes", share=0.3, most=5)
    judged.served(*(f"r{n}" for n in range(200)))
    rounds = [judged.judging.once() for _ in range(30)]
    assert max(rounds) == 5
    assert 40 <= sum(rounds) <= 80
    assert sum(rounds) == len(judged.words())


def test_a_judge_that_is_away_leaves_the_answers_for_later(tmp_path: Path) -> None:
    judged = Judged(tmp_path, "yes")
    judged.served("a")
    gone = Judging(
        SETTINGS, judged.store, None, judged.spool.append,
        httpx.Client(base_url="http://127.0.0.1:9/v1"), lambda: 1.0,
    )  # fmt: skip
    with pytest.raises(httpx.HTTPError):
        gone.once()
    assert judged.judging.once() == 1


def test_a_picture_is_kept_once_and_forgotten_in_time(tmp_path: Path) -> None:
    store, seen = PictureStore(tmp_path / "p"), picture()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(store.keep, [seen] * 16))
    assert [p.name for p in (tmp_path / "p").iterdir()] == [f"{seen.sha256}.png"]
    read = store.read(seen.sha256)
    assert read is not None
    assert Image.open(io.BytesIO(read)).size == (8, 8)
    assert store.read("../secret") is None
    assert store.forget(0.0) == 0
    assert store.forget(4e9) == 1
