"""Which metric grades which task, and one answer graded by it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from evaluation.metrics.anls import anls
from evaluation.metrics.choice import choice
from evaluation.metrics.exact import contains, exact
from evaluation.metrics.numbers import number, relaxed
from evaluation.metrics.vqa import vqa_accuracy
from evaluation.metrics.yesno import polarity, yes_no
from routing.domain import Task

MetricName: TypeAlias = Literal[
    "exact", "contains", "vqa", "choice", "relaxed", "number", "anls", "yes_no"
]

ANNOTATORS, LEAST_ANNOTATORS = 10, 3
"""How many VQAv2, OK-VQA, TextVQA and VizWiz have, and how many VQA's soft accuracy needs."""

_OF_TASK: dict[Task, MetricName] = {
    Task.EXTRACTION: "anls",
    Task.EXISTENCE: "yes_no",
    Task.ARITHMETIC: "number",
    Task.GEOMETRY: "number",
    Task.CHART: "relaxed",
}
"""What the task's own benchmarks use; every task that is not named is graded by exact match."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A grade in [0, 1] and the metric that gave it."""

    metric: MetricName
    value: float


@dataclass(frozen=True, slots=True)
class Unscored:
    """Why there is no grade."""

    reason: str


Verdict: TypeAlias = Scored | Unscored


def metric_for(task: Task, references: Sequence[str], choices: Sequence[str] = ()) -> MetricName:
    """Choose the metric as the task's benchmarks define it.

    Options mean multiple choice; references of which some agree, or ten, are annotators: where they
    disagree, VQA's soft accuracy, whatever the task. Others are names for the same. A yes or no
    reference is graded as one whatever the task.

    >>> metric_for(Task.CHART, ("42",)), metric_for(Task.ATTRIBUTE, ("red",) * 10)
    ('relaxed', 'vqa')
    >>> metric_for(Task.KNOWLEDGE, ("NYC", "New York", "New York City"))
    'exact'
    """
    if choices:
        return "choice"
    # a document's references are names for one thing, unless there are as many as annotators
    disputed = (task is not Task.EXTRACTION or len(references) >= ANNOTATORS) and _disagree(
        references
    )
    yes_or_no = all(r.strip().lower().rstrip(".") in {"yes", "no"} for r in references)
    if disputed or (not yes_or_no and task not in _OF_TASK and _are_annotators(references)):
        return "vqa"
    if yes_or_no:
        return "yes_no"
    chosen = _OF_TASK.get(task, "exact")
    if chosen == "yes_no" and any(polarity(r) is None for r in references):
        return "exact"
    return chosen


def unusable(
    metric: MetricName | None, references: Sequence[str], choices: Sequence[str]
) -> str | None:
    """Why a named metric cannot grade anything by these references; None where it can.

    >>> unusable("choice", ("B",), ())
    'metric choice needs the choices'
    """
    if metric == "choice" and not choices:
        return "metric choice needs the choices"
    if metric == "yes_no" and all(polarity(r) is None for r in references):
        return "metric yes_no needs a truth that says yes or no"
    return None


def _disagree(references: Sequence[str]) -> bool:
    return _are_annotators(references) and len({r.strip().lower() for r in references}) > 1


def _are_annotators(references: Sequence[str]) -> bool:
    different = {r.strip().lower() for r in references}
    return len(references) >= ANNOTATORS or (
        len(references) >= LEAST_ANNOTATORS and len(different) < len(references)
    )


def grade(
    answer: str,
    references: Sequence[str],
    *,
    task: Task,
    choices: Sequence[str] = (),
    metric: MetricName | None = None,
) -> Verdict:
    """Grade one answer against its references, in [0, 1].

    >>> grade("It is 7.", ("7",), task=Task.ARITHMETIC)
    Scored(metric='number', value=1.0)
    """
    wanted = [r for r in references if r.strip()]
    if not wanted:
        return Unscored("no reference")
    name = metric or metric_for(task, wanted, choices)
    if name == "choice":
        return Scored(name, choice(answer, wanted, choices))
    plain = {
        "exact": exact, "contains": contains, "vqa": vqa_accuracy, "relaxed": relaxed,
        "number": number, "anls": anls, "yes_no": yes_no,
    }  # fmt: skip
    return Scored(name, plain[name](answer, wanted))
