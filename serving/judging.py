"""A judge model: any OpenAI-compatible endpoint that looks at picture, question and answer.

Its word is feedback with the source `judge`: kept apart from the truth, and corrected for the
errors it makes on answers that were also graded by the truth (`evaluation.ppi`).
"""

import logging
import zlib
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import httpx
from sqlalchemy import select

from evaluation.events import Feedback
from evaluation.metrics.yesno import polarity
from evaluation.stores.rows import Row
from evaluation.stores.schema import feedback, interactions
from evaluation.stores.sql import Store, image_hashes
from serving.beside_settings import JudgeModel
from serving.commands.ask import image_part
from serving.pictures import PictureStore

_log = logging.getLogger(__name__)
PROMPT = (
    "You grade the answers of a vision-language model.\n"
    "Question: {question}\nAnswer: {answer}\n"
    "Is the answer right? Reply with yes or no only."
)
_LOOK_BACK = 2_000
_ITS_OWN_FAULT = {400, 413, 415, 422}
"""Statuses that one question has brought upon itself: the others are asked all the same."""


class Judging:
    """Grades a share of the users' answers, the newest first, a few each period."""

    def __init__(  # noqa: PLR0913 - its collaborators, once
        self,
        settings: JudgeModel,
        store: Store,
        pictures: PictureStore | None,
        say: Callable[[Feedback], None],
        client: httpx.Client,
        now: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._store = store
        self._pictures = pictures
        self._say = say
        self._client = client
        self._now = now
        self._done: set[str] = set()

    def run(self, stop: Event) -> None:
        """Judge until `stop` is set; an endpoint that is away is asked again later."""
        while not stop.wait(self._settings.every_s):
            try:
                self.once()
            except (httpx.HTTPError, KeyError, ValueError, IndexError) as error:
                _log.warning("the judge did not answer: %s", error)
            except Exception:  # noqa: BLE001 - the thread must live; the log says what it was
                _log.exception("judging failed; it goes on")

    def once(self) -> int:
        """Judge what is due; return the number of verdicts.

        Raises:
            httpx.HTTPError: the endpoint is away or refuses.
        """
        verdicts = 0
        for row in self._due():
            shown = self._shown(row)
            if shown is None:
                self._done.add(row["request_id"])
                continue
            try:
                verdict = polarity(self._ask(shown, row))
            except httpx.HTTPStatusError as error:
                if error.response.status_code not in _ITS_OWN_FAULT:
                    raise
                _log.warning("the judge refuses %s: %s", row["request_id"], error)
                verdict = None
            self._done.add(row["request_id"])
            if verdict is None:
                _log.info("the judge said neither yes nor no about %s", row["request_id"])
                continue
            self._say(
                Feedback(
                    feedback_id=f"judge-{row['request_id']}"[:64],
                    request_id=row["request_id"],
                    at_s=self._now(),
                    correct=verdict,
                    source="judge",
                )
            )
            verdicts += 1
        return verdicts

    def _due(self) -> Iterator[Row]:
        judged = select(feedback.c.request_id).where(feedback.c.source == "judge")
        rows = self._store.rows(
            select(interactions)
            .where(
                interactions.c.kind == "served",
                interactions.c.outcome == "answered",
                interactions.c.request_id.not_in(judged),
            )
            .order_by(interactions.c.at_s.desc())
            .limit(_LOOK_BACK)
        )
        known = {row["request_id"] for row in rows}
        self._done &= known  # constant memory: what has left the window is forgotten
        mine = (r for r in rows if r["request_id"] not in self._done and self._drawn(r))
        for row, _ in zip(mine, range(self._settings.most), strict=False):
            yield row

    def _drawn(self, row: Row) -> bool:
        """Draw by the id, so that a restart draws the same answers."""
        return zlib.crc32(row["request_id"].encode()) < self._settings.share * 2**32

    def _shown(self, row: Row) -> list[dict[str, Any]] | None:
        """The pictures of a request as message parts; None when one is not kept."""
        hashes = image_hashes(row)
        found = [self._pictures.read(h) if self._pictures else None for h in hashes]
        parts = [image_part(png) for png in found if png]
        return parts if len(parts) == len(hashes) else None

    def _ask(self, shown: list[dict[str, Any]], row: Row) -> str:
        text = PROMPT.format(question=row["question"], answer=row["answer"])
        body = {
            "model": self._settings.model,
            "messages": [{"role": "user", "content": [*shown, {"type": "text", "text": text}]}],
            "max_tokens": 8,
            "temperature": 0,
        }
        told = self._client.post("/chat/completions", json=body)
        told.raise_for_status()
        return str(told.json()["choices"][0]["message"]["content"])


def judge_client(settings: JudgeModel) -> httpx.Client:
    """A client of the configured endpoint."""
    key = settings.api_key.get_secret_value()
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return httpx.Client(base_url=settings.url, headers=headers, timeout=60)
