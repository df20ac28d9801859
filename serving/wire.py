"""What a client may send: OpenAI's chat completion request, as the current client speaks it."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _only(*neutral: object) -> BeforeValidator:
    """Accept a parameter we do not implement only where it changes nothing."""

    def check(value: object) -> object:
        if value is not None and (value not in neutral or isinstance(value, bool)):
            allowed = " or ".join(repr(v) for v in neutral) or "null"
            raise ValueError(f"not supported here; leave it out or send {allowed}")
        return value

    return BeforeValidator(check)


class TextPart(_Wire):
    """Some text of a message."""

    type: Literal["text"]
    text: str


class ImageUrl(_Wire):
    """A data URL, or http(s) where the configuration allows the host."""

    url: str = Field(min_length=1)
    detail: Literal["auto", "low", "high", "original"] | None = None


class ImagePart(_Wire):
    """A picture of a message."""

    type: Literal["image_url"]
    image_url: ImageUrl


Part = Annotated[TextPart | ImagePart, Field(discriminator="type")]


class Message(_Wire):
    """One turn of the conversation."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | tuple[Part, ...]
    name: str | None = None
    # what the client's own answer objects carry when they are sent back as a turn
    refusal: Annotated[str | None, _only()] = None
    annotations: Annotated[list[Any] | None, _only([])] = None
    audio: Annotated[dict[str, Any] | None, _only()] = None
    function_call: Annotated[dict[str, Any] | None, _only()] = None
    tool_calls: Annotated[list[Any] | None, _only([])] = None


class StreamOptions(_Wire):
    """What a stream carries besides the answer."""

    include_usage: bool = False
    include_obfuscation: bool | None = None


class Wishes(_Wire):
    """Barn's own part of a request (`extra_body={"barn": {…}}` in the openai client)."""

    deadline_ms: int | None = Field(None, ge=1, le=3_600_000, description="504 when it passes")
    quality: float | None = Field(None, ge=0, le=1, description="0 the cheapest, 1 the best")
    max_cost: float | None = Field(None, ge=0, description="dollars for this request")


class ChatRequest(_Wire):
    """The body of POST /v1/chat/completions."""

    model: str = Field(min_length=1, description="`auto`, or the id of a backbone")
    messages: tuple[Message, ...] = Field(min_length=1)
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    stop: str | tuple[str, ...] | None = None
    seed: int | None = Field(None, ge=-(2**63), lt=2**63)
    n: Annotated[Literal[1] | None, _only(1)] = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=20)
    user: str | None = Field(None, max_length=256)
    barn: Wishes = Wishes()
    # Accepted where they change nothing, so that a client's defaults do no harm.
    frequency_penalty: Annotated[float | None, _only(0)] = None
    presence_penalty: Annotated[float | None, _only(0)] = None
    logit_bias: Annotated[dict[str, float] | None, _only({})] = None
    response_format: Annotated[dict[str, Any] | None, _only({"type": "text"})] = None
    tools: Annotated[list[Any] | None, _only([])] = None
    tool_choice: Annotated[str | None, _only("none", "auto")] = None
    parallel_tool_calls: bool | None = None
    modalities: Annotated[list[str] | None, _only(["text"])] = None
    metadata: dict[str, str] | None = None
    store: bool | None = None
    service_tier: str | None = None
    safety_identifier: str | None = Field(None, max_length=256)
    prompt_cache_key: str | None = None
