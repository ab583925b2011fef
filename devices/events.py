"""What concerns who may do what: the kinds of it, by which it is logged and kept (``trail``)."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Event(models.TextChoices):
    LOGIN = "login", pgettext_lazy("event", "Login")
    LOGIN_FAILED = "login_failed", _("Failed login")
    LOGIN_THROTTLED = "login_throttled", _("Login after too many tries")
    CODE_MADE = "code_made", _("Enrolment code made")
    CODE_FAILED = "code_failed", _("Wrong enrolment code")
    CODE_THROTTLED = "code_throttled", _("Code after too many tries")
    ENROLLED = "enrolled", _("Device enrolled")
    ROTATED = "rotated", _("Token replaced")
    REVOKED = "revoked", _("Device revoked")
    DEVICE_DELETED = "device_deleted", _("Device deleted")
    SCOPES_CHANGED = "scopes_changed", _("Scopes changed")
    PIN_FAILED = "pin_failed", _("Wrong PIN")
    PIN_THROTTLED = "pin_throttled", _("PIN after too many tries")
    PERMISSIONS_CHANGED = "permissions_changed", _("Permissions changed")
    PASSWORD_CHANGED = "password_changed", _("Password changed")
    TOTP_CHANGED = "totp_changed", _("Authenticator app given or taken")
    ACCOUNT_ADDED = "account_added", _("Login added")
    ACCOUNT_DELETED = "account_deleted", _("Login deleted")


FAILED = (Event.LOGIN_FAILED, Event.CODE_FAILED, Event.PIN_FAILED)
ONLY_LOGGED = (Event.LOGIN_THROTTLED, Event.CODE_THROTTLED, Event.PIN_THROTTLED)  # or a flood would fill the table
