"""Shadow and split experiments: what is compared, for whom, until when, and the verdict so far."""

from collections.abc import Sequence
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import case, func, select, update
from sqlalchemy.exc import IntegrityError

from evaluation.compare import Pair, Verdict, verdicts
from evaluation.metrics.normalise import vqa_normalise
from evaluation.stores.schema import experiments, grades, interactions
from evaluation.stores.sql import Row, Store, image_hashes
from routing.odds import unit_draw

FIRST_TRY = "cascade"
"""The experiment under which a cascade's first answers are kept."""
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

    @model_validator(mode="before")
    @classmethod
    def _one_candidate(cls, said: Any) -> Any:
        if isinstance(said, dict) and "candidate" in said and "candidates" not in said:
            said = dict(said)
            said["candidates"] = (said.pop("candidate"),)
        return said

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.name == FIRST_TRY:
            raise ValueError(f"the name {FIRST_TRY!r} is taken by the first answers of cascades")
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
        left = spec.model_copy(update={"withdrawn": (*spec.withdrawn, candidate)})
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
        rows = self._store.rows(select(experiments).where(experiments.c.name == name))
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
        """Tokens of the answered copies of some experiments, read and generated."""
        t = interactions.c
        query = (
            select(t.experiment, func.sum(t.prompt_tokens + t.completion_tokens).label("tokens"))
            .where(t.experiment.in_(names), t.kind == "shadowed", t.outcome == "answered")
            .group_by(t.experiment)
        )
        return {row["experiment"]: int(row["tokens"] or 0) for row in self._store.rows(query)}


def pairs(store: Store, spec: Spec, candidate: str) -> list[Pair]:
    """Graded pairs of a shadow experiment, in the order in which both grades were known.

    A copy that failed counts as wrong where the primary's answer was graded: a candidate that only
    answers easy questions is not better.
    """
    copy, copied = grades.alias("copy"), interactions.alias("copied")
    primary, asked = grades.alias("primary"), interactions.alias("asked")
    both_known = case((copy.c.known_s > primary.c.known_s, copy.c.known_s), else_=primary.c.known_s)
    query = (
        select(
            asked.c.request_id, asked.c.task, asked.c.answer.label("old_answer"),
            copied.c.answer.label("new_answer"), primary.c.score.label("old_score"),
            copy.c.score.label("new_score"), primary.c.confidence.label("old_confidence"),
            copy.c.confidence.label("new_confidence"),
        )
        .select_from(copied)
        .join(asked, asked.c.request_id == copied.c.primary_id)
        .join(primary, primary.c.request_id == asked.c.request_id)
        .outerjoin(copy, (copy.c.request_id == copied.c.request_id) & (copy.c.by == "truth"))
        .where(
            copied.c.experiment == spec.name, copied.c.backbone == candidate,
            asked.c.backbone == spec.control, primary.c.by == "truth",
            # a verdict grades only copies that say the same: as pairs they would all be ties
            primary.c.metric != "verdict",
            (copy.c.metric != "verdict") | (copied.c.outcome == "failed"),
        )
        .order_by(both_known, asked.c.request_id)
    )  # fmt: skip
    return [
        Pair(
            row["request_id"], row["task"], row["old_score"], row["new_score"] or 0.0,
            row["old_confidence"], row["new_confidence"] or 0.0,
            row["new_answer"] is not None
            and vqa_normalise(row["old_answer"]) == vqa_normalise(row["new_answer"]),
            row["new_score"] is not None,
        )
        for row in store.rows(query)
    ]  # fmt: skip


def outcomes(store: Store, spec: Spec) -> dict[str, dict[str, int]]:
    """Count each candidate's copies by how they ended: answered, failed, dropped."""
    t = interactions.c
    query = (
        select(t.backbone, t.outcome, func.count().label("n"))
        .where(t.experiment == spec.name, t.kind == "shadowed")
        .group_by(t.backbone, t.outcome)
    )
    found = {c: {"answered": 0, "failed": 0, "dropped": 0} for c in spec.candidates}
    for row in store.rows(query):
        found[row["backbone"]][row["outcome"]] = row["n"]
    return found


def shadow_verdicts(store: Store, spec: Spec, candidate: str) -> tuple[Verdict, ...]:
    """Judge a candidate on what is graded so far (see `judged_pairs`)."""
    return judged_pairs(spec, pairs(store, spec, candidate))


def judged_pairs(spec: Spec, found: Sequence[Pair]) -> tuple[Verdict, ...]:
    """Judge one candidate's pairs.

    Each candidate is judged at its share of `alpha`: the false discovery rate over all candidates
    and tasks is then at most `alpha`.
    """
    return verdicts(found, margin=spec.margin, alpha=spec.alpha_each)


def flips(
    store: Store, spec: Spec, candidate: str, found: Sequence[Pair], *, most: int = 20
) -> list[Row]:
    """Examples of answers that changed, the most confident losses and gains first."""
    changed = [p for p in found if (p.old_score >= 0.5) != (p.new_score >= 0.5)]
    changed.sort(key=lambda p: -max(p.old_confidence, p.new_confidence))
    told = []
    for pair in changed[:most]:
        asked = store.find(pair.request_id)
        copies = store.rows(
            select(interactions).where(
                interactions.c.primary_id == pair.request_id,
                interactions.c.experiment == spec.name,
                interactions.c.backbone == candidate,
            )
        )
        if asked and copies:
            told.append(
                {
                    "request_id": pair.request_id, "task": pair.task,
                    "question": asked["question"], "control": asked["answer"],
                    "candidate": copies[0]["answer"],
                    "solved_by": "candidate" if pair.new_score >= 0.5 else "control",
                    "control_confidence": pair.old_confidence,
                    "candidate_confidence": pair.new_confidence,
                    "pictures": image_hashes(asked),
                }
            )  # fmt: skip
    return told


def load_spec(text: str) -> Spec:
    """Read a spec from JSON text."""
    return Spec.model_validate_json(text)
