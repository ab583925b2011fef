"""Any picture's pixels as sRGB or grey of 8 bits, opaque. Pure."""

from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from normalform.failures import CONFUSIONS
from normalform.samples import Deep, eight_bits
from normalform.spaces import Space, cicp, in_8_bits

WHITE = 255
SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}  # mode → the colour space of a profile for it
# A profile that moves none of these by more than two steps of 255 is sRGB, whatever it is called.
LOOKALIKE = 2
PROBE = Image.fromarray(
    np.array([[(r, g, b) for r in range(0, 256, 51) for g in range(0, 256, 51) for b in range(0, 256, 51)]], np.uint8)
)


def sampled(pixels: Any) -> Any:
    """The picture so that it can be resized: of libvips as it is, of Pillow as L, LA, RGB, RGBA, CMYK or LAB."""
    if not isinstance(pixels, Image.Image):
        return pixels
    mode = pixels.mode
    if mode.startswith("I") or mode == "F":
        return scaled(pixels)
    if pixels.has_transparency_data:  # resizing weighs colours by their alpha
        wanted = "LA" if mode in ("1", "L", "LA") else "RGBA"
    elif mode in ("L", "RGB", "CMYK", "LAB"):
        wanted = mode
    else:
        wanted = "L" if mode == "1" else "RGB"
    return pixels if wanted == mode else pixels.convert(wanted)


def scaled(image: Image.Image) -> Image.Image:
    """Grey of 16 bits, 32 bits or floating point as 8 bits; Pillow's own conversion clips instead of scaling."""
    if image.mode.startswith("I;16"):
        largest = 65535.0
    else:
        brightest = float(image.getextrema()[1])  # type: ignore[arg-type]
        scales = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
        largest = next((scale for scale in scales if brightest <= scale), brightest)
    if image.mode not in ("I", "I;16", "F"):
        image = image.convert("I")
    factor = 255.0 / largest
    return image.point(lambda value: value * factor + 0.0).convert("L")


def on_white(pixels: Image.Image | Deep, colours: bytes | Space | None, scale: float = 1.0) -> Image.Image:
    """The picture in sRGB or grey, what is transparent in it white. ``scale``: what 16 bits are multiplied by."""
    if isinstance(colours, bytes):
        colours = numbers_of(colours) or colours
    alpha = None
    if not isinstance(pixels, Image.Image):
        deep = np.minimum(pixels * np.float32(scale) + 0.5, 65535).astype(np.uint16) if scale != 1.0 else pixels
        channels = deep.shape[2] if deep.ndim == 3 else 1
        if channels % 2 == 0:
            alpha, deep = eight_bits(deep[..., -1]), deep[..., :-1]
        deep = deep if channels > 2 else deep.reshape(deep.shape[:2])
        shown = Image.fromarray(in_8_bits(deep, colours)) if isinstance(colours, Space) else eight_bits(deep)
    else:
        shown = pixels
        if pixels.mode in ("LA", "RGBA"):
            alpha, shown = pixels.getchannel("A"), pixels.convert(pixels.mode[:-1])
        if isinstance(colours, Space) and shown.mode in ("L", "RGB"):
            shown = Image.fromarray(in_8_bits(np.asarray(shown), colours))
    shown = in_srgb(shown, colours if isinstance(colours, bytes) else None)
    if alpha is None:
        return shown
    canvas = Image.new(shown.mode, shown.size, WHITE if shown.mode == "L" else (WHITE, WHITE, WHITE))
    canvas.paste(shown, mask=alpha)
    return canvas


def in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """The colours as sRGB means them. A profile that is broken, or of another kind of picture, counts for nothing."""
    source = None
    if picture.mode == "LAB":
        source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    elif profile:
        source = readable_profile(profile, picture.mode)
    if source is not None:
        try:
            transform = ImageCms.buildTransform(
                source,
                ImageCms.createProfile("sRGB"),
                picture.mode,
                "RGB",
                ImageCms.Intent.RELATIVE_COLORIMETRIC,
                ImageCms.Flags.BLACKPOINTCOMPENSATION,
            )
            converted = (
                None if changes_nothing(transform, picture.mode) else ImageCms.applyTransform(picture, transform)
            )
        except CONFUSIONS:
            converted = None
        if converted is not None:
            return converted.convert("L") if picture.mode == "L" else converted
    return picture if picture.mode in ("L", "RGB") else picture.convert("RGB")


def changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether a profile is sRGB by its numbers; then a photograph is spared the conversion."""
    if mode != "RGB":
        return False
    converted = ImageCms.applyTransform(PROBE, transform)
    moved = np.abs(np.asarray(PROBE, np.int16) - np.asarray(converted, np.int16))
    return bool(moved.max() <= LOOKALIKE)


def readable_profile(profile: bytes, mode: str) -> ImageCms.ImageCmsProfile | None:
    """The profile when it can be read, and is for pictures of this mode."""
    try:
        parsed = ImageCms.ImageCmsProfile(BytesIO(profile))
        space = parsed.profile.xcolor_space.strip()
    except CONFUSIONS:
        return None
    return parsed if space == SPACES.get(mode) else None


def numbers_of(profile: bytes) -> Space | None:
    """The space that a profile names by CICP, as profiles of HDR do: their curves can't say it."""
    for at in range(132, min(132 + 12 * int.from_bytes(profile[128:132]), len(profile)), 12):
        if profile[at : at + 4] == b"cicp":
            offset = int.from_bytes(profile[at + 4 : at + 8])
            numbers = profile[offset : offset + 12]
            if numbers[:4] == b"cicp" and len(numbers) == 12:
                return cicp(numbers[8], numbers[9])
    return None
