"""Forms as browsers send them: read whole, within limits, every key checked; what was typed is never lost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.requests import Request

#: Held to by the middleware, for what announces its length, and by the framework for what does not.
BODY_BYTES: Final = 64 * 1024
#: What a team sends may hold a whole letter or resolution, of which a character in Khmer takes nine bytes.
LONG_BODY_BYTES: Final = 1024 * 1024
LONG_BODIES: Final = re.compile(r"/(?:km|en|fr)/workspace/campaigns/.*")
#: What brings a picture with it.
UPLOAD_BYTES: Final = 8 * 1024 * 1024
UPLOADS: Final = re.compile(
    r"/(?:km|en|fr)/(?:endorsement/[A-Za-z0-9_-]{43}/(?:logo|authority)|workspace/campaigns/[a-z0-9-]{1,64}/paper(?:/.*)?)"
)
FIELDS: Final = 64
MEDIA_TYPE: Final = "application/x-www-form-urlencoded"


class Form:
    """The fields of a form, as they were typed."""

    def __init__(self, pairs: list[tuple[str, str]], repeated: frozenset[str]) -> None:
        """Take pairs; a key that comes twice is a fault unless it is in ``repeated``."""
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)
        if any(len(values) > 1 for name, values in self._values.items() if name not in repeated):
            raise HTTPException(400)

    def __contains__(self, name: str) -> bool:
        """Tell whether the field was sent at all, as a ticked box is."""
        return name in self._values

    def text(self, name: str) -> str:
        """Return what was typed, or nothing."""
        return self._values.get(name, [""])[0]

    def texts(self, name: str) -> list[str]:
        """Return every value of a repeated field."""
        return self._values.get(name, [])

    def pairs(self) -> list[tuple[str, str]]:
        """Return every field as it was sent, to send it once more."""
        return [(name, value) for name, values in self._values.items() for value in values]

    def typed(self) -> dict[str, str]:
        """Return all single values, to show them again."""
        return {name: values[0] for name, values in self._values.items()}


def body_limit(path: str) -> int:
    """Return how many bytes a post to an address may have."""
    if UPLOADS.fullmatch(path):
        return UPLOAD_BYTES
    return LONG_BODY_BYTES if LONG_BODIES.fullmatch(path) else BODY_BYTES


def is_plain_form(request: Request) -> bool:
    """Tell whether a post is a form without files."""
    return request.headers.get("content-type", MEDIA_TYPE).partition(";")[0].strip().lower() == MEDIA_TYPE


async def read_form(request: Request, *, repeated: frozenset[str] = frozenset()) -> Form:
    """Read the body of a post. Raises HTTPException 400, 413 or 415."""
    if not is_plain_form(request):
        raise HTTPException(415)
    body = await request.body()
    # Where a picture may be sent, a form without one is still a form.
    if len(body) > min(body_limit(request.url.path), LONG_BODY_BYTES):
        raise HTTPException(413)
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=FIELDS, encoding="utf-8", errors="strict"
        )
    except ValueError:
        # Not ASCII, not UTF-8 once decoded, or more fields than any of our forms has.
        raise HTTPException(400) from None
    return Form(pairs, repeated)
