"""The main job on the real service: the ordinary openai client, easy-VQA's own test images."""

import asyncio
import base64
import json
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import openai
import psutil
import pytest
from easy_vqa import get_test_image_paths, get_test_questions
from openai.types.chat import ChatCompletionMessageParam
from PIL import Image

from evaluation.records import ABANDONED
from evaluation.stores.sql import Store, connect
from tests.builders import ask, data_url
from tests.system.conftest import Service
from training.data.mixture import make_kind

pytestmark = [pytest.mark.ray, pytest.mark.timeout(300)]

QUESTIONS, ANSWERS, IMAGES = get_test_questions()
PATHS = dict(get_test_image_paths())


def url_of(index: int) -> str:
    data = Path(PATHS[IMAGES[index]]).read_bytes()
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def shown(index: int) -> list[ChatCompletionMessageParam]:
    messages: Any = ask(QUESTIONS[index], url_of(index))
    return messages  # type: ignore[no-any-return]  # a plain dict is what users write


@pytest.fixture
def client(service: Service) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{service.url}/v1", api_key="none", max_retries=0)


def test_the_openai_client_gets_right_answers_about_pictures_nobody_here_drew(
    client: openai.OpenAI,
) -> None:
    picked = range(0, len(QUESTIONS), len(QUESTIONS) // 40)
    said = [
        client.chat.completions.create(model="auto", messages=shown(i), max_tokens=8)
        .choices[0]
        .message.content
        for i in picked
    ]

    right = sum(a == ANSWERS[i] for a, i in zip(said, picked, strict=True))

    assert right / len(said) >= 0.9  # see training/STUDY.md for what the models reach


def test_an_answer_says_which_backbone_gave_it_and_why(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model="auto:family", messages=shown(0), max_tokens=8
    )
    barn = json.loads(raw.text)["barn"]

    assert (barn["family"], barn["backbone"]) == ("vision", "llava-llama-1")
    assert 0 < barn["confidence"] <= 1
    assert raw.headers["x-barn-request-id"] == barn["request_id"]
    assert raw.parse().usage.prompt_tokens > 64  # type: ignore[union-attr]  # the image's patches


def test_reasoning_is_answered_by_the_newest_backbone(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="auto:family",
        messages=[{"role": "user", "content": "what is 7 + 5?"}],
        max_tokens=8,
    )

    assert answer.model == "llava-llama-3"


@pytest.mark.parametrize("model", ["llava-llama-1", "llava-llama-2", "llava-llama-3"])
def test_every_backbone_can_be_pinned_and_sees_the_picture(
    client: openai.OpenAI, model: str
) -> None:
    picked = range(5, len(QUESTIONS), len(QUESTIONS) // 15)
    said = [
        client.chat.completions.create(model=model, messages=shown(i), max_tokens=8) for i in picked
    ]

    assert {a.model for a in said} == {model}
    right = sum(
        a.choices[0].message.content == ANSWERS[i] for a, i in zip(said, picked, strict=True)
    )
    assert right / len(said) >= 0.85


def test_a_stream_gives_the_same_answer_as_one_piece(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(
        model="auto", messages=shown(1), max_tokens=8, logprobs=True, top_logprobs=3
    )
    events = list(
        client.chat.completions.create(
            model="auto",
            messages=shown(1),
            max_tokens=8,
            stream=True,
            stream_options={"include_usage": True},
        )
    )

    text = "".join(e.choices[0].delta.content or "" for e in events if e.choices)
    assert text == whole.choices[0].message.content
    assert events[-1].usage == whole.usage
    assert events[-2].model_extra["barn"]["confidence"] == pytest.approx(  # type: ignore[index]
        json.loads(whole.to_json())["barn"]["confidence"], rel=1e-3
    )
    assert whole.choices[0].logprobs is not None
    tokens = whole.choices[0].logprobs.content or []
    assert all(len(t.top_logprobs) == 3 and t.logprob <= 0 for t in tokens)


def test_many_clients_at_once_get_the_answers_they_would_get_alone(service: Service) -> None:
    picked = list(range(0, 600, 20))

    async def one(client: openai.AsyncOpenAI, index: int) -> str | None:
        answer = await client.chat.completions.create(
            model="llava-llama-2", messages=shown(index), max_tokens=8
        )
        return answer.choices[0].message.content

    async def together() -> list[str | None]:
        async with openai.AsyncOpenAI(base_url=f"{service.url}/v1", api_key="none") as client:
            return list(await asyncio.gather(*(one(client, i) for i in picked)))

    async def alone() -> list[str | None]:
        async with openai.AsyncOpenAI(base_url=f"{service.url}/v1", api_key="none") as client:
            return [await one(client, i) for i in picked]

    assert asyncio.run(together()) == asyncio.run(alone())


def test_curl_works_as_the_readme_says(service: Service) -> None:
    body = json.dumps({"model": "auto", "messages": ask("what is 2 + 3?"), "max_tokens": 4})

    done = subprocess.run(  # noqa: S603 - fixed arguments
        ["curl", "-s", f"{service.url}/v1/chat/completions", "-d", body],
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(done.stdout)["barn"]["task"] == "arithmetic"


def test_the_client_raises_its_own_exception_for_each_mistake(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="there are: auto, llava-llama-1"):
        client.chat.completions.create(model="gpt-9", messages=shown(0))
    with pytest.raises(openai.BadRequestError, match="broken"):
        client.chat.completions.create(
            model="auto",
            messages=ask("hi", data_url()[:-40]),  # type: ignore[arg-type]
        )
    with pytest.raises(openai.BadRequestError, match="tokens of context"):
        client.chat.completions.create(model="auto", messages=shown(0), max_tokens=100_000)


def test_every_answer_is_in_the_store(service: Service, http: httpx.Client) -> None:
    body = {"model": "auto", "messages": ask(QUESTIONS[3], url_of(3)), "max_tokens": 8}
    told = http.post("/v1/chat/completions", json=body).json()
    store = Store(connect(f"sqlite:///{service.folder / 'events' / 'events.sqlite3'}"))
    row = None
    for _ in range(50):
        if row := store.find(told["barn"]["request_id"]):
            break
        time.sleep(0.1)

    assert row is not None
    assert row["question"] == QUESTIONS[3]
    assert row["answer"] == told["choices"][0]["message"]["content"]
    assert (row["backbone"], row["policy"]) == (told["model"], told["barn"]["policy"])
    assert row["prompt_tokens"] == told["usage"]["prompt_tokens"]
    assert row["first_token_s"] <= row["total_s"]


def test_a_client_that_goes_away_leaves_the_backbone_free(service: Service) -> None:
    long = {"model": "llava-llama-3", "messages": ask("count the shapes."), "max_tokens": 900}
    left = 0
    for _ in range(5):
        try:
            httpx.post(f"{service.url}/v1/chat/completions", json=long, timeout=0.01)
        except httpx.TimeoutException:
            left += 1
    began = time.monotonic()

    short = {**long, "max_tokens": 2}
    reply = httpx.post(f"{service.url}/v1/chat/completions", json=short, timeout=30)

    assert left > 0
    assert reply.status_code == 200
    assert time.monotonic() - began < 5


def test_a_stream_whose_client_goes_away_is_ended(service: Service) -> None:
    """To describe several shapes takes some twenty tokens; nobody reads on after the first."""
    scenes = [make_kind("scene", 1, "test", index) for index in range(50)]
    picture = max(scenes, key=lambda item: len(item.told or "")).image
    assert picture is not None
    asked = {
        "model": "llava-llama-3", "stream": True, "max_tokens": 200,
        "messages": ask("describe the image.", data_url(picture)),
    }  # fmt: skip
    whole = httpx.post(f"{service.url}/v1/chat/completions", json={**asked, "stream": False})
    length = whole.json()["usage"]["completion_tokens"]
    store = Store(connect(f"sqlite:///{service.folder / 'events' / 'events.sqlite3'}"))
    left = []
    for _ in range(10):
        with httpx.stream("POST", f"{service.url}/v1/chat/completions", json=asked) as reply:
            left.append(reply.headers["x-barn-request-id"])
            next(reply.iter_raw())
    rows: list[dict[str, Any]] = []
    for _ in range(100):
        rows = [row for one in left if (row := store.find(one))]
        if len(rows) == len(left):
            break
        time.sleep(0.1)

    assert len(rows) == len(left)
    ended = [row["completion_tokens"] for row in rows if row["error"] == ABANDONED]
    assert len(ended) > len(left) / 2
    assert max(ended) < length


def test_the_status_routes_answer(http: httpx.Client) -> None:
    assert http.get("/healthz").json() == {"status": "ok"}
    assert http.get("/readyz").json()["ready"] is True
    assert http.get("/v1/models").json()["data"][0]["id"] == "auto"
    assert "barn_requests_total" in http.get("/metrics").text
    assert http.get("/docs").status_code == 200


def test_no_question_picture_or_key_stands_in_a_log(service: Service, http: httpx.Client) -> None:
    secret = "what is the zanzibar-4711 shape?"
    url = data_url(Image.new("RGB", (9, 9), "teal"))
    headers = {"authorization": "Bearer sk-zanzibar-0815"}
    body = {"model": "auto", "max_tokens": 4, "messages": ask(secret, url)}
    assert http.post("/v1/chat/completions", json=body, headers=headers).status_code == 200
    broken = {"model": "auto", "messages": ask(secret, "data:image/png;base64,zanzibar")}
    assert http.post("/v1/chat/completions", json=broken, headers=headers).status_code == 415
    http.post("/v1/feedback", json={"request_id": "zanzibar-4711"})

    sessions = Path("/tmp/ray").glob("session_*/logs")  # noqa: S108 - where Ray keeps them
    logs = [service.log, *(p for logs in sessions for p in logs.rglob("*") if p.is_file())]
    told = [p.name for p in logs if "zanzibar" in p.read_text(errors="replace")]
    assert len(logs) > 5
    assert told == []


def test_a_table_is_replaced_under_load_and_no_request_is_dropped(
    service: Service, http: httpx.Client
) -> None:
    before = http.get("/v1/table").json()
    told: list[tuple[int, int]] = []
    done = threading.Event()

    def asking() -> None:
        body = {"model": "auto", "messages": ask("what is 3 + 4?"), "max_tokens": 2}
        with httpx.Client(base_url=service.url, timeout=60) as client:
            while not done.is_set():
                said = client.post("/v1/chat/completions", json=body)
                version = said.json()["barn"]["table_version"] if said.status_code == 200 else -1
                told.append((said.status_code, version))

    threads = [threading.Thread(target=asking) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        versions = [before["version"]]
        for k in range(4):
            time.sleep(1)
            table = before | {"note": f"edition {k}"}
            versions.append(http.put("/v1/table", json=table).json()["version"])
            broken = http.put("/v1/table", json=table | {"backbones": {"x": {"accuracy": 3}}})
            assert broken.status_code == 400
        time.sleep(1)
    finally:
        done.set()
        for thread in threads:
            thread.join()
        http.put("/v1/table", json=before)

    assert {status for status, _ in told} == {200}
    assert {version for _, version in told} == set(versions)  # every table decided for a while
    assert versions == sorted(set(versions))


def test_nobody_else_reaches_what_speaks_http_and_rays_own_ports_want_a_token(
    service: Service,
) -> None:
    family = psutil.Process(service.process.pid).children(recursive=True)
    by_name = {p.name(): p for p in family}
    heard = by_name["haproxy"].net_connections("tcp")
    listening = {c.laddr.ip for c in heard if c.status == psutil.CONN_LISTEN}
    port = int(service.url.rpartition(":")[2])
    outside = [
        a.address
        for addresses in psutil.net_if_addrs().values()
        for a in addresses
        if a.family == socket.AF_INET and not a.address.startswith("127.")
    ]

    assert listening == {"127.0.0.1"}
    for address in outside:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((address, port), timeout=5)
    assert by_name["raylet"].environ()["RAY_AUTH_MODE"] == "token"
