"""Say what is wrong with a configuration: where, what, and the nearest valid key."""

import difflib
from collections.abc import Iterable
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

_OTHER_VARIABLES = {"BARN_CONFIG", "BARN_URL", "BARN_API_KEY"}
"""Read by the commands, not by the settings."""


def known_variables(root: type[BaseModel], names: Iterable[str]) -> None:
    """Refuse a `BARN_…` variable that would be silently without effect.

    Raises:
        ValueError: there is no such setting; the message names the nearest.
    """
    rooms = {name.upper() for name in root.model_fields}
    for name in names:
        if not name.startswith("BARN_") or name in _OTHER_VARIABLES:
            continue
        room = name.removeprefix("BARN_").partition("__")[0].upper()
        if room not in rooms:
            near = difflib.get_close_matches(room, rooms, 1, 0.4)
            hint = f"; did you mean BARN_{near[0]}__…?" if near else ""
            raise ValueError(f"{name}: no such setting{hint}")


def explain(error: ValidationError, root: type[BaseModel]) -> str:
    """Say each fault in a line: where, what, and for an unknown key the nearest valid one."""
    return "\n".join(_fault(fault, root) for fault in error.errors())


def _fault(fault: Any, root: type[BaseModel]) -> str:
    where = ".".join(str(step) for step in fault["loc"])
    if fault["type"] != "extra_forbidden":
        return f"  {where}: {fault['msg']}"
    near = difflib.get_close_matches(
        str(fault["loc"][-1]), _keys_at(root, fault["loc"][:-1]), 1, 0.4
    )
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"  {where}: unknown key{hint}"


def _keys_at(root: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys that are valid at a place: through models, lists of them and names for them."""
    known: Any = root
    for step in location:
        if isinstance(known, type) and issubclass(known, BaseModel):
            field = known.model_fields.get(str(step))
            known = field.annotation if field is not None else None
        else:  # tuple[Model, ...] or dict[str, Model]
            models = [m for m in get_args(known) if isinstance(m, type)]
            known = models[-1] if models else None
    if isinstance(known, type) and issubclass(known, BaseModel):
        return list(known.model_fields)
    return []
