"""Gemini's protocol: words and a photo go in as parts of a message, words and a picture come out as such."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import orjson

from studio.providers.base import Answer, Asked, PromptRefused, Unusable
from studio.providers.remote import Problem, Remote, decoded, inner, members, rows
from studio.transport import Reply

BASE_URL = "https://generativelanguage.googleapis.com/v1beta"
# Why a candidate ended without a picture, where its reason is the words or the photo.
MODERATION = frozenset({
    "SAFETY", "IMAGE_SAFETY", "PROHIBITED_CONTENT", "IMAGE_PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "RECITATION",
    "IMAGE_RECITATION",
})  # fmt: skip


@dataclass(frozen=True)
class Gemini:
    key: str = field(repr=False)
    base_url: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)  # more of each request; generationConfig is added to
    name: str = "gemini"
    free: bool = False
    improves: bool = True

    def ask(self, asked: Asked, deadline: float) -> Answer:
        remote = Remote(self.base_url or BASE_URL, self.key)
        parts: list[dict[str, Any]] = [{"text": asked.prompt}]
        if asked.source is not None:
            photo = base64.b64encode(asked.source).decode()
            parts.append({"inlineData": {"mimeType": "image/jpeg", "data": photo}})
        config = {"responseModalities": ["TEXT", "IMAGE"], **inner(self.options, "generationConfig")}
        body = {"contents": [{"role": "user", "parts": parts}], **self.options, "generationConfig": config}
        reply = remote.post(
            f"/models/{quote(asked.model.removeprefix('models/'), safe='')}:generateContent",
            orjson.dumps(body),
            {"Content-Type": "application/json", "x-goog-api-key": self.key},
            deadline=deadline,
        )
        if not reply.succeeded:
            error = inner(members(reply.data), "error")
            message = error.get("message", "")
            remote.refuse(reply, Problem(message if isinstance(message, str) else ""), request_id="")
        return answer_of(reply, remote)


def answer_of(reply: Reply, remote: Remote) -> Answer:
    answer = members(reply.data)
    usage = inner(answer, "usageMetadata")
    request_id = remote.said(answer.get("responseId"))
    candidates = rows(answer, "candidates")
    parts = [part for candidate in candidates for part in rows(inner(candidate, "content"), "parts")]
    for part in parts:
        if not part.get("thought") and (data := decoded(inner(part, "inlineData").get("data"))):
            return Answer(data=data, request_id=request_id, usage=usage)
    words = remote.said(" ".join(part["text"] for part in parts if isinstance(part.get("text"), str)))
    reasons = {candidate.get("finishReason") for candidate in candidates}
    if inner(answer, "promptFeedback").get("blockReason") or reasons & MODERATION:
        detail = words or "The provider refused these words or this photo."
        raise PromptRefused(detail, request_id=request_id, usage=usage)
    raise Unusable(words or "There is no picture in the answer.", request_id=request_id, usage=usage)
