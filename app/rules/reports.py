"""The verified count report as data and words: the way to the count, its rows, its manifest, its README.

What the files hold and how they are checked is docs/verifying.md. *Figures* are what `counts.json` says; rows of
`counts.csv` and `counts.xlsx`, manifest and README are all made from them, so that no two of them can differ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from app.i18n import LOCALES, message, say
from app.i18n.formats import format_date, format_moment, format_number, language_name
from app.rules.places import SUBDIVISIONS, country_name, country_of
from app.rules.suppression import settle_way

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from app.i18n import Locale, Message
    from app.rules.texts import CampaignText

FORMAT: Final = "hatthalekha-report/1"
RECEIVED: Final = "forms_received"
VERIFIED: Final = "verified"
OTHER: Final = "other"

#: Every step of the way, as a row names it. What goes out stands between the first and the last.
STEPS: Final[Mapping[str, Message]] = {
    RECEIVED: message("Forms received"),
    "not_confirmed": message("Not confirmed by email"),
    "not_eligible": message("From people who may not sign"),
    "duplicates": message("Other forms of the same person"),
    "quarantined": message("Held back until a moderator has looked"),
    "withdrawn": message("Withdrawn by the signers"),
    "removed": message("Taken out by a rule"),
    "in_progress": message("Confirmed, and not in the log yet"),
    OTHER: message("Other, and numbers too small to show"),
    VERIFIED: message("Verified signatures"),
}
#: Where a form is that the log does not count.
_STEP_OF_STATE: Final = {
    "pending": "not_confirmed",
    "expired": "not_confirmed",
    "superseded": "duplicates",
    "withdrawn": "withdrawn",
    "disowned": OTHER,  # erased by somebody who said that it was not them
}
_STEP_OF_STANDING: Final = {"counted": "in_progress", "quarantined": "quarantined", "removed": "removed"}
_IN_INK: Final = message("Signatures on paper, not verified and not part of the total")
_MERGED: Final = message("Elsewhere, not said, or too few to show")
#: Lists of a breakdown: its key, the key of its code, and the section of its rows.
BREAKDOWNS: Final = (
    ("ProvinceSignatures", "Province", "province"),
    ("CountrySignatures", "Country", "country"),
    ("LanguageSignatures", "Language", "language"),
    ("DaySignatures", "Day", "day"),
    ("DistrictSignatures", "District", "district"),
)
#: What the House of Commons numbers its own e-petitions with.
_OFFICIAL_NUMBER: Final = re.compile(r"e-[1-9][0-9]{0,5}")
_OFFICIAL_PAGE: Final = "https://www.ourcommons.ca/petitions/en/Petition/Details?Petition="


# The way


@dataclass(frozen=True, slots=True)
class Group:
    """Forms that stand alike; ``is_logged`` says that the log counts them."""

    state: str
    standing: str
    is_logged: bool
    forms: int


def count_steps(groups: Iterable[Group], *, turned_away: int) -> tuple[dict[str, int], int]:
    """Return how many forms each step takes out of those received, and how many are left: the verified ones.

    What the log counts is verified, whatever became of it since: it leaves the count with the next checkpoint.
    """
    steps = {"not_eligible": turned_away}
    verified = 0
    for group in groups:
        if group.is_logged:
            verified += group.forms
            continue
        is_confirmed = group.state == "confirmed"
        step = _STEP_OF_STANDING[group.standing] if is_confirmed else _STEP_OF_STATE[group.state]
        steps[step] = steps.get(step, 0) + group.forms
    return steps, verified


def tell_way(
    steps: Mapping[str, int], *, verified: int, before: Iterable[Sequence[Mapping[str, Any]]]
) -> list[dict[str, Any]]:
    """Return the way as figures have it, small steps merged; ``before`` are those of earlier reports, oldest first.

    What goes out is negative, so that all rows but the last add up to the last. A step moves by nothing or by five at
    least from what was last said of it, however long ago.
    """
    shown = {
        row["step"]: -row["forms"] for way in before for row in way if row["step"] not in {RECEIVED, OTHER, VERIFIED}
    }
    return [{"step": step, "forms": forms} for step, forms in settle_way(steps, shown, verified)]


# Names


def name_place(code: str | None) -> dict[str, str]:
    """Return what a country or subdivision is called in each language; None is what was merged."""
    if code is None:
        return speak(_MERGED)
    listed = SUBDIVISIONS.get(country_of(code), {})
    return speak(listed[code]) if code in listed else {locale: country_name(code, locale) for locale in LOCALES}


def name_language(code: str | None) -> dict[str, str]:
    """Return what a language is called in each language; None is what was merged."""
    return speak(_MERGED) if code is None else {locale: language_name(code, locale) for locale in LOCALES}


def name_merged() -> dict[str, str]:
    """Return what a row without a code holds."""
    return speak(_MERGED)


def speak(sentence: Message) -> dict[str, str]:
    """Return a sentence in each language."""
    return {locale: sentence.say(locale) for locale in LOCALES}


def official_page(reference: str | None) -> str | None:
    """Return where the House of Commons shows its e-petition of this number, None where it is no such number."""
    if reference is None or not _OFFICIAL_NUMBER.fullmatch(reference):
        return None
    return _OFFICIAL_PAGE + reference


# Rows


@dataclass(frozen=True, slots=True)
class Row:
    """A figure as a line of a table; no code: merged; no signatures: hidden."""

    section: str
    code: str
    names: Mapping[str, str]
    signatures: int | None

    @property
    def day(self) -> datetime | None:
        """The day that it is about, where it is about one."""
        return datetime.fromisoformat(self.code) if self.section == "day" and self.code else None


def list_rows(figures: Mapping[str, Any]) -> list[Row]:
    """Return one row for each figure, in the order of docs/verifying.md."""
    rows = [Row("total", VERIFIED, speak(STEPS[VERIFIED]), figures["signatures"])]
    rows += [Row("way", each["step"], speak(STEPS[each["step"]]), each["forms"]) for each in figures["way"]]
    breakdown = figures["breakdown"]
    if breakdown is not None:
        names = _name_in_each(_name_snapshot, breakdown["snapshot"])
        rows.append(Row("breakdown", "total", names, breakdown["signatures"]))
        for key, code, section in BREAKDOWNS:
            rows += [_row_of(section, each.get(code), each) for each in breakdown[key]]
    for edition in figures["editions"]:
        number = edition["number"]
        rows.append(Row("edition", str(number), _name_in_each(_name_edition, number), edition["signatures"]))
    # Last, and of a section of its own: it is part of no sum above. Reports from before there were sheets have none.
    paper = figures.get("paper")
    if paper is not None and paper["batches"]:
        rows.append(Row("paper", "signatures", speak(_IN_INK), paper["signatures"]))
    return rows


def _row_of(section: str, code: str | None, data: Mapping[str, Any]) -> Row:
    names = data.get("Name")
    if names is None:
        day = None if code is None else datetime.fromisoformat(code).date()
        names = name_merged() if day is None else {locale: format_date(day, locale) for locale in LOCALES}
    return Row(section, code or "", names, data["SignatureCount"])


def _name_in_each(name: Callable[[int, Locale], str], number: int) -> dict[str, str]:
    return {locale: name(number, locale) for locale in LOCALES}


def _name_snapshot(number: int, locale: Locale) -> str:
    return say(locale, "All of snapshot %(number)s", number=format_number(number, locale))


def _name_edition(number: int, locale: Locale) -> str:
    return say(locale, "Edition %(number)s", number=format_number(number, locale))


# Manifest


def write_manifest(figures: Mapping[str, Any], hashes: Mapping[str, str]) -> str:
    """Return the text that is signed: what the report says, then its files as `sha256sum` lists them."""
    checkpoint = figures["checkpoint"]
    told = {
        "campaign": figures["campaign"]["slug"],
        "number": figures["number"],
        "supersedes": figures["supersedes"] or "none",
        "issued-at": figures["issued_at"],
        "as-of": figures["as_of"],
        "signatures": figures["signatures"],
        "base-url": figures["base_url"],
        "checkpoint": checkpoint["number"],
        "signed-size": checkpoint["signed_size"],
        "removed-size": checkpoint["removed_size"],
    } | {f"edition-{edition['number']}": edition["hash"] for edition in figures["editions"]}
    lines = [FORMAT, *(f"{key}: {value}" for key, value in told.items())]
    return "\n".join([*lines, *(f"{hashes[name]}  {name}" for name in sorted(hashes))]) + "\n"


def as_text(moment: datetime) -> str:
    """Return an aware moment in UTC to the second, as all files of a report have it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# Words


def title_of(figures: Mapping[str, Any], locale: Locale) -> str:
    """Return the campaign's title in a language, else in the first that it has."""
    titles = figures["campaign"]["titles"]
    return str(titles.get(locale) or next(iter(titles.values())))


def name_report(figures: Mapping[str, Any], locale: Locale) -> str:
    """Return what a report is called in a language."""
    return say(locale, "Verified count report no. %(number)s", number=format_number(figures["number"], locale))


def explain(figures: Mapping[str, Any], locale: Locale) -> list[str]:
    """Return what whoever opens a report should know before its numbers, a paragraph each."""
    moment = format_moment(datetime.fromisoformat(figures["as_of"]), figures["campaign"]["timezone"], locale)
    count = format_number(figures["signatures"], locale)
    sentences = (
        message("Verified signatures as of %(moment)s: %(count)s", moment=moment, count=count),
        message(
            "Counted is who confirmed by email and declared that they may sign, and was neither withdrawn nor taken "
            "out. The count is exact: it is that of a checkpoint of the transparency log, signed leaves less removed "
            "ones."
        ),
        message(
            "Numbers by place, language, day and district are those of a snapshot, with a moment and a total of their "
            "own. Small numbers are merged, so that nobody can be picked out; a row without a code holds what was "
            "merged. Districts are what signers chose to say."
        ),
        message("This report names no signer. Signatures on paper are not part of its numbers."),
        *_explain_paper(figures, locale),
        message(
            "This is not a website of Parliament. Only the Clerk of Petitions certifies petitions to the House of "
            "Commons."
        ),
        message("Sponsoring a petition does not mean that the Member agrees with it."),
        message(
            "This report never changes. A later one may have replaced it: %(address)s", address=figures["report_url"]
        ),
    )
    return [each.say(locale) for each in sentences]


def _explain_paper(figures: Mapping[str, Any], locale: Locale) -> list[Message]:
    told = tell_paper(figures, locale)
    return [] if told is None else [told]


def tell_paper(figures: Mapping[str, Any], locale: Locale) -> Message | None:
    """Return what is to be known of signatures in ink, None where there are none: what they are and are not."""
    paper = figures.get("paper")
    if paper is None or not paper["batches"]:
        return None
    return message(
        "Signatures on paper, signed in ink and counted by the organisers: %(count)s (sheets: %(sheets)s, batches: "
        "%(batches)s). They are not verified by us, stand in no log, and are part of no other number of this report. "
        "People who signed on paper may have signed online, too: the two numbers are never added.",
        count=format_number(paper["signatures"], locale),
        sheets=format_number(paper["sheets"], locale),
        batches=format_number(paper["batches"], locale),
    )


def write_readme(figures: Mapping[str, Any], verifiers: Sequence[str]) -> str:
    """Return README.txt: what this is and how to check it, in each language, and the commands, which have none.

    ``verifiers`` are those of the keys that sign, in the order of their signatures.
    """
    parts = ["\n\n".join(_introduce(figures, locale)) for locale in ("en", "fr", "km")]
    return "\n\n".join([*parts, _write_commands(figures["base_url"], verifiers)]) + "\n"


def _introduce(figures: Mapping[str, Any], locale: Locale) -> list[str]:
    keys_url = f"{figures['base_url']}/api/v1/keys"
    checking = (
        message(
            "To check all of it: “python verify.py .”, with Python 3.11 and its package cryptography. It says what "
            "holds and what does not, without the internet, too (--offline). It is best taken from another place than "
            "this folder: %(address)s",
            address=f"{figures['base_url']}/api/v1/verify.py",
        ),
        message(
            "The signature is worth as much as its key. Compare the key below with the one that you were given before, "
            "and with those published here: %(address)s",
            address=keys_url,
        ),
        message(
            "To check without any program of ours: the files with sha256sum, the signature with OpenSSL 3, as below."
        ),
    )
    return [
        f"{name_report(figures, locale)}\n{title_of(figures, locale)}\n{'=' * 72}",
        *explain(figures, locale),
        *(each.say(locale) for each in checking),
    ]


def _write_commands(base_url: str, verifiers: Sequence[str]) -> str:
    """Return what to type. What it writes goes to a folder of its own: nothing else may lie beside the files."""
    public = verifiers[0].split("+", 2)[2]
    keys = "\n".join(verifiers)
    return f"""{"=" * 72}
{keys}

sha256sum -c manifest

T=$(mktemp -d)
sed '/^$/,$d' manifest > $T/text
grep '^— ' manifest | head -n 1 | cut -d ' ' -f 3 | base64 -d | tail -c 64 > $T/signature
printf '\\060\\052\\060\\005\\006\\003\\053\\145\\160\\003\\041\\000' > $T/key
echo {public} | base64 -d | tail -c 32 >> $T/key
openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey $T/key -in $T/text -sigfile $T/signature

curl -o $T/verify.py {base_url}/api/v1/verify.py
python $T/verify.py --lang en ."""


def write_text(text: CampaignText, *, number: int, edition_hash: str, locale: Locale) -> str:
    """Return an edition's text in one language, to be read; what names it is the hash of its JSON."""
    questions = [f"{one.question}\n{one.answer}" for one in text.faq]
    parts = [
        f"{_name_edition(number, locale)} · SHA-256 {edition_hash}",
        text.title,
        text.salutation,
        *text.recitals,
        text.declaration,
        *(f"{at}. {each}" for at, each in enumerate(text.requests, 1)),
        text.body,
        text.closing,
        text.call_to_sign,
        *(f"{at}. {each}" for at, each in enumerate(text.how_to_sign, 1)),
        *questions,
    ]
    lines = "\n\n".join(part for part in parts if part)
    return lines.replace("\r\n", "\n").replace("\r", "\n") + "\n"
