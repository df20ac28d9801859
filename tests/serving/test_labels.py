"""Metrics' labels stay within sets that the configuration bounds, whatever clients send."""

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from routing.domain import Family, Task
from serving import errors
from tests.builders import NEW, OLD, api, ask, data_url, gateway

pytestmark = pytest.mark.anyio
ERRORS = [
    e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, errors.ServiceError)
]
CODES = {e.code for e in ERRORS}
BOUNDS: dict[str, set[str]] = {
    "task": {t.value for t in Task},
    "family": {f.value for f in Family},
    "backbone": {OLD, NEW},
    "policy": {"by-family/2", "pinned"},
    "outcome": {"answered", "failed", "abandoned", "dropped"},
    "code": CODES | {"no_such_route"},
    "route": {"chat", "probe", "other"},
    "error": {e.__name__ for e in ERRORS} | {"EmptyAnswer"},
    "confidence": {f"{k / 10:.3f}" for k in range(10)},
    "candidate": {NEW},
    "direction": {"prompt", "completion"},
    "phase": {
        "parse",
        "route",
        "first_try",
        "second_try",
        "queue",
        "engine",
        "framework",
        "first",
        "stream",
    },
    "kind": {"served", "first try", "second try", "copy", "probe"},
    "source": {"human", "rule", "judge"},
    "why": {"preferred", "drawn", "experiment", "pinned", "escalated"},
    "of": {"accuracy", "confidence", "task_mix"},
}
ODD = st.text(max_size=40)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(model=ODD, user=ODD, text=ODD, agent=st.text("ab {}=/", max_size=20))
async def test_no_client_can_make_a_new_label(model: str, user: str, text: str, agent: str) -> None:
    app = api(gateway())
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for name in (model, "auto", OLD):
            body = {"model": name, "user": user, "messages": ask(text, data_url()), "max_tokens": 8}
            headers = {"user-agent": agent.strip()}
            await client.post("/v1/chat/completions", json=body, headers=headers)
        shown = (await client.get("/metrics")).text

    seen = 0
    for family in text_string_to_metric_families(shown):
        for sample in family.samples:
            for label, value in sample.labels.items():
                if label not in {"le", "experiment"}:
                    seen += 1
                    assert value in BOUNDS[label], (family.name, label, value)
    assert seen > 0
