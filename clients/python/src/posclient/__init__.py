"""A terminal of a RedCoral edge server: a local copy of the catalogue, pictures on the own disk, photos sent later.

    from posclient import Bridge, Terminal

    with Terminal(Bridge.client("http://localhost:8000", token=token)) as till:
        till.replica.start()
        till.replica.wait_until_live()
        for product in till.replica.all("product"):
            if product["image"]:
                print(product["name"], till.images.get_image_path(product["image"]))

Exceptions:

    PosclientError
    ├── InvalidHash (ValueError)
    ├── PictureRefused (ValueError)      code: too_large, too_many_pixels, unsupported_image, broken_image,
    │                                    over_capacity
    ├── NotConfigured
    ├── StorageFull (OSError)
    ├── ImageMissing (LookupError)
    ├── ServerUnavailable                worth another try; retry_after
    │   ├── Disconnected
    │   └── UnexpectedAnswer
    │       └── ImageDamaged
    └── Refused                          the server said no; status, code, detail
        ├── NotEnrolled                  401
        └── NotAllowed                   403
"""

from ._bridge import Bridge, Mode
from ._configuration import default_folder
from ._errors import (
    Disconnected,
    ImageDamaged,
    ImageMissing,
    InvalidHash,
    NotAllowed,
    NotConfigured,
    NotEnrolled,
    PictureRefused,
    PosclientError,
    Refused,
    ServerUnavailable,
    StorageFull,
    UnexpectedAnswer,
)
from ._image_folder import CacheUsage, CleanupResult
from ._images import ImageCache, PrefetchResult
from ._outbox import FailedUpload, Outbox, UploadsResult
from ._outbox_store import Waiting
from ._replica import Replica, State
from ._subscriptions import Update
from ._terminal import Terminal, Uploaded
from ._timeouts import Timeouts

__version__ = "0.1.0"
__all__ = [
    "Bridge",
    "CacheUsage",
    "CleanupResult",
    "Disconnected",
    "FailedUpload",
    "ImageCache",
    "ImageDamaged",
    "ImageMissing",
    "InvalidHash",
    "Mode",
    "NotAllowed",
    "NotConfigured",
    "NotEnrolled",
    "Outbox",
    "PictureRefused",
    "PosclientError",
    "PrefetchResult",
    "Refused",
    "Replica",
    "ServerUnavailable",
    "State",
    "StorageFull",
    "Terminal",
    "Timeouts",
    "UnexpectedAnswer",
    "Update",
    "Uploaded",
    "UploadsResult",
    "Waiting",
    "default_folder",
]
for _name in __all__:  # a traceback says where to import from, not in which module it happens to lie
    if isinstance(globals()[_name], type):
        globals()[_name].__module__ = __name__
del _name
