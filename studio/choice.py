"""Which provider makes a picture, by the settings."""

from dataclasses import dataclass

from django.conf import settings

from .models import Item
from .providers import TIDY, provider
from .providers.base import Provider


@dataclass(frozen=True)
class Choice:
    """Who makes a picture: provider, model, and the kind of picture that comes out."""

    provider: Provider
    model: str
    kind: Item.Kind


def choice(*, improving: bool) -> Choice:
    """Who makes a new picture, or improves a photo."""
    if settings.STUDIO_PROVIDER == "label" or (improving and settings.STUDIO_EDIT_MODEL == TIDY):
        built_in = provider("label")
        return Choice(built_in, TIDY, Item.Kind.TIDIED) if improving else Choice(built_in, "label", Item.Kind.DRAWN)
    remote = by_name(settings.STUDIO_PROVIDER)
    if improving:
        return Choice(remote, settings.STUDIO_EDIT_MODEL or settings.STUDIO_MODEL, Item.Kind.EDITED)
    return Choice(remote, settings.STUDIO_MODEL, Item.Kind.GENERATED)


def by_name(name: str) -> Provider:
    """The provider of an item, also when the settings name another one now."""
    if name == "label":
        return provider(name)
    return provider(
        name, base_url=settings.STUDIO_BASE_URL, key=settings.STUDIO_API_KEY, options=dict(settings.STUDIO_OPTIONS)
    )
