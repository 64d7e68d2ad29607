"""Letters that people send, as a picture or as a PDF: drawn anew, either of them.

A PDF is drawn by `scan_pages.py`, in a process that is ended when it takes too long. What comes back is for us a
picture that a stranger sent: it is drawn anew as any other, and of the PDF nothing is kept.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from threading import Timer
from typing import Final

from app.core.logs import get_logger
from app.documents import pictures, scan_pages
from app.documents.pictures import PictureRefused, kind_of, redraw_photo
from app.documents.scan_pages import HEIGHT, PAGES, WIDTH
from app.i18n import message

#: What browsers are told that they may offer.
ACCEPTED: Final = f"application/pdf,{pictures.ACCEPTED}"
PROGRAM: Final = Path(scan_pages.__file__)
#: What drawing may take. Four pages, scanned at 600 dots to an inch, were seen to take 200 MB and three seconds.
MEMORY: Final = 384 * 1024 * 1024
SECONDS: Final = 10
#: A sheet under a sheet, and the lines between them.
BOX: Final = (WIDTH, PAGES * (HEIGHT + scan_pages.LINE))
# Three bytes a dot, which are packed, and more than what little packing can add.
_MOST: Final = BOX[0] * BOX[1] * 3 + 1024 * 1024
# Where a Python was built with libraries of its own, it finds them by these. Nothing else of ours is passed on.
_NEEDED: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")

_NO_LETTER: Final = message(
    "This file is neither a PDF nor a picture that we can read. Send a PDF, or a PNG, JPEG, WebP or GIF picture"
)
_LOCKED: Final = message("This PDF is locked with a password. Save it without one, or send a photograph of the letter")
_BROKEN: Final = message(
    "This PDF is damaged or has no page. Save it again as a PDF, or send a photograph of the letter"
)
_TOO_MUCH: Final = message(
    "This PDF is too large or too complicated to draw. Print it to a PDF again, or send a photograph of the letter"
)
_REASONS: Final = {scan_pages.LOCKED: _LOCKED, scan_pages.BROKEN: _BROKEN}


def redraw_letter(content: bytes) -> bytes:
    """Return a letter, a picture or a PDF of which four pages are read, as a JPEG on white. Raises PictureRefused.

    It may take ``SECONDS``, and a process of its own.
    """
    kind = kind_of(content)
    if not kind:
        raise PictureRefused(_NO_LETTER)
    return redraw_photo(_draw_pages(content), BOX) if kind == "PDF" else redraw_photo(content)


def _draw_pages(content: bytes) -> bytes:
    """Return what the program makes of a PDF: a PNG. Raises PictureRefused."""
    status, drawn = _run(content)
    if status == 0 and len(drawn) <= _MOST and kind_of(drawn) == "PNG":
        return drawn
    if status not in _REASONS:
        # A fault of the file or of this installation: who looks after it sees how the program ended.
        get_logger().warning("a PDF was not drawn", status=status)
    raise PictureRefused(_REASONS.get(status, _TOO_MUCH))


def _run(content: bytes) -> tuple[int, bytes]:
    """Return how the program ended, negative if it was by a signal, and at most one byte more than ``_MOST``."""
    process = subprocess.Popen(  # noqa: S603 - our own program, and nothing that came with the file is an argument
        # Isolated: it imports from where Python's packages are, and reads no variable and no setting of a user.
        [sys.executable, "-I", "-B", str(PROGRAM), str(MEMORY), str(max(1, round(SECONDS)))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={name: os.environ[name] for name in _NEEDED if name in os.environ},
        cwd=os.sep,
    )
    # Where it neither reads nor writes, this ends it, and with it what we wait for.
    end = Timer(SECONDS, process.kill)
    end.start()
    try:
        with process:
            return _talk(process, content)
    finally:
        end.cancel()


def _talk(process: subprocess.Popen[bytes], content: bytes) -> tuple[int, bytes]:
    if process.stdin is None or process.stdout is None:  # pragma: no cover - both are pipes
        raise RuntimeError
    # It reads all before it writes anything, so neither waits for the other; and it may end before it has read.
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(content)
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    drawn = process.stdout.read(_MOST + 1)
    if len(drawn) > _MOST:
        process.kill()
    return process.wait(), drawn
