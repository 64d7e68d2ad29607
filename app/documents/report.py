"""The verified count report as a PDF: the same figures in English, French and Khmer, one part after another.

Figures are those of `counts.json` (docs/verifying.md). A sentence here says what stands in them and nothing more.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import segno

from app.documents.blocks import (
    Block,
    Words,
    beside,
    codes,
    facts,
    figure,
    goal,
    heading,
    paragraph,
    plain_text,
    row,
    spoken,
    square,
    statements,
    table,
)
from app.documents.report_days import show_days
from app.documents.typesetting import Attachment, forget, typeset
from app.i18n import Locale, Message, message, say, say_number
from app.i18n.formats import format_date, format_moment, format_number, language_name
from app.rendering import STATIC, choose_part, sentence
from app.rules.reports import STEPS, tell_paper

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TEMPLATE: Final = "report.typ"
#: In this order, whoever opens it: an office works in the first two.
PARTS: Final[tuple[Locale, ...]] = ("en", "fr", "km")
MINUS: Final = "\u2212"
#: Rows of a table that may stand beside another one.
SHORT: Final = 10

#: What may have become of a threshold, in the order in which it becomes.
_CROSSINGS: Final[Mapping[str, Message]] = {
    "reached_at": message("Reached on %(moment)s."),
    "fell_below_at": message("The count fell below it on %(moment)s."),
    "regained_at": message("It was reached again on %(moment)s."),
}


def typeset_report(figures: Mapping[str, Any], *, counts: bytes | None = None) -> bytes:
    """Return the report as a PDF: the same bytes for the same figures.

    ``counts`` is `counts.json` as the report has it, to be attached; without it the figures are written anew.
    """
    attached = counts.decode() if counts is not None else json.dumps(figures, ensure_ascii=False, indent=1)
    parts = [write_part(figures, locale) for locale in PARTS]
    data = {
        "title": " / ".join(part["heading"] for part in parts),
        "author": _host(figures),
        "pictures": {"brand": _picture("brand.svg"), "end": _picture("end.svg"), "square": _square(figures)},
        "parts": parts,
    }
    attachments = (
        Attachment("counts.json", "application/json", attached),
        Attachment("report.txt", "text/plain", write_text(parts)),
    )
    made_at = datetime.fromisoformat(figures["issued_at"])
    try:
        return typeset(TEMPLATE, data, made_at=made_at, attachments=attachments)
    finally:
        forget()


def write_part(figures: Mapping[str, Any], locale: Locale) -> dict[str, Any]:
    """Return the report in one language, as the template has it."""
    voice = Voice(locale, figures["campaign"]["timezone"], figures["campaign"].get("source_locale"))
    blocks = [
        *_tell_campaign(figures, voice),
        *_tell_count(figures, voice),
        *_tell_breakdown(figures, voice),
        *_tell_text(figures, voice),
        *_tell_checking(figures, voice),
    ]
    return {
        "lang": locale,
        "heading": say(locale, "Verified count report no. %(number)s", number=voice.number(figures["number"])),
        "title": voice.choose(figures["campaign"]["titles"]),
        "dates": _tell_dates(figures, voice),
        "page": say(locale, "Page %(page)s of %(pages)s"),
        "foot": f"{figures['campaign']['reference'] or figures['campaign']['slug']} · {_host(figures)}",
        "square_says": say(locale, "A code that leads to the page of this report"),
        "blocks": blocks,
    }


@dataclass(frozen=True, slots=True)
class Figures:
    """What a page shows of a report, in the words of the document."""

    dates: str
    count: list[Block]
    breakdown: list[Block]
    text: list[Block]


def list_figures(figures: Mapping[str, Any], locale: Locale) -> Figures:
    """Return the count, its breakdown and its text for a page, which arranges them in its own way."""
    voice = Voice(locale, figures["campaign"]["timezone"], figures["campaign"].get("source_locale"))
    return Figures(
        dates=_tell_dates(figures, voice),
        count=_tell_count(figures, voice),
        breakdown=_tell_breakdown(figures, voice),
        text=_tell_text(figures, voice),
    )


def write_text(parts: Sequence[Mapping[str, Any]]) -> str:
    """Return the report as plain text, all parts."""
    texts = []
    for part in parts:
        title = part["title"] if isinstance(part["title"], str) else part["title"]["text"]
        texts.append("\n\n".join([part["heading"], title, part["dates"], plain_text(part["blocks"])]))
    return f"\n\n{'=' * 72}\n\n".join(texts) + "\n"


@dataclass(frozen=True, slots=True)
class Voice:
    """A language, the clock by which it tells moments, and the language that the campaign was written in."""

    locale: Locale
    zone: str
    source: str | None

    def number(self, number: int) -> str:
        """Return a count; what goes out has a minus sign and not a hyphen."""
        return (MINUS if number < 0 else "") + format_number(abs(number), self.locale)

    def moment(self, text: str) -> str:
        """Return a moment that figures hold."""
        return format_moment(datetime.fromisoformat(text), self.zone, self.locale)

    def day(self, text: str) -> str:
        """Return the day of a date, or of a moment by the clock of the campaign."""
        moment = datetime.fromisoformat(text)
        local = moment.astimezone(ZoneInfo(self.zone)) if moment.tzinfo else moment
        return format_date(local, self.locale)

    def choose(self, texts: Mapping[str, str]) -> Words:
        """Return the text in this language, else in another one, which it then says."""
        return spoken(choose_part(texts, self.locale, self.source), self.locale)

    def choose_text(self, texts: Mapping[str, str]) -> str:
        """Return the same where no language can be said."""
        return choose_part(texts, self.locale, self.source).value


# The campaign


def _tell_dates(figures: Mapping[str, Any], voice: Voice) -> str:
    issued = voice.moment(figures["issued_at"])
    if figures["supersedes"] is None:
        return say(voice.locale, "Issued %(moment)s.", moment=issued)
    before = voice.number(figures["supersedes"])
    return say(voice.locale, "Issued %(moment)s. It replaces report no. %(number)s.", moment=issued, number=before)


def _tell_campaign(figures: Mapping[str, Any], voice: Voice) -> list[Block]:
    campaign, locale = figures["campaign"], voice.locale
    kind = {
        "petition": say(locale, "Petition"),
        "open_letter": say(locale, "Open letter"),
    }.get(campaign["kind"], say(locale, "Joint statement"))
    rows: list[tuple[str, Words]] = [(kind, campaign["reference"] or campaign["slug"])]
    rows += [(say(locale, "Addressed to"), voice.choose(one["names"])) for one in campaign["addressees"]]
    if campaign["sponsor"] is not None:
        rows.append((say(locale, "Sponsoring Member of Parliament"), _tell_sponsor(campaign["sponsor"], voice)))
    rows.append((say(locale, "Organised by"), campaign["organiser"]))
    if campaign["opens_at"] is not None:
        rows.append((say(locale, "Signing period"), _tell_signing(campaign, voice)))
    rows.append((say(locale, "Who can sign"), _capital(voice.choose(campaign["eligibility"]))))
    return [facts(rows)]


def _tell_sponsor(sponsor: Mapping[str, Any], voice: Voice) -> str:
    title = voice.choose_text(sponsor["titles"]) if sponsor["titles"] else None
    return ", ".join(part for part in (sponsor["name"], title, sponsor["district"], sponsor["party"]) if part)


def _tell_signing(campaign: Mapping[str, Any], voice: Voice) -> str:
    first = voice.day(campaign["opens_at"])
    if campaign["closes_at"] is None:
        return say(voice.locale, "From %(first)s on", first=first)
    return say(voice.locale, "From %(first)s to %(last)s", first=first, last=voice.day(campaign["closes_at"]))


# The count


def _tell_count(figures: Mapping[str, Any], voice: Voice) -> list[Block]:
    locale, count = voice.locale, figures["signatures"]
    label = say_number(
        locale,
        "verified signature as of %(moment)s",
        "verified signatures as of %(moment)s",
        count,
        moment=voice.moment(figures["as_of"]),
    )
    rows = [row(STEPS[step["step"]].say(locale), voice.number(step["forms"])) for step in figures["way"]]
    total = (rows[-1]["name"], rows[-1]["number"])
    return [
        figure(voice.number(count), label),
        *(_tell_goal(each, count, voice) for each in figures["thresholds"]),
        *_tell_official(figures["campaign"]["official"], voice),
        *_tell_paper(figures, locale),
        statements(_warn(locale)),
        heading(say(locale, "From forms received to verified signatures")),
        table((say(locale, "Step"), say(locale, "Forms")), rows[:-1], total=total),
    ]


def _tell_goal(threshold: Mapping[str, Any], count: int, voice: Voice) -> Block:
    locale, needed = voice.locale, threshold["signatures"]
    lines = [
        say(locale, crossing.sentence, moment=voice.moment(threshold[key]))
        for key, crossing in _CROSSINGS.items()
        if threshold[key] is not None
    ]
    number = voice.number(needed)
    return goal(
        voice.choose(threshold["labels"]) if threshold["labels"] else "",
        lines or [say(locale, "Not reached so far.")],
        needed=say_number(locale, "%(n)s signature", "%(n)s signatures", needed, n=number),
        share=min(1.0, count / needed),
    )


def _tell_official(official: Mapping[str, Any] | None, voice: Voice) -> list[Block]:
    if official is None:
        return []
    if official["signatures"] is None:
        told = say(
            voice.locale,
            "There is an official petition, %(number)s, which is counted apart and is not part of this number.",
            number=official["number"],
        )
        return [paragraph(told)]
    told = say_number(
        voice.locale,
        "There is an official petition, %(number)s, which is counted apart: %(count)s signature on %(day)s. It is not "
        "part of this number.",
        "There is an official petition, %(number)s, which is counted apart: %(count)s signatures on %(day)s. They are "
        "not part of this number.",
        official["signatures"],
        number=official["number"],
        count=voice.number(official["signatures"]),
        day=voice.day(official["counted_on"]),
    )
    return [paragraph(told)]


def _tell_paper(figures: Mapping[str, Any], locale: Locale) -> list[Block]:
    told = tell_paper(figures, locale)
    return [] if told is None else [paragraph(told.say(locale))]


def _warn(locale: Locale) -> list[str]:
    """Return what nobody may overlook: what this number is not."""
    return [
        say(locale, "Signatures on paper are not part of this number."),
        say(locale, "Sponsoring a petition does not mean that the Member agrees with it."),
        say(
            locale,
            "This is not a website of Parliament, and this report is not a certificate of the House of Commons. Only "
            "the Clerk of Petitions certifies petitions.",
        ),
    ]


# The breakdown


def _tell_breakdown(figures: Mapping[str, Any], voice: Voice) -> list[Block]:
    locale, breakdown = voice.locale, figures["breakdown"]
    if breakdown is None:
        words = say(locale, "There is no breakdown yet. Small numbers would pick people out.")
        return [heading(say(locale, "Where and when people signed")), paragraph(words)]
    told = say_number(
        locale,
        "From snapshot %(number)s of %(moment)s, when there was %(count)s verified signature.",
        "From snapshot %(number)s of %(moment)s, when there were %(count)s verified signatures.",
        breakdown["signatures"],
        number=voice.number(breakdown["snapshot"]),
        moment=voice.moment(breakdown["taken_at"]),
        count=voice.number(breakdown["signatures"]),
    )
    return [
        heading(say(locale, "Where and when people signed"), on_new_page=True),
        paragraph(told),
        paragraph(_tell_small(locale), is_note=True),
        *_tell_places(breakdown, voice),
        *show_days(breakdown["DaySignatures"], locale),
        *_tell_districts(breakdown, voice),
    ]


def _tell_small(locale: Locale) -> str:
    return say(
        locale,
        "A snapshot has a moment and a total of its own. It is made at most once a day and after at least twenty "
        "changes. Numbers under five, and under twenty for what is smaller than a province, are added together, to "
        "protect the people who signed.",
    )


def _tell_places(breakdown: Mapping[str, Any], voice: Voice) -> list[Block]:
    locale = voice.locale
    tables = (
        ("Province", say(locale, "By province and territory"), say(locale, "Province or territory")),
        ("Country", say(locale, "By country"), say(locale, "Country")),
        ("Language", say(locale, "By language of the page"), say(locale, "Language")),
    )
    provinces, countries, languages = ([*_tell_rows(breakdown, each, voice)] for each in tables)
    is_short = len(breakdown["CountrySignatures"]) <= SHORT
    if countries and languages and is_short:
        return [*provinces, beside(countries, languages)]
    return [*provinces, *countries, *languages]


def _tell_rows(breakdown: Mapping[str, Any], told: tuple[str, str, str], voice: Voice) -> Iterator[Block]:
    code, title, column = told
    if breakdown[f"{code}Signatures"]:
        yield heading(title, level=3)
        yield _compare(breakdown, code, column, voice)


def _tell_districts(breakdown: Mapping[str, Any], voice: Voice) -> list[Block]:
    if not breakdown["DistrictSignatures"]:
        return []
    locale = voice.locale
    return [
        heading(say(locale, "By federal electoral district"), level=3),
        paragraph(
            say(locale, "As signers chose to say. No district was worked out from a postal code."), with_next=True
        ),
        _compare(breakdown, "District", say(locale, "Federal electoral district"), voice),
    ]


def _compare(breakdown: Mapping[str, Any], code: str, column: str, voice: Voice) -> Block:
    """Return rows as a table with bars, the longest that of the largest number. What was merged is no place: no bar.

    A total stands below where it is that of the snapshot, and so says something.
    """
    rows = breakdown[f"{code}Signatures"]
    largest = max((each["SignatureCount"] for each in rows if each[code] is not None), default=0) or 1
    sum_of_rows = sum(each["SignatureCount"] for each in rows)
    counted = [
        row(
            _capital(voice.choose(each["Name"])),
            voice.number(each["SignatureCount"]),
            None if each[code] is None else each["SignatureCount"] / largest,
        )
        for each in rows
    ]
    total = (say(voice.locale, "Total"), voice.number(sum_of_rows))
    is_whole = sum_of_rows == breakdown["signatures"] and code != "District"
    return table((column, say(voice.locale, "Signatures")), counted, total=total if is_whole else None)


def _capital(words: Words) -> Words:
    """Return words as a line of a list begins; CLDR writes languages in small letters in French."""
    return sentence(words) if isinstance(words, str) else words


# The text


def _tell_text(figures: Mapping[str, Any], voice: Voice) -> list[Block]:
    locale = voice.locale
    words = say(
        locale,
        "Each signature belongs to the edition that its signer read. An edition is named by its fingerprint (SHA-256); "
        "this report holds the whole text of each.",
    )
    return [
        heading(say(locale, "The text that people signed")),
        paragraph(words, with_next=True),
        *(codes(_name_edition(each, voice), [each["hash"]]) for each in figures["editions"]),
    ]


def _name_edition(edition: Mapping[str, Any], voice: Voice) -> str:
    locale = voice.locale
    parts = [
        say(locale, "Edition %(number)s", number=voice.number(edition["number"])),
        voice.day(edition["created_at"]),
        ", ".join(language_name(tag, locale) for tag in edition["locales"]),
    ]
    if edition.get("signatures") is not None:
        count = edition["signatures"]
        parts.append(say_number(locale, "%(n)s signature", "%(n)s signatures", count, n=voice.number(count)))
    return " · ".join(parts)


# How to check it


def _tell_checking(figures: Mapping[str, Any], voice: Voice) -> list[Block]:
    locale, checkpoint = voice.locale, figures["checkpoint"]
    page = say(
        locale,
        "This page has every file of this report, says whether a later one has replaced it, and checks files that you "
        "have. Or scan the code with a telephone.",
    )
    files = say(
        locale,
        "The file named manifest holds the fingerprint of every other file and is signed with the keys below. The "
        "script verify.py, which comes with the report, checks all of it without trusting us.",
    )
    keys = say(locale, "Keys. Compare them with those that you were given in another way")
    log = say_number(
        locale,
        "The count is that of checkpoint %(number)s of the transparency log, made on %(moment)s: %(signed)s leaves "
        "signed, less %(removed)s removed, is %(count)s signature. The log can only grow: who keeps a checkpoint sees "
        "whether anything before it was changed.",
        "The count is that of checkpoint %(number)s of the transparency log, made on %(moment)s: %(signed)s leaves "
        "signed, less %(removed)s removed, are %(count)s signatures. The log can only grow: who keeps a checkpoint "
        "sees whether anything before it was changed.",
        figures["signatures"],
        number=voice.number(checkpoint["number"]),
        moment=voice.moment(checkpoint["made_at"]),
        signed=voice.number(checkpoint["signed_size"]),
        removed=voice.number(checkpoint["removed_size"]),
        count=voice.number(figures["signatures"]),
    )
    roots = [checkpoint[key] for key in ("signed_root", "removed_root") if checkpoint.get(key)]
    return [
        heading(say(locale, "How to check this report")),
        square(figures["report_url"], page),
        paragraph(files),
        paragraph(log),
        *([codes(say(locale, "Roots of the two trees of the log"), roots)] if roots else []),
        codes(keys, figures["keys"]),
        paragraph(
            say(locale, "This report names no signer, and it never changes. A later one replaces it."), with_next=True
        ),
    ]


def _host(figures: Mapping[str, Any]) -> str:
    return urlsplit(str(figures["base_url"])).netloc


def _picture(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def _square(figures: Mapping[str, Any]) -> str:
    drawn = io.BytesIO()
    segno.make(figures["report_url"], error="m", micro=False).save(
        drawn, kind="svg", border=0, dark="#241a15", xmldecl=False, svgns=True
    )
    return drawn.getvalue().decode()
