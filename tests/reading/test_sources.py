"""Documents are read page by page, and what can't be opened says what is missing."""

import gc
import io
import json
import os
import signal
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from inkdigits.errors import ArgumentError, MissingExtraError, PictureError
from inkdigits.reading.image import load_gray, load_rgb
from inkdigits.reading.pdf import PdfDocument
from inkdigits.reading.sources import Page, find_pages, find_pictures, picture_format

TONES = (0, 80, 160, 240)


def document(file_format, tones=TONES, size=(60, 40), **options) -> bytes:
    """Return a document with a page of each tone."""
    first, *others = (Image.new("L", size, tone) for tone in tones)
    file = io.BytesIO()
    first.save(file, file_format, save_all=True, append_images=others, **options)
    return file.getvalue()


def heic(picture, **options) -> bytes:
    """Return a picture as a phone saves it."""
    file = io.BytesIO()
    pillow_heif.from_pillow(picture).save(file, **options)
    return file.getvalue()


DOCUMENTS = {
    "pdf": document("PDF"),
    "tif": document("TIFF"),
    "tiff": document("TIFF", compression="tiff_lzw"),
}


@pytest.fixture(params=DOCUMENTS)
def path(request, tmp_path) -> Path:
    """A document of four pages."""
    path = tmp_path / f"pages.{request.param}"
    path.write_bytes(DOCUMENTS[request.param])
    return path


# ---- documents ----------------------------------------------------------------------------------


def test_document_gives_its_pages_in_order(path):
    """Each with its number and the name of the document, from a path, bytes or an open file."""
    with path.open("rb") as file:
        for picture, source in (
            (path, str(path)),
            (str(path), str(path)),
            (path.read_bytes(), None),
            (file, None),
        ):
            pages = list(find_pages(picture))
            assert [(page.source, page.number) for page in pages] == [(source, n) for n in range(1, 5)]
            assert [int(np.median(load_gray(page))) for page in pages] == pytest.approx(TONES, abs=2)


def test_pages_can_be_read_in_any_order_and_again(path):
    """A page does not know of the others."""
    pages = list(find_pages(path))
    for number in (2, 0, 3, 3, 1, 0, 0):
        assert np.median(load_gray(pages[number])) == pytest.approx(TONES[number], abs=2)


def test_pages_are_read_by_many_threads_at_once(path):
    """As they come out one by one."""
    pages = list(find_pages(path)) * 10
    with ThreadPoolExecutor(4) as pool:
        tones = [int(np.median(gray)) for gray in pool.map(load_gray, pages)]
    assert tones == pytest.approx(TONES * 10, abs=2)


def test_pages_are_not_all_in_memory(tmp_path):
    """Of a file of 40 megabytes little is read before its pages are, and none is kept."""
    path = tmp_path / "large.tif"
    path.write_bytes(document("TIFF", tones=range(0, 200, 10), size=(2000, 1000)))
    assert path.stat().st_size > 40e6
    tracemalloc.start()
    for page in find_pages(path):
        load_gray(page)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6


def test_document_is_closed_with_its_last_page(path):
    """Nothing stays open: an unclosed file would be a warning, which is an error here."""
    pages = list(find_pages(path))
    del pages
    gc.collect()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_first_page_stands_for_a_document_given_as_a_picture(name, caplog):
    """And the log says that there are more."""
    assert np.median(load_gray(DOCUMENTS[name])) == pytest.approx(TONES[0], abs=2)
    assert "4 " in caplog.text
    assert "only the first is read" in caplog.text


def test_other_pictures_are_one_page(tmp_path):
    """An animation is no document, nor is a TIFF with one page; an array and a PIL image have no source."""
    animation = tmp_path / "two.gif"
    animation.write_bytes(document("GIF"))
    single = document("TIFF", tones=[7])
    for picture, source in (
        (animation, str(animation)),
        (single, None),
        (io.BytesIO(single), None),
        (np.zeros((4, 5), np.uint8), None),
        (Image.new("L", (4, 5)), None),
    ):
        (page,) = find_pages(picture)
        assert (page.source, page.number) == (source, 1)
        assert load_gray(page).size


def test_pipe_is_read_once():
    """What can't go back to its start gives its pages, too."""

    class Pipe(io.BytesIO):
        def seek(self, *_):
            raise io.UnsupportedOperation

    assert [int(np.median(load_gray(page))) for page in find_pages(Pipe(DOCUMENTS["pdf"]))] == list(TONES)


@pytest.mark.parametrize("name", ["pdf", "tif"])
def test_named_pipe_gives_its_pages(name, tmp_path):
    """A path that can be read only once, as that of the shell's <(command)."""
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor(1) as pool:
        pool.submit((tmp_path / "pipe").write_bytes, DOCUMENTS[name])
        pages = list(find_pages(tmp_path / "pipe"))
    assert {page.source for page in pages} == {str(tmp_path / "pipe")}
    assert [np.median(load_gray(page)) for page in pages] == pytest.approx(TONES, abs=2)


def test_page_is_a_page():
    """It is found as what it is, and takes another name."""
    page = Page("a", 3, lambda _: (np.zeros((2, 3), np.uint8), 1))
    assert list(find_pages(page)) == [page]
    assert load_rgb(page).shape == (2, 3, 3)


def test_what_can_not_be_opened_is_a_page_that_fails(tmp_path):
    """So one bad file among many is one failure."""
    (page,) = find_pages(tmp_path / "nowhere.pdf")
    with pytest.raises(PictureError, match=r"nowhere\.pdf does not exist"):
        load_gray(page)
    (page,) = find_pages(b"%PDF-1.7 and no more")
    with pytest.raises(PictureError, match=r"damaged or cut short \([^.]*\)\.$"):
        load_gray(page)


def test_what_is_no_picture_is_misuse():
    """A wrong type is a programmer's error, not a bad file."""
    with pytest.raises(ArgumentError, match="can't be made from"):
        load_gray(next(find_pages(7)))


def test_what_is_no_picture_stops_nothing(tmp_path):
    """It is a page that fails in its place."""
    (tmp_path / "a.py").write_text("print()")
    with (tmp_path / "a.py").open() as text:
        for picture in (7, text):
            (page,) = find_pages(picture)
            with pytest.raises(ArgumentError):
                load_gray(page)


def broken_after(number) -> bytes:
    """Return a TIFF whose chain leads nowhere after this page."""
    content = bytearray(DOCUMENTS["tif"])
    with Image.open(io.BytesIO(bytes(content))) as image:
        image.seek(number - 1)
        following = image.tag_v2.next
    at = content.index(following.to_bytes(4, "little"))
    content[at : at + 4] = (len(content) + 1000).to_bytes(4, "little")
    return bytes(content)


@pytest.mark.parametrize("last", [1, 2])
def test_pages_before_a_damaged_one_are_read(last):
    """A TIFF whose chain breaks has its first pages, and a failure in place of the next."""
    *pages, broken = find_pages(broken_after(last))
    assert [np.median(load_gray(page)) for page in pages * 2] == list(TONES[:last]) * 2
    with pytest.raises(PictureError, match=f"Page {last + 1}"):
        load_gray(broken)


def unusual_at(number) -> bytes:
    """Return a TIFF with a page whose colors are of a kind that nobody knows."""
    content = bytearray(DOCUMENTS["tif"])
    with Image.open(io.BytesIO(bytes(content))) as image:
        image.seek(number - 2)
        directory = image.tag_v2.next
    color = content.index((262).to_bytes(2, "little"), directory)  # PhotometricInterpretation
    content[color + 8] = 99
    return bytes(content)


@pytest.mark.parametrize("number", [2, 4])
def test_pages_beside_an_unusual_one_are_read(number):
    """A TIFF whose chain goes on has a failure in place of the page that can't be decoded, and all others."""
    pages = list(find_pages(unusual_at(number)))
    assert [page.number for page in pages] == [1, 2, 3, 4]
    unusual = pages.pop(number - 1)
    assert [np.median(load_gray(page)) for page in pages] == [
        tone for tone in TONES if tone != TONES[number - 1]
    ]
    with pytest.raises(PictureError, match=f"Page {number} .* of an unusual kind"):
        load_gray(unusual)


def test_first_page_stands_for_a_document_damaged_behind_it(caplog):
    """And the log says why there is no more."""
    assert np.median(load_gray(broken_after(1))) == TONES[0]
    assert "is damaged" in caplog.text


def test_document_says_how_many_pages_it_has():
    """A PDF at once, a TIFF only page by page."""
    assert [[page.of for page in find_pages(DOCUMENTS[name])] for name in ("pdf", "tif")] == [
        [4] * 4,
        [None] * 4,
    ]


def test_pipe_in_a_folder_is_passed_over(tmp_path):
    """Whatever its name: nobody may be writing to it."""
    os.mkfifo(tmp_path / "a.png")
    (tmp_path / "b.png").touch()
    assert find_pictures(tmp_path) == [tmp_path / "b.png"]


# ---- PDF ----------------------------------------------------------------------------------------


def test_pdf_page_has_200_dots_an_inch():
    """A sheet of 3 by 2 inches, whatever it is made of."""
    content = document("PDF", tones=[0], size=(300, 200), resolution=100)
    assert load_rgb(content).shape == (400, 600, 3)


def test_large_pdf_page_gets_fewer_dots():
    """A poster is drawn with no more pixels than are accepted."""
    content = document("PDF", tones=[0], size=(100, 50), resolution=1)
    assert load_gray(content).size == pytest.approx(20e6, rel=0.01)
    assert load_gray(content, max_pixels=10_000).size == pytest.approx(10_000, rel=0.05)


def test_picture_bomb_in_a_pdf_is_refused():
    """A picture of more pixels than accepted is not decoded, however small its page."""
    content = document("PDF", tones=[0], size=(300, 300))
    with pytest.raises(PictureError, match=r"Page 1 of .* 300 x 300 = 90,000 pixels, more than the limit"):
        load_gray(content, max_pixels=80_000)


def bomb() -> bytes:
    """A PDF of two pages, the first of which draws itself twice, and so on."""
    trap = b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 4 0 R>>>>/Length 11>>"
    return (
        pdf_of(1)
        .replace(
            b"trailer <<",
            b"4 0 obj "
            + trap
            + b"stream\n/X Do /X Do\nendstream endobj\n5 0 obj <</Length 5>>stream\n/X Do\nendstream "
            b"endobj\n6 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources<</XObject<</X 4 0 R>>>>"
            b"/Contents 5 0 R>> endobj\ntrailer <<",
        )
        .replace(b"/Count 1/Kids[3 0 R]", b"/Count 2/Kids[6 0 R 3 0 R]")
    )


def test_pdf_bomb_ends_its_own_process_alone():
    """It is a failure; the page after it is drawn."""
    first, page = find_pages(bomb(), max_pixels=10_000)
    with pytest.raises(PictureError, match=r"Page 1 of .* more memory or time than a page may"):
        load_gray(first)
    assert load_gray(page).size


def test_process_that_draws_ends_in_time_also_by_itself(tmp_path):
    """Whoever asked it may have been killed."""
    (tmp_path / "bomb.pdf").write_bytes(bomb())
    opening = {"path": str(tmp_path / "bomb.pdf"), "size": 0, "max_bytes": 2**40, "seconds": 1}
    requests = "".join(json.dumps(each) + "\n" for each in (opening, {"number": 1, "max_pixels": 10_000}))
    ended = subprocess.run(
        [sys.executable, "-m", "inkdigits.reading.pdf_process"],
        input=requests.encode(),
        capture_output=True,
        check=False,
        timeout=50,
    )
    assert ended.returncode == -signal.SIGALRM
    assert json.loads(ended.stdout) == {"pages": 2}


def test_ctrl_c_is_not_for_the_process_that_draws():
    """It has a group of its own, and a page that was begun can be finished."""
    pdf = PdfDocument(DOCUMENTS["pdf"], "a.pdf", 10**7)
    assert os.getpgid(pdf._process.pid) != os.getpgid(0)


def test_page_of_a_process_that_ends_over_it_is_a_failure(monkeypatch):
    """Its pixels have come in part only; the next page is drawn."""
    pdf = PdfDocument(document("PDF", size=(800, 900), resolution=200), "a.pdf", 10**7)
    ask = pdf._ask

    def ask_and_end(*arguments):
        answer = ask(*arguments)
        pdf._process.kill()
        return answer

    monkeypatch.setattr(pdf, "_ask", ask_and_end)
    with pytest.raises(PictureError, match="can't be drawn"):
        pdf.load(1, 10**7)
    monkeypatch.undo()
    assert pdf.load(2, 10**7)[0].size


def test_encrypted_pdf_is_named():
    """What to do is said, too."""
    with pytest.raises(PictureError, match=r"is encrypted\. Save it without a password"):
        load_gray(ENCRYPTED)


def test_pdf_without_pages_is_named():
    """It is neither damaged nor cut short."""
    tree = (
        b"%PDF-1.4\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n"
        b"2 0 obj <</Type/Pages/Count 0/Kids[]>> endobj\n"
    )
    places = b"".join(b"%010d 00000 n \n" % tree.index(b"%d 0 obj" % number) for number in (1, 2))
    table = b"xref\n0 3\n0000000000 65535 f \n" + places + b"trailer <</Size 3/Root 1 0 R>>\n"
    with pytest.raises(PictureError, match="has no pages"):
        load_gray(tree + table + b"startxref\n%d\n%%%%EOF\n" % len(tree))


def test_pdf_of_a_name_with_a_tilde_is_that_one(tmp_path, monkeypatch):
    """What is at home is another."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    for folder, pages in (("home", 1), ("~", 2)):
        Path(folder).mkdir()
        Path(folder, "a.pdf").write_bytes(pdf_of(pages))
    assert len(list(find_pages("~/a.pdf"))) == 2


def test_broken_pypdfium2_is_named(tmp_path, monkeypatch):
    """It is no fault of the document."""
    (tmp_path / "pypdfium2.py").write_text("raise OSError('libpdfium.so is gone')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingExtraError, match=r"libpdfium\.so is gone.*Install it again"):
        load_gray(DOCUMENTS["pdf"])


def test_pages_of_a_long_pdf_are_counted_not_drawn():
    """10,000 pages are found at once."""
    pages = find_pages(pdf_of(10_000))
    assert next(pages).number == 1
    assert sum(1 for _ in pages) == 9_999


def test_page_of_a_hairs_breadth_is_drawn():
    """One pixel wide at least, and no longer than is accepted."""
    assert load_gray(pdf_of(1, box=b"0 0 0.001 9")).shape == (25, 1)
    assert load_gray(pdf_of(1, box=b"0 0 0.001 900000"), max_pixels=1000).size <= 1000


def pdf_of(pages: int, box: bytes = b"0 0 60 40") -> bytes:
    """Return a PDF document of empty pages, all of them the same object."""
    kids = b" ".join([b"3 0 R"] * pages)
    return (
        b"%PDF-1.4\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n"
        b"2 0 obj <</Type/Pages/Count " + str(pages).encode() + b"/Kids[" + kids + b"]>> endobj\n"
        b"3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[" + box + b"]>> endobj\n"
        b"trailer <</Root 1 0 R>>\n%%EOF\n"
    )


# The standard handler's dictionary with nonsense for keys: no password opens it.
ENCRYPTED = pdf_of(1).replace(
    b"trailer <<",
    b"4 0 obj <</Filter/Standard/V 1/R 2/P -4/O<" + b"11" * 32 + b">/U<" + b"22" * 32 + b">>> endobj\n"
    b"trailer <</ID[<33><33>]/Encrypt 4 0 R",
)


# ---- HEIC ---------------------------------------------------------------------------------------


def test_heic_is_read_upright():
    """As a phone held upright stores it: sideways, with a note which way is up."""
    picture = Image.new("L", (80, 40), 250)
    picture.paste(0, (0, 0, 10, 10))  # upper left as stored
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = load_gray(heic(picture.convert("RGB"), exif=exif.tobytes(), quality=-1))
    assert turned.shape == (80, 40)
    assert turned[3, -4] < 60
    assert turned[3, 3] > 200


def test_error_of_a_damaged_heic_is_one_line():
    """What libheif says has several."""
    with pytest.raises(PictureError, match=r"^[^\n]*damaged[^\n]*$"):
        load_gray(heic(Image.new("RGB", (200, 100)))[:-40])


def test_heic_has_the_limits_of_every_picture():
    """Its size is known before it is decoded; half a file is refused."""
    content = heic(Image.new("RGB", (200, 100)))
    with pytest.raises(PictureError, match="200 x 100"):
        load_gray(content, max_pixels=10_000)
    with pytest.raises(PictureError, match="can't be decoded"):
        load_gray(content[: len(content) // 2])


# ---- extras -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("module", "content", "extra"), [
    ("pypdfium2", DOCUMENTS["pdf"], "pdf"),
    ("pillow_heif", heic(Image.new("RGB", (20, 20))), "heic"),
])  # fmt: skip
def test_missing_extra_is_named(module, content, extra, monkeypatch):
    """The message is the command that installs it."""
    monkeypatch.setitem(sys.modules, module, None)
    (page,) = find_pages(content)
    for picture in (page, content):
        with pytest.raises(MissingExtraError, match=rf"pip install 'inkdigits\[{extra}\]'"):
            load_gray(picture)


def test_formats_are_known_by_their_first_bytes():
    """Of every document made here."""
    assert [picture_format(content[:12]) for content in DOCUMENTS.values()] == ["PDF", "TIFF", "TIFF"]
    assert picture_format(heic(Image.new("RGB", (20, 20)))[:12]) == "HEIC"


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"\r\n\r\n", b"Content-Type: application/pdf\r\n\r\n"])
def test_pdf_may_begin_late(before):
    """Readers pass over what mail and web programs leave before a document."""
    pages = list(find_pages(before + DOCUMENTS["pdf"]))
    assert len(pages) == 4
    assert load_gray(pages[0]).shape == load_gray(next(iter(find_pages(DOCUMENTS["pdf"])))).shape


def test_document_counts_its_pages():
    """Whatever it says, no page is drawn."""
    assert len(PdfDocument(DOCUMENTS["pdf"], "a", 1000)) == 4
