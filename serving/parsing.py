"""From bytes to a Question: everything a client can get wrong is refused here."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from math import inf
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from routing.domain import ImageFacts
from serving.engines.base import Fit, Sampling
from serving.errors import (
    BadRequestError,
    NoModelError,
    StorageError,
    TooLargeError,
)
from serving.images import Decoded, decode_bytes, decode_data_url
from serving.prompts import Turn
from serving.settings import ImageLimits, Limits
from serving.wire import ChatRequest, ImagePart, Message, TextPart, Wishes

M = TypeVar("M", bound=BaseModel)
Fetch = Callable[[str, str], Awaitable[bytes]]
"""Fetch an http(s) picture: (url, field) -> bytes."""

MOST_STOPS = 4
SMALL_URL, SMALL_PIXELS = 32_768, 128 * 128
"""Characters and pixels up to which a picture is decoded at once: in 0.2 ms at most."""
PROBE_HEADER = "x-barn-probe"
"""Marks a question of ours; only operators may send it."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request that has been parsed: everything in it is known to be well formed."""

    model: str
    turns: tuple[Turn, ...]
    pictures: tuple[Decoded, ...]
    sampling: Sampling
    streamed: bool
    include_usage: bool
    logprobs: bool
    named_limit: bool
    deadline_s: float
    user: str | None
    wishes: Wishes = field(default_factory=Wishes)
    headers: Mapping[str, str] = field(default_factory=dict)
    probe_set: str | None = None

    @property
    def earlier(self) -> tuple[str, ...]:
        """What the user said before, oldest first."""
        return tuple(t.text for t in self.turns if t.role == "user")[:-1]

    @property
    def text(self) -> str:
        """The last thing the user said."""
        return next((t.text for t in reversed(self.turns) if t.role == "user"), "")

    @property
    def facts(self) -> tuple[ImageFacts, ...]:
        """What routing may know of the pictures."""
        return tuple(p.facts for p in self.pictures)


class Parser:
    """Knows the limits; decodes pictures in `pool`, off the event loop, unless they are tiny."""

    def __init__(  # noqa: PLR0913 - what reading a request needs
        self,
        limits: Limits,
        images: ImageLimits,
        pool: Executor,
        fetch: Fetch,
        *,
        fits: tuple[Fit, ...] = (),
        most_pictures: int = 16,
        keep: Callable[[Decoded], None] | None = None,
    ) -> None:
        self._keep = keep
        self._fits = fits
        self._most_pictures = most_pictures
        self._limits = limits
        self._images = images
        self._few = images.model_copy(update={"max_pixels": min(SMALL_PIXELS, images.max_pixels)})
        self._pool = pool
        self._fetch = fetch

    async def question(
        self,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        admit: Callable[[str, int], None] = lambda *_: None,
    ) -> Question:
        """Parse a chat completion request.

        Args:
            body: JSON.
            headers: those that rules may look at.
            admit: told the model, and how long the answer may become, before any picture is
                touched; raises where it may not be asked.

        Raises:
            BadRequestError, TooLargeError, BadImageError, NotAnImageError: see `errors`.
        """
        if len(body) > self._limits.max_body_bytes:
            raise TooLargeError(
                f"the body has {len(body)} bytes, the limit is {self._limits.max_body_bytes}"
            )
        request = parsed(ChatRequest, body)
        _check(request)
        sampling = self._sampling(request)
        admit(request.model, sampling.max_new_tokens)
        return Question(
            model=request.model,
            turns=tuple(_turn(m, i) for i, m in enumerate(request.messages)),
            pictures=await self._pictures(request),
            sampling=sampling,
            streamed=bool(request.stream),
            include_usage=bool(request.stream_options and request.stream_options.include_usage),
            logprobs=bool(request.logprobs),
            named_limit=bool(request.max_completion_tokens or request.max_tokens),
            deadline_s=min(self._limits.deadline_s, (request.barn.deadline_ms or inf) / 1000),
            user=request.user or request.safety_identifier,
            wishes=request.barn,
            headers=headers or {},
            probe_set=(headers or {}).get(PROBE_HEADER),
        )

    def _sampling(self, request: ChatRequest) -> Sampling:
        stop = request.stop or ()
        asked = request.max_completion_tokens or request.max_tokens
        return Sampling(
            max_new_tokens=asked or self._limits.max_new_tokens,
            temperature=0.0 if request.temperature is None else request.temperature,
            top_p=1.0 if request.top_p is None else request.top_p,
            stop=(stop,) if isinstance(stop, str) else tuple(stop),
            seed=request.seed,
            top_logprobs=request.top_logprobs or 0,
            streamed=bool(request.stream),
        )

    async def _pictures(self, request: ChatRequest) -> tuple[Decoded, ...]:
        loop = asyncio.get_running_loop()
        found = [
            (part.image_url.url, f"messages.{i}.content.{k}.image_url")
            for i, message in enumerate(request.messages)
            if not isinstance(message.content, str)
            for k, part in enumerate(message.content)
            if isinstance(part, ImagePart)
        ]
        if len(found) > self._most_pictures:  # told before any of them is decoded
            raise NoModelError(
                f"{len(found)} pictures; no backbone takes more than {self._most_pictures}"
            )
        if len(found) == 1 and (small := self._small(*found[0])) is not None:
            return (small,)
        jobs = [
            loop.run_in_executor(self._pool, self._from_data, *one)
            if one[0].startswith("data:")
            else loop.create_task(self._from_web(*one))
            for one in found
        ]
        return tuple(await asyncio.gather(*jobs))

    def _small(self, url: str, where: str) -> Decoded | None:
        """Decode a picture for which going to a thread and back would take longer; else None."""
        if len(url) > SMALL_URL or not url.startswith("data:") or self._keep is not None:
            return None
        try:
            return decode_data_url(url, self._few, where).prepared(self._fits)
        except TooLargeError:  # few bytes may hold many pixels
            return None

    async def _from_web(self, url: str, where: str) -> Decoded:
        data = await self._fetch(url, where)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._from_bytes, data, where)

    def _from_data(self, url: str, where: str) -> Decoded:
        return self._kept(decode_data_url(url, self._images, where))

    def _from_bytes(self, data: bytes, where: str) -> Decoded:
        return self._kept(decode_bytes(data, self._images, where))

    def _kept(self, decoded: Decoded) -> Decoded:
        if self._keep is not None:
            try:
                self._keep(decoded)
            except OSError as error:
                raise StorageError(f"the picture cannot be kept: {error.strerror}") from error
        return decoded.prepared(self._fits)


def _check(request: ChatRequest) -> None:
    if request.top_logprobs and not request.logprobs:
        raise BadRequestError("top_logprobs needs logprobs to be true", "top_logprobs")
    if request.stream_options and not request.stream:
        raise BadRequestError("stream_options needs stream to be true", "stream_options")
    stops = () if request.stop is None else request.stop
    if isinstance(stops, tuple) and (len(stops) > MOST_STOPS or "" in stops):
        raise BadRequestError(f"stop: up to {MOST_STOPS} strings, none of them empty", "stop")
    last = request.messages[-1]
    if last.role != "user":
        raise BadRequestError(f"the last message must be the user's, not {last.role}'s", "messages")
    for i, message in enumerate(request.messages):
        has_picture = not isinstance(message.content, str) and any(
            isinstance(part, ImagePart) for part in message.content
        )
        if has_picture and message.role != "user":
            raise BadRequestError(f"messages.{i}: only the user can show pictures", "messages")


def _turn(message: Message, index: int) -> Turn:
    role = "system" if message.role == "developer" else message.role
    if isinstance(message.content, str):
        return Turn(role, message.content)
    texts = [p.text for p in message.content if isinstance(p, TextPart)]
    pictures = len(message.content) - len(texts)
    if not message.content:
        raise BadRequestError(f"messages.{index}.content is empty", f"messages.{index}.content")
    return Turn(role, "\n".join(texts), pictures)


def parsed(kind: type[M], body: bytes) -> M:
    """Read a JSON body as a model.

    Raises:
        BadRequestError: it is none; the message names the field.
    """
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        raise _refusal(error) from error


def _refusal(error: ValidationError) -> BadRequestError:
    """Say the first fault of a body in a sentence that names the field."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(step) for step in first["loc"])
    if first["type"] == "json_invalid":
        return BadRequestError(f"the body is not JSON: {first['msg']}")
    if first["type"] == "extra_forbidden":
        return BadRequestError(f"{where}: not a parameter of this API", where)
    return BadRequestError(f"{where}: {first['msg']}", where)
