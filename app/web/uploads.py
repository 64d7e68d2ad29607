"""Forms that bring files (multipart/form-data), taken in as they come, within limits of everything that can be many.

Nothing is written to a disk, a file's own name and type are not read, and what is in it is for others to judge.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.exceptions import HTTPException

from app.web.forms import BODY_BYTES, FIELDS, Form, body_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping
    from datetime import date

    from python_multipart.multipart import MultipartCallbacks
    from starlette.requests import Request

MEDIA_TYPE: Final = b"multipart/form-data"
#: Files of a form, those of a field that was left empty among them.
FILES: Final = 8
HEADERS: Final = 4
HEADER_BYTES: Final = 1024
#: A photograph on a slow connection takes minutes; what takes longer than this is not on its way here.
LONGEST_SECONDS: Final = 300.0

#: Of whom a process knows how much they sent today.
_SENDERS: Final = 4096
#: Bodies read, and pictures that wait to be drawn, at a time in a process: each may hold eight megabytes.
AT_ONCE: Final = 6

Drawn = TypeVar("Drawn")
# One picture at a time in a process: however many come, they take the memory and the processor of one.
_DRAWING: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="drawing")
_PLACES: Final = asyncio.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True, slots=True)
class Upload:
    """A form with its files, by field; a field in which nothing was chosen has none."""

    form: Form
    files: Mapping[str, tuple[bytes, ...]]

    def file(self, name: str) -> bytes | None:
        """Return the file of a field, or None where none was chosen. Raises HTTPException 400 where there are more."""
        found = self.files.get(name, ())
        if len(found) > 1:
            raise HTTPException(400)
        return found[0] if found else None


class DailyUploads:
    """Counts what each sends in a day, in this process; whoever sent nothing for longest is forgotten first."""

    def __init__(self, most: int) -> None:
        """Allow ``most`` a day."""
        self._most = most
        self._day: date | None = None
        self._sent: dict[Hashable, int] = {}

    def is_spent(self, who: Hashable, today: date) -> bool:
        """Tell whether as many came as may in a day."""
        return today == self._day and self._sent.get(who, 0) >= self._most

    def count(self, who: Hashable, today: date) -> None:
        """Count one that has come."""
        if today != self._day:
            self._day, self._sent = today, {}
        sent = self._sent.pop(who, 0)
        if len(self._sent) >= _SENDERS:
            del self._sent[next(iter(self._sent))]
        self._sent[who] = sent + 1


async def read_upload(request: Request, *, repeated: frozenset[str] = frozenset()) -> Upload:
    """Read the body of a post with files. Raises HTTPException 400, 408, 413, 415, or 503 where many are read already.

    Its whole length is bounded by its address (``body_limit``), and what is typed beside the files as in other forms.
    """
    media_type, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if media_type != MEDIA_TYPE:
        raise HTTPException(415)
    if not boundary:
        raise HTTPException(400)
    if _PLACES.locked():
        raise HTTPException(503)
    try:
        async with _PLACES, asyncio.timeout(LONGEST_SECONDS):
            return await _read(request, boundary, repeated)
    except TimeoutError:
        raise HTTPException(408) from None
    except (FormParserError, UnicodeDecodeError):
        raise HTTPException(400) from None


async def draw_in_turn(draw: Callable[[bytes], Drawn], content: bytes) -> Drawn:
    """Return ``draw(content)``, worked out beside the loop, after whatever pictures came before.

    Raises HTTPException 503 where many wait for it already.
    """
    if _PLACES.locked():
        raise HTTPException(503)
    async with _PLACES:
        return await asyncio.get_running_loop().run_in_executor(_DRAWING, draw, content)


async def _read(request: Request, boundary: bytes, repeated: frozenset[str]) -> Upload:
    limit, taken = body_limit(request.url.path), 0
    parts = _Parts()
    parser = MultipartParser(
        boundary, parts.callbacks(), max_header_count=HEADERS, max_header_size=HEADER_BYTES
    )  # fmt: skip
    async for piece in request.stream():
        taken += len(piece)
        if taken > limit:
            raise HTTPException(413)
        parser.write(piece)
    if not parts.is_whole:
        raise HTTPException(400)
    return Upload(Form(parts.pairs, repeated), {name: tuple(found) for name, found in parts.files.items()})


@dataclass
class _Parts:
    """What a parser has found so far."""

    pairs: list[tuple[str, str]] = field(default_factory=list)
    files: dict[str, list[bytes]] = field(default_factory=dict)
    is_whole: bool = False
    _name: str = ""
    _is_file: bool = False
    _header: bytearray = field(default_factory=bytearray)
    _headers: dict[bytes, bytes] = field(default_factory=dict)
    _value: bytearray = field(default_factory=bytearray)
    _content: bytearray = field(default_factory=bytearray)
    _typed: int = 0
    _number: int = 0
    _number_of_files: int = 0

    def callbacks(self) -> MultipartCallbacks:
        """Return what the parser calls."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._add,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def _begin(self) -> None:
        self._headers, self._content = {}, bytearray()

    def _end_header(self) -> None:
        self._headers[bytes(self._header).lower()] = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _end_headers(self) -> None:
        said, options = parse_options_header(self._headers.get(b"content-disposition"))
        if said != b"form-data" or b"name" not in options:
            raise HTTPException(400)
        self._name = options[b"name"].decode()
        self._is_file = b"filename" in options
        self._number += 1
        self._number_of_files += self._is_file
        if self._number > FIELDS or self._number_of_files > FILES:
            raise HTTPException(413)

    def _add(self, data: bytes, start: int, end: int) -> None:
        self._content += data[start:end]
        if self._is_file:
            return
        self._typed += end - start
        if self._typed > BODY_BYTES:
            raise HTTPException(413)

    def _end(self) -> None:
        if not self._is_file:
            self.pairs.append((self._name, self._content.decode()))
        elif self._content:
            self.files.setdefault(self._name, []).append(bytes(self._content))

    def _finish(self) -> None:
        self.is_whole = True
