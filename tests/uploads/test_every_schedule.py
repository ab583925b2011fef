"""Schedules that nobody would write down: clients, workers, passes and upkeep in any order, on a storage and a clock
that are simulated, with a death, a failure or somebody else's work at any of their requests to the storage."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, ClassVar
from uuid import UUID

import pytest
from django.db import connection
from django.http import Http404

from catalog.models import Product
from images import store
from images.blobs import StorageUnavailable
from images.models import Image
from tests.schedules import Machine, run_schedules
from tests.uploads.simulated_storage import SimulatedBlobs
from tests.uploads.steps import HASHES, MEANWHILE, MOST_PHOTOS, NO_PICTURE, STEPS, Plan
from uploads import broker, originals, pipeline, queueing, reconciliation, services, targets, upkeep
from uploads.models import MAX_ATTEMPTS, Album, Photo
from uploads.reconciliation import Counts

SCHEDULES = 200
LENGTH = 12
ORIGINALS = "originals/"


class Killed(BaseException):
    """A process dies here: it does nothing any more, see `dead`."""


class Stopped(BaseException):
    """A worker is told to stop."""


def dead(*_: Any) -> None:
    """Whoever was killed asks no database for anything; the handlers that unwind would."""
    raise Killed


@dataclass
class Life:
    """What the machine knows of one photo."""

    photo_id: UUID
    data: bytes
    closes: datetime
    arrived: bool = False  # while there was a record, so that nobody may forget it
    deleted: bool = False


class Uploads(Machine):
    """Clients, workers, passes and upkeep over one album; what they share is set by the test below."""

    fired: ClassVar[Counter[str]] = Counter()
    patch: ClassVar[Callable[..., None]]
    album: ClassVar[Album]
    product: ClassVar[Product]

    def __init__(self) -> None:
        self.clock = datetime(2026, 3, 1, 12, tzinfo=UTC)
        self.messages: list[UUID] = []
        self.lives: list[Life] = []
        self.plan: Plan = {}
        self.touches = 0
        self.down = self.broker_down = False
        self.storage = SimulatedBlobs(lambda: self.clock, self.touched)
        for module in (originals, pipeline, store, targets, upkeep):
            self.patch(module, "blobs", lambda: self.storage)
        self.patch(queueing, "send_one", self.send)
        self.patch(reconciliation, "waiting", lambda: len(self.messages))
        self.patch(broker, "add", lambda counters: None)
        self.fired["schedule"] += 1

    # --- What happens at the storage and the broker ---
    def touched(self) -> str | None:
        planned = self.plan.pop(self.touches, None)
        self.touches += 1
        rest, self.plan = self.plan, {}  # nobody interrupts the interrupter
        try:
            match planned:
                case "death":
                    self.fired[planned] += 1
                    self.graves.enter_context(connection.execute_wrapper(dead))
                    raise Killed
                case "a stop":
                    self.fired[planned] += 1
                    raise Stopped
                case "failure":
                    self.fired[planned] += 1
                    raise StorageUnavailable("500")
                case "a worker" if self.messages:
                    self.fired[planned] += 1
                    self.work(0)
                case "a pass":
                    self.fired[planned] += 1
                    reconciliation.scan(now=self.clock)
                case "a deletion" if self.lives:
                    self.fired[planned] += 1
                    self.forget(self.lives[0])
                case "an expired lease":
                    self.fired[planned] += 1
                    self.clock += timedelta(seconds=61)
                    reconciliation.scan(now=self.clock)
        finally:
            self.plan = rest
        if self.down:
            self.fired["storage down"] += 1
            raise StorageUnavailable("nobody answers")
        if planned == "lost answer":
            self.fired[planned] += 1
        return planned

    def send(self, photo: Photo) -> None:
        if self.broker_down:
            self.fired["broker down"] += 1
            raise ConnectionRefusedError("no broker")
        self.messages.append(photo.pk)

    @contextmanager
    def act(self, plan: Plan) -> Iterator[None]:
        """Somebody acts, and ``plan`` says what comes in between."""
        self.plan, self.touches = dict(plan), 0
        with ExitStack() as self.graves, suppress(Killed, Stopped):
            yield
        self.plan = {}

    def work(self, index: int, *, keep: bool = False) -> None:
        index %= len(self.messages)
        photo_id = self.messages[index] if keep else self.messages.pop(index)
        pipeline.process(photo_id=photo_id, clock=lambda: self.clock)

    def forget(self, life: Life) -> None:
        life.deleted = True
        services.delete_photo(photo_id=life.photo_id)

    # --- Who acts ---
    def do(self, step: str, argument: Any) -> None:
        if self.lives or step not in ("put", "process", "delete"):
            super().do(step, argument)
            self.promises_are_kept()

    def upload(self, how: tuple[tuple[bytes, bool, bool], Plan]) -> None:
        """The whole flow of a client that nothing holds up."""
        declaration, plan = how
        self.register(declaration)
        self.put(-1)
        self.process((-1, plan))

    def register(self, declaration: tuple[bytes, bool, bool]) -> None:
        if len(self.lives) == MOST_PHOTOS:
            return
        data, declares, for_it = declaration
        declared = services.Declaration(
            filename="dish.jpg",
            content_type="image/jpeg",
            size=len(data),
            sha256=sha256(data).hexdigest() if declares else "",
            product_id=self.product.pk if for_it else None,
        )
        made = services.register_photo(album_id=self.album.pk, photo_id=None, declaration=declared, now=self.clock)
        self.lives.append(Life(made.photo.pk, data, made.photo.upload_expires_at))

    def life(self, which: int) -> Life:
        return self.lives[which % len(self.lives)]

    def put(self, which: int) -> None:
        """The client's own request: the storage takes it while the address is good, and once."""
        life = self.life(which)
        if self.clock >= life.closes:
            return
        if f"{ORIGINALS}{life.photo_id}" not in self.storage.files and not self.is_ready(life):
            self.storage.files[f"{ORIGINALS}{life.photo_id}"] = (life.data, self.clock)
            life.arrived = True

    def is_ready(self, life: Life) -> bool:
        return Photo.objects.filter(pk=life.photo_id, status="ready").exists()

    def process(self, how: tuple[int, Plan]) -> None:
        which, plan = how
        life = self.life(which)
        with self.act(plan):
            try:
                services.request_processing(photo_id=life.photo_id, now=self.clock)
            except (Http404, services.NotUploaded):
                assert life.deleted or not life.arrived
            except originals.StorageSilent:
                pass

    def deliver(self, how: tuple[int, bool, Plan]) -> None:
        """A worker gets one of the messages; a kept one comes again."""
        index, keep, plan = how
        if not self.messages:
            return
        self.fired["comes again"] += keep
        with self.act(plan):
            self.work(index, keep=keep)

    def the_broker_loses_all(self, _: None) -> None:
        self.fired["message lost"] += len(self.messages)
        self.messages.clear()

    def delete(self, how: tuple[int, Plan]) -> None:
        which, plan = how
        with self.act(plan):
            self.forget(self.life(which))

    def one_pass(self, plan: Plan) -> None:
        with self.act(plan):
            reconciliation.scan(now=self.clock)

    def a_pass_of_the_album(self, plan: Plan) -> None:
        with self.act(plan):
            reconciliation.reconcile_album(album_id=self.album.pk, now=self.clock)

    def tidy(self, plan: Plan) -> None:
        with self.act(plan):
            upkeep.quarantine_orphans(now=self.clock)

    def time_passes(self, span: timedelta) -> None:
        self.clock += span

    def the_storage_goes_or_comes(self, down: bool) -> None:
        self.down = down

    def the_broker_goes_or_comes(self, down: bool) -> None:
        self.broker_down = down

    # --- What always holds ---
    def promises_are_kept(self) -> None:
        rows = {photo.pk: photo for photo in Photo.objects.all()}
        for life in self.lives:
            photo = rows.get(life.photo_id)
            assert not (life.deleted and photo), "it is deleted"
            assert photo or life.deleted or not life.arrived, "nobody forgets a photo whose bytes came"
            if photo and photo.status != "ready":
                assert not life.arrived or photo.key in self.storage.files, "an original stays until its image is there"
                assert photo.attempts <= MAX_ATTEMPTS, "nobody tries for ever"
        for hash in {photo.image_id for photo in rows.values() if photo.image_id} | {self.shown()} - {None}:
            assert sha256(self.storage.files[f"images/{hash}.jpg"][0]).hexdigest() == hash, "what is ready can be shown"
            assert hash in HASHES

    def shown(self) -> str | None:
        return Product.objects.values_list("image_id", flat=True).get(pk=self.product.pk)

    # --- How it ends ---
    def end(self) -> None:
        try:
            self.all_comes_to_rest()
        finally:
            Photo.objects.all()._raw_delete(Photo.objects.db)
            Product.objects.update(image=None)
            Image.objects.all()._raw_delete(Image.objects.db)

    def all_comes_to_rest(self) -> None:
        """Storage and broker are back: two passes, as much later as leases and windows want it, finish everything."""
        self.down = self.broker_down = False
        for minutes in (6, 24):
            self.clock += timedelta(minutes=minutes)
            reconciliation.scan(now=self.clock)
            while self.messages:
                self.work(0)
        for life in self.lives:
            photo = Photo.objects.filter(pk=life.photo_id).first()
            if life.deleted or not life.arrived:
                assert photo is None
                continue
            assert photo is not None
            self.fired[photo.status] += 1
            if photo.status == "failed":
                if photo.error == "unsupported_image":
                    assert life.data == NO_PICTURE
                else:
                    assert photo.error in ("worker_lost", "storage_unavailable")
                    assert photo.attempts == MAX_ATTEMPTS
            else:
                assert (photo.status, photo.image_id) == ("ready", sha256(life.data).hexdigest())
        self.nothing_changes_any_more()

    def nothing_changes_any_more(self) -> None:
        before = self.state()
        assert reconciliation.scan(now=self.clock) == Counts()
        assert (self.messages, self.state()) == ([], before)
        self.clock += timedelta(days=2)
        upkeep.quarantine_orphans(now=self.clock)
        kept = {photo.key for photo in Photo.objects.filter(status="failed")}
        assert {key for key in self.storage.files if key.startswith(ORIGINALS)} == kept

    def state(self) -> object:
        return list(Photo.objects.order_by("pk").values()), self.shown(), dict(self.storage.files)


@pytest.fixture
def machine(
    transactional_db: None, album: Album, product: Product, monkeypatch: pytest.MonkeyPatch
) -> Iterator[type[Uploads]]:
    monkeypatch.setattr(store, "PATIENCE", timedelta(0))  # on the real clock, with the claim of one that died
    Uploads.patch = staticmethod(monkeypatch.setattr)
    Uploads.album, Uploads.product = album, product
    Uploads.fired.clear()
    logging.disable(logging.CRITICAL)  # most of the time would go there
    yield Uploads
    logging.disable(logging.NOTSET)


def everything_happened(machine: type[Uploads], *, schedules: int) -> None:
    """Every kind of fault, and both ends of a photo."""
    assert machine.fired["schedule"] >= schedules
    wanted = {*MEANWHILE, "storage down", "broker down", "message lost", "comes again", "ready", "failed"}
    assert {what for what in wanted if not machine.fired[what]} == set()


@pytest.mark.timeout(900)  # a minute of computing
def test_every_schedule_ends_well(machine: type[Uploads], capsys: pytest.CaptureFixture[str]) -> None:
    run_schedules(machine, STEPS, SCHEDULES, length=LENGTH, first=["upload"], repeatable=True)

    with capsys.disabled():
        print(f"\n  {dict(machine.fired.most_common())}", end=" ")  # noqa: T201 -- asked for
    everything_happened(machine, schedules=SCHEDULES)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("part", range(10))
def test_many_more_schedules_end_well(machine: type[Uploads], part: int) -> None:
    """Ten thousand in all, other ones each time."""
    run_schedules(machine, STEPS, 1000, length=LENGTH, first=["upload"], repeatable=False)
    everything_happened(machine, schedules=1000)
