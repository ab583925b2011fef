"""Every answer of a provider is one of the outcomes, and each was asked for exactly once."""

import logging
import time
import traceback
from typing import Any

import pytest

from studio.providers import provider
from studio.providers.base import (
    Answer,
    Asked,
    Busy,
    NotAnswered,
    NotSent,
    PromptRefused,
    Provider,
    Refused,
    Unanswered,
    Unusable,
)  # fmt: skip
from tests.studio.provider import KEY, Running, picture

OPTIONS: dict[str, dict[str, Any]] = {"openai": {"size": "1024x1024", "n": 1}, "gemini": {"safetySettings": []}}


def made(remote: Running, name: str, *, key: str = KEY, base_url: str = "", **options: Any) -> Provider:
    return provider(name, base_url=base_url or getattr(remote, name), key=key, options=options or OPTIONS[name])


def ask(asked: Provider, words: str, *, source: bytes | None = None, seconds: float = 20) -> Answer:
    return asked.ask(Asked(words, model="some-model-1", source=source), time.monotonic() + seconds)


def outcome(asked: Provider, words: str, *, seconds: float = 20) -> NotAnswered:
    with pytest.raises(NotAnswered) as raised:
        ask(asked, words, seconds=seconds)
    return raised.value


@pytest.mark.parametrize("name", ["openai", "gemini"])
@pytest.mark.parametrize("source", [None, picture()], ids=["made", "improved"])
@pytest.mark.parametrize("words", ["a soup, ein Süppchen, 汤", "a soup [slow]"])
def test_a_picture_comes_as_bytes(remote: Running, name: str, source: bytes | None, words: str) -> None:
    answer = ask(made(remote, name), words, source=source)

    assert answer.data == picture()
    assert answer.request_id in {"req_1", "resp_1"}
    assert answer.usage
    assert remote.count() == 1


def test_a_picture_comes_as_an_address(remote: Running) -> None:
    answer = ask(made(remote, "openai"), "[url]")

    assert (answer.data, answer.url) == (None, f"{remote.origin}/picture.jpg")
    assert remote.count() == 1


BY_STATUS = {
    302: Refused, 400: Refused, 401: Refused, 402: Refused, 403: Refused, 404: Refused, 408: Unanswered, 429: Busy,
    500: Busy, 501: Unanswered, 502: Unanswered, 503: Busy, 504: Unanswered, 520: Unanswered, 529: Busy,
}  # fmt: skip


@pytest.mark.parametrize("name", ["openai", "gemini"])
@pytest.mark.parametrize("status", BY_STATUS)
def test_the_status_decides(remote: Running, name: str, status: int) -> None:
    found = outcome(made(remote, name), f"[{status}]")

    assert type(found) is BY_STATUS[status]
    assert str(found) == f"status {status}"
    assert remote.count() == 1
    if isinstance(found, Busy):
        assert found.retry_after == (7 if status in {429, 503} else None)


@pytest.mark.parametrize(
    ("name", "word", "kind"),
    [
        ("openai", "moderation_blocked", PromptRefused),
        ("openai", "insufficient_quota", Refused),
        ("openai", "billing_hard_limit_reached", Refused),
        ("openai", "no-picture", Unusable),
        ("openai", "empty", Unusable),
        ("openai", "bad-base64", Unusable),
        ("openai", "file-url", Unusable),
        ("openai", "too-large", Unusable),
        ("openai", "malformed", Unusable),
        ("openai", "not-json", Unusable),
        ("openai", "oversized", Unusable),
        ("openai", "cut", Unanswered),
        ("openai", "cut-in-answer", Unanswered),
        ("gemini", "blocked", PromptRefused),
        ("gemini", "image-safety", PromptRefused),
        ("gemini", "no-picture", Unusable),
        ("gemini", "malformed", Unusable),
        ("gemini", "cut", Unanswered),
    ],
)
def test_what_went_wrong_has_its_outcome(remote: Running, name: str, word: str, kind: type[NotAnswered]) -> None:
    found = outcome(made(remote, name), f"[{word}]")

    assert type(found) is kind
    assert remote.count() == 1
    assert KEY not in str(found)
    assert len(str(found)) <= 300


@pytest.mark.parametrize("word", ["silent", "dribble"])
def test_the_deadline_is_over_the_whole_answer(remote: Running, word: str) -> None:
    began = time.monotonic()

    found = outcome(made(remote, "openai"), f"[{word}]", seconds=0.6)

    assert type(found) is Unanswered
    assert 0.5 <= time.monotonic() - began < 5
    assert remote.count() == 1


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:9/v1", "http://nowhere.invalid/v1"])
def test_where_nobody_listens_nothing_was_sent(remote: Running, base_url: str) -> None:
    assert type(outcome(made(remote, "openai", base_url=base_url), "a soup")) is NotSent


def test_tls_that_fails_means_that_nothing_was_sent(remote: Running) -> None:
    base_url = remote.openai.replace("http:", "https:")

    assert type(outcome(made(remote, "openai", base_url=base_url), "a soup")) is NotSent
    assert remote.count() == 0


def test_no_time_left_means_that_nothing_was_sent(remote: Running) -> None:
    assert type(outcome(made(remote, "openai"), "a soup", seconds=0)) is NotSent
    assert remote.count() == 0


@pytest.mark.parametrize("name", ["openai", "gemini"])
@pytest.mark.parametrize("key", ["sk-wrong-and-secret", "sk-secret\nwith-a-line"])
def test_the_key_is_in_no_message_and_no_log(
    remote: Running, name: str, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asked = made(remote, name, key=key)

    found = outcome(asked, "a soup")

    assert isinstance(found, Refused | NotSent)
    told = "".join(traceback.format_exception(found)) + caplog.text + repr(asked)
    assert key not in told
    assert repr(key)[1:-1] not in told


def test_no_proxy_of_the_environment_is_used(remote: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert ask(made(remote, "openai"), "a soup").data == picture()


def test_an_unknown_field_is_refused_as_the_real_ones_do(remote: Running) -> None:
    found = outcome(made(remote, "openai", response_format="b64_json"), "a soup")

    assert type(found) is Refused
    assert "response_format" in str(found)
