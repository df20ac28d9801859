"""Which backbone a question goes to: by its policy, the newest table, the load, experiments."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

from evaluation.experiments import Spec
from routing.domain import Decision, Limits, Load, ModelCard, ModelId, Query
from routing.features import Features, text_slots
from routing.odds import unit_draw
from routing.policies.cascade import Cascade
from routing.policies.fixed import Fixed
from routing.policies.split import Split
from routing.policy import Asked, Policy, State, decide
from routing.quality import QualityTable
from routing.tasks import TaskModel, TaskScores, features_of, scored
from serving.errors import UnknownModelError
from serving.parsing import Question

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Case:
    """One question under decision; the table is the one it started with."""

    query: Query
    asked: Asked
    features: Features
    state: State
    policy: Policy
    experiment: Spec | None = None
    u: float | None = None  # of a user who always meets the same side

    @property
    def scores(self) -> TaskScores:
        """The task probabilities."""
        return self.asked.scores

    def decided(self, cards: Sequence[ModelCard], *, u: float) -> Decision:
        """Choose among `cards`; see `routing.policy.decide`."""
        u = u if self.u is None else self.u
        return decide(self.query, self.asked, self.features, cards, self.state, self.policy, u=u)

    def experiment_of(self, decision: Decision) -> str | None:
        """The split that chose; where load or limits left some sides only, it did not."""
        spec = self.experiment
        if spec is None:
            return None
        sides = {ModelId(spec.control), *map(ModelId, spec.trying)}
        whole = sides <= set(decision.able)
        return spec.name if whole and decision.model in sides else None

    def without(self, model: ModelId) -> "Case":
        """The same case once a backbone has refused: an experiment no longer decides."""
        if self.experiment is None:
            return self
        return replace(self, policy=Fixed(model, self.policy.name), experiment=None, u=None)


class Desk:
    """Holds what decisions depend on; `table`, `load` and `splits` are asked each time."""

    def __init__(  # noqa: PLR0913 - each part is one thing a decision depends on
        self,
        *,
        policies: Mapping[str, Policy],
        default: str,
        model: TaskModel,
        table: Callable[[], QualityTable],
        load: Callable[[], Mapping[ModelId, Load]],
        splits: Callable[[], Sequence[Spec]] = tuple,
        quality: float = 0.5,
        sticky: bool = False,
    ) -> None:
        self.policies = dict(policies)
        self.default = default
        self.table = table
        self._model = model
        self._load = load
        self._splits = splits
        self.quality = quality
        self._sticky = sticky

    def names(self) -> tuple[str, ...]:
        """The model names that route: `auto`, and `auto:POLICY` for every policy."""
        return (AUTO, *(f"{AUTO}:{name}" for name in self.policies))

    def case(self, question: Question, query: Query, pinned: ModelId | None) -> Case:
        """Classify a question and pick whose preference decides.

        Raises:
            UnknownModelError: it names a policy that there is not.
        """
        slots = text_slots(query.text)
        scores = scored(query, slots, self._model)
        wishes = question.wishes
        limits = Limits(
            quality=self.quality if wishes.quality is None else wishes.quality,
            max_cost=inf if wishes.max_cost is None else wishes.max_cost,
            deadline_s=question.deadline_s if wishes.deadline_ms is not None else inf,
        )
        asked = Asked(scores, limits, query.user, question.headers)
        state = State(self.table(), self._load())
        features = features_of(query, slots)
        if pinned is not None:
            return Case(query, asked, features, state, Fixed(pinned, "pinned"))
        policy = self._named(question.model)
        unit = query.user
        for spec in self._splits() if question.model == AUTO else ():
            if spec.wants(scores.task.value, unit):
                weights = {ModelId(c): spec.each for c in spec.trying}  # first: see `Spec.draw`
                weights[ModelId(spec.control)] = 1 - sum(weights.values())
                policy = Split(weights, f"split:{spec.name}")
                u = None if unit is None else spec.draw(unit)
                return Case(query, asked, features, state, policy, spec, u)
        u = unit_draw(policy.name, unit or _conversation(query)) if self._sticky else None
        return Case(query, asked, features, state, policy, None, u)

    def _named(self, model: str) -> Policy:
        name = model.partition(":")[2] or self.default
        if name not in self.policies:
            raise UnknownModelError(
                f"no policy {name!r}; there are: {', '.join(self.policies)}", "model"
            )
        return self.policies[name]

    def cascade(self, case: Case) -> Cascade | None:
        """The cascade that decides this case, if one does."""
        return case.policy if isinstance(case.policy, Cascade) else None


def _conversation(query: Query) -> str:
    """What stays the same through a conversation whose user is not named: how it began."""
    return f"begins: {query.earlier[0] if query.earlier else query.text}"
