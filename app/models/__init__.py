"""Tables. The database has the last word, so every constraint has a name that code can answer to."""

from app.models.base import Base
from app.models.campaigns import Addressee, Campaign, CampaignKey, Edition, Endorsement, Sponsor, Threshold
from app.models.counting import CampaignCount, CountEvent, Crossing
from app.models.mail import Letter, LetterQuota, QuotaSalt, Token
from app.models.signatures import LIVING_STATES, Signature

__all__ = [
    "LIVING_STATES",
    "Addressee",
    "Base",
    "Campaign",
    "CampaignCount",
    "CampaignKey",
    "CountEvent",
    "Crossing",
    "Edition",
    "Endorsement",
    "Letter",
    "LetterQuota",
    "QuotaSalt",
    "Signature",
    "Sponsor",
    "Threshold",
    "Token",
]
