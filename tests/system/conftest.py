"""Start the real service once for all system tests: real Ray, real models, real HTTP."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from serving.build import free_port
from tests.system.browser import CHROMIUM, QUIET, watched

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Service:
    """A running Barn."""

    url: str
    folder: Path
    process: subprocess.Popen[str]
    log: Path
    seconds_to_ready: float


def start(folder: Path, *options: str) -> Service:
    """Run `barn serve` and wait until it says that it is ready."""
    port = free_port()
    log = folder / "serve.log"
    began = time.monotonic()
    with log.open("w") as out:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [
                *(sys.executable, "-m", "serving.cli", "serve", "--port", str(port)),
                *("--folder", str(folder / "events"), *options),
            ],
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
        )
    url = f"http://127.0.0.1:{port}"
    while "Barn is ready" not in log.read_text():
        if process.poll() is not None or time.monotonic() - began > 180:
            process.kill()
            raise RuntimeError(f"barn serve did not start:\n{log.read_text()}")
        time.sleep(0.2)
    return Service(url, folder, process, log, time.monotonic() - began)


def stop(service: Service) -> int:
    """Stop it as Ctrl-C does, and return its exit status."""
    service.process.send_signal(signal.SIGINT)
    return service.process.wait(timeout=60)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = start(tmp_path_factory.mktemp("barn"))
    yield running
    if running.process.poll() is None:
        stop(running)


@pytest.fixture
def http(service: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, service: Service) -> Iterator[Page]:
    """A page of the running service."""
    with watched(browser, service.url) as opened:
        yield opened
