"""Starting and stopping: the port that is taken, the clean stop, nothing left behind."""

import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from tests.builders import ask, data_url
from tests.system.conftest import ROOT, start

pytestmark = [pytest.mark.ray, pytest.mark.timeout(300)]


CLIENTS = 12


def streamed(url: str, began: threading.Barrier) -> list[str]:
    """The lines of a stream; its client waits after the first until all others have one too."""
    body = {"model": "llava-llama-3", "messages": ask("describe the image.", data_url()),
            "stream": True}  # fmt: skip
    with httpx.stream("POST", f"{url}/v1/chat/completions", json=body, timeout=60) as answer:
        lines = answer.iter_lines()
        first = next(lines)
        began.wait(timeout=60)
        return [line for line in (first, *lines) if line]


def test_a_port_that_is_taken_is_named_and_the_exit_status_is_two() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "serving.cli", "serve", "--port", port],
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=60,
        )

    assert done.returncode == 2
    assert f"port {port} on 127.0.0.1 is taken" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_key_is_named_with_the_nearest_valid_one(tmp_path: Path) -> None:
    config = tmp_path / "barn.yaml"
    config.write_text("backbones: [{id: a, generation: llama-1, model: x, prize_in: 1}]\n")

    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "serving.cli", "serve", "--config", str(config)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )

    assert done.returncode == 2
    assert "backbones.0.prize_in: unknown key; did you mean 'price_in'?" in done.stderr


def test_stopping_finishes_answers_and_leaves_no_process_behind(tmp_path: Path) -> None:
    before = {p.pid for p in psutil.process_iter()}
    running = start(tmp_path)
    ours = psutil.Process(running.process.pid).children(recursive=True)
    assert ours

    began = threading.Barrier(CLIENTS + 1)
    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = [clients.submit(streamed, running.url, began) for _ in range(CLIENTS)]
        began.wait(timeout=60)
        running.process.send_signal(signal.SIGINT)  # Ctrl-C, with all of them under way
        ended = [answer.result() for answer in answers]
    status = running.process.wait(timeout=60)

    assert {lines[-1] for lines in ended} == {"data: [DONE]"}
    assert min(map(len, ended)) > 2
    assert not any("error" in line for lines in ended for line in lines)
    _, alive = psutil.wait_procs(ours, timeout=20)
    assert status == 0
    assert [p.name() for p in alive if p.pid not in before] == []
    assert "Traceback" not in running.log.read_text()
    assert "failed" not in running.log.read_text()
    assert os.path.isdir(tmp_path / "events")
