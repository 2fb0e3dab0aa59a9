"""Training: fit on the training part, choose on the validation part, resume after an interruption.

What is taught is a `Task`: what goes in, what should come out, how good it is. How it is taught is the same
for all, and stands here.

A run folder grows in this order: ``checkpoint.npz`` after every epoch; then, when the last epoch is done,
``model.keras``, ``history.csv``, ``evaluation.json``, ``figures/``, ``model.onnx`` and, last of all,
``card.json``. A folder with a card is a finished run.

The same seed on the same machine gives the same weights, interrupted or not: the order of the images depends
on seed and epoch alone, and a checkpoint holds everything else that an epoch starts from.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import json
import math
import os
import shutil
import time
import zipfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import MISSING, dataclass, fields
from os import PathLike
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypedDict, TypeVar, Unpack, overload

import keras
import numpy as np
import numpy.typing as npt

from inkdigits.errors import ArgumentError, RunError
from inkdigits.files import keep_others_out, replacing
from inkdigits.interrupts import hand_over
from inkdigits.learning import mnist
from inkdigits.learning.classifying import Classifying
from inkdigits.learning.evaluation import Evaluation, PartEvaluation
from inkdigits.learning.export import Export
from inkdigits.learning.finding import Finding
from inkdigits.learning.linereading import LineReading
from inkdigits.learning.networks import build_network, supported
from inkdigits.learning.recipe import Recipe, check_seed, find_recipe
from inkdigits.reading.model import CARD_FILE, CHECKPOINT_FILE, MODEL_FILE, open_model, write_model_folder

KERAS_FILE = "model.keras"
# All that a run folder holds; --overwrite removes these and nothing else.
RUN_FILES = (
    CHECKPOINT_FILE,
    KERAS_FILE,
    "history.csv",
    "evaluation.json",
    "figures",
    MODEL_FILE,
    CARD_FILE,
)
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a training stands, sent after every step.

    Attributes:
        epoch: the current one, from 1.
        epochs: how many there will be.
        step: batches of this epoch done.
        steps: batches an epoch.
        loss: mean over this epoch's training samples so far; of a classifier, the cross-entropy.
        accuracy: share of this epoch's training samples right so far, 0 to 1; NaN where that has no meaning.
        validation: after the last step of an epoch, the row of ``history.csv``; None before.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    accuracy: float
    validation: dict[str, float] | None = None


Worth_co = TypeVar("Worth_co", bound=Evaluation | PartEvaluation, covariant=True)


@dataclass(frozen=True, slots=True)
class Run(Generic[Worth_co]):
    """A finished training.

    Attributes:
        path: the run folder, which is a model folder too.
        history: one row an epoch: epoch, learning_rate, loss, accuracy, validation_loss,
            validation_accuracy, seconds.
        evaluation: of the exported network on the 5,000 validation images; of a part of the page reader, on
            synthetic pages or lines of these.
    """

    path: Path
    history: tuple[dict[str, float], ...]
    evaluation: Worth_co


class Options(TypedDict, total=False):
    """What every training takes; `train` says what each is."""

    seed: int
    epochs: int | None
    batch_size: int | None
    start: str | PathLike[str] | None
    teacher: str | PathLike[str] | None
    data: str | PathLike[str] | None
    out: str | PathLike[str] | None
    resume: bool
    overwrite: bool
    on_start: Callable[[keras.Model], None] | None
    on_progress: Callable[[Progress], None] | None
    log: Callable[[str], None] | None


# A name tells type checkers which evaluation to expect.
@overload
def train(
    recipe: Literal["classic", "quick", "compact", "best"] = ..., **options: Unpack[Options]
) -> Run[Evaluation]: ...
@overload
def train(recipe: Literal["finder", "lines"], **options: Unpack[Options]) -> Run[PartEvaluation]: ...
@overload
def train(recipe: str | Recipe, **options: Unpack[Options]) -> Run[Evaluation | PartEvaluation]: ...
def train(
    recipe: str | Recipe = "classic",
    *,
    seed: int = 0,
    epochs: int | None = None,
    batch_size: int | None = None,
    start: str | PathLike[str] | None = None,
    teacher: str | PathLike[str] | None = None,
    data: str | PathLike[str] | None = None,
    out: str | PathLike[str] | None = None,
    resume: bool = False,
    overwrite: bool = False,
    on_start: Callable[[keras.Model], None] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    log: Callable[[str], None] | None = None,
) -> Run[Evaluation | PartEvaluation]:
    """Train a network, evaluate it on images it never saw, and export it.

    Args:
        recipe: the name of a recipe, or one of your own.
        seed: of every random number, 0 to 4,294,967,295; Python's and NumPy's own generators are set, too.
        epochs: instead of the recipe's.
        batch_size: instead of the recipe's.
        start: the folder of a finished run of the same network, whose weights to begin with; None for random
            ones.
        teacher: the folder of a finished classifier whose answers count as much as the labels, which they
            refine; None for labels alone.
        data: a folder or file with MNIST; None looks for it (`inkdigits.learning.mnist.load`).
        out: the run folder; None for ``runs/`` and the recipe's name.
        resume: go on from the last finished epoch of a run in that folder.
        overwrite: replace a run in that folder.
        on_start: receives the network before its first step.
        on_progress: receives a `Progress` after every step.
        log: receives sentences about what is being done.

    Returns:
        The finished run. If ``resume`` finds it finished already, it is read from its folder.

    Raises:
        ArgumentError: a parameter is not accepted, or the weights to start with are of another network.
        ModelError: the run to start with holds no complete, undamaged model.
        DataError: MNIST can't be found or verified.
        RunError: the folder exists, can't be written, or holds another run than the one to resume.
        ExportError: the exported network gives other numbers than the trained one.

    Example:
        >>> run = train("classic", seed=0)  # doctest: +SKIP
        >>> run.evaluation.accuracy  # doctest: +SKIP
        0.9894
    """
    recipe = recipe if isinstance(recipe, Recipe) else find_recipe(recipe)
    taught_by = None if teacher is None else open_model(Path(teacher), "classifier")
    recipe = dataclasses.replace(
        recipe,
        epochs=recipe.epochs if epochs is None else epochs,
        batch_size=recipe.batch_size if batch_size is None else batch_size,
        start="" if start is None else open_model(Path(start)).card.model_sha256,
        teacher="" if taught_by is None else taught_by.card.model_sha256,
    )
    seed = check_seed(seed)
    settings = {"recipe": recipe.to_dict(), "seed": seed}
    folder = Path(out) if out is not None else Path("runs") / recipe.name
    for option, other in {"start": start, "teacher": teacher}.items():
        if other is not None and folder.resolve() == Path(other).resolve():
            raise ArgumentError(
                f"A run can't take the place of the one it learns from. "
                f"Received: {folder} for --{option} and --out."
            )
    log = log or (lambda _: None)
    _check_folder(folder, resume=resume, overwrite=overwrite)
    if resume and (folder / CARD_FILE).exists():
        card = open_model(folder).card
        _check_settings(folder, {"recipe": card.recipe, "seed": card.seed}, settings)
        log(f"{folder} is finished already.")
        return open_run(folder)

    keras.utils.set_random_seed(seed)
    network = build_network(recipe.network, supported(recipe.precision))
    if start is not None:
        _begin_with(network, Path(start))
    dataset = mnist.load(data, log=log)
    task = (
        Classifying(recipe, seed, dataset, taught_by.network if taught_by else None)
        if recipe.part == "classifier"
        else PAGE_TASKS[recipe.part](recipe, seed, dataset)
    )
    # Nothing is removed before everything is accepted.
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with _alone_in(folder):
        with _writing(folder):
            _clear(folder, everything=overwrite)
        network, history = _fit(
            recipe,
            settings,
            task,
            network,
            checkpoint=folder / CHECKPOINT_FILE,
            on_start=on_start,
            on_progress=on_progress,
        )
        return _finish(folder, network, history, task, log)


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other trainings out of a folder, which would write over what this one writes."""
    with contextlib.ExitStack() as opened:
        try:
            handle = os.open(folder, os.O_RDONLY)
            opened.callback(os.close, handle)
            keep_others_out(handle)
        except BlockingIOError as error:
            raise RunError(
                f"Another training writes into {folder}. Wait for its end, or choose another place (--out)."
            ) from error
        except OSError:  # Windows opens no folder
            pass
        yield


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Say of a folder that can't be written what is kept and what to do."""
    try:
        yield
    except OSError as error:
        kept = (folder / CHECKPOINT_FILE).exists()
        raise RunError(
            f"The run folder {folder} can't be written: {error.strerror or error}. "
            + ("Every finished epoch is kept: make room and go on with --resume." if kept else "")
            + ("" if kept else "Make room, or choose another place with --out.")
        ) from error


def open_run(folder: str | PathLike[str]) -> Run[Evaluation | PartEvaluation]:
    """Read a finished run from its folder.

    Raises:
        ModelError: the folder holds no complete, undamaged model.
        RunError: its history or evaluation is missing or damaged.
    """
    folder = Path(folder)
    part = open_model(folder).card.part
    kind = Evaluation if part == "classifier" else PartEvaluation
    try:
        with (folder / "history.csv").open(newline="") as file:
            history = tuple(
                {key: int(value) if key == "epoch" else float(value) for key, value in row.items()}
                for row in csv.DictReader(file)
            )
        if not history:
            raise ValueError("history.csv has no rows")
        evaluation = kind.from_dict(json.loads((folder / "evaluation.json").read_text()))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RunError(
            f"The run folder {folder} is damaged: {error}. Train it again with --overwrite."
        ) from error
    return Run(folder, history, evaluation)


def _check_folder(folder: Path, *, resume: bool, overwrite: bool) -> None:
    """Refuse a folder whose contents the training could harm."""
    if resume and overwrite:
        raise ArgumentError("A run is either resumed or overwritten: give one of --resume and --overwrite.")
    try:
        if folder.exists() and not folder.is_dir():
            raise RunError(
                f"{folder} is a file; a run needs a folder of its own. Choose another place with --out."
            )
        names = [path.name for path in folder.iterdir()] if folder.exists() else []
    except OSError as error:
        raise RunError(f"{folder} can't be looked into: {error.strerror or error}.") from error
    if foreign := sorted(name for name in names if name not in RUN_FILES and not _is_temporary(name)):
        raise RunError(
            f"{folder} holds what is no part of a run ({foreign[0]}), so it is left alone. "
            "Choose another place with --out."
        )
    if resume and not names:
        raise RunError(f"There is no run to resume in {folder}. Leave out --resume to start one.")
    if resume and not {CARD_FILE, CHECKPOINT_FILE}.intersection(names) and not all(map(_is_temporary, names)):
        raise RunError(
            f"{folder} holds parts of a run, but neither {CARD_FILE} nor {CHECKPOINT_FILE} to go on from. "
            "Put back what is missing, or start again with --overwrite."
        )
    if names and not (resume or overwrite):
        raise RunError(
            f"{folder} holds a run already. Go on with it (--resume), replace it (--overwrite) "
            "or choose another place (--out)."
        )


def _is_temporary(name: str) -> bool:
    """Say whether a file is what a killed run left of one of its own."""
    return any(name.startswith(f".{Path(file).stem}-") for file in RUN_FILES)


def _clear(folder: Path, *, everything: bool) -> None:
    """Remove what a killed run left half-written, or the whole run."""
    # Last comes what says in which state a run is, in case this is killed.
    for path in sorted(folder.iterdir(), key=lambda path: path.name in {CARD_FILE, CHECKPOINT_FILE}):
        if not (everything or _is_temporary(path.name)):
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _check_settings(folder: Path, started: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to go on with a run that was started with other settings."""
    # A recipe written before it had some field had what is now that field's default.
    usual = {field.name: field.default for field in fields(Recipe) if field.default is not MISSING}
    recipe = usual | started["recipe"]
    differences = [
        f"{name} was {recipe.get(name)!r} and is now {value!r}"
        for name, value in now["recipe"].items()
        if recipe.get(name) != value
    ]
    if started["seed"] != now["seed"]:
        differences.append(f"seed was {started['seed']} and is now {now['seed']}")
    if differences:
        raise RunError(
            f"{folder} is a run with other settings: {', '.join(differences)}. "
            "Resume it with the same settings, or choose another place with --out."
        )


class Task(Protocol):
    """What a network is taught.

    Attributes:
        loss: Keras's loss, by name or as a function of targets and outputs.
        metrics: Keras's metrics by name; "accuracy" or none.
        samples: how many of them an epoch has.
    """

    loss: Any
    metrics: Sequence[str]
    samples: int

    def prepare(self, epoch: int) -> tuple[Any, Any]:
        """Return inputs and targets of an epoch, which depend on seed and epoch alone.

        Arrays, or a sequence of batches of both and None.
        """

    def leave(self) -> None:
        """Let what is being prepared in another thread end soon: after Ctrl-C nobody waits for it."""

    def validate(self, network: keras.Model) -> dict[str, float]:
        """Return "loss", which decides, and "accuracy", which people understand, of what it never saw."""

    def export(self, network: keras.Model) -> Export:
        """Turn the trained network into what reading opens, and evaluate that."""

    def draw(
        self, folder: Path, exported: Export, history: Sequence[dict[str, float]], chosen_epoch: int, /
    ) -> None:
        """Draw figures into a folder."""


PAGE_TASKS: dict[str, Callable[[Recipe, int, mnist.Mnist], Task]] = {
    "finder": Finding,
    "lines": LineReading,
}


def _fit(
    recipe: Recipe,
    settings: dict[str, Any],
    task: Task,
    network: keras.Model,
    *,
    checkpoint: Path,
    on_start: Callable[[keras.Model], None] | None,
    on_progress: Callable[[Progress], None] | None,
) -> tuple[keras.Model, list[dict[str, float]]]:
    """Train, and return the network of the epoch chosen on validation, and the history."""
    steps = -(-task.samples // recipe.batch_size)
    network.compile(
        _optimizer(recipe, steps),
        task.loss,
        metrics=list(task.metrics),
        jit_compile=False,  # TensorFlow's compiler is slower on processors (docs/experiments.md)
    )
    network.optimizer.build(network.trainable_variables)
    if on_start:
        on_start(network)

    history, best_weights = _restore(checkpoint, network, settings)
    began = time.perf_counter()
    with contextlib.closing(_prepared(task, len(history) + 1, recipe.epochs)) as epochs:
        for epoch, (inputs, targets) in epochs:
            batches = inputs if targets is None else _in_batches(inputs, targets, recipe.batch_size)
            fitted: dict[str, float] = {}
            for step, fitted in enumerate(_steps(network, batches), start=1):
                if on_progress:
                    accuracy = fitted.get("accuracy", math.nan)
                    on_progress(Progress(epoch, recipe.epochs, step, steps, fitted["loss"], accuracy))
            validated = task.validate(network)
            history.append(
                {
                    "epoch": epoch,
                    "learning_rate": float(network.optimizer.learning_rate),
                    "loss": fitted["loss"],
                    "accuracy": fitted.get("accuracy", math.nan),
                    "validation_loss": validated["loss"],
                    "validation_accuracy": validated["accuracy"],
                    "seconds": time.perf_counter() - began,
                }
            )
            if not np.isfinite(validated["loss"]):
                raise RunError(
                    f"The training diverged in epoch {epoch}: its loss is no number any more. "
                    f"Use a lower learning rate than {recipe.learning_rate}."
                )
            if chosen_epoch(history) == epoch:
                best_weights = network.get_weights()
            _save(checkpoint, network, settings, history, best_weights)
            if on_progress:
                on_progress(
                    Progress(
                        epoch,
                        recipe.epochs,
                        steps,
                        steps,
                        history[-1]["loss"],
                        history[-1]["accuracy"],
                        history[-1],
                    )
                )
            began = time.perf_counter()
    if recipe.precision != "float32":
        network = build_network(recipe.network)  # in the precision it will be used in
    network.set_weights(best_weights)
    return network, history


def _begin_with(network: keras.Model, run: Path) -> None:
    """Give a network the weights of a finished run of the same network."""
    path = run / KERAS_FILE
    if not path.is_file():
        raise RunError(
            f"The weights to start with are not there: {run} has no {KERAS_FILE}. A run folder has it."
        )
    try:
        trained = keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras's own errors share no class
        raise RunError(
            f"The weights to start with can't be read: {path} is damaged ({error}). "
            "Copy it again from where it came, or train without --start."
        ) from error
    if trained.name != network.name:
        raise ArgumentError(
            f"The weights to start with are of another network than the recipe's. "
            f"Received: {trained.name!r}, from {run}. Accepted: {network.name!r}"
        )
    weights: list[Floats] = trained.get_weights()
    if [each.shape for each in weights] != [each.shape for each in network.get_weights()]:
        raise ArgumentError(
            "The weights to start with are of a network with other layers than the recipe's, as an older "
            "version of inkdigits had. Train the recipe without --start."
        )
    network.set_weights(weights)


def _prepared(task: Task, first: int, last: int) -> Generator[tuple[int, tuple[Any, Any]]]:
    """Yield each epoch's number and what `Task.prepare` gives; the next is prepared while this one trains."""
    if first > last:  # killed while it was finishing
        return
    with ThreadPoolExecutor(1) as background:
        try:
            upcoming = hand_over(background, task.prepare, first)
            for epoch in range(first, last + 1):
                prepared = upcoming.get().result()
                if epoch < last:
                    upcoming = hand_over(background, task.prepare, epoch + 1)
                yield epoch, prepared
        finally:
            task.leave()


def chosen_epoch(history: list[dict[str, float]]) -> int:
    """Return the epoch (from 1) with the lowest validation loss, which is less noisy than the accuracy."""
    return 1 + int(np.argmin([row["validation_loss"] for row in history]))


def _optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """AdamW (Loshchilov & Hutter, arXiv 1711.05101) with a linear warm-up and a cosine down to 0."""
    warmup_steps = round(recipe.warmup * steps * recipe.epochs)
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=max(1, steps * recipe.epochs - warmup_steps),
        warmup_target=recipe.learning_rate,
        warmup_steps=warmup_steps,
    )
    return keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay)


def _in_batches(inputs: Any, targets: Any, size: int) -> Iterator[tuple[Any, Any]]:
    """Yield arrays in parts of this size; targets may be kept in half precision."""
    for start in range(0, len(inputs), size):
        part = slice(start, start + size)
        yield inputs[part], targets[part].astype(np.float32)


def _steps(network: keras.Model, batches: Iterable[tuple[Any, Any]]) -> Iterator[dict[str, float]]:
    """Train on one batch after the other; yield the mean of loss and metrics over those seen so far.

    Not with `fit`: of a few hundred of its epochs one never ended. The threads of TensorFlow that hand it its
    batches waited for each other (docs/experiments.md); batch by batch there are none.
    """
    seen, sums = 0, dict[str, float]()
    for inputs, targets in batches:
        network.reset_metrics()
        values = network.train_on_batch(inputs, targets, return_dict=True)
        seen += len(inputs)
        for name, value in values.items():
            sums[name] = sums.get(name, 0.0) + len(inputs) * float(value)
        yield {name: total / seen for name, total in sums.items()}


def _save(
    checkpoint: Path,
    network: keras.Model,
    settings: dict[str, Any],
    history: list[dict[str, float]],
    best_weights: list[Floats],
) -> None:
    """Write all that the next epoch starts from into one file, which makes it whole or absent."""
    state = json.dumps({**settings, "history": history})
    arrays = {"state": np.array(state)}
    for group, values in {
        "network": network.variables,  # random seeds of the dropout layers included
        "optimizer": network.optimizer.variables,
        "best": best_weights,
    }.items():
        arrays |= {f"{group}/{i}": np.asarray(value) for i, value in enumerate(values)}
    with _writing(checkpoint.parent), replacing(checkpoint) as path, path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def _restore(
    checkpoint: Path, network: keras.Model, settings: dict[str, Any]
) -> tuple[list[dict[str, float]], list[Floats]]:
    """Put a checkpoint's values into the network; return its history and best weights. Start one if none."""
    if not checkpoint.exists():
        _save(checkpoint, network, settings, [], network.get_weights())
        return [], network.get_weights()
    try:
        with checkpoint.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            state = json.loads(str(arrays["state"]))
            _check_settings(checkpoint.parent, state, settings)
            for group, variables in {
                "network": network.variables,
                "optimizer": network.optimizer.variables,
            }.items():
                for i, variable in enumerate(variables):
                    variable.assign(arrays[f"{group}/{i}"])
            best = [arrays[f"best/{i}"] for i in range(len(network.weights))]
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise RunError(f"{checkpoint} is damaged ({error}). Start again with --overwrite.") from error
    return state["history"], best


def _finish(
    folder: Path,
    network: keras.Model,
    history: list[dict[str, float]],
    task: Task,
    log: Callable[[str], None],
) -> Run[Evaluation | PartEvaluation]:
    """Write what is left to write; the card comes last and says that the run is finished."""
    figures = folder / "figures"
    with _writing(folder):
        with replacing(folder / KERAS_FILE) as path:
            network.save(path)
        with replacing(folder / "history.csv") as path, path.open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(history[0]))
            writer.writeheader()
            writer.writerows(history)
        if figures.exists():  # of a run that was killed while it drew
            shutil.rmtree(figures)
        figures.mkdir()
    log("Exporting and checking that the exported network gives the same numbers ...")
    exported = task.export(network)
    log("Drawing the figures ...")
    with _writing(folder):
        with replacing(folder / "evaluation.json") as path:
            path.write_text(json.dumps(exported.evaluation.to_dict(), indent=2) + "\n")
        task.draw(figures, exported, history, chosen_epoch(history))
        write_model_folder(folder, exported.onnx, exported.card)
        (folder / CHECKPOINT_FILE).unlink(missing_ok=True)
    return Run(folder, tuple(history), exported.evaluation)
