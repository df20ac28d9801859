"""How busy and how slow backbones are right now, and gauges that forget what is no more."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from evaluation.events import Feedback
from evaluation.experiments import TRIES
from evaluation.records import Answer, Interaction
from evaluation.spool import Spool
from routing.domain import Decision, ModelId, Query, RequestId, Task
from serving.build import free_port
from serving.errors import DeadlineError
from serving.live import RECENT_S, Loads
from serving.recording import Recording
from serving.reply import Told
from serving.telemetry import Metrics

ROOT = Path(__file__).parents[2]


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_the_current_latency_follows_answers_and_is_forgotten() -> None:
    clock, old = Clock(), ModelId("old")
    loads = Loads({old: 4}, clock)
    unknown = loads.now()[old].recent_s
    loads.took(old, 1.0)
    first = loads.now()[old].recent_s
    for _ in range(30):
        clock.now_s += 1
        loads.took(old, 3.0)
    slower = loads.now()[old].recent_s
    clock.now_s += RECENT_S + 1

    assert (unknown, first) == (0.0, 1.0)
    assert slower == pytest.approx(3.0, abs=0.01)
    assert loads.now()[old].recent_s == 0.0


def test_an_answer_that_did_not_come_in_time_is_known_to_take_longer() -> None:
    clock, old = Clock(), ModelId("old")
    loads = Loads({old: 4}, clock)

    def wait(seconds: float) -> None:
        with loads.under_way(old):
            clock.now_s += seconds
            raise DeadlineError("too late")

    for waited_s in (2.0, 1.0):  # the shorter wait says nothing new
        with pytest.raises(DeadlineError):
            wait(waited_s)

    assert loads.now()[old].recent_s == 2.0
    assert loads.ours(old) == 0


def test_a_gauge_of_something_that_is_no_more_has_no_number() -> None:
    metrics = Metrics()
    metrics.gauge_all("barn_accuracy", {("old", "ocr"): 0.5, ("new", "ocr"): 0.75})
    metrics.gauge_all("barn_accuracy", {("new", "ocr"): 0.8})

    told = metrics.text().decode()
    assert 'backbone="old"' not in told
    assert 'barn_accuracy{backbone="new",task="ocr"} 0.8' in told


def test_there_is_as_much_room_as_the_replicas_have_that_there_are() -> None:
    old = ModelId("old")
    loads = Loads({old: 4}, Clock())
    loads.reported(old, 3, 1)
    one = loads.share(old)
    loads.reported(old, 3, 3)
    three = loads.share(old)
    loads.reported(old, 0, 0)  # nobody answers

    assert (one, three) == (0.75, 0.25)
    assert loads.now()[old].capacity == 4


def test_what_a_killed_process_said_was_under_way_is_forgotten(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for name in (f"gauge_livemax_{gone.pid}.db", f"gauge_livemax_{os.getpid()}.db",
                 f"counter_{gone.pid}.db"):  # fmt: skip
        (tmp_path / name).touch()

    Metrics(tmp_path)

    assert {f.name for f in tmp_path.iterdir()} == {
        f"gauge_livemax_{os.getpid()}.db", f"counter_{gone.pid}.db"
    }  # fmt: skip


def test_a_live_gauge_goes_with_its_process(tmp_path: Path) -> None:
    """A backbone that was taken out of the configuration must not be down for ever."""
    code = (
        "import sys; from pathlib import Path; from serving.telemetry import Metrics\n"
        "Metrics(Path(sys.argv[1])).gauge('barn_backbone_up', 0, 'gone')\n"
        "Metrics(Path(sys.argv[1])).count('barn_shadow_offered', 'kept')\n"
        "print(Metrics(Path(sys.argv[1])).text().decode())"
    )
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}  # noqa: TID251
    port, stop = free_port(), threading.Event()
    listening = threading.Thread(
        target=Metrics(tmp_path).listen, args=("127.0.0.1", port, stop), daemon=True
    )
    listening.start()  # before the process lived: it must not keep what it saw then
    while_alive = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code, str(tmp_path)],
        env=environment, capture_output=True, text=True, check=True, cwd=ROOT,
    ).stdout  # fmt: skip
    with httpx.Client(transport=httpx.HTTPTransport(retries=5)) as client:
        on_the_port = client.get(f"http://127.0.0.1:{port}/metrics").text
    stop.set()
    listening.join(timeout=10)
    later = Metrics(tmp_path).text().decode()

    assert 'backbone="gone"' not in on_the_port
    assert 'barn_shadow_offered_total{experiment="kept"} 1.0' in on_the_port
    assert 'barn_backbone_up{backbone="gone"} 0.0' in while_alive
    assert 'backbone="gone"' not in later
    assert 'barn_shadow_offered_total{experiment="kept"} 1.0' in later


@pytest.mark.parametrize(
    ("request_id", "counted"),
    [("01900000-0000-7000-8000-000000000000", 1), ("00000000-0000-4000-8000-000000000000", 0)],
)
def test_a_delay_is_told_of_our_own_ids_alone(request_id: str, counted: int) -> None:
    metrics = Metrics()
    metrics.heard(Feedback(feedback_id="f", request_id=request_id, at_s=2e9, correct=True))

    assert f"barn_feedback_delay_seconds_count {float(counted)}" in metrics.text().decode()


def interaction(*, streamed: bool) -> Interaction:
    told = Answer("a", 10, 3, 0.9, "stop", first_token_s=1.0, total_s=2.0, cost=0.5)
    decision = Decision(ModelId("old"), Task.OCR, 1.0, "p/1", "because")
    timing = {"timing": {"parse_s": 0.1, "route_s": 0.1, "first_try_s": 0.3, "engine_s": 0.4}}
    return Interaction(RequestId("r"), 0.0, Query("q"), decision, told, streamed, detail=timing)


def test_only_a_stream_has_a_first_token_to_wait_for() -> None:
    metrics = Metrics()
    metrics.saw(Told(interaction(streamed=False)))
    whole = metrics.text().decode()
    metrics.saw(Told(interaction(streamed=True)))
    both = metrics.text().decode()

    name = "gen_ai_server_time_to_first_token_seconds_count{"
    assert name not in whole
    assert [row.split()[-1] for row in both.splitlines() if row.startswith(name)] == ["1.0"]
    phase = 'barn_phase_seconds_sum{backbone="old",phase="framework"}'
    [framework] = [float(row.split()[-1]) for row in both.splitlines() if row.startswith(phase)]
    assert framework == pytest.approx(2 * (1.0 - 0.1 - 0.1 - 0.3 - 0.4))


def test_what_tries_copies_and_probes_cost_is_counted_apart(tmp_path: Path) -> None:
    metrics, seen = Metrics(), interaction(streamed=False)
    recording = Recording(Spool(tmp_path, "w"), metrics)
    recording.interaction(Told(seen))
    for experiment in TRIES:
        recording.interaction(Told(seen, RequestId("p"), experiment))
    recording.interaction(Told(seen, probe_set="easy"))
    recording.copy(seen, RequestId("p"), "e", lag_s=0.0)

    told = metrics.text().decode()
    for kind in ("served", "first try", "second try", "probe", "copy"):
        assert f'barn_cost_dollars_total{{backbone="old",kind="{kind}",task="ocr"}} 0.5' in told
