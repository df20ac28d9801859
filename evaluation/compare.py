"""Two backbones on the same questions: which answers changed, and is one better?"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias

import numpy as np

from evaluation.calibration import ece
from evaluation.sequences import e_bh, mcnemar_e_value, paired
from evaluation.tally import Tally

Conclusion: TypeAlias = Literal["better", "worse", "no difference", "undecided"]


@dataclass(frozen=True, slots=True)
class Pair:
    """One question answered by both; scores in [0, 1], confidences in [0, 1]."""

    request_id: str
    task: str
    old_score: float
    new_score: float
    old_confidence: float = 0.0
    new_confidence: float = 0.0
    same_answer: bool = False
    answered: bool = True  # by the new model; a copy that failed has no confidence to judge


@dataclass(frozen=True, slots=True)
class Solved:
    """The study's own question: solved by both, by neither, only by one; counts of pairs.

    `jaccard` is |both| / |either|; `jaccard_if_independent` what two models with these accuracies
    would give if they erred independently.
    """

    both: int
    neither: int
    only_old: int
    only_new: int

    @property
    def jaccard(self) -> float:
        """Overlap of the solved sets, in [0, 1]; 1 when nobody solved anything."""
        either = self.both + self.only_old + self.only_new
        return self.both / either if either else 1.0

    @property
    def jaccard_if_independent(self) -> float:
        """Pq / (p + q − pq) for accuracies p and q."""
        n = self.both + self.neither + self.only_old + self.only_new
        if n == 0:
            return 1.0
        p, q = (self.both + self.only_old) / n, (self.both + self.only_new) / n
        return p * q / (p + q - p * q) if p + q > 0 else 1.0

    def told(self) -> dict[str, float]:
        """As JSON, the overlap beside what independence would give."""
        overlap = {"jaccard": self.jaccard, "jaccard_if_independent": self.jaccard_if_independent}
        return asdict(self) | overlap


def solved(pairs: Sequence[Pair]) -> Solved:
    """Count who solved what; a score of at least one half counts as solved."""
    old = [p.old_score >= 0.5 for p in pairs]
    new = [p.new_score >= 0.5 for p in pairs]
    return Solved(
        both=sum(a and b for a, b in zip(old, new, strict=True)),
        neither=sum(not (a or b) for a, b in zip(old, new, strict=True)),
        only_old=sum(a and not b for a, b in zip(old, new, strict=True)),
        only_new=sum(b and not a for a, b in zip(old, new, strict=True)),
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What can be said of one task, at any time one looks.

    `difference` is the mean of new − old scores and `interval` its 95 % confidence sequence;
    `e_value` is evidence against equality: the mean of a bet on the difference and of McNemar's,
    which counts the pairs before the first score that is neither right nor wrong.
    """

    task: str
    n: int
    old_accuracy: float
    new_accuracy: float
    difference: float
    interval: tuple[float, float]
    e_value: float
    conclusion: Conclusion
    agreement: float
    solved: Solved


def calibration_errors(pairs: Sequence[Pair]) -> tuple[float, float]:
    """Expected calibration error of the old and of the new model, where both have answered."""
    both = [p for p in pairs if p.answered]
    old = np.array([(p.old_confidence, p.old_score) for p in both]).reshape(-1, 2).T
    new = np.array([(p.new_confidence, p.new_score) for p in both]).reshape(-1, 2).T
    return ece(Tally.of(*old)), ece(Tally.of(*new))


def verdicts(
    pairs: Sequence[Pair], *, margin: float = 0.02, alpha: float = 0.05
) -> tuple[Verdict, ...]:
    """Judge every task, and all of them together (task `all`), in the order pairs became known.

    "Better" and "worse" hold with a false discovery rate of `alpha` over the tasks (e-BH); "no
    difference" means that the confidence sequence lies inside ± `margin`.
    """
    tasks = sorted({p.task for p in pairs})
    groups = [[p for p in pairs if p.task == task] for task in tasks]
    found = [_judge(task, group, margin, alpha) for task, group in zip(tasks, groups, strict=True)]
    kept = e_bh([v.e_value for v in found], alpha=alpha)
    held = [_held(v, reject=ok) for v, ok in zip(found, kept, strict=True)]
    if not pairs:
        return ()
    return (*held, _judge("all", pairs, margin, alpha))


def closing_in(
    pairs: Sequence[Pair], *, alpha: float = 0.05, looks: int = 60
) -> list[tuple[int, float, float, float]]:
    """How the confidence sequence over all pairs came to where it is.

    Args:
        pairs: in the order in which they became known.
        alpha: the probability that the sequence ever misses the difference.
        looks: at most so many points are told, evenly spread.

    Returns:
        Number of pairs, mean difference so far, low and high end.
    """
    differences = np.array([p.new_score - p.old_score for p in pairs])
    stops = np.unique(np.linspace(1, len(pairs), min(looks, len(pairs))).round().astype(int))
    sequence, before, told = paired(alpha), 0, []
    for stop in stops if len(pairs) else ():
        sequence, before = sequence.update(differences[before:stop]), stop
        told.append((int(stop), float(differences[:stop].mean()), *sequence.interval()))
    return told


def _judge(task: str, pairs: Sequence[Pair], margin: float, alpha: float) -> Verdict:
    old = np.array([p.old_score for p in pairs])
    new = np.array([p.new_score for p in pairs])
    sequence = paired(alpha).update(new - old)
    low, high = sequence.interval()
    who = solved(pairs)
    e_value = sequence.e_value(0.0)
    # both test the same hypothesis, and the mean of two e-processes is one as well; McNemar's stops
    # for good at the first score between right and wrong, as a process that is stopped may
    whole = np.isin(old, (0.0, 1.0)) & np.isin(new, (0.0, 1.0))
    before = np.logical_and.accumulate(whole)
    lost, won = int((before & (old > new)).sum()), int((before & (new > old)).sum())
    e_value = (mcnemar_e_value(lost, won) + e_value) / 2
    conclusion: Conclusion = "undecided"
    if e_value >= 1 / alpha:
        conclusion = "better" if float((new - old).mean()) > 0 else "worse"
    elif -margin <= low and high <= margin:
        conclusion = "no difference"
    return Verdict(
        task=task,
        n=len(pairs),
        old_accuracy=float(old.mean()),
        new_accuracy=float(new.mean()),
        difference=float((new - old).mean()),
        interval=(low, high),
        e_value=min(e_value, math.exp(700)),
        conclusion=conclusion,
        agreement=sum(p.same_answer for p in pairs) / len(pairs),
        solved=who,
    )


def _held(verdict: Verdict, *, reject: bool) -> Verdict:
    if verdict.conclusion not in {"better", "worse"} or reject:
        return verdict
    values = {name: getattr(verdict, name) for name in Verdict.__slots__}
    return Verdict(**(values | {"conclusion": "undecided"}))
