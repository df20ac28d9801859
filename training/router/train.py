"""The whole fit in order: questions, held-out benchmarks, temperature, export."""

from collections.abc import Callable
from pathlib import Path

from training.router.fit import (
    HeldOut,
    Unseen,
    export,
    family_ece,
    fit,
    fit_mix,
    hold_out,
    report,
)
from training.router.questions import Labelled, grammar_questions, real_questions, zoo_questions

PER_TEMPLATE = 20
ZOO_PER_SKILL = 250


def train_router(
    questions: Path, out: Path, seed: int, say: Callable[[str], None]
) -> tuple[list[HeldOut], dict[str, float]]:
    """Fit the classifier, write arrays and report to `out`, and return what was held out.

    Args:
        questions: real questions, one JSON object a line (see `questions.real_questions`).
        out: where `tasks.npz` and `tasks.json` go.
        seed: of the drawn questions.
        say: told about each step, for a person who waits.
    """
    rows: list[Labelled] = [
        *grammar_questions(seed, PER_TEMPLATE),
        *zoo_questions(seed, ZOO_PER_SKILL),
        *real_questions(questions),
    ]
    real = [r for r in rows if r.real]
    groups = sorted({r.group for r in real})
    say(f"{len(rows)} questions, {len(real)} of them real, from {len(groups)} benchmarks")
    unseen = hold_out(rows, groups, say)
    told, accuracy, error = _scored(unseen)
    for held in told:
        say(f"{held.group}: {held.family_accuracy:.0%} of {held.n} families right")
    mix = fit_mix(unseen.read, unseen.vision)
    facts = {
        "temperature": mix.temperature,
        "naive_bayes_share": mix.share,
        "family_accuracy": accuracy,
        "family_accuracy_per_benchmark": sum(h.family_accuracy for h in told) / len(told),
        "ece": error,
    }
    say("once more, without the questions drawn in the style of what is held out")
    _, accuracy, error = _scored(hold_out(rows, groups, say, styled=False))
    facts |= {"family_accuracy_without_its_style": accuracy, "ece_without_its_style": error}
    export(out, fit(rows), mix)
    report(out, told, facts)
    return told, facts


def _scored(unseen: Unseen) -> tuple[list[HeldOut], float, float]:
    """Each benchmark's figures, the share of all families told right, and its calibration error."""
    p, exact = unseen.cross_fitted()
    told = unseen.told(p, exact)
    right = sum(h.family_accuracy * h.n for h in told) / sum(h.n for h in told)
    return told, right, family_ece(p, unseen.vision)
