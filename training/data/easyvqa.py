"""The easy-VQA data set (PyPI, MIT): pictures and questions that are not ours."""

from functools import lru_cache

import easy_vqa
from PIL import Image

from training.data.items import Asked, Item, Split, Truth
from training.data.palette import COLOUR_NAMES
from training.data.things import SHAPES

SKILL = "easy-vqa"


@lru_cache(maxsize=2)
def questions(split: Split) -> dict[int, tuple[Asked, ...]]:
    """Return every question of a split by image id."""
    read = easy_vqa.get_train_questions if split == "train" else easy_vqa.get_test_questions
    found: dict[int, list[Asked]] = {}
    for question, answer, image in zip(*read(), strict=True):
        found.setdefault(image, []).append(Asked(question, answer, SKILL))
    return {image: tuple(asked) for image, asked in found.items()}


@lru_cache(maxsize=2)
def paths(split: Split) -> dict[int, str]:
    """Return every picture's path by image id."""
    train = split == "train"
    return dict(easy_vqa.get_train_image_paths() if train else easy_vqa.get_test_image_paths())


def image_count(split: Split) -> int:
    """Count the pictures of a split that have questions (4,000 and 1,000)."""
    return len(questions(split))


def load(split: Split, index: int) -> Item:
    """Load one picture with all its questions; `index` wraps around."""
    image_id = sorted(questions(split))[index % image_count(split)]
    with Image.open(paths(split)[image_id]) as file:
        image = file.convert("RGB")
    asked = questions(split)[image_id]
    truth = _truth(asked)
    told = None
    if truth.only_shape > 0 and truth.only_colour > 0:
        told = f"{COLOUR_NAMES[truth.only_colour - 1]} {SHAPES[truth.only_shape - 1]}"
    return Item("easy-vqa", asked, image, truth, told)


def _truth(asked: tuple[Asked, ...]) -> Truth:
    """Say what the questions themselves reveal of the only shape."""
    answers = {a.answer for a in asked}
    shape = [i for i, name in enumerate(SHAPES) if name in answers]
    colour = [i for i, name in enumerate(COLOUR_NAMES) if name in answers]
    return Truth(
        only_shape=shape[0] + 1 if len(shape) == 1 else -1,
        only_colour=colour[0] + 1 if len(colour) == 1 else -1,
    )
