"""What the OpenAPI document says of bodies that the handlers read themselves."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from serving.error_schema import ERROR_SCHEMA, REFUSALS
from serving.wire import ChatRequest


def add_schemas(api: FastAPI) -> None:
    """Put the request's parts into the document; the handler reads the body itself."""
    plain = api.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        reference = "#/components/schemas/{model}"
        known = ChatRequest.model_json_schema(ref_template=reference).get("$defs", {})
        document.setdefault("components", {}).setdefault("schemas", {}).update(known)
        return document

    api.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way


def _inlined(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a model without `$defs`, so that it stands alone in the document."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return {k: v for k, v in schema.items() if k != "$defs"}


def chat_body() -> dict[str, Any]:
    """The body of a chat completion."""
    content = {"application/json": {"schema": _inlined(ChatRequest)}}
    return {"requestBody": {"required": True, "content": content}}


def chat_refusals() -> dict[int | str, dict[str, Any]]:
    """How a chat completion may be refused."""
    return {
        status: {"description": text, "content": {"application/json": {"schema": ERROR_SCHEMA}}}
        for status, text in REFUSALS.items()
    }
