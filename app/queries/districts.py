"""Federal electoral districts, as they were loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from app.models import District
from app.rules.districts import FederalDistrict

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def list_districts(session: Session, *, with_former: bool = False) -> tuple[FederalDistrict, ...]:
    """Return the districts of the present list by code; ``with_former`` those too that signatures may still name."""
    query = select(District.code, District.names, District.province).order_by(District.code)
    if not with_former:
        query = query.where(District.is_current.is_(True))
    return tuple(FederalDistrict(row.code, row.names, row.province) for row in session.execute(query))
