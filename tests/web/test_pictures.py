"""Cards, posters and sheets at their addresses: made once for a state, and for nobody before its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.documents.card import draw_card
from tests.stage import small_campaign

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.stage import Stage

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def makes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count what is made."""
    made: list[str] = []

    def draw(data: Mapping[str, Any]) -> bytes:
        made.append(data["lang"])
        return draw_card(data)

    monkeypatch.setattr("app.web.public.pictures.draw_card", draw)
    return made


def _set_count(site: Stage, slug: str, count: int) -> None:
    site.sql_write(
        "UPDATE campaign_counts SET signatures = :count "
        "WHERE campaign_id = (SELECT id FROM campaigns WHERE slug = :slug)",
        count=count,
        slug=slug,
    )
    site.house.shelf._entries.clear()


def test_a_card_is_made_once_for_a_band_of_counts_and_anew_for_the_next(
    site: Stage, slug: str, makes: list[str]
) -> None:
    path = f"/km/campaigns/{slug}/card.png"
    first = site.get(path)
    assert first.status_code == 200
    assert first.headers["content-type"] == "image/png"
    assert first.content.startswith(PNG)
    assert int.from_bytes(first.content[16:20]) == 1200
    assert int.from_bytes(first.content[20:24]) == 630
    _set_count(site, slug, 25)
    assert site.get(path).content == first.content
    assert makes == ["km"]
    _set_count(site, slug, 26)
    later = site.get(path)
    assert later.content != first.content
    assert later.headers["etag"] != first.headers["etag"]
    assert makes == ["km", "km"]
    kept = site.sql("SELECT name, state FROM kept_documents WHERE name = 'card/km'")
    assert (len(kept), kept[0][1][:20]) == (1, later.headers["etag"].strip('"'))


def test_whoever_has_a_card_is_told_that_it_is_still_the_same(site: Stage, slug: str, makes: list[str]) -> None:
    path = f"/en/campaigns/{slug}/card.png"
    etag = site.get(path).headers["etag"]
    again = site.get(path, headers={"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert makes == ["en"]


@pytest.mark.parametrize(
    "address",
    [
        "poster.pdf",
        "poster.pdf?size=a4",
        "poster.pdf?size=tabloid",
        "paper.pdf",
        "paper.pdf?kind=free&size=legal",
        "paper.pdf?size=tabloid",
    ],
)
@pytest.mark.parametrize("locale", ["km", "fr"])
def test_posters_and_sheets_are_pdfs_that_are_not_made_twice(site: Stage, slug: str, locale: str, address: str) -> None:
    first = site.get(f"/{locale}/campaigns/{slug}/{address}")
    assert (first.status_code, first.headers["content-type"]) == (200, "application/pdf")
    assert first.content.startswith(b"%PDF")
    assert first.headers["content-disposition"].startswith(f'inline; filename="{slug}-p')
    made = site.sql("SELECT max(made_at) FROM kept_documents")
    assert site.get(f"/{locale}/campaigns/{slug}/{address}").content == first.content
    assert site.sql("SELECT max(made_at) FROM kept_documents") == made


@pytest.mark.parametrize(
    "address",
    ["poster.pdf?size=legal", "poster.pdf?size=", "paper.pdf?size=a4", "paper.pdf?kind=house", "paper.pdf?kind=%00"],
)
def test_sizes_and_kinds_that_nobody_knows_are_not_found(site: Stage, slug: str, address: str) -> None:
    assert site.get(f"/en/campaigns/{slug}/{address}").status_code == 404


def test_the_sheet_is_the_house_s_form_where_that_can_be_and_free_elsewhere(site: Stage) -> None:
    canadian = {"addressees": [{"name": {"en": "House of Commons of Canada"}, "country": "CA"}]}
    abroad = {"addressees": [{"name": {"en": "Senate of Australia"}, "country": "AU"}]}
    english = small_campaign()["texts"]["en"]

    def names(slug: str, query: str = "") -> list[str]:
        response = site.get(f"/km/campaigns/{slug}/paper.pdf{query}")
        if response.status_code == 404:
            return []
        return [
            name
            for (name,) in site.sql(
                "SELECT name FROM kept_documents JOIN campaigns ON campaigns.id = campaign_id WHERE slug = :slug",
                slug=slug,
            )
        ]

    ours = site.campaign({**small_campaign("pictures-house"), **canadian})
    assert names(ours) == ["sheet/commons/en/letter"]
    assert sorted(names(ours, "?kind=free")) == ["sheet/commons/en/letter", "sheet/free/all/letter"]
    theirs = site.campaign({**small_campaign("pictures-abroad"), **abroad})
    assert names(theirs, "?kind=commons") == []
    assert names(theirs) == ["sheet/free/all/letter"]
    khmer = {**small_campaign("pictures-khmer"), **canadian, "source_locale": "km", "texts": {"km": english}}
    assert names(site.campaign(khmer), "?kind=commons") == []
    assert names("pictures-khmer") == ["sheet/free/all/letter"]


def test_organisations_sign_no_sheet_and_a_campaign_that_was_stopped_has_no_poster(site: Stage) -> None:
    letter = site.campaign({**small_campaign("pictures-letter"), "signatories": "organisations"})
    assert site.get(f"/en/campaigns/{letter}/paper.pdf").status_code == 404
    assert site.get(f"/en/campaigns/{letter}/poster.pdf").status_code == 200
    site.sql_write("UPDATE campaigns SET state = 'stopped' WHERE slug = :slug", slug=letter)
    site.house.shelf._entries.clear()
    assert site.get(f"/en/campaigns/{letter}/poster.pdf").status_code == 404
    assert site.get(f"/en/campaigns/{letter}/card.png").content.startswith(PNG)


@pytest.mark.parametrize("state", ["draft", "review", "embargoed", "refused"])
def test_nothing_is_drawn_before_a_campaign_is_public(site: Stage, state: str) -> None:
    slug = site.campaign(small_campaign(f"pictures-{state}"))
    site.sql_write(
        "UPDATE campaigns SET state = :state, embargo_until = '2099-01-01 00:00:00' WHERE slug = :slug",
        state=state,
        slug=slug,
    )
    for address in ("card.png", "poster.pdf", "paper.pdf"):
        hidden, unknown = (site.get(f"/en/campaigns/{each}/{address}") for each in (slug, "pictures-nobody"))
        assert (hidden.status_code, hidden.headers.get("etag")) == (404, None)
        assert unknown.status_code == 404
    assert site.sql(
        "SELECT count(*) FROM kept_documents JOIN campaigns ON id = campaign_id WHERE slug = :slug", slug=slug
    ) == [(0,)]
