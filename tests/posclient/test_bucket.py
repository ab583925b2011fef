"""A server that keeps its files in S3: pictures are read through it, and photos go straight to the bucket."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

import pytest

from posclient import Bridge, Terminal
from posclient._album import AlbumUpload
from tests.front import Front, front_of
from tests.parts import Bucket
from tests.posclient.conftest import BRISK, Shop, new_picture
from tests.running import SERVE, RunningServer

pytestmark = pytest.mark.any_database


@contextmanager
def bucket_of_its_own(s3: Bucket) -> Iterator[Front]:
    """A bucket, which belongs to one database, behind a front that checks signatures, lengths and checksums."""
    bucket = replace(s3, name=f"posclient-{token_hex(6)}")
    bucket.client().create_bucket(Bucket=bucket.name)
    with front_of(bucket) as front:
        yield front


@pytest.fixture(scope="module")
def front(s3: Bucket) -> Iterator[Front]:
    with bucket_of_its_own(s3) as front:
        yield front


@pytest.fixture(scope="module")
def cloud_shop(front: Front, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    data = tmp_path_factory.mktemp("cloud") / "data"
    with RunningServer(data, front.bucket.environment, (*SERVE, "--no-demo")) as server:
        yield Shop(server.until_ready())


def test_on_the_servers_machine_pictures_of_a_bucket_are_read_through_the_server(
    cloud_shop: Shop, tmp_path: Path
) -> None:
    hash, data = cloud_shop.image()
    other, _data = cloud_shop.image()
    bridge = Bridge.server(cloud_shop.server.data, base_url=cloud_shop.url, token=cloud_shop.token)
    with Terminal(bridge, tmp_path / "till") as terminal:
        path = terminal.images.get_image_path(hash)

        assert path == tmp_path / "till" / "images" / f"{hash}.jpg"
        assert path.read_bytes() == data
        assert terminal.images.prefetch_images([hash, other]) == {
            "success_count": 1, "failed_count": 0, "already_cached": 1,
        }  # fmt: skip
        assert terminal.images.cleanup_image_cache([hash])["removed_count"] == 1


@pytest.mark.parametrize("mode", ["client", "server"])
def test_the_outbox_sends_straight_to_the_bucket(cloud_shop: Shop, front: Front, tmp_path: Path, mode: str) -> None:
    product, picture = cloud_shop.product(), new_picture()
    bridge = Bridge.client(cloud_shop.url, token=cloud_shop.token, timeouts=BRISK)
    if mode == "server":
        bridge = Bridge.server(cloud_shop.server.data, base_url=cloud_shop.url, token=cloud_shop.token)
    before = len(front.seen)
    with Terminal(bridge, tmp_path / "till") as terminal:
        hash = terminal.outbox.add_image(picture, product["id"])
        assert terminal.outbox.sync_image_uploads()["uploaded_count"] == 1

        assert terminal.outbox.waiting() == []
        assert terminal.images.get_image_path(hash).read_bytes() == picture
    put = [seen for seen in front.seen[before:] if seen.method == "PUT" and seen.key.startswith("originals/")]
    assert [seen.stored for seen in put] == [True]
    assert hash == sha256(picture).hexdigest()
    assert cloud_shop.snapshot("product")[product["id"]]["image"] == hash
    assert f"images/{hash}.jpg" in front.behind.keys("images/")


def test_a_folder_goes_into_an_album_straight_by_the_bucket(cloud_shop: Shop, front: Front, tmp_path: Path) -> None:
    product, picture = cloud_shop.product(), new_picture()
    (tmp_path / "one.jpg").write_bytes(picture)
    before = len(front.seen)
    with Bridge.client(cloud_shop.url, token=cloud_shop.token, timeouts=BRISK) as bridge:
        for _time in range(2):
            sent = AlbumUpload(bridge, "By the bucket").send({tmp_path / "one.jpg": product["id"]})
            assert [outcome.error for outcome in sent] == [""]

    put = [seen for seen in front.seen[before:] if seen.method == "PUT" and seen.key.startswith("originals/")]
    assert [seen.stored for seen in put] == [True]
    assert cloud_shop.snapshot("product")[product["id"]]["image"] == sha256(picture).hexdigest()


def test_pictures_that_the_bucket_sends_itself_come_from_there(s3: Bucket, tmp_path: Path) -> None:
    with ExitStack() as stack:
        front = stack.enter_context(bucket_of_its_own(s3))
        settings = {**front.bucket.environment, "IMAGE_DELIVERY": "redirect"}
        server = stack.enter_context(RunningServer(tmp_path / "data", settings, (*SERVE, "--no-demo")))
        shop = Shop(server.until_ready())
        hash, data = shop.image()
        before = len(front.seen)
        with Terminal(Bridge.client(shop.url, token=shop.token), tmp_path / "till") as terminal:
            assert terminal.images.get_image_path(hash).read_bytes() == data

        assert shop.manager.get(f"/api/image/{hash}.jpg").status_code == 302
        assert [
            seen.key for seen in front.seen[before:] if seen.method == "GET" and seen.key.startswith("images/")
        ] == [f"images/{hash}.jpg"]
