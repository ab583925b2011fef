"""The addresses of serving/limits.py are those that there are."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLResolver, get_resolver

from serving import limits

WRITES = {"post", "put", "patch", "delete"}


def addresses(resolver: URLResolver | None = None, before: str = "/") -> Iterator[tuple[str, Any]]:
    """Each address, with an x in the place of its parameters, and its view."""
    for one in (resolver or get_resolver()).url_patterns:
        path = before + re.sub(r"<[^>]*>", "x", str(one.pattern))
        if isinstance(one, URLResolver):
            yield from addresses(one, path)
        else:
            yield path, one.callback


def methods(view: Any) -> set[str] | None:
    """Which methods a view of the API takes; None of a view that doesn't say so."""
    actions = getattr(view, "actions", None)
    if actions:
        return set(actions)
    kind = getattr(view, "cls", None) or getattr(view, "view_class", None)
    return {name for name in kind.http_method_names if hasattr(kind, name)} if kind else None


API = {path: found for path, view in addresses() if path.startswith("/api/") and (found := methods(view)) is not None}


def test_there_are_addresses() -> None:
    assert {"/api/images", "/api/uploads/x", "/api/products", "/api/products/x", "/api/sync/x/changes"} <= API.keys()


@pytest.mark.parametrize("path", sorted(API))
def test_an_address_that_is_only_read_takes_no_body_and_the_others_do(path: str) -> None:
    assert (limits.largest_body(path) == 0) == (not API[path] & WRITES)


@pytest.mark.parametrize("pattern", [limits.PICTURES, limits.UPLOADS, limits.DECODING, limits.HASHING, limits.ASKING])
def test_each_pattern_names_addresses_that_there_are(pattern: re.Pattern[str]) -> None:
    assert any(pattern.fullmatch(path) for path, _view in addresses())


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/api/images", limits.LARGEST_PICTURE),
        ("/api/uploads/token:with.signs", limits.LARGEST_PICTURE),
        ("/admin/catalog/product/add/", limits.LARGEST_PICTURE),
        ("/admin/catalog/product/5f2e/change/", limits.LARGEST_PICTURE),
        ("/admin/catalog/category/import/", limits.LARGEST_PICTURE),
        ("/api/images/missing", limits.LARGEST_REST),
        ("/api/products/batch", limits.LARGEST_REST),
        ("/admin/login/", limits.LARGEST_REST),
        ("/livez", 0),
        ("/api/sync/product/changes", 0),
        ("/static/any/file.js", 0),
        ("/terminal/", 0),
    ],
)
def test_what_some_addresses_take(path: str, most: int) -> None:
    assert limits.largest_body(path) == most
