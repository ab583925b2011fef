"""Any picture becomes what the server would make of it, offline. Needs the extra ``images``.

The server keeps what is in normal form byte for byte, so the hash of what is made here is final at once.
"""

import normalform

from ._errors import PictureRefused


def normalize(data: bytes) -> bytes:
    """``data`` itself when it is in normal form, else the picture in it, made so. Raises PictureRefused."""
    try:
        return normalform.normalize(data).data
    except (normalform.ImageRefused, normalform.NoMemory) as refused:
        raise PictureRefused(refused.code, str(refused)) from refused
