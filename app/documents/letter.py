"""A letter as a document: whom it addresses, its text, who has signed it; a petition's text likewise.

Logos are left out: under a letter all signatories stand alike, in words.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from app.documents.glyphs import replace_unknown
from app.documents.sources import draw_square, name_state
from app.documents.typesetting import Attachment, forget, printable, typeset
from app.i18n import Locale, Message, as_locale, message, say, say_number
from app.i18n.formats import format_date, format_moment, format_number
from app.rendering import choose_part
from app.rules.letters import arrange, content_hash
from app.rules.life import local_day
from app.rules.organisations import KINDS
from app.rules.places import COUNTRIES, country_name
from app.rules.texts import LocalisedText, Part, localise, paragraphs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from app.rules.letters import Group, Letter, Recipient, Signatory

TEMPLATE: Final = "letter.typ"
#: From so many names on a letter is not like others, and what typst remembers of it is of no use for them.
LARGE: Final = 1_000
#: As much of an organiser's name as a running head has room for.
_LONGEST_HEAD: Final = 60
#: Languages of which a name's script says enough for a reader's voice.
_KHMER: Final = range(0x1780, 0x1800)

KIND_NAMES: Final[Mapping[str, Message]] = {
    "petition": message("Petition"),
    "open_letter": message("Open letter"),
    "joint_statement": message("Joint statement"),
}


class NoSuchRecipient(Exception):
    """A letter addresses nobody in that place."""


def typeset_letter(
    letter: Letter, locale: Locale, recipient: int | None = None, *, names_at: str = "", notice: str = ""
) -> bytes:
    """Return a letter as a PDF, to one of its recipients (from 1 on) or to all: the same bytes for the same letter.

    ``names_at`` is where its names are listed, where these are more than it holds; ``notice``, what is to be seen on
    every page. What no font of ours can draw is U+FFFD on its pages, and as it was written in the text that is inside.
    NoSuchRecipient for a place that nobody has. One who reads another language is written to in that one: `locale_for`.
    """
    said = write_letter(letter, locale, recipient, names_at=names_at, notice=notice)
    attachments = [Attachment("letter.txt", "text/plain", write_text(said))]
    if letter.number is not None:
        content = json.dumps(letter.as_data(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        attachments.append(Attachment("letter.json", "application/json", content))
    data = {**_show_known(said), "square": draw_square(letter.url)}
    try:
        return typeset(TEMPLATE, data, made_at=letter.signed_as_of.replace(microsecond=0), attachments=attachments)
    finally:
        if len(letter.names) + len(letter.organisations) >= LARGE:
            forget()


def name_letter(
    letter: Letter,
    locale: Locale,
    recipient: int | None,
    places: Sequence[int] = (),
    *,
    names_at: str = "",
    notice: str = "",
) -> str:
    """Return what names all that a living letter is made of; ``places`` stand for the names under it."""
    said = write_letter(replace(letter, names=()), locale, recipient, names_at=names_at, notice=notice)
    return name_state(TEMPLATE, {"said": said, "signed_as_of": letter.signed_as_of.isoformat(), "places": list(places)})


def locale_for(letter: Letter, locale: Locale, recipient: int | None) -> Locale:
    """Return the language of the letter to a recipient, for whoever asks for it in ``locale``."""
    chosen = _recipients(letter, recipient)[0].locale if recipient is not None else None
    return as_locale(chosen) if chosen is not None and chosen in letter.texts else locale


def write_letter(
    letter: Letter, locale: Locale, recipient: int | None = None, *, names_at: str = "", notice: str = ""
) -> dict[str, Any]:
    """Return what a letter says in one language, as the template has it."""
    text = localise(letter.texts, locale, letter.source_locale)
    recipients = _recipients(letter, recipient)
    kind = KIND_NAMES[letter.kind].say(locale)
    return {
        "lang": locale,
        "is_letter": letter.kind != "petition",
        "kind": f"{kind} {letter.reference}" if letter.reference else kind,
        "organiser": letter.organiser,
        "title": _spoken(text.title, locale),
        "author": letter.organiser,
        "notice": notice,
        "head": _write_head(letter, kind, locale),
        "foot": letter.url.partition("://")[2],
        "page": say(locale, "Page %(page)s of %(pages)s"),
        "dated": _write_date(letter, locale),
        "to": say(locale, "To"),
        "recipients": [_spoken(choose_part(each.names, locale, letter.source_locale), locale) for each in recipients],
        "subject": _write_subject(letter, locale),
        "salutation": _write_salutation(recipients, text, locale, is_single=recipient is not None),
        "text": list(_write_text(text, locale)),
        "closing": [_spoken(Part(one, text.closing.locale), locale) for one in paragraphs(text.closing.value)],
        "signed": _write_signed(letter, locale, names_at),
        "colophon": _write_colophon(letter, locale),
        "square_says": say(locale, "A code that leads to this text"),
        "url": letter.url,
    }


def write_text(said: Mapping[str, Any]) -> str:
    """Return what a letter says as plain text, in the order of its pages and without what every page has."""
    return "\n\n".join(printable(block) for block in _list_blocks(said)) + "\n"


def _list_blocks(said: Mapping[str, Any]) -> Iterator[str]:
    if said["notice"]:
        yield said["notice"]
    yield f"{said['organiser']}\n{said['kind']}"
    yield _plain(said["title"])
    if said["dated"]:
        yield said["dated"]
    if said["recipients"]:
        yield "\n".join([said["to"], *(_plain(each) for each in said["recipients"])])
    if said["subject"]:
        yield f"{said['subject']['label']} {_plain(said['subject']['words'])}"
    if said["salutation"]:
        yield _plain(said["salutation"])
    for block in said["text"]:
        yield _plain_block(block)
    yield from (_plain(each) for each in said["closing"])
    for part in said["signed"]:
        yield part["heading"]
        if part["note"]:
            yield part["note"]
        for group in part["groups"]:
            lines = [_plain_signatory(each) for each in group["names"]]
            yield "\n".join([group["heading"], *lines] if group["heading"] else lines)
    yield "\n".join([said["url"].partition("://")[2], *said["colophon"]["lines"]])
    yield from (f"{each['name']}\n{''.join(each['parts'])}" for each in said["colophon"]["codes"])


def _show_known(value: Any) -> Any:  # noqa: ANN401 - whatever a template is given
    """Return ``value`` with U+FFFD for every sign in its texts that no font of ours has."""
    if isinstance(value, str):
        return replace_unknown(value)
    if isinstance(value, dict):
        return {key: _show_known(one) for key, one in value.items()}
    return [_show_known(one) for one in value] if isinstance(value, list) else value


def _plain(words: str | Mapping[str, str]) -> str:
    return words if isinstance(words, str) else words["text"]


def _plain_block(block: Mapping[str, Any]) -> str:
    if block["is"] in {"heading", "paragraph"}:
        return _plain(block["words"])
    return "\n".join(f"{each['mark']} {_plain(each['words'])}" for each in block["items"])


def _plain_signatory(name: str | Mapping[str, Any]) -> str:
    if isinstance(name, str):
        return name
    return " ".join(part for part in (name["mark"], name["name"] + name["more"]) if part)


# What stands above the text


def _recipients(letter: Letter, recipient: int | None) -> tuple[Recipient, ...]:
    if recipient is None:
        return letter.recipients
    if not 0 < recipient <= len(letter.recipients):
        raise NoSuchRecipient(recipient)
    return (letter.recipients[recipient - 1],)


def _write_head(letter: Letter, kind: str, locale: Locale) -> str:
    """Return what stands above the later pages."""
    date = format_date(letter.dated_on or local_day(letter.signed_as_of, letter.timezone), locale)
    organiser = letter.organiser if len(letter.organiser) <= _LONGEST_HEAD else ""
    return " · ".join(part for part in (organiser, kind, date) if part)


def _write_date(letter: Letter, locale: Locale) -> str:
    """Return where and when a letter was written. One that nobody dated, and that still changes, has no date."""
    place = letter.places.get(locale) or letter.places.get(letter.source_locale) or ""
    day = letter.dated_on
    if day is None and letter.number is not None:
        day = local_day(letter.signed_as_of, letter.timezone)
    if day is None:
        return place
    date = format_date(day, locale)
    return say(locale, "%(place)s, %(date)s", place=place, date=date) if place else date


def _write_subject(letter: Letter, locale: Locale) -> dict[str, Any] | None:
    if not any(letter.subjects.values()):
        return None
    subject = choose_part(letter.subjects, locale, letter.source_locale)
    return {"label": say(locale, "Re:"), "words": _spoken(subject, locale)}


def _write_salutation(
    recipients: Sequence[Recipient], text: LocalisedText, locale: Locale, *, is_single: bool
) -> str | dict[str, str]:
    """Return how the letter begins: as its only recipient is addressed, else as the text does."""
    if is_single and (own := recipients[0].salutations.get(locale)):
        return own
    return _spoken(text.salutation, locale)


# The text


def _write_text(text: LocalisedText, locale: Locale) -> Iterator[dict[str, Any]]:
    if text.recitals:
        yield {"is": "heading", "words": say(locale, "Whereas")}
        yield _write_items(text.recitals, locale, is_numbered=False)
    yield from _write_paragraphs(text.declaration, locale)
    if text.requests:
        yield _write_items(text.requests, locale, is_numbered=True)
    yield from _write_paragraphs(text.body, locale)


def _write_items(items: Part[tuple[str, ...]], locale: Locale, *, is_numbered: bool) -> dict[str, Any]:
    marks = [f"{format_number(place, locale)}." if is_numbered else "–" for place in range(1, len(items.value) + 1)]
    pairs = zip(marks, items.value, strict=True)
    return {
        "is": "items",
        "items": [{"mark": mark, "words": _spoken(Part(item, items.locale), locale)} for mark, item in pairs],
    }


def _write_paragraphs(part: Part[str], locale: Locale) -> Iterator[dict[str, Any]]:
    for one in paragraphs(part.value):
        yield {"is": "paragraph", "words": _spoken(Part(one, part.locale), locale)}


# Who has signed


def _write_signed(letter: Letter, locale: Locale, names_at: str) -> list[dict[str, Any]]:
    """Return the parts of the list of signatories: organisations, those of an earlier text, people, paper."""
    parts = []
    if letter.organisations:
        number = len(letter.organisations)
        heading = say_number(
            locale,
            "Signed by %(n)s organisation",
            "Signed by %(n)s organisations",
            number,
            n=format_number(number, locale),
        )
        parts.append(_part(heading, groups=_write_groups(letter, letter.organisations, locale)))
    if letter.earlier:
        heading = say(locale, "These signed an earlier text, and have not said yes to this one")
        parts.append(_part(heading, groups=_write_groups(letter, letter.earlier, locale)))
    if letter.takes_individuals:
        people = format_number(letter.individuals, locale)
        heading = say_number(locale, "Signed by %(n)s person", "Signed by %(n)s people", letter.individuals, n=people)
        note = say(locale, "Names of those who allowed it") if letter.names else ""
        if names_at:
            note = say(locale, "The names of those who allowed it are at %(address)s", address=names_at)
        groups = [{"heading": "", "names": list(letter.names)}] if letter.names else []
        parts.append(_part(heading, note=note, groups=groups, is_people=True))
    if letter.paper:
        heading = say_number(
            locale,
            "On paper, and counted apart: %(n)s signature",
            "On paper, and counted apart: %(n)s signatures",
            letter.paper,
            n=format_number(letter.paper, locale),
        )
        parts.append(_part(heading))
    return parts


def _part(
    heading: str, *, note: str = "", groups: Sequence[dict[str, Any]] = (), is_people: bool = False
) -> dict[str, Any]:
    return {"heading": heading, "note": note, "groups": list(groups), "is_people": is_people}


def _write_groups(letter: Letter, signatories: Sequence[Signatory], locale: Locale) -> list[dict[str, Any]]:
    groups = arrange(
        signatories,
        arrangement=letter.arrangement,
        is_numbered=letter.is_numbered,
        locale=locale,
        country_names=_country_names(locale),
    )
    is_by_country = letter.arrangement == "by_country"
    return [
        {
            "heading": _write_heading(group, letter.arrangement, locale),
            "names": [
                {
                    "mark": "" if each.number is None else f"{format_number(each.number, locale)}.",
                    **_write_signatory(each.signatory, locale, with_country=not is_by_country),
                }
                for each in group.signatories
            ],
        }
        for group in groups
    ]


def _write_heading(group: Group[Signatory], arrangement: str, locale: Locale) -> str:
    if group.heading is None:
        return ""
    if arrangement == "by_country":
        name = _country_names(locale).get(group.heading, group.heading)
        return name or say(locale, "Without a country")
    kind = KINDS.get(group.heading, KINDS["other"])
    return kind.say(locale)


def _write_signatory(signatory: Signatory, locale: Locale, *, with_country: bool) -> dict[str, str]:
    name, language = signatory.name_in(locale)
    if language is None and any(ord(sign) in _KHMER for sign in name):
        language = "km"
    country = _country_names(locale).get(signatory.country or "") if with_country else None
    acronym = f" ({signatory.acronym})" if signatory.acronym else ""
    return {"name": name, "more": acronym + (f", {country}" if country else ""), "lang": language or locale}


# What stands below


def _write_colophon(letter: Letter, locale: Locale) -> dict[str, Any]:
    edition = say(locale, "Edition %(number)s of this text", number=format_number(letter.edition_number, locale))
    codes = [{"name": say(locale, "Fingerprint of the text (SHA-256)"), "parts": _fold(letter.edition_hash)}]
    if letter.number is None:
        date = format_date(local_day(letter.signed_as_of, letter.timezone), locale)
        signed = say(locale, "Signatories as of %(date)s", date=date)
        lines = [f"{signed} · {edition}"]
        return {"lines": lines, "codes": codes}
    moment = format_moment(letter.signed_as_of, letter.timezone, locale)
    number = say(locale, "Dated edition no. %(number)s", number=format_number(letter.number, locale))
    signed = say(locale, "Signed as of %(moment)s", moment=moment)
    fingerprint = content_hash(letter.as_data())
    codes.append({"name": say(locale, "Fingerprint of this dated edition (SHA-256)"), "parts": _fold(fingerprint)})
    return {"lines": [f"{number} · {signed}", edition], "codes": codes}


def _fold(digest: str) -> list[str]:
    """Return a digest in parts between which a line may end."""
    return [digest[at : at + 8] for at in range(0, len(digest), 8)]


def _spoken(part: Part[str], locale: str) -> str | dict[str, str]:
    return part.value if part.locale == locale else {"text": part.value, "lang": part.locale}


@cache
def _country_names(locale: Locale) -> dict[str, str]:
    return {code: country_name(code, locale) for code in (*sorted(COUNTRIES), "EU")}
