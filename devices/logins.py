"""Logins of the back office: guesses are limited, and the demo login works on the machine itself only."""

from functools import cache
from hashlib import sha256
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import check_password
from django.contrib.auth.password_validation import MinimumLengthValidator
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.utils.translation import gettext_lazy as _

from refusals import Refusal

from . import hosts, proxies, throttle, totp, trail
from .events import Event

DEMO = ("demo", "demo")  # name and password, which everybody knows
CODE = "code"  # the field of the form with the code of an authenticator app
WRONG_FROM_AN_ADDRESS = throttle.Limit(wrong=10, seconds=15 * 60)
WRONG_FOR_A_NAME = throttle.Limit(wrong=10, seconds=15 * 60)  # from all addresses together


class DemoIsLocal(Refusal):
    status, code = 403, "demo_is_local"
    detail = _("The demo login works only on the machine that the server runs on, until its password is changed.")


class LimitedBackend(ModelBackend):
    """Django's. Who guessed too often isn't heard, and costs no hash: ``authenticate`` raises Throttled.

    It also raises DemoIsLocal and TotpNeeded.
    """

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Any:
        if request is None or username is None or password is None:
            return super().authenticate(request, username=username, password=password, **kwargs)
        if not (is_text(username) and is_text(password)):
            return None  # no database and no hash takes it, so nobody has it
        key = f"login:{sha256(username.casefold().encode(errors='backslashreplace')).hexdigest()}"
        beside: throttle.Limits = {
            f"login-from:{throttle.network(request.META.get('REMOTE_ADDR', ''))}": WRONG_FROM_AN_ADDRESS
        }
        try:
            throttle.check(key=key, limit=WRONG_FOR_A_NAME, beside=beside)
        except throttle.Throttled:
            trail.tell(Event.LOGIN_THROTTLED, name=known(username))
            raise
        if (username, password) == DEMO and not is_for_the_machine(request):
            trail.tell(Event.LOGIN_FAILED, name=username, reason=DemoIsLocal.code)
            raise DemoIsLocal
        user = super().authenticate(request, username=username, password=password, **kwargs)
        if user is not None and not totp.passes(user, request.POST.get(CODE, "")):
            user = None
        found = throttle.attempt(lambda: user, key=key, limit=WRONG_FOR_A_NAME, beside=beside)
        if found is None:
            trail.tell(Event.LOGIN_FAILED, name=known(username))
        else:
            trail.tell(Event.LOGIN, who=f"staff {username}", name=username)
            throttle.forgive(key=key)  # not the address: who has a login could guess at others for ever
        return found


def known(typed: str) -> str:
    """The name, if somebody has it: other words may be a password in the wrong field."""
    return typed if get_user_model()._default_manager.filter(username=typed).exists() else ""


def is_text(typed: str) -> bool:
    """Whether databases and hashers take it: without NUL and surrogates."""
    return not any(c == "\0" or "\ud800" <= c <= "\udfff" for c in typed)


def is_for_the_machine(request: HttpRequest) -> bool:
    """Whether the client is on this machine, and addressed it by a name that no page of another site has."""
    host, _port = split_domain_port(request.META.get("HTTP_HOST", ""))
    return proxies.is_from_here(request) and hosts.is_ours(host)


def demo_is_open() -> bool:
    """Whether the demo login has its first password still."""
    users = get_user_model()._default_manager.filter(username=DEMO[0], is_active=True)
    return any(map(_is_first, users.values_list("password", flat=True)))


@cache
def _is_first(encoded: str) -> bool:
    """Once for each hash: it is slow on purpose."""
    return check_password(DEMO[1], encoded)


class LongEnough(MinimumLengthValidator):
    """Django's. It tells when a password was changed, however that was done."""

    def password_changed(self, password: str, user: Any = None) -> None:
        trail.tell(Event.PASSWORD_CHANGED, name=user.get_username() if user else "")
