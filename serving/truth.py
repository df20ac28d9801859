"""POST /v1/feedback: what clients may say of an answer, and its events."""

import hashlib
from typing import Annotated, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator

from evaluation.events import Feedback, Source
from evaluation.metrics.grade import MetricName, unusable
from serving.parsing import parsed

MOST = 1_000
_ID_KEPT = 51
"""Characters of a given `id` in the stored one, which has 64: a digest of the words follows."""
Text = Annotated[str, Field(max_length=4_000)]


class Word(BaseModel):
    """One word on one answer: the truth, a verdict, or a score in [0, 1]; exactly one of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    request_id: str = Field(min_length=1, max_length=64)
    truth: Text | Annotated[tuple[Text, ...], Field(max_length=32)] | None = Field(
        None, description="the right answer, or several"
    )
    choices: tuple[Text, ...] = Field((), max_length=26, description="the options, if there were")
    metric: MetricName | None = Field(None, description="default: the task's own")
    correct: bool | None = None
    score: float | None = Field(None, ge=0, le=1)
    source: Source = "human"
    id: str | None = Field(None, min_length=1, max_length=64, description="makes it idempotent")
    at_s: float | None = Field(None, ge=0, description="Unix time; default: now")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(v is not None for v in (self.truth, self.correct, self.score)) != 1:
            raise ValueError("give exactly one of truth, correct and score")
        if self.truth is not None and not any(t.strip() for t in self._truths()):
            raise ValueError("truth is empty")
        fault = unusable(self.metric, self._truths(), self.choices) if self.truth else None
        if fault is not None:
            raise ValueError(fault)
        return self

    def _truths(self) -> tuple[str, ...]:
        if self.truth is None:
            return ()
        return (self.truth,) if isinstance(self.truth, str) else self.truth

    def event(self, now_s: float) -> Feedback:
        """Make the event; without an `id`, the same words about the same answer are one.

        With an `id`, what comes twice is one word for ever; the same `id` with other words, or
        with a moment of its own, is a correction, and both are kept.
        """
        request_id, truth = self.request_id.removeprefix("chatcmpl-"), self._truths() or None
        spelled = self.model_copy(update={"request_id": request_id, "truth": truth})
        digest = hashlib.sha256(spelled.model_dump_json().encode()).hexdigest()[:40]
        key = digest if self.id is None else f"{self.id[:_ID_KEPT]}~{digest[:12]}"
        return Feedback(
            feedback_id=key,
            named=None if self.id is None else True,
            request_id=request_id,
            at_s=now_s if self.at_s is None else min(self.at_s, now_s),
            truth=truth,
            choices=self.choices,
            metric=self.metric,
            correct=self.correct,
            score=self.score,
            source=self.source,
        )


class Batch(BaseModel):
    """Many words at once; none is taken unless all are well formed.

    Where the disk refuses one of them the answer is 503, and sending all of them again does no
    harm: words are idempotent.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    feedback: tuple[Word, ...] = Field(min_length=1, max_length=MOST)


def _keys(body: bytes) -> tuple[str, ...]:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ()  # pydantic says what is wrong with it
    return tuple(told) if isinstance(told, dict) else ()


def parse_feedback(body: bytes) -> tuple[Word, ...]:
    """Parse one word or a batch.

    Raises:
        BadRequestError: it is neither; the message names the field.
    """
    if "feedback" in _keys(body):
        return parsed(Batch, body).feedback
    return (parsed(Word, body),)
