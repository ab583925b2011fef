"""Who makes a picture: one module for each provider, all with the face of `studio.providers.base.Provider`."""

from collections.abc import Mapping
from typing import Any

from studio.providers.base import Provider
from studio.providers.builtin.label import Label
from studio.providers.gemini import Gemini
from studio.providers.openai import OpenAI

NAMES = ("label", "openai", "gemini")
TIDY = "tidy"  # as a model for edits: photos are improved by the built-in provider only


def provider(name: str, *, base_url: str = "", key: str = "", options: Mapping[str, Any] | None = None) -> Provider:
    """The provider of this name, one of `NAMES`. An empty ``base_url`` is the provider's own."""
    if name == "openai":
        return OpenAI(base_url=base_url, key=key, options=options or {})
    if name == "gemini":
        return Gemini(base_url=base_url, key=key, options=options or {})
    if name == "label":
        return Label()
    raise ValueError(f"There is no provider {name}.")
