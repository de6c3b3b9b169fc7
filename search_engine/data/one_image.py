"""One image that somebody gave: decoded within limits, made square, encoded again by us. No PyTorch.

Only what its content shows to be a PNG, JPEG, WebP, BMP or GIF is decoded, after its size in pixels is known. Of an
animation the first frame is taken. Transparent places become black. An image is cropped to its middle square, and
where that is larger than 512 pixels, averaged down to 512. What came as JPEG is kept as JPEG at quality 95, everything
else as PNG, which loses nothing.
"""

import io
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

LARGEST_SIDE = 512  # Of a kept picture, in pixels: the largest image size of a configuration.
MOST_PIXELS = 4096 * 4096  # Of an image as it is given; 16-bit colour then takes 130 MB for a moment.
_TOO_LARGE = f"has more than {MOST_PIXELS:,} pixels"
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
_ARCHIVES = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x1f\x8b",
    b"7z\xbc\xaf",
    b"Rar!",
    b"\xfd7zXZ",
    b"BZh",
    b"\x28\xb5\x2f\xfd",
)


class Unfit(Exception):
    """A file that is not taken; the message goes on after its name: "is damaged"."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A square picture as it is kept. encoded: PNG or JPEG; is_grey: one channel says all."""

    encoded: bytes
    side: int
    is_grey: bool


def picture_of(content: bytes) -> Picture:
    """Raises Unfit, with the reason."""
    if content.startswith(_ARCHIVES) or content[257:262] == b"ustar":
        raise Unfit("is an archive; images must stand in the archive itself")
    try:
        # Odd metadata are no harm: only pixels are kept. Too many pixels are refused below, by our own limit.
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            was_jpeg = image.format == "JPEG"
            _check_pixels(image)
            square = _square(_plain(image))
    except Unfit:
        raise
    except Image.DecompressionBombError as error:
        raise Unfit(_TOO_LARGE) from error
    except UnidentifiedImageError as error:
        raise Unfit("is no PNG, JPEG, WebP, BMP or GIF image") from error
    except Exception as error:  # Decoders of damaged files raise nearly anything.
        raise Unfit("is damaged: it cannot be decoded") from error
    return Picture(_encoded(square, was_jpeg), square.width, square.mode == "L")


def decoded(encoded: bytes, channels: int) -> NDArray[np.uint8]:
    """A kept picture as bytes [H, H, C]; channels: 1 or 3."""
    with Image.open(io.BytesIO(encoded), formats=("PNG", "JPEG")) as image:
        pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return pixels.reshape(image.height, image.width, channels)


def _check_pixels(image: Image.Image) -> None:
    """By what the header says, before anything is decoded."""
    if image.width * image.height > MOST_PIXELS:
        raise Unfit(_TOO_LARGE)


def _plain(image: Image.Image) -> Image.Image:
    """The first frame, upright, in grey (L) or colour (RGB)."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))  # The upper byte of 16 bits.
    upright = ImageOps.exif_transpose(image)
    if "A" in upright.getbands() or "transparency" in upright.info:
        clear = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", clear.size, (0, 0, 0, 255)), clear)
    if upright.mode in ("1", "L"):
        return upright.convert("L")
    colour = upright.convert("RGB")
    red, green, blue = (band.tobytes() for band in colour.split())
    return colour.getchannel(0) if red == green == blue else colour


def _square(image: Image.Image) -> Image.Image:
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    box = (left, top, left + side, top + side)
    if side > LARGEST_SIDE:
        return image.resize((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.BOX, box=box)
    return image.crop(box)


def _encoded(image: Image.Image, as_jpeg: bool) -> bytes:
    file = io.BytesIO()
    if as_jpeg:
        image.save(file, "JPEG", quality=95, subsampling=0)
    else:
        image.save(file, "PNG")
    return file.getvalue()
