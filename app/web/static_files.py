"""Static files: read once, compressed once, under an address that changes with them, and kept by browsers for ever."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from app.rendering import STATIC, static_hash

if TYPE_CHECKING:
    from starlette.requests import Request

TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
COMPRESSED: Final = frozenset({".css", ".js", ".svg"})
FOR_EVER: Final = "public, max-age=31536000, immutable"


class StaticFiles:
    """The route of ``/static/{hash}/{name}``."""

    def __init__(self) -> None:
        """Read the folder."""
        self._plain: dict[str, Response] = {}
        self._gzipped: dict[str, Response] = {}
        for path in STATIC.iterdir():
            if path.suffix in TYPES:
                self._keep(path.name, path.suffix, path.read_bytes())
        self.routes = [Route("/static/{hash}/{name}", self.serve)]

    async def serve(self, request: Request) -> Response:
        """Give a file; an address of another version of the files leads to the present one, and is not kept."""
        name = request.path_params["name"]
        files = self._gzipped if "gzip" in request.headers.get("accept-encoding", "") else self._plain
        if name not in files:
            raise HTTPException(404)
        if request.path_params["hash"] == static_hash():
            return files[name]
        old = files[name]
        return Response(old.body, headers={**old.headers, "cache-control": "public, max-age=60"})

    def _keep(self, name: str, suffix: str, content: bytes) -> None:
        headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
        self._plain[name] = self._gzipped[name] = Response(content, 200, headers, TYPES[suffix])
        if suffix in COMPRESSED:
            packed = gzip.compress(content, 9, mtime=0)
            self._gzipped[name] = Response(packed, 200, {**headers, "Content-Encoding": "gzip"}, TYPES[suffix])
