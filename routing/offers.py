"""What each backbone would give for a query: expected accuracy, cost, latency and utility."""

import math
import sys
from collections.abc import Mapping, Sequence

from routing.domain import Limits, Load, ModelCard, ModelId, Offer, Query, Task
from routing.eligible import NoEligibleModelError
from routing.features import Features
from routing.quality import Posterior, QualityTable, Success, Worth
from routing.tasks import TaskScores

TRUST = 40.0
"""Outcomes of a task after which its success predictor counts as much as its posterior."""
USUAL_TOKENS = 24.0


def exchange_rate(quality: float) -> float:
    """λ of the dial: accuracy that the dearest backbone's price is worth, in [0, ∞).

    λ = (1 − q) / (10 q): at q = 1 price does not count, at q = 1/2 paying the dearest instead of
    nothing must buy ten points of accuracy, at q = 0 only price counts.

    >>> exchange_rate(1.0), exchange_rate(0.5), exchange_rate(0.0)
    (0.0, 0.1, inf)
    """
    return math.inf if quality <= 0 else (1 - quality) / (10 * quality)


def tie(quality: float) -> float:
    """ε of the dial: utilities closer than this are equal, and the cheapest of them wins.

    >>> tie(1.0), tie(0.5)
    (0.0, 0.01)
    """
    return 0.02 * (1 - quality)


def offers(  # noqa: PLR0913 - what a price and a rating depend on
    query: Query,
    scores: TaskScores,
    features: Features,
    cards: Sequence[ModelCard],
    table: QualityTable,
    limits: Limits,
) -> tuple[Offer, ...]:
    """Price and rate every card, in their order."""
    rated = [
        (card, *_expected(query, scores, features, card, table.worth(card.id))) for card in cards
    ]
    dearest = max((cost for _, _, cost, _ in rated), default=0.0)
    rate = exchange_rate(limits.quality)
    return tuple(
        Offer(
            card,
            accuracy,
            cost,
            latency,
            utility(accuracy, cost, dearest, rate),
            _evidence(scores, table.worth(card.id)),
        )
        for card, accuracy, cost, latency in rated
    )


def utility(accuracy: float, cost: float, dearest: float, rate: float) -> float:
    """Accuracy less what its price is worth: accuracy − λ cost / dearest.

    At λ = ∞ it is the price alone; where nothing has a price, the accuracy.
    """
    share = cost / dearest if dearest > 0 else 0.0
    if math.isinf(rate):
        return -share
    return accuracy - rate * share


def _evidence(scores: TaskScores, worth: Worth) -> float:
    return sum(p * worth.posterior(task).weight for task, p in scores.likely)


def _expected(
    query: Query, scores: TaskScores, features: Features, card: ModelCard, worth: Worth
) -> tuple[float, float, float]:
    """Expected accuracy, dollars and seconds, over the likeliest tasks (`TaskScores.likely`)."""
    accuracy = tokens = 0.0
    words = 0.0 if worth.success is None else _of_words(worth.success, features)
    for task, probability in scores.likely:
        accuracy += probability * _blended(worth.posterior(task), task, words, worth.success)
        tokens += probability * worth.completion_tokens.get(task, USUAL_TOKENS)
    tokens = min(tokens, query.max_new_tokens)
    prompt = query.prompt_tokens.get(card.id, 0)
    cost = (prompt * card.price_in + tokens * card.price_out) / 1000
    return accuracy, cost, worth.first_token_s + tokens * worth.per_token_s


def _blended(posterior: Posterior, task: Task, words: float, model: Success | None) -> float:
    """Trust the success predictor of a task by its share of all outcomes that are known."""
    if model is None:
        return posterior.mean
    seen = model.evidence.get(task, 0.0)
    share = seen / (max(seen, posterior.weight) + TRUST)
    return share * _sigmoid(_of_task(model, task) + words) + (1 - share) * posterior.mean


def success_probability(model: Success, task: Task, features: Features) -> float:
    """P(correct) by the predictor alone."""
    return _sigmoid(success_logit(model, task, features))


def success_logit(model: Success, task: Task, features: Features) -> float:
    """The log-odds of being correct by the predictor alone."""
    return _of_task(model, task) + _of_words(model, features)


def _of_task(model: Success, task: Task) -> float:
    return model.intercept + model.tasks.get(task, 0.0)


def _of_words(model: Success, features: Features) -> float:
    """What text and picture say, whatever the task is: the same for all of a query's tasks."""
    x = sum(model.weights.get(slot, 0.0) for slot in features.slots)
    return x + sum(w * v for w, v in zip(model.facts, features.facts, strict=False))


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-min(30.0, max(-30.0, x))))


def within(
    found: Sequence[Offer], load: Mapping[ModelId, Load], limits: Limits
) -> tuple[tuple[Offer, ...], tuple[tuple[ModelId, str], ...]]:
    """Split offers into those the limits and the load allow, and why the others are out.

    When nothing is left, one backbone within the price is asked all the same: first one that is
    only busy, then the fastest over the deadline, last one that is down.

    Raises:
        NoEligibleModelError: every offer costs more than the limit.
    """
    why = {o.card.id: _objection(o, load.get(o.card.id, Load()), limits) for o in found}
    if found and all(o.cost > limits.max_cost for o in found):
        raise NoEligibleModelError({m: (text,) for m, (_, text) in why.items()})
    kept = [o for o in found if not why[o.card.id][1]]
    if not kept and found:
        kept = [min(found, key=lambda o: (why[o.card.id][0], o.cost, o.latency_s))]
    allowed = {o.card.id for o in kept}
    return tuple(kept), tuple((m, text) for m, (_, text) in why.items() if m not in allowed)


def current_latency_s(offer: Offer, busy: Load) -> float:
    """Seconds to expect of an offer just now: a backbone may have become slow since the table."""
    return max(offer.latency_s, busy.recent_s)


def _objection(offer: Offer, busy: Load, limits: Limits) -> tuple[float, str]:
    """How bad what speaks against an offer is, and what it is; nothing is (0, "")."""
    if offer.cost > limits.max_cost:
        return math.inf, f"costs ${offer.cost:.2g}, over ${limits.max_cost:.2g}"
    if not busy.healthy:
        return sys.float_info.max, "it is down"
    seconds = current_latency_s(offer, busy)
    if seconds > limits.deadline_s:
        return 2 + seconds, f"takes {seconds:.2g} s, too late"
    if busy.saturated:
        return 1, f"it is busy ({busy.ongoing} under way)"
    return 0, ""
