from importlib.util import find_spec

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

found = find_spec("normalform")
if (
    found is None or found.origin is None
):  # where it isn't installed, its folder in the checkout counts as an empty package
    raise ImportError("The package normalform isn't installed for this folder: run `make setup` here.")


class ImagesConfig(AppConfig):
    name = "images"
    verbose_name = _("Images")

    def ready(self) -> None:
        from devices import rights

        rights.worth("upload", ["images.add_image"])
