"""The recorded form of an interaction: versioned, flat, one JSON line each."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from evaluation.records import Answer, Failure, Interaction


class Served(BaseModel):
    """One request that a backbone was started for. Times in seconds, at Unix time `at_s`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["served"] = "served"
    version: Literal[1] = 1
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
    image_hashes: tuple[str, ...]
    user: str | None = None
    streamed: bool
    outcome: Literal["answered", "failed"]
    error: str | None = None
    answer: str | None = None
    finish_reason: str | None = None
    confidence: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    first_token_s: float | None = None
    total_s: float

    @classmethod
    def of(cls, seen: Interaction) -> Self:
        """Flatten an interaction.

        The text of question and answer is kept: judging an answer later needs both.
        """
        decision = seen.decision
        common = {
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
            "total_s": seen.outcome.total_s,
        }
        match seen.outcome:
            case Failure(error=error):
                return cls.model_validate({**common, "outcome": "failed", "error": error})
            case Answer() as told:
                return cls.model_validate(
                    {
                        **common,
                        "outcome": "answered",
                        "answer": told.text,
                        "finish_reason": told.finish_reason,
                        "confidence": told.confidence,
                        "prompt_tokens": told.prompt_tokens,
                        "completion_tokens": told.completion_tokens,
                        "first_token_s": told.first_token_s,
                    }
                )
