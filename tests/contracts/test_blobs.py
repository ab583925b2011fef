"""What every store of bytes promises."""

import io
import os
import threading
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.conf import LazySettings

from images.blobs import (
    BlobDamaged,
    BlobMissing,
    Blobs,
    KeyRefused,
    StorageUnavailable,
    blobs,
    derived_key,
    image_key,
)
from images.blobs.bucket import BucketBlobs
from images.blobs.folder import LocalBlobs
from tests.contracts.conftest import use_bucket
from tests.parts import Bucket, free_port

HASH = "a" * 64


def put(store: Blobs, key: str, data: bytes = b"bytes") -> bool:
    return store.put(key, data, content_type="image/jpeg")


def test_what_was_put_is_read_back(store: Blobs) -> None:
    assert put(store, "originals/one", b"some bytes") is True

    assert store.read("originals/one") == b"some bytes"


def test_a_key_is_written_once(store: Blobs) -> None:
    put(store, "originals/one", b"first")

    assert put(store, "originals/one", b"second") is False
    assert store.read("originals/one") == b"first"


def test_a_stream_is_stored_from_where_it_stands(store: Blobs) -> None:
    stream = io.BytesIO(b"skipped" + b"x" * 600_000)
    stream.seek(7)

    store.put("originals/one", stream, content_type="image/png", sha256=sha256(b"x" * 600_000).hexdigest())

    assert store.read("originals/one") == b"x" * 600_000


def test_a_stream_that_can_be_read_only_once_is_stored(store: Blobs) -> None:
    source, sink = os.pipe()
    os.write(sink, b"piped")
    os.close(sink)

    with open(source, "rb", buffering=0) as stream:
        store.put("originals/one", stream, content_type="image/png")

    assert store.read("originals/one") == b"piped"


def test_of_many_writers_at_once_one_creates_and_all_succeed(store: Blobs) -> None:
    answers: list[bool] = []
    data = os.urandom(200_000)
    start = threading.Barrier(8)

    def write() -> None:
        start.wait()
        answers.append(put(store, "originals/one", data))

    writers = [threading.Thread(target=write) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert sorted(answers) == [False] * 7 + [True]
    assert store.read("originals/one") == data
    assert [blob.key for blob in store.list("originals/")] == ["originals/one"]


def test_bytes_that_are_not_those_announced_are_not_stored(store: Blobs) -> None:
    with pytest.raises(BlobDamaged):
        store.put("originals/one", b"altered", content_type="image/png", sha256=sha256(b"announced").hexdigest())

    with pytest.raises(BlobMissing):
        store.stat("originals/one")
    assert list(store.list("originals/")) == []


def test_a_part_is_read(store: Blobs) -> None:
    put(store, "originals/one", b"0123456789")

    def part(start: int, length: int | None = None) -> bytes:
        with store.open("originals/one", start=start, length=length) as file:
            return file.read()

    assert (part(0), part(3), part(10)) == (b"0123456789", b"3456789", b"")
    assert (part(3, 4), part(8, 10), part(0, 0)) == (b"3456", b"89", b"")


def test_a_blob_is_read_in_pieces(store: Blobs) -> None:
    put(store, "originals/one", b"0123456789")

    with store.open("originals/one", start=1, length=7) as file:
        pieces = [file.read(3), file.read(3), file.read(3), file.read(3)]

    assert pieces == [b"123", b"456", b"7", b""]


def test_stat_tells_size_and_time(store: Blobs) -> None:
    put(store, "originals/one", b"12345")

    blob = store.stat("originals/one")

    assert (blob.key, blob.size) == ("originals/one", 5)
    assert abs(datetime.now(UTC) - blob.modified) < timedelta(minutes=1)


def test_an_unknown_key_is_missing(store: Blobs) -> None:
    for look in (store.stat, store.read):
        with pytest.raises(BlobMissing):
            look("originals/none")
    with pytest.raises(BlobMissing), store.open("originals/none"):
        pass
    with pytest.raises(BlobMissing), store.open("originals/none", length=0):
        pass


def test_deleting_frees_the_key_and_may_be_repeated(store: Blobs) -> None:
    put(store, "originals/one")

    store.delete("originals/one")
    store.delete("originals/one")

    assert put(store, "originals/one", b"again") is True
    assert store.read("originals/one") == b"again"


def test_a_listing_is_of_one_folder_and_below(store: Blobs) -> None:
    keys = {image_key(HASH), derived_key(HASH, 160), "originals/one", "images-old/two"}
    for key in keys:
        put(store, key, b"12345")

    assert {blob.key for blob in store.list("images/")} == {image_key(HASH), derived_key(HASH, 160)}
    assert {blob.size for blob in store.list("images/")} == {5}
    assert list(store.list("nothing/")) == []


def test_a_prefix_needs_its_slash(store: Blobs) -> None:
    with pytest.raises(KeyRefused):
        list(store.list("images"))


def test_a_key_that_could_leave_its_folder_is_refused(store: Blobs) -> None:
    for key in ("", "/", "/etc/passwd", "../x", "a/../b", "a//b", "a/", ".hidden", "a\0b", "a\n", "é", "x" * 256):
        for look in (store.stat, store.read, store.delete, store.path):
            with pytest.raises(KeyRefused):
                look(key)
        with pytest.raises(KeyRefused):
            put(store, key)


@pytest.mark.parametrize("hash", ["", "A" * 64, "a" * 63, "a" * 65, "a" * 64 + "\n", "../../../etc/passwd"])
def test_only_a_hash_becomes_a_key(hash: str) -> None:
    with pytest.raises(KeyRefused):
        image_key(hash)
    with pytest.raises(KeyRefused):
        derived_key(hash, 160)


def test_a_folder_that_can_not_be_read_is_unavailable_not_missing(settings: LazySettings, tmp_path: Path) -> None:
    settings.FILES_DIR = tmp_path
    loop = tmp_path / "originals"
    loop.symlink_to(loop)

    for look in (blobs().stat, blobs().read):
        with pytest.raises(StorageUnavailable):
            look("originals/one")
    with pytest.raises(StorageUnavailable):
        put(blobs(), "originals/one")


def test_a_disk_that_is_full_is_unavailable_and_leaves_no_draft(
    settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FILES_DIR = tmp_path

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    (tmp_path / "originals").mkdir()

    with pytest.raises(StorageUnavailable):
        put(blobs(), "originals/one")
    assert list((tmp_path / "originals").iterdir()) == []


def test_a_bucket_that_does_not_answer_is_unavailable(settings: LazySettings, s3: Bucket) -> None:
    use_bucket(settings, Bucket(f"http://127.0.0.1:{free_port()}", "nobody"))

    for look in (blobs().stat, blobs().read, blobs().delete):
        with pytest.raises(StorageUnavailable):
            look("originals/one")
    with pytest.raises(StorageUnavailable):
        put(blobs(), "originals/one")
    with pytest.raises(StorageUnavailable):
        list(blobs().list("originals/"))


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_server_that_answers_something_else_is_unavailable(settings: LazySettings, s3: Bucket, status: int) -> None:
    """403 is S3's answer for a missing key without ListBucket; 404 with a page is that of a proxy on the way."""
    asked: list[str] = []

    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.command)
            self.send_response(status)
            self.send_header("Content-Length", "6")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(b"<html>")

        do_HEAD = do_GET

        def log_message(self, *arguments: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    use_bucket(settings, Bucket(f"http://127.0.0.1:{server.server_port}", "bucket"))
    try:
        for look in (blobs().stat, blobs().read):
            with pytest.raises(StorageUnavailable):
                look("originals/one")
    finally:
        server.shutdown()
        server.server_close()

    assert {"GET", "HEAD"} <= set(asked)


def test_a_bucket_that_is_not_there_is_unavailable_not_missing(settings: LazySettings, s3: Bucket) -> None:
    use_bucket(settings, Bucket(s3.endpoint_url, "no-such-bucket"))

    for look in (blobs().stat, blobs().read):
        with pytest.raises(StorageUnavailable):
            look("originals/one")


def test_only_a_bucket_gives_addresses_to_clients(settings: LazySettings, tmp_path: Path) -> None:
    settings.FILES_DIR = tmp_path

    assert blobs().presigned_get("originals/one", 60) is None
    assert blobs().presigned_put("originals/one", size=5, content_type="a/b", sha256=None, seconds=60) is None
    assert blobs().path("originals/one") == tmp_path / "originals" / "one"


def test_bytes_are_verified_when_they_are_read_for_whoever_asks(store: Blobs) -> None:
    put(store, "originals/one", b"rotten")

    with pytest.raises(BlobDamaged):
        store.read("originals/one", sha256=sha256(b"sound").hexdigest())
    assert store.read("originals/one", sha256=sha256(b"rotten").hexdigest()) == b"rotten"
    assert store.read("originals/one") == b"rotten"


def test_a_listing_is_in_order_and_can_be_continued_anywhere(
    store: Blobs, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr("images.blobs.folder.BATCH", 3)
    monkeypatch.setattr("images.blobs.bucket.PAGE", 3)
    names: tuple[str, ...] = ("0", "a", "a-b", "a.b", "a/1", "a/2/3", "a/2/4", "a0", "b/1", "derived/x", "e", "z")
    behind = ["images/a/2", "images/a/2/", "images/", "images/zz"]
    if "seaweedfs" in request.node.name:
        # It lists a folder before names that go on with "-" or ".", has no file of its name, and takes the name itself
        # for all that is in it. Ours need none of that.
        names = tuple(name for name in names if name not in ("a", "a-b", "a.b"))
        behind.remove("images/a/2")
    keys = [f"images/{name}" for name in names if not (isinstance(store, LocalBlobs) and name == "a")]
    for key in keys:
        put(store, key)

    assert [blob.key for blob in store.list("images/")] == sorted(keys)
    for key in (*keys, *behind):
        assert [blob.key for blob in store.list("images/", after=key)] == [k for k in sorted(keys) if k > key]


def test_a_name_that_is_no_key_of_ours_is_listed_and_left_alone(store: Blobs, settings: LazySettings) -> None:
    put(store, "images/one")
    if isinstance(store, LocalBlobs):
        (store.root / "images" / "a note.txt").write_text("note")
    else:
        assert isinstance(store, BucketBlobs)
        store.client.put_object(Bucket=settings.S3_BUCKET, Key="images/a note.txt", Body=b"note")

    assert [blob.key for blob in store.list("images/")] == ["images/a note.txt", "images/one"]
    with pytest.raises(KeyRefused):
        store.read("images/a note.txt")


def test_what_dead_writers_left_is_never_seen_and_is_cleared(store: Blobs) -> None:
    put(store, "images/one")
    if isinstance(store, LocalBlobs):
        old, young = store.root / "images" / ".draft-old", store.root / "images" / ".draft-young"
        for draft in (old, young):
            draft.write_bytes(b"half a pic")
        os.utime(old, (0, 0))

    cleared = store.clear_drafts("images/", before=datetime.now(UTC) - timedelta(hours=1))

    assert cleared == (1 if isinstance(store, LocalBlobs) else 0)
    assert [blob.key for blob in store.list("images/")] == ["images/one"]
    if isinstance(store, LocalBlobs):
        assert (old.exists(), young.exists()) == (False, True)
