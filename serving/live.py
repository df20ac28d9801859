"""How busy every backbone is right now: what this front end sent, and what replicas report."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from routing.domain import Load, ModelId
from serving.errors import BackboneDownError, DeadlineError

RECENT_S = 30.0
"""How long a measured latency counts as the current one."""
_WEIGHT = 0.2
"""Of the newest answer in the current latency."""
DOWN_FOR_S = 2.0
"""How long a backbone that refused is not asked again while another can answer."""


class Loads:
    """Counts requests under way per backbone; belongs to one event loop.

    `capacity` is that of one replica: a backbone has room for what the replicas that there are can
    take, not for what those could that it may be scaled to.
    """

    def __init__(self, capacity: Mapping[ModelId, int], clock: Callable[[], float]) -> None:
        self._capacity = dict(capacity)
        self._replicas = dict.fromkeys(capacity, 1)
        self._clock = clock
        self._ours: dict[ModelId, int] = dict.fromkeys(capacity, 0)
        self._reported: dict[ModelId, int] = dict.fromkeys(capacity, 0)
        self._recent: dict[ModelId, tuple[float, float]] = {}  # when, and seconds
        self._down_until: dict[ModelId, float] = dict.fromkeys(capacity, -math.inf)
        self._absent: set[ModelId] = set()

    @contextmanager
    def under_way(self, model: ModelId) -> Iterator[None]:
        """Count one request for as long as the context lasts; how long it was too slow counts too.

        Raises:
            BackboneDownError: no replica is there.
        """
        if model in self._absent:
            raise BackboneDownError(f"{model} is down")
        self._ours[model] += 1
        began_s = self._clock()
        try:
            yield
        except DeadlineError:
            self._late(model, self._clock() - began_s)
            raise
        finally:
            self._ours[model] -= 1

    def reported(self, model: ModelId, ongoing: int, replicas: int) -> None:
        """Take note of what a backbone's replicas say: requests of every front end."""
        self._reported[model] = ongoing
        self._replicas[model] = max(1, replicas)
        self._absent.discard(model)

    def gone(self, model: ModelId) -> None:
        """Take note that no replica of a backbone is there: what is sent to it waits in vain."""
        self._reported[model] = 0
        self._absent.add(model)

    def absent(self, model: ModelId) -> bool:
        """Whether no replica was there when it was last looked."""
        return model in self._absent

    def ours(self, model: ModelId) -> int:
        """Requests that this front end has sent to a backbone and that have not ended."""
        return self._ours[model]

    def taken(self, model: ModelId) -> int:
        """Requests that a backbone's replicas have under way, of every front end."""
        return self._reported[model]

    def under_way_now(self) -> int:
        """Requests of this front end at all backbones."""
        return sum(self._ours.values())

    def took(self, model: ModelId, seconds: float) -> None:
        """Take note of how long an answer took: a moving average, so that one outlier is none."""
        moment = self._clock()
        at, before = self._recent.get(model, (-math.inf, seconds))
        known = before if moment - at <= RECENT_S else seconds
        self._recent[model] = moment, known + _WEIGHT * (seconds - known)

    def _late(self, model: ModelId, seconds: float) -> None:
        """Take note that an answer had not come after so long: it takes at least that."""
        moment = self._clock()
        self._recent[model] = moment, max(seconds, self._recent_s(model, moment))

    def refused(self, model: ModelId) -> None:
        """Take note that a backbone is down."""
        self._down_until[model] = self._clock() + DOWN_FOR_S

    def now(self) -> dict[ModelId, Load]:
        """The load of every backbone; the larger of both counts, since reports lag behind."""
        moment = self._clock()
        return {
            model: Load(
                ongoing=max(self._ours[model], self._reported[model]),
                capacity=capacity * self._replicas[model],
                healthy=moment >= self._down_until[model] and model not in self._absent,
                recent_s=self._recent_s(model, moment),
            )
            for model, capacity in self._capacity.items()
        }

    def _recent_s(self, model: ModelId, moment: float) -> float:
        at, seconds = self._recent.get(model, (-math.inf, 0.0))
        return seconds if moment - at <= RECENT_S else 0.0

    def share(self, model: ModelId) -> float:
        """How full one backbone is, in [0, 1] and above."""
        load = self.now()[model]
        return load.ongoing / load.capacity
