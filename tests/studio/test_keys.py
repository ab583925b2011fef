"""A key says whose picture it is, when it was made, and which bytes it has; nothing else is a key."""

from datetime import UTC, datetime

import pytest

from studio.keys import key_of, parsed

SHA = "ab" * 32


def test_a_key_and_back() -> None:
    key = key_of(
        user=7, created=datetime(2026, 12, 1, 1, 2, 3, 456789, tzinfo=UTC), sha256=SHA, content_type="image/png"
    )

    assert str(key) == f"images/7/1796086923456_{SHA}.png"
    assert parsed(str(key)) == key
    assert key.content_type == "image/png"


@pytest.mark.parametrize(
    "text",
    [
        "", "images/", f"images/7/1_{SHA}.gif", f"images/07/1_{SHA}.jpg", f"images/7/1_{SHA.upper()}.jpg",
        f"images/7/../8/1_{SHA}.jpg", f"/images/7/1_{SHA}.jpg", f"images/7/1_{SHA}.jpg\n", f"images/٧/1_{SHA}.jpg",
        f"images/7/1_{SHA[:-1]}.jpg", f"images/-7/1_{SHA}.jpg", f"images/7/01_{SHA}.jpg",
    ],
)  # fmt: skip
def test_anything_else_is_no_key(text: str) -> None:
    assert parsed(text) is None


def test_another_type_is_not_kept() -> None:
    with pytest.raises(KeyError):
        key_of(user=7, created=datetime(2026, 12, 1, tzinfo=UTC), sha256=SHA, content_type="image/gif")
