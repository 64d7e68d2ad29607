"""Catalogues: what the code says, gathered into ``locales/{locale}/LC_MESSAGES/messages.po``, and checked.

English is the source: a sentence is its own key. Catalogues hold no line numbers, are sorted and never guess (no fuzzy
matching), so that two people's changes merge; sentences no longer in the code go.
"""

from __future__ import annotations

import argparse
import fcntl
import io
import json
import os
import re
import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tokenize import TokenError
from typing import TYPE_CHECKING, Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import PoFileError, read_po, write_po
from jinja2 import TemplateSyntaxError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT: Final = Path(__file__).resolve().parents[1]
SOURCE: Final = "en"
DOMAIN: Final = Path("LC_MESSAGES") / "messages.po"

# Which arguments of which functions are sentences: app/i18n's own, and gettext's, which templates use.
KEYWORDS: Final = {
    "_": (1,),
    "gettext": (1,),
    "ngettext": (1, 2),
    "message": (1,),
    "say": (2,),
    "say_number": (2, 3),
}
# As app/rendering.py sets up Jinja; a template that does not parse is an error, not a file to pass over.
JINJA: Final = {"silent": "false", "trimmed": "true", "newstyle_gettext": "true"}
TEMPLATES: Final = {".html", ".txt", ".xml", ".svg"}
COMMENTS: Final = ("Translators:",)

PLACEHOLDER: Final = re.compile(r"%\((\w+)\)[sd]")
TAG: Final = re.compile(r"<\s*[/!?A-Za-z][^>]*(?:>|$)")
ZERO_WIDTH_SPACE: Final = "\u200b"
# Headers that change at every run, or say nothing here.
IDLE_HEADERS: Final = re.compile(
    r'^"(?:Project-Id-Version|Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team'
    r'|Generated-By): .*"\n',
    re.MULTILINE,
)


class MessagesError(Exception):
    """The catalogues cannot be made: a source, catalogue or fragment that cannot be read."""


@dataclass(slots=True)
class Sentence:
    """One sentence of the code: ``many`` where it counts, ``is_template`` where Jinja fills it even without values."""

    one: str
    many: str | None = None
    is_template: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def id(self) -> str | tuple[str, str]:
        """The key as Babel has it."""
        return (self.one, self.many) if self.many else self.one


Sentences = dict[str, Sentence]
Translations = dict[str, tuple[str, ...]]


def gather(root: Path) -> Sentences:
    """Return every sentence in ``app/`` and ``templates/``. Raises MessagesError where a file cannot be read."""
    sentences: Sentences = {}
    for path in sorted((root / "app").rglob("*.py")):
        gather_file(sentences, path, root, is_template=False)
    for path in sorted((root / "templates").rglob("*")):
        if path.suffix in TEMPLATES and path.is_file():
            gather_file(sentences, path, root, is_template=True)
    return sentences


def gather_file(sentences: Sentences, path: Path, root: Path, *, is_template: bool) -> None:
    """Add the sentences of one file."""
    where = path.relative_to(root)
    method, options = ("jinja2", JINJA) if is_template else ("python", {})
    source = io.BytesIO(path.read_bytes())
    try:
        found = list(extract(method, source, KEYWORDS, COMMENTS, options, strip_comment_tags=True))
    except (SyntaxError, TokenError, UnicodeDecodeError, TemplateSyntaxError) as fault:
        line = f":{fault.lineno}" if isinstance(fault, TemplateSyntaxError) else ""
        raise MessagesError(f"{where}{line}: {fault}") from fault
    for number, key, notes, _context in found:
        one, many = (key[0], key[1]) if isinstance(key, tuple) else (key, None)
        if not one:
            raise MessagesError(f"{where}:{number}: an empty sentence")
        sentence = sentences.setdefault(one, Sentence(one, many))
        if many and sentence.many not in {None, many}:
            raise MessagesError(f"{where}:{number}: {one!r} has two plurals, {sentence.many!r} and {many!r}")
        sentence.many = sentence.many or many
        sentence.is_template |= is_template
        sentence.notes += [note for note in notes if note not in sentence.notes]


def read_catalogue(path: Path, locale: str) -> Catalog:
    """Return the catalogue as it stands; an empty one where there is none yet."""
    if not path.exists():
        return Catalog(locale=locale, fuzzy=False)
    try:
        return read_po(io.BytesIO(path.read_bytes()), locale=locale, ignore_obsolete=True, abort_invalid=True)
    except (PoFileError, ValueError) as fault:
        raise MessagesError(f"{path}: {fault}") from fault


def read_fragment(path: Path) -> dict[str, dict[str, object]]:
    """Return translations by sentence: ``{"km": "…", "fr": "…"}``, forms in lists beside ``"plural"``."""
    try:
        fragment = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise MessagesError(f"{path}: {fault}") from fault
    if not isinstance(fragment, dict) or not all(isinstance(entry, dict) for entry in fragment.values()):
        raise MessagesError(f"{path}: is not an object of objects")
    return fragment


def forms_of(text: object) -> tuple[str, ...]:
    """Return a translation as a tuple of its plural forms, one where it does not count."""
    return tuple(map(str, text)) if isinstance(text, (list, tuple)) else (str(text or ""),)


def merge(sentences: Sentences, old: Catalog, given: Mapping[str, Mapping[str, object]]) -> Catalog:
    """Return a catalogue of exactly ``sentences``, translated from ``given``, else from ``old``, else not."""
    locale = str(old.locale)
    new = Catalog(locale=locale, fuzzy=False)
    for sentence in sentences.values():
        kept = old.get(sentence.one)
        entry = given.get(sentence.one, {})
        forms: tuple[str, ...] = ()
        if locale == SOURCE:
            forms = (sentence.one, sentence.many) if sentence.many else (sentence.one,)
        elif locale in entry:
            forms = forms_of(entry[locale])
        elif kept is not None and forms_of(kept.id)[1:] == forms_of(sentence.id)[1:]:
            forms = forms_of(kept.string)
        if sentence.many:
            forms = (*forms, *[""] * new.num_plurals)[: max(new.num_plurals, len(forms))]
        new.add(
            sentence.id,
            forms if sentence.many else "".join(forms[:1]),
            auto_comments=sentence.notes,
            user_comments=kept.user_comments if kept is not None else (),
            flags={"fuzzy"} if kept is not None and kept.fuzzy and locale not in entry else (),
        )
    return new


def rendered(catalogue: Catalog) -> bytes:
    """Return the file of a catalogue."""
    out = io.BytesIO()
    # One line a sentence: Khmer has no spaces to wrap at, and a changed word does not reflow its neighbours.
    write_po(out, catalogue, width=0, no_location=True, sort_output=True, ignore_obsolete=True)
    text = out.getvalue().decode()
    head, gap, body = text.partition("\n\n")
    head = "".join(line for line in head.splitlines(keepends=True) if not line.startswith("#"))
    return (IDLE_HEADERS.sub("", head + "\n") + gap[1:] + body.rstrip("\n") + ("\n" if body else "")).encode()


def faults_of(sentence: Sentence, catalogue: Catalog) -> Iterator[str]:
    """Yield what is wrong with one sentence in one language."""
    entry = catalogue.get(sentence.one)
    if entry is None or forms_of(entry.id) != forms_of(sentence.id):
        yield "is not in the catalogue"
        return
    forms = forms_of(entry.string)
    if entry.fuzzy:
        yield "is marked fuzzy"
    if sentence.many and len(forms) != catalogue.num_plurals:
        yield f"has {len(forms)} plural forms where {catalogue.num_plurals} are needed"
    if not all(form.strip() for form in forms):
        yield "is not translated"
        return
    for number, form in enumerate(forms):
        # The singular of English may leave its number out; Khmer's only form and French's first are also those of 0.
        is_english_singular = str(catalogue.locale) == SOURCE and number == 0
        original = sentence.one if is_english_singular or not sentence.many else sentence.many
        is_filled = sentence.is_template or "%(" in sentence.one + (sentence.many or "")
        yield from faults_of_form(form, original, is_filled=is_filled)


def faults_of_form(form: str, original: str, *, is_filled: bool) -> Iterator[str]:
    """Yield what is wrong with one form of a translation."""
    here, there = set(PLACEHOLDER.findall(form)), set(PLACEHOLDER.findall(original))
    if here != there:
        yield f"has the placeholders {sorted(here)} where the sentence has {sorted(there)}"
    elif is_filled:
        try:
            form % dict.fromkeys(here, 0)
        except (ValueError, TypeError, KeyError) as fault:
            yield f"cannot be filled ({fault}); a percent sign is written %%"
    # Templates trust a translation as HTML: its tags are those of the sentence, whole, in any order.
    if Counter(TAG.findall(form)) != Counter(TAG.findall(original)):
        yield f"has the tags {TAG.findall(form)} where the sentence has {TAG.findall(original)}"
    if ZERO_WIDTH_SPACE in form:
        yield "has a zero-width space (U+200B): browsers break Khmer lines themselves"


def check(root: Path, sentences: Sentences, locales: list[str]) -> list[str]:
    """Return a line for each fault of the catalogues."""
    faults: list[str] = []
    for locale in locales:
        path = root / "locales" / locale / DOMAIN
        catalogue = read_catalogue(path, locale)
        found = [f"{locale}: {one!r} {fault}" for one, it in sentences.items() for fault in faults_of(it, catalogue)]
        found += [
            f"{locale}: {forms_of(entry.id)[0]!r} is no longer in the code"
            for entry in catalogue
            if entry.id and forms_of(entry.id)[0] not in sentences
        ]
        if not found and (not path.exists() or path.read_bytes() != rendered(merge(sentences, catalogue, {}))):
            found.append(f"{locale}: {path.relative_to(root)} is not as script/messages writes it")
        faults += found
    return faults


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the catalogues, so that two runs at once lose nothing."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def update(root: Path, locales: list[str], fragments: list[Path]) -> None:
    """Write the catalogues, and say what they still want."""
    given: dict[str, dict[str, object]] = {}
    for fragment in fragments:
        given.update(read_fragment(fragment))
    with alone(root / "locales"):
        sentences = gather(root)
        catalogues = {
            locale: merge(sentences, read_catalogue(root / "locales" / locale / DOMAIN, locale), given)
            for locale in locales
        }
        for locale, catalogue in catalogues.items():
            write(root / "locales" / locale / DOMAIN, rendered(catalogue))
    for one, entry in given.items():
        if one not in sentences:
            print(f"not in the code, so left out: {one!r}", file=sys.stderr)
        elif entry.get("plural") != sentences[one].many:
            print(f"the plural differs from the code's {sentences[one].many!r}: {one!r}", file=sys.stderr)
    for locale, catalogue in catalogues.items():
        missing = sum(not all(forms_of(entry.string)) for entry in catalogue if entry.id)
        print(f"{locale}: {len(sentences)} sentences, {missing} not translated")


def write(path: Path, content: bytes) -> None:
    """Replace a file whole, and only where it changes."""
    if path.exists() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".po.new")
    draft.write_bytes(content)
    draft.replace(path)


def main() -> int:
    """Update or check the catalogues of the project, or of another tree (``--root``, for the tests)."""
    parser = argparse.ArgumentParser(prog="script/messages", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; name every fault and fail")
    parser.add_argument("--root", type=Path, default=ROOT, help="the tree to work on")
    parser.add_argument("fragments", nargs="*", type=Path, help="JSON files of translations to merge in")
    options = parser.parse_args()
    locales = sorted(path.name for path in (options.root / "locales").iterdir() if path.is_dir())
    try:
        if not options.check:
            update(options.root, locales, options.fragments)
            return 0
        sentences = gather(options.root)
        faults = check(options.root, sentences, locales)
    except MessagesError as fault:
        print(fault, file=sys.stderr)
        return 1
    for line in faults:
        print(line, file=sys.stderr)
    print(f"{len(sentences)} sentences in {', '.join(locales)}: {len(faults)} faults")
    return 1 if faults or not sentences else 0


if __name__ == "__main__":
    sys.exit(main())
