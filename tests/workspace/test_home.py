"""The first page of the workspace, starting a campaign from a template, and bringing one in a file."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from app.actions import settings
from app.core.clock import utc_now
from app.queries.drafts import find_draft
from app.rules.campaign_file import parse_campaign_file
from app.rules.texts import CampaignText
from tests.stage import REAL_CAMPAIGNS, Organiser, Stage, on_one_database, small_campaign
from tests.web.html import Page

if TYPE_CHECKING:
    from uuid import UUID

HOME = "/en/workspace"


def good_start(**changes: object) -> dict[str, Any]:
    """Return answers that start a petition in the House of Commons' form."""
    answers = {
        "once": "0123456789abcdef0123456789abcdef",
        "template": "commons",
        "source_locale": "en",
        "title": "Khmer books in every library",
        "known": "house",
        "addressee_country": "",
        "who": "house",
        "closing": "120",
        "closes_on": "",
        "signatures": "500",
        "label_en": "It is presented",
        "label_km": "ដាក់ជូនសភា",
        "organiser_name": "Friends of Libraries",
        "promised": ["km", "en", "fr"],
        **changes,
    }
    return {name: value for name, value in answers.items() if value is not None}


def pairs(data: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the fields of a form one by one."""
    return [(name, each) for name, value in data.items() for each in (value if isinstance(value, list) else [value])]


def started(owner: Organiser, **changes: object) -> str:
    """Start a campaign and return its slug."""
    response = owner.post(f"{HOME}/start", pairs(good_start(**changes)))
    assert response.status_code == 303, Page(response.text).summary
    return str(response.headers["location"].split("/")[4])


def draft_of(stage: Stage, slug: str) -> dict[str, CampaignText]:
    """Return a campaign's draft."""
    return stage.read(find_draft, campaign_id=id_of(stage, slug))


def id_of(stage: Stage, slug: str) -> UUID:
    """Return a campaign's id."""
    from sqlalchemy import select

    from app.models import Campaign

    return stage.read(lambda session: session.scalars(select(Campaign.id).where(Campaign.slug == slug)).one())


def column(stage: Stage, slug: str, name: str) -> Any:  # noqa: ANN401 - whatever the column holds
    """Return one column of a campaign."""
    from sqlalchemy import select

    from app.models import Campaign

    return stage.read(
        lambda session: getattr(session.scalars(select(Campaign).where(Campaign.slug == slug)).one(), name)
    )


@on_one_database
def test_home_of_a_newcomer_says_what_to_do(stage: Stage) -> None:
    for locale in ("km", "en", "fr"):
        page = Page(stage.organiser("new@example.org").get(f"/{locale}/workspace").text)
        assert page.lang == locale
        assert f"/{locale}/workspace/start" in page.links
        assert f"/{locale}/workspace/import" in page.links
        assert not any(link.endswith("/moderation") for link in page.links)


def test_home_lists_my_campaigns_and_no_others(stage: Stage) -> None:
    stage.campaign(small_campaign("others"), organiser={"name": "Others", "email": "else@example.org"})
    stage.campaign()
    owner = stage.organiser("Organiser@example.org")
    stage.sign("libraries", email="a@example.org")
    stage.post(f"/en/confirm/{stage.letters_to('a@example.org')[0].token('confirm')}", {"signing": "yes"})
    page = Page(owner.get(HOME).text)
    assert "/en/workspace/campaigns/libraries" in page.links
    assert "/en/workspace/campaigns/others" not in page.links
    assert "Khmer books in every library" in page.words
    assert "1 confirmed signature" in page.words
    assert "Owner" in page.words


@on_one_database
def test_home_of_staff_leads_to_moderation(stage: Stage) -> None:
    page = Page(stage.organiser("staff@example.org", role="moderator").get(HOME).text)
    assert "/en/moderation" in page.links


@on_one_database
def test_public_pages_lead_organisers_to_their_door(stage: Stage) -> None:
    assert "/fr/workspace/sign-in" in Page(stage.get("/fr/about").text).links


@on_one_database
def test_start_has_the_answers_that_most_give(stage: Stage) -> None:
    for locale in ("km", "en", "fr"):
        page = Page(stage.organiser().get(f"/{locale}/workspace/start").text)
        assert page.lang == locale
        assert {value for name, value in page.ticked if name == "promised"} == {"km", "en", "fr"}
        assert page.fields["once"][0]


def test_start_of_a_commons_petition_makes_a_draft_in_the_form_of_the_house(stage: Stage) -> None:
    owner = stage.organiser()
    slug = started(owner)
    assert slug == "khmer-books-in-every-library"
    row = stage.sql(
        "SELECT kind, state, form, supporters_needed, open_for_days, signatories, source_locale, settings_version, "
        "closes_at FROM campaigns"
    )
    assert row == [("petition", "draft", "commons", 5, 120, "individuals", "en", 1, None)]
    assert column(stage, slug, "eligibility") == {"any_of": [{"resident_of": ["CA"]}, {"citizen_of": ["CA"]}]}
    assert column(stage, slug, "promised_locales") == ["en", "fr", "km"]
    texts = draft_of(stage, slug)
    assert texts["en"].title == "Khmer books in every library"
    assert texts["en"].declaration == (
        "We, the undersigned, citizens and residents of Canada, call upon the House of Commons to:"
    )
    assert texts["fr"].declaration == (
        "Nous, soussignés, citoyens et résidents du Canada, prions la Chambre des communes de\u00a0:"
    )
    assert texts["km"].declaration.endswith("សូមអំពាវនាវដល់រដ្ឋសភាកាណាដា ដើម្បី៖")
    assert stage.sql("SELECT kind, position FROM text_items ORDER BY kind, position") == [
        ("recital", 0), ("recital", 1), ("request", 0),
    ]  # fmt: skip
    assert stage.sql("SELECT count(*) FROM text_parts WHERE is_ready") == [(0,)]
    assert stage.sql("SELECT signatures FROM thresholds") == [(500,)]
    assert stage.sql("SELECT country FROM addressees") == [("CA",)]
    assert stage.sql("SELECT signatures FROM campaign_counts") == [(0,)]
    assert stage.sql("SELECT role FROM members") == [("owner",)]
    assert stage.sql("SELECT what FROM records ORDER BY id DESC LIMIT 1") == [("created",)]
    assert stage.get(f"/en/campaigns/{slug}").status_code == 404
    assert owner.get(f"{HOME}/campaigns/{slug}/settings").status_code == 200


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {
                "template": "state", "known": "other", "addressee_en": "Senate of Australia", "addressee_country": "AU",
                "who": "cambodians", "closing": "none", "signatures": "", "label_en": "", "label_km": "",
            },
            ("petition", "free", 0, None, "individuals"),
        ),
        (
            {"template": "letter", "known": "government", "who": "residents", "countries": ["FR", "AU"],
             "country_more": "BE", "closing": "60"},
            ("open_letter", "free", 0, 60, "individuals"),
        ),
        (
            {"template": "statement", "known": "nobody", "who": "organisations", "closing": "date",
             "closes_on": "២១៩៩-១២-៣១"},
            ("joint_statement", "free", 0, None, "organisations"),
        ),
        ({"who": "anyone"}, ("petition", "commons", 5, 120, "individuals")),
        ({"who": "canadians"}, ("petition", "commons", 5, 120, "individuals")),
    ],
)  # fmt: skip
def test_start_of_each_template(stage: Stage, changes: dict[str, object], expected: tuple[object, ...]) -> None:
    slug = started(stage.organiser(), **changes)
    assert stage.sql("SELECT kind, form, supporters_needed, open_for_days, signatories FROM campaigns") == [expected]
    assert stage.organiser().get(f"{HOME}/campaigns/{slug}/settings").status_code == 200
    if changes.get("who") == "residents":
        assert column(stage, slug, "eligibility") == {"resident_of": ["FR", "AU", "BE"]}
    if changes.get("template") == "state":
        assert draft_of(stage, slug)["en"].declaration == "We, the undersigned, call upon … to:"


def test_start_in_khmer_gets_an_address_in_latin_letters(stage: Stage) -> None:
    owner = stage.organiser()
    slug = started(owner, title="សៀវភៅខ្មែរគ្រប់បណ្ណាល័យ", source_locale="km", promised=[])
    assert slug.startswith("petition-")
    assert column(stage, slug, "promised_locales") == ["km"]
    texts = draft_of(stage, slug)
    assert texts["km"].title == "សៀវភៅខ្មែរគ្រប់បណ្ណាល័យ"
    assert "សៀវភៅខ្មែរគ្រប់បណ្ណាល័យ" in Page(owner.get(HOME).text).words


def test_start_pressed_twice_starts_one(stage: Stage) -> None:
    owner = stage.organiser()
    assert started(owner) == started(owner, title="Another title by now")
    assert stage.sql("SELECT count(*) FROM campaigns") == [(1,)]
    assert started(owner, once="ff" * 16) == "khmer-books-in-every-library-2"


@on_one_database
def test_a_form_that_names_somebody_elses_campaign_starts_one_of_its_own(stage: Stage) -> None:
    owner, other = stage.organiser("owner@example.org"), stage.organiser("other@example.org")
    started(owner)
    ((theirs,),) = stage.sql("SELECT id FROM campaigns")
    assert started(other, once=str(theirs).replace("-", "")) == "khmer-books-in-every-library-2"
    assert stage.sql("SELECT count(*) FROM campaigns") == [(2,)]


def test_start_says_what_is_missing_and_keeps_the_rest(stage: Stage) -> None:
    owner = stage.organiser()
    missing: tuple[tuple[dict[str, object], str], ...] = (
        ({"template": None}, "template"),
        ({"title": " "}, "title"),
        ({"title": "x" * 301}, "title"),
        ({"source_locale": "de"}, "source_locale"),
        ({"known": None}, "known"),
        ({"known": "nobody"}, "known"),
        ({"known": "other", "addressee_country": "CA"}, "addressee_en"),
        ({"known": "other", "addressee_en": "Somebody"}, "addressee_country"),
        ({"known": "other", "addressee_fr": "x" * 301, "addressee_country": "EU"}, "addressee_fr"),
        ({"who": None}, "who"),
        ({"who": "kept"}, "who"),
        ({"who": "residents", "countries": ["XX"]}, "countries"),
        ({"closing": None}, "closing"),
        ({"closing": "none"}, "closing"),
        ({"closing": "date", "closes_on": "tomorrow"}, "closes_on"),
        ({"closing": "date", "closes_on": "2020-01-01"}, "closes_on"),
        ({"signatures": "many"}, "signatures"),
        ({"signatures": "0"}, "signatures"),
        ({"signatures": ""}, "signatures"),
        ({"label_en": "", "label_km": ""}, "label_en"),
        ({"label_en": "x" * 1001, "label_km": ""}, "label_en"),
        ({"organiser_name": ""}, "organiser_name"),
    )
    for changes, field in missing:
        response = owner.post(f"{HOME}/start", pairs(good_start(**changes)))
        assert response.status_code == 422, changes
        page = Page(response.text)
        assert [name for name, _ in page.summary] == [field], changes
        assert page.title.startswith("Error:")
        if "organiser_name" not in changes:
            assert page.fields["organiser_name"] == ["Friends of Libraries"]
        assert ("promised", "fr") in page.ticked
    assert stage.sql("SELECT count(*) FROM campaigns") == [(0,)]


def test_an_account_has_twenty_drafts_at_most(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.DRAFTS_AT_ONCE == 20
    monkeypatch.setattr(settings, "DRAFTS_AT_ONCE", 2)
    stage.campaign()  # open, and so no draft
    owner = stage.organiser("organiser@example.org")
    for once in ("aa" * 16, "bb" * 16):
        started(owner, once=once)
    assert started(owner, once="bb" * 16) == "khmer-books-in-every-library-2"
    for response in (
        owner.post(f"{HOME}/start", pairs(good_start(once="cc" * 16))),
        brought(owner, small_campaign("brought"), once="cc" * 16),
        owner.post(f"{HOME}/campaigns/libraries/copy", {"once": "cc" * 16}),
    ):
        assert response.status_code == 422
        assert "Go on with one of them" in Page(response.text).words
    assert stage.sql("SELECT count(*) FROM campaigns") == [(3,)]
    # Whoever else is in the team of these has drafts of their own.
    viewer = stage.organiser("viewer@example.org")
    for slug in ("khmer-books-in-every-library", "khmer-books-in-every-library-2"):
        stage.join(slug, viewer, "editor")
    assert started(viewer, once="dd" * 16)


def test_starts_at_once_make_as_many_drafts_as_there_may_be(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DRAFTS_AT_ONCE", 3)
    owner = stage.organiser()
    file = parse_campaign_file(json.dumps(small_campaign()).encode())

    async def storm() -> None:
        await asyncio.gather(
            *(
                stage.database.write(
                    settings.import_as_team,
                    campaign_id=uuid4(),
                    beginner=settings.Beginner(owner.account_id, owner.email),
                    file=file,
                    fallback_slug=f"petition-{number}",
                    keyring=stage.keyring,
                    now=utc_now(),
                )
                for number in range(8)
            ),
            return_exceptions=True,
        )

    stage.run(storm())
    assert stage.sql("SELECT count(*) FROM campaigns") == [(3,)]


@on_one_database
def test_start_without_an_id_of_ours_is_no_form_of_ours(stage: Stage) -> None:
    assert stage.organiser().post(f"{HOME}/start", pairs(good_start(once="x"))).status_code == 400


@on_one_database
def test_start_without_the_form_token_is_refused(stage: Stage) -> None:
    owner = stage.organiser()
    assert stage.post(f"{HOME}/start", pairs(good_start()), browser=owner.browser).status_code == 403


# Files


def brought(owner: Organiser, document: object, once: str = "ab" * 16) -> Any:  # noqa: ANN401 - httpx's response
    """Send a file as it would be pasted."""
    text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False, indent=2)
    return owner.post(f"{HOME}/import", {"file": text.replace("\n", "\r\n"), "once": once})


def test_import_makes_a_draft_of_mine(stage: Stage) -> None:
    owner = stage.organiser()
    assert owner.get(f"{HOME}/import").status_code == 200
    response = brought(owner, small_campaign())
    assert response.headers["location"] == f"{HOME}/campaigns/libraries"
    assert stage.sql("SELECT state, form FROM campaigns") == [("draft", "commons")]
    assert stage.sql("SELECT state, answered_at FROM sponsors") == [("proposed", None)]
    assert stage.sql("SELECT count(*) FROM accounts") == [(1,)]
    assert {locale: text.as_data() for locale, text in draft_of(stage, "libraries").items()} == {
        locale: CampaignText.from_data(text).as_data() for locale, text in small_campaign()["texts"].items()
    }
    key_holder = Page(owner.get(f"{HOME}/campaigns/libraries/settings").text)
    assert "owner@example.org" in key_holder.words
    assert brought(owner, small_campaign()).headers["location"] == f"{HOME}/campaigns/libraries"
    assert stage.sql("SELECT count(*) FROM campaigns") == [(1,)]


def test_import_of_a_taken_address_gets_another(stage: Stage) -> None:
    stage.campaign()
    response = brought(stage.organiser(), small_campaign())
    assert response.headers["location"] == f"{HOME}/campaigns/libraries-2"
    assert stage.sql("SELECT count(*) FROM sponsors WHERE state = 'accepted'") == [(1,)]


@on_one_database
def test_import_names_each_fault_and_keeps_what_was_pasted(stage: Stage) -> None:
    document = {**small_campaign(), "kind": "poem", "timezone": "Mars/Base"}
    response = brought(stage.organiser(), document)
    assert response.status_code == 422
    page = Page(response.text)
    assert "kind" in page.words
    assert "timezone" in page.words
    assert "Mars/Base" in page.words
    assert stage.sql("SELECT count(*) FROM campaigns") == [(0,)]
    assert brought(stage.organiser(), "this is { no JSON").status_code == 422


@pytest.mark.parametrize("path", sorted(REAL_CAMPAIGNS.glob("*.json")), ids=lambda path: path.stem)
def test_import_takes_the_real_campaigns(stage: Stage, path: Any) -> None:  # noqa: ANN401 - a path
    owner = stage.organiser()
    response = brought(owner, path.read_text(encoding="utf-8"))
    assert response.status_code == 303
    assert owner.get(f"{response.headers['location']}/settings").status_code == 200


def test_a_campaign_that_the_operator_imports_belongs_to_its_organiser(stage: Stage) -> None:
    before = utc_now()
    stage.campaign()
    owner = stage.organiser("organiser@example.org")
    assert "/en/workspace/campaigns/libraries" in Page(owner.get(HOME).text).links
    assert column(stage, "libraries", "created_at") >= before
