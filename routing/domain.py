"""The words the whole service speaks. Nothing here does I/O.

Units: time in seconds, money in US dollars, pictures in pixels, text in tokens.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from math import inf
from typing import NewType

ModelId = NewType("ModelId", str)
RequestId = NewType("RequestId", str)
DRAWN = "the draw went the other way"
"""Why a backbone lost that the policy preferred, or liked as much."""
USUAL_ROOM = 32
"""Tokens of context that an answer about a picture seldom needs more than."""


class Family(StrEnum):
    """What a task leans on: the eyes (`vision`) or the language backbone (`reasoning`)."""

    VISION = "vision"
    REASONING = "reasoning"


class Task(StrEnum):
    """What the asker wants; each task names the public benchmarks it mirrors."""

    RECOGNITION = "recognition"  # what is this? VQAv2, MME-perception, SEED
    ATTRIBUTE = "attribute"  # what colour is it? VQAv2, GQA attributes
    COUNTING = "counting"  # how many? VQAv2 number, TallyQA, CV-Bench count
    SPATIAL = "spatial"  # where, left of? GQA relations, CV-Bench, VSR
    OCR = "ocr"  # what does it say? TextVQA, ST-VQA, OCRBench
    EXTRACTION = "extraction"  # which value stands in this field? DocVQA, FUNSD, SROIE
    CAPTIONING = "captioning"  # describe it. COCO captions, Flickr30k
    EXISTENCE = "existence"  # is there a …? POPE, MME existence
    ARITHMETIC = "arithmetic"  # compute. CLEVR-Math, MathVista word problems, TabMWP
    GEOMETRY = "geometry"  # angles and lengths. Geometry3K, GEOS, UniGeo
    CHART = "chart"  # reason over a chart or table. ChartQA, FigureQA, PlotQA, DVQA
    SCIENCE = "science"  # textbook questions. ScienceQA, AI2D, TQA, MMMU
    MULTI_HOP = "multi_hop"  # several steps or conditions. GQA compositional, Super-CLEVR
    COMMONSENSE = "commonsense"  # why, what might happen? A-OKVQA, VCR
    CODE = "code"  # programs and diagrams. MME code, HumanEval-V
    KNOWLEDGE = "knowledge"  # facts that are not in the picture. OK-VQA, KVQA, InfoSeek
    CHAT = "chat"  # no picture at all

    @property
    def family(self) -> Family:
        """The family this task belongs to."""
        return Family.VISION if self in _VISION_HEAVY else Family.REASONING


_VISION_HEAVY = frozenset(
    {
        Task.RECOGNITION,
        Task.ATTRIBUTE,
        Task.COUNTING,
        Task.SPATIAL,
        Task.OCR,
        Task.EXTRACTION,
        Task.CAPTIONING,
        Task.EXISTENCE,
    }
)


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What routing may know about a picture: cheap statistics of a small copy, each in [0, 1].

    `colours`: share of the 4,096 coarse colours that occur; `edges`: share of strong gradients;
    `lines`: share of rows and columns that hold a long straight edge; `flat`: share of the most
    common coarse colour; `text`: likeness to writing; `chart`: likeness to a chart or diagram.
    """

    width_px: int
    height_px: int
    colours: float = 0.0
    edges: float = 0.0
    lines: float = 0.0
    flat: float = 0.0
    text: float = 0.0
    chart: float = 0.0


@dataclass(frozen=True, slots=True)
class Query:
    """A conversation as routing sees it: what was asked last, and how large it all is.

    `prompt_tokens` differs by tokenizer, so it is given per backbone; image tokens are included.
    `max_new_tokens` must fit beside the prompt where the asker has named it; where not, the answer
    gets what room there is, and `room_tokens` of it are enough.
    """

    text: str
    images: tuple[ImageFacts, ...] = ()
    earlier: tuple[str, ...] = ()  # the user's earlier turns, oldest first
    user: str | None = None
    prompt_tokens: dict[ModelId, int] = field(default_factory=dict)
    max_new_tokens: int = 256
    named_limit: bool = False

    @property
    def room_tokens(self) -> int:
        """Tokens of context that must be free behind the prompt."""
        return self.max_new_tokens if self.named_limit else min(self.max_new_tokens, USUAL_ROOM)


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One backbone the service hosts, with the limits it must not be sent past.

    `price_in`, `price_out`: dollars per 1,000 prompt and completion tokens.
    """

    id: ModelId
    generation: str
    context_tokens: int
    max_images: int
    price_in: float = 0.0
    price_out: float = 0.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What the asker wants of a choice.

    `quality` is the dial in [0, 1]: 0 asks for the cheapest, 1 for the best whatever it costs.
    `max_cost` is in dollars and `deadline_s` in seconds; infinity means no limit.
    """

    quality: float = 0.5
    max_cost: float = inf
    deadline_s: float = inf

    def told(self) -> dict[str, float]:
        """The limits that there are, as events keep them; `Limits(**told)` gives them back."""
        every = {"quality": self.quality, "max_cost": self.max_cost, "deadline_s": self.deadline_s}
        return {name: value for name, value in every.items() if value < inf}


@dataclass(frozen=True, slots=True)
class Load:
    """How busy a backbone is: requests under way and waiting, and how many it takes at once.

    `recent_s` is what answers took of late, in seconds; 0 when there were none.
    """

    ongoing: int = 0
    capacity: int = 1
    healthy: bool = True
    recent_s: float = 0.0

    @property
    def saturated(self) -> bool:
        """No room: another request would wait."""
        return self.ongoing >= self.capacity


@dataclass(frozen=True, slots=True)
class Offer:
    """What one backbone would give for one query.

    `accuracy` is the expected probability that its answer is right, `cost` the expected dollars,
    `latency_s` the expected seconds to the whole answer, `utility` what the dial makes of them.
    """

    card: "ModelCard"
    accuracy: float
    cost: float
    latency_s: float
    utility: float
    evidence: float = 2.0  # answers behind the expected accuracy


@dataclass(frozen=True, slots=True)
class Decision:
    """Which backbone answers, why, and how likely that choice was.

    `propensity` is the probability in (0, 1] with which the policy picked `model` at that
    moment. Off-policy estimates divide by it, so it is recorded, never reconstructed.
    """

    model: ModelId
    task: Task
    propensity: float
    policy: str
    reason: str
    table_version: int = 0
    offers: tuple[Offer, ...] = ()
    losers: tuple[tuple[ModelId, str], ...] = ()  # why each other backbone was not chosen
    able: tuple[ModelId, ...] = ()  # whom limits and load allowed

    @property
    def family(self) -> Family:
        """The family of the task."""
        return self.task.family

    @property
    def drawn(self) -> bool:
        """Whether chance chose a backbone that the policy did not prefer."""
        return any(why == DRAWN for _, why in self.losers)


@dataclass(frozen=True, slots=True)
class Feedback:
    """How well a decision turned out: `reward` in [0, 1], higher is better."""

    model: ModelId
    task: Task
    reward: float
