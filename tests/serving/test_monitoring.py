"""deploy/alerts.yml and deploy/dashboard.json: PromQL that parses, about numbers that /metrics has."""

import json
import re
from typing import Any

import promql_parser
import pytest
import yaml
from django.test import Client

from tests.parts import ROOT

RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((ROOT / "deploy/alerts.yml").read_text())["groups"] for rule in group["rules"]
]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/dashboard.json").read_text())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
EXPRESSIONS = [rule["expr"] for rule in RULES] + [ask["expr"] for panel in PANELS for ask in panel["targets"]]
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count")}


@pytest.fixture
def series() -> set[str]:
    """The names of all that /metrics has, without a value too."""
    text = Client().get("/metrics").content.decode()
    kinds = re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE)
    return {name + suffix for name, kind in kinds for suffix in SUFFIXES.get(kind, ("",))}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_is_promql(expression: str) -> None:
    promql_parser.parse(expression)


def test_what_is_no_promql_is_refused() -> None:
    with pytest.raises(ValueError, match="unclosed left parenthesis"):
        promql_parser.parse("sum by (rate(redcoral_requests_total[5m])")


@pytest.mark.django_db
def test_each_number_is_one_that_metrics_has(series: set[str]) -> None:
    asked = {name for expression in EXPRESSIONS for name in re.findall(r"\bredcoral_\w+", expression)}

    # A pool is PostgreSQL's.
    assert asked - series <= {"redcoral_pool_connections"}
    assert len(asked) >= 20


def test_an_alert_says_what_it_is_how_bad_and_what_to_do() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES) >= 12
    for rule in RULES:
        assert re.fullmatch(r"\d+[mh]", rule["for"]), rule["alert"]
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert set(rule["annotations"]) == {"summary", "description"}


def test_no_panel_lies_on_another() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in PANELS]

    assert len(set(places)) == len(PANELS)
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
