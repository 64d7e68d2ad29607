"""The words of a campaign: one text a language, how a reader sees them, and the hash that names an edition."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

T = TypeVar("T")

_BLANK_LINES: Final = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")


@dataclass(frozen=True, slots=True)
class Question:
    """A question that signers ask, with its answer."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class CampaignText:
    """What a campaign says in one language. Everything but the title may be empty.

    ``declaration``, ``body``, ``call_to_sign`` and answers hold paragraphs that blank lines part: see `paragraphs`.
    """

    title: str
    recitals: tuple[str, ...] = ()
    declaration: str = ""
    requests: tuple[str, ...] = ()
    body: str = ""
    salutation: str = ""
    closing: str = ""
    call_to_sign: str = ""
    faq: tuple[Question, ...] = ()
    how_to_sign: tuple[str, ...] = ()

    @classmethod
    def from_data(cls, data: Mapping[str, object]) -> CampaignText:
        """Return the text that `as_data` wrote, or one locale of a campaign file that was checked.

        ValueError, naming the key, for data that has another shape: this reads what was checked on its way in.
        """
        return cls(
            title=_text(data, "title"),
            recitals=_texts(data, "recitals"),
            declaration=_text(data, "declaration"),
            requests=_texts(data, "requests"),
            body=_text(data, "body"),
            salutation=_text(data, "salutation"),
            closing=_text(data, "closing"),
            call_to_sign=_text(data, "call_to_sign"),
            faq=_questions(data),
            how_to_sign=_texts(data, "how_to_sign"),
        )

    def as_data(self) -> dict[str, object]:
        """Return the text as JSON data, without the parts that are empty; the title is always there."""
        parts: dict[str, object] = {
            "recitals": list(self.recitals),
            "declaration": self.declaration,
            "requests": list(self.requests),
            "body": self.body,
            "salutation": self.salutation,
            "closing": self.closing,
            "call_to_sign": self.call_to_sign,
            "faq": [{"question": one.question, "answer": one.answer} for one in self.faq],
            "how_to_sign": list(self.how_to_sign),
        }
        return {"title": self.title} | {name: part for name, part in parts.items() if part}


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """One part of a text and the language that it is in. An empty part is in the language that was asked for."""

    value: T
    locale: str

    def __bool__(self) -> bool:
        """Tell whether there is anything to show."""
        return bool(self.value)


@dataclass(frozen=True, slots=True)
class LocalisedText:
    """A campaign as a reader of ``locale`` sees it, each part marked with its language."""

    locale: str
    is_missing: bool  # nothing at all was written in this language
    title: Part[str]
    recitals: Part[tuple[str, ...]]
    declaration: Part[str]
    requests: Part[tuple[str, ...]]
    body: Part[str]
    salutation: Part[str]
    closing: Part[str]
    call_to_sign: Part[str]
    faq: Part[tuple[Question, ...]]
    how_to_sign: Part[tuple[str, ...]]

    @property
    def is_partial(self) -> bool:
        """Tell whether something was written in this language, and yet some part had to come from another."""
        parts = (getattr(self, name) for name in _PARTS)
        return not self.is_missing and any(part.locale != self.locale for part in parts)


_PARTS: Final = tuple(one.name for one in fields(CampaignText))


def localise(texts: Mapping[str, CampaignText], locale: str, source_locale: str) -> LocalisedText:
    """Return every part in ``locale``, else in the source language.

    A part that the source text does not have is missed by nobody: it is shown to readers of the languages that have
    it, and to no others. Only while there is no source text at all do other languages, in alphabetical order, stand in
    for it.
    """
    order = [locale, source_locale] if source_locale in texts else [locale, *sorted(texts)]
    sources = [(one, texts[one]) for one in order if one in texts]

    def part(read: Callable[[CampaignText], T], empty: T) -> Part[T]:
        """Return the first that is written."""
        found = ((read(text), name) for name, text in sources)
        return next((Part(value, name) for value, name in found if value), Part(empty, locale))

    return LocalisedText(
        locale=locale,
        is_missing=locale not in texts or not any(getattr(texts[locale], name) for name in _PARTS),
        title=part(lambda text: text.title, ""),
        recitals=part(lambda text: text.recitals, ()),
        declaration=part(lambda text: text.declaration, ""),
        requests=part(lambda text: text.requests, ()),
        body=part(lambda text: text.body, ""),
        salutation=part(lambda text: text.salutation, ""),
        closing=part(lambda text: text.closing, ""),
        call_to_sign=part(lambda text: text.call_to_sign, ""),
        faq=part(lambda text: text.faq, ()),
        how_to_sign=part(lambda text: text.how_to_sign, ()),
    )


def edition_hash(texts: Mapping[str, CampaignText]) -> str:
    """Return the name of an edition: SHA-256, in hexadecimal, over its texts as canonical JSON.

    The JSON is ``{locale: text}`` as `CampaignText.as_data` gives it (no empty parts), keys sorted by code point, no
    space between tokens, characters written as themselves in UTF-8. Nothing is normalised: a byte more is another
    edition. Anyone can compute it from a campaign's export.
    """
    return hashlib.sha256(canonical_json(texts)).hexdigest()


def canonical_json(texts: Mapping[str, CampaignText]) -> bytes:
    """Return the bytes whose hash is `edition_hash`; there is no newline at their end."""
    data = {locale: text.as_data() for locale, text in texts.items()}
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def substance_hash(texts: Mapping[str, CampaignText], source_locale: str) -> str:
    """Return the name of what a text says and asks: SHA-256, in hexadecimal, over a part of its source language.

    That is title, recitals, declaration, requests and body. White space makes no difference, and neither does any
    translation: whoever stood behind a text still does after a comma in another language.
    """
    text = texts.get(source_locale, CampaignText(title=""))
    parts = [text.title, list(text.recitals), text.declaration, list(text.requests), text.body]
    said = [
        " ".join(part.split()) if isinstance(part, str) else [" ".join(one.split()) for one in part] for part in parts
    ]
    canonical = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def paragraphs(text: str) -> tuple[str, ...]:
    """Return the paragraphs of ``text``, which blank lines part; line breaks inside a paragraph stay."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return tuple(found for part in _BLANK_LINES.split(lines) if (found := part.strip()))


def _text(data: Mapping[str, object], key: str) -> str:
    """Return the text under ``key``, empty where it is absent."""
    value = data.get(key, "")
    if not isinstance(value, str):
        raise ValueError(key)  # noqa: TRY004 - one kind of error for data of another shape
    return value


def _list(data: Mapping[str, object], key: str) -> Sequence[object]:
    """Return the list under ``key``, empty where it is absent."""
    value = data.get(key, [])
    if not isinstance(value, list | tuple):
        raise ValueError(key)  # noqa: TRY004 - one kind of error for data of another shape
    return value


def _texts(data: Mapping[str, object], key: str) -> tuple[str, ...]:
    """Return the list of texts under ``key``."""
    found = tuple(one for one in _list(data, key) if isinstance(one, str))
    if len(found) != len(_list(data, key)):
        raise ValueError(key)
    return found


def _questions(data: Mapping[str, object]) -> tuple[Question, ...]:
    """Return the questions and answers."""
    found = []
    for one in _list(data, "faq"):
        if not isinstance(one, dict):
            raise ValueError("faq")  # noqa: TRY004 - one kind of error for data of another shape
        found.append(Question(_text(one, "question"), _text(one, "answer")))
    return tuple(found)
