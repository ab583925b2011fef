from django.apps import AppConfig


class BackofficeConfig(AppConfig):
    """Makes the room an application, so that its static files are found."""

    name = "backoffice"
