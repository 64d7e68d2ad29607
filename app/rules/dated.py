"""Dated editions of a letter: whether there is anything new to keep, and what that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.rules.letters import content_hash

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.rules.letters import Letter, Signatory


@dataclass(frozen=True, slots=True)
class Difference:
    """What the letter of today has that its newest dated edition has not, and the other way about.

    ``individuals`` and ``paper`` are by how much their counts have changed.
    """

    added: tuple[Signatory, ...] = ()
    gone: tuple[Signatory, ...] = ()
    is_text_new: bool = False
    is_head_new: bool = False
    are_recipients_new: bool = False
    individuals: int = 0
    paper: int = 0
    is_other_new: bool = False  # such as an organisation that signed an earlier text, or the organiser's name

    @property
    def is_any(self) -> bool:
        """Whether there is anything to keep."""
        return self != Difference()


def has_same_content(kept: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Tell whether two letters, as data, differ in nothing but the moment they were looked at."""
    return _hash_without_moment(kept) == _hash_without_moment(now)


def compare(newest: Letter, today: Letter) -> Difference:
    """Return what a new dated edition would add to, and leave out of, the newest one."""
    if has_same_content(newest.as_data(), today.as_data()):
        return Difference()
    before, after = {_who(each) for each in newest.organisations}, {_who(each) for each in today.organisations}
    found = Difference(
        added=tuple(each for each in today.organisations if _who(each) not in before),
        gone=tuple(each for each in newest.organisations if _who(each) not in after),
        is_text_new=newest.edition_hash != today.edition_hash,
        is_head_new=_head(newest) != _head(today),
        are_recipients_new=newest.recipients != today.recipients,
        individuals=today.individuals - newest.individuals,
        paper=today.paper - newest.paper,
    )
    return found if found.is_any else Difference(is_other_new=True)


def _hash_without_moment(data: Mapping[str, Any]) -> str:
    # As text: what comes from a database has lists where the letter of today has tuples.
    return content_hash({name: value for name, value in data.items() if name != "signed_as_of"})


def _who(signatory: Signatory) -> tuple[str, str | None]:
    return signatory.name, signatory.signed_at


def _head(letter: Letter) -> tuple[object, ...]:
    return dict(letter.places), letter.dated_on, dict(letter.subjects), letter.arrangement, letter.is_numbered
