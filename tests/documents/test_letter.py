"""The letter as a PDF: the whole text comes out again as it was put in, in its order, by two readers."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from app.documents.letter import NoSuchRecipient, locale_for, name_letter, typeset_letter, write_letter, write_text
from app.rules.campaign_file import parse_campaign_file
from app.rules.letters import Letter, Recipient, Signatory, content_hash
from app.rules.texts import CampaignText, edition_hash
from tests.documents.figures import HOSTILE
from tests.documents.reading import is_accessible, read_attachments, read_outline, read_pages, read_text, squeeze
from tests.stage import REAL_CAMPAIGNS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app.i18n import Locale

REAL = (
    "senate-election-2024-open-letter.json",
    "parliaments-2023-open-letter.json",
    "joint-statement-2023.json",
    "e-1746.json",
    "overseas-vote.json",
)
KHMER = CampaignText(
    title="សំណើសុំឱ្យពលរដ្ឋខ្មែរនៅក្រៅប្រទេសមានសិទ្ធិបោះឆ្នោត",
    salutation="សូមគោរពជូន ឯកឧត្ដម លោកជំទាវ",
    body="យើងខ្ញុំជាអង្គការសង្គមស៊ីវិល សូមសម្តែងក្តីបារម្ភយ៉ាងខ្លាំងអំពីស្ថានភាពសិទ្ធិមនុស្ស និងលទ្ធិប្រជាធិបតេយ្យ។\n\n"
    "ពលរដ្ឋទាំងអស់ត្រូវមានសិទ្ធិស្មើៗគ្នា ក្នុងការបោះឆ្នោតដោយសេរី ត្រឹមត្រូវ និងយុត្តិធម៌ ដោយគ្មានការរើសអើងឡើយ។ "
    "យើងខ្ញុំសូមអំពាវនាវដល់សភានៃប្រទេសប្រជាធិបតេយ្យទាំងឡាយ ឱ្យជួយជំរុញការបោះឆ្នោតសម្រាប់ពលរដ្ឋដែលរស់នៅក្រៅប្រទេស។",
    closing="សូមទទួលនូវការគោរពដ៏ខ្ពង់ខ្ពស់ពីយើងខ្ញុំ",
)
NEEDS_FILES = pytest.mark.skipif(not REAL_CAMPAIGNS.exists(), reason=f"{REAL_CAMPAIGNS} is not here")


def real_letter(name: str, **changes: Any) -> Letter:  # noqa: ANN401 - fields of a letter
    """Return a real campaign's letter, as whoever published it did."""
    file = parse_campaign_file((REAL_CAMPAIGNS / name).read_bytes())
    letter = make_letter(
        texts=file.texts,
        slug=file.slug,
        kind=file.kind,
        reference=file.reference or None,
        source_locale=file.source_locale,
        organiser=file.organiser.name,
        recipients=tuple(Recipient(each.name, each.country) for each in file.addressees),
        organisations=tuple(
            Signatory(each.name, each.acronym or None, each.country or None) for each in file.endorsements
        ),
    )
    return replace(letter, **changes)


def make_letter(**changes: Any) -> Letter:  # noqa: ANN401 - fields of a letter
    """Return a small letter in Khmer."""
    texts = changes.pop("texts", {"km": KHMER})
    values: dict[str, Any] = {
        "slug": "overseas",
        "kind": "open_letter",
        "reference": None,
        "source_locale": "km",
        "timezone": "Asia/Phnom_Penh",
        "organiser": "គណៈកម្មាធិការសិទ្ធិបោះឆ្នោត",
        "url": "https://signatures.example/c/overseas",
        "texts": texts,
        "edition_number": 1,
        "edition_hash": edition_hash(texts),
        "signed_as_of": datetime(2026, 11, 22, 15, 4, 5, 678, tzinfo=UTC),
        "recipients": (Recipient({"km": "ព្រះរាជាណាចក្រកម្ពុជា", "en": "Kingdom of Cambodia"}, "KH"),),
        "places": {"km": "ភ្នំពេញ", "en": "Phnom Penh"},
        "dated_on": date(2026, 11, 20),
        "subjects": {"km": "សិទ្ធិបោះឆ្នោត"},
        "organisations": (
            Signatory("សមាគមខ្មែរម៉ុងរ៉េអាល់", None, "CA"),
            Signatory("Réseau pour la démocratie", "RPD", "FR", names={"km": "បណ្ដាញលទ្ធិប្រជាធិបតេយ្យ"}),
        ),
    }
    return Letter(**{**values, **changes})


def read_with_poppler(document: bytes, tmp_path: Path) -> list[str]:
    """Return what each page says to pdftotext, which puts words into the order in which it believes them to stand."""
    program = shutil.which("pdftotext")
    if program is None:
        pytest.skip("pdftotext is not here")
    path = tmp_path / "letter.pdf"
    path.write_bytes(document)
    said = subprocess.run([program, "-enc", "UTF-8", str(path), "-"], capture_output=True, check=True)
    return said.stdout.decode().split("\f")[:-1]


def text_of(pages: list[str], said: dict[str, Any]) -> str:
    """Return what pages say without white space, and without the lines that every page has."""
    found = []
    for number, page in enumerate(pages, 1):
        text = squeeze(page)
        shown = [said["page"] % {"page": _digits(at, said), "pages": _digits(len(pages), said)} for at in (number,)]
        for line in (*shown, said["head"] if number > 1 else "", said["foot"]):
            at = text.rfind(squeeze(line)) if line != said["head"] else text.find(squeeze(line))
            assert at >= 0, line
            text = text[:at] + text[at + len(squeeze(line)) :]
        found.append(text)
    return "".join(found)


def _digits(number: int, said: dict[str, Any]) -> str:
    return str(number).translate(str.maketrans("0123456789", "០១២៣៤៥៦៧៨៩")) if said["lang"] == "km" else str(number)


READERS: dict[str, Callable[[bytes, Any], list[str]]] = {
    "pdfium": lambda document, _: read_pages(document),
    "poppler": read_with_poppler,
}


@NEEDS_FILES
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("locale", ["km", "en", "fr"])
@pytest.mark.parametrize("name", REAL)
def test_whole_text_comes_out_in_its_order(name: str, locale: Locale, reader: str, tmp_path: Path) -> None:
    """White space and hyphens aside, and what stands on every page: running head, short link, page number."""
    letter = real_letter(name)
    document, said = typeset_letter(letter, locale), write_letter(letter, locale)
    assert text_of(READERS[reader](document, tmp_path), said) == squeeze(write_text(said))
    assert is_accessible(document)


@NEEDS_FILES
@pytest.mark.parametrize("name", REAL[:3])
def test_real_letters_say_what_their_authors_published(name: str) -> None:
    """Checked against the file itself and not against what we make of it."""
    data = json.loads((REAL_CAMPAIGNS / name).read_text(encoding="utf-8"))
    text, found = data["texts"]["en"], read_text(typeset_letter(real_letter(name), "en"))
    names = [
        f"{each['name']} ({each['acronym']})" if "acronym" in each else each["name"] for each in data["endorsements"]
    ]
    parts = [
        *(each["name"]["en"] for each in data["addressees"]),
        text.get("salutation", ""),
        text["body"].split("\n\n")[0],
        text["body"].split("\n\n")[-1],
        text.get("closing", ""),
        *names,
    ]
    at = 0
    for part in parts:
        at = found.index(squeeze(part), at) + len(squeeze(part))


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("locale", ["km", "en", "fr"])
@pytest.mark.parametrize("arrangement", ["as_signed", "by_country"])
def test_khmer_letter_comes_out_whole(locale: Locale, arrangement: str, reader: str, tmp_path: Path) -> None:
    letter = make_letter(
        number=2, arrangement=arrangement, is_numbered=True, paper=31, takes_individuals=True, individuals=1204,
        earlier=(Signatory("ក្លិបសៀវភៅខ្មែរ"),), names=("សុខ សុភា", "ចាន់ ដារ៉ា", "Chan Dara"),
    )  # fmt: skip
    said = write_letter(letter, locale)
    document = typeset_letter(letter, locale)
    assert text_of(READERS[reader](document, tmp_path), said) == squeeze(write_text(said))
    assert is_accessible(document)


def test_same_letter_makes_the_same_bytes_and_holds_what_names_it() -> None:
    letter = make_letter(number=2)
    document = typeset_letter(letter, "km")
    assert document == typeset_letter(Letter.from_data(letter.as_data(), number=2), "km")
    attached = read_attachments(document)
    assert content_hash(json.loads(attached["letter.json"])) in read_text(document)
    assert attached["letter.txt"].decode() == write_text(write_letter(letter, "km"))
    assert "letter.json" not in read_attachments(typeset_letter(make_letter(), "km"))
    assert read_outline(document)[0] == (0, KHMER.title)


def test_recipient_is_greeted_as_they_are_addressed() -> None:
    friends = Recipient({"en": "A friend"}, "CA", {"en": "Dear friend,"}, "en")
    others = Recipient({"en": "Another"}, "CA", locale="fr")
    text = CampaignText(title="Title", salutation="To whom it concerns,", body="Words")
    letter = make_letter(texts={"en": text}, source_locale="en", recipients=(friends, others))
    first, second, all_of_them = (read_text(typeset_letter(letter, "en", at)) for at in (1, 2, None))
    assert "Dearfriend,Words" in first
    assert "Another" not in first
    assert "Towhomitconcerns,Words" in second
    assert "Towhomitconcerns,Words" in all_of_them
    assert (locale_for(letter, "km", 1), locale_for(letter, "km", 2), locale_for(letter, "km", None)) == (
        "en",
        "km",
        "km",
    )
    for place in (0, 3):
        with pytest.raises(NoSuchRecipient):
            typeset_letter(letter, "en", place)


def test_what_people_wrote_is_no_markup() -> None:
    text = CampaignText(title=HOSTILE, recitals=(HOSTILE,), requests=(HOSTILE,), body=HOSTILE, closing=HOSTILE)
    organisation = Signatory(HOSTILE, HOSTILE, "ZZ", kind="no such kind")
    letter = make_letter(
        texts={"en": text}, subjects={"fr": HOSTILE}, places={"en": HOSTILE}, organiser=HOSTILE, names=(HOSTILE,),
        recipients=(Recipient({"km": HOSTILE}, "KH"),), organisations=(organisation,), takes_individuals=True,
        arrangement="by_kind",
    )  # fmt: skip
    made = typeset_letter(letter, "en")
    assert read_text(made).count(squeeze(HOSTILE)) == 12
    assert is_accessible(made)


def test_letters_that_no_font_has_and_words_without_end_cost_nobody_the_tags() -> None:
    text = CampaignText(title="Peace 😀 和平", body="W" * 10_000)
    names = ("ไทย", "\ue000", "e\u0301\u1e69\u1ec7", "\u180e\u180f", "Pri\u1e6d\ufe00am \u01d6\ufe0f", "ក\ufeffក")
    letter = make_letter(
        texts={"en": text}, source_locale="en", organisations=(Signatory("W" * 300),) * 3, names=names,
        takes_individuals=True,
    )  # fmt: skip
    made = typeset_letter(letter, "en")
    assert is_accessible(made)
    assert read_text(made).count("W") == 10_900 - read_text(made).count("Www")
    # What was written is inside as it was written.
    assert "Peace 😀 和平" in read_attachments(made)["letter.txt"].decode()


def test_names_that_are_elsewhere_are_said_to_be_there() -> None:
    letter = make_letter(takes_individuals=True, individuals=20_000)
    for locale in ("km", "en", "fr"):
        made = typeset_letter(letter, locale, names_at="https://hatthalekha.example/en/campaigns/x/names")
        assert "hatthalekha.example/en/campaigns/x/names" in read_text(made)
    assert name_letter(letter, "en", None, ()) != name_letter(letter, "en", None, (), names_at="https://x.example")


@pytest.mark.parametrize("count", [9, 30, 81, 300])
@pytest.mark.parametrize("arrangement", ["alphabetical", "by_country"])
def test_columns_hold_every_name_once_and_end_on_one_page(count: int, arrangement: str) -> None:
    countries = ("CA", "FR", "KH", None)
    organisations = tuple(Signatory(f"Society No. {at}.", country=countries[at % 4]) for at in range(count))
    letter = make_letter(organisations=organisations, arrangement=arrangement, is_numbered=True)
    pages = [squeeze(page) for page in read_pages(typeset_letter(letter, "en"))]
    numbers = [int(each) for each in re.findall(r"SocietyNo\.(\d+)\.", "".join(pages))]
    assert sorted(numbers) == list(range(count))
    # What stands below the names has some above it, and no page is left empty.
    assert "Society" in pages[-1]


def test_thousands_of_names_are_all_there() -> None:
    names = tuple(f"Sokha {at:04}" for at in range(2_000))
    letter = make_letter(takes_individuals=True, individuals=2_345, names=names)
    found = re.findall(r"Sokha(\d{4})", read_text(typeset_letter(letter, "en")))
    assert [int(each) for each in found] == list(range(2_000))
