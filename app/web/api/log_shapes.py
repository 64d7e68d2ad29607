"""What the JSON door says of the log, of reports and of the keys that sign them."""

from __future__ import annotations

from typing import Annotated

from pydantic import WithJsonSchema

from app.web.api.shapes import Moment, Shape

#: A hash in base64.
Hash = Annotated[str, WithJsonSchema({"type": "string", "contentEncoding": "base64"})]


class SizesShape(Shape):
    """How many leaves each tree has."""

    signed: int
    removed: int


class NotesShape(Shape):
    """What each tree's signed note says (c2sp.org/tlog-checkpoint)."""

    signed: str
    removed: str


class CheckpointShape(Shape):
    """Both trees at one moment; ``signatures`` are signed leaves less removed leaves."""

    number: int
    made_at: Moment
    signatures: int
    sizes: SizesShape
    notes: NotesShape


class CheckpointPage(Shape):
    """A page of the list, the newest first; ``next`` is the address of the following one."""

    checkpoints: list[CheckpointShape]
    next: str | None


class HashesShape(Shape):
    """A proof of RFC 6962: hashes in their order."""

    hashes: list[Hash]


class KeyShape(Shape):
    """A key that signs, or signed, in the form that verifiers of signed notes take: name, id, key."""

    verifier: str
    signs: bool


class KeyList(Shape):
    """Every key that has ever signed, the newest first."""

    keys: list[KeyShape]


class ReportShape(Shape):
    """A verified count report; ``manifest_sha256`` names its manifest, and that names every file."""

    number: int
    issued_at: Moment
    as_of: Moment
    signatures: int
    manifest_sha256: str


class ReportList(Shape):
    """The reports of a campaign, the newest first. A later one supersedes, and changes nothing of those before."""

    reports: list[ReportShape]
