"""Pages as a reader sees them: language, fields with their values, faults, links, words."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

VOID: Final = frozenset({"meta", "link", "input", "br", "img"})
INLINE: Final = frozenset({"a", "b", "i", "span"})
Attributes = dict[str, str]


class Page(HTMLParser):
    """One page."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.lang = ""
        self.title = ""
        self.fields: dict[str, list[str]] = {}
        self.ticked: set[tuple[str, str]] = set()
        self.faults: dict[str, str] = {}
        self.invalid: set[str] = set()
        self.summary: list[tuple[str, str]] = []
        self.links: list[str] = []
        self.scripts: list[str] = []
        self.in_language: list[tuple[str, str]] = []
        self._open: list[tuple[str, Attributes]] = []
        self._words: list[str] = []
        self.feed(content)
        self.words = " ".join("".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.lang = attributes["lang"]
        if tag in {"input", "select"} and "name" in attributes:
            self._read_field(tag, attributes)
        if tag == "option" and "selected" in attributes:
            name = next(each["name"] for kind, each in reversed(self._open) if kind == "select")
            self.fields[name] = [attributes["value"]]
        if tag == "a":
            self.links.append(attributes["href"])
        if tag == "script":
            self.scripts.append(attributes.get("src", "inline"))
        if tag not in INLINE:
            self._words.append(" ")
        if tag not in VOID:
            self._open.append((tag, attributes))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        tags = [tag for tag, _ in self._open]
        if "title" in tags:
            self.title += data
            return
        self._words.append(data)
        if not data.strip():
            return
        for tag, attributes in self._open:
            if tag == "p" and (found := re.fullmatch(r"(.+)-fault", attributes.get("id", ""))):
                self.faults[found[1]] = self.faults.get(found[1], "") + data
        language = next((each["lang"] for tag, each in reversed(self._open) if "lang" in each), "")
        self.in_language.append((language, data.strip()))
        if any("data-sum" in attributes for _, attributes in self._open) and tags[-1] == "a":
            self.summary.append((self._open[-1][1]["href"].removeprefix("#"), data))

    def _read_field(self, tag: str, attributes: Attributes) -> None:
        name = attributes["name"]
        if "aria-invalid" in attributes:
            self.invalid.add(name)
        if attributes.get("type") == "checkbox":
            if "checked" in attributes:
                self.ticked.add((name, attributes["value"]))
        elif tag == "input":
            self.fields.setdefault(name, []).append(attributes.get("value", ""))
        else:
            self.fields.setdefault(name, [""])
