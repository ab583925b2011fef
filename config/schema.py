"""What the published schema can't find by itself: the stream, which is served beside Django."""

from typing import Any

STREAM = {
    "get": {
        "operationId": "sync_events",
        "summary": "The live stream of changes.",
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
    """drf-spectacular's post-processing hook."""
    operation = {**STREAM["get"], "security": result["paths"]["/api/sync/status"]["get"].get("security", [])}
    result["paths"] = dict(sorted({**result["paths"], "/api/sync/events": {"get": operation}}.items()))
    return result
