"""What the operator configures of that which runs beside the answers."""

from pydantic import Field, SecretStr

from serving.frozen import Frozen


class Shadow(Frozen):
    """What shadow copies may cost."""

    queue: int = Field(64, ge=1)
    concurrency: int = Field(2, ge=1)
    admit_below: float = Field(0.25, gt=0, le=1, description="share of capacity in use")
    patience_s: float = Field(10, ge=0)


class Evaluation(Frozen):
    """How the evaluator works."""

    refit_every_s: float = Field(3600, gt=0)
    guard_every_s: float = Field(
        5, gt=0, description="longer where it takes more than a tenth of that"
    )
    retention_days: float = Field(0, ge=0, description="0 keeps everything")
    most_events: int = Field(0, ge=0, description="the newest that are kept; 0 keeps everything")
    most_megabytes: float = Field(
        0, ge=0, description="about what the newest that are kept may take; 0 keeps everything"
    )


class Probes(Frozen):
    """Labelled questions asked of every backbone at a trickle; off unless `every_s` is set."""

    every_s: float = Field(0, ge=0, description="seconds between two items; 0: off")
    datasets: tuple[str, ...] = Field(
        ("easy-vqa", "synthetic"), min_length=1, description="by name, or JSONL files; in turn"
    )
    items: int = Field(500, ge=1, description="of each")
    api_key: SecretStr = Field(SecretStr(""), description="an operator's, where there are keys")


class JudgeModel(Frozen):
    """A model that grades answers; off unless `url` is set. It needs `events.pictures`."""

    url: str = Field("", description="of an OpenAI-compatible API, e.g. http://judge:8000/v1")
    model: str = ""
    api_key: SecretStr = SecretStr("")
    share: float = Field(0.1, gt=0, le=1, description="of the answers")
    every_s: float = Field(5, gt=0)
    most: int = Field(8, ge=1, description="answers judged each period, at most")
