import pytest

from routing.domain import Family, Query, Task
from routing.eligible import NoEligibleModelError
from routing.policies.family import ByFamily
from routing.policies.fixed import Fixed
from routing.policy import Policy, decide
from routing.tasks import classify
from tests.builders import CARDS, NEW, OLD, card
from tests.contracts.policy import CHECKS, Check

POLICIES: tuple[Policy, ...] = (Fixed(OLD), ByFamily())


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("policy", POLICIES, ids=lambda p: p.name)
def test_every_policy(policy: Policy, check: Check) -> None:
    check(policy)


@pytest.mark.parametrize("task", list(Task))
def test_reasoning_goes_to_the_newest_backbone_and_vision_to_the_cheapest(task: Task) -> None:
    chosen = ByFamily().odds(task, CARDS).probability

    assert chosen == {NEW if task.family is Family.REASONING else OLD: 1.0}


def test_a_question_too_long_for_one_backbone_goes_to_another() -> None:
    cards = (card(OLD, context_tokens=50), card(NEW, context_tokens=500))
    query = Query("what colour is it?", prompt_tokens={OLD: 60, NEW: 60}, max_new_tokens=10)

    decision = decide(query, classify(query), cards, ByFamily(), u=0.5)

    assert (decision.model, decision.propensity) == (NEW, 1.0)
    assert decision.reason.endswith("1 backbone(s) too small for it")


def test_a_question_too_long_for_every_backbone_is_refused_with_the_reasons() -> None:
    query = Query("hi", prompt_tokens={OLD: 250}, max_new_tokens=10)

    with pytest.raises(NoEligibleModelError, match=r"old: needs 260 tokens of context .*has 256"):
        decide(query, classify(query), (card(OLD),), ByFamily(), u=0.5)
