"""Organisations sign through somebody who speaks for them: asked, confirmed, proven, accepted, and everything after.

A form is `asked`. The letter goes to the mailbox that it names; confirmed from there it is `waiting`, and where the
mailbox is at the domain of the organisation's website, that is its proof. Else a letter of authority is, once a
moderator has accepted it. The team accepts or declines. Decisions about the organisations of one campaign take turns at
the campaign's row, so that places in the order of signing are given once.

Two links are in the letters: ``endorse`` confirms, for seven days; ``endorsement`` leads to the organisation's own page
for as long as it has one.
"""

from app.actions.endorsing.deciding import (
    decide_authority_letter,
    decide_endorsement,
    mark_disputed,
    remove_endorsement,
    restore_endorsement,
    take_logo_down,
)
from app.actions.endorsing.forms import confirm_endorsement, request_endorsement, take_form
from app.actions.endorsing.lasting import CHUNK, ask_endorsers_again, expire_endorsements, forget_endorsers
from app.actions.endorsing.own_page import (
    hand_over_endorsement,
    keep_logo,
    remove_logo,
    renew_endorsement,
    send_authority_letter,
    withdraw_endorsement,
)
from app.actions.endorsing.rows import (
    Asked,
    AuthorityMoved,
    EndorsementLinkExpired,
    EndorsementLinkUnknown,
    EndorsementMoved,
    HandedOverLately,
    NotConfirmable,
    NotProven,
    RemovedBefore,
    SignedAlready,
    TextMoved,
)

__all__ = [
    "CHUNK",
    "Asked",
    "AuthorityMoved",
    "EndorsementLinkExpired",
    "EndorsementLinkUnknown",
    "EndorsementMoved",
    "HandedOverLately",
    "NotConfirmable",
    "NotProven",
    "RemovedBefore",
    "SignedAlready",
    "TextMoved",
    "ask_endorsers_again",
    "confirm_endorsement",
    "decide_authority_letter",
    "decide_endorsement",
    "expire_endorsements",
    "forget_endorsers",
    "hand_over_endorsement",
    "keep_logo",
    "mark_disputed",
    "remove_endorsement",
    "remove_logo",
    "renew_endorsement",
    "request_endorsement",
    "restore_endorsement",
    "send_authority_letter",
    "take_form",
    "take_logo_down",
    "withdraw_endorsement",
]
