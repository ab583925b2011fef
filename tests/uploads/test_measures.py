"""What processes count together; a broker that is away costs numbers only."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from tests.parts import free_port, start_valkey
from uploads import broker, measures, pipeline, reconciliation
from uploads.models import Album, Photo

from .conftest import picture, state

DATA = picture()


@pytest.fixture(autouse=True)
def from_zero() -> None:
    broker.client().delete(broker.COUNTERS)


@pytest.fixture
def no_broker(settings: LazySettings) -> Iterator[None]:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}"
    broker.client.cache_clear()
    yield
    broker.client.cache_clear()


@pytest.fixture
def own_broker(settings: LazySettings, tmp_path: Path) -> Iterator[None]:
    """One that no worker of another test takes messages from."""
    settings.REDIS_URL = start_valkey(tmp_path / "valkey")
    broker.client.cache_clear()
    yield
    broker.client.cache_clear()


def test_each_attempt_is_counted_by_its_outcome_and_its_seconds(make_photo: Callable[..., Photo]) -> None:
    for data in (DATA, DATA, b"no picture", None):
        pipeline.process(photo_id=make_photo(data).pk)

    found = measures.measured()
    assert found.attempts == {"ready": 2, "failed": 1, "put_back": 1, "given_back": 0, "lease_lost": 0}
    assert found.seconds[-1] == ("+Inf", 4.0)
    assert [count for _bound, count in found.seconds] == sorted(count for _bound, count in found.seconds)
    assert found.seconds_sum > 0


def test_a_message_for_a_photo_that_is_done_counts_as_no_attempt(make_photo: Callable[..., Photo]) -> None:
    photo = make_photo(DATA)
    for _ in range(2):
        pipeline.process(photo_id=photo.pk)

    assert measures.measured().attempts["ready"] == 1


def test_each_pass_is_counted_with_what_it_decided(make_photo: Callable[..., Photo], album: Album) -> None:
    make_photo(DATA)
    make_photo()

    reconciliation.scan(now=timezone.now())
    reconciliation.reconcile_album(album_id=album.pk, now=timezone.now())

    found = measures.measured()
    assert found.passes == {"all": 1, "album": 1}
    assert {name: count for name, count in found.decisions.items() if count} == {
        ("all", "requeued"): 1,
        ("all", "skipped"): 1,
        ("album", "skipped"): 2,
    }


def test_a_pass_leaves_alone_whose_message_waits_among_many(make_photo: Callable[..., Photo], own_broker: None) -> None:
    now = timezone.now()
    sent_long_ago, never_sent = make_photo(DATA, queued_until=now), make_photo(DATA)
    backing_off = make_photo(DATA, queued_until=now, error="storage_unavailable")
    broker.client().rpush(broker.IMAGES, *["a message"] * reconciliation.MANY_WAIT)

    assert reconciliation.scan(now=now) == reconciliation.Counts(checked=3, requeued=2, skipped=1)
    queued = set(Photo.objects.filter(queued_until__gt=now).values_list("pk", flat=True))
    assert queued == {never_sent.pk, backing_off.pk}

    broker.client().delete(broker.IMAGES)
    assert reconciliation.scan(now=now) == reconciliation.Counts(checked=1, requeued=1)
    assert Photo.objects.get(pk=sent_long_ago.pk).is_queued(now=now)


def test_without_a_broker_photos_become_ready_and_passes_end(
    make_photo: Callable[..., Photo], no_broker: None, caplog: pytest.LogCaptureFixture
) -> None:
    photo = make_photo(DATA)

    pipeline.process(photo_id=photo.pk)
    reconciliation.scan(now=timezone.now())

    assert state(photo) == "ready"
    assert caplog.text.count("not counted") == 2


def test_prometheus_gets_them(client: Client, make_photo: Callable[..., Photo]) -> None:
    pipeline.process(photo_id=make_photo(DATA).pk)
    reconciliation.scan(now=timezone.now())

    text = client.get("/metrics").content.decode()

    assert 'redcoral_photo_attempts_total{outcome="ready"} 1.0' in text
    assert 'redcoral_photo_processing_seconds_bucket{le="+Inf"} 1.0' in text
    assert "redcoral_photo_processing_seconds_count 1.0" in text
    assert 'redcoral_reconciliation_passes_total{scope="all"} 1.0' in text
    assert 'redcoral_reconciled_photos_total{decision="requeued",scope="album"} 0.0' in text


def test_prometheus_gets_the_rest_without_a_broker(client: Client, db: None, no_broker: None) -> None:
    text = client.get("/metrics").content.decode()

    assert "redcoral_oldest_pending_photo_seconds" in text
    assert "redcoral_photo_attempts_total{" not in text
