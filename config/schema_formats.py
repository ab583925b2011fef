"""Formats of the published schema, where OpenAPI's name means another thing than what is taken and given."""

from typing import Any

TIME = r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?$"  # of a day in the shop; JSON Schema's ``time`` has an offset


ALWAYS_ANSWERED = {"Album": ("id",)}  # though a request may leave it out


def say_formats(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of drf-spectacular."""
    _mend(result)
    for name, fields in ALWAYS_ANSWERED.items():
        shape = result["components"]["schemas"][name]
        shape["required"] = sorted({*shape["required"], *fields})
    return result


def _mend(part: Any) -> None:
    if isinstance(part, dict):
        if part.get("type") == "string" and part.get("format") == "time":
            del part["format"]
            part |= {"pattern": TIME, "example": part.get("example", "18:00:00")}
        for inner in part.values():
            _mend(inner)
    elif isinstance(part, list):
        for inner in part:
            _mend(inner)
