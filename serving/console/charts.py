"""Pictures of the console, as SVG drawn on the server."""

import io
from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.figure import Figure

from evaluation.online import Figure as Quality
from routing.frontier import Promise

_INK = "#1c2733"
mpl.rcParams["svg.hashsalt"] = "barn"  # a page redraws a chart only when it has changed


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


def accuracies(figures: Sequence[Quality]) -> str:
    """Accuracy of every backbone on every task, with Wilson's 95 % intervals."""
    tasks = sorted({f.task for f in figures}, key=lambda t: (t == "all", t))
    backbones = sorted({f.backbone for f in figures})
    figure = Figure(figsize=(9, 0.9 + 0.22 * len(tasks) * max(1, len(backbones))),
                    layout="constrained")  # fmt: skip
    axes = figure.subplots()
    step = 0.8 / max(1, len(backbones))
    for k, backbone in enumerate(backbones):
        own = [f for f in figures if f.backbone == backbone]
        rows = [tasks.index(f.task) + (k - (len(backbones) - 1) / 2) * step for f in own]
        low = [max(0.0, f.accuracy - f.interval[0]) for f in own]
        high = [max(0.0, f.interval[1] - f.accuracy) for f in own]
        axes.errorbar([f.accuracy for f in own], rows, xerr=[low, high], fmt="o", markersize=4,
                      linewidth=1.5, label=backbone)  # fmt: skip
    axes.set_yticks(range(len(tasks)), tasks)
    axes.invert_yaxis()
    axes.set(xlabel="accuracy", xlim=(-0.02, 1.02))
    axes.grid(axis="x", alpha=0.3)
    if backbones:
        axes.legend(fontsize=8)
    return _svg(figure, "Accuracy per task and backbone with 95 % intervals")


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
        points: pairs or users so far, mean difference, low and high end.
        margin: differences below it do not matter.
    """
    figure = Figure(figsize=(9, 2.6), layout="constrained")
    axes = figure.subplots()
    n, mean, low, high = zip(*points, strict=True)
    axes.axhspan(-margin, margin, color="#dde5ee")
    axes.axhline(0, color="grey", linewidth=1)
    axes.fill_between(n, low, high, color=_INK, alpha=0.25, step="post")
    axes.plot(n, mean, color="#b3261e", linewidth=1.5, drawstyle="steps-post")
    axes.set(xlabel="graded so far", ylabel="candidate − control", ylim=(-1, 1))
    axes.grid(alpha=0.3)
    return _svg(figure, "How the confidence sequence of the difference closed in")


def frontier(promises: Sequence[Promise], dial: float) -> str:
    """What the current table promises: every backbone alone, and the dial from end to end.

    Args:
        promises: of single backbones and of the policy at every dial.
        dial: the configured setting, which is marked.
    """
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    turned = [p for p in promises if p.quality is not None]
    axes.plot([p.cost * 1e3 for p in turned], [p.accuracy for p in turned], "o-", color="#1f6feb",
              markersize=3, label="the dial, from 0 to 1")  # fmt: skip
    now = min(turned, key=lambda p: abs((p.quality or 0.0) - dial))
    axes.plot([now.cost * 1e3], [now.accuracy], "o", color="#1f6feb", markersize=9,
              fillstyle="none", label=f"configured: {dial:g}")  # fmt: skip
    for one in (p for p in promises if p.quality is None):
        axes.plot([one.cost * 1e3], [one.accuracy], "s", color="#b3261e")
        axes.annotate(one.name, (one.cost * 1e3, one.accuracy), fontsize=7, xytext=(4, -10),
                      textcoords="offset points")  # fmt: skip
    axes.set(xlabel="$ per 1,000 requests", ylabel="expected accuracy")
    axes.margins(x=0.15, y=0.15)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return _svg(figure, "Cost-quality frontier of the current quality table")


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
