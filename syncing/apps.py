from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class SyncingConfig(AppConfig):
    name = "syncing"
    verbose_name = _("Sync")

    def ready(self) -> None:
        from . import checks  # noqa: F401 - registers itself
        from .capture import migration

        pre_migrate.connect(migration.before, sender=self)
        post_migrate.connect(migration.after, sender=self)
