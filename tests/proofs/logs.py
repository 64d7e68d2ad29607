"""Logs and reports to check, made by hand: nothing of the application is in them but what proofs are made with."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from base64 import b64encode
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from app.proofs import verifying
from app.proofs.merkle import HASH_BYTES, TILE_WIDTH, compute_root, grow, prove_consistency, prove_inclusion
from app.proofs.notes import NoteSigner, write_checkpoint, write_note, write_proof
from app.proofs.verifying import canonical_json, commit, list_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

HOST: Final = "letters.example.org"
SLUG: Final = "khmer-services"
OLD, NEW, OTHER = (NoteSigner(HOST, bytes([number]) * 32) for number in (1, 2, 3))


class Tree:
    """A tree in memory, kept in tiles."""

    def __init__(self, entries: Iterable[bytes] = ()) -> None:
        """Begin with ``entries``."""
        self.size = 0
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.append(list(entries))

    def append(self, entries: Sequence[bytes]) -> None:
        """Append a batch."""
        ends = dict(sorted(self.tiles))
        edge = {level: self.tiles[level, number] for level, number in ends.items()}
        partial = {level: tile for level, tile in edge.items() if len(tile) < TILE_WIDTH * HASH_BYTES}
        self.tiles |= grow(self.size, partial, entries)
        self.size += len(entries)

    def root(self, size: int | None = None) -> bytes:
        """Return the root of the first ``size`` leaves, or of all."""
        return compute_root(self.read, self.size if size is None else size)

    def include(self, index: int, size: int | None = None) -> list[bytes]:
        """Return the path of a leaf."""
        return prove_inclusion(self.read, index=index, size=self.size if size is None else size)

    def extend(self, old: int, new: int | None = None) -> list[bytes]:
        """Return what shows that an old tree is the beginning of a new one."""
        return prove_consistency(self.read, old=old, new=self.size if new is None else new)

    def read(self, level: int, number: int) -> bytes:
        """Return a tile."""
        return self.tiles[level, number]


def opening_of(index: int, **changes: str) -> dict[str, str]:
    """Return what a leaf of the log opens to."""
    said = {"campaign": SLUG, "edition": "ab" * 32, "locale": "km", "signature": f"{index:032x}", "tree": "signed"}
    return said | changes


def salt_of(index: int) -> bytes:
    """Return the salt of a leaf."""
    return hashlib.sha256(f"salt {index}".encode()).digest()


def origin_of(tree: str, slug: str = SLUG) -> str:
    """Return what checkpoints of a tree are called."""
    return f"{HOST}/api/v1/campaigns/{slug}/log/{tree}"


@cache
def _entry_of(index: int, tree: str = "signed") -> bytes:
    return commit(salt_of(index), canonical_json(opening_of(index, tree=tree)))


@dataclass
class Log:
    """Both trees of a campaign."""

    signed: Tree
    removed: Tree

    @classmethod
    def make(cls, signed: int = 640, removed: int = 28) -> Log:
        """Return a log of so many leaves."""
        return cls(Tree(map(_entry_of, range(signed))), Tree(_entry_of(index, "removed") for index in range(removed)))

    def checkpoint(self, tree: str, signers: Sequence[NoteSigner], *, size: int | None = None, slug: str = SLUG) -> str:
        """Return a checkpoint of a tree as it stands, or stood."""
        grown: Tree = getattr(self, tree)
        stood = grown.size if size is None else size
        return write_checkpoint(origin_of(tree, slug), stood, grown.root(stood), signers)

    def receipt(self, index: int, signers: Sequence[NoteSigner], **changes: str) -> str:
        """Return the receipt of a leaf."""
        extra = canonical_json({"opening": opening_of(index, **changes), "salt": salt_of(index).hex()})
        checkpoint = self.checkpoint("signed", signers)
        return write_proof(index=index, path=self.signed.include(index), checkpoint=checkpoint, extra=extra)


def figures_of(texts: bytes, signers: Sequence[NoteSigner]) -> dict[str, Any]:
    """Return what counts.json says of a report with 612 signatures."""
    names = {"en": "Ontario", "fr": "Ontario", "km": "អនតារីយ៉ូ"}
    return {
        "format": "hatthalekha-report/1", "number": 3, "supersedes": 2,
        "issued_at": "2026-11-22T18:04:00Z", "as_of": "2026-11-22T18:00:00Z", "base_url": f"https://{HOST}",
        "campaign": {"slug": SLUG, "titles": {"en": "For Khmer services", "km": "សេវាជាភាសាខ្មែរ"}},
        "signatures": 612,
        "checkpoint": {"number": 41, "made_at": "2026-11-22T18:00:00Z", "signed_size": 640, "removed_size": 28},
        "way": [
            {"step": "forms_received", "forms": 700}, {"step": "not_confirmed", "forms": -60},
            {"step": "other", "forms": -28}, {"step": "verified", "forms": 612},
        ],
        "breakdown": {
            "snapshot": 7, "taken_at": "2026-11-22T04:00:00Z", "signatures": 600,
            "ProvinceSignatures": [
                {"Province": "CA-ON", "Name": names, "SignatureCount": 300},
                {"Province": "CA-QC", "Name": {"en": "Quebec", "fr": "=Québec"}, "SignatureCount": 120},
            ],
            "CountrySignatures": [{"Country": "CA", "SignatureCount": 590}, {"Country": None, "SignatureCount": 10}],
            "LanguageSignatures": [
                {"Language": "km", "SignatureCount": 400},
                {"Language": "en", "SignatureCount": 200},
            ],
            "DaySignatures": [
                {"Day": "2026-11-20", "SignatureCount": 250},
                {"Day": "2026-11-21", "SignatureCount": 350},
            ],
            "DistrictSignatures": [{"District": "24047", "Name": {"en": "Papineau"}, "SignatureCount": 40}],
        },
        "editions": [{"number": 1, "hash": hashlib.sha256(texts).hexdigest(), "locales": ["km"], "signatures": 612}],
        "keys": [each.verifier for each in signers],
    }  # fmt: skip


@dataclass
class Draft:
    """A report before it is signed: what a test wants wrong in it, it changes here."""

    log: Log = field(default_factory=Log.make)
    signers: Sequence[NoteSigner] = (NEW, OLD)
    named: Sequence[NoteSigner] = (NEW, OLD)
    texts: bytes = '{"km":{"title":"សេវាជាភាសាខ្មែរ"}}'.encode()
    figures: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)  # instead of those that follow from the rest
    lines: dict[str, str] = field(default_factory=dict)  # of the manifest, likewise

    def __post_init__(self) -> None:
        """Set the figures down."""
        self.figures = self.figures or figures_of(self.texts, self.named)

    def write(self, folder: Path) -> Path:
        """Write it signed into a folder, which is returned."""
        files = self._list_files() | self.files
        hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        lines = [f"{key}: {value}" for key, value in (self._list_values() | self.lines).items()]
        lines += [f"{hashes[name]}  {name}" for name in sorted(hashes)]
        text = "\n".join(["hatthalekha-report/1", *lines]) + "\n"
        files["manifest"] = write_note(text, self.signers).encode()
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        return folder

    def _list_values(self) -> dict[str, str]:
        said = self.figures
        return {
            "campaign": said["campaign"]["slug"], "number": str(said["number"]), "supersedes": str(said["supersedes"]),
            "issued-at": said["issued_at"], "as-of": said["as_of"], "signatures": str(said["signatures"]),
            "base-url": said["base_url"], "checkpoint": str(said["checkpoint"]["number"]),
            "signed-size": str(said["checkpoint"]["signed_size"]),
            "removed-size": str(said["checkpoint"]["removed_size"]),
            **{f"edition-{each['number']}": each["hash"] for each in said["editions"]},
        }  # fmt: skip

    def _list_files(self) -> dict[str, bytes]:
        rows = [["" if cell is None else cell for cell in row] for row in list_rows(self.figures)]
        return {
            "README.txt": b"How to check this.\n",
            "report.pdf": b"%PDF-1.7\n",
            "verify.py": b"# verifying.py\n",
            "counts.json": json.dumps(self.figures, ensure_ascii=False, indent=1).encode(),
            "counts.csv": write_csv(rows),
            "counts.xlsx": write_sheet(rows),
            "texts/edition-1.json": self.texts,
            "texts/edition-1.km.txt": "សេវាជាភាសាខ្មែរ\n".encode(),
            "log/signed.checkpoint": self.log.checkpoint("signed", self.signers).encode(),
            "log/removed.checkpoint": self.log.checkpoint("removed", self.signers).encode(),
        }


def write_csv(rows: Sequence[Sequence[str]]) -> bytes:
    """Return rows as counts.csv has them, formulas made harmless."""
    file = io.StringIO()
    csv.writer(file).writerows([["'" + cell if cell.startswith("=") else cell for cell in row] for row in rows])
    return b"\xef\xbb\xbf" + file.getvalue().encode()


def write_sheet(rows: Sequence[Sequence[str]], *, is_shared: bool = False, name: str = "counts") -> bytes:
    """Return rows as a spreadsheet of the least kind, its texts inside the cells or in a list of their own."""
    texts = sorted({cell for row in rows for cell in row})
    lines = []
    for at, row in enumerate(rows, start=1):
        cells = ((f"{letter}{at}", cell) for letter, cell in zip("ABCDEF", row, strict=True) if cell)
        lines.append(f'<row r="{at}">{"".join(_cell(place, text, texts, is_shared) for place, text in cells)}</row>')
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    rels = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts = {
        "xl/workbook.xml": f'<workbook {main} xmlns:r="{rels}"><sheets><sheet name="About" sheetId="1" r:id="rId1"/>'
        f'<sheet name="{name}" sheetId="2" r:id="rId2"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
        f'relationships"><Relationship Id="rId2" Type="{rels}/worksheet" Target="worksheets/sheet2.xml"/>'
        "</Relationships>",
        "xl/worksheets/sheet2.xml": f"<worksheet {main}><sheetData>{''.join(lines)}</sheetData></worksheet>",
    }
    if is_shared:
        each = "".join(f"<si><t>{text}</t></si>" for text in texts)
        parts["xl/sharedStrings.xml"] = f"<sst {main}>{each}</sst>"
    return write_zip({part: text.encode() for part, text in parts.items()})


def _cell(place: str, text: str, texts: Sequence[str], is_shared: bool) -> str:  # noqa: FBT001 - of this file alone
    if text.lstrip("-").isdecimal():
        return f'<c r="{place}"><v>{text}.0</v></c>'
    if is_shared:
        return f'<c r="{place}" t="s"><v>{texts.index(text)}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def write_zip(files: dict[str, bytes]) -> bytes:
    """Return files as a ZIP."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


@dataclass
class Installation:
    """What is online: the log as it has grown, the list of reports, the keys."""

    log: Log
    manifest: bytes = b""
    signers: Sequence[NoteSigner] = (NEW, OLD)
    first: int = 1
    latest: int = 3
    is_down: bool = False
    asked: list[str] = field(default_factory=list)

    def fetch(self, url: str) -> bytes:
        """Answer as the API does."""
        self.asked.append(url)
        base = f"https://{HOST}/api/v1/"
        if self.is_down or not url.startswith(base):
            raise verifying.Unreachable(url)
        path = url.removeprefix(base)
        if path == "keys":
            data: object = {"keys": [{"verifier": each.verifier, "signs": True} for each in self.signers]}
        elif path == f"campaigns/{SLUG}/reports":
            digest = hashlib.sha256(self.manifest).hexdigest()
            data = {"reports": [{"number": n, "manifest_sha256": digest} for n in range(self.first, self.latest + 1)]}
        else:
            return self._answer_of_log(path.removeprefix(f"campaigns/{SLUG}/log/").split("/"))
        return json.dumps(data).encode()

    def _answer_of_log(self, parts: Sequence[str]) -> bytes:
        tree: Tree = getattr(self.log, parts[0])
        if parts[1] == "checkpoint":
            return self.log.checkpoint(parts[0], self.signers).encode()
        hashes = tree.extend(int(parts[2]), int(parts[3]))
        return json.dumps({"hashes": [b64encode(each).decode() for each in hashes]}).encode()
