"""What deploy/ says of containers: no known secret, no demo, nobody but this machine, a bound on what each takes."""

import re
import shlex
from typing import Any

import pytest
import yaml

from tests.parts import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SECRET = re.compile(r"KEY|PASSWORD|AUTH|URL")


def test_the_image_serves_without_the_demo_and_its_base_is_pinned() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()

    assert re.fullmatch(r"ARG BASE=python:\d+\.\d+\.\d+-slim-\w+", next(line for line in lines if line[:3] == "ARG"))
    assert [line for line in lines if line.startswith("FROM")] == ["FROM ${BASE}"]
    assert lines[-1] == 'CMD ["python", "manage.py", "serve", "--no-demo"]'
    assert "USER redcoral" in lines
    assert any(line.startswith("HEALTHCHECK ") for line in lines)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_is_bounded_pinned_and_has_no_known_secret(name: str) -> None:
    service = SERVICES[name]

    assert service["mem_limit"]
    assert "build" in service or re.fullmatch(r"[\w/]+:\d+\.\d+(\.\d+)?", service["image"])
    for variable, value in service.get("environment", {}).items():
        if SECRET.search(variable):
            assert re.search(r"\$\{\w+:\?\}", value), f"{variable} of {name} starts with {value}"
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert "serve" not in shlex.split(str(service.get("command", "")))


def test_what_others_wait_for_says_when_it_is_healthy() -> None:
    awaited = {
        other
        for service in SERVICES.values()
        for other, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_healthy"
    }
    assert awaited == {"database", "broker"}
    assert all("test" in SERVICES[name]["healthcheck"] for name in (*awaited, "web"))
