"""Every country and subdivision has a name and stands in a sentence, in three languages."""

from __future__ import annotations

import re

import pytest

from app.i18n.catalogues import LOCALES, Locale
from app.rules.places import (
    COMMON_COUNTRIES,
    COUNTRIES,
    SUBDIVISIONS,
    both,
    country_name,
    country_of,
    either,
    in_places,
    is_subdivision,
    list_countries,
    list_subdivisions,
    of_places,
    place_forms,
)


def test_lists_have_the_number_of_places_that_there_are() -> None:
    assert len(COUNTRIES) == 249
    assert {country: len(names) for country, names in SUBDIVISIONS.items()} == {"CA": 13, "US": 56, "AU": 8}
    assert all(code.startswith(f"{country}-") for country, names in SUBDIVISIONS.items() for code in names)
    assert COUNTRIES.issuperset(COMMON_COUNTRIES)


@pytest.mark.parametrize("locale", LOCALES)
def test_countries_are_listed_once_with_names_of_their_own(locale: Locale) -> None:
    listed = list_countries(locale)
    assert {code for code, _ in listed} == COUNTRIES
    assert len({name for _, name in listed}) == len(listed)
    assert not any("\u200b" in name for _, name in listed)
    assert all(name[0] == name[0].upper() for _, name in listed)


def test_countries_are_in_the_order_of_the_alphabet() -> None:
    def order(locale: Locale, *codes: str) -> bool:
        listed = [code for code, _ in list_countries(locale)]
        return [code for code in listed if code in codes] == list(codes)

    assert order("en", "AF", "AX", "AL", "ZW")  # Åland among A
    assert order("fr", "AF", "EG", "AE", "EC", "ER", "ES", "ZW")  # Égypte, Émirats, Équateur among E
    assert order("fr", "ID", "KY", "IN") or order("fr", "IN", "ID")  # Îles among I
    assert order("km", "KH", "CA", "GB", "TH", "FR", "US", "GH", "AU")  # ក ច ថ ប ស ហ អ


@pytest.mark.parametrize(
    ("code", "en", "fr", "km"),
    [
        ("CA", "Canada", "Canada", "កាណាដា"),
        ("US", "United States", "États-Unis", "សហរដ្ឋអាមេរិក"),
        ("KH", "Cambodia", "Cambodge", "កម្ពុជា"),
        ("EU", "European Union", "Union européenne", "សហភាពអឺរ៉ុប"),
        ("KY", "Cayman Islands", "Îles Caïmans", "កោះកៃម៉ង់"),
    ],
)
def test_country_name(code: str, en: str, fr: str, km: str) -> None:
    assert (country_name(code, "en"), country_name(code, "fr"), country_name(code, "km")) == (en, fr, km)


@pytest.mark.parametrize("code", ["", "XK", "ZZ", "UN", "ca", "CAN", "CA-BC"])
def test_what_is_no_country_has_no_name(code: str) -> None:
    with pytest.raises(KeyError):
        country_name(code, "en")


@pytest.mark.parametrize("code", ["", "ZZ", "EU", "CA-XX", "ca-bc"])
def test_what_is_no_place_has_no_forms(code: str) -> None:
    with pytest.raises(KeyError):
        place_forms(code, "en")


def test_subdivisions_show_both_scripts_in_khmer() -> None:
    canadian = dict(list_subdivisions("CA", "km"))
    assert canadian["CA-BC"] == "ប្រ៊ីធីសកូឡុំប៊ី (British Columbia)"
    assert canadian["CA-NU"] == "នូណាវុធ (Nunavut)"
    assert all(re.fullmatch(r"[\u1780-\u17ff-]+ \([A-Za-z ]+\)", name) for name in canadian.values())
    assert dict(list_subdivisions("US", "km"))["US-OR"] == "Oregon"
    assert [name for _, name in list_subdivisions("CA", "fr")][-4:] == [
        "Saskatchewan",
        "Terre-Neuve-et-Labrador",
        "Territoires du Nord-Ouest",
        "Yukon",
    ]
    assert list_subdivisions("FR", "en") == ()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("CA-BC", True),
        ("AU-NSW", True),
        ("US-PR", True),
        ("FR-75", True),
        ("GB-ENG", True),
        ("CA-XX", False),
        ("US-ZZ", False),
        ("ZZ-AA", False),
        ("ca-bc", False),
        ("CA", False),
        ("CA-", False),
        ("FR-IDFX", False),
        ("CA-BC\n", False),
    ],
)
def test_is_subdivision(*, code: str, expected: bool) -> None:
    assert is_subdivision(code) is expected


def test_country_of_a_place() -> None:
    assert (country_of("CA-BC"), country_of("KH")) == ("CA", "KH")


@pytest.mark.parametrize("locale", LOCALES)
def test_every_place_stands_in_a_sentence(locale: Locale) -> None:
    for place in sorted({*COUNTRIES, *(code for names in SUBDIVISIONS.values() for code in names), "FR-IDF"}):
        forms = place_forms(place, locale)
        assert all((forms.name, forms.plain, forms.in_, forms.of)), place
        assert in_places([place], locale), place
        assert of_places([place], locale), place


@pytest.mark.parametrize(
    ("place", "in_", "of"),
    [
        # shared/design/glossary.md, section 2
        ("CA-AB", "en Alberta", "de l’Alberta"),
        ("CA-BC", "en Colombie-Britannique", "de la Colombie-Britannique"),
        ("CA-MB", "au Manitoba", "du Manitoba"),
        ("CA-NB", "au Nouveau-Brunswick", "du Nouveau-Brunswick"),
        ("CA-NL", "à Terre-Neuve-et-Labrador", "de Terre-Neuve-et-Labrador"),
        ("CA-NT", "dans les Territoires du Nord-Ouest", "des Territoires du Nord-Ouest"),
        ("CA-NS", "en Nouvelle-Écosse", "de la Nouvelle-Écosse"),
        ("CA-NU", "au Nunavut", "du Nunavut"),
        ("CA-ON", "en Ontario", "de l’Ontario"),
        ("CA-PE", "à l’Île-du-Prince-Édouard", "de l’Île-du-Prince-Édouard"),
        ("CA-QC", "au Québec", "du Québec"),
        ("CA-SK", "en Saskatchewan", "de la Saskatchewan"),
        ("CA-YT", "au Yukon", "du Yukon"),
        # section 4
        ("CA", "au Canada", "du Canada"),
        ("US", "aux États-Unis", "des États-Unis"),
        ("KH", "au Cambodge", "du Cambodge"),
        ("FR", "en France", "de la France"),
        ("AU", "en Australie", "de l’Australie"),
        # and ours
        ("IR", "en Iran", "de l’Iran"),
        ("CU", "à Cuba", "de Cuba"),
        ("OM", "à Oman", "d’Oman"),
        ("HT", "en Haïti", "d’Haïti"),
        ("EG", "en Égypte", "de l’Égypte"),
        ("KY", "aux Îles Caïmans", "des Îles Caïmans"),
        ("IM", "à l’île de Man", "de l’île de Man"),
        ("RE", "à La Réunion", "de La Réunion"),
        ("US-NY", "dans l’État de New York", "de l’État de New York"),
        ("US-GA", "en Géorgie (États-Unis)", "de la Géorgie (États-Unis)"),
        ("US-DC", "dans le District de Columbia", "du District de Columbia"),
        ("AU-TAS", "en Tasmanie", "de la Tasmanie"),
        ("FR-IDF", "dans la région portant le code\u00a0FR-IDF (France)", None),
    ],
)
def test_french_prepositions(place: str, in_: str, of: str | None) -> None:
    forms = place_forms(place, "fr")
    assert forms.in_ == in_
    assert of is None or forms.of == of


def test_adjectives_are_feminine_as_citizenship_takes_them() -> None:
    adjectives = [place_forms(place, "fr").adjective for place in ("CA", "US", "KH", "FR", "AU")]
    assert adjectives == ["canadienne", "américaine", "cambodgienne", "française", "australienne"]
    assert of_places(["CA", "US"], "fr") == "canadienne ou américaine"
    assert of_places(["CA", "BR"], "fr") == "du Canada ou du Brésil"


@pytest.mark.parametrize(
    ("places", "en", "fr", "km"),
    [
        (["US"], "in the United States", "aux États-Unis", "សហរដ្ឋអាមេរិក"),
        (["CA-BC", "CA-AB"], "in British Columbia or Alberta", None, "ខេត្តប្រ៊ីធីសកូឡុំប៊ី ឬអាល់ប៊ើតា"),
        (["CA-QC", "CA-NT", "CA-YT"], None, None, "ខេត្តកេបិច ដែនដីពាយ័ព្យ ឬដែនដីយូកូន"),
        (["US-CA", "US-TX"], "in California or Texas", "en Californie ou au Texas", "រដ្ឋកាលីហ្វ័រញ៉ា ឬតិចសាស់"),
        (["US-CA", "US-OR"], None, "en Californie ou en Oregon", "រដ្ឋកាលីហ្វ័រញ៉ា ឬរដ្ឋ Oregon"),
        (["US-DC", "US-WA"], None, None, "រដ្ឋធានីវ៉ាស៊ីនតោន ឬរដ្ឋវ៉ាស៊ីនតោន"),
        (["GE", "US-GA"], "in Georgia or the state of Georgia", "en Géorgie ou en Géorgie (États-Unis)", None),
        (["FR-IDF"], "in FR-IDF (France)", None, "តំបន់ FR-IDF (បារាំង)"),
    ],
)
def test_places_people_live_in(places: list[str], en: str | None, fr: str | None, km: str | None) -> None:
    expected: dict[Locale, str | None] = {"en": en, "fr": fr, "km": km}
    for locale, sentence in expected.items():
        assert sentence is None or in_places(places, locale) == sentence


def test_series_keep_inner_choices_apart() -> None:
    assert either(["a"], "en") == "a"
    assert either(["a", "b", "c"], "en") == "a, b or c"
    assert either(["a or b", "c"], "en") == "a or b, or c"
    assert both(["a and b", "c"], "en") == "a and b, and c"
    assert either(["a", "b", "c"], "fr") == "a, b ou c"
    assert both(["ក", "ខ", "គ"], "km") == "ក ខ និងគ"
    assert either(["ក", "Oregon"], "km") == "ក ឬ Oregon"
