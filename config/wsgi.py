"""Requests: Django as a WSGI application (granian in production, behind config/asgi.py in ``make run``).

Stored pictures don't get as far as Django: see images/wsgi.py.
"""

import os
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class Utf8Request(WSGIRequest):
    """A request whose text is UTF-8, whatever charset it names.

    Django reads the type's parameters in the constructor and decodes the query with that charset, where "hex" or a
    parameter in no encoding (``x*=bogus''y``) fails before anything answers. None means anything to us.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except ValueError:
            meta["CONTENT_TYPE"] = meta["CONTENT_TYPE"].partition(";")[0]  # others will read it again
            self.content_type, self.content_params = parse_header_parameters(meta["CONTENT_TYPE"])


django = get_wsgi_application()
django.request_class = Utf8Request

from images.wsgi import ImagesFirst  # noqa: E402 - Django is set up now
from serving.garbage_collection import freeze_loaded  # noqa: E402
from terminal.shell import shell  # noqa: E402

application = ImagesFirst(django)
shell()  # read and compressed once, at the start
freeze_loaded()  # again when config/asgi.py has loaded the stream as well
