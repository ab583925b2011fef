"""Whatever dies when, a photo arrives, says why not, or is cleaned; and nothing is left lying about.

A terminal, a web process, a Celery worker, Valkey, PostgreSQL and an S3 storage that checks signatures: real ones.
Whoever is at work is killed at one step of a photo's way, while the storage fails one request, the broker is lost,
messages come twice, and one or two workers run.
"""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from secrets import token_hex
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import connection
from PIL import Image as Picture

from catalog.models import Category, Product
from devices.services import enroll
from images.identity import MARKER
from images.models import Image
from normalform import normalize
from tests.faults.cases import (
    NOBODY,
    STEPS,
    STORAGE,
    TERMINAL_STEPS,
    WORKER_STEPS,
    Case,
    all_cases,
    pairs,
    selection,
)
from tests.faults.cluster import Cluster, Run
from tests.front import front_of
from tests.parts import Bucket
from uploads.models import Album, Photo

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="the parts of a large installation"),
]

PASSES = 2  # so many are enough, once the last fault has struck
CHOSEN = selection()
ALL = all_cases()
REST = [case for case in ALL if case not in set(CHOSEN)]


@pytest.fixture(scope="module")
def cluster(django_db_setup: None, s3: Bucket) -> Iterator[Cluster]:
    bucket = replace(s3, name=f"faults-{token_hex(6)}")
    bucket.client().create_bucket(Bucket=bucket.name)
    with front_of(bucket) as front:
        cluster = Cluster(front, Path(os.environ["DATA_DIR"]))
        yield cluster
        cluster.close()


@dataclass(frozen=True)
class Sent:
    """The photo of a case."""

    photo_id: UUID
    data: bytes
    hash: str  # of the image that it becomes
    product: Product


@pytest.fixture
def photo(cluster: Cluster) -> Sent:
    """One that no other case has, and a cluster without anything of the case before."""
    bucket = cluster.front.behind
    for key in (*keys(cluster), MARKER):
        bucket.client().delete_object(Bucket=bucket.name, Key=key)
    cluster.front.begin(bucket)
    photo_id = uuid4()
    file = BytesIO()
    Picture.new("RGB", (160, 120), tuple(photo_id.bytes[:3])).save(file, "PNG")
    data = file.getvalue()
    hash = sha256(normalize(data, quality=settings.IMAGE_QUALITY).data).hexdigest()
    product = Product.objects.create(name="Lemonade", price="3.50", category=Category.objects.create(name="Drinks"))
    return Sent(photo_id, data, hash, product)


def keys(cluster: Cluster, prefix: str = "") -> list[str]:
    """What lies in the bucket; its marker aside."""
    return [key for key in cluster.front.behind.keys(prefix) if key != MARKER]


def run_and_check(cluster: Cluster, case: Case, photo: Sent, *, whole_worker: bool = True) -> None:
    """Runs ``case`` and holds what came of it against the promises."""
    token = enroll(name="Till 1", may_upload=True).token
    album = Album.objects.create(name="Autumn menu")
    body = {
        "id": str(photo.photo_id),
        "filename": "dish.png",
        "content_type": "image/png",
        "size": len(photo.data),
        "sha256": sha256(photo.data).hexdigest(),
        "product": str(photo.product.pk),
    }
    run = Run(cluster, case, str(photo.photo_id), whole_worker=whole_worker)
    code = run.flow(token, str(album.pk), body, photo.data)
    passes, struck = 0, run.faults_struck()
    while not is_at_rest() or passes == 0:
        assert passes < PASSES, f"{passes} passes were not enough: {Photo.objects.values()}"
        run.one_pass()
        passes = passes + 1 if struck == run.faults_struck() else 0
        struck = run.faults_struck()

    faults_fired(run, code)
    promises_are_kept(cluster, run, photo)
    nothing_changes_any_more(cluster, run)


def is_at_rest() -> bool:
    return not Photo.objects.filter(status__in=["pending", "processing"]).exists()


def faults_fired(run: Run, code: int) -> None:
    case, ledger = run.case, run.ledger
    assert code == (-signal.SIGKILL if case.killed in TERMINAL_STEPS else 0)
    assert ledger.killed == (case.killed != NOBODY)
    assert run.fault is None or run.fault.struck == 1
    assert run.broker_lost == (case.broker == "lost")
    if case.delivery == "twice" and ledger.about("sent"):
        assert len(ledger.about("won", "lost", "killed")) >= 2


def promises_are_kept(cluster: Cluster, run: Run, sent: Sent) -> None:
    found = Photo.objects.filter(pk=sent.photo_id).first()
    if not any(seen.stored and seen.key == f"originals/{sent.photo_id}" for seen in cluster.front.seen):
        assert found is None
        assert keys(cluster) == []
        return
    # Bytes that arrived, and the more so those whose processing was acknowledged, became an image.
    assert found is not None, "a photo was lost"
    assert (found.status, found.image_id, found.error) == ("ready", sent.hash, "")
    bucket = cluster.front.behind
    stored = bucket.client().get_object(Bucket=bucket.name, Key=f"images/{sent.hash}.jpg")["Body"].read()
    assert sha256(stored).hexdigest() == sent.hash
    assert set(Image.objects.values_list("hash", "status")) == {(sent.hash, "stored")}
    sent.product.refresh_from_db()
    assert sent.product.image_id == sent.hash
    assert set(keys(cluster)) <= {f"images/{sent.hash}.jpg", found.key}


def nothing_changes_any_more(cluster: Cluster, run: Run) -> None:
    """Not by another pass; and upkeep takes what a lost deletion has left, two days later."""
    before = state(cluster)
    counts = run.one_pass()
    assert (counts, state(cluster)) == (dict.fromkeys(counts, 0), before)
    assert cluster.act(cluster.roles.tidy, 2) == 0
    assert keys(cluster) == keys(cluster, "images/")


def state(cluster: Cluster) -> object:
    rows = [list(model._base_manager.order_by("pk").values()) for model in (Photo, Image, Product)]
    return rows, keys(cluster)


@pytest.mark.parametrize("case", CHOSEN, ids=str)
def test_a_photo_arrives_or_is_cleaned(cluster: Cluster, photo: Sent, case: Case) -> None:
    run_and_check(cluster, case, photo)


@pytest.mark.parametrize("step", WORKER_STEPS[:-1])
def test_a_photo_arrives_though_only_the_process_of_its_task_is_killed(
    cluster: Cluster, photo: Sent, step: str
) -> None:
    """Its worker lives, and gives the message back."""
    run_and_check(cluster, Case(step), photo, whole_worker=False)


def test_the_selection_has_every_pair(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n  {len(CHOSEN)} of {len(ALL)} combinations of faults", end=" ")  # noqa: T201 -- asked for
    assert set().union(*map(pairs, CHOSEN)) == set().union(*map(pairs, ALL))
    assert {(case.killed, case.storage) for case in CHOSEN} == {(step, how) for step in STEPS for how in STORAGE}


@pytest.mark.soak
@pytest.mark.parametrize("case", REST, ids=str)
def test_a_photo_arrives_or_is_cleaned_in_every_combination(cluster: Cluster, photo: Sent, case: Case) -> None:
    run_and_check(cluster, case, photo)
