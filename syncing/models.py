"""Counters and change log, which the triggers write and Python only reads; the epoch; what devices were delivered."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from devices.models import Device


class SyncedResource(models.Model):
    """One kind of record: ``version`` counts its committed changes; the change log begins after ``horizon``."""

    name = models.CharField(max_length=40, primary_key=True)
    version = models.BigIntegerField(default=0)
    horizon = models.BigIntegerField(default=0)

    class Meta:
        db_table = "syncing_resource"
        verbose_name = _("synced resource")
        verbose_name_plural = _("synced resources")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(horizon__gte=0, horizon__lte=models.F("version")),
                name="horizon_lies_between_0_and_version",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Change(models.Model):
    """This change of this object made version ``version`` of ``resource``. The object itself is read at delivery."""

    class Action(models.TextChoices):
        CREATED = "created", _("created")
        UPDATED = "updated", _("updated")
        DELETED = "deleted", _("deleted")

    pk = models.CompositePrimaryKey("resource", "version")
    resource = models.CharField(max_length=40)
    version = models.BigIntegerField()
    object_id = models.UUIDField()
    action = models.CharField(max_length=7, choices=Action)
    at = models.DateTimeField()

    class Meta:
        db_table = "syncing_change"
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        ordering = ["resource", "version"]

    def __str__(self) -> str:
        return f"{self.resource} {self.version}: {self.action} {self.object_id}"


class Epoch(models.Model):
    """The one row that names the present history; another epoch means that terminals refetch what they hold."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    epoch = models.UUIDField()
    since = models.DateTimeField()

    class Meta:
        db_table = "syncing_epoch"
        verbose_name = _("epoch")
        verbose_name_plural = _("epochs")
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="there_is_one_epoch")]

    def __str__(self) -> str:
        return str(self.epoch)


class DeliveredVersions(models.Model):
    """A device has been sent everything up to ``cursor``, at ``reached_at``. Written by syncing/delivered.py."""

    # Without a constraint in the database: its check would take a lock on the device while this table is locked.
    device = models.OneToOneField(
        Device,
        models.CASCADE,
        primary_key=True,
        db_constraint=False,
        verbose_name=_("device"),
        related_name="delivered",
    )
    cursor = models.TextField(_("cursor"))
    reached_at = models.DateTimeField(_("reached at"))

    class Meta:
        verbose_name = _("delivered versions")
        verbose_name_plural = _("delivered versions")

    def __str__(self) -> str:
        return self.cursor
