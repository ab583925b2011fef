"""JPEG: what isn't pixels is put aside before the decoder sees it, and a scan that was cut is told from a whole one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from normalform.errors import ImageRefused
from normalform.failures import MAX_PHOTO_PIXELS
from normalform.jpeg import APP0, DHT, DQT, DRI, EOI, LONGEST_EDGE, MARKER, SOF0, SOS
from normalform.picture import Decoded, check_size, opened, turns_of
from normalform.samples import fit

SOF1, DAC, DNL, APP1, APP2, APP14 = 0xC1, 0xCC, 0xDC, 0xE1, 0xE2, 0xEE
FRAMES = {*range(SOF0, 0xD0)} - {DHT, 0xC8, DAC}
PIXELS = {*FRAMES, DHT, DAC, DQT, DRI, DNL, SOS}
# What libjpeg warns of though each block was there; whatever else it says of a scan means that some weren't.
HARMLESS = re.compile(r"extraneous bytes|Invalid SOS|Inconsistent progression|Unknown Adobe|unknown JFIF")
EXTRANEOUS = re.compile(r"(\d+) extraneous bytes")


@dataclass
class Contents:
    """What a file consists of. ``pixels``: a JPEG file of nothing but what its decoder needs."""

    pixels: bytes = b""
    width: int = 0
    height: int = 0
    samplings: list[tuple[int, int, int]] = field(default_factory=list)  # number of the component, across, down
    is_progressive: bool = False
    scans: list[bytes] = field(default_factory=list)  # headers
    is_ended: bool = False
    has_adobe: bool = False
    exif: bytes | None = None
    profiles: dict[tuple[int, int], bytes] = field(default_factory=dict)  # number and count → part

    @property
    def profile(self) -> bytes | None:
        """The ICC profile that is whole; of two parts with the same number the first counts."""
        for count in dict.fromkeys(count for _number, count in self.profiles):
            parts = [self.profiles.get((number, count)) for number in range(1, count + 1)]
            if parts and None not in parts:
                return b"".join(part for part in parts if part is not None)
        return None

    @property
    def memory(self) -> int:
        """Bytes that decoding takes: coefficients of the whole picture where it comes in more than one scan."""
        if not self.samplings or (not self.is_progressive and len(self.scans) == 1):
            return 0
        across, down = (max(max(s[at] for s in self.samplings), 1) for at in (1, 2))
        shares = sum(s[1] * s[2] for s in self.samplings) / (across * down)
        return int(2 * self.width * self.height * shares)

    @property
    def is_complete(self) -> bool:
        """Whether the scans bring every bit of every coefficient."""
        bits = {number: np.full(64, 99) for number, _across, _down in self.samplings}
        for scan in self.scans:
            count = scan[0] if scan else 0
            first, last, low = scan[2 * count + 1], scan[2 * count + 2], scan[2 * count + 3] & 15
            for number in scan[1 : 1 + 2 * count : 2]:
                if number in bits:
                    bits[number][first : last + 1] = low
        return bool(bits) and all(not left.any() for left in bits.values())


def segments(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Marker, body, and the whole segment with its scan, as a forgiving decoder finds them."""
    at = 2
    while found := MARKER.search(data, at):
        marker, start, at = found[0][1], found.start(), found.end()
        if marker == EOI:
            yield EOI, b"", b""
            return
        length = max(2, int.from_bytes(data[at : at + 2]))
        body, at = data[at + 2 : at + length], at + length
        end = at
        if marker == SOS:
            following = MARKER.search(data, at)
            end = following.start() if following else len(data)
        yield marker, body, data[start:end]


def contents_of(data: bytes) -> Contents:
    contents, header, kept = Contents(), [b"\xff\xd8"], []
    for marker, body, whole in segments(data):
        if marker == EOI:
            contents.is_ended = True
        elif marker in PIXELS:
            kept.append(whole)
            if marker == SOS:
                contents.scans.append(body)
            elif marker in FRAMES and not contents.samplings and len(body) >= 6:
                contents.height, contents.width = int.from_bytes(body[1:3]), int.from_bytes(body[3:5])
                contents.samplings = [(a, b >> 4, b & 15) for a, b in zip(body[6::3], body[7::3], strict=False)]
                contents.is_progressive = marker not in (SOF0, SOF1)
        elif marker == APP0 and len(header) == 1 and len(body) >= 14 and body.startswith(b"JFIF\0"):
            header.append(b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0")
        elif marker == APP14 and not contents.has_adobe and len(body) >= 12 and body.startswith(b"Adobe"):
            contents.has_adobe = True
            header.append(b"\xff\xee\0\x0e" + body[:12])
        elif marker == APP1 and contents.exif is None and body.startswith(b"Exif\0\0"):
            contents.exif = body
        elif marker == APP2 and len(body) > 14 and body.startswith(b"ICC_PROFILE\0"):
            contents.profiles.setdefault((body[12], body[13]), body[14:])
    contents.pixels = b"".join([*header, *kept, b"\xff\xd9"])
    return contents


def read(data: bytes) -> Decoded:
    contents = contents_of(data)
    check_size(contents.width, contents.height, memory=contents.memory + 2 * len(data), most=MAX_PHOTO_PIXELS)
    if not contents.scans or not (contents.is_ended or contents.is_complete):
        raise ImageRefused("broken_image", "the picture ends before its last scan")
    size = (contents.width, contents.height)
    target = fit(size, LONGEST_EDGE)
    # At a half, a quarter or an eighth where that suffices: the steps for which libjpeg-turbo is quick.
    factor = next((by for by in (8, 4, 2) if size[0] / by >= target[0] and size[1] / by >= target[1]), 1)
    pixels = strictly(contents, factor)
    return Decoded(pixels, contents.profile, turns_of(contents.exif), shrunk=pixels.size != size)


def strictly(contents: Contents, factor: int) -> Image.Image:
    """The picture at ``1 / factor`` of its size. Without simplejpeg nobody can tell whether a scan was cut."""
    try:
        import simplejpeg
    except ImportError:
        return by_pillow(contents, factor)
    space = {1: "GRAY", 3: "RGB", 4: "CMYK"}.get(len(contents.samplings), "")
    if not space:
        raise ImageRefused("broken_image", "a picture of as many colours as no picture has")
    least = {"min_width": -(-contents.width // factor), "min_height": -(-contents.height // factor)}
    try:
        array = simplejpeg.decode_jpeg(contents.pixels, space, strict=True, **least)
    except ValueError as error:
        if not HARMLESS.search(str(error)) or ends_in_zeros(contents.pixels, str(error)):
            raise
        array = simplejpeg.decode_jpeg(contents.pixels, space, strict=False, **least)
    if space == "CMYK":
        return Image.fromarray(255 - array, "CMYK")  # all programs store what the paper keeps, as Adobe's do
    return Image.fromarray(array[..., 0] if space == "GRAY" else array)


def ends_in_zeros(data: bytes, warning: str) -> bool:
    """Whether what is too much are zeros: the rest of a file whose transfer broke off decodes as a flat picture."""
    found = EXTRANEOUS.search(warning)
    many = int(found[1]) if found else 0
    return many >= 64 and not any(data[-2 - many : -2])


def by_pillow(contents: Contents, factor: int) -> Image.Image:
    with opened(contents.pixels, "JPEG") as image:
        if factor > 1:
            image.draft(None, (contents.width // factor, contents.height // factor))
        image.load()
        return image
