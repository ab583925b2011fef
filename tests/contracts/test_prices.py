"""docs/prices.md: its cases, and random ones, come out the same in Python and in the browser's library."""

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from tests.contracts.reference_prices import Case, play
from tests.parts import ROOT, missing

PLAYER = ROOT / "clients" / "browser" / "tests" / "prices" / "player.js"
SECONDS = 60  # that node has to end

PlayAll = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


@cache
def contract() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = yaml.safe_load(Path(__file__).with_name("prices.yaml").read_text())
    return loaded


def whole(asked: Case) -> dict[str, Any]:
    """The case with all that it doesn't name."""
    over = contract()["given"]
    case = {**over, **asked}
    groups = [{**over["group"], **group} for group in case["groups"]]
    return {
        **case,
        "product": {**over["product"], **asked.get("product", {})},
        "rules": [{**over["rule"], **rule} for rule in case["rules"]],
        "categories": [{**over["category"], **category} for category in case["categories"]],
        "groups": [
            {**group, "options": [{**over["option"], **option} for option in group["options"]]} for group in groups
        ],
    }


@pytest.fixture(scope="module")
def browser() -> Iterator[PlayAll]:
    """The browser's library in one process of node: a line of JSON for each case, and one for what came out."""
    node = shutil.which("node")
    if node is None:
        missing("node")
    process = subprocess.Popen([str(node), str(PLAYER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    asked, answered = process.stdin, process.stdout

    def play_all(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
        asked.write("".join(json.dumps(case) + "\n" for case in cases))
        asked.flush()
        return [json.loads(answered.readline()) for _case in cases]

    yield play_all
    asked.close()
    assert process.wait(timeout=SECONDS) == 0
    answered.close()


@pytest.mark.parametrize("case", contract()["cases"], ids=lambda case: case["name"])
def test_the_reference_keeps_the_contract(case: Case) -> None:
    came = play(whole(case))
    assert {name: came[name] for name in came if name in case} == {name: case[name] for name in came if name in case}


# --- Random cases ---------------------------------------------------------------------------------------------------
# Moments around which clocks change: by an hour or by half of one, by night or by day. And zones in which they don't.
CHANGES = {
    "Europe/Madrid": ("2026-03-29T01:00:00", "2026-10-25T01:00:00"),
    "America/New_York": ("2026-03-08T07:00:00", "2026-11-01T06:00:00"),
    "America/St_Johns": ("2026-03-08T05:30:00", "2026-11-01T04:30:00"),
    "Australia/Lord_Howe": ("2026-04-04T15:00:00", "2026-10-03T15:30:00"),
    "Asia/Shanghai": ("2026-12-31T16:00:00",),
    "Asia/Kathmandu": ("2026-02-28T18:15:00",),
    "Pacific/Kiritimati": ("2028-02-28T10:00:00",),
    "Mars/Olympus_Mons": ("2026-11-30T00:00:00",),
}
HOUR = 3600 * 1000  # ms
TIMES = (None, "00:00:00", "02:30:00", "23:59:59", "12:00:00.500000", "24:00:00", "noon")
CATEGORIES = ("a", "b", "c", "d")


def random_case(chance: Random) -> dict[str, Any]:
    """A whole case. Its windows and dates lie around its moment, and its moment around a change of the clocks."""
    some = chance.choice
    zone = some(sorted(CHANGES))
    change = datetime.fromisoformat(some(CHANGES[zone])).replace(tzinfo=UTC)
    reach = some((HOUR // 60_000, 3 * HOUR, 24 * HOUR, 9000 * HOUR))
    at = change + timedelta(milliseconds=chance.randint(-reach, reach) * (60_000 if reach == 60 else 1))

    def amount(most: int) -> str:
        cents = chance.randint(-most, most)
        return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"

    def money() -> Any:
        if chance.random() < 0.05:
            return some(("", "x", "1,00", "1.005", None, 3))
        return amount(some((150, 150, 2000, 2000, 10**10 - 1)))

    def time_of_day() -> str | None:
        if chance.random() < 0.3:
            return some(TIMES)
        quarter = chance.randint(0, 95)
        return f"{quarter // 4:02}:{quarter % 4 * 15:02}:00"

    def day() -> str | None:
        return some((None, None, None, str(at.date() + timedelta(chance.randint(-2, 2)))))

    def rule(id: str) -> dict[str, Any]:
        begins = some((None, None, time_of_day()))
        return {
            "id": id,
            "adjustment": some(("set", *["percentage", "amount"] * 4, "double")),
            "value": money(),
            "scope": some((*["all", "category", "tag", "product", "zone"] * 3, "weather")),
            "category": some((None, *CATEGORIES)),
            "tag": some((None, "x", "y")),
            "product": some((None, "product", "product")),
            "zone": some((None, "u", "v")),
            "weekdays": some(([], [], chance.sample(range(1, 8), 4))),
            "time_from": begins,
            "time_to": begins and time_of_day(),
            "valid_from": day(),
            "valid_to": day(),
            "priority": chance.randint(-1, 2),
            "is_stackable": some((True, False)),
            "is_active": some((True, True, True, False)),
        }

    def option(id: str) -> dict[str, Any]:
        return {
            "id": id,
            "price_change": money(),
            "is_default": some((True, False)),
            "is_sold_out": chance.random() < 0.2,
            "position": chance.randint(0, 2),
        }

    def group(id: str) -> dict[str, Any]:
        return {
            "id": id,
            "choice": some(("one", "many", "many", "pairs")),
            "min": some((0, 0, 1, 2)),
            "max": some((None, 1, 1, 2)),
            "free": chance.randint(0, 2),
            "is_required": some((True, False)),
            "position": chance.randint(0, 1),
            "options": [option(f"{id}{number}") for number in range(chance.randint(0, 4))],
        }

    groups = [group(id) for id in "gh"[: chance.randint(0, 2)]]
    return whole(
        {
            "at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "time_zone": zone,
            "zone": some((None, "u", "v")),
            "quantity": chance.randint(1, 12),
            "weight": some((None, "0,25", "1.5", "0.005", "12", "0.333", "0")),
            "typed": some((None, "0", "4,5", "12.30", "-1", "x")),
            "chosen": [one["id"] for each in groups for one in each["options"] if some((True, False))],
            "rules": [rule(id) for id in chance.sample("abcdefgh", chance.randint(0, 8))],
            "categories": [{"id": id, "parent": some((None, *CATEGORIES, "missing"))} for id in CATEGORIES],
            "groups": groups,
            "product": {
                "price": some((money(), *[amount(2000).removeprefix("-")] * 4)),
                "price_type": some((*["fixed"] * 6, *["weight"] * 4, "open", "auction")),
                "category": some((None, *CATEGORIES)),
                "tags": chance.sample("xyz", chance.randint(0, 3)),
            },
        }
    )


# Cases are made of a seed, and go to node by the score: drawn piece by piece and one by one, 5,000 take minutes.
@pytest.mark.timeout(300)
@settings(max_examples=200, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=some.integers(0, 2**64))
def test_5000_random_cases_come_out_the_same_in_python_and_in_the_browser(browser: PlayAll, seed: int) -> None:
    chance = Random(seed)  # noqa: S311 - a seed repeats it
    cases = [random_case(chance) for _number in range(25)]
    for case, came in zip(cases, browser(cases), strict=True):
        assert came == play(case), case


def test_random_cases_reach_what_they_are_about() -> None:
    """One in so many at least, or 5,000 of them prove nothing."""
    played = [(case, play(case)) for case in map(random_case, map(Random, range(500)))]
    sold = [came for _case, came in played if came["price"]]
    assert sum(came["price"]["base"] != came["price"]["price"] for came in sold) > 100
    assert sum(len(came["price"]["rules"]) > 1 for came in sold) > 40
    assert sum(came["amount"] is not None and bool(came["charged"]) for came in sold) > 100
    problems = Counter(problem for _case, came in played for problem in came["problems"].values())
    assert set(problems) == {"impossible", "not_offered", "too_few", "too_many"}
    scopes = Counter(scope for case, came in played if came["price"] for scope in scopes_of(case, came))
    assert set(scopes) == {"all", "category", "tag", "product", "zone"}
    assert min(*problems.values(), *scopes.values()) > 15


def scopes_of(case: Case, came: Mapping[str, Any]) -> list[str]:
    """The scope of each rule that counted."""
    return [rule["scope"] for rule in case["rules"] if rule["id"] in came["price"]["rules"]]
