"""What a request may take, by its address: how large its body is, and in which line it waits for a thread.

The addresses are those of the rooms; ``tests/serving/test_limits.py`` compares the two.
"""

import re

from normalform import MAX_BYTES

LARGEST_PICTURE = MAX_BYTES + 2 * 1024 * 1024  # bytes; a photo and what multipart adds
LARGEST_REST = 2 * 1024 * 1024
# Who sends more than this says first who it is.
LARGEST_OF_STRANGERS = 1024 * 1024

# Forms of the admin that take a picture or a sheet are among them.
PICTURES = re.compile(
    r"/api/(?:images|uploads/[^/]+)"
    r"|/admin/catalog/product/(?:add|[^/]+/change)/|/admin/images/image/add/|/admin/catalog/\w+/import/"
)
ONLY_READ = re.compile(
    r"/livez|/readyz|/metrics|/static/.*|/terminal/.*|/studio/.*"
    r"|/api/(?:schema|docs|shop|studio|devices/me|sync/.*|history|history/sync|history/[^/]+/image|r2/.*"
    r"|image/(?!generate$)[^/]+|albums/[^/]+)"
)
UPLOADS = re.compile(r"/api/uploads/([^/]+)")
# What is many times as large in memory as it came: pictures and sheets.
DECODING = re.compile(
    r"/api/images|/admin/catalog/product/(?:add|[^/]+/change)/|/admin/images/image/add/"
    r"|/admin/catalog/\w+/(?:process_)?import/"
)
HASHING = re.compile(r"/api/employees/[^/]+/verify_pin|/admin/login/|/admin/password_change/|/admin/auth/user/.*")
ASKING = re.compile(r"/api/image/generate")
PROBES = frozenset({"/livez", "/readyz", "/metrics"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def largest_body(path: str) -> int:
    """In bytes."""
    if PICTURES.fullmatch(path):
        return LARGEST_PICTURE
    return 0 if ONLY_READ.fullmatch(path) else LARGEST_REST
