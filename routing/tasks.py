"""Tell what a query asks for: calibrated probabilities over tasks, from text and picture.

A multinomial logistic regression over hashed text features (`features.text_slots`), fitted by
`barn train-router` and shipped as plain arrays; how it does on benchmarks that it never saw stands
beside them in `models/tasks.json`. Pictures only move what text leaves open: see `_FACTS`.
"""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from routing.domain import Family, Query, Task
from routing.features import SLOTS, Features, image_facts, text_slots

FloatArray = NDArray[np.float32]
FALLBACK_WITH_IMAGE, FALLBACK = Task.RECOGNITION, Task.CHAT
"""What an empty or unreadable question is taken for, with low confidence."""
_UNSURE = 0.3
"""The probability of what is fallen back to; the other tasks share the rest."""
_PLAIN = re.compile(r"[A-Za-z0-9]")
_LETTER, _LATIN = re.compile(r"[^\W\d_]"), re.compile(r"[A-Za-z\u00c0-\u024f]")
EARLIER = 0.3
"""What the turns before the last one count, together."""
_LIKELY = 0.98
_WORTH_TELLING = 0.0005


@dataclass(frozen=True, slots=True)
class TaskScores:
    """Probabilities over tasks, which sum to one, and what told so.

    `task` is the likeliest task of the family with more probability: five readings that all need
    the eyes outweigh one that does not, and task and family never disagree.
    """

    probability: Mapping[Task, float]
    evidence: str = ""
    vision: float = field(init=False)
    """Probability that the query is vision-heavy."""
    family: Family = field(init=False)
    """The family with more probability."""
    task: Task = field(init=False)
    ranked: tuple[tuple[Task, float], ...] = field(init=False)
    """All of them, the likeliest first."""
    likely: tuple[tuple[Task, float], ...] = field(init=False)
    """The likeliest tasks, of 98 % of the probability, scaled to sum to one: enough to decide."""

    def __post_init__(self) -> None:
        ranked = sorted(self.probability.items(), key=lambda item: -item[1])
        vision = sum(p for t, p in ranked if t.family is Family.VISION)
        family = Family.VISION if vision >= 0.5 else Family.REASONING
        total, enough = 0.0, 0
        while enough < len(ranked) and (total < _LIKELY or not enough):
            total += ranked[enough][1]
            enough += 1
        told = {
            "vision": vision,
            "family": family,
            "task": next(t for t, _ in ranked if t.family is family),
            "ranked": tuple(ranked),
            "likely": tuple((t, p / total) for t, p in ranked[:enough]),
        }
        for name, value in told.items():
            object.__setattr__(self, name, value)

    def told(self) -> dict[str, float]:
        """What is worth recording: all but the least likely, from which the rest follows again."""
        return {t.value: round(p, 4) for t, p in self.ranked if p >= _WORTH_TELLING}

    def top(self, n: int = 3) -> dict[str, float]:
        """The `n` likeliest tasks and their probabilities, for people."""
        return {t.value: round(p, 4) for t, p in self.ranked[:n]}


@dataclass(frozen=True, slots=True, eq=False)
class TaskModel:
    """Weights (SLOTS, tasks) and intercepts (tasks,), temperature already divided out."""

    weights: FloatArray
    intercept: FloatArray
    tasks: tuple[Task, ...]

    def logits(self, slots: Sequence[int]) -> FloatArray:
        """Scores of one text, (tasks,)."""
        if not slots:
            return self.intercept
        found: FloatArray = self.weights[slots].sum(axis=0) / np.float32(len(slots) ** 0.5)
        return found + self.intercept

    def many(self, texts: Sequence[str]) -> FloatArray:
        """Probabilities of many texts at once, (n, tasks)."""
        rows = [text_slots(text) for text in texts]
        lengths = np.array([len(row) for row in rows])
        flat = np.fromiter(chain.from_iterable(rows), np.int64, int(lengths.sum()))
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        sums = np.add.reduceat(self.weights[flat], starts, axis=0)
        scores = sums / np.sqrt(lengths, dtype=np.float32)[:, None] + self.intercept
        chances = softmax(scores)
        unknown = _unknown(Query("")).probability
        lost = [k for k, text in enumerate(texts) if not readable(text)]
        chances[lost] = [unknown[task] for task in self.tasks]
        return chances


def softmax(scores: FloatArray) -> FloatArray:
    """Normalised exponentials along the last axis."""
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    total: FloatArray = shifted / shifted.sum(axis=-1, keepdims=True)
    return total


def load_model(data: bytes) -> TaskModel:
    """Read the arrays that `training.router.fit` wrote."""
    with np.load(io.BytesIO(data)) as arrays:
        names = tuple(Task(str(name)) for name in arrays["tasks"])
        weights = np.zeros((SLOTS, len(names)), np.float32)
        weights[arrays["slots"]] = arrays["weights"]
        return TaskModel(weights, arrays["intercept"].astype(np.float32), names)


@lru_cache(maxsize=1)
def shipped() -> TaskModel:
    """The model that ships with the package."""
    return load_model((files("routing") / "models" / "tasks.npz").read_bytes())


# How the newest image's facts (see features.image_facts) move a task's score; set by hand, small
# enough that clear words always win: writing speaks for reading, ruled plain ground for charts.
_FACTS: dict[Task, tuple[float, float, float]] = {  # (edges, text, chart) above their usual value
    Task.OCR: (0.0, 0.8, 0.0),
    Task.EXTRACTION: (0.0, 0.8, 0.0),
    Task.CHART: (0.0, 0.0, 1.2),
    Task.RECOGNITION: (0.4, -0.3, -0.6),
    Task.CAPTIONING: (0.4, -0.3, -0.6),
}


def classify(query: Query, model: TaskModel | None = None) -> TaskScores:
    """Give calibrated probabilities over tasks; never raises, whatever the text is.

    >>> classify(Query("What is the sum of the red and blue bars?")).task
    <Task.CHART: 'chart'>
    """
    return scored(query, text_slots(query.text), model or shipped())


def scored(query: Query, slots: Sequence[int], model: TaskModel) -> TaskScores:
    """As `classify`, for a query whose slots are known already."""
    if not readable(query.text):
        return _unknown(query)
    scores = model.logits(slots)
    for turn in query.earlier[-2:]:
        scores = scores + EARLIER / 2 * (model.logits(text_slots(turn)) - model.intercept)
    if query.images:
        facts = image_facts(query.images)
        seen = (facts[3] - 0.05, facts[6] - 0.1, facts[7] - 0.1)
        for task, pulls in _FACTS.items():
            scores = scores.copy()
            scores[model.tasks.index(task)] += sum(p * s for p, s in zip(pulls, seen, strict=True))
        scores[model.tasks.index(Task.CHAT)] -= 3.0  # a picture was shown for a reason
    chances = softmax(scores).tolist()
    known = dict(zip(model.tasks, chances, strict=True))
    return TaskScores(known, "its words" + (" and its picture" if query.images else ""))


def readable(text: str) -> bool:
    """Tell whether a text is in a script that the model has learned from: most letters are Latin.

    >>> readable("what is 3 + 4?"), readable("3+4="), readable("这是什么颜色"), readable("???")
    (True, True, False, False)
    """
    if _PLAIN.search(text) and text.isascii():
        return True
    letters = len(_LETTER.findall(text))
    if not letters:
        return any(c.isdigit() for c in text)
    return 2 * len(_LATIN.findall(text)) >= letters


def _unknown(query: Query) -> TaskScores:
    likely = FALLBACK_WITH_IMAGE if query.images else FALLBACK
    rest = (1 - _UNSURE) / (len(Task) - 1)
    known = {t: _UNSURE if t is likely else rest for t in Task}
    return TaskScores(known, "nothing: no text that can be read")


def features_of(query: Query, slots: Sequence[int]) -> Features:
    """The features of a query whose slots are known already."""
    return Features(tuple(slots), image_facts(query.images))
