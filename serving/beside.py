"""Settings -> what runs beside the service and never in its way: evaluator, probes, judge."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from evaluation.evaluator import DAY_S, Evaluator, Outside, Schedule
from evaluation.experiments import ExperimentError, Register
from evaluation.online import Window
from evaluation.spool import Spool
from evaluation.stores.sql import Store, connect
from evaluation.tables import Tables
from serving.gauges import set_quality
from serving.judging import Judging, judge_client
from serving.parts import picture_store, quality_tables
from serving.pictures import PictureStore
from serving.probes import Prober, probe_items
from serving.recording import Recording
from serving.settings import Settings
from serving.telemetry import Metrics

HOUR_S = 3_600.0


@dataclass(frozen=True, slots=True)
class GaugesAndPictures(Outside):
    """Gauges show what the evaluator finds; pictures are forgotten with their events."""

    metrics: Metrics
    store: Store
    tables: Tables
    pictures: PictureStore | None
    now: Callable[[], float]

    def publish(self) -> None:
        """Set the gauges of quality: of the last day, or a bad hour would drown in what was."""
        now = self.now()
        day, hour = Window(since_s=now - DAY_S), Window(since_s=now - HOUR_S)
        set_quality(self.metrics, self.store, self.tables.current(), day, hour)

    def forget(self, before_s: float) -> None:
        """Delete pictures that were not seen since."""
        if self.pictures is not None:
            self.pictures.forget(before_s)

    def kept_bytes(self) -> int:
        """The size of the pictures that are kept."""
        return 0 if self.pictures is None else self.pictures.size_bytes()


def build_evaluator(settings: Settings, metrics: Metrics) -> Evaluator:
    """The evaluator of a configuration's store; what it finds becomes gauges as well."""
    schedule = Schedule(**settings.evaluation.model_dump())
    store = Store(connect(settings.events.url()))
    tables = quality_tables(settings, store)
    outside = GaugesAndPictures(metrics, store, tables, picture_store(settings), time.time)
    return Evaluator(store, tables, schedule, time.time, outside)


def build_prober(settings: Settings) -> Prober | None:
    """The prober of a configuration; None where probes are off."""
    if settings.probes.every_s <= 0:
        return None
    items = probe_items(settings.probes)
    return Prober(settings.service.url, [b.id for b in settings.backbones], settings.probes, items)


def build_judging(settings: Settings, metrics: Metrics) -> Judging | None:
    """The judge model of a configuration; None where there is none."""
    if not settings.judge.url:
        return None
    spool = Spool(settings.events.folder / "spool", "judge", fsync=settings.events.fsync)
    return Judging(
        settings.judge, Store(connect(settings.events.url())), picture_store(settings),
        Recording(spool, metrics).word, judge_client(settings.judge), time.time,
    )  # fmt: skip


def start_experiments(settings: Settings) -> None:
    """Start the experiments that the configuration names, unless they are there already."""
    if not settings.experiments:
        return
    store = Store(connect(settings.events.url()))
    register = Register(store)
    for spec in settings.experiments:
        with suppress(ExperimentError):
            register.create(spec, time.time())
    store.close()
