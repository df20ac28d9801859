"""The console's pages in a real browser: what they show, for whom, and that they keep up."""

import json
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from easy_vqa import get_test_image_paths
from playwright.sync_api import Browser, Page, expect

from routing.domain import Task
from serving.access import hashed
from serving.commands.ask import image_part
from tests.system.browser import CHROMIUM, accessible, accessible_now, tab_to, watched
from tests.system.conftest import ROOT, Service, start, stop
from training.datasets import synthetic

pytestmark = [
    pytest.mark.ray,
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]
OPERATORS = "an+operator's%2Bkey%"
"""A key of what forms and cookies write in another way."""
USERS = "a-user's-key"
BACKBONES = ("llava-llama-1", "llava-llama-2", "llava-llama-3")
LIVE_MS = 20_000
"""A live page looks every five seconds, and may find everybody busy."""


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with keys that keeps pictures, on which nobody else has asked anything."""
    keys = [
        {"name": "olga", "role": "operator", "sha256": hashed(OPERATORS)},
        {"name": "ulf", "role": "user", "sha256": hashed(USERS)},
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BARN_ACCESS__KEYS", json.dumps(keys))
        patch.setenv("BARN_EVENTS__PICTURES", "true")
        running = start(tmp_path_factory.mktemp("locked"))
    yield running
    stop(running)


@pytest.fixture
def visitor(browser: Browser, locked: Service) -> Iterator[Page]:
    """A page of the locked service; nobody has signed in yet."""
    with watched(browser, locked.url) as opened:
        yield opened


@pytest.fixture
def operator(locked: Service) -> Iterator[httpx.Client]:
    """The API of the locked service."""
    known = {"authorization": f"Bearer {OPERATORS}"}
    with httpx.Client(base_url=locked.url, headers=known, timeout=60) as client:
        yield client


def sign_in(page: Page, key: str) -> None:
    page.goto("/console/login")
    page.fill("#key", key)
    page.click("button")


def menu(page: Page) -> list[str]:
    return page.locator("nav a").all_inner_texts()


def charts(page: Page) -> list[str | None]:
    """The names of the drawings that are shown."""
    drawn = page.locator("svg[role=img]:visible").all()
    return [one.get_attribute("aria-label") for one in drawn]


def asked(http: httpx.Client, question: str, picture: bytes, model: str = "auto") -> str:
    """Ask about a picture; the id of the request."""
    content = [image_part(picture), {"type": "text", "text": question}]
    messages = [{"role": "user", "content": content}]
    body = {"model": model, "max_tokens": 6, "messages": messages}
    told = http.post("/v1/chat/completions", json=body).raise_for_status().json()
    return str(told["id"])


def said(http: httpx.Client, request_id: str, **word: object) -> None:
    http.post("/v1/feedback", json={"request_id": request_id, **word}).raise_for_status()


def shape() -> bytes:
    return Path(dict(get_test_image_paths())[3]).read_bytes()


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true() and time.monotonic() < end:
        time.sleep(0.1)
    assert true()


def test_quality_draws_its_charts_and_gives_every_figure_with_its_intervals(
    page: Page, http: httpx.Client
) -> None:
    def figures() -> list[dict[str, Any]]:
        return list(http.get("/v1/quality").json()["figures"])

    def graded() -> int:
        return sum(f["n"] for f in figures() if f["task"] == "all")

    before = graded()
    for correct in (True, True, False):
        said(http, asked(http, "what shape is in the image?", shape(), BACKBONES[1]),
             correct=correct)  # fmt: skip
    until(lambda: graded() == before + 3)
    page.goto("/console/quality")
    table = page.get_by_role("region", name="Accuracy per backbone and task").locator("tr")
    heads, *rows = [row.locator("th, td").all_inner_texts() for row in table.all()]
    shown = [dict(zip(heads, row, strict=True)) for row in rows]

    def told(f: dict[str, Any]) -> dict[str, str]:
        (low, high), (lowest, highest) = f["interval"], f["sequence"]
        return {
            "backbone": f["backbone"], "task": f["task"], "n": str(f["n"]),
            "accuracy": f"{f['accuracy']:.1%}", "95 %": f"{low:.1%} – {high:.1%}",
            "at any time": f"{lowest:.1%} – {highest:.1%}",
            "confidence": f"{f['mean_confidence']:.1%}", "ECE": f"{f['ece']:.3f}",
            "smooth ECE": f"{f['smooth_ece']:.3f}", "Brier": f"{f['brier']['score']:.3f}",
            "AURC": f"{f['aurc']:.3f}",
        }  # fmt: skip

    assert shown == [told(f) for f in figures()]
    assert (BACKBONES[1], "recognition") in {(row["backbone"], row["task"]) for row in shown}
    assert charts(page) == [
        "Accuracy per task and backbone with 95 % intervals",
        "Reliability diagram and risk-coverage curve per backbone",
    ]
    per_task, curves = (svg.inner_html() for svg in page.locator("svg[role=img]").all())
    assert "<!-- recognition -->" in per_task  # what matplotlib writes beside a drawn word
    assert "<!-- reliability -->" in curves
    assert "<!-- risk–coverage -->" in curves


def test_an_answer_comes_piece_by_piece(page: Page) -> None:
    page.goto("/console")
    page.set_input_files("#file", str(dict(get_test_image_paths())[3]))
    page.wait_for_selector("#preview:visible")
    page.fill("#question", "describe the image.")
    page.select_option("#model", BACKBONES[0])  # it says most
    page.evaluate(
        """() => {
            const look = () => {
                const said = document.querySelector(".card .said");
                const text = said ? said.textContent : "";
                if (text && text !== window.seen.at(-1)) window.seen.push(text);
            };
            const whole = { childList: true, subtree: true, characterData: true };
            new MutationObserver(look).observe(document.getElementById("answers"), whole);
        }"""
    )
    seen: list[str] = []
    for _ in range(20):  # nine tokens within 20 ms, which now and then the browser reads at once
        page.evaluate("window.seen = []")
        page.click("#go")
        page.wait_for_selector(".card .feedback:visible")
        seen = page.evaluate("window.seen")
        if len(seen) > 1:
            break

    assert len(seen) > 1
    assert all(longer.startswith(shorter) for shorter, longer in pairwise(seen))
    assert seen[-1] == page.locator(".card .said").text_content()


def test_the_keyboard_alone_starts_an_experiment_and_pauses_it(
    page: Page, http: httpx.Client
) -> None:
    page.goto("/console/experiments")
    first = tab_to(page, "name")[0]
    page.keyboard.type("by-keyboard")
    tab_to(page, "control")
    page.keyboard.press("ArrowDown")
    tab_to(page, "candidates")
    page.keyboard.press("End")
    tab_to(page, "Start")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/experiments/by-keyboard")
    tab_to(page, "plain")  # Pause, the first of its buttons
    page.keyboard.press("Enter")
    expect(page.locator("main p").first).to_contain_text("paused")

    made = http.get("/v1/experiments/by-keyboard").json()
    assert first == "skip"
    assert made["status"] == "paused"
    assert (made["spec"]["control"], made["spec"]["candidates"]) == (BACKBONES[1], [BACKBONES[0]])


def test_without_a_key_every_page_leads_to_the_form_and_a_wrong_one_is_told_so(
    visitor: Page,
) -> None:
    visitor.goto("/console/quality")
    assert visitor.url.endswith("/console/login")
    sign_in(visitor, "an operator's+key%")  # the right one, decoded once too often
    expect(visitor.get_by_role("alert")).to_have_text("This key is not known here.")

    assert menu(visitor) == []
    assert visitor.context.cookies() == []
    accessible_now(visitor)


def test_an_operator_signs_in_with_any_key_sees_every_page_and_leaves(visitor: Page) -> None:
    sign_in(visitor, OPERATORS)
    visitor.wait_for_url("**/console")

    assert menu(visitor) == ["Try", "Quality", "Experiments", "Routing", "Requests"]
    visitor.click("nav >> text=Requests")
    expect(visitor.locator("h1")).to_have_text("Requests")
    accessible(visitor, "/experiments")
    visitor.click("text=Leave (olga)")
    visitor.wait_for_url("**/console/login")
    assert visitor.context.cookies() == []
    visitor.goto("/console/requests")
    assert visitor.url.endswith("/console/login")


def test_a_user_asks_and_sees_nothing_that_others_asked(visitor: Page) -> None:
    sign_in(visitor, USERS)
    visitor.wait_for_url("**/console")
    visitor.fill("#question", "what is 2 + 3?")
    visitor.click("#go")
    visitor.wait_for_selector(".card .feedback:visible")

    assert menu(visitor) == ["Try", "Quality"]
    for path in ("/experiments", "/routing", "/requests", f"/pictures/{'0' * 64}"):
        response = visitor.goto(f"/console{path}")
        assert response
        assert response.status == 403
        expect(visitor.get_by_role("alert")).to_have_text(
            "key 'ulf' is a user's; this needs an operator's key"
        )
    accessible_now(visitor)
    visitor.click("text=Back to the console")
    expect(visitor.locator("h1")).to_have_text("Try")


def test_routing_shows_the_shipped_table_and_decisions_as_they_are_made(
    visitor: Page, operator: httpx.Client
) -> None:
    shipped = json.loads((ROOT / "serving" / "zoo" / "table.json").read_text(encoding="utf-8"))
    sign_in(visitor, OPERATORS)
    visitor.goto("/console/routing")
    table = visitor.get_by_role("region", name="Expected accuracy per task and backbone")
    heads, *rows = [row.locator("th, td").all_inner_texts() for row in table.locator("tr").all()]
    shown = {row[0]: dict(zip(heads[2:], row[2:], strict=True)) for row in rows}
    drawn = charts(visitor)
    latest = visitor.locator("#decisions tbody tr").first
    visitor.evaluate("window.stayed = true")
    asked(operator, "which shape was asked for just now?", shape())
    expect(latest).to_contain_text("which shape was asked for just now?", timeout=LIVE_MS)

    assert drawn == [
        "Cost-quality frontier of the current quality table",
        "Expected accuracy against price per backbone and family",
    ]
    assert heads == ["task", "family", *BACKBONES]
    assert list(shown) == list(Task)
    for backbone in BACKBONES:
        for task, known in shipped["backbones"][backbone]["accuracy"].items():
            expected = known["right"] / (known["right"] + known["wrong"])
            assert shown[task][backbone] == f"{expected:.1%}"
    _, task, chosen, why = latest.locator("th, td").all_inner_texts()
    assert task in list(Task)
    assert chosen in BACKBONES
    assert why
    assert visitor.evaluate("window.stayed")


def test_an_open_experiment_keeps_up_and_shows_the_pictures_of_changed_answers(
    visitor: Page, operator: httpx.Client
) -> None:
    spec = {"name": "live", "control": BACKBONES[0], "candidate": BACKBONES[2]}
    operator.post("/v1/experiments", json=spec).raise_for_status()
    items = [i for i in synthetic(300) if i.task is Task.ARITHMETIC][:12]
    ids = [asked(operator, i.question, i.image or b"", BACKBONES[0]) for i in items]

    def told() -> dict[str, Any]:
        seen = operator.get("/v1/experiments/live").json()["candidates"][BACKBONES[2]]
        return dict(seen)

    until(lambda: told()["copies"]["answered"] == len(ids))
    sign_in(visitor, OPERATORS)
    visitor.goto("/console/experiments/live")
    figures = visitor.locator("#figures")
    expect(figures).to_contain_text("No pair is graded yet.")
    expect(figures).not_to_contain_text("Jaccard")
    unknown = figures.locator("tr", has_text="Brier score").locator("td")
    expect(unknown).to_have_text(["0", "–", "-1 … 1"])
    visitor.evaluate("window.stayed = true")
    for request_id, item in zip(ids, items, strict=True):
        said(operator, request_id, truth=item.references[0])
    total = figures.locator("tr.sum td").first
    expect(total).to_have_text(str(len(ids)), timeout=LIVE_MS)

    assert visitor.evaluate("window.stayed")
    changed = figures.get_by_role("region", name=f"Answers that changed: {BACKBONES[2]}")
    shown = changed.locator("tbody th a:last-child").all_inner_texts()
    assert shown == [one["question"] for one in told()["changed_answers"]]
    assert shown
    pictures = changed.locator("img[src^='/console/pictures/']")
    expect(pictures).to_have_count(len(shown))
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        expect(picture).to_have_js_property("complete", value=True)
        assert picture.evaluate("(img) => img.naturalWidth") > 0
    accessible_now(visitor)
