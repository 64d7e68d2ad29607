"""Tables for spreadsheets: the rows of a report as CSV and as an XLSX workbook with typed cells.

What a spreadsheet could take for a formula is text. CSV begins with a byte order mark, without which Excel reads Khmer
and French in the system's own code page; lines end as RFC 4180 says. The same figures always give the same bytes.
"""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from app.i18n import say
from app.rules.reports import explain, list_rows, name_report, title_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

    from app.i18n import Locale
    from app.rules.reports import Row

COLUMNS: Final = ("section", "code", "name_en", "name_fr", "name_km", "signatures")
#: What makes a spreadsheet take a cell for a formula, or hides that it does.
FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
BYTE_ORDER_MARK: Final = "\ufeff"
#: What XML cannot hold, and no reader should meet: controls but the end of a line, halves of pairs, non-characters.
_UNWRITABLE: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
#: As much as a cell takes in Excel.
_LONGEST: Final = 32_767
_LANGUAGES: Final[tuple[Locale, ...]] = ("en", "fr", "km")
_WIDTHS: Final = (14, 18, 34, 34, 40, 12)
#: Sheets by what their rows are about; a breakdown's total stands with the provinces.
_SHEETS: Final = (
    ("way", ("way",)),
    ("provinces", ("breakdown", "province")),
    ("countries", ("country",)),
    ("languages", ("language",)),
    ("days", ("day",)),
    ("districts", ("district",)),
    ("editions", ("edition",)),
)


def clean_cell(text: str) -> str:
    """Return ``text`` without what a spreadsheet cannot hold, and as long as a cell can be."""
    return _UNWRITABLE.sub("", text)[:_LONGEST]


def write_csv(figures: Mapping[str, Any]) -> bytes:
    """Return counts.csv."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in list_rows(figures):
        texts = (row.section, row.code, *(row.names.get(locale, "") for locale in _LANGUAGES))
        writer.writerow([*map(_guard, texts), "" if row.signatures is None else row.signatures])
    return (BYTE_ORDER_MARK + file.getvalue()).encode()


def write_xlsx(figures: Mapping[str, Any]) -> bytes:
    """Return counts.xlsx: a sheet that explains, `counts` with every row, and one for each kind of rows."""
    import xlsxwriter  # by whoever makes a report alone: the server starts without it

    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    book.set_properties(
        {
            "title": clean_cell(title_of(figures, "en")),
            "author": "Hatthalekha",
            "created": datetime.fromisoformat(figures["issued_at"]).astimezone(UTC).replace(tzinfo=None),
        }
    )
    rows = list_rows(figures)
    _explain(book, figures)
    _add_sheet(book, "counts", rows)
    for name, sections in _SHEETS:
        chosen = [row for row in rows if row.section in sections]
        if chosen:
            _add_sheet(book, name, chosen)
    _add_thresholds(book, figures["thresholds"])
    book.close()
    return file.getvalue()


def _guard(text: str) -> str:
    cleaned = clean_cell(text)
    return f"'{cleaned}" if text.startswith(FORMULA_SIGNS) else cleaned


def _explain(book: Workbook, figures: Mapping[str, Any]) -> None:
    sheet = book.add_worksheet("read me")
    sheet.set_column(0, 0, 110)
    heading = book.add_format({"bold": True, "font_size": 14, "text_wrap": True})
    plain = book.add_format({"text_wrap": True, "valign": "top"})
    at = 0
    for locale in _LANGUAGES:
        sheets = say(
            locale,
            "Sheets: “counts” has every number of this report, the others have one kind each: the way from forms "
            "received to verified signatures, provinces, countries, languages, days, federal districts, editions of "
            "the text, and thresholds.",
        )
        for text, style in (
            (name_report(figures, locale), heading),
            (title_of(figures, locale), heading),
            *((each, plain) for each in explain(figures, locale)),
            (sheets, plain),
        ):
            sheet.write_string(at, 0, clean_cell(text), style)
            at += 1
        at += 1


def _add_sheet(book: Workbook, name: str, rows: Sequence[Row]) -> None:
    sheet = _begin(book, name, COLUMNS, _WIDTHS)
    number, date = book.add_format({"num_format": "#,##0"}), book.add_format({"num_format": "yyyy-mm-dd"})
    for at, row in enumerate(rows, 1):
        sheet.write_string(at, 0, row.section)
        # Where all is comparable with counts.csv, a day is the text that it is there.
        if name == "days" and row.day is not None:
            sheet.write_datetime(at, 1, row.day, date)
        else:
            sheet.write_string(at, 1, clean_cell(row.code))
        for column, locale in enumerate(_LANGUAGES, 2):
            sheet.write_string(at, column, clean_cell(row.names.get(locale, "")))
        if row.signatures is not None:
            sheet.write_number(at, len(COLUMNS) - 1, row.signatures, number)


def _add_thresholds(book: Workbook, thresholds: Sequence[Mapping[str, Any]]) -> None:
    moments = ("reached_at", "fell_below_at", "regained_at")
    columns = ("signatures", *(f"label_{locale}" for locale in _LANGUAGES), *moments)
    sheet = _begin(book, "thresholds", columns, (12, 34, 34, 40, 20, 20, 20))
    number = book.add_format({"num_format": "#,##0"})
    moment = book.add_format({"num_format": 'yyyy-mm-dd hh:mm:ss "UTC"'})
    for at, each in enumerate(thresholds, 1):
        sheet.write_number(at, 0, each["signatures"], number)
        for column, locale in enumerate(_LANGUAGES, 1):
            sheet.write_string(at, column, clean_cell(each["labels"].get(locale, "")))
        for column, name in enumerate(moments, 1 + len(_LANGUAGES)):
            if each[name] is not None:
                told = datetime.fromisoformat(each[name]).astimezone(UTC).replace(tzinfo=None)
                sheet.write_datetime(at, column, told, moment)


def _begin(book: Workbook, name: str, columns: Sequence[str], widths: Sequence[int]) -> Worksheet:
    sheet = book.add_worksheet(name)
    heading: Format = book.add_format({"bold": True, "bottom": 1})
    for column, (title, width) in enumerate(zip(columns, widths, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, title, heading)
    sheet.freeze_panes(1, 0)
    return sheet
