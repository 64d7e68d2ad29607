"""A letter under embargo: nothing of it on any address before its second, everything right after it; the private link.

Every route of the application is gone through, whatever is there: one that is added is tested by being there.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
import time_machine
from fastapi.routing import APIRoute
from sqlalchemy import insert, select, update
from starlette.routing import Route

from app.actions.campaigns import CampaignCannotMove
from app.actions.endorsing import TextMoved, decide_endorsement, forms
from app.actions.life import call_off_campaign, move_by_dates
from app.core.clock import utc_now
from app.jobs.sequence_log import sequence_log
from app.jobs.take_snapshots import take_snapshots
from app.models import Endorsement, Logo
from app.rules.switches import Switches
from app.web import cache, house
from app.web.public import previewing
from tests.actions.embargoes import organisation, private_link, publish_one, under_embargo, who_of
from tests.actions.lives import DAY, NOON, SECOND, put, row
from tests.documents.reading import read_pages, read_text, squeeze
from tests.stage import good_form, on_one_database
from tests.web.html import Page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    import httpx
    from sqlalchemy.orm import Session

    from tests.stage import Organiser, Stage

pytestmark = on_one_database
SLUG: Final = "unseen-letter"
UNPROCESSABLE: Final = 422
#: No campaign has this name, of the same length.
NOBODYS: Final = "nobodys-lette"
UNTIL: Final = NOON + DAY
TITLES: Final = {"en": "Zanzibar verandah", "fr": "Véranda de Zanzibar", "km": "លិខិតសម្ងាត់ហ្សង់ស៊ីបារ"}
#: Words that stand nowhere but in this letter.
SECRETS: Final = (SLUG, *TITLES.values(), "Secret words", "Khmer Krom Society", "KKSO")
LOCALES: Final = ("km", "en", "fr")
PICTURE: Final = b"\x89PNG picture"
HASH: Final = "ab" * 32
#: What stands for a place in an address, one after the other.
PLACES: Final = {
    "tree": ("signed", "removed"),
    "sha256": (HASH,),
    "path": ("0/000", "0/000.p/1", "entries/000.p/1"),
    "position": ("0", "1"),
    "size": ("pdf", "letter"),
    "file": ("manifest",),
}


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Stop the clock at a noon in Ottawa."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def letter(stage: Stage, clock: time_machine.Traveller) -> str:
    """Put a letter under embargo that two organisations have signed, one of them with a picture, one disputed."""
    texts = {
        locale: {"title": title, "requests": [], "body": f"Secret words {locale}"} for locale, title in TITLES.items()
    }
    stage.campaign(slug="seen-letter")
    under_embargo(stage, UNTIL, SLUG, texts)
    link = private_link(stage, SLUG)
    first = sign(stage, link)
    sign(stage, link, organisation="Second Society", email="second@second.org", website="https://second.org")
    values = {"content": PICTURE, "sha256": HASH, "width": 1, "height": 1, "consented_at": NOON}
    stage.write(lambda session: session.execute(insert(Logo), {"endorsement_id": first, **values}))
    stage.write(lambda session: session.execute(update(Endorsement).filter_by(position=1).values(disputed_at=NOON)))
    return SLUG


def filled(stage: Stage, link: str, **changes: str) -> dict[str, str]:
    """Return the form as the private page gives it, filled in."""
    return organisation(**{"edition": Page(stage.get(link).text).fields["edition"][0], **changes})


def sign(stage: Stage, link: str, **changes: str) -> UUID:
    """Let an organisation sign through the private link, confirm, and be accepted; return its endorsement."""
    form = filled(stage, link, **changes)
    assert stage.post(link, form).status_code == 303
    confirm = f"/en/endorsement/confirm/{stage.letters_to(form['email'])[-1].token('endorsement/confirm')}"
    assert stage.post(confirm, {"sure": "yes"}).status_code == 303
    waiting = select(Endorsement.id).where(Endorsement.state == "waiting")
    found = stage.read(lambda session: session.scalars(waiting).one())
    values: dict[str, Any] = {"endorsement_id": found, "is_accepted": True, "because": "", **who_of(stage, SLUG)}
    stage.write(decide_endorsement, **values)
    return found


def routes(stage: Stage) -> list[Any]:
    """Return every route of the application, inside what stands before it."""
    app: Any = stage.app
    while not hasattr(app, "routes"):
        app = app.app
    assert all(isinstance(route, Route | APIRoute) for route in app.routes)
    return list(app.routes)


def addresses(stage: Stage, slug: str) -> Iterator[tuple[str, str]]:
    """Yield method and address of everything that names a campaign, with plausible things in its other places."""
    for route in routes(stage):
        if "{slug}" not in route.path:
            continue
        for path in fill(route.path.replace("{slug}", slug)):
            for method in sorted(route.methods):
                yield method, path


def fill(path: str) -> list[str]:
    """Return an address with each of the plausible things in its places, in every language."""
    match = re.search(r"\{(\w+)(?::\w+)?\}", path)
    if match is None:
        return [path]
    values = LOCALES if match[1] == "locale" else PLACES.get(match[1], ("1",))
    return [each for value in values for each in fill(path[: match.start()] + value + path[match.end() :])]


def ask(stage: Stage, method: str, path: str, browser: httpx.AsyncClient | None = None) -> httpx.Response:
    """Send a request; a post is a form that signs, endorses, asks and reports at once."""
    if method == "POST":
        form = {**good_form(), **organisation(), "text": "A question", "reason": "other", "once": "0" * 32, "q": "x"}
        return stage.post(path, form, browser=browser)
    return stage.run((browser or stage.browser).request(method, path))


def shown(answer: httpx.Response, slug: str) -> tuple[int, list[tuple[str, str]], str]:
    """Return what an answer says, but for the name that was asked for and what is of the request alone."""
    own = {"x-request-id", "date"}
    headers = [(name, value.replace(slug, "…")) for name, value in answer.headers.multi_items() if name not in own]
    body = answer.text.replace(slug, "…")
    return answer.status_code, headers, body.replace(answer.headers.get("x-request-id", "no id"), "…")


def outsiders(stage: Stage) -> list[httpx.AsyncClient]:
    """Return browsers of nobody, and of somebody of another campaign's team."""
    other = stage.organiser("other@example.org")
    stage.join("seen-letter", other)
    return [stage.browser, other.browser]


@pytest.mark.parametrize("outsider", [0, 1], ids=["nobody", "of another team"])
def test_every_address_answers_as_for_a_name_that_nobody_has(stage: Stage, letter: str, outsider: int) -> None:
    for job in (sequence_log, take_snapshots):
        stage.run(job(stage.background))
    assert len(SLUG) == len(NOBODYS)
    pairs = list(zip(addresses(stage, letter), addresses(stage, NOBODYS), strict=True))
    browser = outsiders(stage)[outsider]
    for (method, path), (_, other) in pairs:
        secret, nothing = ask(stage, method, path, browser), ask(stage, method, other, browser)
        assert shown(secret, letter) == shown(nothing, NOBODYS), (method, path)
        assert not leaks(secret, but=SLUG), (method, path)
    assert len(pairs) > 250


def leaks(answer: httpx.Response, *, but: str = "") -> list[str]:
    """Return the secrets that an answer holds."""
    return [each for each in SECRETS if each != but and each in answer.text]


LISTS: Final = (
    *(f"/{locale}/{path}" for locale in LOCALES for path in ("", "feed.xml", "counting", "refusals", "about")),
    *(f"/{locale}/?q={word}" for locale in LOCALES for word in ("Zanzibar", SLUG, "ហ្សង់ស៊ីបារ", "Secret", "KKSO")),
    "/api/v1/campaigns", "/api/v1/campaigns?limit=1", "/api/v1/campaigns?limit=100", "/api/v1/openapi.json",
    "/sitemap.xml", "/robots.txt", "/metrics", "/readyz",
)  # fmt: skip


def test_no_list_names_it_and_no_cursor_counts_it(stage: Stage, letter: str) -> None:
    paths = {
        route.path.replace("{locale}", locale)
        for route in routes(stage)
        for locale in LOCALES
        # Of those who run the site on their own machine, all letters are shown there.
        if "GET" in route.methods and "{" not in route.path.replace("{locale}", "") and route.path != "/dev/mailbox"
    }
    for path in (*LISTS, *sorted(paths)):
        assert not leaks(stage.get(path), but=path.partition("?q=")[2]), path
    (first,) = stage.get("/api/v1/campaigns?limit=1").json()["campaigns"]
    assert first["slug"] == "seen-letter"
    assert stage.get("/api/v1/campaigns?limit=1").json()["next"] is None


def test_right_after_its_second_it_is_everywhere_in_all_languages(
    stage: Stage, letter: str, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = [f"/{locale}/campaigns/{letter}" for locale in LOCALES]
    lists = [path for locale in LOCALES for path in (f"/{locale}/", f"/{locale}/feed.xml")]
    api = [f"/api/v1/campaigns/{letter}", f"/api/v1/campaigns/{letter}/count"]
    clock.move_to(UNTIL - SECOND / 1000)
    stage.write(move_by_dates, now=utc_now())
    for path in (*pages, *api, f"/c/{letter}"):
        assert stage.get(path).status_code == 404
    clock.move_to(UNTIL)
    stage.write(move_by_dates, now=utc_now())
    # Nothing that was asked for a moment before is in the way: what is not there is kept nowhere.
    for path in (*pages, *api):
        assert stage.get(path).status_code == 200, path
    assert stage.get(f"/c/{letter}").status_code == 303
    for locale, title in TITLES.items():
        text = Page(stage.get(f"/{locale}/campaigns/{letter}").text).words
        assert title.replace("\u200b", "") in text.replace("\u200b", "")
        assert "Khmer Krom Society of Ottawa" in text
    # Lists are kept for a second, as always.
    monkeypatch.setattr(cache, "SECONDS", 0.0)
    monkeypatch.setattr(house, "SHELF_SECONDS", 0.0)
    for path in (*lists, "/sitemap.xml", "/api/v1/campaigns"):
        assert letter in stage.get(path).text, path
    assert stage.get(f"/en/campaigns/{letter}/logos/{HASH}.png").content == PICTURE


def test_the_private_page_shows_the_letter_and_is_kept_nowhere(stage: Stage, letter: str) -> None:
    link = private_link(stage, letter)
    for locale, title in TITLES.items():
        answer = stage.get(link.replace("/en/", f"/{locale}/"))
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert "noindex" in answer.headers["x-robots-tag"]
        page = Page(answer.text)
        assert title in page.words.replace("\u200b", "")
        assert f"Secret words {locale}" in page.words
        assert "Khmer Krom Society of Ottawa" in page.words
        assert f"/campaigns/{letter}" not in answer.text  # those lead nowhere yet
        assert '<meta name="robots" content="noindex">' in answer.text
    assert stage.get(link).text != stage.get(link + "?asked").text
    unknown = stage.get(link[:-1] + ("A" if link[-1] != "A" else "B"))
    assert unknown.status_code == stage.get("/en/preview/short").status_code == 404
    private_link(stage, letter)
    assert stage.get(link).status_code == 404


def test_the_private_pdf_says_until_when_nobody_shows_it_and_is_kept_nowhere(
    stage: Stage, letter: str, clock: time_machine.Traveller
) -> None:
    link = private_link(stage, letter)
    until = {"km": "ហាមផ្សាយមុន", "en": "Under embargo until", "fr": "Sous embargo jusqu’au"}
    for locale in TITLES:
        own = link.replace("/en/", f"/{locale}/")
        assert f"{own}/letter.pdf" in Page(stage.get(own).text).links
        answer = stage.get(f"{own}/letter.pdf")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
        assert answer.headers["cache-control"] == "no-store"
        assert "noindex" in answer.headers["x-robots-tag"]
        for page in read_pages(answer.content):
            assert squeeze(until[locale]) in squeeze(page)
        for words in (f"Secret words {locale}", "Khmer Krom Society of Ottawa", "Second Society"):
            assert squeeze(words) in read_text(answer.content)
    assert stage.sql("SELECT count(*) FROM kept_documents") == [(0,)]
    assert stage.get(f"{link[:-1]}{'A' if link[-1] != 'A' else 'B'}/letter.pdf").status_code == 404
    clock.move_to(UNTIL)
    stage.write(move_by_dates, now=utc_now())
    answer = stage.get(f"{link}/letter.pdf")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/en/campaigns/{letter}/letter.pdf")
    assert squeeze("Under embargo") not in read_text(stage.get(answer.headers["location"]).content)


def test_letters_during_the_embargo_go_to_those_who_know_and_lead_to_no_public_page(stage: Stage, letter: str) -> None:
    known = {"president@example.org", "second@second.org", "organiser@example.org", "moderator@example.org"}
    letters = stage.deliver()
    assert {each.mail["To"] for each in letters} <= known
    for each in letters:
        assert not [word for word in SECRETS if word in each.mail["Subject"]]
        assert not re.search(rf"/(en|fr|km)/campaigns/{letter}|/c/{letter}", each.text + each.html)


@pytest.mark.parametrize(
    "typed",
    ["<script>alert(1)</script> Club", "{{7*7}} Club", "#panic() Club", "\u202eClub", "A\x01B Club", "x" * 10_000],
)
def test_whatever_is_typed_is_text_or_refused(stage: Stage, letter: str, typed: str) -> None:
    link = private_link(stage, letter)
    answer = stage.post(link, filled(stage, link, organisation=typed, consent=""))
    assert answer.status_code in {303, 422}
    assert "<script>alert" not in answer.text
    assert "49 Club" not in answer.text


def test_a_form_with_faults_comes_back_with_all_that_was_typed(stage: Stage, letter: str) -> None:
    link = private_link(stage, letter)
    bad = {name: value for name, value in organisation(email="nowhere").items() if name != "authority"}
    answer = stage.post(link, bad)
    assert answer.status_code == 422
    assert answer.headers["cache-control"] == "no-store"
    assert "Khmer Krom Society of Ottawa" in answer.text
    assert 'value="nowhere"' in answer.text
    french = stage.post(link.replace("/en/", "/fr/"), {**bad, "switch": "fr"})
    assert french.status_code == 200
    assert 'value="nowhere"' in french.text
    for edition in ("0" * 64, ""):  # a form that names no text was under none
        moved = stage.post(link, organisation(edition=edition))
        assert moved.status_code == 422
        assert "The text has changed" in moved.text


def test_as_many_forms_come_by_the_private_link_as_a_day_takes(
    stage: Stage, letter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = private_link(stage, letter)
    monkeypatch.setattr(forms, "FORMS_FOR_A_CAMPAIGN", 1)
    for number in range(3):
        assert stage.post(link, filled(stage, link, email=f"x{number}@x.org")).status_code == 303
    assert stage.sql("SELECT count(*) FROM endorsements WHERE state = 'asked'") == [(1,)]
    monkeypatch.undo()
    monkeypatch.setattr(forms, "FORMS_FROM_AN_ADDRESS", 1)
    monkeypatch.setattr(forms, "is_private", lambda _address: False)
    for number in range(3, 6):
        assert stage.post(link, filled(stage, link, email=f"x{number}@x.org")).status_code == 303
    assert stage.sql("SELECT count(*) FROM endorsements WHERE state = 'asked'")[0][0] <= 2


def test_a_form_that_was_open_at_the_second_is_taken_after_it(
    stage: Stage, letter: str, clock: time_machine.Traveller
) -> None:
    link = private_link(stage, letter)
    late = filled(stage, link, organisation="Late Society", email="late@late.org")
    clock.move_to(UNTIL)
    stage.write(move_by_dates, now=utc_now())
    assert stage.post(link, late).headers["location"].endswith("?asked")
    assert stage.get(link).headers["location"] == f"/en/campaigns/{letter}"
    assert len(stage.letters_to("late@late.org")) == 1
    put(stage, letter, closes_at=UNTIL + SECOND)
    clock.move_to(UNTIL + DAY)
    assert stage.post(link, late).headers["location"] == f"/en/campaigns/{letter}"


def test_a_letter_that_is_called_off_is_gone_from_its_private_link(stage: Stage, letter: str) -> None:
    link = private_link(stage, letter)
    page = Page(stage.get(link).text)
    stage.write(call_off_campaign, **who_of(stage, letter))
    assert stage.get(link).status_code == stage.get(f"{link}/letter.pdf").status_code == 404
    assert stage.post(link, organisation(edition=page.fields["edition"][0])).status_code == 404
    assert stage.get(f"/en/campaigns/{letter}").status_code == 404


@pytest.mark.parametrize(("fact", "status"), [(CampaignCannotMove("closed"), 303), (TextMoved(), 422)])
def test_what_moves_while_a_form_is_on_its_way_is_said(
    stage: Stage, letter: str, monkeypatch: pytest.MonkeyPatch, fact: Exception, status: int
) -> None:
    def refuse(_session: Session, **_values: object) -> None:
        raise fact

    monkeypatch.setattr(previewing, "request_in_private", refuse)
    link = private_link(stage, letter)
    answer = stage.post(link, filled(stage, link))
    assert answer.status_code == status
    assert ("The text has changed" in answer.text) is (status == UNPROCESSABLE)


def test_nobody_signs_while_signing_pauses(stage: Stage, letter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    link = private_link(stage, letter)
    monkeypatch.setattr(Switches, "is_signing_paused", lambda *_: True)
    answer = stage.post(link, organisation())
    assert answer.status_code == 409
    assert "<form" not in answer.text.partition("<main")[2]


# The workspace


def owner_of(stage: Stage, slug: str) -> Organiser:
    owner = stage.organiser()
    stage.join(slug, owner)
    return owner


def test_the_team_sees_every_page_of_its_letter(stage: Stage, letter: str) -> None:
    owner = owner_of(stage, letter)
    operator = stage.organiser("operator@example.org", role="operator")
    for door, somebody in (("workspace", owner), ("moderation", operator)):
        for route in routes(stage):
            if route.path.startswith(f"/{{locale}}/{door}") and "GET" in route.methods and "{slug}" in route.path:
                path = route.path.replace("{slug}", letter).replace("{locale}", "en")
                if "{" not in path:
                    assert somebody.get(path).status_code in {200, 303, 404, 409}, path
    for tab in ("", "/steps", "/embargo", "/settings", "/text", "/check", "/editions", "/team", "/supporters"):
        assert owner.get(f"/en/workspace/campaigns/{letter}{tab}").status_code == 200, tab
    steps = owner.get(f"/en/workspace/campaigns/{letter}/steps").text
    assert 'value="release"' in steps
    assert 'value="call_off"' in steps


def test_an_owner_moves_the_moment_and_makes_the_link_on_one_page(stage: Stage, letter: str) -> None:
    owner, at = owner_of(stage, letter), f"/en/workspace/campaigns/{letter}/embargo"
    fields = Page(owner.get(at).text).fields
    assert (fields["day"], fields["time"]) == (["2026-03-03"], ["12:00"])
    saved = {"action": "save", "shown": fields["shown"][0]}
    for day, time in (
        ("", ""),
        ("2026-02-31", "12:00"),
        ("2026-03-04", "25:00"),
        ("2026-03-01", "12:00"),
        ("x", "<b>"),
    ):
        answer = owner.post(at, {**saved, "day": day, "time": time})
        assert answer.status_code == 422, (day, time)
        assert "<b>" not in answer.text.partition("<form")[2].partition('name="time"')[2][:60]
    # The clocks of Toronto jump from two to three in the night of 8 March.
    assert owner.post(at, {**saved, "day": "2026-03-08", "time": "02:30"}).status_code == 422
    moved = owner.post(at, {**saved, "day": "២០២៦-០៣-០៥", "time": "០៩:៣០"})
    assert moved.headers["location"] == f"{at}?done=moved"
    assert row(stage, letter).embargo_until == NOON + 3 * DAY - timedelta(hours=2, minutes=30)
    assert owner.post(at, {**saved, "day": "2026-03-06", "time": "09:30"}).status_code == 409
    assert owner.post(at, {"action": "save", "shown": "x"}).status_code == 422
    assert owner.post(at, {**saved, "shown": "x", "day": "2026-03-06", "time": "9:30"}).status_code == 400
    assert owner.post(at, {"action": "take_away", "shown": ""}).status_code == 400
    assert owner.post(at, {"action": "renew", "link": "no"}).status_code == 400
    link = Page(owner.get(at).text).fields["link"][0]
    assert "sure" in owner.post(at, {"action": "renew", "link": link}).text
    renewed = owner.post(at, {"action": "renew", "link": link, "sure": "yes"})
    assert renewed.headers["location"] == f"{at}?done=renewed"
    stale = owner.post(at, {"action": "renew", "link": link, "sure": "yes"})
    assert stale.headers["location"] == f"{at}?done=stale"
    editor = stage.organiser("editor@example.org")
    stage.join(letter, editor, "editor")
    assert editor.get(at).status_code == 200
    assert editor.post(at, {**saved, "day": "2026-03-06", "time": "09:30"}).status_code == 400


def test_steps_release_it_and_moderators_can_keep_it_back(stage: Stage, letter: str) -> None:
    operator = stage.organiser("operator@example.org", role="operator")
    at = f"/en/moderation/campaigns/{letter}"
    assert 'value="send_back"' in operator.get(at).text
    assert operator.post(at, {"action": "send_back", "reason": ""}).status_code == 422
    assert operator.post(at, {"action": "send_back", "reason": "A forged name"}).status_code == 303
    assert (row(stage, letter).state, row(stage, letter).refused_because) == ("draft", "A forged name")
    assert publish_one(stage, letter) == "embargoed"
    owner = owner_of(stage, letter)
    steps = f"/en/workspace/campaigns/{letter}/steps"
    assert owner.post(steps, {"move": "release"}).status_code == 303
    assert stage.get(f"/fr/campaigns/{letter}").status_code == 200
    assert owner.post(steps, {"move": "call_off"}).status_code == 409
    page = owner.get(f"/en/workspace/campaigns/{letter}/embargo")
    assert "It is public: there is no embargo any more." in page.text


def test_a_draft_gets_its_moment_and_loses_it(stage: Stage, clock: time_machine.Traveller) -> None:
    under_embargo(stage, UNTIL)
    stage.write(call_off_campaign, **who_of(stage, "libraries"))
    owner, at = owner_of(stage, "libraries"), "/km/workspace/campaigns/libraries/embargo"
    shown_moment = Page(owner.get(at).text).fields["shown"][0]
    saved = {"action": "save", "shown": shown_moment, "day": "2026-03-09", "time": "08:00:05"}
    assert owner.post(at, saved).headers["location"] == f"{at}?done=set"
    page = Page(owner.get(at).text)
    assert page.fields["time"] == ["08:00:05"]
    assert (
        owner.post(at, {"action": "take_away", "shown": page.fields["shown"][0]}).headers["location"].endswith("away")
    )
    assert row(stage).embargo_until is None
    assert owner.post(at, {"action": "nothing"}).status_code == 400
