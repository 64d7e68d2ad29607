"""Tokens and codes belong to one letter, one purpose and one key."""

from __future__ import annotations

from itertools import product
from uuid import UUID, uuid4

from app.core.tokens import TOKEN_FORM, Purpose, hash_code, hash_token, make_code, make_token

KEYS = (b"k" * 32, b"l" * 32)
PURPOSES: tuple[Purpose, ...] = ("confirm", "manage")
LETTERS = (UUID(int=1), UUID(int=2))


def test_tokens_are_the_same_each_time_and_differ_by_key_purpose_and_letter() -> None:
    made = [make_token(*each) for each in product(KEYS, PURPOSES, LETTERS)]
    assert made == [make_token(*each) for each in product(KEYS, PURPOSES, LETTERS)]
    assert len(set(made)) == 8
    assert all(TOKEN_FORM.fullmatch(token) for token in made)


def test_a_token_of_another_purpose_or_with_one_bit_flipped_has_another_hash() -> None:
    token = make_token(KEYS[0], "confirm", LETTERS[0])
    flipped = chr(ord(token[0]) ^ 1) + token[1:]
    kept = hash_token("confirm", token)
    assert len({kept, hash_token("manage", token), hash_token("confirm", flipped)}) == 3
    assert token.encode() not in kept


def test_codes_are_six_digits_and_their_hashes_belong_to_one_signature() -> None:
    codes = [make_code(KEYS[0], uuid4()) for _ in range(200)]
    assert all(len(code) == 6 and code.isdecimal() for code in codes)
    assert len(set(codes)) > 190
    code, signature = codes[0], uuid4()
    kept = hash_code(KEYS[0], signature, code)
    assert kept == hash_code(KEYS[0], signature, code)
    assert kept != hash_code(KEYS[0], uuid4(), code)
    assert kept != hash_code(KEYS[1], signature, code)
