"""Colours, fonts and wording shared by every picture generator."""

from functools import lru_cache
from pathlib import Path
from random import Random

import matplotlib
from PIL import ImageFont

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (225, 35, 35),
    "green": (30, 150, 40),
    "blue": (35, 60, 220),
    "yellow": (240, 215, 30),
    "brown": (130, 75, 25),
    "teal": (0, 135, 135),
    "black": (12, 12, 12),
    "gray": (125, 125, 125),
}
COLOUR_NAMES = tuple(COLOURS)

FONTS = (
    "DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf",
    "DejaVuSans-Oblique.ttf",
    "DejaVuSansMono.ttf",
    "DejaVuSansMono-Bold.ttf",
    "DejaVuSerif.ttf",
    "DejaVuSerif-Bold.ttf",
    "STIXGeneral.ttf",
    "STIXGeneralBol.ttf",
)


@lru_cache(maxsize=256)
def font(name: str, size_px: int) -> ImageFont.FreeTypeFont:
    """Open one of `FONTS` (they ship inside matplotlib) at a size in pixels."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return ImageFont.truetype(folder / name, size_px)


def jittered(rng: Random, rgb: tuple[int, int, int], spread: int = 14) -> tuple[int, int, int]:
    """Move every channel of a colour by at most `spread`, inside 0..255."""
    red, green, blue = (min(255, max(0, c + rng.randint(-spread, spread))) for c in rgb)
    return red, green, blue


def background(rng: Random) -> tuple[int, int, int]:
    """A light background, so that every colour of `COLOURS` stands out."""
    base = rng.randint(228, 255)
    return jittered(rng, (base, base, base), 8)


def worded(rng: Random, *templates: str) -> str:
    """Pick a wording, and vary its case, its spelling of colour and its question mark."""
    text = rng.choice(templates)
    if rng.random() < 0.25:
        text = text.replace("color", "colour")
    if rng.random() < 0.4:
        text = text[0].upper() + text[1:]
    if rng.random() < 0.1:
        text = text.rstrip("?.")
    if rng.random() < 0.08:
        text += "\nAnswer the question using a single word or phrase."
    return text
