"""Loading the list of federal electoral districts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.core.db import dialect_of
from app.models import District

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from app.rules.districts import FederalDistrict

_districts: Table = cast("Table", District.__table__)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading a list did: how many districts it has, and how many came new and left."""

    listed: int
    new: int
    left: int


def load_districts(session: Session, *, districts: Sequence[FederalDistrict], now: datetime) -> Loaded:
    """Make ``districts`` the list that is offered. Signatures keep the code of a district that has left it."""
    before = set(session.scalars(select(District.code).where(District.is_current.is_(True))))
    session.execute(update(District).where(District.is_current.is_(True)).values(is_current=False))
    if districts:
        _insert(session, districts, now)
    codes = {each.code for each in districts}
    return Loaded(len(codes), len(codes - before), len(before - codes))


def _insert(session: Session, districts: Sequence[FederalDistrict], now: datetime) -> None:
    dialect = postgresql if dialect_of(session) == "postgresql" else sqlite
    statement = dialect.insert(_districts)
    changed = {name: statement.excluded[name] for name in ("names", "province", "loaded_at", "is_current")}
    session.execute(
        statement.on_conflict_do_update(index_elements=["code"], set_=changed),
        [
            {
                "code": each.code,
                "names": dict(each.names),
                "province": each.province,
                "loaded_at": now,
                "is_current": True,
            }
            for each in districts
        ],
    )
