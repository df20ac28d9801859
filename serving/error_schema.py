"""Errors as clients see them: the statuses, OpenAI's body, and what the document says of both."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

from serving.errors import ServiceError

REFUSALS = {
    400: "The request, or a picture in it, cannot be understood; or the prompt is too long.",
    401: "No API key, or one that is not known.",
    403: "The key may not ask this model.",
    404: "No backbone of that name.",
    408: "The body did not come in time.",
    413: "The body or a picture is too large.",
    415: "The bytes are no picture that is read here.",
    422: "No hosted backbone can take it.",
    429: "Every able replica is busy; see Retry-After.",
    502: "The backbone failed while answering.",
    503: "The backbone is down.",
    504: "The answer did not come within the deadline.",
}
ERROR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": "string"},
            },
        }
    },
}


def error_response(
    error: ServiceError, status: int | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """An error as a whole response; `status` where it is not the error's own."""
    body = orjson.dumps(error_body(error))
    return Response(body, status or error.status, headers, "application/json")


def error_body(error: ServiceError) -> dict[str, Any]:
    """OpenAI's error object."""
    return {
        "error": {
            "message": str(error),
            "type": error.kind,
            "param": error.param,
            "code": error.code,
        }
    }
