"""Budgets of keys: what is over them is told when to come again, and others are not touched."""

import asyncio
import json
from collections import Counter
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from serving.access import Caller, hashed
from serving.budgets import Budgets, Hold
from serving.errors import RateLimitedError
from serving.key_settings import Key
from tests.builders import api, ask, gateway

PLAIN = Key(name="plain", sha256=hashed("plain"))
FEW = Key(name="few", sha256=hashed("few"), requests="2/minute")
SHORT = Key(name="short", sha256=hashed("short"), tokens="1/hour")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def client() -> TestClient:
    return TestClient(api(gateway(), keys=(PLAIN, FEW, SHORT)))


def chat(client: TestClient, key: str, *, stream: bool = False) -> Any:
    body = {"model": "auto", "messages": ask("what is it?"), "stream": stream}
    return client.post(
        "/v1/chat/completions", json=body, headers={"authorization": f"Bearer {key}"}
    )


def test_a_key_over_its_requests_is_told_when_to_come_again(client: TestClient) -> None:
    first, second, third = (chat(client, "few") for _ in range(3))
    assert (first.status_code, second.status_code, third.status_code) == (200, 200, 429)
    assert first.headers["x-ratelimit-limit-requests"] == "2"
    assert second.headers["x-ratelimit-remaining-requests"] == "0"
    assert third.json()["error"]["code"] == "rate_limit_exceeded"
    assert 1 <= int(third.headers["retry-after"]) <= 120
    assert chat(client, "plain").status_code == 200


@pytest.mark.parametrize("stream", [False, True])
def test_tokens_are_counted_however_the_answer_came(client: TestClient, *, stream: bool) -> None:
    assert chat(client, "short", stream=stream).status_code == 200
    refused = chat(client, "short", stream=stream)
    assert refused.status_code == 429
    assert "tokens" in json.loads(refused.content)["error"]["message"]


def test_front_ends_share_a_budget_between_them() -> None:
    budgets = Budgets([FEW], 2, lambda: 0.0)
    few = Caller("few", "user")
    budgets.admit(few)
    with pytest.raises(RateLimitedError):
        budgets.admit(few)


def test_a_key_without_tokens_may_still_say_what_was_right() -> None:
    key = Key(name="k", sha256=hashed("k"), requests="3/minute", tokens="10/minute")
    budgets, caller = Budgets([key], 1, lambda: 0.0), Caller("k", "user")
    budgets.spent(caller, 50)
    with pytest.raises(RateLimitedError, match="tokens"):
        budgets.admit(caller, Hold(1, 60.0))
    for _ in range(3):
        budgets.admit(caller)
    with pytest.raises(RateLimitedError, match="requests"):
        budgets.admit(caller)


def test_an_answer_over_the_budget_still_uses_it_up() -> None:
    key = Key(name="k", sha256=hashed("k"), tokens="100/minute")
    budgets, caller = Budgets([key], 1, lambda: 0.0), Caller("k", "user")
    first, second = Hold(20, 60.0), Hold(20, 60.0)
    budgets.admit(caller, first)
    budgets.spent(caller, 90, first)
    assert budgets.admit(caller, second)["x-ratelimit-remaining-tokens"] == "10"
    budgets.spent(caller, 5_000, second)
    with pytest.raises(RateLimitedError):
        budgets.admit(caller, Hold(1, 60.0))


def test_what_is_under_way_is_held_back_until_it_is_settled_or_runs_out() -> None:
    key = Key(name="k", sha256=hashed("k"), tokens="100/minute")
    clock = [0.0]
    budgets, caller = Budgets([key], 1, lambda: clock[0]), Caller("k", "user")
    first, lost = Hold(60, 30.0), Hold(40, 10.0)
    budgets.admit(caller, first)
    budgets.admit(caller, lost)  # 60 are held: there are 40 left
    with pytest.raises(RateLimitedError, match="tokens"):
        budgets.admit(caller, Hold(1, 30.0))

    clock[0] = 11.0
    after_one_ran_out = Hold(50, 30.0)
    budgets.admit(caller, after_one_ran_out)
    with pytest.raises(RateLimitedError, match="tokens"):
        budgets.admit(caller, Hold(1, 30.0))
    budgets.spent(caller, 5, first)
    budgets.admit(caller, Hold(1, 30.0))


@pytest.mark.anyio
async def test_many_at_once_get_no_more_than_the_budget() -> None:
    key = Key(name="k", sha256=hashed("k"), tokens="10/day")
    app = api(gateway(), keys=(key,))
    body = {"model": "auto", "messages": ask("what is it?"), "max_tokens": 4}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1",
        headers={"authorization": "Bearer k"},
    ) as client:  # fmt: skip
        told = await asyncio.gather(
            *(client.post("/v1/chat/completions", json=body) for _ in range(30))
        )

    statuses = Counter(answer.status_code for answer in told)
    assert statuses.keys() == {200, 429}
    assert statuses[200] <= 3  # 4 tokens are held for each


@pytest.mark.parametrize("budget", ["many", "10", "10/fortnight", ""])
def test_a_budget_that_is_none_is_refused_at_start(budget: str) -> None:
    with pytest.raises(ValueError, match="is no budget"):
        Key(name="k", sha256=hashed("k"), requests=budget)
