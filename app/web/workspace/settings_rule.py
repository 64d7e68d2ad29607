"""The builder of who may sign, inside the settings: what a form of it says, and its page and live sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from app.i18n import LOCALES, message, say
from app.queries.settings import find_settings
from app.rendering import sentence
from app.rules.building import (
    KINDS,
    Choices,
    as_fields,
    choices_of,
    faults_of,
    press,
    read_choices,
    rule_of,
)
from app.rules.eligibility import claim_label, claims_of, who_can_sign
from app.rules.places import SUBDIVISIONS, country_name, list_subdivisions
from app.rules.starting import PRESETS, changeable_fields
from app.web.workspace.campaign_form import REPEATED, country_groups, preset_sentences

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from app.i18n import Locale, Message
    from app.rules.eligibility import Rule
    from app.web.forms import Form
    from app.web.gate import Visit

#: What the button says that saves; so does a form without any button pressed.
SAVE: Final = frozenset({"", "save"})
_FILL: Final = "fill:"
_NOTHING_YET: Final = message("Nobody yet: choose anyone, or add a condition")


async def preview_rule(visit: Visit) -> Response:
    """Say in three languages what a form that is not saved yet means, and what its signers would be asked."""
    form = await visit.read_form(repeated=REPEATED)
    settings = await visit.house.database.read(
        find_settings, campaign_id=visit.campaign.id, keyring=visit.house.keyring
    )
    if "eligibility" not in changeable_fields(settings.state):
        raise HTTPException(409)
    said = say_rule(_meant(read_choices(form.typed()), settings.rule), visit.locale)
    return JSONResponse(said)


def say_rule(rule: Rule | None, locale: Locale) -> dict[str, Any]:
    """Return ``who``, the sentence by language, and ``asked``, what signers tick, in the page's own."""
    if rule is None:
        return {"who": {each: _NOTHING_YET.say(each) for each in LOCALES}, "asked": []}
    return {
        "who": {each: sentence(who_can_sign(rule, each)) for each in LOCALES},
        "asked": [sentence(claim_label(claim, locale)) for claim in claims_of(rule)],
    }


def is_pressed(form: Form) -> bool:
    """Tell whether a button of the builder was pressed, and not the one that saves."""
    return form.text("do") not in SAVE


def press_builder(form: Form) -> dict[str, str]:
    """Return the fields of a form as they stand after the button that was pressed."""
    typed, button = form.typed(), form.text("do")
    preset = PRESETS.get(button.removeprefix(_FILL)) if button.startswith(_FILL) else None
    filled = None if preset is None else choices_of(preset.make(()))
    return merged(typed, press(read_choices(typed), button) if filled is None else filled)


def merged(typed: Mapping[str, str], choices: Choices) -> dict[str, str]:
    """Return typed fields, the builder's as ``choices`` have them."""
    others = {name: value for name, value in typed.items() if not is_of_builder(name)}
    return others | as_fields(choices)


def show_rule(rule: Rule) -> dict[str, str]:
    """Return the fields of a rule that is saved."""
    return as_fields(choices_of(rule) or Choices("kept"))


def read_rule(form: Form, saved: Rule) -> tuple[Rule, dict[str, Message]]:
    """Return who may sign, and what is missing; a rule that is saved stays where it says the same."""
    choices = read_choices(form.typed())
    plain = choices_of(saved)
    if choices == plain or (choices.who == "kept" and plain is None):
        return saved, {}
    if choices.who == "kept":
        return saved, {"who": message("Choose who may sign")}
    rule, faults = rule_of(choices), faults_of(choices)
    return (saved if rule is None or faults else rule), faults


def builder_context(values: Mapping[str, str], saved: Rule, locale: Locale) -> dict[str, Any]:
    """Return what the builder shows."""
    choices = read_choices(values)
    subdivisions = {code: name for country in SUBDIVISIONS for code, name in list_subdivisions(country, locale)}

    def place_name(code: str) -> str:
        if code in subdivisions:
            return subdivisions[code]
        return code if "-" in code else country_name(code, locale)

    return {
        "choices": choices,
        "said": say_rule(_meant(choices, saved), locale),
        "kept": None if choices_of(saved) else sentence(who_can_sign(saved, locale)),
        "kinds": KINDS,
        "place_name": place_name,
        "place_groups": country_groups(locale),
        "subdivision_groups": _subdivision_groups(locale),
        "presets": preset_sentences(locale) | {"residents": say(locale, "people living in countries that you choose")},
    }


def _meant(choices: Choices, saved: Rule) -> Rule | None:
    return saved if choices.who == "kept" else rule_of(choices)


def is_of_builder(name: str) -> bool:
    """Tell whether a field, or a button, is the builder's."""
    return name in {"who", "add", "do"} or (name.startswith("i") and name[1:2].isdigit())


def _subdivision_groups(locale: Locale) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    return tuple((country_name(code, locale), tuple(list_subdivisions(code, locale))) for code in SUBDIVISIONS)
