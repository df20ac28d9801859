"""From recorded answers to a quality table: posteriors, confidence maps, success predictors."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from evaluation.confidence_maps import fit_map
from evaluation.offline import Answered
from routing.domain import Task
from routing.features import SLOTS, Features, text_slots
from routing.offers import success_logit
from routing.quality import ConfidenceMap, Posterior, QualityTable, Success, Worth

_LEAST = 100
_SMALL = 0.01


def table_from(told: Sequence[Answered], *, note: str) -> QualityTable:
    """Build the table of every backbone that answered."""
    backbones = {
        name: _worth([a for a in told if a.backbone == name])
        for name in sorted({a.backbone for a in told})
    }
    return QualityTable(version=1, note=note, backbones=backbones)


def _worth(own: Sequence[Answered]) -> Worth:
    by_task = _by_task(own)
    first, per_token = seconds(own)
    return Worth(
        accuracy={
            task: Posterior(
                right=1 + sum(a.score for a in some),
                wrong=1 + len(some) - sum(a.score for a in some),
                source=f"{len(some)} labelled items",
            )
            for task, some in by_task.items()
        },
        confidence=confidence_maps(own),
        completion_tokens={
            task: float(np.mean([a.completion_tokens for a in some]))
            for task, some in by_task.items()
        },
        first_token_s=first,
        per_token_s=per_token,
        success=fit_success(own),
    )


def _by_task(own: Sequence[Answered]) -> dict[Task, list[Answered]]:
    found: dict[Task, list[Answered]] = defaultdict(list)
    for answer in own:
        found[Task(answer.task)].append(answer)
    return found


def confidence_maps(own: Sequence[Answered]) -> dict[Task, ConfidenceMap]:
    """Fit one backbone's map for every task that has enough answers; each is judged on others."""
    maps: dict[Task, ConfidenceMap] = {}
    for task, some in _by_task(own).items():
        fitted = fit_map(
            [a.id for a in some],
            np.array([a.confidence for a in some]),
            np.array([a.score for a in some]),
        )
        if fitted is not None:
            maps[task] = fitted.map
    return maps


def seconds(own: Sequence[Answered]) -> tuple[float, float]:
    """Seconds to the first token and for each one: a line through the answers' times."""
    tokens = np.array([a.completion_tokens for a in own], np.float64)
    latency = np.array([a.latency_s for a in own])
    if tokens.size < 2 or np.ptp(tokens) == 0:
        return (float(latency.mean()) if latency.size else 0.0), 0.0
    slope, start = np.polyfit(tokens, latency, 1)
    if slope < 0:  # longer answers do not come sooner: that was noise
        return float(latency.mean()), 0.0
    return max(0.0, float(start)), float(slope)


def fit_success(own: Sequence[Answered]) -> Success | None:
    """Logistic regression of right-or-wrong on text slots, image facts and task.

    None when there are too few answers, or all of them are right or all wrong.
    """
    right = np.array([a.score >= 0.5 for a in own])
    if len(own) < _LEAST or right.all() or not right.any():
        return None
    tasks = sorted({Task(a.task) for a in own})
    facts = max(len(a.facts) for a in own)
    x = _design(own, tasks, facts)
    model = LogisticRegression(C=1.0, max_iter=300).fit(x, right)
    weights = model.coef_[0]
    kept = {int(k): float(weights[k]) for k in np.flatnonzero(np.abs(weights[:SLOTS]) > _SMALL)}
    evidence = {t: float(sum(a.task == t for a in own)) for t in tasks}
    return Success(
        intercept=float(model.intercept_[0]),
        weights=kept,
        facts=tuple(float(w) for w in weights[SLOTS + len(tasks) :]),
        tasks={t: float(weights[SLOTS + k]) for k, t in enumerate(tasks)},
        evidence=evidence,
    )


def refit_success(base: Success | None, live: Sequence[Answered]) -> Success | None:
    """A success predictor after what was seen live: the most probable one given `base` as prior.

    Minimises Σ log(1 + exp(−yᵢ xᵢᵀw)) + κ ‖w − w₀‖² / 2 over the weights w, the tasks' included,
    with those of `base` for w₀. κ is the mean number of features of an answer, so that before
    any live outcome the log-odds of an answer are known to about one. The intercept stays: a few
    answers to one task must not move the others. Without a base it is fitted from nothing.
    """
    if base is None or not live:
        return fit_success(live) if live else base
    tasks = sorted({Task(a.task) for a in live})
    facts = max(len(a.facts) for a in live)
    x = _design(live, tasks, facts)
    known = [success_logit(base, Task(a.task), _features(a)) for a in live]
    moved = _moved(x, np.array([a.score >= 0.5 for a in live]), np.array(known))
    weights = dict(base.weights)
    for slot in np.flatnonzero(np.abs(moved[:SLOTS]) > _SMALL / 10):
        weights[int(slot)] = weights.get(int(slot), 0.0) + float(moved[slot])
    of_facts = np.zeros(max(facts, len(base.facts)))
    of_facts[: len(base.facts)] += base.facts
    of_facts[:facts] += moved[SLOTS + len(tasks) :]
    by_task = {t: base.tasks.get(t, 0.0) + float(moved[SLOTS + k]) for k, t in enumerate(tasks)}
    seen = {t: base.evidence.get(t, 0.0) + sum(a.task == t for a in live) for t in tasks}
    return Success(
        intercept=base.intercept,
        weights=weights,
        facts=tuple(float(w) for w in of_facts),
        tasks=base.tasks | by_task,
        evidence=base.evidence | seen,
    )


def _moved(x: csr_matrix, right: np.ndarray, known: np.ndarray) -> np.ndarray:
    """How far the weights go from where they were, (columns,)."""
    used = np.unique(x.indices)  # a weight whose feature nobody showed stays where it is
    seen = x[:, used]
    caution = float(seen.power(2).sum()) / seen.shape[0]

    def loss(step: np.ndarray) -> tuple[float, np.ndarray]:
        logit = known + seen @ step
        off = expit(logit) - right
        value = np.logaddexp(0, logit).sum() - logit[right].sum() + caution * step @ step / 2
        return float(value), seen.T @ off + caution * step

    moved = np.zeros(x.shape[1])
    moved[used] = minimize(loss, np.zeros(used.size), jac=True, method="L-BFGS-B").x
    return moved


def _features(answer: Answered) -> Features:
    return Features(tuple(text_slots(answer.question)), answer.facts)


def _design(own: Sequence[Answered], tasks: Sequence[Task], facts: int) -> csr_matrix:
    data: list[float] = []
    columns: list[int] = []
    starts = [0]
    for answer in own:
        slots = text_slots(answer.question)
        columns += slots
        data += [1.0] * len(slots)
        columns.append(SLOTS + tasks.index(Task(answer.task)))
        data.append(1.0)
        columns += range(SLOTS + len(tasks), SLOTS + len(tasks) + len(answer.facts))
        data += answer.facts
        starts.append(len(columns))
    return csr_matrix((data, columns, starts), (len(own), SLOTS + len(tasks) + facts))
