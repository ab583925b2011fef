"""The image of a product on its page: shown, replaced by a photo that is dropped or chosen, or taken away.

Storing an image commits several times, so it can't happen inside the transaction that Django's admin opens around a
form. ``store_photo`` runs before it; the form then refers to the stored image by its hash.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext
from unfold.widgets import CHECKBOX_CLASSES

from images.blobs import HASH
from images.models import Image
from images.normalize import ACCEPT, PictureRefused
from images.services import HashUnknown, add_image, image_to_refer_to, image_url
from normalform import MAX_BYTES, TYPES
from refusals import Refusal


@dataclass(frozen=True)
class Outcome:
    """What became of a photo that came with a form: the hash of its image, or why it was refused."""

    hash: str = ""
    refusal: str = ""


def store_photo(photo: UploadedFile) -> Outcome:
    """Normalise and store ``photo``; refuses to run inside a transaction, as ``add_image`` does."""
    try:
        if photo.size is not None and photo.size > MAX_BYTES:
            raise PictureRefused("too_large")
        return Outcome(hash=add_image(data=photo.read()).image.hash)
    except Refusal as refusal:
        return Outcome(refusal=str(refusal))


@dataclass(frozen=True)
class Choice:
    """What the page asks for: another image (by its hash), none, or (both unset) no change."""

    hash: str = ""
    remove: bool = False


class StoredImageWidget(forms.Widget):
    """A preview, a file input that is also a drop zone, and a tick to remove the image.

    ``<name>-photo`` is the file, ``<name>`` the hash of one that was stored when the form had other mistakes.
    """

    template_name = "catalog/picture.html"
    needs_multipart_form = True
    current = ""
    chosen = ""

    class Media:
        js = ("images/dropzone.js", "catalog/picture.js")

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        chosen = self.chosen or (value.hash if isinstance(value, Choice) else "")
        shown = chosen or self.current
        context["widget"] |= {
            "chosen": chosen,
            "remove": isinstance(value, Choice) and value.remove,
            "url": image_url(shown) if HASH.match(shown) else "",
            "accept": ACCEPT,
            "limit": MAX_BYTES,
            "types": json.dumps(TYPES),
            "too_large": PictureRefused("too_large").detail,
            "unsupported": PictureRefused("unsupported_image").detail,
            "checkbox_class": " ".join(CHECKBOX_CLASSES),
        }
        return context

    def value_from_datadict(self, data: Mapping[str, Any], files: MultiValueDict, name: str) -> Choice:
        return Choice(hash=data.get(name) or "", remove=bool(data.get(f"{name}-remove")))

    def value_omitted_from_data(self, data: Mapping[str, Any], files: MultiValueDict, name: str) -> bool:
        return False


class StoredImageField(forms.Field):
    """Cleans to the `Image` to show or None."""

    widget = StoredImageWidget
    current = ""
    outcome: Outcome | None = None

    def prepare(self, *, current: str, outcome: Outcome | None) -> None:
        """``current`` is the hash so far ("" for none), ``outcome`` that of the photo that came with the form."""
        self.current, self.outcome = current, outcome
        self.widget.current = current
        self.widget.chosen = outcome.hash if outcome else ""

    def clean(self, value: Choice) -> Image | None:
        if self.outcome is not None and self.outcome.refusal:
            raise ValidationError(self.outcome.refusal)
        wanted = self.wanted(value)
        if not wanted:
            return None
        if wanted == self.current:
            return Image(hash=wanted)
        try:
            return image_to_refer_to(hash=wanted)
        except HashUnknown:
            raise ValidationError(gettext("This picture is gone. Choose the photo again.")) from None

    def wanted(self, value: Choice) -> str:
        """The hash that the product shall show, "" for none."""
        if self.outcome is not None:
            return self.outcome.hash
        if value.hash:
            return value.hash
        return "" if value.remove else self.current

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.wanted(data) != self.current
