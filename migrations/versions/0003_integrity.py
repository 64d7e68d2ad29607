"""Integrity: what is held of each signature, sets, alarms, limits, switches, complaints, appeals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LETTERS_BEFORE = (
    "confirm", "already_signed", "crossing_organiser", "crossing_office",
    "sign_in", "account_notice", "invitation", "team_notice",
    "supporter", "supported_open", "sponsor_request", "sponsor_notice", "review_request", "move_notice",
    "edition_changed", "update", "update_trial", "response", "question", "question_answer",
)  # fmt: skip
LETTERS = (*LETTERS_BEFORE, "alarm_notice", "appeal_notice", "appeal_answer")
NAME_WAITS = "state = 'confirmed' AND standing = 'counted' AND is_name_shown AND name_position IS NULL"
WAITS = "standing = 'quarantined' AND state = 'confirmed'"
WAS_HELD = "state = 'withdrawn' AND standing <> 'counted'"
#: Those that refer to others come first, as they must when tables are dropped.
NEW_TABLES = (
    "appeals", "complaints", "used_challenges", "limit_buckets", "switches", "flags", "decisions", "signature_sets",
    "alarms", "integrity_days",
)  # fmt: skip


def upgrade() -> None:
    """Add what integrity needs. Every signature that there is counts as it did."""
    for column in (
        sa.Column("refused_rule", sa.String(), nullable=True),
        sa.Column("refused_at", MOMENT, nullable=True),
        sa.Column("is_refusal_titled", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("paused_at", MOMENT, nullable=True),
    ):
        op.add_column("campaigns", column)
    # A check that comes with its column is the one way that both databases take as it stands.
    op.execute(
        "ALTER TABLE campaigns ADD COLUMN people_per_mailbox INTEGER NOT NULL DEFAULT 1 "
        "CONSTRAINT ck_campaigns_people_per_mailbox CHECK (people_per_mailbox BETWEEN 1 AND 2)"
    )
    op.add_column("thresholds", sa.Column("fell_below_at", MOMENT, nullable=True))
    op.add_column("thresholds", sa.Column("regained_at", MOMENT, nullable=True))
    _extend_signatures()
    _set_letter_kinds(LETTERS)
    _create_tables()


def downgrade() -> None:
    """Take it away. Signatures that were held back or taken out count no more than before: they are withdrawn."""
    for table in NEW_TABLES:
        op.drop_table(table)
    listed = ", ".join(f"'{kind}'" for kind in LETTERS_BEFORE)
    op.execute(f"DELETE FROM letters WHERE kind NOT IN ({listed})")  # noqa: S608 - ours
    _set_letter_kinds(LETTERS_BEFORE)
    op.execute(
        "UPDATE signatures SET state = 'withdrawn', ended_at = confirmed_at, "
        "name = NULL, email = NULL, phone = NULL, postal_code = NULL "
        "WHERE state = 'confirmed' AND standing <> 'counted'"
    )
    op.drop_index("ix_signatures_names_waiting", "signatures")
    op.drop_index("uq_signatures_name_position", "signatures")
    op.drop_index("ix_signatures_held_before", "signatures")
    op.drop_index("ix_signatures_quarantined", "signatures")
    op.drop_index("ix_signatures_person", "signatures")
    op.drop_index("ix_signatures_confirmed_at", "signatures")
    for column in (
        "standing", "name_index", "address_index", "network_index", "score", "signals", "judged_at", "name_check",
        "name_position",
    ):  # fmt: skip
        op.execute(f"ALTER TABLE signatures DROP COLUMN {column}")
    for column in ("fell_below_at", "regained_at"):
        op.execute(f"ALTER TABLE thresholds DROP COLUMN {column}")
    with op.batch_alter_table("campaigns") as batch:
        # SQLite keeps a check beside the column, once a later migration has made the table anew.
        batch.drop_constraint(op.f("ck_campaigns_people_per_mailbox"), type_="check")
        batch.drop_column("people_per_mailbox")
    for column in ("paused_at", "is_refusal_titled", "refused_at", "refused_rule"):
        op.execute(f"ALTER TABLE campaigns DROP COLUMN {column}")


def _extend_signatures() -> None:
    op.execute(
        "ALTER TABLE signatures ADD COLUMN standing VARCHAR NOT NULL DEFAULT 'counted' "
        "CONSTRAINT ck_signatures_standing CHECK (standing IN ('counted', 'quarantined', 'removed'))"
    )
    for column in (
        sa.Column("name_index", sa.LargeBinary(), nullable=True),
        sa.Column("address_index", sa.LargeBinary(), nullable=True),
        sa.Column("network_index", sa.LargeBinary(), nullable=True),
        sa.Column("score", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("signals", JSON, nullable=False, server_default="[]"),
        sa.Column("judged_at", MOMENT, nullable=True),
        sa.Column("name_check", sa.String(), nullable=True),
        sa.Column("name_position", sa.Integer(), nullable=True),
    ):
        op.add_column("signatures", column)
    for name, columns, where in (
        ("ix_signatures_confirmed_at", ["campaign_id", "confirmed_at"], "state = 'confirmed'"),
        ("ix_signatures_person", ["campaign_id", "person_index"], "state = 'confirmed'"),
        ("ix_signatures_quarantined", ["campaign_id", "created_at"], WAITS),
        ("ix_signatures_held_before", ["campaign_id", "email_index"], WAS_HELD),
    ):
        op.create_index(name, "signatures", columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where))
    for name, columns, where, is_unique in (
        ("uq_signatures_name_position", ["campaign_id", "name_position"], "name_position IS NOT NULL", True),
        ("ix_signatures_names_waiting", ["name_check", "campaign_id", "confirmed_at"], NAME_WAITS, False),
    ):
        where_ = sa.text(where)
        op.create_index(name, "signatures", columns, unique=is_unique, postgresql_where=where_, sqlite_where=where_)


def _set_letter_kinds(kinds: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    with op.batch_alter_table("letters", recreate="never" if is_postgresql else "always") as batch:
        batch.drop_constraint(op.f("ck_letters_kind"), type_="check")
        batch.create_check_constraint(op.f("ck_letters_kind"), sa.text(f"kind IN ({listed})"))


def _create_tables() -> None:
    op.create_table(
        "integrity_days",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("restored", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_integrity_days_campaign_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("campaign_id", "day", "rule", name=op.f("pk_integrity_days")),
    )
    op.create_table(
        "alarms",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("dedupe_key", sa.String(), nullable=False),
        sa.Column("figures", JSON, nullable=False),
        sa.Column("conditions", JSON, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("raised_at", MOMENT, nullable=False),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.CheckConstraint("state IN ('open', 'settled')", name=op.f("ck_alarms_state")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_alarms_campaign_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["settled_by"], ["accounts.id"], name=op.f("fk_alarms_settled_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarms")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_alarms_dedupe_key")),
    )
    op.create_index("ix_alarms_campaign_id_raised_at", "alarms", ["campaign_id", "raised_at"])
    op.create_table(
        "signature_sets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("conditions", JSON, nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("because", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=False),
        sa.Column("walked", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("reached_id", sa.Uuid(), nullable=True),
        sa.Column("alarm_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("reversal_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("approved_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.CheckConstraint("action IN ('quarantine', 'remove', 'restore')", name=op.f("ck_signature_sets_action")),
        sa.CheckConstraint(
            "state IN ('proposed', 'declined', 'queued', 'running', 'stopped', 'done', 'reversing', 'reversed')",
            name=op.f("ck_signature_sets_state"),
        ),
        sa.ForeignKeyConstraint(
            ["alarm_id"], ["alarms.id"], name=op.f("fk_signature_sets_alarm_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["approved_by"], ["accounts.id"], name=op.f("fk_signature_sets_approved_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["reversal_by"], ["accounts.id"], name=op.f("fk_signature_sets_reversal_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_signature_sets_campaign_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["accounts.id"], name=op.f("fk_signature_sets_created_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signature_sets")),
    )
    op.create_index("ix_signature_sets_campaign_id_created_at", "signature_sets", ["campaign_id", "created_at"])
    op.create_index(
        "ix_signature_sets_work",
        "signature_sets",
        ["state"],
        postgresql_where=sa.text("state IN ('queued', 'running', 'reversing')"),
        sqlite_where=sa.text("state IN ('queued', 'running', 'reversing')"),
    )
    op.create_table(
        "decisions",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("signature_id", sa.Uuid(), nullable=False),
        sa.Column("set_id", sa.Uuid(), nullable=True),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_decisions_account_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["set_id"], ["signature_sets.id"], name=op.f("fk_decisions_set_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["signature_id"], ["signatures.id"], name=op.f("fk_decisions_signature_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    op.create_index("ix_decisions_set_id_id", "decisions", ["set_id", "id"])
    op.create_index("ix_decisions_signature_id", "decisions", ["signature_id"])
    op.create_table(
        "flags",
        sa.Column("signature_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("found_at", MOMENT, nullable=False),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("state IN ('open', 'kept', 'removed')", name=op.f("ck_flags_state")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_flags_campaign_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["other_id"], ["signatures.id"], name=op.f("fk_flags_other_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["settled_by"], ["accounts.id"], name=op.f("fk_flags_settled_by"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["signature_id"], ["signatures.id"], name=op.f("fk_flags_signature_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("signature_id", "other_id", name=op.f("pk_flags")),
    )
    op.create_index("ix_flags_campaign_id_state", "flags", ["campaign_id", "state"])
    op.create_table(
        "switches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("because", sa.String(), nullable=False),
        sa.Column("on_at", MOMENT, nullable=False),
        sa.Column("on_by", sa.Uuid(), nullable=True),
        sa.Column("off_at", MOMENT, nullable=True),
        sa.Column("off_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('pause_signing', 'pause_creation', 'proof', 'slow_country', 'slow_network')",
            name=op.f("ck_switches_kind"),
        ),
        sa.ForeignKeyConstraint(["off_by"], ["accounts.id"], name=op.f("fk_switches_off_by"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["on_by"], ["accounts.id"], name=op.f("fk_switches_on_by"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_switches")),
    )
    op.create_index(
        "uq_switches_on",
        "switches",
        ["kind", "scope", "subject"],
        unique=True,
        postgresql_where=sa.text("off_at IS NULL"),
        sqlite_where=sa.text("off_at IS NULL"),
    )
    op.create_table(
        "limit_buckets",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("minute", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("hash", "minute", name=op.f("pk_limit_buckets")),
    )
    op.create_index("ix_limit_buckets_ends_at", "limit_buckets", ["ends_at"])
    op.create_table(
        "used_challenges",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_used_challenges")),
    )
    op.create_index("ix_used_challenges_expires_at", "used_challenges", ["expires_at"])
    op.create_table(
        "complaints",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("email", sa.LargeBinary(), nullable=True),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.CheckConstraint("state IN ('open', 'settled')", name=op.f("ck_complaints_state")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_complaints_campaign_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["settled_by"], ["accounts.id"], name=op.f("fk_complaints_settled_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaints")),
    )
    op.create_index("ix_complaints_campaign_id_created_at", "complaints", ["campaign_id", "created_at"])
    op.create_table(
        "appeals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("against", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.CheckConstraint("against IN ('refused', 'stopped')", name=op.f("ck_appeals_against")),
        sa.CheckConstraint("state IN ('open', 'upheld', 'granted', 'lapsed')", name=op.f("ck_appeals_state")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_appeals_account_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_appeals_campaign_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["accounts.id"], name=op.f("fk_appeals_decided_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeals")),
    )
    op.create_index(
        "uq_appeals_open",
        "appeals",
        ["campaign_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
        sqlite_where=sa.text("state = 'open'"),
    )
