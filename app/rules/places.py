"""Countries and their subdivisions: codes, names, and how a sentence speaks of each in three languages.

Countries are those of ISO 3166-1, named by CLDR; subdivisions are those of ISO 3166-2 for the three countries that
most signers live in, named in our own catalogues, since no library has them in Khmer. French needs an article or a
preposition for every place (au Canada, en France, aux États-Unis), which no library has either: hence the tables here.
Sources: shared/design/glossary.md sections 2 and 4, and the usage of the Office québécois de la langue française.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from app.i18n.catalogues import Locale, Message, message
from app.rules.khmer import sort_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Every code of ISO 3166-1 alpha-2. Written out, so that checking a code needs no locale data.
COUNTRIES: Final = frozenset(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA
    CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA
    GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP
    KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS
    MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS
    RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW
    TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
    """.split()  # noqa: SIM905 - a list would take a line for each
)

#: Where most signers live: the first group of a form's list.
COMMON_COUNTRIES: Final = ("CA", "US", "FR", "AU", "KH")

#: Names in English; in Khmer the catalogue gives both scripts, as in «ប្រ៊ីធីសកូឡុំប៊ី (British Columbia)».
SUBDIVISIONS: Final[Mapping[str, Mapping[str, Message]]] = {
    "CA": {
        "CA-AB": message("Alberta"),
        "CA-BC": message("British Columbia"),
        "CA-MB": message("Manitoba"),
        "CA-NB": message("New Brunswick"),
        "CA-NL": message("Newfoundland and Labrador"),
        "CA-NT": message("Northwest Territories"),
        "CA-NS": message("Nova Scotia"),
        "CA-NU": message("Nunavut"),
        "CA-ON": message("Ontario"),
        "CA-PE": message("Prince Edward Island"),
        "CA-QC": message("Quebec"),
        "CA-SK": message("Saskatchewan"),
        "CA-YT": message("Yukon"),
    },
    "US": {
        "US-AL": message("Alabama"),
        "US-AK": message("Alaska"),
        "US-AZ": message("Arizona"),
        "US-AR": message("Arkansas"),
        "US-CA": message("California"),
        "US-CO": message("Colorado"),
        "US-CT": message("Connecticut"),
        "US-DE": message("Delaware"),
        "US-DC": message("District of Columbia"),
        "US-FL": message("Florida"),
        "US-GA": message("Georgia"),
        "US-HI": message("Hawaii"),
        "US-ID": message("Idaho"),
        "US-IL": message("Illinois"),
        "US-IN": message("Indiana"),
        "US-IA": message("Iowa"),
        "US-KS": message("Kansas"),
        "US-KY": message("Kentucky"),
        "US-LA": message("Louisiana"),
        "US-ME": message("Maine"),
        "US-MD": message("Maryland"),
        "US-MA": message("Massachusetts"),
        "US-MI": message("Michigan"),
        "US-MN": message("Minnesota"),
        "US-MS": message("Mississippi"),
        "US-MO": message("Missouri"),
        "US-MT": message("Montana"),
        "US-NE": message("Nebraska"),
        "US-NV": message("Nevada"),
        "US-NH": message("New Hampshire"),
        "US-NJ": message("New Jersey"),
        "US-NM": message("New Mexico"),
        "US-NY": message("New York"),
        "US-NC": message("North Carolina"),
        "US-ND": message("North Dakota"),
        "US-OH": message("Ohio"),
        "US-OK": message("Oklahoma"),
        "US-OR": message("Oregon"),
        "US-PA": message("Pennsylvania"),
        "US-RI": message("Rhode Island"),
        "US-SC": message("South Carolina"),
        "US-SD": message("South Dakota"),
        "US-TN": message("Tennessee"),
        "US-TX": message("Texas"),
        "US-UT": message("Utah"),
        "US-VT": message("Vermont"),
        "US-VA": message("Virginia"),
        "US-WA": message("Washington"),
        "US-WV": message("West Virginia"),
        "US-WI": message("Wisconsin"),
        "US-WY": message("Wyoming"),
        "US-AS": message("American Samoa"),
        "US-GU": message("Guam"),
        "US-MP": message("Northern Mariana Islands"),
        "US-PR": message("Puerto Rico"),
        "US-VI": message("U.S. Virgin Islands"),
    },
    "AU": {
        "AU-ACT": message("Australian Capital Territory"),
        "AU-NSW": message("New South Wales"),
        "AU-NT": message("Northern Territory"),
        "AU-QLD": message("Queensland"),
        "AU-SA": message("South Australia"),
        "AU-TAS": message("Tasmania"),
        "AU-VIC": message("Victoria"),
        "AU-WA": message("Western Australia"),
    },
}

_NAMES: Final = {code: name for group in SUBDIVISIONS.values() for code, name in group.items()}
_SUBDIVISION: Final = re.compile(r"([A-Z]{2})-[A-Z0-9]{1,3}")
_ZERO_WIDTH_SPACE: Final = "\u200b"
_NO_BREAK: Final = "\u00a0"


@dataclass(frozen=True, slots=True)
class PlaceForms:
    """How a sentence in one language speaks of a place."""

    name: str  # as in a list: «ប្រ៊ីធីសកូឡុំប៊ី (British Columbia)», United States, États-Unis
    plain: str  # inside a sentence: ប្រ៊ីធីសកូឡុំប៊ី, the United States, États-Unis
    in_: str  # in the United States, aux États-Unis, នៅសហរដ្ឋអាមេរិក
    of: str  # of the United States, des États-Unis; Khmer puts the name behind the noun, without a word
    adjective: str = ""  # American; in the feminine, as « citoyenneté » takes it, américaine; often there is none
    kind: str = ""  # Khmer alone: ខេត្ត, រដ្ឋ or ដែនដី, said before the name of a subdivision


def is_subdivision(code: str) -> bool:
    """Tell whether ``code`` may be a subdivision: one of ours, or one in the form of ISO 3166-2 elsewhere.

    Where we have the list of a country, only what is on it counts; other countries' lists are not kept here.
    """
    found = _SUBDIVISION.fullmatch(code)
    if found is None or found[1] not in COUNTRIES:
        return False
    return code in _NAMES or found[1] not in SUBDIVISIONS


def country_of(place: str) -> str:
    """Return the country of a subdivision, or of itself."""
    return place[:2]


def country_name(code: str, locale: Locale) -> str:
    """Return the name of a country or of the European Union (EU); KeyError for any other code.

    It stands alone: inside a sentence `place_forms` knows the article.
    """
    if code not in COUNTRIES and code != "EU":
        raise KeyError(code)
    name = _territories(locale)[code]
    return name[0].upper() + name[1:]


@cache
def list_countries(locale: Locale) -> tuple[tuple[str, str], ...]:
    """Return every country as ``(code, name)`` in the order of the language's alphabet."""
    named = ((code, country_name(code, locale)) for code in COUNTRIES)
    return tuple(sorted(named, key=lambda one: (sort_key(one[1]), one[0])))


@cache
def list_subdivisions(country: str, locale: Locale) -> tuple[tuple[str, str], ...]:
    """Return the subdivisions of a country as ``(code, name)``, in order; none where we have no list."""
    named = ((code, name.say(locale)) for code, name in SUBDIVISIONS.get(country, {}).items())
    return tuple(sorted(named, key=lambda one: (sort_key(one[1]), one[0])))


@cache
def place_forms(place: str, locale: Locale) -> PlaceForms:
    """Return how a sentence speaks of a country or subdivision; KeyError where ``place`` is neither."""
    if place not in COUNTRIES and not is_subdivision(place):
        raise KeyError(place)
    if place not in COUNTRIES and place not in _NAMES:
        return _forms_of_code(place, locale)
    if locale == "fr":
        return _french_forms(place)
    return _english_forms(place) if locale == "en" else _khmer_forms(place)


def in_places(places: Sequence[str], locale: Locale) -> str:
    """Return where people live, the preposition included: in A or B, au A ou en B.

    Khmer leaves the preposition to the verb: A ឬB, and names the kind of a subdivision once for those that share it.
    """
    forms = [place_forms(place, locale) for place in places]
    if locale == "fr":
        return either([one.in_ for one in forms], locale)
    if locale == "en":
        return "in " + either([one.plain for one in forms], locale)
    shown = []
    kind = ""
    for one in forms:
        # In Latin letters names run together, as in "New York Nevada": there each says what it is.
        is_said = one.kind == kind and not _is_latin(one.plain)
        shown.append(one.plain if is_said else _after(one.kind, one.plain))
        kind = one.kind
    return either(shown, locale)


def of_places(places: Sequence[str], locale: Locale) -> str:
    """Return whose citizens people are: of A or B; canadienne ou américaine, else du A ou du B; A ឬB in Khmer."""
    forms = [place_forms(place, locale) for place in places]
    if locale == "en":
        return "of " + either([one.plain for one in forms], locale)
    if locale == "km":
        return either([one.plain for one in forms], locale)
    has_adjectives = all(one.adjective for one in forms)
    return either([one.adjective if has_adjectives else one.of for one in forms], locale)


def either(items: Sequence[str], locale: Locale) -> str:
    """Return A, B or C. Where an item has a choice of its own, a comma keeps the two apart."""
    return _series(items, {"km": "ឬ", "en": "or", "fr": "ou"}[locale], locale)


def both(items: Sequence[str], locale: Locale) -> str:
    """Return A, B and C, likewise."""
    return _series(items, {"km": "និង", "en": "and", "fr": "et"}[locale], locale)


def _series(items: Sequence[str], word: str, locale: Locale) -> str:
    """Return ``items`` with ``word`` before the last. Khmer parts them by spaces and joins the word to what follows."""
    *first, last = items
    if not first:
        return last
    if locale == "km":
        return " ".join([*first, _after(word, last)])
    comma = "," if any(f" {word} " in item for item in items) else ""
    return f"{', '.join(first)}{comma} {word} {last}"


def _after(word: str, name: str) -> str:
    """Return Khmer ``word`` and ``name``, a space between them only where the name is in Latin letters."""
    return f"{word} {name}" if word and _is_latin(name) else f"{word}{name}"


def _is_latin(name: str) -> bool:
    """Tell whether a name that stands in Khmer begins with a Latin letter."""
    return name[0].isascii()


@cache
def _territories(locale: Locale) -> Mapping[str, str]:
    """Return CLDR's names. Canadian French, which says Bélarus; Khmer without the spaces that nobody sees."""
    from babel import Locale as Cldr  # loaded when first asked for: a start has no use for it

    names = Cldr.parse("fr_CA" if locale == "fr" else locale).territories
    return {code: name.replace(_ZERO_WIDTH_SPACE, "") for code, name in names.items()}


# English

_ENGLISH_ARTICLE: Final = re.compile(
    r"(?:.*(?:Islands|Republic|Kingdom|States|Emirates|Territory|Territories|Netherlands|Philippines)"
    r"|Bahamas|Comoros|Gambia|Maldives|Seychelles|Isle of Man|District of Columbia)"
)
#: Names that mean another place as well when they stand alone.
_ENGLISH_PLAIN: Final = {
    "US-GA": "the state of Georgia",
    "US-NY": "the state of New York",
    "US-WA": "the state of Washington",
    "AU-VIC": "the state of Victoria",
}
_ENGLISH_ADJECTIVES: Final = {
    "AU": "Australian",
    "CA": "Canadian",
    "FR": "French",
    "KH": "Cambodian",
    "US": "American",
}


def _english_forms(place: str) -> PlaceForms:
    """Return a place as English speaks of it."""
    name = _NAMES[place].say("en") if place in _NAMES else country_name(place, "en")
    article = "the " if _ENGLISH_ARTICLE.fullmatch(name) else ""
    plain = _ENGLISH_PLAIN.get(place, article + name)
    return PlaceForms(name, plain, f"in {plain}", f"of {plain}", _ENGLISH_ADJECTIVES.get(place, ""))


# French. Feminine, masculine and plural names take an article (en France, au Canada, aux États-Unis); the fourth kind,
# cities and islands mostly, takes none (à Cuba); the fifth is an island by name (à l’île Norfolk).

_FRENCH_KINDS: Final = {
    place: kind
    for kind, places in {
        "feminine": """
            AD AL AM AQ AR AT AU BA BE BG BO CF CH CI CN CO CZ DE DO DZ EE EG ER ES ET FI FM FR GE GF GM GN GP GQ GR GS
            GW HR HU ID IE IN IS IT JM KP KR LR LT LV LY MD MK MN MQ MR MY NA NC NO NZ PF PG PL RO RS RU SA SE SI SK SL
            SO SY TH TN TR TZ UA ZA ZM
            CA-AB CA-BC CA-NS CA-ON CA-SK US-CA US-FL US-LA US-NC US-PA US-SC US-VA US-WV AU-NSW AU-SA AU-TAS AU-WA
            """,
        "masculine": """
            AF AO AZ BD BF BI BJ BN BR BT BW BY BZ CA CD CG CL CM CR CV DK EC EH GA GB GH GL GT GY HN IQ IR JO JP KE KG
            KH KW KZ LA LB LI LK LS LU MA ME ML MM MW MX MZ NE NG NI NP PA PE PK PT PY QA RW SD SN SR SS SV SZ TD TG TJ
            TL TM UG UY UZ VE VN VU WS YE ZW
            CA-MB CA-NB CA-NU CA-QC CA-YT
            US-AK US-AL US-AR US-AZ US-CO US-CT US-DE US-IA US-ID US-IL US-IN US-KS US-KY US-MA US-MD US-ME US-MI US-MN
            US-MO US-MS US-MT US-ND US-NE US-NH US-NJ US-NM US-NV US-OH US-OK US-OR US-RI US-SD US-TN US-TX US-UT US-VT
            US-WI US-WY AU-QLD
            """,
        "plural": """
            AE AS AX BM BQ BS CC CK FJ FK FO HM KM KY MH MP MV NL PH PN PW SB SC TC TK TO TV UM US VG VI
            US-AS US-MP US-VI
            """,
        "bare": """
            AG AI AW BH BL CU CW CY DJ GG GI GU JE KI KN LC MC MF MG MS MT MU NR NU OM PM PR SG SH SM ST SX TT TW VC WF
            YT CA-NL US-GU US-HI US-PR
            """,
        "island": "BV CX IM NF CA-PE",
        "within": "IO US-DC AU-ACT AU-NT",
        "within several": "PS TF CA-NT",
        "state": "US-NY US-WA AU-VIC",
    }.items()
    for place in places.split()
}
#: Places that follow no rule, whole.
_FRENCH_WHOLE: Final = {
    "BB": ("à la Barbade", "de la Barbade"),
    "DM": ("à la Dominique", "de la Dominique"),
    "GD": ("à la Grenade", "de la Grenade"),
    "HK": ("à Hong Kong", "de Hong Kong"),
    "HT": ("en Haïti", "d’Haïti"),
    "IL": ("en Israël", "d’Israël"),
    "MO": ("à Macao", "de Macao"),
    "RE": ("à La Réunion", "de La Réunion"),
    "SJ": ("au Svalbard ou à Jan Mayen", "du Svalbard et de Jan Mayen"),
    "US-GA": ("en Géorgie (États-Unis)", "de la Géorgie (États-Unis)"),
    "VA": ("au Vatican", "du Vatican"),
}
_FRENCH_ADJECTIVES: Final = {
    "AU": "australienne",
    "BE": "belge",
    "CA": "canadienne",
    "CH": "suisse",
    "CN": "chinoise",
    "DE": "allemande",
    "FR": "française",
    "GB": "britannique",
    "JP": "japonaise",
    "KH": "cambodgienne",
    "LA": "laotienne",
    "MY": "malaisienne",
    "NZ": "néo-zélandaise",
    "TH": "thaïlandaise",
    "US": "américaine",
    "VN": "vietnamienne",
}
_FRENCH_VOWELS: Final = frozenset("aeiou")


def _french_forms(place: str) -> PlaceForms:
    """Return a place as French speaks of it."""
    name = _NAMES[place].say("fr") if place in _NAMES else country_name(place, "fr")
    plain = name if place in _NAMES else _territories("fr")[place]
    in_, of = _FRENCH_WHOLE.get(place) or _french_phrases(_FRENCH_KINDS[place], plain)
    return PlaceForms(name, plain, in_, of, _FRENCH_ADJECTIVES.get(place, ""))


def _french_phrases(kind: str, name: str) -> tuple[str, str]:
    """Return ``(in, of)`` for a name of this kind. H is never mute in the names that reach this."""
    is_vowel = unicodedata.normalize("NFD", name)[0].lower() in _FRENCH_VOWELS
    before_in, before_of = {
        "feminine": ("en ", "de l’" if is_vowel else "de la "),
        "masculine": ("en ", "de l’") if is_vowel else ("au ", "du "),
        "plural": ("aux ", "des "),
        "bare": ("à ", "d’" if is_vowel else "de "),
        "island": ("à l’", "de l’"),
        "within": ("dans le ", "du "),
        "within several": ("dans les ", "des "),
        "state": ("dans l’État de ", "de l’État de "),
    }[kind]
    return before_in + name, before_of + name


# Khmer

_PROVINCE: Final = "ខេត្ត"
_STATE: Final = "រដ្ឋ"
_TERRITORY: Final = "ដែនដី"
#: Everything else is a province of Canada or a state. Two names say already what they are.
_KHMER_KINDS: Final = {
    "CA-NT": "",
    "US-DC": "",
    **dict.fromkeys(
        ("CA-NU", "CA-YT", "US-AS", "US-GU", "US-MP", "US-PR", "US-VI", "AU-ACT", "AU-NT"),
        _TERRITORY,
    ),
}


def _khmer_forms(place: str) -> PlaceForms:
    """Return a place as Khmer speaks of it: in a sentence without the Latin letters that a list adds."""
    if place not in _NAMES:
        name = country_name(place, "km")
        return PlaceForms(name, name, f"នៅ{name}", name)
    name = _NAMES[place].say("km")
    plain = name.removesuffix(f" ({_NAMES[place].say('en')})")
    kind = _KHMER_KINDS.get(place, _PROVINCE if country_of(place) == "CA" else _STATE)
    whole = _after(kind, plain)
    return PlaceForms(name, plain, f"នៅ{whole}", whole, kind=kind)


# Subdivisions that we have no name for: the code, and the country that it belongs to.


def _forms_of_code(place: str, locale: Locale) -> PlaceForms:
    """Return a place that has nothing but a code."""
    name = f"{place} ({country_name(country_of(place), locale)})"
    if locale == "fr":
        shown = f"la région portant le code{_NO_BREAK}{name}"
        return PlaceForms(name, shown, f"dans {shown}", f"de {shown}")
    if locale == "en":
        return PlaceForms(name, name, f"in {name}", f"of {name}")
    return PlaceForms(name, name, f"នៅតំបន់ {name}", f"តំបន់ {name}", kind="តំបន់")
