"""What the answers of a server mean: a value, or an error of this package."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from ._errors import NotAllowed, NotEnrolled, Refused, ServerUnavailable, UnexpectedAnswer

LONGEST_RETRY_AFTER = 3600.0  # seconds


def checked(response: httpx.Response, *, is_ours: bool = True) -> httpx.Response:
    """The answer itself when it is a good one (2xx). ``is_ours``: it comes from our server, not from a bucket.

    Raises ServerUnavailable (5xx, 429), UnexpectedAnswer (not our server's) or Refused.
    """
    status = response.status_code
    if 200 <= status < 300:
        return response
    problem = problem_of(response)
    code = str(problem.get("code", ""))
    if status == 429 or status >= 500:
        why = f"{status} {code or response.reason_phrase}"
        raise ServerUnavailable(why, status=status, retry_after=retry_after(response))
    if not code and is_ours:  # something between us and the server
        raise UnexpectedAnswer(f"{status} {response.reason_phrase}".rstrip())
    if not code:  # presigned addresses of a bucket answer XML
        raise Refused(status, "unexpected_answer", response.reason_phrase)
    kind = {401: NotEnrolled, 403: NotAllowed}.get(status, Refused)
    raise kind(status, code, detail_of(problem), problem)


def unavailable(error: Exception) -> ServerUnavailable:
    """What httpx raised, as an error of this package."""
    kind = UnexpectedAnswer if isinstance(error, httpx.DecodingError | httpx.TooManyRedirects) else ServerUnavailable
    what = "it can't be reached" if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout) else "no answer came"
    return kind(f"{what}: {str(error) or type(error).__name__}")


def json_of(response: httpx.Response) -> Any:
    """The JSON of a good answer. Raises UnexpectedAnswer when it isn't any."""
    try:
        return response.json()
    except ValueError as error:
        raise UnexpectedAnswer(f"no JSON at {response.request.url.path}") from error


@contextmanager
def reading(what: str) -> Iterator[None]:
    """An answer without what it needs isn't our server's: KeyError and its like become UnexpectedAnswer."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnexpectedAnswer(f"{what} without what it needs: {error!r}") from error


def problem_of(response: httpx.Response) -> dict[str, Any]:
    """The problem+json of an answer, empty when there is none."""
    if not response.headers.get("content-type", "").startswith("application/problem+json"):
        return {}
    with suppress(ValueError):
        body = response.json()
        return body if isinstance(body, dict) else {}
    return {}


def detail_of(problem: Mapping[str, Any]) -> str:
    """The detail of a problem and of each of its errors, in one line."""
    errors = problem.get("errors")
    named = [f"{e.get('field')}: {e.get('detail')}" for e in errors if isinstance(e, dict)] if errors else []
    return " ".join([str(problem.get("detail", "")), *named])


def retry_after(response: httpx.Response) -> float | None:
    """Seconds of ``Retry-After``, which also may be a date."""
    said = response.headers.get("retry-after", "").strip()
    if said.isdecimal():
        return min(float(said), LONGEST_RETRY_AFTER)
    if (at := seconds_of(said)) is not None:
        return min(max(0.0, at - time.time()), LONGEST_RETRY_AFTER)
    return None


def seconds_of(date: str) -> float | None:
    """A date of HTTP in seconds since 1970; None when it isn't one."""
    with suppress(ValueError, TypeError, OverflowError):
        return parsedate_to_datetime(date).timestamp()
    return None
