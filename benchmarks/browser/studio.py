"""The page at /studio/ with a history of 1,000 pictures whose thumbnails are on the device."""

import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.images.pictures import normal_jpeg
from tests.running import SERVE, RunningServer

from .table import Table

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROUNDS = 7
ITEMS, PICTURES = 1000, 60
DESKTOP = {"width": 1440, "height": 900}
FILL = """
from datetime import timedelta
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from studio.models import Item
hashes = {hashes!r}
user = User.objects.create_superuser("bench")
now = timezone.now()
Item.objects.bulk_create([
    Item(owner=user, prompt=f"picture {{n}}", kind="generated", provider="openai", status="ready", ready_at=now,
         created_at=now - timedelta(minutes=n), image_id=hashes[n % len(hashes)], stored_at=now,
         content_type="image/jpeg", key=f"images/{{user.pk}}/{{n}}_{{n:064x}}.jpg", width=640, height=480, size=50_000)
    for n in range({items})], batch_size=500)
client = Client()
client.force_login(user)
print(settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value)
"""
# Milliseconds since the page was asked for, when all cards are there and each on the screen has its picture.
PAINTED = """(count) => new Promise((resolve) => {
  const look = () => {
    const cards = [...document.querySelectorAll(".card")];
    const seen = cards.filter((card) => {
      const { top, bottom } = card.getBoundingClientRect();
      return bottom > 0 && top < innerHeight;
    });
    const images = seen.map((card) => card.querySelector("img"));
    if (cards.length === count && seen.length && images.every((image) => image?.complete && image.naturalWidth > 0)) {
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
    } else requestAnimationFrame(look);
  };
  look();
})"""


def measure(browser: "Browser", table: Table) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        RunningServer(Path(folder) / "data", {}, (*SERVE, "--no-demo")) as server,
    ):
        client = server.until_ready().device("Pictures", "--upload")
        hashes = []
        for seed in range(PICTURES):
            data = normal_jpeg(seed=seed, width=640, height=480)
            answer = client.post("/api/images", content=data, headers={"Content-Type": "image/jpeg"})
            hashes.append(answer.raise_for_status().json()["hash"])
        name, session = server.manage("shell", "-c", FILL.format(hashes=hashes, items=ITEMS)).split()[-2:]
        context = browser.new_context(viewport=DESKTOP)  # type: ignore[arg-type]
        context.add_cookies([{"name": name, "value": session, "url": server.url}])
        page = context.new_page()
        page.goto(f"{server.url}/studio/#history")
        page.evaluate(PAINTED, ITEMS)
        page.evaluate("(hashes) => studio.thumbnails.prefetchImages(hashes)", hashes)
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        spent = []
        for _round in range(ROUNDS):
            page.close()
            page = context.new_page()
            page.goto(f"{server.url}/studio/#history", wait_until="commit")
            spent.append(page.evaluate(PAINTED, ITEMS))
        table.row(f"studio: {ITEMS:,} items with thumbnails of this device, painted", statistics.median(spent), 1000)
        context.close()
