from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CatalogConfig(AppConfig):
    name = "catalog"
    verbose_name = _("Catalogue")

    def ready(self) -> None:
        from devices import rights

        from .resources import KINDS, register_all

        register_all()
        rights.worth("upload", ["catalog.change_product"])  # a photo may be for a product
        for kind in KINDS:
            rights.worth("manage", (rights.permission(verb, kind.model) for verb in ("add", "change", "delete")))
