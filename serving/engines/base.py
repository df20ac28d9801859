"""The contract between the service and whatever runs a backbone."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Picture:
    """Decoded pixels: `rgb` holds height x width x 3 bytes, row by row."""

    width_px: int
    height_px: int
    rgb: bytes


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to draw the next token. `temperature` 0 means the likeliest one."""

    max_new_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int | None = None
    top_logprobs: int = 0
    streamed: bool = False  # False lets an engine hand over the whole answer as one piece


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is shown: token ids with one image token per picture, and the pictures.

    What is asked in the background (copies, probes) starts after everybody else who waits.
    """

    token_ids: tuple[int, ...]
    pictures: tuple[Picture, ...] = ()
    sampling: Sampling = Sampling()
    background: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """One generated token: natural log-probability at temperature 1, and the likeliest others."""

    id: int
    text: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Spent:
    """Where the time up to the first piece went, in seconds; `batch` is what it ran beside.

    `replica_s` is all of it in the replica: the queue, the model, and what the engine does besides.
    """

    queue_s: float
    engine_s: float
    batch: int | None = None  # requests in the same step, where the engine says so
    replica_s: float | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """Some more of the answer: its text, its tokens, and on the last piece why it ended.

    The text may lag behind the tokens (half a character, a possible stop string), and the
    end-of-sequence token has none; joined over all pieces it is the answer.
    """

    text: str
    tokens: tuple[Token, ...]
    finish_reason: str | None = None  # "stop" or "length"
    spent: Spent | None = None  # on the first piece, from engines that tell


@dataclass(frozen=True, slots=True)
class Fit:
    """What size a vision encoder takes, and the border it has (see `Description`)."""

    side_px: int
    border: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """What a front end must know of a model to prepare a prompt for it.

    `image_tokens` is the number of tokens one picture takes; `image_side_px` the shortest edge
    that the vision encoder's preprocessing resizes to; `border` the colour (red, green, blue) with
    which it makes pictures square before, or None where it crops them.
    """

    tokenizer_json: str
    chat_template: str
    special_tokens: dict[str, str]
    image_token: str
    image_tokens: int
    image_side_px: int
    context_tokens: int
    border: tuple[int, int, int] | None = None

    @property
    def fit(self) -> Fit:
        """What size pictures are to be sent in."""
        return Fit(self.image_side_px, self.border)


class Engine(Protocol):
    """Two methods, so that a new engine is an afternoon's work."""

    def stream(self, prompt: Prompt) -> AsyncGenerator[Piece]:
        """Yield the answer piece by piece; closing the generator stops the generation.

        Raises:
            OverloadedError: before the first piece, when there is no room.
            BackboneDownError: before the first piece, when nothing runs the model.
            EngineError: at any point.
        """
        ...

    async def healthy(self) -> bool: ...
