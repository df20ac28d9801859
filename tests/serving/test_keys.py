"""Keys that are made while the service runs: who may, what they open, and when no longer."""

import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, text

from evaluation.experiments import Register
from evaluation.spool import Spool
from evaluation.stores.schema import api_keys
from evaluation.stores.sql import Store, connect
from evaluation.tables import Tables
from serving.access import Keyring, hashed
from serving.budgets import Budgets
from serving.engines.scripted import Scripted
from serving.errors import ConflictError, UnauthorizedError
from serving.judge import Judge
from serving.key_settings import Access, Key, NewKey
from serving.keys import Keys
from serving.parts import assemble
from serving.settings import load
from tests.builders import api, ask, description, gateway

pytestmark = pytest.mark.anyio
BOSS = Key(name="boss", sha256=hashed("boss"), role="operator")
NEW = {"name": "ann", "role": "user", "models": ["auto"], "requests": "60/minute"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(connect(f"sqlite:///{tmp_path / 'events.sqlite3'}"))
    yield opened
    opened.close()


class Kept:
    """Whoever is told the keys; a front end tells its keyring and its budgets."""

    def __init__(self) -> None:
        self.ring = Keyring(())
        self.budgets = Budgets((), 1, time.time)  # noqa: TID251 - its window runs on real time
        self.names: list[str] = []

    def __call__(self, keys: Sequence[Key]) -> None:
        self.ring.keep(keys)
        self.budgets.keep(keys)
        self.names = [key.name for key in keys]


@pytest.fixture(params=[(BOSS,), ()], ids=["with a configured key", "without keys"])
async def http(
    request: pytest.FixtureRequest, store: Store, tmp_path: Path
) -> AsyncIterator[httpx.AsyncClient]:
    kept, spool = Kept(), Spool(tmp_path / "spool", "w")
    judge = Judge(
        store, Register(store), Tables(store, None), lambda said, _: spool.append(said), kept.ring,
        lambda: 1_000.0, ("old",), lambda: None, Keys(store, request.param, kept), ("auto", "old"),
    )  # fmt: skip
    app = api(gateway(), judge=judge, keyring=kept.ring, budgets=kept.budgets)
    headers = {"authorization": "Bearer boss"} if request.param else {}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1", headers=headers
    ) as client:
        if not request.param:  # the first one: from now on nobody is let in without a key
            made = await client.post("/v1/keys", json={"name": "first", "role": "operator"})
            client.headers["authorization"] = f"Bearer {made.json()['key']}"
        yield client


async def status(http: httpx.AsyncClient, key: str, path: str = "/v1/table") -> int:
    return (await http.get(path, headers={"authorization": f"Bearer {key}"})).status_code


async def test_a_key_opens_until_it_is_revoked(http: httpx.AsyncClient) -> None:
    made = await http.post("/v1/keys", json=NEW)
    key = made.json()["key"]

    assert made.status_code == 201
    assert made.json() | {"key": ""} == NEW | {"tokens": None, "key": ""}
    assert await status(http, key) == 200
    assert await status(http, key, "/v1/keys") == 403
    own = {"authorization": f"Bearer {key}"}
    assert (await http.post("/v1/keys", json={"name": "eve"}, headers=own)).status_code == 403
    assert (await http.delete("/v1/keys/ann", headers=own)).status_code == 403
    assert (
        await http.post("/v1/keys", json={"name": "eve"}, headers={"authorization": ""})
    ).status_code == 401
    assert await status(http, key + "x") == 401

    assert (await http.delete("/v1/keys/ann")).status_code == 200
    assert await status(http, key) == 401
    assert (await http.delete("/v1/keys/ann")).status_code == 404


async def test_a_key_may_ask_what_and_as_often_as_it_was_told(http: httpx.AsyncClient) -> None:
    told = {"name": "ann", "models": ["old"], "requests": "1/minute"}
    key = (await http.post("/v1/keys", json=told)).json()["key"]

    async def asked(model: str) -> int:
        body = {"model": model, "messages": ask("why?"), "max_tokens": 2}
        headers = {"authorization": f"Bearer {key}"}
        return (await http.post("/v1/chat/completions", json=body, headers=headers)).status_code

    assert [await asked("auto"), await asked("old"), await asked("old")] == [403, 200, 429]


async def test_by_what_name_it_may_be_called_goes_with_the_keys(http: httpx.AsyncClient) -> None:
    """Without keys a foreign name that points here must not make anybody an operator."""
    there = {"host": "barn.example"}
    assert (await http.get("/v1/keys", headers=there)).status_code == 200
    for key in (await http.get("/v1/keys")).json()["keys"]:
        await http.delete(f"/v1/keys/{key['name']}")
    left = (await http.get("/v1/keys")).json()["keys"]

    assert (await http.get("/v1/keys", headers=there)).status_code == (200 if left else 403)


async def test_a_front_end_keeps_to_the_keys_it_is_configured_with(tmp_path: Path) -> None:
    ann = Key(name="ann", sha256=hashed("ann"), models=("auto",), requests="1/minute")
    settings = load("embedded", {"events.folder": tmp_path / "events"})
    settings = settings.model_copy(update={"access": Access(keys=(BOSS, ann))})
    names = [b.id for b in settings.backbones]
    built = assemble(
        settings, {n: Scripted() for n in names}, {n: description() for n in names}, "front"
    )
    body = {"model": "auto", "messages": ask("why?"), "max_tokens": 2}

    async def asked(client: httpx.AsyncClient, key: str, **more: str) -> int:
        headers = {"authorization": f"Bearer {key}"}
        told = await client.post("/v1/chat/completions", json=body | more, headers=headers)
        return told.status_code

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(built.api), base_url="http://barn.example"
    ) as client:
        assert await asked(client, "eve") == 401
        assert await asked(client, "ann", model=names[0]) == 403
        assert [await asked(client, "ann"), await asked(client, "ann")] == [200, 429]
        assert [await asked(client, "boss"), await asked(client, "boss")] == [200, 200]
        made = await client.post(
            "/v1/keys", json={"name": "bob"}, headers={"authorization": "Bearer boss"}
        )
        assert await asked(client, made.json()["key"]) == 200
        assert (await client.get("/console", follow_redirects=False)).status_code in {303, 401}
        assert (await client.get("/console/runbooks/barn-down")).status_code == 200
    await built.close()


async def test_a_configured_key_is_taken_out_where_it_stands(store: Store) -> None:
    kept = Kept()
    before = Keys(store, (), kept)
    made = before.create(NewKey(name="boss", role="operator"), 1.0)
    after = Keys(store, (BOSS,), kept)
    with pytest.raises(ConflictError, match="in the configuration"):
        after.revoke("boss")

    Keys(store, (), kept)  # it is taken out, and the older one that it hid is gone as well
    assert not kept.ring.locked
    assert made not in kept.names


async def test_the_list_tells_all_but_what_opens(http: httpx.AsyncClient) -> None:
    made = (await http.post("/v1/keys", json=NEW)).json()["key"]
    told = await http.get("/v1/keys")

    by_name = {k["name"]: k for k in told.json()["keys"]}
    assert by_name["ann"] == NEW | {"tokens": None, "configured": False}
    assert made not in told.text
    assert hashed(made) not in told.text


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"name": "a/b"}, "name"),
        ({"name": ".."}, "name"),  # clients would take it for a path
        ({"name": "bob", "role": "king"}, "role"),
        ({"name": "bob", "requests": "many"}, "is no budget"),
        ({"name": "bob", "models": ["gpt"]}, "no model 'gpt'; there are: auto, old"),
        ({"name": "bob", "sha256": "0" * 64}, "sha256"),
        ({}, "name"),
    ],
)
async def test_what_is_no_key_is_refused(
    http: httpx.AsyncClient, body: dict[str, Any], says: str
) -> None:
    refused = await http.post("/v1/keys", json=body)

    assert refused.status_code in {400, 422}
    assert says in refused.json()["error"]["message"]


async def test_a_name_is_given_once(http: httpx.AsyncClient) -> None:
    assert (await http.post("/v1/keys", json=NEW)).status_code == 201
    again = await http.post("/v1/keys", json=NEW | {"role": "operator"})

    assert again.status_code == 409
    assert "already" in again.json()["error"]["message"]


async def test_the_last_operator_stays_while_others_are_left(http: httpx.AsyncClient) -> None:
    await http.post("/v1/keys", json=NEW)
    [last] = [k for k in (await http.get("/v1/keys")).json()["keys"] if k["role"] == "operator"]
    refused = await http.delete(f"/v1/keys/{last['name']}")

    assert refused.status_code == 409
    assert await status(http, http.headers["authorization"].split()[1]) == 200


def test_the_first_key_is_an_operators(store: Store) -> None:
    keys = Keys(store, (), Kept())
    with pytest.raises(ConflictError, match="must be an operator's"):
        keys.create(NewKey(name="ann"), 1.0)


def test_every_front_end_knows_a_key_that_one_of_them_made(url: str) -> None:
    here, there = Kept(), Kept()
    own, other = Store(connect(url)), Store(connect(url))
    ours, theirs = Keys(own, (BOSS,), here), Keys(other, (BOSS,), there)

    made = ours.create(NewKey(name="ann", models=("auto",)), 1.0)
    theirs.refresh()
    assert there.ring.caller(f"Bearer {made}").models == ("auto",)

    theirs.revoke("ann")
    ours.refresh()
    assert here.names == there.names == ["boss"]
    own.close()
    other.close()


def test_a_store_that_is_away_opens_and_closes_nothing(store: Store) -> None:
    kept = Kept()
    keys = Keys(store, (), kept)
    keys.create(NewKey(name="boss", role="operator"), 1.0)
    with store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE api_keys RENAME TO gone"))
    keys.refresh()

    assert kept.names == ["boss"]
    assert kept.ring.locked


def test_a_key_that_cannot_be_read_opens_nothing(store: Store) -> None:
    row = {"name": "new", "text": '{"name": "new", "scope": 1}', "created_s": 1.0}
    with store.engine.begin() as connection:
        connection.execute(insert(api_keys), row)
    kept = Kept()
    Keys(store, (), kept)

    assert kept.ring.locked  # without keys everybody would be let in
    with pytest.raises(UnauthorizedError):
        kept.ring.caller("Bearer ")
