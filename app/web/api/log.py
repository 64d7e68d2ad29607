"""``/api/v1/…/log``: the transparency log as c2sp.org/tlog-tiles serves it; proofs, public keys, signed reports."""

from __future__ import annotations

import re
from base64 import b64encode
from pathlib import Path as File
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Path, Query, Response
from pydantic import BeforeValidator, WithJsonSchema

from app.models.transparency import TREES
from app.proofs import verifying
from app.proofs.merkle import TILE_WIDTH
from app.queries import log as queries
from app.queries import reports
from app.web.api import log_shapes as shapes
from app.web.api.v1 import MOST, PROBLEM, USUAL_LIMIT
from app.web.cache import SECONDS
from app.web.house import SLUG

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.web.house import House

#: What the database's integers hold; no tree comes near.
LARGEST: Final = 2**31 - 1
FOR_EVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
FOR_NOW: Final = {"Cache-Control": f"public, max-age={SECONDS:.0f}"}
TEXT: Final = "text/plain; charset=utf-8"
BYTES: Final = "application/octet-stream"
#: Numbers of tiles go by three digits, all threes but the last after an x, and with no more of them than it takes.
TILE: Final = re.compile(
    r"(?P<level>[0-7]|entries)/(?P<number>(?:(?!x000)x[0-9]{3}/(?:x[0-9]{3}/)?)?[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)
#: A number in an address, as it is written and in no other way.
NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,9}")

Tree = Annotated[str, Path(), WithJsonSchema({"type": "string", "enum": list(TREES)})]


def _one_spelling(typed: str) -> str:
    """Refuse `+3`, `03` and `0_3`: what is kept for ever has one address."""
    if not NUMBER.fullmatch(typed):
        raise ValueError
    return typed


Size = Annotated[int, Path(ge=0, le=LARGEST), BeforeValidator(_one_spelling)]
Number = Annotated[int, Path(ge=1, le=LARGEST), BeforeValidator(_one_spelling)]


class LogApi:
    """Routes of the log. All of it is the same for everyone, and nothing in it names anybody."""

    def __init__(self, house: House) -> None:
        """Take what the answers need."""
        self._house = house
        self._host = house.settings.base_url.partition("://")[2]
        self._script = File(verifying.__file__).read_bytes()
        self.router = APIRouter(prefix="/api/v1")
        log = "/campaigns/{slug}/log"
        shaped: tuple[tuple[str, Callable[..., Any], Any], ...] = (
            (f"{log}/checkpoints", self.list_checkpoints, shapes.CheckpointPage),
            (f"{log}/{{tree}}/inclusion/{{index}}/{{size}}", self.get_inclusion, shapes.HashesShape),
            (f"{log}/{{tree}}/consistency/{{old}}/{{new}}", self.get_consistency, shapes.HashesShape),
            ("/campaigns/{slug}/reports", self.list_reports, shapes.ReportList),
            ("/keys", self.list_keys, shapes.KeyList),
        )
        for path, endpoint, shape in shaped:
            self._add(path, endpoint, response_model=shape, responses=PROBLEM)
        plain: tuple[tuple[str, Callable[..., Any], str], ...] = (
            (f"{log}/{{tree}}/checkpoint", self.get_checkpoint, TEXT),
            (f"{log}/{{tree}}/tile/{{path:path}}", self.get_tile, BYTES),
            ("/campaigns/{slug}/reports/{number}/manifest", self.get_manifest, TEXT),
            ("/verify.py", self.get_script, TEXT),
        )
        for path, endpoint, media_type in plain:
            content: dict[str, Any] = {"content": {media_type.partition(";")[0]: {}}}
            self._add(path, endpoint, response_class=Response, responses={**PROBLEM, 200: content})

    def _add(self, path: str, endpoint: Callable[..., Any], **described: Any) -> None:  # noqa: ANN401 - the framework's
        self.router.add_api_route(path, endpoint, methods=["GET"], **described)
        self.router.add_api_route(path, endpoint, methods=["HEAD"], response_model=None, include_in_schema=False)

    async def list_checkpoints(
        self,
        response: Response,
        slug: str,
        before: Annotated[int | None, Query(ge=1, le=LARGEST)] = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = USUAL_LIMIT,
    ) -> shapes.CheckpointPage:
        """List the checkpoints of a log, the newest first."""
        database = self._house.database
        found = await database.read(queries.list_checkpoints, slug=_slug(slug), before=before, limit=limit + 1)
        if found is None:
            raise HTTPException(404)
        response.headers.update(FOR_NOW)
        following = None
        if len(found) > limit:
            found = found[:limit]
            address = f"{self._house.settings.base_url}/api/v1/campaigns/{slug}/log/checkpoints"
            following = f"{address}?before={found[-1].number}&limit={limit}"
        return shapes.CheckpointPage(
            checkpoints=[shapes.CheckpointShape.model_validate(each) for each in found], next=following
        )

    async def get_checkpoint(self, slug: str, tree: Tree) -> Response:
        """Tell where a tree stands, in a signed note (c2sp.org/tlog-checkpoint)."""
        name = _tree(tree)
        found = await self._house.database.read(queries.find_public_checkpoint, slug=_slug(slug))
        if found is None:
            raise HTTPException(404)
        return Response(found.notes[name], media_type=TEXT, headers=FOR_NOW)

    async def get_tile(self, slug: str, tree: Tree, path: str) -> Response:
        """Give hashes of 32 bytes, or entries after their length (c2sp.org/tlog-tiles); ``L/N``, or ``L/N.p/W``."""
        named = TILE.fullmatch(path)
        width = TILE_WIDTH if named is None or named["width"] is None else int(named["width"])
        if named is None or (width == TILE_WIDTH) != (named["width"] is None) or width > TILE_WIDTH:
            raise HTTPException(404)
        database, place = self._house.database, {"slug": _slug(slug), "tree": _tree(tree)}
        number = int(re.sub("[x/]", "", named["number"]))
        if named["level"] == "entries":
            found = await database.read(queries.find_entries, **place, number=number, width=width)
        else:
            level = int(named["level"])
            found = await database.read(queries.find_tile, **place, level=level, number=number, width=width)
        if found is None:
            raise HTTPException(404)
        return Response(found, media_type=BYTES, headers=FOR_EVER)

    async def get_inclusion(
        self, response: Response, slug: str, tree: Tree, index: Size, size: Size
    ) -> shapes.HashesShape:
        """Prove that the leaf at an index is among the first leaves, as many as ``size``."""
        database = self._house.database
        place = {"slug": _slug(slug), "tree": _tree(tree)}
        return _proof(response, await database.read(queries.find_inclusion, **place, index=index, size=size))

    async def get_consistency(
        self, response: Response, slug: str, tree: Tree, old: Size, new: Size
    ) -> shapes.HashesShape:
        """Prove that the first ``new`` leaves begin with the first ``old`` ones."""
        database = self._house.database
        place = {"slug": _slug(slug), "tree": _tree(tree)}
        return _proof(response, await database.read(queries.find_consistency, **place, old=old, new=new))

    async def list_reports(self, response: Response, slug: str) -> shapes.ReportList:
        """List the verified count reports of a campaign, the newest first."""
        found = await self._house.database.read(reports.list_reports, slug=_slug(slug))
        if found is None:
            raise HTTPException(404)
        response.headers.update(FOR_NOW)
        return shapes.ReportList(reports=[shapes.ReportShape.model_validate(each) for each in found])

    async def get_manifest(self, slug: str, number: Number) -> Response:
        """Give the manifest of a report: a signed note with the SHA-256 of every file."""
        found = await self._house.database.read(
            reports.find_public_report_file, slug=_slug(slug), number=number, name=reports.MANIFEST
        )
        if found is None:
            raise HTTPException(404)
        return Response(found, media_type=TEXT, headers=FOR_EVER)

    async def list_keys(self, response: Response) -> shapes.KeyList:
        """List the public keys of what is signed here, the newest first. All stay, for what they signed stays."""
        signing = {each.verifier for each in queries.list_signers(self._house.keyring, host=self._host)}
        published = queries.list_published(self._house.keyring, host=self._host)
        response.headers.update(FOR_NOW)
        return shapes.KeyList(
            keys=[shapes.KeyShape(verifier=each.verifier, signs=each.verifier in signing) for each in published]
        )

    async def get_script(self) -> Response:
        """Give the script that checks reports and receipts without us; it takes Python and ``cryptography``."""
        headers = {**FOR_NOW, "Content-Disposition": 'attachment; filename="verify.py"'}
        return Response(self._script, media_type=TEXT, headers=headers)


def _slug(slug: str) -> str:
    if not SLUG.fullmatch(slug):
        raise HTTPException(404)
    return slug


def _tree(tree: str) -> str:
    if tree not in TREES:
        raise HTTPException(404)
    return tree


def _proof(response: Response, hashes: list[bytes] | None) -> shapes.HashesShape:
    if hashes is None:
        raise HTTPException(404)
    response.headers.update(FOR_EVER)
    return shapes.HashesShape(hashes=[b64encode(each).decode() for each in hashes])
