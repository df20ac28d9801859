"""Fit the task classifier, hold whole benchmarks out to see what generalises, and export it.

One multinomial logistic regression over hashed text features; its temperature is fitted on the
predictions for held-out benchmarks, so that the probabilities mean what they say on questions of a
kind that was never seen.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression
from sklearn.utils.parallel import Parallel, delayed

from evaluation.calibration import ece
from evaluation.intervals import wilson
from evaluation.tally import Tally
from routing.domain import Family, Task
from routing.features import SLOTS, plain, text_slots
from training.router.questions import Labelled

Floats = NDArray[np.float64]
TASKS = tuple(Task)
_VISION = np.array([t.family is Family.VISION for t in TASKS])


@dataclass(frozen=True, slots=True)
class HeldOut:
    """How well the questions of one benchmark are told apart by a model that never saw its kind."""

    group: str
    n: int
    family_accuracy: float
    interval: tuple[float, float]
    task_accuracy: float


def matrix(texts: Sequence[str]) -> csr_matrix:
    """Hashed features, (n, SLOTS), scaled so that long texts do not shout."""
    rows = [text_slots(text) for text in texts]
    lengths = np.array([len(row) for row in rows])
    data = np.repeat(1 / np.sqrt(lengths), lengths)
    indices = np.fromiter((slot for row in rows for slot in row), np.int64, int(lengths.sum()))
    return csr_matrix(
        (data, indices, np.concatenate([[0], np.cumsum(lengths)])), (len(rows), SLOTS)
    )


def fit(rows: Sequence[Labelled], *, strength: float = 5.0) -> tuple[Floats, Floats]:
    """Return weights (SLOTS, tasks) and intercepts (tasks,); every benchmark weighs the same."""
    x = matrix([r.text for r in rows])
    y = np.array([TASKS.index(r.task) for r in rows])
    model = LogisticRegression(C=strength, max_iter=120, tol=1e-3)
    model.fit(x, y, sample_weight=_weights(rows))
    weights, intercept = np.zeros((SLOTS, len(TASKS))), np.full(len(TASKS), -20.0)
    weights[:, model.classes_] = model.coef_.T
    intercept[model.classes_] = model.intercept_
    return weights, intercept


def _weights(rows: Sequence[Labelled]) -> Floats:
    """Tasks weigh alike in a family, families alike, and a real question more than a made one."""
    base = np.array([4.0 if r.real else 1.0 for r in rows])
    tasks = np.array([TASKS.index(r.task) for r in rows])
    mass = np.bincount(tasks, base, len(TASKS))
    per_task = np.sqrt(np.maximum(mass, 1.0))
    share = per_task / mass.clip(1.0)
    weights = base * share[tasks]
    vision = _VISION[tasks]
    for side in (vision, ~vision):
        weights[side] *= len(rows) / 2 / weights[side].sum()
    return weights


def logits(weights: Floats, intercept: Floats, texts: Sequence[str]) -> Floats:
    """(n, tasks)."""
    return np.asarray(matrix(texts) @ weights + intercept)


def vision_probability(scores: Floats, temperature: float) -> Floats:
    """P(vision family) of each row of logits."""
    scaled = scores / temperature
    whole = logsumexp(scaled, axis=1)
    return np.exp(logsumexp(scaled[:, _VISION], axis=1) - whole)


def hold_out(
    rows: Sequence[Labelled], groups: Sequence[str], say: Callable[[str], None]
) -> tuple[list[HeldOut], Floats, NDArray[np.bool_]]:
    """Fit without any real question of each benchmark in turn, and classify those questions.

    What stays in are the questions drawn in its published style: that is what the model will know
    of a benchmark whose questions it has not seen. Returns what each scored, and the logits and
    families of all held-out questions together.
    """
    every = Parallel(n_jobs=-1, return_as="generator")(
        delayed(_without)(rows, group) for group in groups
    )
    told, all_logits, truths = [], [], []
    for held, found, vision in every:
        say(f"held out {held.group}: {held.family_accuracy:.0%} of {held.n} families right")
        told.append(held)
        all_logits.append(found)
        truths.append(vision)
    return told, np.concatenate(all_logits), np.concatenate(truths)


def _without(rows: Sequence[Labelled], group: str) -> tuple[HeldOut, Floats, NDArray[np.bool_]]:
    out = [r for r in rows if r.group == group and r.real]
    known = {plain(r.text) for r in out}  # nothing it will be asked may be in the training
    model = fit(
        [r for r in rows if (r.group != group or not r.real) and plain(r.text) not in known]
    )
    found = logits(*model, [r.text for r in out])
    vision = np.array([r.task.family is Family.VISION for r in out])
    right = (vision_probability(found, 1.0) > 0.5) == vision
    exact = found.argmax(axis=1) == [TASKS.index(r.task) for r in out]
    low_high = wilson(float(right.sum()), len(out))
    held = HeldOut(group, len(out), float(right.mean()), low_high, float(exact.mean()))
    return held, found, vision


def fit_temperature(scores: Floats, vision: NDArray[np.bool_]) -> float:
    """The temperature with the least log-loss of the family on held-out questions."""

    def loss(log_temperature: float) -> float:
        p = vision_probability(scores, float(np.exp(log_temperature))).clip(1e-6, 1 - 1e-6)
        return float(-np.log(np.where(vision, p, 1 - p)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-1.5, 2.5), method="bounded").x))


def family_ece(scores: Floats, vision: NDArray[np.bool_], temperature: float) -> float:
    """Calibration error of the confidence in the chosen family."""
    p = vision_probability(scores, temperature)
    return ece(Tally.of(np.maximum(p, 1 - p), ((p > 0.5) == vision).astype(float)))


def cross_fitted_ece(told: Sequence[HeldOut], scores: Floats, vision: NDArray[np.bool_]) -> float:
    """Calibration error with each benchmark's temperature fitted on the other benchmarks."""
    group = np.repeat(np.arange(len(told)), [h.n for h in told])
    p = np.empty(len(scores))
    for k in range(len(told)):
        own = group == k
        temperature = fit_temperature(scores[~own], vision[~own])
        p[own] = vision_probability(scores[own], temperature)
    return ece(Tally.of(np.maximum(p, 1 - p), ((p > 0.5) == vision).astype(float)))


def export(folder: Path, weights: Floats, intercept: Floats, temperature: float) -> None:
    """Write the arrays that `routing.tasks` loads: only the slots that mean anything."""
    folder.mkdir(parents=True, exist_ok=True)
    used = np.flatnonzero(np.abs(weights).max(axis=1) > 0.02)
    np.savez_compressed(
        folder / "tasks.npz",
        slots=used.astype(np.int32),
        weights=(weights[used] / temperature).astype(np.float16),
        intercept=(intercept / temperature).astype(np.float32),
        tasks=np.array([t.value for t in TASKS]),
    )


def report(folder: Path, told: Sequence[HeldOut], facts: dict[str, float]) -> None:
    """Write what was held out and what each scored, beside the arrays."""
    text = json.dumps({**facts, "held_out": [asdict(h) for h in told]}, indent=2)
    (folder / "tasks.json").write_text(text + "\n", encoding="utf-8")
