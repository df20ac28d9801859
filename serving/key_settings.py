"""API keys, as the configuration and the service's own routes write them."""

from typing import Literal

import limits
from pydantic import Field, field_validator

from serving.frozen import Frozen


class NewKey(Frozen):
    """Who is to get a key, and what it may ask."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")
    role: Literal["user", "operator"] = "user"
    models: tuple[str, ...] = Field((), description="allowed model names; none: all")
    requests: str | None = Field(None, description="at most, e.g. 60/minute; none: no limit")
    tokens: str | None = Field(None, description="at most, e.g. 200000/day; none: no limit")

    @field_validator("requests", "tokens")
    @classmethod
    def _budget(cls, budget: str | None) -> str | None:
        if budget is not None:
            try:
                (item,) = limits.parse_many(budget)
            except ValueError as error:
                raise ValueError(f"{budget!r} is no budget; write one, e.g. 60/minute") from error
            if item.amount < 1:
                raise ValueError(f"{budget!r} lets nothing through; leave such a key out")
        return budget


class Key(NewKey):
    """One API key, by its SHA-256 (`barn key` makes one)."""

    name: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Access(Frozen):
    """Who may call; without keys everybody on this machine may, and nobody else."""

    keys: tuple[Key, ...] = ()
