"""What a document is made of: blocks that ``templates/documents/blocks.typ`` sets and that a plain text says, too.

A block is a small JSON object. Its sentences are spoken already; numbers in it are texts as their language writes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from app.rules.texts import Part

Block = dict[str, Any]
#: A text in the language of its document, or in the language that it says.
Words = str | dict[str, str]
#: Characters of the widest line of a digest or a key: what a page of Letter holds at 8 points.
LINE: Final = 96


def spoken(part: Part[str], locale: str) -> Words:
    """Return a text that may be in another language than the document, which then says so."""
    return part.value if part.locale == locale else {"text": part.value, "lang": part.locale}


def heading(text: str, *, level: int = 2, on_new_page: bool = False) -> Block:
    """Return a heading, which readers' outlines show; the document's own is the first level."""
    return {"is": "heading", "text": text, "level": level, "on_new_page": on_new_page}


def paragraph(text: Words, *, is_note: bool = False, with_next: bool = False) -> Block:
    """Return a paragraph, on the page of what comes next where it is to be; a note is set smaller."""
    return {"is": "note" if is_note else "paragraph", "text": text, "with_next": with_next}


def statements(items: Sequence[str]) -> Block:
    """Return sentences that stand together and must be read, framed."""
    return {"is": "statements", "items": list(items)}


def facts(rows: Sequence[tuple[str, Words]]) -> Block:
    """Return what is said of a thing: names on the left, values on the right."""
    return {"is": "facts", "rows": [{"name": name, "value": value} for name, value in rows]}


def figure(number: str, label: str) -> Block:
    """Return the one number that a page is about."""
    return {"is": "figure", "number": number, "label": label}


def goal(label: Words, lines: Sequence[str], *, needed: str, share: float) -> Block:
    """Return a threshold with a bar, ``share`` of it full (0 to 1), and what became of it."""
    return {"is": "goal", "label": label, "lines": list(lines), "needed": needed, "share": share}


def table(
    columns: tuple[str, str], rows: Sequence[Mapping[str, Any]], *, total: tuple[str, str] | None = None
) -> Block:
    """Return a table of names and numbers; the chart of its numbers stands in it where rows have a share (0 to 1)."""
    return {"is": "table", "columns": list(columns), "rows": list(rows), "total": list(total) if total else None}


def row(name: Words, number: str, share: float | None = None) -> Block:
    """Return a row of a table."""
    return {"name": name, "number": number, "share": share}


def beside(*sides: Sequence[Block]) -> Block:
    """Return blocks that stand side by side, read one side after the other."""
    return {"is": "beside", "sides": [list(side) for side in sides]}


def columns(bars: Sequence[float], *, first: str, last: str, highest: str) -> Block:
    """Return a chart of upright bars (0 to 1) from a first day to a last. The table beside it says the same."""
    return {"is": "columns", "bars": list(bars), "first": first, "last": last, "highest": highest}


def codes(name: str, lines: Sequence[str]) -> Block:
    """Return digests or keys, letter by letter, each from a line of its own."""
    return {"is": "codes", "name": name, "lines": [_fold(line) for line in lines]}


def square(address: str, text: str) -> Block:
    """Return the code that a telephone reads, with what it leads to. The picture is the document's own."""
    return {"is": "square", "address": address, "text": text}


def plain_text(blocks: Sequence[Block]) -> str:
    """Return what ``blocks`` say, for readers that get the letters of a PDF wrong."""
    return "\n\n".join("\n".join(lines) for block in blocks if (lines := list_lines(block)))


def list_lines(block: Block) -> list[str]:
    """Return what a block says, line by line; a chart says nothing that its table does not."""
    return _LINES[block["is"]](block)


def _lines_of_table(block: Block) -> list[str]:
    rows = [f"{_said(each['name'])}\t{each['number']}" for each in block["rows"]]
    return ["\t".join(block["columns"]), *rows, *(["\t".join(block["total"])] if block["total"] else [])]


def _said(words: Words) -> str:
    return words if isinstance(words, str) else words["text"]


def _fold(line: str) -> list[str]:
    return [line[at : at + LINE] for at in range(0, len(line), LINE)]


_LINES: Final[Mapping[str, Callable[[Block], list[str]]]] = {
    "heading": lambda block: [block["text"], "-" * len(block["text"])],
    "paragraph": lambda block: [_said(block["text"])],
    "note": lambda block: [_said(block["text"])],
    "statements": lambda block: list(block["items"]),
    "facts": lambda block: [f"{each['name']}\t{_said(each['value'])}" for each in block["rows"]],
    "figure": lambda block: [f"{block['number']} {block['label']}"],
    "goal": lambda block: [f"{block['needed']}\t{_said(block['label'])}", *block["lines"]],
    "table": _lines_of_table,
    "days": _lines_of_table,
    "columns": lambda _: [],
    "beside": lambda block: [line for side in block["sides"] for each in side for line in list_lines(each)],
    "codes": lambda block: [block["name"], *("".join(line) for line in block["lines"])],
    "square": lambda block: [block["text"], block["address"]],
}
