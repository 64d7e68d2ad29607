"""Reading PDFs back with PDFium, the reader of Chrome."""

from __future__ import annotations

import re

import pypdfium2

#: What a reader may leave out or add where a line ends, a hyphen too; and the joiner that keeps Khmer lines together.
_NOT_SAID = re.compile(r"[-\s\u200b\u2060\u0002\ufffe]+")


def read_pages(document: bytes) -> list[str]:
    """Return what each page says."""
    opened = pypdfium2.PdfDocument(document)
    try:
        return [page.get_textpage().get_text_range() for page in opened]
    finally:
        opened.close()


def read_text(document: bytes) -> str:
    """Return what all pages say, without spaces."""
    return squeeze("".join(read_pages(document)))


def squeeze(text: str) -> str:
    """Return ``text`` without spaces, since a reader breaks lines elsewhere."""
    return _NOT_SAID.sub("", text)


def read_attachments(document: bytes) -> dict[str, bytes]:
    """Return the files inside."""
    opened = pypdfium2.PdfDocument(document)
    try:
        attached = [opened.get_attachment(at) for at in range(opened.count_attachments())]
        return {each.get_name(): bytes(each.get_data()) for each in attached}
    finally:
        opened.close()


def read_outline(document: bytes) -> list[tuple[int, str]]:
    """Return the headings with their levels, from 0."""
    opened = pypdfium2.PdfDocument(document)
    try:
        return [(each.level, each.get_title()) for each in opened.get_toc()]
    finally:
        opened.close()


def is_accessible(document: bytes) -> bool:
    """Tell whether a document says of itself that it is PDF/UA."""
    return b"<pdfuaid:part>1<" in document
