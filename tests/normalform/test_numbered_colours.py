"""Colours that a file names by numbers: nclx, cICP, gamma and chromaticities; HDR becomes SDR.

What is expected comes from the published definitions of the curves, not from our own code.
"""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from normalform import normalize
from normalform.spaces import BT709, bt2390, from_pq, to_bt709, to_pq
from tests.images.small import (
    avif,
    by_libvips,
    cicp,
    heic,
    jpeg,
    of_16_bits,
    png,
    with_chunks,
    with_nclx,
)
from tests.normalform.test_colours import from_display_p3
from tests.normalform.test_normalize import close

PQ, HLG = 16, 18
WHITE_OF = {PQ: 0.5807, HLG: 0.75}  # where reference white (203 nits) lies, of 1: ITU-R BT.2408
P3 = (120, 200, 90)


def shown(data: bytes, at: tuple[int, int] = (30, 30)) -> tuple[int, ...]:
    picture = Image.open(BytesIO(normalize(data, quality=95).data)).convert("RGB")
    found: tuple[int, ...] = picture.getpixel(at)  # type: ignore[assignment]
    return found


def grey_of(share: float) -> Image.Image:
    return Image.new("RGB", (64, 64), (round(share * 255),) * 3)


def avif_of_10_bits(values: "np.ndarray[tuple[int, ...], np.dtype[np.uint16]]") -> bytes:
    """Of 10 bits, as they are."""
    return by_libvips(values << 6, ".avif", bitdepth=10, lossless=True, compression="av1")


CONTAINERS = {
    "PNG": lambda image, primaries, transfer: png(image, cicp(primaries, transfer)),
    "PNG of 16 bits": lambda image, primaries, transfer: with_chunks(
        by_libvips(of_16_bits(image), ".png"), cicp(primaries, transfer)
    ),
    "AVIF": lambda image, primaries, transfer: with_nclx(avif(image), primaries, transfer),
    "HEIC": lambda image, primaries, transfer: with_nclx(heic(image), primaries, transfer),
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_display_p3_by_numbers_is_converted(container: str) -> None:
    data = CONTAINERS[container](Image.new("RGB", (64, 64), P3), 12, 13)

    assert close(shown(data), from_display_p3(P3), 5)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("transfer", [PQ, HLG], ids=["PQ", "HLG"])
def test_reference_white_of_hdr_stays_white(container: str, transfer: int) -> None:
    data = CONTAINERS[container](grey_of(WHITE_OF[transfer]), 9, transfer)

    assert 225 <= min(shown(data)) <= max(shown(data)) <= 240


@pytest.mark.parametrize("transfer", [PQ, HLG], ids=["PQ", "HLG"])
def test_hdr_is_not_posterised(transfer: int) -> None:
    """A run over all 1,024 values of 10 bits: none goes down, none jumps, and the dark ones aren't thrown together."""
    run = np.tile(np.arange(1024, dtype=np.uint16), (32, 1))
    data = with_nclx(avif_of_10_bits(np.dstack([run] * 3)), 9, transfer)

    picture = Image.open(BytesIO(normalize(data, quality=95).data)).convert("L")

    values = np.asarray(picture, int).mean(axis=0)
    steps = np.diff(values)
    assert steps.min() > -2.5
    assert steps.max() < 3.5
    assert len(np.unique(values.round())) >= 235
    assert (values[0], values[-1]) == pytest.approx((0, 255), abs=2)


def test_saturated_hdr_keeps_its_hue() -> None:
    """Four times as bright as white, and still orange."""
    orange = Image.new("RGB", (64, 64), tuple(round(255 * float(to_pq(np.float64(nits)))) for nits in (812, 400, 40)))

    red, green, blue = shown(png(orange, cicp(9, PQ)))

    assert red > 240 > green > blue + 40


def test_the_curve_is_that_of_bt_2390() -> None:
    """Its spline by hand, for 1,000 nits on a display of 203: the knee is at 1.5 · 0.7724 - 0.5."""
    assert float(to_pq(np.float64(100))) == pytest.approx(0.5081, abs=1e-4)
    assert float(from_pq(np.float64(0.5081))) == pytest.approx(100, rel=0.01)
    dark = np.array([0.1, 5.0, 50.0])
    assert bt2390(dark) == pytest.approx(dark, rel=0.01)
    assert float(bt2390(np.float64(203))) == pytest.approx(160, abs=3)
    assert float(bt2390(np.float64(1000))) == pytest.approx(203, abs=0.5)


def test_primaries_are_those_of_the_standards() -> None:
    """The corners of BT.709 in BT.2020, from ITU-R BT.2087."""
    assert to_bt709(BT709) == pytest.approx(np.eye(3), abs=1e-9)
    bt2020 = ((0.3127, 0.3290), (0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
    assert np.linalg.inv(to_bt709(bt2020)) == pytest.approx(
        np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]), abs=2e-4
    )


def test_a_profile_that_names_hdr_by_numbers_is_followed() -> None:
    """ICC.1:2022 has the numbers of CICP in a tag; HDR photographs in JPEG say it so."""
    from tests.images.profiles import display_p3

    profile = bytearray(display_p3())
    tags = int.from_bytes(profile[128:132])
    profile[128:132] = (tags + 1).to_bytes(4)
    moved = bytes(profile[132 : 132 + 12 * tags])
    table = b"".join(
        moved[at : at + 4] + (int.from_bytes(moved[at + 4 : at + 8]) + 12).to_bytes(4) + moved[at + 8 : at + 12]
        for at in range(0, len(moved), 12)
    )
    end = len(profile) + 12
    body = (
        bytes(profile[:132]) + table + b"cicp" + end.to_bytes(4) + (12).to_bytes(4) + bytes(profile[132 + 12 * tags :])
    )
    body += b"cicp\0\0\0\0" + bytes((9, PQ, 0, 1))
    body = len(body).to_bytes(4) + body[4:]

    data = png(grey_of(WHITE_OF[PQ]), icc_profile=body)

    assert 225 <= min(shown(data)) <= max(shown(data)) <= 240
    assert jpeg(icc_profile=body)


@pytest.mark.parametrize(("chunks", "expected"), [
    ([(b"sRGB", b"\0"), (b"gAMA", (100_000).to_bytes(4))], 128),
    ([(b"gAMA", (45_455).to_bytes(4))], 128),
    ([(b"gAMA", (100_000).to_bytes(4))], 188),
    ([(b"gAMA", (0).to_bytes(4))], 128),
])  # fmt: skip
def test_a_gamma_counts_unless_the_file_says_srgb(chunks: list[tuple[bytes, bytes]], expected: int) -> None:
    assert close(shown(png(grey_of(128 / 255), *chunks)), (expected,) * 3, 2)
