"""Formats of the published schema, where OpenAPI's name means another thing than what is taken and given."""

import re
from collections.abc import Iterator
from typing import Any

TIME = r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?$"  # of a day in the shop; JSON Schema's ``time`` has an offset


WHOLE_NUMBER = r"^\s*[+-]?[0-9]{1,40}(\.0{1,40})?\s*$"
OF_A_KIND = ("type", "format", "pattern", "minimum", "maximum", "nullable")  # what is said of one of two types

ALWAYS_ANSWERED = {"Album": ("id",)}  # though a request may leave it out


def say_formats(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of drf-spectacular."""
    _mend(result)
    shapes = result["components"]["schemas"]
    for name, fields in ALWAYS_ANSWERED.items():
        shapes[name]["required"] = sorted({*shapes[name]["required"], *fields})
    for name in json_bodies(result):
        shape = shapes[name]
        if "properties" in shape:
            shape.setdefault("additionalProperties", False)  # keys that aren't known are refused
            shape["properties"] = {key: _number_or_text(value) for key, value in shape["properties"].items()}
    return result


def _number_or_text(field: dict[str, Any]) -> dict[str, Any]:
    """A number is taken as text too, and a decimal as a JSON number; answers have it in one way."""
    if field.get("format") == "decimal":
        field = {**field, "pattern": field["pattern"].replace("^-?", r"^\s*[+-]?0*").replace("$", r"\s*$")}
        other = {"type": "number"}
    elif field.get("type") == "integer":
        other = {"type": "string", "pattern": WHOLE_NUMBER}
    elif field.get("type") == "array":
        return {**field, "items": _number_or_text(field["items"])}
    else:
        return field
    kinds = {key: field[key] for key in OF_A_KIND if key in field}
    if "nullable" in field:
        other["nullable"] = field["nullable"]
    return {key: value for key, value in field.items() if key not in OF_A_KIND} | {"anyOf": [kinds, other]}


def json_bodies(result: dict[str, Any]) -> Iterator[str]:
    """The names of the shapes that come as JSON, whole or inside of another; forms may hold more."""
    left = [
        operation["requestBody"]["content"].get("application/json", {})
        for operations in result["paths"].values()
        for operation in operations.values()
        if "requestBody" in operation
    ]
    seen = set[str]()
    while left:
        for name in set(_references(left.pop())) - seen:
            seen.add(name)
            left.append(result["components"]["schemas"][name])
            yield name


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"].rpartition("/")[2]
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from _references(inner)


def _mend(part: Any) -> None:
    if isinstance(part, dict):
        if part.get("type") == "string" and part.get("format") == "time":
            del part["format"]
            part |= {"pattern": TIME, "example": part.get("example", "18:00:00")}
        if part.get("type") == "string" and part.get("format") == "decimal" and "pattern" in part:
            part["pattern"] = re.sub(r"\{0,(\d+)\}", r"{1,\1}", part["pattern"])  # there is a digit on both sides
        for inner in part.values():
            _mend(inner)
    elif isinstance(part, list):
        for inner in part:
            _mend(inner)
