"""The preview: the public page made from the draft, in each language, of which nothing can be sent."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, select, update

from app.core.clock import utc_now
from app.models import Campaign, TextPart
from app.queries.campaigns import find_campaign, find_preview
from app.rules.texts import edition_hash
from tests.stage import on_one_database, small_campaign
from tests.web.html import Page
from tests.workspace.drafts import draft

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Session

    from tests.stage import Organiser, Stage

BANNER: Final = "Preview: this is not public, and nothing can be signed here"
TITLES: Final = {name: text["title"] for name, text in small_campaign()["texts"].items()}
CHANGED: Final = {"km": "បណ្ណាល័យខ្មែរ", "en": "Khmer books everywhere", "fr": "Des livres khmers au complet"}
SENT: Final = frozenset({"button", "input", "select", "textarea"})
#: What a page says does not hang on the database; what is written and raced for is tested on both.


class Sending(HTMLParser):
    """Finds the controls of a page that a browser would send."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.forms = 0
        self.disabled = 0
        self.live: list[str] = []
        self._fieldsets: list[bool] = []
        self._in_form = False
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "fieldset":
            self._fieldsets.append("disabled" in names)
        if tag == "form":
            self.forms += 1
            self._in_form = True
        if tag in SENT and (self._in_form or "form" in names or "formaction" in names):
            is_disabled = any(self._fieldsets) or "disabled" in names
            self.disabled += is_disabled
            self.live += [] if is_disabled else [self.get_starttag_text() or tag]

    def handle_endtag(self, tag: str) -> None:
        if tag == "fieldset":
            self._fieldsets.pop()
        if tag == "form":
            self._in_form = False


def at(slug: str, locale: str = "en") -> str:
    return f"/{locale}/workspace/campaigns/{slug}/preview"


def id_of(session: Session, slug: str) -> UUID:
    return session.scalars(select(Campaign.id).where(Campaign.slug == slug)).one()


def retitle(stage: Stage, slug: str, titles: dict[str, str]) -> None:
    """Change the titles of a draft, the way the editor would leave them."""

    def work(session: Session) -> None:
        parts = update(TextPart).where(TextPart.campaign_id == id_of(session, slug), TextPart.name == "title")
        for locale, title in titles.items():
            session.execute(parts.where(TextPart.locale == locale).values(text=title))

    stage.write(work)


def empty(stage: Stage, slug: str) -> None:
    """Take every word out of a draft."""

    def work(session: Session) -> None:
        session.execute(delete(TextPart).where(TextPart.campaign_id == id_of(session, slug)))

    stage.write(work)


def change(stage: Stage, slug: str, **values: Any) -> None:  # noqa: ANN401 - a column's own
    """Change a campaign's own columns."""

    def work(session: Session) -> None:
        session.execute(update(Campaign).where(Campaign.slug == slug).values(**values))

    stage.write(work)


def member(stage: Stage, slug: str, role: str = "owner") -> Organiser:
    somebody = stage.organiser()
    stage.join(slug, somebody, role, ["fr"] if role == "translator" else [])
    return somebody


def seen(owner: Organiser, path: str) -> str:
    answer = owner.get(path)
    assert answer.status_code == 200
    return answer.text


def test_an_open_campaigns_changed_draft_is_shown_and_not_its_edition(stage: Stage) -> None:
    slug = stage.campaign()
    owner = member(stage, slug)
    retitle(stage, slug, CHANGED)
    for locale, title in CHANGED.items():
        page = Page(seen(owner, f"{at(slug)}/{locale}"))
        assert page.lang == locale
        assert title in page.words
        assert TITLES[locale] not in page.words
        assert BANNER in page.words
        # The public page still says what people sign.
        public = Page(stage.get(f"/{locale}/campaigns/{slug}").text)
        assert TITLES[locale] in public.words
        assert title not in public.words
        assert BANNER not in public.words
    page = Page(seen(owner, f"{at(slug)}/en"))
    assert "Edition 2 of this text" in page.words
    assert "Open for signature" in page.words


@on_one_database
def test_the_preview_is_the_public_page_but_for_what_marks_it(stage: Stage) -> None:
    slug = stage.campaign()
    owner = member(stage, slug)
    preview = seen(owner, f"{at(slug)}/en")
    public = stage.get(f"/en/campaigns/{slug}").text
    start, end = '<div class="cols">', '<p class="m small">Edition '
    marks = re.compile(
        r'<p class="note" lang="en">The form is shown.*?</p>\n|</?fieldset class="f" disabled>\n|</fieldset>\n'
        r'|<input type="hidden" name="made"[^>]*>\n'  # the minute in which each was made
        r'|<p class="m small"><a href="[^"]*/counting">[^\n]*\n'  # of signatures that are there
        r'|(?s:<section class="card" aria-labelledby="document">.*?</section>\n)'  # files that are there
        r'|<p class="noprint"><a href="[^"]*/poster.pdf"[^\n]*\n|<p><a href="[^"]*/paper">[^\n]*\n'
    )

    def inside(text: str) -> str:
        text = text[text.index(start) : text.index(end)]
        return marks.sub("", text.replace(f"/en/workspace/campaigns/{slug}/preview/qr", f"/en/campaigns/{slug}/qr"))

    assert inside(preview) == marks.sub("", inside(public))


@on_one_database
def test_nothing_in_it_can_be_sent(stage: Stage) -> None:
    slug = stage.campaign()
    owner = member(stage, slug)
    for locale in ("km", "en", "fr"):
        sending = Sending(seen(owner, f"{at(slug)}/{locale}"))
        assert sending.forms == 1
        assert sending.disabled > 5
        assert sending.live == []
        # The public page would be sent, so the test would see it.
        assert Sending(stage.get(f"/{locale}/campaigns/{slug}").text).live


@on_one_database
def test_it_is_neither_kept_nor_listed(stage: Stage) -> None:
    slug = stage.campaign()
    owner = member(stage, slug)
    for path in (at(slug), f"{at(slug)}/en", f"{at(slug)}/qr.svg"):
        answer = owner.get(path)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-type"].startswith("image/svg+xml") or 'content="noindex"' in answer.text
    assert 'rel="canonical"' not in owner.get(f"{at(slug)}/en").text


@on_one_database
def test_the_words_around_it_are_the_visitors_and_those_within_the_pages(stage: Stage) -> None:
    slug = draft(stage, {})
    owner = member(stage, slug)
    # The first page leads to every language.
    for locale in ("km", "en", "fr"):
        links = Page(seen(owner, at(slug, locale))).links
        for content in ("km", "en", "fr"):
            assert f"{at(slug, locale)}/{content}" in links
            assert f"{at(slug, locale)}/{content}?width=phone" in links
    text = seen(owner, f"{at(slug, 'fr')}/km?width=phone")
    page = Page(text)
    assert page.lang == "km"
    assert '<div class="note preview" role="note" lang="fr">' in text
    assert '<body class="phone">' in text
    assert TITLES["km"] in page.words
    for locale in ("km", "en", "fr"):
        # In the banner and in the header: both lead to previews, as wide as this one.
        assert page.links.count(f"{at(slug, 'fr')}/{locale}?width=phone") == 2
    assert f"{at(slug, 'fr')}/km" in page.links
    assert f"/fr/workspace/campaigns/{slug}/text" in page.links
    assert not any("chosen" in link for link in page.links)
    # Only a phone shows it exactly, and the page says so.
    narrow, wide = seen(owner, f"{at(slug)}/en?width=phone"), seen(owner, f"{at(slug)}/en?width=desk")
    assert "Open this page on a phone to see it exactly." in narrow
    assert "Open this page on a phone to see it exactly." not in wide
    assert 'class="phone"' not in wide
    assert f"{at(slug)}/en?width=phone" in Page(wide).links


@on_one_database
def test_an_unpublished_draft_is_shown_as_on_its_first_day(stage: Stage) -> None:
    slug = draft(stage, {})
    owner = member(stage, slug)
    change(stage, slug, opens_at=utc_now() + timedelta(days=10), closes_at=None, open_for_days=60)
    page = Page(seen(owner, f"{at(slug)}/en"))
    assert "Open for signature" in page.words
    assert "60 days left" in page.words
    assert "Sign this petition" in page.words
    assert "Edition 1 of this text" in page.words
    assert stage.get(f"/en/campaigns/{slug}").status_code == 404


@on_one_database
def test_a_closed_campaign_is_shown_as_closed(stage: Stage) -> None:
    slug = stage.campaign()
    owner = member(stage, slug)
    change(stage, slug, state="closed", closes_at=utc_now())
    text = seen(owner, f"{at(slug)}/en")
    assert "Signing ended on" in text
    assert Sending(text).forms == 0


@on_one_database
def test_an_empty_draft_is_shown_with_what_there_is(stage: Stage) -> None:
    slug = draft(stage, {}, addressees=[], thresholds=[])
    owner = member(stage, slug)
    empty(stage, slug)
    titles = {"km": "(មិនទាន់មានចំណងជើង)", "en": "(no title yet)", "fr": "(pas encore de titre)"}
    for locale, title in titles.items():
        text = seen(owner, f"{at(slug)}/{locale}")
        said = re.search(r"<h1[^>]*>(.*?)</h1>", text)
        assert said is not None
        assert said[1] == title
        # Nothing is missing in this language that another had: no note but the form's.
        assert text.count('<p class="note"') == 1
        assert Sending(text).live == []


@on_one_database
def test_a_text_without_its_title_shows_the_rest_and_says_so(stage: Stage) -> None:
    slug = draft(stage, {})
    owner = member(stage, slug)
    retitle(stage, slug, {"en": "", "km": ""})
    english = Page(seen(owner, f"{at(slug)}/en"))
    assert "(no title yet)" in english.words
    assert "We, the undersigned, ask for:" in english.words
    assert "not available" not in english.words
    # A translation without its title would not be published: the original stands in, as it will.
    khmer = seen(owner, f"{at(slug)}/km")
    assert '<h1 lang="en">(no title yet)</h1>' in khmer
    assert "We, the undersigned, ask for:" in khmer
    assert CHANGED["fr"] not in khmer
    assert TITLES["fr"] in seen(owner, f"{at(slug)}/fr")


def test_the_preview_of_what_was_published_differs_in_its_edition_alone(stage: Stage) -> None:
    slug = stage.campaign()
    stage.sign(slug)
    published = stage.read(find_campaign, slug=slug)
    assert published is not None
    preview = stage.read(find_preview, campaign_id=published.id, now=utc_now())
    assert preview.edition_number == published.edition_number + 1
    assert preview.edition_hash == edition_hash(preview.texts) == published.edition_hash
    assert preview.edition_id != published.edition_id
    names = set(published.__slots__) - {"edition_id", "edition_number"}
    assert {name: getattr(preview, name) for name in names} == {name: getattr(published, name) for name in names}


@on_one_database
def test_a_translator_sees_it_and_a_stranger_does_not(stage: Stage) -> None:
    slug = draft(stage, {})
    translator = member(stage, slug, "translator")
    stranger = stage.organiser("stranger@example.org")
    for path in (at(slug), f"{at(slug)}/km", f"{at(slug)}/qr.svg"):
        answer = translator.get(path)
        assert answer.status_code == 200
        assert ("<svg" in answer.text) == path.endswith(".svg")
        assert stranger.get(path).status_code == 404
        assert stage.get(path).status_code == 404
    assert translator.get(f"{at(slug)}/de").status_code == 404
    assert translator.post(f"{at(slug)}/km").status_code == 405
