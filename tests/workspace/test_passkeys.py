"""What is asked of a passkey's answer: challenge, place, owner, finger, count. No browser needed."""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from copy import copy
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import encode_cbor

from app.core.clock import utc_now
from tests.stage import on_one_database
from tests.workspace.test_account import AT, LATER, PROVE, prove
from tests.workspace.test_sign_in import AT as SIGN_IN
from tests.workspace.test_sign_in import EMAIL, add_authenticator, ask, link_of

if TYPE_CHECKING:
    import httpx

    from tests.stage import Organiser, Stage

HOST = "localhost:8000"
NAMED: dict[str, Any] = {"headers": {"host": HOST}}
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def text(raw: bytes) -> str:
    """Return base64url."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


class SoftKey:
    """A passkey in memory. What it answers can be bent."""

    def __init__(self) -> None:
        """Make its key."""
        self.id = secrets.token_bytes(32)
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.count = 0
        self.host = "localhost"
        self.origin = f"http://{HOST}"
        self.flags = PRESENT | VERIFIED
        self.handle: bytes | None = None
        self.statement: tuple[str, dict[str, Any]] = ("none", {})

    def create(self, options: dict[str, Any]) -> str:
        """Answer an offer to make it."""
        self.handle = urlsafe_b64decode(options["user"]["id"] + "==")
        numbers = self.private.public_key().public_numbers()
        key = encode_cbor({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)})
        data = self._data(ATTESTED) + bytes(16) + len(self.id).to_bytes(2) + self.id + key
        form, statement = self.statement
        attestation = encode_cbor({"fmt": form, "attStmt": statement, "authData": data})
        said = self._said("webauthn.create", options["challenge"])
        answer = {"clientDataJSON": text(said), "attestationObject": text(attestation), "transports": ["internal", "x"]}
        return self._answer(answer)

    def get(self, options: dict[str, Any]) -> str:
        """Answer an offer to use it."""
        self.count += 1
        data, said = self._data(), self._said("webauthn.get", options["challenge"])
        signature = self.private.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(SHA256()))
        return self._answer(
            {
                "clientDataJSON": text(said),
                "authenticatorData": text(data),
                "signature": text(signature),
                "userHandle": None if self.handle is None else text(self.handle),
            }
        )

    def _data(self, flags: int = 0) -> bytes:
        return hashlib.sha256(self.host.encode()).digest() + bytes([self.flags | flags]) + self.count.to_bytes(4)

    def _said(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _answer(self, response: dict[str, Any]) -> str:
        return json.dumps({"id": text(self.id), "rawId": text(self.id), "type": "public-key", "response": response})


def register(somebody: Organiser, key: SoftKey, label: str = "Key") -> httpx.Response:
    """Make a passkey on the page of the account."""
    options = somebody.post(f"{AT}/passkeys/options", **NAMED).json()
    return somebody.post(f"{AT}/passkeys", {"credential": key.create(options), "label": label}, **NAMED)


def bent(key: SoftKey, **changes: Any) -> SoftKey:  # noqa: ANN401 - whatever the key holds
    """Return a key like it, with something changed."""
    other = copy(key)
    for name, value in changes.items():
        setattr(other, name, value)
    return other


def sign_in(stage: Stage, key: SoftKey) -> httpx.Response:
    """Sign in with a passkey, in a new browser."""
    options = stage.post(f"{SIGN_IN}/passkey/options", **NAMED).json()
    return stage.post(f"{SIGN_IN}/passkey", {"credential": key.get(options)}, browser=stage.new_browser(), **NAMED)


@pytest.fixture
def somebody(stage: Stage) -> Organiser:
    return stage.organiser(EMAIL)


@pytest.fixture
def key(somebody: Organiser) -> SoftKey:
    """Give somebody a passkey."""
    made = SoftKey()
    assert register(somebody, made).headers["location"] == f"{AT}/recovery-codes"
    return made


def test_a_passkey_signs_in_and_its_owner_is_told(stage: Stage, key: SoftKey) -> None:
    for _ in range(2):
        answer = sign_in(stage, key)
        assert (answer.status_code, answer.headers["location"]) == (303, "/en/workspace")
    key.handle = None  # older keys do not name their owner
    assert sign_in(stage, key).status_code == 303
    assert stage.sql("SELECT sign_count, transports FROM passkeys")[0][0] == 3
    assert "internal" in str(stage.sql("SELECT transports FROM passkeys"))
    assert "A passkey was added" in stage.letters_to(EMAIL)[0].text
    assert stage.sql("SELECT count(*) FROM challenges") == [(0,)]


def test_an_answer_that_does_not_hold_signs_nobody_in(stage: Stage, key: SoftKey) -> None:
    key.count = 9
    assert sign_in(stage, key).status_code == 303
    for bend in (
        {"host": "elsewhere.example"},
        {"origin": "http://elsewhere.example"},
        {"origin": "http://127.0.0.1:8000"},
        {"flags": PRESENT},
        {"flags": VERIFIED},
        {"count": 8},
        {"handle": b"somebody else"},
        {"id": b"unknown"},
        {"private": ec.generate_private_key(ec.SECP256R1())},
    ):
        assert sign_in(stage, bent(key, **bend)).status_code == 422, bend
        assert stage.sql("SELECT count(*) FROM challenges") == [(0,)]
    assert sign_in(stage, key).status_code == 303


@on_one_database
def test_a_passkey_that_does_not_hold_is_not_kept(stage: Stage, somebody: Organiser) -> None:
    for bend in (
        {"host": "x.example"},
        {"origin": "http://x.example"},
        {"flags": PRESENT},
        # Statements of makers that are none.
        {"statement": ("tpm", {"ver": "2.0", "certInfo": b"", "pubArea": b"", "alg": -7, "sig": b"", "x5c": [b""]})},
        {"statement": ("android-safetynet", {"ver": "1", "response": b"\xff.\xff"})},
        {"statement": ("packed", {"alg": -7, "sig": b"", "x5c": [b"\x30"]})},
        {"statement": ("fido-u2f", {"sig": b"", "x5c": [b""]})},
    ):
        answer = register(somebody, bent(SoftKey(), **bend), "My phone")
        assert answer.status_code == 422, bend
        assert 'value="My phone"' in answer.text
        assert stage.sql("SELECT count(*) FROM passkeys") == [(0,)]
    for credential in ("[" * 20_000, '{"response": {"clientDataJSON": ' + "[" * 2000 + "}}", '"\\ud800"'):
        assert somebody.post(f"{AT}/passkeys", {"credential": credential}, **NAMED).status_code == 422
        assert stage.post(f"{SIGN_IN}/passkey", {"credential": credential}, **NAMED).status_code == 422


def test_a_challenge_is_answered_once_in_time_and_for_what_it_was_given(
    stage: Stage, somebody: Organiser, key: SoftKey
) -> None:
    options = stage.post(f"{SIGN_IN}/passkey/options", **NAMED).json()
    credential = key.get(options)
    browser = stage.new_browser()
    assert stage.post(f"{SIGN_IN}/passkey", {"credential": credential}, browser=browser, **NAMED).status_code == 303
    for again in (credential, key.get(options)):
        assert stage.post(f"{SIGN_IN}/passkey", {"credential": again}, browser=browser, **NAMED).status_code == 422
    # Given to sign in, it proves nothing; given to prove, it signs nobody in.
    signing = stage.post(f"{SIGN_IN}/passkey/options", **NAMED).json()
    assert somebody.post(PROVE, {"proof_credential": key.get(signing)}, **NAMED).status_code == 422
    proving = somebody.post(f"{PROVE}/options", **NAMED).json()
    assert [each["id"] for each in proving["allowCredentials"]] == [text(key.id)]
    answer = stage.post(f"{SIGN_IN}/passkey", {"credential": key.get(proving)}, **NAMED)
    assert answer.status_code == 422
    late = stage.post(f"{SIGN_IN}/passkey/options", **NAMED).json()
    with time_machine.travel(utc_now() + timedelta(minutes=6), tick=True):
        assert stage.post(f"{SIGN_IN}/passkey", {"credential": key.get(late)}, **NAMED).status_code == 422
    never = {"challenge": text(secrets.token_bytes(32))}
    assert stage.post(f"{SIGN_IN}/passkey", {"credential": key.get(never)}, **NAMED).status_code == 422


def test_a_passkey_proves_its_owner_and_nobody_else(stage: Stage, somebody: Organiser, key: SoftKey) -> None:
    other = stage.organiser("other@example.org")
    other_key = SoftKey()
    register(other, other_key)
    with time_machine.travel(utc_now() + LATER, tick=True):
        for each, status in ((other_key, 422), (key, 303)):
            options = somebody.post(f"{PROVE}/options", **NAMED).json()
            pairs = [("proof_credential", each.get(options))]
            assert somebody.post(PROVE, pairs, **NAMED).status_code == status
    # The same key twice, in whoever's account, is none of ours.
    assert register(other, key).status_code == 422


def test_the_second_step_takes_a_passkey(stage: Stage, somebody: Organiser, key: SoftKey) -> None:
    assert somebody.get(AT).status_code == 200
    ask(stage)
    letter = next(each for each in stage.letters_to(EMAIL) if "/sign-in/" in each.text)
    assert stage.post(link_of(letter)).headers["location"] == f"{SIGN_IN}/second-step"
    assert "data-passkey" in stage.get(f"{SIGN_IN}/second-step", **NAMED).text
    assert "does not work at this address" in stage.get(f"{SIGN_IN}/second-step").text
    wrong = stage.post(f"{SIGN_IN}/second-step", {"credential": "{}"}, **NAMED)
    assert wrong.status_code == 422
    assert "This passkey was not accepted" in wrong.text
    assert stage.post(f"{SIGN_IN}/second-step", {"credential": "{}"}).status_code == 422
    options = stage.post(f"{SIGN_IN}/second-step/options", **NAMED).json()
    answer = stage.post(f"{SIGN_IN}/second-step", {"credential": key.get(options)}, **NAMED)
    assert answer.headers["location"] == "/en/workspace"


def test_passkeys_are_renamed_and_removed_by_their_owner_alone(stage: Stage, somebody: Organiser, key: SoftKey) -> None:
    other = stage.organiser("other@example.org")
    ((passkey,),) = stage.sql("SELECT id FROM passkeys")
    path = f"{AT}/passkeys/{passkey}"
    assert other.post(path, {"label": "Mine"}).status_code == 303
    assert other.post(f"{path}/remove").status_code == 303
    assert stage.sql("SELECT label FROM passkeys") == [("Key",)]
    assert somebody.post(path, {"label": f" Old \u202e phone {'x' * 400}"}).status_code == 303
    ((label,),) = stage.sql("SELECT label FROM passkeys")
    assert label.startswith("Old phone xxx")
    assert len(label) == 60
    assert somebody.post(f"{path}/remove").headers["location"] == AT
    assert sign_in(stage, key).status_code == 422
    assert stage.sql("SELECT count(*) FROM recovery_codes") == [(0,)]
    assert "A passkey was removed" in stage.letters_to(EMAIL)[-1].text


def test_with_an_authenticator_there_already_the_recovery_codes_stay(stage: Stage) -> None:
    add_authenticator(stage, codes=["ab01-cd23-ef45"])
    somebody, key = stage.organiser(EMAIL), SoftKey()
    assert register(somebody, key).headers["location"] == AT
    assert prove(somebody, [], recovery="ab01-cd23-ef45").status_code == 303


@on_one_database
def test_a_disabled_accounts_passkey_signs_nobody_in(stage: Stage, key: SoftKey) -> None:
    from app.actions.accounts import disable_account

    stage.write(disable_account, email=EMAIL, keyring=stage.keyring, now=utc_now())
    assert sign_in(stage, key).status_code == 422
