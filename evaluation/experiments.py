"""Shadow and split experiments: what is compared, for whom, until when, and how they stand."""

import math
from collections.abc import Sequence
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from evaluation.stores.rows import Row, plain
from evaluation.stores.schema import experiments, interactions
from evaluation.stores.sql import Store
from routing.domain import Task
from routing.odds import unit_draw

FIRST_TRY = "cascade"
"""The experiment under which a cascade's first answers are kept that were not given."""
SECOND_TRY = "cascade-second"
"""The same of second answers."""
TRIES = (FIRST_TRY, SECOND_TRY)
Status = Literal["running", "paused", "stopped", "promoted"]
UNDER_WAY = ("running", "paused")


class ExperimentError(ValueError):
    """The experiment cannot be made or changed that way."""


class Spec(BaseModel):
    """One experiment, as YAML or JSON gives it."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    control: str = Field(description="the backbone that is compared against")
    candidates: tuple[str, ...] = Field(
        min_length=1, description="the backbones that are judged; `candidate` names a single one"
    )
    mode: Literal["shadow", "split"] = "shadow"
    share: float = Field(
        1.0, gt=0, le=1, description="of the traffic that passes the filter; a split divides it"
    )
    tasks: tuple[str, ...] = Field((), description="none: every task")
    users: tuple[str, ...] = Field((), description="none: every user")
    margin: float = Field(0.02, gt=0, lt=1, description="differences below this do not matter")
    alpha: float = Field(0.05, gt=0, lt=1)
    max_tokens: int = Field(1_000_000, ge=1, description="budget of all copies")
    max_pairs: int = Field(20_000, ge=1, description="stop after so many graded pairs")
    max_days: float = Field(30, gt=0)
    withdrawn: tuple[str, ...] = Field((), description="candidates that the guard has taken out")
    withdrawn_s: dict[str, float] = Field({}, description="Unix times from which they took no part")

    @model_validator(mode="before")
    @classmethod
    def _one_candidate(cls, said: Any) -> Any:
        if isinstance(said, dict) and "candidate" in said and "candidates" not in said:
            said = dict(said)
            said["candidates"] = (said.pop("candidate"),)
        return said

    @field_validator("tasks")
    @classmethod
    def _known(cls, tasks: tuple[str, ...]) -> tuple[str, ...]:
        strange = [t for t in tasks if t not in {task.value for task in Task}]
        if strange:
            known = ", ".join(task.value for task in Task)
            raise ValueError(f"no task {strange[0]!r}; there are: {known}")
        return tasks

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.name in TRIES:
            raise ValueError(f"the name {self.name!r} is taken by the answers of cascades")
        if len({self.control, *self.candidates}) <= len(self.candidates):
            raise ValueError("control and candidates must differ")
        if self.mode == "split" and self.share > 0.95:
            raise ValueError("a split needs traffic on both sides: share at most 0.95")
        return self

    def wants(self, task: str, user: str | None) -> bool:
        """Tell whether a request passes the filter."""
        return (not self.tasks or task in self.tasks) and (not self.users or user in self.users)

    @property
    def trying(self) -> tuple[str, ...]:
        """The candidates that still take part."""
        return tuple(c for c in self.candidates if c not in self.withdrawn)

    def took_part(self, candidate: str, at_s: float) -> bool:
        """Tell whether a request of Unix time `at_s` could have met this candidate."""
        return at_s < self.withdrawn_s.get(candidate, math.inf)

    @property
    def alpha_each(self) -> float:
        """The share of `alpha` at which each candidate is judged."""
        return self.alpha / len(self.candidates)

    @property
    def each(self) -> float:
        """The share of the traffic that a split gives to each candidate."""
        return self.share / len(self.candidates)

    def draw(self, unit: str) -> float:
        """A number in [0, 1) that is as good as drawn, and always the same for one unit.

        Candidate k of `trying` has the draws from k · `each` on, control those that are left. When
        a candidate is withdrawn, its units go to control and all others stay where they are.
        """
        u = unit_draw(self.name, unit)
        slot = int(u / self.each)
        if slot >= len(self.candidates):
            return u
        gone = [c for c in self.candidates if c in self.withdrawn]
        order = [*self.trying, *gone]
        return u + (order.index(self.candidates[slot]) - slot) * self.each

    def copied(self, unit: str) -> bool:
        """Tell whether a request is in the share that a shadow experiment copies."""
        return unit_draw(self.name, unit) < self.share


class Register:
    """The experiments of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, spec: Spec, now_s: float) -> None:
        """Start an experiment.

        Raises:
            ExperimentError: one of that name exists.
        """
        row = {
            "name": spec.name, "spec": spec.model_dump_json(), "status": "running",
            "created_s": now_s, "changed_s": now_s, "note": "",
        }  # fmt: skip
        try:
            with self._store.engine.begin() as connection:
                connection.execute(experiments.insert(), row)
        except IntegrityError as error:
            raise ExperimentError(f"an experiment {spec.name!r} exists already") from error

    def change(self, name: str, status: Status, now_s: float, note: str = "") -> None:
        """Pause, continue or end an experiment.

        Raises:
            ExperimentError: there is none of that name, or it has ended.
        """
        self.check(name)
        going = experiments.c.status.in_(UNDER_WAY)  # it may have ended meanwhile
        change = update(experiments).where(experiments.c.name == name, going)
        with self._store.engine.begin() as connection:
            done = connection.execute(change.values(status=status, changed_s=now_s, note=note))
        if not done.rowcount:
            raise ExperimentError(f"experiment {name!r} has just ended")

    def withdraw(self, spec: Spec, candidate: str, now_s: float, note: str) -> None:
        """Take one candidate out; with the last one the experiment stops."""
        left = spec.model_copy(
            update={
                "withdrawn": (*spec.withdrawn, candidate),
                "withdrawn_s": spec.withdrawn_s | {candidate: now_s},
            }
        )
        status = "running" if left.trying else "stopped"
        change = update(experiments).where(
            experiments.c.name == spec.name, experiments.c.status == "running"
        )
        with self._store.engine.begin() as connection:
            connection.execute(
                change.values(
                    spec=left.model_dump_json(), status=status, changed_s=now_s, note=note
                )
            )

    def check(self, name: str) -> None:
        """Make sure that an experiment can still be changed.

        Raises:
            ExperimentError: there is none of that name, or it has ended.
        """
        status = self.find(name)["status"]
        if status in {"stopped", "promoted"}:
            raise ExperimentError(f"experiment {name!r} has ended ({status})")

    def find(self, name: str) -> Row:
        """Return one experiment's row.

        Raises:
            ExperimentError: there is none of that name.
        """
        rows = self._store.rows(select(experiments).where(experiments.c.name == plain(name)))
        if not rows:
            raise ExperimentError(f"no experiment {name!r}")
        return rows[0]

    def all(self) -> list[Row]:
        """List every experiment, the newest first."""
        return self._store.rows(select(experiments).order_by(experiments.c.created_s.desc()))

    def running(self) -> tuple[Spec, ...]:
        """The experiments that take traffic now."""
        return tuple(load_spec(row["spec"]) for row in self.all() if row["status"] == "running")

    def spent(self, names: Sequence[str]) -> dict[str, int]:
        """Tokens of the copies of some experiments, read and generated; broken ones cost too."""
        t = interactions.c
        query = (
            select(t.experiment, func.sum(t.prompt_tokens + t.completion_tokens).label("tokens"))
            .where(t.experiment.in_(names), t.kind == "shadowed")
            .group_by(t.experiment)
        )
        return {row["experiment"]: int(row["tokens"] or 0) for row in self._store.rows(query)}


def load_spec(text: str) -> Spec:
    """Read a spec from JSON text."""
    return Spec.model_validate_json(text)
