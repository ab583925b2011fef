"""What is counted of the studio: places of the shop's day, what costs nothing, and figures for whoever watches."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import partial
from threading import Barrier
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from catalog.transactions import run_in_transaction
from images.services import add_image
from studio import allowance, pipeline, services
from studio.models import Allowance, Call, Item
from studio.services import Wish
from tests.images.pictures import normal_jpeg

from .conftest import Ask
from .provider import Running

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("zone", "day", "ends_at"),
    [
        ("Asia/Shanghai", date(2026, 12, 2), datetime(2026, 12, 2, 16, tzinfo=UTC)),
        ("America/Lima", date(2026, 12, 1), datetime(2026, 12, 2, 5, tzinfo=UTC)),
    ],
)
def test_the_day_is_the_shops(manager: User, zone: str, day: date, ends_at: datetime) -> None:
    now = datetime(2026, 12, 1, 20, tzinfo=UTC)
    with timezone.override(zone):
        assert allowance.reserve(owner_id=manager.pk, now=now) == day
        assert allowance.left(owner_id=manager.pk, now=now) == allowance.Left(49, 199, ends_at)
        assert allowance.left(owner_id=manager.pk, now=ends_at).you == 50


def test_eight_requests_at_once_with_the_same_id_are_one_item_and_take_one_place(
    paid: Running, settings: LazySettings, manager: User
) -> None:
    settings.STUDIO_DAILY_PICTURES, item_id = 2, uuid4()
    together = Barrier(8)

    def ask_for() -> bool:
        try:
            together.wait(30)
            wish, now = Wish(prompt="a soup"), timezone.now()
            ask = partial(services.ask_for, owner=manager, item_id=item_id, wish=wish, now=now)
            return run_in_transaction(ask)[1]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        made = [done.result(60) for done in [pool.submit(ask_for) for _ in range(8)]]
    assert sorted(made) == [False] * 7 + [True]
    assert allowance.left(owner_id=manager.pk, now=timezone.now()).you == 1
    for _ in range(2):
        pipeline.generate(item_id=item_id)
    assert (Item.objects.count(), Call.objects.count(), paid.count()) == (1, 1, 1)


def test_without_a_limit_there_is_none(paid: Running, settings: LazySettings, staff: Client, ask: Ask) -> None:
    settings.STUDIO_DAILY_PICTURES = settings.STUDIO_DAILY_PICTURES_ALL = 0
    ask()
    assert staff.get("/api/studio").json()["left"] == {"you": None, "all": None}


def test_photos_are_improved_by_the_built_in_one_only_where_the_settings_say_so(
    paid: Running, settings: LazySettings, staff: Client, ask: Ask
) -> None:
    settings.STUDIO_EDIT_MODEL = "tidy"
    photo = add_image(data=normal_jpeg(seed=73)).image
    item = ask("", source=photo.hash)
    pipeline.generate(item_id=item.pk)
    found = staff.get(f"/api/history/{item.pk}").json()
    assert (found["status"], found["kind"], found["model"]) == ("ready", "tidied", "tidy")
    assert (paid.count(), Call.objects.count(), Allowance.objects.count()) == (0, 0, 0)
    told = staff.get("/api/studio").json()
    assert (told["provider"], told["model"], told["edit_model"], told["free"], told["improves"]) == (
        "openai",
        "some-model-1",
        "tidy",
        False,
        True,
    )


def test_whoever_watches_sees_what_became_of_calls_and_how_old_what_is_unstored_is(
    paid: Running, client: Client, ask: Ask
) -> None:
    for words in ("fine", "[401]", "[cut]"):
        pipeline.generate(item_id=ask(words).pk)
    Item.objects.filter(status="ready").update(stored_at=None, ready_at=timezone.now() - timedelta(hours=1))
    lines = client.get("/metrics").content.decode().splitlines()
    pairs = [line.rsplit(" ", 1) for line in lines if line.startswith("redcoral_studio")]
    figures = {name: float(value) for name, value in pairs}
    assert figures['redcoral_studio_items{status="ready"}'] == 1
    assert figures['redcoral_studio_items{status="failed"}'] == 2
    for outcome in ("answered", "provider_refused", "outcome_unknown"):
        assert figures[f'redcoral_studio_calls_total{{outcome="{outcome}",provider="openai"}}'] == 1
    assert figures['redcoral_studio_call_seconds_count{provider="openai"}'] == 3
    assert figures["redcoral_studio_unstored"] == 1
    assert figures["redcoral_studio_unstored_seconds"] >= 3600
