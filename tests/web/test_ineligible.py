"""Those who may not sign are told why, kindly, and how else to help; those who may are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stage import small_campaign
from tests.web.html import Page

if TYPE_CHECKING:
    from tests.stage import Stage

HELP = "If you cannot sign, you can still help"
RULE = {
    "any_of": [
        {"all_of": [{"citizen_of": ["KH"]}, {"resident_of": ["CA"]}]},
        {"all_of": [{"organisation": True}, {"resident_of": ["FR"]}]},
    ]
}


def test_who_may_not_sign_is_told_how_else_to_help(site: Stage) -> None:
    slug = site.campaign(small_campaign("told-kindly"), eligibility=RULE)
    abroad = site.sign(slug, claims=None, country="FR", subdivision="elsewhere", postal_code="")
    page = Page(abroad.text)
    assert abroad.status_code == 422
    assert [field for field, _ in page.summary] == ["country"]
    assert HELP in page.words
    assert "Cambodian citizens living in Canada; and organisations based in France." in page.words
    assert "If you are allowed to sign for an organisation, that organisation can sign." in page.words
    assert f"/en/campaigns/{slug}/ask" in page.links
    assert page.words.count("Write to the organiser") == 1


def test_who_may_sign_is_not_told_how_else_to_help(site: Stage) -> None:
    slug = site.campaign(small_campaign("told-nothing"), eligibility=RULE)
    mistyped = site.sign(slug, claims=["citizen_of:KH"], email="no address")
    assert [field for field, _ in Page(mistyped.text).summary] == ["email"]
    assert HELP not in Page(mistyped.text).words
    assert HELP not in Page(site.sign(slug, switch="fr").text).words
