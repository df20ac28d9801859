"""Server-sent events: the frames of a stream, as OpenAI sends them."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import orjson

from serving import replies
from serving.error_schema import error_body
from serving.errors import ServiceError
from serving.reply import Reply

DONE = b"data: [DONE]\n\n"


def frame(body: replies.Json) -> bytes:
    """Encode one event."""
    return b"data: " + orjson.dumps(body) + b"\n\n"


async def events(  # noqa: PLR0913 - how a stream is written
    reply: Reply,
    created: int,
    *,
    logprobs: bool,
    include_usage: bool,
    on_error: Callable[[str], None],
    on_end: Callable[[], None] = lambda: None,
) -> AsyncGenerator[bytes]:
    """Encode an answer as it comes; what breaks on the way becomes a last event with an error."""
    first = True
    async with aclosing(reply.pieces) as pieces:
        try:
            async for piece in pieces:
                yield frame(replies.chunk(reply, piece, created, first=first, logprobs=logprobs))
                first = False
        except ServiceError as error:
            on_error(error.code)
            yield frame(error_body(error))
            return
    if include_usage:
        yield frame(replies.usage_chunk(reply, created))
    yield DONE
    on_end()
