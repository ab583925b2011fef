"""Content codings that a client takes."""

import re

REFUSED = re.compile(r"q=0(\.0*)?")


def takes_gzip(accept_encoding: str) -> bool:
    """Whether this header names gzip, other than to refuse it (``gzip;q=0``)."""
    for asked in accept_encoding.split(","):
        coding, *parameters = (word.strip() for word in asked.split(";"))
        if coding.lower() == "gzip":
            return not any(map(REFUSED.fullmatch, parameters))
    return False
