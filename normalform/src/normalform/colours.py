"""Any picture's pixels as sRGB or grey of 8 bits, opaque. Pure."""

from io import BytesIO

from PIL import Image, ImageCms

from normalform.failures import CONFUSIONS

WHITE = 255


def sampled(image: Image.Image) -> Image.Image:
    """The picture with 8 bits for each of its channels, so that it can be resized: L, LA, RGB, RGBA, CMYK or LAB."""
    mode = image.mode
    if mode.startswith("I") or mode == "F":
        return eight_bits(image)
    if image.has_transparency_data:  # resizing weighs colours by their alpha
        wanted = "LA" if mode in ("1", "L", "LA") else "RGBA"
    elif mode in ("L", "RGB", "CMYK", "LAB"):
        wanted = mode
    else:
        wanted = "L" if mode == "1" else "RGB"
    return image if wanted == mode else image.convert(wanted)


def eight_bits(image: Image.Image) -> Image.Image:
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


def on_white(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture in sRGB or grey, what is transparent in it white."""
    alpha = picture.getchannel("A") if picture.mode in ("LA", "RGBA") else None
    colours = in_srgb(picture.convert(picture.mode[:-1]) if alpha else picture, profile)
    if alpha is None:
        return colours
    canvas = Image.new(colours.mode, colours.size, WHITE if colours.mode == "L" else (WHITE, WHITE, WHITE))
    canvas.paste(colours, mask=alpha)
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
            converted = ImageCms.applyTransform(picture, transform)
        except CONFUSIONS:
            converted = None
        if converted is not None:
            return converted.convert("L") if picture.mode == "L" else converted
    return picture if picture.mode in ("L", "RGB") else picture.convert("RGB")


def readable_profile(profile: bytes, mode: str) -> ImageCms.ImageCmsProfile | None:
    """The profile when it says something about pictures of this mode that plain sRGB doesn't."""
    try:
        parsed = ImageCms.ImageCmsProfile(BytesIO(profile))
        space = parsed.profile.xcolor_space.strip()
        description = (parsed.profile.profile_description or "").strip()
    except CONFUSIONS:
        return None
    if space != {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}.get(mode) or description.startswith("sRGB"):
        return None
    return parsed
