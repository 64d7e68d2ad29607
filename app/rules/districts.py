"""Federal electoral districts: Elections Canada's open list as a file, and what may be said of a chosen district.

A district is what its signer says. It is never worked out from a postal code, which may lie in several.

The list comes in several shapes: headers in one language or both, a name column for each language or one as
"English/French", provinces by name, abbreviation or number, UTF-8, UTF-16 or Windows' own encoding, and ``--`` for the
dash in a name. All of these are read; a file with a fault is refused whole, each fault named with its line.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from app.i18n import message
from app.rules.khmer import sort_key
from app.rules.normalise import Refused, clean_line
from app.rules.places import SUBDIVISIONS, list_subdivisions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from app.i18n import Locale, Message

COUNTRY: Final = "CA"
MAX_FILE_BYTES: Final = 2_000_000
MAX_NAME: Final = 120
COLUMNS: Final[Mapping[str, str]] = {
    "code": "the district's code",
    "en": "the English name",
    "fr": "the French name",
    "province": "the province",
}

_CODE: Final = re.compile(r"[0-9]{5}")
#: The first two digits of a district's code are its province's number in Canada's Standard Geographical Classification.
_NUMBERS: Final = {
    "10": "CA-NL", "11": "CA-PE", "12": "CA-NS", "13": "CA-NB", "24": "CA-QC", "35": "CA-ON", "46": "CA-MB",
    "47": "CA-SK", "48": "CA-AB", "59": "CA-BC", "60": "CA-YT", "61": "CA-NT", "62": "CA-NU",
}  # fmt: skip
#: As they are written in either language, beside the two letters of the post and whole names.
_ABBREVIATIONS: Final = {
    "CA-AB": "Alta. Alb.", "CA-BC": "C.-B.", "CA-MB": "Man.", "CA-NB": "N.-B.", "CA-NL": "Nfld. T.-N.-L. T.-N.-et-L.",
    "CA-NS": "N.-É.", "CA-NT": "N.W.T. T.N.-O.", "CA-NU": "Nvt. Nun. Nt.", "CA-ON": "Ont.", "CA-PE": "P.E.I. Î.-P.-É.",
    "CA-QC": "Que. Qué. PQ", "CA-SK": "Sask.", "CA-YT": "Yn Yuk. YK",
}  # fmt: skip
#: Headers of one word or two, as data sets have them; longer ones are read in ``_column_of``.
_HEADERS: Final = {
    "code": "code number numero fednum feduid fedcode districtcode",
    "en": "english anglais englishname nomanglais nameenglish namee namen fednamee fedename",
    "fr": "french francais frenchname nomfrancais namefrench namef namfr namefr fednamef fedfname",
    "both": "name nom fedname",
    "province": "province provinceterritory provinceorterritory prov provcode prname prnamee pruid pr",
}

_NOT_LISTED: Final = message("Choose your federal electoral district from the list, or choose “No answer”")
_ELSEWHERE: Final = message(
    "This federal electoral district is not in the province that you chose. Check both, or choose “No answer”"
)


@dataclass(frozen=True, slots=True)
class FederalDistrict:
    """A district of the list: its code, its names in English and French, and its province as ISO 3166-2 has it."""

    code: str
    names: Mapping[str, str]
    province: str

    def name(self, locale: str) -> str:
        """Return its name for readers of ``locale``: the French one in French, the English one elsewhere."""
        return self.names["fr" if locale == "fr" else "en"]


#: Districts of one province: its code, its name, and each district's code and name.
ProvinceGroup = tuple[str, str, tuple[tuple[str, str], ...]]


class BadDistrictFile(Exception):
    """Nothing of a file was taken: ``faults`` are lines and what is wrong with each; line 0 is the file itself."""

    def __init__(self, faults: Sequence[tuple[int, str]]) -> None:
        """Keep the faults in the order of the file."""
        super().__init__("; ".join(f"line {line}: {fault}" if line else fault for line, fault in faults))
        self.faults = tuple(faults)


def parse_district_file(content: bytes) -> tuple[FederalDistrict, ...]:
    """Return the districts of a CSV file, in its order. Raises BadDistrictFile with every fault and its line."""
    text = _decode(content)
    reading = _Reading()
    for line, cells in _rows(text):
        reading.take(line, cells)
    if not reading.faults and not reading.districts:
        reading.fail(0, "there is no district in it")
    if reading.faults:
        raise BadDistrictFile(reading.faults)
    return tuple(reading.districts.values())


def reason_against(code: str, districts: Mapping[str, FederalDistrict], subdivision: str | None) -> Message | None:
    """Return what is wrong with a chosen district, or None. ``subdivision`` is None where that is at fault itself."""
    district = districts.get(code)
    if district is None:
        return _NOT_LISTED
    return _ELSEWHERE if subdivision is not None and subdivision != district.province else None


def group_districts(districts: Iterable[FederalDistrict], locale: Locale) -> tuple[ProvinceGroup, ...]:
    """Return districts by province, both in the order of the language's alphabet; no province that has none."""
    by_province: dict[str, list[tuple[str, str]]] = {}
    for district in districts:
        by_province.setdefault(district.province, []).append((district.code, district.name(locale)))
    return tuple(
        (code, name, tuple(sorted(by_province[code], key=lambda one: (sort_key(one[1]), one[0]))))
        for code, name in list_subdivisions(COUNTRY, locale)
        if code in by_province
    )


# Reading the file --------------------------------------------------------------------------------------------------


class _Reading:
    """The rows so far: districts by their codes, and what was wrong."""

    def __init__(self) -> None:
        self.districts: dict[str, FederalDistrict] = {}
        self.faults: list[tuple[int, str]] = []
        self._columns: Mapping[str, int] | None = None
        self._lines: dict[str, int] = {}

    def fail(self, line: int, fault: str) -> None:
        self.faults.append((line, fault))

    def take(self, line: int, cells: Sequence[str]) -> None:
        if self._columns is None:
            has_header = _CODE.fullmatch(cells[0].strip()) is None
            self._columns = _columns_of(cells) if has_header else {name: at for at, name in enumerate(COLUMNS)}
            if has_header:
                for name in COLUMNS:
                    if name not in self._columns:
                        self.fail(line, f"there is no column for {COLUMNS[name]}")
                return
        if self._columns.keys() >= COLUMNS.keys():
            self._take_district(line, cells, self._columns)

    def _take_district(self, line: int, cells: Sequence[str], columns: Mapping[str, int]) -> None:
        if len(cells) <= max(columns.values()):
            self.fail(line, f"it has {len(cells)} columns, and {max(columns.values()) + 1} are needed")
            return
        before = len(self.faults)
        code = cells[columns["code"]].strip()
        if not _CODE.fullmatch(code) or code[:2] not in _NUMBERS:
            self.fail(line, f"{_shown(code)} is no code of a federal district, such as 59026")
        elif code in self._lines:
            self.fail(line, f"the district {code} is in line {self._lines[code]} already")
        names = self._names(line, cells, columns)
        province = self._province(line, cells[columns["province"]], code)
        if len(self.faults) == before:
            self._lines[code] = line
            self.districts[code] = FederalDistrict(code, names, province)

    def _names(self, line: int, cells: Sequence[str], columns: Mapping[str, int]) -> dict[str, str]:
        if columns["en"] == columns["fr"]:
            # One column for both, as "Toronto Centre/Toronto-Centre"; a single name is that of both languages.
            english, slash, french = cells[columns["en"]].partition("/")
            typed = {"en": english, "fr": french if slash else english}
        else:
            typed = {locale: cells[columns[locale]] for locale in ("en", "fr")}
        names = {}
        for locale, name in typed.items():
            try:
                names[locale] = clean_line(name.replace("--", "—"), limit=MAX_NAME)
            except Refused:
                self.fail(line, f"{COLUMNS[locale]} is longer than {MAX_NAME} characters")
                continue
            if not any(letter.isalpha() for letter in names[locale]):
                self.fail(line, f"{COLUMNS[locale]} is missing")
        return names

    def _province(self, line: int, typed: str, code: str) -> str:
        found = {_provinces().get(_folded(part)) for part in typed.split("/") if part.strip()}
        province = found.pop() if len(found) == 1 else None
        if province is None:
            self.fail(line, f"{_shown(typed)} is no province or territory of Canada")
            return ""
        of_code = _NUMBERS.get(code[:2]) if _CODE.fullmatch(code) else None
        if of_code is not None and of_code != province:
            names = SUBDIVISIONS[COUNTRY]
            self.fail(
                line,
                f"the code {_shown(code)} is one of {names[of_code].say('en')}, not of {names[province].say('en')}",
            )
        return province


def _decode(content: bytes) -> str:
    if len(content) > MAX_FILE_BYTES:
        raise BadDistrictFile([(0, f"it has more than {MAX_FILE_BYTES} bytes")])
    is_utf_16 = content.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    for each in ("utf-16",) if is_utf_16 else ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(each)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise BadDistrictFile([(0, "it is no text file")])


def _rows(text: str) -> Iterable[tuple[int, list[str]]]:
    """Return the rows that are not empty, each with its last line."""
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as fault:
        raise BadDistrictFile([(reader.line_num, f"it cannot be read as CSV: {fault}")]) from None


def _columns_of(header: Sequence[str]) -> dict[str, int]:
    """Return where each column is; the first of several that say the same."""
    found: dict[str, int] = {}
    for at, cell in enumerate(header):
        column = _column_of(cell)
        if column is not None:
            found.setdefault(column, at)
    both = found.pop("both", None)
    if both is not None and not {"en", "fr"} & found.keys():
        found |= {"en": both, "fr": both}
    return found


def _column_of(header: str) -> str | None:
    for part in (header, *header.split("/")):
        known = next((column for column, words in _HEADERS.items() if _folded(part) in words.split()), None)
        if known is not None:
            return known
    folded = _folded(header)
    # "Electoral District Name_English/Nom de circonscription_Anglais": others have languages, too, such as a party's.
    if "district" not in folded and "circonscription" not in folded:
        return None
    if "english" in folded or "anglais" in folded:
        return "en"
    if "french" in folded or "francais" in folded:
        return "fr"
    if "number" in folded or "numero" in folded or "code" in folded:
        return "code"
    return "both" if "name" in folded or "nom" in folded else None


@cache
def _provinces() -> Mapping[str, str]:
    """Return provinces by every way of writing them, folded."""
    known = dict(_NUMBERS)
    for number, code in _NUMBERS.items():
        known |= {number: code, _folded(code): code, _folded(code[3:]): code}
    for code, name in SUBDIVISIONS[COUNTRY].items():
        known |= {_folded(name.say(locale)): code for locale in ("en", "fr")}
        known |= {_folded(short): code for short in _ABBREVIATIONS[code].split()}
    # The territory's name of its time, and how the list shortens "and".
    return known | {"yukonterritory": "CA-YT", "newfoundland": "CA-NL", "newfoundlandlabrador": "CA-NL"}


def _folded(text: str) -> str:
    """Return letters and digits alone, without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in decomposed if letter.isalnum())


def _shown(typed: str) -> str:
    """Return what a file says, short and printable, for a line on a terminal."""
    text = " ".join("".join(each if each.isprintable() else " " for each in typed).split())
    return f"“{text[:40]}…”" if len(text) > 40 else f"“{text}”"  # noqa: PLR2004 - what a line has room for
