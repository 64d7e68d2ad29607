"""Letters that come back: the address they come back to, the reports that relays write, and what is never believed."""

from __future__ import annotations

import dataclasses
import io
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from app import cli
from app.actions.bounces import take_report
from app.core.clock import utc_now
from app.core.keys import Keyring
from app.mail.outbox import owe_letter
from app.mail.reports import bounce_address, find_letter, read_report
from app.models import Campaign, Letter, Signature
from app.settings import BadSettingsError, Settings
from tests.signers import insert_signers
from tests.stage import on_one_database

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.mail.reports import Report
    from tests.mail.conftest import Post
    from tests.stage import Stage

TO: Final = "bounces@example.org"
KEYS: Final = Keyring({1: b"k" * 32}, {1: b"s" * 32})

#: As Postfix 3 writes it, shortened.
POSTFIX: Final = """\
Return-Path: <>
X-Original-To: {to}
From: MAILER-DAEMON@relay.example.org (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {to}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example.org
X-Postfix-Queue-ID: 4B3F

Final-Recipient: rfc822; sokha@example.org
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 no such user

--b
Content-Type: message/rfc822

From: Hatthalekha <no-reply@localhost>
Subject: News you asked for

Hello
--b--
"""
#: As Exim 4 writes it where it makes no report.
EXIM: Final = """\
Return-path: <>
Envelope-to: {to}
From: Mail Delivery System <Mailer-Daemon@relay.example.org>
X-Failed-Recipients: sokha@example.org
Auto-Submitted: auto-replied
Subject: Mail delivery failed: returning message to sender

A message that you sent could not be delivered to one or more of its recipients.
  {said}
"""
QMAIL: Final = """\
Return-Path: <>
Delivered-To: {to}
From: MAILER-DAEMON@old.example.org
Subject: failure notice

Hi. This is the qmail-send program at old.example.org.
This is a permanent error; I've given up. Sorry it didn't work out.
{said}
"""
AWAY: Final = """\
Return-Path: <sokha@example.org>
From: Sokha <sokha@example.org>
To: {to}
Auto-Submitted: auto-replied
Subject: Away

I am away until 5.1.1 of the plan is done.
"""


def report(template: str = POSTFIX, to: str = TO, **said: str) -> bytes:
    values = {"to": to, "action": "failed", "status": "5.1.1", "said": "550 5.1.1 no such user.", **said}
    return template.format(**values).encode()


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (report(), "5.1.1"),
        (report(status="5.2.2 (full)"), "5.2.2"),
        (report(action="Failed", status="nonsense"), "5.0.0"),
        (report(status="4.4.7"), "4.4.7"),
        (report(action="delayed", status="4.4.1"), None),
        (report(action="delivered", status="2.0.0"), None),
        (report(action="relayed", status="2.0.0"), None),
        (report(EXIM), "5.1.1"),
        (report(EXIM, said="unrouteable address"), "5.0.0"),
        (report(EXIM, said="451 4.3.0 try later"), None),
        (report(QMAIL, said=""), "5.0.0"),
        (report(QMAIL).replace(b"permanent", b"temporary").replace(b"given up", b"hope"), "5.1.1"),
        (report(QMAIL, said="").replace(b"permanent", b"temporary"), None),
        (report(AWAY), None),
        (report(AWAY).replace(b"<sokha@example.org>\nFrom", b"<>\nFrom", 1), None),
        (b"Return-Path: <>\nTo: a@b.c\nContent-Type: text/html\n\n<p>5.1.1</p>", None),
        (b"", None),
    ],
)
def test_reports_say_what_was_given_up(raw: bytes, status: str | None) -> None:
    assert read_report(raw).status == status


def test_the_address_of_a_letter_leads_back_to_it_and_no_other_does() -> None:
    letter = uuid4()
    address = bounce_address(KEYS, letter, TO)
    assert len(address.partition("@")[0]) <= 64
    assert address.startswith(f"bounces+{letter.hex}.")
    assert find_letter(KEYS, (address,)) == letter
    assert find_letter(KEYS, ("someone@example.org", f"Bounces <{address.upper()}>")) == letter
    forged = address.replace(letter.hex, uuid4().hex)
    cut = address[: address.index(".") + 8] + "@example.org"
    for wrong in (forged, cut, TO, "", bounce_address(Keyring({1: b"x" * 32}, {1: b"s" * 32}), letter, TO)):
        assert find_letter(KEYS, (wrong,)) is None


@pytest.mark.parametrize("template", [POSTFIX, EXIM, QMAIL])
def test_the_address_is_found_wherever_relays_write_it(template: str) -> None:
    letter = uuid4()
    read = read_report(report(template, bounce_address(KEYS, letter, TO)))
    assert find_letter(KEYS, read.recipients) == letter


@given(st.binary(max_size=400), st.integers(0, len(POSTFIX)))
def test_no_message_is_too_strange_to_read(noise: bytes, at: int) -> None:
    raw = report()
    for each in (noise, raw[:at] + noise + raw[at:]):
        assert isinstance(read_report(each).recipients, tuple)


def test_parts_within_parts_without_end_are_nobodys_report() -> None:
    opened = "".join(f'Content-Type: multipart/mixed; boundary="{n}"\n\n--{n}\n' for n in range(2000))
    assert read_report(f"To: {TO}\n{opened}".encode()).status is None


@on_one_database
def test_letters_leave_with_an_address_of_their_own(post: Post) -> None:
    settings = dataclasses.replace(post.stage.settings, bounces_to=TO)
    post.background = dataclasses.replace(post.background, settings=settings)
    post.stage.sign(post.stage.campaign())
    (letter,) = post.deliver()
    ((letter_id,),) = post.stage.sql("SELECT id FROM letters")
    assert letter.sender == bounce_address(post.stage.keyring, UUID(str(letter_id)), TO)
    assert letter.mail["From"].addresses[0].addr_spec == "no-reply@localhost"
    assert b"bounces+" not in letter.raw


def take(stage: Stage, read: Report) -> str:
    return stage.write(take_report, report=read, keyring=stage.keyring)


def _states(stage: Stage) -> list[tuple[str, str | None]]:
    return [tuple(row) for row in stage.sql("SELECT state, last_fault FROM letters ORDER BY created_at")]


def test_a_letter_is_marked_once_by_a_report_that_is_ours(stage: Stage) -> None:
    stage.sign(stage.campaign())
    ((letter_id,),) = stage.sql("SELECT id FROM letters")
    to = bounce_address(stage.keyring, UUID(str(letter_id)), TO)
    assert take(stage, read_report(report(to=to))) == "unchanged", "it was not even written"
    stage.deliver()
    forged = to.replace(".", ".0", 1)
    assert take(stage, read_report(report(to=forged))) == "unknown"
    assert take(stage, read_report(report(to=to, action="delayed", status="4.4.1"))) == "unchanged"
    assert take(stage, read_report(report(AWAY, to))) == "unchanged"
    assert _states(stage) == [("sent", None)]
    assert take(stage, read_report(report(to=to))) == "bounced"
    assert take(stage, read_report(report(to=to, status="5.2.2"))) == "unchanged"
    assert _states(stage) == [("bounced", "5.1.1")]
    gone = bounce_address(stage.keyring, uuid4(), TO)
    assert take(stage, read_report(report(to=gone))) == "unchanged"


def test_news_ends_after_three_letters_in_a_row_that_came_back(post: Post) -> None:
    stage = post.stage
    slug = stage.campaign()
    for case, (outcomes, wants_updates) in enumerate(
        (
            (["5.1.1", "5.1.1"], True),
            (["5.1.1", "5.2.1", "5.1.1"], False),
            (["5.1.1", "550", "5.1.1"], False),
            (["5.1.1", "5.1.1", "550"], False),
            (["5.1.1", "sent", "5.1.1", "5.1.1"], True),
            (["5.1.1", "4.4.7", "5.1.1"], True),
            (["5.7.1", "5.7.1", "5.7.1"], True),
        )
    ):
        email = f"signer{case}@example.org"
        (signature,) = stage.write(insert_signers, slug=slug, emails=[email], keyring=stage.keyring, now=utc_now())
        for number, outcome in enumerate(outcomes):
            post.relay.mood = "RCPT 550" if outcome == "550" else "take"
            letter_id = stage.write(_owe, signature=signature, slug=slug, number=number)
            post.deliver()
            if outcome not in {"sent", "550"}:
                to = bounce_address(stage.keyring, letter_id, TO)
                assert take(stage, read_report(report(to=to, status=outcome))) == "bounced"
        wants = select(Signature.wants_updates).where(Signature.id == signature)
        assert stage.read(lambda session, which: session.scalars(which).all(), wants) == [wants_updates], outcomes


def _owe(session: Session, *, signature: UUID, slug: str, number: int) -> UUID:
    campaign_id = session.scalars(select(Campaign.id).where(Campaign.slug == slug)).one()
    owe_letter(
        session,
        kind="already_signed",
        dedupe_key=f"test:{signature}:{number}",
        locale="en",
        now=utc_now(),
        campaign_id=campaign_id,
        signature_id=signature,
    )
    letter = session.scalars(select(Letter.id).where(Letter.dedupe_key == f"test:{signature}:{number}")).one()
    # The moment of writing is kept in whole seconds, and these are written within one; and no quota holds them back.
    written_at = utc_now().replace(microsecond=0) + timedelta(seconds=number)
    session.execute(update(Letter).where(Letter.id == letter).values(written_at=written_at, attempts=1))
    return letter


# The command ---------------------------------------------------------------------------------------------------


def bounced(
    stage: Stage, raw: bytes, monkeypatch: pytest.MonkeyPatch, *arguments: str, **settings: str
) -> tuple[int, str]:
    """Run ``hatthalekha mail bounced`` in this process."""
    values = {"DATABASE_URL": stage.settings.database_url, "KEYS_DIR": str(stage.settings.keys_dir), **settings}
    out, err = io.StringIO(), io.StringIO()
    with monkeypatch.context() as patch:
        for name, value in values.items():
            patch.setenv(f"HATTHALEKHA_{name}", value)
        patch.setattr(sys, "argv", ["hatthalekha", "mail", "bounced", *arguments])
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        with pytest.raises(SystemExit) as ended:
            cli.main()
    return int(ended.value.code or 0), out.getvalue() + err.getvalue()


def test_the_command_reads_a_report_as_a_relay_pipes_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.sign(stage.campaign())
    stage.deliver()
    ((letter_id,),) = stage.sql("SELECT id FROM letters")
    to = bounce_address(stage.keyring, UUID(str(letter_id)), TO)
    for raw, said in (
        (report(to=TO), "no letter of ours"),
        (report(to=to.replace(".", ".0", 1)), "no letter of ours"),
        (b"\xff\x00nonsense", "no letter of ours"),
        (report(to=to, action="delayed"), "nothing to mark"),
    ):
        status, line = bounced(stage, raw, monkeypatch)
        assert (status, line.count("\n")) == (0, 1)
        assert said in line
        assert "example.org" not in line
    assert bounced(stage, report(to="bounces"), monkeypatch, "--recipient", to) == (0, "a letter came back\n")
    assert _states(stage) == [("bounced", "5.1.1")]


@on_one_database
def test_the_relay_is_asked_to_keep_the_report_while_the_database_is_away(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for settings in ({"DATABASE_URL": "postgresql://127.0.0.1:1/none"}, {"DATABASE_URL": "nonsense"}):
        status, line = bounced(stage, report(), monkeypatch, **settings)
        assert (status, line.count("\n")) == (75, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        "bounces",
        "bounces+x@example.org",
        "a-name-too-long@example.org",
        "Bounces <b@example.org>",
        "b@",
        "@example.org",
    ],
)
def test_the_setting_is_an_address_with_room_for_a_mark(wrong: str) -> None:
    assert Settings.from_environment({"HATTHALEKHA_BOUNCES_TO": TO}).bounces_to == TO
    assert Settings.from_environment({}).bounces_to is None
    with pytest.raises(BadSettingsError, match="HATTHALEKHA_BOUNCES_TO is not an address"):
        Settings.from_environment({"HATTHALEKHA_BOUNCES_TO": wrong})
