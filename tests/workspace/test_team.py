"""Teams: invited by mail, joined once, roles changed, left; never without an owner."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, update

from app.actions import teams
from app.core.clock import utc_now
from app.models import Account, Invitation, Letter, Member, Passkey, Token
from app.web.sessions import session_cookie
from tests.stage import on_one_database
from tests.web.html import Page

if TYPE_CHECKING:
    import httpx
    from sqlalchemy.orm import Session

    from tests.stage import Organiser, Stage

SLUG = "libraries"
AT = f"/en/workspace/campaigns/{SLUG}"
TEAM = f"{AT}/team"


@pytest.fixture
def owner(stage: Stage) -> Organiser:
    """Bring the only owner of a campaign."""
    stage.campaign()
    return stage.organiser("organiser@example.org")


def invite(owner: Organiser, email: str = "dara@example.org", **changes: Any) -> httpx.Response:  # noqa: ANN401 - fields
    """Invite a translator for Khmer."""
    fields = {"do": "invite", "once": uuid4().hex, "email": email, "role": "translator", "locales": "km",
              "locale": "en", **changes}  # fmt: skip
    return owner.post(TEAM, fields)


def link_in(stage: Stage, address: str) -> str:
    """Return the address that the newest invitation leads to."""
    letter = [each for each in stage.letters_to(address) if "/workspace/invitation/" in each.text][-1]
    found = re.search(r"/en/workspace/invitation/[\w-]{43}", letter.text)
    assert found is not None, letter.text
    return found[0]


def roles(stage: Stage) -> list[str]:
    """Return the roles of the team, in the order in which they came."""
    return [role for (role,) in stage.sql("SELECT role FROM members ORDER BY joined_at")]


def change(stage: Stage, table: Any, **values: object) -> None:  # noqa: ANN401 - a table
    """Change every row of a table."""

    def work(session: Session) -> None:
        session.execute(update(table).values(**values))

    stage.write(work)


def join(stage: Stage, email: str, role: str) -> Organiser:
    """Bring somebody into the team."""
    somebody = stage.organiser(email)
    stage.join(SLUG, somebody, role, ["km"] if role == "translator" else [])
    return somebody


def records(stage: Stage) -> list[str]:
    """Return what was put on record, without imports and sessions."""
    rows = stage.sql("SELECT what FROM records WHERE what NOT IN ('imported', 'signed_in') ORDER BY id")
    return [what for (what,) in rows]


# Seeing


def test_owners_see_addresses_and_others_names(stage: Stage, owner: Organiser) -> None:
    viewer = join(stage, "viewer@example.org", "viewer")
    for locale in ("km", "en", "fr"):
        path = f"/{locale}/workspace/campaigns/{SLUG}/team"
        page = Page(owner.get(path).text)
        assert page.lang == locale
        assert "viewer@example.org" in page.words
        assert "invite" in owner.get(path).text
        seen = viewer.get(path).text
        assert "organiser@example.org" not in seen
        assert "viewer@example.org" not in seen
    assert "Somebody without a name yet" in Page(viewer.get(TEAM).text).words
    _name(stage, owner, "ចាន់ ដារា")
    assert "ចាន់ ដារា" in Page(viewer.get(TEAM).text).words
    assert invite(viewer).status_code == 404


def _name(stage: Stage, somebody: Organiser, name: str) -> None:
    from app.models import open_account_key

    def work(session: Session) -> None:
        key = open_account_key(session, keyring=stage.keyring)
        assert key is not None
        sealed = key.seal("accounts.name", somebody.account_id, name)
        session.execute(update(Account).where(Account.id == somebody.account_id).values(name=sealed))

    stage.write(work)


# Inviting


def test_a_translator_is_invited_and_joins_in_one_press(stage: Stage, owner: Organiser) -> None:
    _name(stage, owner, "Sok Sophea")
    assert invite(owner, locale="fr").headers["location"] == TEAM
    page = Page(owner.get(TEAM).text)
    assert "dara@example.org" in page.words
    letter = stage.letters_to("dara@example.org")[0]
    assert letter.mail["Subject"]
    assert "Khmer books" not in letter.mail["Subject"]
    assert "Sok Sophea" in letter.text
    assert "Sok Sophea" in letter.html
    assert "ខ្មែរ" in letter.text
    path = link_in(stage, "dara@example.org")
    browser = stage.new_browser()
    for _ in range(3):
        page = Page(stage.get(path, browser=browser).text)
    assert "Sok Sophea" in page.words
    assert "Translator" in page.words
    assert roles(stage) == ["owner"]
    assert stage.post(path, {"accept": "yes"}, browser=browser).status_code == 422
    response = stage.post(path, {"accept": "yes", "invited": "yes"}, browser=browser)
    assert response.status_code == 303
    assert response.headers["location"] == AT
    assert stage.get(f"{AT}/team", browser=browser).status_code == 200
    assert roles(stage) == ["owner", "translator"]
    assert records(stage) == ["invited", "joined"]
    notice = stage.letters_to("organiser@example.org")[-1]
    assert "Somebody joined your team" in notice.text
    assert "dara@example.org" in notice.text
    assert "Somebody joined your team" in notice.html


def test_an_invitation_works_once(stage: Stage, owner: Organiser) -> None:
    invite(owner)
    path = link_in(stage, "dara@example.org")
    assert stage.post(path, {"accept": "yes", "invited": "yes"}).status_code == 303
    thief = stage.new_browser()
    response = stage.post(path, {"accept": "yes", "invited": "yes"}, browser=thief)
    assert response.status_code == 200
    assert session_cookie(stage.settings) not in thief.cookies
    assert "accepted" in Page(response.text).words
    assert stage.post(path, {"decline": "yes", "invited": "yes"}, browser=thief).status_code == 200
    assert roles(stage) == ["owner", "translator"]


def test_an_invitation_that_is_declined_is_over_and_owners_hear_of_it(stage: Stage, owner: Organiser) -> None:
    invite(owner)
    path = link_in(stage, "dara@example.org")
    assert stage.post(path, {"decline": "yes"}).status_code == 422
    response = stage.post(path, {"decline": "yes", "invited": "yes"})
    assert response.headers["location"] == path
    assert "declined" in Page(stage.get(path).text).words
    assert "An invitation was declined" in stage.letters_to("organiser@example.org")[-1].text
    assert stage.sql("SELECT count(*) FROM accounts") == [(1,)]
    assert records(stage) == ["invited", "declined"]
    assert invite(owner).status_code == 303


def test_whoever_is_signed_in_with_the_address_needs_no_box_and_keeps_the_session(
    stage: Stage, owner: Organiser
) -> None:
    dara = stage.organiser("dara@example.org")
    invite(owner)
    path = link_in(stage, "dara@example.org")
    assert "invited" not in Page(dara.get(path).text).fields
    token = dara.form_token
    response = stage.post(path, {"accept": "yes"}, browser=dara.browser)
    assert response.headers["location"] == AT
    assert dara.form_token == token
    assert roles(stage) == ["owner", "translator"]


def test_somebody_else_who_is_signed_in_is_told_and_then_signed_in_anew(stage: Stage, owner: Organiser) -> None:
    invite(owner)
    path = link_in(stage, "dara@example.org")
    page = Page(owner.get(path).text)
    assert "You are signed in here with another address" in page.words
    assert stage.post(path, {"accept": "yes", "invited": "yes"}, browser=owner.browser).status_code == 303
    assert "dara@example.org" in Page(owner.get("/en/workspace/account").text).words


def test_an_account_with_a_second_step_joins_and_then_signs_in_as_ever(stage: Stage, owner: Organiser) -> None:
    dara = stage.organiser("dara@example.org")

    def work(session: Session) -> None:
        session.add(
            Passkey(id=uuid4(), account_id=dara.account_id, credential_id=b"1", public_key=b"1", sign_count=0,
                    transports=[], label="", created_at=utc_now())
        )  # fmt: skip

    stage.write(work)
    invite(owner)
    browser = stage.new_browser()
    response = stage.post(link_in(stage, "dara@example.org"), {"accept": "yes", "invited": "yes"}, browser=browser)
    assert response.headers["location"] == "/en/workspace/sign-in?next=%2Fen%2Fworkspace%2Fcampaigns%2Flibraries"
    assert session_cookie(stage.settings) not in browser.cookies
    assert roles(stage) == ["owner", "translator"]


def test_a_disabled_account_cannot_join(stage: Stage, owner: Organiser) -> None:
    dara = stage.organiser("dara@example.org")
    invite(owner)
    path = link_in(stage, "dara@example.org")

    def work(session: Session) -> None:
        session.execute(update(Account).where(Account.id == dara.account_id).values(state="disabled"))

    stage.write(work)
    assert stage.post(path, {"accept": "yes", "invited": "yes"}).status_code == 410
    assert roles(stage) == ["owner"]


def test_unknown_links_are_not_found_and_old_ones_gone(stage: Stage, owner: Organiser) -> None:
    for token in ("x" * 43, "short", "x" * 44):
        assert stage.get(f"/en/workspace/invitation/{token}").status_code == 404
        assert stage.post(f"/en/workspace/invitation/{token}", {"accept": "yes"}).status_code == 404
    assert stage.get(f"/de/workspace/invitation/{'x' * 43}").status_code == 404
    invite(owner)
    path = link_in(stage, "dara@example.org")
    flipped = path[:-1] + ("A" if path[-1] != "A" else "E")
    assert stage.get(flipped).status_code == 404
    change(stage, Token, expires_at=utc_now() - timedelta(seconds=1))
    assert stage.get(path).status_code == 410
    assert stage.post(path, {"accept": "yes", "invited": "yes"}).status_code == 410
    assert roles(stage) == ["owner"]


def test_a_link_that_runs_out_while_the_page_is_open_is_gone(stage: Stage, owner: Organiser) -> None:
    invite(owner)
    token = link_in(stage, "dara@example.org").rpartition("/")[2]
    change(stage, Token, expires_at=utc_now() - timedelta(seconds=1))
    with pytest.raises(teams.InvitationEnded):
        stage.write(teams.decline_invitation, token=token, now=utc_now())


def test_an_invitation_that_is_taken_back_is_gone(stage: Stage, owner: Organiser) -> None:
    invite(owner)
    path = link_in(stage, "dara@example.org")
    invitation = Page(owner.get(TEAM).text).fields["invitation"][0]
    assert owner.post(TEAM, {"do": "take_back", "invitation": invitation}).status_code == 303
    assert stage.get(path).status_code == 410
    assert stage.post(path, {"accept": "yes", "invited": "yes"}).status_code == 410
    response = owner.post(TEAM, {"do": "take_back", "invitation": invitation})
    assert response.status_code == 422
    assert "answered or taken back" in Page(response.text).words
    assert owner.post(TEAM, {"do": "again", "invitation": invitation}).status_code == 422
    assert records(stage) == ["invited", "invitation_taken_back"]


def test_a_letter_that_waited_until_the_invitation_was_taken_back_is_not_sent(stage: Stage, owner: Organiser) -> None:
    invite(owner)
    invitation = Page(owner.get(TEAM).text).fields["invitation"][0]
    owner.post(TEAM, {"do": "take_back", "invitation": invitation})
    assert stage.letters_to("dara@example.org") == []
    assert stage.sql("SELECT state FROM letters") == [("dropped",)]


def test_sending_again_gives_another_week_up_to_three_letters(stage: Stage, owner: Organiser) -> None:
    invite(owner)
    first = link_in(stage, "dara@example.org")
    change(stage, Invitation, expires_at=utc_now() - timedelta(days=1))
    assert stage.get(first).status_code == 410
    page = Page(owner.get(TEAM).text)
    assert "too old" in page.words
    again = {"do": "again", "invitation": page.fields["invitation"][0]}
    assert owner.post(TEAM, again).status_code == 303
    second = link_in(stage, "dara@example.org")
    assert second != first
    assert stage.get(second).status_code == 200
    assert owner.post(TEAM, again).status_code == 303
    assert owner.post(TEAM, again).status_code == 422
    assert stage.post(second, {"accept": "yes", "invited": "yes"}).status_code == 303


@on_one_database
def test_a_letter_that_bounced_is_shown(stage: Stage, owner: Organiser) -> None:
    invite(owner)
    stage.deliver()
    change(stage, Letter, state="bounced")
    assert "could not be delivered" in Page(owner.get(TEAM).text).words


@on_one_database
def test_an_invitation_that_cannot_be_sent_says_why(stage: Stage, owner: Organiser) -> None:
    for changes, field in (
        ({"email": "nobody"}, "email"),
        ({"role": "king"}, "role"),
        ({"locales": ""}, "locales"),
        ({"locale": "de"}, "locale"),
        ({"email": "ORGANISER@example.org"}, "email"),
    ):
        response = invite(owner, **changes)
        page = Page(response.text)
        assert response.status_code == 422
        assert [name for name, _ in page.summary] == [field]
        assert page.fields["email"] == [changes.get("email", "dara@example.org")]
    assert stage.sql("SELECT count(*) FROM invitations") == [(0,)]
    assert invite(owner, email="organiser+x@example.org", role="viewer").status_code == 303


def test_inviting_twice_invites_once(stage: Stage, owner: Organiser) -> None:
    once = uuid4().hex
    assert invite(owner, once=once).status_code == 303
    assert invite(owner, once=once).status_code == 303
    assert invite(owner).status_code == 422
    assert stage.sql("SELECT count(*) FROM invitations WHERE role = 'translator'") == [(1,)]
    assert len(stage.letters_to("dara@example.org")) == 1


@on_one_database
def test_an_account_may_not_fill_strangers_mailboxes(
    stage: Stage, owner: Organiser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teams, "INVITATIONS_A_DAY", 2)
    assert [invite(owner, f"a{number}@example.org").status_code for number in range(3)] == [303, 303, 422]


@on_one_database
def test_a_form_that_asks_for_nothing_known_is_none_of_ours(stage: Stage, owner: Organiser) -> None:
    assert owner.post(TEAM, {"do": "dance"}).status_code == 400
    assert owner.post(TEAM, {"do": "remove", "member": "x"}).status_code == 400


# On the first page


def test_invitations_to_my_address_wait_on_the_first_page(stage: Stage, owner: Organiser) -> None:
    dara = stage.organiser("dara@example.org")
    invite(owner)
    page = Page(dara.get("/en/workspace").text)
    assert "You are invited" in page.words
    answer = {"invitation": page.fields["invitation"][0]}
    stranger = stage.organiser("stranger@example.org")
    assert stranger.post("/en/workspace", answer | {"accept": "yes"}).status_code == 422
    assert dara.post("/en/workspace", answer | {"accept": "yes"}).headers["location"] == AT
    assert dara.post("/en/workspace", answer | {"accept": "yes"}).status_code == 422
    assert roles(stage) == ["owner", "translator"]
    assert "You are invited" not in Page(dara.get("/en/workspace").text).words


def test_an_invitation_can_be_declined_on_the_first_page(stage: Stage, owner: Organiser) -> None:
    dara = stage.organiser("dara@example.org")
    invite(owner)
    answer = {"invitation": Page(dara.get("/en/workspace").text).fields["invitation"][0], "decline": "yes"}
    assert dara.post("/en/workspace", answer).headers["location"] == "/en/workspace"
    assert roles(stage) == ["owner"]


def test_who_is_in_the_team_by_then_keeps_their_role(stage: Stage, owner: Organiser) -> None:
    invite(owner)
    join(stage, "dara@example.org", "editor")
    assert stage.post(link_in(stage, "dara@example.org"), {"accept": "yes", "invited": "yes"}).status_code == 303
    assert roles(stage) == ["owner", "editor"]


# Changing, removing, leaving


def test_roles_are_changed_by_owners(stage: Stage, owner: Organiser) -> None:
    viewer = join(stage, "viewer@example.org", "viewer")
    member = {"do": "role", "member": viewer.account_id.hex}
    assert owner.post(TEAM, member | {"role": "translator"}).status_code == 422
    assert owner.post(TEAM, member | {"role": "translator", "locales": "fr"}).status_code == 303
    assert "Français" in Page(viewer.get(TEAM).text).words
    assert owner.post(TEAM, member | {"role": "editor", "locales": "fr"}).status_code == 303
    assert roles(stage) == ["owner", "editor"]
    assert viewer.post(TEAM, member | {"role": "owner"}).status_code == 404
    assert owner.post(TEAM, member | {"role": "", "member": uuid4().hex}).status_code == 422
    gone = owner.post(TEAM, {"do": "role", "role": "viewer", "member": uuid4().hex})
    assert "left the team in the meantime" in Page(gone.text).words


def test_handing_over_takes_the_contact_address_along(stage: Stage, owner: Organiser) -> None:
    heir = join(stage, "heir@example.org", "editor")
    refused = owner.post(f"{TEAM}/leave", {})
    assert refused.status_code == 422
    assert "Make somebody else an owner first" in Page(refused.text).words
    assert owner.post(TEAM, {"do": "role", "member": heir.account_id.hex, "role": "owner"}).status_code == 303
    assert owner.get(f"{TEAM}/leave").status_code == 200
    assert owner.post(f"{TEAM}/leave", {}).headers["location"] == "/en/workspace"
    assert owner.get(TEAM).status_code == 404
    assert "heir@example.org" in Page(heir.get(f"{AT}/settings").text).words
    assert "organiser@example.org" not in Page(heir.get(f"{AT}/settings").text).words
    letter = stage.letters_to("heir@example.org")[-1]
    assert "Somebody left your team" in letter.text
    assert "organiser@example.org" in letter.text
    assert records(stage)[-2:] == ["left", "refused"]


def test_an_owner_who_steps_down_gives_the_contact_address_away(stage: Stage, owner: Organiser) -> None:
    heir = join(stage, "heir@example.org", "owner")
    assert owner.post(TEAM, {"do": "role", "member": owner.account_id.hex, "role": "viewer"}).status_code == 303
    assert "heir@example.org" in Page(heir.get(f"{AT}/settings").text).words


def test_another_contact_address_stays_when_an_owner_leaves(stage: Stage, owner: Organiser) -> None:
    heir = join(stage, "heir@example.org", "owner")
    assert heir.post(f"{TEAM}/leave", {}).status_code == 303
    assert "organiser@example.org" in Page(owner.get(f"{AT}/settings").text).words
    notice = stage.letters_to("organiser@example.org")[-1]
    assert "heir@example.org" in notice.text


def test_members_are_removed_by_owners(stage: Stage, owner: Organiser) -> None:
    viewer = join(stage, "viewer@example.org", "viewer")
    assert owner.post(TEAM, {"do": "remove", "member": viewer.account_id.hex}).status_code == 303
    assert viewer.get(TEAM).status_code == 404
    (letter,) = stage.letters_to("viewer@example.org")
    assert letter.mail["Subject"] == "News about your team"
    for said in (letter.text, letter.html):
        assert "You are no longer in this team" in said
        assert "Khmer books in every library" in said
        assert SLUG not in said
    assert stage.letters_to("organiser@example.org") == []
    response = owner.post(TEAM, {"do": "remove", "member": viewer.account_id.hex})
    assert "left the team in the meantime" in Page(response.text).words


@pytest.mark.parametrize("do", [{"do": "remove"}, {"do": "role", "role": "editor"}])
def test_the_last_owner_stays(stage: Stage, owner: Organiser, do: dict[str, str]) -> None:
    join(stage, "editor@example.org", "editor")
    response = owner.post(TEAM, do | {"member": owner.account_id.hex})
    assert response.status_code == 422
    assert "needs an owner" in Page(response.text).words
    assert sorted(roles(stage)) == ["editor", "owner"]


def test_an_owner_who_is_disabled_does_not_count(stage: Stage, owner: Organiser) -> None:
    other = join(stage, "other@example.org", "owner")

    def work(session: Session) -> None:
        session.execute(update(Account).where(Account.id == other.account_id).values(state="disabled"))

    stage.write(work)
    assert owner.post(f"{TEAM}/leave", {}).status_code == 422
    assert owner.post(TEAM, {"do": "remove", "member": other.account_id.hex}).status_code == 303


def test_whoever_is_no_owner_by_then_manages_nothing(stage: Stage, owner: Organiser) -> None:
    viewer = join(stage, "viewer@example.org", "viewer")
    arguments: dict[str, Any] = {"campaign_id": _campaign_id(stage), "account_id": viewer.account_id, "now": utc_now()}
    for action in (teams.invite_again, teams.take_back_invitation):
        with pytest.raises(teams.NotAllowedAnyMore):
            stage.write(action, invitation_id=uuid4(), **arguments)
    with pytest.raises(teams.NotAllowedAnyMore):
        stage.write(teams.remove_member, member_id=owner.account_id, keyring=stage.keyring, **arguments)
    with pytest.raises(teams.MemberNotFound):
        stage.write(teams.leave_team, **arguments | {"account_id": uuid4()}, keyring=stage.keyring)


def _campaign_id(stage: Stage) -> UUID:
    from sqlalchemy import select

    return stage.read(lambda session: session.scalars(select(Member.campaign_id).limit(1)).one())


def test_what_changed_while_a_page_was_open_is_not_found(
    stage: Stage, owner: Organiser, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Between the gate and the action: who asks is taken out of the team.
    def first_taken_out(action: Any) -> Any:  # noqa: ANN401 - an action
        def act(session: Session, **arguments: Any) -> None:  # noqa: ANN401 - its own
            session.execute(delete(Member).where(Member.account_id == arguments["account_id"]))
            action(session, **arguments)

        return act

    join(stage, "other@example.org", "owner")
    monkeypatch.setattr(teams, "leave_team", first_taken_out(teams.leave_team))
    monkeypatch.setattr(teams, "invite", first_taken_out(teams.invite))
    assert owner.post(f"{TEAM}/leave", {}).status_code == 404
    assert invite(owner).status_code == 404
    assert roles(stage) == ["owner", "owner"]


def test_a_new_owner_is_not_told_of_themselves(stage: Stage, owner: Organiser) -> None:
    invite(owner, role="owner", locales="")
    stage.post(link_in(stage, "dara@example.org"), {"accept": "yes", "invited": "yes"})
    assert roles(stage) == ["owner", "owner"]
    assert len(stage.letters_to("organiser@example.org")) == 1
    assert len(stage.letters_to("dara@example.org")) == 1


@pytest.mark.parametrize("way", ["leave", "remove"])
def test_of_two_owners_who_go_at_the_same_moment_one_remains(stage: Stage, owner: Organiser, way: str) -> None:
    other = join(stage, "other@example.org", "owner")
    people = (owner.account_id, other.account_id)
    scope: dict[str, Any] = {"campaign_id": _campaign_id(stage), "keyring": stage.keyring, "now": utc_now()}

    async def race() -> list[object]:
        # Several times over, so that on each database some of them do meet.
        if way == "leave":
            calls = [
                stage.database.write(teams.leave_team, account_id=each, **scope) for each in people for _ in range(8)
            ]
        else:
            calls = [
                stage.database.write(teams.remove_member, account_id=one, member_id=two, **scope)
                for one, two in (people, people[::-1])
                for _ in range(8)
            ]
        return await asyncio.gather(*calls, return_exceptions=True)

    results = stage.run(race())
    assert results.count(None) == 1
    assert {type(each) for each in results if each is not None} <= {
        teams.LastOwner,
        teams.MemberNotFound,
        teams.NotAllowedAnyMore,
    }
    assert roles(stage) == ["owner"]


def test_people_sign_while_a_team_changes(stage: Stage, owner: Organiser) -> None:
    other = join(stage, "other@example.org", "owner")

    async def both() -> tuple[httpx.Response, None]:
        from tests.stage import good_form

        browser = stage.new_browser()
        form = {**good_form(), "claims": "citizen_of:CA"}
        return await asyncio.gather(
            browser.post(f"/en/campaigns/{SLUG}/sign", data=form),
            stage.database.write(
                teams.leave_team,
                campaign_id=campaign_id,
                account_id=other.account_id,
                keyring=stage.keyring,
                now=utc_now(),
            ),
        )

    campaign_id = _campaign_id(stage)
    response, _ = stage.run(both())
    assert response.status_code == 303
    assert roles(stage) == ["owner"]


# Letters


def test_notices_go_to_owners_alone_and_not_to_those_who_are_none_by_then(stage: Stage, owner: Organiser) -> None:
    other = join(stage, "other@example.org", "owner")
    join(stage, "editor@example.org", "editor")
    invite(owner)
    path = link_in(stage, "dara@example.org")
    stage.post(path, {"accept": "yes", "invited": "yes"})
    owner.post(TEAM, {"do": "role", "member": other.account_id.hex, "role": "viewer"})
    assert len(stage.letters_to("organiser@example.org")) == 1
    assert stage.letters_to("other@example.org") == []
    assert stage.letters_to("editor@example.org") == []


def test_whoever_is_in_the_team_again_is_not_told_of_being_removed(stage: Stage, owner: Organiser) -> None:
    viewer = join(stage, "viewer@example.org", "viewer")
    owner.post(TEAM, {"do": "remove", "member": viewer.account_id.hex})
    join(stage, "viewer@example.org", "editor")
    assert stage.letters_to("viewer@example.org") == []


def test_a_notice_about_an_account_that_is_gone_is_dropped(stage: Stage, owner: Organiser) -> None:
    viewer = join(stage, "viewer@example.org", "viewer")
    assert viewer.post(f"{TEAM}/leave", {}).status_code == 303
    stage.write(_forget_account, account_id=viewer.account_id)
    assert stage.letters_to("organiser@example.org") == []


def _forget_account(session: Session, *, account_id: UUID) -> None:
    session.delete(session.get_one(Account, account_id))


def test_letters_of_a_campaign_whose_key_is_destroyed_are_dropped(stage: Stage, owner: Organiser) -> None:
    invite(owner)
    viewer = join(stage, "viewer@example.org", "viewer")
    viewer.post(f"{TEAM}/leave", {})
    stage.write(_destroy_key)
    assert stage.deliver() == []
    join(stage, "other@example.org", "owner")
    assert owner.post(f"{TEAM}/leave", {}).status_code == 303


def _destroy_key(session: Session) -> None:
    from app.models import CampaignKey

    session.execute(delete(CampaignKey))
