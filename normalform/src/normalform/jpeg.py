"""What a JPEG file consists of, and the normal form that a stored picture has. Pure.

Normal form is a contract, not an encoder: a terminal that made such bytes itself, with whatever library, finds
them stored by the server under the very hash that it computed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_EDGE = 1600  # pixels
LARGEST_NORMAL = 2 * 1024 * 1024  # bytes
# Encoders write about ten. Each scan makes a decoder walk over the whole picture, so thousands of tiny ones in one
# file would keep it busy for minutes.
MOST_SCANS = 100

SOI, EOI, SOS, DQT, DHT, DRI, APP0, SOF0, SOF2 = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xE0, 0xC0, 0xC2
NORMAL_SEGMENTS = {APP0, DQT, SOF0, SOF2, DHT, DRI, SOS}
# In entropy-coded data FF is followed by 00, or by a restart marker; anything else ends the scan.
SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7]")
# Before a marker there may be any number of FF; RSTn, TEM and SOI have no segment.
MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")


@dataclass(frozen=True)
class Segment:
    """``marker`` is the byte after FF; ``body`` what follows the length; ``end`` where the next marker begins."""

    marker: int
    body: bytes
    end: int


@dataclass(frozen=True)
class Frame:
    width: int
    height: int
    components: int


class Malformed(ValueError):
    """The markers of a JPEG file don't follow each other as they should."""


def segments(data: bytes) -> Iterator[Segment]:
    """The segments between SOI and EOI, which is the last one (without a body). Raises ``Malformed``."""
    if data[:2] != b"\xff\xd8":
        raise Malformed("no SOI")
    at = 2
    while True:
        if len(data) < at + 2 or data[at] != 0xFF:
            raise Malformed("no marker where one has to be")
        marker = data[at + 1]
        if marker == EOI:
            yield Segment(EOI, b"", at + 2)
            return
        length = int.from_bytes(data[at + 2 : at + 4])
        if length < 2 or at + 2 + length > len(data):
            raise Malformed("a segment is longer than the file")
        body = data[at + 4 : at + 2 + length]
        at += 2 + length
        if marker == SOS:
            found = SCAN_END.search(data, at)
            if found is None:
                raise Malformed("a scan without end")
            at = found.start()
        yield Segment(marker, body, at)


def markers(data: bytes) -> Iterator[int]:
    """The markers with a segment that a forgiving decoder finds: it skips padding and junk between segments."""
    at = 2
    while found := MARKER.search(data, at):
        marker, at = found[0][1], found.end()
        yield marker
        if marker == EOI:
            return
        at += max(2, int.from_bytes(data[at : at + 2]))


def normal_frame(data: bytes) -> Frame | None:
    """The picture's measures when ``data`` is in normal form; None when it isn't, or without simplejpeg."""
    if len(data) > LARGEST_NORMAL:
        return None
    try:
        frame = frame_of_normal_markers(data)
    except Malformed:
        return None
    return frame if decodes_strictly(data, frame) else None


def is_normal_form(data: bytes) -> bool:
    """A baseline or progressive JPEG, grey or YCbCr, longest edge ≤ 1600, ≤ 2 MB, without metadata, that decodes."""
    return normal_frame(data) is not None


def frame_of_normal_markers(data: bytes) -> Frame:
    """Raises ``Malformed`` at the first thing that normal form doesn't have."""
    frame: Frame | None = None
    jfif, scans, end, last = False, 0, 0, None
    for number, segment in enumerate(segments(data)):
        marker, body, end = segment.marker, segment.body, segment.end
        last = marker
        if marker == EOI:
            break
        if marker not in NORMAL_SEGMENTS:
            raise Malformed("a segment that normal form doesn't have")
        if marker == APP0:
            # FF E0 00 10 "JFIF\0", version, unit, density, then the size of a thumbnail: 0 × 0.
            if number or len(body) != 14 or not body.startswith(b"JFIF\0") or body[12:] != b"\0\0":
                raise Malformed("an APP0 that isn't one plain JFIF header in front")
            jfif = True
        elif marker in (SOF0, SOF2):
            if frame is not None:
                raise Malformed("two frames")
            frame = frame_of(body, jfif=jfif)
        elif marker == DQT:
            check_quantization(body)
        elif marker == DHT:
            check_huffman(body)
        elif marker == DRI and len(body) != 2:
            raise Malformed("a DRI of another length")
        elif marker == SOS:
            scans += 1
            if frame is None or scans > MOST_SCANS or len(body) != 4 + 2 * body[0]:
                raise Malformed("a scan before the frame, of another length, or one too many")
    if last != EOI or end != len(data) or frame is None or not scans:
        raise Malformed("no picture, or something behind its end")
    return frame


def frame_of(body: bytes, *, jfif: bool) -> Frame:
    if len(body) < 6 or body[0] != 8 or len(body) != 6 + 3 * body[5]:
        raise Malformed("a frame that isn't 8 bits deep")
    frame = Frame(int.from_bytes(body[3:5]), int.from_bytes(body[1:3]), body[5])
    # Without the JFIF header decoders guess the colours from the components' numbers.
    known_colours = jfif or frame.components == 1 or body[6::3] == b"\1\2\3"
    if frame.components not in (1, 3) or not known_colours:
        raise Malformed("neither grey nor YCbCr")
    if not (1 <= frame.width <= LONGEST_EDGE and 1 <= frame.height <= LONGEST_EDGE):
        raise Malformed("too large, or without a height")
    return frame


def check_quantization(body: bytes) -> None:
    at = 0
    while at < len(body):
        precision, table = divmod(body[at], 16)
        at += 1 + 64 * (precision + 1)
        if precision > 1 or table > 3:
            raise Malformed("a quantization table that can't be")
    if at != len(body) or not body:
        raise Malformed("a DQT of another length")


def check_huffman(body: bytes) -> None:
    at = 0
    while at + 17 <= len(body):
        kind, table = divmod(body[at], 16)
        if kind > 1 or table > 3:
            raise Malformed("a Huffman table that can't be")
        at += 17 + sum(body[at + 1 : at + 17])
    if at != len(body) or not body:
        raise Malformed("a DHT of another length")


def decodes_strictly(data: bytes, frame: Frame) -> bool | None:
    """Whether a decoder finds nothing to complain about; None without simplejpeg, where nobody can tell.

    libjpeg (and so Pillow) only warns about a scan that is cut short but ends in EOI, or about bytes after the last
    block; ``strict`` turns its warnings into errors.
    """
    try:
        import simplejpeg
    except ImportError:
        return None
    try:
        pixels = simplejpeg.decode_jpeg(data, "GRAY" if frame.components == 1 else "RGB", strict=True)
    except (ValueError, RuntimeError):
        return False
    return bool(pixels.shape[:2] == (frame.height, frame.width))
