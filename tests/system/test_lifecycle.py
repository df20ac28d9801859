"""Starting and stopping: the port that is taken, the clean stop, nothing left behind."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.system.conftest import ROOT, start, stop

pytestmark = [pytest.mark.ray, pytest.mark.timeout(300)]


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


def test_stopping_leaves_no_process_behind(tmp_path: Path) -> None:
    before = {p.pid for p in psutil.process_iter()}
    running = start(tmp_path)
    ours = psutil.Process(running.process.pid).children(recursive=True)
    assert ours

    status = stop(running)

    _, alive = psutil.wait_procs(ours, timeout=20)
    assert status == 0
    assert [p.name() for p in alive if p.pid not in before] == []
    assert "Traceback" not in running.log.read_text()
    assert os.path.isdir(tmp_path / "events")
