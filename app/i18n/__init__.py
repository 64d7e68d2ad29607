"""Languages: catalogues, negotiation, formats."""

from app.i18n.catalogues import LOCALES, Locale, Message, as_locale, message, say, say_number

__all__ = ["LOCALES", "Locale", "Message", "as_locale", "message", "say", "say_number"]
