"""The data keys that tables hold, opened with the root keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import select

from app.core.keys import WrappedKey
from app.models.accounts import AccountKey
from app.models.campaigns import CampaignKey

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.core.keys import DataKey, Keyring

#: What the accounts' key is wrapped for, where a campaign's is wrapped for the campaign.
ACCOUNTS: Final = UUID(int=0)


def open_campaign_key(session: Session, *, campaign_id: UUID, keyring: Keyring) -> DataKey | None:
    """Return a campaign's newest data key, or None once it was destroyed. Raises SealBrokenError, KeysUnusableError."""
    row = session.scalars(
        select(CampaignKey).where(CampaignKey.campaign_id == campaign_id).order_by(CampaignKey.version.desc()).limit(1)
    ).first()
    return None if row is None else keyring.data_key(campaign_id, row.version, WrappedKey(row.root_version, row.sealed))


def open_account_key(session: Session, *, keyring: Keyring) -> DataKey | None:
    """Return the accounts' data key, or None before there was any account. Raises as above."""
    row = session.scalars(select(AccountKey).order_by(AccountKey.version.desc()).limit(1)).first()
    return None if row is None else keyring.data_key(ACCOUNTS, row.version, WrappedKey(row.root_version, row.sealed))


def open_account_name(key: DataKey | None, account_id: UUID, sealed: bytes | None) -> str | None:
    """Return what somebody is called, or None for somebody without a name. Raises SealBrokenError."""
    return None if key is None or sealed is None else key.open("accounts.name", account_id, sealed)
