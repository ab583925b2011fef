"""Who may send a large body: it is asked before the body is taken in."""

from typing import Any

from django.utils import timezone

from devices.authentication import MayUpload
from devices.identity import NotAuthenticated, identify, request_from_scope
from refusals import Refusal
from syncing.readers import in_reader
from uploads import targets

from .limits import UPLOADS


class OnlyReads(Refusal):
    status, code = 403, "forbidden"
    detail = MayUpload.message


async def may_send(scope: Any) -> None:
    """Raises what the view would raise, which sees the request only when all of its body is here."""
    if upload := UPLOADS.fullmatch(scope["path"]):
        targets.photo_of(upload[1], now=timezone.now())
    else:
        await in_reader(_let_in, scope=scope)


def _let_in(*, scope: Any) -> None:
    """Raises NotAuthenticated, OnlyReads, and as ``identify`` does."""
    caller = identify(request_from_scope(scope))
    if caller is None:
        raise NotAuthenticated
    if caller.scopes <= {"read"}:
        raise OnlyReads
