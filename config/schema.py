"""What the published schema can't find by itself: the stream, the order of its parts, values to try it with."""

from collections.abc import Iterator
from typing import Any

from syncing import registry

STREAM = {
    "get": {
        "operationId": "sync_events",
        "summary": "The live stream of changes",
        "description": (
            "Server-sent events: `hello` first, then `sync` for each change, `bookmark` when idle and before the end,"
            " `resync` when continuing is impossible. `id:` of every frame is the cursor to come back with."
        ),
        "tags": ["sync"],
        "parameters": [
            {
                "name": "resources",
                "in": "query",
                "schema": {"type": "string"},
                "description": "Names, separated by commas; all unless told.",
            },
            {
                "name": "cursor",
                "in": "query",
                "schema": {"type": "string"},
                "description": "Where to continue, for a client that can't send Last-Event-ID.",
            },
            {
                "name": "Last-Event-ID",
                "in": "header",
                "schema": {"type": "string"},
                "description": "Where to continue; wins over cursor.",
            },
        ],
        "responses": {
            "200": {
                "description": "The stream.",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            },
            "400": {"description": "`unknown_resource`"},
            "401": {"description": "`not_authenticated`, `invalid_token`"},
            "503": {"description": "`over_capacity`, with Retry-After"},
        },
    }
}


def add_stream(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's post-processing hook: the stream, and which resources there are."""
    operation = {**STREAM["get"], "security": result["paths"]["/api/sync/status"]["get"].get("security", [])}
    result["paths"] = dict(sorted({**result["paths"], "/api/sync/events": {"get": operation}}.items()))
    for address in ("/api/sync/{resource}", "/api/sync/{resource}/changes"):
        for parameter in result["paths"][address]["get"]["parameters"]:
            if parameter["name"] == "resource":
                parameter["schema"]["enum"] = registry.names()
    return result


# The headings of /api/docs, in order, with the first parts of the addresses below each.
HEADINGS = {
    "Devices": ("Enrolling a terminal, and what it asks about itself.", ("devices",)),
    "Sync": ("What terminals follow: status, snapshots, changes, the live stream.", ("sync",)),
    "Catalogue": ("What terminals hold. All kinds are read and written in the same way.", ()),
    "Images": ("Pictures, named by the SHA-256 of their bytes.", ("images", "image")),
    "Studio": ("Pictures that are drawn, generated or improved, and their history.", ("studio", "history", "r2")),
    "Uploads": ("Many or large photos over a bad network, in albums.", ("albums", "photos", "uploads")),
}
EXAMPLES = {
    "price": "12.50",
    "price_change": "0.50",
    "tax_rate": "10.00",
    "value": "10.00",
    "discount_limit": "10.00",
    "color": "#c0392b",
    "pin": "2468",
    "weekdays": [1, 2, 3, 4, 5],
}
DIGITS_OF_A_COLUMN = 2**15 - 1  # a bound of this size or more is the database's, and nobody's example


def put_in_order(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook, as above: each operation has its heading, and says so when it is open to everybody."""
    headings = {part: name for name, (_said, parts) in HEADINGS.items() for part in parts}
    for path, operations in result["paths"].items():
        for operation in operations.values():
            operation["tags"] = [headings.get(path.split("/")[2], "Catalogue")]
            operation.setdefault("security", [])
    order = list(HEADINGS)
    result["paths"] = dict(sorted(result["paths"].items(), key=lambda item: order.index(_heading(item[1]))))
    result["tags"] = [{"name": name, "description": said} for name, (said, _parts) in HEADINGS.items()]
    return result


def add_examples(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook, as above: values that a person would send, where one is else made of a pattern or a bound."""
    for shape in result["components"]["schemas"].values():
        for name, field in shape.get("properties", {}).items():
            if name in EXAMPLES and field.get("type") in (None, "string", "array") and "$ref" not in field:
                field.setdefault("example", EXAMPLES[name])
    for field in _numbers(result):
        if abs(field.get("maximum", 0)) >= DIGITS_OF_A_COLUMN:
            field.setdefault("example", field.get("default", max(1, field.get("minimum", 1))))
    return result


def _heading(operations: dict[str, Any]) -> str:
    return str(next(iter(operations.values()))["tags"][0])


def _numbers(part: Any) -> Iterator[dict[str, Any]]:
    """Every integer's description inside of ``part``."""
    if isinstance(part, dict):
        if part.get("type") == "integer":
            yield part
        for inner in part.values():
            yield from _numbers(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _numbers(inner)
