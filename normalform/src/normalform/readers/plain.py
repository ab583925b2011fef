"""GIF and WebP, of which the first frame counts."""

from collections.abc import Iterator

from normalform.errors import ImageRefused
from normalform.picture import Decoded, check_size, opened, turns_of
from normalform.samples import loaded

ANIMATED, ALPHA = 0x02, 0x10


def read_gif(data: bytes) -> Decoded:
    with opened(data, "GIF") as image:
        check_size(*image.size)
        image.load()
        check_size(*image.size)  # a frame may be larger than the screen that it is shown on
        return Decoded(image)


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and body of each chunk of a WebP file, whatever length the file says that it has."""
    at = 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], data[at + 8 : at + 8 + size]
        at += 8 + size + (size & 1)


def read_webp(data: bytes) -> Decoded:
    """The chunks of pixels alone go to the decoder; an animation goes there as it is."""
    found: dict[bytes, bytes] = {}
    for kind, body in chunks(data):
        found.setdefault(kind, body)
    head = found.get(b"VP8X", b"")
    colours, turns = found.get(b"ICCP") or None, turns_of(found.get(b"EXIF"))
    if len(head) >= 10 and head[0] & ANIMATED:
        width, height = canvas(head)
        check_size(width, height, memory=12 * width * height)
        return Decoded(loaded("webp", data), colours, turns)
    kind = b"VP8L" if b"VP8L" in found else b"VP8 "
    if kind not in found:
        check_size(*(canvas(head) if len(head) >= 10 else (0, 0)))
        raise ImageRefused("broken_image", "a WebP without a picture")
    size = lossless_size(found[kind]) if kind == b"VP8L" else lossy_size(found[kind])
    check_size(*size, memory=size[0] * size[1] * 12)
    parts = [(kind, found[kind])]
    if kind == b"VP8 " and b"ALPH" in found:
        canvas_of = (size[0] - 1).to_bytes(3, "little") + (size[1] - 1).to_bytes(3, "little")
        parts = [(b"VP8X", bytes([ALPHA, 0, 0, 0]) + canvas_of), (b"ALPH", found[b"ALPH"]), *parts]
    file = b"".join(name + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) & 1) for name, body in parts)
    file = b"RIFF" + (4 + len(file)).to_bytes(4, "little") + b"WEBP" + file
    return Decoded(loaded("webp", file), colours, turns)


def canvas(head: bytes) -> tuple[int, int]:
    return int.from_bytes(head[4:7], "little") + 1, int.from_bytes(head[7:10], "little") + 1


def lossy_size(body: bytes) -> tuple[int, int]:
    return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF


def lossless_size(body: bytes) -> tuple[int, int]:
    bits = int.from_bytes(body[1:5], "little")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
