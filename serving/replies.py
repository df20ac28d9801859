"""From an answer to OpenAI's reply: the completion object, and the chunks of a stream."""

from typing import Any

from evaluation.records import Answer
from routing.domain import ModelId
from serving.engines.base import Piece, Token
from serving.reply import Reply

Json = dict[str, Any]


def barn_part(reply: Reply) -> Json:
    """What Barn says about an answer; `confidence` is null until the answer is complete."""
    told = reply.outcome[0] if reply.outcome else None
    decision, scores = reply.decision, reply.case.scores
    answer = told if isinstance(told, Answer) else None
    part = {
        "request_id": reply.request_id,
        "task": decision.task.value,
        "family": scores.family.value,
        "backbone": decision.model,
        "policy": decision.policy,
        "propensity": decision.propensity,
        "reason": decision.reason,
        "confidence": answer and answer.confidence,
        "calibrated_confidence": answer and reply.calibrated(answer, decision.model),
        "cost": answer and answer.cost,
        "table_version": decision.table_version,
        "tasks": scores.top(),
        "backbones": _offers(reply),
    }
    for name, model, other in (
        ("first", reply.first_model, reply.first_try),
        ("second", reply.second_model, reply.second_try),
    ):
        if model is not None and other is not None:
            part["cascade"] = _try(reply, name, model, other)
    return part


def _try(reply: Reply, name: str, model: ModelId, told: Answer) -> Json:
    """A cascade's answer that was not given."""
    return {
        name: model,
        "answer": told.text,
        "confidence": told.confidence,
        "calibrated_confidence": reply.calibrated(told, model),
        "cost": told.cost,
    }


def _offers(reply: Reply) -> Json:
    """Per backbone what it would give, and why it was not chosen."""
    why = dict(reply.decision.losers)
    told: Json = {
        o.card.id: {
            "expected_accuracy": round(o.accuracy, 4),
            "expected_cost": o.cost,
            "expected_latency_s": round(o.latency_s, 4),
            "utility": round(o.utility, 4),
            "why_not": why.get(o.card.id),
        }
        for o in reply.decision.offers
    }
    return told | {m: {"why_not": text} for m, text in why.items() if m not in told}


def headers(reply: Reply) -> dict[str, str]:
    """The same as response headers, where HTTP headers can carry it."""
    part = barn_part(reply)
    return {
        f"x-barn-{name.replace('_', '-')}": str(value).encode("ascii", "replace").decode()
        for name, value in part.items()
        if value is not None and not isinstance(value, dict)
    }


def completion(reply: Reply, created: int, *, logprobs: bool) -> Json:
    """A whole `chat.completion`."""
    told = reply.outcome[0]
    if not isinstance(told, Answer):
        raise TypeError(f"a reply without an answer: {told}")  # the gateway raised before this
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": told.text, "refusal": None},
        "finish_reason": told.finish_reason,
        "logprobs": _logprobs(reply.transcript.tokens) if logprobs else None,
    }
    return {
        **_head(reply, "chat.completion", created),
        "choices": [choice],
        "usage": usage(told, reply),
    } | {"barn": barn_part(reply)}


def chunk(reply: Reply, piece: Piece, created: int, *, first: bool, logprobs: bool) -> Json:
    """One `chat.completion.chunk`; the one that ends the answer carries the `barn` object."""
    delta: Json = {"role": "assistant"} if first else {}
    if piece.text or first:
        delta["content"] = piece.text
    choice = {
        "index": 0,
        "delta": delta,
        "finish_reason": piece.finish_reason,
        "logprobs": _logprobs(piece.tokens) if logprobs else None,
    }
    body = {**_head(reply, "chat.completion.chunk", created), "choices": [choice]}
    return body | ({"barn": barn_part(reply)} if piece.finish_reason else {})


def usage_chunk(reply: Reply, created: int) -> Json:
    """The chunk without choices that `stream_options.include_usage` asks for."""
    told = reply.outcome[0] if reply.outcome else None
    counted = usage(told, reply) if isinstance(told, Answer) else None
    body = {**_head(reply, "chat.completion.chunk", created), "choices": [], "usage": counted}
    return body | {"barn": barn_part(reply)}


def usage(told: Answer, reply: Reply) -> Json:
    """Token counts, both answers of a cascade; image tokens are part of the prompt's."""
    tries = [t for t in (told, reply.first_try, reply.second_try) if t is not None]
    prompt = sum(t.prompt_tokens for t in tries)
    completion = sum(t.completion_tokens for t in tries)
    counted: Json = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    for name, other in (("first", reply.first_try), ("second", reply.second_try)):
        if other is not None:
            spent = {"prompt": other.prompt_tokens, "completion": other.completion_tokens}
            counted[f"barn_{name}_try_tokens"] = spent
    return counted


def tokens(reply: Reply) -> int:
    """The tokens that an answer has cost so far, complete or not."""
    told = reply.outcome[0] if reply.outcome else None
    if isinstance(told, Answer):
        return int(usage(told, reply)["total_tokens"])
    return len(reply.transcript.tokens)


def _head(reply: Reply, kind: str, created: int) -> Json:
    return {
        "id": f"chatcmpl-{reply.request_id}",
        "object": kind,
        "created": created,
        "model": reply.decision.model,
        "system_fingerprint": reply.decision.policy,
    }


def _logprobs(tokens: list[Token] | tuple[Token, ...]) -> Json:
    return {
        "content": [
            {
                **_token(token.text, token.logprob),
                "top_logprobs": [_token(text, logprob) for text, logprob in token.top],
            }
            for token in tokens
        ],
        "refusal": None,
    }


def _token(text: str, logprob: float) -> Json:
    return {"token": text, "logprob": max(logprob, -9999.0), "bytes": list(text.encode())}
