"""What could not be queued is queued a moment later, by the process itself and without any scan."""

from collections.abc import Callable, Iterator

import pytest
from django.utils import timezone

from tests.parts import wait_until
from uploads import rescue, tasks
from uploads.models import Album, Photo
from uploads.queueing import queue

from .conftest import picture

pytestmark = pytest.mark.django_db(transaction=True)


class Broker:
    """Refuses the first ``refusals`` messages, then takes them."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.refused: list[str] = []
        self.taken: list[str] = []

    def delay(self, photo_id: str) -> None:
        if len(self.refused) < self.refusals:
            self.refused.append(photo_id)
            raise ConnectionRefusedError("the broker is away")
        self.taken.append(photo_id)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    broker = Broker(refusals=2)
    monkeypatch.setattr(tasks.process_photo, "delay", broker.delay)
    return broker


@pytest.fixture
def soon(no_rescue: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The pauses of the rescue are short; its thread has ended before the test does."""
    monkeypatch.setattr(rescue, "PAUSES", (0.01, 0.02, 0.03))
    yield
    wait_until(lambda: not rescue.timers, what="the end of the rescue")


def test_a_photo_that_the_broker_refused_is_queued_by_the_server_itself(
    make_photo: Callable[..., Photo], broker: Broker, soon: None
) -> None:
    photo = make_photo(picture())

    assert queue(photos=[photo], now=timezone.now()) == 1

    wait_until(lambda: broker.taken, what="a message")
    wait_until(lambda: not rescue.timers, what="the end of the rescue")
    assert (broker.refused, broker.taken) == ([str(photo.pk)] * 2, [str(photo.pk)])
    assert Photo.objects.get().queued_until is not None


def test_the_rest_of_the_album_comes_along_and_other_albums_do_not(
    make_photo: Callable[..., Photo], broker: Broker, soon: None
) -> None:
    photo, lost = make_photo(picture()), make_photo(picture())
    other = make_photo(picture(), album=Album.objects.create(name="Other"))

    queue(photos=[photo], now=timezone.now())

    wait_until(lambda: len(broker.taken) == 2, what="two messages")
    wait_until(lambda: not rescue.timers, what="the end of the rescue")
    assert set(broker.taken) == {str(photo.pk), str(lost.pk)}
    assert Photo.objects.get(pk=other.pk).queued_until is None


def test_a_broker_that_stays_away_is_left_to_the_scan(
    make_photo: Callable[..., Photo], broker: Broker, soon: None
) -> None:
    broker.refusals = 1000
    photo = make_photo(picture())

    queue(photos=[photo], now=timezone.now())

    wait_until(lambda: not rescue.timers, what="the end of the rescue")
    assert broker.refused == [str(photo.pk)] * 4
    assert rescue.albums == set()
    assert Photo.objects.get().queued_until is None
