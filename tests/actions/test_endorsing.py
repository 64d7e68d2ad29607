"""Organisations that sign, on real databases: who is asked, what is proven, who decides, and what races end in."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from app.actions import endorsing
from app.actions.endorsing import Asked
from app.actions.records import record
from app.core.clock import utc_now
from app.jobs.retain import forget_all
from app.models import Campaign, Edition, Endorsement, Letter, Logo, open_campaign_key
from app.queries.campaigns import find_campaign
from app.queries.endorsements import (
    find_authority_letter,
    find_endorse_link,
    find_logo,
    find_own_endorsement,
    list_authority_letters,
    list_team_endorsements,
)
from tests.actions.lives import campaign_id, lines, owner_id, put
from tests.editions import correct
from tests.stage import on_one_database
from tests.workspace.drafts import draft

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.queries.endorsements import EndorseLink, OwnEndorsement, TeamEndorsement, WaitingLetter
    from tests.stage import Organiser, Stage

SLUG: Final = "libraries"
MINUTE: Final = timedelta(minutes=1)
DAY: Final = timedelta(days=1)
OWNER: Final = "organiser@example.org"
FORM: Final = Asked(
    organisation="Khmer Alliance <b>{{7*7}}</b>",
    names={"km": "សម្ព័ន្ធខ្មែរ"},
    acronym="KA",
    country="CA",
    kind="ngo",
    website="https://www.khmer-alliance.org/about",
    representative="Sok Sopha",
    role="Director",
    email="director@khmer-alliance.org",
    locale="en",
)
PUBLIC: Final = replace(FORM, email="khmer.alliance@gmail.com")


def letter(stage: Stage, **changes: Any) -> str:  # noqa: ANN401 - of a campaign file
    return stage.campaign(kind="open_letter", signatories="both", **changes)


def request(stage: Stage, asked: Asked = FORM, *, now: Any = None) -> None:  # noqa: ANN401 - a moment
    stage.run(requesting(stage, asked, now=now))


def requesting(stage: Stage, asked: Asked = FORM, *, now: Any = None) -> Any:  # noqa: ANN401 - a call that waits
    def work(session: Session) -> None:
        campaign = campaign_of(session)
        key = open_campaign_key(session, campaign_id=campaign, keyring=stage.keyring)
        edition = session.scalars(
            select(Edition.id).where(Edition.campaign_id == campaign).order_by(Edition.number.desc())
        ).first()
        assert key is not None
        endorsing.request_endorsement(
            session, campaign_id=campaign, edition_id=edition, asked=asked, key=key, now=now or utc_now()
        )

    return stage.database.write(work)


def campaign_of(session: Session) -> UUID:
    return session.scalars(select(Campaign.id).where(Campaign.slug == SLUG)).one()


def token_in(text: str, *, confirms: bool = False) -> str:
    path = "endorsement/confirm" if confirms else "endorsement"
    found = re.findall(rf"/{path}/([\w-]{{43}})", text)
    assert found, text
    return str(found[0])


def confirm(stage: Stage, email: str = FORM.email) -> str:
    """Confirm by the newest letter to a mailbox that can, and return the token of the organisation's own page."""
    text = [each.text for each in stage.letters_to(email) if "/endorsement/confirm/" in each.text][-1]
    press(stage, token_in(text, confirms=True))
    return token_in(text)


def press(stage: Stage, token: str) -> None:
    stage.write(endorsing.confirm_endorsement, token=token, keyring=stage.keyring, now=utc_now())


def decide(stage: Stage, endorsement_id: UUID | None = None, **changes: Any) -> None:  # noqa: ANN401 - arguments
    stage.run(deciding(stage, endorsement_id, **changes))


def deciding(stage: Stage, endorsement_id: UUID | None = None, **changes: Any) -> Any:  # noqa: ANN401 - a call
    values: dict[str, Any] = {
        "campaign_id": campaign_id(stage),
        "endorsement_id": endorsement_id or team(stage)[0].id,
        "is_accepted": True,
        "because": "",
        "account_id": owner_id(stage),
        "now": utc_now(),
        **changes,
    }
    return stage.database.write(endorsing.decide_endorsement, **values)


def accepted(stage: Stage, asked: Asked = FORM) -> str:
    """Bring an organisation all the way, and return the token of its own page."""
    request(stage, asked)
    token = confirm(stage, asked.email)
    decide(stage)
    return token


def states(stage: Stage) -> list[str]:
    return [row[0] for row in stage.sql("SELECT state FROM endorsements ORDER BY asked_at, state")]


def own(stage: Stage, token: str) -> OwnEndorsement:
    found = stage.read(find_own_endorsement, token=token, keyring=stage.keyring)
    assert found is not None
    return found


def link(stage: Stage, token: str) -> EndorseLink | None:
    return stage.read(find_endorse_link, token=token, keyring=stage.keyring, now=utc_now())


def team(stage: Stage) -> list[TeamEndorsement]:
    return stage.read(list_team_endorsements, campaign_id=campaign_id(stage), keyring=stage.keyring)


def authority_letters(stage: Stage) -> list[WaitingLetter]:
    return stage.read(list_authority_letters, account_id=uuid4())


def another_owner(stage: Stage) -> Organiser:
    somebody = stage.organiser("second@example.org", locale="fr")
    stage.join(SLUG, somebody)
    return somebody


async def together(calls: list[Any]) -> list[Any]:
    return await asyncio.gather(*calls, return_exceptions=True)


def kinds_of(answers: list[Any]) -> list[str]:
    return sorted("done" if each is None else type(each).__name__ for each in answers)


# Asking and confirming


def test_an_organisation_signs_with_mail_at_its_own_domain(stage: Stage) -> None:
    letter(stage)
    request(stage)
    (mail,) = stage.letters_to(FORM.email)
    # Anybody can send a form to anybody's address: none of what it says is in the letter.
    for said in (FORM.organisation, FORM.names["km"], FORM.representative, FORM.role, "khmer-alliance.org/about"):
        assert said not in mail.text + mail.html
    shown = link(stage, token_in(mail.text, confirms=True))
    assert shown is not None
    assert (shown.said.name, shown.said.representative, shown.state) == (FORM.organisation, "Sok Sopha", "asked")
    assert not shown.is_confirmed
    token = confirm(stage)
    assert stage.sql("SELECT state, proof, resembles, domain FROM endorsements") == [
        ("waiting", "domain", None, "khmer-alliance.org")
    ]
    (told,) = [each for each in stage.letters_to(OWNER) if "asks to sign" in each.text]
    assert FORM.organisation in told.text
    assert "&lt;b&gt;{{7*7}}&lt;/b&gt;" in told.html
    assert "/workspace/campaigns/libraries/endorsements" in told.text
    decide(stage)
    campaign = stage.read(find_campaign, slug=SLUG)
    assert campaign is not None
    (signed,) = campaign.endorsements
    assert (signed.name, signed.names, signed.position, signed.proof) == (FORM.organisation, FORM.names, 0, "domain")
    assert (signed.edition_number, signed.is_present) == (1, True)
    notice = stage.letters_to(FORM.email)[-1]
    assert "Your organisation has signed" in notice.text
    # The link of the first letter goes on working, and so does that of each later one.
    assert own(stage, token).state == own(stage, token_in(notice.text)).state == "accepted"
    assert [each.what for each in records(stage)] == ["endorsement_confirmed", "endorsement_accepted"]


def records(stage: Stage) -> list[Any]:
    rows = "SELECT what, details FROM records WHERE what LIKE '%endorsement%' OR what LIKE 'authority%' ORDER BY id"
    return stage.read(lambda session: list(session.connection().exec_driver_sql(rows).all()))


def test_fifty_forms_of_one_mailbox_at_once_are_one_letter(stage: Stage) -> None:
    letter(stage)
    answers = stage.run(together([requesting(stage) for _ in range(50)]))
    assert answers == [None] * 50
    assert states(stage) == ["asked"]
    assert stage.sql("SELECT count(*) FROM letters WHERE kind = 'endorse'") == [(1,)]


def test_fifty_forms_that_all_say_something_else_are_five_letters_a_minute_apart(stage: Stage) -> None:
    letter(stage)
    forms = [replace(FORM, role=f"Role {number}") for number in range(50)]
    assert stage.run(together([requesting(stage, each) for each in forms])) == [None] * 50
    assert states(stage) == ["asked"] * 5
    due = stage.read(lambda session: session.scalars(select(Letter.due_at).order_by(Letter.due_at)).all())
    assert len(due) == 5
    assert all(later - earlier >= MINUTE for earlier, later in pairwise(due))


def test_confirming_twice_and_at_once_is_once(stage: Stage) -> None:
    letter(stage)
    request(stage)
    token = token_in(stage.letters_to(FORM.email)[0].text, confirms=True)
    call: dict[str, Any] = {"token": token, "keyring": stage.keyring, "now": utc_now()}
    presses = [stage.database.write(endorsing.confirm_endorsement, **call) for _ in range(8)]
    assert stage.run(together(presses)) == [None] * 8
    press(stage, token)
    assert states(stage) == ["waiting"]
    assert stage.sql("SELECT count(*) FROM records WHERE what = 'endorsement_confirmed'") == [(1,)]
    assert stage.sql("SELECT count(*) FROM letters WHERE kind = 'endorsement_waiting'") == [(1,)]
    decide(stage)
    press(stage, token)
    assert states(stage) == ["accepted"]


def test_two_versions_confirmed_at_once_are_one_organisation(stage: Stage) -> None:
    letter(stage)
    request(stage)
    request(stage, replace(FORM, role="President"))
    # The second letter is held back for a minute.
    put_forward(stage)
    found = [token_in(each.text, confirms=True) for each in stage.letters_to(FORM.email)]
    assert len(set(found)) == 2
    calls = [
        stage.database.write(endorsing.confirm_endorsement, token=each, keyring=stage.keyring, now=utc_now())
        for each in found
    ]
    assert kinds_of(stage.run(together(calls))) == ["EndorsementMoved", "done"]
    assert sorted(states(stage)) == ["expired", "waiting"]
    assert len(team(stage)) == 1


def put_forward(stage: Stage) -> None:
    stage.write(lambda session: session.execute(update(Letter).values(due_at=utc_now() - MINUTE)))


@on_one_database
def test_whoever_asks_again_is_answered_by_letter_alone(stage: Stage) -> None:
    letter(stage)
    start = utc_now() - 10 * MINUTE
    assert request(stage, now=start) is None  # type: ignore[func-returns-value]  # that is the point
    request(stage, now=start + MINUTE)
    assert [each.mail["Subject"] for each in stage.letters_to(FORM.email)] == ["A message about your request"] * 2
    confirm(stage)
    request(stage, now=start + 2 * MINUTE)
    request(stage, replace(FORM, role="Somebody else"), now=start + 4 * MINUTE)
    known = stage.letters_to(FORM.email)[2:]
    # The mailbox gets three letters a day from a campaign: the fourth waits for tomorrow.
    assert len(known) == 1
    assert "have this form from your organisation already" in known[0].text
    assert "/endorsement/confirm/" not in known[0].text
    assert own(stage, token_in(known[0].text)).said.role == "Director"
    assert states(stage) == ["waiting"]


@on_one_database
def test_a_form_costs_its_mailbox_five_letters_at_most(stage: Stage) -> None:
    letter(stage)
    start = utc_now() - DAY
    for number in range(9):
        request(stage, now=start + number * MINUTE)
    assert stage.sql("SELECT count(*) FROM letters WHERE kind = 'endorse'") == [(5,)]


@on_one_database
def test_one_mailbox_may_speak_for_two_organisations(stage: Stage) -> None:
    letter(stage)
    start = utc_now() - 10 * MINUTE
    request(stage, now=start)
    confirm(stage)
    request(stage, replace(FORM, organisation="Khmer Youth", names={}), now=start + MINUTE)
    confirm(stage)
    assert states(stage) == ["waiting", "waiting"]


@on_one_database
def test_a_link_of_another_purpose_or_too_old_confirms_nothing(stage: Stage) -> None:
    letter(stage)
    request(stage)
    text = stage.letters_to(FORM.email)[0].text
    token, page = token_in(text, confirms=True), token_in(text)
    for wrong in (page, "x" * 43, token[:-1] + ("A" if token[-1] != "A" else "B")):
        with pytest.raises(endorsing.EndorsementLinkUnknown):
            press(stage, wrong)
        assert link(stage, wrong) is None
    assert stage.read(find_own_endorsement, token=token, keyring=stage.keyring) is None
    late: dict[str, Any] = {"token": token, "keyring": stage.keyring, "now": utc_now() + 8 * DAY}
    with pytest.raises(endorsing.EndorsementLinkExpired):
        stage.write(endorsing.confirm_endorsement, **late)
    shown = stage.read(find_endorse_link, **late)
    assert shown is not None
    assert (shown.is_expired, shown.is_confirmed) == (True, False)


@on_one_database
def test_nothing_is_confirmed_a_day_after_closing_and_everything_under_embargo(stage: Stage) -> None:
    letter(stage)
    request(stage)
    token = token_in(stage.letters_to(FORM.email)[0].text, confirms=True)
    put(stage, closes_at=utc_now() - DAY - MINUTE, opens_at=None)
    with pytest.raises(endorsing.NotConfirmable):
        press(stage, token)
    put(stage, state="stopped", closes_at=None)
    with pytest.raises(endorsing.NotConfirmable, match="stopped"):
        press(stage, token)
    put(stage, state="embargoed", embargo_until=utc_now() + DAY, opens_at=utc_now() + 2 * DAY)
    press(stage, token)
    decide(stage)
    assert states(stage) == ["accepted"]
    assert "once that appears" in stage.letters_to(FORM.email)[-1].text
    assert stage.read(find_campaign, slug=SLUG) is None


# Proof


@on_one_database
def test_a_domain_that_can_be_taken_for_another_is_flagged_and_not_refused(stage: Stage) -> None:
    letter(stage)
    accepted(stage)
    other = replace(
        FORM, organisation="Alliance of Khmers", names={}, website="khmer-aliance.org", email="x@khmer-aliance.org"
    )
    request(stage, other)
    confirm(stage, other.email)
    found = next(each for each in team(stage) if each.state == "waiting")
    assert (found.proof, found.domain, found.resembles) == ("domain", "khmer-aliance.org", "khmer-alliance.org")
    assert "khmer-alliance.org" in stage.letters_to(OWNER)[-1].text
    namesake = replace(FORM, website="elsewhere.org", email="x@elsewhere.org")
    request(stage, namesake)
    confirm(stage, namesake.email)
    found = next(each for each in team(stage) if each.domain == "elsewhere.org")
    assert found.resembles == "khmer-alliance.org"
    with pytest.raises(endorsing.SignedAlready):
        decide(stage, found.id)


def test_without_its_domain_an_organisation_needs_a_letter_of_authority(stage: Stage) -> None:
    letter(stage)
    reader = stage.organiser("moderator@example.org", role="moderator")
    request(stage, PUBLIC)
    token = confirm(stage, PUBLIC.email)
    assert "nothing shows yet" in stage.letters_to(OWNER)[-1].text
    with pytest.raises(endorsing.NotProven):
        decide(stage)
    for content in (b"first \x00\xff", b"second \x00\xff"):
        stage.write(
            endorsing.send_authority_letter,
            token=token, content=content, media_type="image/png", keyring=stage.keyring, now=utc_now(),
        )  # fmt: skip
    (waiting,) = authority_letters(stage)
    read = stage.read(find_authority_letter, letter_id=waiting.id, keyring=stage.keyring)
    assert read is not None
    assert (read.content, read.letter.said.representative, waiting.slug) == (b"second \x00\xff", "Sok Sopha", SLUG)
    assert b"second" not in stage.sql("SELECT content FROM authority_letters")[0][0]
    (told,) = stage.letters_to("moderator@example.org")
    assert FORM.organisation not in told.text
    judged: dict[str, Any] = {"letter_id": waiting.id, "because": "", "account_id": reader.account_id, "now": utc_now()}
    answers = stage.run(
        together(
            [
                stage.database.write(endorsing.decide_authority_letter, is_accepted=True, **judged),
                stage.database.write(
                    endorsing.decide_authority_letter, is_accepted=False, **{**judged, "account_id": owner_id(stage)}
                ),
            ]
        )
    )
    assert kinds_of(answers) == ["AuthorityMoved", "done"]
    assert stage.sql("SELECT content FROM authority_letters") == [(None,)]
    if answers[0] is not None:
        return  # refused first: that is as good an end of the race
    stage.write(endorsing.decide_authority_letter, is_accepted=True, **judged)
    assert team(stage)[0].proof == "letter"
    assert "has been shown" in stage.letters_to(OWNER)[-1].text
    decide(stage)
    assert states(stage) == ["accepted"]
    with pytest.raises(endorsing.EndorsementMoved, match="accepted"):
        stage.write(
            endorsing.send_authority_letter,
            token=token, content=b"", media_type="image/png", keyring=stage.keyring, now=utc_now(),
        )  # fmt: skip


@on_one_database
def test_a_letter_that_is_refused_says_why_and_another_may_be_sent(stage: Stage) -> None:
    letter(stage)
    request(stage, PUBLIC)
    token = confirm(stage, PUBLIC.email)
    send: dict[str, Any] = {"token": token, "media_type": "image/png", "keyring": stage.keyring, "now": utc_now()}
    stage.write(endorsing.send_authority_letter, content=b"x", **send)
    (waiting,) = authority_letters(stage)
    stage.write(
        endorsing.decide_authority_letter,
        letter_id=waiting.id, is_accepted=False, because="It is not signed.\n<b>", account_id=owner_id(stage),
        now=utc_now(),
    )  # fmt: skip
    notice = stage.letters_to(PUBLIC.email)[-1]
    assert "> It is not signed.\n> <b>" in notice.text
    assert "not accepted" in notice.text
    assert (own(stage, token).authority, own(stage, token).authority_because) == ("refused", "It is not signed.\n<b>")
    stage.write(endorsing.send_authority_letter, content=b"y", **send)
    assert len(authority_letters(stage)) == 1
    assert stage.read(find_authority_letter, letter_id=campaign_id(stage), keyring=stage.keyring) is None
    refused = stage.read(find_authority_letter, letter_id=waiting.id, keyring=stage.keyring)
    assert refused is not None
    assert (refused.content, refused.letter.state) == (None, "refused")


# Deciding


def test_two_owners_who_decide_at_once_decide_once(stage: Stage) -> None:
    letter(stage)
    second = another_owner(stage)
    request(stage)
    confirm(stage)
    found = team(stage)[0].id
    answers = stage.run(
        together(
            [
                deciding(stage, found),
                deciding(stage, found, is_accepted=False, because="No", account_id=second.account_id),
            ]
        )
    )
    assert kinds_of(answers) == ["EndorsementMoved", "done"]
    assert stage.sql("SELECT count(*) FROM records WHERE what IN ('endorsement_accepted', 'endorsement_declined')") == [
        (1,)
    ]
    assert stage.sql("SELECT count(*) FROM letters WHERE kind = 'endorsement_notice'") == [(1,)]


def test_organisations_accepted_at_once_get_places_of_their_own(stage: Stage) -> None:
    letter(stage, endorsements=[{"name": "From the file"}, {"name": "Another from the file"}])
    names = [f"Organisation number {number} of many" for number in range(6)]
    for number, name in enumerate(names):
        asked = replace(FORM, organisation=name, names={}, email=f"x{number}@khmer-alliance.org")
        request(stage, asked)
        confirm(stage, asked.email)
    waiting = [each.id for each in team(stage) if each.state == "waiting"]
    assert stage.run(together([deciding(stage, each) for each in waiting])) == [None] * 6
    assert stage.sql("SELECT position FROM endorsements ORDER BY position") == [(place,) for place in range(8)]


def test_accepting_against_withdrawing_ends_withdrawn_either_way(stage: Stage) -> None:
    letter(stage)
    request(stage)
    token = confirm(stage)
    found = team(stage)[0].id
    calls = [
        deciding(stage, found),
        stage.database.write(endorsing.withdraw_endorsement, token=token, now=utc_now()),
    ]
    decided, withdrawn = stage.run(together(calls))
    assert withdrawn is None
    assert decided is None or isinstance(decided, endorsing.EndorsementMoved)
    assert stage.sql("SELECT state, email, representative, role, email_index FROM endorsements") == [
        ("withdrawn", None, None, None, None)
    ]
    campaign = stage.read(find_campaign, slug=SLUG)
    assert campaign is not None
    assert campaign.endorsements == ()
    again = [stage.database.write(endorsing.withdraw_endorsement, token=token, now=utc_now()) for _ in range(3)]
    assert stage.run(together(again)) == [None] * 3
    assert stage.sql("SELECT count(*) FROM records WHERE what = 'endorsement_withdrawn'") == [(1,)]
    # Whoever withdrew may sign again, and gets another place.
    token = accepted_again(stage)
    assert own(stage, token).position == (1 if decided is None else 0)


def accepted_again(stage: Stage) -> str:
    request(stage)
    token = confirm(stage)
    decide(stage)
    return token


@on_one_database
def test_declining_tells_why_and_other_teams_decide_nothing(stage: Stage) -> None:
    letter(stage)
    stage.campaign(slug="elsewhere")
    request(stage)
    token = confirm(stage)
    found = team(stage)[0].id
    with pytest.raises(endorsing.EndorsementMoved, match="gone"):
        decide(stage, found, campaign_id=campaign_id(stage, "elsewhere"))
    decide(stage, found, is_accepted=False, because="We ask NGOs only.\n=HYPERLINK()")
    decide(stage, found, is_accepted=False, because="twice")
    with pytest.raises(endorsing.EndorsementMoved, match="declined"):
        decide(stage, found)
    notice = stage.letters_to(FORM.email)[-1]
    assert "> We ask NGOs only.\n> =HYPERLINK()" in notice.text
    assert own(stage, token).because == "We ask NGOs only.\n=HYPERLINK()"
    for call in (endorsing.withdraw_endorsement, endorsing.renew_endorsement):
        with pytest.raises(endorsing.EndorsementMoved, match="declined"):
            stage.write(call, token=token, now=utc_now())


# The organisation's own page


def hand_over(
    stage: Stage, token: str, email: str = "next@khmer-alliance.org", *, ago: timedelta = timedelta(0)
) -> None:
    stage.run(handing_over(stage, token, email, ago=ago))


def handing_over(
    stage: Stage, token: str, email: str = "next@khmer-alliance.org", *, ago: timedelta = timedelta(0)
) -> Any:  # noqa: ANN401 - a call
    return stage.database.write(
        endorsing.hand_over_endorsement,
        token=token,
        representative="Chan Dara",
        role="President",
        email=email,
        keyring=stage.keyring,
        now=utc_now() - ago,
    )


def test_handing_over_waits_for_the_next_and_ends_the_links_of_the_one_before(stage: Stage) -> None:
    letter(stage)
    token = accepted(stage)
    hand_over(stage, token, "first@khmer-alliance.org", ago=2 * MINUTE)
    first = token_in(stage.letters_to("first@khmer-alliance.org")[-1].text, confirms=True)
    # The same form, pressed many times.
    assert stage.run(together([handing_over(stage, token) for _ in range(4)])) == [None] * 4
    (asked,) = stage.letters_to("next@khmer-alliance.org")
    assert not re.search(r"/endorsement/[\w-]{43}", asked.text)
    assert "has to confirm first" in stage.letters_to(FORM.email)[-1].text
    assert (own(stage, token).said.representative, own(stage, token).successor) == ("Sok Sopha", "Chan Dara")
    with pytest.raises(endorsing.EndorsementLinkUnknown):
        press(stage, first)
    second = token_in(asked.text, confirms=True)
    shown = link(stage, second)
    assert shown is not None
    assert (shown.said.representative, shown.is_successor, shown.is_confirmed) == ("Chan Dara", True, False)
    call: dict[str, Any] = {"token": second, "keyring": stage.keyring, "now": utc_now()}
    presses = [stage.database.write(endorsing.confirm_endorsement, **call) for _ in range(4)]
    assert stage.run(together(presses)) == [None] * 4
    press(stage, second)
    shown = link(stage, second)
    assert shown is not None
    assert shown.is_confirmed
    assert stage.read(find_own_endorsement, token=token, keyring=stage.keyring) is None
    with pytest.raises(endorsing.EndorsementLinkUnknown):
        stage.write(endorsing.withdraw_endorsement, token=token, now=utc_now())
    new = token_in(stage.letters_to("next@khmer-alliance.org")[-1].text)
    assert own(stage, new).said.email == "next@khmer-alliance.org"
    assert (own(stage, new).state, own(stage, new).proof, own(stage, new).successor) == ("accepted", "domain", None)
    assert stage.sql("SELECT count(*) FROM records WHERE what = 'endorsement_handed_over'") == [(1,)]
    assert "Somebody else speaks" in stage.letters_to(OWNER)[-1].text


@on_one_database
def test_a_successor_at_the_domain_is_proof_and_one_of_a_withdrawn_row_is_nobody(stage: Stage) -> None:
    letter(stage)
    request(stage, PUBLIC)
    token = confirm(stage, PUBLIC.email)
    hand_over(stage, token, ago=2 * MINUTE)
    press(stage, token_in(stage.letters_to("next@khmer-alliance.org")[-1].text, confirms=True))
    assert team(stage)[0].proof == "domain"
    token = token_in(stage.letters_to("next@khmer-alliance.org")[-1].text)
    hand_over(stage, token, "third@khmer-alliance.org")
    confirming = token_in(stage.letters_to("third@khmer-alliance.org")[-1].text, confirms=True)
    stage.write(endorsing.withdraw_endorsement, token=token, now=utc_now())
    with pytest.raises(endorsing.EndorsementMoved, match="withdrawn"):
        press(stage, confirming)
    with pytest.raises(endorsing.EndorsementMoved, match="withdrawn"):
        hand_over(stage, token)


def test_a_change_of_substance_is_asked_about_once_and_answered_once(stage: Stage) -> None:
    letter(stage)
    token = accepted(stage)
    correct(stage, SLUG, "books, please")
    assert own(stage, token).again is None
    newer = correct(stage, SLUG, "money", is_substantive=True)
    assert stage.write(endorsing.ask_endorsers_again, campaign_id=campaign_id(stage), now=utc_now()) == 1
    assert stage.sql("SELECT count(*) FROM letters WHERE kind = 'endorsement_again'") == [(1,)]
    asked = stage.letters_to(FORM.email)[-1]
    assert "A word was misspelt" in asked.text
    assert FORM.organisation in asked.text
    page = own(stage, token_in(asked.text))
    assert (page.again, page.newest_number, page.edition_number) == (3, 1, 1)
    assert not team(stage)[0].is_present
    with pytest.raises(endorsing.TextMoved):
        stage.write(endorsing.renew_endorsement, token=token, now=utc_now(), shown="0" * 64)

    calls = [
        stage.database.write(endorsing.renew_endorsement, token=token, now=utc_now(), shown=newer) for _ in range(6)
    ]
    assert stage.run(together(calls)) == [3] * 6
    assert stage.sql("SELECT count(*) FROM endorsement_renewals") == [(1,)]
    assert (own(stage, token).again, own(stage, token).newest_number, own(stage, token).edition_number) == (None, 3, 1)
    assert team(stage)[0].is_present
    campaign = stage.read(find_campaign, slug=SLUG)
    assert campaign is not None
    assert (campaign.endorsements[0].is_present, campaign.endorsements[0].edition_number) == (True, 3)
    assert stage.write(endorsing.ask_endorsers_again, campaign_id=campaign_id(stage), now=utc_now()) == 0


@on_one_database
def test_one_that_was_accepted_after_the_text_changed_is_asked_then(stage: Stage) -> None:
    letter(stage)
    request(stage)
    token = confirm(stage)
    correct(stage, SLUG, "money", is_substantive=True)
    assert stage.sql("SELECT count(*) FROM letters WHERE kind = 'endorsement_again'") == [(0,)]
    decide(stage)
    assert stage.sql("SELECT count(*) FROM letters WHERE kind = 'endorsement_again'") == [(1,)]
    # Answered before the letter is sent, there is nothing to ask any more.
    assert stage.write(endorsing.renew_endorsement, token=token, now=utc_now()) == 2
    assert stage.write(endorsing.renew_endorsement, token=token, now=utc_now()) == 2
    stage.deliver()
    assert stage.sql("SELECT state FROM letters WHERE kind = 'endorsement_again'") == [("dropped",)]
    request(stage, replace(FORM, organisation="Signed the present text", names={}))
    confirm(stage)
    decide(stage)
    assert stage.sql("SELECT count(*) FROM letters WHERE kind = 'endorsement_again'") == [(1,)]


def test_a_logo_is_the_newest_and_shows_while_the_organisation_has_signed(stage: Stage) -> None:
    letter(stage)
    request(stage)
    token = confirm(stage)

    def keep(picture: bytes) -> Any:  # noqa: ANN401 - a call that waits
        return stage.database.write(
            endorsing.keep_logo, token=token, picture=picture, width=10, height=20, now=utc_now()
        )

    assert stage.run(together([keep(b"a"), keep(b"b")])) == [None, None]
    stage.run(keep(b"c"))
    sha256 = own(stage, token).logo
    assert sha256 is not None
    assert stage.sql("SELECT count(*) FROM logos") == [(1,)]
    assert stage.read(find_logo, slug=SLUG, sha256=sha256) is None  # not before it has signed
    decide(stage)
    assert stage.read(find_logo, slug=SLUG, sha256=sha256) == b"c"
    assert stage.read(find_logo, slug="elsewhere", sha256=sha256) is None
    put(stage, state="embargoed", embargo_until=utc_now() + DAY)
    assert stage.read(find_logo, slug=SLUG, sha256=sha256) is None
    put(stage, state="open")
    for _ in range(2):
        stage.write(endorsing.remove_logo, token=token, now=utc_now())
    assert stage.read(find_logo, slug=SLUG, sha256=sha256) is None
    stage.run(keep(b"d"))
    stage.write(endorsing.withdraw_endorsement, token=token, now=utc_now())
    assert stage.read(lambda session: session.scalar(select(func.count()).select_from(Logo))) == 0


# Moderators, and time


def test_a_moderator_marks_removes_and_restores_and_it_is_on_record(stage: Stage) -> None:
    letter(stage)
    token = accepted(stage)
    found = team(stage)[0].id
    by: dict[str, Any] = {"endorsement_id": found, "account_id": owner_id(stage), "now": utc_now()}
    for _ in range(2):
        stage.write(endorsing.mark_disputed, is_disputed=True, **by)
    assert own(stage, token).is_disputed
    assert "disputed" in stage.letters_to(FORM.email)[-1].text
    stage.write(endorsing.mark_disputed, is_disputed=False, **by)
    calls = [stage.database.write(endorsing.remove_endorsement, because="Nobody asked it.", **by) for _ in range(4)]
    assert stage.run(together(calls)) == [None] * 4
    with pytest.raises(endorsing.EndorsementMoved, match="removed"):
        stage.write(endorsing.mark_disputed, is_disputed=True, **by)
    assert "> Nobody asked it." in stage.letters_to(FORM.email)[-1].text
    campaign = stage.read(find_campaign, slug=SLUG)
    assert campaign is not None
    assert campaign.endorsements == ()
    for _ in range(2):
        stage.write(endorsing.restore_endorsement, **by)
    assert (own(stage, token).state, own(stage, token).position) == ("accepted", 0)
    whats = [each.what.removeprefix("endorsement_") for each in records(stage)]
    assert whats == ["confirmed", "accepted", "disputed", "undisputed", "removed", "restored"]
    text = "\n".join(str(each.details) for each in records(stage))
    assert not any(said in text for said in (FORM.email, "Sok Sopha", "Khmer Alliance"))


@on_one_database
def test_a_removal_is_not_taken_back_where_another_has_signed_under_the_name(stage: Stage) -> None:
    letter(stage)
    accepted(stage)
    first = team(stage)[0].id
    by: dict[str, Any] = {"endorsement_id": first, "account_id": owner_id(stage), "now": utc_now()}
    stage.write(endorsing.remove_endorsement, because="", **by)
    request(stage, replace(FORM, email="other@khmer-alliance.org"))
    confirm(stage, "other@khmer-alliance.org")
    with pytest.raises(endorsing.RemovedBefore):
        decide(stage)
    # As it was before removals were looked at.
    stage.sql_write("UPDATE endorsements SET state = 'accepted', position = 1 WHERE state = 'waiting'")
    with pytest.raises(endorsing.SignedAlready):
        stage.write(endorsing.restore_endorsement, **by)
    with pytest.raises(endorsing.EndorsementMoved, match="gone"):
        stage.write(endorsing.restore_endorsement, **{**by, "endorsement_id": campaign_id(stage)})


def test_what_nobody_confirmed_and_what_ended_is_emptied_after_fourteen_days(stage: Stage) -> None:
    letter(stage)
    begins = utc_now()
    request(stage, replace(FORM, organisation="Never confirmed"), now=begins)
    request(stage, now=begins)
    put_forward(stage)
    confirm(stage)
    waiting = team(stage)[0].id
    decide(stage, waiting, is_accepted=False, because="no", now=begins)
    signed = replace(FORM, organisation="Stays", email="stays@khmer-alliance.org")
    token = accepted(stage, signed)
    hand_over(stage, token)

    def emptied() -> dict[str, tuple[str, bool]]:
        rows = stage.read(lambda session: session.scalars(select(Endorsement)).all())
        return {each.name: (each.state, each.email is None and each.email_index is None) for each in rows}

    stage.run(forget_all(stage.database, now=begins + 14 * DAY - MINUTE))
    assert emptied() == {
        "Never confirmed": ("asked", False), FORM.organisation: ("declined", False), "Stays": ("accepted", False),
    }  # fmt: skip
    stage.run(forget_all(stage.database, now=begins + 15 * DAY))
    assert emptied() == {"": ("declined", True), "Stays": ("accepted", False)}
    (said,) = stage.sql(
        "SELECT names, name_key, acronym, domain, website, country, kind FROM endorsements WHERE name = ''"
    )
    assert said[1:] == ("", None, None, None, None, None)
    assert FORM.names["km"] not in str(said[0])
    assert [each.said.name for each in team(stage)] == ["Stays"]
    assert own(stage, token).successor is None
    stage.run(forget_all(stage.database, now=begins + 800 * DAY))
    assert emptied()["Stays"] == ("accepted", True)
    assert own(stage, token).said.representative is None


@on_one_database
def test_letters_are_in_the_language_of_who_speaks(stage: Stage) -> None:
    letter(stage)
    request(stage, replace(FORM, locale="km"))
    mail = stage.letters_to(FORM.email)[0]
    assert mail.mail["Content-Language"] == "km"
    confirm(stage)
    decide(stage)
    assert stage.letters_to(FORM.email)[-1].mail["Content-Language"] == "km"
    assert FORM.names["km"] in stage.letters_to(FORM.email)[-1].text
    assert "imported" not in lines(stage)


# What ends meanwhile


@on_one_database
def test_whoever_was_not_meant_says_so_and_the_team_hears_nothing(stage: Stage) -> None:
    letter(stage)
    request(stage)
    text = stage.letters_to(FORM.email)[0].text
    token = token_in(text)
    with pytest.raises(endorsing.EndorsementMoved, match="asked"):
        hand_over(stage, token)
    stage.write(endorsing.withdraw_endorsement, token=token, now=utc_now())
    with pytest.raises(endorsing.EndorsementMoved, match="withdrawn"):
        press(stage, token_in(text, confirms=True))
    assert (stage.letters_to(OWNER), team(stage)) == ([], [])
    assert own(stage, token).said.representative is None
    # What is kept of the first form keeps nobody from sending another.
    request(stage, now=utc_now() + MINUTE)
    assert sorted(states(stage)) == ["asked", "withdrawn"]


@on_one_database
def test_without_the_key_nobody_is_found_and_no_letter_goes_out(stage: Stage) -> None:
    letter(stage)
    token = accepted(stage)
    request(stage, PUBLIC)
    unproven = confirm(stage, PUBLIC.email)
    asked = replace(FORM, organisation="Never confirmed", names={}, email="a@khmer-alliance.org")
    request(stage, asked)
    confirming = token_in(stage.letters_to(asked.email)[0].text, confirms=True)
    hand_over(stage, token)
    stage.write(lambda session: session.connection().exec_driver_sql("DELETE FROM campaign_keys"))
    with pytest.raises(endorsing.EndorsementLinkUnknown):
        press(stage, confirming)
    with pytest.raises(endorsing.EndorsementMoved):
        hand_over(stage, token)
    with pytest.raises(endorsing.EndorsementMoved):
        stage.write(
            endorsing.send_authority_letter,
            token=unproven, content=b"", media_type="image/png", keyring=stage.keyring, now=utc_now(),
        )  # fmt: skip
    assert (own(stage, token).said.email, own(stage, token).successor) == (None, None)
    assert all(each.said.role is None for each in team(stage))
    stage.deliver()
    assert stage.sql("SELECT count(*) FROM letters WHERE state = 'queued'") == [(0,)]
    assert stage.letters_to("next@khmer-alliance.org") == []


@on_one_database
def test_a_removal_of_one_that_waited_is_taken_back_while_somebody_speaks_for_it(stage: Stage) -> None:
    letter(stage)
    request(stage)
    confirm(stage)
    by: dict[str, Any] = {"endorsement_id": team(stage)[0].id, "account_id": owner_id(stage), "now": utc_now()}
    with pytest.raises(endorsing.EndorsementMoved, match="waiting"):
        stage.write(endorsing.mark_disputed, is_disputed=True, **by)
    stage.write(endorsing.remove_endorsement, because="", **by)
    stage.write(endorsing.restore_endorsement, **by)
    assert states(stage) == ["waiting"]
    stage.write(endorsing.remove_endorsement, because="", **by)
    with pytest.raises(endorsing.EndorsementMoved, match="removed"):
        stage.write(endorsing.remove_endorsement, because="", **{**by, "account_id": another_owner(stage).account_id})
    request(stage, now=utc_now() + MINUTE)
    put_forward(stage)
    confirm(stage)
    with pytest.raises(endorsing.EndorsementMoved, match="waiting"):
        stage.write(endorsing.restore_endorsement, **by)  # it would be there twice
    stage.run(forget_all(stage.database, now=utc_now() + 15 * DAY))
    with pytest.raises(endorsing.EndorsementMoved, match="removed"):
        stage.write(endorsing.restore_endorsement, **by)
    request(stage, replace(FORM, organisation="Declined", names={}), now=utc_now() + 2 * MINUTE)
    put_forward(stage)
    confirm(stage)
    declined = next(each.id for each in team(stage) if each.said.name == "Declined")
    decide(stage, declined, is_accepted=False)
    with pytest.raises(endorsing.EndorsementMoved, match="declined"):
        stage.write(endorsing.restore_endorsement, **{**by, "endorsement_id": declined})


@on_one_database
def test_a_letter_of_authority_that_is_read_late_changes_no_proof(stage: Stage) -> None:
    letter(stage)
    request(stage)
    token = confirm(stage)
    stage.write(
        endorsing.send_authority_letter,
        token=token, content=b"x", media_type="image/png", keyring=stage.keyring, now=utc_now(),
    )  # fmt: skip
    decide(stage)
    (waiting,) = authority_letters(stage)
    judged: dict[str, Any] = {"letter_id": waiting.id, "because": "", "account_id": owner_id(stage), "now": utc_now()}
    stage.write(endorsing.decide_authority_letter, is_accepted=True, **judged)
    assert (team(stage)[0].proof, team(stage)[0].authority) == ("domain", "accepted")
    stage.write(endorsing.withdraw_endorsement, token=token, now=utc_now())
    with pytest.raises(endorsing.AuthorityMoved):
        stage.write(endorsing.decide_authority_letter, is_accepted=True, **judged)


@on_one_database
def test_letters_that_say_nothing_any_more_are_dropped(stage: Stage) -> None:
    letter(stage)
    reader = stage.organiser("moderator@example.org", role="moderator")
    second = another_owner(stage)
    request(stage, PUBLIC)
    token = confirm(stage, PUBLIC.email)
    stage.write(
        endorsing.send_authority_letter,
        token=token, content=b"x", media_type="image/png", keyring=stage.keyring, now=utc_now(),
    )  # fmt: skip
    (waiting,) = authority_letters(stage)
    stage.write(
        endorsing.decide_authority_letter,
        letter_id=waiting.id, is_accepted=True, because="", account_id=reader.account_id, now=utc_now(),
    )  # fmt: skip
    decide(stage)
    by: dict[str, Any] = {"endorsement_id": team(stage)[0].id, "account_id": reader.account_id, "now": utc_now()}
    stage.write(endorsing.mark_disputed, is_disputed=True, **by)
    stage.write(endorsing.mark_disputed, is_disputed=False, **by)
    hand_over(stage, token, "first@khmer-alliance.org", ago=2 * MINUTE)
    hand_over(stage, token, "second@khmer-alliance.org")
    stage.join(SLUG, second, "viewer")
    stage.write(endorsing.withdraw_endorsement, token=token, now=utc_now())
    before = len(stage.letters())
    stage.deliver()
    # All that is left to say, to the one owner that there is.
    assert [each.mail["To"] for each in stage.letters()[before:]] == [OWNER]
    assert "has withdrawn" in stage.letters()[-1].text


@on_one_database
def test_a_form_that_came_for_another_text_is_another_form(stage: Stage) -> None:
    letter(stage)
    request(stage)
    correct(stage, SLUG, "books, please")
    request(stage, now=utc_now() + 2 * MINUTE)
    request(stage, replace(FORM, acronym="AK"), now=utc_now() + 4 * MINUTE)
    assert states(stage) == ["asked"] * 3
    put(stage, closes_at=utc_now() - 2 * DAY, opens_at=None)
    put_forward(stage)
    stage.deliver()
    # Nothing could be confirmed any more.
    assert stage.letters_to(FORM.email) == []


@on_one_database
def test_a_link_made_while_another_was_named_is_nobodys(stage: Stage) -> None:
    letter(stage)
    token = accepted(stage)
    hand_over(stage, token, "first@khmer-alliance.org", ago=2 * MINUTE)
    first = token_in(stage.letters_to("first@khmer-alliance.org")[-1].text, confirms=True)
    made = stage.sql("SELECT hash, letter_id FROM tokens WHERE purpose = 'endorse' ORDER BY created_at DESC")[0]
    hand_over(stage, token)
    # As if that letter had been written in the very moment in which the second was named.
    stage.sql_write(
        "INSERT INTO tokens (hash, purpose, letter_id, created_at) VALUES (:hash, 'endorse', :letter, 0)",
        hash=made[0], letter=made[1],
    )  # fmt: skip
    assert link(stage, first) is None
    with pytest.raises(endorsing.EndorsementLinkUnknown):
        press(stage, first)


@on_one_database
def test_one_without_a_website_is_shown_and_one_of_a_file_is_written_to_by_nobody(stage: Stage) -> None:
    letter(stage, endorsements=[{"name": "From the file"}])
    asked = replace(FORM, website="")
    request(stage, asked)
    token = confirm(stage)
    (waiting, from_file) = team(stage)
    assert (waiting.domain, waiting.resembles, waiting.proof, from_file.proof) == (None, None, None, "file")
    assert stage.write(endorsing.renew_endorsement, token=token, now=utc_now()) == 1
    assert own(stage, token).campaign.takes_individuals
    by: dict[str, Any] = {"endorsement_id": from_file.id, "account_id": owner_id(stage), "now": utc_now()}
    stage.write(endorsing.remove_endorsement, because="It never signed.", **by)
    assert stage.sql("SELECT count(*) FROM letters WHERE kind = 'endorsement_notice'") == [(0,)]
    assert "removed" in stage.letters_to(OWNER)[-1].text


@on_one_database
def test_whoever_may_no_longer_read_a_letter_gets_none(stage: Stage) -> None:
    letter(stage)
    token = accepted(stage)
    stage.organiser("moderator@example.org", role="moderator")
    request(stage, PUBLIC)
    unproven = confirm(stage, PUBLIC.email)
    correct(stage, SLUG, "money", is_substantive=True)
    stage.write(
        endorsing.send_authority_letter,
        token=unproven, content=b"x", media_type="image/png", keyring=stage.keyring, now=utc_now(),
    )  # fmt: skip
    stage.write(endorsing.withdraw_endorsement, token=token, now=utc_now())
    stage.sql_write("UPDATE endorsements SET proof = 'letter' WHERE state = 'waiting'")
    stage.sql_write("UPDATE accounts SET state = 'disabled' WHERE role = 'moderator'")
    before = len(stage.letters())
    stage.deliver()
    assert [each.mail["To"] for each in stage.letters()[before:]] == [OWNER]
    stage.write(endorsing.withdraw_endorsement, token=unproven, now=utc_now())
    stage.sql_write("UPDATE accounts SET state = 'disabled'")
    stage.deliver()
    assert len(stage.letters()) == before + 1


@on_one_database
def test_before_there_is_an_edition_the_draft_says_what_it_is_called(stage: Stage) -> None:
    draft(stage, {"en": {"title": "A letter to come"}}, kind="open_letter", signatories="both", sponsor=None)
    put(stage, state="embargoed", embargo_until=utc_now() + DAY)
    request(stage)
    shown = link(stage, token_in(stage.letters_to(FORM.email)[0].text, confirms=True))
    assert shown is not None
    assert (shown.campaign.edition_number, shown.edition_number, shown.campaign.is_public) == (None, None, False)
    assert "A letter to come" in shown.campaign.titles.values()
    with pytest.raises(endorsing.TextMoved):
        stage.write(endorsing.renew_endorsement, token=confirm(stage), now=utc_now())


# Those who pretend, or will not stop


IMPOSTORS: Final = {
    "another of its names": replace(FORM, organisation="Honest Friends", names={"fr": "KHMER  Alliance"}),
    "letters that look the same": replace(FORM, organisation="Khm\u0435r Alli\u0430nce", names={}),
    "the very name": replace(FORM, organisation="Khmer Alliance", names={}, website=""),
}


@on_one_database
@pytest.mark.parametrize("way", IMPOSTORS)
def test_whoever_has_a_name_of_another_is_flagged_and_does_not_sign_beside_it(stage: Stage, way: str) -> None:
    letter(stage)
    accepted(stage, replace(FORM, organisation="Khmer Alliance", names={"km": "សម្ព័ន្ធខ្មែរ"}))
    impostor = IMPOSTORS[way]
    impostor = replace(
        impostor, email="x@honest-friends.org", website=impostor.website and "https://honest-friends.org"
    )
    request(stage, impostor)
    confirm(stage, impostor.email)
    found = next(each for each in team(stage) if each.state == "waiting")
    assert found.resembles == "khmer-alliance.org"
    stage.sql_write("UPDATE endorsements SET proof = 'letter' WHERE state = 'waiting'")
    with pytest.raises(endorsing.SignedAlready):
        decide(stage, found.id)


@on_one_database
def test_a_domain_that_was_anothers_before_is_flagged_with_its_name(stage: Stage) -> None:
    letter(stage)
    accepted(stage)
    other = replace(FORM, organisation="Quite Another", names={}, email="x@khmer-alliance.org")
    request(stage, other)
    confirm(stage, other.email)
    assert next(each for each in team(stage) if each.state == "waiting").resembles == FORM.organisation


@on_one_database
def test_what_signed_under_an_embargo_elsewhere_is_told_to_nobody(stage: Stage) -> None:
    letter(stage)
    stage.campaign(kind="open_letter", signatories="both", slug="elsewhere", endorsements=[{"name": "Khmer Youth"}])
    asked = replace(FORM, organisation="Khmer Youth", names={})
    stage.sql_write("UPDATE campaigns SET state = 'draft' WHERE slug = 'elsewhere'")
    request(stage, asked)
    confirm(stage)
    assert team(stage)[0].resembles is None


@on_one_database
@pytest.mark.parametrize(
    "again",
    [
        replace(FORM, email="other@gmail.com", website=""),
        replace(FORM, organisation="Another name", names={}, email="other@khmer-alliance.org"),
        replace(FORM, organisation="Another name", names={}, website=""),
    ],
)
def test_what_a_moderator_took_out_does_not_come_back_by_another_form(stage: Stage, again: Asked) -> None:
    letter(stage)
    accepted(stage)
    by: dict[str, Any] = {"endorsement_id": team(stage)[0].id, "account_id": owner_id(stage), "now": utc_now()}
    stage.write(endorsing.remove_endorsement, because="", **by)
    request(stage, again, now=utc_now() + 2 * MINUTE)
    put_forward(stage)
    confirm(stage, again.email)
    stage.sql_write("UPDATE endorsements SET proof = 'letter' WHERE state = 'waiting'")
    found = next(each.id for each in team(stage) if each.state == "waiting")
    with pytest.raises(endorsing.RemovedBefore):
        decide(stage, found)
    decide(stage, found, is_accepted=False, because="No")


@on_one_database
def test_naming_somebody_else_is_one_letter_a_minute_and_five_a_day(stage: Stage) -> None:
    letter(stage)
    token = accepted(stage)
    for number in range(5):
        hand_over(stage, token, f"n{number}@khmer-alliance.org", ago=(20 - 2 * number) * MINUTE)
        with pytest.raises(endorsing.HandedOverLately):
            hand_over(stage, token, "soon@khmer-alliance.org", ago=(20 - 2 * number) * MINUTE)
    with pytest.raises(endorsing.HandedOverLately):
        hand_over(stage, token)
    assert stage.sql("SELECT count(*) FROM letters WHERE dedupe_key LIKE '%:successor:%'") == [(5,)]
    stage.sql_write("UPDATE letters SET due_at = due_at - 1")
    # One accepted before; the news of the day end with the fifth.
    assert len([each for each in stage.letters_to(FORM.email) if "/endorsement/confirm/" not in each.text]) <= 5


@on_one_database
@pytest.mark.parametrize("domain", ["khmer-alliance.org", "gmail.com"])
def test_what_was_shown_of_one_shows_nothing_of_the_next(stage: Stage, domain: str) -> None:
    letter(stage)
    request(stage)
    token = confirm(stage)
    stage.write(
        endorsing.send_authority_letter,
        token=token, content=b"x", media_type="image/png", keyring=stage.keyring, now=utc_now(),
    )  # fmt: skip
    hand_over(stage, token, f"next@{domain}", ago=2 * MINUTE)
    press(stage, token_in(stage.letters_to(f"next@{domain}")[-1].text, confirms=True))
    is_at_domain = domain != "gmail.com"
    assert (team(stage)[0].proof, authority_letters(stage)) == ("domain" if is_at_domain else None, [])
    told = stage.letters_to(OWNER)[-1].text
    assert ("is not at the domain" in told) is not is_at_domain
    assert "stays as it is" not in told


@on_one_database
def test_a_signature_keeps_its_proof_and_the_team_hears_where_the_next_mailbox_is(stage: Stage) -> None:
    letter(stage)
    hand_over(stage, accepted(stage), "next@gmail.com")
    press(stage, token_in(stage.letters_to("next@gmail.com")[-1].text, confirms=True))
    assert team(stage)[0].proof == "domain"
    told = stage.letters_to(OWNER)[-1].text
    assert "stays as it is" in told
    assert "is not at the domain" in told


@on_one_database
def test_made_up_forms_keep_the_genuine_one_out_for_an_hour_at_most(stage: Stage) -> None:
    letter(stage)
    begins = utc_now() - 2 * timedelta(hours=1)
    for number in range(5):
        request(stage, replace(FORM, role=f"Made up {number}"), now=begins + number * MINUTE)
    request(stage, now=utc_now())
    assert states(stage) == ["asked"] * 5  # no letter has gone out so far
    stage.sql_write("UPDATE letters SET state = 'sent', sent_at = created_at")
    request(stage, now=begins + 30 * MINUTE)
    assert states(stage) == ["asked"] * 5
    request(stage, now=utc_now() + 2 * MINUTE)
    assert states(stage) == ["expired", *["asked"] * 5]
    put_forward(stage)
    confirm(stage)
    assert team(stage)[0].said.role == FORM.role


@on_one_database
def test_what_nobody_decides_and_what_is_not_published_again_ends_after_ninety_days(stage: Stage) -> None:
    letter(stage)
    token = accepted(stage)
    request(stage, PUBLIC)
    waits = confirm(stage, PUBLIC.email)
    stage.write(
        endorsing.send_authority_letter,
        token=waits, content=b"x", media_type="image/png", keyring=stage.keyring, now=utc_now(),
    )  # fmt: skip
    stage.run(forget_all(stage.database, now=utc_now() + 89 * DAY))
    assert sorted(states(stage)) == ["accepted", "waiting"]
    put(stage, state="refused")
    stage.run(forget_all(stage.database, now=utc_now() + 91 * DAY))
    assert sorted(states(stage)) == ["accepted", "expired"]
    assert authority_letters(stage) == []
    assert own(stage, token).said.representative is None
    assert own(stage, waits).state == "expired"
    stage.run(forget_all(stage.database, now=utc_now() + 106 * DAY))
    assert states(stage) == ["accepted"]
    assert stage.read(find_own_endorsement, token=waits, keyring=stage.keyring) is None


@on_one_database
def test_a_campaign_that_went_back_lately_keeps_who_spoke(stage: Stage) -> None:
    letter(stage)
    token = accepted(stage)
    stage.sql_write("UPDATE campaigns SET state = 'draft', created_at = 0")

    def call_off(session: Session) -> None:
        record(session, what="call_off", now=utc_now(), campaign_id=campaign_of(session))

    stage.write(call_off)
    stage.run(forget_all(stage.database, now=utc_now() + 89 * DAY))
    assert own(stage, token).said.representative == FORM.representative
    stage.run(forget_all(stage.database, now=utc_now() + 91 * DAY))
    assert own(stage, token).said.representative is None
