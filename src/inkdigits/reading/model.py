"""A model folder, ``model.onnx`` beside ``card.json``: opened, checked, run.

This is where the two halves of inkdigits meet: training ends by writing such a folder and reading begins by
opening it. The card says what the network expects, what it gives, how sure it must be, and where it comes
from.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import onnxruntime

from inkdigits.errors import ArgumentError, ExportError, ModelError, is_whole
from inkdigits.files import replacing

SCHEMA = 1
MODEL_FILE = "model.onnx"
CARD_FILE = "card.json"
CHECKPOINT_FILE = "checkpoint.npz"  # in a run folder until its training ends
# What kinds of network there are: what goes in, what comes out, what the outputs mean. Letters are sizes that
# vary.
SIGNS = ".,-/:"
PARTS: dict[str, dict[str, Any]] = {
    "classifier": {
        "input": {"name": "images", "dtype": "uint8", "shape": ["N", 28, 28]},
        "output": {"name": "probabilities", "dtype": "float32", "shape": ["N", 10]},
        "labels": list(range(10)),
    },
    # Of each spot of 4 x 4 pixels: how likely the center of a digit and of a sign is there, how far it is
    # from the spot's middle (x, y, in spots), and the logarithm of how large it is (in pixels).
    "finder": {
        "input": {"name": "pages", "dtype": "uint8", "shape": ["N", "H", "W"]},
        "output": {"name": "maps", "dtype": "float32", "shape": ["N", "h", "w", 6]},
        "labels": ["digit", "sign", "x", "y", "width", "height"],
    },
    # Of each slice of a line, from left to right: nothing new (a space), or which character.
    "lines": {
        "input": {"name": "lines", "dtype": "uint8", "shape": ["N", 32, "W"]},
        "output": {"name": "probabilities", "dtype": "float32", "shape": ["N", "T", 16]},
        "labels": list(" 0123456789" + SIGNS),
    },
}
MAX_CARD_BYTES = 1_000_000
MAX_MODEL_BYTES = 100_000_000
# A batch larger than this brings no speed and costs memory.
BATCH_SIZE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a model folder says of its network.

    Attributes:
        schema: version of this form; only this one is read.
        part: which kind of network it is, one of `PARTS`.
        name: what the network is called, usually its recipe.
        recipe: every value of the recipe it was trained by.
        parameters: how many numbers were learned.
        seed: of the random numbers.
        date: when training ended, ISO 8601.
        labels: what each output means.
        input: name, dtype and shape of what goes in.
        output: name, dtype and shape of what comes out.
        doubt_threshold: an answer with a confidence below it is doubtful, 0 to 1.
        calibration: method, its parameters, and the images it was fitted on.
        data: SHA-256 of each file of the data set.
        versions: of Python and the libraries that trained and exported it.
        evaluation: measured figures, with the split they were measured on.
        model_sha256: of ``model.onnx``.
    """

    schema: int = SCHEMA
    part: str
    name: str
    recipe: Mapping[str, Any]
    parameters: int
    seed: int
    date: str
    labels: tuple[int | str, ...]
    input: Mapping[str, Any]
    output: Mapping[str, Any]
    doubt_threshold: float
    calibration: Mapping[str, Any]
    data: Mapping[str, str]
    versions: Mapping[str, str]
    evaluation: Mapping[str, Any]
    model_sha256: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, ``schema`` first."""
        return asdict(self) | {"labels": list(self.labels)}

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Make a card from what ``to_dict`` returned, checking every entry.

        Raises:
            ModelError: an entry is missing, unknown or of another type, or the schema is another one.
        """
        if not isinstance(values, dict) or "schema" not in values:
            raise ModelError("This is no inkdigits card: it has no entry 'schema'.")
        if values["schema"] != SCHEMA:
            raise ModelError(
                f"The card has schema {values['schema']!r}; this version of inkdigits reads schema {SCHEMA}. "
                "Export the model again with this version, or install the version that wrote it."
            )
        names = {field.name for field in fields(cls)}
        if missing := sorted(names - values.keys()):
            raise ModelError(f"The card lacks {', '.join(missing)}.")
        if unknown := sorted(values.keys() - names):
            raise ModelError(f"The card has entries this version doesn't know: {', '.join(unknown)}.")
        for entry, kind in _CARD_TYPES.items():
            if not isinstance(values[entry], kind) or isinstance(values[entry], bool):
                raise ModelError(
                    f"The card's entry {entry!r} has the wrong type. Received: {values[entry]!r}"
                )
        card = cls(**values | {"labels": tuple(values["labels"])})
        if card.part not in PARTS:
            raise ModelError(
                f"The card describes an unknown kind of network. Received: {card.part!r}. "
                f"Accepted: {', '.join(PARTS)}"
            )
        received = {"input": dict(card.input), "output": dict(card.output), "labels": list(card.labels)}
        if received != PARTS[card.part]:
            raise ModelError(
                f"The card describes another {card.part} than this version of inkdigits reads. "
                f"Received: {received}. Accepted: {PARTS[card.part]}"
            )
        if not 0 <= card.doubt_threshold <= 1:
            raise ModelError(
                f"The card's doubt_threshold must be from 0 to 1. Received: {card.doubt_threshold}"
            )
        return card


_CARD_TYPES: dict[str, type | tuple[type, ...]] = {
    "part": str,
    "name": str,
    "recipe": dict,
    "parameters": int,
    "seed": int,
    "date": str,
    "labels": list,
    "input": dict,
    "output": dict,
    "doubt_threshold": (int, float),
    "calibration": dict,
    "data": dict,
    "versions": dict,
    "evaluation": dict,
    "model_sha256": str,
}


def available_cores() -> int:
    """Return how many processor cores this process may use: all, unless it is bound to some."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Network:
    """An exported network, ready to run. Safe to use from several threads at once.

    Args:
        onnx: the bytes of a ``model.onnx``.
        part: which kind of network it must be, one of `PARTS`.
        threads: processor cores one call may use, at least 1.

    Raises:
        ModelError: these bytes are not a network of this kind.
    """

    def __init__(self, onnx: bytes, part: str = "classifier", *, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Threads that wait for the next call in a loop would take a core from what is done in between.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        options.log_severity_level = 4  # what fails is raised; nothing needs to be printed as well
        try:
            session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's own exceptions share no base class
            reason = str(error).splitlines()[0]
            raise ModelError(f"{MODEL_FILE} can't be opened by ONNX Runtime: {reason}") from error
        expected = [PARTS[part][side] for side in ("input", "output")]
        signature = [
            {"name": value.name, "dtype": _DTYPES.get(value.type, value.type), "shape": value.shape}
            for value in (*session.get_inputs(), *session.get_outputs())
        ]
        if signature != expected:
            raise ModelError(
                f"{MODEL_FILE} is another kind of network. Received: {signature}. Accepted: {expected}"
            )
        self._session = session
        self._input, self._output = (side["name"] for side in expected)

    def run(self, values: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return what comes out for what goes in; the card says which shapes these have."""
        output: npt.NDArray[np.float32] = self._session.run([self._output], {self._input: values})[0]
        return output

    def probabilities(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return a classifier's probabilities (N, 10) of images (N, 28, 28) uint8, ink light on black."""
        starts = range(0, len(images), BATCH_SIZE)
        parts = [self.run(images[start : start + BATCH_SIZE]) for start in starts]
        return np.concatenate(parts) if parts else np.empty((0, 10), np.float32)

    def run_timed(self, images: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], float]:
        """Return the probabilities (N, 10) of images (N, 28, 28) and the microseconds an image they took."""
        self.probabilities(images[:1])  # the first call also allocates
        start = time.perf_counter()
        probabilities = self.probabilities(images)
        return probabilities, (time.perf_counter() - start) / max(1, len(images)) * 1e6


_DTYPES = {"tensor(uint8)": "uint8", "tensor(float)": "float32"}


@dataclass(frozen=True, slots=True)
class Model:
    """A checked model folder: its card and its network."""

    card: Card
    network: Network


def open_model(folder: Path, part: str | None = None, *, threads: int = 1) -> Model:
    """Open a model folder and check all of it: both files, the card's entries, the sum, what goes in and out.

    Args:
        folder: holds ``model.onnx`` and ``card.json``; a run folder does too.
        part: which kind of network it must be, one of `PARTS`; None for any.
        threads: processor cores one call may use, 1 to 64.

    Returns:
        The card and the network.

    Raises:
        ArgumentError: ``threads`` is out of range.
        ModelError: the folder or a file is missing, damaged, foreign, changed since the export, or of
            another schema.
    """
    if not is_whole(threads) or not 1 <= threads <= 64:
        raise ArgumentError(f"threads must be from 1 to 64. Received: {threads!r}")
    try:
        problem = "" if folder.is_dir() else "is not a folder" if folder.exists() else "does not exist"
    except OSError as error:
        raise ModelError(
            f"The model folder {folder} can't be looked into: {error.strerror or error}."
        ) from error
    if problem:
        raise ModelError(
            f"The model folder {folder} {problem}. A model folder holds {MODEL_FILE} and {CARD_FILE}; "
            "`inkdigits train` makes one."
        )
    card_bytes = _read(folder / CARD_FILE, MAX_CARD_BYTES)
    onnx = _read(folder / MODEL_FILE, MAX_MODEL_BYTES)
    try:
        card = Card.from_dict(json.loads(card_bytes))
        sha256 = hashlib.sha256(onnx).hexdigest()
        if sha256 != card.model_sha256:
            raise ModelError(
                f"{MODEL_FILE} is not the file its card describes (damaged, or exchanged). "
                f"Received: SHA-256 {sha256}. Accepted: {card.model_sha256}. "
                "Export the model again, or copy the folder again from where it came."
            )
        if part and card.part != part:
            raise ModelError(f"It holds another kind of network. Received: {card.part}. Accepted: {part}")
        return Model(card, Network(onnx, card.part, threads=threads))
    except ModelError as error:
        raise ModelError(f"Can't use the model folder {folder}. {error}") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"Can't use the model folder {folder}. {CARD_FILE} is not JSON: {error}") from error


class Part:
    """A network of a reader, opened from its model folder.

    Make it once, use it often; safe to call from several threads at once.

    Args:
        folder: a model folder of this part.
        threads: processor cores one call may use, 1 to 64.

    Raises:
        ArgumentError: ``threads`` is out of range.
        ModelError: the folder can't be used; the message says why.
    """

    part: ClassVar[str]

    def __init__(self, folder: str | PathLike[str], *, threads: int = 1) -> None:
        self._model = open_model(Path(folder), self.part, threads=threads)

    @property
    def card(self) -> Card:
        """What the model folder says of its network: provenance, figures, threshold."""
        return self._model.card


def write_model_folder(folder: Path, model: bytes, card: Card) -> None:
    """Write ``model.onnx`` and, last, ``card.json``, each whole or not at all.

    Raises:
        OSError: the folder or the disk doesn't take them.
    """
    with replacing(folder / MODEL_FILE) as path:
        path.write_bytes(model)
    with replacing(folder / CARD_FILE) as path:
        path.write_text(json.dumps(card.to_dict(), indent=2) + "\n")


def export_model(run: str | PathLike[str], out: str | PathLike[str]) -> Path:
    """Write just the model folder of a finished run, after checking it.

    What is trained is exported and compared already; this copies the two files that reading needs.

    Args:
        run: the run folder.
        out: a folder that does not exist or is empty.

    Returns:
        The path of the model folder.

    Raises:
        ModelError: the run folder holds no complete, undamaged model.
        ExportError: the folder holds something already, or can't be written.

    Example:
        >>> export_model("runs/classic", out="my-model")  # doctest: +SKIP
        PosixPath('my-model')
    """
    run, out = Path(run), Path(out)
    card = open_model(run).card
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise ExportError(f"{out} exists and is not an empty folder. Choose another place with --out.")
        out.mkdir(parents=True, exist_ok=True)
        write_model_folder(out, (run / MODEL_FILE).read_bytes(), card)
    except OSError as error:
        raise ExportError(
            f"The model folder {out} can't be written: {error.strerror or error}. "
            f"{run} is untouched; make room or choose another place with --out."
        ) from error
    return out


def _read(path: Path, limit: int) -> bytes:
    if not path.exists():
        hint = (
            " Its training has not ended: repeat its command with --resume."
            if _is_unfinished(path.parent)
            else ""
        )
        if any((path.parent / part / CARD_FILE).exists() for part in PARTS):
            hint = f" It is a reader folder; give one of the model folders in it: {', '.join(PARTS)}."
        raise ModelError(
            f"The model folder {path.parent} has no {path.name}; "
            f"both {MODEL_FILE} and {CARD_FILE} are needed.{hint}"
        )
    try:
        if not path.is_file():  # a pipe, say, would be waited for
            raise ModelError(f"{path} is no file.")
        if path.stat().st_size > limit:
            raise ModelError(f"{path} is larger than {limit:,} bytes, so it is none of inkdigits' files.")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} can't be read: {error.strerror or error}") from error


def _is_unfinished(folder: Path) -> bool:
    return (folder / CHECKPOINT_FILE).exists()
