"""The things in a picture: shapes of a scene, how they relate, and bars of a chart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

SHAPES = ("circle", "rectangle", "triangle", "star")
PLACES = (
    "top left", "top", "top right",
    "left", "center", "right",
    "bottom left", "bottom", "bottom right",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Thing:
    """One shape; `cell` counts the 3 x 3 grid in reading order."""

    shape: str
    colour: str
    large: bool
    cell: int

    @property
    def row(self) -> int:
        return self.cell // 3

    @property
    def column(self) -> int:
        return self.cell % 3


Scene = Sequence[Thing]
Relation = Callable[[Thing, Thing], bool]
RELATIONS: dict[str, Relation] = {
    "left of": lambda a, b: a.column < b.column,
    "right of": lambda a, b: a.column > b.column,
    "above": lambda a, b: a.row < b.row,
    "below": lambda a, b: a.row > b.row,
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its colour is its name, its height its value in 1..9."""

    colour: str
    value: int


def kinds(things: Scene) -> dict[str, list[Thing]]:
    """What can be counted in a scene, and the things that are to be counted."""
    shapes = {f"{t.shape}s": [o for o in things if o.shape == t.shape] for t in things}
    colours = {f"{t.colour} shapes": [o for o in things if o.colour == t.colour] for t in things}
    return {"shapes": list(things)} | shapes | colours
