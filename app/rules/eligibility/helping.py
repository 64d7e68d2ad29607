"""How somebody who may not sign can help all the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.i18n.catalogues import Locale, Message, message, say
from app.rules.eligibility.judging import admits_nobody, place_of, reasons_against
from app.rules.eligibility.language import Anyone
from app.rules.eligibility.meaning import meaning_of, takes_organisations_at
from app.rules.eligibility.sentences import those_who_can_sign

if TYPE_CHECKING:
    from app.rules.eligibility.language import Rule, Signer


@dataclass(frozen=True, slots=True)
class _PassedOn(Message):
    """A sentence that says who can sign, as each language does."""

    rule: Rule = Anyone()  # noqa: RUF009 - it is frozen

    def say(self, locale: Locale) -> str:
        """Return the sentence in ``locale``."""
        return say(locale, self.sentence, people=those_who_can_sign(self.rule, locale))


def ways_to_help(rule: Rule, signer: Signer) -> tuple[Message, ...]:
    """Return what ``signer``, who may not sign, can do instead, the nearest first; nothing for one who may.

    The last is to write to the organiser, which is where its page has the link.
    """
    if not reasons_against(rule, signer):
        return ()
    meaning = meaning_of(rule)
    told = message("Pass it on to those who can sign: %(people)s.")
    ways: list[Message] = [] if admits_nobody(rule) else [_PassedOn(told.sentence, rule=rule)]
    ways += [
        message("Share the link with people you know."),
        message("Write to the organiser: there are other ways to help."),
    ]
    if not signer.is_organisation and takes_organisations_at(meaning, place_of(signer)):
        ways.insert(0, message("If you are allowed to sign for an organisation, that organisation can sign."))
    return tuple(ways)
