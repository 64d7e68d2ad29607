"""Pictures of strangers: drawn anew within bounds of time and memory, or refused in words that say what to do."""

from __future__ import annotations

import contextlib
import io
import json
import struct
import subprocess
import sys
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from app.documents import pictures
from app.documents.pictures import PictureRefused, redraw_logo, redraw_photo

if TYPE_CHECKING:
    from collections.abc import Callable

PHP = b"<?php system($_GET['c']); ?>"
SCRIPT = b"/*<script>alert(document.domain)</script>*/"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
ORIENTATION = 0x0112
GPS = 0x8825


def save(image: Image.Image, kind: str, **options: object) -> bytes:
    saved = io.BytesIO()
    image.save(saved, kind, **options)
    return saved.getvalue()


def two_colours(mode: str = "RGB", size: tuple[int, int] = (200, 100)) -> Image.Image:
    """Draw a red picture whose left half is blue."""
    image = Image.new("RGB", size, (200, 20, 20))
    image.paste((20, 20, 200), (0, 0, size[0] // 2, size[1]))
    return image.convert(mode)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def empty_png(width: int, height: int, *, depth: int = 1, colour: int = 0, dots: int = 1) -> bytes:
    """Write a PNG of nothing, which is small however large it says to be."""
    line = bytes(1 + (width * depth * dots + 7) // 8)
    packer = zlib.compressobj(9)
    lines = b"".join(packer.compress(line) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return pictures_head() + chunk(b"IHDR", head) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


def pictures_head() -> bytes:
    return next(head for head, kind in pictures.FORMATS.items() if kind == "PNG")


def animation(frames: int) -> bytes:
    """Write a GIF of many frames by putting one and the same behind itself."""
    single = save(two_colours("P", (64, 64)), "GIF")
    start = single.rindex(b"\x2c\x00\x00\x00\x00")
    return single[:start] + (b"\x21\xf9\x04\x00\x01\x00\x00\x00" + single[start:-1]) * frames + b";"


def drawn(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def refusal(content: bytes, draw: Callable[[bytes], object] = redraw_logo) -> str:
    with pytest.raises(PictureRefused) as refused:
        draw(content)
    return refused.value.message.say("en")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(save(two_colours(), "PNG"), id="png"),
        pytest.param(save(two_colours("RGBA"), "PNG"), id="png with light"),
        pytest.param(save(two_colours("P"), "PNG"), id="palette"),
        pytest.param(save(two_colours("RGBA").quantize(8), "PNG"), id="palette with light"),
        pytest.param(save(two_colours(), "JPEG", quality=95), id="jpeg"),
        pytest.param(save(two_colours(), "JPEG", quality=95, progressive=True), id="progressive jpeg"),
        pytest.param(save(two_colours("CMYK"), "JPEG", quality=95), id="ink"),
        pytest.param(save(two_colours(), "WEBP", lossless=True), id="lossless webp"),
        pytest.param(save(two_colours(), "WEBP", quality=95), id="webp"),
        pytest.param(save(two_colours("RGBA"), "WEBP", quality=95, exif=b"Exif\0\0"), id="extended webp"),
        pytest.param(save(two_colours("P"), "GIF"), id="gif"),
    ],
)
def test_a_picture_comes_out_as_it_went_in(content: bytes) -> None:
    logo = redraw_logo(content)
    image = drawn(logo.content)
    assert (image.format, image.size) == ("PNG", (200, 100)) == ("PNG", (logo.width, logo.height))
    photo = drawn(redraw_photo(content))
    assert (photo.format, photo.size) == ("JPEG", (200, 100))
    for each in (image.convert("RGB"), photo):
        left, right = each.getpixel((50, 50)), each.getpixel((150, 50))
        assert isinstance(left, tuple)
        assert isinstance(right, tuple)
        assert left[2] > 120 > left[0]
        assert right[0] > 120 > right[2]


def test_grey_of_many_depths_stays_grey() -> None:
    deep = Image.new("I;16", (64, 64), 40_000)
    for content in (save(deep, "PNG"), save(Image.new("L", (64, 64), 156), "PNG")):
        dot = drawn(redraw_logo(content).content).convert("RGB").getpixel((9, 9))
        assert isinstance(dot, tuple)
        assert all(abs(each - 156) <= 2 for each in dot)
    black = save(Image.new("1", (64, 64), 0), "PNG")
    assert drawn(redraw_logo(black).content).convert("RGB").getpixel((9, 9)) == (0, 0, 0)


def test_what_is_large_is_made_smaller_and_what_is_seen_through_stands_on_white() -> None:
    wide, high = redraw_logo(save(two_colours(size=(4000, 500)), "PNG")), redraw_logo(empty_png(500, 4000))
    assert (wide.width, wide.height) == (480, 60)
    assert (high.width, high.height) == (30, 240)
    photo = redraw_photo(save(two_colours(size=(5000, 3000)), "JPEG"))
    assert drawn(photo).size == (2400, 1440)
    clear = save(Image.new("RGBA", (64, 64), (0, 0, 0, 0)), "PNG")
    assert drawn(redraw_photo(clear)).getpixel((9, 9)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("orientation", "size", "is_first_blue"),
    [(1, (200, 100), True), (3, (200, 100), False), (6, (100, 200), True), (8, (100, 200), False)],
)
def test_a_photograph_taken_on_its_side_stands_upright(
    orientation: int, size: tuple[int, int], *, is_first_blue: bool
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    for draw in (lambda raw: redraw_logo(raw).content, redraw_photo):
        image = drawn(draw(save(two_colours(), "JPEG", quality=95, exif=exif))).convert("RGB")
        assert image.size == size
        first = image.getpixel((10, 10))
        assert isinstance(first, tuple)
        assert (first[2] > first[0]) is is_first_blue
    tall = save(two_colours(size=(4000, 1000)), "JPEG", exif=exif)
    assert max(redraw_logo(tall).width / 480, redraw_logo(tall).height / 240) <= 1


def test_nothing_but_the_dots_comes_through() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 1
    exif[0x010E] = "the house of Sok Sophea"
    exif.get_ifd(GPS)[2] = (45.0, 30.0, 0.0)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    said = PngImagePlugin.PngInfo()
    said.add_text("Author", "Sok Sophea")
    said.add_text("Comment", "the house", zip=True)
    files = [
        save(two_colours(), "PNG", pnginfo=said, exif=exif, icc_profile=profile, dpi=(300, 300)),
        save(two_colours(), "JPEG", exif=exif, icc_profile=profile, comment=b"the house of Sok Sophea", dpi=(300, 300)),
        save(two_colours(), "WEBP", exif=exif, icc_profile=profile, xmp=b"<x>Sok Sophea</x>"),
        save(two_colours("P"), "GIF", comment=b"the house of Sok Sophea"),
    ]
    for content in files:
        for clean in (redraw_logo(content).content, redraw_photo(content)):
            assert not set(drawn(clean).info) - {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
            assert not drawn(clean).getexif()
            assert b"house" not in clean
            assert b"Sok" not in clean
    kinds = [redraw_logo(files[0]).content[at + 4 : at + 8] for at in _chunks(redraw_logo(files[0]).content)]
    assert set(kinds) == {b"IHDR", b"IDAT", b"IEND"}


def _chunks(png: bytes) -> list[int]:
    found, at = [], 8
    while at < len(png):
        found.append(at)
        at += 12 + int.from_bytes(png[at : at + 4])
    return found


def _archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("evil.html", SCRIPT)
    return packed.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"GIF89a" + save(two_colours("P"), "GIF")[6:] + b"=1;" + SCRIPT, id="GIF and script behind it"),
        pytest.param(save(two_colours("P"), "GIF", comment=b"*/=1;" + SCRIPT), id="GIF and script inside"),
        pytest.param(save(two_colours(), "PNG") + _archive(), id="PNG and ZIP"),
        pytest.param(
            save(two_colours(), "PNG")[:33] + chunk(b"tEXt", b"a\0" + PHP) + save(two_colours(), "PNG")[33:],
            id="PNG and PHP",
        ),
        pytest.param(save(two_colours(), "JPEG") + PHP, id="JPEG and PHP behind it"),
        pytest.param(save(two_colours(), "JPEG", comment=PHP), id="JPEG and PHP inside"),
        pytest.param(save(two_colours(), "JPEG", exif=b"Exif\0\0" + SVG), id="JPEG and SVG"),
        pytest.param(save(two_colours(), "WEBP") + b"%PDF-1.7 " + SCRIPT, id="WebP and PDF"),
    ],
)
def test_a_file_that_is_two_things_comes_out_as_one(content: bytes) -> None:
    for clean in (redraw_logo(content).content, redraw_photo(content)):
        assert b"<script" not in clean
        assert b"<?php" not in clean
        assert b"PK\x03\x04" not in clean
        assert b"%PDF" not in clean
        assert b"<svg" not in clean
        assert drawn(clean).size == (200, 100)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(SVG, "An SVG drawing can hold programs", id="an SVG"),
        pytest.param(b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- x -->' + SVG, "An SVG drawing", id="an SVG with a head"),
        pytest.param(b"%PDF-1.7\n", "This is a PDF", id="a PDF"),
        pytest.param(b"", "not a picture", id="nothing"),
        pytest.param(b"MZ\x90\0", "not a picture", id="a program"),
        pytest.param(b"\x1f\x8b" + zlib.compress(SVG), "not a picture", id="a packed SVG"),
        pytest.param(b"BM" + bytes(100), "not a picture", id="a format that we do not take"),
        pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0\n", "not a picture", id="a program that draws"),
        pytest.param(b"II*\0" + bytes(100), "not a picture", id="a TIFF"),
        pytest.param(b"push graphic-context\nimage over 0,0 0,0 'url(file:///etc/passwd)'", "not a picture", id="MVG"),
        pytest.param(save(two_colours(size=(9, 90)), "PNG"), "too small", id="too small"),
        pytest.param(b"RIFF\0\0\0\0WEBP", "damaged", id="a WebP without a size"),
    ],
)
def test_what_is_no_picture_is_refused_with_a_sentence(content: bytes, words: str) -> None:
    assert words in refusal(content)
    assert words in refusal(content, redraw_photo)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_picture_that_was_cut_off_is_refused(kind: str) -> None:
    whole = save(Image.effect_noise((300, 300), 80).convert("P" if kind == "GIF" else "RGB"), kind)
    for length in (12, 24, len(whole) // 3, len(whole) * 2 // 3):
        assert "damaged" in refusal(whole[:length]), length


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_comes_is_a_picture_or_a_refusal(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "WEBP"]))
    content = bytearray(save(two_colours("P" if kind == "GIF" else "RGB", (40, 40)), kind))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(PictureRefused):
        assert redraw_logo(bytes(content)).content.startswith(pictures_head())


#: Run by itself, since the memory that a process once had is never given back. 60 MB are Pillow's own.
MEASURED = """
import json, resource, sys, time
from app.documents.pictures import PictureRefused, redraw_logo, redraw_photo
content = open(sys.argv[1], "rb").read()
before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
said = []
for draw in (redraw_logo, redraw_photo):
    try:
        draw(content); said.append("drawn")
    except PictureRefused as refused:
        said.append(refused.message.say("en"))
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([said, time.perf_counter() - began, (after - before) / 1024]))
"""


def _scans(times: int) -> bytes:
    layered = save(Image.new("RGB", (3000, 3000)), "JPEG", progressive=True)
    last = layered.rindex(b"\xff\xda")
    return layered[:-2] + layered[last:-2] * times + layered[-2:]


def _packed_words() -> bytes:
    words = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(50_000_000), 9))
    png = empty_png(64, 64)
    return png[:33] + words * 20 + png[33:]


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a PNG of 30,000 by 30,000": (lambda: empty_png(30_000, 30_000), "too many dots"),
    "a PNG just within": (lambda: empty_png(4000, 4000, depth=8, colour=6, dots=4), "drawn"),
    "a JPEG of 120 million dots": (lambda: save(Image.new("L", (10_950, 10_950)), "JPEG"), "drawn"),
    "a layered JPEG of 48 million dots": (
        lambda: save(Image.new("RGB", (8000, 6000)), "JPEG", progressive=True), "too many dots"
    ),
    "a JPEG of 3,000 layers": (lambda: _scans(3000), "unusual way"),
    "a GIF of 65,535 by 65,535": (
        lambda: b"GIF89a\xff\xff\xff\xff\0\0\0\x2c\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x44\x01\0;", "too many dots"
    ),
    "a WebP of 16,384 by 16,384": (
        lambda: b"RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0\xff\x3f\0\xff\x3f\0", "too many dots"
    ),
    "a WebP of 16,383 by 16,383 without losses": (
        lambda: b"RIFF\x1a\0\0\0WEBPVP8L\x0a\0\0\0\x2f\xfe\xbf\xff\x0f" + bytes(9), "too many dots"
    ),
    "a GIF of 10,000 frames": (lambda: animation(10_000), "drawn"),
    "a PNG with a gigabyte of words": (_packed_words, "damaged"),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_takes_neither_time_nor_memory(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    make, outcome = BOMBS[name]
    path = tmp_path_factory.mktemp("bomb") / "picture"
    path.write_bytes(make())
    run = subprocess.run(
        [sys.executable, "-c", MEASURED, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    said, seconds, megabytes = json.loads(run.stdout)
    assert all(outcome in each for each in said)
    assert seconds < 10
    assert megabytes < 250
