"""The demonstration: campaigns of our own writing, with invented signers and one crossing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from sqlalchemy import insert, select, update

from app.actions.accounts import find_or_create_account
from app.actions.campaigns import Publication, import_campaign
from app.actions.counting import roll_up_count
from app.actions.signing import Signer, request_signature
from app.models import Campaign, CountEvent, Edition, Letter, Letterhead, Signature, open_campaign_key
from app.rules.campaign_file import parse_campaign_file
from app.rules.eligibility import claims_of

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.core.keys import DataKey, Keyring
    from app.rules.campaign_file import CampaignFile

FOLDER: Final = Path(__file__).parent
OPEN_FOR_DAYS: Final = 90
MODERATOR: Final = "moderator@example.org"
SMALL_THRESHOLD: Final = 100  # up to here, invented signers reach it and three go beyond
UNDER_WAY: Final = 137
SIGNERS: Final = (("សុខ សុភា", "km"), ("Marie Tremblay", "fr"), ("ចាន់ ដារា", "km"), ("Dara Chan", "en"))
#: What stands above the open letter.
PLACES: Final = {"km": "ម៉ុងរ៉េអាល់", "en": "Montreal", "fr": "Montréal"}
SUBJECTS: Final = {
    "km": "ការឆបោកមនុស្សចាស់តាមទូរសព្ទ ជាភាសាខ្មែរ",
    "en": "telephone fraud against seniors, in Khmer",
    "fr": "la fraude téléphonique en khmer contre les personnes aînées",
}
PROVINCES: Final = ("CA-ON", "CA-QC", "CA-BC", "CA-AB")


def has_campaigns(session: Session) -> bool:
    """Tell whether any campaign exists."""
    return session.scalar(select(Campaign.id).limit(1)) is not None


def load_demonstration(session: Session, *, keyring: Keyring, now: datetime) -> list[str]:
    """Import the demonstration campaigns that are not there yet, sign them, and return their slugs.

    Their owner and a moderator have accounts. Nobody receives mail at example.org (RFC 2606), so that only whoever sees
    the mailbox of development can sign in as either.
    """
    find_or_create_account(session, email=MODERATOR, locale="en", keyring=keyring, now=now, role="moderator")
    loaded = []
    for path in sorted(FOLDER.glob("*.json")):
        file = parse_campaign_file(path.read_bytes())
        if session.scalar(select(Campaign.id).where(Campaign.slug == file.slug)) is not None:
            continue
        publication = Publication(OPEN_FOR_DAYS)
        campaign_id = import_campaign(session, file=file, keyring=keyring, now=now, publication=publication)
        if file.signatories != "organisations":
            _sign(session, campaign_id, file, keyring, now)
        if file.kind == "open_letter":
            head = {"places": PLACES, "dated_on": now.date(), "subjects": SUBJECTS, "arrangement": "as_signed"}
            session.execute(
                insert(Letterhead), {**head, "campaign_id": campaign_id, "is_numbered": False, "version": 1}
            )
        loaded.append(file.slug)
    return loaded


def _head(session: Session, campaign_id: UUID, now: datetime) -> None:
    session.execute(
        insert(Letterhead),
        {
            "campaign_id": campaign_id,
            "places": PLACES,
            "dated_on": now.date(),
            "subjects": SUBJECTS,
            "arrangement": "as_signed",
            "is_numbered": False,
            "version": 1,
        },
    )


def _sign(session: Session, campaign_id: UUID, file: CampaignFile, keyring: Keyring, now: datetime) -> None:
    edition_id = session.scalars(select(Edition.id).where(Edition.campaign_id == campaign_id)).one()
    key = cast("DataKey", open_campaign_key(session, campaign_id=campaign_id, keyring=keyring))
    lowest = min((each.signatures for each in file.thresholds), default=UNDER_WAY)
    wanted = lowest + 3 if lowest <= SMALL_THRESHOLD else UNDER_WAY
    for number in range(wanted):
        signed_at = now - timedelta(minutes=wanted - number)
        signature_id = request_signature(
            session,
            campaign_id=campaign_id,
            edition_id=edition_id,
            locale=SIGNERS[number % len(SIGNERS)][1],
            signer=_invent_signer(number, file),
            key=key,
            now=signed_at,
        )
        # Invented people have no mailbox: they are confirmed here, and get no letters.
        session.execute(
            update(Signature).where(Signature.id == signature_id).values(state="confirmed", confirmed_at=signed_at)
        )
        session.execute(insert(CountEvent), {"campaign_id": campaign_id, "change": 1, "at": signed_at})
    roll_up_count(session, campaign_id=campaign_id, now=now)
    session.execute(update(Letter).where(Letter.campaign_id == campaign_id).values(state="dropped"))


def _invent_signer(number: int, file: CampaignFile) -> Signer:
    return Signer(
        name=SIGNERS[number % len(SIGNERS)][0],
        email=f"signer-{number}@example.org",
        country="CA",
        subdivision=PROVINCES[number % len(PROVINCES)],
        postal_code=None,
        phone=None,
        claims=claims_of(file.eligibility)[:1],
        is_name_shown=False,
        wants_updates=False,
    )
