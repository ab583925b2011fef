"""The picture of a product: shown, replaced by a photo that is dropped or chosen, or taken away.

Storing a picture commits several times, so it can't happen inside the transaction that Django's admin opens
around a form. `take_in` runs before it; the form then refers to the stored picture by its hash.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import CHECKBOX_CLASSES

from images.blobs import HASH, StorageUnavailable
from images.models import Image
from images.normalize import OverCapacity, PictureRefused
from images.services import HashUnknown, add_image, image_to_refer_to, image_url
from normalform import MAX_BYTES

ACCEPT = "image/*,.heic,.heif,.avif,.tif,.tiff"

REFUSALS = {
    "too_large": _("This file is over 25 MB. Choose a smaller one."),
    "too_many_pixels": _("This picture has more than 50 megapixels. Make it smaller and try again."),
    "unsupported_image": _(
        "This is no picture that we can read. Choose a JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP or GIF file."
    ),
    "broken_image": _("This picture is damaged. Take or export it again."),
}


@dataclass(frozen=True)
class Taken:
    """What became of a photo that came with a form: its hash, or why it was refused."""

    hash: str = ""
    refusal: Any = ""


def take_in(photo: UploadedFile) -> Taken:
    """Normalise and store ``photo``; refuses to run inside a transaction, as `add_image` does."""
    try:
        if photo.size is not None and photo.size > MAX_BYTES:
            return Taken(refusal=REFUSALS["too_large"])
        return Taken(hash=add_image(data=photo.read()).image.hash)
    except PictureRefused as refused:
        return Taken(refusal=REFUSALS[refused.code])
    except (StorageUnavailable, OverCapacity):
        return Taken(refusal=_("The picture can't be stored at the moment. Try again in a minute."))


@dataclass(frozen=True)
class Wish:
    """What the page asks for: another picture (by its hash), none, or (both unset) no change."""

    hash: str = ""
    remove: bool = False


class PictureWidget(forms.Widget):
    """A preview, a file input that is also a drop zone, and a tick to remove the picture.

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
        chosen = self.chosen or (value.hash if isinstance(value, Wish) else "")
        shown = chosen or self.current
        context["widget"] |= {
            "chosen": chosen,
            "remove": isinstance(value, Wish) and value.remove,
            "url": image_url(shown) if HASH.match(shown) else "",
            "accept": ACCEPT,
            "limit": MAX_BYTES,
            "too_large": REFUSALS["too_large"],
            "checkbox_class": " ".join(CHECKBOX_CLASSES),
        }
        return context

    def value_from_datadict(self, data: Mapping[str, Any], files: MultiValueDict, name: str) -> Wish:
        return Wish(hash=data.get(name) or "", remove=bool(data.get(f"{name}-remove")))

    def value_omitted_from_data(self, data: Mapping[str, Any], files: MultiValueDict, name: str) -> bool:
        return False


class PictureField(forms.Field):
    """Cleans to the `Image` to show or None."""

    widget = PictureWidget
    current = ""
    taken: Taken | None = None

    def know(self, *, current: str, taken: Taken | None) -> None:
        """``current`` is the hash so far ("" for none), ``taken`` the photo that came with the form."""
        self.current, self.taken = current, taken
        self.widget.current = current
        self.widget.chosen = taken.hash if taken else ""

    def clean(self, value: Wish) -> Image | None:
        if self.taken is not None and self.taken.refusal:
            raise ValidationError(self.taken.refusal)
        wanted = self.wanted(value)
        if not wanted:
            return None
        if wanted == self.current:
            return Image(hash=wanted)
        try:
            return image_to_refer_to(hash=wanted)
        except HashUnknown:
            raise ValidationError(gettext("This picture is gone. Choose the photo again.")) from None

    def wanted(self, value: Wish) -> str:
        """The hash that the product shall show, "" for none."""
        if self.taken is not None:
            return self.taken.hash
        if value.hash:
            return value.hash
        return "" if value.remove else self.current

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.wanted(data) != self.current


def thumbnail(hash: str | None) -> SafeString:
    """A picture for a list, or a placeholder of the same size."""
    if not hash:
        return format_html('<span class="thumbnail none material-symbols-outlined">{}</span>', "image")
    return format_html('<img class="thumbnail" src="{}?w=160" alt="" loading="lazy">', image_url(hash))
