"""A labelled set's report as one HTML page: tables, reliability diagrams, who solved what."""

import html
import io
from collections.abc import Sequence

from matplotlib.figure import Figure

from evaluation.calibration import reliability, risk_coverage
from evaluation.offline import Answered
from evaluation.summary import Row, Versus
from evaluation.tally import Tally

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:1rem 0}
td,th{padding:.25rem .7rem;border-bottom:1px solid #ddd;text-align:right}
td:nth-child(-n+2),th:nth-child(-n+2){text-align:left}
svg{max-width:100%;height:auto}
"""


def html_report(
    title: str, told: Sequence[Answered], summary: Sequence[Row], pairs: Sequence[Versus]
) -> str:
    """The whole page; it needs nothing from outside."""
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{html.escape(title)}</title>",
        f"<style>{_STYLE}</style><h1>{html.escape(title)}</h1>",
        _table(summary),
        "<h2>Does confidence mean what it says?</h2>",
        _reliability(told),
        "<h2>Which answers changed?</h2>",
        _versus(pairs),
    ]
    return "\n".join(parts)


def _table(summary: Sequence[Row]) -> str:
    head = ("backbone", "task", "n", "accuracy", "95 % (Wilson)", "mean confidence", "ECE",
            "smooth ECE", "Brier", "AURC", "p50 ms", "$", "errors")  # fmt: skip
    lines = [
        (
            r.backbone, r.task, r.n, f"{r.accuracy:.1%}",
            f"{r.interval[0]:.1%} – {r.interval[1]:.1%}", f"{r.mean_confidence:.1%}",
            f"{r.ece:.3f}", f"{r.smooth_ece:.3f}", f"{r.brier:.3f}", f"{r.aurc:.3f}",
            f"{r.latency_p50_s * 1e3:.0f}", f"{r.cost:.4f}", r.errors,
        )
        for r in summary
    ]  # fmt: skip
    return _html(head, lines)


def _versus(pairs: Sequence[Versus]) -> str:
    head = ("old → new", "task", "n", "difference", "both", "only old", "only new", "neither",
            "Jaccard", "if independent", "McNemar p")  # fmt: skip
    lines = [
        (
            f"{v.old} → {v.new}", v.task, v.n, f"{v.difference:+.1%}", v.solved.both,
            v.solved.only_old, v.solved.only_new, v.solved.neither, f"{v.solved.jaccard:.2f}",
            f"{v.solved.jaccard_if_independent:.2f}", f"{v.p_value:.3g}",
        )
        for v in pairs
    ]  # fmt: skip
    return _html(head, lines)


def _html(head: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    top = "".join(f"<th scope=col>{html.escape(h)}</th>" for h in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(c))}</td>" for c in line) + "</tr>"
        for line in lines
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _reliability(told: Sequence[Answered]) -> str:
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], [0, 1], ":", color="grey")
    for backbone in sorted({a.backbone for a in told}):
        own = [a for a in told if a.backbone == backbone and not a.error]
        if not own:
            continue
        tally = Tally.of([a.confidence for a in own], [a.score for a in own])
        bars = reliability(tally, bins=10)
        left.plot([b.confidence for b in bars], [b.accuracy for b in bars], "o-", label=backbone)
        coverage, risk = risk_coverage(tally)
        right.plot(coverage, risk, label=backbone)
    left.set(xlabel="confidence", ylabel="accuracy", title="reliability (equal mass)")
    right.set(xlabel="coverage", ylabel="error rate", title="risk–coverage")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend()
    text = io.StringIO()
    figure.savefig(text, format="svg")
    return text.getvalue().partition("<svg")[1] + text.getvalue().partition("<svg")[2]
