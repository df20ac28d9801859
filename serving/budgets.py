"""How much a key may ask: requests and tokens in a sliding window, as `limits` counts them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from serving.access import Caller
from serving.errors import RateLimitedError
from serving.key_settings import Key


@dataclass(frozen=True, slots=True)
class _Budget:
    requests: RateLimitItem | None
    tokens: RateLimitItem | None


@dataclass(frozen=True, slots=True, eq=False)
class Hold:
    """Tokens that a request may cost, until Unix time `until_s` at most; each is one of its own."""

    tokens: int
    until_s: float


class Budgets:
    """The budgets of every key in this front end; each front end grants its equal share."""

    def __init__(self, keys: Sequence[Key], fronts: int, now: Callable[[], float]) -> None:
        self.now = now
        self._fronts = fronts
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._budgets: dict[str, _Budget] = {}
        self._holds: dict[str, dict[Hold, None]] = {}  # in the order in which they were made
        self.keep(keys)

    def keep(self, keys: Sequence[Key]) -> None:
        """Grant these keys their budgets from now on; what they have asked is not forgotten."""
        self._budgets = {
            key.name: _Budget(_share(key.requests, self._fronts), _share(key.tokens, self._fronts))
            for key in keys
            if key.requests or key.tokens
        }

    def admit(self, caller: Caller, hold: Hold | None = None) -> Mapping[str, str]:
        """Count one request; return what is left as OpenAI's `x-ratelimit-…` headers.

        What its answer may cost is held back until `spent` says what it did: otherwise many at once
        would each find the budget untouched. Without a `hold` a key gets through that has used up
        its tokens: what it asks for needs none.

        Raises:
            RateLimitedError: the key has used up its requests or tokens; says when to come again.
        """
        budget = self._budgets.get(caller.name)
        if budget is None:
            return {}
        if hold is not None and budget.tokens is not None:
            left = self._limiter.get_window_stats(budget.tokens, *_tokens(caller)).remaining
            if left <= self._held(caller):
                self._refuse(caller, "tokens", budget.tokens, _tokens(caller))
        if budget.requests is not None and not self._limiter.hit(
            budget.requests, *_requests(caller)
        ):
            self._refuse(caller, "requests", budget.requests, _requests(caller))
        if hold is not None and budget.tokens is not None:
            self._holds.setdefault(caller.name, {})[hold] = None
        return self._left(caller, budget)

    def _held(self, caller: Caller) -> int:
        """Tokens held back for the answers under way; one that nobody has settled runs out."""
        holds = self._holds.get(caller.name, {})
        for hold in [h for h in holds if h.until_s <= self.now()]:
            del holds[hold]
        return sum(h.tokens for h in holds)

    def spent(self, caller: Caller, tokens: int, hold: Hold | None = None) -> None:
        """Count the tokens of an answer; the one that goes over the budget is still given."""
        if hold is not None:
            self._holds.get(caller.name, {}).pop(hold, None)
        budget = self._budgets.get(caller.name)
        if budget is None or budget.tokens is None or tokens <= 0:
            return
        left = self._limiter.get_window_stats(budget.tokens, *_tokens(caller)).remaining
        # the window takes no more than what is left of it: what is over is forgiven once
        self._limiter.hit(budget.tokens, *_tokens(caller), cost=max(1, min(tokens, left)))

    def _refuse(
        self, caller: Caller, kind: str, item: RateLimitItem, place: tuple[str, str]
    ) -> None:
        reset = self._limiter.get_window_stats(item, *place).reset_time
        wait = max(1, math.ceil(reset - self.now()))
        raise RateLimitedError(
            f"key {caller.name!r} has used up its {kind} ({item}); come again in {wait} s", wait
        )

    def _left(self, caller: Caller, budget: _Budget) -> dict[str, str]:
        told: dict[str, str] = {}
        for kind, item, place in (
            ("requests", budget.requests, _requests(caller)),
            ("tokens", budget.tokens, _tokens(caller)),
        ):
            if item is not None:
                stats = self._limiter.get_window_stats(item, *place)
                told[f"x-ratelimit-limit-{kind}"] = str(item.amount)
                told[f"x-ratelimit-remaining-{kind}"] = str(stats.remaining)
                wait = max(0.0, stats.reset_time - self.now())
                told[f"x-ratelimit-reset-{kind}"] = f"{wait:.0f}s"
        return told


class Tab:
    """What one request may cost its key, and what it did."""

    def __init__(self, budgets: Budgets, caller: Caller, within_s: float) -> None:
        self._budgets = budgets
        self._caller = caller
        self._within_s = within_s
        self._hold: Hold | None = None
        self.left: Mapping[str, str] = {}

    def open(self, most_tokens: int) -> None:
        """Count the request, and hold back what its answer may cost.

        Raises:
            RateLimitedError: see `Budgets.admit`.
        """
        hold = Hold(most_tokens, self._budgets.now() + self._within_s)
        self.left = self._budgets.admit(self._caller, hold)
        self._hold = hold

    def close(self, tokens: int) -> None:
        """Count what the answer has cost; a second time it changes nothing."""
        if self._hold is not None:
            self._budgets.spent(self._caller, tokens, self._hold)
            self._hold = None


def _requests(caller: Caller) -> tuple[str, str]:
    return "requests", caller.name


def _tokens(caller: Caller) -> tuple[str, str]:
    return "tokens", caller.name


def _share(budget: str | None, fronts: int) -> RateLimitItem | None:
    if budget is None:
        return None
    whole = parse(budget)
    return type(whole)(max(1, whole.amount // fronts), whole.multiples)
