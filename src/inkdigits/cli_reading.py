"""The commands that read pictures: the one digit of each, or the numbers on every page."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import itertools
import json
import os
import shutil
import sys
import unicodedata
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

import click

from inkdigits.console import INTERRUPTED, Command, Failure, is_file, is_quiet, is_terminal, printable, say
from inkdigits.errors import MissingExtraError, PictureError
from inkdigits.files import GrowingFile, replacing
from inkdigits.result import ROW_FIELDS, Reading, counted
from inkdigits.result import Failure as FailedPage

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from inkdigits.reading.image import Decoded
    from inkdigits.reading.reader import Options, Reader
    from inkdigits.reading.sources import Page
    from inkdigits.result import Digit, Number

_Source: TypeAlias = "tuple[str, Path | BinaryIO | PictureError]"

STANDARD_INPUT = "-"
FORM_FIELDS = ("source", "page")  # columns before those of the regions
GAP = "  "  # between numbers
LONGEST_NAME = 200  # bytes of a drawing's or folder's name without its ending; file systems take 255
MOST_THREADS = 4  # that one page is given unasked; two are measured to help, more are not measured
ERASE = "\x1b[1G\x1b[K"  # a line of progress; click leaves it out where there is no terminal


@click.command(cls=Command)
@click.argument("pictures", nargs=-1, required=True, metavar="PICTURE...")
@click.option(
    "--model", type=click.Path(path_type=Path), help="A model or run folder. [default: the shipped one]"
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.option(
    "--top", type=click.IntRange(1, 10), default=1, show_default=True, help="Show the K best guesses."
)
@click.option(
    "--max-pixels", type=click.IntRange(min=1), help="Refuse larger pictures. [default: 100,000,000]"
)
@click.pass_obj
def classify(
    say: Callable[[str], None],
    *,
    pictures: tuple[str, ...],
    model: Path | None,
    as_json: bool,
    top: int,
    max_pixels: int | None,
) -> None:
    """Name the one handwritten digit in each picture.

    \b
    inkdigits classify seven.png
    inkdigits classify photos/ --json > answers.jsonl
    cat seven.png | inkdigits classify -

    PICTURE is a PNG, JPEG, TIFF, BMP, WebP, GIF, HEIC or PDF file, a folder (every picture below it, sorted)
    or - for standard input.
    """
    from inkdigits.reading.classifier import Classifier
    from inkdigits.reading.sources import DEFAULT_MAX_PIXELS

    _leave_out_remarks()
    classifier = Classifier(model)
    sources = list(_sources(pictures))
    width = max(len(printable(source)) for source, _ in sources)
    failed = 0
    for source, picture in sources:
        try:
            if isinstance(picture, PictureError):
                raise picture
            digit = classifier.classify(picture, max_pixels=max_pixels or DEFAULT_MAX_PIXELS)
        except (PictureError, MissingExtraError) as error:
            failed += 1
            if as_json:
                click.echo(_json_line({"source": source, "error": str(error)}), nl=False)
            else:
                click.echo(f"{printable(source):{width}}  error: {printable(str(error))}", err=True)
            continue
        if as_json:
            click.echo(_json_line({"source": source, **digit.to_dict()}), nl=False)
        else:
            click.echo(f"{printable(source):{width}}  {_describe(digit, top)}")
    if len(sources) > 1:
        say(f"{len(sources)} pictures" + (f", {failed} could not be used." if failed else "."))
    if failed:
        raise click.exceptions.Exit(1)


def _describe(digit: Digit, top: int) -> str:
    if digit.value is None:
        return "-   no ink found"
    best = sorted(enumerate(digit.probabilities), key=lambda guess: -guess[1])[:top]
    guesses = "   ".join(f"{value}  {100 * probability:5.1f} %" for value, probability in best)
    return guesses + ("   doubtful" if digit.doubtful else "")


def _parse_length(
    _context: click.Context, _option: click.Parameter, text: str | None
) -> tuple[int, int] | None:
    if text is None:
        return None
    fewest, dash, most = text.partition("-")
    try:
        return int(fewest), int(most if dash else fewest)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is neither a number of digits, such as 5, nor a range, such as 4-6."
        ) from None


def _parse_regions(
    _context: click.Context, _option: click.Parameter, texts: tuple[str, ...]
) -> dict[str, str]:
    parts = [text.rpartition("=") for text in texts]
    given = Counter(name for name, *_ in parts if name)
    for name in given:
        if given[name] > 1:
            raise click.BadParameter(f"Two regions have the name {name!r}.")
    regions: dict[str, str] = {}
    for place, (name, _, values) in enumerate(parts, start=1):
        free = (number for number in map(str, itertools.count(place)) if number not in {*given, *regions})
        regions[name or next(free)] = values
    return regions


@click.command(cls=Command)
@click.argument("pictures", nargs=-1, required=True, metavar="PICTURE...")
@click.option("--model", type=click.Path(path_type=Path), help="A reader folder. [default: the shipped one]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a page.")
@click.option("--csv", "as_csv", is_flag=True, help="Print a row a number.")
@click.option("--table", "as_table", is_flag=True, help="Print a row a line, with the page's columns.")
@click.option("--form", "as_form", is_flag=True, help="Print a row a page, with a column a region.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write there instead, page by page."
)
@click.option("--resume", is_flag=True, help="Go on with what --out has not yet.")
@click.option("--overwrite", is_flag=True, help="Replace the file in --out.")
@click.option(
    "--draw",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Also save each page with what was read drawn over it.",
)
@click.option(
    "--explain",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Also save a picture of each step (before --length, and of a strip in one size).",
)
@click.option(
    "--region",
    "regions",
    multiple=True,
    callback=_parse_regions,
    metavar="NAME=X,Y,W,H",
    help="Read this part of every page alone: left, top, width, height in pixels or percent. Repeatable.",
)
@click.option("--length", callback=_parse_length, metavar="N or N-M", help="Every number has so many digits.")
@click.option("--rotate", type=click.Choice(["90", "180", "270"]), help="Turn every picture clockwise first.")
@click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    metavar="C",
    help="Mark what is less sure as doubtful. [default: the model's]",
)
@click.option("--full-resolution", is_flag=True, help="Look for digits on every pixel of a large page.")
@click.option(
    "--max-pixels", type=click.IntRange(min=1), help="Refuse larger pictures. [default: 100,000,000]"
)
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Read so many pages at once."
)
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    help=f"Cores for each page. [default: what --workers leave, at most {MOST_THREADS}]",
)
@click.pass_obj
def read(
    say: Callable[[str], None],
    *,
    pictures: tuple[str, ...],
    model: Path | None,
    as_json: bool,
    as_csv: bool,
    as_table: bool,
    as_form: bool,
    out: Path | None,
    resume: bool,
    overwrite: bool,
    draw: Path | None,
    explain: Path | None,
    regions: dict[str, str],
    length: tuple[int, int] | None,
    rotate: str | None,
    min_confidence: float | None,
    full_resolution: bool,
    max_pixels: int | None,
    workers: int,
    threads: int | None,
) -> None:
    """Read the handwritten numbers on pages, in reading order.

    \b
    inkdigits read sheet.jpg
    inkdigits read scans/ --csv --out numbers.csv --workers 2
    inkdigits read forms.pdf --form --region total=60%,10%,30%,5%
    inkdigits read meter.jpg --length 5
    inkdigits read sheet.jpg --draw drawn

    A digit in [brackets] is doubtful; a number with a ? is doubtful as a whole.
    PICTURE is a PNG, JPEG, TIFF, BMP, WebP, GIF, HEIC or PDF file, a folder (every picture below it, sorted)
    or - for standard input. All pages of PDF and TIFF files are read.
    """
    from inkdigits.reading.model import available_cores
    from inkdigits.reading.reader import Reader
    from inkdigits.reading.sources import DEFAULT_MAX_PIXELS

    if (resume or overwrite) and out is None:
        raise click.UsageError("--resume and --overwrite are about the file in --out.")
    if resume and overwrite:
        raise click.UsageError(
            "A file is either gone on with or replaced: give one of --resume and --overwrite."
        )
    if out is not None and (not out.name or str(out) == STANDARD_INPUT):
        raise click.UsageError(
            f"--out is no name of a file; without --out the numbers are printed. Received: {str(out)!r}"
        )
    name = _only_form({"json": as_json, "csv": as_csv, "table": as_table, "form": as_form}, regions)
    options: Options = {
        "min_confidence": min_confidence,
        "full_resolution": full_resolution,
        "rotate": int(rotate or 0),
        "regions": regions,
        "length": length,
        "max_pixels": max_pixels or DEFAULT_MAX_PIXELS,
    }
    _leave_out_remarks()
    reader = Reader(model, threads=threads or max(1, min(MOST_THREADS, available_cores() // workers)))
    sources = list(_sources(pictures, [folder for folder in (draw, explain) if folder]))
    given = {_real(picture) for _, picture in sources if isinstance(picture, Path)}
    _check_outputs([source for source, _ in sources], given, out, draw, explain)
    pages = _pages(sources, options["max_pixels"])
    first = list(itertools.islice(pages, 2)) if len(sources) == 1 else []
    form = _Form(
        name,
        list(regions),
        has_titles=len(sources) > 1 or len(first) > 1,
        fits_screen=out is None and is_terminal(sys.stdout),
    )
    finished: Counter[tuple[str | None, int]] = Counter()  # a page named twice is there twice

    def is_unfinished(page: Page) -> bool:
        finished[page.source, page.number] -= 1
        return finished[page.source, page.number] < 0

    def save_pictures(reading: Reading, decoded: Decoded) -> None:
        if draw:
            _save_drawing(reading, decoded, draw, given=given)
        if explain:
            _save_steps(reader, reading, decoded, options, explain, given=given)

    places = _Places(len(sources))
    todo = filter(is_unfinished, places.watch(itertools.chain(first, pages)))
    # Options are checked here, before a file is touched; pages are taken only below.
    answers = reader.read_many(todo, workers=workers, on_page=save_pictures, **options)
    settings = {
        "form": name,
        "networks": [
            (part.card.model_sha256, part.card.doubt_threshold) for part in (reader.finder, reader.lines)
        ],
        **options,
        "regions": list(regions.items()),
    }
    with _output(out, settings, form, resume=resume, overwrite=overwrite) as output:
        finished.update((source, number) for source, number, _ in output.done)
        before = len(output.done)
        counts = sum((Counter(note) for *_, note in output.done), Counter(pages=before))
        with _progress(places, is_shown=bool(out) or is_file(sys.stdout)) as show:
            for answer in answers:
                note = _note(answer)
                if isinstance(answer, FailedPage) and (out or name != "json"):
                    click.echo(f"{ERASE}{form.title(answer)}: error: {printable(answer.error)}", err=True)
                text = form.text(answer)
                if text is not None:
                    output.add(click.unstyle(text) if out else text, answer.source or "", answer.page, note)
                # What left nothing in --out is tried again by --resume; not in a table that was filled up.
                output.lacks_pages |= text is None and name != "table"
                counts += Counter(pages=1, **note)
                show(answer)
    if counts["pages"] > 1:
        say(_summary(counts, before, _again(overwrite=overwrite) if out and output.lacks_pages else None))
    if counts["failed"]:
        raise click.exceptions.Exit(1)


def _only_form(forms: Mapping[str, bool], regions: Mapping[str, str]) -> str | None:
    """Return the one form of output that was asked for, None for text, if these regions go with it."""
    chosen = [name for name, is_chosen in forms.items() if is_chosen]
    if len(chosen) > 1:
        raise click.UsageError(
            f"A page is printed in one form: give one of {', '.join(f'--{name}' for name in chosen)}."
        )
    if chosen == ["form"] and not regions:
        raise click.UsageError("--form needs at least one --region.")
    if chosen == ["form"] and (taken := [name for name in regions if name in FORM_FIELDS]):
        raise click.UsageError(
            f"--form has columns {' and '.join(FORM_FIELDS)} of its own. Give the region {taken[0]!r} "
            "another name."
        )
    return chosen[0] if chosen else None


def _check_outputs(
    sources: list[str], given: Set[Path], out: Path | None, draw: Path | None, explain: Path | None
) -> None:
    """Refuse to write over a picture to be read, to what is no file, and two things to one place.

    How many pages a document has is not known yet: of those after the first `_save_png` replaces nothing.
    """
    # Path.exists raises where a name is too long.
    if out is not None and os.path.exists(out) and not out.is_file():  # noqa: PTH110
        raise click.UsageError(f"--out has to be a regular file, or none yet. Received: {out}")
    if out is not None and _real(out) in given:
        raise click.UsageError(f"--out would replace a picture to be read. Received: {out}")
    drawings = [_drawing_path(source, 1, draw) for source in sources] if draw else []
    steps = [_path_for(source, 1, explain) for source in sources] if explain else []
    for option, folder, paths in (("--draw", draw, drawings), ("--explain", explain, steps)):
        for path in paths:
            if _real(path) in given:
                raise click.UsageError(
                    f"{option} would replace a picture to be read, {path}. Received: {folder}"
                )
    folders = set(map(_real, steps))
    for path in drawings:
        if _real(path) in folders:
            raise click.UsageError(
                f"--draw would save a picture as {path}, and --explain a folder. Give them two folders."
            )


def _note(answer: Reading | FailedPage) -> dict[str, int]:
    """Return what counts in the summary."""
    if isinstance(answer, FailedPage):
        return {"failed": 1}
    return {"numbers": len(answer.numbers), "doubtful": sum(number.doubtful for number in answer.numbers)}


def _summary(counts: Counter[str], before: int, again: str | None) -> str:
    pages, failed = counts["pages"], counts["failed"]
    return (
        f"{pages} pages, {counted(counts['numbers'], 'number')}, {counts['doubtful']} of them doubtful"
        + (f"; {counted(failed, 'page')} could not be read" if failed else "")
        + (f": try again with {again}" if again else "")
        + (f" ({before} of the pages were read before)." if before else ".")
    )


# ---- what is written -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Form:
    """How answers look: as text for people (None), or as "json", "csv", "table" or "form" for programs.

    Attributes:
        name: which of them.
        regions: the names of the parts of a page that are read, if not all of it is.
        has_titles: the text of each page has its source above.
        fits_screen: text is no wider than the terminal.
    """

    name: str | None
    regions: list[str]
    has_titles: bool
    fits_screen: bool

    def head(self) -> str:
        """Return what comes before all pages."""
        if self.name == "csv":
            return _csv_row(ROW_FIELDS)
        if self.name == "form":
            return _csv_row([*FORM_FIELDS, *self.regions])
        return ""

    def text(self, answer: Reading | FailedPage) -> str | None:
        """Return the lines of a page, each with its end; None of one that failed, which only JSON has."""
        if self.name == "json":
            return _json_line(answer.to_dict())
        if isinstance(answer, FailedPage):
            return None
        if self.name == "csv":
            return "".join(_csv_row(row.values()) for row in answer.to_rows())
        if self.name == "form":
            return _csv_row([answer.source, answer.page, *_region_texts(answer, self.regions)])
        if self.name == "table":
            lines = itertools.groupby(answer.numbers, key=lambda number: (number.line, number.region))
            rows = zip(lines, answer.to_table(), strict=True)
            return "".join(
                _csv_row([answer.source, answer.page, region, *cells]) for ((_, region), _), cells in rows
            )
        return "".join(f"{line}\n" for line in self._lines(answer))

    def title(self, answer: Reading | FailedPage) -> str:
        """Return what a page is called."""
        name = printable(STANDARD_INPUT if answer.source is None else answer.source)
        return f"{name}, page {answer.page}" if answer.page > 1 else name

    def _lines(self, reading: Reading) -> Iterator[str]:
        if self.has_titles:
            yield click.style(f"{self.title(reading)}:", bold=True)
        if not reading.numbers:
            yield "no digits found"
            return
        screen = shutil.get_terminal_size().columns if self.fits_screen else None
        names = {name: f"{_cut(printable(name), screen and screen // 3)}  " for name in self.regions}
        indent = max(map(_columns, names.values()), default=0)
        width = max(1, screen - indent) if screen else None
        for region, numbers in itertools.groupby(reading.numbers, key=lambda number: number.region):
            name = names.get(region or "", "")
            for line in _aligned(list(numbers), width):
                yield f"{name}{' ' * (indent - _columns(name))}{line}"
                name = ""


def _cut(text: str, most: int | None) -> str:
    """Return a text, or its beginning if it takes more columns of a terminal."""
    if most is None or _columns(text) <= most:
        return text
    widths = itertools.accumulate(map(_columns, text))
    return text[: sum(width < most for width in widths)] + "…"


def _columns(text: str) -> int:
    """Return how many columns of a terminal a text takes: characters of East Asia two, accents none."""
    return sum(
        0 if unicodedata.combining(each) else 1 + (unicodedata.east_asian_width(each) in "WF")
        for each in text
    )


def _aligned(numbers: list[Number], width: int | None) -> Iterator[str]:
    """Yield a line of text for each line of the page, columns below each other where there is room."""
    cells = {(number.line, number.column): _marked(number) for number in numbers}
    widths: dict[int, int] = {}
    for (_, column), text in cells.items():
        widths[column] = max(widths.get(column, 0), len(text))
    columns = sorted(widths)
    is_wide = width is not None and sum(widths.values()) + len(GAP) * (len(columns) - 1) > width
    for line, of_line in itertools.groupby(numbers, key=lambda number: number.line):
        if is_wide:
            texts = [(_marked(number), number.doubtful) for number in of_line]
            yield from _wrapped(texts, width or 0)
            continue
        row = {number.column: number for number in of_line}
        last = max(row)
        yield GAP.join(
            _colored(
                cells.get((line, column), "").rjust(widths[column]), column in row and row[column].doubtful
            )
            for column in columns
            if column <= last
        )


def _wrapped(texts: Iterable[tuple[str, bool]], width: int) -> Iterator[str]:
    """Yield texts in as many lines as they need, all but the first indented."""
    line, length = "", 0
    for text, doubtful in texts:
        if line and length + len(GAP) + len(text) > width:
            yield line
            line, length = "", 0
            gap = GAP
        else:
            gap = GAP if line else ""
        line += gap + _colored(text, doubtful)
        length += len(gap) + len(text)
    yield line


def _marked(number: Number) -> str:
    """Write a number with its doubtful digits in brackets, or a ? behind it if it is doubtful as a whole."""
    digits = iter(number.digits)
    text = ""
    for character in number.text:
        digit = next(digits) if character.isdigit() else None
        text += f"[{character}]" if digit and digit.doubtful else character
    return text + "?" if number.doubtful and "[" not in text else text


def _colored(text: str, doubtful: bool) -> str:
    return click.style(text, fg="yellow") if doubtful else text


def _region_texts(reading: Reading, regions: list[str]) -> list[str]:
    """Return what stands in each region, in one line."""
    texts = {name: [number.text for number in reading.numbers if number.region == name] for name in regions}
    return [" ".join(texts[name]) for name in regions]


def _json_line(fields: Mapping[str, Any]) -> str:
    """Return fields as a line of JSON, which is Unicode: the name of a file may be bytes that are no text."""
    return json.dumps(json.loads(printable(json.dumps(fields, ensure_ascii=False)))) + "\n"


def _csv_row(values: Iterable[object]) -> str:
    row = io.StringIO()
    # A row ends with a newline alone; only with both does the writer quote either inside a field.
    csv.writer(row, lineterminator="\r\n").writerow(
        ["" if value is None else printable(str(value)) for value in values]
    )
    return row.getvalue().removesuffix("\r\n") + "\n"


# ---- where to ------------------------------------------------------------------------------------


class _StandardOutput:
    """Takes what a `GrowingFile` takes, and forgets it."""

    def __init__(self, head: str) -> None:
        self.done: list[tuple[str, int, Any]] = []
        self.lacks_pages = False
        click.echo(head, nl=False)

    def add(self, text: str, _source: str, _page: int, _note: Any) -> None:
        click.echo(text, nl=False)


@contextlib.contextmanager
def _output(
    path: Path | None, settings: Any, form: _Form, *, resume: bool, overwrite: bool
) -> Iterator[_StandardOutput | GrowingFile]:
    """Open standard output, or a file that keeps every page that is finished."""
    if path is None:
        yield _StandardOutput(form.head())
        return
    settings = json.loads(json.dumps(settings))  # as they come back from a file
    try:
        with GrowingFile(
            path,
            settings=settings,
            head=form.head(),
            resume=resume,
            overwrite=overwrite,
            finish=_pad if form.name == "table" else None,
        ) as file:
            yield file
    except KeyboardInterrupt:
        raise Failure(
            f"Stopped. Every finished page is in {path}. Go on with {_again(overwrite=overwrite)}.",
            INTERRUPTED,
        ) from None
    except FileExistsError as error:
        raise Failure(str(error)) from error
    except BrokenPipeError:  # of standard error
        raise
    except OSError as error:
        raise Failure(f"{path} can't be written: {error.strerror or error}.") from error


def _again(*, overwrite: bool) -> str:
    """Say how a file is gone on with."""
    return "the same command and --resume" + (" instead of --overwrite" if overwrite else "")


def _pad(path: Path) -> None:
    """Give all rows of a table as many cells, which pages that were written one by one have not."""
    with path.open(newline="", encoding="utf-8") as rows:
        width = max(map(len, csv.reader(rows)), default=0)
        rows.seek(0)
        with replacing(path.resolve()) as whole, whole.open("wb") as file:
            file.writelines(_csv_row([*row, *[""] * (width - len(row))]).encode() for row in csv.reader(rows))


class _Places:
    """Where each page is among all pages, as far as documents say how many they have.

    Args:
        sources: how many pictures and documents there are.

    Attributes:
        total: how many pages there are; a document that does not say is taken for one.
    """

    def __init__(self, sources: int) -> None:
        self.total = sources
        self._places: dict[tuple[str | None, int], int] = {}

    def watch(self, pages: Iterable[Page]) -> Iterator[Page]:
        """Give pages on, noting how many there are up to each."""
        start = end = 0
        for page in pages:
            if page.number == 1:
                start, end = end, end + (page.of or 1)
                self.total += end - start - 1
            self._places[page.source, page.number] = min(start + page.number, end) if page.of else start
            yield page

    def of(self, answer: Reading | FailedPage) -> int:
        """Return how many pages there are up to the one of an answer."""
        return self._places[answer.source, answer.page]


@contextlib.contextmanager
def _progress(places: _Places, *, is_shown: bool) -> Iterator[Callable[[Reading | FailedPage], None]]:
    """Show on a terminal how many of the pages have been read."""
    if is_quiet() or not is_shown or not is_terminal(sys.stderr):
        yield lambda _: None
        return
    # The bar takes what is left of the line; a line that is full would wrap.
    room = shutil.get_terminal_size().columns - len("Reading  [######]  100%  00:00:00  ") - 1
    with click.progressbar(
        length=places.total,
        label="Reading",
        file=sys.stderr,
        width=0,
        item_show_func=lambda item: item,
        update_min_steps=0,
    ) as bar:

        def show(answer: Reading | FailedPage) -> None:
            bar.length = places.total
            item = f"page {answer.page} of {printable(answer.source or '')}"
            bar.update(places.of(answer) - bar.pos, _cut(item, room) if room > 0 else None)

        yield show
        bar.update(places.total - bar.pos)


def _save_drawing(reading: Reading, decoded: Decoded, folder: Path, *, given: Set[Path]) -> None:
    """Save a page with the reading over it."""
    _save_png(reading.draw(decoded.rgb()), _drawing_path(reading.source, reading.page, folder), given)


def _save_steps(
    reader: Reader, reading: Reading, decoded: Decoded, options: Options, folder: Path, *, given: Set[Path]
) -> None:
    """Save a picture of each step, numbered, in a folder of the page's own; and one for each region."""
    from inkdigits.reading.explain import explain
    from inkdigits.reading.regions import parts_of

    gray = decoded.gray()
    below, last = _path_for(reading.source, reading.page, folder), "numbers.png"
    for name, _, part in parts_of(gray, options["regions"]):
        steps = explain(reader, part, full_resolution=options["full_resolution"])
        own = _file_name(name or "")
        own = own.replace(".", "%2E") if own.lower() == last else own  # a folder can't have a file's name
        for number, step in enumerate(steps, start=1):
            _save_png(step.picture, below / own / f"{number}-{step.name}.png", given)
    _save_png(reading.draw(decoded.rgb()), below / last, given)


def _save_png(picture: npt.NDArray[np.uint8], path: Path, given: Set[Path]) -> None:
    """Save a picture, but not over one that was given to be read."""
    from PIL import Image

    if _real(path) in given:
        raise Failure(f"{path} can't be written: it is a picture to be read. Draw in another folder.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as whole:
            Image.fromarray(picture).save(whole, format="PNG")
    except OSError as error:
        raise Failure(f"{path} can't be written: {error.strerror or error}.") from error


def _drawing_path(source: str | None, page: int, folder: Path) -> Path:
    """Return where in a folder the drawing of a page goes."""
    path = _path_for(source, page, folder)
    return path.with_name(f"{path.name}.png")


def _path_for(source: str | None, page: int, folder: Path) -> Path:
    """Return where in a folder pictures of a page go: scan.jpg and scan.png are two, as are their pages."""
    place = Path("standard-input" if source == STANDARD_INPUT else source or "picture")
    *folders, name = map(_file_name, place.parts)
    return folder.joinpath(*folders, f"{name}.{page}" if page > 1 else name)


def _file_name(text: str) -> str:
    """Return a text as a name inside a folder: what would lead out of it is written as in URLs, / as %2F."""
    name = text.replace("%", "%25").replace("/", "%2F")
    name = name.replace(".", "%2E") if text in {os.curdir, os.pardir} else name
    encoded = os.fsencode(name)
    if len(encoded) <= LONGEST_NAME:
        return name
    # What would be too long with an ending is told apart by a hash of all of it.
    return os.fsdecode(encoded[: LONGEST_NAME - 17]) + "~" + hashlib.sha256(encoded).hexdigest()[:16]


# ---- where from ----------------------------------------------------------------------------------


def _leave_out_remarks() -> None:
    """Leave out, as long as the command runs, what Pillow remarks on damaged parts of TIFF files."""
    click.get_current_context().with_resource(warnings.catch_warnings())
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.TiffImagePlugin")


def _sources(pictures: tuple[str, ...], outputs: Iterable[Path] = ()) -> Iterator[_Source]:
    """Yield each picture's source as the user would write it, and where to read it or why it can't be.

    What lies in folders of output is not read; where these were given themselves, or what they are in, only
    what is drawn there of the others is not.
    """
    from inkdigits.reading.sources import find_pictures

    if pictures.count(STANDARD_INPUT) > 1:
        raise click.UsageError("Standard input (-) can be read once only.")
    for given in pictures:
        if given == STANDARD_INPUT:
            if sys.stdin is None:  # closed by whoever started the program
                yield given, PictureError("Standard input is closed. Give a picture there, or a path.")
            else:
                yield given, sys.stdin.buffer
            continue
        try:
            paths = find_pictures(given)
        except PictureError as error:
            yield given, error
            continue
        own = [_real(folder) for folder in outputs if not _is_in(Path(given), _real(folder))]
        paths = [path for path in paths if not any(_is_in(path, folder) for folder in own)]
        found = {_written(given, path): path for path in paths}
        if paths != [Path(given)]:
            drawn = {_real(_path_for(source, 1, folder)) for folder in outputs for source in found}
            found = {source: path for source, path in found.items() if not _is_drawn(path, drawn)}
        if len(found) < len(paths) and not is_quiet():
            left_out = counted(len(paths) - len(found), "picture")
            say(f"note: {left_out} in {given} that --draw or --explain made will not be read.")
        if not found:
            yield given, PictureError(f"The folder {given} holds no picture (PNG, JPEG, TIFF, ...).")
        yield from found.items()


def _written(given: str, path: Path) -> str:
    """Return a picture's path as the user would write it who has given it, or a folder with it."""
    below = os.path.relpath(path, given)
    return given if below == os.curdir else os.path.join(given, below)


def _is_drawn(path: Path, drawn: Set[Path]) -> bool:
    """Tell whether a picture lies where pages are drawn, later ones with their number behind."""
    path = _real(path)
    places = [path.with_suffix(""), *path.parents]
    return any(
        place in drawn or (place.suffix[1:].isdigit() and place.with_suffix("") in drawn) for place in places
    )


def _is_in(path: Path, folder: Path) -> bool:
    return _real(path).is_relative_to(folder)


def _real(path: Path) -> Path:
    """Return where a path leads; Path.resolve raises where links lead in a circle."""
    return Path(os.path.realpath(path))


def _pages(sources: Iterable[_Source], max_pixels: int) -> Iterator[Page]:
    """Yield the pages of all pictures, also of those that can't be opened."""
    from inkdigits.reading.sources import Page, find_pages

    for source, picture in sources:
        if isinstance(picture, PictureError):
            yield Page.failed(source, 1, picture)
        else:
            yield from find_pages(picture, source=source, max_pixels=max_pixels)
