"""Photos and files, as the tests of uploads have them."""

from tests.uploads.conftest import album, folder, make_photo, sent

__all__ = ["album", "folder", "make_photo", "sent"]
