"""What a signing form says: cleaned and typed, or everything that is wrong with it, field by field."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from app.actions.signing import Signer
from app.i18n import Message, message
from app.rules import eligibility, normalise, postal
from app.rules.districts import COUNTRY as COUNTRY_OF_DISTRICTS
from app.rules.districts import reason_against
from app.rules.eligibility import claims_of, reasons_against, ways_to_help
from app.rules.normalise import Refused
from app.rules.places import COUNTRIES, SUBDIVISIONS, country_of, is_subdivision
from app.web.districts import NO_DISTRICTS
from app.web.forms import FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from app.queries.campaigns import Campaign
    from app.web.districts import Districts
    from app.web.forms import Form


#: The mark that a link may carry, to tell by which of them people came: a place or a channel, never a person.
VIA: Final = re.compile(r"[a-z0-9-]{1,32}")
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_ORDER: Final[tuple[str, ...]] = (
    "edition", "claims", "name", "email", "country", "subdivision", "district", "postal_code", "phone", "consent",
)  # fmt: skip
_ODD_POSTAL_CODE: Final = message(
    "This postal code seems to be in another province. Check both. If they are right, press “Sign” again"
)


def read_edition(form: Form, campaign: Campaign) -> str:
    """Return the hash of the text that the form was under; of the current one where it names none."""
    shown = form.text("edition")
    return shown if _HASH.fullmatch(shown) else campaign.edition_hash if not shown else ""


def read_via(form: Form, request: Request, slug: str) -> str:
    """Return the mark of the link that led here, or nothing.

    The page is the same for everyone, so its form cannot hold the mark; but the browser says where the form was, in
    full, to us alone (``Referrer-Policy: same-origin``). A form that came back with faults holds it.
    """
    typed = form.text("via")
    if VIA.fullmatch(typed):
        return typed
    try:
        came_from = urlsplit(request.headers.get("referer", ""))
        marks = parse_qs(came_from.query, max_num_fields=FIELDS).get("via", [""])
    except ValueError:
        return ""
    is_ours = came_from.netloc == request.url.netloc and came_from.path.endswith(f"/campaigns/{slug}")
    return marks[0] if is_ours and VIA.fullmatch(marks[0]) else ""


@dataclass(frozen=True, slots=True)
class ReadForm:
    """What a form says: its signer, or what is wrong with each field, in the order of the page.

    ``doubted`` names the postal code and the province that do not go together. The form that comes back holds it, and
    one that is sent with it is taken: a mailing address is not a residence. ``helps`` says what somebody who may not
    sign can do; ``is_turned_away``, that this is all that keeps the form from being taken. ``wants_district`` is for
    somebody who wants to say a federal district and has not seen the list yet.
    """

    signer: Signer | None
    errors: dict[str, Message] = field(default_factory=dict)
    doubted: str = ""
    helps: tuple[Message, ...] = ()
    is_turned_away: bool = False
    wants_district: bool = False


def read_signer(
    form: Form, campaign: Campaign, *, is_text_current: bool, districts: Districts = NO_DISTRICTS
) -> ReadForm:
    """Return what a form says, cleaned, or what is wrong with it."""
    reading = _Reading(form)
    claims = reading.claims(campaign)
    name = reading.field("name", normalise.clean_name)
    email = reading.field("email", normalise.clean_email)
    country, subdivision = reading.place()
    postal_code = reading.postal_code(country) if "postal_code" in campaign.asks else None
    phone = reading.phone(country) if "phone" in campaign.asks else None
    doubted = reading.doubt(country, subdivision, postal_code)
    district = reading.district(country, subdivision, districts)
    reading.agreement(is_text_current=is_text_current)
    is_whole = not reading.errors
    helps = reading.eligibility(campaign, country, subdivision, claims)
    if reading.errors:
        faults = {name: reading.errors[name] for name in _ORDER if name in reading.errors}
        return ReadForm(None, faults, doubted, helps, is_turned_away=is_whole)
    signer = Signer(
        name=name,
        email=email,
        country=country,
        subdivision=subdivision,
        postal_code=postal_code or None,
        phone=phone or None,
        claims=claims,
        is_name_shown="show_name" in form,
        wants_updates="updates" in form,
        district=district,
    )
    return ReadForm(signer, doubted=doubted, wants_district=reading.wants_district(districts))


def _ineligibility(
    campaign: Campaign, country: str, subdivision: str | None, claims: tuple[str, ...]
) -> dict[str, Message]:
    """Return the reasons against a signer, beside the field that each is about."""

    def reasons(said: tuple[str, ...]) -> tuple[Message, ...]:
        return reasons_against(campaign.rule, eligibility.Signer(country, subdivision, frozenset(said)))

    against = reasons(claims)
    if not against:
        return {}
    # What no box could mend is about the place.
    of_place = reasons(claims_of(campaign.rule))
    of_claims = [reason for reason in against if reason not in of_place]
    # Where another province of the same country would do, that is the field.
    said = frozenset(claims_of(campaign.rule))
    elsewhere = (eligibility.Signer(country, part, said) for part in SUBDIVISIONS.get(country, ()))
    is_province = any(not reasons_against(campaign.rule, signer) for signer in elsewhere)
    found = {"subdivision" if is_province else "country": of_place[0]} if of_place else {}
    return found | ({"claims": of_claims[0]} if of_claims else {})


class _Reading:
    """One pass over a form, collecting what is wrong."""

    def __init__(self, form: Form) -> None:
        self.errors: dict[str, Message] = {}
        self._form = form

    def field(self, name: str, clean: Callable[[str], str]) -> str:
        try:
            return clean(self._form.text(name))
        except Refused as refusal:
            self.errors[name] = refusal.message
            return ""

    def agreement(self, *, is_text_current: bool) -> None:
        if not is_text_current:
            self.errors["edition"] = message(
                "The text has changed since you opened this page. Read it again, then sign."
            )
        if "consent" not in self._form:
            self.errors["consent"] = message("Tick the box to say that you have read how your details are used")

    def eligibility(
        self, campaign: Campaign, country: str, subdivision: str | None, claims: tuple[str, ...]
    ) -> tuple[Message, ...]:
        """Note the reasons against a signer whose place is known; return what they can do instead."""
        if "country" in self.errors or "subdivision" in self.errors:
            return ()
        against = _ineligibility(campaign, country, subdivision, claims)
        self.errors |= against
        if not against:
            return ()
        return ways_to_help(campaign.rule, eligibility.Signer(country, subdivision, frozenset(claims)))

    def claims(self, campaign: Campaign) -> tuple[str, ...]:
        said = self._form.texts("claims")
        return tuple(claim for claim in claims_of(campaign.rule) if claim in said)

    def place(self) -> tuple[str, str | None]:
        country = self._form.text("country").strip().upper()
        if country not in COUNTRIES:
            self.errors["country"] = message("Choose the country where you live")
            return "", None
        subdivision = self._form.text("subdivision").strip()
        if not is_subdivision(subdivision):
            if country in SUBDIVISIONS:
                self.errors["subdivision"] = message("Choose your province, territory or state")
            return country, None
        if country_of(subdivision) != country:
            self.errors["subdivision"] = message(
                "The province or state that you chose is not in the country that you chose"
            )
        return country, subdivision

    def postal_code(self, country: str) -> str:
        if not country:
            return ""
        return self.field("postal_code", lambda raw: postal.clean_postal_code(raw, country))

    def doubt(self, country: str, subdivision: str | None, postal_code: str | None) -> str:
        if country != "CA" or subdivision is None or "subdivision" in self.errors or not postal_code:
            return ""
        if not postal.is_elsewhere(postal_code, subdivision):
            return ""
        doubted = f"{subdivision} {postal_code}"
        if self._form.text("checked") != doubted:
            self.errors.setdefault("postal_code", _ODD_POSTAL_CODE)
        return doubted

    def wants_district(self, districts: Districts) -> bool:
        return "district" not in self._form and districts.has_more(self._form.typed())

    def district(self, country: str, subdivision: str | None, districts: Districts) -> str | None:
        """Return the code of the district that was chosen; what the form does not offer is not read."""
        code = self._form.text("district").strip()
        if not code or not districts.by_code or country != COUNTRY_OF_DISTRICTS:
            return None
        of = None if "subdivision" in self.errors else subdivision
        reason = reason_against(code, districts.by_code, of)
        if reason is None:
            return code
        self.errors["district"] = reason
        return None

    def phone(self, country: str) -> str:
        if not country:
            return ""
        return self.field("phone", lambda raw: normalise.clean_phone(raw, country))
