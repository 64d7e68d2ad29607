"""Templates of typst, with data, as PDF or pictures.

What people wrote reaches a template as JSON and is set letter by letter: nothing of it is ever read as markup or as
code, and no path, address or package is taken from it. Only the fonts of ``templates/documents/fonts`` are used, so the
same data and the same moment give the same bytes on every machine that has the same typst.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from app.core.logs import get_logger
from app.rendering import TEMPLATES
from app.rules.khmer import join_repetition

if TYPE_CHECKING:
    from datetime import datetime

    import typst

FOLDER: Final = TEMPLATES / "documents"
FONTS: Final = FOLDER / "fonts"
# Typst keeps what it has worked out for as many more documents.
_REMEMBERED: Final = 10
#: Pixels to an inch, as on a screen of twice the usual sharpness.
SHARPNESS: Final = 144.0
# Marks that turn the direction of whatever comes after them: a name must not turn the words of ours around it.
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Controls and halves of surrogate pairs.
_NOT_TEXT: Final = frozenset({"Cc", "Cs"})


class TypesettingFailed(Exception):
    """A template that does not compile, or data that it has no room for: a fault of ours."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A text file inside a PDF, as it is, letter by letter."""

    name: str
    media_type: str
    text: str


def typeset(
    template: str, data: Mapping[str, Any], *, made_at: datetime, attachments: Sequence[Attachment] = ()
) -> bytes:
    """Return ``template`` with ``data`` as a tagged PDF, made at an aware moment.

    It is PDF/UA-1 unless a letter is in none of our fonts, which that standard does not allow; or unless the template
    breaks one of its rules, which tests look for.
    """
    compiler = _compiler(template, data, attachments)
    try:
        pages = _compile(compiler, format="pdf", timestamp=made_at, pdf_standards=["ua-1"])
    except TypesettingFailed:
        # Of what is said in it nothing may be on record.
        get_logger().warning("a document is without its standard", kind=template)
        pages = _compile(compiler, format="pdf", timestamp=made_at)
    return b"".join(pages)


def draw(template: str, data: Mapping[str, Any], *, sharpness: float = SHARPNESS) -> list[bytes]:
    """Return the pages of ``template`` with ``data`` as PNG pictures of ``sharpness`` pixels to an inch."""
    return _compile(_compiler(template, data), format="png", ppi=sharpness)


def forget() -> None:
    """Have typst give back the memory of what it has set.

    It keeps the pieces of its last ten documents, in case they come again: good for a hundred letters, which are alike,
    and 30 MB for each report, which are not. It offers no way to empty that store but to set ten more, so these are
    empty ones (two or three milliseconds).
    """
    import typst

    compiler = typst.Compiler(input=b"", font_paths=_fonts(), ignore_system_fonts=True)
    for _ in range(_REMEMBERED + 1):
        compiler.compile(input=b"", format="svg")


def printable(text: str) -> str:
    """Return ``text`` as it can be set.

    Controls other than line breaks and tabs are left out, and marks of direction; and no line may begin with the Khmer
    sign of repetition.
    """
    return join_repetition("".join(sign for sign in text if sign in "\n\t" or not _is_control(sign)))


def _is_control(sign: str) -> bool:
    return sign in _TURNING or unicodedata.category(sign) in _NOT_TEXT


def _compiler(template: str, data: Mapping[str, Any], attachments: Sequence[Attachment] = ()) -> typst.Compiler:
    import typst

    return typst.Compiler(
        input=FOLDER / template,
        root=FOLDER,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs=_inputs(data, attachments),
    )


def _inputs(data: Mapping[str, Any], attachments: Sequence[Attachment]) -> dict[str, str]:
    """Return what a template finds in ``sys.inputs``: two texts of JSON, of which attachments stay as they are."""
    inputs = {"data": _clean(data), "attachments": [asdict(each) for each in attachments]}
    return {name: json.dumps(value, ensure_ascii=False) for name, value in inputs.items()}


def _compile(compiler: typst.Compiler, **options: Any) -> list[bytes]:  # noqa: ANN401 - as typst takes them
    import typst

    try:
        made = compiler.compile(**options)
    except typst.TypstError as fault:
        raise TypesettingFailed(fault.message) from fault
    except BaseException as fault:
        # A panic of the compiler is no Exception, and would end the worker that asked for a document.
        if type(fault).__name__ != "PanicException":
            raise
        raise TypesettingFailed(str(fault)) from fault
    return [made] if isinstance(made, bytes) else list(made or ())


@cache
def _fonts() -> typst.Fonts:
    """Return our fonts, read once a process."""
    import typst

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS])


def _clean(value: object) -> object:
    """Return ``value`` with every text in it `printable`, whatever it is nested in."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {key: _clean(one) for key, one in value.items()}
    if isinstance(value, Sequence):
        return [_clean(one) for one in value]
    return value
