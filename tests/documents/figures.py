"""Figures of an invented report, as `counts.json` has them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from app.rules.reports import name_language, name_merged, name_place

BASE_URL = "https://signatures.example"
#: What somebody might write to have it read as markup, as code, or as more than letters.
HOSTILE = '#panic("no") *bold* _it_ $x^2$ [c] <label> @ref `raw` // no /* no */ = no \\ "q" ~ -- #set page(width: 1pt)'


def make_figures(**changes: object) -> dict[str, Any]:
    """Return the figures of a report of 612 signatures, with ``changes``."""
    return {
        "format": "hatthalekha-report/1",
        "number": 3,
        "supersedes": 2,
        "issued_at": "2026-11-22T18:04:00Z",
        "as_of": "2026-11-22T18:00:00Z",
        "base_url": BASE_URL,
        "report_url": f"{BASE_URL}/en/campaigns/river/reports/3",
        "campaign": make_campaign(),
        "signatures": 612,
        "thresholds": [
            {
                "signatures": 500,
                "labels": {"en": "The Member presents it", "km": "តំណាងរាស្ត្រដាក់ជូនសភា"},
                "reached_at": "2026-11-03T01:20:00Z",
                "fell_below_at": "2026-11-04T12:00:00Z",
                "regained_at": "2026-11-05T12:00:00Z",
            },
            {"signatures": 5000, "labels": {}, "reached_at": None, "fell_below_at": None, "regained_at": None},
        ],
        "way": [
            {"step": "forms_received", "forms": 742},
            {"step": "not_confirmed", "forms": -123},
            {"step": "other", "forms": -7},
            {"step": "verified", "forms": 612},
        ],
        "breakdown": make_breakdown(),
        "editions": [
            make_edition(1, signatures=212),
            make_edition(2, signatures=None),
        ],
        "checkpoint": {
            "number": 41,
            "made_at": "2026-11-22T18:00:00Z",
            "signed_size": 640,
            "removed_size": 28,
            "signed_root": "5beqyqKkqAVHdhnPRXXLdF0Zt0kZbL0y0Qx2K5mZPHw=",
            "removed_root": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        },
        "keys": [
            "signatures.example+1a2b3c4d+AYm0YXYDZ1vJxkC9mXHqS7dZt9xk0n2yVb1dYpX3rQwE",
            "signatures.example+99ffee01+AX8m3b0YXYDZ1vJxkC9mXHqS7dZt9xk0n2yVb1dYpX3r",
        ],
        "notes": [],
    } | changes


def make_campaign(**changes: object) -> dict[str, Any]:
    return {
        "slug": "river",
        "kind": "petition",
        "reference": "e-9999",
        "source_locale": "en",
        "titles": {"en": "Clean water for the river", "fr": "De l’eau propre", "km": "ទឹកស្អាតសម្រាប់ទន្លេ"},
        "organiser": "សមាគមទន្លេ Society",
        "opens_at": "2026-09-26T04:00:00Z",
        "closes_at": "2026-12-25T04:59:59Z",
        "state": "open",
        "timezone": "America/Toronto",
        "url": f"{BASE_URL}/c/river",
        "addressees": [{"names": {"en": "Government of Canada", "fr": "Gouvernement du Canada"}, "country": "CA"}],
        "sponsor": {"name": "Sok Dara", "titles": {"en": "Member"}, "district": "Somewhere", "party": None},
        "official": {
            "number": "e-9999",
            "url": "https://official.example",
            "signatures": 31,
            "counted_on": "2026-10-24",
        },
        "eligibility": {"en": "citizens of Canada", "fr": "personnes ayant la citoyenneté", "km": "ពលរដ្ឋកាណាដា"},
    } | changes


def make_breakdown(**changes: object) -> dict[str, Any]:
    return {
        "snapshot": 17,
        "taken_at": "2026-11-22T06:00:00Z",
        "signatures": 600,
        "ProvinceSignatures": [place("Province", "CA-ON", 400), place("Province", None, 12)],
        "CountrySignatures": [place("Country", "CA", 588), place("Country", None, 12)],
        "LanguageSignatures": [
            {"Language": code, "Name": name_language(code), "SignatureCount": count}
            for code, count in (("km", 400), ("en", 150), ("fr", 50))
        ],
        "DaySignatures": [*days(20, 29), {"Day": None, "SignatureCount": 20}],
        "DistrictSignatures": [
            {"District": "35075", "Name": {"en": "Ottawa Centre", "fr": "Ottawa-Centre"}, "SignatureCount": 34},
            {"District": None, "Name": name_merged(), "SignatureCount": 566},
        ],
    } | changes


def make_edition(number: int, *, signatures: int | None) -> dict[str, Any]:
    return {
        "number": number,
        "hash": f"{number:02x}" * 32,
        "created_at": "2026-09-20T15:00:00Z",
        "locales": ["en", "fr", "km"],
        "signatures": signatures,
    }


def place(kind: str, code: str | None, count: int) -> dict[str, Any]:
    return {kind: code, "Name": name_place(code), "SignatureCount": count}


def days(number: int, count: int) -> list[dict[str, Any]]:
    """Return so many days in a row, each with as many signatures."""
    first = date(2026, 10, 1)
    return [{"Day": (first + timedelta(at)).isoformat(), "SignatureCount": count} for at in range(number)]
