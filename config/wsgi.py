"""Requests: Django as a WSGI application (granian in production, behind config/asgi.py in ``make run``).

Stored pictures don't get as far as Django: see images/wsgi.py.
"""

import os
import sys
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class Request(WSGIRequest):
    """A request whose text is UTF-8, whatever charset it names, and of which nothing is left when it is closed.

    Django reads the type's parameters in the constructor and decodes the query with that charset, where "hex" or a
    parameter in no encoding (``x*=bogus''y``) fails before anything answers. None means anything to us.
    """

    def close(self) -> None:
        """Django calls it when the response is closed. From then on nothing of the request is needed.

        The request and its user hold each other, and so do REST framework's view, request and response, with bodies of
        25 MB among them. They would wait for the collector of circles, which counts objects and not bytes.
        """
        super().close()
        if asked := vars(self).get(ASKED):
            view = asked.parser_context["view"]
            if answered := getattr(view, "response", None):
                vars(answered).pop("renderer_context", None)
            vars(view).clear()
            vars(asked).clear()
        vars(self).clear()

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except ValueError:
            meta["CONTENT_TYPE"] = meta["CONTENT_TYPE"].partition(";")[0]  # others will read it again
            self.content_type, self.content_params = parse_header_parameters(meta["CONTENT_TYPE"])


try:
    django = get_wsgi_application()
except ImproperlyConfigured as mistake:  # the operator's, who needs the sentence and no traceback
    sys.exit(str(mistake))
django.request_class = Request

from config.negotiation import ASKED  # noqa: E402 - Django is set up now
from images.wsgi import ImagesFirst  # noqa: E402
from serving.garbage_collection import freeze_loaded  # noqa: E402
from studio.build import build  # noqa: E402
from terminal.shell import shell  # noqa: E402

application = ImagesFirst(django)
shell(), build()  # read and compressed once, at the start
freeze_loaded()  # again when config/asgi.py has loaded the stream as well
