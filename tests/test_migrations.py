"""Migrations: up from nothing, down again and up again, on both databases, keeping what tables held in between."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from app.core import migrations
from app.core.db import DatabaseUnavailableError
from app.models import Base
from app.models.base import EPOCH
from app.queries.drafts import find_draft
from tests.conftest import plain
from tests.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Make an empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/new folder/empty.db"
        return
    server = request.getfixturevalue("postgres")
    yield plain(server.create_database("empty"))
    server.drop_database("empty")


def _tables(url: str) -> set[str]:
    found: set[str] = set()

    def look(connection: Connection) -> None:
        from sqlalchemy import inspect

        found.update(inspect(connection).get_table_names())

    migrations.run_on_database(url, look)
    return found


def test_migrations_go_up_and_down_and_up_without_drift(empty_url: str) -> None:
    assert migrations.find_drift(empty_url, Base.metadata) == [
        f"the database stands at nothing, and the code expects {migrations.newest_revision()}"
    ]
    migrations.upgrade(empty_url)
    migrations.upgrade(empty_url)
    assert migrations.find_drift(empty_url, Base.metadata) == []
    assert _tables(empty_url) == {*Base.metadata.tables, "alembic_version"}
    migrations.downgrade(empty_url, "base")
    assert _tables(empty_url) == {"alembic_version"}
    migrations.upgrade(empty_url)
    assert migrations.find_drift(empty_url, Base.metadata) == []


def test_each_migration_goes_down_and_up_again_with_data_in_the_tables(empty_url: str, tmp_path: Path) -> None:
    migrations.upgrade(empty_url)
    stage = Stage(empty_url, tmp_path)
    slug = stage.campaign()
    stage.sign(slug)
    stage.post(f"/en/confirm/{stage.deliver()[0].token('confirm')}", {"signing": "1"})
    stage.sql_write("UPDATE signatures SET standing = 'quarantined'")
    counts = {table: stage.sql(f'SELECT count(*) FROM "{table}"') for table in sorted(_tables(empty_url))}  # noqa: S608 - our own tables
    stage.close()
    assert counts["signatures"] == counts["count_events"] == [(1,)]
    from alembic.script import ScriptDirectory

    revisions = [each.revision for each in ScriptDirectory.from_config(migrations._config()).walk_revisions()]
    # The first makes the tables themselves: below it there is nothing that could keep data.
    for revision in revisions[1:]:
        migrations.downgrade(empty_url, revision)
        migrations.upgrade(empty_url)
        stage = Stage(empty_url, tmp_path)
        found = {table: stage.sql(f'SELECT count(*) FROM "{table}"') for table in counts}  # noqa: S608 - the same
        # Accounts, and what only they have, are gone once their tables were taken back: the migration says so.
        gone = ("account_keys", "accounts", "members", "records") if revision == "0001" else ()
        assert found == counts | {table: [(0,)] for table in gone}
        if revision < "0003":
            # What was held counts no more than before, and withdrawn keeps no details.
            assert stage.sql("SELECT state, name, email FROM signatures") == [("withdrawn", None, None)]
        stage.close()
    assert migrations.find_drift(empty_url, Base.metadata) == []


def test_drift_is_a_line_for_each_difference(empty_url: str) -> None:
    migrations.upgrade(empty_url)

    def stray(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE crossings ADD COLUMN stray INTEGER"))

    migrations.run_on_database(empty_url, stray)
    (line,) = migrations.find_drift(empty_url, Base.metadata)
    assert "remove_column" in line
    assert "stray" in line
    assert "\n" not in line


def test_a_database_that_cannot_be_reached_is_a_fact(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for url in ("postgresql://127.0.0.1:1/name", f"sqlite:///{tmp_path}/file/x.db", f"sqlite:///{tmp_path}"):
        with pytest.raises(DatabaseUnavailableError):
            migrations.upgrade(url)


def test_texts_of_the_first_schema_become_drafts_and_drafts_lose_their_edition(empty_url: str, tmp_path: Path) -> None:
    migrations.upgrade(empty_url, "0001")
    texts = {
        "en": {"title": "Books", "requests": ["one", "two"], "faq": [{"question": "Who?", "answer": "You"}]},
        "km": {"title": "សៀវភៅ", "requests": ["មួយ"]},
    }
    ids = {slug: uuid4() for slug in ("draft", "open")}

    def fill(connection: Connection) -> None:
        moment = 0 if connection.dialect.name == "sqlite" else EPOCH
        for slug, campaign_id in ids.items():
            known = {"id": _id(connection, campaign_id), "edition": _id(connection, uuid4()), "at": moment}
            connection.execute(
                text(
                    "INSERT INTO campaigns (id, slug, kind, state, source_locale, timezone, asks, signatories, "
                    "organiser_name, organiser_email, eligibility, created_at) VALUES (:id, :slug, 'petition', :slug, "
                    "'en', 'America/Toronto', '[]', 'both', 'Friends', '', '{}', :at)"
                ).bindparams(slug=slug),
                known,
            )
            connection.execute(
                text(
                    "INSERT INTO editions (id, campaign_id, number, texts, hash, created_at) "
                    "VALUES (:edition, :id, 1, :texts, 'x', :at)"
                ),
                {**known, "texts": json.dumps(texts)},
            )
            for statement in (
                "INSERT INTO endorsements (campaign_id, position, edition_id, name) VALUES (:id, 0, :edition, 'F')",
                "INSERT INTO sponsors (campaign_id, name, titles, email) VALUES (:id, 'A. Member', '{}', :sealed)",
                "INSERT INTO addressees (campaign_id, position, names, country) VALUES (:id, 0, '{}', 'CA')",
            ):
                connection.execute(text(statement), {**known, "sealed": b"sealed"})

    migrations.run_on_database(empty_url, fill)
    migrations.upgrade(empty_url)
    stage = Stage(empty_url, tmp_path)
    for campaign_id in ids.values():
        draft = stage.read(find_draft, campaign_id=campaign_id)
        assert {locale: each.as_data() for locale, each in draft.items()} == texts
    assert stage.sql("SELECT slug FROM campaigns JOIN editions ON campaigns.id = campaign_id") == [("open",)]
    assert stage.sql("SELECT slug, form FROM campaigns ORDER BY slug") == [("draft", "commons"), ("open", "commons")]
    unbound = "SELECT slug FROM campaigns JOIN endorsements ON campaigns.id = campaign_id WHERE edition_id IS NULL"
    assert stage.sql(unbound) == [("draft",)]
    assert stage.sql("SELECT count(*) FROM sponsors WHERE state = 'accepted' AND id = campaign_id") == [(2,)]
    stage.close()
    migrations.downgrade(empty_url, "0001")
    restored: list[object] = []
    migrations.run_on_database(
        empty_url, lambda connection: restored.extend(connection.execute(text("SELECT texts FROM editions")).scalars())
    )
    assert [json.loads(each) if isinstance(each, str) else each for each in restored] == [texts, texts]


def _id(connection: Connection, value: UUID) -> object:
    return value.hex if connection.dialect.name == "sqlite" else value
