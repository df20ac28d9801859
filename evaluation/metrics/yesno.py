"""Yes or no: POPE, MME and other existence probes."""

import re
from collections.abc import Sequence

_YES = re.compile(r"\b(yes|yeah|true|correct)\b", re.IGNORECASE)
_NO = re.compile(r"\b(no|not|false|nope|isn't|aren't|doesn't)\b", re.IGNORECASE)


def polarity(text: str) -> bool | None:
    """Read an answer as POPE does (Li et al. 2023): its first sentence says yes or no.

    >>> polarity("No, there is no dog."), polarity("Yes."), polarity("perhaps")
    (False, True, None)
    """
    first = text.split(".")[0]
    if _NO.search(first):
        return False
    return True if _YES.search(first) else None


def yes_no(answer: str, references: Sequence[str]) -> float:
    """Return 1.0 when answer and reference agree.

    As POPE's own script, an answer that does not say no says yes; but one that says nothing at all
    is wrong.

    >>> yes_no("Yes, there is a cat", ("yes",)), yes_no("There is a cat.", ("yes",))
    (1.0, 1.0)
    """
    said = polarity(answer) is not False
    return float(bool(answer.strip()) and any(said == polarity(r) for r in references))
