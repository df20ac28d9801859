"""Question text and image statistics as numbers: what the classifier and the predictors see.

Text becomes slots of a hashed vocabulary: words, pairs of words, character pieces of every word
(so that a typo changes little), and cues of the answer's format. A slot is a CRC of the feature's
name, so the arrays of a model fit every process.
"""

import re
import zlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from routing.domain import ImageFacts, Query

SLOTS = 1 << 15
LONGEST = 600
"""Characters of a text that are read: its head and its tail, half each."""

_TOKEN = re.compile(r"[^\W\d_]+(?:'[a-z]+)?|\d+(?:[.,]\d+)*|[^\w\s]")
_INSTRUCTION = re.compile(
    r"\b(?:please )?(?:answer|respond|reply)(?: the question| directly| briefly)*"
    r"(?: with| using| in| by)\b[^.?!\n]*(?:word|phrase|letter|sentence|number|yes or no|choices)"
    r"[^.?!\n]*[.?!]?|\b(?:hint|please answer)\s*:[^\n]*"
    # what to say where nothing can be said, and what a reader of writing found before
    r"|\b(?:when|if) (?:the |there is )?[^.?!\n]{0,60}(?:insufficient|not enough|cannot)[^.?!\n]*"
    r"unanswerable[^\n.]*\.?|(?<=reference ocr token):[^\n]*|(?<=reference ocr tokens):[^\n]*",
    re.IGNORECASE,
)
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Features:
    """Hashed slots of the text, and the eight facts of the newest image (zeros without one)."""

    slots: tuple[int, ...]
    facts: tuple[float, ...]


def plain(text: str) -> str:
    """Lower case, without instructions on the answer's form, at most `LONGEST` characters.

    >>> plain("What COLOR is it?  Answer with a single word.")
    'what color is it?'
    >>> plain("Answer in one word: what color is it? Thanks!")
    'answer in one word: what color is it? thanks!'
    """
    if len(text) > LONGEST:
        text = f"{text[: LONGEST // 2]} {text[-LONGEST // 2 :]}"
    kept = _INSTRUCTION.sub(_less, text)
    return _SPACE.sub(" ", kept if kept.strip() else text).strip().lower()


def _less(found: re.Match[str]) -> str:
    """Nothing of an instruction, and all of one that is the question as well."""
    return found[0] if found[0].endswith("?") else " "


@lru_cache(maxsize=65_536)
def _word_slots(word: str) -> tuple[int, ...]:
    """The slots of one word: itself, and its character pieces."""
    if word[0].isdigit():
        size = "decimal" if "." in word else f"digits{min(4, len(word))}"
        return (_slot("w:<number>"), _slot(f"w:<{size}>"))
    if not word[0].isalpha():
        return (_slot(f"p:{word}"),)
    padded = f"^{word}$"
    pieces = {padded[i : i + 4] for i in range(max(1, len(padded) - 3))}
    return (_slot(f"w:{word}"), *sorted(_slot(f"c:{piece}") for piece in pieces))


@lru_cache(maxsize=262_144)
def _pair_slot(first: str, second: str) -> int:
    return _slot(f"b:{first} {second}")


def _slot(name: str) -> int:
    return zlib.crc32(name.encode("utf-8", "surrogatepass")) % SLOTS


def text_slots(text: str) -> list[int]:
    """Slots of one text, each once, in no particular order."""
    words = _TOKEN.findall(plain(text))
    found: set[int] = set()
    before = "^"
    for word in words:
        found.update(_word_slots(word))
        if word[0].isdigit():
            word = "<n>"  # numbers are alike in pairs
        found.add(_pair_slot(before, word))
        before = word
    found.add(_pair_slot(before, "$"))
    found.add(_length_slot(len(words)))
    if len(words) > 1:
        found.add(_pair_slot("^" + words[0], words[1]))
    return list(found)


@lru_cache(maxsize=64)
def _bucket(number: int) -> int:
    return _slot(f"len:{number}")


def _length_slot(words: int) -> int:
    return _bucket(min(words, 12) if words <= 12 else min(40, words // 4 * 4))


def features(query: Query) -> Features:
    """What a query shows: the last user turn's text, and its newest image's facts."""
    return Features(tuple(text_slots(query.text)), image_facts(query.images))


FACTS = ("seen", "wide", "colours", "edges", "lines", "flat", "text", "chart")
"""What the numbers of `image_facts` are called where events keep them."""


def image_facts(images: tuple[ImageFacts, ...]) -> tuple[float, ...]:
    """Eight numbers, about [0, 1] each: has an image, its shape, and its statistics."""
    if not images:
        return (0.0,) * 8
    newest = images[-1]
    wide = newest.width_px / max(1, newest.width_px + newest.height_px)
    return (
        1.0, wide, newest.colours, newest.edges, newest.lines, newest.flat, newest.text,
        newest.chart,
    )  # fmt: skip


def images_from(facts: tuple[float, ...]) -> tuple[ImageFacts, ...]:
    """The picture that `image_facts` described, so far as routing can tell; none where none was.

    >>> one = ImageFacts(640, 360, colours=0.5, text=0.25)
    >>> image_facts(images_from(image_facts((one,)))) == image_facts((one,))
    True
    """
    if not facts or not facts[0]:
        return ()
    _, wide, *statistics = facts
    width_px = round(1_000 * wide)
    return (ImageFacts(width_px, 1_000 - width_px, *statistics),)


FloatArray = NDArray[np.float32]
_SIDE = 128


def look(rgb: NDArray[np.uint8], width_px: int, height_px: int) -> ImageFacts:
    """Measure the statistics of a picture on a small copy.

    Args:
        rgb: a down-sampled copy, (height, width, 3), at most 128 pixels a side.
        width_px: of the original.
        height_px: of the original.

    Raises:
        ValueError: the copy is larger than that: measuring it would take too long.
    """
    if max(rgb.shape[:2]) > _SIDE:
        raise ValueError(f"look takes a copy of at most {_SIDE} pixels a side, got {rgb.shape}")
    if min(rgb.shape[:2]) < 2:
        return ImageFacts(width_px, height_px)
    small = rgb.astype(np.int16)  # three channels add up to 765 at most
    red, green, blue = small[..., 0], small[..., 1], small[..., 2]
    coarse = (red & 240) << 4 | (green & 240) | blue >> 4
    counts = np.bincount(coarse.ravel(), minlength=4096)
    grey = red + green + blue
    across = np.abs(grey[:, 1:] - grey[:, :-1]) > 96
    down = np.abs(grey[1:] - grey[:-1]) > 96
    busy_rows = np.count_nonzero(across, axis=1) / across.shape[1]
    edges = float((busy_rows.mean() + np.count_nonzero(down) / down.size) / 2)
    rows = float((np.count_nonzero(down, axis=1) > 0.5 * down.shape[1]).mean())
    columns = float((np.count_nonzero(across, axis=0) > 0.5 * across.shape[0]).mean())
    flat = float(counts.max() / coarse.size)
    colours = float(np.count_nonzero(counts) / 256)
    # writing: rows full of short strokes between empty ones, on a plain ground
    text = float(min(1.0, busy_rows.std() * 6) * flat)
    chart = float(min(1.0, 8 * (rows + columns)) * flat * (colours < 0.5))
    return ImageFacts(
        width_px, height_px, min(1.0, colours), edges, min(1.0, rows + columns), flat, text, chart
    )
