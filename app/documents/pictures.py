"""Pictures that people send, drawn anew: what comes out was written by us, dot by dot, and holds no byte of the file.

A file is looked at before it is decoded: what format it is, by its first bytes and never by its name; how many dots it
claims to have; how often it has them drawn. Only then is one picture of it decoded, by one of four decoders that are
named. Whatever stands before, behind or beside that picture is left: programs, archives, places, cameras, profiles of
colour, frames of an animation.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from PIL import Image

from app.i18n import Message, message

if TYPE_CHECKING:
    from collections.abc import Callable

#: What a file can be, by how it begins.
FORMATS: Final = {b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF87a": "GIF", b"GIF89a": "GIF"}
#: What browsers are told that they may offer.
ACCEPTED: Final = "image/png,image/jpeg,image/webp,image/gif"
#: Dots of a file. All formats but one are decoded whole, at four bytes a dot; WebP takes four times that for a moment.
DOTS: Final = 16_000_000
#: Dots of a plain JPEG, which can be decoded at a half, a quarter or an eighth of its size: any telephone's photograph.
JPEG_DOTS: Final = 120_000_000
SMALLEST: Final = 16
LOGO: Final = (480, 240)
PHOTO: Final = (2400, 2400)
PHOTO_QUALITY: Final = 85
# A JPEG may be drawn in layers, each of which costs as much as a picture. Programs write ten or so; a file of a few
# kilobytes can say thousands.
_LAYERS: Final = 40
_START_OF_LAYER: Final = b"\xff\xda"
_ORIENTATION: Final = 0x0112
_TURNED: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# How far into a file somebody who opens it would still see that it is a drawing.
_BEGINNING: Final = 1024

_NO_PICTURE: Final = message("This file is not a picture that we can read. Send a PNG, JPEG, WebP or GIF picture")
_NO_DRAWING: Final = message(
    "An SVG drawing can hold programs, so we take none. Save it as a PNG picture and send that"
)
_NO_DOCUMENT: Final = message("This is a PDF. Send a photograph or a picture of the page: PNG, JPEG, WebP or GIF")
_BROKEN: Final = message("This picture is damaged or incomplete. Save it again as PNG or JPEG and send that")
_TOO_LARGE: Final = message("This picture has too many dots. Make it smaller than 4,000 by 4,000 and send it again")
_TOO_SMALL: Final = message("This picture is too small. Send one that is at least 16 dots wide and high")
_TOO_LAYERED: Final = message("This picture is stored in an unusual way. Save it again as PNG and send that")
_REFUSED: Final = {"SVG": _NO_DRAWING, "PDF": _NO_DOCUMENT, "": _NO_PICTURE}

Drawn = TypeVar("Drawn")

# Its own check comes first, before ours: it shall not warn of what we take.
Image.MAX_IMAGE_PIXELS = JPEG_DOTS


class PictureRefused(Exception):
    """What was sent is no picture that we take; ``message`` says what to do."""

    def __init__(self, message: Message) -> None:
        """Keep ``message`` for the door that answers."""
        super().__init__(message.sentence)
        self.message = message


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as we drew it: ``content`` is PNG, width and height in dots."""

    content: bytes
    width: int
    height: int


def kind_of(content: bytes) -> str:
    """Return what a file is: PNG, JPEG, GIF, WEBP, PDF, SVG, or nothing for all else.

    What begins as a picture is one, whatever else it may be. A PDF may begin a little later than its file.
    """
    for beginning, kind in FORMATS.items():
        if content.startswith(beginning):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    start = content[:_BEGINNING].lower()
    if not start.startswith(b"%pdf-") and (b"<svg" in start or b"<?xml" in start or b"<!doctype svg" in start):
        return "SVG"
    return "PDF" if b"%pdf-" in start else ""


def redraw_logo(content: bytes) -> Picture:
    """Return an organisation's sign as a PNG of at most 480 by 240 dots. Raises PictureRefused."""
    clean = _draw(content, LOGO)
    drawn = io.BytesIO()
    clean.save(drawn, format="PNG", optimize=True)
    return Picture(drawn.getvalue(), *clean.size)


def redraw_photo(content: bytes, box: tuple[int, int] = PHOTO) -> bytes:
    """Return a photograph of a page as a JPEG within ``box`` (width and height in dots), on white.

    Raises PictureRefused.
    """
    seen = _draw(content, box)
    page = Image.new("RGB", seen.size, "white")
    page.paste(seen, mask=seen)
    drawn = io.BytesIO()
    page.save(drawn, format="JPEG", quality=PHOTO_QUALITY, optimize=True)
    return drawn.getvalue()


def _draw(content: bytes, box: tuple[int, int]) -> Image.Image:
    """Return the first picture of a file, upright, within ``box``, and nothing else of it."""
    kind = kind_of(content)
    if kind in _REFUSED:
        raise PictureRefused(_REFUSED[kind])
    image = _open(content, kind)
    width, height = image.size
    if min(width, height) < SMALLEST:
        raise PictureRefused(_TOO_SMALL)
    scale = min(1.0, max(box) / max(width, height))
    # What the decoder of JPEGs is asked for, it may give at a size above; others say nothing to it.
    image.draft(None, (max(1, round(width * scale)), max(1, round(height * scale))))
    if image.size[0] * image.size[1] > DOTS:
        raise PictureRefused(_TOO_LARGE)
    return _decoding(lambda: _decode(image, box))


def _decode(image: Image.Image, box: tuple[int, int]) -> Image.Image:
    image.load()
    turn = _TURNED.get(_orientation(image))
    if image.mode not in {"L", "RGB", "RGBA"}:
        # Sixteen bits a dot become eight; a palette, ink or grey with holes in it become light.
        image = image.point(lambda dot: dot / 256).convert("L") if image.mode.startswith("I;16") else _lit(image)
    if turn is not None and turn.value >= Image.Transpose.ROTATE_90.value and turn != Image.Transpose.ROTATE_180:
        box = box[::-1]
    image.thumbnail(box, Image.Resampling.LANCZOS)
    upright = image if turn is None else image.transpose(turn)
    clean = Image.new("RGBA", upright.size)
    clean.paste(upright.convert("RGBA"))
    return clean


def _lit(image: Image.Image) -> Image.Image:
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _open(content: bytes, kind: str) -> Image.Image:
    """Return a file's picture, of which nothing but the head is read so far. Raises PictureRefused."""
    limit = DOTS
    if kind == "WEBP":
        # The decoder of these makes room for the whole picture when it opens it.
        _check_size(_webp_size(content), DOTS)
    if kind == "JPEG" and content.count(_START_OF_LAYER) > _LAYERS:
        raise PictureRefused(_TOO_LAYERED)
    image = _decoding(lambda: Image.open(io.BytesIO(content), formats=(kind,)))
    if kind == "JPEG" and not {"progressive", "progression"} & image.info.keys():
        limit = JPEG_DOTS
    _check_size(image.size, limit)
    return image


def _webp_size(content: bytes) -> tuple[int, int]:
    """Return width and height as the head of a WebP file says them (RFC 9649). Raises PictureRefused."""
    kind, head = content[12:16], content[20:30]
    if len(head) < 10:  # noqa: PLR2004 - the shortest that says a size
        raise PictureRefused(_BROKEN)
    if kind == b"VP8X":
        return 1 + int.from_bytes(head[4:7], "little"), 1 + int.from_bytes(head[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(head[6:8], "little") & 0x3FFF, int.from_bytes(head[8:10], "little") & 0x3FFF


def _check_size(size: tuple[int, int], limit: int) -> None:
    if size[0] * size[1] > limit:
        raise PictureRefused(_TOO_LARGE)


def _orientation(image: Image.Image) -> int:
    try:
        said = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - what cameras write beside a picture may be anything; the picture is good
        return 1
    return said if isinstance(said, int) else 1


def _decoding(step: Callable[[], Drawn]) -> Drawn:
    """Return what a decoder gives. It raises whatever it likes over what strangers send, so all of it is a refusal."""
    try:
        return step()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as fault:
        raise PictureRefused(_TOO_LARGE) from fault
    except Exception as fault:
        raise PictureRefused(_BROKEN) from fault
