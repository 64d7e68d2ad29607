"""The House of Commons' forms, electronic and on paper: what its clerks would refuse, and by which of its rules.

The House's rules are facts of shared/product.md; where each stands written is named beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.i18n import Message, message
from app.rules.eligibility import Signer, reasons_against
from app.rules.preflight import words
from app.rules.preflight.shapes import Body, Finding, Place, Reminder, Severity, Source, WordCount, sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.rules.preflight.shapes import CheckedPart, CheckInput

WORD_LIMIT: Final = 250
PERIODS: Final = (30, 60, 90, 120)
SUPPORTERS: Final = 5
SPONSOR_TRIES: Final = 5
SPONSOR_DAYS: Final = 30
SIGNATURES: Final = 500
PAPER_SIGNATURES: Final = 25
#: What fills a page of ordinary size, three signatures below it: a hint of ours, the House names no number.
PAPER_WORDS: Final = 450
#: The languages in which the House takes a petition.
OFFICIAL: Final = ("en", "fr")

PROCEDURE: Final = Source(
    message("House of Commons Procedure and Practice, chapter 22, “Electronic Petitions”"),
    "https://www.ourcommons.ca/procedure/procedure-and-practice-3/ch_22_4-e.html",
)
TERMS: Final = Source(
    message("House of Commons, Terms of Use for Creating and Submitting an E-petition"),
    "https://petitions.ourcommons.ca/en/Home/AboutContent?guide=CreatingEPetition",
)
SUPPORTERS_GUIDE: Final = Source(
    message("House of Commons, Electronic Petitions – Guide for Supporters"),
    "https://petitions.ourcommons.ca/en/Home/AboutContent?guide=PIGuideForSupporters",
)
GUIDELINES: Final = Source(
    message("House of Commons, Compendium of Procedure, “Form and Content of Petitions – Guidelines”"),
    "https://www.ourcommons.ca/About/Compendium/TypicalSittingDay/c_d_formcontentpetitionsguidelines-e.htm",
)
PETITIONS: Final = Source(
    message("House of Commons Procedure and Practice, chapter 22, “Guidelines for Petitions”"),
    "https://www.ourcommons.ca/Procedure/procedure-and-practice-3/ch_22_2-e.html",
)
PAPER_GUIDE: Final = Source(message("House of Commons, Paper Petitions – Guide for the Public"))

#: What the House gets of a text, and what of that counts.
GIVEN: Final = frozenset({"title", "salutation", "recital", "declaration", "request", "body", "closing"})
COUNTED: Final = frozenset({"recital", "request"})
#: Parts that its form has no place for.
EXTRA: Final = frozenset({"salutation", "body", "closing"})


def count_words(check: CheckInput) -> tuple[WordCount, ...]:
    """Return the words of recitals and requests together, English and French each for itself."""
    return tuple(
        WordCount(
            locale,
            sum(words.count_words(part.text) for part in check.parts if part.locale == locale and part.name in COUNTED),
            WORD_LIMIT,
        )
        for locale in OFFICIAL
    )


def say_count(count: WordCount) -> Message:
    """Return how many words of how many there are, to be spoken in any language."""
    return sentence(message("%(words)s of %(limit)s words", words=count.words, limit=count.limit))


def find_all(check: CheckInput) -> Iterator[Finding]:
    """Yield what the House would refuse or look at twice; nothing for a text that does not go there."""
    if not check.is_for_the_house:
        return
    for rule in RULES:
        yield from rule(check)


def place_of(part: CheckedPart, check: CheckInput) -> Place:
    """Return where a part stands; items are numbered as their readers see them."""
    if part.kind is None:
        return Place(part.name, part.locale)
    shown = {
        (each.position, each.item)
        for each in check.parts
        if each.kind == part.kind and (each.text.strip() or each.item == part.item)
    }
    order = sorted(shown, key=lambda each: (each[0] or 0, str(each[1])))
    return Place(part.name, part.locale, order.index((part.position, part.item)) + 1, part.item)


def is_complete(check: CheckInput, locale: str) -> bool:
    """Tell whether a language has every recital and request that any language has, and one request at least."""
    written = [part for part in check.parts if part.name in COUNTED and part.text.strip()]
    items = {(part.kind, part.item) for part in written}
    own = {(part.kind, part.item) for part in written if part.locale == locale}
    return own == items and any(kind == "request" for kind, _ in own)


# The text ----------------------------------------------------------------------------------------------------------


def _find_length(check: CheckInput) -> Iterator[Finding]:
    for count in count_words(check):
        if count.is_over:
            yield _finding(
                "words",
                Place("text", count.locale),
                message(
                    "Recitals and requests have %(words)s words together, and %(limit)s are allowed.",
                    words=count.words,
                    limit=WORD_LIMIT,
                ),
                message("Words to take out, at least: %(words)s.", words=count.words - WORD_LIMIT),
                PROCEDURE,
            )


@dataclass(frozen=True, slots=True)
class _Search:
    """Something that no part given to the House may hold."""

    code: str
    find: Callable[[str, str], str | None]
    severity: Severity
    message: Message
    advice: Message
    source: Source


_SEARCHES: Final = (
    _Search(
        "web_address",
        lambda text, _: words.find_web_address(text),
        Severity.REFUSES,
        message("This part holds a web address: “%(found)s”."),
        message("Say in words what the page shows, and take the address out."),
        PROCEDURE,
    ),
    _Search(
        "email",
        lambda text, _: words.find_email(text),
        Severity.REFUSES,
        message("This part holds an email address: “%(found)s”."),
        message("Take the address out. The House of Commons publishes no way to reach anybody."),
        PROCEDURE,
    ),
    _Search(
        "reference",
        lambda text, _: words.find_reference(text),
        Severity.REFUSES,
        message("This part leads to another document: “%(found)s”."),
        message("The text must be understood by itself. Say here what the document says, and take the reference out."),
        GUIDELINES,
    ),
    _Search(
        "language",
        words.find_intemperate,
        Severity.ADVISES,
        message("The House of Commons may find this word disrespectful: “%(found)s”."),
        message("Say what was done, and by whom, rather than what they are."),
        GUIDELINES,
    ),
)


def _find_in_parts(check: CheckInput) -> Iterator[Finding]:
    for part in check.parts:
        if part.name not in GIVEN:
            continue
        for search in _SEARCHES:
            found = search.find(part.text, part.locale)
            if found is not None:
                yield _finding(
                    search.code,
                    place_of(part, check),
                    message(search.message.sentence, found=found),
                    search.advice,
                    search.source,
                    severity=_severity(part.locale, search.severity),
                )
        demand = words.find_demand(part.text, part.name, part.locale)
        if demand is not None:
            yield _demand(demand, place_of(part, check))


def _demand(demand: words.Demand, place: Place) -> Finding:
    if demand.is_certain:
        return _finding(
            "demand",
            place,
            message("This reads as a demand: “%(found)s”. A petition asks.", found=demand.excerpt),
            message("Ask instead: “call upon”, “request” or “urge”."),
            GUIDELINES,
            severity=_severity(place.locale, Severity.REFUSES),
        )
    return _finding(
        "demand",
        place,
        message("This request begins with “%(found)s” and may read as a demand.", found=demand.excerpt),
        message("If it is the addressee who is to do it, ask instead. If it is somebody else, say who."),
        GUIDELINES,
        severity=Severity.ADVISES,
    )


def _severity(locale: str, severity: Severity) -> Severity:
    # The Khmer text does not go to the House; its signers should still sign the same request as everybody else.
    return severity if locale in OFFICIAL else Severity.ADVISES


def _find_extra_parts(check: CheckInput) -> Iterator[Finding]:
    for part in check.parts:
        if part.name in EXTRA and part.locale in OFFICIAL and part.text.strip():
            yield _finding(
                "extra_part",
                place_of(part, check),
                message("The House of Commons’ form has no place for this part."),
                message("Put what matters into the recitals and requests. On this site the part may stay."),
                GUIDELINES,
                severity=Severity.ADVISES,
            )


def _find_requests(check: CheckInput) -> Iterator[Finding]:
    if not any(part.name == "request" and part.text.strip() for part in check.parts):
        yield _finding(
            "no_request",
            Place("text"),
            message("There is no request. Recitals and opinions alone are no petition."),
            message("Add what the addressee is asked to do."),
            GUIDELINES,
        )
        return
    complete = [locale for locale in OFFICIAL if is_complete(check, locale)]
    if not complete:
        for body, source in ((Body.COMMONS_E, GUIDELINES), (Body.COMMONS_PAPER, PAPER_GUIDE)):
            yield _finding(
                "official_language",
                Place("text"),
                message("Neither the English nor the French text has every recital and request."),
                message("Complete one of the two. The House of Commons takes petitions in English or French only."),
                source,
                body=body,
            )
    elif len(complete) < len(OFFICIAL):
        (other,) = set(OFFICIAL) - set(complete)
        yield _finding(
            "translated_by_the_house",
            Place("text", other),
            message("This language has no complete text, so the House of Commons would translate the other one."),
            message("Complete it, if the words of both are to be yours."),
            PROCEDURE,
            severity=Severity.ADVISES,
        )


# To whom, by whom, how long ----------------------------------------------------------------------------------------


def _find_addressees(check: CheckInput) -> Iterator[Finding]:
    advice = message(
        "Address it to the House of Commons, the Government of Canada, a minister or a member of the House."
    )
    if not check.addressees:
        yield _finding("addressee", _settings("addressee"), message("Nobody is addressed."), advice, GUIDELINES)
    for number, addressee in enumerate(check.addressees, 1):
        names = [addressee.names[locale] for locale in OFFICIAL if addressee.names.get(locale)]
        if addressee.country == "CA" and any(words.is_of_the_house(name) for name in names):
            continue
        is_certain = addressee.country != "CA" or any(words.is_of_another_body(name) for name in names)
        yield _finding(
            "addressee",
            _settings("addressee", number),
            message("The House of Commons takes no petition to this addressee.")
            if is_certain
            else message("It is not clear that the House of Commons takes a petition to this addressee."),
            advice,
            GUIDELINES,
            severity=Severity.REFUSES if is_certain else Severity.ADVISES,
        )


def _find_period(check: CheckInput) -> Iterator[Finding]:
    advice = message("Choose 30, 60, 90 or 120 days.")
    days = check.open_for
    if days is None and check.closes_on is not None and check.opens_on is not None:
        days = (check.closes_on - check.opens_on).days
    if days in PERIODS:
        return
    if days is not None:
        said = message("Days that it would be open: %(days)s.", days=days)
    elif check.closes_on is None:
        said = message("It has no closing date.")
    else:
        yield _finding(
            "period",
            _settings("dates"),
            message("It has a closing date and no opening date, so nobody knows for how many days it is open."),
            advice,
            TERMS,
            severity=Severity.ADVISES,
        )
        return
    yield _finding("period", _settings("dates"), said, advice, TERMS)


def _find_supporters(check: CheckInput) -> Iterator[Finding]:
    if check.supporters_confirmed < SUPPORTERS:
        yield _finding(
            "supporters",
            Place("supporters", page="supporters"),
            message(
                "Supporters who have confirmed: %(confirmed)s. The House of Commons asks for %(needed)s.",
                confirmed=check.supporters_confirmed,
                needed=SUPPORTERS,
            ),
            message(
                "Pass the private link on to people who are not of your team and who are in Canada or its citizens."
            ),
            PROCEDURE,
        )


def _find_sponsor(check: CheckInput) -> Iterator[Finding]:
    if check.sponsor_state == "accepted":
        return
    place = Place("sponsor", page="sponsor")
    if check.sponsor_state == "asked":
        yield _finding(
            "sponsor",
            place,
            message("The member who was asked has not answered yet."),
            message("A member has %(days)s days to answer. After that you may ask another one.", days=SPONSOR_DAYS),
            PROCEDURE,
            severity=Severity.ADVISES,
        )
    elif check.sponsor_tries >= SPONSOR_TRIES:
        yield _finding(
            "sponsor",
            place,
            message("%(tries)s members were asked, and none authorises it.", tries=check.sponsor_tries),
            message("The House of Commons allows %(tries)s tries. A new petition begins anew.", tries=SPONSOR_TRIES),
            PROCEDURE,
        )
    else:
        yield _finding(
            "sponsor",
            place,
            message("No member of the House of Commons has agreed to authorise it."),
            message("Ask a member to sponsor it. You have up to %(tries)s tries.", tries=SPONSOR_TRIES),
            PROCEDURE,
        )


def _find_eligibility(check: CheckInput) -> Iterator[Finding]:
    def takes(country: str, *claims: str) -> bool:
        return not reasons_against(check.eligibility, Signer(country, None, frozenset(claims)))

    is_narrower = check.signatories == "organisations" or not (takes("CA") and takes("KH", "citizen_of:CA"))
    if is_narrower:
        said = message("Fewer people may sign here than there.")
    elif takes("KH"):
        said = message("Some who may sign here may not sign there.")
    else:
        return
    yield _finding(
        "eligibility",
        _settings("eligibility"),
        said,
        message("There, residents of Canada sign, and citizens wherever they live, at any age."),
        SUPPORTERS_GUIDE,
        severity=Severity.ADVISES,
    )


def _find_threshold(check: CheckInput) -> Iterator[Finding]:
    highest = max((each.signatures for each in check.thresholds), default=None)
    if highest is not None and highest < SIGNATURES:
        yield _finding(
            "threshold",
            _settings("threshold"),
            message("The highest number promised is %(signatures)s.", signatures=highest),
            message("The House of Commons takes an e-petition with %(needed)s valid signatures.", needed=SIGNATURES),
            PETITIONS,
            severity=Severity.ADVISES,
        )
    if highest is not None and highest < PAPER_SIGNATURES:
        yield _finding(
            "threshold",
            _settings("threshold"),
            message("The highest number promised is %(signatures)s.", signatures=highest),
            message("A paper petition needs %(needed)s valid signatures in ink.", needed=PAPER_SIGNATURES),
            PETITIONS,
            severity=Severity.ADVISES,
            body=Body.COMMONS_PAPER,
        )


def _find_paper_length(check: CheckInput) -> Iterator[Finding]:
    for locale in OFFICIAL:
        total = sum(
            words.count_words(part.text) for part in check.parts if part.locale == locale and part.name in GIVEN
        )
        if total > PAPER_WORDS:
            yield _finding(
                "paper_length",
                Place("text", locale),
                message("The whole text has %(words)s words and may not fit on one sheet.", words=total),
                message("The first sheet holds the full text and three signatures at least. Print it and see."),
                PAPER_GUIDE,
                severity=Severity.ADVISES,
                body=Body.COMMONS_PAPER,
            )


RULES: Final[tuple[Callable[[CheckInput], Iterator[Finding]], ...]] = (
    _find_length,
    _find_in_parts,
    _find_extra_parts,
    _find_requests,
    _find_addressees,
    _find_period,
    _find_supporters,
    _find_sponsor,
    _find_eligibility,
    _find_threshold,
    _find_paper_length,
)

#: What no text can break, for whoever prints sheets.
PAPER_REMINDERS: Final = (
    Reminder(message("At least 25 people sign in ink, each with an address. Copies do not count."), PETITIONS),
    Reminder(
        message(
            "The first sheet holds the full text and at least three signatures. Every other sheet says the subject."
        ),
        PAPER_GUIDE,
    ),
    Reminder(
        message("Sheets are in English or French. A sheet in Khmer is for other addressees than the House of Commons."),
        PAPER_GUIDE,
    ),
    Reminder(message("There is no logo, picture or attachment on them."), GUIDELINES),
    Reminder(
        message(
            "What is said above of requests, addressees and other documents holds for paper, too. "
            "The limit of 250 words and the closing period do not."
        ),
        GUIDELINES,
    ),
)


def _settings(name: str, number: int = 0) -> Place:
    return Place(name, number=number, page="settings")


def _finding(
    code: str,
    place: Place,
    said: Message,
    advice: Message,
    source: Source,
    *,
    severity: Severity = Severity.REFUSES,
    body: Body = Body.COMMONS_E,
) -> Finding:
    return Finding(code, body, severity, place, sentence(said), sentence(advice), source)
