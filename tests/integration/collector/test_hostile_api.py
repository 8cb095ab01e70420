"""Hostile input on every route of the API, made by schemathesis from the application's own OpenAPI document."""

from collections.abc import Generator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import checks
from schemathesis.specs.openapi import checks as openapi_checks

from tests.integration.collector.application import application
from tests.processes import Running, bare_collector, get

_SCHEMA: Any = schemathesis.openapi.from_dict(application().openapi())
OPERATIONS: dict[str, Any] = {
    f"{found.ok().method.upper()} {found.ok().path}": found.ok() for found in _SCHEMA.get_all_operations()
}
_OPENAPI: Any = openapi_checks
_CHECKS: Any = [
    checks.not_a_server_error,
    _OPENAPI.status_code_conformance,
    _OPENAPI.response_schema_conformance,
]
_SETTINGS = settings(
    max_examples=10, deadline=None, derandomize=True, database=None, suppress_health_check=[*HealthCheck]
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Running]:
    """A collector without keys, so that what is made reaches the routes; afterwards it is up and sound."""
    with bare_collector(tmp_path_factory.mktemp("hostile-api")) as started:
        yield started
        assert get(f"{started.url}/readyz")["faults"] == []
        assert "Traceback" not in started.log.read_text()


@pytest.mark.parametrize("operation", list(OPERATIONS))
def test_routes_answer_what_they_document(running: Running, operation: str) -> None:
    """Values of every type, length and alphabet, right and wrong: a documented answer, never a fault of ours."""

    @_SETTINGS
    @given(OPERATIONS[operation].as_strategy())
    def send(case: Any) -> None:
        response = case.call(base_url=running.url, session=session, timeout=60)
        if response.status_code == 503:
            assert 1 <= int(response.headers["retry-after"][0]) <= 3
        else:
            case.validate_response(response, checks=_CHECKS)

    with requests.Session() as session:
        send()
