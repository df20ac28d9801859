"""Feedback, quality, experiments and tables over HTTP: a real store, a scripted engine."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from evaluation.drain import Drainer
from evaluation.evaluator import Evaluator, Schedule
from evaluation.events import Served, Shadowed
from evaluation.experiments import Register, Spec
from evaluation.grading import grade_pending
from evaluation.records import Interaction
from evaluation.spool import Spool
from evaluation.stores.schema import interactions
from evaluation.stores.sql import Store, connect
from evaluation.tables import Tables
from routing.domain import ModelId, RequestId
from routing.policies.family import ByFamily
from routing.quality import QualityTable, TableError, Worth
from serving.access import Keyring, hashed
from serving.beside import start_experiments
from serving.engines.base import Engine
from serving.engines.scripted import Scripted
from serving.errors import OverloadedError
from serving.feeds import ASK_SPENT_EVERY_S, ExperimentFeed, TableFeed
from serving.judge import Judge
from serving.key_settings import Key
from serving.keys import Keys
from serving.reply import Told
from serving.settings import load
from serving.shadow import ShadowLimits, Shadows
from tests.builders import CARDS, NEW, OLD, api, ask, card, gateway

pytestmark = pytest.mark.anyio
NOW = time.time  # noqa: TID251 - the tests supply the real clock
OPERATOR = {"authorization": "Bearer boss"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class House:
    """A whole service in this process, its spool and its store."""

    http: httpx.AsyncClient
    store: Store
    drainer: Drainer
    feed: ExperimentFeed
    shadows: Shadows
    tables: Tables
    offered: list[str]

    async def ask(self, text: str = "what color is it?", **body: Any) -> dict[str, Any]:
        whole = {"model": "auto", "messages": ask(text), "max_tokens": 8, **body}
        response = await self.http.post("/v1/chat/completions", json=whole, headers=OPERATOR)
        assert response.status_code == 200, response.text
        told: dict[str, Any] = (
            response.json() if not body.get("stream") else {"text": response.text}
        )
        return told

    async def answer_and_grade(self, n: int, *, correct: bool = True) -> None:
        """Answer `n` questions and let a person say of each answer whether it was right."""
        for _ in range(n):
            word = {"request_id": (await self.ask())["id"], "correct": correct}
            await self.http.post("/v1/feedback", json=word)
        await self.settle()

    async def settle(self) -> None:
        """Let copies finish, drain and grade."""
        for _ in range(20):
            await asyncio.sleep(0.02)
        self.drainer.drain()
        grade_pending(self.store, NOW())


@dataclass
class Written:
    """Copies go to the spool, and those that are due are counted."""

    spool: Spool
    offered: list[str]

    def due(self, experiment: str) -> None:
        self.offered.append(experiment)

    def waits(self, seen: Interaction, primary: RequestId, experiment: str) -> None:
        self.spool.append(Shadowed.of(seen, primary_id=primary, experiment=experiment))

    def copy(self, seen: Interaction, primary: RequestId, experiment: str, *, lag_s: float) -> None:
        assert 0 <= lag_s < 60
        self.spool.append(Shadowed.of(seen, primary_id=primary, experiment=experiment))


@asynccontextmanager
async def house(
    folder: Path,
    limits: ShadowLimits | None = None,
    *,
    table: Path | None = None,
    **engines: Scripted,
) -> AsyncIterator[House]:
    store = Store(connect(f"sqlite:///{folder / 'events.sqlite3'}"))
    spool = Spool(folder / "spool", "w")
    register, tables = Register(store), Tables(store, table)
    feed = ExperimentFeed(register)

    def record(told: Told) -> None:
        spool.append(Served.of(told.seen, experiment=told.experiment))

    offered: list[str] = []
    hosted: dict[ModelId, Engine] = {OLD: Scripted(), NEW: Scripted(("dog",))}
    hosted |= {ModelId(name): engine for name, engine in engines.items()}
    service = gateway(
        engines=hosted,
        cards=CARDS + tuple(card(m, price=4.0) for m in hosted if m not in {OLD, NEW}),
        record=record,
        policies={"family": ByFamily()},
        splits=feed.splits,
    )
    shadows = Shadows(
        service,
        limits or ShadowLimits(),
        feed,
        Written(spool, offered),
        time.monotonic,
    )
    keys = (
        Key(name="boss", sha256=hashed("boss"), role="operator"),
        Key(name="ann", sha256=hashed("ann")),
    )
    judge = Judge(
        store, register, tables, lambda said, _: spool.append(said), Keyring(keys), NOW,
        tuple(hosted), feed.refresh, Keys(store, keys, lambda _: None), tuple(hosted),
    )  # fmt: skip
    app = api(service, keys=keys, judge=judge, shadows=shadows)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1", headers=OPERATOR
    ) as client:
        drainer = Drainer(folder / "spool", store)
        yield House(client, store, drainer, feed, shadows, tables, offered)
        await shadows.close()
    spool.close()
    store.close()


async def test_feedback_moves_the_figures(tmp_path: Path) -> None:
    async with house(tmp_path) as barn:
        told = [await barn.ask() for _ in range(4)]
        for i, answer in enumerate(told):
            word = {"request_id": answer["id"], "truth": "a cat" if i else "a dog"}
            said = await barn.http.post("/v1/feedback", json=word)
            assert (said.status_code, said.json()["accepted"]) == (202, 1)
        await barn.settle()

        report = (await barn.http.get("/v1/quality")).json()

    (one, whole) = sorted(report["figures"], key=lambda f: f["task"] == "all")
    assert (one["backbone"], one["task"], one["n"], one["accuracy"]) == (
        "old",
        "attribute",
        4,
        0.75,
    )
    assert whole["task"] == "all"
    assert report["traffic"][0]["requests"] == 4


async def test_feedback_in_a_batch_is_idempotent(tmp_path: Path) -> None:
    async with house(tmp_path) as barn:
        answer = await barn.ask()
        batch = {"feedback": [{"request_id": answer["barn"]["request_id"], "correct": True}] * 3}
        for _ in range(2):
            assert (await barn.http.post("/v1/feedback", json=batch)).status_code == 202
        await barn.settle()

        assert len(barn.store.history(answer["barn"]["request_id"])) == 1


async def test_an_id_said_twice_is_one_word_and_with_other_words_a_correction(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as barn:
        key = (await barn.ask())["barn"]["request_id"]

        async def say(**what: Any) -> float:
            said = await barn.http.post("/v1/feedback", json={"request_id": key, **what})
            assert said.json()["ids"] == [what["id"]]
            await barn.settle()
            accuracy: float = (await barn.http.get("/v1/quality")).json()["figures"][0]["accuracy"]
            return accuracy

        assert await say(id="mine", correct=True) == 1.0
        assert await say(id="mine", correct=False) == 0.0
        assert await say(id="mine", correct=True) == 0.0  # a retry of the first does not undo it
        other = {"request_id": f"chatcmpl-{key}"}  # nor does one that is spelled otherwise
        assert await say(id="mine", correct=True, **other) == 0.0
        assert len(barn.store.history(key)) == 2
        assert await say(id="mine", correct=True, at_s=NOW()) == 1.0  # said with a moment: anew


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "not JSON"),
        (b"{}", "request_id"),
        (b'{"request_id": "r"}', "exactly one"),
        (b'{"request_id": "r", "correct": true, "score": 1}', "exactly one"),
        (b'{"request_id": "r", "score": 2}', "score"),
        (b'{"request_id": "r", "truth": " "}', "empty"),
        (b'{"request_id": "r", "correct": true, "mood": 1}', "mood"),
        (b'{"feedback": []}', "feedback"),
        (b"\xff", "not JSON"),
    ],
)
async def test_feedback_that_cannot_be_understood_is_a_400(
    tmp_path: Path, body: bytes, says: str
) -> None:
    async with house(tmp_path) as barn:
        response = await barn.http.post("/v1/feedback", content=body)

    assert response.status_code == 400
    assert says in response.json()["error"]["message"]


@pytest.mark.parametrize("query", ["window=x", "window=5y", "since=soon", "kind=magic"])
async def test_a_window_that_cannot_be_read_is_a_400(tmp_path: Path, query: str) -> None:
    async with house(tmp_path) as barn:
        assert (await barn.http.get(f"/v1/quality?{query}")).status_code == 400


SPEC = {"name": "try-new", "control": "old", "candidate": "new"}


async def test_a_shadow_experiment_copies_every_request_and_judges_the_pairs(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as barn:
        assert (await barn.http.post("/v1/experiments", json=SPEC)).status_code == 201
        for _ in range(40):
            answer = await barn.ask()
            word = {"request_id": answer["id"], "truth": "dog"}
            await barn.http.post("/v1/feedback", json=word)
        await barn.settle()

        told = (await barn.http.get("/v1/experiments/try-new")).json()["candidates"]["new"]

    assert told["copies"] == {"answered": 40, "failed": 0, "dropped": 0, "waiting": 0}
    (one,) = [v for v in told["verdicts"] if v["task"] == "attribute"]
    assert (one["n"], one["conclusion"]) == (40, "better")
    assert told["solved"]["only_new"] == 40
    assert told["changed_answers"][0]["candidate"] == "dog"


async def test_only_what_passes_the_filter_is_copied(tmp_path: Path) -> None:
    async with house(tmp_path) as barn:
        spec = SPEC | {"tasks": ["counting"], "users": ["ann", "bob"]}
        await barn.http.post("/v1/experiments", json=spec)
        for text, user in (
            ("what color is it?", "ann"), ("how many cats are there?", "ann"),
            ("how many cats are there?", "eve"), ("how many dogs are there?", "bob"),
        ):  # fmt: skip
            await barn.ask(text, user=user)
        await barn.settle()

        copies = barn.store.rows(
            select(interactions.c.question, interactions.c.user)
            .where(interactions.c.kind == "shadowed")
            .order_by(interactions.c.question)
        )
    assert copies == [
        {"question": "how many cats are there?", "user": "ann"},
        {"question": "how many dogs are there?", "user": "bob"},
    ]


async def test_about_the_share_of_the_traffic_is_copied(tmp_path: Path) -> None:
    async with house(tmp_path) as barn:
        await barn.http.post("/v1/experiments", json=SPEC | {"share": 0.3})
        for _ in range(60):
            await barn.ask()
        await barn.settle()

        assert 6 <= barn.store.count("shadowed") <= 30


@pytest.mark.parametrize("stream", [False, True])
async def test_a_copy_streams_as_its_primary_did(tmp_path: Path, stream: bool) -> None:  # noqa: FBT001 - pytest's way
    async with house(tmp_path) as barn:
        await barn.http.post("/v1/experiments", json=SPEC)
        await barn.ask(stream=stream)
        await barn.settle()

        rows = barn.store.rows(select(interactions.c.kind, interactions.c.streamed))
    assert {(r["kind"], r["streamed"]) for r in rows} == {("served", stream), ("shadowed", stream)}


@pytest.mark.parametrize(
    ("limit", "later_s", "says"),
    [({"max_pairs": 5}, 0.0, "8 pairs were graded"), ({"max_days": 2}, 2.1 * 86_400, "2 days")],
)
async def test_an_experiment_stops_by_its_own_rules(
    tmp_path: Path, limit: dict[str, Any], later_s: float, says: str
) -> None:
    async with house(tmp_path) as barn:
        await barn.http.post("/v1/experiments", json=SPEC | limit)
        for _ in range(8):
            word = {"request_id": (await barn.ask())["id"], "truth": "dog"}
            await barn.http.post("/v1/feedback", json=word)
        await barn.settle()
        schedule = Schedule(guard_every_s=0)
        Evaluator(barn.store, barn.tables, schedule, lambda: NOW() + later_s).tick()

        told = (await barn.http.get("/v1/experiments/try-new")).json()

    assert told["status"] == "stopped"
    assert says in told["note"]


async def test_the_experiments_of_a_configuration_start_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'barn.db'}"
    spec = Spec(name="configured", control="llava-llama-1", candidates=("llava-llama-3",))
    settings = load("embedded", {"events.store": url}).model_copy(update={"experiments": (spec,)})
    start_experiments(settings)
    store = Store(connect(url))
    Register(store).change("configured", "stopped", NOW(), "enough")
    start_experiments(settings)  # a restart of the service does not start it again

    assert [(r["name"], r["status"]) for r in Register(store).all()] == [("configured", "stopped")]
    store.close()


async def test_every_copy_that_was_due_ends_once_for_each_candidate(tmp_path: Path) -> None:
    spec = {"name": "both", "control": "old", "candidates": ["new", "newest"]}
    async with house(tmp_path, newest=Scripted(breaks_after=0)) as barn:
        assert (await barn.http.post("/v1/experiments", json=spec)).status_code == 201
        for _ in range(5):
            await barn.ask()
        await barn.settle()

        told = (await barn.http.get("/v1/experiments/both")).json()["candidates"]

    assert told["new"]["copies"] == {"answered": 5, "failed": 0, "dropped": 0, "waiting": 0}
    assert told["newest"]["copies"] == {"answered": 0, "failed": 5, "dropped": 0, "waiting": 0}
    assert barn.offered == ["both"] * 10


async def test_copies_are_dropped_and_counted_while_the_backbones_are_busy(tmp_path: Path) -> None:
    limits = ShadowLimits(queue=2, admit_below=0.001, patience_s=0.05)
    async with house(tmp_path, limits, old=Scripted(pause_s=0.05)) as barn:
        await barn.http.post("/v1/experiments", json=SPEC)
        await asyncio.gather(*(barn.ask() for _ in range(12)))
        await barn.settle()

        told = (await barn.http.get("/v1/experiments/try-new")).json()
        copies = told["candidates"]["new"]["copies"]

    assert sum(copies.values()) == 12
    assert copies["dropped"] > 0


async def test_a_copy_waits_for_quiet_backbones_however_short_the_queue(tmp_path: Path) -> None:
    """Admission looks at load: nothing else could drop the only copy in a queue of 64."""
    limits = ShadowLimits(queue=64, admit_below=0.25, patience_s=0.1)
    async with house(tmp_path, limits) as barn:
        await barn.http.post("/v1/experiments", json=SPEC)
        barn.shadows.gateway.loads.reported(NEW, 40, 1)  # of 64 that it can take
        await barn.ask()
        await asyncio.sleep(0.3)
        barn.shadows.gateway.loads.reported(NEW, 0, 1)
        await barn.ask()
        await barn.settle()

        told = (await barn.http.get("/v1/experiments/try-new")).json()
        copies = told["candidates"]["new"]["copies"]
        reasons = [r["error"] for r in barn.store.rows(select(interactions)) if r["error"]]

    assert copies == {"answered": 1, "failed": 0, "dropped": 1, "waiting": 0}
    assert reasons == ["busy"]


async def test_a_copy_that_finds_no_place_is_dropped_and_not_the_candidates_fault(
    tmp_path: Path,
) -> None:
    full = Scripted(refuses=OverloadedError("its queue is full"))
    async with house(tmp_path, new=full) as barn:
        await barn.http.post("/v1/experiments", json=SPEC)
        for _ in range(5):
            word = {"request_id": (await barn.ask())["id"], "truth": "cat"}
            await barn.http.post("/v1/feedback", json=word)
        await barn.settle()

        told = (await barn.http.get("/v1/experiments/try-new")).json()["candidates"]["new"]

    assert told["copies"] == {"answered": 0, "failed": 0, "dropped": 5, "waiting": 0}
    assert not told["verdicts"]
    assert told["agreement"] == {"n": 0, "share": 0.0}


async def test_a_candidate_that_breaks_off_spends_tokens_too(tmp_path: Path) -> None:
    async with house(tmp_path, new=Scripted(("a ", "b ", "c"), breaks_after=2)) as barn:
        await barn.http.post("/v1/experiments", json=SPEC | {"max_tokens": 40})
        for _ in range(12):
            await barn.ask()
        await barn.settle()

        told = (await barn.http.get("/v1/experiments/try-new")).json()["candidates"]["new"]
        spent = Register(barn.store).spent(["try-new"])["try-new"]

    assert told["copies"]["failed"] > 0
    assert told["copies"]["dropped"] > 0  # the budget is used up
    assert 40 <= spent < 120


async def test_a_candidate_that_breaks_touches_no_user_and_is_counted(tmp_path: Path) -> None:
    async with house(tmp_path, new=Scripted(breaks_after=0)) as barn:
        await barn.http.post("/v1/experiments", json=SPEC)
        for _ in range(3):
            assert (await barn.ask())["model"] == "old"
        await barn.settle()

        told = (await barn.http.get("/v1/experiments/try-new")).json()
        copies = told["candidates"]["new"]["copies"]

    assert copies == {"answered": 0, "failed": 3, "dropped": 0, "waiting": 0}


async def test_a_budget_of_tokens_is_kept(tmp_path: Path) -> None:
    async with house(tmp_path) as barn:
        await barn.http.post("/v1/experiments", json={**SPEC, "max_tokens": 1})
        for _ in range(3):
            await barn.ask()
            await asyncio.sleep(0.1)
        await barn.settle()

        told = (await barn.http.get("/v1/experiments/try-new")).json()
        copies = told["candidates"]["new"]["copies"]

    assert copies == {"answered": 1, "failed": 0, "dropped": 2, "waiting": 0}


async def test_a_budget_of_tokens_is_that_of_all_front_ends_and_outlives_them(
    tmp_path: Path,
) -> None:
    now_s = 0.0
    async with house(tmp_path) as barn:
        await barn.http.post("/v1/experiments", json=SPEC)
        await barn.ask()
        await barn.settle()
        another = ExperimentFeed(Register(barn.store), lambda: now_s)
        another.refresh()
        copied = another.spent("try-new")
        await barn.ask()
        await barn.settle()
        another.refresh()
        soon = another.spent("try-new")
        now_s = ASK_SPENT_EVERY_S
        another.refresh()

    assert copied > 0
    assert soon == copied
    assert another.spent("try-new") == 2 * copied


async def test_a_split_gives_each_user_one_side_and_a_worse_candidate_is_taken_out(
    tmp_path: Path,
) -> None:
    spec = {**SPEC, "name": "split", "mode": "split", "share": 0.5}
    async with house(tmp_path) as barn:
        await barn.http.post("/v1/experiments", json=spec)
        sides: dict[str, set[str]] = {}
        for i in range(240):
            user = f"user-{i % 120}"
            answer = await barn.ask(user=user)
            sides.setdefault(user, set()).add(answer["model"])
            await barn.http.post(
                "/v1/feedback", json={"request_id": answer["id"], "truth": "a cat"}
            )
        await barn.settle()
        guard = Evaluator(barn.store, barn.tables, Schedule(guard_every_s=0), NOW)
        guard.tick()

        told = (await barn.http.get("/v1/experiments/split")).json()

    assert all(len(models) == 1 for models in sides.values())
    assert {m for models in sides.values() for m in models} == {"old", "new"}
    assert told["status"] == "stopped"
    assert "new is worse" in told["note"]
    assert told["candidates"]["new"]["withdrawn"]
    (one,) = [v for v in told["candidates"]["new"]["verdicts"] if v["task"] == "attribute"]
    assert one["conclusion"] == "worse"
    assert one["interval"][1] < -0.02


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 201),
        ({"name": "No!"}, 400),
        ({"control": "new"}, 400),
        ({"candidate": "ghost"}, 400),
        ({"share": 2}, 400),
        ({"surprise": 1}, 400),
    ],
)
async def test_an_experiment_is_checked_before_it_starts(
    tmp_path: Path, change: dict[str, Any], status: int
) -> None:
    async with house(tmp_path) as barn:
        response = await barn.http.post("/v1/experiments", json={**SPEC, **change})

    assert response.status_code == status


async def test_only_operators_change_experiments_and_tables(tmp_path: Path) -> None:
    ann = {"authorization": "Bearer ann"}
    async with house(tmp_path) as barn:
        statuses = [
            (await barn.http.post("/v1/experiments", json=SPEC, headers=ann)).status_code,
            (await barn.http.put("/v1/table", json={}, headers=ann)).status_code,
            (await barn.http.post("/v1/table/undo", headers=ann)).status_code,
            (await barn.http.post("/v1/table/reload", headers=ann)).status_code,
            (await barn.http.patch("/v1/experiments/x", json={}, headers=ann)).status_code,
            (await barn.http.get("/v1/quality", headers=ann)).status_code,
            (await barn.http.get("/v1/quality", headers={"authorization": ""})).status_code,
        ]

    assert statuses == [403, 403, 403, 403, 403, 200, 401]


async def test_promotion_writes_a_table_and_can_be_undone(tmp_path: Path) -> None:
    async with house(tmp_path) as barn:
        await barn.http.put("/v1/table", json={"note": "mine", "backbones": {"old": {}}})
        await barn.http.post("/v1/experiments", json=SPEC)
        answer = await barn.ask()
        await barn.http.post("/v1/feedback", json={"request_id": answer["id"], "truth": "dog"})
        await barn.settle()
        feed = TableFeed(barn.tables)
        promoted = await barn.http.patch("/v1/experiments/try-new", json={"status": "promoted"})
        feed.refresh()
        after = feed.latest()
        again = await barn.http.patch("/v1/experiments/try-new", json={"status": "running"})
        undone = (await barn.http.post("/v1/table/undo")).json()

        assert promoted.json()["table_version"] == after.version
        assert after.note == "promoted try-new"
        assert again.status_code == 409
        assert undone["version"] == after.version + 1
        feed.refresh()
        assert feed.latest().note == "mine"


async def test_a_table_that_does_not_validate_is_refused_and_the_old_one_stays(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as barn:
        await barn.http.put("/v1/table", json={"note": "good", "backbones": {"old": {}}})
        bad = {"backbones": {"old": {"accuracy": {"chart": {"right": -1}}}}}
        refused = await barn.http.put("/v1/table", json=bad)
        endless = json.dumps(bad).replace("-1", "1e999")
        assert (await barn.http.put("/v1/table", content=endless)).status_code == 400
        strange = await barn.http.put("/v1/table", json={"backbones": {"older": {}}})
        kept = (await barn.http.get("/v1/table")).json()

    assert refused.status_code == strange.status_code == 400
    assert "none of the backbones that there are: old, new" in strange.text
    assert "backbones.old.accuracy.chart.right" in refused.json()["error"]["message"]
    assert kept["note"] == "good"


async def test_refitting_publishes_a_new_version_with_live_posteriors(tmp_path: Path) -> None:
    async with house(tmp_path) as barn:
        await barn.answer_and_grade(60)
        evaluator = Evaluator(barn.store, barn.tables, Schedule(), NOW)

        first, nothing_new = evaluator.refit(), evaluator.refit()
        await barn.answer_and_grade(1, correct=False)
        second = evaluator.refit()

    assert first is not None
    assert nothing_new is None
    assert second is not None
    assert second.version == first.version + 1
    posterior = second.backbones["old"].accuracy
    assert {(p.right, p.wrong) for p in posterior.values()} == {(61.0, 2.0)}


async def test_a_split_that_is_promoted_counts_at_once_and_can_be_undone(tmp_path: Path) -> None:
    async with house(tmp_path) as barn:
        spec = {"name": "ab", "control": "old", "candidate": "new", "mode": "split", "share": 0.5}
        await barn.http.post("/v1/experiments", json=spec, headers=OPERATOR)
        barn.feed.refresh()
        for k in range(30):
            answer = await barn.ask(user=f"user-{k}")
            word = {"request_id": answer["id"], "correct": True}
            await barn.http.post("/v1/feedback", json=word, headers=OPERATOR)
        await barn.settle()
        before = barn.tables.current()
        change = {"status": "promoted"}
        told = await barn.http.patch("/v1/experiments/ab", json=change, headers=OPERATOR)
        after = barn.tables.current()
        await barn.http.post("/v1/table/undo", headers=OPERATOR)
        again = Evaluator(barn.store, barn.tables, Schedule(least_new=1), NOW).refit()

    assert again is None  # nothing was answered since: what is undone is not learned again
    assert told.json()["table_version"] == after.version == before.version + 1
    assert after.note == "promoted ab"
    known = [p.weight for w in after.backbones.values() for p in w.accuracy.values()]
    assert (
        sum(known) - sum(p.weight for w in before.backbones.values() for p in w.accuracy.values())
        >= 30
    )
    assert barn.tables.current().backbones == before.backbones


async def test_tables_are_refitted_at_once_after_a_start_and_then_on_schedule(
    tmp_path: Path,
) -> None:
    later_s = 0.0
    async with house(tmp_path) as barn:
        evaluator = Evaluator(
            barn.store, barn.tables, Schedule(refit_every_s=600), lambda: NOW() + later_s
        )
        await barn.answer_and_grade(150)
        evaluator.tick()
        first = barn.tables.current()
        await barn.answer_and_grade(10, correct=False)
        evaluator.tick()
        too_early = barn.tables.current()
        later_s = 601.0
        evaluator.tick()
        second = barn.tables.current()

    assert first.note == "refitted on 150 graded answers"
    assert too_early == first
    assert (second.version, second.note) == (first.version + 1, "refitted on 160 graded answers")
    assert first.backbones["old"].confidence  # maps as well, not posteriors alone


async def test_a_refit_learns_how_long_answers_take(tmp_path: Path) -> None:
    async with house(tmp_path) as barn:
        await barn.answer_and_grade(60)
        made = Evaluator(barn.store, barn.tables, Schedule(), NOW).refit()

    assert made is not None
    assert made.backbones["old"].first_token_s > 0


async def test_a_refit_does_not_bury_the_table_that_undo_goes_back_to(tmp_path: Path) -> None:
    async with house(tmp_path) as barn:
        before = barn.tables.current()
        barn.tables.replace(QualityTable(note="mine"), 0.0)
        await barn.answer_and_grade(60)
        refitted = Evaluator(barn.store, barn.tables, Schedule(), NOW).refit()
        await barn.http.post("/v1/table/undo")

    assert refitted is not None
    assert (barn.tables.current().note, barn.tables.current().backbones) == (
        before.note, before.backbones,
    )  # fmt: skip


async def test_the_configured_table_is_read_again_and_a_broken_one_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    tables = Tables(Store(connect(f"sqlite:///{tmp_path / 'tables.sqlite3'}")), file)
    with pytest.raises(TableError, match="No such file"):
        tables.configured()
    file.write_text('{"version": "soon"}')
    with pytest.raises(TableError, match="version"):
        tables.configured()
    file.write_text(QualityTable(note="edited", backbones={"old": Worth()}).model_dump_json())
    async with house(tmp_path, table=file) as barn:
        taken = await barn.http.post("/v1/table/reload")
        file.write_text(
            QualityTable(note="strange", backbones={"older": Worth()}).model_dump_json()
        )
        strange = await barn.http.post("/v1/table/reload")
        kept = (await barn.http.get("/v1/table")).json()["note"]

    assert (taken.status_code, strange.status_code, kept) == (200, 409, "edited")
    assert "none of the backbones" in strange.text
    async with house(tmp_path) as barn:  # which has no file configured
        assert (await barn.http.post("/v1/table/reload")).status_code == 409
        assert (await barn.http.post("/v1/table/reload", headers=USER)).status_code == 403


async def test_outcomes_from_before_an_operators_table_are_not_added_to_it(tmp_path: Path) -> None:
    async with house(tmp_path) as barn:
        await barn.answer_and_grade(60)
        barn.tables.replace(QualityTable(note="of new weights"), NOW() + 1)

        assert Evaluator(barn.store, barn.tables, Schedule(), NOW).refit() is None


USER = {"authorization": "Bearer ann"}


@pytest.mark.parametrize(
    "path", ["/v1/experiments/e", "/console/requests", "/console/routing", "/console/experiments"]
)
async def test_what_others_asked_is_the_operators_alone(tmp_path: Path, path: str) -> None:
    async with house(tmp_path) as barn:
        refused = await barn.http.get(path, headers=USER)
        own = await barn.http.get("/console", headers=USER)

    assert refused.status_code == 403
    assert own.status_code == 200
    assert "/console/requests" not in own.text  # no menu entry that leads nowhere


async def test_a_users_key_speaks_as_a_person_only(tmp_path: Path) -> None:
    async with house(tmp_path) as barn:
        word = {"request_id": "r", "correct": True}
        person = await barn.http.post("/v1/feedback", json=word, headers=USER)
        judge = await barn.http.post("/v1/feedback", json=word | {"source": "judge"}, headers=USER)

    assert (person.status_code, judge.status_code) == (202, 403)


async def test_the_word_feedback_may_itself_be_the_truth(tmp_path: Path) -> None:
    async with house(tmp_path) as barn:
        said = await barn.http.post("/v1/feedback", json={"request_id": "r", "truth": "feedback"})

    assert said.status_code == 202


@pytest.mark.parametrize("page", ["", "/quality", "/experiments", "/routing", "/requests"])
async def test_every_page_of_an_empty_store_is_there(tmp_path: Path, page: str) -> None:
    async with house(tmp_path) as barn:
        told = await barn.http.get(f"/console{page}", headers=OPERATOR)

    assert told.status_code == 200
    assert "</html>" in told.text


async def test_the_links_of_the_quality_page_keep_each_other(tmp_path: Path) -> None:
    async with house(tmp_path) as barn:
        told = await barn.http.get("/console/quality?window=1h&kind=probe", headers=OPERATOR)

    assert 'href="?window=24h&amp;kind=probe"' in told.text
    assert 'href="?window=1h&amp;kind=served"' in told.text
    assert 'href="?window=1h&amp;kind=probe&amp;by=judge"' in told.text


async def test_the_console_is_entered_with_a_key_and_left_again(tmp_path: Path) -> None:
    async with house(tmp_path) as barn:
        del barn.http.headers["authorization"]
        sent_away = await barn.http.get("/console")
        wrong = await barn.http.post("/console/login", content="key=guess")
        flood = await barn.http.post("/console/login", content=b"key=" + b"x" * 10_000)
        entered = await barn.http.post("/console/login", content="key=boss")
        inside = await barn.http.get("/console/requests")
        await barn.http.post("/console/logout")
        outside = await barn.http.get("/console/requests")

    assert (sent_away.status_code, sent_away.headers["location"]) == (303, "/console/login")
    assert (wrong.status_code, flood.status_code, entered.status_code) == (401, 413, 303)
    cookie = entered.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert (inside.status_code, outside.status_code) == (200, 303)


async def test_feedback_about_nothing_is_listed_as_an_orphan(tmp_path: Path) -> None:
    async with house(tmp_path) as barn:
        word = {"request_id": "never", "correct": True, "at_s": 5.0}
        await barn.http.post("/v1/feedback", json=word)
        await barn.settle()

        told = (await barn.http.get("/v1/feedback/orphans")).json()

    assert (told["total"], told["orphans"][0]["request_id"]) == (1, "never")
