"""Numbers: relaxed accuracy for charts, and equivalence for mathematics."""

import re
from collections.abc import Sequence
from fractions import Fraction

from evaluation.metrics.normalise import vqa_normalise

_NUMBER = re.compile(r"[-+]?(?:\d[\d,]*)?\.?\d+(?:[eE][-+]?\d{1,3}(?!\d))?(?:\s*/\s*\d+)?\s*%?")
_LATEX_FRACTION = re.compile(r"\\[dt]?frac\{(-?\d+)\}\{(\d+)\}")
_WRAPPING = re.compile(r"\\boxed\{([^{}]*)\}|\$|\\left|\\right|\\[,;! ]")


def relaxed(answer: str, references: Sequence[str], *, tolerance: float = 0.05) -> float:
    """ChartQA's relaxed accuracy (Masry et al. 2022): numbers may be off by 5 % of the reference.

    Anything that is no number (`1,200` is none) is compared as text, without regard to case. A
    percentage is read as its fraction on both sides. All of it as the reference implementation.

    >>> relaxed("104", ("100",)), relaxed("106", ("100",)), relaxed("Norway", ("norway",))
    (1.0, 0.0, 1.0)
    """
    return float(any(_relaxed(answer.strip(), r.strip(), tolerance) for r in references))


def _relaxed(answer: str, reference: str, tolerance: float) -> bool:
    said, wanted = _as_float(answer), _as_float(reference)
    if said is None or not wanted:  # also a reference of zero is compared as text there
        return answer.lower() == reference.lower()
    return abs(said - wanted) / abs(wanted) <= tolerance


def _as_float(text: str) -> float | None:
    try:
        return float(text.rstrip("%")) / 100 if text.endswith("%") else float(text)
    except ValueError:
        return None


def number(answer: str, references: Sequence[str]) -> float:
    r"""Equality of value: `0.5`, `1/2`, `\frac{1}{2}`, `50%` and "The answer is .50" are the same.

    The last number of a sentence is its answer, as MathVista extracts it; decimals are compared at
    the reference's precision. Without a number in the reference, text is compared.

    >>> number("so the result is 1/2.", ("0.5",)), number("1,200", ("1200",)), number("3", ("4",))
    (1.0, 1.0, 0.0)
    """
    return float(any(_equal(answer, reference) for reference in references))


def _equal(answer: str, reference: str) -> bool:
    wanted = _value(reference)
    if wanted is None:
        return vqa_normalise(answer) == vqa_normalise(reference)
    said = _value(answer)
    if said is None:
        return False
    if said == wanted:
        return True
    places = len(reference.partition(".")[2].strip(" %$")) if "." in reference else 0
    if places and reference.rstrip(" .$").endswith("%"):  # its value is a hundredth of what it says
        places += 2
    return places > 0 and round(said, places) == round(wanted, places)


def _value(text: str) -> Fraction | None:
    plain = _LATEX_FRACTION.sub(r"\1/\2", text)
    plain = _WRAPPING.sub(lambda m: m.group(1) or "", plain)
    found = _NUMBER.findall(plain)
    if not found:
        return None
    last = found[-1].replace(",", "").replace(" ", "")
    percent = last.endswith("%")
    above, _, below = last.rstrip("%").partition("/")
    if below and int(below) == 0:
        return None
    value = Fraction(above) / (Fraction(below) if below else 1)
    return value / 100 if percent else value
