"""What one training picture is: pixels, what is in it, and what can be asked about it."""

import math
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Literal, TypeAlias

from PIL import Image

Split: TypeAlias = Literal["train", "test"]
Kind: TypeAlias = Literal["scene", "chart", "text", "easy-vqa", "no-image"]

SIDE_PX = 64
"""Width and height of every picture; the size easy-VQA uses."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question with its only right answer, and the skill it needs.

    A `lesson` is asked in training alone; see `training.data.lessons`.
    """

    question: str
    answer: str
    skill: str
    lesson: bool = False


@dataclass(frozen=True, slots=True)
class Truth:
    """What a picture holds, as classes for the vision encoder's dense supervision.

    Slots are numbered in reading order; `-1` marks a slot that this picture does not supervise.
    """

    cell_shape: tuple[int, ...] = ()
    cell_colour: tuple[int, ...] = ()
    cell_size: tuple[int, ...] = ()
    only_shape: int = -1
    only_colour: int = -1
    characters: tuple[int, ...] = ()
    bar_value: tuple[int, ...] = ()
    bar_colour: tuple[int, ...] = ()
    patch_shape: tuple[int, ...] = ()
    patch_colour: tuple[int, ...] = ()
    patch_character: tuple[int, ...] = ()
    patch_place: tuple[int, ...] = ()
    patch_value: tuple[int, ...] = ()
    patch_centre: tuple[int, ...] = ()
    """1 where a thing has its centre, 2 where a large thing has: one patch for each thing."""


PATCH_PX = 8
"""Side of the patches that are supervised one by one."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A class and the box (left, top, right, bottom; pixels) in which it can be seen."""

    box: tuple[float, float, float, float]
    label: int


def patch_labels(marks: Iterable[Mark], *, centres: bool = False) -> tuple[int, ...]:
    """Label each patch, in reading order, with the nearest mark that covers it; 0 is background.

    A mark covers the patches whose centre lies in its box, and the one that holds its own centre;
    with `centres` the latter alone.

    >>> patch_labels([Mark((0, 0, 9, 5), 3)])[:3]
    (3, 0, 0)
    """
    side = SIDE_PX // PATCH_PX
    nearest: dict[int, tuple[float, int]] = {}
    for mark in marks:
        left, top, right, bottom = mark.box
        x, y = (left + right) / 2, (top + bottom) / 2
        covered = {min(side - 1, int(y // PATCH_PX)) * side + min(side - 1, int(x // PATCH_PX))}
        if not centres:
            columns = _patches(left, right)
            covered.update(r * side + c for r in _patches(top, bottom) for c in columns)
        for patch in covered:
            px, py = (patch % side + 0.5) * PATCH_PX, (patch // side + 0.5) * PATCH_PX
            found = (math.hypot(px - x, py - y), mark.label)
            nearest[patch] = min(found, nearest.get(patch, found))
    return tuple(nearest.get(patch, (0.0, 0))[1] for patch in range(side * side))


def _patches(low: float, high: float) -> range:
    """Number the patches of a row, or of a column, whose centre lies between two pixels.

    >>> list(_patches(4, 20))
    [0, 1, 2]
    """
    first, last = math.ceil(low / PATCH_PX - 0.5), math.floor(high / PATCH_PX - 0.5)
    return range(max(0, first), min(SIDE_PX // PATCH_PX - 1, last) + 1)


@dataclass(frozen=True, slots=True)
class Item:
    """One picture (or none), its ground truth and its questions."""

    kind: Kind
    asked: tuple[Asked, ...]
    image: Image.Image | None = None
    truth: Truth = field(default_factory=Truth)
    told: str | None = None
    """Everything that is in the picture, in reading order, where it is known."""


VISION_SKILLS = (
    "recognition",
    "attribute",
    "counting",
    "spatial",
    "existence",
    "ocr",
    "chart value",
)
REASONING_SKILLS = (
    "arithmetic",
    "chart sum",
    "chart difference",
    "chart comparison",
    "two-hop",
    "logic",
    "series",
)


def generator(*key: object) -> Random:
    """Return a random generator that depends on `key` alone, on every platform.

    >>> generator("train", 7).random() == generator("train", 7).random()
    True
    """
    return Random("/".join(str(part) for part in key))  # noqa: S311 - data, not secrets


def is_held_out(*combination: object) -> bool:
    """Tell whether a combination belongs to the test split: one in ten, for ever the same."""
    return zlib.crc32(repr(combination).encode()) % 10 == 0


def belongs(split: Split, *combination: object) -> bool:
    """Tell whether a combination may appear in `split`; no combination appears in both."""
    return is_held_out(*combination) == (split == "test")
