"""Letters as PDF: drawn as another reader draws them, or refused in words; and what draws them can do nothing else."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pypdfium2
import pytest
import typst
from PIL import Image, ImageChops, ImageStat

from app.documents import scan_pages, scans
from app.documents.pictures import PictureRefused, kind_of
from app.documents.scan_pages import HEIGHT, LINE, WIDTH, NotDrawn, draw_pages
from app.documents.scans import redraw_letter

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
LOCKED, DAMAGED, TOO_MUCH = "locked with a password", "damaged or has no page", "too complicated to draw"
TWO_PAGES = """
#set page(width: 620pt, height: 877pt)
#set text(size: 14pt)
= Letter of authority
Sok Sophea may sign for Khmer Women of Ottawa. #lorem(200)
#pagebreak()
#rect(width: 100%, height: 50%, fill: rgb("#c01020"))
"""
#: A black square near the lower left corner of a page of 612 by 792 points.
SQUARE = b"0 g 100 100 300 300 re f"
PAGE = b"/Type/Page/Parent 2 0 R/Contents 4 0 R/MediaBox"
LETTER_SIZE = b"[0 0 612 792]"
Objects = dict[int, bytes]


def write_pdf(objects: Objects, trailer: bytes = b"") -> bytes:
    """Write a PDF of objects by their numbers, of which 1 is the root."""
    out, places = bytearray(b"%PDF-1.7\n"), dict[int, int]()
    for number, body in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start, most = len(out), max(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % most
    out += b"".join(b"%010d 00000 n \n" % places[number] for number in range(1, most))
    return bytes(out + b"trailer\n<</Size %d/Root 1 0 R%b>>\nstartxref\n%d\n%%%%EOF\n" % (most, trailer, start))


def stream(about: bytes, content: bytes) -> bytes:
    return b"<<%b/Length %d>>\nstream\n%b\nendstream" % (about, len(content), content)


def one_page(
    content: bytes = SQUARE,
    *,
    box: bytes = LETTER_SIZE,
    page: bytes = b"",
    root: bytes = b"",
    kids: bytes = b"[3 0 R]",
    count: int = 1,
    more: Objects | None = None,
    trailer: bytes = b"",
) -> bytes:
    """Write a PDF of one page, or with the same page again and again."""
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R%b>>" % root,
        2: b"<</Type/Pages/Kids%b/Count %d>>" % (kids, count),
        3: b"<<%b%b%b>>" % (PAGE, box, page),
        4: stream(b"", content),
    }
    return write_pdf({**objects, **(more or {})}, trailer)


def packed(content: bytes) -> bytes:
    return stream(b"/Filter[/FlateDecode/FlateDecode]", zlib.compress(content, 9))


def zeros(megabytes: int) -> bytes:
    packer = zlib.compressobj(1)
    return b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(megabytes)) + packer.flush()


def picture_page(about: bytes, content: bytes) -> bytes:
    shown = stream(b"/Type/XObject/Subtype/Image/ColorSpace/DeviceGray/BitsPerComponent 8%b" % about, content)
    return one_page(
        b"q 600 0 0 700 0 0 cm /I Do Q", page=b"/Resources<</XObject<</I 5 0 R>>>>", more={5: shown}
    )  # fmt: skip


def forms_in_forms(depth: int, times: int) -> bytes:
    """Draw a form ``times`` over, which draws another ``times`` over, and so on: ``times ** depth`` squares."""
    form, more = b"/Type/XObject/Subtype/Form/BBox[0 0 612 792]", Objects()
    for number in range(5, 4 + depth):
        more[number] = stream(form + b"/Resources<</XObject<</F %d 0 R>>>>" % (number + 1), b"/F Do " * times)
    more[4 + depth] = stream(form, SQUARE)
    return one_page(b"/F Do " * times, page=b"/Resources<</XObject<</F 5 0 R>>>>", more=more)


def seen(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def darkness(image: Image.Image) -> float:
    """Return how much of a picture is not white, from 0 to 1."""
    return 1 - float(ImageStat.Stat(image.convert("L")).mean[0]) / 255


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return how far two pictures are from each other, from 0 to 1, seen from far enough to forgive an edge."""
    near = [each.convert("L").resize((WIDTH // 8, HEIGHT // 8), Image.Resampling.BOX) for each in (one, other)]
    return float(ImageStat.Stat(ImageChops.difference(*near)).mean[0]) / 255


def outcome(content: bytes) -> str:
    """Return what became of a letter: the size of its picture, or the sentence that refuses it."""
    try:
        drawn = seen(redraw_letter(content))
    except PictureRefused as refused:
        return refused.message.say("en")
    assert (drawn.format, drawn.mode) == ("JPEG", "RGB")
    return "{}x{}".format(*drawn.size)


def test_pages_stand_under_one_another_as_another_reader_draws_them() -> None:
    source = TWO_PAGES.encode()
    letter = redraw_letter(typst.compile(source, format="pdf"))
    drawn = seen(letter)
    assert (drawn.format, drawn.size) == ("JPEG", (WIDTH, 2 * HEIGHT + LINE))
    others = typst.Compiler(input=source).compile(format="png", ppi=144.0)
    assert isinstance(others, list)
    for at, other in enumerate(others):
        top = at * (HEIGHT + LINE)
        page, expected = drawn.crop((0, top, WIDTH, top + HEIGHT)), seen(other)
        assert expected.size == (WIDTH, HEIGHT)
        assert difference(page, expected) < 0.003
        assert difference(page, Image.new("L", page.size, "white")) > 0.02, "and not because both are blank"
    red = drawn.getpixel((WIDTH // 2, HEIGHT + LINE + HEIGHT // 4))
    assert isinstance(red, tuple)
    assert red[0] > 2 * max(red[1:]) + 50, "a stamp keeps its colour"
    assert b"PDF" not in letter
    assert b"Sophea" not in letter


def test_four_pages_are_read_and_each_is_made_to_fit() -> None:
    whole = seen(draw_pages(one_page(kids=b"[%b]" % (b"3 0 R " * 5000), count=5000)))
    letter_height = round(WIDTH * 792 / 612)
    assert whole.size[0] == WIDTH
    assert abs(whole.size[1] - 4 * letter_height - 3 * LINE) <= 4
    sizes = {
        b"[0 0 14400 14400]": (WIDTH, WIDTH),  # 200 inches, the most that a PDF may have
        b"[0 0 1000000000 1000000000]": (WIDTH, WIDTH),
        b"[0 0 0.001 0.001]": (WIDTH, WIDTH),
        b"[0 0 1000000000 1]": (WIDTH, 16),
        b"[0 0 1 1000000000]": (WIDTH, HEIGHT),
        b"[0 0 -9 -9]": (WIDTH, WIDTH),
        b"[0 0 nan inf]": (WIDTH, letter_height),
        b"[0 0 %b %b]" % (b"9" * 400, b"9" * 400): None,
    }
    for box, size in sizes.items():
        image = seen(draw_pages(one_page(box=box)))
        assert size is None or max(abs(one - two) for one, two in zip(image.size, size, strict=True)) <= 1, box
        assert image.size <= (WIDTH, HEIGHT), box
    middle = seen(draw_pages(one_page(b"0 g 0 0 100 3000 re f", box=b"[0 0 100 3000]")))
    assert [middle.getpixel((left, 900)) for left in (9, WIDTH // 2)] == [(255, 255, 255), (0, 0, 0)]


def test_what_a_form_was_saved_with_is_drawn_and_nothing_in_a_document_runs() -> None:
    info = pypdfium2.version.PDFIUM_INFO
    assert not {"V8", "XFA"} & {flag.upper() for flag in info.flags}, "a PDFium with JavaScript"
    look = stream(b"/Type/XObject/Subtype/Form/BBox[0 0 200 200]", b"0 g 0 0 200 200 re f")
    for kind in (b"/Widget/FT/Sig/T(a)", b"/Stamp"):
        shown = b"<</Type/Annot/Subtype%b/F 4/Rect[100 100 300 300]/AP<</N 6 0 R>>>>" % kind
        signed = one_page(b"", page=b"/Annots[5 0 R]", root=b"/AcroForm<</Fields[5 0 R]>>", more={5: shown, 6: look})
        assert darkness(seen(draw_pages(signed))) == pytest.approx(200 * 200 / (612 * 792), rel=0.02)
    plain = draw_pages(one_page())
    endless = b"<</S/JavaScript/JS(while\\(true\\){app.alert\\(1\\)})>>"
    for action in (endless, b"<</S/Launch/F(/bin/sh)>>", b"<</S/URI/URI(http://evil.example)>>"):
        acting = one_page(page=b"/AA<</O%b>>" % action, root=b"/AcroForm<</Fields[]>>/OpenAction%b" % action)
        assert draw_pages(acting) == plain
    filled = (
        b"/AcroForm<</Fields[]>>/Names<</EmbeddedFiles<</Names[(a)<</EF<</F 5 0 R>>>>]>>/JavaScript<</Names[(a)%b]>>>>"
        % endless
    )
    assert draw_pages(one_page(root=filled, more={5: stream(b"", SQUARE)})) == plain
    outside = picture_page(b"/Width 9/Height 9/FFilter/FlateDecode/F(/etc/passwd)", b"")
    assert darkness(seen(draw_pages(outside))) == 0


def locked(*, opens: bool) -> bytes:
    """Encrypt with 40 bits, for a password of nobody's; or as a lock that no reader knows."""
    lock = b"/Filter/Standard/V 1/R 2/O<%b>/U<%b>/P -4" % (b"ab" * 32, b"cd" * 32) if opens else b"/Filter/Ours/V 9"
    return one_page(trailer=b"/Encrypt<<%b>>/ID[<00><00>]" % lock)


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "a lock": (lambda: locked(opens=True), LOCKED),
    "a lock that nobody knows": (lambda: locked(opens=False), LOCKED),
    "a head alone": (lambda: b"%PDF-1.7", DAMAGED),
    "cut off": (lambda: one_page()[:150], DAMAGED),
    "no page": (lambda: one_page(kids=b"[]", count=0), DAMAGED),
    "two thousand million pages": (lambda: one_page(count=2_000_000_000), "1240x1605"),
    "pages that hold themselves": (lambda: one_page(kids=b"[2 0 R 2 0 R]", count=9), DAMAGED),
    "a picture of 16,000 million dots": (
        lambda: picture_page(b"/Width 2000000000/Height 2000000000/Filter/FlateDecode", zeros(1)), "1240x1605"
    ),
    "a bomb of drawing": (
        lambda: write_pdf({
            1: b"<</Type/Catalog/Pages 2 0 R>>", 2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            3: b"<<%b%b>>" % (PAGE, LETTER_SIZE), 4: packed(zeros(600)),
        }),
        TOO_MUCH,
    ),
    "a million million squares": (lambda: forms_in_forms(12, 10), TOO_MUCH),
    "a form that draws itself": (lambda: forms_in_forms(2, 1).replace(b"/F 6 0", b"/F 5 0"), "1240x1605"),
    "a page behind a page of the Web": (lambda: b"<html><script>alert(1)</script>" + one_page(), "1240x1605"),
    "an archive behind it": (lambda: one_page() + b"PK\x05\x06" + bytes(18), "1240x1605"),
    "a picture in front of it": (lambda: b"GIF89a" + one_page(), "This picture is"),
    "a program": (lambda: b"MZ" + bytes(2000) + one_page(), "neither a PDF nor a picture"),
    "a drawing": (lambda: b"<svg>" + one_page(), "An SVG drawing can hold programs"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_is_refused_in_words_or_drawn_harmlessly(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scans, "SECONDS", 5)
    make, expected = HOSTILE[name]
    content = make()
    began = time.monotonic()
    assert expected in outcome(content)
    assert time.monotonic() - began < 8


def test_a_picture_that_says_to_be_a_pdf_is_a_picture() -> None:
    saved = io.BytesIO()
    Image.new("RGB", (300, 200), (20, 90, 70)).save(saved, "JPEG", comment=b"%PDF-1.7 ")
    assert outcome(saved.getvalue() + one_page()) == "300x200"
    assert kind_of(b"%PDF-1.7 <?xml <svg") == "PDF"


def test_what_draws_for_ever_or_eats_memory_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = one_page(
        b"/Pattern cs /P scn 0 0 612 792 re f",
        page=b"/Resources<</Pattern<</P 5 0 R>>>>",
        more={
            5: stream(
                b"/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 1 1]/XStep 0.0001/YStep 0.0001",
                b"0 0 1 1 re f",
            )
        },
    )
    with monkeypatch.context() as patched:
        patched.setattr(scans, "SECONDS", 1)
        began = time.monotonic()
        assert TOO_MUCH in outcome(endless)
        assert time.monotonic() - began < 4
    with monkeypatch.context() as patched:
        # A hundred and fifty megabytes of states that are kept, and never asked for again.
        greedy = one_page(b"q " * 800_000)
        assert outcome(greedy) == "1240x1605"
        patched.setattr(scans, "MEMORY", 128 * 1024 * 1024)
        assert TOO_MUCH in outcome(greedy)
        assert outcome(one_page()) == "1240x1605", "and the next one is drawn"


#: What somebody tries who has taken over the program with a file.
TAKEN_OVER = f"""
import json, os, resource, socket, sys
sys.path.insert(0, {str(ROOT)!r})
from app.documents import scan_pages

def attack(content):
    def attempt(what):
        try:
            what()
        except OSError as fault:
            return type(fault).__name__
        return "done"
    said = [attempt(lambda: open("/etc/passwd")), attempt(socket.socket), attempt(os.pipe), sorted(os.environ)]
    limits = [resource.getrlimit(each) for each in (resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE)]
    return json.dumps([said, limits, len(content)]).encode()

scan_pages.draw_pages = attack
sys.exit(scan_pages.main())
"""


def program(monkeypatch: pytest.MonkeyPatch, folder: Path, source: str) -> None:
    path = folder / "program.py"
    path.write_text(source)
    monkeypatch.setattr(scans, "PROGRAM", path)


def test_whoever_takes_the_program_over_has_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HATTHALEKHA_DATABASE_URL", "postgresql://secret")
    program(monkeypatch, tmp_path, TAKEN_OVER)
    status, said = scans._run(b"x" * 1_000_000)
    assert status == 0
    (opened, connected, piped, variables), limits, length = json.loads(said)
    assert (opened, connected, piped) == ("OSError",) * 3
    # Python itself sets the one where there is none.
    assert set(variables) <= {"LC_CTYPE", *scans._NEEDED}
    assert limits == [[0, 0]] * 3
    assert length == 1_000_000


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("import time; time.sleep(600)", id="hangs and reads nothing"),
        pytest.param("import sys, time; sys.stdin.buffer.read(); time.sleep(600)", id="hangs and says nothing"),
        pytest.param("import sys\nwhile True: sys.stdout.buffer.write(bytes(1 << 20))", id="never stops talking"),
        pytest.param("import sys; sys.exit(1)", id="ends at once"),
        pytest.param("import os; os.abort()", id="falls"),
        pytest.param("import sys; sys.stdin.buffer.read(); print('GIF89a')", id="answers with something else"),
    ],
)
def test_a_program_that_does_not_draw_is_ended_and_answered_for(
    source: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(scans, "SECONDS", 0.4)
    program(monkeypatch, tmp_path, source)
    content = one_page() + bytes(1_000_000)
    began = time.monotonic()
    assert TOO_MUCH in outcome(content)
    assert time.monotonic() - began < 4


def test_the_server_itself_never_loads_the_reader() -> None:
    status = "import sys; import app.documents.scans; sys.exit('pypdfium2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", status], cwd=ROOT, check=False).returncode == 0
    with pytest.raises(NotDrawn) as refused:
        draw_pages(b"")
    assert refused.value.status == scan_pages.BROKEN
