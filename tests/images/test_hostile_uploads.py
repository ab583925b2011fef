"""What means harm is refused with a reason or becomes a clean picture, in bounded memory, and leaves nothing behind."""

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image as Picture

from images.models import Image
from normalform import ImageRefused, is_normal_form, normalize
from tests.images.damage import damaged
from tests.images.hostile import REFUSED, SECRETS, TAKEN, tiff_of
from tests.images.pictures import encoded
from tests.images.small import SMALL_FILES
from tests.images.test_delivery import problem
from tests.parts import ROOT

STATUS = {"unsupported_image": 415, "broken_image": 422, "too_many_pixels": 413}
# What one conversion needs beside the program itself. The largest that we found is a WebP of 64 megapixels with 872.
MOST_MEMORY = 900  # MiB


@pytest.fixture
def drafts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    folder = tmp_path / "drafts"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.django_db
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_leaves_nothing_behind(uploader: Client, files: Path, drafts: Path, name: str) -> None:
    code, make = REFUSED[name]
    data = make()

    form = uploader.post("/api/images", {"file": SimpleUploadedFile("photo.jpg", data, "image/jpeg")})
    raw = uploader.generic("POST", "/api/images", data, content_type="image/jpeg")

    problem(form, STATUS[code], code)
    problem(raw, STATUS[code], code)
    assert not Image.objects.exists()
    assert files_in(files) == files_in(drafts) == []


@pytest.mark.django_db
@pytest.mark.parametrize("name", TAKEN)
def test_what_is_taken_becomes_a_clean_picture_and_nothing_else(
    uploader: Client, files: Path, drafts: Path, name: str
) -> None:
    data = TAKEN[name]()

    answer = uploader.post("/api/images", {"file": SimpleUploadedFile("photo.jpg", data, "text/html")})

    assert answer.status_code == 201
    (kept,) = files_in(files)
    assert kept.name == answer.json()["filename"] == f"{sha256(kept.read_bytes()).hexdigest()}.jpg"
    assert is_normal_form(kept.read_bytes())
    assert not any(secret in kept.read_bytes() for secret in SECRETS)
    assert [image.hash for image in Image.objects.all()] == [answer.json()["hash"]]
    assert files_in(drafts) == []
    served = uploader.get(answer.json()["url"])
    assert (served.headers["Content-Type"], served.headers["X-Content-Type-Options"]) == ("image/jpeg", "nosniff")


@pytest.mark.django_db
def test_damaged_files_are_stored_in_normal_form_or_refused_and_never_an_error_of_ours(
    uploader: Client, files: Path
) -> None:
    originals = [make() for make in SMALL_FILES.values()]
    statuses = Counter(
        uploader.generic("POST", "/api/images", damaged(originals, seed), content_type="image/jpeg").status_code
        for seed in range(10_000, 10_150)
    )

    assert set(statuses) <= {200, 201, 413, 415, 422}
    assert statuses[201]
    assert statuses[422]
    assert all(is_normal_form(path.read_bytes()) for path in files_in(files))


def test_rows_of_a_million_pixels_are_refused_by_their_header() -> None:
    """libvips would hold hundreds of them."""
    with pytest.raises(ImageRefused, match="too much memory"):
        normalize(tiff_of(1_000_000, 32).replace(b"\2\1\4\0\1\0\0\0\x08", b"\2\1\4\0\1\0\0\0\x10"), quality=85)


CONVERT = """
import os, resource, sys
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # decoders start a thread, with its memory, for each processor
from pathlib import Path
from normalform import ImageRefused, NoMemory, keep_buffers, normalize
keep_buffers()
data = Path(sys.argv[1]).read_bytes()
status = Path("/proc/self/status").read_text()
now = int(status.split("VmSize:")[1].split()[0]) * 1024
limit = now + int(sys.argv[2]) * 1024 * 1024
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    print(normalize(data, quality=85).width)
except ImageRefused as refused:
    print(refused.code)
except NoMemory:
    print("no memory")
"""


def converted(data: bytes, folder: Path, *, memory: int) -> str:
    """The width of the picture or why there is none, from a process that may take so many MiB for it."""
    path = folder / "picture"
    path.write_bytes(data)
    command = [sys.executable, "-c", CONVERT, str(path), str(memory)]
    environment = {**os.environ, "MALLOC_ARENA_MAX": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def as_large_as_can_be(mode: str, format: str, **options: Any) -> bytes:
    size = (12032, 9024) if format == "JPEG" else (8000, 8000)
    return encoded(Picture.new(mode, size), format, **options)


def from_disk(name: str) -> bytes:
    """A HEIC of 12032 × 9024 pixels, which takes minutes to write."""
    return (ROOT / "tests/images/large" / name).read_bytes()


LARGE_PNG = cache(partial(as_large_as_can_be, "RGBA", "PNG", compress_level=1))
LARGE_TIFF = partial(as_large_as_can_be, "F", "TIFF", compression="tiff_lzw")


@pytest.mark.parametrize(
    ("make", "memory"),
    [
        pytest.param(LARGE_PNG, MOST_MEMORY, id="PNG"),
        pytest.param(partial(as_large_as_can_be, "RGB", "JPEG", quality=1), 100, id="JPEG"),
        pytest.param(partial(from_disk, "108-megapixels-in-tiles.heic"), 620, id="HEIC in tiles"),
        *(
            pytest.param(make, MOST_MEMORY, id=id, marks=pytest.mark.soak)
            for id, make in {
                "progressive JPEG": partial(as_large_as_can_be, "CMYK", "JPEG", progressive=True, quality=1),
                "HEIC": partial(from_disk, "108-megapixels.heic"),
                "WebP": partial(as_large_as_can_be, "RGBA", "WEBP", lossless=True, method=0, quality=0),
                "GIF": partial(as_large_as_can_be, "P", "GIF", transparency=0),
                "TIFF": LARGE_TIFF,
                "BMP": partial(as_large_as_can_be, "1", "BMP"),
                "AVIF": partial(as_large_as_can_be, "RGB", "AVIF", speed=10),
            }.items()
        ),
    ],
)
def test_the_largest_pictures_are_converted_in_bounded_memory(
    tmp_path: Path, make: Callable[[], bytes], memory: int
) -> None:
    assert converted(make(), tmp_path, memory=memory) == "1600"


def test_what_would_take_too_much_memory_is_refused_by_its_header() -> None:
    """AVIF of 56 megapixels with alpha, and of 49 with 10 bits: only what the boxes say is read."""
    for data, side in ((SMALL_FILES["avif alpha"](), 7500), (SMALL_FILES["avif 10 bits"](), 7000)):
        at = data.index(b"ispe") + 8
        larger = data[:at] + side.to_bytes(4) * 2 + data[at + 8 :]
        begun = time.perf_counter()
        with pytest.raises(ImageRefused, match="too much memory") as refused:
            normalize(larger, quality=85)
        assert time.perf_counter() - begun < 0.1
        assert refused.value.code == "too_many_pixels"


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(LARGE_PNG, id="PNG"),
        pytest.param(LARGE_TIFF, id="TIFF", marks=pytest.mark.soak),
    ],
)
def test_a_good_picture_for_which_there_is_no_memory_is_not_called_broken(
    tmp_path: Path, make: Callable[[], bytes]
) -> None:
    assert converted(make(), tmp_path, memory=100) == "no memory"


def test_a_picture_that_wants_more_memory_than_there_can_be_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(data: bytes, kind: str) -> None:
        bytearray(1 << 62)

    monkeypatch.setattr("normalform.normalizer.plain_picture", greedy)

    with pytest.raises(ImageRefused, match="more memory") as refused:
        normalize(encoded(Picture.new("L", (8, 8)), "PNG"), quality=85)
    assert refused.value.code == "broken_image"


@pytest.mark.parametrize(
    "name",
    [name for name, (code, _make) in REFUSED.items() if code != "unsupported_image" and "truncated" not in name],
)
def test_bombs_need_no_memory_to_be_refused(tmp_path: Path, name: str) -> None:
    code, make = REFUSED[name]

    assert converted(make(), tmp_path, memory=100) == code
