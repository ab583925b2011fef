"""The project: settings, addresses, what servers load (WSGI, ASGI, Celery), and our parts of Django."""

from .celery import app as celery_app

__all__ = ["celery_app"]
