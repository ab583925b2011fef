"""Pictures of the studio: items and their one mover, calls that may cost money, answers, what is left of a day."""

import uuid
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .prompts import DEFAULT_STYLE, LONGEST, STYLES

MAX_ATTEMPTS = 5  # of asking, where the provider can't be reached or is busy
AFTER_THE_ANSWER = timedelta(seconds=60)  # what a lease has beyond the time for an answer: to fetch, look and store
ADDRESS_IS_GOOD = timedelta(minutes=50)  # of a provider, which deletes after an hour
OF_NO_USE = ("no_picture", "picture_lost")  # errors of items whose answer is of no use
AFTER_ITS_ANSWER = (*OF_NO_USE, "processing_failed")  # errors of items that failed when they had their answer


def lease_lasts() -> timedelta:
    return timedelta(seconds=settings.STUDIO_TIMEOUT_SECONDS) + AFTER_THE_ANSWER


class ItemQuerySet(models.QuerySet["Item"]):
    def of(self, owner_id: int) -> Self:
        """What this user asked for. Every read and write of a view begins here."""
        return self.filter(owner_id=owner_id)

    def unqueued(self, *, now: datetime) -> Self:
        """Those that nobody was told of, or so long ago that the message may be lost."""
        return self.filter(status=Item.Status.PENDING).filter(Q(queued_until=None) | Q(queued_until__lte=now))

    def waiting(self, *, now: datetime) -> Self:
        """Those whose provider was busy or away: until then nobody asks again, however many messages come."""
        return self.filter(status=Item.Status.PENDING, queued_until__gt=now).exclude(error="")

    def abandoned(self, *, now: datetime) -> Self:
        """Those whose worker's lease ran out."""
        return self.filter(status=Item.Status.GENERATING, lease_expires_at__lte=now)

    def answered_late(self, *, now: datetime) -> Self:
        """Those that failed before their answer came, and whose worker doesn't go on with it, though it had time to."""
        failed = self.filter(status=Item.Status.FAILED, answered_at__lte=now - AFTER_THE_ANSWER)
        return failed.exclude(error__in=AFTER_ITS_ANSWER)

    def unstored(self) -> Self:
        """Those that are ready, and whose bytes aren't in the store yet."""
        return self.filter(status=Item.Status.READY, stored_at=None)

    def expired(self, *, now: datetime) -> Self:
        """Those that are ready, and still name an address at which their provider has nothing any more."""
        return self.filter(status=Item.Status.READY, answered_at__lte=now - ADDRESS_IS_GOOD).exclude(provider_url="")


class Item(models.Model):
    """One picture that somebody asked for: a member of its owner's history.

    ``pending → generating → ready | failed``; back to ``pending`` when the provider is busy or its worker died before
    it asked; from ``failed`` again by a person, or to ``ready`` by the late answer to its own call; from ``ready`` to
    ``failed`` when it was never stored and its address died. Only `move` changes the state.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("Pending")
        GENERATING = "generating", _("Under way")
        READY = "ready", pgettext_lazy("state", "Ready")
        FAILED = "failed", _("Failed")

    class Kind(models.TextChoices):
        DRAWN = "drawn", _("Drawn")
        TIDIED = "tidied", _("Tidied up")
        GENERATED = "generated", _("Generated")
        EDITED = "edited", _("Improved")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("owner"), related_name="pictures", db_index=False
    )
    product = models.ForeignKey(
        "catalog.Product",
        models.SET_NULL,
        verbose_name=_("product"),
        related_name="pictures",
        null=True,
        blank=True,
    )
    prompt = models.TextField(_("prompt"), max_length=LONGEST, blank=True, default="")
    style = models.CharField(
        _("style"), max_length=10, choices=[(name, name) for name in STYLES], default=DEFAULT_STYLE
    )
    source = models.ForeignKey(
        "images.Image",
        models.PROTECT,
        verbose_name=_("improved photo"),
        related_name="improvements",
        null=True,
        blank=True,
    )
    provider = models.CharField(_("provider"), max_length=20)
    model = models.CharField(_("model"), max_length=100, blank=True, default="")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    # As the request had them. Settings choose a model where it named none; later the picture may go to another product.
    asked_model = models.CharField(_("model asked for"), max_length=100, blank=True, default="", editable=False)
    asked_product = models.UUIDField(_("product asked for"), null=True, editable=False)

    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.PENDING, editable=False)
    error = models.CharField(_("error"), max_length=40, blank=True, default="", editable=False)
    error_detail = models.TextField(_("what happened"), max_length=500, blank=True, default="", editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, editable=False)
    lease = models.UUIDField(_("lease"), null=True, editable=False)
    lease_expires_at = models.DateTimeField(_("lease expires at"), null=True, editable=False)
    queued_until = models.DateTimeField(_("queued until"), null=True, editable=False)
    reserved_on = models.DateField(_("counts for"), null=True, editable=False)  # the day whose allowance it took

    provider_url = models.TextField(_("provider's address"), max_length=2000, blank=True, default="", editable=False)
    answered_at = models.DateTimeField(_("answered at"), null=True, editable=False)
    key = models.CharField(_("key"), max_length=120, null=True, unique=True, editable=False)  # noqa: DJ001 - unique
    content_type = models.CharField(_("content type"), max_length=20, blank=True, default="", editable=False)
    size = models.PositiveIntegerField(_("size"), null=True, editable=False)
    width = models.PositiveIntegerField(_("width"), null=True, editable=False)
    height = models.PositiveIntegerField(_("height"), null=True, editable=False)
    image = models.ForeignKey(
        "images.Image", models.PROTECT, verbose_name=_("image"), related_name="pictures", null=True, editable=False
    )
    stored_at = models.DateTimeField(_("stored at"), null=True, editable=False)
    store_attempts = models.PositiveSmallIntegerField(_("attempts at storing"), default=0, editable=False)
    store_after = models.DateTimeField(_("stored again after"), null=True, editable=False)
    is_favorite = models.BooleanField(_("favourite"), default=False)

    shown_before = models.CharField(_("shown when asked"), max_length=64, blank=True, default="", editable=False)
    placed_at = models.DateTimeField(_("put on the product at"), null=True, editable=False)
    replaced = models.ForeignKey(
        "images.Image", models.PROTECT, verbose_name=_("replaced"), related_name="+", null=True, editable=False
    )

    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    ready_at = models.DateTimeField(_("ready at"), null=True, editable=False)
    failed_at = models.DateTimeField(_("last failed at"), null=True, editable=False)

    objects = ItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("picture of the studio")
        verbose_name_plural = _("pictures of the studio")
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["owner", "-created_at", "-id"], name="item_by_owner_newest_first"),
            # A pass costs what is under way, however long histories are.
            models.Index(fields=["created_at"], name="item_pending", condition=Q(status="pending")),
            models.Index(fields=["lease_expires_at"], name="item_generating", condition=Q(status="generating")),
            models.Index(fields=["store_after"], name="item_unstored", condition=Q(status="ready", stored_at=None)),
            models.Index(
                fields=["answered_at"], name="item_with_address", condition=Q(status="ready") & ~Q(provider_url="")
            ),
            models.Index(
                fields=["answered_at"],
                name="item_answered_late",
                condition=Q(status="failed", answered_at__isnull=False) & ~Q(error__in=AFTER_ITS_ANSWER),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["pending", "generating", "ready", "failed"]), name="item_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["drawn", "tidied", "generated", "edited"]), name="item_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(status="generating", lease__isnull=False, lease_expires_at__isnull=False)
                | ~Q(status="generating") & Q(lease=None, lease_expires_at=None),
                name="item_has_a_lease_exactly_while_under_way",
            ),
            models.CheckConstraint(
                condition=Q(queued_until=None) | Q(status="pending"), name="item_is_queued_only_while_pending"
            ),
            models.CheckConstraint(
                condition=~Q(status="failed", error="") & ~(Q(status="ready") & ~Q(error="")),
                name="item_says_why_it_failed_and_nothing_when_ready",
            ),
            models.CheckConstraint(
                condition=~Q(status="ready", ready_at=None) & ~Q(status="failed", failed_at=None),
                name="item_knows_since_when_it_is_in_its_state",
            ),
            models.CheckConstraint(
                condition=Q(stored_at=None) | Q(status="ready", key__isnull=False, image__isnull=False),
                name="item_is_stored_under_a_key_and_with_its_image_and_ready",
            ),
            models.CheckConstraint(
                condition=Q(image=None) | Q(status="ready"), name="item_has_an_image_only_when_ready"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["tidied", "edited"], source__isnull=False)
                | Q(kind__in=["drawn", "generated"], source=None),
                name="item_has_a_source_exactly_when_it_improves_one",
            ),
            models.CheckConstraint(
                condition=Q(replaced=None) | Q(placed_at__isnull=False), name="item_replaced_something_only_when_placed"
            ),
        ]

    def __str__(self) -> str:
        return self.prompt[:60] or str(self.pk)


class Call(models.Model):
    """One request that may cost money, committed before its first byte is sent. It outlives its item and its user."""

    class Status(models.TextChoices):
        OPEN = "open", _("Open")
        ANSWERED = "answered", _("Answered")
        REFUSED = "refused", _("Refused")
        UNANSWERED = "unanswered", _("Unanswered")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    item = models.ForeignKey(Item, models.SET_NULL, verbose_name=_("picture"), related_name="calls", null=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("user"), related_name="+", null=True
    )
    username = models.CharField(_("name of the user"), max_length=150)
    provider = models.CharField(_("provider"), max_length=20)
    model = models.CharField(_("model"), max_length=100, blank=True, default="")
    day = models.DateField(_("day"))  # that it counts for, in the shop's zone
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.OPEN)
    outcome = models.CharField(_("outcome"), max_length=40, blank=True, default="")
    request_id = models.CharField(_("request id"), max_length=300, blank=True, default="")
    usage = models.JSONField(_("usage"), default=dict, blank=True)
    price = models.CharField(_("price"), max_length=40, blank=True, default="")  # an estimate, by the settings then
    opened_at = models.DateTimeField(_("opened at"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("spending")
        ordering = ["-opened_at", "-id"]
        indexes = [
            models.Index(fields=["-opened_at"], name="call_newest_first"),
            models.Index(fields=["day", "owner"], name="call_by_day_and_user"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["item"], condition=Q(status="open"), name="there_is_one_open_call_for_an_item"
            ),
            models.CheckConstraint(
                condition=Q(status="open", closed_at=None) | ~Q(status="open") & Q(closed_at__isnull=False),
                name="call_knows_when_it_was_closed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.opened_at:%Y-%m-%d %H:%M}"


class Held(models.Model):
    """The bytes of an answer until they are stored; apart from the item, so that no list reads them."""

    item = models.OneToOneField(Item, models.CASCADE, primary_key=True, verbose_name=_("picture"), related_name="held")
    data = models.BinaryField(_("bytes"))
    held_at = models.DateTimeField(_("held at"), default=timezone.now)

    class Meta:
        verbose_name = _("held answer")
        verbose_name_plural = _("held answers")

    def __str__(self) -> str:
        return str(self.pk)


class Allowance(models.Model):
    """How many calls that may cost money were reserved on a day: by one user, or by all (``owner_id`` 0)."""

    day = models.DateField(_("day"))
    owner_id = models.BigIntegerField(_("user"))
    used = models.PositiveIntegerField(_("used"), default=0)

    class Meta:
        verbose_name = _("allowance")
        verbose_name_plural = _("allowances")
        constraints = [models.UniqueConstraint(fields=["day", "owner_id"], name="there_is_one_allowance_a_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.owner_id}: {self.used}"


Status = Item.Status
MOVES = {
    (Status.PENDING, Status.GENERATING),
    (Status.GENERATING, Status.READY),
    (Status.GENERATING, Status.FAILED),
    (Status.GENERATING, Status.PENDING),
    (Status.FAILED, Status.PENDING),
    (Status.FAILED, Status.READY),
    (Status.READY, Status.FAILED),
}


def move(
    item_id: uuid.UUID,
    from_: Status,
    to: Status,
    *,
    now: datetime,
    lease: uuid.UUID | None = None,
    **values: Any,
) -> bool:
    """Move an item between two states if it is in the first; whether this call did it.

    ``lease`` is the token that a worker takes (to ``generating``) or must still hold (from ``generating``). ``values``
    are more columns to set. What is stored stays ready. Raises ValueError for a move that the state machine doesn't
    have.
    """
    if (from_, to) not in MOVES:
        raise ValueError(f"An item never goes from {from_} to {to}.")
    if lease is None and Status.GENERATING in (from_, to):
        raise ValueError("A worker has a lease.")
    columns: dict[str, Any] = {"status": to, "lease": None, "lease_expires_at": None, "queued_until": None}
    match to:
        case Status.GENERATING:
            columns |= {"lease": lease, "lease_expires_at": now + lease_lasts(), "attempts": F("attempts") + 1}
        case Status.READY:
            columns |= {"ready_at": now, "error": "", "error_detail": ""}
        case Status.FAILED:
            columns |= {"failed_at": now, "image": None, "stored_at": None}
    found = Item.objects.filter(pk=item_id, status=from_)
    if from_ == Status.GENERATING:
        found = found.filter(lease=lease)
    if from_ == Status.READY:
        found = found.filter(stored_at=None)
    return bool(found.update(**columns | values))
