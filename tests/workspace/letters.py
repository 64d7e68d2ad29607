"""An open letter for tests: two organisations under it, two recipients, three languages."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

from sqlalchemy import insert, select

from app.core.clock import utc_now
from app.models import Campaign, Edition, Endorsement, open_campaign_key
from tests.stage import small_campaign

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.stage import Stage

SENATE: Final = {"en": "Senate of Canada", "fr": "Sénat du Canada"}
PARLIAMENT: Final = {"en": "European Parliament"}


def open_letter(stage: Stage, **changes: Any) -> str:  # noqa: ANN401 - a file's own
    """Import an open letter that organisations sign, open for thirty days, and return its slug."""
    data = {
        "kind": "open_letter",
        "signatories": "organisations",
        "eligibility": {"organisation": True},
        "thresholds": [],
        "addressees": [{"name": SENATE, "country": "CA"}, {"name": PARLIAMENT, "country": "EU"}],
        "endorsements": [
            {"name": "Khmer Canadian Association", "acronym": "KCA", "country": "CA"},
            {"name": "Amis du Cambodge", "country": "FR"},
        ],
        **changes,
    }
    document = {name: value for name, value in small_campaign().items() if name != "sponsor"}
    return stage.campaign({**document, **data})


def campaign_id(stage: Stage, slug: str = "libraries") -> UUID:
    """Return a campaign's id."""
    return stage.read(lambda session: session.scalars(select(Campaign.id).where(Campaign.slug == slug)).one())


def add_endorsement(stage: Stage, slug: str = "libraries", **changes: Any) -> UUID:  # noqa: ANN401 - its columns
    """Put an organisation under a letter as it stands once its mailbox was confirmed, and return its id."""
    endorsement_id = uuid4()

    def work(session: Session) -> None:
        campaign = session.scalars(select(Campaign).where(Campaign.slug == slug)).one()
        edition = session.scalars(select(Edition.id).where(Edition.campaign_id == campaign.id)).first()
        key = open_campaign_key(session, campaign_id=campaign.id, keyring=stage.keyring)
        assert key is not None
        person = {"representative": "Sok Dara", "role": "Director", "email": "dara@temple.example"}
        person |= {name: changes.pop(name) for name in tuple(person) if name in changes}
        sealed = {name: key.seal(f"endorsements.{name}", endorsement_id, text) for name, text in person.items()}
        row = {
            "id": endorsement_id, "campaign_id": campaign.id, "edition_id": edition, "state": "waiting",
            "name": "Temple of the Lake", "names": {}, "name_key": "temple of the lake", "country": "CA",
            "kind": "religious", "website": "https://temple.example", "domain": "temple.example", "proof": "domain",
            "locale": "en", "asked_at": utc_now() - timedelta(hours=2), "proven_at": utc_now() - timedelta(hours=1),
            "email_index": key.index("email", person["email"]), **sealed, **changes,
        }  # fmt: skip
        session.execute(insert(Endorsement), row)

    stage.write(work)
    return endorsement_id
