"""Typst: what people wrote stays text, bytes stay the same, and nothing that is written stops a document."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st

from app.documents import typesetting
from app.documents.typesetting import Attachment, TypesettingFailed, draw, printable, typeset
from tests.documents.figures import HOSTILE
from tests.documents.reading import is_accessible, read_attachments, read_text, squeeze

if TYPE_CHECKING:
    from pathlib import Path

MADE_AT = datetime(2026, 11, 22, 18, tzinfo=UTC)
TEMPLATE = """
#let data = json(bytes(sys.inputs.data))
#set document(title: "Words")
#set page(width: 300pt, height: auto, margin: 10pt)
#set text(font: ("Noto Sans", "Battambang"), lang: "km")
#for file in json(bytes(sys.inputs.attachments)) { pdf.attach(file.name, bytes(file.text), description: "words") }
#for words in data.words [#words #parbreak()]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder with a template that sets a list of words."""
    (tmp_path / "words.typ").write_text(TEMPLATE, encoding="utf-8")
    monkeypatch.setattr(typesetting, "FOLDER", tmp_path)
    return tmp_path


def test_words_are_set_letter_by_letter(folder: Path) -> None:
    made = typeset("words.typ", {"words": [HOSTILE, '"}', "\\u{41}", '#include "/etc/passwd"']}, made_at=MADE_AT)
    found = read_text(made)
    for words in (HOSTILE, '"}', "\\u{41}", '#include"/etc/passwd"'):
        assert squeeze(words) in found
    assert is_accessible(made)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(codec=None), max_size=40), max_size=4))
def test_no_text_stops_a_document(words: list[str]) -> None:
    """Whatever letters there are: controls, halves of pairs, private ones, marks alone, other scripts."""
    figures = {"words": words}
    compiler = typst.Compiler(
        input=TEMPLATE.encode(),
        font_paths=typesetting._fonts(),
        ignore_system_fonts=True,
        sys_inputs=typesetting._inputs(figures, ()),
    )
    assert typesetting._compile(compiler, format="pdf")[0].startswith(b"%PDF-1.7")


def test_same_data_and_moment_make_the_same_bytes(folder: Path) -> None:
    first, again = (typeset("words.typ", {"words": ["ញត្តិ", "Été"]}, made_at=MADE_AT) for _ in range(2))
    assert first == again
    assert first != typeset("words.typ", {"words": ["ញត្តិ", "Été"]}, made_at=MADE_AT.replace(hour=19))


def test_letter_that_no_font_has_gives_up_the_standard_and_not_the_document(folder: Path) -> None:
    made = typeset("words.typ", {"words": ["Sok 😀 שלום Dara"]}, made_at=MADE_AT)
    assert not is_accessible(made)
    assert "Sok" in read_text(made)
    assert "Dara" in read_text(made)


def test_attachment_is_the_file_as_it_was(folder: Path) -> None:
    text = '{"a": "\\u0000 \u202e ផ្សេងៗ\r\n"}'
    made = typeset("words.typ", {"words": []}, made_at=MADE_AT, attachments=[Attachment("a.json", "text/plain", text)])
    assert read_attachments(made) == {"a.json": text.encode()}


def test_pages_are_drawn(folder: Path) -> None:
    (picture,) = draw("words.typ", {"words": ["ញត្តិ"]}, sharpness=72.0)
    assert io.BytesIO(picture).read(8) == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(picture[16:20]) == 300


def test_template_that_fails_says_so(folder: Path) -> None:
    with pytest.raises(TypesettingFailed, match="words"):
        typeset("words.typ", {}, made_at=MADE_AT)


def test_panic_of_the_compiler_is_a_failure_like_others() -> None:
    class PanicException(BaseException):
        """As the bindings raise it."""

    class Compiler:
        def compile(self, **_: object) -> bytes:
            raise PanicException("index out of bounds")

    with pytest.raises(TypesettingFailed, match="index out of bounds"):
        typesetting._compile(Compiler(), format="pdf")  # type: ignore[arg-type]


def test_interruption_is_not_taken_for_a_failure() -> None:
    class Compiler:
        def compile(self, **_: object) -> bytes:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        typesetting._compile(Compiler(), format="pdf")  # type: ignore[arg-type]


def test_printable_leaves_out_what_cannot_be_set() -> None:
    assert printable("a\x00b\x1b[1m\u202ec\ud800\td\ne\u200b") == "ab[1mc\td\ne\u200b"
    assert printable("ផ្សេងៗ") == "ផ្សេង\u2060ៗ"
