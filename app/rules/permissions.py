"""Who may do what in the workspace: roles of a team, and what each allows. The only place that decides it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class Role(StrEnum):
    """A role in the team of one campaign."""

    OWNER = "owner"
    EDITOR = "editor"
    TRANSLATOR = "translator"
    VIEWER = "viewer"


class Permission(StrEnum):
    """What an address of the workspace needs. Every address names one."""

    READ = "read"  # the text, its preview, its history, its check
    SEE_FIGURES = "see_figures"
    WRITE = "write"  # the text in some language; `can_write` says which
    ARRANGE = "arrange"  # add, order and remove recitals and requests
    SET_UP = "set_up"  # addressees, rule, dates, threshold
    EXPORT = "export"
    SUPPORT = "support"  # the private link for supporters
    DRAFT_NEWS = "draft_news"
    SEND_NEWS = "send_news"
    RESPOND = "respond"  # answer visitors, record what parliaments answered
    MOVE = "move"  # submit, close, extend, present …
    CORRECT = "correct"  # publish another edition
    ASK_SPONSOR = "ask_sponsor"
    MANAGE_TEAM = "manage_team"
    OPEN_OFFICE = "open_office"  # who of a member's staff may see the counts
    DECIDE_ENDORSEMENTS = "decide_endorsements"  # see who speaks for an organisation, accept or decline it
    ENTER_PAPER = "enter_paper"  # register sheets signed in ink, see their pictures, type what stands on them
    LEAVE = "leave"


_EVERYBODY: Final = {Permission.READ, Permission.EXPORT, Permission.LEAVE}
_WRITERS: Final = _EVERYBODY | {Permission.WRITE}
_EDITORS: Final = _WRITERS | {
    Permission.SEE_FIGURES,
    Permission.ARRANGE,
    Permission.SET_UP,
    Permission.SUPPORT,
    Permission.DRAFT_NEWS,
    Permission.RESPOND,
    Permission.ENTER_PAPER,
}
ALLOWED: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.OWNER: frozenset(Permission),
    Role.EDITOR: frozenset(_EDITORS),
    Role.TRANSLATOR: frozenset(_WRITERS),
    Role.VIEWER: frozenset(_EVERYBODY | {Permission.SEE_FIGURES}),
}


class StaffPermission(StrEnum):
    """What an address of the moderation door needs."""

    REVIEW = "review"  # read campaigns that ask to be published, approve or refuse them
    MODERATE = "moderate"  # signatures, sets of them, alarms, switches, names, what visitors reported
    OPERATE = "operate"  # stop and resume, give a campaign another owner


class OfficePermission(StrEnum):
    """What an address of the office door needs: to be of a living office, for the campaign in it where it has one."""

    SEE_COUNTS = "see_counts"


STAFF: Final[Mapping[str, frozenset[StaffPermission]]] = {
    "organiser": frozenset(),
    "moderator": frozenset({StaffPermission.REVIEW, StaffPermission.MODERATE}),
    "operator": frozenset(StaffPermission),
}


@dataclass(frozen=True, slots=True)
class Membership:
    """Somebody's place in a team; ``locales`` are those that a translator writes."""

    role: Role
    locales: frozenset[str]

    def allows(self, permission: Permission) -> bool:
        """Tell whether the role allows it."""
        return permission in ALLOWED[self.role]

    def can_write(self, locale: str) -> bool:
        """Tell whether this person may write the text in ``locale``."""
        return self.allows(Permission.WRITE) and (self.role is not Role.TRANSLATOR or locale in self.locales)
