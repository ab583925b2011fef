from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Makes the project an application so that its commands and checks are found."""

    name = "config"
    verbose_name = "RedCoral"
