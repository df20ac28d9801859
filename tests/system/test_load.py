"""`barn load` against the real service: what it counts is what was answered."""

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.system.conftest import ROOT, Service

pytestmark = pytest.mark.ray


def load(
    url: str, out: Path, *options: str, scenario: str = "steady"
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own program
        [
            *(sys.executable, "-m", "serving.cli", "load", scenario, "--url", url),
            *("--out", str(out), "--users", "2", "--seconds", "5", "--limit", "20", *options),
        ],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("scenario", ["steady", "spike", "soak"])
def test_a_load_is_answered_and_graded(service: Service, tmp_path: Path, scenario: str) -> None:
    asked = ("--dataset", "easy-vqa", "--side-px", "200")
    ran = load(service.url, tmp_path / "load.json", *asked, scenario=scenario)
    assert ran.returncode == 0, ran.stderr
    report = json.loads((tmp_path / "load.json").read_text())
    graded = sum(found["of"] for found in report["accuracy"].values())
    assert report["errors"] == {}
    assert report["answers"] == graded > 10
    assert report["latency"]["time to first token"]["requests"] > 0
    assert sum(found["right"] for found in report["accuracy"].values()) > graded / 2
    times, told = report["latency"]["whole answer"], " ".join((ran.stdout + ran.stderr).split())
    for shown in (
        f"{graded} answers in", f"{report['requests_per_s']:.1f} requests/s",
        f"{report['tokens_per_s']:.0f} tokens/s", f"{times['p50_ms']:.0f}",
        f"{times['p90_ms']:.0f}", f"{times['p99_ms']:.0f}", "p50 ms", "p90 ms", "p99 ms",
    ):  # fmt: skip
        assert shown in told


class _CutsOff(BaseHTTPRequestHandler):
    """Begins every stream and hangs up in the middle of it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b'{"data": []}'
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        chunk = b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n'
        self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
        self.wfile.flush()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        return


def test_streams_that_are_cut_off_are_counted(tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _CutsOff)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        ran = load(url, tmp_path / "load.json", "--streamed", "1")
    finally:
        server.shutdown()
        server.server_close()

    assert ran.returncode == 1, ran.stderr
    errors = json.loads((tmp_path / "load.json").read_text())["errors"]
    assert errors.keys() == {"broken answer"}


def test_errors_are_counted_by_kind(service: Service, tmp_path: Path) -> None:
    ran = load(service.url, tmp_path / "load.json", "--model", "nobody")
    assert ran.returncode == 1
    errors = json.loads((tmp_path / "load.json").read_text())["errors"]
    assert list(errors) == ["404 model_not_found"]
