"""Colour spaces that a file names by numbers (CICP, gamma, chromaticities) as sRGB shows them. Pure.

The numbers of CICP are those of ITU-T H.273: AVIF and HEIC have them in ``nclx``, PNG in ``cICP``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = Any  # an array of floating point, or one number
Point = tuple[float, float]  # x, y
Primaries = tuple[Point, Point, Point, Point]  # white, red, green, blue

D65, DCI, C, E = (0.3127, 0.3290), (0.314, 0.351), (0.310, 0.316), (1 / 3, 1 / 3)
BT709: Primaries = (D65, (0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
BT601: Primaries = (D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070))
BT2020: Primaries = (D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
PRIMARIES: Mapping[int, Primaries] = {
    1: BT709,
    4: (C, (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
    5: (D65, (0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: BT601,
    7: BT601,
    8: (C, (0.681, 0.319), (0.243, 0.692), (0.145, 0.049)),
    9: BT2020,
    10: (E, (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)),
    11: (DCI, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    12: (D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    22: (D65, (0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}
UNSPECIFIED, SRGB, PQ, HLG = 2, 13, 16, 18

# BT.2408: where white paper lies in HDR, and as bright as its pictures are taken to be. Masters that say they are
# brighter are cut off there: their white would come out grey.
REFERENCE_WHITE, BRIGHTEST = 203.0, 1000.0  # nits


@dataclass(frozen=True)
class Space:
    """``transfer``: a number of CICP. ``gamma`` when it isn't 0 counts instead: light is value ** gamma."""

    primaries: Primaries = BT709
    transfer: int = SRGB
    gamma: float = 0.0

    @property
    def is_hdr(self) -> bool:
        return not self.gamma and self.transfer in (PQ, HLG)


def cicp(primaries: int, transfer: int) -> Space | None:
    """The space of two numbers of CICP; None where it is sRGB, or where they say nothing that we know."""
    space = Space(PRIMARIES.get(primaries, BT709), transfer if transfer in TRANSFERS else SRGB)
    return None if space == Space() else space


def in_8_bits(codes: NDArray[Any], space: Space) -> NDArray[np.uint8]:
    """RGB or grey of 8 or 16 bits as sRGB of 8 bits. What sRGB doesn't reach is cut off, HDR is tone-mapped first."""
    top = np.iinfo(codes.dtype).max
    shares = np.linspace(0.0, 1.0, top + 1)
    light = (shares**space.gamma if space.gamma else TRANSFERS[space.transfer](shares)).astype(np.float32)
    shown: Floats = light[codes]
    if space.is_hdr:
        colours = shown if shown.ndim == 3 else shown[..., np.newaxis]
        shown = tone_mapped(colours, space).reshape(shown.shape)
    if shown.ndim == 3 and space.primaries != BT709:
        shown = shown @ np.float32(to_bt709(space.primaries)).T
    made: NDArray[np.uint8] = SRGB_CODES[(np.clip(shown, 0.0, 1.0) * 65535 + 0.5).astype(np.uint16)]
    return made


# --- From values to light ---------------------------------------------------------------------------------------------
def from_srgb(v: Floats) -> Floats:
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def from_smpte_240(v: Floats) -> Floats:
    return np.where(v < 0.0913, v / 4, ((v + 0.1115) / 1.1115) ** (1 / 0.45))


def from_pq(v: Floats) -> Floats:
    """SMPTE ST 2084: nits; 10,000 at most."""
    power = v ** (1 / 78.84375)
    return 10000.0 * (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)


def to_pq(nits: Floats) -> Floats:
    power = (nits / 10000.0) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def from_hlg(v: Floats) -> Floats:
    """BT.2100: light of the scene, 1 at most."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(v <= 0.5, v * v / 3, (np.exp((v - c) / a) + b) / 12)


def linear(v: Floats) -> Floats:
    return v


TRANSFERS: Mapping[int, Callable[[Floats], Floats]] = {
    # What televisions call by other names is sRGB to whoever shows pictures (so Chromium does).
    **dict.fromkeys((1, 6, 11, 12, SRGB, 14, 15), from_srgb),
    4: lambda v: v**2.2,
    5: lambda v: v**2.8,
    7: from_smpte_240,
    8: linear,
    PQ: from_pq,
    17: lambda v: v**2.6,
    HLG: from_hlg,
}


# --- HDR --------------------------------------------------------------------------------------------------------------
def tone_mapped(light: Floats, space: Space) -> Floats:
    """HDR as SDR shows it, 1 its white, by the curve of ITU-R BT.2390 (EETF) for the brightest of the three channels.

    Reference white becomes 230 of 255, BRIGHTEST 255. One factor for the three channels keeps the hue.
    """
    nits = light
    if space.transfer == HLG:  # BT.2100: a display of 1,000 nits raises the luminance of the scene to the power of 1.2
        weights = np.array([0.2627, 0.6780, 0.0593] if light.shape[-1] == 3 else [1.0], np.float32)
        luminance = np.maximum(light @ weights, 1e-6)[..., np.newaxis]
        nits = BRIGHTEST * light * luminance**0.2
    brightest = np.maximum(nits.max(axis=-1, keepdims=True), 1e-4)
    return np.asarray(nits * (bt2390(np.minimum(brightest, BRIGHTEST)) / brightest / REFERENCE_WHITE))


def bt2390(nits: Floats) -> Floats:
    """ITU-R BT.2390-11, 5.4.1: BRIGHTEST becomes REFERENCE_WHITE; what is dark stays, a spline joins them."""
    top = to_pq(np.float64(BRIGHTEST))
    most = to_pq(np.float64(REFERENCE_WHITE)) / top
    knee = 1.5 * most - 0.5
    before = to_pq(nits) / top
    t = np.maximum(before - knee, 0.0) / (1 - knee)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * most
    return from_pq(np.where(before < knee, before, spline) * top)


# --- Primaries --------------------------------------------------------------------------------------------------------
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def xyz(point: Point) -> Floats:
    x, y = point
    return np.array([x / y, 1.0, (1 - x - y) / y])


def to_xyz(primaries: Primaries) -> Floats:
    """The matrix from linear light to XYZ, as D65 sees it."""
    white, *colours = primaries
    columns = np.array([(x, y, 1 - x - y) for x, y in colours]).T
    matrix = columns * np.linalg.solve(columns, xyz(white))
    cones = (BRADFORD @ xyz(D65)) / (BRADFORD @ xyz(white))
    return np.asarray(np.linalg.inv(BRADFORD) @ np.diag(cones) @ BRADFORD @ matrix)


@lru_cache(maxsize=16)
def to_bt709(primaries: Primaries) -> Floats:
    return np.asarray(np.linalg.solve(to_xyz(BT709), to_xyz(primaries)))


def are_primaries(primaries: Primaries) -> bool:
    """Whether these chromaticities can be a colour space's: a file may have any numbers."""
    try:
        matrix = to_xyz(primaries)
    except (np.linalg.LinAlgError, ZeroDivisionError):
        return False
    return bool(np.isfinite(matrix).all() and np.linalg.cond(matrix) < 1000)


def srgb_codes() -> NDArray[np.uint8]:
    light = np.linspace(0.0, 1.0, 65536)
    shares = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return (shares * 255 + 0.5).astype(np.uint8)


SRGB_CODES = srgb_codes()
