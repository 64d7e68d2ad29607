"""What a picture or a document is made from, in one name: whatever has that name already need not be made again."""

from __future__ import annotations

import hashlib
import io
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import segno

from app.documents.typesetting import FOLDER
from app.rendering import STATIC
from app.rules.letters import content_hash

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Modules that templates have in common.
_SHARED: Final = ("blocks.typ", "fitting.typ", "sheet.typ")


def name_state(template: str, data: Mapping[str, Any]) -> str:
    """Return SHA-256, in hexadecimal, of all that decides how ``template`` looks with ``data``."""
    return content_hash({"design": _design(template), "data": data})


@cache
def _design(template: str) -> str:
    digest = hashlib.sha256(version("typst").encode())
    for name in (template, *_SHARED):
        digest.update((FOLDER / name).read_bytes())
    return digest.hexdigest()


@cache
def read_picture(name: str) -> str:
    """Return one of our own drawings, as SVG."""
    return (STATIC / name).read_text(encoding="utf-8")


def draw_square(url: str, *, dark: str = "#241a15") -> str:
    """Return ``url`` as a QR code, as SVG; the quiet zone around it is the template's."""
    drawn = io.BytesIO()
    segno.make_qr(url, error="q").save(drawn, kind="svg", border=0, dark=dark, xmldecl=False, svgns=True)
    return drawn.getvalue().decode()
