"""A disk without room for a picture that was paid for: it is held, and comes by itself when there is room."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from catalog.models import Product
from images.blobs import StorageFull
from images.identity import MARKER
from studio import pipeline, reconciliation, storing
from studio.models import Held, Item
from tests.disks import fill, small_disk
from tests.studio.provider import Running, picture

from .conftest import Ask

__all__ = ["small_disk"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]

PAGE = 4096  # bytes; what the file system gives at once


def files_of(disk: Path) -> list[str]:
    files = (path for path in disk.rglob("*") if path.is_file() and path.name not in ("ballast", MARKER))
    return sorted(str(path.relative_to(disk)) for path in files)


@pytest.mark.parametrize("room", [0, PAGE], ids=["for nothing", "for the original alone"])
def test_a_full_disk_loses_no_picture_and_pays_for_none_again(
    settings: LazySettings, small_disk: Callable[[str], Path], paid: Running, ask: Ask, staff: Client,
    product: Product, room: int,
) -> None:  # fmt: skip
    disk = settings.FILES_DIR = small_disk("256k")
    item = ask(product_id=product.pk)
    (disk / f"images/{item.owner_id}").mkdir(parents=True)
    ballast = fill(disk)
    with ballast.open("r+b") as file:
        file.truncate(ballast.stat().st_size - room)

    pipeline.generate(item_id=item.pk)

    found = staff.get(f"/api/history/{item.pk}").json()
    assert (found["status"], found["r2_key"], found["hash"], found["placed"]) == ("ready", None, None, False)
    assert staff.get(found["image_url"]).content == picture()
    assert len(files_of(disk)) == (1 if room else 0)
    with pytest.raises(StorageFull):
        storing.store(item, picture(), storing.look(picture()))
    after = Item.objects.get(pk=item.pk).store_after
    assert after is not None
    assert reconciliation.scan(now=after).stored == 0
    assert bytes(Held.objects.get(pk=item.pk).data) == picture()

    ballast.unlink()
    later = Item.objects.get(pk=item.pk).store_after
    assert later is not None
    assert reconciliation.scan(now=later).stored == 1
    found = staff.get(f"/api/history/{item.pk}").json()
    product.refresh_from_db()
    assert (found["placed"], product.image_id) == (True, found["hash"])
    assert staff.get(found["r2_url"]).content == picture()
    assert files_of(disk) == sorted([found["r2_key"], f"images/{found['hash']}.jpg"])
    assert (Held.objects.count(), paid.count()) == (0, 1)
    assert not any(vars(reconciliation.scan(now=timezone.now())).values())
