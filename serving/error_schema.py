"""What the OpenAPI document says of errors: the statuses, and the body that all of them have."""

from typing import Any

REFUSALS = {
    400: "The request, or a picture in it, cannot be understood; or the prompt is too long.",
    401: "No API key, or one that is not known.",
    403: "The key may not ask this model.",
    404: "No backbone of that name.",
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
