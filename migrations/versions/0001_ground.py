"""The ground: campaigns, editions, signatures, counting, letters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "campaigns",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("source_locale", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("opens_at", MOMENT, nullable=True),
        sa.Column("closes_at", MOMENT, nullable=True),
        sa.Column("asks", JSON, nullable=False),
        sa.Column("signatories", sa.String(), nullable=False),
        sa.Column("organiser_name", sa.String(), nullable=False),
        sa.Column("organiser_email", sa.LargeBinary(), nullable=False),
        sa.Column("eligibility", JSON, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("stopped_because", sa.String(), nullable=True),
        sa.CheckConstraint("kind IN ('petition', 'open_letter', 'joint_statement')", name="ck_campaigns_kind"),
        sa.CheckConstraint("signatories IN ('individuals', 'organisations', 'both')", name="ck_campaigns_signatories"),
        sa.CheckConstraint("source_locale IN ('km', 'en', 'fr')", name="ck_campaigns_source_locale"),
        sa.CheckConstraint(
            "state IN ('draft', 'review', 'scheduled', 'open', 'closed', 'presented', 'answered', 'refused', "
            "'stopped')",
            name="ck_campaigns_state",
        ),
        sa.CheckConstraint("closes_at IS NULL OR opens_at IS NULL OR opens_at < closes_at", name="ck_campaigns_dates"),
        sa.PrimaryKeyConstraint("id", name="pk_campaigns"),
        sa.UniqueConstraint("slug", name="uq_campaigns_slug"),
    )
    op.create_table(
        "letter_quotas",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("letters", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_letter_quotas"),
    )
    op.create_table(
        "quota_salts",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_quota_salts"),
    )
    op.create_table(
        "addressees",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("names", JSON, nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name="fk_addressees_campaign_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("campaign_id", "position", name="pk_addressees"),
    )
    op.create_table(
        "campaign_counts",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("signatures", sa.Integer(), nullable=False),
        sa.Column("counted_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name="fk_campaign_counts_campaign_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("campaign_id", name="pk_campaign_counts"),
    )
    op.create_table(
        "campaign_keys",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("root_version", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name="fk_campaign_keys_campaign_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("campaign_id", "version", name="pk_campaign_keys"),
    )
    op.create_table(
        "count_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name="fk_count_events_campaign_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_count_events"),
    )
    op.create_index("ix_count_events_campaign_id", "count_events", ["campaign_id"], unique=False)

    op.create_table(
        "editions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("texts", JSON, nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("number > 0", name="ck_editions_number"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_editions_campaign_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_editions"),
        sa.UniqueConstraint("campaign_id", "number", name="uq_editions_campaign_id_number"),
    )
    op.create_table(
        "sponsors",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("titles", JSON, nullable=False),
        sa.Column("district", sa.String(), nullable=True),
        sa.Column("party", sa.String(), nullable=True),
        sa.Column("email", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_sponsors_campaign_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("campaign_id", name="pk_sponsors"),
    )
    op.create_table(
        "thresholds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("signatures", sa.Integer(), nullable=False),
        sa.Column("labels", JSON, nullable=False),
        sa.Column("reached_at", MOMENT, nullable=True),
        sa.CheckConstraint("signatures > 0", name="ck_thresholds_signatures"),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name="fk_thresholds_campaign_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_thresholds"),
        sa.UniqueConstraint("campaign_id", "signatures", name="uq_thresholds_campaign_id_signatures"),
    )
    op.create_table(
        "crossings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("threshold_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("signatures", sa.Integer(), nullable=False),
        sa.Column("reached_at", MOMENT, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_crossings_campaign_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["threshold_id"], ["thresholds.id"], name="fk_crossings_threshold_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_crossings"),
        sa.UniqueConstraint("threshold_id", name="uq_crossings_threshold_id"),
    )
    op.create_table(
        "endorsements",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("edition_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("acronym", sa.String(), nullable=True),
        sa.Column("country", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name="fk_endorsements_campaign_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_endorsements_edition_id"),
        sa.PrimaryKeyConstraint("campaign_id", "position", name="pk_endorsements"),
    )
    op.create_table(
        "signatures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("edition_id", sa.Uuid(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("email_index", sa.LargeBinary(), nullable=False),
        sa.Column("details_index", sa.LargeBinary(), nullable=False),
        sa.Column("person_index", sa.LargeBinary(), nullable=False),
        sa.Column("domain_index", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("email", sa.LargeBinary(), nullable=True),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("postal_code", sa.LargeBinary(), nullable=True),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("subdivision", sa.String(), nullable=True),
        sa.Column("claims", JSON, nullable=False),
        sa.Column("is_name_shown", sa.Boolean(), nullable=False),
        sa.Column("wants_updates", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("letters", sa.Integer(), nullable=False),
        sa.Column("last_letter_at", MOMENT, nullable=False),
        sa.Column("code_day", sa.Date(), nullable=True),
        sa.Column("code_tries", sa.Integer(), nullable=False),
        sa.CheckConstraint("state <> 'confirmed' OR confirmed_at IS NOT NULL", name="ck_signatures_confirmed_at"),
        sa.CheckConstraint(
            "state IN ('pending', 'confirmed', 'withdrawn', 'expired', 'disowned', 'superseded')",
            name="ck_signatures_state",
        ),
        sa.CheckConstraint("letters BETWEEN 0 AND 5", name="ck_signatures_letters"),
        sa.CheckConstraint("version BETWEEN 1 AND 5", name="ck_signatures_version"),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name="fk_signatures_campaign_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_signatures_edition_id"),
        sa.PrimaryKeyConstraint("id", name="pk_signatures"),
    )
    op.create_index(
        "ix_signatures_pending",
        "signatures",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
        sqlite_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "uq_signatures_confirmed",
        "signatures",
        ["campaign_id", "email_index", "slot"],
        unique=True,
        postgresql_where=sa.text("state = 'confirmed'"),
        sqlite_where=sa.text("state = 'confirmed'"),
    )
    op.create_index(
        "uq_signatures_version",
        "signatures",
        ["campaign_id", "email_index", "slot", "version"],
        unique=True,
        postgresql_where=sa.text("state IN ('pending', 'confirmed')"),
        sqlite_where=sa.text("state IN ('pending', 'confirmed')"),
    )

    op.create_table(
        "letters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("signature_id", sa.Uuid(), nullable=True),
        sa.Column("crossing_id", sa.Uuid(), nullable=True),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("dedupe_key", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("written_at", MOMENT, nullable=True),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("last_fault", sa.String(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('confirm', 'already_signed', 'crossing_organiser', 'crossing_office')", name="ck_letters_kind"
        ),
        sa.CheckConstraint("state IN ('queued', 'sent', 'failed', 'dropped')", name="ck_letters_state"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_letters_campaign_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["crossing_id"], ["crossings.id"], name="fk_letters_crossing_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["signature_id"], ["signatures.id"], name="fk_letters_signature_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_letters"),
        sa.UniqueConstraint("dedupe_key", name="uq_letters_dedupe_key"),
    )
    op.create_index(
        "ix_letters_due",
        "letters",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'queued'"),
        sqlite_where=sa.text("state = 'queued'"),
    )
    op.create_index("ix_letters_signature_id", "letters", ["signature_id"], unique=False)

    op.create_table(
        "tokens",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("letter_id", sa.Uuid(), nullable=False),
        sa.Column("signature_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.CheckConstraint("purpose IN ('confirm', 'manage', 'code')", name="ck_tokens_purpose"),
        sa.ForeignKeyConstraint(["letter_id"], ["letters.id"], name="fk_tokens_letter_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["signature_id"], ["signatures.id"], name="fk_tokens_signature_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("hash", name="pk_tokens"),
    )
    op.create_index("ix_tokens_signature_id", "tokens", ["signature_id"], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_tokens_signature_id", "tokens")

    op.drop_table("tokens")
    op.drop_index("ix_letters_signature_id", "letters")
    op.drop_index("ix_letters_due", "letters")

    op.drop_table("letters")
    op.drop_index("uq_signatures_version", "signatures")
    op.drop_index("uq_signatures_confirmed", "signatures")
    op.drop_index("ix_signatures_pending", "signatures")

    op.drop_table("signatures")
    op.drop_table("endorsements")
    op.drop_table("crossings")
    op.drop_table("thresholds")
    op.drop_table("sponsors")
    op.drop_table("editions")
    op.drop_index("ix_count_events_campaign_id", "count_events")

    op.drop_table("count_events")
    op.drop_table("campaign_keys")
    op.drop_table("campaign_counts")
    op.drop_table("addressees")
    op.drop_table("quota_salts")
    op.drop_table("letter_quotas")
    op.drop_table("campaigns")
