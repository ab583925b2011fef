"""A stored picture over HTTP, for caches that keep it for ever."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from images import delivery
from images.blobs import StorageUnavailable, blobs, image_key
from images.blobs.folder import LocalBlobs
from images.models import Image
from images.services import add_image
from normalform import derive
from tests.contracts.conftest import use_bucket
from tests.images.pictures import decoded, normal_jpeg
from tests.parts import Bucket

pytestmark = pytest.mark.django_db

DATA = normal_jpeg()
HASH = sha256(DATA).hexdigest()
URL = f"/api/image/{HASH}.jpg"


@pytest.fixture
def stored(files: Path) -> None:
    add_image(data=DATA)


def problem(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["code"] == code


@pytest.mark.usefixtures("stored")
class TestAStoredPicture:
    def test_is_served_to_anybody_and_may_be_kept_for_ever(self, anyone: Client) -> None:
        answer = anyone.get(URL)

        assert answer.status_code == 200
        assert answer.content == DATA
        assert answer.headers["ETag"] == f'"{HASH}"'
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.headers["Content-Length"] == str(len(DATA))

    def test_head_tells_the_same_without_a_body(self, anyone: Client) -> None:
        head, get = anyone.head(URL), anyone.get(URL)

        assert head.status_code == 200
        assert head.content == b""
        for name in ("ETag", "Content-Length", "Content-Type", "Cache-Control", "Accept-Ranges"):
            assert head.headers[name] == get.headers[name]

    @pytest.mark.parametrize("accept", ["image/jpeg", "image/*", "text/html", "application/xml;q=0.1", ""])
    def test_does_not_depend_on_accept(self, anyone: Client, accept: str) -> None:
        assert anyone.get(URL, headers={"Accept": accept}).status_code == 200

    @pytest.mark.parametrize("known", ['"{}"', 'W/"{}"', "*", '"other", "{}"', 'W/"x",W/"{}"'])
    def test_is_not_sent_again(self, anyone: Client, known: str) -> None:
        answer = anyone.get(URL, headers={"If-None-Match": known.format(HASH)})

        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["ETag"] == f'"{HASH}"'
        assert "immutable" in answer.headers["Cache-Control"]

    def test_is_sent_when_another_is_known(self, anyone: Client) -> None:
        assert anyone.get(URL, headers={"If-None-Match": '"other", junk'}).status_code == 200

    @pytest.mark.parametrize(
        ("asked", "first", "last"),
        [
            ("bytes=0-0", 0, 0),
            ("bytes=10-19", 10, 19),
            ("bytes=100-", 100, len(DATA) - 1),
            ("bytes=-7", len(DATA) - 7, len(DATA) - 1),
            ("bytes=5-99999999999", 5, len(DATA) - 1),
            ("bytes=-99999999999", 0, len(DATA) - 1),
        ],
    )
    def test_is_served_in_parts(self, anyone: Client, asked: str, first: int, last: int) -> None:
        answer = anyone.get(URL, headers={"Range": asked})

        assert answer.status_code == 206
        assert answer.content == DATA[first : last + 1]
        assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(DATA)}"
        assert answer.headers["Content-Length"] == str(last - first + 1)
        assert answer.headers["ETag"] == f'"{HASH}"'

    @pytest.mark.parametrize("asked", [f"bytes={len(DATA)}-", "bytes=99999999-", "bytes=-0"])
    def test_has_no_part_behind_its_end(self, anyone: Client, asked: str) -> None:
        answer = anyone.get(URL, headers={"Range": asked})

        assert answer.status_code == 416
        assert answer.headers["Content-Range"] == f"bytes */{len(DATA)}"
        assert answer.headers["Cache-Control"] == "no-store"  # the picture is immutable, the mistake isn't
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["code"] == "range_not_satisfiable"

    @pytest.mark.parametrize(
        "asked",
        ["bytes=0-1,5-6", "bytes=9-5", "bytes=a-b", "bytes=-", "bytes=", "lines=1-2", "junk", "bytes=1-" + "9" * 99],
    )
    def test_is_served_whole_when_the_range_is_odd(self, anyone: Client, asked: str) -> None:
        answer = anyone.get(URL, headers={"Range": asked})

        assert (answer.status_code, answer.content) == (200, DATA)

    @pytest.mark.parametrize(
        ("condition", "status"), [(f'"{HASH}"', 206), ('"other"', 200), (f'W/"{HASH}"', 200), ("yesterday", 200)]
    )
    def test_is_served_in_parts_only_if_it_is_still_the_same(self, anyone: Client, condition: str, status: int) -> None:
        answer = anyone.get(URL, headers={"Range": "bytes=0-9", "If-Range": condition})

        assert answer.status_code == status

    @pytest.mark.parametrize("width", [160, 320])
    def test_has_narrower_copies(self, anyone: Client, files: Path, width: int) -> None:
        first, second = anyone.get(f"{URL}?w={width}"), anyone.get(f"{URL}?w={width}")

        assert decoded(first.content).size == (width, width * 3 // 4)
        assert first.content == second.content
        assert first.headers["ETag"] == f'"{HASH}-{width}"'
        assert first.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert first.headers["Content-Length"] == str(len(first.content))
        assert (files / "images" / "derived" / f"{HASH}_{width}.jpg").read_bytes() == first.content
        assert anyone.get(f"{URL}?w={width}", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
        assert anyone.get(f"{URL}?w={width}", headers={"If-None-Match": f'"{HASH}"'}).status_code == 200
        part = anyone.get(f"{URL}?w={width}", headers={"Range": "bytes=2-5"})
        assert (part.status_code, part.content) == (206, first.content[2:6])

    @pytest.mark.parametrize("width", [640, 1280])
    def test_is_itself_where_it_is_not_wider(self, anyone: Client, width: int) -> None:
        answer = anyone.get(f"{URL}?w={width}")

        assert answer.content == DATA
        assert answer.headers["ETag"] == f'"{HASH}"'

    @pytest.mark.parametrize(
        "query", ["w=161", "w=", "w=0160", "w=160&w=160", "w=-160", "w=160.0", "w=99999999999", "w=%00"]
    )
    def test_has_no_other_widths(self, anyone: Client, files: Path, query: str) -> None:
        problem(anyone.get(f"{URL}?{query}"), 400, "invalid_parameter")
        assert list((files / "images").rglob(f"{HASH}_*")) == []

    def test_has_narrower_copies_as_webp(self, anyone: Client, files: Path) -> None:
        url = f"{URL}?w=160&format=webp"
        first, second = anyone.get(url), anyone.get(url)

        assert (first.headers["Content-Type"], decoded(first.content).format) == ("image/webp", "WEBP")
        assert decoded(first.content).size == (160, 120)
        assert decoded(first.content).info.keys() <= {"loop", "background", "timestamp", "duration"}
        assert first.content == second.content
        assert first.headers["ETag"] == f'"{HASH}-160-webp"'
        assert first.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert (files / "images" / "derived" / f"{HASH}_160.webp").read_bytes() == first.content
        assert len(first.content) < len(anyone.get(f"{URL}?w=160").content)
        assert anyone.get(f"{URL}?w=160&format=jpeg").headers["ETag"] == f'"{HASH}-160"'
        assert anyone.get(url, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
        assert anyone.get(f"{URL}?w=1280&format=webp").content == DATA

    @pytest.mark.parametrize(
        "query", ["format=webp", "w=160&format=png", "w=160&format=", "w=160&format=jpeg&format=webp"]
    )
    def test_has_no_other_formats(self, anyone: Client, files: Path, query: str) -> None:
        problem(anyone.get(f"{URL}?{query}"), 400, "invalid_parameter")
        assert list((files / "images").rglob(f"{HASH}_*")) == []

    def test_is_copied_only_from_its_own_bytes(self, anyone: Client, files: Path) -> None:
        (files / "images" / f"{HASH}.jpg").write_bytes(normal_jpeg(2))

        problem(anyone.get(f"{URL}?w=160"), 404, "not_found")
        assert list((files / "images").rglob("*_160.jpg")) == []

    def test_is_copied_once_however_many_ask_at_once(self, anyone: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        made: list[int] = []
        make = derive

        def slowly(*arguments: Any, **options: Any) -> bytes:
            made.append(options["width"])
            time.sleep(0.1)  # long enough for the others to come
            return make(*arguments, **options)

        monkeypatch.setattr(delivery, "derive", slowly)
        image = Image.objects.get()
        with ThreadPoolExecutor(8) as askers:
            sizes = set(askers.map(lambda _: delivery.derivative_size(image, delivery.Derivative(160)), range(8)))

        assert made == [160]
        assert len(sizes) == 1

    def test_answers_no_mistake_that_a_cache_may_keep(self, anyone: Client, settings: LazySettings) -> None:
        answers = [
            anyone.get(f"{URL}?w=1"),
            anyone.get(f"{URL}?w=160&format=x"),
            anyone.get(URL, headers={"Range": "bytes=99999999-"}),
            anyone.post(URL),
        ]
        settings.IMAGES_PUBLIC = False
        answers.append(anyone.get(URL))

        assert [answer.status_code for answer in answers] == [400, 400, 416, 405, 401]
        assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}

    def test_can_be_closed_to_strangers(
        self, anyone: Client, terminal: Callable[..., Client], settings: LazySettings
    ) -> None:
        settings.IMAGES_PUBLIC = False

        stranger, known = anyone.get(URL), terminal(may_upload=False).get(URL)

        problem(stranger, 401, "not_authenticated")
        assert stranger.headers["WWW-Authenticate"] == "Bearer"
        assert known.content == DATA
        assert known.headers["Cache-Control"] == "private, max-age=31536000, immutable"

    def test_is_handed_to_nginx(self, anyone: Client, settings: LazySettings) -> None:
        settings.IMAGE_DELIVERY = "accel"

        answer, small = anyone.get(URL), anyone.get(f"{URL}?w=160")

        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["X-Accel-Redirect"] == f"/protected/images/{HASH}.jpg"
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert "immutable" in answer.headers["Cache-Control"]
        assert small.headers["X-Accel-Redirect"] == f"/protected/images/derived/{HASH}_160.jpg"

    def test_is_cut_by_the_app_also_where_nginx_sends_it(self, anyone: Client, settings: LazySettings) -> None:
        settings.IMAGE_DELIVERY = "accel"

        part = anyone.get(URL, headers={"Range": "bytes=0-9", "If-Range": f'"{HASH}"'})
        none = anyone.get(URL, headers={"Range": "bytes=99999999-"})

        assert (part.status_code, part.content) == (206, DATA[:10])
        assert (none.status_code, none.headers["Cache-Control"]) == (416, "no-store")

    def test_that_lost_its_bytes_is_not_handed_to_nginx(self, anyone: Client, settings: LazySettings) -> None:
        settings.IMAGE_DELIVERY = "accel"
        blobs().delete(image_key(HASH))

        answer = anyone.get(URL)

        problem(answer, 404, "not_found")
        assert answer.headers["Cache-Control"] == "no-store"

    def test_is_served_by_the_app_where_no_bucket_could(self, anyone: Client, settings: LazySettings) -> None:
        settings.IMAGE_DELIVERY = "redirect"

        assert anyone.get(URL).content == DATA

    def test_that_was_damaged_is_not_served(self, anyone: Client, files: Path) -> None:
        path = files / "images" / f"{HASH}.jpg"
        path.write_bytes(DATA[:-100] + bytes(100))

        answer = anyone.get(URL)

        problem(answer, 404, "not_found")
        assert answer.headers["Cache-Control"] == "no-store"

    def test_that_lost_its_bytes_is_not_found(self, anyone: Client) -> None:
        blobs().delete(image_key(HASH))

        for query in ("", "?w=160"):
            answer = anyone.get(URL + query)
            problem(answer, 404, "not_found")
            assert answer.headers["Cache-Control"] == "no-store"

    def test_says_so_when_the_storage_is_silent(self, anyone: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*arguments: object, **options: object) -> None:
            raise StorageUnavailable("silent")

        monkeypatch.setattr(LocalBlobs, "open", fail)
        monkeypatch.setattr(LocalBlobs, "stat", fail)

        for query in ("", "?w=160"):
            problem(anyone.get(URL + query), 503, "storage_unavailable")

    @pytest.mark.parametrize("status", [Image.Status.STORING, Image.Status.SWEEPING])
    def test_is_there_by_its_row_only_when_it_is_stored(self, anyone: Client, status: Image.Status) -> None:
        Image.objects.update(status=status)

        problem(anyone.get(URL), 404, "not_found")

    def test_can_not_be_written(self, anyone: Client) -> None:
        for method in (anyone.post, anyone.put, anyone.delete, anyone.patch):
            problem(method(URL), 405, "method_not_allowed")

        assert anyone.get(URL).content == DATA


@pytest.mark.parametrize(
    "name",
    [
        f"{'0' * 64}.jpg",
        "x.jpg",
        HASH,
        f"{HASH}.png",
        f"{HASH.upper()}.jpg",
        f"{HASH}.jpg%0a",
        f"{HASH}%00.jpg",
        "..%2f..%2fetc",
    ],
)
def test_an_unknown_name_is_not_found_and_not_cached(anyone: Client, name: str) -> None:
    for answer in (anyone.get(f"/api/image/{name}"), anyone.head(f"/api/image/{name}")):
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/problem+json"
        if "%2f" not in name:
            assert answer.headers["Cache-Control"] == "no-store"


class TestABucket:
    @pytest.fixture(autouse=True)
    def bucket(self, settings: LazySettings, new_bucket: Bucket) -> Bucket:
        use_bucket(settings, new_bucket)
        add_image(data=DATA)
        return new_bucket

    def test_is_served_by_the_app(self, anyone: Client) -> None:
        answer = anyone.get(URL)
        part = anyone.get(URL, headers={"Range": "bytes=3-8"})
        small = anyone.get(f"{URL}?w=160")

        assert answer.content == DATA
        assert (part.status_code, part.content) == (206, DATA[3:9])
        assert decoded(small.content).width == 160

    def test_sends_to_its_public_domain(self, anyone: Client, settings: LazySettings) -> None:
        settings.IMAGE_DELIVERY = "redirect"
        settings.R2_PUBLIC_DOMAIN = "pictures.example.com"

        answer = anyone.get(URL)

        assert answer.status_code == 302
        assert answer.headers["Location"] == f"https://pictures.example.com/images/{HASH}.jpg"
        assert "immutable" not in answer.headers["Cache-Control"]

    def test_sends_to_a_presigned_address(self, anyone: Client, settings: LazySettings) -> None:
        settings.IMAGE_DELIVERY = "redirect"
        settings.S3_PUBLIC_ENDPOINT_URL = "https://files.example.com"

        answer, head = anyone.get(URL), anyone.head(URL)

        assert answer.status_code == 302
        assert answer.headers["Location"].startswith(
            f"https://files.example.com/{settings.S3_BUCKET}/images/{HASH}.jpg?"
        )
        assert answer.headers["Cache-Control"] == "no-store"
        assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(DATA)))

    def test_falls_back_to_the_app_where_nginx_has_no_file(self, anyone: Client, settings: LazySettings) -> None:
        settings.IMAGE_DELIVERY = "accel"

        assert anyone.get(URL).content == DATA
