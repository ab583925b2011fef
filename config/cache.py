"""What the cache keeps: bytes and whole numbers. Django's own serializer unpickles, which runs what it reads."""


class BytesOnly:
    """A serializer for Redis: bytes as they are, numbers as Redis itself counts them."""

    def dumps(self, value: object) -> bytes | int:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, bytes):
            return b"b" + value  # so that bytes of digits don't come back as a number
        raise TypeError(f"The cache keeps bytes and whole numbers, not {type(value).__name__}.")

    def loads(self, stored: bytes) -> bytes | int | None:
        """None for what is in no form of ours: another program wrote it, or an older version of this one."""
        if stored[:1] == b"b":
            return stored[1:]
        try:
            return int(stored)
        except ValueError:
            return None
