"""DELETE: the record and its original go, never an image, and the second time is fine too."""

from collections.abc import Callable
from uuid import uuid4

from django.test import Client

from images.blobs import blobs
from images.models import Image
from uploads import pipeline, services
from uploads.models import Album, Photo

from .conftest import is_there, picture, problem, processing


def test_record_and_original_go_and_again_is_fine(api: Client, make_photo: Callable[..., Photo], storage: str) -> None:
    photo = make_photo(picture())

    answers = [api.delete(f"/api/photos/{photo.pk}") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [204, 204, 204]
    assert [answer.content for answer in answers] == [b"", b"", b""]
    assert not Photo.objects.exists()
    assert not is_there(photo)


def test_an_unknown_id_is_fine_but_a_malformed_one_is_not_found(api: Client) -> None:
    assert api.delete(f"/api/photos/{uuid4()}").status_code == 204
    assert problem(api.delete("/api/photos/mine")) == (404, "not_found")


def test_a_stored_image_stays(api: Client, make_photo: Callable[..., Photo]) -> None:
    photo = make_photo(picture())
    pipeline.process(photo_id=photo.pk)

    assert api.delete(f"/api/photos/{photo.pk}").status_code == 204

    image = Image.objects.get()
    assert blobs().read(f"images/{image.pk}.jpg")


def test_a_photo_goes_in_every_state(api: Client, make_photo: Callable[..., Photo]) -> None:
    busy = make_photo(picture(), **processing())

    assert api.delete(f"/api/photos/{busy.pk}").status_code == 204
    assert not Photo.objects.exists()


def test_an_album_goes_with_its_photos_and_their_originals(album: Album, make_photo: Callable[..., Photo]) -> None:
    photos = [make_photo(picture()) for _ in range(2)]

    services.delete_album(album_id=album.pk)

    assert not Album.objects.exists()
    assert not any(is_there(photo) for photo in photos)
