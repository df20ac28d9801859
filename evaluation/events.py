"""The recorded form of what happened: versioned, flat, one JSON line each."""

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from evaluation.metrics.grade import MetricName
from evaluation.records import Answer, Dropped, Failure, Interaction

Source: TypeAlias = Literal["human", "rule", "judge"]


class _Event(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1


class Started(_Event):
    """One request that a backbone was meant to answer. Times in seconds, at Unix time `at_s`.

    `detail` holds what explains the decision and where the time went, for people to read.
    """

    request_id: str
    at_s: float
    backbone: str
    task: str
    family: str
    policy: str
    propensity: float
    reason: str
    question: str
    images: int
    image_hashes: tuple[str, ...] = ()
    user: str | None = None
    streamed: bool
    outcome: Literal["answered", "failed", "dropped"]
    error: str | None = None
    answer: str | None = None
    finish_reason: str | None = None
    confidence: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: float | None = None
    first_token_s: float | None = None
    total_s: float
    table_version: int = 0
    detail: dict[str, dict[str, float]] = {}

    @classmethod
    def of(cls, seen: Interaction, **more: str | tuple[str, ...] | None) -> Self:
        """Flatten an interaction.

        The text of question and answer is kept: judging an answer later needs both.
        """
        decision = seen.decision
        told = seen.outcome
        flat: dict[str, object] = {
            "request_id": seen.request_id,
            "at_s": seen.at_s,
            "backbone": decision.model,
            "task": decision.task.value,
            "family": decision.family.value,
            "policy": decision.policy,
            "propensity": decision.propensity,
            "reason": decision.reason,
            "question": seen.query.text,
            "images": len(seen.query.images),
            "image_hashes": seen.image_hashes,
            "user": seen.user,
            "streamed": seen.streamed,
            "total_s": told.total_s,
            "table_version": decision.table_version,
            "detail": dict(seen.detail),
            **more,
        }
        return cls.model_validate(flat | _outcome(told))


def _outcome(told: Answer | Failure | Dropped) -> dict[str, object]:
    match told:
        case Failure(error=error):
            return {
                "outcome": "failed",
                "error": error,
                "prompt_tokens": told.prompt_tokens or None,
                "completion_tokens": told.completion_tokens if told.prompt_tokens else None,
            }
        case Dropped(reason=reason):
            return {"outcome": "dropped", "error": reason}
        case Answer():
            return {
                "outcome": "answered",
                "answer": told.text,
                "finish_reason": told.finish_reason,
                "confidence": told.confidence,
                "prompt_tokens": told.prompt_tokens,
                "completion_tokens": told.completion_tokens,
                "cost": told.cost,
                "first_token_s": told.first_token_s,
            }


class Served(Started):
    """A user's request."""

    kind: Literal["served"] = "served"
    experiment: str | None = None
    """The split experiment that chose the backbone, if one did."""


class Shadowed(Started):
    """A copy of a user's request, given to a candidate after the answer had left."""

    kind: Literal["shadowed"] = "shadowed"
    primary_id: str
    experiment: str


class Probe(Started):
    """A question of ours with a known answer; never part of the users' figures."""

    kind: Literal["probe"] = "probe"
    probe_set: str


class Feedback(_Event):
    """Somebody's word on an answer: the truth, a verdict, or a score in [0, 1]; one of the three.

    `feedback_id` makes it idempotent; of several about one request the latest `at_s` counts. The
    same words said again count again, unless they are `named` by their author.
    """

    kind: Literal["feedback"] = "feedback"
    feedback_id: str
    request_id: str
    at_s: float
    truth: tuple[str, ...] | None = None
    choices: tuple[str, ...] = ()
    metric: MetricName | None = None
    correct: bool | None = None
    score: float | None = Field(None, ge=0, le=1)
    source: Source = "human"
    named: Literal[True] | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        said = [self.truth is not None, self.correct is not None, self.score is not None]
        if sum(said) != 1:
            raise ValueError("give exactly one of truth, correct and score")
        if self.truth is not None and not any(t.strip() for t in self.truth):
            raise ValueError("truth is empty")
        return self


Event: TypeAlias = Annotated[Served | Shadowed | Probe | Feedback, Field(discriminator="kind")]
ANY_EVENT: TypeAdapter[Event] = TypeAdapter(Event)
