"""Checking what Hatthalekha publishes: reports, checkpoints, receipts. One file, for people who do not install us.

    python verify.py DIR|report.zip|FILE.tlog-proof [--key VERIFIER-OR-FILE]… [--lang km|en|fr] [--offline]

Needs Python 3.11 and the package ``cryptography``, and nothing else: it is served and handed out as it stands. The
status is 0 where everything holds, 1 where something does not, 2 where there was nothing to judge.

Trees are those of RFC 6962 and RFC 9162 (section 2.1), notes c2sp.org/signed-note, checkpoints
c2sp.org/tlog-checkpoint, receipts c2sp.org/tlog-proof@v1. What a report is made of: docs/verifying.md.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import hmac
import io
import json
import lzma
import os
import re
import stat
import struct
import sys
import time
import zipfile
import zlib
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from xml.etree import ElementTree as ET

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    #: Returns what an address answers. Raises Unreachable.
    Fetch = Callable[[str], bytes]

ED25519: Final = b"\x01"
KEY_ID_BYTES: Final = 4
HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
PROOF_VERSION: Final = "c2sp.org/tlog-proof@v1"
REPORT_VERSION: Final = "hatthalekha-report/1"
LOCALES: Final = ("en", "fr", "km")
TREES: Final = ("signed", "removed")

MOST_SIGNATURES: Final = 100  # of a note
MOST_PATH: Final = 64  # hashes of a proof: as many as the bits of a size
MOST_FILES: Final = 200
MOST_ENTRIES: Final = 2000  # of a folder or ZIP, whatever they are
FILE_BYTES: Final = 64 * 2**20
ALL_BYTES: Final = 256 * 2**20
SHEET_BYTES: Final = 16 * 2**20  # unpacked
ANSWER_BYTES: Final = 4 * 2**20
PATIENCE: Final = 5.0  # seconds that an address has for each thing it says
WHOLE_PATIENCE: Final = 20.0  # and for all of it

PATH: Final = re.compile(r"(?=.{1,100}\Z)[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*\Z")
SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,99}\Z")
BASE_URL: Final = re.compile(r"https?://([A-Za-z0-9.\-]+(?::[0-9]{1,5})?|\[[0-9a-f:]+\](?::[0-9]{1,5})?)\Z")
SHA256: Final = re.compile(r"[0-9a-f]{64}\Z")
NUMBER: Final = re.compile(r"(?:0|[1-9]\d{0,17})\Z", re.ASCII)
VERIFIER: Final = re.compile(r"[^\s\"+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*")
LEFTOVERS: Final = re.compile(r"(?:.*/)?(?:\.DS_Store|Thumbs\.db|desktop\.ini|__MACOSX/.*)\Z")


class NotGenuine(Exception):
    """Something is not what it claims to be; the message is a word that names why."""


class Unreachable(Exception):
    """An address did not answer, or not with what it should."""


# Trees


def hash_leaf(entry: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + entry).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node above two others."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def is_included(*, leaf_hash: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Tell whether ``path`` leads from a leaf to the root of a tree (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf_hash
    for each in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = hash_node(each, found)
            while at != 0 and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            found = hash_node(found, each)
        at, last = at >> 1, last >> 1
    return last == 0 and hmac.compare_digest(found, root)


def is_consistent(*, old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Tell whether a tree of ``new`` leaves begins with one of ``old`` (RFC 9162, section 2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    hashes = list(proof) if old & (old - 1) else [old_root, *proof]
    if not hashes:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    found_old = found_new = hashes[0]
    for each in hashes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            found_old, found_new = hash_node(each, found_old), hash_node(each, found_new)
            while at != 0 and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            found_new = hash_node(found_new, each)
        at, last = at >> 1, last >> 1
    return last == 0 and hmac.compare_digest(found_old, old_root) and hmac.compare_digest(found_new, new_root)


def commit(salt: bytes, opening: bytes) -> bytes:
    """Return the entry of the log that stands for ``opening``: without the salt it says nothing."""
    return hmac.new(salt, opening, hashlib.sha256).digest()


# Signed notes


def key_id(name: str, public: bytes) -> bytes:
    """Return the four bytes by which a note names an Ed25519 key."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public).digest()[:KEY_ID_BYTES]


@dataclass(frozen=True)
class Verifier:
    """A public key, and whose it is."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, text: str) -> Verifier:
        """Read ``name+id+key`` as it is published. Raises NotGenuine ``key``."""
        name, _, rest = text.strip().partition("+")
        identity, _, key = rest.partition("+")
        data = _decode(key, "key")
        if not _is_name(name) or data[:1] != ED25519 or len(data) != HASH_BYTES + 1:
            raise NotGenuine("key")
        verifier = cls(name, data[1:])
        if identity != verifier.id.hex():
            raise NotGenuine("key")
        return verifier

    @property
    def id(self) -> bytes:
        """The four bytes by which notes name it."""
        return key_id(self.name, self.public)

    @property
    def text(self) -> str:
        """The form in which it is published."""
        return f"{self.name}+{self.id.hex()}+{b64encode(ED25519 + self.public).decode()}"

    def has_signed(self, text: str, signature: bytes) -> bool:
        """Tell whether this key made a signature of ``text``."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError):  # ValueError: bytes that are no key at all
            return False
        return True


@dataclass(frozen=True)
class Note:
    """A note taken apart, and nothing in it believed yet."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]  # name, key id, signature

    @classmethod
    def parse(cls, note: str) -> Note:
        """Read a note. Raises NotGenuine ``note``."""
        text, blank, rest = note.rpartition("\n\n")
        if not blank or not rest.endswith("\n") or any(sign < " " and sign != "\n" for sign in note):
            raise NotGenuine("note")
        lines = rest[:-1].split("\n")
        if len(lines) > MOST_SIGNATURES:
            raise NotGenuine("note")
        return cls(text + "\n", tuple(_read_signature(line) for line in lines))

    def find_signer(self, verifiers: Iterable[Verifier]) -> Verifier:
        """Return one of ``verifiers`` that signed it.

        Raises NotGenuine: ``forged`` where a signature of one of them is false, ``unknown`` where there is none.
        """
        known = {(each.name, each.id): each for each in verifiers}
        signer = None
        for name, identity, signature in self.signatures:
            verifier = known.get((name, identity))
            if verifier is None:
                continue
            if not verifier.has_signed(self.text, signature):
                raise NotGenuine("forged")
            signer = signer or verifier
        if signer is None:
            raise NotGenuine("unknown")
        return signer


def open_note(note: str, verifiers: Sequence[Verifier]) -> str:
    """Return the text of a note that at least one of ``verifiers`` signed.

    Raises NotGenuine: ``note`` for what is none, ``forged`` where a signature of one of them is false, ``unknown``
    where none of them signed.
    """
    parsed = Note.parse(note)
    parsed.find_signer(verifiers)
    return parsed.text


@dataclass(frozen=True)
class TreeHead:
    """What a checkpoint says."""

    origin: str
    size: int
    root: bytes


def read_checkpoint(note: str, verifiers: Sequence[Verifier]) -> TreeHead:
    """Open a checkpoint. Raises NotGenuine as open_note does, and ``checkpoint``."""
    lines = open_note(note, verifiers).split("\n")
    if len(lines) < 4 or not NUMBER.match(lines[1]):  # noqa: PLR2004 - origin, size, root, and what ends the last line
        raise NotGenuine("checkpoint")
    root = _decode(lines[2], "checkpoint")
    if len(root) != HASH_BYTES:
        raise NotGenuine("checkpoint")
    return TreeHead(lines[0], int(lines[1]), root)


def _is_name(name: str) -> bool:
    return bool(name) and name.isprintable() and not {"+", " "} & {*name}


def _read_signature(line: str) -> tuple[str, bytes, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, signature = rest.partition(" ")
    data = _decode(signature, "note")
    if dash != "—" or not _is_name(name) or len(data) <= KEY_ID_BYTES:
        raise NotGenuine("note")
    return name, data[:KEY_ID_BYTES], data[KEY_ID_BYTES:]


def _decode(text: str, what: str) -> bytes:
    try:
        data = b64decode(text, validate=True)
    except (NotBase64, ValueError):
        raise NotGenuine(what) from None
    # Bits that no byte takes could change unseen.
    if b64encode(data).decode() != text:
        raise NotGenuine(what)
    return data


# Receipts


@dataclass(frozen=True)
class Receipt:
    """A proof (c2sp.org/tlog-proof@v1) taken apart, and nothing in it believed yet."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: str
    salt: bytes
    opening: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> Receipt:
        """Read a receipt. Raises NotGenuine ``receipt``."""
        head, _, checkpoint = text.partition("\n\n")
        version, extra, index, *path = (*head.split("\n"), "", "")
        path = path[:-2] if version == PROOF_VERSION else []
        number = index.removeprefix("index ")
        if version != PROOF_VERSION or number == index or not NUMBER.match(number) or len(path) > MOST_PATH:
            raise NotGenuine("receipt")
        hashes = tuple(_decode(each, "receipt") for each in path)
        if not extra.startswith("extra ") or any(len(each) != HASH_BYTES for each in hashes):
            raise NotGenuine("receipt")
        salt, opening = _read_extra(_decode(extra.removeprefix("extra "), "receipt"))
        return cls(int(number), hashes, checkpoint, salt, opening)

    @property
    def entry(self) -> bytes:
        """The entry of the log that its opening and its salt make."""
        return commit(self.salt, canonical_json(self.opening))

    def is_in(self, head: TreeHead) -> bool:
        """Tell whether what it opens is in a tree, at its place."""
        leaf = hash_leaf(self.entry)
        return is_included(leaf_hash=leaf, index=self.index, size=head.size, path=self.path, root=head.root)


def canonical_json(data: object) -> bytes:
    """Return JSON of which there is one form only: keys sorted, no spaces, UTF-8."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def read_json(data: bytes) -> object:
    """Read JSON without fractions and without a key twice in an object. Raises NotGenuine ``json``."""

    def pair(pairs: list[tuple[str, object]]) -> dict[str, object]:
        read = dict(pairs)
        if len(read) != len(pairs):
            raise ValueError
        return read

    def refuse(_: str) -> NoReturn:
        raise ValueError

    try:
        read: object = json.loads(
            data.decode("utf-8-sig"), object_pairs_hook=pair, parse_float=refuse, parse_constant=refuse
        )
    except (ValueError, RecursionError):
        raise NotGenuine("json") from None
    return read


def _read_extra(data: bytes) -> tuple[bytes, dict[str, str]]:
    read = read_json(data)
    salt, opening = dig(read, "salt"), dig(read, "opening")
    if not isinstance(salt, str) or not SHA256.match(salt) or not isinstance(opening, dict):
        raise NotGenuine("receipt")
    texts = {name: text for name, text in opening.items() if isinstance(text, str)}
    # Half of a surrogate pair is no text, and JSON can say it.
    if len(texts) != len(opening) or any("\ud800" <= sign <= "\udfff" for sign in "".join([*texts, *texts.values()])):
        raise NotGenuine("receipt")
    return bytes.fromhex(salt), texts


def dig(data: object, *keys: str) -> object:
    """Return what lies under ``keys`` in objects within objects, or None."""
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _whole(value: object) -> int | None:
    is_whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53
    return value if is_whole and isinstance(value, int) else None


def _rows(data: object, *keys: str) -> list[object]:
    found = dig(data, *keys)
    return found if isinstance(found, list) else []


# What is found, in words


#: English, French, Khmer.
SENTENCES: Final[Mapping[str, tuple[str, str, str]]] = {
    "manifest_signed": (
        "The manifest was signed with the key {key}.",
        "Le manifeste a été signé avec la clé {key}.",
        "ឯកសារ manifest ត្រូវបានចុះហត្ថលេខាឌីជីថលដោយសោ {key}។",
    ),
    "manifest_forged": (
        "The manifest was changed after it was signed: a signature on it is false.",
        "Le manifeste a été modifié après sa signature : une de ses signatures est fausse.",
        "ឯកសារ manifest ត្រូវបានកែប្រែក្រោយពេលចុះហត្ថលេខាឌីជីថល៖ ហត្ថលេខាឌីជីថលរបស់វាមិនត្រឹមត្រូវទេ។",
    ),
    "manifest_unknown": (
        "The manifest is not signed with any of the keys it is checked with: {keys}",
        "Le manifeste n’est signé avec aucune des clés de vérification : {keys}",
        "ឯកសារ manifest មិនត្រូវបានចុះហត្ថលេខាឌីជីថលដោយសោណាមួយដែលប្រើសម្រាប់ផ្ទៀងផ្ទាត់ទេ៖ {keys}",
    ),
    "manifest_stray": (
        "The manifest bears a signature of a key that the report does not name: {key}.",
        "Le manifeste porte la signature d’une clé que le rapport ne nomme pas : {key}.",
        "ឯកសារ manifest មានហត្ថលេខាឌីជីថលនៃសោមួយដែលរបាយការណ៍មិនបានរាយឈ្មោះ៖ {key}។",
    ),
    "manifest_other_host": (
        "The report speaks for {host}, and the key that signed it is {key}.",
        "Le rapport parle au nom de {host}, et la clé qui l’a signé est {key}.",
        "របាយការណ៍នេះចេញក្នុងនាម {host} ប៉ុន្តែសោដែលបានចុះហត្ថលេខាឌីជីថលគឺ {key}។",
    ),
    "manifest_note": (
        "The manifest cannot be read: it is not a signed note.",
        "Le manifeste est illisible : ce n’est pas une note signée.",
        "មិនអាចអានឯកសារ manifest បានទេ៖ វាមិនមែនជាអត្ថបទដែលមានហត្ថលេខាឌីជីថលទេ។",
    ),
    "manifest_line": (
        "The manifest has a line that does not belong there: “{line}”.",
        "Le manifeste a une ligne qui n’y a pas sa place : « {line} ».",
        "ឯកសារ manifest មានបន្ទាត់មួយដែលមិនគួរមាន៖ «{line}»។",
    ),
    "manifest_lacks": (
        "The manifest does not say what it should about “{name}”.",
        "Le manifeste ne dit pas ce qu’il doit dire de « {name} ».",
        "ឯកសារ manifest មិនបានបញ្ជាក់អំពី «{name}» តាមដែលត្រូវបញ្ជាក់ទេ។",
    ),
    "keys_of_report": (
        (
            "No key was given: the keys that the report itself names were used. Compare them with the published"
            " ones, at"
            " {url} or as you were given them: {keys}"
        ),
        (
            "Aucune clé n’a été donnée : celles que le rapport nomme lui-même ont servi. Comparez-les à celles qui sont"
            " publiées à {url} ou qui vous ont été remises : {keys}"
        ),
        (
            "លោកអ្នកមិនបានផ្ដល់សោទេ៖ សោដែលរបាយការណ៍នេះរាយឈ្មោះផ្ទាល់ត្រូវបានប្រើ។ សូមលោកអ្នកប្រៀបធៀបវា"
            "ជាមួយសោដែលផ្សាយនៅ {url} ឬដែលលោកអ្នកបានទទួល៖ {keys}"
        ),
    ),
    "keys_published": (
        "The keys of the report are those published at {url}. See that this is the address you know.",
        "Les clés du rapport sont celles qui sont publiées à {url}. Assurez-vous que c’est bien l’adresse connue.",
        "សោក្នុងរបាយការណ៍ គឺជាសោដែលផ្សាយនៅ {url}។ សូមលោកអ្នកពិនិត្យថា នេះជាអាសយដ្ឋានដែលលោកអ្នកស្គាល់។",
    ),
    "keys_not_published": (
        "The key {key} is not among those published at {url}.",
        "La clé {key} n’est pas parmi celles qui sont publiées à {url}.",
        "សោ {key} មិនមានក្នុងចំណោមសោដែលផ្សាយនៅ {url} ទេ។",
    ),
    "keys_fetched": (
        "No key was given: those published at {url} were used. See that this is the address you know.",
        (
            "Aucune clé n’a été donnée : celles qui sont publiées à {url} ont servi. Assurez-vous que c’est"
            " bien l’adresse"
            " connue."
        ),
        "លោកអ្នកមិនបានផ្ដល់សោទេ៖ សោដែលផ្សាយនៅ {url} ត្រូវបានប្រើ។ សូមលោកអ្នកពិនិត្យថា នេះជាអាសយដ្ឋានដែលលោកអ្នកស្គាល់។",
    ),
    "keys_none": (
        "No key was given to check it with: give one with --key.",
        "Aucune clé n’a été donnée pour la vérification : donnez-en une avec --key.",
        "គ្មានសោសម្រាប់ផ្ទៀងផ្ទាត់ទេ៖ សូមលោកអ្នកផ្ដល់សោមួយដោយប្រើ --key។",
    ),
    "files_hold": (
        "The files that the manifest names are all there and unchanged ({count}).",
        "Les fichiers que le manifeste nomme sont tous là et n’ont pas changé ({count}).",
        "ឯកសារទាំងអស់ដែលរាយក្នុង manifest មានគ្រប់ និងមិនត្រូវបានកែប្រែទេ ({count})។",
    ),
    "file_changed": (
        "{file} was changed: its SHA-256 is not the one in the manifest.",
        "{file} a été modifié : son SHA-256 n’est pas celui du manifeste.",
        "{file} ត្រូវបានកែប្រែ៖ SHA-256 របស់វាមិនដូចក្នុង manifest ទេ។",
    ),
    "file_missing": (
        "{file} is missing: the manifest names it.",
        "{file} manque : le manifeste le nomme.",
        "បាត់ឯកសារ {file}៖ manifest បានរាយឈ្មោះវា។",
    ),
    "file_extra": (
        "{file} is no part of the report: the manifest does not name it.",
        "{file} ne fait pas partie du rapport : le manifeste ne le nomme pas.",
        "{file} មិនមែនជាផ្នែកនៃរបាយការណ៍ទេ៖ manifest មិនបានរាយឈ្មោះវាទេ។",
    ),
    "file_odd": (
        "{file} is not a plain file: it is a link, a device or the like, and was not read.",
        "{file} n’est pas un simple fichier : c’est un lien, un périphérique ou autre, et il n’a pas été lu.",
        "{file} មិនមែនជាឯកសារធម្មតាទេ៖ វាជាតំណ ឧបករណ៍ ឬអ្វីផ្សេង ហើយមិនត្រូវបានអានទេ។",
    ),
    "file_large": (
        "{file} is larger than anything in a report, and was not read.",
        "{file} est plus gros que tout ce qu’un rapport contient, et n’a pas été lu.",
        "{file} ធំជាងអ្វីៗទាំងអស់ក្នុងរបាយការណ៍ ហើយមិនត្រូវបានអានទេ។",
    ),
    "file_unread": (
        "{file} could not be read.",
        "{file} n’a pas pu être lu.",
        "មិនអាចអាន {file} បានទេ។",
    ),
    "file_twice": (
        "{file} is there twice.",
        "{file} s’y trouve deux fois.",
        "{file} មានពីរដង។",
    ),
    "file_left": (
        "{file} is no part of the report: your system left it there.",
        "{file} ne fait pas partie du rapport : votre système l’a laissé là.",
        "{file} មិនមែនជាផ្នែកនៃរបាយការណ៍ទេ៖ ប្រព័ន្ធរបស់លោកអ្នកបានទុកវានៅទីនោះ។",
    ),
    "figures_agree": (
        "counts.json says what the manifest says: report no. {number}, {signatures} verified signatures as of {as_of}.",
        (
            "counts.json dit ce que dit le manifeste : rapport nº {number}, {signatures} signatures vérifiées"
            " en date du"
            " {as_of}."
        ),
        ("counts.json ស្របនឹង manifest៖ របាយការណ៍លេខ {number} ហត្ថលេខាដែលបានផ្ទៀងផ្ទាត់ចំនួន {signatures} គិតត្រឹម {as_of}។"),
    ),
    "figure_differs": (
        "counts.json has “{found}” for {name}, and the manifest has “{wanted}”.",
        "counts.json donne « {found} » pour {name}, et le manifeste « {wanted} ».",
        "counts.json មាន «{found}» សម្រាប់ {name} ប៉ុន្តែ manifest មាន «{wanted}»។",
    ),
    "figures_broken": (
        "counts.json cannot be read.",
        "counts.json est illisible.",
        "មិនអាចអាន counts.json បានទេ។",
    ),
    "log_adds_up": (
        "The log adds up: {signed} signed less {removed} removed are {signatures}.",
        "Le journal est juste : {signed} signées moins {removed} écartées ou retirées font {signatures}.",
        "កំណត់ត្រាត្រូវគ្នា៖ បានចុះ {signed} ដក {removed} ដែលលែងរាប់ ស្មើ {signatures}។",
    ),
    "log_differs": (
        "The log does not add up: {signed} signed less {removed} removed are not {signatures}.",
        "Le journal n’est pas juste : {signed} signées moins {removed} écartées ou retirées ne font pas {signatures}.",
        "កំណត់ត្រាមិនត្រូវគ្នាទេ៖ បានចុះ {signed} ដក {removed} ដែលលែងរាប់ មិនស្មើ {signatures} ទេ។",
    ),
    "way_adds_up": (
        "The way adds up: of {received} forms received, {signatures} became verified signatures.",
        "Le parcours est juste : de {received} formulaires reçus, {signatures} sont devenus des signatures vérifiées.",
        ("ដំណើរការរាប់ត្រូវគ្នា៖ ក្នុងចំណោមបែបបទ {received} ដែលបានទទួល មាន {signatures} ក្លាយជាហត្ថលេខាដែលបានផ្ទៀងផ្ទាត់។"),
    ),
    "way_differs": (
        "The way from forms received to verified signatures adds up to {found}, and not to {wanted}.",
        "Le parcours des formulaires reçus aux signatures vérifiées donne {found}, et non {wanted}.",
        "ដំណើរការពីបែបបទដែលបានទទួល ដល់ហត្ថលេខាដែលបានផ្ទៀងផ្ទាត់ បូកបាន {found} មិនមែន {wanted} ទេ។",
    ),
    "way_broken": (
        "counts.json has no way from forms received to verified signatures that can be read.",
        "counts.json n’a pas de parcours lisible des formulaires reçus aux signatures vérifiées.",
        "counts.json គ្មានដំណើរការពីបែបបទដែលបានទទួល ដល់ហត្ថលេខាដែលបានផ្ទៀងផ្ទាត់ ដែលអាចអានបានទេ។",
    ),
    "parts_add_up": (
        "The breakdown adds up: its parts make its {wanted} signatures.",
        "La répartition est juste : ses parties font ses {wanted} signatures.",
        "ការបែងចែកត្រូវគ្នា៖ ផ្នែកទាំងអស់បូកបានហត្ថលេខា {wanted}។",
    ),
    "parts_differ": (
        "{name} adds up to {found}, and not to {wanted}.",
        "{name} donne au total {found}, et non {wanted}.",
        "{name} បូកបាន {found} មិនមែន {wanted} ទេ។",
    ),
    "parts_exceed": (
        "{name} adds up to {found}, which is more than {wanted}.",
        "{name} donne au total {found}, soit plus que {wanted}.",
        "{name} បូកបាន {found} ដែលលើស {wanted}។",
    ),
    "parts_broken": (
        "{name} in counts.json cannot be read.",
        "{name} dans counts.json est illisible.",
        "មិនអាចអាន {name} ក្នុង counts.json បានទេ។",
    ),
    "parts_none": (
        "The report has no breakdown.",
        "Le rapport n’a pas de répartition.",
        "របាយការណ៍នេះគ្មានការបែងចែកទេ។",
    ),
    "paper_apart": (
        "Signatures in ink stand apart ({paper}): they are in no sum here, and nothing here verifies them.",
        "Les signatures manuscrites sont à part ({paper}) : aucune somme ne les compte, et rien ici ne les vérifie.",
        "ហត្ថលេខាលើក្រដាសស្ថិតនៅដោយឡែក ({paper})៖ វាមិនមាននៅក្នុងផលបូកណាទេ ហើយគ្មានអ្វីនៅទីនេះផ្ទៀងផ្ទាត់វាទេ។",
    ),
    "paper_in_sum": (
        "Signatures in ink ({paper}) may have been added: the total is {signatures}, and the log counts {logged}.",
        "Des signatures manuscrites ({paper}) ont pu être ajoutées : total de {signatures}, et {logged} au journal.",
        "ហត្ថលេខាលើក្រដាស ({paper}) អាចត្រូវបានបូកចូលក្នុងចំនួនសរុប៖ ចំនួនសរុបគឺ {signatures} ហើយកំណត់ត្រារាប់បាន {logged}។",
    ),
    "paper_broken": (
        "What counts.json says of signatures in ink cannot be right.",
        "Ce que counts.json dit des signatures manuscrites ne peut pas être juste.",
        "អ្វីដែល counts.json ចែងអំពីហត្ថលេខាលើក្រដាស មិនអាចត្រឹមត្រូវទេ។",
    ),
    "rows_agree": (
        "{file} says row for row what counts.json says ({count}).",
        "{file} dit ligne par ligne ce que dit counts.json ({count}).",
        "{file} ស្របនឹង counts.json មួយជួរៗ ({count})។",
    ),
    "row_differs": (
        "Row {row} of {file} is “{found}”, and by counts.json it is “{wanted}”.",
        "La ligne {row} de {file} est « {found} », et selon counts.json « {wanted} ».",
        "ជួរទី {row} នៃ {file} គឺ «{found}» ប៉ុន្តែតាម counts.json គឺ «{wanted}»។",
    ),
    "table_broken": (
        "{file} cannot be read as a table.",
        "{file} est illisible comme tableau.",
        "មិនអាចអាន {file} ជាតារាងបានទេ។",
    ),
    "edition_holds": (
        "The text of edition {number} is the one that was signed.",
        "Le texte de l’édition {number} est bien celui qui a été signé.",
        "អត្ថបទលើកទី{number} គឺជាអត្ថបទដែលបានចុះហត្ថលេខា។",
    ),
    "edition_differs": (
        "The text of edition {number} is not the one that was signed: {file} has another hash.",
        "Le texte de l’édition {number} n’est pas celui qui a été signé : {file} a une autre empreinte.",
        "អត្ថបទលើកទី{number} មិនមែនជាអត្ថបទដែលបានចុះហត្ថលេខាទេ៖ {file} មានលេខ SHA-256 ផ្សេង។",
    ),
    "checkpoint_holds": (
        "The checkpoint of the log “{tree}” is genuine: {size} entries.",
        "Le point de contrôle du journal « {tree} » est authentique : {size} entrées.",
        "ចំណុចត្រួតពិនិត្យនៃកំណត់ត្រា «{tree}» ពិតប្រាកដ៖ ធាតុចំនួន {size}។",
    ),
    "checkpoint_forged": (
        "{file} was changed after it was signed: a signature on it is false.",
        "{file} a été modifié après sa signature : une de ses signatures est fausse.",
        "{file} ត្រូវបានកែប្រែក្រោយពេលចុះហត្ថលេខាឌីជីថល៖ ហត្ថលេខាឌីជីថលរបស់វាមិនត្រឹមត្រូវទេ។",
    ),
    "checkpoint_unknown": (
        "{file} is not signed with a key that is known.",
        "{file} n’est signé avec aucune clé connue.",
        "{file} មិនត្រូវបានចុះហត្ថលេខាឌីជីថលដោយសោដែលស្គាល់ទេ។",
    ),
    "checkpoint_broken": (
        "{file} is not a checkpoint.",
        "{file} n’est pas un point de contrôle.",
        "{file} មិនមែនជាចំណុចត្រួតពិនិត្យទេ។",
    ),
    "checkpoint_other": (
        "{file} is a checkpoint of another log: {found}, and not {wanted}.",
        "{file} est un point de contrôle d’un autre journal : {found}, et non {wanted}.",
        "{file} ជាចំណុចត្រួតពិនិត្យនៃកំណត់ត្រាផ្សេង៖ {found} មិនមែន {wanted} ទេ។",
    ),
    "checkpoint_size": (
        "{file} is of a tree of {found} entries, and the manifest says {wanted}: the tree was cut or is another.",
        (
            "{file} est celui d’un arbre de {found} entrées, et le manifeste en dit {wanted} : l’arbre a été tronqué ou"
            " c’en est un autre."
        ),
        "{file} គឺនៃកំណត់ត្រាដែលមានធាតុ {found} ប៉ុន្តែ manifest ថា {wanted}៖ កំណត់ត្រាត្រូវបានកាត់ ឬជាកំណត់ត្រាផ្សេង។",
    ),
    "live_offline": (
        "Not compared with the live log: you asked to stay offline.",
        "Pas de comparaison avec le journal en ligne : vous avez demandé de rester hors ligne.",
        "មិនបានប្រៀបធៀបជាមួយកំណត់ត្រាលើបណ្ដាញទេ៖ លោកអ្នកបានស្នើមិនឲ្យភ្ជាប់បណ្ដាញ។",
    ),
    "live_not_asked": (
        "Not compared with the live log: nothing is asked of an address that a false manifest names.",
        "Pas de comparaison avec le journal en ligne : rien n’est demandé à une adresse que nomme un faux manifeste.",
        "មិនបានប្រៀបធៀបជាមួយកំណត់ត្រាលើបណ្ដាញទេ៖ អាសយដ្ឋានដែល manifest មិនត្រឹមត្រូវរាយ មិនត្រូវបានទាក់ទងទេ។",
    ),
    "live_unreachable": (
        "Not compared with what is online: {url} gave no answer that could be used.",
        "Pas de comparaison en ligne : {url} n’a pas donné de réponse utilisable.",
        "មិនបានប្រៀបធៀបជាមួយអ្វីដែលមានលើបណ្ដាញទេ៖ {url} មិនបានឆ្លើយតបដែលអាចប្រើបានទេ។",
    ),
    "live_unknown": (
        (
            "Not compared with the live log “{tree}”: it is signed with keys that are newer than those known"
            " here. Get them."
        ),
        (
            "Pas de comparaison avec le journal en ligne « {tree} » : il est signé avec des clés plus récentes"
            " que celles qui"
            " sont connues ici. Procurez-les-vous."
        ),
        (
            "មិនបានប្រៀបធៀបជាមួយកំណត់ត្រាលើបណ្ដាញ «{tree}» ទេ៖ វាត្រូវបានចុះហត្ថលេខាឌីជីថលដោយសោថ្មីជាងសោដែលស្គាល់"
            "នៅទីនេះ។ សូមលោកអ្នកស្វែងរកសោថ្មីនោះ។"
        ),
    ),
    "live_forged": (
        "The live checkpoint at {url} is not genuine.",
        "Le point de contrôle en ligne à {url} n’est pas authentique.",
        "ចំណុចត្រួតពិនិត្យលើបណ្ដាញនៅ {url} មិនពិតប្រាកដទេ។",
    ),
    "live_shorter": (
        "The live log “{tree}” has {found} entries, fewer than the {wanted} it had: it was cut.",
        "Le journal en ligne « {tree} » a {found} entrées, moins que les {wanted} qu’il avait : il a été tronqué.",
        "កំណត់ត្រាលើបណ្ដាញ «{tree}» មានធាតុ {found} តិចជាង {wanted} ដែលធ្លាប់មាន៖ វាត្រូវបានកាត់។",
    ),
    "live_rewritten": (
        "The live log “{tree}” does not begin with the {wanted} entries it had: it was rewritten.",
        "Le journal en ligne « {tree} » ne commence pas par les {wanted} entrées qu’il avait : il a été réécrit.",
        "កំណត់ត្រាលើបណ្ដាញ «{tree}» មិនចាប់ផ្ដើមដោយធាតុ {wanted} ដែលធ្លាប់មានទេ៖ វាត្រូវបានសរសេរឡើងវិញ។",
    ),
    "live_holds": (
        "The live log “{tree}” ({found} entries) begins with the {wanted} it had: nothing was rewritten.",
        (
            "Le journal en ligne « {tree} » ({found} entrées) commence par les {wanted} qu’il avait : rien n’a"
            " été réécrit."
        ),
        ("កំណត់ត្រាលើបណ្ដាញ «{tree}» (ធាតុ {found}) ចាប់ផ្ដើមដោយធាតុ {wanted} ដែលធ្លាប់មាន៖ គ្មានអ្វីត្រូវបានសរសេរឡើងវិញទេ។"),
    ),
    "listed": (
        "The list of reports at {url} has this very report.",
        "La liste des rapports à {url} contient ce rapport même.",
        "បញ្ជីរបាយការណ៍នៅ {url} មានរបាយការណ៍នេះ។",
    ),
    "listed_other": (
        "The list of reports at {url} has another report under no. {number}.",
        "La liste des rapports à {url} contient un autre rapport sous le nº {number}.",
        "បញ្ជីរបាយការណ៍នៅ {url} មានរបាយការណ៍ផ្សេងក្រោមលេខ {number}។",
    ),
    "listed_not": (
        "The list of reports at {url} has no report no. {number}.",
        "La liste des rapports à {url} ne contient pas de rapport nº {number}.",
        "បញ្ជីរបាយការណ៍នៅ {url} គ្មានរបាយការណ៍លេខ {number} ទេ។",
    ),
    "superseded": (
        "A later report supersedes this one: no. {number}.",
        "Un rapport plus récent remplace celui-ci : le nº {number}.",
        "របាយការណ៍ថ្មីជាងមួយជំនួសរបាយការណ៍នេះ៖ លេខ {number}។",
    ),
    "receipt_broken": (
        "The receipt cannot be read: it was cut or changed.",
        "Le reçu est illisible : il a été tronqué ou modifié.",
        "មិនអាចអានបង្កាន់ដៃបានទេ៖ វាត្រូវបានកាត់ ឬកែប្រែ។",
    ),
    "receipt_signed": (
        "The receipt's checkpoint was signed with the key {key}: a log of {size} entries.",
        "Le point de contrôle du reçu a été signé avec la clé {key} : un journal de {size} entrées.",
        "ចំណុចត្រួតពិនិត្យក្នុងបង្កាន់ដៃ ត្រូវបានចុះហត្ថលេខាឌីជីថលដោយសោ {key}៖ កំណត់ត្រាមានធាតុ {size}។",
    ),
    "receipt_forged": (
        "The receipt's checkpoint was changed after it was signed: a signature on it is false.",
        "Le point de contrôle du reçu a été modifié après sa signature : une de ses signatures est fausse.",
        "ចំណុចត្រួតពិនិត្យក្នុងបង្កាន់ដៃ ត្រូវបានកែប្រែក្រោយពេលចុះហត្ថលេខាឌីជីថល៖ ហត្ថលេខាឌីជីថលមិនត្រឹមត្រូវទេ។",
    ),
    "receipt_unknown": (
        "The receipt's checkpoint is not signed with any of the keys it is checked with: {keys}",
        "Le point de contrôle du reçu n’est signé avec aucune des clés de vérification : {keys}",
        "ចំណុចត្រួតពិនិត្យក្នុងបង្កាន់ដៃ មិនត្រូវបានចុះហត្ថលេខាឌីជីថលដោយសោណាមួយដែលប្រើសម្រាប់ផ្ទៀងផ្ទាត់ទេ៖ {keys}",
    ),
    "receipt_other_log": (
        "The receipt's checkpoint is of another log: {found}, and not {wanted}.",
        "Le point de contrôle du reçu est celui d’un autre journal : {found}, et non {wanted}.",
        "ចំណុចត្រួតពិនិត្យក្នុងបង្កាន់ដៃ ជារបស់កំណត់ត្រាផ្សេង៖ {found} មិនមែន {wanted} ទេ។",
    ),
    "receipt_included": (
        "Entry {index} of the log is a signature under {campaign}, edition {edition}, in language {locale}.",
        "L’entrée {index} du journal est une signature de {campaign}, édition {edition}, dans la langue {locale}.",
        "ធាតុទី {index} នៃកំណត់ត្រា គឺជាហត្ថលេខាលើ {campaign} អត្ថបទ {edition} ជាភាសា {locale}។",
    ),
    "receipt_other_leaf": (
        "The receipt does not lead to the log it names: it is the proof of another entry, or was changed.",
        "Le reçu ne mène pas au journal qu’il nomme : c’est la preuve d’une autre entrée, ou il a été modifié.",
        "បង្កាន់ដៃនេះមិននាំទៅដល់កំណត់ត្រាដែលវារាយឈ្មោះទេ៖ វាជាភស្តុតាងនៃធាតុផ្សេង ឬត្រូវបានកែប្រែ។",
    ),
    "verdict_report": (
        "Everything that was checked holds.",
        "Tout ce qui a été vérifié est exact.",
        "អ្វីៗទាំងអស់ដែលបានផ្ទៀងផ្ទាត់ គឺត្រឹមត្រូវ។",
    ),
    "verdict_receipt": (
        (
            "Everything that was checked holds: the signature was taken into the count. Whether it is still in"
            " it, a receipt"
            " does not say."
        ),
        "Tout ce qui a été vérifié est exact : la signature a été comptée. Un reçu ne dit pas si elle l’est encore.",
        ("អ្វីៗទាំងអស់ដែលបានផ្ទៀងផ្ទាត់ គឺត្រឹមត្រូវ៖ ហត្ថលេខានេះត្រូវបានរាប់បញ្ចូល។ បង្កាន់ដៃមិនប្រាប់ថា វានៅតែត្រូវបានរាប់ឬអត់ទេ។"),
    ),
    "verdict_keys": (
        "Everything that was checked holds, if the keys are the right ones: that was not checked.",
        "Tout ce qui a été vérifié est exact, si les clés sont les bonnes : cela n’a pas été vérifié.",
        "អ្វីៗទាំងអស់ដែលបានផ្ទៀងផ្ទាត់ គឺត្រឹមត្រូវ ប្រសិនបើសោត្រឹមត្រូវ៖ ចំណុចនេះមិនទាន់បានផ្ទៀងផ្ទាត់ទេ។",
    ),
    "verdict_fails": (
        "This does not hold. What is wrong is marked with ✗ ({count}).",
        "Ce n’est pas exact. Ce qui ne va pas est marqué d’un ✗ ({count}).",
        "នេះមិនត្រឹមត្រូវទេ។ អ្វីដែលខុសមានសញ្ញា ✗ ({count})។",
    ),
    "verdict_nothing": (
        "Nothing was judged: {path} is neither a report nor a receipt that could be read.",
        "Rien n’a été jugé : {path} n’est ni un rapport ni un reçu lisible.",
        "គ្មានអ្វីត្រូវបានវិនិច្ឆ័យទេ៖ {path} មិនមែនជារបាយការណ៍ ឬបង្កាន់ដៃដែលអាចអានបានទេ។",
    ),
    "verdict_no_key": (
        "Nothing was judged: without a key it cannot be told who made this.",
        "Rien n’a été jugé : sans clé, on ne peut dire de qui cela provient.",
        "គ្មានអ្វីត្រូវបានវិនិច្ឆ័យទេ៖ គ្មានសោ មិនអាចដឹងថាអ្នកណាបានបង្កើតវាទេ។",
    ),
}
KHMER_DIGITS: Final = str.maketrans("0123456789", "០១២៣៤៥៦៧៨៩")
SHOWN: Final = 400  # characters of what others wrote


@dataclass(frozen=True)
class Finding:
    """A check and what came of it: True holds, False does not, None was not made."""

    holds: bool | None
    code: str
    words: Mapping[str, object]

    def say(self, locale: str) -> str:
        """Return it as a line in a language."""
        mark = {True: "✓", False: "✗", None: "–"}[self.holds]
        return f"{mark} {say(self.code, locale, **self.words)}"


@dataclass
class Findings:
    """What was found, in order."""

    each: list[Finding] = field(default_factory=list)
    are_keys_assumed: bool = False  # nobody gave one, and nowhere else could they be compared

    def hold(self, code: str, **words: object) -> None:
        """Note that something is as it should be."""
        self.each.append(Finding(holds=True, code=code, words=words))

    def fail(self, code: str, **words: object) -> None:
        """Note that something is not as it should be."""
        self.each.append(Finding(holds=False, code=code, words=words))

    def skip(self, code: str, **words: object) -> None:
        """Note that something was not checked."""
        self.each.append(Finding(holds=None, code=code, words=words))

    @property
    def faults(self) -> int:
        """How many things do not hold."""
        return sum(finding.holds is False for finding in self.each)


def say(code: str, locale: str, /, **words: object) -> str:
    """Return a sentence of the table, with what others wrote made harmless for a terminal."""
    sentence = SENTENCES[code][LOCALES.index(locale)]
    return sentence.format_map({name: _show(word, locale) for name, word in words.items()})


def _show(word: object, locale: str) -> str:
    if isinstance(word, int) and not isinstance(word, bool):
        digits = str(word)
        return digits.translate(KHMER_DIGITS) if locale == "km" else digits
    text = "".join(sign if sign.isprintable() else "\ufffd" for sign in _plain(word)[: SHOWN + 1])
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


def _plain(value: object) -> str:
    """Return a value as text. What lies within others is not spelt out: it may lie deeper than can be said."""
    return "[…]" if isinstance(value, (list, dict)) else str(value)


# Files


@dataclass
class Files:
    """A folder or a ZIP, read within limits: what is in it, and what of it could not be taken, with the reason."""

    contents: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    room: int = ALL_BYTES

    def take(self, name: str, size: int, read: Callable[[int], bytes]) -> None:
        """Read one file; ``read`` is given how much it may return at most."""
        if name in self.contents:
            self.faults[name] = "file_twice"
        limit = min(FILE_BYTES, self.room)
        data = b"" if size > limit else read(limit + 1)
        if max(size, len(data)) > limit:
            self.faults[name] = "file_large"
            return
        self.room -= len(data)
        self.contents[name] = data


#: What reading a broken ZIP raises.
BROKEN_ZIP: Final = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error,
    EOFError, OSError, RuntimeError, NotImplementedError, ValueError, KeyError, IndexError, OverflowError,
)  # fmt: skip


def read_folder(folder: Path) -> Files:
    """Read a folder. Links are not followed."""
    files, waiting, seen = Files(), [folder], 0
    while waiting:
        here = waiting.pop()
        with suppress(OSError), os.scandir(here) as entries:
            for entry in entries:
                seen += 1
                name = Path(entry.path).relative_to(folder).as_posix()
                if seen > MOST_ENTRIES:
                    files.faults[name] = "file_large"
                    return files
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                else:
                    _read_file(Path(entry.path), name, files)
    return files


def _read_file(path: Path, name: str, files: Files) -> None:
    try:
        # What is no plain file is not opened for long: a pipe would let us wait.
        handle = os.open(path, os.O_RDONLY | _flag("O_NOFOLLOW") | _flag("O_NONBLOCK") | _flag("O_BINARY"))
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(handle)
            if stat.S_ISREG(status.st_mode) and not path.is_symlink():
                files.take(name, status.st_size, file.read)
                return
        files.faults[name] = "file_odd"
    except (OSError, ValueError):
        files.faults[name] = "file_odd" if path.is_symlink() else "file_unread"


def read_alone(path: Path) -> bytes:
    """Return what is in a file that somebody named, through links; nothing where it cannot be read."""
    one = Files()
    with suppress(OSError, ValueError, RuntimeError):
        _read_file(path.resolve(), "", one)
    return one.contents.get("", b"")


def _flag(name: str) -> int:
    return int(getattr(os, name, 0))


def read_zip(data: bytes, room: int = ALL_BYTES) -> Files | None:
    """Read a ZIP without unpacking it anywhere; None where it is none. One folder around all of it is left out."""
    files = Files(room=room)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > MOST_ENTRIES:
                return None
            for entry in entries:
                _read_entry(archive, entry, files)
    except BROKEN_ZIP:
        return None
    if "manifest" not in files.contents:
        folders = {name.partition("/")[0] for name in files.contents if name.endswith("/manifest")}
        around = f"{folders.pop()}/" if len(folders) == 1 else ""
        files.contents = {name.removeprefix(around): content for name, content in files.contents.items()}
        files.faults = {name.removeprefix(around): fault for name, fault in files.faults.items()}
    return files


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, files: Files) -> None:
    try:
        if stat.S_ISLNK(entry.external_attr >> 16):
            files.faults[entry.filename] = "file_odd"
            return
        with archive.open(entry) as file:
            files.take(entry.filename, entry.file_size, file.read)
    except BROKEN_ZIP:
        files.faults[entry.filename] = "file_unread"


# Manifests


@dataclass(frozen=True)
class Manifest:
    """What a manifest says: values, the hashes of editions by their numbers, those of files by their paths."""

    values: Mapping[str, str]
    editions: Mapping[int, str]
    hashes: Mapping[str, str]

    def number(self, name: str) -> int:
        """Return a number that was looked at when the manifest was read."""
        return int(self.values[name])

    @property
    def host(self) -> str:
        """Whose report it is: the address without its scheme."""
        return self.values["base-url"].partition("://")[2]

    def origin(self, tree: str) -> str:
        """Return what checkpoints of one of the campaign's trees are called."""
        return f"{self.host}/api/v1/campaigns/{self.values['campaign']}/log/{tree}"


NUMBERS: Final = ("number", "signatures", "checkpoint", "signed-size", "removed-size")
MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z", re.ASCII)
VALUES: Final = {
    "campaign": SLUG,
    "supersedes": re.compile(r"none\Z|[1-9]\d{0,17}\Z", re.ASCII),
    "issued-at": MOMENT,
    "as-of": MOMENT,
    "base-url": BASE_URL,
    **dict.fromkeys(NUMBERS, NUMBER),
}


def read_manifest(text: str, found: Findings) -> Manifest | None:
    """Read the text of a manifest; None where something is wrong with it, which is then noted."""
    first, *lines = text[:-1].split("\n")
    values: dict[str, str] = {}
    hashes: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(": ")
        digest, gap, path = line.partition("  ")
        is_file = bool(gap) and SHA256.match(digest) and PATH.match(path) and path != "manifest" and path not in hashes
        if is_file and len(hashes) < MOST_FILES:
            hashes[path] = digest
        elif colon and name not in values and not gap:
            values[name] = value
        else:
            found.fail("manifest_line", line=line)
            return None
    wrong = [name for name, form in VALUES.items() if not form.match(values.get(name, ""))]
    if first != REPORT_VERSION:
        wrong = [REPORT_VERSION]
    editions: dict[int, str] = {}
    for name, value in values.items():
        number = name.removeprefix("edition-")
        if number != name and NUMBER.match(number) and SHA256.match(value):
            editions[int(number)] = value
        elif number != name:
            wrong.append(name)
    for name in wrong:
        found.fail("manifest_lacks", name=name)
    return None if wrong else Manifest(values, editions, hashes)


# Reports


@dataclass(frozen=True)
class Options:
    """How somebody wants it checked: with which keys, and whom to ask, None for nobody."""

    verifiers: tuple[Verifier, ...] = ()
    fetch: Fetch | None = None


def check_report(files: Files, options: Options) -> Findings:
    """Check a report against its own manifest, its keys, its sums, and the live log."""
    found = Findings()
    note = _read_note(files.contents.get("manifest", b""))
    manifest = None if note is None else read_manifest(note.text, found)
    if note is None:
        found.fail("manifest_note")
    figures = _read_figures(files, found)
    named = read_verifiers(each for each in _rows(figures, "keys") if isinstance(each, str))
    signer = None if note is None else _check_signature(note, named, options, found)
    if manifest is None:
        return found
    if signer and signer.name != manifest.host:
        found.fail("manifest_other_host", host=manifest.host, key=_name_key(signer))
        signer = None
    if signer and not options.verifiers:
        _check_assumed_keys(named, manifest, options, found)
    _check_files(files, manifest, found)
    _check_figures(figures, manifest, found)
    _check_tables(files, figures, found)
    _check_editions(files, manifest, found)
    # Keys that a known key vouched for: those that are newer than the one that was pinned.
    trusted = (*options.verifiers, *(named if signer else ()))
    heads = {tree: _check_checkpoint(files, tree, manifest, trusted, found) for tree in TREES}
    if signer:
        _check_live(files.contents["manifest"], manifest, heads, trusted, options, found)
    else:
        found.skip("live_not_asked")
    return found


def _read_note(data: bytes) -> Note | None:
    try:
        return Note.parse(data.decode())
    except (NotGenuine, UnicodeDecodeError):
        return None


def _read_figures(files: Files, found: Findings) -> object:
    try:
        return read_json(files.contents["counts.json"])
    except (KeyError, NotGenuine):
        found.fail("figures_broken")
        return None


def read_verifiers(texts: Iterable[str]) -> tuple[Verifier, ...]:
    """Return the keys that can be read, each once."""
    read: dict[str, Verifier] = {}
    for text in texts:
        with suppress(NotGenuine):
            verifier = Verifier.parse(text)
            read[verifier.text] = verifier
    return tuple(read.values())


def _name_key(verifier: Verifier) -> str:
    return f"{verifier.name}+{verifier.id.hex()}"


def _check_signature(note: Note, named: Sequence[Verifier], options: Options, found: Findings) -> Verifier | None:
    """Return the key that signed the manifest, where all its signatures hold."""
    verifiers = options.verifiers or tuple(named)
    try:
        signer = note.find_signer(verifiers)
        # A manifest has signatures of known keys alone, or a byte of it could change unseen.
        known = {(each.name, each.id) for each in (*verifiers, *named)}
        for name, identity, _ in note.signatures:
            if (name, identity) not in known:
                found.fail("manifest_stray", key=f"{name}+{identity.hex()}")
                return None
        note.find_signer((*named, *options.verifiers))
    except NotGenuine as fact:
        found.fail(f"manifest_{fact}", keys=" ".join(each.text for each in verifiers) or "–")
        return None
    found.hold("manifest_signed", key=_name_key(signer))
    return signer


def _check_assumed_keys(named: Sequence[Verifier], manifest: Manifest, options: Options, found: Findings) -> None:
    """Nobody pinned a key: compare those of the report with the published ones, or say that this is to be done."""
    url = f"{manifest.values['base-url']}/api/v1/keys"
    published = _fetch_keys(url, options)
    if not published:
        found.are_keys_assumed = True
        found.skip("keys_of_report", url=url, keys=" ".join(each.text for each in named))
        return
    strangers = [each for each in named if each not in published]
    for each in strangers:
        found.fail("keys_not_published", key=_name_key(each), url=url)
    if not strangers:
        found.hold("keys_published", url=url)


def _fetch_keys(url: str, options: Options) -> tuple[Verifier, ...]:
    if options.fetch is None:
        return ()
    try:
        keys = _rows(read_json(options.fetch(url)), "keys")
    except (NotGenuine, Unreachable):
        return ()
    return read_verifiers(text for text in (dig(each, "verifier") for each in keys) if isinstance(text, str))


def _check_files(files: Files, manifest: Manifest, found: Findings) -> None:
    faults = found.faults
    for path, digest in manifest.hashes.items():
        if path in files.faults:
            continue
        if path not in files.contents:
            found.fail("file_missing", file=path)
        elif hashlib.sha256(files.contents[path]).hexdigest() != digest:
            found.fail("file_changed", file=path)
    for path, fault in files.faults.items():
        found.fail(fault, file=path)
    for path in sorted(files.contents):
        if path in manifest.hashes or path in files.faults or path == "manifest":
            continue
        if LEFTOVERS.match(path):
            found.skip("file_left", file=path)
        else:
            found.fail("file_extra", file=path)
    if found.faults == faults:
        found.hold("files_hold", count=len(manifest.hashes))


def _check_figures(figures: object, manifest: Manifest, found: Findings) -> None:
    """Compare counts.json with the manifest, and its sums with each other."""
    if figures is None:
        return
    faults = found.faults
    for name, read, wanted in _list_agreements(figures, manifest):
        if read != wanted or isinstance(read, bool):
            found.fail("figure_differs", name=name, found=read, wanted=wanted)
    signatures = manifest.number("signatures")
    if found.faults == faults:
        number, as_of = manifest.number("number"), manifest.values["as-of"]
        found.hold("figures_agree", number=number, signatures=signatures, as_of=as_of)
    signed, removed = manifest.number("signed-size"), manifest.number("removed-size")
    note = found.hold if signed - removed == signatures else found.fail
    code = "log_adds_up" if signed - removed == signatures else "log_differs"
    note(code, signed=signed, removed=removed, signatures=signatures)
    _check_way(figures, signatures, found)
    _check_breakdown(figures, found)
    _check_edition_counts(figures, signatures, found)
    _check_paper(figures, signatures, signed - removed, found)


def _list_agreements(figures: object, manifest: Manifest) -> Iterator[tuple[str, object, object]]:
    """Yield what counts.json and the manifest both say, by its name: as it is, and as it should be."""
    values, superseded = manifest.values, manifest.values["supersedes"]
    yield "format", dig(figures, "format"), REPORT_VERSION
    yield "campaign", dig(figures, "campaign", "slug"), values["campaign"]
    yield "supersedes", dig(figures, "supersedes"), None if superseded == "none" else int(superseded)
    yield "issued-at", dig(figures, "issued_at"), values["issued-at"]
    yield "as-of", dig(figures, "as_of"), values["as-of"]
    yield "base-url", dig(figures, "base_url"), values["base-url"]
    yield "number", dig(figures, "number"), manifest.number("number")
    yield "signatures", dig(figures, "signatures"), manifest.number("signatures")
    yield "checkpoint", dig(figures, "checkpoint", "number"), manifest.number("checkpoint")
    yield "signed-size", dig(figures, "checkpoint", "signed_size"), manifest.number("signed-size")
    yield "removed-size", dig(figures, "checkpoint", "removed_size"), manifest.number("removed-size")
    rows = _rows(figures, "editions")
    editions = [(_whole(dig(row, "number")), dig(row, "hash")) for row in rows]
    for number, digest in editions:
        yield f"edition-{number}", digest, manifest.editions.get(number or 0)
    yield "editions", len(editions), len(manifest.editions)


def _check_way(figures: object, signatures: int, found: Findings) -> None:
    steps = [(dig(row, "step"), _whole(dig(row, "forms"))) for row in _rows(figures, "way")]
    forms = [number for _, number in steps if number is not None]
    is_whole = len(steps) > 1 and len(forms) == len(steps) and all(number <= 0 for number in forms[1:-1])
    if not is_whole or (steps[0][0], steps[-1][0]) != ("forms_received", "verified"):
        found.fail("way_broken")
    elif sum(forms[:-1]) != forms[-1] or forms[-1] != signatures:
        found.fail("way_differs", found=sum(forms[:-1]), wanted=signatures)
    else:
        found.hold("way_adds_up", received=forms[0], signatures=signatures)


#: Parts of the breakdown, in the order of the tables: section, name, the key of its code, whether it is complete.
PARTS: Final = (
    ("province", "ProvinceSignatures", "Province", False),
    ("country", "CountrySignatures", "Country", True),
    ("language", "LanguageSignatures", "Language", True),
    ("day", "DaySignatures", "Day", True),
    ("district", "DistrictSignatures", "District", False),
)


def _check_breakdown(figures: object, found: Findings) -> None:
    breakdown = dig(figures, "breakdown")
    if breakdown is None:
        found.skip("parts_none")
        return
    total = _whole(dig(breakdown, "signatures"))
    if total is None:
        found.fail("parts_broken", name="breakdown")
        return
    faults = found.faults
    for _, name, key, is_complete in PARTS:
        numbers = _count_part(breakdown, name, key)
        if numbers is None:
            found.fail("parts_broken", name=name)
        elif is_complete and sum(numbers.values()) != total:
            found.fail("parts_differ", name=name, found=sum(numbers.values()), wanted=total)
        elif sum(numbers.values()) > total:
            found.fail("parts_exceed", name=name, found=sum(numbers.values()), wanted=total)
    _check_provinces(breakdown, found)
    if found.faults == faults:
        found.hold("parts_add_up", wanted=total)


def _count_part(breakdown: object, name: str, key: str) -> dict[str | None, int] | None:
    """Return the numbers of a part by their codes; None where it cannot be read, or has a code twice."""
    rows = dig(breakdown, name)
    if rows is None:
        return {}
    if not isinstance(rows, list):
        return None
    numbers: dict[str | None, int] = {}
    for row in rows:
        code, number = dig(row, key), _whole(dig(row, "SignatureCount"))
        if number is None or number < 0 or not (code is None or isinstance(code, str)) or code in numbers:
            return None
        numbers[code] = number
    return numbers


def _check_provinces(breakdown: object, found: Findings) -> None:
    """See that no country has fewer than its provinces have."""
    provinces = _count_part(breakdown, "ProvinceSignatures", "Province") or {}
    countries = _count_part(breakdown, "CountrySignatures", "Country") or {}
    for country, wanted in countries.items():
        number = sum(each for code, each in provinces.items() if country and code and code.startswith(f"{country}-"))
        if number > wanted:
            found.fail("parts_exceed", name=f"ProvinceSignatures ({country})", found=number, wanted=wanted)


def _check_edition_counts(figures: object, signatures: int, found: Findings) -> None:
    values = [dig(row, "signatures") for row in _rows(figures, "editions")]
    numbers = [_whole(value) for value in values if value is not None]
    whole = [number for number in numbers if number is not None and number >= 0]
    if len(whole) != len(numbers):
        found.fail("parts_broken", name="editions")
    elif sum(whole) > signatures:
        found.fail("parts_exceed", name="editions", found=sum(whole), wanted=signatures)


def _check_paper(figures: object, signatures: int, logged: int, found: Findings) -> None:
    """See that signatures in ink, which reports from before there were sheets do not tell, are part of no sum."""
    if not isinstance(figures, dict) or "paper" not in figures:
        return
    told = [_whole(dig(figures, "paper", name)) for name in ("signatures", "batches", "sheets")]
    paper, batches, sheets = (-1 if number is None else number for number in told)
    is_nothing = (paper, batches, sheets) == (0, 0, 0)
    if not is_nothing and not (paper >= 0 and 1 <= batches <= sheets):
        found.fail("paper_broken")
    elif paper and signatures > logged:
        # All of them or some: whatever the log does not count came from elsewhere.
        found.fail("paper_in_sum", paper=paper, signatures=signatures, logged=logged)
    elif batches:
        found.hold("paper_apart", paper=paper)


def _check_editions(files: Files, manifest: Manifest, found: Findings) -> None:
    for number, digest in sorted(manifest.editions.items()):
        path = f"texts/edition-{number}.json"
        data = files.contents.get(path)
        if data is not None and hashlib.sha256(data).hexdigest() == digest:
            found.hold("edition_holds", number=number)
        else:
            found.fail("edition_differs", number=number, file=path)


def _check_checkpoint(
    files: Files, tree: str, manifest: Manifest, trusted: Sequence[Verifier], found: Findings
) -> TreeHead | None:
    """Return what a checkpoint of the report says, where it is genuine and the one the manifest means."""
    path = f"log/{tree}.checkpoint"
    size = manifest.number(f"{tree}-size")
    try:
        head = read_checkpoint(files.contents.get(path, b"").decode(), trusted)
    except (NotGenuine, UnicodeDecodeError) as fact:
        code = str(fact) if str(fact) in {"forged", "unknown"} else "broken"
        found.fail(f"checkpoint_{code}", file=path)
        return None
    if head.origin != manifest.origin(tree):
        found.fail("checkpoint_other", file=path, found=head.origin, wanted=manifest.origin(tree))
        return None
    if head.size != size:
        found.fail("checkpoint_size", file=path, found=head.size, wanted=size)
        return None
    found.hold("checkpoint_holds", tree=tree, size=size)
    return head


# Tables


HEADER: Final = ["section", "code", "name_en", "name_fr", "name_km", "signatures"]
COLUMNS: Final = ["A", "B", "C", "D", "E", "F"]
#: What reading a broken spreadsheet raises.
BROKEN_SHEET: Final = (*BROKEN_ZIP, ET.ParseError, TypeError, AttributeError)


def list_rows(figures: object) -> list[list[str | None]]:
    """Return the rows that counts.csv and counts.xlsx have by counts.json; None where it does not say what is there."""
    rows: list[list[str | None]] = [[*HEADER], _row("total", "verified", dig(figures, "signatures"))]
    rows += [_row("way", dig(step, "step"), dig(step, "forms")) for step in _rows(figures, "way")]
    breakdown = dig(figures, "breakdown")
    if breakdown is not None:
        rows.append(_row("breakdown", "total", dig(breakdown, "signatures")))
    for section, name, key, _ in PARTS:
        for part in _rows(breakdown, name):
            rows.append(_row(section, dig(part, key), dig(part, "SignatureCount"), dig(part, "Name")))
    for edition in _rows(figures, "editions"):
        rows.append(_row("edition", dig(edition, "number"), dig(edition, "signatures")))
    if _whole(dig(figures, "paper", "batches")):
        rows.append(_row("paper", "signatures", dig(figures, "paper", "signatures")))
    return rows


def _row(section: str, code: object, number: object, name: object = None) -> list[str | None]:
    names = [dig(name, locale) for locale in LOCALES]
    said = [text if isinstance(text, str) else None for text in names]
    first, last = ("" if value is None else _plain(value) for value in (code, number))
    return [section, first, *said, last]


def _check_tables(files: Files, figures: object, found: Findings) -> None:
    if figures is None:
        return
    wanted = list_rows(figures)
    for path, read in (("counts.csv", _read_csv), ("counts.xlsx", _read_sheet)):
        data = files.contents.get(path)
        rows = None if data is None else read(data)
        if rows is None:
            found.fail("table_broken", file=path)
        else:
            _compare_rows(path, rows, wanted, found)


def _compare_rows(path: str, rows: list[list[str]], wanted: list[list[str | None]], found: Findings) -> None:
    for number, (row, right) in enumerate(zip_longest(rows, wanted, fillvalue=None), start=1):
        read = [] if row is None else row
        if right is None or not _is_row(read, right):
            shown = ["" if cell is None else cell for cell in right or []]
            found.fail("row_differs", row=number, file=path, found=",".join(read), wanted=",".join(shown))
            return
    found.hold("rows_agree", file=path, count=len(wanted) - 1)


def _is_row(read: list[str], right: list[str | None]) -> bool:
    # An apostrophe before a name keeps it from being a formula.
    same = [each is None or each in {cell, cell.removeprefix("'")} for cell, each in zip(read, right, strict=False)]
    return len(read) == len(right) and all(same)


def _read_csv(data: bytes) -> list[list[str]] | None:
    try:
        return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
    except (csv.Error, UnicodeDecodeError):
        return None


def _read_sheet(data: bytes) -> list[list[str]] | None:
    """Return the rows of the sheet ``counts`` as texts, each as wide as the header."""
    files = read_zip(data, SHEET_BYTES)
    try:
        return None if files is None else _read_cells(files.contents)
    except BROKEN_SHEET:
        return None


def _read_cells(parts: Mapping[str, bytes]) -> list[list[str]]:
    book, links = _parse(parts["xl/workbook.xml"]), _parse(parts["xl/_rels/workbook.xml.rels"])
    (sheet,) = [each for each in book.iterfind(".//{*}sheet") if each.get("name") == "counts"]
    (wanted,) = [value for name, value in sheet.attrib.items() if name.endswith("}id")]
    (target,) = [each.get("Target") or "" for each in links if each.get("Id") == wanted]
    texts = _parse(parts["xl/sharedStrings.xml"]) if "xl/sharedStrings.xml" in parts else ET.Element("sst")
    shared = ["".join(text.text or "" for text in each.iterfind(".//{*}t")) for each in texts.iterfind(".//{*}si")]
    rows = []
    for row in _parse(parts["xl/" + target.removeprefix("/xl/")]).iterfind(".//{*}row"):
        cells = [""] * len(HEADER)
        for place, cell in enumerate(row.iterfind(".//{*}c")):
            letters = (cell.get("r") or "").rstrip("0123456789")
            cells[COLUMNS.index(letters) if letters else place] = _read_cell(cell, shared)
        rows.append(cells)
    while rows and not any(rows[-1]):
        rows.pop()
    return rows


def _read_cell(cell: ET.Element, shared: Sequence[str]) -> str:
    kind = cell.get("t")
    if kind == "inlineStr":
        return "".join(text.text or "" for text in cell.iterfind(".//{*}t"))
    value = cell.findtext("{*}v") or ""
    if kind == "s":
        return shared[int(value)]
    is_number = kind in {None, "n"} and value != ""
    return str(int(float(value))) if is_number and float(value).is_integer() else value


def _parse(data: bytes) -> ET.Element:
    if b"<!" in data.replace(b"<!--", b""):
        raise ValueError("no spreadsheet declares anything")
    return ET.fromstring(data)  # noqa: S314 - it declares no entities


# What is online


def _check_live(  # noqa: PLR0917 - of this file alone
    note: bytes,
    manifest: Manifest,
    heads: Mapping[str, TreeHead | None],
    trusted: Sequence[Verifier],
    options: Options,
    found: Findings,
) -> None:
    if options.fetch is None:
        found.skip("live_offline")
        return
    base = manifest.values["base-url"]
    address = f"{base}/api/v1/campaigns/{manifest.values['campaign']}"
    try:
        for tree, head in heads.items():
            if head is not None:
                _check_growth(f"{address}/log/{tree}", tree, head, trusted, options.fetch, found)
        _check_list(f"{address}/reports", note, manifest, options.fetch, found)
    except Unreachable as fact:
        found.skip("live_unreachable", url=fact)


def _check_growth(  # noqa: PLR0917 - of this file alone
    url: str, tree: str, head: TreeHead, trusted: Sequence[Verifier], fetch: Fetch, found: Findings
) -> None:
    """See that the live tree begins with the one of ``head``."""
    try:
        live = read_checkpoint(fetch(f"{url}/checkpoint").decode(), trusted)
    except (NotGenuine, UnicodeDecodeError) as fact:
        if str(fact) == "unknown":
            found.skip("live_unknown", tree=tree)
        else:
            found.fail("live_forged", url=f"{url}/checkpoint")
        return
    if live.origin != head.origin:
        found.fail("live_forged", url=f"{url}/checkpoint")
        return
    if live.size < head.size:
        found.fail("live_shorter", tree=tree, found=live.size, wanted=head.size)
        return
    proof: list[bytes] = []
    if 0 < head.size < live.size:
        try:
            hashes = _rows(read_json(fetch(f"{url}/consistency/{head.size}/{live.size}")), "hashes")
            proof = [_decode(each if isinstance(each, str) else "–", "proof") for each in hashes[: 2 * MOST_PATH]]
        except NotGenuine:
            proof = [b""]  # which leads nowhere
    old_root, new_root = head.root, live.root
    if is_consistent(old=head.size, new=live.size, old_root=old_root, new_root=new_root, proof=proof):
        found.hold("live_holds", tree=tree, found=live.size, wanted=head.size)
    else:
        found.fail("live_rewritten", tree=tree, wanted=head.size)


def _check_list(url: str, note: bytes, manifest: Manifest, fetch: Fetch, found: Findings) -> None:
    try:
        read = read_json(fetch(url))
    except NotGenuine:
        raise Unreachable(url) from None
    rows = read if isinstance(read, list) else _rows(read, "reports")
    listed = {number: row for row in rows if (number := _whole(dig(row, "number"))) is not None}
    number = manifest.number("number")
    if number not in listed:
        # The list may leave out what is older than all that it has.
        note_absence = found.skip if listed and number < min(listed) else found.fail
        note_absence("listed_not", url=url, number=number)
    elif dig(listed[number], "manifest_sha256") != hashlib.sha256(note).hexdigest():
        found.fail("listed_other", url=url, number=number)
    else:
        found.hold("listed", url=url)
    if listed and max(listed) > number:
        found.skip("superseded", number=max(listed))


def fetch(url: str) -> bytes:
    """Return what an address answers, within a few seconds and a few megabytes. Raises Unreachable."""
    end = time.monotonic() + WHOLE_PATIENCE
    data = b""
    try:
        request = Request(url, headers={"User-Agent": "hatthalekha-verify"})  # noqa: S310 - of a base-url: http or https
        with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - as above
            while piece := answer.read1(65536):
                data += piece
                if len(data) > ANSWER_BYTES or time.monotonic() > end:
                    raise Unreachable(url)
    except (OSError, HTTPException, HTTPError, ValueError):
        raise Unreachable(url) from None
    return data


# Receipts, checked


def check_receipt(text: str, options: Options) -> Findings:
    """Check a receipt: whose checkpoint it has, of which log, and whether its entry is in it."""
    found = Findings()
    try:
        receipt = Receipt.parse(text)
        note = Note.parse(receipt.checkpoint)
    except NotGenuine:
        found.fail("receipt_broken")
        return found
    origin = note.text.partition("\n")[0]
    host, campaign = origin.partition("/")[0], receipt.opening.get("campaign", "")
    base = f"{'http' if _is_loopback(host) else 'https'}://{host}"
    verifiers = options.verifiers
    can_ask = bool(BASE_URL.match(base) and SLUG.match(campaign))
    if not verifiers and can_ask and (verifiers := _fetch_keys(f"{base}/api/v1/keys", options)):
        found.skip("keys_fetched", url=f"{base}/api/v1/keys")
    if not verifiers:
        found.skip("keys_none")
    head = _read_head(receipt, verifiers, found)
    if head is None:
        return found
    wanted = f"{host}/api/v1/campaigns/{campaign}/log/signed"
    if origin != wanted or receipt.opening.get("tree") != "signed":
        found.fail("receipt_other_log", found=origin, wanted=wanted)
    opening = {name: receipt.opening.get(name, "–") for name in ("campaign", "edition", "locale")}
    if receipt.is_in(head):
        found.hold("receipt_included", index=receipt.index, **opening)
    else:
        found.fail("receipt_other_leaf")
    if verifiers and not found.faults:
        _check_receipt_live(f"{base}/api/v1/campaigns/{campaign}/log/signed", head, verifiers, options, found)
    return found


def _is_loopback(host: str) -> bool:
    name = host.partition(":")[0]
    return name in {"localhost", "127.0.0.1"} or host.startswith("[::1]")


def _read_head(receipt: Receipt, verifiers: Sequence[Verifier], found: Findings) -> TreeHead | None:
    """Return what the receipt's checkpoint says, where one of the keys signed it."""
    note = receipt.checkpoint
    try:
        head = read_checkpoint(note, verifiers)
    except NotGenuine as fact:
        if str(fact) not in {"forged", "unknown"}:
            found.fail("receipt_broken")
        elif verifiers:
            found.fail(f"receipt_{fact}", keys=" ".join(each.text for each in verifiers))
        return None
    signer = Note.parse(note).find_signer(verifiers)
    if signer.name != head.origin.partition("/")[0]:
        found.fail("receipt_other_log", found=head.origin, wanted=signer.name)
    found.hold("receipt_signed", key=_name_key(signer), size=head.size)
    return head


def _check_receipt_live(
    url: str, head: TreeHead, verifiers: Sequence[Verifier], options: Options, found: Findings
) -> None:
    if options.fetch is None:
        found.skip("live_offline")
        return
    try:
        _check_growth(url, "signed", head, verifiers, options.fetch, found)
    except Unreachable as fact:
        found.skip("live_unreachable", url=fact)


# From the terminal


def verify(path: Path, *, locale: str, options: Options, tell: Callable[[str], None]) -> int:
    """Check what lies at ``path``, tell it line by line, and return 0, 1 or 2 as the module says."""
    verdict, found = _check(path, options)
    for finding in found.each:
        tell(finding.say(locale))
    if found.faults:
        tell("✗ " + say("verdict_fails", locale, count=found.faults))
        return 1
    if verdict in {"verdict_nothing", "verdict_no_key"}:
        tell("✗ " + say(verdict, locale, path=path))
        return 2
    tell("✓ " + say("verdict_keys" if found.are_keys_assumed else verdict, locale))
    return 0


def _check(path: Path, options: Options) -> tuple[str, Findings]:
    """Return the verdict where no fault was found, and what was found."""
    if path.name == "manifest" and path.is_file():
        path = path.parent
    if path.is_dir():
        files: Files | None = read_folder(path)
    else:
        data = read_alone(path)
        if data.startswith(PROOF_VERSION.encode()) or path.suffix == ".tlog-proof":
            return _judge_receipt(data, options)
        files = read_zip(data)
    if files is None or "manifest" not in files.contents:
        return "verdict_nothing", Findings()
    return "verdict_report", check_report(files, options)


def _judge_receipt(data: bytes, options: Options) -> tuple[str, Findings]:
    found = check_receipt(data.decode(errors="replace"), options)
    is_proven = any(finding.code == "receipt_signed" for finding in found.each)
    return "verdict_receipt" if is_proven else "verdict_no_key", found


def read_keys(words: Sequence[str]) -> tuple[Verifier, ...]:
    """Return the keys that ``words`` are, or that the files they name hold. Raises NotGenuine with what is neither."""
    keys: list[Verifier] = []
    for word in words:
        texts = [word]
        if not VERIFIER.fullmatch(word):
            texts = VERIFIER.findall(read_alone(Path(word)).decode(errors="replace"))
        read = read_verifiers(texts)
        if not read:
            raise NotGenuine(word)
        keys += read
    return tuple(keys)


def choose_locale(chosen: str | None, environment: Mapping[str, str]) -> str:
    """Return the language to speak: the chosen one, or that of the terminal, or English."""
    words = [chosen, *(environment.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))]
    said = next((word for word in words if word), "en")[:2].lower()
    return said if said in LOCALES else "en"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the terminal; return the status. Whatever is wrong with what is read, there is no traceback."""
    parser = argparse.ArgumentParser(description="Check a report or a receipt of Hatthalekha.")
    parser.add_argument("path", type=Path, help="folder or ZIP of a report, or a .tlog-proof file")
    parser.add_argument("--key", action="append", default=[], help="a key as it is published, or a file that has keys")
    parser.add_argument("--lang", choices=LOCALES, help="language to answer in")
    parser.add_argument("--offline", action="store_true", help="ask nothing of the network")
    given = parser.parse_args(arguments)
    tell = open_terminal()
    try:
        options = Options(read_keys(given.key), None if given.offline else fetch)
    except NotGenuine as fact:
        parser.error(f"--key: {fact}")
    locale = choose_locale(given.lang, os.environ)
    try:
        return verify(given.path, locale=locale, options=options, tell=tell)
    except Exception:  # noqa: BLE001 - the last net: whatever lies there is then no report that could be read
        tell("✗ " + say("verdict_nothing", locale, path=given.path))
        return 2


def open_terminal() -> Callable[[str], None]:
    """Return what writes a line, in whatever letters: a terminal that cannot show them stops nothing."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")

    def tell(line: str) -> None:
        sys.stdout.write(line + "\n")

    return tell


if __name__ == "__main__":
    sys.exit(main())
