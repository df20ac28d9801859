"""An engine that says what it is told: for failures that a real one won't produce on demand."""

import asyncio
import math
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from serving.engines.base import Piece, Prompt, Token
from serving.errors import EngineError, ServiceError


@dataclass(frozen=True, slots=True)
class Scripted:
    """Answers every prompt with `words`; refuses, breaks or dawdles when told to."""

    words: tuple[str, ...] = ("a ", "cat")
    breaks_after: int | None = None
    refuses: ServiceError | None = None
    pause_s: float = 0.0
    chance: float = 0.5  # the probability it claims for every token

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece]:
        if self.refuses is not None:
            raise self.refuses
        words = self.words[: prompt.sampling.max_new_tokens]
        for i, word in enumerate(words):
            await asyncio.sleep(self.pause_s)
            if i == self.breaks_after:
                raise EngineError("the script says to break here")
            last = i == len(words) - 1
            token = Token(i, word, math.log(self.chance), ((word, math.log(self.chance)),))
            yield Piece(word, (token,), ("stop" if last else None))

    async def healthy(self) -> bool:
        return self.refuses is None
