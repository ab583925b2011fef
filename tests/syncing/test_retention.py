"""The log forgets what is old: the horizon moves first, and only terminals below it notice."""

import datetime as dt
from io import StringIO

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.utils import timezone

from catalog.models import Product, Tag
from syncing import log, retention
from syncing.models import Change, SyncedResource
from syncing.tasks import prune_changes

pytestmark = pytest.mark.django_db(transaction=True)

DAY = dt.timedelta(days=1)


def age_everything() -> None:
    Change.objects.update(at=timezone.now() - 10 * DAY)


def test_old_changes_go_and_the_horizon_says_so(product: Product) -> None:
    product.save()
    age_everything()
    kept_from = log.heads().versions["product"]
    product.save()
    retention.prune(older_than=DAY, more_than=1000, now=timezone.now())
    heads = log.heads()
    assert heads.horizons["product"] == kept_from
    assert list(Change.objects.filter(resource="product").values_list("version", flat=True)) == [kept_from + 1]
    delta = log.delta(name="product", since=kept_from, epoch=heads.epoch, limit=10)
    assert [entry.version for entry in delta.changes] == [kept_from + 1]
    with pytest.raises(log.ResyncRequired) as refusal:
        log.delta(name="product", since=kept_from - 1, epoch=heads.epoch, limit=10)
    assert refusal.value.members["reason"] == "horizon"


def test_when_everything_is_old_a_terminal_at_the_head_still_continues(product: Product) -> None:
    age_everything()
    retention.prune(older_than=DAY, more_than=1000, now=timezone.now())
    heads = log.heads()
    head = heads.versions["product"]
    assert heads.horizons["product"] == head
    assert log.delta(name="product", since=head, epoch=heads.epoch, limit=10).changes == []
    assert not Change.objects.exists()


def test_no_more_rows_than_told_are_kept(product: Product) -> None:
    for _ in range(5):
        product.save()
    deleted = retention.prune(older_than=DAY, more_than=2, now=timezone.now())
    assert deleted["product"] >= 4
    assert Change.objects.filter(resource="product").count() == 2


def test_the_horizon_never_moves_back(product: Product) -> None:
    for _ in range(3):
        product.save()
    retention.prune(older_than=DAY, more_than=1, now=timezone.now())
    before = log.heads().horizons
    retention.prune(older_than=DAY, more_than=100, now=timezone.now())
    assert log.heads().horizons == before


def test_a_prune_that_died_after_moving_the_horizon_is_finished_by_the_next(product: Product) -> None:
    product.save()
    head = log.heads().versions["product"]
    SyncedResource.objects.filter(name="product").update(horizon=head)
    assert Change.objects.filter(resource="product").exists()
    retention.prune(older_than=DAY, more_than=1000, now=timezone.now())
    assert not Change.objects.filter(resource="product").exists()


def test_the_command_and_the_task_use_the_settings(transactional_db: None) -> None:
    Tag.objects.create(name="hot").save()
    prune_changes()
    assert Change.objects.filter(resource="tag").exists()
    out = StringIO()
    call_command("prune_changes", "--rows", "1", stdout=out)
    assert Change.objects.filter(resource="tag").count() == 1
    assert "tag: " in out.getvalue()


@pytest.mark.parametrize("days", [800_000, 1_000_000_000, 10**30])
def test_an_age_beyond_the_calendar_is_no_limit_and_rows_are_still_limited(
    transactional_db: None, settings: LazySettings, days: int
) -> None:
    settings.CHANGE_RETENTION_DAYS, settings.CHANGE_RETENTION_ROWS = days, 2
    for name in ("hot", "cold", "vegan"):
        Tag.objects.create(name=name)
    age_everything()
    prune_changes()
    assert list(Change.objects.filter(resource="tag").values_list("version", flat=True)) == [2, 3]


@pytest.mark.parametrize("days", ["inf", "1e300", "1000000"])
def test_the_command_takes_an_endless_age(transactional_db: None, days: str) -> None:
    Tag.objects.create(name="hot")
    age_everything()
    call_command("prune_changes", "--days", days, stdout=StringIO())
    assert Change.objects.filter(resource="tag").count() == 1


@pytest.mark.parametrize(
    ("option", "value"), [("--days", "-1"), ("--days", "0"), ("--days", "nan"), ("--rows", "-1"), ("--rows", "0")]
)
def test_the_command_refuses_what_would_forget_everything_or_means_nothing(
    transactional_db: None, option: str, value: str
) -> None:
    Tag.objects.create(name="hot")
    with pytest.raises(CommandError, match=f"^{option} must be"):
        call_command("prune_changes", option, value, stdout=StringIO())
    assert Change.objects.filter(resource="tag").count() == 1


def test_one_pass_forgets_a_share_of_the_log_though_the_clock_says_that_all_is_old(product: Product) -> None:
    for _ in range(99):
        product.save()
    ahead = timezone.now() + 400 * DAY

    deleted = retention.prune(older_than=30 * DAY, more_than=1_000_000, now=ahead)

    assert deleted["product"] == 10
    assert Change.objects.filter(resource="product").count() == 90
    assert log.heads().horizons["product"] == 10


def test_a_share_also_bounds_what_is_forgotten_by_the_number_of_rows(product: Product) -> None:
    for _ in range(99):
        product.save()

    for left in (90, 81, 73):
        retention.prune(older_than=DAY, more_than=70, now=timezone.now())
        assert Change.objects.filter(resource="product").count() == left
    retention.prune(older_than=DAY, more_than=70, now=timezone.now())
    assert Change.objects.filter(resource="product").count() == 70


def test_changes_of_tomorrow_count_as_made_now(product: Product) -> None:
    product.save()
    Change.objects.update(at=timezone.now() + 400 * DAY)

    retention.prune(older_than=30 * DAY, more_than=1000, now=timezone.now())

    assert log.heads().horizons["product"] == 0
    assert not Change.objects.filter(at__gt=timezone.now()).exists()
    retention.prune(older_than=30 * DAY, more_than=1000, now=timezone.now() + 31 * DAY)
    assert not Change.objects.filter(resource="product").exists()
