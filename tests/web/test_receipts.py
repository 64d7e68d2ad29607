"""Receipts: for who proves the mailbox again, as the answer itself; the link alone tells nothing of how it stands."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import time_machine
from sqlalchemy import select

from app.actions.receipts import ask_for_receipt_code, check_receipt_code
from app.actions.sequencing import append_batch
from app.core.clock import utc_now
from app.models import Campaign, Signature
from app.proofs.notes import NoteSigner
from app.proofs.verifying import Verifier, commit, hash_leaf, is_included, read_checkpoint
from tests.web.html import Page

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    import httpx
    from sqlalchemy.orm import Session

    from tests.stage import Stage
    from tests.web.people import Person

NOT_YET = "There is no receipt yet."
ON_ITS_WAY = "A code is on its way to {}. It works for 30 minutes."
NO_MORE = "So many codes were asked for that no more go out today."


class Signer:
    """Somebody who has signed and confirmed, on the page of their receipt."""

    def __init__(self, person: Person, locale: str = "en") -> None:
        self.person = person
        person.sign()
        self.path = f"/{locale}/signature/{person.letter().token('signature')}"
        person.confirm()

    def ask(self) -> httpx.Response:
        return self.person.post(f"{self.path}/receipt")

    def give(self, code: str) -> httpx.Response:
        return self.person.post(f"{self.path}/receipt", {"code": code})

    def see(self, query: str = "") -> str:
        answer = self.person.get(f"{self.path}/receipt{query}")
        assert answer.status_code == 200
        return Page(answer.text).words


@pytest.fixture
def signer(site: Stage, somebody: Callable[[], Person]) -> Signer:
    return Signer(somebody())


@pytest.fixture
def logged(site: Stage, signer: Signer) -> Signer:
    append(site, signer.person.slug)
    return signer


def append(stage: Stage, slug: str) -> None:
    """Append what waits, as if half a day had passed."""

    def find_id(session: Session) -> UUID:
        return session.scalars(select(Campaign.id).where(Campaign.slug == slug)).one()

    stage.write(
        append_batch,
        campaign_id=stage.read(find_id),
        keyring=stage.keyring,
        host=urlsplit(stage.settings.base_url).netloc,
        now=utc_now() + timedelta(hours=13),
    )


def test_a_receipt_is_the_answer_to_the_code_and_opens_its_leaf(site: Stage, logged: Signer) -> None:
    asked = logged.ask()
    assert (asked.status_code, asked.headers["location"]) == (303, f"{logged.path}/receipt?asked")
    assert ON_ITS_WAY.format(logged.person.email) in logged.see("?asked"), "before it is sent"
    letter = logged.person.letter()
    assert ON_ITS_WAY.format(logged.person.email) in logged.see("?asked"), "and after"
    assert letter.mail["Subject"] == "A message about your request"
    assert "libraries" not in letter.text.lower().replace("hatthalekha", "")  # neither slug nor title of the campaign
    assert "/signature/" not in letter.text
    answer = logged.give(letter.code)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="receipt.tlog-proof"'
    assert answer.headers["cache-control"] == "no-store"
    assert_genuine(site, answer.text, logged.person.slug)


def assert_genuine(stage: Stage, receipt: str, slug: str) -> None:
    """Check a receipt with nothing but the stand-alone functions."""
    head, checkpoint = receipt.split("\n\n", 1)
    version, extra, index, *path = head.split("\n")
    assert version == "c2sp.org/tlog-proof@v1"
    said = json.loads(base64.b64decode(extra.removeprefix("extra ")))
    host = urlsplit(stage.settings.base_url).netloc
    keys = [Verifier.parse(NoteSigner(host, seed).verifier) for seed in stage.keyring.published_seeds]
    tree = read_checkpoint(checkpoint, keys)
    assert tree.origin == f"{host}/api/v1/campaigns/{slug}/log/signed"
    assert said["opening"]["campaign"] == slug
    opening = json.dumps(said["opening"], sort_keys=True, separators=(",", ":")).encode()
    leaf = hash_leaf(commit(bytes.fromhex(said["salt"]), opening))
    hashes = [base64.b64decode(each) for each in path]
    position = int(index.removeprefix("index "))
    assert is_included(leaf_hash=leaf, index=position, size=tree.size, path=hashes, root=tree.root)


def test_the_link_alone_gets_nothing(logged: Signer) -> None:
    for answer in (logged.give(""), logged.give("123456"), logged.give("not a code")):
        assert answer.status_code == 422
        assert "tlog-proof@" not in answer.text
    assert logged.person.get(f"{logged.path}/receipt?code=123456").headers["content-type"].startswith("text/html")


def test_a_code_may_be_typed_in_khmer_and_used_again_while_it_works(logged: Signer) -> None:
    logged.ask()
    code = logged.person.letter().code
    khmer = code.translate({ord(str(digit)): 0x17E0 + digit for digit in range(10)})
    assert [logged.give(f"{khmer[:3]} {khmer[3:]}").status_code for _ in range(2)] == [200, 200]
    with time_machine.travel(utc_now() + timedelta(minutes=31), tick=True):
        assert logged.give(code).status_code == 422


def test_five_tries_a_day_and_the_right_code_comes_too_late(logged: Signer) -> None:
    logged.ask()
    code = logged.person.letter().code
    wrong = "000000" if code != "000000" else "000001"
    assert [logged.give(wrong).status_code for _ in range(5)] == [422] * 5
    assert logged.give(code).status_code == 422


def test_a_code_of_another_kind_or_person_opens_nothing(
    site: Stage, logged: Signer, somebody: Callable[[], Person]
) -> None:
    confirming = next(letter.code for letter in logged.person.letters() if "/confirm/" in letter.text)
    assert logged.give(confirming).status_code == 422
    other = Signer(somebody())
    append(site, other.person.slug)
    other.ask()
    assert logged.give(other.person.letter().code).status_code == 422


def test_asking_twice_is_one_letter_and_five_a_day_are_enough(logged: Signer) -> None:
    before = len(logged.person.letters())
    assert {logged.ask().status_code for _ in range(3)} == {303}
    assert len(logged.person.letters()) == before + 1
    owed = (
        "SELECT count(*) FROM letters JOIN campaigns ON campaigns.id = letters.campaign_id"
        " WHERE letters.kind = 'receipt_code' AND slug = :slug"
    )
    for minutes in range(2, 20, 2):
        with time_machine.travel(utc_now() + timedelta(minutes=minutes), tick=True):
            logged.ask()
    assert logged.person.stage.sql(owed, slug=logged.person.slug) == [(5,)]


def test_the_page_says_of_codes_what_is_so(logged: Signer) -> None:
    assert "on its way" not in logged.see("?asked"), "nobody asked"
    before, start = len(logged.person.letters()), utc_now()
    for number in range(1, 7):
        with time_machine.travel(start + timedelta(minutes=2 * number), tick=True):
            logged.ask()
            assert len(logged.person.letters()) == before + min(number, 5), "as many as may be asked for are sent"
            assert (NO_MORE in logged.see("?asked")) == (number >= 5)
            assert "on its way" in logged.see("?asked")
    with time_machine.travel(start + timedelta(hours=2), tick=True):
        for query in ("", "?asked"):
            seen = logged.see(query)
            assert NO_MORE in seen
            assert "on its way" not in seen
            assert "Send me the code" not in seen
    with time_machine.travel(start + timedelta(hours=25), tick=True):
        assert NO_MORE not in logged.see("?asked")
        assert "Send me the code" in logged.see("?asked")


def test_a_code_that_could_not_be_sent_for_an_hour_is_not_sent_at_all(logged: Signer) -> None:
    before = len(logged.person.letters())
    logged.ask()
    with time_machine.travel(utc_now() + timedelta(hours=2), tick=True):
        assert "on its way" not in logged.see("?asked")
        assert len(logged.person.letters()) == before


@pytest.mark.parametrize("standing", ["counted", "quarantined", "removed", "logged"])
def test_the_link_alone_tells_nobody_how_a_signature_stands(site: Stage, signer: Signer, standing: str) -> None:
    slug = signer.person.slug
    which = "WHERE campaign_id = (SELECT id FROM campaigns WHERE slug = :slug)"
    if standing in {"quarantined", "removed"}:
        site.sql_write(f"UPDATE signatures SET standing = :standing {which}", standing=standing, slug=slug)  # noqa: S608 - of this file
    if standing != "counted":
        append(site, slug)
    asked, given = signer.ask(), signer.give("123456")
    assert (asked.status_code, given.status_code) == (303, 422)
    seen = Page(given.text).words + signer.see("?asked")
    assert NOT_YET not in seen
    assert "quarantin" not in seen.lower()
    answer = signer.give(signer.person.letter().code)
    assert answer.status_code == 200
    if standing == "logged":
        assert answer.headers["content-type"].startswith("text/plain")
        return
    waiting = Page(answer.text).words
    assert NOT_YET in waiting
    assert "checks can take longer" in waiting
    assert "quarantin" not in waiting.lower()


def test_who_withdrew_or_erased_has_none(site: Stage, logged: Signer) -> None:
    logged.ask()
    code = logged.person.letter().code
    logged.person.post(logged.path, {"action": "withdraw", "sure": "yes"})
    for answer in (logged.give(code), logged.ask(), logged.person.get(f"{logged.path}/receipt")):
        assert (answer.status_code, answer.headers["location"]) == (303, logged.path)
    logged.person.post(logged.path, {"action": "erase", "sure": "yes"})
    assert logged.give(code).status_code == 303
    assert "receipt" not in Page(logged.person.get(logged.path).text).words.lower()


def test_who_withdraws_in_that_very_moment_gets_neither_letter_nor_receipt(site: Stage, logged: Signer) -> None:
    logged.ask()
    person = logged.person
    before = site.sql("SELECT count(*) FROM letters WHERE state = 'sent'")
    whose = (
        select(Signature.id).join(Campaign, Campaign.id == Signature.campaign_id).where(Campaign.slug == person.slug)
    )
    signature_id = site.read(lambda session: session.scalars(whose).one())
    site.sql_write(
        "UPDATE signatures SET state = 'withdrawn' WHERE campaign_id = (SELECT id FROM campaigns WHERE slug = :slug)",
        slug=person.slug,
    )
    person.letters()
    assert site.sql("SELECT count(*) FROM letters WHERE state = 'sent'") == before
    now = utc_now() + timedelta(minutes=5)
    owed = site.sql("SELECT count(*) FROM letters")
    site.write(ask_for_receipt_code, signature_id=signature_id, locale="en", now=now)
    assert site.sql("SELECT count(*) FROM letters") == owed
    key = site.keyring.codes
    assert not site.write(check_receipt_code, signature_id=signature_id, code="123456", codes_key=key, now=now)


def test_a_campaign_that_is_not_published_any_more_has_no_page_here(
    site: Stage, logged: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.sql_write("UPDATE campaigns SET state = 'draft' WHERE slug = :slug", slug=logged.person.slug)
    monkeypatch.setattr("app.web.house.SHELF_SECONDS", -1.0)
    assert logged.person.get(f"{logged.path}/receipt").status_code == 404


def test_unknown_links_and_languages_are_no_page(site: Stage, logged: Signer) -> None:
    token = logged.path.rpartition("/")[2]
    for path in (f"/en/signature/{token[:-1]}x/receipt", "/en/signature/x/receipt", f"/de/signature/{token}/receipt"):
        assert site.get(path).status_code == 404
        assert site.post(path, {"code": "123456"}).status_code == 404


@pytest.mark.parametrize("locale", ["km", "en", "fr"])
def test_the_page_warns_in_every_language_and_marks_a_fault(logged: Signer, locale: str) -> None:
    path = logged.path.replace("/en/", f"/{locale}/") + "/receipt"
    page = Page(logged.person.get(path).text)
    assert page.lang == locale
    faulty = Page(logged.person.post(path, {"code": "12"}).text)
    assert faulty.summary[0][0] == "code"
    assert faulty.invalid == {"code"}


def test_a_receipt_is_kept_nowhere(site: Stage, logged: Signer) -> None:
    logged.ask()
    text = logged.give(logged.person.letter().code).text
    extra = text.split("\n")[1].removeprefix("extra ")
    salt = json.loads(base64.b64decode(extra))["salt"]
    assert not [letter for letter in logged.person.letters() if extra in letter.text or salt in letter.text]
    sealed = site.sql("SELECT salt FROM log_leaves")
    assert all(bytes.fromhex(salt) not in bytes(row[0]) for row in sealed if row[0])
