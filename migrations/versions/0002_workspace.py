"""The workspace: accounts, teams, drafts part by part, supporters, sponsors who are asked, updates, answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from alembic.operations.base import BatchOperations

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
SINGLE = ("title", "declaration", "body", "salutation", "closing", "call_to_sign")
#: The lists of a text, and the parts that one of their items has.
LISTS = {
    "recitals": ("recital", ("recital",)),
    "requests": ("request", ("request",)),
    "how_to_sign": ("how_to_sign", ("how_to_sign",)),
    "faq": ("faq", ("question", "answer")),
}
LETTERS_BEFORE = ("confirm", "already_signed", "crossing_organiser", "crossing_office")
LETTERS = (
    *LETTERS_BEFORE,
    "sign_in", "account_notice", "invitation", "team_notice",
    "supporter", "supported_open", "sponsor_request", "sponsor_notice", "review_request", "move_notice",
    "edition_changed", "update", "update_trial", "response", "question", "question_answer",
)  # fmt: skip
STATES_BEFORE = ("queued", "sent", "failed", "dropped")
STATES = ("queued", "sent", "failed", "bounced", "dropped")
PURPOSES_BEFORE = ("confirm", "manage", "code")
PURPOSES = (
    *PURPOSES_BEFORE, "sign_in", "sign_in_code", "invitation", "support", "sponsor", "unsubscribe", "renew",
)  # fmt: skip
NEW_TABLES = (
    "account_keys",
    "accounts",
    "account_sessions",
    "sign_in_requests",
    "passkeys",
    "challenges",
    "recovery_codes",
    "members",
    "invitations",
    "records",
    "text_items",
    "text_parts",
    "part_revisions",
    "supporters",
    "renewals",
    "updates",
    "responses",
    "questions",
    "snapshots",
)
#: The first migration named its checks by a convention that was then applied again; the later ones do not.
DOUBLED = "ck_{0}_ck_{0}_{1}"
PLAIN = "ck_{0}_{1}"


def upgrade() -> None:
    """Apply."""
    _create_tables()
    _extend_campaigns()
    _extend_letters()
    _replace_sponsors()
    _take_texts_apart()


def downgrade() -> None:
    """Take back: accounts and what they wrote since are gone, and drafts stand as editions again."""
    _put_texts_together()
    _restore_sponsors()
    _restrict_letters()
    _restrict_campaigns()
    for name in reversed(NEW_TABLES):
        op.drop_table(name)


def _create_tables() -> None:
    op.create_table(
        "account_keys",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("root_version", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_account_keys")),
    )
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email_index", sa.LargeBinary(), nullable=False),
        sa.Column("email", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("totp_secret", sa.LargeBinary(), nullable=True),
        sa.Column("totp_confirmed_at", MOMENT, nullable=True),
        sa.Column("totp_step", sa.Integer(), nullable=True),
        sa.Column("code_tries", sa.Integer(), nullable=False),
        sa.Column("code_tries_since", MOMENT, nullable=True),
        sa.CheckConstraint("role IN ('organiser', 'moderator', 'operator')", name=op.f("ck_accounts_role")),
        sa.CheckConstraint("state IN ('active', 'disabled')", name=op.f("ck_accounts_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("email_index", name=op.f("uq_accounts_email_index")),
    )
    op.create_table(
        "account_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("proven_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_account_sessions_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_sessions")),
        sa.UniqueConstraint("hash", name=op.f("uq_account_sessions_hash")),
    )
    op.create_index("ix_account_sessions_account_id", "account_sessions", ["account_id"], unique=False)
    op.create_table(
        "sign_in_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email_index", sa.LargeBinary(), nullable=False),
        sa.Column("email", sa.LargeBinary(), nullable=False),
        sa.Column("asker_id", sa.Uuid(), nullable=True),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("next_path", sa.String(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("code_tries", sa.Integer(), nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_requests")),
    )
    op.create_index("ix_sign_in_requests_email_index", "sign_in_requests", ["email_index"], unique=False)
    op.create_table(
        "passkeys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.Integer(), nullable=False),
        sa.Column("transports", JSON, nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_passkeys_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkeys_credential_id")),
    )
    op.create_index("ix_passkeys_account_id", "passkeys", ["account_id"], unique=False)
    op.create_table(
        "challenges",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_challenges_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_challenges")),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_recovery_codes_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_recovery_codes")),
    )
    op.create_index("ix_recovery_codes_account_id", "recovery_codes", ["account_id"], unique=False)
    op.create_table(
        "members",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("locales", JSON, nullable=False),
        sa.Column("joined_at", MOMENT, nullable=False),
        sa.CheckConstraint("role IN ('owner', 'editor', 'translator', 'viewer')", name=op.f("ck_members_role")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_members_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_members_campaign_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("campaign_id", "account_id", name=op.f("pk_members")),
    )
    op.create_index("ix_members_account_id", "members", ["account_id"], unique=False)
    op.create_table(
        "invitations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("email_index", sa.LargeBinary(), nullable=False),
        sa.Column("email", sa.LargeBinary(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("locales", JSON, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.CheckConstraint("role IN ('owner', 'editor', 'translator', 'viewer')", name=op.f("ck_invitations_role")),
        sa.CheckConstraint("state IN ('sent', 'accepted', 'declined', 'revoked')", name=op.f("ck_invitations_state")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_invitations_campaign_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["accounts.id"], name=op.f("fk_invitations_invited_by"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
    )
    op.create_index("ix_invitations_campaign_id", "invitations", ["campaign_id"], unique=False)
    op.create_table(
        "records",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("campaign_id", sa.Uuid(), nullable=True),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("details", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_records_account_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_records_campaign_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_records")),
    )
    op.create_index("ix_records_account_id", "records", ["account_id"], unique=False)
    op.create_index("ix_records_campaign_id", "records", ["campaign_id"], unique=False)
    op.create_table(
        "text_items",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.CheckConstraint("kind IN ('recital', 'request', 'faq', 'how_to_sign')", name=op.f("ck_text_items_kind")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_text_items_campaign_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_items")),
    )
    op.create_index("ix_text_items_campaign_id", "text_items", ["campaign_id"], unique=False)
    op.create_table(
        "text_parts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("is_ready", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source_version", sa.Integer(), nullable=True),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("locale IN ('km', 'en', 'fr')", name=op.f("ck_text_parts_locale")),
        sa.CheckConstraint(
            "name IN ('title', 'declaration', 'body', 'salutation', 'closing', 'call_to_sign', 'recital', 'request', "
            "'how_to_sign', 'question', 'answer')",
            name=op.f("ck_text_parts_name"),
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_text_parts_campaign_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["changed_by"], ["accounts.id"], name=op.f("fk_text_parts_changed_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["item_id"], ["text_items.id"], name=op.f("fk_text_parts_item_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_parts")),
    )
    op.create_index(
        "uq_text_parts_item",
        "text_parts",
        ["item_id", "name", "locale"],
        unique=True,
        postgresql_where=sa.text("item_id IS NOT NULL"),
        sqlite_where=sa.text("item_id IS NOT NULL"),
    )
    op.create_index(
        "uq_text_parts_single",
        "text_parts",
        ["campaign_id", "name", "locale"],
        unique=True,
        postgresql_where=sa.text("item_id IS NULL"),
        sqlite_where=sa.text("item_id IS NULL"),
    )
    op.create_table(
        "part_revisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("part_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("is_ready", sa.Boolean(), nullable=False),
        sa.Column("is_set_aside", sa.Boolean(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_part_revisions_account_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["part_id"], ["text_parts.id"], name=op.f("fk_part_revisions_part_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_part_revisions")),
    )
    op.create_index(
        "uq_part_revisions_version",
        "part_revisions",
        ["part_id", "version"],
        unique=True,
        postgresql_where=sa.text("NOT is_set_aside"),
        sqlite_where=sa.text("NOT is_set_aside"),
    )
    op.create_table(
        "supporters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("email_index", sa.LargeBinary(), nullable=False),
        sa.Column("email", sa.LargeBinary(), nullable=True),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("substance_hash", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.CheckConstraint("state IN ('pending', 'confirmed', 'withdrawn')", name=op.f("ck_supporters_state")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_supporters_campaign_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supporters")),
        sa.UniqueConstraint("campaign_id", "email_index", name=op.f("uq_supporters_campaign_id_email_index")),
    )
    op.create_table(
        "renewals",
        sa.Column("signature_id", sa.Uuid(), nullable=False),
        sa.Column("edition_id", sa.Uuid(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["editions.id"], name=op.f("fk_renewals_edition_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["signature_id"], ["signatures.id"], name=op.f("fk_renewals_signature_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("signature_id", "edition_id", name=op.f("pk_renewals")),
    )
    op.create_table(
        "updates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("texts", JSON, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("tried_at", MOMENT, nullable=True),
        sa.Column("tried_version", sa.Integer(), nullable=True),
        sa.Column("queued_at", MOMENT, nullable=True),
        sa.Column("reached_id", sa.Uuid(), nullable=True),
        sa.Column("recipients", sa.Integer(), nullable=False),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.CheckConstraint("state IN ('draft', 'queued', 'sent', 'stopped')", name=op.f("ck_updates_state")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_updates_campaign_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["accounts.id"], name=op.f("fk_updates_created_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_updates")),
    )
    op.create_index("ix_updates_campaign_id", "updates", ["campaign_id"], unique=False)
    op.create_table(
        "responses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("answered_on", sa.Date(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.Column("told_at", MOMENT, nullable=True),
        sa.Column("reached_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('resolution', 'government', 'statement', 'other')", name=op.f("ck_responses_kind")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_responses_campaign_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["accounts.id"], name=op.f("fk_responses_created_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_responses")),
    )
    op.create_index("ix_responses_campaign_id", "responses", ["campaign_id"], unique=False)
    op.create_table(
        "questions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("email_index", sa.LargeBinary(), nullable=True),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("email", sa.LargeBinary(), nullable=True),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("state IN ('open', 'answered', 'closed')", name=op.f("ck_questions_state")),
        sa.ForeignKeyConstraint(
            ["answered_by"], ["accounts.id"], name=op.f("fk_questions_answered_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_questions_campaign_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questions")),
    )
    op.create_index("ix_questions_campaign_id", "questions", ["campaign_id", "created_at"], unique=False)
    op.create_table(
        "snapshots",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("taken_at", MOMENT, nullable=False),
        sa.Column("signatures", sa.Integer(), nullable=False),
        sa.Column("cells", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_snapshots_campaign_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshots")),
        sa.UniqueConstraint("campaign_id", "number", name=op.f("uq_snapshots_campaign_id_number")),
    )


def _extend_campaigns() -> None:
    # A check that comes with its column is the one way that both databases take as it stands.
    op.execute(
        "ALTER TABLE campaigns ADD COLUMN form VARCHAR NOT NULL DEFAULT 'free' "
        "CONSTRAINT ck_campaigns_form CHECK (form IN ('commons', 'free'))"
    )
    for column in (
        sa.Column("stopped_at", MOMENT, nullable=True),
        sa.Column("promised_locales", JSON, nullable=False, server_default="[]"),
        sa.Column("supporters_needed", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("support_link_id", sa.Uuid(), nullable=True),
        sa.Column("support_hash", sa.LargeBinary(), nullable=True),
        sa.Column("settings_version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("open_for_days", sa.Integer(), nullable=True),
        sa.Column("submitted_at", MOMENT, nullable=True),
        sa.Column("refused_because", sa.String(), nullable=True),
        sa.Column("closed_early_at", MOMENT, nullable=True),
        sa.Column("planned_opens_at", MOMENT, nullable=True),
        sa.Column("planned_closes_at", MOMENT, nullable=True),
        sa.Column("presented_on", sa.Date(), nullable=True),
        sa.Column("presented_by", sa.String(), nullable=True),
        sa.Column("answer_due_on", sa.Date(), nullable=True),
        sa.Column("answered_on", sa.Date(), nullable=True),
    ):
        op.add_column("campaigns", column)
    op.create_index("uq_campaigns_support_hash", "campaigns", ["support_hash"], unique=True)
    op.execute(
        "UPDATE campaigns SET form = 'commons' WHERE kind = 'petition' AND EXISTS (SELECT 1 FROM addressees "
        "WHERE addressees.campaign_id = campaigns.id AND addressees.country = 'CA')"
    )
    with _remade("editions") as batch:
        batch.add_column(sa.Column("superseded_at", MOMENT, nullable=True))
        batch.add_column(sa.Column("is_substantive", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("note", JSON, nullable=False, server_default="{}"))
        batch.add_column(sa.Column("created_by", sa.Uuid(), nullable=True))
        batch.add_column(sa.Column("reached_id", sa.Uuid(), nullable=True))
        batch.add_column(sa.Column("asked_at", MOMENT, nullable=True))
        batch.create_foreign_key(
            op.f("fk_editions_created_by"), "accounts", ["created_by"], ["id"], ondelete="SET NULL"
        )
    op.add_column("signatures", sa.Column("source", sa.String(), nullable=True))
    wants_updates = sa.text("state = 'confirmed' AND wants_updates")
    op.create_index(
        "ix_signatures_updates",
        "signatures",
        ["campaign_id", "id"],
        postgresql_where=wants_updates,
        sqlite_where=wants_updates,
    )
    with op.batch_alter_table("endorsements") as batch:
        batch.alter_column("edition_id", existing_type=sa.Uuid(), nullable=True)


def _restrict_campaigns() -> None:
    with op.batch_alter_table("endorsements") as batch:
        batch.alter_column("edition_id", existing_type=sa.Uuid(), nullable=False)
    op.drop_index("ix_signatures_updates", "signatures")
    _drop_columns("signatures", ("source",))
    with _remade("editions") as batch:
        batch.drop_constraint(op.f("fk_editions_created_by"), type_="foreignkey")
        for name in ("superseded_at", "is_substantive", "note", "created_by", "reached_id", "asked_at"):
            batch.drop_column(name)
    op.drop_index("uq_campaigns_support_hash", "campaigns")
    _drop_columns(
        "campaigns",
        (
            "stopped_at", "promised_locales", "supporters_needed", "support_link_id", "support_hash",
            "settings_version", "open_for_days", "submitted_at", "refused_because",
            "closed_early_at", "planned_opens_at",
            "planned_closes_at", "presented_on", "presented_by", "answer_due_on", "answered_on",
        ),
    )  # fmt: skip
    with _remade("campaigns") as batch:
        # SQLite keeps a check beside the column, once a later migration has made the table anew.
        batch.drop_constraint(op.f("ck_campaigns_form"), type_="check")
        batch.drop_column("form")


def _extend_letters() -> None:
    _change_table(
        "letters",
        {"kind": LETTERS, "state": STATES},
        DOUBLED,
        PLAIN,
        add=(sa.Column("account_id", sa.Uuid(), nullable=True), sa.Column("subject_id", sa.Uuid(), nullable=True)),
        foreign_key=("fk_letters_account_id", "accounts", "account_id", "CASCADE"),
        nullable={"campaign_id": True},
    )
    op.create_index("ix_letters_campaign_id", "letters", ["campaign_id", "kind"])
    _change_table("tokens", {"purpose": PURPOSES}, DOUBLED, PLAIN, nullable={"signature_id": True})
    op.create_index("ix_tokens_letter_id", "tokens", ["letter_id"])


def _restrict_letters() -> None:
    listed = ", ".join(f"'{kind}'" for kind in LETTERS_BEFORE)
    purposes = ", ".join(f"'{purpose}'" for purpose in PURPOSES_BEFORE)
    op.execute(f"DELETE FROM tokens WHERE purpose NOT IN ({purposes}) OR signature_id IS NULL")  # noqa: S608 - ours
    op.execute(f"DELETE FROM letters WHERE kind NOT IN ({listed}) OR campaign_id IS NULL")  # noqa: S608 - the same
    op.execute("UPDATE letters SET state = 'failed' WHERE state = 'bounced'")
    op.drop_index("ix_tokens_letter_id", "tokens")
    _change_table("tokens", {"purpose": PURPOSES_BEFORE}, PLAIN, DOUBLED, nullable={"signature_id": False})
    op.drop_index("ix_letters_campaign_id", "letters")
    _change_table(
        "letters",
        {"kind": LETTERS_BEFORE, "state": STATES_BEFORE},
        PLAIN,
        DOUBLED,
        drop=("account_id", "subject_id"),
        nullable={"campaign_id": False},
    )


def _replace_sponsors() -> None:
    """Give each asking a row of its own. A sponsor that was there had accepted, and keeps the campaign's id as its own.

    Its address is sealed for that id.
    """
    rows = _read_sponsors("campaign_id")
    op.drop_table("sponsors")
    states = "state IN ('proposed', 'asked', 'accepted', 'declined', 'expired', 'withdrawn', 'left')"
    table = op.create_table(
        "sponsors",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("titles", JSON, nullable=False),
        sa.Column("district", sa.String(), nullable=True),
        sa.Column("party", sa.String(), nullable=True),
        sa.Column("email", sa.LargeBinary(), nullable=True),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=True),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.CheckConstraint(states, name=op.f("ck_sponsors_state")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_sponsors_campaign_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sponsors")),
    )
    living = sa.text("state IN ('proposed', 'asked', 'accepted')")
    op.create_index(
        "uq_sponsors_living", "sponsors", ["campaign_id"], unique=True, postgresql_where=living, sqlite_where=living
    )
    op.create_index("ix_sponsors_campaign_id", "sponsors", ["campaign_id"])
    if rows:
        op.bulk_insert(table, [{**row, "id": row["campaign_id"], "state": "accepted", "locale": "en"} for row in rows])


def _restore_sponsors() -> None:
    rows = _read_sponsors("campaign_id", "id", where="state = 'accepted'")
    for row in rows:
        if row.pop("id") != row["campaign_id"]:
            row["email"] = None  # sealed for another row than the older code looks in
    op.drop_table("sponsors")
    table = op.create_table(
        "sponsors",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("titles", JSON, nullable=False),
        sa.Column("district", sa.String(), nullable=True),
        sa.Column("party", sa.String(), nullable=True),
        sa.Column("email", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_sponsors_campaign_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_sponsors")),
    )
    if rows:
        op.bulk_insert(table, rows)


def _read_sponsors(*ids: str, where: str = "1 = 1") -> list[dict[str, Any]]:
    table = sa.table(
        "sponsors",
        *(sa.column(name, sa.Uuid()) for name in ids),
        sa.column("name"), sa.column("titles", JSON), sa.column("district"), sa.column("party"), sa.column("email"),
    )  # fmt: skip
    return [dict(row._mapping) for row in op.get_bind().execute(sa.select(table).where(sa.text(where)))]  # noqa: SLF001 - its public name


_campaigns = sa.table(
    "campaigns", sa.column("id", sa.Uuid()), sa.column("state"), sa.column("source_locale"),
    sa.column("promised_locales", JSON), sa.column("created_at", MOMENT),
)  # fmt: skip
_editions = sa.table(
    "editions", sa.column("id", sa.Uuid()), sa.column("campaign_id", sa.Uuid()), sa.column("number", sa.Integer()),
    sa.column("texts", JSON), sa.column("hash"), sa.column("created_at", MOMENT),
    sa.column("is_substantive", sa.Boolean()), sa.column("note", JSON),
)  # fmt: skip
_items = sa.table(
    "text_items", sa.column("id", sa.Uuid()), sa.column("campaign_id", sa.Uuid()), sa.column("kind"),
    sa.column("position", sa.Integer()), sa.column("removed_at", MOMENT),
)  # fmt: skip
_parts = sa.table(
    "text_parts", sa.column("id", sa.Uuid()), sa.column("campaign_id", sa.Uuid()), sa.column("item_id", sa.Uuid()),
    sa.column("name"), sa.column("locale"), sa.column("text"), sa.column("is_ready", sa.Boolean()),
    sa.column("version", sa.Integer()), sa.column("source_version", sa.Integer()), sa.column("changed_at", MOMENT),
)  # fmt: skip
_revisions = sa.table(
    "part_revisions", sa.column("id", sa.Uuid()), sa.column("part_id", sa.Uuid()), sa.column("version", sa.Integer()),
    sa.column("text"), sa.column("is_ready", sa.Boolean()), sa.column("is_set_aside", sa.Boolean()),
    sa.column("at", MOMENT),
)  # fmt: skip


def _take_texts_apart() -> None:
    """Make the newest edition of each campaign its draft; a campaign that is still a draft has no edition."""
    connection = op.get_bind()
    other = _editions.alias()
    newest = sa.select(sa.func.max(other.c.number)).where(other.c.campaign_id == _campaigns.c.id)
    rows = connection.execute(
        sa.select(_campaigns, _editions.c.texts)
        .join(_editions, _editions.c.campaign_id == _campaigns.c.id)
        .where(_editions.c.number == newest.scalar_subquery())
    ).all()
    for row in rows:
        _take_apart(connection, row.id, row.texts, row.created_at)
        connection.execute(
            sa.update(_campaigns).where(_campaigns.c.id == row.id).values(promised_locales=sorted(row.texts))
        )
    drafts = sa.select(_campaigns.c.id).where(_campaigns.c.state == "draft")
    endorsements = sa.table("endorsements", sa.column("campaign_id", sa.Uuid()), sa.column("edition_id", sa.Uuid()))
    connection.execute(
        sa.update(endorsements).where(endorsements.c.campaign_id.in_(drafts)).values(edition_id=sa.null())
    )
    connection.execute(sa.delete(_editions).where(_editions.c.campaign_id.in_(drafts)))


def _take_apart(connection: sa.Connection, campaign_id: UUID, texts: dict[str, Any], at: Any) -> None:  # noqa: ANN401
    parts: list[tuple[UUID | None, str, str, str]] = [
        (None, name, locale, text[name]) for locale, text in texts.items() for name in SINGLE if text.get(name)
    ]
    for key, (kind, names) in LISTS.items():
        length = max((len(text.get(key, ())) for text in texts.values()), default=0)
        for position in range(length):
            item_id = uuid4()
            connection.execute(
                sa.insert(_items), {"id": item_id, "campaign_id": campaign_id, "kind": kind, "position": position}
            )
            for locale, text in texts.items():
                if position < len(text.get(key, ())):
                    item = text[key][position]
                    values = [item] if isinstance(item, str) else [item[name] for name in names]
                    parts += [(item_id, part, locale, value) for part, value in zip(names, values, strict=True)]
    for of_item, name, locale, value in parts:
        if value:
            part = {"id": uuid4(), "text": value, "is_ready": True, "version": 1}
            connection.execute(
                sa.insert(_parts),
                {
                    **part, "campaign_id": campaign_id, "item_id": of_item, "name": name, "locale": locale,
                    "source_version": 1, "changed_at": at,
                },
            )  # fmt: skip
            revision = {**part, "id": uuid4(), "part_id": part["id"], "is_set_aside": False, "at": at}
            connection.execute(sa.insert(_revisions), revision)


def _put_texts_together() -> None:
    """Give campaigns without an edition one, from their drafts: the older code knows no text without."""
    connection = op.get_bind()
    known = sa.select(_editions.c.campaign_id)
    for row in connection.execute(sa.select(_campaigns).where(_campaigns.c.id.not_in(known))).all():
        edition_id = uuid4()
        texts = _put_together(connection, row.id)
        texts.setdefault(row.source_locale, {"title": "?"})
        connection.execute(
            sa.insert(_editions),
            {
                "id": edition_id, "campaign_id": row.id, "number": 1, "texts": texts, "hash": _hash(texts),
                "created_at": row.created_at, "is_substantive": False, "note": {},
            },
        )  # fmt: skip
        endorsements = sa.table("endorsements", sa.column("campaign_id", sa.Uuid()), sa.column("edition_id", sa.Uuid()))
        connection.execute(
            sa.update(endorsements).where(endorsements.c.campaign_id == row.id).values(edition_id=edition_id)
        )
    # What was still being written when it was taken back is a draft for the older code.
    connection.execute(sa.update(_campaigns).where(_campaigns.c.state == "review").values(state="draft"))


def _put_together(connection: sa.Connection, campaign_id: UUID) -> dict[str, Any]:
    texts: dict[str, Any] = {}
    rows = connection.execute(
        sa.select(_parts, _items.c.kind, _items.c.position)
        .outerjoin(_items, _items.c.id == _parts.c.item_id)
        .where(_parts.c.campaign_id == campaign_id, _items.c.removed_at.is_(None), _parts.c.text != "")
        .order_by(_items.c.position, _parts.c.name.desc())
    ).all()
    for row in rows:
        text = texts.setdefault(row.locale, {"title": "?"})
        if row.item_id is None:
            text[row.name] = row.text
        elif row.kind == "faq":
            faq = text.setdefault("faq", [])
            if row.name == "question":
                faq.append({"question": row.text, "answer": "?"})
            elif faq:
                faq[-1]["answer"] = row.text
        else:
            key = next(key for key, (kind, _) in LISTS.items() if kind == row.kind)
            text.setdefault(key, []).append(row.text)
    return texts


def _hash(texts: dict[str, Any]) -> str:
    import hashlib

    canonical = json.dumps(texts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _change_table(
    name: str,
    choices: dict[str, tuple[str, ...]],
    old_name: str,
    new_name: str,
    *,
    add: tuple[sa.Column[Any], ...] = (),
    drop: tuple[str, ...] = (),
    foreign_key: tuple[str, str, str, str] | None = None,
    nullable: dict[str, bool],
) -> None:
    """Change what a table's columns may hold."""
    with _remade(name) as batch:
        for column, values in choices.items():
            batch.drop_constraint(op.f(old_name.format(name, column)), type_="check")
            listed = ", ".join(f"'{value}'" for value in values)
            batch.create_check_constraint(op.f(new_name.format(name, column)), sa.text(f"{column} IN ({listed})"))
        for new_column in add:
            batch.add_column(new_column)
        if foreign_key is not None:
            key, table, referring, ondelete = foreign_key
            batch.create_foreign_key(op.f(key), table, [referring], ["id"], ondelete=ondelete)
        for changed, is_nullable in nullable.items():
            batch.alter_column(changed, existing_type=sa.Uuid(), nullable=is_nullable)
        for dropped in drop:
            if dropped == "account_id":
                batch.drop_constraint(op.f(f"fk_{name}_account_id"), type_="foreignkey")
            batch.drop_column(dropped)


def _remade(table: str) -> AbstractContextManager[BatchOperations]:
    """Open a table for changing; SQLite makes it anew."""
    return op.batch_alter_table(table, recreate="never" if _is_postgresql() else "always")


def _drop_columns(table: str, columns: tuple[str, ...]) -> None:
    for column in columns:
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
