from django.apps import AppConfig, apps
from django.utils.translation import gettext_lazy as _


class BackofficeConfig(AppConfig):
    """Makes the room an application, so that its static files are found."""

    name = "backoffice"

    def ready(self) -> None:
        # Users and groups stand under the name that the sidebar has for them. With an AuthConfig of our own in
        # INSTALLED_APPS the types of Django's stubs don't know any more which model a user is.
        apps.get_app_config("auth").verbose_name = _("Back office")
