"""Pictures of the console, as SVG drawn on the server."""

import io
from collections.abc import Sequence

from matplotlib.figure import Figure

from evaluation.online import Figure as Quality

_INK = "#1c2733"


def _svg(figure: Figure, title: str) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    body = text.getvalue()
    body = body[body.index("<svg") :]
    return body.replace("<svg", f'<svg role="img" aria-label="{title}"', 1)


def reliability(figures: Sequence[Quality]) -> str:
    """Accuracy over confidence and risk over coverage, of every backbone over all tasks."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], [0, 1], ":", color="grey", linewidth=1)
    for one in figures:
        if one.task != "all":
            continue
        left.plot(
            [b.confidence for b in one.reliability], [b.accuracy for b in one.reliability], "o-",
            markersize=4, label=one.backbone,
        )  # fmt: skip
        right.plot([c for c, _ in one.risk_coverage], [r for _, r in one.risk_coverage],
                   label=one.backbone)  # fmt: skip
    left.set(xlabel="confidence", ylabel="accuracy", title="reliability", xlim=(0, 1), ylim=(0, 1))
    right.set(xlabel="coverage", ylabel="error rate", title="risk–coverage", xlim=(0, 1))
    for axes in (left, right):
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=8)
    return _svg(figure, "Reliability diagram and risk-coverage curve per backbone")


def intervals(rows: Sequence[tuple[str, int, float, tuple[float, float]]], margin: float) -> str:
    """The confidence sequence of every task's difference, with the margin that matters.

    Args:
        rows: task, graded pairs, difference of accuracies, and its interval.
        margin: differences below it do not matter.
    """
    figure = Figure(figsize=(9, 0.7 + 0.45 * max(1, len(rows))), layout="constrained")
    axes = figure.subplots()
    axes.axvspan(-margin, margin, color="#dde5ee")
    axes.axvline(0, color="grey", linewidth=1)
    for row, (_, _, difference, (low, high)) in enumerate(reversed(rows)):
        axes.plot([low, high], [row, row], color=_INK, linewidth=3, solid_capstyle="butt")
        axes.plot([difference], [row], "o", color="#b3261e")
    axes.set_yticks(range(len(rows)), [f"{task} ({n})" for task, n, _, _ in reversed(rows)])
    axes.set(xlabel="accuracy of candidate − control", xlim=(-1, 1))
    axes.grid(axis="x", alpha=0.3)
    return _svg(figure, "Difference in accuracy per task with confidence sequences")


def closing_in(points: Sequence[tuple[int, float, float, float]], margin: float) -> str:
    """The confidence sequence of the difference over all tasks, as it closed in.

    Args:
        points: pairs so far, mean difference, low and high end.
        margin: differences below it do not matter.
    """
    figure = Figure(figsize=(9, 2.6), layout="constrained")
    axes = figure.subplots()
    n, mean, low, high = zip(*points, strict=True)
    axes.axhspan(-margin, margin, color="#dde5ee")
    axes.axhline(0, color="grey", linewidth=1)
    axes.fill_between(n, low, high, color=_INK, alpha=0.25, step="post")
    axes.plot(n, mean, color="#b3261e", linewidth=1.5, drawstyle="steps-post")
    axes.set(xlabel="graded pairs", ylabel="candidate − control", ylim=(-1, 1))
    axes.grid(alpha=0.3)
    return _svg(figure, "How the confidence sequence of the difference closed in, pair by pair")


def worth(rows: Sequence[tuple[str, str, float, float]]) -> str:
    """Expected accuracy against price, one point per backbone and family.

    Args:
        rows: backbone, family, accuracy in [0, 1], dollars per 1,000 tokens in and out.
    """
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    for family, marker, colour in (("vision", "o", "#1f6feb"), ("reasoning", "s", "#b3261e")):
        some = [r for r in rows if r[1] == family]
        axes.plot([r[3] for r in some], [r[2] for r in some], marker + "-", color=colour,
                  label=f"{family}-heavy")  # fmt: skip
        for backbone, _, accuracy, price in some:
            axes.annotate(backbone, (price, accuracy), fontsize=7, xytext=(4, -10),
                          textcoords="offset points")  # fmt: skip
    axes.set(xlabel="price ($ per 1,000 tokens, in + out)", ylabel="expected accuracy")
    axes.grid(alpha=0.3)
    if rows:
        axes.legend(fontsize=8)
    return _svg(figure, "Expected accuracy against price per backbone and family")
