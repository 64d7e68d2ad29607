"""How Alembic reaches the database: a connection that the caller gives, else one from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import context

from app.core.migrations import run_on_database
from app.models import Base
from app.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection


def migrate(connection: Connection) -> None:
    """Run the migrations that the current command asks for."""
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    run_on_database(Settings.from_environment().database_url, migrate)
