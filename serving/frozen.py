"""The base of every part of the configuration: unknown keys are errors, values do not change."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A block of the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)
