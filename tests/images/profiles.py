"""ICC profiles that tests make themselves."""

import struct
from collections.abc import Mapping
from itertools import product

from PIL import ImageCms

WHITE = (0.9642, 1.0, 0.8249)  # D50, of every profile
Point = tuple[float, float, float]


def number(value: float) -> bytes:
    """As s15Fixed16Number."""
    return struct.pack(">i", round(value * 65536))


def xyz(point: Point) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(map(number, point))


def gamma(exponent: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(exponent * 256)) + b"\0\0"


# The curve of sRGB: linear near black, then an exponent of 2.4.
SRGB_CURVE = b"para\0\0\0\0\0\3\0\0" + b"".join(map(number, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)))


def profile(device: bytes, space: bytes, connection: bytes, tags: Mapping[bytes, bytes]) -> bytes:
    """A version 2 profile of a device ("mntr", "prtr"), from its colour space to XYZ or Lab."""
    text = b"Made for tests"
    description = b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + b"\0" + b"\0" * 78
    tags = {b"desc": description, b"wtpt": xyz(WHITE), **tags}
    offset, table, bodies = 128 + 4 + 12 * len(tags), b"", b""
    for name, body in tags.items():
        table += name + struct.pack(">II", offset + len(bodies), len(body))
        bodies += body + b"\0" * (-len(body) % 4)
    header = struct.pack(">I4sI4s4s4s12s4s4sI4s4sQI", offset + len(bodies), b"lcms", 0x02400000, device, space,
        connection, struct.pack(">6H", 2026, 1, 1, 0, 0, 0), b"acsp", b"APPL", 0, b"none", b"test", 0, 0)  # fmt: skip
    header += b"".join(map(number, WHITE)) + b"test"
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + bodies


def of_primaries(red: Point, green: Point, blue: Point, curve: bytes) -> bytes:
    points = {b"rXYZ": xyz(red), b"gXYZ": xyz(green), b"bXYZ": xyz(blue)}
    return profile(b"mntr", b"RGB ", b"XYZ ", {**points, **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)})


def adobe_rgb() -> bytes:
    """AdobeRGB (1998)."""
    return of_primaries(
        (0.60974, 0.31111, 0.01947),
        (0.20528, 0.62567, 0.06087),
        (0.14919, 0.06322, 0.74457),
        gamma(563 / 256),
    )


def display_p3() -> bytes:
    """What phones put into their photographs."""
    return of_primaries(
        (0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407), SRGB_CURVE
    )


def linear_srgb() -> bytes:
    """The primaries of sRGB, and light as it is; named so that a program that goes by names takes it for sRGB."""
    made = of_primaries(
        (0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410), gamma(1.0)
    )
    return made.replace(b"Made for tests", b"sRGB is linear")


def linear_grey() -> bytes:
    return profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": gamma(1.0)})


def press(cyan: Point, magenta: Point, yellow: Point) -> bytes:
    """A printing press on white paper, by the Lab colours of its inks; each over another is black enough."""
    colours: dict[tuple[int, ...], Point] = {
        (0, 0, 0, 0): (100.0, 0.0, 0.0),
        (1, 0, 0, 0): cyan,
        (0, 1, 0, 0): magenta,
        (0, 0, 1, 0): yellow,
    }
    table = b""
    for inks in product((0, 1), repeat=4):  # the first ink varies slowest
        lightness, a, b = colours.get(inks, (0.0, 0.0, 0.0))
        table += struct.pack(">3H", *(round(v) for v in (lightness * 652.8, (a + 128) * 256, (b + 128) * 256)))
    identity = b"".join(map(number, (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    ends = struct.pack(">2H", 0, 65535)
    lut = b"mft2\0\0\0\0" + bytes((4, 3, 2, 0)) + identity + struct.pack(">2H", 2, 2) + ends * 4 + table + ends * 3
    return profile(b"prtr", b"CMYK", b"Lab ", dict.fromkeys((b"A2B0", b"A2B1", b"A2B2"), lut))


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
