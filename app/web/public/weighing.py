"""What speaks for and against a form that somebody wants to sign with: gathered here, added up by the rules.

Nobody is refused. Whoever is held back for a person to look at gets the same pages and letters as everyone; whoever
brings no proof of work while one is wanted is asked once to wait, which needs neither a script nor a cookie.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from app.actions.signing import Origin
from app.rules.integrity import judge
from app.rules.mailboxes import is_throwaway
from app.rules.names import looks_random
from app.rules.normalise import mail_domain
from app.rules.origins import place_of
from app.web import marks
from app.web.public import proof

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from starlette.requests import Request

    from app.actions.signing import Signer
    from app.web.forms import Form
    from app.web.house import House

#: The field that people neither see nor reach. Programs that fill forms know the word; what fills in addresses for
#: people (browsers, keepers of passwords) does not.
HONEYPOT: Final = "message"
PROOF: Final = "proof"
OLD: Final = timedelta(hours=48)
QUICK: Final = timedelta(seconds=3)


async def weigh(
    house: House,
    request: Request,
    form: Form,
    *,
    campaign_id: UUID,
    signer: Signer,
    is_postal_code_odd: bool,
    now: datetime,
) -> Origin:
    """Return where a form came from and what that makes of it. Only one that is not asked again is counted as a form.

    The judgement "ask_again" is for whoever is to wait and press once more.
    """
    address = request.client.host if request.client else None
    switches = await house.switchboard.find()
    signals = _signals(house, form, campaign_id, signer, now)
    if is_postal_code_odd:
        signals.add("postal_mismatch")
    can_ask = False
    if await wants_proof(house, campaign_id, now) and not await proof.check_proof(
        house, campaign_id, form.text(PROOF), now
    ):
        signals.add("no_proof")
        can_ask = not marks.has_waited(house.keyring, campaign_id, form.text("waited"), now)
    place = place_of(address)
    if can_ask:
        return Origin(place.address, place.network, judge(signals, can_ask=True))
    pace = await house.limits.hit(
        campaign_id=campaign_id,
        address=address,
        domain=mail_domain(signer.email),
        is_slowed=switches.is_slowed(country=signer.country, address=address),
        now=now,
    )
    judgement = judge(signals | pace.signals)
    is_quarantined = judgement.outcome == "quarantined"
    house.limits.note_judged(campaign_id=campaign_id, pace=pace, is_quarantined=is_quarantined, now=now)
    return Origin(place.address, place.network, judgement)


async def wants_proof(house: House, campaign_id: UUID, now: datetime) -> bool:
    """Tell whether the forms of a campaign are to bring a proof of work."""
    switches = await house.switchboard.find()
    return switches.wants_proof(campaign_id) or await house.limits.is_under_pressure(campaign_id=campaign_id, now=now)


def _signals(house: House, form: Form, campaign_id: UUID, signer: Signer, now: datetime) -> set[str]:
    signals = set()
    if form.text(HONEYPOT):
        signals.add("honeypot")
    made_at = marks.read_form_mark(house.keyring, campaign_id, form.text("made"))
    if made_at is None:
        signals.add("unmarked_form")
    elif now - made_at > OLD:
        signals.add("old_form")
    elif now - made_at < QUICK:
        # It was made in this very minute, which is this young itself: whatever is quicker than people is seen rarely,
        # but never wrongly.
        signals.add("quick_form")
    if is_throwaway(mail_domain(signer.email)):
        signals.add("throwaway_domain")
    if looks_random(signer.name):
        signals.add("odd_name")
    return signals
