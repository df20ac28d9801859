"""Pictures from outside: decode, bound, hash and shrink them. Blocking: call it in a thread."""

import base64
import binascii
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from routing.domain import ImageFacts
from routing.features import look
from serving.engines.base import Fit, Picture
from serving.errors import BadImageError, NotAnImageError, ServiceError, TooLargeError
from serving.settings import ImageLimits

Image.MAX_IMAGE_PIXELS = None  # the limit below is ours, stricter, and told as what it is
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
LOOK_PX = 128
MOST_OBLONG = 50


@dataclass(frozen=True, slots=True)
class Decoded:
    """One checked picture. `sha256` is of the pixels, so that a re-encoded copy counts as equal."""

    image: Image.Image
    sha256: str
    facts: ImageFacts
    ready: dict[Fit, Picture] = field(default_factory=dict)

    def prepared(self, fits: Iterable[Fit]) -> Self:
        """The same picture, shrunk already for these encoders: work for a thread, not the loop."""
        return replace(self, ready={fit: self.shrunk(fit) for fit in fits})

    def shrunk(self, fit: Fit) -> Picture:
        """Resize the shortest edge to what the vision encoder takes, as its processor would.

        Where that makes pictures square by a border, this does it first, or the border would be
        half a pixel off. A picture that is smaller already is left alone; its processor scales it
        up.
        """
        if fit in self.ready:
            return self.ready[fit]
        image = self.image
        if fit.border is not None and max(image.size) > fit.side_px:
            image = _square(image, fit.border)
        edge = min(image.size)
        if edge > fit.side_px:
            width, height = (side * fit.side_px // edge for side in image.size)
            image = image.resize((width, height), Image.Resampling.BICUBIC)
        return Picture(image.width, image.height, image.tobytes())


def _square(image: Image.Image, border: tuple[int, int, int]) -> Image.Image:
    side = max(image.size)
    square = Image.new("RGB", (side, side), border)
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square


def decode_data_url(url: str, limits: ImageLimits, where: str) -> Decoded:
    """Decode a `data:image/…;base64,…` URL.

    Raises:
        BadImageError: not a base64 data URL, or its picture is cut short or broken.
        NotAnImageError: the bytes are no picture of a kind in `FORMATS`.
        TooLargeError: more bytes or pixels than the limits allow.
    """
    head, comma, body = url.partition(",")
    if not comma or not head.endswith(";base64"):
        raise BadImageError(f"{where}: expected data:image/…;base64,…", where)
    if len(body) * 3 // 4 > limits.max_bytes:
        raise TooLargeError(
            f"{where}: {len(body) * 3 // 4} bytes, the limit is {limits.max_bytes}", where
        )
    try:
        data = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadImageError(f"{where}: the base64 is broken: {error}", where) from error
    return decode_bytes(data, limits, where)


def decode_bytes(data: bytes, limits: ImageLimits, where: str) -> Decoded:
    """Decode encoded bytes; see `decode_data_url` for what is raised."""
    if len(data) > limits.max_bytes:
        raise TooLargeError(f"{where}: {len(data)} bytes, the limit is {limits.max_bytes}", where)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as file:
            pixels = file.width * file.height
            if pixels > limits.max_pixels:
                raise TooLargeError(
                    f"{where}: {file.width} x {file.height} pixels, the limit is "
                    f"{limits.max_pixels} pixels",
                    where,
                )
            if max(file.size) > MOST_OBLONG * min(file.size):
                raise BadImageError(
                    f"{where}: {file.width} x {file.height} pixels; one side may be at most "
                    f"{MOST_OBLONG} times the other",
                    where,
                )
            image = _flat(file)
    except ServiceError:
        raise
    except UnidentifiedImageError as error:
        kinds = ", ".join(FORMATS)
        raise NotAnImageError(f"{where}: not a picture; this reads {kinds}", where) from error
    except Exception as error:  # decoders raise what they like on broken data
        raise BadImageError(f"{where}: the picture is broken: {error}", where) from error
    return Decoded(image, hashlib.sha256(image.tobytes()).hexdigest(), facts_of(image))


def facts_of(image: Image.Image) -> ImageFacts:
    """Measure what routing may know, on a copy of at most 128 pixels a side.

    Every n-th pixel is taken as it is: averaging a megapixel would take longer than all of routing.
    """
    factor = max(image.size) / LOOK_PX
    small = image
    if factor > 1:
        size = max(1, round(image.width / factor)), max(1, round(image.height / factor))
        small = image.resize(size, Image.Resampling.NEAREST)
    return look(np.asarray(small), image.width, image.height)


def _flat(file: Image.Image) -> Image.Image:
    """Load the first frame, upright, on white where it is transparent, as RGB."""
    file.load()
    upright = ImageOps.exif_transpose(file)
    if upright.mode.startswith("I"):  # 16 bits of grey: Pillow would cut them off at 255
        grey = np.asarray(upright).astype(np.uint32) >> 8
        return Image.fromarray(grey.clip(0, 255).astype(np.uint8)).convert("RGB")
    if upright.has_transparency_data:
        rgba = upright.convert("RGBA")
        ground = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(ground, rgba).convert("RGB")
    return upright.convert("RGB")
