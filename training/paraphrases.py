"""The same question in another spelling, or in other words, for the study of inner stability."""

import re

_THING = "(?P<thing>.+?)"
_WORDINGS: tuple[tuple[str, ...], ...] = (
    ("how many {} are there", "how many {} do you see", "count the {}"),
    ("what color is the {}", "what is the color of the {}"),
    ("where is the {}", "in which part of the image is the {}"),
    ("what shape is in the {}", "which shape is at the {}"),
    ("what shape is in the image", "which shape do you see", "what shape is this"),
    ("is there a {}", "does the image contain a {}", "is a {} present"),
    (
        "what is the value of the {} bar",
        "what value does the {} bar show",
        "how high is the {} bar",
    ),
    ("which bar is the highest", "what color is the tallest bar"),
    ("which bar is the lowest", "what color is the shortest bar"),
    ("what number is shown", "what is the number in the image", "read the number"),
    ("what word is shown", "what does the text say", "read the word"),
    ("what number comes next", "which number is next", "continue the series"),
    ("what is the result", "what does this equal", "solve this"),
)
"""Ways to ask the same; each is turned into the one after it."""


def respelled(text: str) -> str:
    """The same words with another spelling, capital and end.

    >>> respelled("what color is the star?")
    'What colour is the star'
    """
    other = text.replace("color", "colour") if "color" in text else text.replace("colour", "color")
    other = other.rstrip("?.") if other.endswith(("?", ".")) else other + "?"
    return other[0].swapcase() + other[1:]


def reworded(text: str) -> str | None:
    """The same question in other words; None where no other wording is known.

    >>> reworded("How many red shapes are there?")
    'how many red shapes do you see?'
    >>> reworded("are all shapes red?") is None
    True
    """
    plain = text.strip().rstrip("?.").lower().replace("colour", "color")
    for ways in _WORDINGS:
        for way, other in zip(ways, (*ways[1:], ways[0]), strict=True):
            found = re.fullmatch(way.replace("{}", _THING), plain)
            if found:
                end = "?" if other.split()[0] in _ASKING else "."
                return other.replace("{}", found.groupdict().get("thing", "")) + end
    return None


_ASKING = {"how", "what", "where", "which", "in", "is", "does"}
