"""The command line: words in, results out, no algorithm.

Heavy imports happen inside the command that needs them, so ``--help`` is quick and reading never asks for
what only training needs.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inkdigits import __version__
from inkdigits.cli_reading import classify, read
from inkdigits.console import INTERRUPTED, Failure, Group, is_quiet, printable
from inkdigits.errors import ArgumentError, MissingExtraError, RunError
from inkdigits.learning.recipe import RECIPES, find_recipe

if TYPE_CHECKING:
    from inkdigits.learning.training import Progress


@click.group(
    cls=Group,
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
    inkdigits serve --open                a page to draw on, and a service
    """


cli.add_command(classify)
cli.add_command(read)


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
    "--start",
    type=click.Path(path_type=Path),
    help="A finished run of the same network, whose weights to begin with. [default: random ones]",
)
@click.option(
    "--teacher",
    type=click.Path(path_type=Path),
    help="A finished classifier whose answers count as much as the labels. [default: labels alone]",
)
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
    start: Path | None,
    teacher: Path | None,
    data: Path | None,
    out: Path | None,
    resume: bool,
    overwrite: bool,
) -> None:
    """Train a network, evaluate it, draw the figures and export it.

    \b
    inkdigits train
    inkdigits train --seed 1 --out runs/second
    inkdigits train --resume              go on after an interruption
    inkdigits train --start runs/classic --out runs/longer
    inkdigits train --recipe compact --teacher runs/best

    The run folder holds model.onnx and card.json (together a model folder), model.keras (the weights that
    --start takes), history.csv, evaluation.json and figures/.
    """
    find_recipe(recipe)  # a wrong word is told before TensorFlow starts
    begun = False

    def on_start(network: Any) -> None:
        nonlocal begun
        begun = True
        say(f"\n{summary(network)}\n")

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
                start=start,
                teacher=teacher,
                data=data,
                out=out,
                resume=resume,
                overwrite=overwrite,
                on_start=on_start,
                on_progress=show,
                log=say,
            )
    except KeyboardInterrupt:
        from inkdigits.reading.model import CHECKPOINT_FILE

        folder = out or Path("runs") / recipe
        if not begun or not (folder / CHECKPOINT_FILE).exists():
            raise Failure("Stopped before there was anything new to keep.", INTERRUPTED) from None
        settings = {
            "recipe": recipe,
            "seed": seed,
            "epochs": epochs,
            "batch-size": batch_size,
            "start": start,
            "teacher": teacher,
            "data": data,
        }
        given = {name: value for name, value in settings.items() if value is not None}
        options = [f"--{name} {shlex.quote(str(value))}" for name, value in given.items()]
        raise Failure(
            "Stopped. Every finished epoch is kept. Go on with:\n"
            f"inkdigits train {' '.join(options)} --out {shlex.quote(str(folder))} --resume",
            INTERRUPTED,
        ) from None
    if not isinstance(run.evaluation, Evaluation):  # a part of the page reader
        click.echo(run.evaluation.report())
        say(f"\nThe run is in {run.path}.")
        return
    click.echo(report(run.evaluation))
    say(f"\nThe run is in {run.path}, its figures in {run.path / 'figures'}.")
    say(f"Next: inkdigits classify YOUR-PICTURE.png --model {shlex.quote(str(run.path))}")


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

    RUN is a run folder or a model folder. A run folder's figures/ get the worst mistakes with your own
    pictures.
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
    click.echo(json.dumps(pictures.to_dict()) if as_json else printable(pictures.report()))
    if pictures.mistakes and (run / "figures").is_dir():
        path = run / "figures" / f"mistakes-{data.resolve().name}.png"
        try:
            scoring.draw_picture_mistakes(pictures, path)
            say(f"The worst mistakes are drawn in {path}.")
        except RunError as error:  # of a run that may only be read; the answer has been given
            say(f"note: {error}")
    if pictures.failed:
        raise click.exceptions.Exit(1)


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
    from inkdigits.reading.model import export_model, open_model

    part = open_model(export_model(run, out)).card.part
    use = (
        f"Use it with: inkdigits classify PICTURE --model {shlex.quote(str(out))}"
        if part == "classifier"
        else f"It is the {part} of a reader folder: inkdigits read PICTURE --model READER takes READER/{part}"
    )
    say(f"The model folder is {out}. {use}")


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 for any.")
@click.option("--model", type=click.Path(path_type=Path), help="A reader folder. [default: the shipped one]")
@click.option("--max-upload", metavar="SIZE", default="20MB", show_default=True, help="Refuse larger files.")
@click.option("--token-file", type=click.Path(path_type=Path), help="Answer only who shows the token in it.")
@click.option("--allow-origin", metavar="URL", help="A web site whose scripts may use the service.")
@click.option("--open", "open_page", is_flag=True, help="Open the page in the browser.")
@click.pass_obj
def serve(
    say: Callable[[str], None],
    *,
    host: str,
    port: int,
    model: Path | None,
    max_upload: str,
    token_file: Path | None,
    allow_origin: str | None,
    open_page: bool,
) -> None:
    """Serve a page to draw on, and the reader to other programs.

    \b
    inkdigits serve --open
    inkdigits serve --host 0.0.0.0 --token-file token

    It answers this machine only, unless --host says otherwise.
    """
    try:
        from inkdigits.web import server
        from inkdigits.web.app import create_app, warm_up
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"This command needs {error.name}, which is not installed. "
            "Install what serving needs: pip install 'inkdigits[web]'"
        ) from error
    from inkdigits.reading.reader import Reader

    token = server.read_token(token_file) if token_file else None
    server.check_exposure(host, token)
    limits = server.limits_for(max_upload)
    reader = Reader(model)
    warm_up(reader)
    app = create_app(reader, limits=limits, token=token, allow_origin=allow_origin)

    def start(url: str) -> None:
        say(f"Open {url} (Ctrl-C ends it).")
        if open_page:
            click.launch(url)

    server.serve(app, server.listen(host, port), on_start=start)


@contextlib.contextmanager
def _learning() -> Iterator[None]:
    """Say which extra is missing where a learning library is not installed."""
    try:
        yield
    except (ModuleNotFoundError, ValueError) as error:
        backend = os.environ.get("KERAS_BACKEND")
        if backend and (isinstance(error, ValueError) or error.name == backend):
            raise ArgumentError(
                f"Keras can't use the backend that KERAS_BACKEND names. Received: {backend!r}. Accepted: "
                "tensorflow, which the extra train installs, and jax and torch where they are installed."
            ) from error
        if isinstance(error, ValueError):
            raise
        raise MissingExtraError(
            f"This command needs {error.name}, which is not installed. "
            "Install what learning needs: pip install 'inkdigits[train]'"
        ) from error


@contextlib.contextmanager
def _muted_native_output() -> Iterator[None]:
    """Drop what TensorFlow's C++ part prints about itself while it starts, whatever its log level."""
    if sys.stderr is None:  # closed by whoever started the program
        yield
        return
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

    quiet = is_quiet()
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
