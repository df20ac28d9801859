"""Fit the task classifier, hold whole benchmarks out to see what generalises, and export it.

One multinomial logistic regression over hashed text features tells the tasks apart; naive Bayes
over the same features adds its log-odds of the family. A discriminative model is the better one on
questions like its own, a generative one needs less of a kind to tell it (Ng and Jordan 2002), and
together they err less on benchmarks that neither has seen. How they are mixed is fitted on the
predictions for held-out benchmarks (stacking, Wolpert 1992), so that the probabilities mean what
they say on questions of a kind that was never seen. Both are linear: the mixture is one model.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
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


@dataclass(frozen=True, slots=True)
class Mix:
    """logits / temperature, and share x the family's log-odds on top for the tasks of vision."""

    temperature: float
    share: float

    def of(self, logits: Floats, odds: Floats) -> Floats:
        """Mix (n, tasks) with (n,): scores of texts or, since all is linear, weights of slots."""
        return logits / self.temperature + self.share * np.outer(odds, _VISION)


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """What the two models say of n texts: logits (n, tasks) and log-odds of vision (n,)."""

    logits: Floats
    odds: Floats

    def mixed(self, mix: Mix) -> Floats:
        """Logits of the mixture, (n, tasks)."""
        return mix.of(self.logits, self.odds)

    def vision(self, mix: Mix) -> Floats:
        """P(vision family) by the mixture, (n,)."""
        scores = self.mixed(mix)
        whole = logsumexp(scores, axis=1)
        return np.exp(logsumexp(scores[:, _VISION], axis=1) - whole)

    def of(self, which: NDArray[np.bool_]) -> "Read":
        """What they say of some of the texts."""
        return Read(self.logits[which], self.odds[which])


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Weights (SLOTS, tasks) and intercepts (tasks,); naive Bayes' log-odds of vision (SLOTS,)."""

    weights: Floats
    intercept: Floats
    odds: Floats

    def read(self, texts: Sequence[str]) -> Read:
        """Ask both models."""
        x = matrix(texts)
        return Read(np.asarray(x @ self.weights + self.intercept), np.asarray(x @ self.odds))


def fit(rows: Sequence[Labelled], *, strength: float = 5.0, smoothing: float = 1.0) -> Fitted:
    """Fit both models; families weigh the same, and see `_weights` for what else does.

    Args:
        rows: the questions.
        strength: inverse of the regression's penalty.
        smoothing: what naive Bayes adds to every count (1: Laplace's).
    """
    x = matrix([r.text for r in rows])
    y = np.array([TASKS.index(r.task) for r in rows])
    shares = _weights(rows)
    model = LogisticRegression(C=strength, max_iter=120, tol=1e-3)
    model.fit(x, y, sample_weight=shares)
    weights, intercept = np.zeros((SLOTS, len(TASKS))), np.full(len(TASKS), -20.0)
    weights[:, model.classes_] = model.coef_.T
    intercept[model.classes_] = model.intercept_
    bayes = MultinomialNB(alpha=smoothing).fit(x, _VISION[y], sample_weight=shares)
    reasoning, vision = bayes.feature_log_prob_
    return Fitted(weights, intercept, vision - reasoning)


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


@dataclass(frozen=True, slots=True, eq=False)
class Unseen:
    """Held-out questions of every benchmark: what models that never saw it say, and the truth."""

    read: Read
    task: NDArray[np.int64]
    group: NDArray[np.str_]

    @property
    def vision(self) -> NDArray[np.bool_]:
        """Which questions are vision-heavy, (n,)."""
        return np.asarray(_VISION[self.task])

    def cross_fitted(self) -> tuple[Floats, NDArray[np.bool_]]:
        """P(vision), and whether the task is right; each benchmark by the others' mixture."""
        p, exact = np.empty(len(self.task)), np.empty(len(self.task), bool)
        for name in np.unique(self.group):
            own = self.group == name
            mix, read = fit_mix(self.read.of(~own), self.vision[~own]), self.read.of(own)
            p[own] = read.vision(mix)
            exact[own] = read.mixed(mix).argmax(axis=1) == self.task[own]
        return p, exact

    def told(self, p: Floats, exact: NDArray[np.bool_]) -> list[HeldOut]:
        """How well each benchmark's questions are told apart, from what `cross_fitted` gave."""
        right = (p > 0.5) == self.vision
        found = []
        for name in np.unique(self.group):
            own = self.group == name
            n, hits = int(own.sum()), right[own].sum()
            low_high = wilson(float(hits), n)
            found.append(HeldOut(str(name), n, hits / n, low_high, float(exact[own].mean())))
        return found


def hold_out(
    rows: Sequence[Labelled],
    groups: Sequence[str],
    say: Callable[[str], None],
    *,
    styled: bool = True,
) -> Unseen:
    """Fit without any real question of each benchmark in turn, and classify those questions.

    What stays in where `styled` are the questions drawn in its published style: that is what the
    model will know of a known benchmark whose questions it has not seen. Without them it is one
    that nobody here has heard of.
    """
    every = Parallel(n_jobs=-1, return_as="generator")(
        delayed(_without)(rows, group, styled=styled) for group in groups
    )
    reads, tasks = [], []
    for group, (read, task) in zip(groups, every, strict=True):
        say(f"held out {group}: {len(task)} questions")
        reads.append(read)
        tasks.append(task)
    read = Read(np.concatenate([r.logits for r in reads]), np.concatenate([r.odds for r in reads]))
    return Unseen(read, np.concatenate(tasks), np.repeat(groups, [len(t) for t in tasks]))


def _without(
    rows: Sequence[Labelled], group: str, *, styled: bool
) -> tuple[Read, NDArray[np.int64]]:
    out = [r for r in rows if r.group == group and r.real]
    known = {plain(r.text) for r in out}  # nothing it will be asked may be in the training
    model = fit(
        [
            r
            for r in rows
            if (r.group != group or (styled and not r.real)) and plain(r.text) not in known
        ]
    )
    return model.read([r.text for r in out]), np.array([TASKS.index(r.task) for r in out])


def fit_mix(read: Read, vision: NDArray[np.bool_]) -> Mix:
    """The mixture with the least log-loss of the family on held-out questions."""

    def mix(x: Floats) -> Mix:
        return Mix(float(np.exp(x[0])), float(x[1]))

    def loss(x: Floats) -> float:
        p = read.vision(mix(x)).clip(1e-6, 1 - 1e-6)
        return float(-np.log(np.where(vision, p, 1 - p)).mean())

    return mix(minimize(loss, np.array([0.0, 0.5]), method="Nelder-Mead", tol=1e-3).x)


def family_ece(p: Floats, vision: NDArray[np.bool_]) -> float:
    """Calibration error of the confidence in the chosen family, from P(vision)."""
    return ece(Tally.of(np.maximum(p, 1 - p), ((p > 0.5) == vision).astype(float)))


def export(folder: Path, model: Fitted, mix: Mix) -> None:
    """Write the arrays that `routing.tasks` loads: only the slots that mean anything."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = mix.of(model.weights, model.odds)
    used = np.flatnonzero(np.abs(weights).max(axis=1) > 0.02)
    np.savez_compressed(
        folder / "tasks.npz",
        slots=used.astype(np.int32),
        weights=weights[used].astype(np.float16),
        intercept=(model.intercept / mix.temperature).astype(np.float32),
        tasks=np.array([t.value for t in TASKS]),
    )


def report(folder: Path, told: Sequence[HeldOut], facts: dict[str, float]) -> None:
    """Write what was held out and what each scored, beside the arrays."""
    text = json.dumps({**facts, "held_out": [asdict(h) for h in told]}, indent=2)
    (folder / "tasks.json").write_text(text + "\n", encoding="utf-8")
