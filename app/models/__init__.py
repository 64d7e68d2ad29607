"""Tables. The database has the last word, so every constraint has a name that code can answer to."""

from app.models.accounts import (
    Account,
    AccountKey,
    AccountSession,
    Challenge,
    Passkey,
    RecoveryCode,
    SignInRequest,
)
from app.models.base import Base
from app.models.campaigns import Addressee, Campaign, CampaignKey, Edition, Sponsor, Threshold
from app.models.counting import CampaignCount, CountEvent, Crossing, TurnedAway
from app.models.drafts import PartRevision, TextItem, TextPart
from app.models.endorsements import AuthorityLetter, Endorsement, EndorsementRenewal, Logo
from app.models.integrity import (
    Alarm,
    Appeal,
    Complaint,
    Decision,
    Flag,
    IntegrityDay,
    LimitBucket,
    SignatureSet,
    Switch,
    UsedChallenge,
)
from app.models.keys import open_account_key, open_account_name, open_campaign_key
from app.models.mail import Letter, LetterQuota, QuotaSalt, Token
from app.models.offices import District, Office, OfficeStaff
from app.models.open_letters import DatedEdition, Delivery, KeptDocument, Letterhead
from app.models.paper import PaperBatch, PaperLine, PaperPhoto
from app.models.running import Question, Renewal, Response, Snapshot, Supporter, Update
from app.models.signatures import LIVING_STATES, Signature, is_counted
from app.models.teams import Invitation, Member, Record
from app.models.transparency import Checkpoint, LogLeaf, LogTile, LogTree, Report, ReportFile

__all__ = [
    "LIVING_STATES",
    "Account",
    "AccountKey",
    "AccountSession",
    "Addressee",
    "Alarm",
    "Appeal",
    "AuthorityLetter",
    "Base",
    "Campaign",
    "CampaignCount",
    "CampaignKey",
    "Challenge",
    "Checkpoint",
    "Complaint",
    "CountEvent",
    "Crossing",
    "DatedEdition",
    "Decision",
    "Delivery",
    "District",
    "Edition",
    "Endorsement",
    "EndorsementRenewal",
    "Flag",
    "IntegrityDay",
    "Invitation",
    "KeptDocument",
    "Letter",
    "LetterQuota",
    "Letterhead",
    "LimitBucket",
    "LogLeaf",
    "LogTile",
    "LogTree",
    "Logo",
    "Member",
    "Office",
    "OfficeStaff",
    "PaperBatch",
    "PaperLine",
    "PaperPhoto",
    "PartRevision",
    "Passkey",
    "Question",
    "QuotaSalt",
    "Record",
    "RecoveryCode",
    "Renewal",
    "Report",
    "ReportFile",
    "Response",
    "SignInRequest",
    "Signature",
    "SignatureSet",
    "Snapshot",
    "Sponsor",
    "Supporter",
    "Switch",
    "TextItem",
    "TextPart",
    "Threshold",
    "Token",
    "TurnedAway",
    "Update",
    "UsedChallenge",
    "is_counted",
    "open_account_key",
    "open_account_name",
    "open_campaign_key",
]
