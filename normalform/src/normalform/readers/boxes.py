"""What a file of the HEIF family (HEIC, AVIF) says of its first picture, before a decoder is asked. Pure."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from normalform.spaces import Space, cicp

MOST_BOXES = 20_000


@dataclass
class Still:
    """The primary picture: its size as coded, before it is turned; ``depth`` in bits; its colours."""

    width: int = 0
    height: int = 0
    depth: int = 8
    is_grid: bool = False
    has_alpha: bool = False
    is_premultiplied: bool = False  # its colours are multiplied by its alpha
    is_full: bool = False  # colours as fine as brightness (4:4:4)
    profile: bytes | None = None
    space: Space | None = None

    @property
    def colours(self) -> bytes | Space | None:
        """A profile counts more than numbers, but HDR can be said by numbers alone."""
        return self.space if self.space and self.space.is_hdr else self.profile or self.space


def boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind of each box, and where its contents begin and end."""
    for _ in range(MOST_BOXES):
        if start + 8 > end:
            return
        size, head = int.from_bytes(data[start : start + 4]), 8
        if size == 1:
            size, head = int.from_bytes(data[start + 8 : start + 16]), 16
        elif size == 0:
            size = end - start
        if size < head or start + size > end:
            return
        yield data[start + 4 : start + 8], start + head, start + size
        start += size


def still_of(data: bytes) -> Still:
    """What the boxes say; a `Still` without a size where they can't be read."""
    still = Still()
    try:
        for kind, start, end in boxes(data, 0, len(data)):
            if kind == b"meta":
                read_meta(data, start + 4, end, still)
                break
    except (struct.error, IndexError):
        return Still()
    return still


def read_meta(data: bytes, start: int, end: int, still: Still) -> None:
    inside = {kind: (at, to) for kind, at, to in boxes(data, start, end)}
    primary = 0
    if b"pitm" in inside:
        at, _to = inside[b"pitm"]
        (primary,) = struct.unpack_from(">I" if data[at] else ">H", data, at + 4)
    kinds = dict(items(data, *inside[b"iinf"])) if b"iinf" in inside else {}
    if b"iref" in inside:
        at, to = inside[b"iref"]
        still.is_premultiplied = any(kind == b"prem" for kind, _at, _to in boxes(data, at + 4, to))
    still.is_grid = kinds.get(primary) in (b"grid", b"iovl")
    if b"iprp" not in inside:
        return
    properties: list[tuple[bytes, int, int]] = []
    links: dict[int, list[int]] = {}
    for kind, at, to in boxes(data, *inside[b"iprp"]):
        if kind == b"ipco":
            properties = list(boxes(data, at, to))
        elif kind == b"ipma":
            links.update(associations(data, at))
    for index in links.get(primary, []):
        if 0 < index <= len(properties):
            apply(data, *properties[index - 1], still)
    # The depth of a grid is its tiles'; an auxiliary picture that is alpha belongs to whatever is primary.
    for kind, at, to in properties:
        if kind in (b"av1C", b"hvcC") and still.is_grid:
            apply(data, kind, at, to, still)
        if (kind == b"auxC" and b"alpha" in data[at:to]) or (kind == b"auxC" and b"auxid:1" in data[at:to]):
            still.has_alpha = True


def items(data: bytes, at: int, end: int) -> Iterator[tuple[int, bytes]]:
    """The number and the kind of each item."""
    start = at + (8 if data[at] else 6)
    for kind, inner, _end in boxes(data, start, end):
        version = data[inner]
        if kind == b"infe" and version >= 2:
            wide = version >= 3
            (number,) = struct.unpack_from(">I" if wide else ">H", data, inner + 4)
            place = inner + (10 if wide else 8)
            yield number, data[place : place + 4]


def associations(data: bytes, at: int) -> Iterator[tuple[int, list[int]]]:
    """The number of each item, and the properties that it has, counted from 1, in their order."""
    version, wide = data[at], data[at + 3] & 1
    (count,) = struct.unpack_from(">I", data, at + 4)
    at += 8
    for _ in range(min(count, MOST_BOXES)):
        (item,) = struct.unpack_from(">I" if version else ">H", data, at)
        at += 4 if version else 2
        number = data[at]
        at += 1
        numbers = struct.unpack_from(f">{number}{'H' if wide else 'B'}", data, at)
        at += number * (2 if wide else 1)
        yield item, [value & (0x7FFF if wide else 0x7F) for value in numbers]


def apply(data: bytes, kind: bytes, at: int, end: int, still: Still) -> None:
    if kind == b"ispe":
        still.width, still.height = struct.unpack_from(">II", data, at + 4)
    elif kind == b"colr" and data[at : at + 4] in (b"prof", b"rICC"):
        still.profile = data[at + 4 : end]
    elif kind == b"colr" and data[at : at + 4] == b"nclx":
        primaries, transfer = struct.unpack_from(">HH", data, at + 4)
        still.space = cicp(primaries, transfer)
    elif kind == b"av1C":
        flags = data[at + 2]
        still.depth = (12 if flags & 0x20 else 10) if flags & 0x40 else 8
        still.is_full = not flags & 0x08
    elif kind == b"hvcC":
        still.depth = 8 + (data[at + 17] & 7)
        still.is_full = data[at + 16] & 3 == 3
