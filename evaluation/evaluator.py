"""What runs beside the service: grade, guard experiments, refit confidence maps, forget.

One evaluator per store; everything it knows is in the store, so a restart loses nothing.
"""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass

from evaluation.experiments import UNDER_WAY, Register, Spec, load_spec
from evaluation.grading import grade_late_shadows, grade_pending
from evaluation.learning import learnable, relearned
from evaluation.shadows import pairs
from evaluation.splits import split_verdicts
from evaluation.stores.sql import Store
from evaluation.tables import Tables
from routing.quality import QualityTable

_log = logging.getLogger(__name__)
DAY_S = 86_400.0
WEIGH_EVERY_S = 60.0
"""How often the store is weighed: that reads all of it."""
SHARE = 10.0
"""Looking at everything takes at most one part in so many of the time, however much there is."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often what happens at most; what limits the store keeps everything where it is 0.

    Retention waits for experiments that run: what they have seen is kept until they end. The limits
    on the number of events and on their size do not: they stop an experiment whose events they
    take.
    """

    refit_every_s: float = 3_600.0
    guard_every_s: float = 5.0
    retention_days: float = 0.0
    most_events: int = 0
    most_megabytes: float = 0.0  # as `Store.over_bytes` counts
    least_new: int = 50  # graded answers since the last table before there is a new one


class Outside:
    """What the evaluator's work means outside the store; this one has nothing there."""

    def publish(self) -> None:
        """Figures may have changed."""

    def forget(self, before_s: float) -> None:
        """Events before Unix time `before_s` have gone from the store."""

    def kept_bytes(self) -> int:
        """What is kept of the events outside the store; 0 where there is nothing."""
        return 0


class Evaluator:
    """Moves the store forward; `tick` is called again and again by one thread."""

    def __init__(
        self,
        store: Store,
        tables: Tables,
        schedule: Schedule,
        now: Callable[[], float],
        outside: Outside | None = None,
    ) -> None:
        self._outside = outside or Outside()
        self._store = store
        self._tables = tables
        self._schedule = schedule
        self._now = now
        self._register = Register(store)
        self._guard_again_s = 0.0
        self._weighed_s = -WEIGH_EVERY_S
        self._refitted_s = -math.inf  # what was learned before a restart is not waited for again

    def tick(self) -> int:
        """Grade what is new and do what is due; return how many grades were written."""
        now = self._now()
        written = grade_pending(self._store, now)
        if now >= self._guard_again_s:
            written += grade_late_shadows(self._store, now - DAY_S, now)
            self._guard(now)
            self._outside.publish()
            self._forget(now)
            pause_s = max(self._schedule.guard_every_s, SHARE * (self._now() - now))
            self._guard_again_s = now + pause_s
        if now - self._refitted_s >= self._schedule.refit_every_s:
            self._refitted_s = now
            self.refit()
        return written

    def _forget(self, now: float) -> None:
        limits = self._schedule
        if not (limits.retention_days or limits.most_events or limits.most_megabytes):
            return
        before_s = 0.0
        going = [row for row in self._register.all() if row["status"] in UNDER_WAY]
        if limits.retention_days > 0:
            before_s = now - limits.retention_days * DAY_S
            before_s = min([before_s, *(row["created_s"] for row in going)])
        if limits.most_events > 0:
            before_s = max(before_s, self._store.older_than_newest(limits.most_events))
        if limits.most_megabytes > 0 and now >= self._weighed_s + WEIGH_EVERY_S:
            self._weighed_s = now
            most = int(limits.most_megabytes * 1e6)
            before_s = max(before_s, self._store.over_bytes(most, self._outside.kept_bytes()))
        for row in going:  # a verdict on what is left would be another one
            if row["created_s"] < before_s:
                self._stop(load_spec(row["spec"]), now, "its oldest events were forgotten")
        if before_s > 0:
            self._store.forget(before_s)
            self._outside.forget(before_s)

    def _guard(self, now: float) -> None:
        for row in self._register.all():
            if row["status"] not in UNDER_WAY:
                continue
            spec = load_spec(row["spec"])
            if now - row["created_s"] > spec.max_days * DAY_S:
                self._stop(spec, now, f"it ran for {spec.max_days:g} days")
            elif row["status"] == "paused":
                continue
            elif spec.mode == "split":
                self._guard_split(spec, now)
            else:
                self._guard_shadow(spec, now)

    def _stop(self, spec: Spec, now: float, reason: str) -> None:
        _log.warning("experiment %s stopped: %s", spec.name, reason)
        self._register.change(spec.name, "stopped", now, reason)

    def _guard_shadow(self, spec: Spec, now: float) -> None:
        spent = self._register.spent([spec.name]).get(spec.name, 0)
        if spent >= spec.max_tokens:  # no copy would be sent any more
            self._stop(spec, now, f"its copies have spent {spent} tokens")
            return
        n = min(len(pairs(self._store, spec, c)) for c in spec.candidates)
        if n >= spec.max_pairs:
            self._stop(spec, now, f"{n} pairs were graded")

    def _guard_split(self, spec: Spec, now: float) -> None:
        """Users meet the candidates here: one goes as soon as it is surely worse by the margin."""
        found = split_verdicts(self._store, spec)
        for candidate in spec.trying:
            told = found[candidate].items()
            worse = [(t, v.n) for t, v in told if v.interval[1] < -spec.margin]
            if worse:
                task, n = worse[0]
                note = f"{candidate} is worse on {task} by more than {spec.margin:.0%} ({n})"
                _log.warning("experiment %s: %s", spec.name, note)
                self._register.withdraw(spec, candidate, now, note)
                return  # the others are looked at with the next tick
        total = min((told["all"].n for told in found.values() if "all" in told), default=0)
        if total >= spec.max_pairs:
            self._stop(spec, now, f"{total} answers were graded")

    def refit(self) -> QualityTable | None:
        """Publish a table of what was graded since the priors; None when that changes nothing."""
        base = self._tables.base()
        told = learnable(self._store, base.since_s)
        if len(told) < self._schedule.least_new:
            return None
        current = self._tables.current()
        table = relearned(base, told).model_copy(update={"version": current.version + 1})
        if table.backbones == current.backbones:
            return None
        return table if self._tables.refresh(table, base) else None
