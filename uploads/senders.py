"""Who sends albums and photos: a device, or a member of the staff. What each may see and touch, and who is out.

A device sees what it sent, and no other device's, unless it may manage. Staff sees all with the model permission for
what it does, and what it sent itself without. What nobody is noted for came from a command, or before senders were
noted: every device may go on with it.
"""

from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from devices.identity import DeviceCaller
from devices.models import Device
from refusals import Refusal


class SenderRevoked(Refusal):
    status, code = 409, "sender_revoked"
    detail = _("The device or login that sent this photo has no access any more; nothing is made of it.")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who asks for something. At most one of both ids is there; ``sees_all`` without any is a command."""

    device_id: UUID | None = None
    staff_id: int | None = None
    sees_all: bool = True

    @property
    def columns(self) -> dict[str, Any]:
        """What is noted with what it sends."""
        return {"device_id": self.device_id, "staff_id": self.staff_id}


OPERATOR = Sender()


def sender_of(user: Any, right: str) -> Sender:
    """``request.user`` of a view as a sender that does what staff needs the permission ``right`` for."""
    if isinstance(user, DeviceCaller):
        return Sender(device_id=UUID(user.id), sees_all="manage" in user.scopes)
    return Sender(staff_id=user.pk, sees_all=user.has_perm(right))


def name_of(sent: "Sent") -> str:
    """Who sent it, by the name of today; "" for a command, or when that is deleted."""
    if sent.device_id is not None:
        return Device.objects.filter(pk=sent.device_id).values_list("name", flat=True).first() or ""
    if sent.staff_id is None:
        return ""
    login = get_user_model()._default_manager.filter(pk=sent.staff_id).first()
    return login.get_username() if login else ""


class SentQuerySet(models.QuerySet[Any]):
    def seen_by(self, sender: Sender) -> Self:
        if sender.sees_all:
            return self
        if sender.staff_id is not None:
            return self.filter(staff=sender.staff_id)
        return self.filter(Q(device=sender.device_id) | Q(device=None, staff=None))

    def of_the_revoked(self) -> Self:
        """What was sent by a device that was revoked or deleted, or may send no more, or by a login without access."""
        devices = Device.objects.active().filter(pk=OuterRef("device_id"), may_upload=True)
        logins = get_user_model()._default_manager.filter(pk=OuterRef("staff_id"), is_active=True, is_staff=True)
        return self.filter(
            Q(device__isnull=False) & ~Exists(devices.order_by()) | Q(staff__isnull=False) & ~Exists(logins)
        )


class Sent(models.Model):
    """What knows who sent it, also after that is deleted: otherwise its addresses would be good again."""

    device = models.ForeignKey(
        Device,
        models.DO_NOTHING,
        verbose_name=_("sent by the device"),
        null=True,
        editable=False,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        verbose_name=_("sent by"),
        null=True,
        editable=False,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )

    class Meta:
        abstract = True
