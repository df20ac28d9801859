"""Load on the OpenAI endpoint: steady, spike or soak; streamed and not; graded as it goes.

`barn load` runs it headless. By hand (accuracy and tokens are those of one process):

    locust -f deploy/load/locustfile.py --host http://127.0.0.1:8000 --items items.jsonl \
        --scenario spike --streamed 0.5

`items.jsonl` holds one request a line: `{"body": …, "task": …, "references": […],
"choices": […], "metric": …}` (`barn load --keep items.jsonl` writes it). Locust's response time of a streamed request ends with
the headers, so time to first token and the whole answer are events of their own here, and a stream
that ends without `[DONE]` counts as a failure.
"""

import json
import os
import random
import time
from collections import Counter, defaultdict
from http.client import HTTPException
from itertools import count
from pathlib import Path
from typing import Any

from locust import FastHttpUser, LoadTestShape, constant, events, task
from locust.runners import MasterRunner

from evaluation.metrics.grade import Scored, grade
from routing.domain import Task

CHAT = "/v1/chat/completions"
FIRST_TOKEN, ANSWER = "time to first token", "whole answer"


@events.init_command_line_parser.add_listener
def _arguments(parser: Any) -> None:
    parser.add_argument("--items", required=True, help="JSON lines of requests and right answers")
    parser.add_argument("--scenario", choices=("steady", "spike", "soak"), default="steady")
    parser.add_argument("--streamed", type=float, default=0.5, help="share of streamed requests")
    parser.add_argument("--model", default="auto", help="auto, auto:<policy> or a backbone")
    parser.add_argument("--report", default="", help="where the final figures go, as JSON")
    parser.add_argument("--seed", type=int, default=7, help="of the order of the requests")


class Figures:
    """What Locust does not count: right answers per task, tokens, error kinds."""

    def __init__(self) -> None:
        self.right: defaultdict[str, float] = defaultdict(float)
        self.graded: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.backbones: Counter[str] = Counter()
        self.answers = 0
        self.tokens = 0
        self.began = time.time()

    def add(self, item: dict[str, Any], answer: str, barn: dict[str, Any], tokens: int) -> None:
        """Grade one answer."""
        verdict = grade(
            answer, item["references"], task=Task(item["task"]), choices=item["choices"],
            metric=item["metric"],
        )  # fmt: skip
        if isinstance(verdict, Scored):
            self.right[item["task"]] += verdict.value
            self.graded[item["task"]] += 1
        self.answers += 1
        self.backbones[barn.get("backbone", "?")] += 1
        self.tokens += tokens


FIGURES = Figures()
ITEMS: list[dict[str, Any]] = []
TURN = count()


@events.init.add_listener
def _read(environment: Any, **_: Any) -> None:
    if isinstance(environment.runner, MasterRunner):
        return
    lines = Path(environment.parsed_options.items).read_text(encoding="utf-8").splitlines()
    ITEMS.extend(json.loads(line) for line in lines)
    random.Random(environment.parsed_options.seed).shuffle(ITEMS)
    FIGURES.began = time.time()


class Client(FastHttpUser):
    """A user who asks one question after another."""

    wait_time = constant(0)

    @task
    def ask(self) -> None:
        """Ask the next question, streamed or whole."""
        turn = next(TURN)
        options = self.environment.parsed_options
        item = ITEMS[turn % len(ITEMS)]
        streamed = random.Random(f"{options.seed}/{turn}").random() < options.streamed
        body = item["body"] | {"model": options.model, "stream": streamed}
        if streamed:
            body["stream_options"] = {"include_usage": True}
        key = os.environ.get("BARN_API_KEY")
        headers = {"authorization": f"Bearer {key}"} if key else {}
        began = time.perf_counter()
        with self.client.post(
            CHAT, json=body, headers=headers, stream=streamed, catch_response=True,
            name="streamed" if streamed else "whole",
        ) as response:  # fmt: skip
            if response.status_code != 200:
                kind = _kind(response)
                FIGURES.errors[kind] += 1
                response.failure(kind)
                return
            try:
                told = self._stream(response, began) if streamed else _whole(response)
            except (OSError, HTTPException, ValueError, KeyError) as error:  # also: cut off
                FIGURES.errors["broken answer"] += 1
                response.failure(f"broken answer: {error}")
                return
            self._fire(ANSWER, began)
            FIGURES.add(item, *told)

    def _fire(self, name: str, began: float) -> None:
        events.request.fire(
            request_type="BARN", name=name, response_length=0, exception=None, context={},
            response_time=(time.perf_counter() - began) * 1e3,
        )  # fmt: skip

    def _stream(self, response: Any, began: float) -> tuple[str, dict[str, Any], int]:
        text, barn, tokens, first, done = "", {}, 0, True, False
        for line in _lines(response):
            if line == "[DONE]":
                done = True
                break
            chunk = json.loads(line)
            if "error" in chunk:
                raise ValueError(chunk["error"]["code"])
            barn = chunk.get("barn") or barn
            tokens = (chunk.get("usage") or {}).get("completion_tokens", tokens)
            for choice in chunk["choices"]:
                piece = choice["delta"].get("content") or ""
                if piece and first:
                    self._fire(FIRST_TOKEN, began)
                    first = False
                text += piece
        if not done:
            raise ValueError("the stream ended without [DONE]")
        return text, barn, tokens


def _lines(response: Any) -> Any:
    left = b""
    while block := response.stream.read(4096):
        *lines, left = (left + block).split(b"\n")
        yield from (line[6:].decode().strip() for line in lines if line.startswith(b"data: "))


def _whole(response: Any) -> tuple[str, dict[str, Any], int]:
    told = response.json()
    answer = told["choices"][0]["message"]["content"]
    return answer, told["barn"], told["usage"]["completion_tokens"]


def _kind(response: Any) -> str:
    if not response.status_code:
        return "connection failed"
    try:
        return f"{response.status_code} {json.loads(response.content)['error']['code']}"
    except (ValueError, KeyError, TypeError):
        return str(response.status_code)


class Shape(LoadTestShape):
    """How many users when: steady and soak hold; a spike has four times as many for a third."""

    use_common_options = True

    def tick(self) -> tuple[int, float] | None:
        """Users and spawn rate now."""
        options = self.runner.environment.parsed_options
        elapsed, users = self.get_run_time(), options.num_users
        length = _seconds(options.run_time)
        if elapsed > length:
            return None
        if options.scenario == "spike" and length / 3 <= elapsed < length * 2 / 3:
            users *= 4
        return users, max(1.0, users / 2 if options.scenario == "soak" else users * 4.0)


def _seconds(run_time: str | int | None) -> float:
    if run_time is None:
        return float("inf")
    from locust.util.timespan import parse_timespan

    return float(run_time if isinstance(run_time, int) else parse_timespan(run_time))


@events.quitting.add_listener
def _report(environment: Any, **_: Any) -> None:
    target = environment.parsed_options.report
    if not target:
        return
    seconds = max(1e-9, time.time() - FIGURES.began)
    latency = {}
    for entry in environment.stats.entries.values():
        at = {f"p{p}_ms": entry.get_response_time_percentile(p / 100) for p in (50, 90, 99)}
        latency[entry.name] = {"requests": entry.num_requests, **at}
    Path(target).write_text(
        json.dumps(
            {
                "seconds": seconds,
                "answers": FIGURES.answers,
                "requests_per_s": FIGURES.answers / seconds,
                "tokens_per_s": FIGURES.tokens / seconds,
                "latency": latency,
                "errors": FIGURES.errors,
                "backbones": FIGURES.backbones,
                "accuracy": {
                    name: {"right": FIGURES.right[name], "of": of}
                    for name, of in sorted(FIGURES.graded.items())
                },
            },
            indent=2,
        ),
        encoding="utf-8",
    )
