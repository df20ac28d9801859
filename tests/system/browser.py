"""What tests of the console need of a browser: a watched page, axe, a phone, the Tab key."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@contextmanager
def watched(browser: Browser, url: str) -> Iterator[Page]:
    """A page of a service, nobody's yet, that fails its test on any error in the console."""
    opened = browser.new_page(viewport={"width": 1100, "height": 900}, base_url=url)
    complaints: list[str] = []
    refusal = "Failed to load resource: the server responded with a status of 4"

    def heard(message: Any) -> None:
        if message.type == "error" and not message.text.startswith(refusal):
            complaints.append(message.text)

    opened.on("console", heard)
    opened.on("pageerror", lambda e: complaints.append(str(e)))
    yield opened
    opened.close()
    assert complaints == []


def accessible(page: Page, path: str) -> None:
    """No serious violation that axe finds, and nothing wider than a phone."""
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"/console{path}")

    accessible_now(page)


def accessible_now(page: Page) -> None:
    """The same of what is shown, which no address may lead to; on a phone's screen."""
    page.set_viewport_size({"width": 360, "height": 740})
    found = Axe().run(page).response["violations"]
    serious = [v["id"] for v in found if v["impact"] in {"serious", "critical"}]
    width = page.evaluate("document.documentElement.scrollWidth")

    assert serious == []
    assert width <= 360


def tab_to(page: Page, wanted: str) -> list[str]:
    """Press Tab until something of this id, class or text has the focus; what had it meanwhile."""
    reached: list[str] = []
    name = "((e) => e.id || e.className || e.textContent)(document.activeElement)"
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(name))
        if reached[-1] == wanted:
            return reached
    raise AssertionError(f"{wanted} is not reached by Tab: {reached}")
