"""Letters of authority and disputed organisations, as moderators see them."""

from __future__ import annotations

import io
from base64 import b64encode
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from PIL import Image
from sqlalchemy import select

from app.actions.complaints import Reported, report_campaign
from app.actions.endorsing import decide_authority_letter
from app.core.clock import utc_now
from app.core.keys import DataKey
from app.models import AuthorityLetter, Complaint, Endorsement, Record, open_campaign_key
from app.queries.campaigns import find_campaign
from tests.stage import on_one_database
from tests.web.html import Page
from tests.workspace.letters import add_endorsement, campaign_id, open_letter

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.stage import Organiser, Stage

LETTERS = "/en/moderation/authority"
DISPUTES = "/en/moderation/endorsements"
REASON = "The letter names somebody else."


def moderator(stage: Stage) -> Organiser:
    return stage.organiser("moderator@example.org", role="moderator")


def picture() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (4, 4), "white").save(content, "PNG")
    return content.getvalue()


def send(stage: Stage, endorsement_id: UUID, *, media_type: str = "image/png") -> UUID:
    """Put a letter of authority before the moderators, sealed as an upload is, and return its id."""
    letter_id, about = uuid4(), campaign_id(stage)

    def work(session: Session) -> None:
        key = open_campaign_key(session, campaign_id=about, keyring=stage.keyring)
        assert key is not None
        sealed = key.seal("authority_letters.content", letter_id, b64encode(picture()).decode())
        session.add(
            AuthorityLetter(
                id=letter_id,
                endorsement_id=endorsement_id,
                content=sealed,
                media_type=media_type,
                state="waiting",
                sent_at=utc_now(),
            )
        )

    stage.write(work)
    return letter_id


def dispute(stage: Stage, endorsement_id: UUID) -> UUID:
    complaint_id = uuid4()
    stage.write(
        report_campaign,
        complaint_id=complaint_id,
        campaign_id=campaign_id(stage),
        reported=Reported("not_authorised", "I am a member and nobody asked us.", "member@temple.example"),
        locale="en",
        address=None,
        keyring=stage.keyring,
        now=utc_now(),
        endorsement_id=endorsement_id,
    )
    return complaint_id


def endorsement(stage: Stage, endorsement_id: UUID) -> Endorsement:
    def work(session: Session) -> Endorsement:
        found = session.get_one(Endorsement, endorsement_id)
        session.expunge(found)
        return found

    return stage.read(work)


def names(stage: Stage) -> list[str]:
    """Return the organisations under the letter, as its page reads them: pages may be a second old."""
    campaign = stage.read(find_campaign, slug="libraries")
    assert campaign is not None
    return [each.name for each in campaign.endorsements]


def lines(stage: Stage, what: str) -> int:
    return len(stage.read(lambda session: list(session.scalars(select(Record).where(Record.what == what)))))


def test_a_letter_that_is_accepted_proves_an_organisation(stage: Stage) -> None:
    open_letter(stage)
    waits = add_endorsement(stage, proof=None, resembles="lake.example")
    letter_id, somebody = send(stage, waits), moderator(stage)
    one = f"{LETTERS}/{letter_id.hex}"
    assert one in Page(somebody.get(LETTERS).text).links
    words = Page(somebody.get(one).text).words
    for said in ("Temple of the Lake", "Sok Dara", "Director", "dara@temple.example", "lake.example"):
        assert said in words, said
    file = somebody.get(f"{one}/file")
    assert (file.status_code, file.headers["content-type"], file.content) == (200, "image/png", picture())
    assert file.headers["cache-control"] == "no-store"
    assert lines(stage, "authority_letter_read") == 1
    for _ in range(2):  # pressed twice
        answer = somebody.post(one, {"decision": "accepted", "because": ""})
        assert answer.headers["location"] == f"{LETTERS}?done=accepted"
    assert endorsement(stage, waits).proof == "letter"
    assert somebody.get(f"{one}/file").status_code == 404
    assert "It is erased" in somebody.get(one).text
    assert one not in Page(somebody.get(f"{LETTERS}?done=accepted").text).links


def test_a_letter_that_is_refused_needs_a_reason_which_the_representative_reads(stage: Stage) -> None:
    open_letter(stage)
    waits = add_endorsement(stage, proof=None)
    one, somebody = f"{LETTERS}/{send(stage, waits).hex}", moderator(stage)
    for form, field in (
        ({"decision": "refused", "because": ""}, "because"),
        ({"decision": "refused", "because": "x" * 10_000}, "because"),
        ({"decision": "", "because": ""}, "decision"),
    ):
        said = somebody.post(one, form)
        assert (said.status_code, list(Page(said.text).faults)) == (422, [field])
    said = somebody.post(one, {"decision": "refused", "because": REASON})
    assert said.headers["location"] == f"{LETTERS}?done=refused"
    assert endorsement(stage, waits).proof is None
    [letter] = stage.letters_to("dara@temple.example")
    assert REASON in letter.text


@on_one_database
def test_what_another_moderator_decided_first_is_said(stage: Stage) -> None:
    open_letter(stage)
    letter_id, somebody = send(stage, add_endorsement(stage, proof=None)), moderator(stage)
    other = stage.organiser("other@example.org", role="moderator")
    stage.write(
        decide_authority_letter,
        letter_id=letter_id,
        is_accepted=True,
        because="",
        account_id=other.account_id,
        now=utc_now(),
    )
    said = somebody.post(f"{LETTERS}/{letter_id.hex}", {"decision": "refused", "because": REASON})
    assert said.status_code == 409
    assert "it was decided in the meantime" in said.text


@on_one_database
def test_a_moderator_of_the_team_decides_nothing_of_it(stage: Stage) -> None:
    slug, somebody = open_letter(stage), moderator(stage)
    stage.join(slug, somebody)
    waits = add_endorsement(stage, proof=None)
    one = f"{LETTERS}/{send(stage, waits).hex}"
    for address in (one, f"{one}/file", f"{DISPUTES}/{waits.hex}"):
        assert somebody.get(address).status_code == 404
    assert somebody.post(one, {"decision": "accepted"}).status_code == 404
    assert somebody.post(f"{DISPUTES}/{waits.hex}", {"action": "remove", "because": REASON}).status_code == 404
    assert lines(stage, "authority_letter_read") == 0
    assert lines(stage, "refused") == 5
    for name in ("x", uuid4().hex):
        assert somebody.get(f"{LETTERS}/{name}").status_code == 404
        assert somebody.get(f"{DISPUTES}/{name}").status_code == 404


@on_one_database
def test_what_is_no_picture_is_downloaded(stage: Stage) -> None:
    open_letter(stage)
    letter_id = send(stage, add_endorsement(stage, proof=None), media_type="text/html")
    somebody = moderator(stage)
    assert "<img class" not in somebody.get(f"{LETTERS}/{letter_id.hex}").text
    file = somebody.get(f"{LETTERS}/{letter_id.hex}/file")
    assert file.headers["content-type"] == "application/octet-stream"
    assert file.headers["content-disposition"] == "attachment"


def test_a_disputed_organisation_is_marked_taken_out_and_brought_back(stage: Stage) -> None:
    open_letter(stage)
    signed = add_endorsement(stage, state="accepted", position=7, decided_at=utc_now())
    complaint_id, somebody = dispute(stage, signed), moderator(stage)
    one = f"{DISPUTES}/{signed.hex}"
    assert one in Page(somebody.get(f"/en/moderation/complaints/{complaint_id.hex}").text).links
    listed = somebody.get(DISPUTES)
    assert one in Page(listed.text).links
    assert "1 open report" in Page(listed.text).words
    page = Page(somebody.get(one).text)
    assert f"/en/moderation/complaints/{complaint_id.hex}" in page.links
    for action in ("dispute", "dispute", "undispute", "dispute"):
        assert somebody.post(one, {"action": action}).headers["location"] == f"{one}?done={action}"
    assert endorsement(stage, signed).disputed_at is not None
    assert "Disputed" in Page(somebody.get(DISPUTES).text).words
    empty = somebody.post(one, {"action": "remove", "because": " "})
    assert (empty.status_code, list(Page(empty.text).faults)) == (422, ["because"])
    taken = somebody.post(one, {"action": "remove", "because": REASON})
    assert taken.headers["location"] == f"{one}?done=remove"
    assert (endorsement(stage, signed).state, endorsement(stage, signed).position) == ("removed", 7)
    assert names(stage) == ["Khmer Canadian Association", "Amis du Cambodge"]
    letters = [letter.text for letter in stage.letters_to("dara@temple.example")]
    assert any(REASON in text for text in letters)
    late = somebody.post(one, {"action": "dispute"})
    assert (late.status_code, "This is how it stands now." in late.text) == (409, True)
    assert somebody.post(one, {"action": "restore"}).headers["location"] == f"{one}?done=restore"
    assert (endorsement(stage, signed).state, endorsement(stage, signed).position) == ("accepted", 7)
    assert names(stage)[2:] == ["Temple of the Lake"]
    assert somebody.post(one, {"action": "erase"}).status_code == 400
    said = somebody.post(f"/en/moderation/complaints/{complaint_id.hex}", {"outcome": "organisation"})
    assert said.status_code == 303


@on_one_database
def test_one_whose_name_has_signed_meanwhile_is_not_brought_back(stage: Stage) -> None:
    open_letter(stage)
    taken = add_endorsement(stage, state="removed", position=7, decided_at=utc_now(), because=REASON)
    add_endorsement(stage, state="accepted", position=8, decided_at=utc_now(), email="another@temple.example")
    said = moderator(stage).post(f"{DISPUTES}/{taken.hex}", {"action": "restore"})
    assert said.status_code == 409
    assert "an organisation of this name has signed in the meantime" in said.text


@on_one_database
@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "{{7*7}}", '#read("/etc/passwd")'])
def test_what_looks_like_code_is_shown_as_text(stage: Stage, text: str) -> None:
    open_letter(stage)
    signed = add_endorsement(
        stage, name=text, name_key=text, representative=text, role=text, state="accepted", position=7,
        decided_at=utc_now(), disputed_at=utc_now(),
    )  # fmt: skip
    letter_id, complaint_id, somebody = send(stage, signed), dispute(stage, signed), moderator(stage)
    for address in (
        LETTERS,
        f"{LETTERS}/{letter_id.hex}",
        DISPUTES,
        f"{DISPUTES}/{signed.hex}",
        f"/en/moderation/complaints/{complaint_id.hex}",
    ):
        page = somebody.get(address)
        assert page.status_code == 200, address
        assert "<script>alert" not in page.text


@on_one_database
def test_nothing_waits_and_nothing_is_disputed(stage: Stage) -> None:
    open_letter(stage)
    somebody = moderator(stage)
    assert "No letter of authority waits." in somebody.get(LETTERS).text
    assert "No organisation is disputed." in somebody.get(DISPUTES).text
    gone = add_endorsement(stage, state="withdrawn", position=9)
    assert "Nothing: it does not stand under the text." in somebody.get(f"{DISPUTES}/{gone.hex}").text
    unconfirmed = add_endorsement(stage, state="asked", email="x@temple.example")
    assert somebody.get(f"{DISPUTES}/{unconfirmed.hex}").status_code == 404
    assert stage.read(lambda session: list(session.scalars(select(Complaint)))) == []


@on_one_database
def test_lists_open_nothing_and_each_look_is_on_record(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    open_letter(stage)
    waits = add_endorsement(stage, proof=None)
    letter_id, somebody = send(stage, waits), moderator(stage)
    signed = add_endorsement(stage, state="accepted", position=9)
    dispute(stage, signed)
    dispute(stage, waits)
    with monkeypatch.context() as patched:
        unsealed = DataKey.open

        def see(key: DataKey, place: str, row: UUID, sealed: bytes) -> str:
            assert not place.startswith(("endorsements.", "authority_letters.")), place
            return unsealed(key, place, row, sealed)

        patched.setattr(DataKey, "open", see)
        for listed in (somebody.get(LETTERS), somebody.get(DISPUTES)):
            assert "Temple of the Lake" in listed.text
    assert (lines(stage, "authority_letter_opened"), lines(stage, "endorsement_read")) == (0, 0)
    somebody.get(f"{LETTERS}/{letter_id.hex}")
    somebody.get(f"{DISPUTES}/{signed.hex}")
    assert (lines(stage, "authority_letter_opened"), lines(stage, "endorsement_read")) == (1, 1)
    stage.join("libraries", somebody)
    for listed in (somebody.get(LETTERS), somebody.get(DISPUTES)):
        assert "Temple of the Lake" not in listed.text
