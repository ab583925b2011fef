from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DevicesConfig(AppConfig):
    name = "devices"
    verbose_name = _("Access")  # not "Devices", as one of its pages is called

    def ready(self) -> None:
        from . import schema  # noqa: F401 - drf-spectacular knows an extension once it is imported
