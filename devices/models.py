"""The devices that may talk to the server, and the codes by which a terminal becomes one of them."""

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from clocks.rows import SKEW

from .events import Event

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # without what is read or typed as something else: 0 O 1 I L
CODE_LENGTH = 8
CODE_LIFETIME = timedelta(minutes=15)


def new_token() -> str:
    """32 random bytes, URL-safe."""
    return secrets.token_urlsafe(32)


def token_digest(token: str) -> str:
    """What is stored of a token. A plain hash is enough: a token is too random to be found by trying."""
    return hashlib.sha256(token.encode(errors="backslashreplace")).hexdigest()


def new_code() -> str:
    """An enrolment code as a person reads it: four letters or digits, a hyphen, four more."""
    letters = "".join(secrets.choice(ALPHABET) for _place in range(CODE_LENGTH))
    return f"{letters[:4]}-{letters[4:]}"


def code_digest(code: str) -> str:
    """What is stored of a code, however it was typed. Keyed, since a code of forty bits can be found by trying."""
    typed = "".join(letter for letter in code.upper() if letter.isalnum())
    value = typed.encode(errors="backslashreplace")
    return salted_hmac("devices.enrolment", value, algorithm="sha256").hexdigest()


class Scoped(models.Model):
    """What a device may do beyond reading; the wire calls these scopes."""

    may_upload = models.BooleanField(
        _("may upload"),
        default=False,
        help_text=_("Images, albums and photos, and with them the pictures of products."),
    )
    may_manage = models.BooleanField(
        _("may manage"), default=False, help_text=_("Writes the catalogue; for back-office integrations.")
    )

    class Meta:
        abstract = True

    @property
    def scopes(self) -> list[str]:
        """``read`` (every device has it), ``upload``, ``manage``, ``history``, in this order."""
        return scopes_of(upload=self.may_upload, manage=self.may_manage, history=self.reads_a_history)

    @property
    def reads_a_history(self) -> bool:
        raise NotImplementedError


def scopes_of(*, upload: bool, manage: bool, history: bool) -> list[str]:
    """The scopes of whoever may do this, in the order of the wire."""
    more = {"upload": upload, "manage": manage, "history": history}
    return ["read", *(scope for scope, has_it in more.items() if has_it)]


class DeviceQuerySet(models.QuerySet["Device"]):
    def active(self) -> Self:
        return self.filter(revoked_at=None)

    def with_digest(self, digest: str) -> Self:
        """The active device, if any, whose token has this digest."""
        return self.active().filter(token_hash=digest)


class Device(Scoped):
    """A terminal, tablet, screen or integration. Its token is shown once; the SHA-256 of the token is stored.

    ``certificate_fingerprint`` is the SHA-256 of its client certificate, if it has one, which is as good as the token.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=100)
    token_hash = models.CharField(_("token hash"), max_length=64, unique=True, editable=False)
    certificate_fingerprint = models.CharField(
        _("certificate fingerprint"), max_length=64, unique=True, null=True, blank=True, editable=False
    )
    certificate_expires_at = models.DateTimeField(_("certificate expires at"), null=True, blank=True, editable=False)
    history_of = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        verbose_name=_("reads the history of"),
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )
    last_seen = models.DateTimeField(_("last contact"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("enrolled at"), default=timezone.now, editable=False)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        ordering = ["name", "created_at", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="device_has_a_name"),
            models.CheckConstraint(
                condition=Q(certificate_fingerprint=None, certificate_expires_at=None)
                | Q(certificate_fingerprint__isnull=False, certificate_expires_at__isnull=False),
                name="certificate_of_a_device_expires",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def reads_a_history(self) -> bool:
        return self.history_of_id is not None


class EnrolmentCodeQuerySet(models.QuerySet["EnrolmentCode"]):
    def redeemable(self, *, now: datetime) -> Self:
        # One that would be good for longer was made while the clock was ahead.
        return self.filter(used_at=None, expires_at__gt=now, expires_at__lte=now + CODE_LIFETIME + SKEW)


class EnrolmentCode(Scoped):
    """A code that a person types into one new terminal. Its digest is stored."""

    may_read_history = models.BooleanField(
        _("may read your history"),
        default=False,
        help_text=_("The pictures that you asked the studio for, as long as you are active staff."),
    )
    code_hash = models.CharField(_("code hash"), max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires at"), editable=False)
    used_at = models.DateTimeField(_("used at"), null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        verbose_name=_("created by"),
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )
    device = models.ForeignKey(
        Device,
        models.SET_NULL,
        verbose_name=_("device"),
        null=True,
        blank=True,
        editable=False,
        related_name="enrolment_codes",
    )

    objects = EnrolmentCodeQuerySet.as_manager()

    class Meta:
        verbose_name = _("enrolment code")
        verbose_name_plural = _("enrolment codes")
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return _("Code of {when}").format(when=timezone.localtime(self.created_at).strftime("%Y-%m-%d %H:%M"))

    @property
    def reads_a_history(self) -> bool:
        return self.may_read_history


class FailedTry(models.Model):
    """One wrong guess at a secret, kept in the database so that all processes count together."""

    key = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("failed try")
        verbose_name_plural = _("failed tries")
        ordering = ["at", "id"]
        indexes = [
            models.Index(fields=["key", "at"], name="failed_try_by_key_and_time"),
            models.Index(fields=["at"], name="failed_try_by_time"),
        ]

    def __str__(self) -> str:
        return self.key


class SecurityEvent(models.Model):
    """What concerned who may do what, for the admin; `trail` tells, and forgets after a week."""

    at = models.DateTimeField(_("when"))
    event = models.CharField(_("what"), max_length=40)
    who = models.CharField(_("who"), max_length=200, blank=True)
    address = models.CharField(_("from where"), max_length=200, blank=True)
    request_id = models.CharField(_("request"), max_length=64, blank=True)
    about = models.JSONField(_("about"), default=dict, blank=True)

    class Meta:
        verbose_name = _("security event")
        verbose_name_plural = _("security events")
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["at"], name="security_event_by_time")]

    def __str__(self) -> str:
        return str(dict(Event.choices).get(self.event, self.event))
