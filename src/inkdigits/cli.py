"""The command line: words in, results out, no algorithm.

Heavy imports happen inside the command that needs them, so ``--help`` is quick and reading never asks for
what only training needs.
"""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import json
import logging
import math
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from inkdigits import __version__
from inkdigits.errors import ArgumentError, InkdigitsError, MissingExtraError, PictureError
from inkdigits.files import replacing
from inkdigits.learning.recipe import RECIPES
from inkdigits.result import ROW_FIELDS

if TYPE_CHECKING:
    from inkdigits.learning.training import Progress
    from inkdigits.result import Digit, Number, Reading

STANDARD_INPUT = "-"


class _Failure(click.ClickException):
    """An error as one sentence on standard error: exit status 1 for failure, 2 for misuse."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        vars(self)["exit_code"] = exit_code  # a class variable in click


class _Command(click.Command):
    """A command whose errors reach people as sentences, and developers as tracebacks if they ask."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += [
            click.Option(["--quiet"], is_flag=True, help="Print results and errors only."),
            click.Option(["--traceback"], is_flag=True, help="On an error, show where in the code it arose."),
        ]

    def invoke(self, ctx: click.Context) -> Any:
        quiet, traceback = ctx.params.pop("quiet"), ctx.params.pop("traceback")
        ctx.obj = (lambda _: None) if quiet else _say
        try:
            with _notes(quiet=quiet):
                return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if traceback:
                raise
            if isinstance(error, InkdigitsError):
                raise _Failure(str(error), 2 if isinstance(error, ArgumentError) else 1) from error
            kind = type(error).__name__
            raise _Failure(
                f"Unexpected {kind}: {error}. Run again with --traceback to see where, and please report it."
            ) from error


class _Group(click.Group):
    command_class = _Command


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Complete commands with TAB, here for bash: "
    'eval "$(_INKDIGITS_COMPLETE=bash_source inkdigits)". Also zsh_source and fish_source.',
)
@click.version_option(__version__, prog_name="inkdigits", message="%(prog)s %(version)s")
def cli() -> None:
    """Train small networks on MNIST, and read handwritten digits with them.

    \b
    inkdigits train                       train the documented network (a minute or less)
    inkdigits evaluate runs/classic       how good it is on images it never saw
    inkdigits classify seven.png          name the digit in a picture
    inkdigits read sheet.jpg              read the numbers on a page
    inkdigits export runs/classic --out my-model
    """


@cli.command()
@click.option(
    "--recipe",
    default="classic",
    show_default=True,
    help=f"Which network, trained how: {', '.join(RECIPES)}.",
)
@click.option("--seed", default=0, show_default=True, help="Of every random number.")
@click.option("--epochs", type=int, help="Instead of the recipe's.")
@click.option("--batch-size", type=int, help="Instead of the recipe's.")
@click.option(
    "--data", type=click.Path(path_type=Path), help="A folder or file with MNIST. [default: look for it]"
)
@click.option("--out", type=click.Path(path_type=Path), help="The run folder. [default: runs/RECIPE]")
@click.option("--resume", is_flag=True, help="Go on from the last finished epoch of the run in --out.")
@click.option("--overwrite", is_flag=True, help="Replace the run in --out.")
@click.pass_obj
def train(
    say: Callable[[str], None],
    *,
    recipe: str,
    seed: int,
    epochs: int | None,
    batch_size: int | None,
    data: Path | None,
    out: Path | None,
    resume: bool,
    overwrite: bool,
) -> None:
    """Train a network from scratch, evaluate it, draw the figures and export it.

    \b
    inkdigits train
    inkdigits train --seed 1 --out runs/second
    inkdigits train --resume              go on after an interruption

    The run folder holds model.keras, model.onnx and card.json (together a model folder), history.csv,
    evaluation.json and figures/.
    """
    with _learning(), _muted_native_output():
        from inkdigits.learning.evaluation import Evaluation, report
        from inkdigits.learning.networks import start_backend, summary
        from inkdigits.learning.training import train as train_network

        start_backend()
    try:
        with _progress_display() as show:
            run = train_network(
                recipe,
                seed=seed,
                epochs=epochs,
                batch_size=batch_size,
                data=data,
                out=out,
                resume=resume,
                overwrite=overwrite,
                on_start=lambda network: say(f"\n{summary(network)}\n"),
                on_progress=show,
                log=say,
            )
    except KeyboardInterrupt:
        settings = {"recipe": recipe, "seed": seed, "epochs": epochs, "batch-size": batch_size, "data": data}
        given = {name: value for name, value in settings.items() if value is not None}
        options = [f"--{name} {shlex.quote(str(value))}" for name, value in given.items()]
        folder = shlex.quote(str(out or Path("runs") / recipe))
        raise _Failure(
            "Stopped. Every finished epoch is kept. Go on with:\n"
            f"inkdigits train {' '.join(options)} --out {folder} --resume",
            130,
        ) from None
    if not isinstance(run.evaluation, Evaluation):  # a part of the page reader
        click.echo(run.evaluation.report())
        say(f"\nThe run is in {run.path}.")
        return
    click.echo(report(run.evaluation))
    say(f"\nThe run is in {run.path}, its figures in {run.path / 'figures'}.")
    say(f"Next: inkdigits classify YOUR-PICTURE.png --model {run.path}")


@cli.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--split", type=click.Choice(["validation", "test"]), help="Part of MNIST. [default: validation]"
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="A folder or file with MNIST, or a folder of your own pictures in subfolders 0 to 9.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def evaluate(
    say: Callable[[str], None], *, run: Path, split: str | None, data: Path | None, as_json: bool
) -> None:
    """Say how good a network is on images it never saw.

    \b
    inkdigits evaluate runs/classic
    inkdigits evaluate runs/classic --split test --json
    inkdigits evaluate runs/classic --data my-pictures   (my-pictures/0/..., my-pictures/1/...)

    RUN is a run folder or a model folder.
    """
    with _learning():
        from inkdigits.learning import scoring
        from inkdigits.learning.evaluation import report
    if data is None or not scoring.is_labeled_folder(data):
        evaluation = scoring.evaluate(run, split=split or "validation", data=data, log=say)
        click.echo(json.dumps(evaluation.to_dict()) if as_json else report(evaluation))
        return
    if split:
        raise click.UsageError(f"{data} is a folder of pictures; --split is for MNIST.")
    pictures = scoring.evaluate_pictures(run, data)
    click.echo(json.dumps(pictures.to_dict()) if as_json else _printable(pictures.report()))
    if pictures.mistakes:
        path = run / "figures" / f"mistakes-{data.resolve().name}.png"
        scoring.draw_picture_mistakes(pictures, path)
        say(f"The worst mistakes are drawn in {path}.")
    if pictures.failed:
        raise click.exceptions.Exit(1)


@cli.command()
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

    PICTURE is a PNG, JPEG, TIFF, BMP, WebP or GIF file, a folder (every picture below it, sorted) or - for
    standard input.
    """
    from inkdigits.reading.classifier import Classifier
    from inkdigits.reading.image import DEFAULT_MAX_PIXELS

    classifier = Classifier(model)
    sources = list(_sources(pictures))
    width = max(len(_printable(source)) for source, _ in sources)
    failed = 0
    for source, picture in sources:
        try:
            if isinstance(picture, PictureError):
                raise picture
            digit = classifier.classify(picture, max_pixels=max_pixels or DEFAULT_MAX_PIXELS)
        except PictureError as error:
            failed += 1
            if as_json:
                click.echo(json.dumps({"source": source, "error": str(error)}))
            else:
                click.echo(f"{_printable(source):{width}}  error: {_printable(str(error))}", err=True)
            continue
        if as_json:
            click.echo(json.dumps({"source": source, **digit.to_dict()}))
        else:
            click.echo(f"{_printable(source):{width}}  {_describe(digit, top)}")
    if len(sources) > 1:
        say(f"{len(sources)} pictures" + (f", {failed} could not be used." if failed else "."))
    if failed:
        raise click.exceptions.Exit(1)


@cli.command()
@click.argument("pictures", nargs=-1, required=True, metavar="PICTURE...")
@click.option("--model", type=click.Path(path_type=Path), help="A reader folder. [default: the shipped one]")
@click.option("--json", "form", flag_value="json", help="Print one JSON object a page.")
@click.option("--csv", "form", flag_value="csv", help="Print a table with a row a number.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write there instead.")
@click.option(
    "--draw",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Also save each picture with what was read drawn over it.",
)
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
@click.pass_obj
def read(
    say: Callable[[str], None],
    *,
    pictures: tuple[str, ...],
    model: Path | None,
    form: str | None,
    out: Path | None,
    draw: Path | None,
    min_confidence: float | None,
    full_resolution: bool,
    max_pixels: int | None,
) -> None:
    """Read the handwritten numbers on pages, in reading order.

    \b
    inkdigits read sheet.jpg
    inkdigits read scans/ --csv --out numbers.csv
    inkdigits read sheet.jpg --draw drawn

    A digit in [brackets] is doubtful; a number with a ? is doubtful as a whole.
    PICTURE is a PNG, JPEG, TIFF, BMP, WebP or GIF file, a folder (every picture below it, sorted) or - for
    standard input.
    """
    from inkdigits.reading.image import DEFAULT_MAX_PIXELS
    from inkdigits.reading.reader import Reader

    reader = Reader(model)
    sources = list(_sources(pictures))
    failed = numbers = doubtful = 0
    with _output(out) as write:
        if form == "csv":
            write(_csv_row(ROW_FIELDS))
        for source, picture in sources:
            try:
                if isinstance(picture, PictureError):
                    raise picture
                content = picture if isinstance(picture, Path) else picture.read()
                limit = max_pixels or DEFAULT_MAX_PIXELS
                reading = reader.read(
                    content,
                    source=source,
                    min_confidence=min_confidence,
                    full_resolution=full_resolution,
                    max_pixels=limit,
                )
                if draw:
                    _draw_reading(reading, content, draw, limit)
            except PictureError as error:
                failed += 1
                if form == "json":
                    write(json.dumps({"source": source, "error": str(error)}))
                else:
                    click.echo(f"{_printable(source)}: error: {_printable(str(error))}", err=True)
                continue
            numbers += len(reading.numbers)
            doubtful += sum(number.doubtful for number in reading.numbers)
            for line in _lines_of(reading, form, titled=len(sources) > 1):
                write(line)
    if len(sources) > 1:
        say(
            f"{len(sources)} pictures, {numbers} numbers, {doubtful} of them doubtful"
            + (f"; {failed} pictures could not be used." if failed else ".")
        )
    if failed:
        raise click.exceptions.Exit(1)


@contextlib.contextmanager
def _output(path: Path | None) -> Iterator[Callable[[str], None]]:
    """Write lines to standard output, or to a file that is there when it is whole."""
    if path is None:
        yield click.echo
        return
    try:
        with replacing(path) as whole, whole.open("w", encoding="utf-8", newline="\n") as file:
            yield lambda line: click.echo(line, file=file)  # without colors, as this is no terminal
    except BrokenPipeError:  # of standard output
        raise
    except OSError as error:
        raise _Failure(f"{path} can't be written: {error.strerror or error}.") from error


def _lines_of(reading: Reading, form: str | None, *, titled: bool) -> Iterator[str]:
    """Yield a page's lines of output."""
    if form == "json":
        yield json.dumps(reading.to_dict())
        return
    if form == "csv":
        for row in reading.to_rows():
            yield _csv_row(row.values())
        return
    if titled:
        yield click.style(f"{_printable(reading.source or '-')}:", bold=True)
    if not reading.numbers:
        yield "no digits found"
    for _, line in itertools.groupby(reading.numbers, key=lambda number: number.line):
        yield "  ".join(_marked(number) for number in line)


def _marked(number: Number) -> str:
    """Write a number with its doubtful digits in brackets, or a ? behind it if it is doubtful as a whole."""
    digits = iter(number.digits)
    text = ""
    for character in number.text:
        digit = next(digits) if character.isdigit() else None
        text += f"[{character}]" if digit and digit.doubtful else character
    if number.doubtful and "[" not in text:
        text += "?"
    return click.style(text, fg="yellow") if number.doubtful else text


def _csv_row(values: Iterable[object]) -> str:
    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow([_printable(str(value)) for value in values])
    return row.getvalue()


def _draw_reading(reading: Reading, picture: Path | bytes, folder: Path, max_pixels: int) -> None:
    """Save the picture with the reading over it, under the picture's name."""
    from PIL import Image

    from inkdigits.reading.image import load_rgb

    drawn = reading.draw(load_rgb(picture, max_pixels=max_pixels))
    source = Path("standard-input" if reading.source == STANDARD_INPUT else reading.source or "picture")
    below = [part for part in source.parts if part not in {source.anchor, os.pardir}]
    path = folder.joinpath(*below[:-1], f"{below[-1]}.png")  # scan.jpg and scan.png are two pictures
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as whole:
            Image.fromarray(drawn).save(whole, format="PNG")
    except OSError as error:
        raise _Failure(f"{path} can't be written: {error.strerror or error}.") from error


def _sources(pictures: tuple[str, ...]) -> Iterator[tuple[str, Path | BinaryIO | PictureError]]:
    """Yield each picture's source as the user would write it, and where to read it or why it can't be."""
    from inkdigits.reading.image import find_pictures

    if pictures.count(STANDARD_INPUT) > 1:
        raise click.UsageError("Standard input (-) can be read once only.")
    for given in pictures:
        if given == STANDARD_INPUT:
            yield given, sys.stdin.buffer
            continue
        try:
            paths = find_pictures(given)
        except PictureError as error:
            yield given, error
            continue
        if not paths:
            yield given, PictureError(f"The folder {given} holds no picture (PNG, JPEG, TIFF, ...).")
        for path in paths:
            below = os.path.relpath(path, given)
            yield given if below == os.curdir else os.path.join(given, below), path


def _printable(text: str) -> str:
    """Replace what a terminal can't show: the bytes of a file name that are no text."""
    return text.encode(errors="surrogateescape").decode(errors="replace")


def _describe(digit: Digit, top: int) -> str:
    if digit.value is None:
        return "-   no ink found"
    best = sorted(enumerate(digit.probabilities), key=lambda guess: -guess[1])[:top]
    guesses = "   ".join(f"{value}  {100 * probability:5.1f} %" for value, probability in best)
    return guesses + ("   doubtful" if digit.doubtful else "")


@cli.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A folder that is new or empty.")
@click.pass_obj
def export(say: Callable[[str], None], *, run: Path, out: Path) -> None:
    """Write just the model folder of a run: model.onnx and card.json.

    \b
    inkdigits export runs/classic --out my-model
    inkdigits classify seven.png --model my-model
    """
    from inkdigits.reading.model import export_model

    export_model(run, out)
    say(f"The model folder is {out}. Use it with: inkdigits classify PICTURE --model {out}")


def _say(sentence: str) -> None:
    """Tell people what is being done, apart from the results."""
    click.echo(sentence, err=True)


@contextlib.contextmanager
def _notes(*, quiet: bool) -> Iterator[None]:
    """Show what the library remarks on, such as a GIF of which only the first frame is used."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("note: %(message)s"))
    handler.setLevel(logging.ERROR if quiet else logging.WARNING)
    logger = logging.getLogger("inkdigits")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


@contextlib.contextmanager
def _learning() -> Iterator[None]:
    """Say which extra is missing where a learning library is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"This command needs {error.name}, which is not installed. "
            "Install what learning needs: pip install 'inkdigits[train]'"
        ) from error


@contextlib.contextmanager
def _muted_native_output() -> Iterator[None]:
    """Drop what TensorFlow's C++ part prints about itself while it starts, whatever its log level."""
    sys.stderr.flush()
    saved = os.dup(2)
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


@contextlib.contextmanager
def _progress_display() -> Iterator[Callable[[Progress], None]]:
    """Show a training: a live bar and a line an epoch on a terminal, the lines alone elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    quiet = click.get_current_context().obj is not _say
    console = Console(stderr=True, quiet=quiet, highlight=False)
    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    )
    task = bar.add_task("", total=None, figures="")

    def show(progress: Progress) -> None:
        bar.start()  # with the first step, when all that comes before has been said
        if progress.validation:
            console.print(_epoch_line(progress), soft_wrap=True)
            if progress.epoch == progress.epochs:
                bar.stop()
            return
        bar.update(
            task,
            description=f"epoch {progress.epoch}/{progress.epochs} step {progress.step}/{progress.steps}",
            total=progress.epochs * progress.steps,
            completed=(progress.epoch - 1) * progress.steps + progress.step,
            figures=f"loss {progress.loss:.4f}{_accuracy(progress.accuracy)}",
        )

    try:
        yield show
    finally:
        bar.stop()


def _epoch_line(progress: Progress) -> str:
    row = progress.validation or {}
    return (
        f"epoch {progress.epoch:{len(str(progress.epochs))}}/{progress.epochs}  "
        f"loss {row['loss']:.4f}{_accuracy(row['accuracy'])}  "
        f"validation: loss {row['validation_loss']:.4f}{_accuracy(row['validation_accuracy'])}  "
        f"({row['seconds']:.1f} s)"
    )


def _accuracy(share: float) -> str:
    """Write a share of right answers, or nothing where it has no meaning."""
    return "" if math.isnan(share) else f"  accuracy {100 * share:.2f} %"


def main() -> None:
    """Run the command line."""
    cli(prog_name="inkdigits")


if __name__ == "__main__":
    main()
