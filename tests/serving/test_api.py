"""The service seen from outside: real HTTP, real gateway, a scripted engine."""

import asyncio
import base64
import io
import json
import math
import re
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import httpx
import pytest
from PIL import Image

from evaluation.records import Answer, Failure, Interaction
from routing.domain import ModelId, Task
from routing.policies.cascade import Cascade
from routing.policies.family import ByFamily
from routing.policies.split import Split
from routing.policies.utility import Utility
from routing.quality import Platt, Posterior, QualityTable, Worth
from serving.access import hashed
from serving.engines.base import Piece, Prompt
from serving.engines.scripted import Scripted
from serving.errors import BackboneDownError, OverloadedError
from serving.gateway import Gateway
from serving.key_settings import Key
from serving.reply import Told
from serving.settings import ImageLimits, Limits
from tests.builders import NEW, OLD, api, ask, card, data_url, gateway

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def post(
    service: Gateway,
    *,
    limits: Limits | None = None,
    images: ImageLimits | None = None,
    raw: bytes | None = None,
    **body: object,
) -> httpx.Response:
    transport = httpx.ASGITransport(api(service, limits=limits, images=images))
    whole = {"model": "auto", "messages": ask(), "max_tokens": 32, **body}
    content = raw if raw is not None else json.dumps(whole).encode()
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        return await client.post("/v1/chat/completions", content=content)


def error(response: httpx.Response) -> dict[str, Any]:
    told: dict[str, Any] = response.json()["error"]
    assert told.keys() == {"message", "type", "param", "code"}
    return told


def chunks(response: httpx.Response) -> list[dict[str, Any]]:
    lines = [line for line in response.text.split("\n\n") if line]
    assert lines[-1] == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]


async def test_an_answer_says_who_gave_it_and_why() -> None:
    response = await post(gateway(), messages=ask("what color is it?", data_url()))

    assert response.status_code == 200
    body = response.json()
    assert body["choices"][0]["message"]["content"] == "a cat"
    assert body["choices"][0]["finish_reason"] == "stop"
    said = body["barn"]
    assert said["tasks"]["attribute"] > 0.8
    assert said["backbones"]["new"]["why_not"] == "as accurate, and dearer"
    assert {k: v for k, v in said.items() if k not in {"tasks", "backbones", "reason"}} == {
        "request_id": "r1",
        "task": "attribute",
        "family": "vision",
        "backbone": "old",
        "policy": "by-family/2",
        "propensity": 1.0,
        "confidence": pytest.approx(0.25),
        "calibrated_confidence": 0.5,  # nobody has graded an answer yet
        "cost": pytest.approx((body["usage"]["prompt_tokens"] + 2) / 1000),
        "table_version": 1,
    }
    assert response.headers["x-barn-backbone"] == "old"
    assert response.headers["x-barn-family"] == "vision"
    assert float(response.headers["x-barn-confidence"]) == pytest.approx(0.25)


async def test_reasoning_goes_to_the_newest_backbone() -> None:
    response = await post(gateway(), messages=ask("what is the sum of the red and blue bars?"))

    assert response.json()["barn"]["backbone"] == "new"


async def test_a_backbones_id_pins_it() -> None:
    response = await post(gateway(), model="old", messages=ask("what is 7 + 5?"))

    assert (response.json()["model"], response.json()["barn"]["policy"]) == ("old", "pinned")


async def test_usage_counts_the_tokens_of_pictures() -> None:
    without = await post(gateway(), model="old")
    with_one = await post(gateway(), model="old", messages=ask("what shape is this?", data_url()))

    extra = with_one.json()["usage"]["prompt_tokens"] - without.json()["usage"]["prompt_tokens"]
    assert extra == 16 + 1  # sixteen patches, and the space behind them
    assert with_one.json()["usage"]["completion_tokens"] == 2


async def test_logprobs_come_with_their_bytes_and_alternatives() -> None:
    response = await post(gateway(), logprobs=True, top_logprobs=1)

    first = response.json()["choices"][0]["logprobs"]["content"][0]
    assert first["token"] == "a "
    assert first["logprob"] == pytest.approx(math.log(0.5))
    assert first["bytes"] == [97, 32]
    assert first["top_logprobs"][0]["token"] == "a "


async def test_a_stream_ends_with_the_barn_object_usage_and_done() -> None:
    response = await post(gateway(), stream=True, stream_options={"include_usage": True})

    events = chunks(response)
    assert [e["choices"][0]["delta"].get("content") for e in events[:-1]] == ["a ", "cat"]
    assert events[0]["choices"][0]["delta"]["role"] == "assistant"
    assert events[-2]["choices"][0]["finish_reason"] == "stop"
    assert events[-2]["barn"]["confidence"] == pytest.approx(0.25)
    assert events[-1]["choices"] == []
    assert events[-1]["usage"]["completion_tokens"] == 2
    assert response.headers["x-barn-backbone"] == "old"
    assert response.headers["content-type"].startswith("text/event-stream")


async def test_every_answer_is_recorded_with_its_propensity_before_it_leaves() -> None:
    seen: list[Interaction] = []

    await post(
        gateway(record=lambda told: seen.append(told.seen)),
        user="u1",
        messages=ask("hi", data_url()),
    )

    (recorded,) = seen
    assert (recorded.decision.propensity, recorded.user) == (1.0, "u1")
    assert len(recorded.image_hashes) == 1
    assert isinstance(recorded.outcome, Answer)
    assert recorded.outcome.text == "a cat"


async def test_an_answer_that_cannot_be_recorded_is_not_given() -> None:
    def full(_: Told) -> None:
        raise OSError("no space left on device")

    response = await post(gateway(record=full))

    assert response.status_code == 503
    assert error(response)["code"] == "storage_unavailable"


async def test_an_engine_that_breaks_is_a_502_and_is_recorded_as_a_failure() -> None:
    seen: list[Interaction] = []
    broken = gateway(
        engines={OLD: Scripted(breaks_after=1)}, record=lambda told: seen.append(told.seen)
    )

    response = await post(broken)

    assert response.status_code == 502
    assert [s.outcome.error for s in seen if isinstance(s.outcome, Failure)] == ["EngineError"]


async def test_a_stream_that_breaks_ends_with_an_error_and_without_done() -> None:
    response = await post(gateway(engines={OLD: Scripted(breaks_after=1)}), stream=True)

    last = response.text.split("\n\n")[-2]
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == "backbone_failed"
    assert "[DONE]" not in response.text


async def test_a_backbone_that_is_down_is_replaced_and_the_reason_says_so() -> None:
    seen: list[Interaction] = []
    down = Scripted(refuses=BackboneDownError("old is down"))

    response = await post(gateway(engines={OLD: down}, record=lambda told: seen.append(told.seen)))

    assert response.status_code == 200
    assert response.json()["barn"]["backbone"] == "new"
    assert response.json()["barn"]["reason"].endswith("instead of old (backbone_down)")
    assert len(seen) == 1


async def test_a_pinned_backbone_that_is_down_is_a_503() -> None:
    down = Scripted(refuses=BackboneDownError("old is down"))

    response = await post(gateway(engines={OLD: down}), model="old")

    assert (response.status_code, error(response)["code"]) == (503, "backbone_down")


async def test_when_every_backbone_is_busy_the_client_is_told_when_to_come_back() -> None:
    busy = Scripted(refuses=OverloadedError("queue is full"))

    response = await post(gateway(engines={OLD: busy, NEW: busy}))

    assert (response.status_code, response.headers["retry-after"]) == (429, "1")
    assert error(response)["type"] == "rate_limit_error"


async def test_a_text_that_a_thread_tokenises_is_answered_or_refused_as_any_other() -> None:
    roomy = (card(OLD, context_tokens=10_000), card(NEW, context_tokens=4_000))
    told = await post(gateway(cards=roomy), messages=ask("why? " * 1_200))
    refused = await post(gateway(), messages=ask("why? " * 1_200))

    assert told.status_code == 200, told.text
    assert told.json()["barn"]["backbone"] == "old"  # the other has no room
    assert told.json()["usage"]["prompt_tokens"] > 4_000
    assert (refused.status_code, error(refused)["code"]) == (400, "context_length_exceeded")


async def test_an_answer_that_takes_too_long_is_a_504() -> None:
    slow = Scripted(pause_s=5)

    response = await post(gateway(engines={OLD: slow}), barn={"deadline_ms": 200})

    assert (response.status_code, error(response)["code"]) == (504, "deadline_exceeded")


async def test_a_client_that_goes_away_frees_its_slot_and_is_recorded() -> None:
    seen: list[Interaction] = []
    closed = asyncio.Event()

    class Watched(Scripted):
        async def stream(self, prompt: Any) -> Any:
            try:
                async for piece in Scripted.stream(self, prompt):
                    yield piece
            finally:
                closed.set()

    app = api(
        gateway(engines={OLD: Watched(pause_s=0.2)}, record=lambda told: seen.append(told.seen))
    )
    body = json.dumps({"model": "auto", "messages": ask()}).encode()
    inbox = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if inbox:
            return inbox.pop()
        await asyncio.sleep(0.1)
        return {"type": "http.disconnect"}

    async def send(_: Any) -> None:
        return None

    scope = {
        "type": "http", "method": "POST", "path": "/v1/chat/completions",
        "headers": [(b"host", b"localhost")],
        "query_string": b"", "http_version": "1.1", "scheme": "http", "raw_path": b"",
    }  # fmt: skip
    await app(scope, receive, send)
    await asyncio.wait_for(closed.wait(), 1)

    assert [s.outcome.error for s in seen if isinstance(s.outcome, Failure)] == ["Abandoned"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"model": "gpt-9"}, 404, "model_not_found"),
        ({"messages": []}, 400, "invalid_request"),
        ({"messages": "hi"}, 400, "invalid_request"),
        ({"messages": [{"role": "robot", "content": "hi"}]}, 400, "invalid_request"),
        ({"messages": [{"role": "assistant", "content": "hi"}]}, 400, "invalid_request"),
        ({"messages": [{"role": "user", "content": []}]}, 400, "invalid_request"),
        ({"temperature": 3}, 400, "invalid_request"),
        ({"temperature": "warm"}, 400, "invalid_request"),
        ({"n": 2}, 400, "invalid_request"),
        ({"n": True}, 400, "invalid_request"),
        ({"max_tokens": "5"}, 400, "invalid_request"),
        ({"max_tokens": 5.0}, 400, "invalid_request"),
        ({"stream": "yes"}, 400, "invalid_request"),
        ({"logprobs": 1}, 400, "invalid_request"),
        ({"seed": "3"}, 400, "invalid_request"),
        ({"temperature": True}, 400, "invalid_request"),
        ({"surprise": 1}, 400, "invalid_request"),
        ({"tools": [{"type": "function"}]}, 400, "invalid_request"),
        ({"top_logprobs": 3}, 400, "invalid_request"),
        ({"stream_options": {"include_usage": True}}, 400, "invalid_request"),
        ({"max_tokens": 10_000}, 400, "context_length_exceeded"),
        ({"messages": ask("hi " * 300)}, 400, "context_length_exceeded"),
        ({"messages": ask("hi", data_url(), data_url())}, 422, "no_eligible_backbone"),
        ({"messages": ask("hi", "data:image/png;base64,@@@@")}, 400, "invalid_image"),
        ({"messages": ask("hi", "data:image/png,abc")}, 400, "invalid_image"),
        ({"messages": ask("hi", "data:image/png;base64,aGVsbG8=")}, 415, "unsupported_image"),
        ({"messages": ask("hi", data_url()[:-40])}, 400, "invalid_image"),
        ({"messages": ask("hi", "https://example.com/a.png")}, 400, "invalid_image"),
        ({"messages": ask("hi", "file:///etc/passwd")}, 400, "invalid_image"),
        ({"messages": ask("hi", "http://[")}, 400, "invalid_image"),
        ({"messages": ask("hi", "http://a:b/c.png")}, 400, "invalid_image"),
        ({"messages": ask("hi", data_url(Image.new("1", (3_000, 1))))}, 400, "invalid_image"),
        ({"messages": ask("hi", *[data_url()] * 17)}, 422, "no_eligible_backbone"),
        ({"barn": {"deadline_ms": 0}}, 400, "invalid_request"),
    ],
)
async def test_bad_input_is_refused_before_any_engine_is_touched(
    change: dict[str, Any], status: int, code: str
) -> None:
    seen: list[Interaction] = []

    response = await post(gateway(record=lambda told: seen.append(told.seen)), **change)

    assert (response.status_code, error(response)["code"]) == (status, code)
    assert seen == []


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"model": "\\ud90c"}', b"\xff\xfe", b"null"])
async def test_a_body_that_is_not_a_request_is_a_400(raw: bytes) -> None:
    response = await post(gateway(), raw=raw)

    assert response.status_code == 400
    assert error(response)["type"] == "invalid_request_error"


async def test_a_body_over_the_limit_is_a_413() -> None:
    response = await post(gateway(), limits=Limits(max_body_bytes=100))

    assert (response.status_code, error(response)["code"]) == (413, "too_large")


async def test_a_body_that_trickles_is_a_408() -> None:
    async def trickle() -> AsyncIterator[bytes]:
        yield b'{"model": '
        await asyncio.sleep(30)
        yield b'"auto"}'

    transport = httpx.ASGITransport(api(gateway(), limits=Limits(body_s=0.05)))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        response = await client.post("/v1/chat/completions", content=trickle())

    assert (response.status_code, error(response)["code"]) == (408, "request_timeout")


async def test_more_than_a_front_end_takes_is_a_429_with_when_to_come_again() -> None:
    service = gateway()
    app = api(service, most_at_once=2)
    transport = httpx.ASGITransport(app)
    body = {"model": "auto", "messages": ask(), "max_tokens": 4}
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        with service.loads.under_way(OLD), service.loads.under_way(NEW):
            refused = await client.post("/v1/chat/completions", json=body)
        taken = await client.post("/v1/chat/completions", json=body)

    assert (refused.status_code, error(refused)["code"]) == (429, "overloaded")
    assert refused.headers["retry-after"] == "1"
    assert taken.status_code == 200


async def test_a_backbone_without_a_replica_is_not_waited_for() -> None:
    seen: list[Interaction] = []
    service = gateway(record=lambda told: seen.append(told.seen))
    service.loads.gone(OLD)
    pinned = await post(service, model="old")
    routed = await post(service, messages=ask("what color is it?", data_url()))
    service.loads.reported(OLD, 0, 1)
    back = await post(service, model="old")

    assert (pinned.status_code, error(pinned)["code"]) == (503, "backbone_down")
    assert (routed.status_code, routed.json()["model"]) == (200, "new")
    assert back.status_code == 200
    assert len(seen) == 2


async def test_an_engine_that_raises_what_it_should_not_is_a_failure_of_the_backbone() -> None:
    class Odd(Scripted):
        async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece]:
            async for piece in super().stream(prompt):
                yield piece
                raise KeyError("odd")

    seen: list[Interaction] = []
    service = gateway(engines={OLD: Odd(("a ", "cat"))}, record=lambda told: seen.append(told.seen))
    whole = await post(service, model="old")
    streamed = await post(service, model="old", stream=True)

    assert (whole.status_code, error(whole)["code"]) == (502, "backbone_failed")
    assert error(whole)["message"] == "KeyError"
    last = streamed.text.strip().split("\n\n")[-1]
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == "backbone_failed"
    assert [s.outcome.error for s in seen if isinstance(s.outcome, Failure)] == ["EngineError"] * 2


async def test_a_picture_with_too_many_pixels_is_a_413_without_being_decoded() -> None:
    wide = data_url(Image.new("1", (5000, 5000)))

    response = await post(
        gateway(), messages=ask("hi", wide), images=ImageLimits(max_pixels=1_000_000)
    )

    assert response.status_code == 413
    assert "5000 x 5000 pixels" in error(response)["message"]


async def test_a_question_cannot_forge_a_picture_or_end_its_turn() -> None:
    plain = await post(gateway(), model="old", messages=ask("xxxxxxx"))
    forged = await post(gateway(), model="old", messages=ask("<image>"))

    extra = forged.json()["usage"]["prompt_tokens"] - plain.json()["usage"]["prompt_tokens"]
    assert extra == 1  # the space that breaks it up, and no picture


async def test_the_status_routes_tell_what_is_up() -> None:
    down = Scripted(refuses=BackboneDownError("down"))
    app = api(gateway(engines={NEW: down}))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        models = (await client.get("/v1/models")).json()
        ready = await client.get("/readyz")
        health = await client.get("/healthz")
        nowhere = await client.get("/nowhere")
        metrics = await client.get("/metrics")
        document = await client.get("/openapi.json")

    assert [m["id"] for m in models["data"]] == ["auto", "auto:family", "old", "new"]
    assert (ready.status_code, ready.json()["backbones"]) == (503, {"old": True, "new": False})
    assert health.status_code == 200
    assert (nowhere.status_code, error(nowhere)["type"]) == (404, "invalid_request_error")
    assert "barn_errors_total" in metrics.text
    assert "/v1/chat/completions" in document.json()["paths"]


async def test_a_conversation_of_several_turns_is_answered() -> None:
    turns = [
        {"role": "system", "content": "Be brief."},
        *ask("what is it?", data_url()),
        {"role": "assistant", "content": "a cat"},
        {"role": "user", "content": "what color is it?"},
    ]

    response = await post(gateway(cards=(card(OLD, context_tokens=500),)), messages=turns)

    assert response.status_code == 200
    assert response.json()["barn"]["task"] == "attribute"


def table(old: float, new: float) -> QualityTable:
    """How many of a hundred answers each has given right, of every task; confidences are true."""
    backbones = {
        name: Worth(
            accuracy=dict.fromkeys(Task, Posterior(right=right, wrong=100 - right)),
            confidence=dict.fromkeys(Task, Platt()),
        )
        for name, right in (("old", old), ("new", new))
    }
    return QualityTable(version=7, backbones=backbones)


TABLE = table(50, 95)


def cascade(old_right: float = 85, **engines: Scripted) -> tuple[Gateway, list[Told]]:
    told: list[Told] = []
    known = {ModelId(name): engine for name, engine in engines.items()}
    return gateway(
        engines=dict(known),
        record=told.append,
        policies={"cascade": Cascade()},
        table=table(old_right, 95),
    ), told


SURE_DOG = Scripted(("a ", "dog"), chance=0.9)


async def test_a_cascade_keeps_a_sure_answer_of_the_cheap_backbone() -> None:
    service, told = cascade(old=Scripted(("cat",), chance=0.97))

    response = await post(service)

    assert response.json()["model"] == "old"
    assert [(t.seen.decision.model, t.primary_id) for t in told] == [("old", None)]


async def test_a_cascade_does_not_ask_a_cheap_backbone_in_vain() -> None:
    service, told = cascade(old_right=50, old=Scripted(("cat",), chance=0.97), new=SURE_DOG)

    body = (await post(service)).json()

    assert (body["model"], body["barn"].get("cascade")) == ("new", None)
    assert [t.seen.decision.model for t in told] == ["new"]


async def test_a_cascade_asks_the_better_backbone_when_the_cheap_one_is_unsure() -> None:
    service, told = cascade(old=Scripted(("cat",), chance=0.4), new=SURE_DOG)

    response = await post(service)

    body = response.json()
    assert (body["model"], body["choices"][0]["message"]["content"]) == ("new", "a dog")
    assert body["barn"]["cascade"]["first"] == "old"
    assert "old was only 40% sure" in body["barn"]["reason"]
    assert body["usage"]["completion_tokens"] == 3
    assert [(t.seen.decision.model, t.primary_id) for t in told] == [("old", "r1"), ("new", None)]
    first, second = (t.seen.detail["timing"] for t in told)
    assert ("escalated" in first, "escalated" in second) == (False, True)
    assert second["before_s"] > first["before_s"] > 0  # the first answer came before the second


async def test_a_cascade_streams_once_it_has_decided() -> None:
    service, _ = cascade(old=Scripted(("cat",), chance=0.4), new=Scripted(("a ", "dog")))

    events = chunks(await post(service, stream=True))

    assert [e["choices"][0]["delta"].get("content") for e in events] == ["a ", "dog"]


async def test_a_cascade_gives_the_first_answer_when_the_better_backbone_is_down() -> None:
    service, told = cascade(
        old=Scripted(("cat",), chance=0.4), new=Scripted(refuses=BackboneDownError("new is down"))
    )

    response = await post(service)

    assert response.json()["choices"][0]["message"]["content"] == "cat"
    assert [t.primary_id for t in told] == [None]  # one answer, recorded once


async def test_a_cascades_first_engine_that_breaks_is_recorded_once() -> None:
    service, told = cascade(old=Scripted(breaks_after=1))

    response = await post(service)

    assert response.status_code == 502
    assert [type(t.seen.outcome) for t in told] == [Failure]


async def test_a_policy_is_chosen_by_name_and_an_unknown_one_is_a_404() -> None:
    known = gateway(policies={"family": ByFamily(), "split": Split({NEW: 1.0})})

    named, unknown = await post(known, model="auto:split"), await post(known, model="auto:magic")

    assert named.json()["model"] == "new"
    assert unknown.status_code == 404
    assert "there are: family, split" in error(unknown)["message"]


async def test_the_dial_of_a_request_moves_the_choice() -> None:
    service = gateway(policies={"utility": Utility()}, table=TABLE)

    cheap = await post(service, barn={"quality": 0.0})
    best = await post(service, barn={"quality": 1.0})

    assert (cheap.json()["model"], best.json()["model"]) == ("old", "new")


async def test_with_keys_a_caller_must_show_one_that_may_ask_the_model() -> None:
    keys = (Key(name="ann", sha256=hashed("secret"), models=("old",)),)

    async def call(token: str, model: str) -> int:
        app = api(gateway(), keys=keys)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://127.0.0.1"
        ) as client:
            body = {"model": model, "messages": ask(), "max_tokens": 8}
            headers = {"authorization": token}
            return (
                await client.post("/v1/chat/completions", json=body, headers=headers)
            ).status_code

    assert await call("", "old") == 401
    assert await call("Bearer wrong", "old") == 401
    assert await call("Bearer secret", "old") == 200
    assert await call("Bearer secret", "new") == 403


async def test_with_keys_the_models_are_told_to_callers_alone() -> None:
    app = api(gateway(), keys=(Key(name="ann", sha256=hashed("secret")),))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        stranger = await client.get("/v1/models")
        ann = await client.get("/v1/models", headers={"authorization": "Bearer secret"})

    assert (stranger.status_code, ann.status_code) == (401, 200)


async def test_the_documents_page_needs_nothing_from_outside() -> None:
    transport = httpx.ASGITransport(api(gateway()))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        page = (await client.get("/docs")).text
        needed = re.findall(r'(?:src|href)="([^"]+)"', page)
        found = [(await client.get(path)).status_code for path in needed]

    assert needed
    assert all(path.startswith("/") for path in needed)
    assert set(found) == {200}


async def test_broken_metadata_of_a_picture_is_a_400_and_no_500() -> None:
    buffer = io.BytesIO()
    exif = b"Exif\x00\x00II*\x00"
    Image.new("RGB", (8, 8)).save(buffer, "PNG", exif=exif)
    url = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"

    response = await post(gateway(), messages=ask("hi", url))

    assert response.status_code in {200, 400}


async def test_when_the_rest_cannot_take_it_the_first_refusal_is_told() -> None:
    busy = Scripted(refuses=OverloadedError("queue is full"))
    small = (card(OLD), card(NEW, context_tokens=20, generation="llama-3"))

    response = await post(gateway(engines={OLD: busy}, cards=small))

    assert response.status_code == 429


async def test_without_a_named_limit_an_answer_gets_what_room_there_is() -> None:
    small = (card(OLD, context_tokens=70), card(NEW, generation="llama-3", price=2.0))
    asked: list[int] = []

    class Watched(Scripted):
        async def stream(self, prompt: Any) -> Any:
            asked.append(prompt.sampling.max_new_tokens)
            async for piece in Scripted.stream(self, prompt):
                yield piece

    def service() -> Gateway:
        return gateway(engines={OLD: Watched()}, cards=small)

    fits = await post(service(), max_tokens=None, messages=ask("what color is it?"))
    named = await post(service(), max_tokens=60, model="old", messages=ask("what color is it?"))

    assert (fits.status_code, fits.json()["model"]) == (200, "old")
    assert 0 < asked[0] < 70
    assert named.status_code == 400
    assert error(named)["code"] == "context_length_exceeded"


async def test_an_answer_can_be_sent_back_as_a_turn() -> None:
    said = (await post(gateway())).json()["choices"][0]["message"]

    again = await post(gateway(), messages=[*ask(), said, *ask("and what color?")])

    assert again.status_code == 200


async def test_text_that_no_context_holds_is_refused_before_it_is_tokenised() -> None:
    response = await post(gateway(), messages=ask("x" * 1_000_000))

    assert response.status_code == 400
    assert "1000000 characters" in error(response)["message"]


async def test_a_price_that_nobody_keeps_is_a_422_that_says_who_costs_what() -> None:
    response = await post(
        gateway(policies={"utility": Utility()}, table=TABLE), barn={"max_cost": 0.0}
    )

    assert response.status_code == 422
    assert "over $0" in error(response)["message"]


async def test_a_cascade_asks_no_second_backbone_for_money_that_is_spent() -> None:
    service, told = cascade(old=Scripted(("cat",), chance=0.4), new=Scripted(("a ", "dog")))
    cost = (await post(service)).json()["barn"]["cascade"]["cost"]

    kept = await post(service, barn={"max_cost": 2 * cost})

    assert kept.json()["model"] == "old"
    assert told[-1].primary_id is None


async def test_a_cascade_gives_the_first_answer_when_the_second_engine_breaks() -> None:
    service, told = cascade(old=Scripted(("cat",), chance=0.4), new=Scripted(breaks_after=0))

    response = await post(service)

    assert response.json()["choices"][0]["message"]["content"] == "cat"
    assert [(t.seen.request_id, t.primary_id) for t in told] == [("r1-second", "r1"), ("r1", None)]
    assert [type(t.seen.outcome) for t in told] == [Failure, Answer]


async def test_a_cascades_second_answer_that_breaks_in_its_stream_is_the_requests() -> None:
    service, told = cascade(old=Scripted(("cat",), chance=0.4), new=Scripted(breaks_after=1))

    response = await post(service, stream=True)

    assert '"code":"backbone_failed"' in response.text
    assert [(t.seen.request_id, t.primary_id) for t in told] == [("r1-first", "r1"), ("r1", None)]
    assert [type(t.seen.outcome) for t in told] == [Answer, Failure]


async def test_of_two_whole_answers_a_cascade_gives_the_surer() -> None:
    service, told = cascade(
        95, old=Scripted(("cat",), chance=0.8), new=Scripted(("a ", "dog"), chance=0.6)
    )

    body = (await post(service, barn={"quality": 1.0})).json()

    assert (body["model"], body["choices"][0]["message"]["content"]) == ("old", "cat")
    assert body["barn"]["cascade"]["second"] == "new"
    assert body["barn"]["cascade"]["answer"] == "a dog"
    assert body["usage"]["completion_tokens"] == 3
    assert [(t.seen.request_id, t.primary_id) for t in told] == [("r1-second", "r1"), ("r1", None)]
    assert told[-1].seen.detail["timing"]["second_try_s"] >= 0


async def test_a_cascades_stream_is_the_second_answers_however_sure_that_will_be() -> None:
    service, _ = cascade(
        95, old=Scripted(("cat",), chance=0.8), new=Scripted(("a ", "dog"), chance=0.6)
    )

    events = chunks(await post(service, stream=True, barn={"quality": 1.0}))

    assert [e["choices"][0]["delta"].get("content") for e in events] == ["a ", "dog"]


async def test_a_cascade_says_of_both_backbones_why_or_why_not() -> None:
    service, _ = cascade(old=Scripted(("cat",), chance=0.4), new=SURE_DOG)

    told = (await post(service)).json()["barn"]["backbones"]

    assert told["new"]["why_not"] is None
    assert told["old"]["why_not"] == "it was only 40% sure"


async def test_a_cascade_says_of_a_second_answer_that_was_not_given_how_sure_it_was() -> None:
    service, _ = cascade(
        95, old=Scripted(("cat",), chance=0.8), new=Scripted(("a ", "dog"), chance=0.6)
    )

    told = (await post(service, barn={"quality": 1.0})).json()["barn"]["backbones"]

    assert told["old"]["why_not"] is None
    assert told["new"]["why_not"] == "it was asked as well, and was 36% sure"


async def test_a_confidence_that_nobody_has_graded_says_nothing() -> None:
    plain = QualityTable(
        backbones={
            name: worth.model_copy(update={"confidence": {}})
            for name, worth in table(85, 95).backbones.items()
        }
    )
    service = gateway(
        engines={OLD: Scripted(("cat",), chance=0.01)},
        policies={"cascade": Cascade()},
        table=plain,
    )

    body = (await post(service)).json()

    assert (body["model"], body["barn"]["confidence"]) == ("old", pytest.approx(0.01))
    assert body["barn"]["calibrated_confidence"] == 0.85


async def test_a_cascade_does_not_ask_who_has_become_too_slow_for_the_time_left() -> None:
    service, told = cascade(old=Scripted(("cat",), chance=0.4), new=SURE_DOG)
    service.loads.took(NEW, 2.99)  # within the deadline, were it asked at once

    body = (await post(service, barn={"deadline_ms": 3_000})).json()

    assert body["model"] == "old"
    assert [t.primary_id for t in told] == [None]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://127.0.0.1"}, 200),
        ({"origin": "https://elsewhere.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-origin", "origin": "http://127.0.0.1"}, 200),
        ({"host": "rebound.example"}, 403),
        ({"host": "localhost:8000"}, 200),
    ],
)
async def test_no_other_web_site_acts_in_the_name_of_who_visits_it(
    headers: dict[str, str], status: int
) -> None:
    transport = httpx.ASGITransport(api(gateway()))
    body = {"model": "auto", "messages": ask(), "max_tokens": 8}
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        response = await client.post("/v1/chat/completions", json=body, headers=headers)

    assert response.status_code == status


async def test_a_fault_of_ours_is_told_in_openais_form_and_without_details() -> None:
    def record(_: Told) -> None:
        raise RuntimeError("secret detail")

    transport = httpx.ASGITransport(api(gateway(record=record)), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        response = await client.post(
            "/v1/chat/completions", json={"model": "old", "messages": ask(), "max_tokens": 8}
        )

    assert response.status_code == 500
    assert error(response)["code"] == "internal_error"
    assert "secret" not in response.text


async def test_a_key_without_budget_has_no_picture_decoded() -> None:
    key = Key(name="poor", sha256=hashed("poor"), requests="1/day")
    transport = httpx.ASGITransport(api(gateway(), keys=(key,)))
    body = {"model": "auto", "messages": ask("hi", "data:image/png;base64,AAAA"), "max_tokens": 8}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://any", headers={"authorization": "Bearer poor"}
    ) as client:
        first = await client.post("/v1/chat/completions", json=body)
        second = await client.post("/v1/chat/completions", json=body)

    assert (first.status_code, second.status_code) == (415, 429)


async def test_where_draws_are_sticky_a_conversation_stays_with_its_backbone() -> None:
    service = gateway(policies={"half": Split({OLD: 1.0, NEW: 1.0})}, sticky=True)
    first: list[str] = []
    later: list[str] = []
    for number in range(24):
        opened = {"role": "user", "content": f"question {number}?"}
        answered = {"role": "assistant", "content": "a cat"}
        goes_on = [opened, answered, {"role": "user", "content": "and now?"}]
        for turns, told in (([opened], first), (goes_on, later)):
            response = await post(service, messages=turns)
            told.append(response.json()["model"])

    assert first == later
    assert {*first} == {OLD, NEW}


async def test_where_draws_are_sticky_a_user_always_meets_the_same_backbone() -> None:
    service = gateway(policies={"half": Split({OLD: 1.0, NEW: 1.0})}, sticky=True)

    met = {
        user: {(await post(service, user=user)).json()["model"] for _ in range(3)}
        for user in (f"user-{k}" for k in range(12))
    }
    told = (await post(service, user="user-1")).json()["barn"]

    assert all(len(models) == 1 for models in met.values())
    assert {m for models in met.values() for m in models} == {"old", "new"}
    assert told["propensity"] == 0.5
