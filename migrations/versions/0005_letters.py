"""Open letters, endorsements by organisations, and signatures on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from alembic.operations import BatchOperations

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
LETTERS_BEFORE = (
    "confirm", "already_signed", "crossing_organiser", "crossing_office",
    "sign_in", "account_notice", "invitation", "team_notice",
    "supporter", "supported_open", "sponsor_request", "sponsor_notice", "review_request", "move_notice",
    "edition_changed", "update", "update_trial", "response", "question", "question_answer",
    "alarm_notice", "appeal_notice", "appeal_answer",
    "office_invitation", "office_notice", "checkpoint", "receipt_code",
)  # fmt: skip
LETTERS = (
    *LETTERS_BEFORE, "endorse", "endorsement_notice", "endorsement_again", "endorsement_waiting", "authority_waiting",
)  # fmt: skip
PURPOSES_BEFORE = (
    "confirm", "manage", "code", "sign_in", "sign_in_code", "invitation", "support", "sponsor", "unsubscribe", "renew",
    "office", "receipt_code",
)  # fmt: skip
PURPOSES = (*PURPOSES_BEFORE, "endorse", "endorsement")
STATES_BEFORE = (
    "draft", "review", "scheduled", "open", "closed", "presented", "answered", "refused", "stopped",
)  # fmt: skip
STATES = (
    "draft", "review", "embargoed", "scheduled", "open", "closed", "presented", "answered", "refused", "stopped",
)  # fmt: skip
#: What the first migration called it.
STATE_BEFORE = "ck_campaigns_ck_campaigns_state"
#: Those that refer to others come first, as they must when tables are dropped.
NEW_TABLES = (
    "paper_photos", "paper_lines", "paper_batches", "kept_documents", "deliveries", "dated_editions", "letterheads",
    "authority_letters", "logos", "endorsement_renewals",
)  # fmt: skip


def upgrade() -> None:
    """Add what letters need. Organisations that campaign files named have signed, as their files say."""
    with _remade("campaigns") as batch:
        batch.drop_constraint(op.f(STATE_BEFORE), type_="check")
        batch.add_column(sa.Column("embargo_until", MOMENT, nullable=True))
        batch.add_column(sa.Column("preview_link_id", sa.Uuid(), nullable=True))
        batch.add_column(sa.Column("preview_hash", sa.LargeBinary(), nullable=True))
        batch.add_column(sa.Column("paper_return", sa.String(), nullable=True))
        batch.add_column(sa.Column("name_places", sa.Integer(), nullable=False, server_default="0"))
        batch.create_check_constraint(op.f("ck_campaigns_state"), sa.text(f"state IN ({_listed(STATES)})"))
        batch.create_check_constraint(
            op.f("ck_campaigns_embargo_until"), sa.text("state <> 'embargoed' OR embargo_until IS NOT NULL")
        )
    op.create_index("uq_campaigns_preview_hash", "campaigns", ["preview_hash"], unique=True)
    op.execute(
        "UPDATE campaigns SET name_places = coalesce("
        "(SELECT max(name_position) FROM signatures WHERE campaign_id = campaigns.id), 0)"
    )
    op.add_column("addressees", sa.Column("salutations", JSON, nullable=False, server_default="{}"))
    op.add_column("addressees", sa.Column("locale", sa.String(), nullable=True))
    _set_words("letters", "kind", LETTERS)
    _set_words("tokens", "purpose", PURPOSES)
    _replace_endorsements()
    _create_endorsement_tables()
    with _remade("complaints") as batch:
        batch.add_column(sa.Column("endorsement_id", sa.Uuid(), nullable=True))
        batch.create_foreign_key(
            op.f("fk_complaints_endorsement_id"), "endorsements", ["endorsement_id"], ["id"], ondelete="SET NULL"
        )
    _create_letter_tables()
    _create_paper_tables()


def downgrade() -> None:
    """Take it away. Of organisations stay those that have signed; what was under embargo is a draft again."""
    for table in NEW_TABLES:
        op.drop_table(table)
    with _remade("complaints") as batch:
        batch.drop_constraint(op.f("fk_complaints_endorsement_id"), type_="foreignkey")
        batch.drop_column("endorsement_id")
    _restore_endorsements()
    op.execute(f"DELETE FROM letters WHERE kind NOT IN ({_listed(LETTERS_BEFORE)})")  # noqa: S608 - ours
    op.execute(f"DELETE FROM tokens WHERE purpose NOT IN ({_listed(PURPOSES_BEFORE)})")  # noqa: S608 - ours
    _set_words("tokens", "purpose", PURPOSES_BEFORE)
    _set_words("letters", "kind", LETTERS_BEFORE)
    for column in ("locale", "salutations"):
        op.execute(f"ALTER TABLE addressees DROP COLUMN {column}")
    op.drop_index("uq_campaigns_preview_hash", "campaigns")
    op.execute("UPDATE campaigns SET state = 'draft' WHERE state = 'embargoed'")
    with _remade("campaigns") as batch:
        batch.drop_constraint(op.f("ck_campaigns_embargo_until"), type_="check")
        batch.drop_constraint(op.f("ck_campaigns_state"), type_="check")
        for column in ("name_places", "paper_return", "preview_hash", "preview_link_id", "embargo_until"):
            batch.drop_column(column)
        batch.create_check_constraint(op.f(STATE_BEFORE), sa.text(f"state IN ({_listed(STATES_BEFORE)})"))


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _remade(table: str) -> AbstractContextManager[BatchOperations]:
    """Open a table for changing; SQLite makes it anew."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    return op.batch_alter_table(table, recreate="never" if is_postgresql else "always")


def _set_words(table: str, column: str, words: tuple[str, ...]) -> None:
    name = op.f(f"ck_{table}_{column}")
    with _remade(table) as batch:
        batch.drop_constraint(name, type_="check")
        batch.create_check_constraint(name, sa.text(f"{column} IN ({_listed(words)})"))


def _of(table: str, column: str, other: str, ondelete: str | None = "CASCADE") -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete=ondelete)


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _by(table: str, column: str) -> sa.ForeignKeyConstraint:
    return _of(table, column, "accounts", "SET NULL")


OLD_ENDORSEMENTS = sa.table(
    "endorsements", sa.column("campaign_id", sa.Uuid()), sa.column("position", sa.Integer()),
    sa.column("edition_id", sa.Uuid()), sa.column("name"), sa.column("acronym"), sa.column("country"),
)  # fmt: skip
CAMPAIGNS = sa.table(
    "campaigns", sa.column("id", sa.Uuid()), sa.column("source_locale"), sa.column("created_at", MOMENT)
)
OLD_COLUMNS = ("campaign_id", "position", "edition_id", "name", "acronym", "country")


def _replace_endorsements() -> None:
    bind = op.get_bind()
    joined = sa.join(OLD_ENDORSEMENTS, CAMPAIGNS, CAMPAIGNS.c.id == OLD_ENDORSEMENTS.c.campaign_id)
    rows = bind.execute(
        sa.select(OLD_ENDORSEMENTS, CAMPAIGNS.c.source_locale, CAMPAIGNS.c.created_at).select_from(joined)
    ).all()
    op.drop_table("endorsements")
    table = _create_endorsements()
    for row in rows:
        values = {name: getattr(row, name) for name in OLD_COLUMNS}
        bind.execute(
            sa.insert(table),
            {
                **values,
                "id": uuid4(),
                "state": "accepted",
                "names": {},
                "name_key": " ".join(row.name.casefold().split()),
                "proof": "file",
                "locale": row.source_locale,
                "asked_at": row.created_at,
                "decided_at": row.created_at,
            },
        )


def _create_endorsements() -> sa.Table:
    table = op.create_table(
        "endorsements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("edition_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("names", JSON, nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        *(
            sa.Column(name, sa.String(), nullable=True)
            for name in ("acronym", "country", "kind", "website", "domain", "proof", "resembles")
        ),
        sa.Column("locale", sa.String(), nullable=False),
        *(
            sa.Column(name, sa.LargeBinary(), nullable=True)
            for name in ("representative", "role", "email", "email_index", "successor")
        ),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("proven_at", MOMENT, nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("because", sa.String(), nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("disputed_at", MOMENT, nullable=True),
        sa.Column("source", sa.String(), nullable=True),
        _check(
            "endorsements",
            "state",
            "state IN ('asked', 'waiting', 'accepted', 'declined', 'withdrawn', 'expired', 'removed')",
        ),
        _check("endorsements", "proof", "proof IN ('domain', 'letter', 'file')"),
        _check("endorsements", "position", "state <> 'accepted' OR position IS NOT NULL"),
        _of("endorsements", "campaign_id", "campaigns"),
        _of("endorsements", "edition_id", "editions", None),
        _by("endorsements", "decided_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endorsements")),
    )
    has_position, is_waiting = sa.text("position IS NOT NULL"), sa.text("state = 'waiting'")
    op.create_index(
        "uq_endorsements_position", "endorsements", ["campaign_id", "position"],
        unique=True, postgresql_where=has_position, sqlite_where=has_position,
    )  # fmt: skip
    op.create_index(
        "uq_endorsements_waiting", "endorsements", ["campaign_id", "email_index", "name_key"],
        unique=True, postgresql_where=is_waiting, sqlite_where=is_waiting,
    )  # fmt: skip
    op.create_index("ix_endorsements_campaign_id_state", "endorsements", ["campaign_id", "state"])
    return table


def _restore_endorsements() -> None:
    bind = op.get_bind()
    rows = bind.execute(
        sa.select(OLD_ENDORSEMENTS)
        .where(sa.column("state") == "accepted")
        .order_by(OLD_ENDORSEMENTS.c.campaign_id, OLD_ENDORSEMENTS.c.position)
    ).all()
    op.drop_table("endorsements")
    op.create_table(
        "endorsements",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("edition_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("acronym", sa.String(), nullable=True),
        sa.Column("country", sa.String(), nullable=True),
        _of("endorsements", "campaign_id", "campaigns"),
        _of("endorsements", "edition_id", "editions", None),
        sa.PrimaryKeyConstraint("campaign_id", "position", name=op.f("pk_endorsements")),
    )
    for row in rows:
        bind.execute(sa.insert(OLD_ENDORSEMENTS), {name: getattr(row, name) for name in OLD_COLUMNS})


def _create_endorsement_tables() -> None:
    op.create_table(
        "endorsement_renewals",
        sa.Column("endorsement_id", sa.Uuid(), nullable=False),
        sa.Column("edition_id", sa.Uuid(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        _of("endorsement_renewals", "endorsement_id", "endorsements"),
        _of("endorsement_renewals", "edition_id", "editions"),
        sa.PrimaryKeyConstraint("endorsement_id", "edition_id", name=op.f("pk_endorsement_renewals")),
    )
    op.create_table(
        "logos",
        sa.Column("endorsement_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("consented_at", MOMENT, nullable=False),
        _of("logos", "endorsement_id", "endorsements"),
        sa.PrimaryKeyConstraint("endorsement_id", name=op.f("pk_logos")),
    )
    op.create_table(
        "authority_letters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("endorsement_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sent_at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("because", sa.String(), nullable=True),
        _check("authority_letters", "state", "state IN ('waiting', 'accepted', 'refused')"),
        _of("authority_letters", "endorsement_id", "endorsements"),
        _by("authority_letters", "decided_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authority_letters")),
    )
    is_waiting = sa.text("state = 'waiting'")
    op.create_index(
        "uq_authority_letters_waiting", "authority_letters", ["endorsement_id"],
        unique=True, postgresql_where=is_waiting, sqlite_where=is_waiting,
    )  # fmt: skip


def _create_letter_tables() -> None:
    op.create_table(
        "letterheads",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("places", JSON, nullable=False),
        sa.Column("dated_on", sa.Date(), nullable=True),
        sa.Column("subjects", JSON, nullable=False),
        sa.Column("arrangement", sa.String(), nullable=False),
        sa.Column("is_numbered", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _check(
            "letterheads",
            "arrangement",
            "arrangement IN ('as_signed', 'alphabetical', 'by_country', 'by_kind')",
        ),
        _of("letterheads", "campaign_id", "campaigns"),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_letterheads")),
    )
    op.create_table(
        "dated_editions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("edition_id", sa.Uuid(), nullable=False),
        sa.Column("signed_as_of", MOMENT, nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        _check("dated_editions", "number", "number > 0"),
        _of("dated_editions", "campaign_id", "campaigns"),
        _of("dated_editions", "edition_id", "editions", None),
        _by("dated_editions", "made_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dated_editions")),
        sa.UniqueConstraint("campaign_id", "number", name=op.f("uq_dated_editions_campaign_id_number")),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("dated_edition_id", sa.Uuid(), nullable=True),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("delivered_on", sa.Date(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("acknowledged_on", sa.Date(), nullable=True),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("removed_at", MOMENT, nullable=True),
        _check("deliveries", "way", "way IN ('mail', 'email', 'by_hand', 'meeting', 'form', 'other')"),
        _of("deliveries", "campaign_id", "campaigns"),
        _of("deliveries", "dated_edition_id", "dated_editions", "SET NULL"),
        _by("deliveries", "recorded_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index("ix_deliveries_campaign_id", "deliveries", ["campaign_id"])
    op.create_table(
        "kept_documents",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("claimed_at", MOMENT, nullable=False),
        sa.Column("made_at", MOMENT, nullable=True),
        sa.Column("is_permanent", sa.Boolean(), nullable=False),
        _of("kept_documents", "campaign_id", "campaigns"),
        sa.PrimaryKeyConstraint("campaign_id", "name", "state", name=op.f("pk_kept_documents")),
    )


def _create_paper_tables() -> None:
    op.create_table(
        "paper_batches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("edition_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("collected_on", sa.Date(), nullable=True),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("sheets", sa.Integer(), nullable=False),
        sa.Column("stated", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sample", sa.Integer(), nullable=False),
        sa.Column("signatures", sa.Integer(), nullable=True),
        sa.Column("duplicates", sa.Integer(), nullable=True),
        sa.Column("registered_at", MOMENT, nullable=False),
        sa.Column("registered_by", sa.Uuid(), nullable=True),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        _check("paper_batches", "kind", "kind IN ('commons', 'free')"),
        _check("paper_batches", "way", "way IN ('counted', 'entered')"),
        _check("paper_batches", "state", "state IN ('open', 'closed', 'removed')"),
        _check("paper_batches", "numbers", "sheets > 0 AND stated >= 0"),
        _check("paper_batches", "signatures", "state <> 'closed' OR signatures IS NOT NULL"),
        _of("paper_batches", "campaign_id", "campaigns"),
        _of("paper_batches", "edition_id", "editions", None),
        _by("paper_batches", "registered_by"),
        _by("paper_batches", "closed_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper_batches")),
        sa.UniqueConstraint("campaign_id", "number", name=op.f("uq_paper_batches_campaign_id_number")),
    )
    op.create_table(
        "paper_lines",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("sheet", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("postal_code", sa.LargeBinary(), nullable=True),
        sa.Column("person_index", sa.LargeBinary(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("typed_at", MOMENT, nullable=False),
        sa.Column("typed_by", sa.Uuid(), nullable=True),
        _check("paper_lines", "entry", "entry IN (1, 2)"),
        _check("paper_lines", "verdict", "verdict IN ('counted', 'repeated', 'invalid')"),
        _of("paper_lines", "batch_id", "paper_batches"),
        _of("paper_lines", "campaign_id", "campaigns"),
        _by("paper_lines", "typed_by"),
        sa.PrimaryKeyConstraint("batch_id", "sheet", "line", "entry", name=op.f("pk_paper_lines")),
    )
    op.create_index("ix_paper_lines_campaign_id_person_index", "paper_lines", ["campaign_id", "person_index"])
    op.create_table(
        "paper_photos",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("sheet", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", MOMENT, nullable=False),
        _of("paper_photos", "batch_id", "paper_batches"),
        sa.PrimaryKeyConstraint("batch_id", "sheet", name=op.f("pk_paper_photos")),
    )
