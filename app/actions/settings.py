"""What a campaign is, besides its words: started from a template, brought in a file, copied, set up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, insert, select, update

from app.actions.campaigns import SlugTaken, import_campaign, insert_campaign
from app.actions.drafts import write_draft
from app.actions.records import record
from app.models import (
    Account,
    Addressee,
    Campaign,
    CampaignCount,
    CountEvent,
    Member,
    PartRevision,
    Record,
    TextItem,
    TextPart,
    Threshold,
    open_campaign_key,
)
from app.rules.campaign_file import Organiser
from app.rules.eligibility import rule_as_data
from app.rules.life import opening_instants, start_of_day
from app.rules.starting import TEMPLATES, changeable_fields, free_slug, slug_of, states_to_change
from app.rules.texts import CampaignText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from app.core.keys import Keyring
    from app.rules.campaign_file import CampaignFile
    from app.rules.eligibility import Rule

#: More than anybody writes at a time, and no use to whoever would fill the database.
DRAFTS_AT_ONCE: Final = 20
#: What the form asks beyond name, address, country and province, where nobody has chosen yet.
ASKS: Final = ("postal_code",)


@dataclass(frozen=True, slots=True)
class Closing:
    """When signing ends: so many days after opening, on a day, or, with neither, when somebody ends it."""

    days: int | None = None
    day: date | None = None


@dataclass(frozen=True, slots=True)
class SetAddressee:
    """Whom a campaign speaks to; names by locale."""

    names: Mapping[str, str]
    country: str


@dataclass(frozen=True, slots=True)
class SetThreshold:
    """A number, and by locale what is promised at it."""

    signatures: int
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NewCampaign:
    """What the first page asks. ``known`` names one of the known addressees, whom the declaration then calls upon."""

    template: str
    title: str
    source_locale: str
    addressee: SetAddressee | None
    known: str | None
    rule: Rule
    signatories: str
    closing: Closing
    threshold: SetThreshold | None
    organiser_name: str
    promised_locales: Sequence[str]
    timezone: str


@dataclass(frozen=True, slots=True)
class Beginner:
    """Who starts a campaign, and owns it: an account and its address."""

    account_id: UUID
    email: str


class TooManyDrafts(Exception):
    """Who starts a campaign owns as many drafts already as an account may."""


class SettingsFrozen(Exception):
    """The campaign's state does not let this be changed; the message is that state."""


class SettingsChanged(Exception):
    """Somebody else saved in the meantime; ``fields`` are those that both want to change, empty where unknown."""

    def __init__(self, fields: Iterable[str] = ()) -> None:
        """Keep the names of the fields."""
        super().__init__()
        self.fields = frozenset(fields)


class ThresholdTaken(Exception):
    """There is a promise for this number already."""


class ThresholdTooLow(Exception):
    """A number that is promised while people sign must lie above the count, which is ``count``."""

    def __init__(self, count: int) -> None:
        """Keep the count."""
        super().__init__(str(count))
        self.count = count


def create_campaign(
    session: Session,
    *,
    campaign_id: UUID,
    beginner: Beginner,
    new: NewCampaign,
    fallback_slug: str,
    keyring: Keyring,
    now: datetime,
) -> str:
    """Start a campaign as a draft and return its slug; the same ``campaign_id`` again starts no other.

    Raises TooManyDrafts.
    """
    known = _find_own(session, campaign_id, beginner)
    if known is not None:
        return known
    template = TEMPLATES[new.template]
    slug = free_slug([slug_of(new.title)], _is_taken(session), fallback_slug)
    insert_campaign(
        session,
        campaign_id=campaign_id,
        owner_id=beginner.account_id,
        organiser_email=beginner.email,
        keyring=keyring,
        now=now,
        columns={
            "slug": slug,
            "kind": template.kind,
            "state": "draft",
            "source_locale": new.source_locale,
            "timezone": new.timezone,
            **_dates(new.closing, None, new.timezone),
            "asks": list(ASKS),
            "signatories": new.signatories,
            "organiser_name": new.organiser_name,
            "eligibility": rule_as_data(new.rule),
            "form": template.form,
            "promised_locales": sorted(new.promised_locales),
            "supporters_needed": template.supporters_needed,
        },
    )
    _replace_addressees(session, campaign_id, () if new.addressee is None else (new.addressee,))
    _replace_thresholds(session, campaign_id, () if new.threshold is None else (new.threshold,))
    texts = {locale: CampaignText("", declaration=text) for locale, text in template.declarations(new.known).items()}
    texts[new.source_locale] = replace(texts.get(new.source_locale, CampaignText("")), title=new.title)
    write_draft(session, campaign_id=campaign_id, texts=texts, now=now, account_id=beginner.account_id, is_ready=False)
    for kind, number in template.items.items():
        for position in range(number):
            item = {"id": uuid4(), "campaign_id": campaign_id, "kind": kind, "position": position}
            session.execute(insert(TextItem), item)
    _record(session, "created", campaign_id, beginner.account_id, now, template=new.template)
    return slug


def import_as_team(
    session: Session,
    *,
    campaign_id: UUID,
    beginner: Beginner,
    file: CampaignFile,
    fallback_slug: str,
    keyring: Keyring,
    now: datetime,
) -> str:
    """Make a draft of a file that somebody brought, and return its slug, which is another where the file's is taken.

    Letters go to whoever brought it, and not to an address that a file names: nobody has proven that one. Nor has
    anybody proven that the organisations have signed which it names: they are left out. Raises TooManyDrafts.
    """
    known = _find_own(session, campaign_id, beginner)
    if known is not None:
        return known
    slug = free_slug([file.slug], _is_taken(session), fallback_slug)
    own = replace(file, slug=slug, organiser=Organiser(file.organiser.name, beginner.email))
    import_campaign(session, file=own, keyring=keyring, now=now, owner_id=beginner.account_id, campaign_id=campaign_id)
    return slug


def copy_campaign(
    session: Session,
    *,
    source_id: UUID,
    campaign_id: UUID,
    beginner: Beginner,
    fallback_slug: str,
    keyring: Keyring,
    now: datetime,
) -> str:
    """Make a draft of another campaign's draft and settings, and return its slug.

    Signatures, team, sponsor, organisations that signed, the official number and the dates are those of the old one.
    Raises TooManyDrafts.
    """
    known = _find_own(session, campaign_id, beginner)
    if known is not None:
        return known
    old = session.get_one(Campaign, source_id)
    slug = free_slug([old.slug], _is_taken(session), fallback_slug)
    insert_campaign(
        session,
        campaign_id=campaign_id,
        owner_id=beginner.account_id,
        organiser_email=beginner.email,
        keyring=keyring,
        now=now,
        columns={
            "slug": slug,
            "state": "draft",
            **{
                name: getattr(old, name)
                for name in (
                    "kind", "source_locale", "timezone", "open_for_days", "asks", "signatories", "organiser_name",
                    "eligibility", "form", "promised_locales", "supporters_needed", "people_per_mailbox",
                )
            },
        },
    )  # fmt: skip
    for table, columns in (
        (Addressee, ("position", "names", "country", "salutations", "locale")),
        (Threshold, ("signatures", "labels")),
    ):
        for row in session.scalars(select(table).where(table.campaign_id == source_id)).all():
            own = {"id": uuid4()} if table is Threshold else {}
            values = {name: getattr(row, name) for name in columns}
            session.execute(insert(table), {**own, **values, "campaign_id": campaign_id})
    _copy_draft(session, source_id, campaign_id, beginner.account_id, now)
    _record(session, "copied", campaign_id, beginner.account_id, now, source=source_id.hex)
    return slug


def save_settings(
    session: Session,
    *,
    campaign_id: UUID,
    account_id: UUID,
    version: int,
    changes: Mapping[str, Any],
    keyring: Keyring,
    now: datetime,
) -> str:
    """Save ``changes``, fields of app/rules/starting.py, and return the slug. They were typed beside ``version``.

    Whoever saved other fields in the meantime is not in the way. Raises SettingsFrozen, SettingsChanged, SlugTaken,
    ThresholdTaken, ThresholdTooLow.
    """
    campaign = session.get_one(Campaign, campaign_id)
    if not changes.keys() <= changeable_fields(campaign.state):
        raise SettingsFrozen(campaign.state)
    current = campaign.settings_version
    changed = _changed_since(session, campaign_id, version, current)
    if changed is None or changed & changes.keys():
        raise SettingsChanged(changed or ())
    columns = _columns_of(session, campaign, changes, keyring)
    saved: str | None = session.scalar(
        update(Campaign)
        .where(
            Campaign.id == campaign_id,
            Campaign.settings_version == current,
            Campaign.state.in_(set.intersection(*(set(states_to_change(field)) for field in changes))),
        )
        .values(**columns, settings_version=current + 1)
        .returning(Campaign.slug)
    )
    if saved is None:
        raise SettingsChanged
    if "addressees" in changes:
        _replace_addressees(session, campaign_id, changes["addressees"])
    if "thresholds" in changes:
        _replace_thresholds(session, campaign_id, changes["thresholds"])
    if "new_threshold" in changes:
        _add_threshold(session, campaign_id, changes["new_threshold"])
    # The version that was replaced: what was saved since a page was shown is found by it.
    _record(session, "settings_saved", campaign_id, account_id, now, fields=sorted(changes), version=current)
    return saved


# Steps


def _find_own(session: Session, campaign_id: UUID, beginner: Beginner) -> str | None:
    """Return the slug of what was started with this id already. Raises TooManyDrafts where nothing more may be."""
    # One start of an account after the other, so that fifty at once do not all see none. SQLite has one writer anyway.
    session.execute(select(Account.id).where(Account.id == beginner.account_id).with_for_update(key_share=True))
    own = select(Campaign.slug).join(Member, Member.campaign_id == Campaign.id)
    own = own.where(Member.account_id == beginner.account_id)
    known = session.scalar(own.where(Campaign.id == campaign_id))
    if known is not None:
        return known
    drafts = session.scalars(own.where(Member.role == "owner", Campaign.state == "draft").limit(DRAFTS_AT_ONCE)).all()
    if len(drafts) == DRAFTS_AT_ONCE:
        raise TooManyDrafts
    return None


def _is_taken(session: Session) -> Callable[[str], bool]:
    return lambda slug: session.scalar(select(Campaign.id).where(Campaign.slug == slug)) is not None


def _dates(closing: Closing, opens_at: datetime | None, zone: str) -> dict[str, Any]:
    _, closes_at = opening_instants(None, closing.day, zone)
    return {"open_for_days": closing.days, "opens_at": opens_at, "closes_at": closes_at}


def _changed_since(session: Session, campaign_id: UUID, version: int, current: int) -> frozenset[str] | None:
    """Return the fields that were saved since ``version``, or None where that cannot be told."""
    rows = session.scalars(
        select(Record.details).where(Record.campaign_id == campaign_id, Record.what == "settings_saved")
    ).all()
    later = [row for row in rows if row["version"] >= version]
    if len(later) != current - version:
        return None
    return frozenset(field for row in later for field in row["fields"])


def _columns_of(session: Session, campaign: Campaign, changes: Mapping[str, Any], keyring: Keyring) -> dict[str, Any]:
    plain = (
        "slug", "kind", "form", "reference", "organiser_name", "supporters_needed", "signatories", "timezone",
        "people_per_mailbox",
    )  # fmt: skip
    columns: dict[str, Any] = {name: changes[name] for name in plain if name in changes}
    columns |= {name: sorted(changes[name]) for name in ("promised_locales", "asks") if name in changes}
    if changes.get("slug", campaign.slug) != campaign.slug and _is_taken(session)(changes["slug"]):
        raise SlugTaken(changes["slug"])
    if "eligibility" in changes:
        columns["eligibility"] = rule_as_data(changes["eligibility"])
    if "closing" in changes:
        zone = changes.get("timezone", campaign.timezone)
        columns |= _dates(changes["closing"], _move_to_zone(campaign, zone), zone)
    if "organiser_email" in changes:
        key = open_campaign_key(session, campaign_id=campaign.id, keyring=keyring)
        if key is None:  # destroyed, a year after closing: no address is held any more
            raise SettingsFrozen(campaign.state)
        columns["organiser_email"] = key.seal("campaigns.organiser_email", campaign.id, changes["organiser_email"])
    return columns


def _move_to_zone(campaign: Campaign, zone: str) -> datetime | None:
    """Return the opening on the same day of another zone's calendar."""
    if campaign.opens_at is None:
        return None
    return start_of_day(campaign.opens_at.astimezone(ZoneInfo(campaign.timezone)).date(), zone)


def _replace_addressees(session: Session, campaign_id: UUID, addressees: Sequence[SetAddressee]) -> None:
    # How a letter to somebody begins, and its language, go with the name: they are set elsewhere.
    old = session.scalars(select(Addressee).where(Addressee.campaign_id == campaign_id)).all()
    kept = [(dict(each.names), dict(each.salutations), each.locale) for each in old]
    session.execute(delete(Addressee).where(Addressee.campaign_id == campaign_id))
    for position, each in enumerate(addressees):
        names = dict(each.names)
        salutations, locale = next(((said, to) for known, said, to in kept if known == names), ({}, None))
        row = {"campaign_id": campaign_id, "position": position, "names": names, "country": each.country}
        session.execute(insert(Addressee), {**row, "salutations": salutations, "locale": locale})


def _replace_thresholds(session: Session, campaign_id: UUID, thresholds: Sequence[SetThreshold]) -> None:
    session.execute(delete(Threshold).where(Threshold.campaign_id == campaign_id))
    for each in thresholds:
        _insert_threshold(session, campaign_id, each)


def _insert_threshold(session: Session, campaign_id: UUID, threshold: SetThreshold) -> None:
    session.execute(
        insert(Threshold),
        {
            "id": uuid4(),
            "campaign_id": campaign_id,
            "signatures": threshold.signatures,
            "labels": dict(threshold.labels),
        },
    )


def _add_threshold(session: Session, campaign_id: UUID, threshold: SetThreshold) -> None:
    # Whoever rolls up the count holds the same row: a number cannot be reached and promised at once.
    rolled_up = session.scalars(
        select(CampaignCount.signatures).where(CampaignCount.campaign_id == campaign_id).with_for_update()
    ).one()
    events = select(func.coalesce(func.sum(CountEvent.change), 0)).where(CountEvent.campaign_id == campaign_id)
    count = rolled_up + session.scalars(events).one()
    if threshold.signatures <= count:
        raise ThresholdTooLow(count)
    same = select(Threshold.id).where(
        Threshold.campaign_id == campaign_id, Threshold.signatures == threshold.signatures
    )
    if session.scalar(same) is not None:
        raise ThresholdTaken
    _insert_threshold(session, campaign_id, threshold)


def _copy_draft(session: Session, source_id: UUID, campaign_id: UUID, account_id: UUID, now: datetime) -> None:
    """Copy the boxes of a draft as they stand, each with its state and without its history."""
    items: dict[UUID | None, UUID | None] = {None: None}
    for item in session.scalars(
        select(TextItem).where(TextItem.campaign_id == source_id, TextItem.removed_at.is_(None))
    ).all():
        items[item.id] = own = uuid4()
        row = {"id": own, "campaign_id": campaign_id, "kind": item.kind, "position": item.position}
        session.execute(insert(TextItem), row)
    parts = session.scalars(select(TextPart).where(TextPart.campaign_id == source_id)).all()
    source_locale = session.scalars(select(Campaign.source_locale).where(Campaign.id == source_id)).one()
    sources = {(part.item_id, part.name): part.version for part in parts if part.locale == source_locale}
    for part in parts:
        if part.item_id not in items:
            continue
        # Each part begins anew with version 1: a translation that was behind its source is so again.
        is_behind = part.source_version != sources.get((part.item_id, part.name), part.source_version)
        part_id = uuid4()
        said = {"text": part.text, "is_ready": part.is_ready, "version": 1}
        session.execute(
            insert(TextPart),
            {
                **said,
                "id": part_id,
                "campaign_id": campaign_id,
                "item_id": items[part.item_id],
                "name": part.name,
                "locale": part.locale,
                "source_version": None if part.source_version is None else int(not is_behind),
                "changed_at": now,
                "changed_by": account_id,
            },
        )
        session.execute(
            insert(PartRevision),
            {**said, "id": uuid4(), "part_id": part_id, "is_set_aside": False, "at": now, "account_id": account_id},
        )


def _record(session: Session, what: str, campaign_id: UUID, account_id: UUID, now: datetime, **details: object) -> None:
    record(session, what=what, now=now, account_id=account_id, campaign_id=campaign_id, details=details)
