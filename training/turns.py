"""What is asked of a drawn picture in training, in which stage."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from training.data.items import Asked, Item, generator
from training.data.mixture import HARDER, PLACING, Mixture
from training.packing import Turn

MOST_QUESTIONS, MOST_AT_LAST, MOST_TO_PLACE = 7, 10, 12
"""Questions about one picture, and in the last stages, where more are asked."""
ONE_LOOK = ("chart value", "recognition", "attribute", "existence", "spatial", "counting")
TRIED = 2
DESCRIBED = 0.25
"""Share of pictures that are described as well, as LLaVA's instructions have descriptions."""
LESSON, LESSON_AT_LAST = 0.25, 1.0
"""Share of pictures with a lesson after the stage of lessons: long answers outweigh short ones.

The last stage's lessons are short, and about what some backbones have not found by then.
"""
_DESCRIBE = (
    "describe the image.",
    "Describe the image in detail.",
    "what do you see?",
    "What is in the image?",
)


def conversations(
    seed: int, index: int, item: Item, *, most: int = MOST_QUESTIONS, lesson: float = LESSON
) -> list[list[Turn]]:
    """Choose at most `most` questions for one row; now and then two form one conversation."""
    rng = generator(seed, "turns", index)
    tested = [a for a in item.asked if not a.lesson]
    taught = [a for a in item.asked if a.lesson]
    asked = min(most, len(tested)) if item.image is not None else len(tested)
    chosen = rng.sample(tested, asked)
    if taught and rng.random() < lesson:
        chosen.append(rng.choice(taught))
    turns: list[list[Turn]] = [[(a.question, a.answer)] for a in chosen]
    if len(turns) > 2 and rng.random() < 0.4:
        turns[0] += turns.pop()
    if item.told is not None and rng.random() < DESCRIBED:
        turns.insert(0, [(rng.choice(_DESCRIBE), item.told)])
    return turns


def lessons(seed: int, index: int, item: Item) -> list[list[Turn]]:
    """Choose what is asked where looking is learned: a picture's lessons and two to try, or all."""
    if item.image is None:
        return [[(a.question, a.answer)] for a in item.asked]
    rng = generator(seed, "lessons", index)
    taught = [a for a in item.asked if a.lesson and not _counts_ones(a)]
    others = [a for a in item.asked if not a.lesson and a.skill in ONE_LOOK]
    chosen = taught + rng.sample(others, min(TRIED, len(others)))
    return [[(a.question, a.answer)] for a in chosen]


def _counts_ones(asked: Asked) -> bool:
    """Where every kind is there once, counting them teaches only to say one."""
    return asked.skill == "counting" and not set(asked.answer) & set("23456789")


@dataclass(frozen=True, slots=True)
class Ending:
    """A stage at the end of stage 2: pictures of its own, and what is asked of them."""

    seed: int
    """Added to the profile's."""
    mixture: Mixture
    choose: Callable[[int, int, Item], list[list[Turn]]]


_AT_LAST = partial(conversations, most=MOST_AT_LAST, lesson=LESSON_AT_LAST)
ENDINGS = {
    "finish": Ending(1_000, HARDER, _AT_LAST),
    "settle": Ending(
        2_000, PLACING, partial(conversations, most=MOST_TO_PLACE, lesson=LESSON_AT_LAST)
    ),
}
"""In their order, by the name of their plan in the profile."""
