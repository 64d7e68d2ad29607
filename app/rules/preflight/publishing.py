"""What the platform itself asks before a campaign is published, and what it advises."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from app.i18n import Message, message
from app.rules.eligibility import admits_nobody
from app.rules.khmer import comparison_key
from app.rules.preflight.commons import place_of
from app.rules.preflight.shapes import Body, Finding, Place, Severity, Source, sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from app.rules.preflight.shapes import CheckedPart, CheckInput

PLATFORM: Final = Source(message("Hatthalekha, what publishing asks"))
#: From here on two titles are shown to the team side by side: the share of groups of three letters that both have.
SIMILAR: Final = 0.55
MOST_SIMILAR: Final = 3
_GROUP: Final = 3


def find_all(check: CheckInput) -> Iterator[Finding]:
    """Yield what publishing waits for and what is worth another look."""
    for rule in RULES:
        yield from rule(check)


def similarity(one: str, other: str) -> float:
    """Return how much two titles have in common, from 0 to 1, however they are spelt.

    Groups of three letters and not words are compared, since Khmer writes none apart (Dice's coefficient).
    """
    first, second = _groups(one), _groups(other)
    if not first or not second:
        return 0.0
    return 2 * len(first & second) / (len(first) + len(second))


@lru_cache(maxsize=4096)
def _groups(title: str) -> frozenset[str]:
    letters = comparison_key(title).replace(" ", "")
    return frozenset(letters[start : start + _GROUP] for start in range(max(1, len(letters) - _GROUP + 1))) - {""}


# The text ----------------------------------------------------------------------------------------------------------


def _find_title(check: CheckInput) -> Iterator[Finding]:
    if not any(part.name == "title" and _is_source(part, check) for part in _written(check)):
        yield _block(
            "title",
            Place("title", check.source_locale),
            message("There is no title in the language that the text is written in."),
            message("Write a title."),
        )


def _find_substance(check: CheckInput) -> Iterator[Finding]:
    if not any(part.name in {"request", "body"} for part in _written(check)):
        yield _block(
            "empty",
            Place("text"),
            message("The text asks for nothing: it has neither a request nor a body."),
            message("Add a request, or write the body of the letter."),
        )
    elif check.kind == "petition" and not any(part.name == "declaration" for part in _written(check)):
        yield _advice(
            "declaration",
            Place("declaration", check.source_locale),
            message("There is no declaration."),
            message("Say who asks and whom: “We, the undersigned, … call upon … to:”"),
        )


def _find_languages(check: CheckInput) -> Iterator[Finding]:
    if not check.promised_locales:
        yield _block(
            "languages",
            Place("languages", page="settings"),
            message("No language is promised."),
            message("Choose the languages in which the text will be complete."),
        )
    for locale in check.promised_locales:
        own = [part for part in _written(check) if part.locale == locale]
        if not own:
            yield _block(
                "language_missing",
                Place("text", locale),
                message("This language is promised, and nothing is written in it."),
                message("Write it, or take the promise back in the settings."),
            )
            continue
        yield from _find_missing(check, locale, own)
        yield from _find_unready(check, own)


def _find_missing(check: CheckInput, locale: str, own: list[CheckedPart]) -> Iterator[Finding]:
    """Yield the parts that a promised language lacks: single ones that the source has, and items."""
    there = {_key(part) for part in own}
    # A list that a language has only in part would be left out of it; one that the source lacks is missed by nobody.
    lists = {part.kind for part in _written(check) if part.locale in {check.source_locale, locale}}
    wanted = [
        part
        for part in _written(check)
        if _key(part) not in there and (part.kind in lists if part.kind is not None else _is_source(part, check))
    ]
    missing = list({_key(part): part for part in wanted}.values())
    if missing:
        place = place_of(missing[0], check)
        yield _block(
            "missing",
            Place(place.name, locale, place.number, place.item),
            message(
                "This language is promised, and parts of it are missing: %(count)s. This is the first.",
                count=len(missing),
            ),
            message("Write them, or take the promise back in the settings."),
        )


def _find_unready(check: CheckInput, own: list[CheckedPart]) -> Iterator[Finding]:
    unready = [part for part in own if not part.is_ready]
    if unready:
        yield _block(
            "not_ready",
            place_of(unready[0], check),
            message(
                "Parts of this language are not marked as ready: %(count)s. This is the first.", count=len(unready)
            ),
            message("Read each of them once more and mark it as ready."),
        )
    behind = [part for part in own if part.is_ready and part.is_behind]
    if behind:
        yield _advice(
            "behind",
            place_of(behind[0], check),
            message(
                "The original has changed since parts of this language were made ready: %(count)s. This is the first.",
                count=len(behind),
            ),
            message("Compare them with the original and mark them as ready again."),
        )


# Settings ----------------------------------------------------------------------------------------------------------


def _find_dates(check: CheckInput) -> Iterator[Finding]:
    place = Place("dates", page="settings")
    closes_on = check.closes_on
    if closes_on is None or check.open_for is not None:
        return
    if closes_on < check.today:
        yield _block(
            "closing_date",
            place,
            message("The closing date is past: %(day)s.", day=closes_on),
            message("Choose a later day."),
        )
    elif closes_on == check.today:
        yield _advice(
            "closing_date",
            place,
            message("Signing would end today, after less than a day."),
            message("Choose a later day, if people are to have time."),
        )
    if check.opens_on is not None and check.opens_on > closes_on:
        yield _block(
            "closing_date",
            place,
            message("The closing date is before the opening date."),
            message("Change one of the two."),
        )


def _find_embargo(check: CheckInput) -> Iterator[Finding]:
    place = Place("embargo", page="embargo")
    if check.is_embargo_past:
        yield _advice(
            "embargo",
            place,
            message(
                "The moment at which the embargo ends is past: the letter would be public as soon as it is approved."
            ),
            message("Choose a later moment, if it is to stay private for now."),
        )
        return
    ends_on, closes_on = check.embargo_on, check.closes_on
    if ends_on is not None and closes_on is not None and check.open_for is None and ends_on > closes_on:
        yield _block(
            "embargo",
            place,
            message("The embargo would end when signing is already over."),
            message("Choose an earlier moment, or a later last day."),
        )


def _find_eligibility(check: CheckInput) -> Iterator[Finding]:
    if admits_nobody(check.eligibility):
        yield _block(
            "nobody",
            Place("eligibility", page="settings"),
            message("Nobody can sign: these conditions cannot be met together."),
            message("Change who can sign in the settings."),
        )


def _find_thresholds(check: CheckInput) -> Iterator[Finding]:
    for number, threshold in enumerate(check.thresholds, 1):
        for locale in check.promised_locales:
            if not threshold.labels.get(locale, "").strip():
                yield _block(
                    "threshold",
                    Place("threshold", locale, number, page="settings"),
                    message(
                        "What is promised at a count of %(signatures)s is not said in this language.",
                        signatures=threshold.signatures,
                    ),
                    message("Translate the promise in the settings."),
                )


def _find_addressees(check: CheckInput) -> Iterator[Finding]:
    if not check.addressees and check.kind != "joint_statement":
        yield _advice(
            "addressee",
            Place("addressee", page="settings"),
            message("Nobody is addressed."),
            message("Say in the settings to whom it goes."),
        )
    for number, addressee in enumerate(check.addressees, 1):
        for locale in check.promised_locales:
            if not addressee.names.get(locale, "").strip():
                yield _advice(
                    "addressee",
                    Place("addressee", locale, number, page="settings"),
                    message("The addressee has no name in this language, and is shown in another one."),
                    message("Add the name in the settings."),
                )


def _find_similar(check: CheckInput) -> Iterator[Finding]:
    titles = [part.text for part in _written(check) if part.name == "title"]
    scored = [
        (max((similarity(own, title) for own in titles for title in other.titles.values()), default=0.0), other)
        for other in check.open_campaigns
    ]
    near = sorted((each for each in scored if each[0] >= SIMILAR), key=lambda each: (-each[0], each[1].slug))
    for _, other in near[:MOST_SIMILAR]:
        yield _advice(
            "similar",
            Place("title", check.source_locale),
            message("A campaign with a similar title is open: “%(title)s”.", title=_title(other.titles, check)),
            message("Read it first. Two campaigns for one thing share its signatures between them."),
            {other.slug: _title(other.titles, check)},
        )


def _title(titles: Mapping[str, str], check: CheckInput) -> str:
    return titles.get(check.source_locale) or next(iter(titles.values()))


RULES: Final[tuple[Callable[[CheckInput], Iterator[Finding]], ...]] = (
    _find_title,
    _find_substance,
    _find_languages,
    _find_dates,
    _find_embargo,
    _find_eligibility,
    _find_thresholds,
    _find_addressees,
    _find_similar,
)


def _written(check: CheckInput) -> list[CheckedPart]:
    return [part for part in check.parts if part.text.strip()]


def _is_source(part: CheckedPart, check: CheckInput) -> bool:
    return part.locale == check.source_locale


def _key(part: CheckedPart) -> tuple[str, object]:
    return part.name, part.item


def _block(code: str, place: Place, said: Message, advice: Message) -> Finding:
    return Finding(code, Body.PLATFORM, Severity.BLOCKS, place, sentence(said), sentence(advice), PLATFORM)


def _advice(code: str, place: Place, said: Message, advice: Message, links: Mapping[str, str] | None = None) -> Finding:
    return Finding(
        code, Body.PLATFORM, Severity.ADVISES, place, sentence(said), sentence(advice), PLATFORM, links or {}
    )
