from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UploadsConfig(AppConfig):
    name = "uploads"
    verbose_name = _("Uploads")

    def ready(self) -> None:
        from devices import rights

        rights.worth("upload", ["uploads.add_photo"])
