from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StudioConfig(AppConfig):
    name = "studio"
    verbose_name = _("Studio")

    def ready(self) -> None:
        from images.upkeep import orphans
        from syncing import registry

        from .history import ITEM
        from .keeping import ours

        registry.register(ITEM)
        orphans.register(ours)
