"""Labelled sets, and what every backbone answered to them: the offline end of the one path."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

from evaluation.metrics.grade import MetricName, Scored, grade, unusable
from routing.domain import Task


class DatasetError(ValueError):
    """A labelled set cannot be read; the message names the line and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Item:
    """One question with its right answers; `image` is encoded bytes (PNG, JPEG, …) or nothing.

    A `grader` of the set's own gives an answer's score in [0, 1] instead of `metric`; `max_tokens`
    limits the answer instead of what the caller would.
    """

    id: str
    question: str
    references: tuple[str, ...]
    image: bytes | None = None
    choices: tuple[str, ...] = ()
    task: Task | None = None
    metric: MetricName | None = None
    grader: Callable[[str], float] | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What one backbone said to one item, and how it was graded; `score` is in [0, 1].

    Times in seconds, cost in dollars. `error` is set when there is no answer; it scores zero.
    """

    id: str
    backbone: str
    task: str
    question: str
    answer: str
    score: float
    metric: str
    confidence: float
    cost: float
    latency_s: float
    completion_tokens: int
    prompt_tokens: int = 0
    facts: tuple[float, ...] = ()
    error: str = ""
    asked: str = ""  # fingerprint of the question, see `fingerprint`


def fingerprint(item: Item, max_tokens: int) -> str:
    """What an answer answers: an id alone does not say that the question is still the same."""
    limit = item.max_tokens or max_tokens
    told = (item.question, item.references, item.choices, item.metric, item.task, limit)
    return hashlib.sha256(repr(told).encode() + (item.image or b"")).hexdigest()[:16]


def read_jsonl(path: Path) -> list[Item]:
    """Read a labelled set: one JSON object a line, images by path relative to the file.

    Keys: `question`; `answer` (text or list); optional `image`, `choices`, `task`, `metric`, `id`.

    Raises:
        DatasetError: a line is not that, an image is missing, or two lines have one id.
    """
    items = []
    # not `splitlines`: JSON strings may hold what that takes for line ends
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if line.strip():
            items.append(_item(line, number, path))
    if not items:
        raise DatasetError(f"{path} holds no questions")
    seen: set[str] = set()
    for item in items:  # answers are kept, resumed and compared by id
        if item.id in seen:
            raise DatasetError(f"{path.name}: two questions have the id {item.id!r}")
        seen.add(item.id)
    return items


def _item(line: str, number: int, path: Path) -> Item:
    where = f"{path.name} line {number}"
    try:
        row = json.loads(line)
        answer = row["answer"]
        picture, metric = row.get("image"), row.get("metric")
        if metric is not None and metric not in get_args(MetricName):
            raise DatasetError(
                f"{where}: no metric {metric!r}; there are: {', '.join(get_args(MetricName))}"
            )
        references = (answer,) if isinstance(answer, str) else tuple(map(str, answer))
        choices = tuple(map(str, row.get("choices") or ()))
        if fault := unusable(metric, references, choices):
            raise DatasetError(f"{where}: {fault}")
        return Item(
            id=str(row.get("id", number)),
            question=str(row["question"]),
            references=references,
            image=(path.parent / picture).read_bytes() if picture else None,
            choices=choices,
            task=Task(row["task"]) if row.get("task") else None,
            metric=metric,
        )
    except KeyError as error:
        raise DatasetError(f"{where}: no key {error}") from error
    except (ValueError, TypeError, OSError) as error:
        raise DatasetError(f"{where}: {error}") from error


def graded(item: Item, answer: str, task: Task) -> tuple[float, str]:
    """Grade one answer, by the set's own grader or as live feedback would be; score and metric."""
    if item.grader is not None:
        return item.grader(answer), "the set's own"
    verdict = grade(answer, item.references, task=task, choices=item.choices, metric=item.metric)
    return (verdict.value, verdict.metric) if isinstance(verdict, Scored) else (0.0, "none")


def read_answers(path: Path) -> list[Answered]:
    """Read what was answered before, the last answer of each backbone to each item.

    What failed is left out, and so is a half-written last line.
    """
    if not path.is_file():
        return []
    told: dict[tuple[str, str], Answered] = {}
    for line in path.read_text(encoding="utf-8").split("\n"):
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        row["facts"] = tuple(row.get("facts", ()))
        answer = Answered(**row)
        if not answer.error:
            told[answer.id, answer.backbone] = answer
    return list(told.values())


def line_of(told: Answered) -> str:
    """One answer as a line of JSON."""
    return json.dumps(asdict(told), ensure_ascii=False) + "\n"


def by_item(told: Iterable[Answered]) -> dict[str, dict[str, Answered]]:
    """Answers by item id, then by backbone."""
    found: dict[str, dict[str, Answered]] = {}
    for answer in told:
        found.setdefault(answer.id, {})[answer.backbone] = answer
    return found


def complete(told: Sequence[Answered]) -> Iterator[dict[str, Answered]]:
    """The items that every backbone answered."""
    backbones = {a.backbone for a in told}
    for answers in by_item(told).values():
        if answers.keys() == backbones:
            yield answers
