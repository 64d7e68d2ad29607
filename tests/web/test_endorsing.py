"""Organisations sign: the form, the link that confirms, their own page, their pictures, and who disputes them."""

from __future__ import annotations

import asyncio
import io
import itertools
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
import typst
from PIL import Image
from sqlalchemy import select, update

from app.actions import endorsing as actions
from app.actions.endorsing import forms
from app.core.clock import utc_now
from app.documents import scans
from app.models import Campaign, Endorsement
from app.queries.complaints import list_complaints
from app.queries.endorsements import find_authority_letter, list_authority_letters
from app.web import uploads
from tests.editions import correct, look_again
from tests.stage import on_one_database, small_campaign
from tests.web.html import Page

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from sqlalchemy.orm import Session

    from tests.stage import Letter, Stage

_numbers = itertools.count(1)
FIELDS = (
    "organisation", "organisation_km", "organisation_en", "organisation_fr", "acronym", "kind", "country", "website",
    "representative", "role", "email",
)  # fmt: skip
HOSTILE = (
    '<script>alert(1)</script>"><img src=x onerror=alert(1)>',
    "{{7*7}}{% for x in ().__class__.__base__.__subclasses__() %}{{x}}{% endfor %}",
    '#panic() #read("/etc/passwd") $x$ \\ @label <label> #include "/etc/passwd"',
    "a\x00b\x07c\x1b[31md\r\nBcc: everybody@example.org\ufffe\udcff",
    "Org\u202egnp.exe\u2066\u200f",
    '=HYPERLINK("http://evil.example")',
    "\u1780" * 5_000,
    "a" * 10_000,
    "%s%n{0}${jndi:ldap://x}",
    "' OR 1=1; DROP TABLE endorsements; --",
    " ",
)


def letter(slug: str = "", **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - a document's
    document = small_campaign(slug or f"letter-{next(_numbers)}")
    del document["sponsor"]
    return {
        **document,
        "thresholds": [],
        "kind": "open_letter",
        "signatories": "organisations",
        "eligibility": {"organisation": True},
        **changes,
    }


def good(**fields: str | None) -> dict[str, str]:
    form = {
        "organisation": "Khmer Women of Ottawa",
        "organisation_km": "ស្ត្រីខ្មែរនៅអូតាវ៉ា",
        "acronym": "KWO",
        "kind": "community",
        "country": "CA",
        "website": "www.khmerwomen.example",
        "representative": "សុខ សុភា",
        "role": "President",
        "email": "sokha@khmerwomen.example",
        "authority": "yes",
        "consent": "yes",
        **fields,
    }
    return {name: value for name, value in form.items() if value is not None}


def endorse(stage: Stage, slug: str, *, locale: str = "en", **fields: Any) -> httpx.Response:  # noqa: ANN401 - form fields
    return stage.post(f"/{locale}/campaigns/{slug}/endorse", good(**{"edition": shown_text(stage, slug), **fields}))


def shown_text(stage: Stage, slug: str) -> str:
    """Return the hash that the form on the page names."""
    rows = stage.sql(
        "SELECT e.hash FROM editions e JOIN campaigns c ON c.id = e.campaign_id WHERE c.slug = :slug"
        " ORDER BY e.number DESC",
        slug=slug,
    )
    return str(rows[0][0]) if rows else ""


@on_one_database
def test_a_form_that_names_no_text_was_under_none(stage: Stage) -> None:
    slug = stage.campaign(letter())
    for nothing in ("", None):
        answer = endorse(stage, slug, edition=nothing)
        assert (answer.status_code, states(stage, slug)) == (422, [])
        assert Page(answer.text).fields["edition"] == [shown_text(stage, slug)]


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 100)) -> bytes:
    saved = io.BytesIO()
    Image.new("RGB", size, (20, 90, 70)).save(saved, kind)
    return saved.getvalue()


def upload(stage: Stage, path: str, content: bytes, *, field: str = "logo", **data: str) -> httpx.Response:
    return stage.run(stage.browser.post(path, files={field: ("x.svg", content, "image/svg+xml")}, data=data))


def letter_to(stage: Stage, email: str) -> Letter:
    return stage.letters_to(email)[-1]


def confirmed(stage: Stage, slug: str, **fields: Any) -> str:  # noqa: ANN401 - form fields
    """Send a form, confirm it, and return the token of the organisation's own page."""
    email = good(**fields)["email"]
    assert endorse(stage, slug, **fields).status_code == 303
    mail = letter_to(stage, email)
    link = f"/en/endorsement/confirm/{mail.token('endorsement/confirm')}"
    assert stage.post(link, {"sure": "yes"}).status_code == 303
    return own_token(mail)


def own_token(mail: Letter) -> str:
    found = [each for each in mail.text.split() if "/endorsement/" in each and "/confirm/" not in each]
    return found[0].rpartition("/")[2]


def accept(stage: Stage, slug: str) -> None:
    """Accept whoever waits, as the team does."""

    def find(session: Session) -> list[tuple[UUID, UUID]]:
        rows = session.execute(
            select(Endorsement.campaign_id, Endorsement.id)
            .join(Campaign, Campaign.id == Endorsement.campaign_id)
            .where(Campaign.slug == slug, Endorsement.state == "waiting")
        )
        return [(row.campaign_id, row.id) for row in rows]

    owner = stage.organiser("owner@example.org")
    for campaign_id, endorsement_id in stage.read(find):
        stage.write(
            actions.decide_endorsement,
            campaign_id=campaign_id,
            endorsement_id=endorsement_id,
            is_accepted=True,
            because="",
            account_id=owner.account_id,
            now=utc_now(),
        )
    look_again(stage, slug)


def change_campaign(session: Session, *, slug: str, values: dict[str, Any]) -> None:
    session.execute(update(Campaign).where(Campaign.slug == slug).values(**values))


def states(stage: Stage, slug: str) -> list[str]:
    rows = stage.sql(
        "SELECT e.state FROM endorsements e JOIN campaigns c ON c.id = e.campaign_id WHERE c.slug = :slug"
        " ORDER BY e.asked_at",
        slug=slug,
    )
    return [row[0] for row in rows]


def test_an_organisation_signs_and_stands_under_the_text(stage: Stage) -> None:
    slug = stage.campaign(letter())
    page = Page(stage.get(f"/en/campaigns/{slug}").text)
    hidden = {name: page.fields[name][0] for name in ("edition", "locale", "made")}
    answer = endorse(stage, slug, **hidden)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/en/campaigns/{slug}/endorse/check-email")
    assert "has not signed yet" in stage.get(answer.headers["location"]).text
    mail = letter_to(stage, "sokha@khmerwomen.example")
    link = f"/en/endorsement/confirm/{mail.token('endorsement/confirm')}"
    for _ in range(2):
        shown = stage.get(link)
        assert (shown.status_code, states(stage, slug)) == (200, ["asked"])
    assert "Khmer Women of Ottawa (KWO)" in Page(shown.text).words
    # A program that presses buttons ticks no box.
    unticked = stage.post(link, {})
    assert (unticked.status_code, states(stage, slug)) == (422, ["asked"])
    for _ in range(2):
        assert stage.post(link, {"sure": "yes"}).status_code == 303
    assert states(stage, slug) == ["waiting"]
    assert "The organisers have been told" in stage.get(link).text
    assert "Khmer Women" not in stage.get(f"/en/campaigns/{slug}").text
    accept(stage, slug)
    assert "Khmer Women of Ottawa (KWO)" in Page(stage.get(f"/en/campaigns/{slug}").text).words
    assert "ស្ត្រីខ្មែរនៅអូតាវ៉ា (KWO)" in Page(stage.get(f"/km/campaigns/{slug}").text).words
    listed = Page(stage.get(f"/en/campaigns/{slug}/organisations").text)
    assert "Proven by mail from the domain of its website" in listed.words
    own = Page(stage.get(f"/fr/endorsement/{own_token(mail)}").text)
    assert "sokha@khmerwomen.example" in own.words
    for public in (f"/en/campaigns/{slug}", f"/en/campaigns/{slug}/organisations"):
        assert "sokha@" not in stage.get(public).text
        assert "សុខ សុភា" not in stage.get(public).text


@on_one_database
def test_faults_are_said_beside_their_fields_and_everything_typed_is_kept(stage: Stage) -> None:
    slug = stage.campaign(letter())
    empty = stage.post(
        f"/en/campaigns/{slug}/endorse",
        {"organisation_en": "!!", "kind": "cult", "website": "ftp://x", "edition": shown_text(stage, slug)},
    )
    page = Page(empty.text)
    assert empty.status_code == 422
    expected = {
        "organisation", "organisation_en", "kind", "country", "website", "representative", "role", "email",
        "authority", "consent",
    }  # fmt: skip
    assert set(page.faults) == {f"org-{name}" for name in expected}
    assert {place for place, _ in page.summary} == set(page.faults)
    for place in page.faults:
        assert f'id="{place}"' in empty.text
    bad = endorse(stage, slug, locale="km", email="nobody", authority=None)
    kept = Page(bad.text)
    assert (bad.status_code, kept.lang) == (422, "km")
    for name, value in good(email="nobody", authority=None).items():
        assert kept.fields.get(name, [""])[0] == value or (name, "yes") in kept.ticked, name
    switched = endorse(stage, slug, locale="fr", switch="fr", email="nobody")
    again = Page(switched.text)
    assert (switched.status_code, again.lang, again.faults) == (200, "fr", {})
    assert again.fields["email"] == ["nobody"]
    assert ("authority", "yes") in again.ticked


@on_one_database
def test_only_open_texts_of_organisations_take_the_form(stage: Stage) -> None:
    individuals = {"signatories": "individuals", "eligibility": small_campaign()["eligibility"]}
    now = utc_now()
    later = {"state": "scheduled", "opens_at": now + timedelta(days=2)}
    cases: list[tuple[dict[str, Any], dict[str, Any], str]] = [
        (individuals, {}, "Individuals sign this text"),
        ({}, later, "opens on"),
        ({}, {"opens_at": now - timedelta(days=9), "closes_at": now - timedelta(days=2)}, "ended on"),
        ({}, {"state": "stopped"}, "stopped by those"),
    ]
    for changes, values, words in cases:
        slug = stage.campaign(letter(**changes))
        if values:
            stage.write(change_campaign, slug=slug, values=values)
            look_again(stage, slug)
        for answer in (endorse(stage, slug), stage.get(f"/en/campaigns/{slug}/endorse")):
            assert answer.status_code == 409
            assert words in Page(answer.text).words
        assert "/endorse" not in stage.get(f"/en/campaigns/{slug}").text
    assert endorse(stage, "nothing").status_code == 404
    assert stage.deliver() == []


@on_one_database
def test_both_kinds_of_signatories_have_their_own_form_on_one_page(stage: Stage) -> None:
    rule = {"any_of": [{"citizen_of": ["CA"]}, {"organisation": True}]}
    slug = stage.campaign(letter(signatories="both", eligibility=rule))
    text = stage.get(f"/en/campaigns/{slug}").text
    assert f'action="/en/campaigns/{slug}/sign"' in text
    assert f'action="/en/campaigns/{slug}/endorse"' in text
    ids = [each.partition('"')[0] for each in text.split(' id="')[1:]]
    assert len(ids) == len(set(ids))
    token = confirmed(stage, slug)
    assert f"/en/campaigns/{slug}#sign" in Page(stage.get(f"/en/endorsement/{token}").text).links
    assert stage.count(slug) == 0


@on_one_database
def test_a_text_that_changed_in_substance_is_read_again_before_it_is_signed(stage: Stage) -> None:
    slug = stage.campaign(letter())
    shown = Page(stage.get(f"/en/campaigns/{slug}").text).fields["edition"][0]
    token = confirmed(stage, slug)
    accept(stage, slug)
    correct(stage, slug, "something else", is_substantive=True)
    late = endorse(stage, slug, edition=shown, organisation="Another", email="x@another.example")
    assert late.status_code == 422
    assert "something else" in late.text
    assert Page(late.text).fields["edition"][0] != shown
    own = stage.get(f"/en/endorsement/{token}")
    assert "The text has changed in substance" in own.text
    stale = stage.post(f"/en/endorsement/{token}", {"action": "renew", "edition": shown})
    assert stale.status_code == 422
    current = Page(own.text).fields["edition"][0]
    assert stage.post(f"/en/endorsement/{token}", {"action": "renew", "edition": current}).status_code == 303
    assert "The text has changed in substance" not in stage.get(f"/en/endorsement/{token}").text


@on_one_database
def test_a_logo_is_drawn_anew_shown_by_its_content_and_removed(stage: Stage) -> None:
    slug = stage.campaign(letter())
    token = confirmed(stage, slug)
    own = f"/en/endorsement/{token}"
    without = upload(stage, f"{own}/logo", picture())
    assert (without.status_code, set(Page(without.text).faults)) == (422, {"logo_consent"})
    nothing = upload(stage, f"{own}/logo", b"", logo_consent="yes")
    assert (nothing.status_code, set(Page(nothing.text).faults)) == (422, {"logo"})
    kept = upload(stage, f"{own}/logo", picture("JPEG") + b"<script>", logo_consent="yes")
    assert (kept.status_code, kept.headers["location"]) == (303, f"{own}?done=logo")
    preview = stage.get(f"{own}/logo")
    assert preview.headers["cache-control"] == "no-store"
    sha256 = stage.sql("SELECT sha256 FROM logos")[0][0]
    address = f"/en/campaigns/{slug}/logos/{sha256}.png"
    assert stage.get(address).status_code == 404, "it was not accepted yet"
    accept(stage, slug)
    logo = stage.get(address)
    assert logo.content == preview.content
    assert logo.content.startswith(b"\x89PNG")
    assert b"script" not in logo.content
    assert logo.headers["content-type"] == "image/png"
    assert logo.headers["x-content-type-options"] == "nosniff"
    assert logo.headers["cache-control"] == "public, max-age=3600"
    assert address in stage.get(f"/en/campaigns/{slug}").text
    for wrong in (f"{'0' * 64}", "x", f"{sha256}0"):
        assert stage.get(f"/en/campaigns/{slug}/logos/{wrong}.png").status_code == 404
    assert stage.post(own, {"action": "remove_logo"}).status_code == 303
    assert stage.get(address).status_code == 404
    assert stage.get(f"{own}/logo").status_code == 404
    assert stage.get(f"{own}/authority").headers["location"] == own


@on_one_database
def test_pictures_that_are_none_are_refused_in_words(stage: Stage) -> None:
    slug = stage.campaign(letter())
    token = confirmed(stage, slug, email="sokha@gmail.com")
    own = f"/km/endorsement/{token}"
    refused = (b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"MZ", picture()[:60], bytes(1_000_000))
    for content in refused:
        for path, field in ((f"{own}/logo", "logo"), (f"{own}/authority", "letter")):
            answer = upload(stage, path, content, field=field, logo_consent="yes")
            assert answer.status_code == 422
            page = Page(answer.text)
            assert (page.lang, set(page.faults)) == ("km", {field})
    began = time.monotonic()
    large = upload(stage, f"{own}/logo", bytes(50 * 1024 * 1024), logo_consent="yes")
    assert (large.status_code, Page(large.text).lang) == (413, "km")
    assert time.monotonic() - began < 5
    assert stage.sql("SELECT count(*) FROM logos") == [(0,)]


@on_one_database
def test_pictures_beyond_those_of_a_day_are_not_read(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    slug = stage.campaign(letter())
    own = f"/fr/endorsement/{confirmed(stage, slug, email='sokha@gmail.com')}"
    monkeypatch.setattr(uploads.DailyUploads, "is_spent", lambda *_: True)
    for path, field in (("logo", "logo"), ("authority", "letter")):
        # Whatever the body is: nobody looks at it.
        answer = stage.run(stage.browser.post(f"{own}/{path}", content=b"rubbish"))
        assert (answer.status_code, list(Page(answer.text).faults)) == (429, [field])


@on_one_database
def test_organisations_are_on_pages_of_their_own(stage: Stage) -> None:
    slug = stage.campaign(letter(endorsements=[{"name": f"Society {at:03}"} for at in range(201)]))
    here = f"/en/campaigns/{slug}/organisations"
    campaign = Page(stage.get(f"/en/campaigns/{slug}").text)
    assert ("Society 199" in campaign.words, "Society 200" in campaign.words) == (True, False)
    assert "And 1 more organisation." in campaign.words
    assert here in campaign.links
    first, second = Page(stage.get(here).text), Page(stage.get(f"{here}/200").text)
    assert ("Society 199" in first.words, "Society 200" in first.words) == (True, False)
    assert ("Society 199" in second.words, "Society 200" in second.words) == (False, True)
    assert f"{here}/200" in first.links
    assert here in second.links
    for start in ("0", "1", "100", "400", "00200", "20000000", "x"):
        assert stage.get(f"{here}/{start}").status_code == 404


@on_one_database
def test_a_letter_of_authority_is_kept_sealed_and_drawn_anew(stage: Stage) -> None:
    slug = stage.campaign(letter())
    token = confirmed(stage, slug, email="sokha@gmail.com")
    own = f"/en/endorsement/{token}"
    assert "It is not proven yet" in stage.get(own).text
    sent = upload(stage, f"{own}/authority", picture(size=(800, 1000)), field="letter")
    assert sent.headers["location"] == f"{own}?done=authority"
    assert "A moderator reads your letter" in stage.get(own).text
    ((content, media_type),) = stage.sql("SELECT content, media_type FROM authority_letters")
    assert media_type == "image/jpeg"
    assert b"JFIF" not in content
    empty = upload(stage, f"{own}/authority", b"", field="letter")
    assert empty.status_code == 422


@on_one_database
def test_who_speaks_for_an_organisation_changes_when_the_other_one_agrees(stage: Stage) -> None:
    slug = stage.campaign(letter())
    token = confirmed(stage, slug)
    own = f"/en/endorsement/{token}"
    bad = stage.post(own, {"action": "hand_over", "representative": "12", "role": "", "email": "nobody"})
    assert (bad.status_code, set(Page(bad.text).faults)) == (422, {"representative", "role", "email"})
    assert Page(bad.text).fields["email"] == ["nobody"]
    form = {"action": "hand_over", "representative": "Dara Chan", "role": "Director", "email": "dara@other.example"}
    assert stage.post(own, form).status_code == 303
    assert "Dara Chan" in stage.get(own).text
    mail = letter_to(stage, "dara@other.example")
    link = f"/en/endorsement/confirm/{mail.token('endorsement/confirm')}"
    assert "You were named to speak" in stage.get(link).text
    assert stage.post(link, {"sure": "yes"}).status_code == 303
    assert "You speak for the organisation now" in stage.get(link).text
    assert stage.get(own).status_code == 404
    mine = own_token(letter_to(stage, "dara@other.example"))
    assert "Dara Chan" in stage.get(f"/en/endorsement/{mine}").text


@on_one_database
def test_withdrawing_asks_once_more_and_takes_the_name_away(stage: Stage) -> None:
    slug = stage.campaign(letter())
    token = confirmed(stage, slug)
    accept(stage, slug)
    own = f"/en/endorsement/{token}"
    asked = stage.post(own, {"action": "withdraw"})
    assert (asked.status_code, states(stage, slug)) == (200, ["accepted"])
    assert "Withdraw the organisation?" in asked.text
    for _ in range(2):
        assert stage.post(own, {"action": "withdraw", "sure": "yes"}).status_code == 303
    look_again(stage, slug)
    assert "Khmer Women" not in stage.get(f"/en/campaigns/{slug}").text
    gone = Page(stage.get(own).text)
    assert "Withdrawn" in gone.words
    assert "sokha@" not in gone.words
    for form in ({"action": "renew"}, {"action": "hand_over", **good()}):
        assert stage.post(own, form).status_code == 409
    assert upload(stage, f"{own}/logo", picture(), logo_consent="yes").status_code == 409
    assert upload(stage, f"{own}/authority", picture(), field="letter").status_code == 409
    assert stage.post(own, {"action": "dance"}).status_code == 400


@on_one_database
def test_links_that_are_not_ours_are_all_the_same(stage: Stage) -> None:
    slug = stage.campaign(letter())
    assert endorse(stage, slug).status_code == 303
    mail = letter_to(stage, "sokha@khmerwomen.example")
    confirm, own = mail.token("endorsement/confirm"), own_token(mail)
    changed = confirm[:-2] + ("AA" if confirm[-2:] != "AA" else "BB")
    wrong = [f"/en/endorsement/confirm/{each}" for each in (own, changed, "x", "a" * 43)]
    wrong += [f"/en/endorsement/{each}" for each in (confirm, changed, "x", "a" * 43)]
    pages = {stage.get(path).text.replace(path[3:], "") for path in wrong}
    assert len(pages) == 1
    for path in wrong:
        assert stage.get(path).status_code == 404
        assert stage.post(path, {"sure": "yes", "action": "withdraw"}).status_code == 404
    for path in (f"/en/endorsement/{'a' * 43}/logo", f"/en/endorsement/{'a' * 43}/authority"):
        assert upload(stage, path, picture()).status_code == 404
    assert states(stage, slug) == ["asked"]


@on_one_database
def test_the_same_answer_whether_or_not_an_organisation_is_known(stage: Stage) -> None:
    slug = stage.campaign(letter())
    confirmed(stage, slug)
    known, new = endorse(stage, slug), endorse(stage, slug, email="new@khmerwomen.example")
    assert (known.status_code, known.text, dict(known.headers)) == (new.status_code, new.text, dict(new.headers))


@on_one_database
def test_beyond_the_caps_of_a_day_nothing_is_kept_and_the_answer_is_the_same(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = stage.campaign(letter())
    monkeypatch.setattr(forms, "FORMS_FROM_AN_ADDRESS", 2)
    monkeypatch.setattr(forms, "FORMS_FOR_A_CAMPAIGN", 4)

    def send(number: int, address: str) -> tuple[int, str]:
        transport = httpx.ASGITransport(stage.app, client=(address, 40_000))
        browser = httpx.AsyncClient(transport=transport, base_url=stage.settings.base_url)
        answer = stage.post(
            f"/en/campaigns/{slug}/endorse",
            good(email=f"person-{number}@khmerwomen.example", edition=shown_text(stage, slug)),
            browser=browser,
        )
        return answer.status_code, answer.headers["location"]

    answers = {send(number, "203.0.113.9") for number in range(4)}
    assert states(stage, slug) == ["asked", "asked"]
    answers |= {send(number, f"192.0.2.{number}") for number in range(4, 9)}
    assert states(stage, slug) == ["asked"] * 4
    assert len(answers) == 1
    assert len(stage.deliver()) == 4


@pytest.mark.parametrize("payload", HOSTILE, ids=range(len(HOSTILE)))
def test_code_and_controls_in_a_field_are_refused_or_plain_text(site: Stage, payload: str) -> None:
    slug = site.campaign(letter())
    for field in FIELDS:
        body = httpx.QueryParams({**good(edition=shown_text(site, slug)), field: payload.replace("\udcff", "")})
        answer = site.post(f"/en/campaigns/{slug}/endorse", str(body).encode())
        assert answer.status_code in {303, 422}, field
        for live in ("<script>alert", "<img src=x", ">49<", "root:x:", "uid="):
            assert live not in answer.text, field
        if answer.status_code == 422:
            assert f"org-{field}" in Page(answer.text).faults
    everything = dict.fromkeys([*FIELDS, "edition", "via", "made"], payload.replace("\udcff", ""))
    everywhere = site.post(f"/en/campaigns/{slug}/endorse", str(httpx.QueryParams(everything)).encode())
    assert everywhere.status_code in {413, 422}
    position = quote(payload[:20].replace("\udcff", ""), safe="")
    assert site.get(f"/en/campaigns/{slug}/organisations/{position}/dispute").status_code == 404


def test_a_hostile_name_is_literal_wherever_it_is_shown(site: Stage) -> None:
    slug = site.campaign(letter())
    name = '<script>alert(1)</script> {{7*7}} #panic() $x$ @a <b> "x" \u202eabc'
    # A mailbox of its own: the others' letters of this second are in the same order by chance alone.
    fields = {"organisation": name, "organisation_fr": name, "acronym": "<i>{{7*7}}</i>", "role": "<u>#x"}
    token = confirmed(site, slug, email="hostile@khmerwomen.example", **fields)
    accept(site, slug)
    pages = [f"/{locale}/campaigns/{slug}{page}" for locale in ("km", "en", "fr") for page in ("", "/organisations")]
    pages += [f"/en/campaigns/{slug}/organisations/0/dispute", f"/fr/endorsement/{token}"]
    for path in pages:
        answer = site.get(path)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
        assert "{{7*7}}" in Page(answer.text).words, path
        assert "\u202e" not in answer.text


@on_one_database
def test_who_disputes_a_signature_is_heard_in_private(stage: Stage) -> None:
    slug = stage.campaign(letter())
    confirmed(stage, slug)
    accept(stage, slug)
    path = f"/en/campaigns/{slug}/organisations/0/dispute"
    assert path in Page(stage.get(f"/en/campaigns/{slug}/organisations").text).links
    bad = stage.post(path, {"words": " ", "email": "nobody"})
    assert (bad.status_code, set(Page(bad.text).faults)) == (422, {"words", "email"})
    switched = stage.post(path.replace("/en/", "/fr/"), {"words": "<script>x", "switch": "fr"})
    assert (switched.status_code, "&lt;script&gt;x" in switched.text) == (200, True)
    once = Page(stage.get(path).text).fields["once"][0]
    form = {"words": "Our board never met.", "email": "board@khmerwomen.example", "once": once}
    for _ in range(2):
        assert stage.post(path, form).headers["location"] == f"{path}?sent"
    assert "A moderator reads it" in stage.get(f"{path}?sent").text
    (listed,) = stage.read(list_complaints, page=1).listed
    assert listed.reason == "not_authorised"
    assert stage.sql("SELECT count(*) FROM complaints WHERE endorsement_id IS NOT NULL") == [(1,)]
    for position in ("1", "-1", "00", "x", "1" * 9):
        assert stage.get(f"/en/campaigns/{slug}/organisations/{position}/dispute").status_code == 404
    empty = stage.campaign(letter())
    assert stage.get(f"/en/campaigns/{empty}/organisations").status_code == 404


def letter_as_pdf(pages: int) -> bytes:
    source = (
        "#set page(width: 620pt, height: 877pt)\n= Sok Sophea may sign\n#lorem(300)\n"
        + "#pagebreak()\n#lorem(5)\n" * (pages - 1)
    )
    made = typst.compile(source.encode(), format="pdf")
    assert isinstance(made, bytes)
    return made


@on_one_database
def test_a_letter_of_authority_may_be_a_pdf_and_a_moderator_sees_its_pages(stage: Stage) -> None:
    slug = stage.campaign(letter())
    own = f"/en/endorsement/{confirmed(stage, slug, email='sokha@gmail.com')}"
    shown = stage.get(own).text
    assert 'id="letter" name="letter" accept="application/pdf,image/png,' in shown
    assert 'id="logo" name="logo" accept="image/png,' in shown
    assert "Of a PDF we read the first 4 pages" in Page(shown).words
    sent = upload(stage, f"{own}/authority", letter_as_pdf(6), field="letter")
    assert (sent.status_code, sent.headers["location"]) == (303, f"{own}?done=authority")
    (waiting,) = stage.read(list_authority_letters, account_id=uuid4())
    read = stage.read(find_authority_letter, letter_id=waiting.id, keyring=stage.keyring)
    assert read is not None
    assert read.content is not None
    assert read.letter.media_type == "image/jpeg"
    drawn = Image.open(io.BytesIO(read.content)).convert("L")
    assert drawn.size == (1240, 4 * 1754 + 3 * 4)
    dark = [sum(drawn.crop((0, top, 1240, top + 1750)).histogram()[:128]) for top in range(0, 4 * 1758, 1758)]
    # The first has a heading and three hundred words, and each of the others five.
    assert all(100 < each < dark[0] / 20 for each in dark[1:]), dark
    assert "A moderator reads your letter" in stage.get(own).text
    logo = upload(stage, f"{own}/logo", letter_as_pdf(1), logo_consent="yes")
    assert "This is a PDF" in Page(logo.text).faults["logo"]


@on_one_database
def test_a_pdf_that_cannot_be_drawn_is_refused_in_words_and_holds_nobody_up(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    slug = stage.campaign(letter())
    token = confirmed(stage, slug, email="sokha@gmail.com")
    whole = letter_as_pdf(1)
    for locale in ("km", "en", "fr"):
        own = f"/{locale}/endorsement/{token}"
        for content in (whole[:200], b"rubbish", b""):
            answer = upload(stage, f"{own}/authority", content, field="letter")
            page = Page(answer.text)
            assert (answer.status_code, page.lang, set(page.faults)) == (422, locale, {"letter"})
    hanging = tmp_path / "hanging.py"
    hanging.write_text("import time; time.sleep(600)")
    ended: list[str] = []

    async def send() -> httpx.Response:
        answer = await stage.browser.post(f"{own}/authority", files={"letter": ("x.pdf", whole, "application/pdf")})
        ended.append("drawing")
        return answer

    async def look() -> None:
        for _ in range(3):
            assert (await stage.browser.get(own)).status_code == 200
        ended.append("looking")

    async def both() -> httpx.Response:
        answer, _ = await asyncio.gather(send(), look())
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(scans, "PROGRAM", hanging)
        patched.setattr(scans, "SECONDS", 1.5)
        answer = stage.run(both())
    assert (answer.status_code, set(Page(answer.text).faults)) == (422, {"letter"})
    assert ended == ["looking", "drawing"]
    assert stage.sql("SELECT count(*) FROM authority_letters") == [(0,)]
    assert upload(stage, f"{own}/authority", whole, field="letter").status_code == 303
