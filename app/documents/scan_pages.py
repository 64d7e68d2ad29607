"""Draws the first pages of a PDF under one another. A program of its own: a PDF comes in, a PNG goes out.

PDFs are read by PDFium, a large program in C++ that a file may take over. Whatever happens in here therefore happens to
a process that has no environment, opens no file, starts no other, and has little memory and time; and `scans.py`, which
starts it, takes its answer for a stranger's picture. Of ours it imports nothing.
"""

from __future__ import annotations

import contextlib
import io
import math
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from PIL import Image

if sys.platform != "win32":
    # Windows has no such limits. There this program ends at its first, and no PDF is drawn.
    import resource

#: Of a document so many pages are drawn, and of the others nothing is looked at.
PAGES: Final = 4
#: Each is drawn as large as fits: a sheet of A4 at 150 dots to an inch.
WIDTH: Final = 1240
HEIGHT: Final = 1754
#: How high the line between two pages is.
LINE: Final = 4
_GREY: Final = (190, 190, 190)
# What is drawn anew must have so many (`pictures.py`); a page can be a hair.
_LOWEST: Final = 16

# How the program ends, if not with a picture. 1 and 2 are Python's own.
LOCKED: Final = 3
BROKEN: Final = 4
# PDFium's words for a password that is wanted, and for a lock that it does not know.
_LOCKS: Final = frozenset({4, 5})
# Python and what it loads have a handful open at a time.
_FILES: Final = 32


class NotDrawn(Exception):
    """A PDF that has a lock, or no page that can be drawn; ``status`` is how the program ends."""

    def __init__(self, status: int) -> None:
        """Keep ``status``."""
        super().__init__(status)
        self.status = status


def draw_pages(content: bytes) -> bytes:
    """Return the first pages of a PDF under one another, on white, as a PNG. Raises NotDrawn.

    What fields of a form show is drawn, since a signature may be one; and so are stamps. Nothing runs: this PDFium has
    no JavaScript, and it follows links, opens attachments and calls programs only when it is asked to.
    """
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(content)
        document.init_forms()
    except pypdfium2.PdfiumError as fault:
        raise NotDrawn(LOCKED if fault.err_code in _LOCKS else BROKEN) from fault
    drawn = []
    for at in range(min(len(document), PAGES)):
        # A page that is missing or broken leaves the others.
        with contextlib.suppress(pypdfium2.PdfiumError):
            drawn.append(_draw_page(document[at]))
    if not drawn:
        raise NotDrawn(BROKEN)
    return _put_under_one_another(drawn)


def _draw_page(page: Any) -> Image.Image:  # noqa: ANN401 - a PdfPage, of a library without types
    """Return a page within ``WIDTH`` by ``HEIGHT``, however large it says to be."""
    width, height = page.get_size()
    if not (0 < width < math.inf and 0 < height < math.inf):
        raise NotDrawn(BROKEN)
    scale = min(WIDTH / width, HEIGHT / height)
    seen: Image.Image = page.render(scale=scale, rev_byteorder=True).to_pil()
    return seen


def _put_under_one_another(pages: list[Image.Image]) -> bytes:
    from PIL import Image

    heights = [max(_LOWEST, each.height) for each in pages]
    whole = Image.new("RGB", (WIDTH, sum(heights) + LINE * (len(pages) - 1)), "white")
    top = 0
    for page, height in zip(pages, heights, strict=True):
        if top:
            whole.paste(_GREY, (0, top - LINE, WIDTH, top))
        whole.paste(page, ((WIDTH - page.width) // 2, top))
        top += height + LINE
    saved = io.BytesIO()
    whole.save(saved, "PNG", compress_level=1)
    return saved.getvalue()


def limit(memory: int, seconds: int) -> None:
    """Take from this process what it does not need, for good.

    ``memory`` is in bytes, and ``seconds`` are those of a processor.
    """
    _allow(resource.RLIMIT_CORE, 0)
    _allow(resource.RLIMIT_FSIZE, 0)
    _allow(resource.RLIMIT_NPROC, 0)
    _allow(resource.RLIMIT_CPU, seconds)
    _allow(resource.RLIMIT_NOFILE, _FILES)
    # macOS has no such limit. There, the time alone bounds it.
    with contextlib.suppress(OSError, ValueError):
        _allow(resource.RLIMIT_AS, memory)


def _allow(what: int, most: int) -> None:
    _, allowed = resource.getrlimit(what)
    most = most if allowed == resource.RLIM_INFINITY else min(most, allowed)
    resource.setrlimit(what, (most, most))


def main() -> int:
    """Draw what comes in, within what the two arguments allow (bytes of memory, seconds); return the status."""
    limit(int(sys.argv[1]), int(sys.argv[2]))
    import pypdfium2  # noqa: F401 - after the limits, and before nothing can be opened any more
    from PIL import Image

    Image.preinit()
    # From here on there is nothing to open: no key, no font of the machine, no connection.
    _allow(resource.RLIMIT_NOFILE, 0)
    try:
        drawn = draw_pages(sys.stdin.buffer.read())
    except NotDrawn as reason:
        return reason.status
    sys.stdout.buffer.write(drawn)
    return 0


if __name__ == "__main__":
    sys.exit(main())
