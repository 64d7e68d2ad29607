"""Elections Canada's list of districts as it comes, in its many shapes, and what may be said of a chosen district."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.districts import (
    MAX_FILE_BYTES,
    BadDistrictFile,
    FederalDistrict,
    group_districts,
    parse_district_file,
    reason_against,
)
from app.rules.places import SUBDIVISIONS

BOTH: Final = "Electoral District Number/Numéro de circonscription"
ENGLISH: Final = "Electoral District Name_English/Nom de circonscription_Anglais"
FRENCH: Final = "Electoral District Name_French/Nom de circonscription_Français"
COQUITLAM: Final = FederalDistrict(
    "59008",
    {"en": "Coquitlam—Port Coquitlam", "fr": "Coquitlam—Port Coquitlam"},
    "CA-BC",
)
TORONTO: Final = FederalDistrict("35109", {"en": "Toronto Centre", "fr": "Toronto-Centre"}, "CA-ON")
OUTREMONT: Final = FederalDistrict("24055", {"en": "Outremont", "fr": "Outremont"}, "CA-QC")
LISTED: Final = (COQUITLAM, TORONTO, OUTREMONT)
BY_CODE: Final = {each.code: each for each in LISTED}
PLAIN: Final = (
    "59008,Coquitlam—Port Coquitlam,Coquitlam—Port Coquitlam,British Columbia\n"
    "35109,Toronto Centre,Toronto-Centre,Ontario\n"
    "24055,Outremont,Outremont,Quebec\n"
)


def faults_of(content: str | bytes) -> tuple[tuple[int, str], ...]:
    """Return why a file is refused."""
    with pytest.raises(BadDistrictFile) as refused:
        parse_district_file(content.encode() if isinstance(content, str) else content)
    return refused.value.faults


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(PLAIN, id="no headers, in order"),
        pytest.param("code,English name,French name,province\r\n" + PLAIN.replace("\n", "\r\n"), id="headers"),
        pytest.param(PLAIN + "\n,,,\n", id="empty lines"),
        pytest.param(
            f"Province,{ENGLISH},{FRENCH},{BOTH},Political Affiliation Name_English/Appartenance politique_Anglais\n"
            "British Columbia/Colombie-Britannique,Coquitlam--Port Coquitlam,Coquitlam--Port Coquitlam,59008,x\n"
            "Ontario,Toronto Centre,Toronto-Centre,35109,\n"
            "Quebec/Québec,Outremont,Outremont,24055,\n",
            id="both languages, other columns",
        ),
        pytest.param(
            f"Province,Electoral District Name/Nom de circonscription,{BOTH},Population\n"
            '"B.C./C.-B.",Coquitlam--Port Coquitlam,59008,1\n"Ont.",Toronto Centre/Toronto-Centre,35109,2\n'
            '"Que./Qc",Outremont,24055,3\n',
            id="one column of names",
        ),
        pytest.param(
            "FED_NUM;FED_NAMEE;FED_NAMEF;PROVCODE\n"
            '59008;"Coquitlam—Port Coquitlam";Coquitlam—Port  Coquitlam;BC\n'
            "35109;Toronto Centre;Toronto-Centre;on\n24055;Outremont;Outremont;CA-QC\n",
            id="semicolons, codes of provinces",
        ),
        pytest.param(
            "FEDUID\tFEDENAME\tFEDFNAME\tPRUID\n59008\tCoquitlam--Port Coquitlam\tCoquitlam--Port Coquitlam\t59\n"
            "35109\tToronto Centre\tToronto-Centre\t35\n24055\tOutremont\tOutremont\t24\n",
            id="tabs, numbers of provinces",
        ),
        pytest.param(
            "Numéro,Nom anglais,Nom français,Province\n"
            "59008,Coquitlam—Port Coquitlam,Coquitlam—Port Coquitlam,Colombie-Britannique\n"
            "35109,Toronto Centre,Toronto-Centre,ONTARIO\n24055,Outremont,Outremont,Québec\n",
            id="French",
        ),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_list_is_read_in_every_shape(text: str, encoding: str) -> None:
    assert parse_district_file(text.encode(encoding)) == LISTED


@pytest.mark.parametrize("locale", ["en", "fr"])
def test_each_province_is_known_by_its_name(locale: str) -> None:
    numbers = ("10", "11", "12", "13", "24", "35", "46", "47", "48", "59", "60", "61", "62")
    names = {code: name.say("fr" if locale == "fr" else "en") for code, name in SUBDIVISIONS["CA"].items()}
    found = set()
    for number in numbers:
        for code, name in names.items():
            try:
                parse_district_file(f"{number}001,A,A,{name}\n".encode())
            except BadDistrictFile:
                continue
            found.add((number, code))
    assert len(found) == len({code for _, code in found}) == 13


def test_every_fault_is_named_with_its_line() -> None:
    assert faults_of(
        "code,English name,French name,province\n"
        "59008,Coquitlam,Coquitlam,British Columbia\n"
        "5900,Burnaby,Burnaby,British Columbia\n"
        "77001,Nowhere,Nowhere,Ontario\n"
        "59008,Again,Encore,British Columbia\n"
        '35109,"  ",—,Ontario\n'
        "24055,Outremont,Outremont,Ontario\n"
        "24056,Papineau,Papineau,Québec/Ontario\n"
        "24057,Papineau,Papineau,Atlantis\x1b[31m" + "s" * 60 + "\n"
        f"24058,{'x' * 121},Papineau,Quebec\n"
        "24059,Papineau\n"
    ) == (
        (3, "“5900” is no code of a federal district, such as 59026"),
        (4, "“77001” is no code of a federal district, such as 59026"),
        (5, "the district 59008 is in line 2 already"),
        (6, "the English name is missing"),
        (6, "the French name is missing"),
        (7, "the code “24055” is one of Quebec, not of Ontario"),
        (8, "“Québec/Ontario” is no province or territory of Canada"),
        (9, "“Atlantis [31m" + "s" * 27 + "…” is no province or territory of Canada"),
        (10, "the English name is longer than 120 characters"),
        (11, "it has 2 columns, and 4 are needed"),
    )


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        ("", ((0, "there is no district in it"),)),
        ("code,English name,French name,province\n", ((0, "there is no district in it"),)),
        (
            "Number,District,Members\n59008,Coquitlam,1\n",
            (
                (1, "there is no column for the English name"),
                (1, "there is no column for the French name"),
                (1, "there is no column for the province"),
            ),
        ),
        ("code,French name,province\n", ((1, "there is no column for the English name"),)),
        ('59008,"Coquitlam"x,Coquitlam,BC\n', ((1, "it cannot be read as CSV: ',' expected after '\"'"),)),
        (b"PK\x03\x04\0\0", ((0, "it is no text file"),)),
        (b"\xff\xfea", ((0, "it is no text file"),)),
        (b"\x81\x8d", ((0, "it is no text file"),)),
        (b"x" * (MAX_FILE_BYTES + 1), ((0, f"it has more than {MAX_FILE_BYTES} bytes"),)),
    ],
)
def test_what_is_no_list_is_refused_whole(content: str | bytes, faults: tuple[tuple[int, str], ...]) -> None:
    assert faults_of(content) == faults


def test_a_refusal_says_its_faults() -> None:
    assert str(BadDistrictFile([(0, "a"), (2, "b")])) == "a; line 2: b"


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_whatever_comes_is_read_or_refused(content: bytes) -> None:
    try:
        found = parse_district_file(content)
    except BadDistrictFile as refused:
        assert refused.faults  # noqa: PT017 - either of the two is right
        return
    assert found


def test_districts_stand_by_province_in_the_order_of_each_language() -> None:
    assert group_districts(LISTED, "en") == (
        ("CA-BC", "British Columbia", (("59008", "Coquitlam—Port Coquitlam"),)),
        ("CA-ON", "Ontario", (("35109", "Toronto Centre"),)),
        ("CA-QC", "Quebec", (("24055", "Outremont"),)),
    )
    french = group_districts(LISTED, "fr")
    assert [name for _, name, _ in french] == ["Colombie-Britannique", "Ontario", "Québec"]
    assert french[1][2] == (("35109", "Toronto-Centre"),)
    khmer = {code: districts for code, _, districts in group_districts(LISTED, "km")}
    assert khmer["CA-ON"] == (("35109", "Toronto Centre"),)
    assert group_districts((), "km") == ()


def test_a_district_goes_with_its_province() -> None:
    assert reason_against("59008", BY_CODE, "CA-BC") is None
    # The province is at fault itself: one thing at a time.
    assert reason_against("59008", BY_CODE, None) is None
    elsewhere = reason_against("59008", BY_CODE, "CA-ON")
    assert elsewhere is not None
    assert "not in the province that you chose" in elsewhere.say("en")
    unknown = reason_against("59009", BY_CODE, "CA-BC")
    assert unknown is not None
    assert "from the list" in unknown.say("en")
