"""Schemathesis against the service's own OpenAPI document: no input is its own fault."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.transport import DEFAULT_RESPONSE_TIMEOUT

from tests.system.conftest import Service

pytestmark = [pytest.mark.ray, pytest.mark.timeout(300)]


@pytest.fixture
def api_schema(service: Service) -> schemathesis.BaseSchema:
    document = schemathesis.openapi.from_url(f"{service.url}/openapi.json")
    return document.exclude(path="/v1/table", method="PUT").exclude(path="/v1/table/undo")


schema = schemathesis.pytest.from_fixture("api_schema")


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_no_input_is_our_fault(case: Any) -> None:
    case.call_and_validate(checks=[not_a_server_error], timeout=DEFAULT_RESPONSE_TIMEOUT)
