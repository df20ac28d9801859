"""Ask a running service every question of a labelled set, with progress, and resume."""

import asyncio
import base64
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from evaluation.offline import (
    Answered,
    DatasetError,
    Item,
    fingerprint,
    graded,
    line_of,
    read_answers,
)
from routing.domain import ImageFacts, Query, Task
from routing.features import image_facts
from routing.tasks import classify
from serving.errors import ServiceError
from serving.images import decode_bytes
from serving.parsing import PROBE_HEADER
from serving.settings import ImageLimits


@dataclass(frozen=True, slots=True)
class Asking:
    """Whom to ask and how."""

    url: str
    backbones: tuple[str, ...]
    concurrency: int = 8
    max_tokens: int = 24
    api_key: str = ""
    timeout_s: float = 120.0
    probe_set: str = ""  # named, the questions stay apart from users' traffic; for operators


async def ask_all(
    items: Sequence[Item], how: Asking, out: Path, progress: Callable[[int, int], None]
) -> list[Answered]:
    """Ask every backbone every item that `out` holds no answer to yet.

    Args:
        items: the questions.
        how: whom to ask.
        out: answers, one JSON object a line; appended to as they come.
        progress: told (done, total) after every answer.
    """
    known = {i.id: fingerprint(i, how.max_tokens) for i in items}
    graders = {i.id: i.grader for i in items}
    before = (a for a in read_answers(out) if known.get(a.id) == a.asked)
    told = [again for a in before if (again := _again(a, graders[a.id])) is not None]
    have = {(a.id, a.backbone) for a in told}
    todo = [(i, b) for i in items for b in how.backbones if (i.id, b) not in have]
    total = len(items) * len(how.backbones)
    queue = asyncio.Queue[tuple[Item, str]]()
    for job in todo:
        queue.put_nowait(job)
    out.parent.mkdir(parents=True, exist_ok=True)
    headers = {"authorization": f"Bearer {how.api_key}"} if how.api_key else {}
    if how.probe_set:
        headers[PROBE_HEADER] = how.probe_set
    with out.open("a", encoding="utf-8") as file:
        async with (
            httpx.AsyncClient(base_url=how.url, timeout=how.timeout_s, headers=headers) as client,
            asyncio.TaskGroup() as group,
        ):

            async def work() -> None:
                with suppress(asyncio.QueueEmpty):
                    while True:
                        item, backbone = queue.get_nowait()
                        answer = await _ask(client, item, backbone, how)
                        answer = replace(answer, asked=known[item.id])
                        file.write(line_of(answer))
                        file.flush()
                        told.append(answer)
                        progress(len(told), total)

            for _ in range(how.concurrency):
                group.create_task(work())
    return told


def _again(answer: Answered, grader: Callable[[str], float] | None) -> Answered | None:
    """An answer from before with its grade as of now: a set's own grader may have been mended.

    None where the grader fails on it: it is asked again, and fails as any other answer would.
    """
    try:
        return answer if grader is None else replace(answer, score=grader(answer.answer))
    except DatasetError:
        return None


async def _ask(client: httpx.AsyncClient, item: Item, backbone: str, how: Asking) -> Answered:
    body = question_body(item, backbone, how.max_tokens)
    started = time.perf_counter()  # noqa: TID251 - a client's stopwatch
    try:
        response = await client.post("/v1/chat/completions", json=body)
        told = response.json()
    except (httpx.HTTPError, ValueError) as error:
        return _failed(item, backbone, f"{type(error).__name__}: {error}")
    seconds = time.perf_counter() - started  # noqa: TID251
    if response.status_code != 200:
        return _failed(item, backbone, str(told.get("error", {}).get("message", told)))
    try:
        return _answered(item, told, seconds)
    except DatasetError as error:  # the set's own grader failed; the answer can be asked for again
        return _failed(item, backbone, str(error))


def question_body(item: Item, backbone: str, max_tokens: int) -> dict[str, Any]:
    """The request that asks one backbone one item."""
    return {
        "model": backbone,
        "messages": [{"role": "user", "content": _content(item)}],
        "max_tokens": item.max_tokens or max_tokens,
    }


def _answered(item: Item, told: dict[str, Any], seconds: float) -> Answered:
    barn, usage = told["barn"], told["usage"]
    task = item.task or Task(barn["task"])
    text = told["choices"][0]["message"]["content"]
    score, metric = graded(item, text, task)
    return Answered(
        id=item.id,
        backbone=told["model"],
        task=task.value,
        question=item.question,
        answer=text,
        score=score,
        metric=metric,
        confidence=barn["confidence"],
        cost=barn["cost"],
        latency_s=seconds,
        completion_tokens=usage["completion_tokens"],
        prompt_tokens=usage["prompt_tokens"],
        facts=_facts(item),
    )


def _failed(item: Item, backbone: str, error: str) -> Answered:
    # as the router would have said: a failure must not count for a task that nobody asked
    task = item.task or classify(Query(item.question, _seen(item))).task
    return Answered(
        item.id, backbone, task.value, item.question, "", 0.0, "none", 0.0, 0.0, 0.0, 0, error=error
    )


def _content(item: Item) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    if item.image is not None:
        parts.append(image_part(item.image))
    return [*parts, {"type": "text", "text": item.question}]


def image_part(image: bytes) -> dict[str, Any]:
    """A message part that shows an encoded picture."""
    kind = "jpeg" if image[:2] == b"\xff\xd8" else "png"
    data = base64.b64encode(image).decode()
    return {"type": "image_url", "image_url": {"url": f"data:image/{kind};base64,{data}"}}


def _facts(item: Item) -> tuple[float, ...]:
    return image_facts(_seen(item))


def _seen(item: Item) -> tuple[ImageFacts, ...]:
    if item.image is None:
        return ()
    try:
        return (decode_bytes(item.image, ImageLimits(), item.id).facts,)
    except ServiceError:  # no picture that the service would have taken either
        return ()
