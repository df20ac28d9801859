"""Settings -> routing policies, by name."""

from collections.abc import Callable

from routing.domain import ModelId
from routing.policies.cascade import Cascade
from routing.policies.family import ByFamily
from routing.policies.fixed import Fixed
from routing.policies.rules import Rule, Rules
from routing.policies.split import Split
from routing.policies.thompson import Thompson
from routing.policies.utility import Utility
from routing.policy import Policy
from serving.routing_settings import PolicySettings, Routing, RuleSettings
from serving.settings import Settings, SettingsError


def build_policies(settings: Settings) -> dict[str, Policy]:
    """Build every policy of a configuration.

    Raises:
        SettingsError: one names a backbone that there is not.
    """
    known = {b.id for b in settings.backbones}
    return {name: _built(name, told, known) for name, told in _named(settings.routing).items()}


def _named(routing: Routing) -> dict[str, PolicySettings]:
    return routing.named()


def _built(name: str, told: PolicySettings, known: set[str]) -> Policy:
    mentioned = {*told.weights, *(m for r in told.rules for m in r.to)}
    if told.backbone is not None:
        mentioned.add(told.backbone)
    strange = sorted(mentioned - known)
    if strange:
        raise SettingsError(
            f"routing.policies.{name}: no backbone {strange[0]!r}; there are: "
            f"{', '.join(sorted(known))}"
        )
    makers: dict[str, Callable[[], Policy]] = {
        "family": lambda: ByFamily(),
        "utility": lambda: Utility(told.explore, f"{name}/1"),
        "cascade": lambda: Cascade(told.threshold, _cascade(name)),
        "thompson": lambda: Thompson(told.share, name=f"{name}/1"),
        "split": lambda: Split({ModelId(m): w for m, w in told.weights.items()}, f"{name}/1"),
        "rules": lambda: Rules(tuple(_rule(r) for r in told.rules), f"{name}/1"),
        "fixed": lambda: Fixed(ModelId(told.backbone or min(known)), f"{name}/1"),
    }
    return makers[told.kind]()


def _cascade(name: str) -> str:
    """Every cascade's name begins alike: what is learnt from its answers depends on it.

    >>> _cascade("cascade"), _cascade("thrifty")
    ('cascade/2', 'cascade-thrifty/2')
    """
    return f"{name}/2" if name.startswith("cascade") else f"cascade-{name}/2"


def _rule(told: RuleSettings) -> Rule:
    return Rule(
        to=tuple(ModelId(m) for m in told.to),
        tasks=frozenset(told.tasks),
        family=told.family,
        users=frozenset(told.users),
        header=told.header,
    )
