"""Words that the pre-flight looks for, as data, and how it looks for them.

Each list is small and errs on the side of silence: whoever writes is told what a body would refuse, not how to write.
Only English and French reach the House of Commons; the Khmer lists are there so that signers of the Khmer text agree to
the same request.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.rules.khmer import without_invisible

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_EXCERPT: Final = 60
#: How far into a request its verb may stand: "The Government of Canada must immediately …".
HEAD_WORDS: Final = 12


def count_words(text: str) -> int:
    """Return how many words a word processor counts: what stands between white space and has a letter or a digit."""
    return sum(any(character.isalnum() for character in word) for word in without_invisible(text).split())


def _any(*words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{'|'.join(words)})(?![\w-])", re.IGNORECASE)


# Addresses ---------------------------------------------------------------------------------------------------------

# Every repetition has an end: Khmer has no spaces, so a whole letter may stand between two of them.
_EMAIL: Final = re.compile(r"[^\s@<>()\[\],;:]{1,64}@[^\s@<>()\[\],;:]{1,253}\.[a-z]{2,}", re.IGNORECASE)
#: Endings that a bare address may have. All small or all capitals: "Canada.We" ends one sentence and begins another.
_ENDINGS: Final = (
    *("com", "net", "org", "info", "biz", "gov", "edu", "int", "io", "app", "dev", "xyz", "online", "site", "shop"),
    *("link", "page", "example", "test", "eu", "kh", "ca", "fr", "uk", "au", "us", "vn", "th", "quebec"),
)
_WEB_ADDRESS: Final = re.compile(
    r"(?<![a-zA-Z0-9])(?:"
    r"[a-zA-Z][a-zA-Z0-9+.-]{1,20}://\S+"
    r"|[wW]{3}\.[^\s.]\S*"
    r"|(?:[a-zA-Z0-9-]{1,63}\.){1,8}"
    rf"(?:{'|'.join(_ENDINGS)}|{'|'.join(each.upper() for each in _ENDINGS)})(?![\w-])(?:/\S*)?"
    # With a path any ending is one, as in youtu.be/… and t.me/….
    r"|(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,12}/[\w?=&%#~+.-]+"
    r")"
)


def find_email(text: str) -> str | None:
    """Return the first e-mail address in ``text``."""
    return _excerpt(_EMAIL.search(_plain(text)))


def find_web_address(text: str) -> str | None:
    """Return the first web address in ``text``, with or without its ``https``; an e-mail address is none."""
    return _excerpt(_WEB_ADDRESS.search(_EMAIL.sub(" ", _plain(text))))


# Other documents ---------------------------------------------------------------------------------------------------

#: Words that lead out of the text, in any language: an attachment in a French text may be named in English.
_REFERENCES: Final = (
    re.compile(r"\[\s?\d{1,3}\s?\]"),
    # Not the exponent of a unit, as in km².
    re.compile(r"(?<=[^\s\dmM])[¹²³⁰⁴-⁹]+"),
    _any(
        r"see (?:the )?(?:attached|enclosed|annex|appendix|exhibit|footnote|link|website)",
        r"attached (?:hereto|herewith|document|file|letter|list|report|map|table|text|photo|picture)s?",
        r"enclosed (?:herewith|document|file|letter|list|report|map|table|text|photo|picture)s?",
        r"append(?:ix|ices)",
        r"footnotes?",
        r"(?:in|see) annex",
        r"(?:annex|exhibit) (?:[a-z]|\d+|[ivx]+)",
    ),
    _any(
        r"ci-joint(?:e?s?)",
        r"ci-annexée?s?",
        r"en annexe",
        r"voir (?:l’|l')annexe",
        r"annexe (?:[a-z]|\d+|[ivx]+)",
        r"pi[èe]ces? jointes?",
        r"(?:document|rapport|texte|lettre|liste|carte|tableau|fichier)s? (?:joint|annexé)e?s?",
        r"notes? (?:de|en) bas de page",
    ),
)


def find_reference(text: str) -> str | None:
    """Return the first word of ``text`` that leads to another document, a footnote or an attachment."""
    plain = unicodedata.normalize("NFC", without_invisible(text))
    found = [match for pattern in _REFERENCES if (match := pattern.search(plain))]
    return _excerpt(min(found, key=lambda match: match.start(), default=None))


# Demands -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Demands:
    """How one language demands: ``anywhere``, in the sentence ``before`` the requests, or in a request's ``head``.

    ``verbs`` that begin a request demand of somebody else as often as of the addressee.
    """

    anywhere: re.Pattern[str]
    before: re.Pattern[str]
    head: re.Pattern[str]
    verbs: re.Pattern[str]


#: Between whoever must and the word that says so.
_A_FEW_WORDS: Final = r"(?:\W+\w+){0,6}?\W+"
DEMANDS: Final[Mapping[str, Demands]] = {
    "en": Demands(
        anywhere=_any(
            r"we,?(?: the undersigned,?)? (?:hereby |strongly |firmly |urgently |also )?"
            r"(?:demand|insist|require|order|command)"
        ),
        before=_any(
            *(r"demand(?:s|ed|ing)?", r"insist(?:s|ed|ing)?", r"requir(?:e|es|ing)"),
            *(r"(?<!in )order(?:s|ing)?", r"command(?:s|ing)?", "must", "ultimatum"),
        ),
        head=_any(
            rf"(?:government|canada|house|parliament|ministers?|members?|you|it|they){_A_FEW_WORDS}must", r"^must"
        ),
        verbs=_any("demand", "insist", "require", "order", "command"),
    ),
    "fr": Demands(
        anywhere=_any(r"(?:nous )?(?:exigeons|réclamons|sommons|ordonnons)", "nous insistons", "mettons en demeure"),
        before=_any(
            *(r"exige(?:r|s|nt|z|ant|ons|ez)?", r"exigeant(?:s|es?)?", r"réclam(?:er|e|es|ent|ons|ez|ant)"),
            *(r"sommons", r"sommant", r"ordonn(?:er|ons|ent|ant)", r"insist(?:er|e|es|ent|ons|ez|ant)"),
            *(r"en demeure", "ultimatum", r"doi(?:t|vent)", "devez", r"devr(?:a|ont|ez)"),
        ),
        head=_any(
            rf"(?:gouvernement|canada|chambre|parlement|ministres?|députée?s?|vous|ils?|elles?){_A_FEW_WORDS}"
            r"(?:doi(?:t|vent)|devez|devr(?:a|ont|ez))",
            r"^(?:doi(?:t|vent)|devez|devr(?:a|ont|ez))",
        ),
        verbs=_any("exiger", "exigez", "réclamer", "réclamez", "sommer", "sommez", "ordonner", "ordonnez", "insister"),
    ),
    "km": Demands(
        anywhere=re.compile("(?!)"),
        before=re.compile("ទាមទារ|បង្គាប់|ដាច់ខាត"),
        head=re.compile("^(?:សូម)?(?:ទាមទារ|បង្គាប់)"),
        verbs=re.compile("^(?:ទាមទារ|បង្គាប់)"),
    ),
}


@dataclass(frozen=True, slots=True)
class Demand:
    """A demand that was found; one that ``is_certain`` is made of the addressee."""

    excerpt: str
    is_certain: bool


def find_demand(text: str, name: str, locale: str) -> Demand | None:
    """Return the first demand in a part of the text, or None.

    A recital may say that something must be; only what is asked of the addressee is a demand, so the declaration is
    read whole, a request in its first words, and everything else for "we demand" alone.
    """
    demands, plain = DEMANDS[locale], _plain(text)
    found = demands.anywhere.search(plain)
    if found is None and name == "declaration":
        found = demands.before.search(plain)
    if found is None and name == "request":
        head = " ".join(plain.split()[:HEAD_WORDS])
        verb = demands.verbs.match(head.lstrip("«“\"'(-–— "))
        if verb is not None:
            return Demand(_short(verb[0]), is_certain=False)
        found = demands.head.search(head)
    return None if found is None else Demand(_short(found[0]), is_certain=True)


# Temperate language ------------------------------------------------------------------------------------------------

#: What the House may find improper: disrespect, and charges against the character of an authority.
_INTEMPERATE: Final = {
    "en": _any(
        *(r"liars?", r"thugs?", r"crooks?", r"crooked", r"traitors?", r"dictators?", r"tyrants?", r"despots?"),
        *(r"puppets?", r"idiots?", r"stupid", r"scum", r"corrupt", r"murderers?", r"thie(?:f|ves)", r"henchm[ae]n"),
    ),
    "fr": _any(
        *(r"menteu(?:r|rs|se|ses)", r"voyous?", r"escrocs?", r"traîtres?(?:ses?)?", r"dictateurs?", r"dictatrices?"),
        *(r"tyrans?", r"despotes?", r"marionnettes?", r"idiote?s?", r"stupides?", r"corrompue?s?", r"assassins?"),
        *(r"voleurs?", r"voleuses?", r"sbires?"),
    ),
    "km": re.compile("ជនផ្តាច់ការ|ជនផ្ដាច់ការ|ក្បត់ជាតិ|អាយ៉ង|ឃាតក"),
}


def find_intemperate(text: str, locale: str) -> str | None:
    """Return the first word of ``text`` that a clerk may call disrespectful."""
    return _excerpt(_INTEMPERATE[locale].search(_plain(text)))


# Addressees --------------------------------------------------------------------------------------------------------

_HOUSE: Final = _any(
    *(r"house of commons", r"chambre des communes", r"government of canada", r"gouvernement du canada"),
    *(r"(?:federal|canadian) government", r"gouvernement (?:fédéral|canadien)"),
    *(r"members? of parliament", r"members? of the house of commons", r"m\.?p\.?"),
)
#: Of Canada, unless a province is named beside it.
_MINISTER: Final = _any(r"ministers?", r"ministres?", r"députée?s?(?:\.e)?")
_ELSEWHERE: Final = _any(
    *(r"senate", r"senators?", r"sénat", r"sénat(?:eur|rice)s?"),
    *(r"legislative assembly", r"assemblée (?:législative|nationale)", r"provincial", r"provinciale?", r"municipal"),
    *(r"city council", r"conseil municipal", r"mayors?", r"mair(?:e|esse)", r"municipale?"),
    *(r"alberta", r"british columbia", r"colombie-britannique", r"manitoba", r"new brunswick", r"nouveau-brunswick"),
    *(r"newfoundland and labrador", r"terre-neuve-et-labrador", r"nova scotia", r"nouvelle-écosse", r"nunavut"),
    *(r"ontario", r"prince edward island", r"île-du-prince-édouard", r"qu[ée]bec", r"saskatchewan", r"yukon"),
    *(r"northwest territories", r"territoires du nord-ouest"),
)


def is_of_the_house(name: str) -> bool:
    """Tell whether a name, in English or French, is of somebody that the House's petitions may be addressed to."""
    said = unicodedata.normalize("NFC", name)
    return bool(_HOUSE.search(said) or (_MINISTER.search(said) and not _ELSEWHERE.search(said)))


def is_of_another_body(name: str) -> bool:
    """Tell whether a name says plainly that it is another body: the Senate, a province, a town."""
    return not is_of_the_house(name) and _ELSEWHERE.search(unicodedata.normalize("NFC", name)) is not None


# Shared ------------------------------------------------------------------------------------------------------------


def _plain(text: str) -> str:
    """Return ``text`` with full-width letters and the like as plain ones, and nothing invisible between them."""
    return unicodedata.normalize("NFKC", without_invisible(text)).replace("\u2019", "'")


def _excerpt(match: re.Match[str] | None) -> str | None:
    return None if match is None else _short(match[0].rstrip(".,;:!?»”)'\""))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_EXCERPT else f"{text[: LONGEST_EXCERPT - 1]}…"
