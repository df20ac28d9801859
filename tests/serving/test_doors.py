"""What comes in from outside: settings, pictures, URLs, keys; property tests where it has laws."""

import base64
import io
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from serving import fetch as fetching
from serving.access import Keyring, hashed, new_key
from serving.app import app as application
from serving.build import PortTakenError, check_port
from serving.errors import BadImageError, ServiceError, TooLargeError, UnauthorizedError
from serving.fetch import Fetcher
from serving.images import decode_bytes, decode_data_url
from serving.key_settings import Key
from serving.parsing import Parser
from serving.policies import build_policies
from serving.settings import (
    ImageLimits,
    Limits,
    Settings,
    SettingsError,
    check_files,
    check_reach,
    load,
    profiles,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("name", ["embedded", "gpu"])
def test_every_profile_that_ships_can_be_used(name: str) -> None:
    assert load(name).backbones


def test_a_profile_for_the_network_asks_for_keys() -> None:
    with pytest.raises(SettingsError, match=r"add access\.keys"):
        load("multi-node")
    assert set(profiles()) == {"embedded", "gpu", "multi-node"}


def test_an_address_on_the_command_line_asks_for_keys_as_well() -> None:
    with pytest.raises(SettingsError, match=r"add access\.keys"):
        load("embedded", {"service.host": "0.0.0.0"})  # noqa: S104 - it is refused


def test_an_application_that_is_deployed_is_taken_for_one_that_others_reach() -> None:
    with pytest.raises(SettingsError, match=r"add access\.keys"):
        application({"config": "embedded"})


def test_a_variable_without_effect_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BARN_SERVICES__PORT", "9")
    with pytest.raises(SettingsError, match="did you mean BARN_SERVICE__"):
        load("embedded")


def test_a_variable_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BARN_BACKBONES", "abc")
    with pytest.raises(SettingsError, match="backbones"):
        load("embedded")


def test_secrets_are_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BARN_EVENTS__STORE", "postgresql+psycopg://barn:hidden@db/barn")
    monkeypatch.setenv("BARN_PROBES__API_KEY", "hidden")
    settings = load("embedded")

    assert settings.events.url().endswith("barn:hidden@db/barn")
    assert "hidden" not in settings.model_dump_json()


def test_the_environment_goes_above_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BARN_SERVICE__PORT", "9123")
    monkeypatch.setenv("BARN_ROUTING__QUALITY", "0.9")

    settings = load("embedded")

    assert (settings.service.port, settings.routing.quality) == (9123, 0.9)
    assert load("embedded", {"service.port": 9200}).service.port == 9200


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("backbones: [{id: a, generation: x, model: m, prise_in: 1}]", "did you mean 'price_in'"),
        ("servise: {port: 1}\nbackbones: []", "did you mean 'service'"),
        ("service: {port: 99999}", "service.port"),
        ("backbones: [{id: auto, generation: x, model: m}]", "`auto` is taken"),
        ("routing: {default: magic}\nbackbones: [{id: a, generation: x, model: m}]", "no policy"),
        (
            "routing: {policies: {mine: {kind: utility, explor: 1}}}\n"
            "backbones: [{id: a, generation: x, model: m}]",
            "did you mean 'explore'",
        ),
        (
            "access: {keys: [{name: k, sha256: x, rolle: user}]}\n"
            "backbones: [{id: a, generation: x, model: m}]",
            "did you mean 'role'",
        ),
        (
            "routing: {policies: {s: {kind: split, weights: {a: -1}}}}\n"
            "backbones: [{id: a, generation: x, model: m}]",
            "greater than or equal to 0",
        ),
        (
            "experiments: [{name: e, control: a, candidate: b, tasks: [charts]}]\n"
            "backbones: [{id: a, generation: x, model: m}]",
            "no task 'charts'",
        ),
        ("- 1", "expected a mapping"),
        ("a: [", "not YAML"),
    ],
)
def test_a_configuration_that_cannot_be_used_says_which_key(
    tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "barn.yaml"
    path.write_text(text)

    with pytest.raises(SettingsError, match=says.replace("(", r"\(")):
        load(str(path))


def test_a_policy_that_names_no_backbone_is_refused() -> None:
    settings = Settings.model_validate(
        {
            "backbones": [{"id": "a", "generation": "x", "model": "m"}],
            "routing": {"policies": {"mine": {"kind": "split", "weights": {"ghost": 1}}}},
        }
    )

    with pytest.raises(SettingsError, match="no backbone 'ghost'; there are: a"):
        build_policies(settings)


@pytest.mark.parametrize(("text", "said"), [(None, "No such file"), ('{"version": -1}', "version")])
def test_a_quality_table_that_cannot_be_read_stops_the_start(
    tmp_path: Path, text: str | None, said: str
) -> None:
    table = tmp_path / "mine.json"
    if text is not None:
        table.write_text(text)
    settings = load("embedded", {"routing.table": table})

    with pytest.raises(SettingsError, match=said):
        check_files(settings)


def test_a_model_whose_folder_is_not_there_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "barn.yaml"
    path.write_text(f"backbones: [{{id: a, generation: x, model: {tmp_path}/none}}]")

    with pytest.raises(SettingsError, match=r"backbones\.a\.model: there is no folder"):
        check_files(load(str(path)))


def test_a_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(PortTakenError, match="is taken"):
            check_port("127.0.0.1", taken.getsockname()[1])


@given(st.binary(max_size=400))
def test_no_bytes_crash_the_decoder(data: bytes) -> None:
    told: int | str
    try:
        told = decode_bytes(data, ImageLimits(), "x").image.mode
    except ServiceError as error:
        told = error.status

    assert told in {400, 413, 415, "RGB"}


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(["PNG", "BMP", "GIF", "WEBP"]))
def test_a_picture_keeps_its_size_and_its_pixels_decide_its_hash(
    width: int, height: int, kind: str
) -> None:
    image = Image.new("RGB", (width, height), (200, 30, 30))
    buffer = io.BytesIO()
    image.save(buffer, kind, **({"lossless": True} if kind == "WEBP" else {}))

    found = decode_bytes(buffer.getvalue(), ImageLimits(), "x")

    assert found.image.size == (width, height)
    if kind != "GIF":  # its palette may move colours
        assert found.sha256 == decode_bytes(_png(image), ImageLimits(), "x").sha256


def test_sixteen_bits_of_grey_become_eight() -> None:
    ramp = np.linspace(0, 65_535, 64 * 64).reshape(64, 64).astype(np.uint16)

    found = decode_bytes(_png(Image.fromarray(ramp)), ImageLimits(), "x")

    grey = np.asarray(found.image)[:, :, 0].astype(float)
    assert np.abs(grey - ramp / 257).max() <= 1


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def test_a_data_url_over_the_limit_is_refused_before_it_is_decoded() -> None:
    url = "data:image/png;base64," + base64.b64encode(b"x" * 3_000).decode()

    with pytest.raises(TooLargeError, match="the limit is 1000"):
        decode_data_url(url, ImageLimits(max_bytes=1_000), "x")


@given(st.dictionaries(st.text(max_size=8), st.none() | st.integers() | st.text(max_size=8)))
def test_no_json_crashes_the_parser(body: dict[str, Any]) -> None:
    import asyncio
    import json
    from concurrent.futures import ThreadPoolExecutor

    images = ImageLimits()
    with ThreadPoolExecutor(1) as pool:
        parser = Parser(Limits(), images, pool, Fetcher(images).fetch)
        with pytest.raises(ServiceError) as caught:
            asyncio.run(parser.question(json.dumps(body).encode()))

    assert caught.value.status == 400


class _Pictures(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("location", "http://169.254.169.254/latest")
            self.end_headers()
            return
        if self.path == "/drips":
            with suppress(OSError):
                for letter in b"HTTP/1.1 200 OK\r\nx-slow: " + b"x" * 60:
                    self.wfile.write(bytes([letter]))
                    time.sleep(0.05)
            return
        data = _png(Image.new("RGB", (4, 4), "red")) if self.path == "/a.png" else b"x" * 5_000
        self.send_response(200)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def pictures(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A web server on loopback, which the fetcher takes for a public address."""
    server = HTTPServer(("127.0.0.1", 0), _Pictures)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setattr(fetching, "is_public", lambda address: address == "127.0.0.1")
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


LOCAL = ImageLimits(allowed_hosts=("localhost",), max_bytes=2_000)


async def test_a_picture_is_fetched_from_a_host_that_is_allowed(pictures: str) -> None:
    data = await Fetcher(LOCAL).fetch(f"{pictures}/a.png", "x")

    assert decode_bytes(data, LOCAL, "x").image.size == (4, 4)


async def test_a_redirect_is_not_followed(pictures: str) -> None:
    with pytest.raises(BadImageError, match="answered 302"):
        await Fetcher(LOCAL).fetch(f"{pictures}/elsewhere", "x")


async def test_a_body_over_the_limit_is_cut_off(pictures: str) -> None:
    with pytest.raises(TooLargeError):
        await Fetcher(LOCAL).fetch(f"{pictures}/large", "x")


async def test_a_host_that_drips_its_headers_is_left_in_time(pictures: str) -> None:
    began = time.monotonic()
    slow = LOCAL.model_copy(update={"fetch_timeout_s": 0.3})

    with pytest.raises(BadImageError, match=r"not fetched within 0\.3 s"):
        await Fetcher(slow).fetch(f"{pictures}/drips", "x")

    assert time.monotonic() - began < 1.5


def test_hosts_are_allowed_in_whatever_case() -> None:
    assert ImageLimits(allowed_hosts=("CDN.Example",)).allowed_hosts == ("cdn.example",)


@pytest.mark.parametrize(
    "url", ["http://localhost/a.png", "http://127.0.0.1/a", "file:///etc/passwd", "gopher://x/"]
)
async def test_other_hosts_and_schemes_are_refused(url: str) -> None:
    with pytest.raises(BadImageError):
        await Fetcher(ImageLimits(allowed_hosts=("pictures.example",))).fetch(url, "x")


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "::1", "fd00::1"]
)
async def test_an_allowed_name_that_points_inside_is_refused(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    def resolve(*_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)

    with pytest.raises(BadImageError, match="private address"):
        await Fetcher(ImageLimits(allowed_hosts=("rebound.example",))).fetch(
            "http://rebound.example/", "x"
        )


async def test_a_name_is_resolved_once_so_that_a_changed_answer_gains_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def resolve(host: str, *_: object, **__: object) -> list[Any]:
        asked.append(host)
        address = "93.184.216.34" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    reached: list[str] = []

    async def read(_: Fetcher, url: str, *__: object) -> bytes:
        reached.append(url)
        return b""

    monkeypatch.setattr(Fetcher, "_read", read)

    limits = ImageLimits(allowed_hosts=("rebound.example",))
    await Fetcher(limits).fetch("http://rebound.example/a", "x")

    assert asked == ["rebound.example"]
    assert reached == ["http://93.184.216.34:80/a"]


def test_a_serve_that_others_reach_is_not_used_without_keys() -> None:
    open_to_all = load("embedded")
    keys = {"keys": [{"name": "ops", "sha256": hashed("x"), "role": "operator"}]}
    locked = Settings(**(open_to_all.model_dump() | {"access": keys}))

    with pytest.raises(SettingsError, match=r"listens on 0\.0\.0\.0"):
        check_reach("0.0.0.0", open_to_all)  # noqa: S104 - what is refused
    check_reach("127.0.0.1", open_to_all)
    check_reach("0.0.0.0", locked)  # noqa: S104


def test_a_key_is_known_by_its_hash_alone() -> None:
    token = new_key()
    keys = Keyring((Key(name="ann", sha256=hashed(token)),))

    assert keys.caller(f"Bearer {token}").name == "ann"
    with pytest.raises(UnauthorizedError):
        keys.caller(f"Bearer {token}x")
    assert Keyring(()).caller(None).role == "operator"


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("224.0.0.1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),  # NAT64 of loopback
        ("64:ff9b:1::a9fe:a9fe", False),  # a local NAT64 of link-local
        ("::127.0.0.1", False),
        ("::ffff:0:7f00:1", False),
        ("2002:7f00:1::", False),  # 6to4 of loopback
        ("fec0::1", False),
        ("ff0e::1", False),
    ],
)
def test_an_address_that_leads_inside_is_not_public(address: str, public: bool) -> None:  # noqa: FBT001
    assert fetching.is_public(address) == public


def test_a_picture_that_would_fill_memory_is_too_large_whatever_pillow_calls_it() -> None:
    buffer = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(buffer, "PNG")

    with pytest.raises(TooLargeError, match="20000 x 20000"):
        decode_bytes(buffer.getvalue(), ImageLimits(), "it")
