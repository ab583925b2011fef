"""Compression of what gains by it."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

SMALLEST = 1024  # bytes; below it the headers outweigh the gain


class CompressionMiddleware(GZipMiddleware):
    """Django's, except for pictures (compressed already) and small answers."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.headers.get("Content-Type", "").startswith("image/"):
            return response
        if isinstance(response, HttpResponse) and len(response.content) < SMALLEST:
            return response
        return super().process_response(request, response)
