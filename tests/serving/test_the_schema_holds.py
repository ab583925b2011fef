"""/api/schema: valid OpenAPI, and what thousands of made-up requests are answered is what it says."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from tests.parts import ROOT
from tests.running import RunningServer
from tests.serving.conftest import NewServer

pytestmark = [pytest.mark.timeout(240), pytest.mark.any_database]

SECONDS = 30
# A stream doesn't end, and a token that is rotated is no longer the one that the others are asked with.
LEFT_OUT = ("/api/sync/events", "/api/devices/rotate")


@pytest.fixture(scope="module")
def server(new_server: NewServer) -> Iterator[RunningServer]:
    with new_server() as running:
        yield running.until_ready()


def test_it_is_openapi_and_every_operation_says_how_it_refuses(server: RunningServer) -> None:
    schema = httpx.get(f"{server.url}/api/schema?format=json", timeout=60).json()

    assert [str(error) for error in OpenAPIV30SpecValidator(schema).iter_errors()] == []
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            expected = {"400", "429", "503"} | ({"401", "403"} if operation["security"] else set())
            assert expected <= set(operation["responses"]), f"{method} {path}"
    assert "410" in schema["paths"]["/api/sync/{resource}/changes"]["get"]["responses"], "few epochs lead there"


def test_what_is_refused_is_not_offered(server: RunningServer) -> None:
    """Unknown keys, a decimal without digits, an order that there isn't; what is taken is: a number for a decimal."""
    schema = httpx.get(f"{server.url}/api/schema?format=json", timeout=60).json()
    product = schema["components"]["schemas"]["ProductRequest"]
    ordering = next(one for one in schema["paths"]["/api/tags"]["get"]["parameters"] if one["name"] == "ordering")
    price, number = product["properties"]["price"]["anyOf"]

    assert product["additionalProperties"] is False
    assert number == {"type": "number"}
    assert schema["components"]["schemas"]["EnrollRequest"]["additionalProperties"] is False
    for pattern, good, bad in (
        (price["pattern"], ("1", "12.50"), ("", ".", "1.", "1e3")),
        (ordering["schema"]["pattern"], ("", "name", "-name,id"), ("price", "name,", "--name")),
    ):
        assert all(re.search(pattern, text) for text in good)
        assert not any(re.search(pattern, text) for text in bad)


def test_nothing_is_answered_that_it_does_not_say(server: RunningServer) -> None:
    token = server.manage("enroll_device", "Fuzz", "--upload", "--manage").split()[-1]
    left_out = [word for path in LEFT_OUT for word in ("--exclude-path", path)]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli"),
            *("--config-file", str(ROOT / "tests/serving/schemathesis.toml"), "run", f"{server.url}/api/schema"),
            *("--header", f"Authorization: Bearer {token}", *left_out, "--max-time", str(SECONDS)),
            *("--no-color", "--no-shrink", "--warnings", "off", "--request-timeout", "30", "--continue-on-failure"),
            *("--max-examples", "10", "--generation-database", "none", "--wait-for-schema", "30", "--seed", "1"),
        ],
        cwd=server.data,
        env={**os.environ, "PYTHONWARNINGS": "default"},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )

    told = done.stdout + done.stderr
    assert done.returncode == 0, told[-8000:]
    generated = re.search(r"(\d+) generated", told)
    assert generated is not None, told[-2000:]
    assert int(generated.group(1)) > 300
