"""What the operator configures: one YAML file, `BARN_…` in the environment above it."""

import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from evaluation.experiments import Spec
from evaluation.tables import read_table
from routing.quality import TableError
from serving.beside_settings import Evaluation, JudgeModel, Probes, Shadow
from serving.faults import explain, known_variables
from serving.frozen import Frozen
from serving.key_settings import Access
from serving.routing_settings import Routing

SHARED_METRICS = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that tells prometheus_client where the processes of a node keep their values."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""Names of this machine that no other can use."""


class SettingsError(Exception):
    """The configuration cannot be used; the message says which key and what would be valid."""


class Autoscaling(Frozen):
    """How many replicas a backbone has; Ray Serve moves between the bounds."""

    min_replicas: int = Field(1, ge=0, description="never fewer than this")
    max_replicas: int = Field(1, ge=1, description="never more than this")
    target_ongoing_requests: float = Field(16, gt=0, description="per replica")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max_replicas < self.min_replicas:
            raise ValueError("max_replicas must be at least min_replicas")
        return self


class Backbone(Frozen):
    """One model and how it is run. Adding one is one block of YAML."""

    id: str = Field(pattern=r"^[A-Za-z0-9][\w.\-]*$", description="the name clients pin it by")
    generation: str = Field(description="orders the backbones, e.g. llama-1 < llama-2 < llama-3")
    model: str = Field(description="a folder, `zoo:NAME`, or a hub id")
    engine: Literal["auto", "vllm", "transformers"] = "auto"
    engine_args: dict[str, Any] = Field(default={}, description="passed to the engine as it is")
    num_cpus: float = Field(0.1, ge=0)
    num_gpus: float = Field(0, ge=0)
    tensor_parallel: int = Field(1, ge=1)
    replicas: Autoscaling = Autoscaling()
    max_ongoing_requests: int = Field(64, ge=1, description="per replica, before requests queue")
    max_queued_requests: int = Field(256, ge=-1, description="per front end, before 429")
    context_tokens: int | None = Field(None, ge=1, description="default: what the model says")
    max_images: int = Field(1, ge=0)
    price_in: float = Field(0, ge=0, description="dollars per 1,000 prompt tokens")
    price_out: float = Field(0, ge=0, description="dollars per 1,000 completion tokens")

    def path(self) -> str:
        """Where to load the weights from; `zoo:` is the folder that ships with the package."""
        if self.model.startswith("~"):
            return str(Path(self.model).expanduser())
        if not self.model.startswith("zoo:"):
            return self.model
        return str(files("serving") / "zoo" / self.model.removeprefix("zoo:"))


class ImageLimits(Frozen):
    """What a picture may be, and where one may be fetched from."""

    max_bytes: int = Field(20_000_000, ge=1)
    max_pixels: int = Field(40_000_000, ge=1)
    allowed_hosts: tuple[str, ...] = Field((), description="hosts of http(s) image URLs; none: off")
    fetch_timeout_s: float = Field(5, gt=0, description="for one picture, all in all")

    @field_validator("allowed_hosts")
    @classmethod
    def _lower(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(host.lower() for host in hosts)  # as URLs are read


class Limits(Frozen):
    """What a request may ask for."""

    max_body_bytes: int = Field(40_000_000, ge=1)
    body_s: float = Field(60, gt=0, description="within which a request's body must have come")
    max_new_tokens: int = Field(256, ge=1, description="when a request names no limit")
    deadline_s: float = Field(120, gt=0, description="a request may ask for less, never for more")


class Service(Frozen):
    """Where and how the front end runs."""

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535)
    front_replicas: int = Field(1, ge=1)
    front_ongoing_requests: int = Field(512, ge=1, description="of each front end, before 429")
    haproxy: bool = True
    metrics_port: int = Field(0, ge=0, le=65535, description="every node's own; 0: only /metrics")
    ray_address: str | None = Field(None, description="an existing Ray cluster; none: start one")

    @property
    def url(self) -> str:
        """Where a client on this machine finds it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


class Events(Frozen):
    """Where served requests are recorded."""

    folder: Path = Field(Path(".barn"), validate_default=True)
    store: SecretStr | None = Field(None, description="SQLAlchemy URL; none: SQLite in the folder")
    fsync: bool = Field(default=False, description="survive a power cut, at 4 ms a request")
    drain_every_s: float = Field(0.25, gt=0)
    pictures: bool = Field(default=False, description="keep pictures too, by content hash")

    @field_validator("folder")
    @classmethod
    def _absolute(cls, folder: Path) -> Path:
        return folder.resolve()  # worker processes may have another working directory

    def url(self) -> str:
        """The store's SQLAlchemy URL."""
        if self.store is not None:  # hidden elsewhere: a password may be in it
            return self.store.get_secret_value()
        return f"sqlite:///{self.folder.resolve() / 'events.sqlite3'}"


class Settings(BaseSettings):
    """Everything; frozen once read."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="BARN_", env_nested_delimiter="__"
    )

    service: Service = Service()
    backbones: tuple[Backbone, ...] = Field(min_length=1)
    images: ImageLimits = ImageLimits()
    limits: Limits = Limits()
    events: Events = Events()
    routing: Routing = Routing()
    shadow: Shadow = Shadow()
    evaluation: Evaluation = Evaluation()
    probes: Probes = Probes()
    judge: JudgeModel = JudgeModel()
    access: Access = Access()
    experiments: tuple[Spec, ...] = Field((), description="started with the service")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment goes above the file."""
        return env_settings, init_settings

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        return self.checked()

    def open_to_others(self, host: str) -> bool:
        """Whether who listens on `host` would be reached from outside without a key."""
        return host not in LOOPBACK and not self.access.keys

    def checked(self) -> Self:
        """Make sure that the parts fit each other.

        Raises:
            ValueError: they do not; among others, others could reach `service.host` without a key.
        """
        ids = [b.id for b in self.backbones]
        if len(set(ids)) < len(ids) or "auto" in ids:
            raise ValueError("backbone ids must differ, and `auto` is taken")
        names = [key.name for key in self.access.keys]
        if len(set(names)) < len(names):
            raise ValueError("access.keys: names must differ; budgets are counted by them")
        for spec in self.experiments:
            strange = {spec.control, *spec.candidates} - {*ids}
            if strange:
                raise ValueError(f"experiments: no backbone {min(strange)!r}")
        if self.open_to_others(self.service.host):
            raise ValueError(
                f"service.host {self.service.host} can be reached from outside: add access.keys "
                "(`barn key` makes one)"
            )
        return self


def check_reach(host: str, settings: Settings) -> None:
    """Make sure that nobody else reaches a service without keys.

    Raises:
        SettingsError: Serve listens on an address that others reach, and there are no keys.
    """
    if settings.open_to_others(host):
        raise SettingsError(
            f"Ray Serve listens on {host}, which can be reached from outside: add access.keys "
            "(`barn key` makes one), or start Serve on 127.0.0.1"
        )


def check_files(settings: Settings) -> None:
    """Make sure that what the configuration names is there: minutes later it would cost more.

    Raises:
        SettingsError: a model's folder is not there; the quality table cannot be read or is none.
    """
    for backbone in settings.backbones:
        path = backbone.path()
        if path.startswith(("/", ".")) and not Path(path).is_dir():
            raise SettingsError(f"backbones.{backbone.id}.model: there is no folder {path}")
    if settings.routing.table is None:
        return
    try:
        read_table(settings.routing.table)
    except TableError as error:
        raise SettingsError(f"routing.table: {error}") from error


def profiles() -> dict[str, Path]:
    """The profiles that ship with Barn, by name."""
    folder = Path(str(files("deploy") / "profiles"))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def load(config: str, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Read a shipped profile by name, or a YAML file by path.

    Args:
        config: `embedded`, `gpu`, …, or a path.
        overrides: values by dotted name (`service.port`) that go above file and environment.

    Raises:
        SettingsError: no such profile or file, broken YAML, or a key or value that is not valid.
    """
    source = profiles().get(config, Path(config))
    try:
        text = source.read_text(encoding="utf-8")
    except OSError as error:
        names = ", ".join(profiles())
        raise SettingsError(f"no profile or file {config!r} (profiles: {names})") from error
    try:
        values = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise SettingsError(f"{source}: not YAML: {error}") from error
    if not isinstance(values, dict):
        raise SettingsError(f"{source}: expected a mapping at the top, got {type(values).__name__}")
    routing = values.get("routing")
    if isinstance(routing, dict) and isinstance(routing.get("table"), str):
        routing["table"] = str(source.parent / routing["table"])  # beside the file that names it
    try:
        known_variables(Settings, os.environ)
        settings = Settings(**values)
        for name, value in (overrides or {}).items():
            settings = _replaced(settings, name.split("."), value)
        return settings.checked()  # what was given above the file has not been looked at yet
    except ValidationError as error:
        raise SettingsError(f"{source}:\n{explain(error, Settings)}") from error
    except ValueError as error:
        raise SettingsError(f"{source}: {error}") from error


def _replaced(settings: Settings, path: list[str], value: object) -> Settings:
    if value is None:
        return settings
    room, key = path
    part = getattr(settings, room)
    changed = type(part).model_validate({**part.model_dump(), key: value})
    return settings.model_copy(update={room: changed})
