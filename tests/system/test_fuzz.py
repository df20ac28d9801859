"""Schemathesis against the service's own OpenAPI document: no input is its own fault."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error

from tests.system.conftest import Service

pytestmark = [pytest.mark.ray, pytest.mark.timeout(300)]
LEFT_ALONE = {("PUT", "/v1/table"), ("POST", "/v1/table/undo")}  # other tests need the table


def test_no_input_is_our_fault(service: Service) -> None:
    schema: Any = schemathesis.openapi.from_url(f"{service.url}/openapi.json")
    tried = set()
    for found in schema.get_all_operations():
        operation = found.ok()
        if (operation.method.upper(), operation.path) in LEFT_ALONE:
            continue
        tried.add(operation.path)

        @given(case=operation.as_strategy())
        @settings(
            max_examples=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        def check(case: Any) -> None:
            case.call_and_validate(checks=[not_a_server_error], timeout=30)

        check()
    assert {"/v1/chat/completions", "/v1/feedback", "/v1/quality", "/v1/experiments"} <= tried
