"""Checking receipts and reports in a real browser, without the network: what holds, and what does not, by its name."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import zipfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from app.core.keys import open_keyring
from app.proofs.merkle import HASH_BYTES, TILE_WIDTH, compute_root, grow, prove_inclusion
from app.proofs.notes import NoteSigner, write_checkpoint, write_note, write_proof
from app.proofs.verifying import commit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.browser.conftest import LiveServer

# What a page checks does not hang on the database.
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("server", ["sqlite"], indirect=True)]

#: Makes the browser one without Ed25519 of its own.
NO_ED25519: Final = """
const own = SubtleCrypto.prototype.importKey;
SubtleCrypto.prototype.importKey = function (format, key, algorithm, ...rest) {
  if (algorithm === 'Ed25519') return Promise.reject(new DOMException('no', 'NotSupportedError'));
  return own.call(this, format, key, algorithm, ...rest);
};
"""
HOLDS: Final = "This receipt holds"
FAILS: Final = "This does not hold"
DAMAGED: Final = "The receipt is incomplete, or was changed"
FALSE: Final = "The signature is false"
UNKNOWN_KEY: Final = "None of the public keys on this page has signed it"
NO_OPENING: Final = "What the receipt says of its signature cannot be read"
OTHER_LOG: Final = "The checkpoint in the receipt is that of another log"
NOT_IN_LOG: Final = "The signature of the checkpoint holds, but this entry is not in that log"
BEYOND: Final = "but its checkpoint has only"
NO_RECEIPT: Final = "is not a receipt"


@dataclass(frozen=True)
class Made:
    """A receipt in its parts."""

    salt: bytes
    opening: dict[str, Any]
    index: int
    path: tuple[bytes, ...]
    checkpoint: str

    @property
    def text(self) -> str:
        """The file."""
        extra = json.dumps({"salt": self.salt.hex(), "opening": self.opening}).encode()
        return write_proof(index=self.index, path=self.path, checkpoint=self.checkpoint, extra=extra)


class Log:
    """A log of a campaign, made here with the keys of the server."""

    def __init__(self, server: LiveServer, slug: str, *, tree: str = "signed", size: int = 300) -> None:
        host = urlsplit(server.url).netloc
        seeds = open_keyring(server.settings.keys_dir).signing_seeds
        self.signers = [NoteSigner(host, seed) for seed in seeds]
        chance = random.Random(size)
        self.salts = [chance.randbytes(HASH_BYTES) for _ in range(size)]
        self.openings = [
            {
                "campaign": slug,
                "edition": "ab" * 32,
                "locale": "km",
                "signature": chance.randbytes(16).hex(),
                "tree": tree,
            }
            for _ in range(size)
        ]
        entries = [
            commit(salt, json.dumps(opening, sort_keys=True, separators=(",", ":")).encode())
            for salt, opening in zip(self.salts, self.openings, strict=True)
        ]
        self._tiles = grow(0, {}, entries)
        self.size = size
        self.origin = f"{host}/api/v1/campaigns/{slug}/log/{tree}"
        self.checkpoint = self.sign(size)

    def sign(self, size: int) -> str:
        """Return the checkpoint of the first leaves."""
        return write_checkpoint(self.origin, size, compute_root(self._read, size), self.signers)

    def receipt(self, index: int) -> Made:
        """Return the receipt of a leaf."""
        path = tuple(prove_inclusion(self._read, index=index, size=self.size))
        return Made(self.salts[index], self.openings[index], index, path, self.checkpoint)

    def _read(self, level: int, number: int) -> bytes:
        tile = self._tiles.get((level, number), b"")
        assert len(tile) <= TILE_WIDTH * HASH_BYTES
        return tile


@pytest.fixture(params=["its own", "noble"])
def verify(request: pytest.FixtureRequest, browser: Browser, server: LiveServer) -> Iterator[Page]:
    """Open the page, with the browser's Ed25519 and with the library's, and cut the line."""
    context = browser.new_context(viewport={"width": 360, "height": 720})
    if request.param == "noble":
        context.add_init_script(NO_ED25519)
    page = context.new_page()
    open_page(page, server, "en")
    yield page
    context.close()


def open_page(page: Page, server: LiveServer, locale: str) -> None:
    """Open the page and go offline; whatever it asks for from then on is a fault."""
    page.goto(f"{server.url}/{locale}/verify", wait_until="networkidle")
    expect(page.locator("#checks")).to_be_visible()
    page.context.set_offline(True)
    page.on("request", lambda request: pytest.fail(f"asked for {request.url}"))
    page.on("pageerror", lambda fault: pytest.fail(str(fault)))


def choose(page: Page, content: str | bytes, name: str = "receipt.tlog-proof") -> str:
    """Choose a receipt, and return what the page says of it."""
    data = content.encode() if isinstance(content, str) else content
    found = page.locator("#receipt-found")
    found.evaluate("element => element.replaceChildren()")
    page.set_input_files("#receipt-file", {"name": name, "mimeType": "text/plain", "buffer": data})
    expect(found.locator("b")).to_be_visible()
    return found.inner_text()


def flip(data: bytes, bit: int) -> bytes:
    """Return ``data`` with one bit flipped."""
    number = bytearray(data)
    number[bit // 8] ^= 1 << bit % 8
    return bytes(number)


def test_a_receipt_holds_without_the_line(verify: Page, server: LiveServer) -> None:
    for size, index in ((300, 0), (300, 255), (300, 299), (1, 0), (2, 1), (7, 5), (257, 256)):
        log = Log(server, server.slug, size=size)
        said = choose(verify, log.receipt(index).text)
        assert HOLDS in said, (size, index, said)
        assert server.slug in said
        assert "ab" * 32 in said
        assert "Khmer" in said
        assert str(size) in said


def test_whatever_is_changed_in_a_receipt_is_named(verify: Page, server: LiveServer) -> None:
    log, other = Log(server, server.slug), Log(server, server.long_slug)
    good = log.receipt(17)
    lines = good.checkpoint.split("\n")
    removed = good.checkpoint.replace("/signed\n", "/removed\n")
    stranger = [NoteSigner(log.signers[0].name, b"\x07" * 32)]
    elsewhere = [NoteSigner("elsewhere.example.org", log.signers[0].seed)]
    root = base64.b64decode(lines[2])
    cases: dict[str, tuple[str | bytes, str]] = {
        "a bit of the salt": (replace(good, salt=flip(good.salt, 3)).text, NOT_IN_LOG),
        "a bit of the path": (replace(good, path=(flip(good.path[0], 100), *good.path[1:])).text, NOT_IN_LOG),
        "a hash too many": (replace(good, path=(*good.path, good.path[0])).text, NOT_IN_LOG),
        "a hash too few": (replace(good, path=good.path[:-1]).text, NOT_IN_LOG),
        "another position": (replace(good, index=18).text, NOT_IN_LOG),
        "a position beyond the end": (replace(good, index=300).text, BEYOND),
        "another language": (replace(good, opening={**good.opening, "locale": "fr"}).text, NOT_IN_LOG),
        "the root": (replace(good, checkpoint=good.checkpoint.replace(lines[2], as64(flip(root, 9)))).text, FALSE),
        "the size": (replace(good, checkpoint=good.checkpoint.replace("\n300\n", "\n301\n")).text, FALSE),
        "the name of the log": (replace(good, checkpoint=removed).text, FALSE),
        "a bit of the signature": (replace(good, checkpoint=flip_signature(good.checkpoint)).text, FALSE),
        "somebody else's key": (
            replace(good, checkpoint=write_checkpoint(log.origin, 300, root, stranger)).text, UNKNOWN_KEY
        ),
        "another installation": (
            replace(good, checkpoint=write_checkpoint(log.origin, 300, root, elsewhere)).text, UNKNOWN_KEY
        ),
        "another campaign's checkpoint": (replace(good, checkpoint=other.checkpoint).text, OTHER_LOG),
        "an older checkpoint": (replace(good, checkpoint=log.sign(200)).text, NOT_IN_LOG),
        "a leaf of what was removed": (Log(server, server.slug, tree="removed").receipt(3).text, NO_OPENING),
        "another campaign in what it says": (
            replace(good, opening={**good.opening, "campaign": server.long_slug}).text, OTHER_LOG
        ),
        "markup as campaign": (replace(good, opening={**good.opening, "campaign": "<b>"}).text, NO_OPENING),
        "something more in what it says": (replace(good, opening={**good.opening, "name": "Sok"}).text, NO_OPENING),
        "nothing added": ("\n".join(each for each in good.text.split("\n") if "extra" not in each), NO_OPENING),
        "cut in the path": (good.text[: good.text.index("\n\n") - 20], DAMAGED),
        "cut in the checkpoint": (good.text[:-30], DAMAGED),
        "cut in its first line": (good.text[:10], NO_RECEIPT),
        "no position": (good.text.replace("index 17\n", ""), DAMAGED),
        "a position that is no number": (good.text.replace("index 17", "index 17.5"), DAMAGED),
        "lines as Windows ends them": (good.text.replace("\n", "\r\n"), NO_RECEIPT),
        "nothing": ("", NO_RECEIPT),
        "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), NO_RECEIPT),
        "64 KiB of junk after a good beginning": (good.text.split("\n")[0] + "\n" + "A" * 60_000, DAMAGED),
        "megabytes of junk": (b"c2sp.org/tlog-proof@v1\n" + b"\xff" * 5_000_000, "is too large"),
    }  # fmt: skip
    for name, (content, word) in cases.items():
        said = choose(verify, content)
        assert FAILS in said, (name, said)
        assert word in said, (name, said)
        assert HOLDS not in said
    assert HOLDS in choose(verify, good.text)


def as64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def flip_signature(note: str) -> str:
    """Return a note with one bit of its first signature flipped, behind the key's name."""
    text, lines = note.rsplit("\n\n", 1)
    dash, name, data = lines.split("\n")[0].split(" ")
    return f"{text}\n\n{dash} {name} {as64(flip(base64.b64decode(data), 8 * 20))}\n"


def test_no_byte_of_a_receipt_can_change_unseen(page: Page, server: LiveServer) -> None:
    open_page(page, server, "en")
    good = Log(server, server.slug, size=21).receipt(4)
    written = good.text.encode()
    chance = random.Random(5)
    # Beside the salt and what it opens, where one JSON can be written in several ways.
    extra = range(written.index(b"extra "), written.index(b"index "))
    for at in chance.sample([at for at in range(len(written)) if at not in extra], 60):
        said = choose(page, written[:at] + flip(written[at : at + 1], 0) + written[at + 1 :])
        assert HOLDS not in said, at


# Reports


class Report:
    """A report as docs/verifying.md has it, its files made up."""

    def __init__(self, server: LiveServer) -> None:
        host = urlsplit(server.url).netloc
        seeds = open_keyring(server.settings.keys_dir).signing_seeds
        self.signers = [NoteSigner(host, seed) for seed in seeds]
        self.slug, self.base_url = server.slug, server.url
        self.files = {
            "README.txt": "អានមុន\n".encode(),
            "counts.csv": b"section,code,name_en,name_fr,name_km,signatures\n",
            "counts.json": b"{}",
            "log/removed.checkpoint": b"removed",
            "log/signed.checkpoint": b"signed",
            "report.pdf": b"%PDF-1.7" + bytes(200_000),
            "texts/edition-1.json": b"{}\n",
        }

    def manifest(self, **changes: str) -> str:
        facts = {
            "campaign": self.slug, "number": "3", "supersedes": "2", "issued-at": "2026-11-22T18:04:00Z",
            "as-of": "2026-11-22T18:00:00Z", "signatures": "612", "base-url": self.base_url, "checkpoint": "41",
            "signed-size": "640", "removed-size": "28", "edition-1": "ab" * 32,
        } | changes  # fmt: skip
        lines = ["hatthalekha-report/1", *(f"{name}: {value}" for name, value in facts.items())]
        lines += [f"{hashlib.sha256(content).hexdigest()}  {name}" for name, content in sorted(self.files.items())]
        return write_note("\n".join(lines) + "\n", self.signers)

    def write(self, folder: Path, manifest: str | None = None) -> Path:
        for name, content in {**self.files, "manifest": (manifest or self.manifest()).encode()}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder


def choose_files(page: Page, files: Path | list[Path]) -> str:
    """Choose a report's folder, or files of it, and return what the page says."""
    found = page.locator("#report-found")
    found.evaluate("element => element.replaceChildren()")
    page.set_input_files("#report-files" if isinstance(files, list) else "#report-folder", files)
    expect(found.locator("b")).to_be_visible()
    return found.inner_text()


def zip_folder(folder: Path, path: Path, inner: str = "", method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as file:
        for each in list_files(folder):
            file.write(each, inner + each.relative_to(folder).as_posix())
    return path


def list_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_report_holds_as_a_folder_and_as_files(verify: Page, server: LiveServer, tmp_path: Path) -> None:
    folder = Report(server).write(tmp_path / "report")
    (folder / ".DS_Store").write_bytes(b"left behind")
    for chosen in (folder, list_files(folder)):
        said = choose_files(verify, chosen)
        assert "This report holds: every file is as it was issued" in said, said
        assert said.count("is as it was issued") == 8
        assert "612" in said
        assert server.slug in said
        assert hashlib.sha256((folder / "manifest").read_bytes()).hexdigest() in said
    for name, inner in (("flat.zip", ""), ("folder.zip", "report-3/")):
        said = choose_files(verify, [zip_folder(folder, tmp_path / name, inner)])
        assert "This report holds: every file is as it was issued" in said, said
    few = choose_files(verify, [folder / "manifest", folder / "counts.csv"])
    assert "What you chose holds, but not every file was checked" in few
    assert "counts.csv is as it was issued" in few
    assert "report.pdf was not chosen, and not checked" in few


def test_whatever_is_changed_in_a_report_is_named(verify: Page, server: LiveServer, tmp_path: Path) -> None:
    report = Report(server)
    for name in report.files:
        folder = report.write(tmp_path / name.replace("/", "-"))
        (folder / name).write_bytes(flip((folder / name).read_bytes(), 5))
        for chosen in (folder, list_files(folder)):
            said = choose_files(verify, chosen)
            assert FAILS in said, name
            assert f"{name} has been changed" in said
            assert said.count("has been changed") == 1, said
    good = report.manifest()
    stranger = NoteSigner("a.example", b"\x01" * 32)
    cases = {
        "a count": (good.replace("signatures: 612", "signatures: 613"), FALSE),
        "a hash": (good.replace(hashlib.sha256(b"{}\n").hexdigest(), "0" * 64), FALSE),
        "a signature": (flip_signature(good), FALSE),
        "no signature": (good.rsplit("\n\n", 1)[0] + "\n", "is incomplete"),
        "half of it": (good[:200], "is incomplete"),
        "one signature more": (good + stranger.sign(good), UNKNOWN_KEY),
        "a stranger's": (write_note(good.rsplit("\n\n", 1)[0] + "\n", [stranger]), UNKNOWN_KEY),
        "sums": (report.manifest(signatures="611"), "contradict each other"),
        "a checkpoint": (Log(server, server.slug).checkpoint, "is incomplete"),
    }  # fmt: skip
    for number, (name, (content, word)) in enumerate(cases.items()):
        said = choose_files(verify, report.write(tmp_path / str(number), content))
        assert FAILS in said, (name, said)
        assert word in said, (name, said)


def test_a_zip_is_read_as_the_folder_that_it_holds(page: Page, server: LiveServer, tmp_path: Path) -> None:
    open_page(page, server, "en")
    report = Report(server)
    stored = zip_folder(report.write(tmp_path / "report"), tmp_path / "stored.zip", method=zipfile.ZIP_STORED)
    assert "every file is as it was issued" in choose_files(page, [stored])
    whole = stored.read_bytes()
    changed = tmp_path / "changed.zip"
    changed.write_bytes(whole.replace(b"section,code", b"section;code"))
    assert "counts.csv has been changed" in choose_files(page, [changed])
    cases = (b"", b"PK", whole[:-100], whole[:22], bytes(100_000), whole[: len(whole) // 2] + whole[-22:])
    for number, content in enumerate(cases):
        damaged = tmp_path / f"damaged{number}.zip"
        damaged.write_bytes(content)
        assert "The ZIP file is damaged" in choose_files(page, [damaged])
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file, file.open("report.pdf", "w") as entry:
        for _ in range(66):
            entry.write(bytes(1024 * 1024))
    assert "report.pdf is too large" in choose_files(page, [bomb])


def test_files_that_are_missing_or_do_not_belong_are_named(verify: Page, server: LiveServer, tmp_path: Path) -> None:
    folder = Report(server).write(tmp_path / "report")
    files = list_files(folder)
    assert "The file named manifest is missing" in choose_files(verify, [folder / "counts.csv"])
    (tmp_path / "extra.csv").write_bytes(b"more")
    assert "extra.csv is not part of this report" in choose_files(verify, [*files, tmp_path / "extra.csv"])
    (tmp_path / "counts.csv").write_bytes(b"more")
    assert "counts.csv was chosen twice" in choose_files(verify, [*files, tmp_path / "counts.csv"])
    (tmp_path / "manifest").write_bytes(b"more")
    assert "More than one file is named manifest" in choose_files(verify, [*files, tmp_path / "manifest"])


@pytest.mark.parametrize("locale", ["km", "fr"])
def test_the_page_answers_in_its_own_language(page: Page, server: LiveServer, tmp_path: Path, locale: str) -> None:
    open_page(page, server, locale)
    said = choose_files(page, Report(server).write(tmp_path / "report"))
    day, count = {"km": ("ថ្ងៃទី២២ ខែវិច្ឆិកា ឆ្នាំ២០២៦, ១៨:០០ (UTC)", "៦១២"), "fr": ("22 novembre 2026, 18:00 (UTC)", "612")}[
        locale
    ]
    assert day in said
    assert count in said
    log = Log(server, server.slug)
    for content in (log.receipt(3).text, log.receipt(3).text[:-30]):
        said = choose(page, content)
        words = page.locator("#words").evaluate("element => element.innerHTML")
        assert said.split("\n")[0].strip() in words


def test_without_encryption_the_page_says_what_to_do(page: Page, server: LiveServer) -> None:
    page.add_init_script("Object.defineProperty(window, 'crypto', { value: {} })")
    page.goto(f"{server.url}/en/verify")
    expect(page.get_by_text("This page was opened without encryption")).to_be_visible()
    expect(page.locator("#checks")).to_be_hidden()


def test_without_script_the_page_says_how_else(browser: Browser, server: LiveServer) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{server.url}/en/verify")
    expect(page.get_by_text("This browser cannot check files on this page")).to_be_visible()
    expect(page.get_by_role("link", name="Download verify.py")).to_be_visible()
    expect(page.locator("input[type=file]").first).to_be_hidden()
    context.close()
