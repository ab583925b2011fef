"""The verbs of the studio: ask for a picture, try again, put it on a product and take it off, favour, forget."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from catalog.models import Product
from catalog.services import show_image
from images.models import Image
from images.services import HashUnknown, hold_image
from refusals import Refusal

from . import allowance, storing
from .choice import choice
from .models import OF_NO_USE, Held, Item, Status, move
from .pipeline import has_answer
from .prompts import DEFAULT_STYLE
from .queueing import queue

logger = logging.getLogger(__name__)


class Conflict(Refusal):
    status, code = 409, "conflict"
    detail = _("A picture with this id was asked for with other words, or by somebody else.")


class NotReady(Refusal):
    status, code = 409, "not_ready"
    detail = _("The picture isn't stored yet; try again when it is.")


class ShowsAnother(Refusal):
    status, code = 409, "conflict"
    detail = _("The product shows another picture by now; nothing was changed.")


@dataclass(frozen=True)
class Wish:
    """What is asked for: words, a product, a stored photo to improve, or several of these."""

    prompt: str = ""
    product_id: UUID | None = None
    source: str | None = None
    style: str = DEFAULT_STYLE
    model: str = ""  # empty: as the settings say


@transaction.atomic
def ask_for(*, owner: Any, item_id: UUID, wish: Wish, now: datetime) -> tuple[Item, bool]:
    """The item of this id, made and queued unless it is there already; and whether it is new.

    Raises Conflict, LimitReached, and ValidationError by field.
    """
    item, created = make(owner=owner, item_id=item_id, wish=wish, now=now)
    if created:
        queue([item_id], now=now)
    return item, created


def ask_for_each(*, owner: Any, product_ids: Iterable[UUID], now: datetime) -> int:
    """A picture for each product that is still there, until the day's limit is reached; how many.

    They are queued together at the end, so that a broker that hangs is waited for once. What dies before is left to a
    pass.
    """
    made = []
    for product_id in product_ids:
        try:
            item, _created = make(owner=owner, item_id=uuid4(), wish=Wish(product_id=product_id), now=now)
        except allowance.LimitReached:
            break
        except ValidationError:
            continue  # it was deleted meanwhile
        made.append(item.pk)
    with transaction.atomic():
        queue(made, now=now)
    return len(made)


@transaction.atomic
def make(*, owner: Any, item_id: UUID, wish: Wish, now: datetime) -> tuple[Item, bool]:
    """As `ask_for`, and queues nothing."""
    asked = {
        "owner_id": owner.pk,
        "prompt": wish.prompt,
        "asked_product": wish.product_id,
        "source_id": wish.source,
        "style": wish.style,
        "asked_model": wish.model,
    }
    if known := Item.objects.filter(pk=item_id).first():
        return same(known, asked), False
    shown = ""
    if wish.product_id is not None:
        product = Product.objects.filter(pk=wish.product_id).first()
        if product is None:
            raise ValidationError({"product": ValidationError(_("There is no such product."), code="unknown_product")})
        shown = product.image_id or ""
    if wish.source is not None:
        try:
            hold_image(hash=wish.source)
        except HashUnknown:
            missing = ValidationError(_("No stored picture has this hash."), code="unknown_image")
            raise ValidationError({"source": missing}) from None
    made = choice(improving=wish.source is not None)
    item, created = Item.objects.get_or_create(
        pk=item_id,
        defaults={
            **asked,
            "product_id": wish.product_id,
            "provider": made.provider.name,
            "model": wish.model or made.model,
            "kind": made.kind,
            "shown_before": shown,
            "created_at": now,
        },
    )
    if not created:
        return same(item, asked), False
    if not made.provider.free:
        day = allowance.reserve(owner_id=owner.pk, now=now)
        Item.objects.filter(pk=item_id).update(reserved_on=day)
    return item, True


def same(item: Item, asked: dict[str, Any]) -> Item:
    """The item, when just this was asked for, whatever settings and later events made of it. Raises Conflict."""
    if any(getattr(item, name) != value for name, value in asked.items()):
        raise Conflict
    return item


@transaction.atomic
def retry(*, owner_id: int, item_id: UUID, now: datetime) -> Item:
    """A failed item begins anew; any other one stays as it is. Raises Http404 and LimitReached."""
    item = locked(owner_id, item_id)
    if item.status != Status.FAILED:
        return item
    fresh: dict[str, Any] = {"attempts": 0, "error": "", "error_detail": ""}
    if item.error in OF_NO_USE:
        Held.objects.filter(pk=item.pk).delete()
        fresh |= {"provider_url": "", "answered_at": None, "key": None}
    if item.error in OF_NO_USE or not has_answer(item):
        made = choice(improving=item.source_id is not None)
        if made.provider.name != item.provider:  # the settings name another one by now
            fresh |= {"provider": made.provider.name, "model": made.model, "kind": made.kind}
        elif not item.asked_model:  # the one of the settings, which may have been what was wrong
            fresh["model"] = made.model
        # A call that may have been paid for stays counted: its place isn't this try's, which may be given back.
        fresh["reserved_on"] = None if made.provider.free else allowance.reserve(owner_id=owner_id, now=now)
    move(item.pk, Status.FAILED, Status.PENDING, now=now, **fresh)
    queue([item.pk], now=now)
    return Item.objects.get(pk=item.pk)


@transaction.atomic
def use(*, owner_id: int, item_id: UUID, product_id: UUID, now: datetime) -> None:
    """Put the picture on a product, whatever that shows now. Raises Http404, NotReady and ValidationError."""
    item = own(owner_id, item_id)
    product = Product.objects.select_for_update(no_key=True).filter(pk=product_id).first()
    if product is None:
        raise ValidationError({"product": ValidationError(_("There is no such product."), code="unknown_product")})
    if item.image_id is None:
        raise NotReady
    if item.placed_at is not None and (item.product_id, item.image_id) == (product.pk, product.image_id):
        return  # it shows it already, and what it showed before is noted
    try:
        placed = storing.put_on(product, item.image_id, item, now=now)
    except HashUnknown:
        raise NotReady from None
    Item.objects.of(owner_id).filter(pk=item.pk).update(**placed)


@transaction.atomic
def take_off(*, owner_id: int, item_id: UUID) -> None:
    """Put back what the product showed before, while it still shows this picture. Raises Http404 and ShowsAnother."""
    item = own(owner_id, item_id)
    if item.placed_at is None:
        raise ShowsAnother
    product = item.product_id and Product.objects.select_for_update(no_key=True).filter(pk=item.product_id).first()
    if not product or product.image_id != item.image_id:
        raise ShowsAnother
    if item.replaced_id is not None and not Image.objects.usable().filter(pk=item.replaced_id).exists():
        raise ShowsAnother
    show_image(product_id=product.pk, hash=item.replaced_id, author=storing.author_of(item))
    Item.objects.of(owner_id).filter(pk=item.pk).update(placed_at=None, replaced=None)


@transaction.atomic
def favour(*, owner_id: int, item_id: UUID, is_favorite: bool) -> None:
    """Raises Http404."""
    if not Item.objects.of(owner_id).filter(pk=item_id).update(is_favorite=is_favorite):
        raise Http404


def forget(*, owner_id: int, item_id: UUID) -> None:
    """Delete an item in whatever state; a pending one costs nothing then. A product's picture is never touched.

    The row goes first: an object that the storage refuses to delete is found as an orphan. Raises Http404.
    """
    with transaction.atomic(durable=True):
        item = locked(owner_id, item_id)
        if item.status == Status.PENDING and not has_answer(item):
            allowance.give_back(item)
        item.delete()
    storing.drop(item.key)


def own(owner_id: int, item_id: UUID) -> Item:
    """Raises Http404, also for an item of somebody else."""
    item = Item.objects.of(owner_id).filter(pk=item_id).first()
    if item is None:
        raise Http404
    return item


def locked(owner_id: int, item_id: UUID) -> Item:
    """As `own`, held until the end of the transaction."""
    item = Item.objects.of(owner_id).select_for_update().filter(pk=item_id).first()
    if item is None:
        raise Http404
    return item
