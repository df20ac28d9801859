"""`barn off-policy`: what every policy would have earned on the traffic that was served."""

import math
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from evaluation.logged import earned, logged
from evaluation.offpolicy import Estimate
from evaluation.stores.sql import Store, connect
from routing.domain import ModelId
from routing.policies.cascade import Cascade
from routing.policies.fixed import Fixed
from routing.policy import Policy
from routing.tasks import shipped
from serving.commands.configured import cards_of, configured, for_tables, unix
from serving.parts import quality_tables
from serving.policies import build_policies
from serving.settings import Settings

_MOST_UNSEEN = 0.01


def off_policy(
    config: Annotated[str, typer.Option(help="Whose store, policies and prices.")] = "embedded",
    since: Annotated[datetime | None, typer.Option(help="First moment (UTC).")] = None,
    quality: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="One dial for all, 0 cheapest, 1 best; none: their own."),
    ] = None,
) -> None:
    """Estimate the accuracy that every policy would have had on graded traffic of the store.

    Needs traffic whose backbone was drawn at random now and then: `routing.policies` with
    `explore`, Thompson sampling or a split. Cascades, which look at an answer, cannot be judged.
    """
    settings = configured(config)
    store = Store(connect(settings.events.url()))
    since_s = 0.0 if since is None else unix(since)
    found = logged(store, shipped(), since_s=since_s, quality=quality)
    # refits have seen the very outcomes that judge here: the policies decide as they did before
    table = quality_tables(settings, store).base()
    try:
        told = earned(found, cards_of(settings), table, _policies(settings))
    except ValueError as error:
        typer.echo(f"{error}; send feedback to POST /v1/feedback", err=True)
        raise typer.Exit(1) from error
    shown = Table("policy", "doubly robust", "self-normalised IPS", "IPS", "counts as", "unseen")
    for one in told:
        shown.add_row(
            one.policy, _told(one.doubly_robust), _told(one.snips), _told(one.ips),
            f"{one.snips.effective_n:.0f} of {one.n}", f"{one.unseen:.0%}",
        )  # fmt: skip
    for_tables().print(shown)
    named = settings.routing.named().items()
    if headed := [name for name, told in named if any(rule.header for rule in told.rules)]:
        names = ", ".join(headed)
        typer.echo(f"{names}: headers are not recorded, so rules on them fit nobody here", err=True)
    if any(one.unseen > _MOST_UNSEEN for one in told):
        typer.echo(
            "where a policy's choices were never drawn (unseen), its estimates mean nothing: "
            "explore on a share of the traffic",
            err=True,
        )


def _policies(settings: Settings) -> dict[str, Policy]:
    """The configured policies that decide before any answer, and every backbone alone."""
    built = build_policies(settings)
    alone = {f"always {b.id}": Fixed(ModelId(b.id)) for b in settings.backbones}
    return {n: p for n, p in built.items() if not isinstance(p, Cascade)} | alone


def _told(estimate: Estimate) -> str:
    if not math.isfinite(estimate.value):
        return "?"
    low, high = max(0.0, estimate.low), min(1.0, estimate.high)  # a normal interval knows no ends
    return f"{estimate.value:.1%} [{low:.1%}, {high:.1%}]"
