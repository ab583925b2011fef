"""Where managers send photos, see what became of them, and help what got stuck."""

from .albums import AlbumAdmin
from .photos import PhotoAdmin

__all__ = ["AlbumAdmin", "PhotoAdmin"]
