"""The log over HTTP: tiles that rebuild it, proofs that hold, keys that check, and nothing where there is nothing."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from app.core.keys import Keyring
from app.models import Campaign
from app.proofs import verifying
from app.proofs.verifying import Verifier, is_consistent, is_included, read_checkpoint
from tests.actions.test_sequencing import Drive
from tests.stage import on_one_database
from tests.web.test_api import OF_CAMPAIGNS, check, problem_of

if TYPE_CHECKING:
    from app.proofs.verifying import TreeHead
    from tests.stage import Stage

HOST = "127.0.0.1:8000"


class Reader:
    """Somebody who knows nothing but the addresses."""

    def __init__(self, stage: Stage, slug: str) -> None:
        self.stage = stage
        self.log = f"/api/v1/campaigns/{slug}/log"

    def get(self, path: str) -> bytes:
        answer = self.stage.get(f"{self.log}/{path}")
        assert answer.status_code == 200, (path, answer.text)
        assert answer.headers["access-control-allow-origin"] == "*"
        return answer.content

    def head(self, tree: str = "signed") -> TreeHead:
        keys = self.stage.get("/api/v1/keys").json()["keys"]
        note = self.get(f"{tree}/checkpoint").decode()
        return read_checkpoint(note, [Verifier.parse(each["verifier"]) for each in keys])

    def hashes(self, path: str) -> list[bytes]:
        told: dict[str, Any] = self.stage.get(f"{self.log}/{path}").json()
        return [b64decode(each, validate=True) for each in told["hashes"]]


def root_of(leaves: list[bytes]) -> bytes:
    """Return the root by the definition (RFC 6962, section 2.1)."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return verifying.hash_node(root_of(leaves[:split]), root_of(leaves[split:]))


@pytest.fixture
def drive(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Drive:
    monkeypatch.setattr("tests.actions.test_sequencing.HOST", HOST)
    return Drive(stage)


def test_whoever_reads_the_tiles_comes_to_the_signed_root(drive: Drive) -> None:
    for _ in range(3):
        drive.sign(100)
        drive.append()
    reader = Reader(drive.stage, drive.slug)
    head = reader.head()
    assert (head.origin, head.size) == (f"{HOST}{reader.log}/signed", 300)
    bundles = reader.get("signed/tile/entries/000") + reader.get("signed/tile/entries/001.p/44")
    assert len(bundles) == 300 * 34
    entries = [bundles[at + 2 : at + 34] for at in range(0, len(bundles), 34)]
    assert {bundles[at : at + 2] for at in range(0, len(bundles), 34)} == {b"\0\x20"}
    leaves = [verifying.hash_leaf(entry) for entry in entries]
    assert b"".join(leaves) == reader.get("signed/tile/0/000") + reader.get("signed/tile/0/001.p/44")
    assert reader.get("signed/tile/1/000.p/1") == root_of(leaves[:256])
    assert root_of(leaves) == head.root
    assert reader.head("removed").root == hashlib.sha256(b"").digest()
    # A tile of an earlier size is the beginning of what it is now.
    assert reader.get("signed/tile/0/000.p/100") == b"".join(leaves[:100])
    for size in (1, 100, 200, 300):
        for index in {0, size // 2, size - 1}:
            path = reader.hashes(f"signed/inclusion/{index}/{size}")
            assert is_included(leaf_hash=leaves[index], index=index, size=size, path=path, root=root_of(leaves[:size]))
        proof = reader.hashes(f"signed/consistency/{size}/300")
        assert is_consistent(old=size, new=300, old_root=root_of(leaves[:size]), new_root=head.root, proof=proof)
    assert reader.hashes("signed/consistency/0/300") == reader.hashes("removed/consistency/0/0") == []


def test_checkpoints_are_listed_in_pages_the_newest_first(drive: Drive) -> None:
    for _ in range(5):
        drive.sign(20)
        drive.append()
    address, seen = f"/api/v1/campaigns/{drive.slug}/log/checkpoints?limit=2", []
    while address:
        answer = drive.stage.get(address)
        assert answer.headers["cache-control"] == "public, max-age=1"
        page = answer.json()
        seen += page["checkpoints"]
        address = page["next"]
    assert [(each["number"], each["signatures"]) for each in seen] == [(5, 100), (4, 80), (3, 60), (2, 40), (1, 20)]
    assert seen[0]["sizes"] == {"signed": 100, "removed": 0}
    assert seen[0]["made_at"] == "2026-03-02T12:30:00Z"
    for tree in ("signed", "removed"):
        answer = drive.stage.get(f"/api/v1/campaigns/{drive.slug}/log/{tree}/checkpoint")
        assert answer.text == seen[0]["notes"][tree]
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"


@on_one_database
def test_what_cannot_change_is_kept_for_ever_and_what_does_for_a_second(drive: Drive) -> None:
    drive.sign(20)
    drive.append()
    log = f"/api/v1/campaigns/{drive.slug}/log/signed"
    for path in ("tile/0/000.p/20", "tile/entries/000.p/7", "inclusion/3/20", "consistency/4/20"):
        assert drive.stage.get(f"{log}/{path}").headers["cache-control"] == "public, max-age=31536000, immutable"
    assert drive.stage.get(f"{log}/tile/0/000.p/20").headers["content-type"] == "application/octet-stream"
    reports = f"/api/v1/campaigns/{drive.slug}/reports"
    for path in (f"{log}/checkpoint", reports, "/api/v1/keys", "/api/v1/verify.py"):
        assert drive.stage.get(path).headers["cache-control"] == "public, max-age=1"
    head = drive.stage.run(drive.stage.browser.head(f"{log}/checkpoint"))
    assert (head.status_code, head.content) == (200, b"")


NOWHERE = (
    "signed/tile/0/000", "signed/tile/0/000.p/21", "signed/tile/0/000.p/0", "signed/tile/0/000.p/256",
    "signed/tile/0/000.p/020", "signed/tile/0/001.p/1", "signed/tile/1/000.p/1", "signed/tile/8/000",
    "signed/tile/63/000", "signed/tile/entries/000", "signed/tile/entries/001", "signed/tile/0/x000/000.p/20",
    "signed/tile/0/0", "signed/tile/0/x999/x999/999", "signed/tile/0/x001/x999/x999/999", "signed/tile/-1/000",
    "signed/tile/", "signed/tile/0/000.p/20/", "signed/tile/0/%00", "signed/tile/0/٠٠٠", "other/tile/0/000.p/20",
    "other/checkpoint", "signed/inclusion/20/20", "signed/inclusion/0/21", "signed/inclusion/0/0",
    "signed/inclusion/0/2147483647", "signed/consistency/21/20", "signed/consistency/20/21", "other/inclusion/0/1",
    "other/consistency/0/1",
)  # fmt: skip
ASKEW = (
    "signed/inclusion/-1/20", "signed/inclusion/0/2147483648", "signed/inclusion/0/" + "9" * 400,
    "signed/inclusion/a/b", "signed/consistency/1.5/20", "signed/consistency/1/" + "9" * 5000,
    "signed/inclusion/+3/20", "signed/inclusion/0_3/20", "signed/inclusion/03/20", "signed/inclusion/3/020",
    "signed/inclusion/3.0/20", "signed/inclusion/%203/20", "signed/inclusion/٣/20", "signed/consistency/-0/20",
    "signed/consistency/4/2_0", "signed/consistency/00/20",
    "checkpoints?before=0", "checkpoints?before=99999999999999999999", "checkpoints?limit=101",
)  # fmt: skip


@on_one_database
def test_what_is_not_there_is_said_to_be_and_nothing_breaks(drive: Drive) -> None:
    drive.sign(20)
    drive.append()
    log = f"/api/v1/campaigns/{drive.slug}/log"
    for path in NOWHERE:
        assert problem_of(drive.stage.get(f"{log}/{path}")) == (404, 404), path
    for path in ASKEW:
        assert problem_of(drive.stage.get(f"{log}/{path}")) == (400, 400), path
    base = f"/api/v1/campaigns/{drive.slug}"
    assert problem_of(drive.stage.get(f"{base}/reports/1/manifest")) == (404, 404)
    for number in (2**31, "+1", "01", "0"):
        assert problem_of(drive.stage.get(f"{base}/reports/{number}/manifest")) == (400, 400)


EVERYWHERE = (
    "log/checkpoints", "log/signed/checkpoint", "log/signed/tile/0/000.p/20", "log/signed/tile/entries/000.p/20",
    "log/signed/inclusion/0/20", "log/signed/consistency/0/20",
)  # fmt: skip


@on_one_database
def test_what_is_not_public_has_no_log_and_what_was_stopped_keeps_its_own(drive: Drive) -> None:
    drive.sign(20)
    drive.append()

    def statuses(slug: str) -> set[int]:
        return {drive.stage.get(f"/api/v1/campaigns/{slug}/{path}").status_code for path in EVERYWHERE}

    for state in ("draft", "review", "refused", "scheduled"):
        set_state(drive, state)
        assert statuses(drive.slug) == {404}, state
    for state in ("open", "closed", "presented", "answered", "stopped"):
        set_state(drive, state)
        assert statuses(drive.slug) == {200}, state
    assert statuses("nobody") == statuses("NOT-A-SLUG") == {404}


@on_one_database
def test_before_the_first_batch_there_is_no_checkpoint(drive: Drive) -> None:
    base = f"/api/v1/campaigns/{drive.slug}"
    assert drive.stage.get(f"{base}/log/checkpoints").json() == {"checkpoints": [], "next": None}
    assert drive.stage.get(f"{base}/reports").json() == {"reports": []}
    assert problem_of(drive.stage.get(f"{base}/log/signed/checkpoint")) == (404, 404)


@on_one_database
def test_all_keys_are_published_and_the_newest_two_sign(stage: Stage) -> None:
    seeds = {number: bytes([number]) * 32 for number in (1, 2, 3)}
    object.__setattr__(stage.house, "keyring", Keyring({1: b"root" * 8}, seeds))
    keys = stage.get("/api/v1/keys").json()["keys"]
    assert [each["signs"] for each in keys] == [True, True, False]
    assert len({Verifier.parse(each["verifier"]).public for each in keys}) == 3
    assert {Verifier.parse(each["verifier"]).name for each in keys} == {HOST}


@on_one_database
def test_the_script_that_checks_is_ours_as_it_stands(stage: Stage) -> None:
    answer = stage.get("/api/v1/verify.py")
    assert answer.headers["content-disposition"] == 'attachment; filename="verify.py"'
    compile(answer.text, "verify.py", "exec")
    assert "def open_note" in answer.text


@on_one_database
def test_what_the_description_says_is_what_is_answered(drive: Drive) -> None:
    drive.sign(20)
    drive.append()
    said = drive.stage.get("/api/v1/openapi.json").json()
    known = {"slug": drive.slug, "tree": "signed", "index": "3", "size": "20", "old": "7", "new": "20"}
    seen = set()
    for path, operations in said["paths"].items():
        if path in OF_CAMPAIGNS:
            continue
        assert set(operations) == {"get"}
        assert set(operations["get"]["responses"]) == {"200", "4XX", "503"}
        [(media_type, content)] = operations["get"]["responses"]["200"]["content"].items()
        seen.add(media_type)
        answer = drive.stage.get(path.format(**known, path="0/000.p/20", number="1"))
        if path.endswith("/manifest"):
            assert answer.status_code == 404, "there is no report"
            continue
        assert answer.headers["content-type"].partition(";")[0] == media_type
        if media_type == "application/json":
            check(answer.json(), content["schema"], said)
    assert seen == {"application/json", "application/octet-stream", "text/plain"}


def set_state(drive: Drive, state: str) -> None:
    drive.stage.write(lambda session: session.execute(update(Campaign).values(state=state)))
