"""A format that is taken is named wherever people and programs look for it."""

from collections.abc import Callable

import pytest

from images.admin import UploadForm
from images.normalize import ACCEPT, PictureRefused
from normalform import CONTENT_TYPES, FORMATS, REASONS, TYPES
from normalform.formats import Format
from posclient import _photos
from tests.normalform.test_normal_form import MODES
from tests.parts import ROOT
from uploads.admin.texts import REASONS as REASONS_OF_PHOTOS
from uploads.admin.texts import SENDING
from uploads.models import Photo

SENTENCES: dict[str, Callable[[], object]] = {
    "normalform.REASONS": lambda: REASONS["unsupported_image"],
    "images.normalize.PictureRefused": lambda: PictureRefused("unsupported_image"),
    "images.admin.UploadForm": lambda: UploadForm.base_fields["file"].help_text,
    "uploads.admin.texts.REASONS": lambda: REASONS_OF_PHOTOS["unsupported_image"],
    "uploads.admin.texts.SENDING": lambda: SENDING["not_a_picture"],
    "docs/api.md": lambda: (ROOT / "docs/api.md").read_text(),
    "docs/errors.md": lambda: (ROOT / "docs/errors.md").read_text(),
    "docs/images.md": lambda: (ROOT / "docs/images.md").read_text(),
}


@pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.name)
@pytest.mark.parametrize("where", SENTENCES)
def test_people_are_told_of_every_format(format: Format, where: str) -> None:
    assert format.name in str(SENTENCES[where]()), f"{where} doesn't name {format.name}"


def test_every_format_has_its_types_and_suffixes() -> None:
    assert all(format.types and all(format.types.values()) for format in FORMATS)
    assert set(TYPES.values()) == set(CONTENT_TYPES)
    assert all(suffix in ACCEPT.split(",") for suffix in TYPES)
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in TYPES)


def test_the_client_that_has_no_normaliser_knows_the_same_suffixes() -> None:
    assert _photos.TYPES == TYPES


def test_photos_may_be_of_every_type() -> None:
    choices = Photo._meta.get_field("content_type").flatchoices

    assert [value for value, _label in choices] == list(CONTENT_TYPES)


def test_every_format_is_tried_with_random_pictures() -> None:
    assert set(MODES) == {format.name for format in FORMATS}
