"""What a product costs, as docs/prices.md says it, in Decimal and zoneinfo. ``play`` answers a case of prices.yaml."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Case = Mapping[str, Any]

CENT = Decimal("0.01")
LARGEST = Decimal("9999999999999.99")
RANKS = {"product": 4, "tag": 3, "category": 2, "zone": 1, "all": 0}


def play(case: Case) -> dict[str, Any]:
    """All that can be said of a whole case; money as text."""
    with localcontext(prec=60):
        price, applied = price_of(case)
        groups = sorted(case["groups"], key=lambda group: (group["position"], group["name"], group["id"]))
        charged = {id: change for group in groups for id, change in charged_in(group, case["chosen"]).items()}
        amount = amount_of(case, price, sum(charged.values(), Decimal(0)))
        base = money(case["product"]["price"])
        return {
            "price": None if price is None else {"base": text(base), "price": text(price), "rules": applied},
            "limits": {group["id"]: list(limits_of(group)) for group in groups},
            "preselected": [id for group in groups for id in preselected_in(group)],
            "problems": {group["id"]: why for group in groups if (why := problem_of(group, case["chosen"]))},
            "charged": {id: text(change) for id, change in charged.items()},
            "amount": text(amount),
            "line": None if amount is None else text(amount * case["quantity"]),
        }


# --- Money ------------------------------------------------------------------------------------------------------------
def money(value: object) -> Decimal | None:
    is_money = isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,13}(\.[0-9]{1,2})?", value, re.ASCII)
    return Decimal(value) if isinstance(value, str) and is_money else None


def rounded(value: Decimal) -> Decimal:
    """To two digits, half away from zero: what Decimal calls half up."""
    return value.quantize(CENT, ROUND_HALF_UP)


def text(value: Decimal | None) -> str | None:
    return None if value is None else str(abs(rounded(value)) if value == 0 else rounded(value))


def typed(value: str | None, digits: int) -> Decimal | None:
    if value is None or not re.fullmatch(rf"[0-9]+([.,][0-9]{{0,{digits}}})?", value.strip()):
        return None
    return Decimal(value.strip().replace(",", ".").rstrip("."))


# --- Rules ------------------------------------------------------------------------------------------------------------
def price_of(case: Case) -> tuple[Decimal | None, list[str]]:
    """The price after the rules, and the ids of those that counted in their order."""
    product = case["product"]
    price = money(product["price"])
    if price is None or price < 0 or product["price_type"] not in ("fixed", "open", "weight"):
        return None, []
    applied = [] if product["price_type"] == "open" else applied_rules(case)
    for rule in applied:
        value = Decimal(rule["value"])
        if rule["adjustment"] == "set":
            price = value
        elif rule["adjustment"] == "percentage":
            price = rounded(price + price * value / 100)
        else:
            price = rounded(price + value)
        if abs(price) > LARGEST:
            return None, []
        price = max(price, Decimal(0))
    return price, [rule["id"] for rule in applied]


def applied_rules(case: Case) -> list[Case]:
    zone: tzinfo
    try:
        zone = ZoneInfo(case["time_zone"])
    except (ZoneInfoNotFoundError, ValueError):
        zone = timezone.utc  # noqa: UP017 - the name says what the contract says
    local = datetime.fromisoformat(case["at"]).astimezone(zone)
    rules = [rule for rule in case["rules"] if is_readable(rule) and counts_at(rule, local) and fits(rule, case)]
    rules.sort(key=lambda rule: rule["id"])
    best = sorted(
        (rule for rule in rules if not rule["is_stackable"]),
        key=lambda rule: (-rule["priority"], -RANKS[rule["scope"]]),
    )
    return best[:1] + sorted((rule for rule in rules if rule["is_stackable"]), key=lambda rule: -rule["priority"])


def is_readable(rule: Case) -> bool:
    try:
        begins, ends = (value if value is None else time.fromisoformat(value) for value in window_of(rule))
        for day in (rule["valid_from"], rule["valid_to"]):
            if day is not None:
                date.fromisoformat(day)
    except ValueError:
        return False
    return (
        money(rule["value"]) is not None
        and rule["adjustment"] in ("set", "percentage", "amount")
        and rule["scope"] in RANKS
        and (rule["scope"] == "all" or bool(rule[rule["scope"]]))
        and (begins is None) == (ends is None)
    )


def window_of(rule: Case) -> tuple[str | None, str | None]:
    return rule["time_from"], rule["time_to"]


def counts_at(rule: Case, local: datetime) -> bool:
    """``local`` is the wall clock of the shop."""
    day, now = local.date(), local.time()
    begins, ends = (None if value is None else time.fromisoformat(value) for value in window_of(rule))
    if begins is not None and ends is not None and begins != ends:
        passes_midnight = ends < begins
        if passes_midnight and now < ends:
            day -= timedelta(days=1)
        elif not (begins <= now and (passes_midnight or now < ends)):
            return False
    return (
        rule["is_active"]
        and (not rule["weekdays"] or day.isoweekday() in rule["weekdays"])
        and (rule["valid_from"] is None or day >= date.fromisoformat(rule["valid_from"]))
        and (rule["valid_to"] is None or day <= date.fromisoformat(rule["valid_to"]))
    )


def fits(rule: Case, case: Case) -> bool:
    product, scope = case["product"], rule["scope"]
    if scope == "category":
        return rule["category"] in lineage(product["category"], case["categories"])
    if scope == "tag":
        return rule["tag"] in product["tags"]
    if scope == "product":
        return bool(rule["product"] == product["id"])
    return bool(scope == "all" or rule["zone"] == case["zone"])


def lineage(id: str | None, categories: Sequence[Case]) -> set[str]:
    parents = {category["id"]: category["parent"] for category in categories}
    found: set[str] = set()
    while id is not None and id not in found:
        found.add(id)
        id = parents.get(id)
    return found


# --- Options ----------------------------------------------------------------------------------------------------------
def options_of(group: Case) -> list[Case]:
    return sorted(group["options"], key=lambda option: option["position"])


def is_offered(option: Case) -> bool:
    return not option["is_sold_out"] and money(option["price_change"]) is not None


def limits_of(group: Case) -> tuple[int, int]:
    most = sum(map(is_offered, group["options"]))
    if group["max"] is not None:
        most = min(most, group["max"])
    if group["choice"] == "one":
        most = min(most, 1)
    return max(group["min"], int(group["is_required"])), most


def preselected_in(group: Case) -> list[str]:
    defaults = [option["id"] for option in options_of(group) if option["is_default"] and is_offered(option)]
    return defaults[: limits_of(group)[1]]


def problem_of(group: Case, chosen: Sequence[str]) -> str | None:
    least, most = limits_of(group)
    those = [option for option in group["options"] if option["id"] in chosen]
    if least > most:
        return "impossible"
    if not all(map(is_offered, those)):
        return "not_offered"
    if len(those) < least:
        return "too_few"
    return "too_many" if len(those) > most else None


def charged_in(group: Case, chosen: Sequence[str]) -> dict[str, Decimal]:
    """What each chosen option of the group costs, by its id in their order."""
    those = {
        option["id"]: money(option["price_change"]) or Decimal(0)
        for option in options_of(group)
        if option["id"] in chosen
    }
    free = [id for id, change in those.items() if change > 0][: group["free"]]
    return {id: Decimal(0) if id in free else change for id, change in those.items()}


def amount_of(case: Case, price: Decimal | None, options: Decimal) -> Decimal | None:
    """What one costs, with its weight and its options."""
    if case["product"]["price_type"] == "open" and price is not None:
        price = typed(case["typed"], 2)
    if case["product"]["price_type"] == "weight" and price is not None:
        weight = typed(case["weight"], 3)
        price = rounded(price * weight) if weight else None
    if price is None or price > LARGEST:
        return None
    amount = max(price + options, Decimal(0))
    return amount if amount <= LARGEST else None
