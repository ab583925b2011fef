"""The project: settings, URLs, the two kinds of web process, the Celery application, error answers."""

from .celery import app as celery_app

__all__ = ["celery_app"]
