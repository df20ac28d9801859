"""Probes: labelled questions asked of every backbone at a trickle, apart from users' traffic."""

import asyncio
import itertools
import logging
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from threading import Event
from typing import Any

import httpx

from evaluation.offline import Item, read_jsonl
from serving.beside_settings import Probes
from serving.commands.ask import question_body
from serving.parsing import PROBE_HEADER
from serving.settings import SettingsError

_log = logging.getLogger(__name__)


def probe_items(settings: Probes) -> list[tuple[str, Item]]:
    """The items of every labelled set of a configuration, in turn, with the set's name.

    Raises:
        SettingsError: a set is neither one that an installed package offers nor a JSONL file.
    """
    sets = [[(Path(d).stem, item) for item in _items(d, settings.items)] for d in settings.datasets]
    return [one for turn in itertools.zip_longest(*sets) for one in turn if one is not None]


def _items(dataset: str, most: int) -> list[Item]:
    named = {e.name: e for e in entry_points(group="barn.datasets")}
    if dataset in named:
        found: Callable[[int], list[Item]] = named[dataset].load()
        return found(most)
    path = Path(dataset)
    if not path.is_file():
        raise SettingsError(f"probes.datasets: no labelled set or file {dataset!r}")
    return read_jsonl(path)[:most]


class Prober:
    """Asks one item of every backbone each period, and says the truth about the answers."""

    def __init__(
        self,
        url: str,
        backbones: Sequence[str],
        settings: Probes,
        items: Sequence[tuple[str, Item]],
    ) -> None:
        self._url = url
        self._backbones = tuple(backbones)
        self._settings = settings
        self._items = itertools.cycle(items)

    def run(self, stop: Event) -> None:
        """Probe until `stop` is set; a service that does not answer is asked again later."""
        while not stop.wait(self._settings.every_s):
            try:
                asyncio.run(self.once())
            except Exception:  # noqa: BLE001 - the thread must live; the log says what it was
                _log.exception("probing failed; it goes on")

    async def once(self) -> None:
        """Ask the next item of every backbone, one after the other."""
        probe_set, item = next(self._items)
        headers = {PROBE_HEADER: probe_set}
        if key := self._settings.api_key.get_secret_value():
            headers["authorization"] = f"Bearer {key}"
        async with httpx.AsyncClient(base_url=self._url, headers=headers, timeout=60) as client:
            for backbone in self._backbones:
                try:
                    await self._ask(client, backbone, item)
                except (httpx.HTTPError, KeyError, ValueError) as error:
                    _log.warning("a probe of %s was not answered: %r", backbone, error)

    @staticmethod
    async def _ask(client: httpx.AsyncClient, backbone: str, item: Item) -> None:
        body = question_body(item, backbone, 24)
        told = (await client.post("/v1/chat/completions", json=body)).json()
        word: dict[str, Any] = {"request_id": told["id"], "source": "rule"}
        word["truth"] = list(item.references)
        if item.choices:
            word["choices"] = list(item.choices)
        if item.metric is not None:
            word["metric"] = item.metric
        (await client.post("/v1/feedback", json=word)).raise_for_status()
