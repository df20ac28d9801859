"""The console in a real browser: from a dropped picture to feedback that moves the figure."""

import base64
import os
import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from easy_vqa import get_test_image_paths
from playwright.sync_api import Page, expect

from routing.domain import Task
from serving.commands.ask import image_part
from tests.system.browser import CHROMIUM, accessible, tab_to
from tests.system.conftest import ROOT
from training.datasets import synthetic

pytestmark = [
    pytest.mark.ray,
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]
PAGES = ("", "/quality", "/experiments", "/routing", "/requests", "/runbooks/store-away")


def graded(http: httpx.Client) -> int:
    return sum(f["n"] for f in http.get("/v1/quality").json()["figures"] if f["task"] == "all")


def ask(page: Page, question: str = "what shape is in the image?") -> None:
    page.goto("/console")
    page.set_input_files("#file", str(dict(get_test_image_paths())[3]))
    page.fill("#question", question)
    page.wait_for_selector("#preview:visible")


def drop(page: Page, picture: Path) -> None:
    """Drop a picture on the page, as from a folder."""
    dropped = page.evaluate_handle(
        """async (encoded) => {
            const bytes = Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0));
            const carried = new DataTransfer();
            carried.items.add(new File([bytes], "shape.png", { type: "image/png" }));
            return carried;
        }""",
        base64.b64encode(picture.read_bytes()).decode(),
    )
    page.dispatch_event(".drop", "drop", {"dataTransfer": dropped})
    page.wait_for_selector("#preview:visible")


def picture_of(page: Page, name: str, tmp_path: Path) -> None:
    """Take a screenshot; with README_PICTURES=1 it is the README's."""
    wanted = os.environ.get("README_PICTURES") == "1"  # noqa: TID251 - a switch of the tests' own
    page.screenshot(path=(ROOT / "docs" if wanted else tmp_path) / name, full_page=True)


def test_a_dropped_picture_is_asked_about_and_feedback_moves_the_figure(
    page: Page, http: httpx.Client
) -> None:
    before = graded(http)
    page.goto("/console")
    drop(page, Path(dict(get_test_image_paths())[3]))
    page.fill("#question", "what shape is in the image?")
    page.click("#go")
    page.wait_for_selector(".card .feedback:visible")
    expect(page.locator(".card .said")).to_have_text(re.compile("circle|rectangle|triangle"))
    answer = page.locator(".card .said").inner_text()
    page.locator(".card .truth").fill(answer)
    page.click(".card .send")
    expect(page.locator(".card .thanks")).to_contain_text("recorded")

    for _ in range(100):
        if graded(http) == before + 1:
            break
        time.sleep(0.1)
    page.goto("/console/quality")

    assert answer
    assert graded(http) == before + 1
    assert "recognition" in page.inner_text("main")


@pytest.mark.parametrize("word", ["right", "wrong"])
def test_a_thumb_is_feedback_on_what_the_card_shows(
    page: Page, http: httpx.Client, word: str
) -> None:
    before = graded(http)
    ask(page)
    page.click("#go")
    page.wait_for_selector(".card .feedback:visible")
    told = page.locator(".card .facts").inner_text()
    page.click(f".card .{word}")
    expect(page.locator(".card .thanks")).to_contain_text("recorded")
    for _ in range(100):
        if graded(http) == before + 1:
            break
        time.sleep(0.1)

    assert graded(http) == before + 1
    for shown in ("recognition (vision)", "confidence", "$0.000", "expected", "chosen"):
        assert shown in told
    page.goto("/console/requests")
    page.click("main a[href^='/console/requests/']")
    expect(page.locator("main")).to_contain_text(f"human: {word}")


def test_all_backbones_answer_side_by_side(page: Page, tmp_path: Path) -> None:
    ask(page)
    page.click("#all")
    expect(page.locator(".card .feedback:visible")).to_have_count(3, timeout=20_000)

    names = page.locator(".card .who").all_inner_texts()
    picture_of(page, "console.png", tmp_path)
    assert sorted(names) == ["llava-llama-1", "llava-llama-2", "llava-llama-3"]


def test_an_experiment_is_started_watched_and_stopped(page: Page) -> None:
    page.goto("/console/experiments")
    page.fill("#name", "from-the-console")
    page.select_option("#candidates", ["llava-llama-2", "llava-llama-3"])
    page.click("#create button")
    page.wait_for_url("**/console/experiments/from-the-console")
    expect(page.locator("#figures h2")).to_have_count(2)
    page.once("dialog", lambda asked: asked.accept())  # "Stop for good?"
    page.click("[data-status=stopped]")
    expect(page.locator("main p").first).to_contain_text("stopped")

    assert "control" in page.inner_text("main")


def test_a_request_is_found_and_shows_its_whole_way(page: Page) -> None:
    ask(page, "what color is the shape?")
    page.click("#go")
    page.wait_for_selector(".card .feedback:visible")
    time.sleep(1)
    page.goto("/console/requests?q=what color is the shape")
    page.click("tbody a")

    text = page.inner_text("main")
    assert "Propensity" in text or "propensity" in text
    assert "parse_s" in text


def test_an_experiment_with_verdicts_shows_how_they_closed_in(
    page: Page, http: httpx.Client, tmp_path: Path
) -> None:
    spec = {"name": "seen-to-the-end", "control": "llava-llama-1", "candidate": "llava-llama-3"}
    assert http.post("/v1/experiments", json=spec).status_code == 201
    for item in [i for i in synthetic(1_200) if i.task is Task.ARITHMETIC][:130]:
        shown = image_part(item.image or b"")
        content = [shown, {"type": "text", "text": item.question}]
        body = {"model": "llava-llama-1", "max_tokens": 6,
                "messages": [{"role": "user", "content": content}]}  # fmt: skip
        told = http.post("/v1/chat/completions", json=body).json()
        word = {"request_id": told["id"], "truth": item.references[0]}
        assert http.post("/v1/feedback", json=word).status_code == 202
    seen: dict[str, Any] = {}
    for _ in range(150):
        seen = http.get("/v1/experiments/seen-to-the-end").json()["candidates"]["llava-llama-3"]
        if seen["verdicts"] and seen["verdicts"][-1]["n"] >= 130:
            break
        time.sleep(0.2)

    assert seen["verdicts"][-1]["conclusion"] == "better"  # sums off a picture: see STUDY.md
    page.goto("/console/experiments/seen-to-the-end")
    picture_of(page, "experiment.png", tmp_path)
    accessible(page, "/experiments/seen-to-the-end")
    assert page.locator("#figures figure svg").count() == 2
    assert "seconds to the first token" in page.inner_text("main")


def test_a_request_and_the_login_are_accessible_and_fit_a_phone(page: Page) -> None:
    page.goto("/console/requests")
    link = page.locator("tbody a").first.get_attribute("href")
    assert link

    accessible(page, link.removeprefix("/console"))
    accessible(page, "/login")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_accessible_and_fits_a_phone(page: Page, path: str) -> None:
    accessible(page, path)


def test_the_keyboard_alone_asks_and_gives_feedback(page: Page) -> None:
    page.goto("/console")
    first = tab_to(page, "question")[0]
    page.keyboard.press("Control+A")
    page.keyboard.type("what is 2 + 3?")
    tab_to(page, "go")
    page.keyboard.press("Enter")
    page.wait_for_selector(".card .feedback:visible")
    tab_to(page, "truth")
    page.keyboard.type("5")
    tab_to(page, "plain send")
    page.keyboard.press("Enter")
    expect(page.locator(".card .thanks")).to_contain_text("recorded")

    assert first == "skip"


def test_a_refusal_is_said_in_words(page: Page, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n not a picture")
    page.goto("/console")
    page.set_input_files("#file", str(broken))
    page.click("#go")
    expect(page.locator("#problem")).not_to_be_empty()

    assert "picture" in page.inner_text("#problem")
