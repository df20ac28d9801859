import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.domain import (
    Decision,
    Family,
    Feedback,
    Limits,
    Load,
    ModelCard,
    ModelId,
    Offer,
    Query,
    Task,
)
from routing.eligible import NoEligibleModelError
from routing.features import Features, features
from routing.offers import exchange_rate
from routing.policies.cascade import RESCUED, Cascade
from routing.policies.family import ByFamily
from routing.policies.fixed import Fixed
from routing.policies.rules import Rule, Rules
from routing.policies.split import Split
from routing.policies.thompson import Thompson
from routing.policies.utility import Utility
from routing.policy import Asked, Policy, State, decide
from routing.quality import Posterior, QualityTable, Success, Worth
from routing.tasks import TaskScores, classify
from tests.builders import CARDS, NEW, OLD, card
from tests.contracts.policy import CHECKS, OFFERS, Check, asked, offers

POLICIES: tuple[Policy, ...] = (
    Fixed(OLD),
    ByFamily(),
    Split({OLD: 1.0, NEW: 3.0}),
    Rules((Rule((NEW,), family=Family.REASONING), Rule((OLD,)))),
    Utility(),
    Utility(explore=0.2, name="explore/1"),
    Thompson(),
    Thompson(share=0.1, name="thompson-some/1"),
    Cascade(),
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("policy", POLICIES, ids=lambda p: p.name)
def test_every_policy(policy: Policy, check: Check) -> None:
    check(policy)


def chosen(
    policy: Policy, given: Asked, offered: tuple[Offer, ...] = OFFERS
) -> dict[ModelId, float]:
    return dict(policy.odds(given, offered).probability)


@pytest.mark.parametrize("task", list(Task))
def test_reasoning_goes_to_the_newest_backbone_and_vision_to_the_cheapest(task: Task) -> None:
    assert chosen(ByFamily(), asked(task)) == {NEW if task.family is Family.REASONING else OLD: 1.0}


def test_utility_pays_for_accuracy_only_as_much_as_the_dial_says() -> None:
    worth_it, not_worth_it = offers(0.6, 0.8), offers(0.78, 0.8)

    assert chosen(Utility(), asked(), worth_it) == {NEW: 1.0}
    assert chosen(Utility(), asked(), not_worth_it) == {OLD: 1.0}
    assert chosen(Utility(), asked(quality=1.0), offers(0.78, 0.8, rate=0.0)) == {NEW: 1.0}


def test_within_epsilon_of_the_best_the_cheapest_wins() -> None:
    assert chosen(Utility(), asked(), offers(0.7, 0.7505)) == {OLD: 1.0}


def test_exploration_spreads_its_share_and_says_so_in_the_odds() -> None:
    assert chosen(Utility(explore=0.2), asked()) == pytest.approx({NEW: 0.9, OLD: 0.1})


def test_a_split_draws_in_the_ratio_of_its_weights() -> None:
    assert chosen(Split({OLD: 1.0, NEW: 3.0}), asked()) == {OLD: 0.25, NEW: 0.75}


def test_while_a_backbone_is_away_only_its_own_users_move() -> None:
    third = ModelId("third")
    cards = [card(OLD), card(NEW), card(third)]
    split = Split({OLD: 0.2, NEW: 0.3, third: 0.5})
    every = [replace(OFFERS[0], card=c) for c in cards]
    whole, without = split.odds(asked(), every), split.odds(asked(), every[1:])

    draws = [(k + 0.5) / 1_000 for k in range(1_000)]
    before = [whole.draw(u=u)[0] for u in draws]
    after = [without.draw(u=u)[0] for u in draws]

    moved = [b for b, a in zip(before, after, strict=True) if a != b]
    assert set(moved) == {OLD}
    assert after.count(NEW) == pytest.approx(375, abs=2)  # in proportion, as a plain draw would be
    assert without.probability == pytest.approx({NEW: 0.375, third: 0.625})


def test_the_first_rule_that_fits_decides() -> None:
    policy = Rules(
        (
            Rule((NEW,), users=frozenset({"vip"})),
            Rule((NEW,), header=("X-Tier", "gold")),
            Rule((ModelId("gone"), NEW), tasks=frozenset({Task.GEOMETRY})),
            Rule((OLD,)),
        )
    )

    assert chosen(policy, asked()) == {OLD: 1.0}
    assert chosen(policy, asked(user="vip")) == {NEW: 1.0}
    assert chosen(policy, asked(headers={"x-tier": "Gold"})) == {NEW: 1.0}
    assert chosen(policy, asked(Task.GEOMETRY)) == {NEW: 1.0}


@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_thompson_gives_each_backbone_the_chance_that_it_is_best(old: float, new: float) -> None:
    rng = np.random.default_rng(1)  # noqa: TID251 - a test draws its own data
    found = chosen(Thompson(), asked(), offers(old, new, rate=0.0, evidence=20))
    a = rng.beta(old * 20, (1 - old) * 20, 20_000)
    b = rng.beta(new * 20, (1 - new) * 20, 20_000)

    assert found[NEW] == pytest.approx(float((b > a).mean()), abs=0.03)


def test_thompson_learns_which_backbone_is_better() -> None:
    policy = Thompson()
    for _ in range(60):
        policy = policy.learn(Feedback(OLD, Task.CHART, 1.0)).learn(Feedback(NEW, Task.CHART, 0.0))

    assert chosen(policy, asked(), offers(0.7, 0.7))[OLD] > 0.99


def test_a_cascade_starts_cheap_and_goes_on_only_when_that_is_worth_it() -> None:
    first, better = offers(0.6, 0.9)

    assert Cascade().escalation(asked(), OFFERS, first, 0.95) is None
    assert Cascade().escalation(asked(), (first, better), first, 0.7) == better
    assert Cascade().escalation(asked(), (first, better), first, 0.81) is None  # gain 9, price 10
    assert Cascade().escalation(asked(quality=1.0), (first, better), first, 0.85) == better
    assert Cascade(threshold=0.5).escalation(asked(), (first, better), first, 0.45) == better
    assert Cascade(threshold=0.5).escalation(asked(), (first, better), first, 0.55) is None


@pytest.mark.parametrize(
    ("cheap", "better", "quality", "first"),
    [
        (0.9, 0.95, 0.5, OLD),
        (0.2, 0.9, 0.5, NEW),  # asking the cheap one first would mostly be in vain
        (0.2, 0.9, 0.0, OLD),  # only price counts
        (0.5, 0.5, 0.5, OLD),  # the other one is worth no more
    ],
)
def test_a_cascade_starts_where_the_first_question_is_not_asked_in_vain(
    cheap: float, better: float, quality: float, first: ModelId
) -> None:
    assert chosen(Cascade(), asked(quality=quality), offers(cheap, better)) == {first: 1.0}
    assert chosen(Cascade(threshold=0.5), asked(), offers(cheap, better)) == {OLD: 1.0}


def test_a_cascade_starts_where_the_whole_of_it_is_worth_most() -> None:
    """Against a simulation: the second backbone rescues `RESCUED` of its accuracy."""
    rng = np.random.default_rng(1)  # noqa: TID251 - a test draws its own data
    rate, n = 0.1, 200_000
    for cheap, better in ((0.9, 0.95), (0.6, 0.9), (0.5, 0.95), (0.2, 0.6)):
        worth = {}
        for name, (first, second) in {OLD: (0, 1), NEW: (1, 0)}.items():
            accuracy, cost = (cheap, better), [o.cost for o in offers(cheap, better)]
            share = [c / max(cost) for c in cost]
            right = rng.random(n) < accuracy[first]
            after = ~right & (RESCUED * accuracy[second] > rate * share[second])
            rescued = after & (rng.random(n) < RESCUED * accuracy[second])
            paid = share[first] + after * share[second]
            worth[name] = float((right | rescued).mean() - rate * paid.mean())

        assert chosen(Cascade(), asked(), offers(cheap, better)) == {
            max(worth, key=worth.__getitem__): 1.0
        }


def decided(  # noqa: PLR0913 - a builder
    query: Query,
    cards: tuple[ModelCard, ...] = CARDS,
    policy: Policy | None = None,
    *,
    state: State | None = None,
    limits: Limits | None = None,
    task: Task | None = None,
) -> Decision:  # fmt: skip
    scores = classify(query) if task is None else TaskScores({task: 1.0})
    given = Asked(scores, limits or Limits())
    return decide(
        query, given, features(query), cards, state or State(), policy or ByFamily(), u=0.5
    )


def test_a_question_too_long_for_one_backbone_goes_to_another() -> None:
    cards = (card(OLD, context_tokens=50), card(NEW, context_tokens=500))
    query = Query("what colour is it?", prompt_tokens={OLD: 60, NEW: 60}, max_new_tokens=10)

    decision = decided(query, cards)

    assert (decision.model, decision.propensity) == (NEW, 1.0)
    assert dict(decision.losers)[OLD].startswith("needs 70 tokens of context")


def test_a_question_too_long_for_every_backbone_is_refused_with_the_reasons() -> None:
    query = Query("hi", prompt_tokens={OLD: 250}, max_new_tokens=10)

    with pytest.raises(NoEligibleModelError, match=r"old: needs 260 tokens of context .*has 256"):
        decided(query, (card(OLD),))


TABLE = QualityTable(
    version=3,
    backbones={
        "old": Worth(
            accuracy={Task.CHART: Posterior(right=60, wrong=40)},
            first_token_s=0.1,
            per_token_s=0.01,
        ),
        "new": Worth(
            accuracy={Task.CHART: Posterior(right=90, wrong=10)},
            first_token_s=0.5,
            per_token_s=0.01,
        ),
    },
)
CHART = Query("what is the sum?", prompt_tokens={OLD: 100, NEW: 100}, max_new_tokens=10)


def test_a_decision_says_what_each_backbone_would_give_and_why_the_others_lost() -> None:
    told = decided(CHART, policy=Utility(), state=State(TABLE), task=Task.CHART)

    assert (told.model, told.table_version) == (NEW, 3)
    assert [o.accuracy for o in told.offers] == [0.6, 0.9]
    assert [o.cost for o in told.offers] == pytest.approx([0.11, 0.22])
    assert dict(told.losers) == {OLD: "30.0% less accurate"}


def test_a_better_one_within_epsilon_says_that_it_is_about_as_good() -> None:
    worth = {
        name: Worth(accuracy={Task.ATTRIBUTE: Posterior(right=right, wrong=1000 - right)})
        for name, right in (("old", 900), ("new", 908))
    }
    cards = (card(OLD, price=0.0100), card(NEW, price=0.0101))
    query = Query("what color is it?", prompt_tokens={OLD: 50, NEW: 50})
    state = State(QualityTable(backbones=worth))

    made = decided(query, cards, Utility(), state=state, task=Task.ATTRIBUTE)

    assert (made.model, dict(made.losers)[NEW]) == (OLD, "about as good, and dearer")


def test_an_expensive_backbone_says_that_it_was_not_worth_its_price() -> None:
    told = decided(
        CHART, policy=Utility(), state=State(TABLE), limits=Limits(quality=0.1), task=Task.CHART
    )

    assert told.model == OLD
    assert dict(told.losers)[NEW] == "30.0% more accurate, not worth 2.0x the price"


@pytest.mark.parametrize(
    ("limits", "load", "why"),
    [
        (Limits(deadline_s=0.3), {}, "takes 0.6 s, too late"),
        (Limits(max_cost=0.2), {}, "costs $0.22, over $0.2"),
        (Limits(), {NEW: Load(5, 5)}, "it is busy (5 under way)"),
        (Limits(), {NEW: Load(healthy=False)}, "it is down"),
    ],
)
def test_limits_and_load_take_a_backbone_out(
    limits: Limits, load: dict[ModelId, Load], why: str
) -> None:
    told = decided(
        CHART, policy=Utility(), state=State(TABLE, load), limits=limits, task=Task.CHART
    )

    assert told.model == OLD
    assert dict(told.losers)[NEW] == why


def test_when_everybody_is_busy_somebody_still_answers() -> None:
    busy = {OLD: Load(5, 5), NEW: Load(5, 5)}

    assert decided(CHART, policy=Utility(), state=State(TABLE, busy)).model == OLD


def test_a_success_predictor_counts_by_how_much_it_has_seen() -> None:
    seen = features(CHART)
    sure = Success(intercept=9.0, weights=dict.fromkeys(seen.slots, 0.0))
    table = QualityTable(
        backbones={
            "old": Worth(
                accuracy={Task.CHART: Posterior(right=20, wrong=20)},
                success=sure.model_copy(update={"evidence": {Task.CHART: 40.0}}),
            ),
            "new": Worth(accuracy={Task.CHART: Posterior(right=20, wrong=20)}, success=sure),
        }
    )

    told = decided(CHART, policy=Utility(), state=State(table), task=Task.CHART)

    assert [round(o.accuracy, 3) for o in told.offers] == [0.75, 0.5]


def test_what_was_learned_live_outweighs_an_old_success_predictor() -> None:
    sure = Success(intercept=9.0, weights={}, evidence={Task.CHART: 100.0})
    live = Posterior(right=200, wrong=4_900)  # 5,000 live answers, nearly all of them wrong
    table = QualityTable(backbones={"old": Worth(accuracy={Task.CHART: live}, success=sure)})

    told = decided(CHART, policy=Utility(), state=State(table), task=Task.CHART)

    assert told.offers[0].accuracy < 0.07


def test_the_dial_runs_from_price_alone_to_quality_alone() -> None:
    rates = [exchange_rate(q) for q in (0.0, 0.25, 0.5, 0.75, 1.0)]

    assert rates == sorted(rates, reverse=True)
    assert (rates[0], rates[-1]) == (math.inf, 0.0)


def test_a_decision_is_the_same_for_the_same_arguments() -> None:
    assert decided(CHART, state=State(TABLE)) == decided(CHART, state=State(TABLE))
    assert Features((), ()) == Features((), ())
