"""Templates: one Jinja environment for each language, with our filters and the addresses of static files."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_eval_context, select_autoescape
from markupsafe import Markup, escape

from app.i18n.catalogues import LOCALES, Locale, message, translations
from app.i18n.formats import format_date, format_days, format_moment, format_number, format_zone, language_name
from app.rules.khmer import join_repetition
from app.rules.texts import Part, localise, paragraphs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from jinja2.nodes import EvalContext

TEMPLATES: Final = Path(__file__).resolve().parents[1] / "templates"
STATIC: Final = Path(__file__).resolve().parent / "web" / "static"

LANGUAGE_NAMES: Final[Mapping[Locale, str]] = {"km": "ខ្មែរ", "en": "English", "fr": "Français"}
OPEN_GRAPH_LOCALES: Final[Mapping[Locale, str]] = {"km": "km_KH", "en": "en_CA", "fr": "fr_CA"}
# A letter is in one language and offers the others, each in its own words: every catalogue names itself here.
OFFERS: Final = {
    # Translators: names your own language. Shown in letters that are written in another one.
    "confirm": message("Read and confirm in English"),
    # Translators: names your own language. Shown in letters that are written in another one.
    "page": message("Open the page in English"),
}


class Pages:
    """The templates of a folder, in three languages."""

    def __init__(self, folder: Path = TEMPLATES) -> None:
        """Remember the folder; environments are made when first needed."""
        self._folder = folder
        self._environments: dict[Locale, Environment] = {}

    def environment(self, locale: Locale) -> Environment:
        """Return the environment of ``locale``."""
        if locale not in self._environments:
            self._environments[locale] = _environment(self._folder, locale)
        return self._environments[locale]

    def render(self, template: str, locale: Locale, **context: object) -> str:
        """Return ``template`` in ``locale``. A name that ``context`` lacks raises: pages do not lose parts silently."""
        return self.environment(locale).get_template(template).render(context, locale=locale)


@cache
def pages() -> Pages:
    """Return the project's own templates."""
    return Pages()


def render(template: str, locale: Locale, **context: object) -> str:
    """Return one of the project's templates in ``locale``."""
    return pages().render(template, locale, **context)


@cache
def static_hash() -> str:
    """Return a digest of the static files' names and contents: an address that changes with any of them."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.iterdir()):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:12]


def asset(name: str) -> str:
    """Return the address of a static file."""
    return f"/static/{static_hash()}/{name}"


def _environment(folder: Path, locale: Locale) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=select_autoescape(["html"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Files do not change while a process runs; a restart shows an edit.
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    catalogue = translations(locale)
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # added by the i18n extension
        catalogue.gettext, catalogue.ngettext, newstyle=True
    )
    environment.globals.update(
        locale=locale,
        locales=LOCALES,
        language_names=LANGUAGE_NAMES,
        open_graph_locales=OPEN_GRAPH_LOCALES,
        offers=OFFERS,
        asset=asset,
        localise=localise,
    )
    environment.filters.update(_filters(locale))
    return environment


def _filters(locale: Locale) -> dict[str, Any]:
    def day(moment: date, zone: str | None = None) -> str:
        """Return a day, or the day of a moment in ``zone``."""
        if isinstance(moment, datetime):
            moment = moment.astimezone(ZoneInfo(zone or "UTC"))
        return format_date(moment, locale)

    def choose(texts: Mapping[str, str], source: str | None = None) -> Part[str]:
        return choose_part(texts, locale, source)

    def lang(part: Part[Any]) -> Markup:
        """Return the attribute that says in which language an element is, where that is not the page's."""
        return Markup("") if part.locale == locale else Markup(' lang="{}"').format(part.locale)

    @pass_eval_context
    def spoken(context: EvalContext, part: Part[str]) -> str:
        """Return the text of a part, inside an element of its own where its language is not the page's."""
        text = join_repetition(part.value)
        if not context.autoescape:
            return text
        return escape(text) if part.locale == locale else Markup('<span lang="{}">{}</span>').format(part.locale, text)

    return {
        "number": partial(format_number, locale=locale),
        "date": day,
        "moment": partial(format_moment, locale=locale),
        "zone": partial(format_zone, locale=locale),
        "days": partial(format_days, locale=locale),
        "language": partial(language_name, locale=locale),
        "choose": choose,
        "lang": lang,
        "spoken": spoken,
        "words": join_repetition,
        "paragraphs": paragraphs,
        "lines": lines,
        "sentence": sentence,
    }


def lines(text: str) -> Markup:
    """Return ``text`` with its line breaks kept."""
    return Markup("<br>").join(text.split("\n"))


def sentence(text: str) -> str:
    """Return ``text`` as a sentence begins; nothing else changes, and Khmer has no capitals."""
    return text[:1].upper() + text[1:]


def choose_part(texts: Mapping[str, str], locale: str, source: str | None = None) -> Part[str]:
    """Return the text in ``locale``, else in the language it was written in, else in English, else in any."""
    wanted = (locale, source, "en", *texts)
    found = next(name for name in wanted if name is not None and texts.get(name))
    return Part(texts[found], found)
