"""What the operator configures of routing: policies by name, the dial, the table to start from."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from routing.domain import Family, Task
from serving.frozen import Frozen


class RuleSettings(Frozen):
    """One rule of a `rules` policy; what is left out matches everything."""

    to: tuple[str, ...] = Field(min_length=1, description="backbones in order of preference")
    tasks: tuple[Task, ...] = ()
    family: Family | None = None
    users: tuple[str, ...] = ()
    header: tuple[str, str] | None = Field(None, description="a header's name and value")


class PolicySettings(Frozen):
    """One named policy; clients choose it with `model: "auto:NAME"`."""

    kind: Literal["family", "utility", "cascade", "thompson", "split", "rules", "fixed"]
    explore: float = Field(0, ge=0, le=1, description="utility: share spread over all (ε-greedy)")
    share: float = Field(1, ge=0, le=1, description="thompson: share that is drawn")
    threshold: float | None = Field(None, ge=0, le=1, description="cascade; none: the optimum")
    weights: dict[str, Annotated[float, Field(ge=0)]] = Field(
        {}, description="split: backbone → weight"
    )
    rules: tuple[RuleSettings, ...] = ()
    backbone: str | None = Field(None, description="fixed: always this one")


_POLICIES: dict[str, PolicySettings] = {
    "utility": PolicySettings(kind="utility"),
    "explore": PolicySettings(kind="utility", explore=0.05),
    "cascade": PolicySettings(kind="cascade"),
    "thompson": PolicySettings(kind="thompson", share=0.1),
    "family": PolicySettings(kind="family"),
}


class Routing(Frozen):
    """Who decides, and how much price counts."""

    default: str = Field("utility", description="the policy of `auto`")
    quality: float = Field(0.5, ge=0, le=1, description="the dial: 0 the cheapest, 1 the best")
    policies: dict[str, PolicySettings] = Field({}, description="added to the built-in ones")
    sticky: bool = Field(
        default=False,
        description="draw the same for the same `user` each time; without one, for a conversation",
    )
    table: Path | None = Field(None, description="quality table to start from")

    def named(self) -> dict[str, PolicySettings]:
        """Every policy by name."""
        return _POLICIES | self.policies

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.default not in self.named():
            names = ", ".join(self.named())
            raise ValueError(f"default: no policy {self.default!r}; there are: {names}")
        return self
