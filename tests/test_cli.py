"""The command line: answers on standard output, everything else on standard error, exit status 0, 1 or 2."""

import contextlib
import csv
import hashlib
import importlib.metadata
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import click
import cv2
import duckdb
import numpy as np
import onnx
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from inkdigits.cli import cli
from inkdigits.files import GrowingFile
from inkdigits.reading.image import load_gray
from inkdigits.reading.reader import SHIPPED_READER, Reader
from inkdigits.result import ROW_FIELDS, Digit, Reading

EXAMPLES = Path(__file__).parents[1] / "examples" / "pictures"
SEVEN = EXAMPLES / "7-pencil-in-a-corner.jpg"
PAGE = EXAMPLES.parent / "pages" / "meter-card.jpg"


def call(*arguments, **settings) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], **settings)


def call_process(*arguments, **settings) -> subprocess.CompletedProcess[str]:
    """Run a command as a user would."""
    command = [sys.executable, "-m", "inkdigits", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **settings)


# every command


@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_closed_stream_hinders_nothing(closed, tmp_path):
    """What a program that starts this one has closed is not written to."""
    out = tmp_path / "numbers.txt"
    command = f"{sys.executable} -m inkdigits read {PAGE} --out {out} {closed}"
    assert subprocess.run(["sh", "-c", command], check=False).returncode == 0
    assert out.read_text()


def test_interrupted_import_is_said_as_any_interrupt(monkeypatch):
    """Ctrl-C in the first half second ends the import of a compiled module with an error of its own."""

    def interrupted(*_, **__):
        raise ImportError("initialization failed") from KeyboardInterrupt()

    monkeypatch.setattr("inkdigits.reading.reader.Reader.__init__", interrupted)
    result = call("read", PAGE)
    assert (result.exit_code, result.stderr) == (130, "Error: Stopped.\n")


def test_ctrl_c_while_the_command_line_is_imported_is_told_alike():
    """Before there is anything of click."""
    script = (
        "import sys\n"
        "class Stop:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'inkdigits.cli': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Stop())\n"
        "from inkdigits.__main__ import main\n"
        "main()"
    )
    (entry,) = importlib.metadata.entry_points(group="console_scripts", name="inkdigits")
    assert entry.value == "inkdigits.__main__:main"
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (process.returncode, process.stderr) == (130, "Error: Stopped.\n")


def test_ctrl_c_while_words_are_taken_is_told_alike(monkeypatch):
    """Before there is a command to stop."""

    def stop(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(click.Option, "process_value", stop)
    result = call("read", PAGE)
    assert (result.exit_code, result.stderr) == (130, "Error: Stopped.\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
@pytest.mark.parametrize("arguments", [["classify", str(SEVEN)], ["train", "--help"], ["--version"]])
def test_full_disk_behind_a_redirection_is_said(arguments):
    """In a sentence, and not as if it were a mistake of the program."""
    command = [sys.executable, "-m", "inkdigits", *arguments]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        1,
        "Error: The output can't be written: No space left on device.\n",
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
def test_full_disk_has_a_traceback_for_who_asks():
    """As any error."""
    command = [sys.executable, "-m", "inkdigits", "classify", str(SEVEN), "--traceback"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_name_beyond_the_terminals_encoding_stops_nothing(tmp_path):
    """What can't be shown is a question mark."""
    (tmp_path / "数.png").write_bytes(SEVEN.read_bytes())
    done = call_process("classify", tmp_path, env=os.environ | {"PYTHONIOENCODING": "latin-1"})
    assert done.returncode == 0
    assert "?.png" in done.stdout


# classify


def test_classify_prints_a_line_a_picture():
    """Source, digit and confidence in aligned columns."""
    result = call("classify", SEVEN, EXAMPLES / "8-white-on-a-dark-screen.png")
    assert result.exit_code == 0
    assert [line.split()[1] for line in result.stdout.splitlines()] == ["7", "8"]
    assert len({line.index("%") for line in result.stdout.splitlines()}) == 1


def test_classify_takes_a_folder(tmp_path):
    """A folder is read recursively and sorted; other files are passed over."""
    (tmp_path / "b").mkdir()
    for name in ("b/2.png", "a.jpg", "c.BMP"):
        cv2.imwrite(str(tmp_path / name), np.full((30, 30), 255, np.uint8))
    (tmp_path / "notes.txt").write_text("not a picture")
    sources = [
        json.loads(line)["source"] for line in call("classify", tmp_path, "--json").stdout.splitlines()
    ]
    assert sources == [f"{tmp_path}/a.jpg", f"{tmp_path}/b/2.png", f"{tmp_path}/c.BMP"]


def test_classify_json_is_one_object_a_line():
    """Each object has the source and the digit's dictionary form."""
    answer = json.loads(call("classify", SEVEN, "--json").stdout)
    assert answer.pop("source") == str(SEVEN)
    assert answer == Digit.from_dict(answer).to_dict()
    assert answer["value"] == 7


def test_classify_reads_standard_input():
    """A dash stands for standard input."""
    answer = json.loads(call("classify", "-", "--json", input=SEVEN.read_bytes()).stdout)
    assert (answer["source"], answer["value"]) == ("-", 7)


def test_standard_input_is_read_once():
    """Two dashes are misuse."""
    assert call("classify", "-", "-", input=b"").exit_code == 2


def test_source_is_the_path_as_given(monkeypatch):
    """Not a tidier one; and a file called - can be named."""
    monkeypatch.chdir(SEVEN.parent)
    given = f"./{SEVEN.name}"
    assert json.loads(call("classify", given, "--json").stdout)["source"] == given
    assert json.loads(call("classify", "./-", "--json").stdout)["error"].startswith("- does not exist")


def test_file_name_that_is_no_text_stops_nothing(tmp_path):
    """Bytes that are no UTF-8 in a name are replaced on the screen."""
    (tmp_path / os.fsdecode(b"\xff.png")).write_bytes(SEVEN.read_bytes())
    cv2.imwrite(str(tmp_path / "z.png"), np.full((40, 40), 255, np.uint8))
    done = call_process("classify", tmp_path, env=os.environ | {"PYTHONIOENCODING": "utf-8:strict"})
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2


def test_blank_picture_has_no_value(tmp_path):
    """Blank paper is said in words, and is null in JSON."""
    cv2.imwrite(str(tmp_path / "blank.png"), np.full((40, 40), 255, np.uint8))
    assert "no ink" in call("classify", tmp_path / "blank.png").stdout
    answer = json.loads(call("classify", tmp_path / "blank.png", "--json").stdout)
    assert (answer["value"], answer["box"], answer["doubtful"]) == (None, None, True)


def test_top_shows_the_best_guesses():
    """--top 3 shows three digits, the best first."""
    line = call("classify", SEVEN, "--top", 3).stdout
    assert line.count("%") == 3
    assert line.split()[1] == "7"


def test_thousand_pictures_of_which_three_are_bad(tmp_path):
    """997 answers, 3 errors, exit status 1; nothing is lost."""
    picture = cv2.imencode(".png", np.full((30, 30), 255, np.uint8))[1].tobytes()
    bad = {"0100.png": b"", "0500.png": b"text", "0999.png": picture[: len(picture) // 2]}
    for index in range(1000):
        name = f"{index:04}.png"
        (tmp_path / name).write_bytes(bad.get(name, picture))
    result = call("classify", tmp_path, "--json")
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 1
    assert [Path(answer["source"]).name for answer in answers] == [f"{index:04}.png" for index in range(1000)]
    assert [Path(answer["source"]).name for answer in answers if "error" in answer] == list(bad)


def test_missing_picture_is_an_error_and_the_others_are_read():
    """One bad file neither stops the others nor gets lost."""
    result = call("classify", "nowhere.png", SEVEN)
    assert result.exit_code == 1
    assert result.stdout.split()[1] == "7"
    assert "nowhere.png" in result.stderr


def test_empty_folder_is_said(tmp_path):
    """A folder without pictures is an error, not silence."""
    result = call("classify", tmp_path)
    assert result.exit_code == 1
    assert "no picture" in result.stderr


def test_animated_gif_is_noted(tmp_path):
    """The first frame is read, and that is said."""
    frames = [Image.new("L", (30, 30), tone) for tone in (255, 0)]
    frames[0].save(tmp_path / "two.gif", save_all=True, append_images=frames[1:])
    assert "2 frames" in call("classify", tmp_path / "two.gif").stderr
    assert call("classify", tmp_path / "two.gif", "--quiet").stderr == ""


def test_huge_picture_is_refused_unless_allowed(tmp_path):
    """--max-pixels lowers and raises the limit."""
    cv2.imwrite(str(tmp_path / "big.png"), np.full((100, 100), 255, np.uint8))
    result = call("classify", tmp_path / "big.png", "--max-pixels", 9999)
    assert result.exit_code == 1
    assert "--max-pixels" in result.stderr
    assert call("classify", tmp_path / "big.png", "--max-pixels", 10000).exit_code == 0


def test_closed_output_pipe_is_quiet(tmp_path):
    """`inkdigits classify ... | head -1` ends without a traceback."""
    for index in range(3000):
        (tmp_path / f"{index}.png").touch()
    command = f"{sys.executable} -m inkdigits classify {tmp_path} --json | head -1"
    said = subprocess.run(command, shell=True, capture_output=True, text=True, check=False).stderr
    assert "Traceback" not in said
    assert "Broken" not in said


def test_wrong_model_is_said(tmp_path):
    """A folder that is no model ends in one sentence."""
    result = call("classify", SEVEN, "--model", tmp_path)
    assert result.exit_code == 1
    assert "has no card.json" in result.stderr


# read


@pytest.fixture(scope="module")
def reading() -> Reading:
    """What is read of the page in Python."""
    return Reader().read(PAGE)


def unmarked(text) -> str:
    """Return text output without the marks of doubt, and with one space between numbers."""
    text = re.sub(r"[\[\]?]", "", text)
    return "".join(" ".join(line.split()) + "\n" for line in text.splitlines())


def test_read_prints_the_numbers_line_by_line(reading):
    """Lines as on the page, doubt marked, nothing else."""
    result = call("read", PAGE)
    assert result.exit_code == 0
    assert unmarked(result.stdout) == reading.text + "\n"
    assert reading.numbers


def test_read_marks_doubt_without_color():
    """A doubtful digit stands in brackets; if none does, the doubtful number has a question mark."""
    strict, lax = (call("read", PAGE, "--min-confidence", least).stdout for least in (1, 0))
    assert strict.count("[") > lax.count("[")
    assert unmarked(strict) == unmarked(lax)
    rows = csv.DictReader(call("read", PAGE, "--csv").stdout.splitlines())
    doubtful = [row["doubtful"] == "True" for row in rows]
    assert [bool(set(number) & set("[?")) for number in call("read", PAGE).stdout.split()] == doubtful


def test_read_json_is_the_reading(reading):
    """One object a page, the same as in Python."""
    answer = json.loads(call("read", PAGE, "--json").stdout)
    assert answer == reading.to_dict()
    assert answer["source"] == str(PAGE)


def test_read_csv_has_a_row_a_number(reading):
    """A header, then source, page, line, column, text, confidence, doubtful and box of each number."""
    table = csv.DictReader(call("read", PAGE, "--csv").stdout.splitlines())
    rows = [
        {key: "" if value is None else str(value) for key, value in row.items()} for row in reading.to_rows()
    ]
    assert list(table) == rows
    assert tuple(table.fieldnames) == ROW_FIELDS


def test_read_draws_a_picture_of_the_same_size(tmp_path):
    """--draw makes its folder, saves a PNG and goes with any output."""
    result = call("read", PAGE, "--json", "--draw", tmp_path / "new" / "drawn")
    assert json.loads(result.stdout)["numbers"]
    (path,) = (tmp_path / "new" / "drawn").rglob("*.png")
    assert path.name == "meter-card.jpg.png"
    with Image.open(path) as drawn, Image.open(PAGE) as page:
        assert (drawn.format, drawn.size) == ("PNG", page.size)
        assert (np.asarray(drawn) != np.asarray(page)).any()


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"]])
def test_read_writes_to_a_file_what_it_would_print(form, tmp_path):
    """--out leaves standard output empty."""
    printed = call("read", PAGE, *form).stdout
    result = call("read", PAGE, *form, "--out", tmp_path / "numbers")
    assert (result.exit_code, result.stdout) == (0, "")
    assert (tmp_path / "numbers").read_text() == printed


def test_file_has_no_colors(small, tmp_path):
    """Neither of titles nor of doubt, which on a screen have some."""
    out = tmp_path / "numbers.txt"
    arguments = ("read", small, small, "--min-confidence", 1)
    assert "\x1b" in call(*arguments, color=True).stdout
    call(*arguments, "--out", out, color=True)
    assert "[" in out.read_text()
    assert "\x1b" not in out.read_text()


@pytest.mark.parametrize("option", ["--out", "--draw"])
def test_read_says_what_can_not_be_written(option, tmp_path):
    """A place below a file ends in one sentence."""
    (tmp_path / "file").write_text("kept")
    result = call("read", PAGE, option, tmp_path / "file" / "below")
    assert result.exit_code == 1
    assert "can't be written" in result.stderr
    assert "Traceback" not in result.stderr
    assert (tmp_path / "file").read_text() == "kept"


@pytest.fixture
def folder(tmp_path):
    """A folder with a page, blank paper in a folder below, a broken picture and a file that is none."""
    (tmp_path / "b").mkdir()
    cv2.imwrite(str(tmp_path / "b" / "blank.png"), np.full((60, 80), 255, np.uint8))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    (tmp_path / "page.jpg").write_bytes(PAGE.read_bytes())
    (tmp_path / "notes.txt").write_text("not a picture")
    return tmp_path


def test_read_goes_on_after_a_bad_picture(folder, reading):
    """With --json each picture of a folder has an object, sorted; a bad one has an error, the status is 1."""
    result = call("read", folder, "--json")
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 1
    assert [Path(answer["source"]).name for answer in answers] == ["blank.png", "broken.png", "page.jpg"]
    assert answers[1].keys() == {"source", "page", "error"}
    assert (answers[0]["text"], answers[2]["text"]) == ("", reading.text)


def test_read_names_each_of_several_pictures(folder, reading):
    """Text output has a title a page; errors go to standard error, and what was read is counted there."""
    result = call("read", folder)
    blank, page = f"{folder}/b/blank.png:\nno digits found\n", f"{folder}/page.jpg:\n{reading.text}\n"
    assert unmarked(result.stdout) == blank + page
    assert f"{folder}/broken.png: error: " in result.stderr
    assert f"3 pages, {len(reading.numbers)} numbers, " in result.stderr
    assert "1 page could not be read" in result.stderr


def test_read_keeps_the_rest_in_the_file(folder, tmp_path):
    """A bad picture costs its own rows of the table alone."""
    result = call("read", folder, "--csv", "--out", tmp_path / "numbers.csv")
    assert result.exit_code == 1
    with (tmp_path / "numbers.csv").open(newline="") as file:
        assert {row["source"] for row in csv.DictReader(file)} == {f"{folder}/page.jpg"}


def test_failure_is_told_beside_a_file(folder, tmp_path):
    """In a line, whatever the form of the file."""
    for form in ([], ["--json"], ["--csv"]):
        said = call("read", folder, *form, "--quiet", "--out", tmp_path / "out", "--overwrite").stderr
        assert re.fullmatch(r".*/broken\.png: error: .+\n", said)


def test_damaged_tiff_is_told_in_ones_own_words(tmp_path):
    """Warnings of Pillow are for programmers."""
    with Image.open(SEVEN) as picture:
        picture.save(tmp_path / "a.tif")
    content = bytearray((tmp_path / "a.tif").read_bytes())
    directory = int.from_bytes(content[4:8], "little")
    end = directory + 2 + 12 * int.from_bytes(content[directory : directory + 2], "little")
    content[end : end + 4] = (len(content) + 1000).to_bytes(4, "little")  # of the next page
    (tmp_path / "a.tif").write_bytes(content)
    for command in ("classify", "read"):
        done = call_process(command, tmp_path / "a.tif")
        assert done.stdout
        assert "is damaged" in done.stderr
        assert "Warning" not in done.stderr


def test_read_takes_standard_input(reading, tmp_path):
    """A dash stands for standard input, in answers and in the names of drawings."""
    result = call("read", "-", "--json", "--draw", tmp_path, input=PAGE.read_bytes())
    answer = json.loads(result.stdout)
    assert (answer["source"], answer["text"]) == ("-", reading.text)
    assert [path.name for path in tmp_path.iterdir()] == ["standard-input.png"]


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    """A part of the page with two numbers, read in no time."""
    path = tmp_path_factory.mktemp("small") / "small.png"
    Image.fromarray(load_gray(PAGE)[300:570, 270:790]).save(path)
    return path


@pytest.fixture
def wide(small, tmp_path) -> Path:
    """The small page beside itself: two columns."""
    with Image.open(small) as page:
        Image.fromarray(np.hstack([page, page])).save(tmp_path / "wide.png")
    return tmp_path / "wide.png"


@pytest.fixture
def document(small, tmp_path) -> Path:
    """A PDF document: the small page, blank paper, the small page again."""
    path = tmp_path / "pages.pdf"
    with Image.open(small) as page:
        blank = Image.new("L", page.size, 255)
        page.save(path, save_all=True, append_images=[blank, page], resolution=200)
    return path


def test_read_takes_all_pages_of_a_document(document, small):
    """Each with its number; in text each with a title."""
    answers = [json.loads(line) for line in call("read", document, "--json").stdout.splitlines()]
    assert [(answer["source"], answer["page"]) for answer in answers] == [
        (str(document), n) for n in (1, 2, 3)
    ]
    assert (
        answers[0]["text"] == answers[2]["text"] == json.loads(call("read", small, "--json").stdout)["text"]
    )
    assert f"{document}, page 2:\nno digits found\n" in call("read", document).stdout


def test_read_draws_each_page_of_a_document(document, tmp_path):
    """Under names of their own."""
    call("read", document, "--draw", tmp_path / "drawn")
    names = sorted(path.name for path in (tmp_path / "drawn").rglob("*.png"))
    assert names == ["pages.pdf.2.png", "pages.pdf.3.png", "pages.pdf.png"]


def test_pictures_of_two_sources_are_two(small, tmp_path, monkeypatch):
    """Also of a folder above, which is still drawn inside."""
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    for path in ("../a.png", "a.png"):
        Path(path).write_bytes(small.read_bytes())
    call("read", "../a.png", "a.png", tmp_path / "a.png", "--draw", "drawn")
    assert len([path for path in Path("drawn").rglob("*") if path.is_file()]) == 3
    assert {path.name for path in tmp_path.iterdir()} == {"below", "a.png"}


def test_long_names_are_drawn_under_shorter_ones(small, tmp_path):
    """Though an ending is added to them; two that begin alike stay two."""
    names = ["x" * 250 + ".png", "x" * 249 + "y.png"]
    for name in names:
        (tmp_path / name).write_bytes(small.read_bytes())
    assert call("read", tmp_path, "--draw", tmp_path / "drawn").exit_code == 0
    assert len(list((tmp_path / "drawn").rglob("*.png"))) == 2


def test_region_is_explained_inside_the_folder(small, tmp_path):
    """Whatever its name is."""
    names = [f"{tmp_path}/absolute", "..", "../beside", "km/h", "100%"]
    regions = [option for name in names for option in ("--region", f"{name}=0,0,9,9")]
    assert call("read", small, *regions, "--explain", tmp_path / "explained").exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["explained"]
    folders = {path.parent.name for path in tmp_path.rglob("1-*.png")}
    assert len(folders) == 5
    assert {"%2E%2E", "km%2Fh", "100%25"} < folders


def test_region_named_as_the_last_picture_is_explained(small, tmp_path):
    """A region may have the name of the file that shows the numbers."""
    region = "numbers.png=0,0,100%,100%"
    assert call("read", small, "--region", region, "--explain", tmp_path).exit_code == 0
    assert {path.name for path in tmp_path.rglob("numbers*")} == {"numbers.png", "numbers%2Epng"}


def test_read_explains_each_step(small, tmp_path):
    """A folder a page with a picture a step, numbered in their order."""
    assert call("read", small, "--explain", tmp_path).exit_code == 0
    names = sorted(path.name for path in tmp_path.rglob("*.png") if path.is_file())
    assert names[0] == "1-upright-gray.png"
    assert names[-1] == "numbers.png"
    assert [name.split("-", 1)[1] for name in names[-4:-1]] == ["found.png", "kept.png", "lines.png"]


def test_read_with_workers_gives_the_same(document, small):
    """In the same order."""
    pictures = (document, small, "nowhere.jpg", document)
    one, three = (call("read", *pictures, "--json", "--workers", n) for n in (1, 3))
    assert one.stdout == three.stdout
    assert len(one.stdout.splitlines()) == 8


def test_read_makes_a_table(reading):
    """Source, page and region, then the columns of the page, empty where a line has no number."""
    rows = list(csv.reader(call("read", PAGE, "--table").stdout.splitlines()))
    assert rows == [[str(PAGE), "1", "", *row] for row in reading.to_table()]


def test_table_in_a_file_has_rows_of_one_length(small, wide, tmp_path):
    """So that libraries open it, however many columns its pages have."""
    out = tmp_path / "table.csv"
    call("read", small, wide, small, "--table", "--out", out)
    table = pd.read_csv(out, header=None, dtype=str, keep_default_na=False)
    assert table.shape == (6, 5)
    assert duckdb.read_csv(str(out), header=False, all_varchar=True).shape == (6, 5)
    printed = call("read", small, wide, small, "--table").stdout
    rows = [[cell for cell in row if cell] for row in csv.reader(printed.splitlines())]
    assert [[cell for cell in row if cell] for row in table.to_numpy().tolist()] == rows


def test_table_of_a_region_has_its_rows(small):
    """And says which region it is."""
    rows = list(
        csv.reader(call("read", small, "--table", "--region", "all=0,0,100%,100%").stdout.splitlines())
    )
    whole = list(csv.reader(call("read", small, "--table").stdout.splitlines()))
    assert rows == [[source, page, "all", *cells] for source, page, _, *cells in whole]


def test_read_regions_are_columns_of_a_form(small, tmp_path):
    """A row a page and a column a region, named; where nothing stands the cell is empty."""
    regions = ["--region", "upper=0,0,100%,45%", "--region", "none=0,0,9%,9%"]
    header, *rows = csv.reader(call("read", small, small, "--form", *regions).stdout.splitlines())
    assert header == ["source", "page", "upper", "none"]
    assert len(rows) == 2
    assert rows[0][2]
    assert rows[0][3] == ""
    shown = call("read", small, *regions, "--explain", tmp_path).stdout
    assert shown.startswith("upper  ")
    # A strip is one line, even a blank one.
    assert {path.parent.name for path in tmp_path.rglob("*lines.png")} == {"upper", "none"}


def test_region_whose_name_is_no_text_stops_nothing(small, tmp_path):
    """Its bytes that are no text are replaced."""
    out = tmp_path / "numbers.txt"
    assert call("read", small, "--region", "\udcff=0,0,100%,100%", "--out", out).exit_code == 0
    assert out.read_text().startswith("\ufffd  ")


def test_region_without_a_name_has_its_place(small):
    """And boxes count from the corner of the page."""
    region = ["--region", "0,40%,100%,60%"]
    numbers = json.loads(call("read", small, *region, "--json").stdout)["numbers"]
    assert {number["region"] for number in numbers} == {"1"}
    assert min(number["box"][1] for number in numbers) >= 0.4 * 270


@pytest.mark.parametrize(
    ("given", "names"),
    [(["2=", "", ""], ["2", "3", "4"]), (["", "1="], ["2", "1"]), (["", "a=", ""], ["1", "a", "3"])],
)
def test_region_without_a_name_takes_no_other_ones(given, names, small):
    """It gets the next number that is free, from its place on."""
    regions = [option for name in given for option in ("--region", f"{name}0,0,9,9")]
    assert call("read", small, "--form", *regions).stdout.splitlines()[0] == f"source,page,{','.join(names)}"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--region", "a=1,2,3"], "X,Y,W,H"),
        (["--region", "a=0,0,9,9", "--region", "a=0,0,8,8"], "Two regions"),
        (["--length", "0"], "from 1 to"),
        (["--length", "five"], "number of digits"),
        (["--length", "6-4"], "from 1 to"),
        (["--length", "5-"], "number of digits"),
        (["--rotate", "45"], "'45'"),
        (["--workers", "0"], "0"),
        (["--json", "--csv"], "one of --json, --csv"),
        (["--resume"], "--out"),
        (["--out", "new.txt", "--resume", "--overwrite"], "one of --resume and --overwrite"),
        (["--out", ""], "no name of a file"),
        (["--out", "-"], "no name of a file; without --out"),
        (["--region", "a=0,150%,9,9"], "before 100 %"),
        (["--form"], "--region"),
        (["--form", "--region", "page=0,0,9,9"], "Give the region 'page' another name"),
    ],
)
def test_read_refuses_misuse(options, said, small):
    """With status 2, before anything is read, and says what is accepted."""
    result = call("read", small, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_picture_to_be_read_is_not_replaced(small, tmp_path, monkeypatch):
    """Not even where the file in --out may be."""
    monkeypatch.chdir(tmp_path)
    picture = tmp_path / "small.png"
    picture.write_bytes(small.read_bytes())
    result = call("read", picture, "--out", "small.png", "--overwrite")
    assert (result.exit_code, picture.read_bytes()) == (2, small.read_bytes())
    assert "would replace a picture" in result.stderr


def test_drawing_does_not_replace_a_picture_to_be_read(small, tmp_path, monkeypatch):
    """What scan.png is drawn as may be there already, and somebody's own."""
    monkeypatch.chdir(tmp_path)
    for name in ("scan.png", "scan.png.png"):
        shutil.copy(small, name)
    result = call("read", "scan.png", "scan.png.png", "--draw", ".")
    assert result.exit_code == 2
    assert "would replace a picture to be read, scan.png.png" in result.stderr
    assert Path("scan.png.png").read_bytes() == small.read_bytes()


def test_drawing_of_a_later_page_replaces_no_picture_to_be_read(small, tmp_path, monkeypatch):
    """How many pages a document has is known only while it is read."""
    monkeypatch.chdir(tmp_path)
    with Image.open(small) as page:
        page.save("scan.tif", save_all=True, append_images=[page])
    shutil.copy(small, "scan.tif.2.png")
    result = call("read", "scan.tif", "scan.tif.2.png", "--draw", ".")
    assert result.exit_code == 1
    assert "scan.tif.2.png can't be written: it is a picture to be read" in result.stderr
    assert Path("scan.tif.2.png").read_bytes() == small.read_bytes()


def test_steps_do_not_replace_a_picture_to_be_read(small, tmp_path, monkeypatch):
    """Their folder has its name; that is told before anything is read."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(small, "two.png")
    result = call("read", "two.png", "--explain", ".")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--explain would replace a picture to be read, two.png" in result.stderr


def test_drawings_and_steps_do_not_stand_in_each_others_way(small, tmp_path, monkeypatch):
    """The drawing of x.jpg has the name of the folder for x.jpg.png."""
    monkeypatch.chdir(tmp_path)
    for name in ("x.jpg", "x.jpg.png"):
        shutil.copy(small, name)
    result = call("read", "x.jpg", "x.jpg.png", "--draw", "made", "--explain", "made")
    assert (result.exit_code, Path("made").exists()) == (2, False)
    assert "made/x.jpg.png, and --explain a folder" in result.stderr


@pytest.mark.parametrize("command", ["classify", "read"])
def test_links_that_lead_in_a_circle_stop_nothing(command, small, tmp_path):
    """They are pictures that can't be read."""
    (tmp_path / "a.png").symlink_to("b.png")
    (tmp_path / "b.png").symlink_to("a.png")
    shutil.copy(small, tmp_path / "c.png")
    answers = [json.loads(line) for line in call(command, tmp_path, "--json").stdout.splitlines()]
    assert ["error" in answer for answer in answers] == [True, True, False]


@pytest.mark.parametrize("option", ["--draw", "--explain"])
def test_pictures_that_reading_makes_are_not_read(option, small, tmp_path):
    """A second run over the same folder reads the same pages; the drawings only if they are asked for."""
    shutil.copy(small, tmp_path / "a.png")
    for _ in range(2):
        result = call("read", tmp_path, "--csv", option, tmp_path / "made")
        assert result.exit_code == 0
        assert {row["source"] for row in csv.DictReader(result.stdout.splitlines())} == {f"{tmp_path}/a.png"}
    assert "/made/" in call("read", tmp_path / "made", "--csv", option, tmp_path / "made").stdout


@pytest.mark.parametrize("option", ["--draw", "--explain"])
def test_drawings_in_the_folder_that_is_read_are_not_read(option, small, tmp_path, monkeypatch):
    """Nor those of later pages; what was interrupted can be gone on with."""
    monkeypatch.chdir(tmp_path)
    scans = tmp_path / "scans"
    scans.mkdir()
    with Image.open(small) as page:
        page.save(scans / "a.tif", save_all=True, append_images=[page])
    shutil.copy(small, scans / "b.png")
    first, second = (call("read", "scans", "--csv", option, "scans") for _ in range(2))
    assert len(list(scans.rglob("*.png"))) > 3
    assert (second.exit_code, second.stdout) == (0, first.stdout)
    assert "that --draw or --explain made will not be read" in second.stderr


def test_name_too_long_to_write_is_said(small, tmp_path):
    """As anything else that the disk doesn't take."""
    result = call("read", small, "--out", tmp_path / ("x" * 300))
    assert result.exit_code == 1
    assert "can't be written: File name too long" in result.stderr


def test_file_to_write_is_a_regular_one(small):
    """A device has no place for what is finished."""
    result = call("read", small, "--out", "/dev/null", "--overwrite")
    assert (result.exit_code, "regular file" in result.stderr) == (2, True)
    assert not Path("/dev/null.progress").exists()


def test_name_that_is_no_text_is_text_in_json(small, tmp_path):
    """Lone surrogates are no Unicode, and programs refuse a file that has some."""
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png")
    shutil.copy(small, path)
    (line,) = call("read", path, "--json").stdout.splitlines()
    assert json.loads(line)["source"] == f"{tmp_path}/caf\ufffd.png"


def test_other_names_that_are_no_text_are_text_in_json(small, tmp_path):
    """Those in errors, of regions, and of what is classified."""
    broken, picture = (os.fsdecode(os.fsencode(tmp_path) + name) for name in (b"/a\xff.png", b"/b\xff.png"))
    Path(broken).write_bytes(b"broken")
    shutil.copy(small, picture)
    region = ("--region", "\udcff=0,0,100%,100%")
    lines = "".join(
        call(*command, tmp_path, "--json").stdout for command in (["classify"], ["read"], ["read", *region])
    )
    assert lines.count(r"a\ufffd.png is not a picture") == 3
    assert r'"region": "\ufffd"' in lines
    assert r"\udc" not in lines


@pytest.mark.parametrize("form", ["--csv", "--table", "--form"])
def test_name_with_a_line_end_stays_in_its_cell(form, small, tmp_path):
    """Also in the file, whose table is filled up at the end."""
    source, out = tmp_path / "a\rb\nc.png", tmp_path / "numbers.csv"
    source.write_bytes(small.read_bytes())
    call("read", source, form, "--region", "all=0,0,100%,100%", "--out", out)
    rows = list(csv.reader(out.read_bytes().decode().splitlines(keepends=True)))
    assert {row[0] for row in rows} - {"source"} == {str(source)}


@pytest.mark.parametrize("options", [["--length", "0"], ["--region", "a=1,2,3"], ["--min-confidence", "nan"]])
def test_misuse_touches_no_file(options, small, tmp_path):
    """What stands there stays, and nothing new hinders the right command."""
    (tmp_path / "old.csv").write_text("old")
    for out in (["old.csv", "--overwrite"], ["new.csv"]):
        assert call("read", small, *options, "--out", tmp_path / out[0], *out[1:]).exit_code == 2
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("old.csv", "old")]


def test_read_turns_pictures(small, tmp_path):
    """--rotate is clockwise."""
    with Image.open(small) as page:
        page.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png")
    answer = json.loads(call("read", tmp_path / "turned.png", "--rotate", 90, "--json").stdout)
    assert answer["text"] == json.loads(call("read", small, "--json").stdout)["text"]


def test_read_never_replaces_a_file_unasked(small, tmp_path):
    """Without --overwrite what stands there stays; a finished file is not gone on with."""
    out = tmp_path / "numbers.csv"
    assert call("read", small, "--csv", "--out", out).exit_code == 0
    written = out.read_text()
    for option, said in (([], "--overwrite"), (["--resume"], "is finished")):
        result = call("read", small, "--out", out, *option)
        assert result.exit_code == 1
        assert said in result.stderr
        assert out.read_text() == written
    assert call("read", small, "--json", "--out", out, "--overwrite").exit_code == 0
    assert json.loads(out.read_text())["source"] == str(small)


@pytest.mark.parametrize("stopped_by", [signal.SIGINT, signal.SIGKILL])
def test_what_was_read_is_kept_and_gone_on_with(stopped_by, small, tmp_path):
    """However reading ends, no page is lost, done twice or half there."""
    pages = tmp_path / "pages"
    pages.mkdir()
    for number in range(12):
        (pages / f"{number:02}.png").symlink_to(small)
    (pages / "05.png").unlink()
    (pages / "05.png").write_bytes(b"broken")
    out, whole = tmp_path / "numbers.jsonl", tmp_path / "whole.jsonl"
    command = [sys.executable, "-m", "inkdigits", "read", str(pages), "--json", "--out"]
    with subprocess.Popen([*command, str(out)], stderr=subprocess.PIPE, text=True) as process:
        while not (out.exists() and out.read_text().count("\n") >= 3):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(stopped_by)
        said = process.communicate()[1]
    if stopped_by == signal.SIGINT:
        assert process.returncode == 130
        assert "--resume" in said
    kept = out.read_bytes()
    assert kept.count(b"\n") >= 3
    out.write_bytes(kept + b'{"source": "half a li')  # what a kill in the middle of writing leaves
    assert "other options" in call("read", pages, "--csv", "--out", out, "--resume").stderr
    result = call("read", pages, "--json", "--out", out, "--resume")
    assert result.exit_code == 1
    assert "of the pages were read before" in result.stderr
    assert call("read", pages, "--json", "--out", whole).exit_code == 1
    assert out.read_bytes() == whole.read_bytes()
    assert out.read_bytes().startswith(kept[: kept.rindex(b"\n") + 1])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["numbers.jsonl", "pages", "whole.jsonl"]


@pytest.fixture
def call_stopped(monkeypatch):
    """A call that is stopped after the first page."""
    add = GrowingFile.add

    def add_and_stop(*page):
        add(*page)
        raise KeyboardInterrupt

    def call_and_stop(*arguments) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(GrowingFile, "add", add_and_stop)
            assert call(*arguments).exit_code == 130

    return call_and_stop


def test_picture_named_twice_is_gone_on_with(call_stopped, small, tmp_path):
    """It is in the file as often as it was named."""
    command = ("read", small, small, "--json", "--out", tmp_path / "out")
    call_stopped(*command)
    assert call(*command, "--resume").exit_code == 0
    assert (tmp_path / "out").read_text() == call(*command[:-2]).stdout


def test_page_that_failed_is_tried_again(call_stopped, small, tmp_path):
    """Going on reads what has no row yet, be it that the picture was damaged."""
    bad, out = tmp_path / "bad.png", tmp_path / "out.csv"
    bad.write_bytes(b"broken")
    command = ("read", bad, small, small, "--csv", "--out", out)
    call_stopped(*command)
    bad.unlink()
    bad.symlink_to(small)
    assert call(*command, "--resume").exit_code == 0
    sources = [row["source"] for row in csv.DictReader(out.read_text().splitlines())]
    assert sorted(set(sources)) == sorted([str(bad), str(small)])
    assert sources.count(str(small)) == 2 * sources.count(str(bad))


@pytest.mark.parametrize("form", [[], ["--csv"], ["--form", "--region", "all=0,0,100%,100%"]])
def test_page_that_failed_is_tried_again_after_the_end(form, small, tmp_path):
    """The summary says how, and a run without failures leaves no journal."""
    bad, out = tmp_path / "bad.png", tmp_path / "out.csv"
    bad.write_bytes(b"broken")
    command = ("read", bad, small, *form, "--out", out)
    result = call(*command)
    assert "1 page could not be read: try again with the same command and --resume." in result.stderr
    shutil.copy(small, bad)
    assert call(*command, "--resume").exit_code == 0
    assert out.read_text().count(str(bad)) == out.read_text().count(str(small)) > 0
    assert {path.name for path in tmp_path.iterdir()} == {"bad.png", "out.csv"}


@pytest.mark.parametrize("form", ["--json", "--table"])
def test_file_in_which_nothing_can_be_tried_again_is_finished(form, folder, tmp_path):
    """A failure is a line of JSON; the rows of a table have been filled up."""
    said = call("read", folder, form, "--out", tmp_path / "out").stderr
    assert "1 page could not be read." in said
    assert not (tmp_path / "out.progress").exists()


def test_advice_after_ctrl_c_can_be_followed(small, tmp_path, monkeypatch):
    """A file is not both replaced and gone on with."""

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(GrowingFile, "add", stop)
    command = ("read", small, "--out", tmp_path / "out")
    assert "Go on with the same command and --resume.\n" in call(*command).stderr
    said = call(*command, "--overwrite").stderr
    assert "Go on with the same command and --resume instead of --overwrite.\n" in said


def test_order_of_regions_counts(call_stopped, small, tmp_path):
    """A form is not gone on with in other columns."""
    regions = ["--region", "a=0,0,50,50", "--region", "b=50,0,50,50"]
    command = ("read", small, small, "--form", "--out", tmp_path / "out")
    call_stopped(*command, *regions)
    assert "other options" in call(*command, *regions[2:], *regions[:2], "--resume").stderr
    assert call(*command, *regions, "--resume").exit_code == 0


def test_exchanged_network_is_noticed(call_stopped, small, tmp_path):
    """Half of a file's numbers by one network and half by another can't be told apart later."""
    reader, same = (shutil.copytree(SHIPPED_READER, tmp_path / name) for name in ("reader", "same"))
    command = ("read", small, small, "--csv", "--out", tmp_path / "out", "--model", reader)
    call_stopped("read", small, small, "--csv", "--out", tmp_path / "copied", "--model", reader)
    copied = call("read", small, small, "--csv", "--out", tmp_path / "copied", "--model", same, "--resume")
    assert copied.exit_code == 0
    call_stopped(*command)
    model = onnx.load(reader / "lines" / "model.onnx")
    model.doc_string = "another"
    onnx.save(model, reader / "lines" / "model.onnx")
    card = json.loads((reader / "lines" / "card.json").read_text())
    card["model_sha256"] = hashlib.sha256((reader / "lines" / "model.onnx").read_bytes()).hexdigest()
    (reader / "lines" / "card.json").write_text(json.dumps(card))
    assert "another model" in call(*command, "--resume").stderr


def test_json_comes_page_by_page(small):
    """A line is there as soon as its page is read, not when all are."""
    command = [sys.executable, "-m", "inkdigits", "read", "--json", *[str(small)] * 20]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert json.loads(process.stdout.readline())["numbers"]
        assert process.poll() is None
        process.kill()


def read_on_a_terminal(*arguments, columns) -> str:
    """Return what reading shows on a terminal of this width."""
    screen, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, columns))
    command = [sys.executable, "-m", "inkdigits", "read", *map(str, arguments)]
    environment = {key: value for key, value in os.environ.items() if key != "COLUMNS"}
    with subprocess.Popen(command, stdout=terminal, stderr=terminal, env=environment):
        os.close(terminal)
        return read_screen(screen)


def read_screen(screen) -> str:
    """Return all that is shown on a terminal until its last program ends."""
    shown = b""
    with contextlib.suppress(OSError):  # the terminal is closed at the end
        while part := os.read(screen, 4096):
            shown += part
    os.close(screen)
    return shown.decode()


def test_table_fits_a_narrow_screen(reading):
    """Columns are aligned where there is room; elsewhere no line is longer than the screen is wide."""
    page = PAGE.parent / "log-book.jpg"
    wide, narrow = (
        [re.sub(r"\x1b\[\d+m", "", line) for line in read_on_a_terminal(page, columns=n).splitlines()]
        for n in (80, 16)
    )
    assert len({len(line) for line in wide}) < len(wide)
    assert max(map(len, wide)) > 16
    assert max(map(len, narrow)) <= 16
    assert " ".join(narrow).split() == " ".join(wide).split()


def test_names_of_regions_leave_room_for_numbers(wide):
    """A long one is cut."""
    region = f"{'a long name ' * 4}=0,0,100%,100%"
    shown = read_on_a_terminal(wide, "--region", region, columns=30)
    lines = [re.sub(r"\x1b\[\d+m", "", line) for line in shown.splitlines()]
    assert lines[0].startswith("a long na…  ")
    assert max(map(len, lines)) <= 30


@pytest.mark.parametrize(("name", "as_wide"), [("\u65e5\u672c", "abcd"), ("e\u0301te\u0301", "abc")])
def test_wide_names_of_regions_leave_numbers_below_each_other(name, as_wide, small):
    """Characters of East Asia take two columns of a terminal, accents none."""
    shown, plain = (
        call("read", small, "--region", f"{each}=0,0,100%,100%").stdout.removeprefix(each)
        for each in (name, as_wide)
    )
    assert shown == plain
    assert "\n" in shown.strip()


def test_progress_is_not_shown_among_what_another_program_shows(small):
    """Standard output may go through a pipe to the same terminal; into a file it doesn't."""
    screen, terminal = pty.openpty()
    command = f"{sys.executable} -m inkdigits read --json {small} {small}"
    with subprocess.Popen(["sh", "-c", f"{command} | cat"], stdout=terminal, stderr=terminal):
        os.close(terminal)
        assert "Reading" not in read_screen(screen)


def test_progress_fits_the_screen(small, tmp_path):
    """However long the path is; a line that is full would begin a new one at each step."""
    for columns in (80, 40, 20):
        out = tmp_path / f"{columns}.txt"
        shown = read_on_a_terminal(*[small] * 3, "--out", out, columns=columns)
        lines = re.split(r"[\r\n]+", re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", shown))
        assert any("Reading" in line for line in lines)
        assert max(map(len, [line for line in lines if "Reading" in line])) <= columns


def test_file_does_not_fit_the_screen(wide, tmp_path):
    """It is the same whatever terminal it is written from."""
    read_on_a_terminal(wide, "--out", tmp_path / "out", columns=10)
    assert (tmp_path / "out").read_text() == call("read", wide).stdout


def test_failure_has_a_line_of_its_own(tmp_path):
    """Progress, which had it, goes on in the next."""
    (tmp_path / "a.png").write_bytes(b"broken")
    shown = read_on_a_terminal(tmp_path / "a.png", "--out", tmp_path / "a.txt", columns=200)
    assert f"\x1b[1G\x1b[K{tmp_path}/a.png: error: " in shown


def test_progress_counts_pages(document, tmp_path):
    """A third of a document of three pages after the first."""
    shown = read_on_a_terminal(document, "--json", "--out", tmp_path / "a.jsonl", columns=100)
    assert [int(percent) for percent in dict.fromkeys(re.findall(r"(\d+)%", shown))] == [0, 33, 66, 100]


def test_progress_shows_while_a_file_is_written(small, tmp_path):
    """Which page of which picture, and how many there are."""
    shown = read_on_a_terminal(small, small, "--json", "--out", tmp_path / "a.jsonl", columns=100)
    assert "page 1 of" in shown
    assert "2 pages" in shown
    assert "page 1" not in read_on_a_terminal(
        small, small, "--json", "--quiet", "--out", tmp_path / "b.jsonl", columns=100
    )


def test_document_without_its_extra_stops_nothing(document, small, monkeypatch):
    """It is a failed page that names the extra."""
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    result = call("read", document, small)
    assert result.exit_code == 1
    assert "inkdigits[pdf]" in result.stderr
    assert f"{small}:" in result.stdout


@pytest.mark.parametrize("least", ["1.1", "-0.1", "high"])
def test_read_refuses_what_is_no_confidence(least):
    """--min-confidence is from 0 to 1."""
    result = call("read", PAGE, "--min-confidence", least)
    assert result.exit_code == 2
    assert least in result.stderr


def test_read_says_which_reader_folder_is_none(tmp_path):
    """A folder without a reader's parts ends in one sentence."""
    result = call("read", PAGE, "--model", tmp_path)
    assert result.exit_code == 1
    assert "finder" in result.stderr


# train, evaluate, export


def test_evaluate_prints_the_documented_block(run):
    """The block of the documented exercise, then the plain figures."""
    result = call("evaluate", run.path)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[1] == ">> Evaluate on validation data: (WHICH NEVER SEEN)"
    assert lines[2].startswith("5000/5000 [==============================] - ")
    assert lines[3] == f"Accuracy: {100 * run.evaluation.accuracy:.4f}%"
    assert lines[4].startswith("Loss: ")


def test_evaluate_json(run):
    """The keys other programs rely on, accuracy from 0 to 1."""
    answer = json.loads(call("evaluate", run.path, "--json").stdout)
    assert answer["accuracy"] == run.evaluation.accuracy
    promised = {
        "split",
        "images",
        "accuracy",
        "loss",
        "accuracy_interval",
        "microseconds_per_image",
        "confusion",
    }
    assert promised <= answer.keys()


def test_evaluate_draws_the_worst_of_ones_own_pictures(run, tmp_path):
    """With a folder of one's own pictures the worst mistakes stand in a figure."""
    (tmp_path / "mine" / "1").mkdir(parents=True)
    (tmp_path / "mine" / "1" / "seven.jpg").write_bytes(SEVEN.read_bytes())
    result = call("evaluate", run.path, "--data", tmp_path / "mine")
    assert result.exit_code == 0
    assert "seven.jpg  is a 1, read as " in result.stdout
    with Image.open(run.path / "figures" / "mistakes-mine.png") as figure:
        assert figure.format == "PNG"
    (run.path / "figures" / "mistakes-mine.png").unlink()


def test_evaluate_leaves_a_model_folder_as_it_is(run, tmp_path):
    """Only a run folder has figures."""
    (tmp_path / "mine" / "1").mkdir(parents=True)
    (tmp_path / "mine" / "1" / "seven.jpg").write_bytes(SEVEN.read_bytes())
    call("export", run.path, "--out", tmp_path / "model")
    assert call("evaluate", tmp_path / "model", "--data", tmp_path / "mine").exit_code == 0
    assert {path.name for path in (tmp_path / "model").iterdir()} == {"model.onnx", "card.json"}


@pytest.mark.parametrize("backend", ["theano", "nothing"])
def test_backend_that_keras_has_not_is_named(backend, tmp_path):
    """With the variable that asks for it."""
    environment = os.environ | {"KERAS_BACKEND": backend}
    command = [sys.executable, "-m", "inkdigits", "train", "--out", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 2
    assert f"KERAS_BACKEND names. Received: '{backend}'" in done.stderr


def test_training_works_without_standard_error(tmp_path):
    """As after 2>&- in a shell."""
    command = [sys.executable, "-m", "inkdigits", "train", "--epochs", "1", "--batch-size", "5000"]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" 2>&-', "sh", *command, "--out", str(tmp_path / "run")],
        stdout=subprocess.PIPE,
        check=False,
    )
    assert done.returncode == 0
    assert (tmp_path / "run" / "card.json").exists()


def test_export_makes_a_model_folder(run, tmp_path):
    """The exported folder classifies."""
    assert call("export", run.path, "--out", tmp_path / "model").exit_code == 0
    assert call("classify", SEVEN, "--model", tmp_path / "model").exit_code == 0


def test_exported_part_of_a_reader_says_what_takes_it(tmp_path):
    """The finder classifies nothing."""
    result = call("export", SHIPPED_READER / "finder", "--out", tmp_path / "model")
    assert "READER/finder" in result.output
    assert "classify" not in result.output


@pytest.mark.parametrize(
    "options",
    [["--epochs", "0"], ["--batch-size", "-1"], ["--seed", "-1"], ["--seed", "x"], ["--recipe", "none"]],
)
def test_misuse_has_exit_status_2(options, tmp_path):
    """What is accepted is named, and no traceback shown."""
    result = call("train", *options, "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr
    assert options[1] in result.stderr


def test_training_without_a_terminal_prints_a_line_an_epoch(tmp_path):
    """In a log file there is one line an epoch and no control characters."""
    said = call_process("train", "--epochs", 1, "--batch-size", 5000, "--out", tmp_path / "run").stderr
    assert "epoch 1/1  loss" in said
    assert "\x1b" not in said
    assert "\r" not in said


def train_on_a_terminal(folder, environment=None) -> str:
    """Return what a short training shows on a terminal."""
    screen, terminal = pty.openpty()
    command = [sys.executable, "-m", "inkdigits", "train", "--epochs", "1", "--batch-size", "1000"]
    with subprocess.Popen(
        [*command, "--out", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=terminal,
        env=os.environ | {"TERM": "xterm-256color", "COLUMNS": "120"} | (environment or {}),
    ):
        os.close(terminal)
        return read_screen(screen)


def test_training_on_a_terminal_shows_a_live_bar(tmp_path):
    """Epoch, step, loss, accuracy and the time left; the summary of the network before."""
    shown = train_on_a_terminal(tmp_path / "run")
    assert "conv2d          (None, 28, 28, 16)    416" in shown
    assert re.search(r"epoch 1/1 step \d+/55 .*loss \d\.\d{4} +accuracy \d+\.\d\d % .*left", shown)
    assert "\x1b[3" in shown


def test_no_color_is_respected(tmp_path):
    """With NO_COLOR set the bar moves without color."""
    assert "\x1b[3" not in train_on_a_terminal(tmp_path / "run", {"NO_COLOR": "1"})


def test_quiet_training_prints_the_evaluation_only(tmp_path):
    """--quiet leaves the result."""
    done = call_process("train", "--quiet", "--epochs", 1, "--batch-size", 5000, "--out", tmp_path / "run")
    assert done.stderr == ""
    assert done.stdout.startswith("=====")


# help, errors, start


@pytest.mark.parametrize("command", ["train", "evaluate", "classify", "read", "export"])
def test_every_command_has_help_with_an_example(command):
    """--help shows complete commands to copy, each on a line of its own."""
    lines = [line.strip() for line in call(command, "--help").stdout.splitlines()]
    assert any(line.startswith(f"inkdigits {command} ") for line in lines)
    assert not any("\b" in line or "\\b" in line or line.count("inkdigits ") > 1 for line in lines)


def test_version_is_printed():
    """--version names program and version."""
    assert call("--version").stdout.startswith("inkdigits 0.")


def test_traceback_is_shown_on_request(tmp_path):
    """--traceback is for those who look for the place in the code."""
    said = call_process("classify", SEVEN, "--model", tmp_path, "--traceback").stderr
    assert "Traceback" in said
    assert "Traceback" not in call_process("classify", SEVEN, "--model", tmp_path).stderr


def test_missing_extra_names_the_install_command(monkeypatch):
    """Without the extra 'train' the command says what to install."""
    monkeypatch.setitem(sys.modules, "inkdigits.learning.networks", None)
    result = call("train")
    assert result.exit_code == 1
    assert "pip install 'inkdigits[train]'" in result.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion_is_offered(shell):
    """The completion script of each shell is printed."""
    completed = subprocess.run(
        [sys.executable, "-c", "from inkdigits.__main__ import main; main()"],
        env={"_INKDIGITS_COMPLETE": f"{shell}_source", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "_INKDIGITS_COMPLETE" in completed.stdout


def test_help_of_the_group_lists_the_commands():
    """Every command has a line."""
    listed = call("--help").stdout
    assert isinstance(cli, click.Group)
    assert all(f"  {name}  " in listed for name in cli.commands)


def test_json_is_plain_ascii(tmp_path):
    """No terminal setting can break JSON lines."""
    (tmp_path / "größe.png").write_bytes(SEVEN.read_bytes())
    assert call("classify", tmp_path, "--json").stdout.isascii()
