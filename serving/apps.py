from django.apps import AppConfig


class ServingConfig(AppConfig):
    """Makes the room an application, so that ``manage.py serve`` is found."""

    name = "serving"
