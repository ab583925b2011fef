"""OpenAI's images protocol, which LocalAI, sd.cpp's server and LiteLLM speak too."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from urllib3 import encode_multipart_formdata

from studio.providers.base import Answer, Asked, Unusable
from studio.providers.remote import Problem, Remote, decoded, inner, members, rows
from studio.transport import Reply

BASE_URL = "https://api.openai.com/v1"
MODERATION = frozenset({"moderation_blocked", "content_policy_violation"})
NO_CREDIT = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
LONGEST_URL = 4096


@dataclass(frozen=True)
class OpenAI:
    base_url: str = ""
    key: str = field(default="", repr=False)
    # More fields of each request. Only model and prompt are sent without: models refuse each other's fields.
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str = "openai"
    free: bool = False
    improves: bool = True

    def ask(self, asked: Asked, deadline: float) -> Answer:
        remote = Remote(self.base_url or BASE_URL, self.key)
        fields = {"model": asked.model, "prompt": asked.prompt, **self.options}
        if asked.source is None:
            path, body, content_type = "/images/generations", orjson.dumps(fields), "application/json"
        else:
            path = "/images/edits"
            body, content_type = multipart(fields, asked.source)
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        reply = remote.post(path, body, headers, deadline=deadline)
        request_id = remote.said(reply.headers.get("x-request-id", ""))
        if not reply.succeeded:
            remote.refuse(reply, problem_of(reply), request_id=request_id)
        return answer_of(reply, remote, request_id)


def multipart(fields: Mapping[str, Any], source: bytes) -> tuple[bytes, str]:
    """The form of an edit: fields as text, and one part ``image``."""
    parts: dict[str, Any] = {
        name: value if isinstance(value, str) else orjson.dumps(value).decode() for name, value in fields.items()
    }
    return encode_multipart_formdata({**parts, "image": ("photo.jpg", source, "image/jpeg")})


def problem_of(reply: Reply) -> Problem:
    error = inner(members(reply.data), "error")
    code = error.get("code") if isinstance(error.get("code"), str) else error.get("type")
    return Problem(
        message=error.get("message", "") if isinstance(error.get("message"), str) else "",
        out_of_credit=code in NO_CREDIT or error.get("type") in NO_CREDIT,
        moderation=reply.status < 500 and code in MODERATION,
    )


def answer_of(reply: Reply, remote: Remote, request_id: str) -> Answer:
    answer = members(reply.data)
    usage = inner(answer, "usage")
    for row in rows(answer, "data"):
        revised = remote.said(row.get("revised_prompt"))
        if data := decoded(row.get("b64_json")):
            return Answer(data=data, request_id=request_id, usage=usage, revised_prompt=revised)
        url = row.get("url")
        if isinstance(url, str) and url.startswith(("https://", "http://")) and len(url) <= LONGEST_URL:
            return Answer(url=url, request_id=request_id, usage=usage, revised_prompt=revised)
    raise Unusable("There is no picture in the answer.", request_id=request_id, usage=usage)
