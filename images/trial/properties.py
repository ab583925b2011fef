"""What a bucket must be able to do, a property each. ``manage.py check_storage`` tries them all on the real one."""

from collections.abc import Iterator
from contextlib import suppress

import urllib3
from botocore.exceptions import BotoCoreError, ClientError

from images.blobs.bucket import BucketBlobs

from . import listed, objects, signed  # noqa: F401 - they register their properties
from .trying import PROPERTIES, Cannot, Trial

__all__ = ["PROPERTIES", "run"]


def run(store: BucketBlobs) -> Iterator[tuple[str, str]]:
    """Each property with what is wrong: empty when the store has it. What was written goes again."""
    trial = Trial(store)
    try:
        for sentence, tried in PROPERTIES.items():
            wrong = ""
            try:
                tried(trial)
            except Cannot as cannot:
                wrong = str(cannot)
            except (ClientError, BotoCoreError, urllib3.exceptions.HTTPError, OSError) as error:
                wrong = f"{type(error).__name__}: {error}"
            yield sentence, " ".join(wrong.split())
    finally:
        with suppress(ClientError, BotoCoreError, OSError):
            trial.clear()
