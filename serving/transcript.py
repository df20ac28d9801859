"""Fold the pieces of an answer into its record."""

from collections.abc import Callable
from dataclasses import asdict
from typing import TypeAlias

from evaluation.confidence import sequence_probability
from evaluation.records import Answer, Failure, Outcome
from serving.engines.base import Piece, Spent, Token

Clock: TypeAlias = Callable[[], float]
"""Seconds since some fixed moment; never goes back."""


class Transcript:
    """Times and collects one answer while it streams past."""

    def __init__(self, clock: Clock, started_s: float, prompt_tokens: int) -> None:
        self._clock = clock
        self._started_s = started_s
        self._prompt_tokens = prompt_tokens
        self._first_token_s: float | None = None
        self._finish_reason = "stop"
        self._text: list[str] = []
        self.tokens: list[Token] = []
        self._spent: Spent | None = None

    def add(self, piece: Piece) -> None:
        if self._first_token_s is None:
            self._first_token_s = self.elapsed_s()
        self._spent = self._spent or piece.spent
        self._text.append(piece.text)
        self.tokens += piece.tokens
        self._finish_reason = piece.finish_reason or self._finish_reason

    def finished(self, price_in: float = 0.0, price_out: float = 0.0) -> Outcome:
        """Return the answer, or a failure when the model said nothing at all.

        Args:
            price_in: dollars per 1,000 prompt tokens.
            price_out: dollars per 1,000 completion tokens.
        """
        if self._first_token_s is None:
            return self.broken(by="EmptyAnswer")
        return Answer(
            text="".join(self._text),
            prompt_tokens=self._prompt_tokens,
            completion_tokens=len(self.tokens),
            confidence=sequence_probability(t.logprob for t in self.tokens),
            finish_reason=self._finish_reason,
            first_token_s=self._first_token_s,
            total_s=self.elapsed_s(),
            cost=(self._prompt_tokens * price_in + len(self.tokens) * price_out) / 1000,
        )

    def timing(self) -> dict[str, float]:
        """What the engine said of its queue and its work; empty when it says nothing."""
        told = asdict(self._spent) if self._spent else {}
        return {name: value for name, value in told.items() if value is not None}

    def broken(self, *, by: str) -> Failure:
        return Failure(by, self.elapsed_s(), self._prompt_tokens, len(self.tokens))

    def elapsed_s(self) -> float:
        """Seconds since the request was accepted."""
        return self._clock() - self._started_s
