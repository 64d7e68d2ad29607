"""The office door and the verified count: transparency log, reports, offices, federal districts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
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
)  # fmt: skip
LETTERS = (*LETTERS_BEFORE, "office_invitation", "office_notice", "checkpoint", "receipt_code")
PURPOSES_BEFORE = (
    "confirm", "manage", "code", "sign_in", "sign_in_code", "invitation", "support", "sponsor", "unsubscribe", "renew",
)  # fmt: skip
PURPOSES = (*PURPOSES_BEFORE, "office", "receipt_code")
LOG_WAITS = "(state = 'confirmed' AND standing = 'counted') <> is_logged"
IS_LIVING = "state IN ('invited', 'joined')"
#: Those that refer to others come first, as they must when tables are dropped.
NEW_TABLES = (
    "report_files", "reports", "checkpoints", "log_leaves", "log_tiles", "log_trees", "office_staff", "offices",
    "districts", "turned_away",
)  # fmt: skip


def upgrade() -> None:
    """Add what the office and the log need. Signatures that are counted wait for their first leaf."""
    op.add_column("campaigns", sa.Column("official_signatures", sa.Integer(), nullable=True))
    op.add_column("campaigns", sa.Column("official_counted_on", sa.Date(), nullable=True))
    op.add_column("signatures", sa.Column("district", sa.String(), nullable=True))
    op.add_column("signatures", sa.Column("is_logged", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("snapshots", sa.Column("margins", JSON, nullable=False, server_default="{}"))
    where = sa.text(LOG_WAITS)
    op.create_index(
        "ix_signatures_log_waits",
        "signatures",
        ["campaign_id", "id"],
        postgresql_where=where,
        sqlite_where=where,
    )
    _set_words("letters", "kind", LETTERS)
    _set_words("tokens", "purpose", PURPOSES)
    _create_offices()
    _create_log()
    _create_reports()


def downgrade() -> None:
    """Take it away, with every checkpoint and report: what was published of them can no longer be checked here."""
    for table in NEW_TABLES:
        op.drop_table(table)
    op.execute(f"DELETE FROM letters WHERE kind NOT IN ({_listed(LETTERS_BEFORE)})")  # noqa: S608 - ours
    op.execute(f"DELETE FROM tokens WHERE purpose NOT IN ({_listed(PURPOSES_BEFORE)})")  # noqa: S608 - ours
    _set_words("tokens", "purpose", PURPOSES_BEFORE)
    _set_words("letters", "kind", LETTERS_BEFORE)
    op.drop_index("ix_signatures_log_waits", "signatures")
    for table, columns in (
        ("snapshots", ("margins",)),
        ("signatures", ("is_logged", "district")),
        ("campaigns", ("official_counted_on", "official_signatures")),
    ):
        for column in columns:
            op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _set_words(table: str, column: str, words: tuple[str, ...]) -> None:
    name = op.f(f"ck_{table}_{column}")
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    with op.batch_alter_table(table, recreate="never" if is_postgresql else "always") as batch:
        batch.drop_constraint(name, type_="check")
        batch.create_check_constraint(name, sa.text(f"{column} IN ({_listed(words)})"))


def _create_offices() -> None:
    op.create_table(
        "turned_away",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("forms", sa.Integer(), nullable=False),
        _of_campaign("turned_away"),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_turned_away")),
    )
    op.create_table(
        "districts",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("names", JSON, nullable=False),
        sa.Column("province", sa.String(), nullable=False),
        sa.Column("loaded_at", MOMENT, nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_districts")),
    )
    op.create_table(
        "offices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        _of_campaign("offices"),
        sa.ForeignKeyConstraint(
            ["created_by"], ["accounts.id"], name=op.f("fk_offices_created_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["revoked_by"], ["accounts.id"], name=op.f("fk_offices_revoked_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offices")),
    )
    op.create_index("ix_offices_campaign_id", "offices", ["campaign_id"])
    op.create_table(
        "office_staff",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.LargeBinary(), nullable=True),
        sa.Column("email_index", sa.LargeBinary(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("invited_at", MOMENT, nullable=False),
        sa.Column("joined_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.CheckConstraint("state IN ('invited', 'joined', 'removed')", name=op.f("ck_office_staff_state")),
        sa.CheckConstraint("state <> 'joined' OR account_id IS NOT NULL", name=op.f("ck_office_staff_account_id")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_office_staff_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["office_id"], ["offices.id"], name=op.f("fk_office_staff_office_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_office_staff")),
    )
    op.create_index("ix_office_staff_account_id", "office_staff", ["account_id"])
    op.create_index(
        "uq_office_staff_living",
        "office_staff",
        ["office_id", "email_index"],
        unique=True,
        postgresql_where=sa.text(IS_LIVING),
        sqlite_where=sa.text(IS_LIVING),
    )


def _create_log() -> None:
    op.create_table(
        "log_trees",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("tree", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("appended_at", MOMENT, nullable=False),
        _is_tree("log_trees"),
        _of_campaign("log_trees"),
        sa.PrimaryKeyConstraint("campaign_id", "tree", name=op.f("pk_log_trees")),
    )
    op.create_table(
        "log_tiles",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("tree", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        _is_tree("log_tiles"),
        _of_campaign("log_tiles"),
        sa.PrimaryKeyConstraint("campaign_id", "tree", "level", "number", name=op.f("pk_log_tiles")),
    )
    op.create_table(
        "log_leaves",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("tree", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("signature_id", sa.Uuid(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        _is_tree("log_leaves"),
        _of_campaign("log_leaves"),
        sa.ForeignKeyConstraint(
            ["signature_id"], ["signatures.id"], name=op.f("fk_log_leaves_signature_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("campaign_id", "tree", "position", name=op.f("pk_log_leaves")),
    )
    op.create_index("ix_log_leaves_signature_id", "log_leaves", ["signature_id"])
    op.create_table(
        "checkpoints",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("signatures", sa.Integer(), nullable=False),
        sa.Column("signed_size", sa.Integer(), nullable=False),
        sa.Column("removed_size", sa.Integer(), nullable=False),
        sa.Column("signed_note", sa.String(), nullable=False),
        sa.Column("removed_note", sa.String(), nullable=False),
        sa.Column("told_at", MOMENT, nullable=True),
        sa.CheckConstraint("signatures = signed_size - removed_size", name=op.f("ck_checkpoints_signatures")),
        _of_campaign("checkpoints"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkpoints")),
        sa.UniqueConstraint("campaign_id", "number", name=op.f("uq_checkpoints_campaign_id_number")),
    )


def _create_reports() -> None:
    op.create_table(
        "reports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("checkpoint_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", MOMENT, nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=True),
        sa.Column("signatures", sa.Integer(), nullable=False),
        sa.Column("figures", JSON, nullable=False),
        _of_campaign("reports"),
        sa.ForeignKeyConstraint(["checkpoint_id"], ["checkpoints.id"], name=op.f("fk_reports_checkpoint_id")),
        sa.ForeignKeyConstraint(["issued_by"], ["accounts.id"], name=op.f("fk_reports_issued_by"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sa.UniqueConstraint("campaign_id", "number", name=op.f("uq_reports_campaign_id_number")),
    )
    op.create_table(
        "report_files",
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["report_id"], ["reports.id"], name=op.f("fk_report_files_report_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("report_id", "name", name=op.f("pk_report_files")),
    )


def _is_tree(table: str) -> sa.CheckConstraint:
    return sa.CheckConstraint("tree IN ('signed', 'removed')", name=op.f(f"ck_{table}_tree"))


def _of_campaign(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_campaign_id")
    return sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=name, ondelete="CASCADE")
