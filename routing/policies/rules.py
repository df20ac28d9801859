"""Rules that the operator writes: on task, family, user and header; the first that fits wins."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from routing.domain import Family, Feedback, ModelId, Offer, Task
from routing.odds import Odds
from routing.policy import Asked


@dataclass(frozen=True, slots=True)
class Rule:
    """Sends what matches to `to`, in order of preference. An empty condition matches everything.

    `header` is a name and a value, compared without regard to case.
    """

    to: tuple[ModelId, ...]
    tasks: frozenset[Task] = frozenset()
    family: Family | None = None
    users: frozenset[str] = frozenset()
    header: tuple[str, str] | None = None

    def fits(self, asked: Asked) -> bool:
        """Tell whether every condition holds."""
        name, value = self.header or ("", "")
        return (
            (not self.tasks or asked.task in self.tasks)
            and (self.family is None or asked.scores.family is self.family)
            and (not self.users or asked.user in self.users)
            and (not name or asked.headers.get(name.lower(), "").lower() == value.lower())
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """The first rule that fits and names an able backbone decides; else the first offer."""

    rules: tuple[Rule, ...] = field(default=())
    name: str = "rules/1"

    def odds(self, asked: Asked, offers: Sequence[Offer]) -> Odds:
        able = [o.card.id for o in offers]
        for rule in self.rules:
            if rule.fits(asked):
                for model in rule.to:
                    if model in able:
                        return Odds.of({model: 1.0})
        return Odds.of({able[0]: 1.0})

    def learn(self, feedback: Feedback) -> "Rules":  # noqa: ARG002
        return self
