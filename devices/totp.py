"""A second factor for logins of the back office: the code of an authenticator app, beside the password."""

import time

import segno
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_totp.models import TOTPDevice

from clocks.rows import SKEW, is_set
from refusals import Refusal

from . import trail
from .events import Event


class TotpNeeded(Refusal):
    status, code = 403, "totp_needed"
    detail = _("This login needs a code of an authenticator app first. The operator makes it: manage.py totp NAME.")


def is_asked_for() -> bool:
    """Whether the login page has a field for a code."""
    return settings.TOTP_FOR_SUPERUSERS or TOTPDevice.objects.filter(confirmed=True).exists()


def passes(user: AbstractBaseUser, code: str) -> bool:
    """Whether ``code`` is right for ``user``, or none is needed. A code is good once, and wrong ones make it wait.

    Raises TotpNeeded for a superuser without an app, where the setting wants one.
    """
    devices = list(TOTPDevice.objects.filter(user=user, confirmed=True))
    if not devices and settings.TOTP_FOR_SUPERUSERS and getattr(user, "is_superuser", False):
        raise TotpNeeded
    typed = "".join(code.split())
    is_code = len(typed) == 6 and typed.isascii() and typed.isdecimal()
    return not devices or (is_code and any(brought_back(device).verify_token(typed) for device in devices))


def brought_back(device: TOTPDevice) -> TOTPDevice:
    """As if the clock had never been ahead: a code of tomorrow, right or wrong, would lock it until then."""
    now, at = timezone.now(), device.throttling_failure_timestamp
    if not is_set(now):
        return device
    if at is not None and at > now + SKEW:
        device.throttle_reset(commit=False)
    step = int(time.time() - device.t0) // device.step
    if device.last_t > step + SKEW.total_seconds() // device.step:
        device.last_t = step
        device.drift = 0
    return device


def give(user: AbstractBaseUser) -> tuple[str, str]:
    """A new app for ``user`` in the place of any other: its address (``otpauth:``), and that as a picture of signs."""
    TOTPDevice.objects.filter(user=user).delete()
    address = TOTPDevice.objects.create(user=user, name="app").config_url
    trail.tell(Event.TOTP_CHANGED, name=user.get_username())
    lines = segno.make(address).matrix_iter(border=2)
    return address, "\n".join("".join("██" if dark else "  " for dark in row) for row in lines)


def take(user: AbstractBaseUser) -> None:
    TOTPDevice.objects.filter(user=user).delete()
    trail.tell(Event.TOTP_CHANGED, name=user.get_username())
