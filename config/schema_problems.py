"""Which problems an operation of the published schema may answer with, beside those that its view names."""

from typing import Any

PROBLEM_JSON = "application/problem+json"
MEANINGS = {
    "400": "Something of the request can't be read, or isn't allowed: `errors` names each value.",
    "401": "Nobody that is known, or a token that is no longer good.",
    "403": "Known, but not permitted.",
    "404": "There is nothing at this address.",
    "408": "The body came too slowly.",
    "409": "It contradicts what is there.",
    "410": "It is gone.",
    "411": "The length of the body has to be told.",
    "412": "It isn't what `If-Match` says any more.",
    "413": "The body is too large.",
    "415": "A body of this type isn't taken.",
    "422": "The bytes aren't what was declared, or no picture.",
    "429": "Too many tries; `Retry-After` says how long to wait.",
    "503": "A part of the server doesn't answer just now; with `Retry-After` it is worth asking again.",
    "507": "There is no room for more.",
}
ALWAYS = ("400", "429", "503")
FOR_THE_KNOWN = ("401", "403")
WITH_BODY = ("408", "409", "411", "413", "415")
FOR_PICTURES = ("/api/images", "/api/albums/{album_id}/photos", "/api/uploads/{token}")  # these may find no room
PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `code` is stable, `detail` is for people; some codes have more members (docs/errors.md).",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
                "required": ["field", "code", "detail"],
            },
        },
    },
    "required": ["type", "title", "status", "code", "detail"],
}
CONTENT = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def add_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of drf-spectacular: every refusal by its status, and what a problem looks like."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            responses = operation["responses"]
            expected = [*ALWAYS, *(("404",) if "{" in path else ())]
            expected += FOR_THE_KNOWN if operation.get("security") else ()
            expected += WITH_BODY if method in ("post", "put", "patch") else ()
            expected += ("507",) if method in ("post", "put") and path in FOR_PICTURES else ()
            for status in expected:
                responses.setdefault(status, {"description": MEANINGS[status]})
            for status, response in responses.items():
                if status >= "400":
                    response["content"] = _content(response)
                    response["description"] = response.get("description") or MEANINGS.get(status, "Refused.")
            operation["responses"] = dict(sorted(responses.items()))
    return result


def _content(response: dict[str, Any]) -> dict[str, Any]:
    """A refusal is a problem, but for what a view says that it looks like: its own type, not any object in JSON."""
    said = response.get("content", {})
    return {**CONTENT, **{kind: how for kind, how in said.items() if kind not in (PROBLEM_JSON, "application/json")}}
