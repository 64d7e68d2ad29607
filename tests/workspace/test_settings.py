"""Settings: who may change what and when, two people at once, lists, the file, and copies."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from app.actions.settings import SettingsChanged, SettingsFrozen, save_settings
from app.core.clock import utc_now
from app.rules.campaign_file import parse_campaign_file
from tests.stage import Organiser, Stage, on_one_database, small_campaign
from tests.web.html import Page
from tests.workspace.test_home import column, draft_of, id_of, started

if TYPE_CHECKING:
    import httpx
    from sqlalchemy.orm import Session

AT = "/en/workspace/campaigns"
SLUG = "khmer-books-in-every-library"


@pytest.fixture
def owner(stage: Stage) -> Organiser:
    """Bring the owner of a draft."""
    somebody = stage.organiser()
    started(somebody)
    return somebody


def version(owner: Organiser, slug: str = SLUG, section: str = "basics") -> str:
    """Return the version that a page of the settings was shown with."""
    return Page(owner.get(f"{AT}/{slug}/settings/{section}").text).fields["settings_version"][0]


def save(
    owner: Organiser, section: str, fields: dict[str, Any], *, slug: str = SLUG, shown: str | None = None
) -> httpx.Response:
    """Fill the form of a section in as it was shown, with ``fields`` changed, and send it."""
    data = {"settings_version": shown or version(owner, slug), **fields}
    pairs = [(name, one) for name, value in data.items() for one in (value if isinstance(value, list) else [value])]
    return owner.post(f"{AT}/{slug}/settings/{section}", pairs)


def basics(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - form fields
    """Return the first section as a new draft has it."""
    return {
        "kind": "petition", "commons": "yes", "slug": SLUG, "reference": "", "organiser_name": "Friends of Libraries",
        "organiser_email": "owner@example.org", "promised": ["km", "en", "fr"], "supporters_needed": "5", **changes,
    }  # fmt: skip


def signing(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - form fields
    """Return who signs as a new petition to the House has it."""
    return {
        "signatories": "individuals", "who": "any", "i0-kind": "living", "i0-places": "CA", "i1-kind": "citizen",
        "i1-places": "CA", "asks": "", **changes,
    }  # fmt: skip


def set_state(stage: Stage, state: str) -> None:
    """Put every campaign into a state."""
    from sqlalchemy import update

    from app.models import Campaign

    def work(session: Session) -> None:
        session.execute(update(Campaign).values(state=state))

    stage.write(work)


@on_one_database
def test_settings_are_shown_in_three_languages(stage: Stage, owner: Organiser) -> None:
    for locale in ("km", "en", "fr"):
        response = owner.get(f"/{locale}/workspace/campaigns/{SLUG}/settings")
        page = Page(response.text)
        assert (response.status_code, page.lang) == (200, locale)
        for section in ("basics", "addressees", "signing", "dates", "numbers"):
            path = f"/{locale}/workspace/campaigns/{SLUG}/settings/{section}"
            assert path in page.links
            assert owner.get(path).status_code == 200
    assert owner.get(f"{AT}/{SLUG}/settings/nonsense").status_code == 404
    assert owner.post(f"{AT}/{SLUG}/settings/nonsense", {}).status_code == 404


@on_one_database
@pytest.mark.usefixtures("owner")
def test_readers_see_the_settings_but_neither_address_nor_forms(stage: Stage) -> None:
    reader = stage.organiser("reader@example.org")
    for role in ("viewer", "translator"):
        stage.join(SLUG, reader, role, ["km"])
        page = Page(reader.get(f"{AT}/{SLUG}/settings").text)
        assert "Friends of Libraries" in page.words
        assert "owner@example.org" not in page.words
        assert not any("/settings/" in link for link in page.links)
        assert reader.get(f"{AT}/{SLUG}/settings/basics").status_code == 404
        assert reader.post(f"{AT}/{SLUG}/settings/basics", basics()).status_code == 404


def test_basics_are_saved(stage: Stage, owner: Organiser) -> None:
    response = save(
        owner,
        "basics",
        basics(
            kind="open_letter", slug="Books-Now", reference="e-1746", organiser_name="Friends", promised=["fr"],
            organiser_email="team@example.net", supporters_needed="០",
        ),
    )  # fmt: skip
    assert response.headers["location"] == f"{AT}/books-now/settings"
    row = stage.sql("SELECT kind, form, reference, organiser_name, supporters_needed, settings_version FROM campaigns")
    assert row == [("open_letter", "free", "e-1746", "Friends", 0, 2)]
    assert column(stage, "books-now", "promised_locales") == ["en", "fr"]
    page = Page(owner.get(f"{AT}/books-now/settings/basics").text)
    assert page.fields["organiser_email"] == ["team@example.net"]
    assert owner.get(f"{AT}/{SLUG}/settings").status_code == 404


@on_one_database
def test_saving_what_is_saved_changes_nothing(stage: Stage, owner: Organiser) -> None:
    assert save(owner, "basics", basics()).status_code == 303
    assert save(owner, "signing", signing(asks="postal_code")).is_redirect
    dates = {"closing": "120", "closes_on": "", "timezone": "America/Toronto"}
    assert save(owner, "dates", dates).status_code == 303
    assert save(owner, "addressees", {"do": "remove", "row": "7"}).status_code == 303
    assert stage.sql("SELECT settings_version FROM campaigns") == [(1,)]


FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("basics", basics(slug="x"), "slug"),
    ("basics", basics(kind="poem"), "kind"),
    ("basics", basics(supporters_needed="1000"), "supporters_needed"),
    ("basics", basics(organiser_name=""), "organiser_name"),
    ("basics", basics(organiser_email="nobody"), "organiser_email"),
    ("basics", basics(slug="taken"), "slug"),
    ("signing", {"signatories": "cats", "who": "anyone"}, "signatories"),
    ("signing", {"signatories": "individuals", "who": "any", "i0-kind": "organisation"}, "signatories"),
    ("signing", {"signatories": "both", "who": "kept"}, "who"),
    ("signing", {"signatories": "both", "who": "any", "i0-kind": "living", "i0-places": "XX"}, "i0-more"),
    ("dates", {"closing": "120", "timezone": "Mars/Base"}, "timezone"),
    ("dates", {"closing": "whenever", "timezone": "Asia/Phnom_Penh"}, "closing"),
    ("addressees", {"addressee_country": "CA"}, "addressee_en"),
    ("numbers", {}, "signatures"),
    ("numbers", {"signatures": "500", "label_en": "Again"}, "signatures"),
]


@on_one_database
def test_a_fault_is_named_and_what_was_typed_is_kept(stage: Stage, owner: Organiser) -> None:
    stage.campaign(small_campaign("taken"))
    for section, fields, field in FAULTS:
        response = save(owner, section, fields, shown="1")
        assert response.status_code == 422, (section, fields)
        page = Page(response.text)
        assert [name for name, _ in page.summary] == [field], (section, fields)
        if section == "basics":
            assert page.fields["slug"] == [fields["slug"]]
    assert column(stage, SLUG, "settings_version") == 1


@on_one_database
def test_numbers_that_are_none_of_ours_are_taken_as_nothing(stage: Stage, owner: Organiser) -> None:
    """Python refuses to read a number of more than 4300 digits, which is no reason for a page to fail."""
    endless = "9" * 5000
    for row in (endless, "³", "-1", "x"):
        assert owner.get(f"{AT}/{SLUG}/settings/addressees", params={"row": row}).status_code == 200
        assert save(owner, "addressees", {"do": "remove", "row": row}).status_code == 303
    assert stage.sql("SELECT settings_version FROM campaigns") == [(1,)]
    assert save(owner, "basics", basics(reference="e-1"), shown=endless).status_code == 422


@on_one_database
def test_a_list_that_is_full_says_so_and_keeps_what_was_typed(
    stage: Stage, owner: Organiser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.web.workspace.settings.MAX_LIST", 1)
    for section, fields, field in (
        ("addressees", {"addressee_en": "Senate", "addressee_country": "CA"}, "addressee_en"),
        ("numbers", {"signatures": "700", "label_en": "More"}, "signatures"),
    ):
        response = save(owner, section, fields)
        page = Page(response.text)
        assert response.status_code == 422
        assert page.faults[field].endswith("The list is full: remove something from it first")
        assert page.fields[field] == [fields[field]]
        # What is there can still be changed.
        assert save(owner, section, {"row": "0", **fields}).is_redirect
    assert stage.sql("SELECT count(*) FROM addressees") == [(1,)]


@on_one_database
def test_after_the_key_is_destroyed_there_is_no_address_to_change(stage: Stage) -> None:
    stage.campaign()
    owner = stage.organiser("organiser@example.org")
    set_state(stage, "closed")
    stage.sql_write("DELETE FROM campaign_keys")
    page = Page(owner.get(f"{AT}/libraries/settings/basics").text)
    assert "organiser_email" not in page.fields
    typed = {"reference": "e-7", "organiser_name": "Friends", "organiser_email": "new@example.org"}
    assert save(owner, "basics", typed, slug="libraries").is_redirect
    assert column(stage, "libraries", "reference") == "e-7"
    with pytest.raises(SettingsFrozen, match="closed"):
        stage.write(
            save_settings,
            campaign_id=id_of(stage, "libraries"),
            account_id=owner.account_id,
            version=2,
            changes={"organiser_email": "new@example.org"},
            keyring=stage.keyring,
            now=utc_now(),
        )


def test_rule_dates_and_what_is_asked_are_saved(stage: Stage, owner: Organiser) -> None:
    chosen = {"signatories": "both", "who": "any", "i0-kind": "living", "i0-places": "AU FR", "i0-more": "BE",
              "asks": ["postal_code", "phone", "shoe_size"]}  # fmt: skip
    assert save(owner, "signing", chosen).status_code == 303
    assert column(stage, SLUG, "eligibility") == {"resident_of": ["AU", "FR", "BE"]}
    assert column(stage, SLUG, "asks") == ["phone", "postal_code"]
    page = Page(owner.get(f"{AT}/{SLUG}/settings/signing").text)
    assert page.fields["i0-places"] == ["AU FR BE"]
    assert save(
        owner, "dates", {"closing": "date", "closes_on": "2199-12-30", "timezone": "Asia/Phnom_Penh"}
    ).is_redirect
    assert column(stage, SLUG, "closes_at").isoformat() == "2199-12-30T17:00:00+00:00"
    assert column(stage, SLUG, "open_for_days") is None
    words = Page(owner.get(f"{AT}/{SLUG}/settings").text).words
    assert "30 December 2199" in words
    assert "People living in Australia, France or Belgium" in words
    page = Page(owner.get(f"{AT}/{SLUG}/settings/dates").text)
    assert page.fields["closes_on"] == ["2199-12-30"]
    assert save(owner, "dates", {"closing": "none", "timezone": "Asia/Phnom_Penh"}).is_redirect
    assert "No closing date" in Page(owner.get(f"{AT}/{SLUG}/settings").text).words
    assert owner.get(f"{AT}/{SLUG}/settings/dates").status_code == 200


def test_another_zone_moves_the_opening_to_the_same_day_there(stage: Stage) -> None:
    document = small_campaign() | {"opens_on": "2198-01-01", "closes_on": "2199-01-01"}
    stage.campaign(document, open_for=None)
    owner = stage.organiser("organiser@example.org")
    set_state(stage, "draft")
    dates = {"closing": "date", "closes_on": "2197-01-01", "timezone": "Asia/Phnom_Penh"}
    assert save(owner, "dates", dates, slug="libraries").status_code == 422
    dates["closes_on"] = "2199-01-01"
    assert save(owner, "dates", dates, slug="libraries").is_redirect
    assert column(stage, "libraries", "opens_at").isoformat() == "2197-12-31T17:00:00+00:00"
    assert column(stage, "libraries", "closes_at").isoformat() == "2199-01-01T17:00:00+00:00"


@on_one_database
def test_a_rule_of_many_layers_is_shown_and_kept_unless_another_is_chosen(stage: Stage) -> None:
    rule = {"all_of": [{"citizen_of": ["CA"]}, {"any_of": [{"all_of": [{"minimum_age": 18}]}]}]}
    stage.campaign(small_campaign(), eligibility=rule)
    set_state(stage, "draft")
    owner = stage.organiser("organiser@example.org")
    assert "Citizens of Canada aged 18 or over" in Page(owner.get(f"{AT}/libraries/settings/signing").text).words
    kept = {"signatories": "both", "who": "kept"}
    assert save(owner, "signing", kept, slug="libraries").is_redirect
    assert column(stage, "libraries", "eligibility") == rule
    assert save(owner, "signing", kept | {"who": "anyone"}, slug="libraries").is_redirect
    assert column(stage, "libraries", "eligibility") == {}


def test_addressees_are_added_changed_moved_and_removed(stage: Stage, owner: Organiser) -> None:
    def names() -> list[str]:
        rows = stage.sql("SELECT names, country FROM addressees ORDER BY position")
        parsed = [json.loads(each) if isinstance(each, str) else each for each, _ in rows]
        return [next(iter(each.values())) if len(each) == 1 else "House" for each in parsed]

    def edit(**fields: str) -> None:
        response = save(owner, "addressees", fields)
        assert response.headers["location"] == f"{AT}/{SLUG}/settings/addressees"

    edit(addressee_fr="Sénat", addressee_country="FR")
    edit(addressee_en="Parliament", addressee_country="EU")
    assert names() == ["House", "Sénat", "Parliament"]
    edit(do="up", row="2")
    assert names() == ["House", "Parliament", "Sénat"]
    edit(do="down", row="0")
    edit(do="up", row="0")
    assert names() == ["Parliament", "House", "Sénat"]
    page = Page(owner.get(f"{AT}/{SLUG}/settings/addressees?row=2").text)
    assert page.fields["addressee_fr"] == ["Sénat"]
    assert page.fields["addressee_country"] == ["FR"]
    edit(row="2", addressee_fr="Assemblée", addressee_country="FR")
    edit(do="remove", row="1")
    assert names() == ["Parliament", "Assemblée"]
    assert Page(owner.get(f"{AT}/{SLUG}/settings/addressees?row=9").text).fields["addressee_fr"] == [""]


def test_numbers_of_a_draft_are_added_changed_and_removed(stage: Stage, owner: Organiser) -> None:
    assert save(owner, "numbers", {"signatures": "១.០០០", "label_fr": "Mille"}).is_redirect
    page = Page(owner.get(f"{AT}/{SLUG}/settings/numbers?row=1").text)
    assert page.fields["label_fr"] == ["Mille"]
    assert page.fields["signatures"] == ["1000"]
    assert save(owner, "numbers", {"row": "1", "signatures": "2 000", "label_fr": "Deux mille"}).is_redirect
    assert save(owner, "numbers", {"do": "remove", "row": "0"}).is_redirect
    assert stage.sql("SELECT signatures FROM thresholds") == [(2000,)]


# Two people at once


def test_the_second_of_two_is_shown_what_changed_and_keeps_what_they_typed(stage: Stage, owner: Organiser) -> None:
    shown = version(owner)
    assert save(owner, "basics", basics(organiser_name="First"), shown=shown).is_redirect
    response = save(owner, "basics", basics(organiser_name="Second"), shown=shown)
    assert response.status_code == 422
    page = Page(response.text)
    assert "Somebody else was faster" in page.words
    assert "Team or organisation First" in page.words
    assert page.fields["organiser_name"] == ["Second"]
    assert column(stage, SLUG, "organiser_name") == "First"
    again = save(owner, "basics", basics(organiser_name="Second"), shown=page.fields["settings_version"][0])
    assert again.is_redirect
    assert column(stage, SLUG, "organiser_name") == "Second"


def test_who_changes_other_things_is_not_in_the_way(stage: Stage, owner: Organiser) -> None:
    shown = version(owner)
    assert save(owner, "addressees", {"addressee_en": "Senate", "addressee_country": "CA"}, shown=shown).is_redirect
    assert save(owner, "basics", basics(reference="e-1"), shown=shown).is_redirect
    assert stage.sql("SELECT reference, settings_version FROM campaigns") == [("e-1", 3)]
    last = stage.sql("SELECT what FROM records ORDER BY id DESC LIMIT 1")
    assert last == [("settings_saved",)]


@on_one_database
def test_a_list_that_changed_meanwhile_gets_what_was_typed_as_a_new_row(stage: Stage, owner: Organiser) -> None:
    shown = version(owner)
    assert save(owner, "addressees", {"do": "remove", "row": "0"}, shown=shown).is_redirect
    typed = {"row": "0", "addressee_en": "Senate", "addressee_country": "CA"}
    page = Page(save(owner, "addressees", typed, shown=shown).text)
    assert page.fields["addressee_en"] == ["Senate"]
    assert "row" not in page.fields
    assert stage.sql("SELECT count(*) FROM addressees") == [(0,)]


@on_one_database
def test_a_version_that_never_was_counts_as_changed(owner: Organiser) -> None:
    for shown in ("99", "x", "9" * 40, "0"):
        response = save(owner, "basics", basics(reference="e-1"), shown=shown)
        assert response.status_code == 422
        assert "Official number" in Page(response.text).words


def test_of_two_saves_at_the_same_moment_one_is_told(stage: Stage, owner: Organiser) -> None:
    campaign_id, account_id = id_of(stage, SLUG), owner.account_id

    async def race() -> list[object]:
        # Connections first, so that all of them read before any writes.
        await asyncio.gather(*(stage.database.read(_look) for _ in range(8)))
        return await asyncio.gather(
            *(
                stage.database.write(
                    save_settings,
                    campaign_id=campaign_id,
                    account_id=account_id,
                    version=1,
                    changes={"reference": name},
                    keyring=stage.keyring,
                    now=utc_now(),
                )
                for name in ("a", "b", "c", "d")
            ),
            return_exceptions=True,
        )

    results = stage.run(race())
    assert sum(isinstance(each, SettingsChanged) for each in results) == 3
    assert stage.sql("SELECT settings_version FROM campaigns") == [(2,)]


def _look(session: Session) -> None:
    session.connection()


# What may be changed when


@on_one_database
def test_in_review_nothing_can_be_changed_and_what_was_typed_is_shown(stage: Stage, owner: Organiser) -> None:
    shown = version(owner)
    set_state(stage, "review")
    assert owner.get(f"{AT}/{SLUG}/settings/basics").headers["location"] == f"{AT}/{SLUG}/settings"
    response = save(owner, "basics", basics(organiser_name="Too late"), shown=shown)
    assert response.status_code == 422
    assert "Too late" in Page(response.text).words
    assert not any("/settings/" in link for link in Page(response.text).links)
    assert "in review" in Page(owner.get(f"{AT}/{SLUG}/settings").text).words


@on_one_database
def test_while_it_is_open_only_number_team_and_address_change(stage: Stage) -> None:
    stage.campaign()
    owner = stage.organiser("organiser@example.org")
    page = Page(owner.get(f"{AT}/libraries/settings/basics").text)
    assert {"reference", "organiser_name", "organiser_email"} <= set(page.fields)
    assert not {"slug", "kind", "supporters_needed"} & set(page.fields)
    typed = basics(organiser_name="New name", slug="other", kind="open_letter", reference="e-7")
    assert save(owner, "basics", typed, slug="libraries", shown="1").is_redirect
    assert stage.sql("SELECT slug, kind, organiser_name, reference FROM campaigns") == [
        ("libraries", "petition", "New name", "e-7")
    ]
    assert "New name" in stage.get("/en/campaigns/libraries").text
    for section in ("addressees", "signing", "dates"):
        assert owner.get(f"{AT}/libraries/settings/{section}").is_redirect
        assert owner.post(f"{AT}/libraries/settings/{section}", {"settings_version": "2"}).status_code == 422


def test_a_state_that_changes_in_the_same_moment_freezes_the_settings(
    stage: Stage, owner: Organiser, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The page is read while it is a draft; before it is written the campaign goes into review.
    from app.web.workspace import settings as page

    find = page._find

    async def find_and_move(visit: Any) -> Any:  # noqa: ANN401 - what it stands for takes and gives
        found = await find(visit)
        await stage.database.write(_to_review)
        return found

    def _to_review(session: Session) -> None:
        from sqlalchemy import update

        from app.models import Campaign

        session.execute(update(Campaign).values(state="review"))

    shown = version(owner)
    monkeypatch.setattr(page, "_find", find_and_move)
    response = save(owner, "basics", basics(organiser_name="Too late"), shown=shown)
    assert response.status_code == 422
    assert "Too late" in Page(response.text).words
    assert column(stage, SLUG, "organiser_name") == "Friends of Libraries"


def test_a_number_added_while_people_sign_must_be_above_the_count(stage: Stage) -> None:
    stage.campaign()
    owner = stage.organiser("organiser@example.org")
    for number in range(2):
        address = f"signer{number}@example.org"
        stage.sign("libraries", email=address, browser=stage.new_browser())
        stage.post(f"/en/confirm/{stage.letters_to(address)[-1].token('confirm')}", {"signing": "yes"})
    assert "above the count" in Page(owner.get(f"{AT}/libraries/settings/numbers").text).words

    def add(number: str) -> Page:
        typed = {"signatures": number, "label_en": "More"}
        response = save(owner, "numbers", typed, slug="libraries", shown=version(owner, "libraries", "numbers"))
        return Page(response.text) if response.text else Page("")

    assert "above the count, which is 2" in add("2").words
    stage.roll_up()
    assert "above the count, which is 2" in add("1").words
    assert "already" in add("3").words
    assert add("").summary
    assert add("4").words == ""
    assert stage.sql("SELECT signatures FROM thresholds ORDER BY signatures") == [(3,), (4,)]
    assert save(owner, "numbers", {"do": "remove", "row": "0"}, slug="libraries").status_code == 422


# The file and copies


@on_one_database
def test_export_is_the_draft_in_the_public_format(stage: Stage) -> None:
    stage.campaign()
    owner = stage.organiser("organiser@example.org")
    stage.write(_rewrite_title)
    response = owner.get(f"{AT}/libraries/export")
    assert response.headers["content-type"] == "application/json"
    assert response.headers["content-disposition"] == 'attachment; filename="libraries.json"'
    data = response.json()
    assert data["texts"]["en"]["title"] == "Ahead of the edition"
    assert data["organiser"]["email"] == "organiser@example.org"
    assert data["sponsor"]["email"] == "office@example.org"
    assert parse_campaign_file(response.content).slug == "libraries"
    viewer = stage.organiser("viewer@example.org")
    stage.join("libraries", viewer, "viewer")
    data = viewer.get(f"{AT}/libraries/export").json()
    assert data["organiser"]["email"] == "team@example.org"
    assert "email" not in data["sponsor"]
    assert stage.organiser("stranger@example.org").get(f"{AT}/libraries/export").status_code == 404


def _rewrite_title(session: Session) -> None:
    from sqlalchemy import update

    from app.models import TextPart

    session.execute(
        update(TextPart).where(TextPart.name == "title", TextPart.locale == "en").values(text="Ahead of the edition")
    )


@on_one_database
def test_export_of_a_draft_without_titles_can_be_imported_again(stage: Stage, owner: Organiser) -> None:
    response = owner.get(f"{AT}/{SLUG}/export")
    data = response.json()
    assert data["texts"]["fr"]["title"] == "?"
    assert "sponsor" not in data
    viewer = stage.organiser("viewer@example.org")
    stage.join(SLUG, viewer, "viewer")
    assert viewer.get(f"{AT}/{SLUG}/export").json()["organiser"]["email"] == "team@example.org"
    brought = owner.post("/en/workspace/import", {"file": response.text, "once": uuid4().hex})
    assert brought.headers["location"] == f"{AT}/{SLUG}-2"


@on_one_database
def test_no_organisation_has_signed_because_a_file_says_so(stage: Stage) -> None:
    stage.campaign(slug="signed", endorsements=[{"name": "A"}, {"name": "B"}])  # an operator's file
    assert stage.sql("SELECT count(*) FROM endorsements") == [(2,)]
    owner = stage.organiser("organiser@example.org")
    file = {**small_campaign(), "slug": "brought", "endorsements": [{"name": "The Red Cross"}]}
    brought = owner.post("/en/workspace/import", {"file": json.dumps(file), "once": uuid4().hex})
    assert brought.headers["location"] == f"{AT}/brought"
    assert stage.sql("SELECT count(*) FROM endorsements") == [(2,)]
    (details,) = stage.sql("SELECT details FROM records WHERE what = 'imported' ORDER BY id DESC LIMIT 1")
    assert "endorsements_left_out" in str(details)
    assert "Organisations that the file names are left out" in owner.get("/en/workspace/import").text


def test_a_copy_is_a_draft_of_my_own_with_words_and_settings_alone(stage: Stage) -> None:
    stage.campaign()
    viewer = stage.organiser("viewer@example.org")
    stage.join("libraries", viewer, "viewer")
    once = Page(viewer.get(f"{AT}/libraries/settings").text).fields["once"][0]
    response = viewer.post(f"{AT}/libraries/copy", {"once": once})
    assert response.headers["location"] == f"{AT}/libraries-2"
    assert viewer.post(f"{AT}/libraries/copy", {"once": once}).headers["location"] == f"{AT}/libraries-2"
    texts = [{locale: each.as_data() for locale, each in draft_of(stage, slug).items()}
             for slug in ("libraries", "libraries-2")]  # fmt: skip
    assert texts[0] == texts[1]
    assert column(stage, "libraries-2", "state") == "draft"
    assert column(stage, "libraries-2", "closes_at") is None
    assert column(stage, "libraries-2", "eligibility") == column(stage, "libraries", "eligibility")
    assert stage.sql("SELECT count(*) FROM thresholds") == [(2,)]
    assert stage.sql("SELECT count(*) FROM addressees") == [(2,)]
    assert stage.sql("SELECT count(*) FROM sponsors") == [(1,)]
    page = Page(viewer.get(f"{AT}/libraries-2/settings").text)
    assert "viewer@example.org" in page.words
    assert stage.sql("SELECT count(*) FROM members") == [(3,)]


def test_a_copy_keeps_what_is_ready_behind_or_removed(stage: Stage) -> None:
    stage.campaign()
    owner = stage.organiser("organiser@example.org")

    def work(session: Session) -> None:
        from sqlalchemy import update

        from app.models import TextItem, TextPart

        def change(name: str, locale: str, **values: object) -> None:
            session.execute(update(TextPart).where(TextPart.name == name, TextPart.locale == locale).values(**values))

        change("title", "en", version=3)
        change("title", "fr", source_version=3)
        change("title", "km", source_version=2, is_ready=False)
        change("declaration", "km", source_version=None)
        session.execute(update(TextItem).values(removed_at=utc_now() - timedelta(days=1)))

    stage.write(work)
    owner.post(f"{AT}/libraries/copy", {"once": uuid4().hex})
    rows = stage.sql(
        "SELECT name, locale, version, source_version, is_ready FROM text_parts JOIN campaigns "
        "ON campaigns.id = text_parts.campaign_id WHERE slug = 'libraries-2' ORDER BY name, locale"
    )
    assert [(name, locale, number, source, bool(is_ready)) for name, locale, number, source, is_ready in rows] == [
        ("declaration", "en", 1, 1, True),
        ("declaration", "fr", 1, 1, True),
        ("declaration", "km", 1, None, True),
        ("title", "en", 1, 0, True),
        ("title", "fr", 1, 1, True),
        ("title", "km", 1, 0, False),
    ]
