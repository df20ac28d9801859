"""The quality table: what each backbone is worth for each task. Versioned JSON, frozen once read.

A request uses the table it started with; a new table is a new value.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from routing.domain import ModelId, Task


class TableError(ValueError):
    """The table cannot be used; the message says where and why."""


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Posterior(_Frozen):
    """Beta posterior of one accuracy: `right` and `wrong` are pseudo-counts, the prior included."""

    right: float = Field(1.0, gt=0)
    wrong: float = Field(1.0, gt=0)
    source: str = ""

    @property
    def mean(self) -> float:
        """Expected accuracy.

        >>> Posterior(right=9, wrong=1).mean
        0.9
        """
        return self.right / (self.right + self.wrong)

    @property
    def weight(self) -> float:
        """How many answers it stands for."""
        return self.right + self.wrong


class Platt(_Frozen):
    """Confidence map sigmoid(slope · logit(c) + offset): temperature scaling with an offset."""

    kind: Literal["platt"] = "platt"
    slope: float = Field(1.0, ge=0)
    offset: float = 0.0

    def __call__(self, confidence: float) -> float:
        """Map a raw confidence to a calibrated one, both in [0, 1]."""
        clipped = min(1 - 1e-6, max(1e-6, confidence))
        x = self.slope * math.log(clipped / (1 - clipped)) + self.offset
        return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


class Isotonic(_Frozen):
    """Confidence map through points that rise in both coordinates; linear between them."""

    kind: Literal["isotonic"] = "isotonic"
    raw: tuple[float, ...] = Field(min_length=1)
    calibrated: tuple[float, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if len(self.raw) != len(self.calibrated):
            raise ValueError("raw and calibrated differ in length")
        for points in (self.raw, self.calibrated):
            if any(b < a for a, b in pairwise(points)) or points[0] < 0 or points[-1] > 1:
                raise ValueError("points must rise within [0, 1]")
        return self

    def __call__(self, confidence: float) -> float:
        """Map a raw confidence to a calibrated one, both in [0, 1]."""
        if confidence <= self.raw[0]:
            return self.calibrated[0]
        for k in range(1, len(self.raw)):
            if confidence <= self.raw[k]:
                low, high = self.raw[k - 1], self.raw[k]
                share = (confidence - low) / (high - low) if high > low else 1.0
                return self.calibrated[k - 1] + share * (
                    self.calibrated[k] - self.calibrated[k - 1]
                )
        return self.calibrated[-1]


ConfidenceMap: TypeAlias = Annotated[Platt | Isotonic, Field(discriminator="kind")]


class Success(_Frozen):
    """A logistic model of P(correct | question, image), over the features of `routing.features`.

    `evidence` is how many outcomes it was fitted on per task; with little of it the task's
    posterior counts for more. Hashed features that it does not name weigh nothing.
    """

    intercept: float
    weights: dict[int, float]
    facts: tuple[float, ...] = ()
    tasks: dict[Task, float] = {}
    evidence: dict[Task, Annotated[float, Field(ge=0)]] = {}


class Worth(_Frozen):
    """One backbone: accuracy per task, confidence maps, latency, and its success predictor."""

    accuracy: dict[Task, Posterior] = {}
    confidence: dict[Task, ConfidenceMap] = {}
    completion_tokens: dict[Task, Annotated[float, Field(ge=0)]] = {}
    first_token_s: float = Field(0.0, ge=0)
    per_token_s: float = Field(0.0, ge=0)
    success: Success | None = None

    def posterior(self, task: Task) -> Posterior:
        """The task's posterior; unknown tasks borrow a tenth of their family's evidence."""
        known = self.accuracy.get(task)
        return known if known is not None else self._family[task.family.value]

    @cached_property
    def _family(self) -> dict[str, Posterior]:
        made = {}
        for name in ("vision", "reasoning"):
            members = [p for t, p in self.accuracy.items() if t.family.value == name]
            right = 1 + sum(p.right for p in members) / 10
            wrong = 1 + sum(p.wrong for p in members) / 10
            made[name] = Posterior(right=right, wrong=wrong, source="its family's other tasks")
        return made

    def calibrated(self, task: Task, confidence: float) -> float:
        """The probability that an answer of this confidence is right.

        Where no graded answers have said what a confidence means, it is what the task's answers
        are worth without it: a long answer's own probability is next to nothing, right or wrong.
        """
        known = self.confidence.get(task)
        return known(confidence) if known is not None else self.posterior(task).mean


class QualityTable(_Frozen):
    """What every backbone is worth. `version` only ever grows.

    Live outcomes of answers given before Unix time `since_s` are in the posteriors already, or are
    of weights that are no longer served.
    """

    version: int = Field(1, ge=0)
    note: str = ""
    since_s: float = Field(0.0, ge=0)
    backbones: dict[str, Worth] = {}

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        """Read a table from JSON.

        Raises:
            TableError: it does not validate; the message names the key.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(step) for step in first["loc"]) or "the table"
            raise TableError(f"{where}: {first['msg']}") from error

    def worth(self, model: ModelId) -> Worth:
        """What is known of one backbone; a backbone without an entry is even odds everywhere."""
        return self.backbones.get(model, _UNKNOWN)

    def by_task_alone(self) -> Self:
        """The same table without success predictors: what is known of tasks, not of questions."""
        plain = {
            b: worth.model_copy(update={"success": None}) for b, worth in self.backbones.items()
        }
        return self.model_copy(update={"backbones": plain})


_UNKNOWN = Worth()


@dataclass(frozen=True, slots=True)
class Observed:
    """Live outcomes of one place, to be added to a table: sums of scores and of answers."""

    right: float
    n: float


def updated(  # noqa: PLR0913 - what a table may learn
    table: QualityTable,
    observed: Mapping[tuple[str, Task], Observed],
    confidence: Mapping[tuple[str, Task], ConfidenceMap],
    *,
    note: str,
    success: Mapping[str, Success] | None = None,
    seconds: Mapping[str, tuple[float, float]] | None = None,
) -> QualityTable:
    """A new version of `table`: its priors plus live outcomes, and what was refitted on them.

    Args:
        table: the table whose posteriors are the priors (offline evaluation).
        observed: live outcomes since the priors were made; not cumulative over versions.
        confidence: refitted maps; places that are missing keep theirs.
        note: why there is a new version.
        success: refitted success predictors; backbones that are missing keep theirs.
        seconds: to the first token, and for each one, as measured; those missing keep theirs.
    """
    backbones = dict(table.backbones)
    for (name, task), seen in observed.items():
        worth = backbones.get(name, _UNKNOWN)
        prior = worth.accuracy.get(task, Posterior())
        posterior = Posterior(
            right=prior.right + seen.right,
            wrong=prior.wrong + seen.n - seen.right,
            source=f"{prior.source or 'flat prior'} + {seen.n:.0f} live",
        )
        backbones[name] = worth.model_copy(update={"accuracy": worth.accuracy | {task: posterior}})
    for (name, task), fitted in confidence.items():
        worth = backbones.get(name, _UNKNOWN)
        backbones[name] = worth.model_copy(update={"confidence": worth.confidence | {task: fitted}})
    for name, predictor in (success or {}).items():
        worth = backbones.get(name, _UNKNOWN)
        backbones[name] = worth.model_copy(update={"success": predictor})
    for name, (first_s, each_s) in (seconds or {}).items():
        worth = backbones.get(name, _UNKNOWN)
        measured = {"first_token_s": first_s, "per_token_s": each_s}
        backbones[name] = worth.model_copy(update=measured)
    made = {"version": table.version + 1, "note": note, "backbones": backbones}
    return table.model_copy(update=made)  # what it holds since when stays as it was
