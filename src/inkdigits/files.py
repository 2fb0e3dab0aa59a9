"""Files that are whole or not there, and files that grow and can be gone on with."""

from __future__ import annotations

import bisect
import contextlib
import json
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Self

BLOCK = 2**20  # bytes read at a time
JOURNAL = b'{"settings": '  # what a journal begins with


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to; what is written there takes the final name only when all went well.

    The temporary file lies in the same folder, so that the last step is one atomic rename. Whatever
    happens before it (an error, a full disk, Ctrl-C) leaves the old file as it was and nothing half-written.
    A process that is killed can leave its temporary file, never a broken final one.

    Args:
        path: the final name. Its folder must exist.

    Yields:
        The temporary path, with the suffix of ``path``.

    Raises:
        OSError: the folder or the disk doesn't take the file.

    Example:
        >>> folder = Path(tempfile.mkdtemp())
        >>> with replacing(folder / "note.txt") as temporary:
        ...     _ = temporary.write_text("whole")
        >>> (folder / "note.txt").read_text()
        'whole'
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes files for their owner alone; give what any new file would get.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def keep_others_out(handle: int) -> None:
    """Lock an open file or folder until it is closed, or this process ends, however it ends.

    Raises:
        BlockingIOError: another process has locked it.
    """
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except (ModuleNotFoundError, OSError):  # Windows, or a file system, without such locks
        pass


class GrowingFile:
    """A text file that grows page by page, and after a crash knows which pages it holds.

    What is written stays, whatever ends the program. Beside the file a journal, ``NAME.progress``, says after
    each page how far the file has come; what was half-written after that is cut off when work goes on. When
    all is done, the journal goes; where pages are lacking, it stays and says how long the file was then.

    Args:
        path: of the file. Its folder must exist.
        settings: what the pages are made with, plain values for JSON. Work goes on with the same only.
        head: what the file begins with.
        resume: go on where work on the file ended, if it has begun.
        overwrite: replace the file.
        finish: what is done to the file when nothing is lacking, before the journal goes; None for nothing.

    Raises:
        FileExistsError: the file is there and neither to be gone on with nor to be replaced, or it is whole,
            or other settings made it, or it has been changed since, or another process writes it; or what has
            the journal's name is none.
        OSError: the folder or the disk doesn't take it.

    Attributes:
        done: source, number and what was noted of each page that the file had when work went on, in its
            order. A page may be there more than once.
        lacks_pages: to be set where a page is to be tried again when work goes on.

    Example:
        >>> path = Path(tempfile.mkdtemp()) / "numbers.txt"
        >>> with GrowingFile(path, settings={}) as file:
        ...     file.add("26.2", "a.jpg", 1, note={"numbers": 1})
        >>> path.read_text()
        '26.2'
    """

    def __init__(
        self,
        path: Path,
        *,
        settings: Any,
        head: str = "",
        resume: bool = False,
        overwrite: bool = False,
        finish: Callable[[Path], None] | None = None,
    ) -> None:
        self.done: list[tuple[str, int, Any]] = []
        self.lacks_pages = False
        self._sum = 0  # CRC-32 of what the file holds
        self._path, self._finish = path, finish
        self._journal_path = path.with_name(f"{path.name}.progress")
        is_there = path.exists()
        if is_there and not overwrite:
            if not resume:
                raise FileExistsError(f"{path} exists. Go on with --resume, or replace it with --overwrite.")
            kept, length = self._recall(path, settings)
        else:
            kept, length = _json_line({"settings": settings}), 0
            self._check_journal()
        with contextlib.ExitStack() as opened:
            # What can't be written is refused before anything has changed. A new file comes after its
            # journal, which is never half there: a file without one is taken for whole.
            self._file: BinaryIO
            if is_there:
                self._file = opened.enter_context(path.open("r+b"))
                _keep_others_out(self._file, path)
            with replacing(self._journal_path) as temporary:
                temporary.write_bytes(kept)
            self._journal = opened.enter_context(self._journal_path.open("ab"))
            if not is_there:
                self._file = opened.enter_context(path.open("wb"))
                _keep_others_out(self._file, path)
            self._close = opened.pop_all().close
        self._file.truncate(length)
        self._file.seek(length)
        if not length:
            self._write(head)

    def _check_journal(self) -> None:
        """Refuse to replace a file that has the journal's name and is none."""
        try:
            with self._journal_path.open("rb") as file:
                is_journal = file.read(len(JOURNAL)) == JOURNAL
        except FileNotFoundError:
            return
        if not is_journal:
            raise FileExistsError(
                f"{self._journal_path} is in the way, where it would be noted which pages are finished. "
                "Move it, or choose another name."
            )

    def _recall(self, path: Path, settings: Any) -> tuple[bytes, int]:
        """Take up what the journal says of finished pages; return it, and how long the file is by it."""
        if not self._journal_path.exists():
            raise FileExistsError(
                f"{path} is finished: there is no {self._journal_path.name} beside it to go on with. "
                "Choose another name, or replace it with --overwrite."
            )
        try:
            begun, *lines = self._journal_path.read_bytes().splitlines(keepends=True)
            begun_with = json.loads(begun)["settings"]
            # The last line may have been cut short by what ended the program.
            entries = [json.loads(line) for line in lines if line.endswith(b"\n")]
            ended_at = [int(entry["end"]) for entry in entries if "end" in entry]
            pages = [entry for entry in entries if "end" not in entry]
            done = [(page["source"], page["page"], page["note"]) for page in pages]
            ends = [int(page["bytes"]) for page in pages]
            sums = [int(page["crc32"]) for page in pages]
        except (ValueError, KeyError, TypeError) as error:
            raise FileExistsError(
                f"{self._journal_path}, which says what {path} holds, is damaged. "
                f"Replace {path} with --overwrite."
            ) from error
        if begun_with != settings:
            raise FileExistsError(
                f"{path} was begun with other options, or another model. Repeat them, or replace the "
                "file with --overwrite."
            )
        # Pages that the file has lost since, in a power cut say, are done again.
        size = path.stat().st_size
        kept = bisect.bisect(ends, size)
        length = ends[kept - 1] if kept else 0
        self._sum = _sum_of(path, length)
        if (kept and self._sum != sums[kept - 1]) or (ended_at and size > ended_at[0]):
            raise FileExistsError(
                f"{path} has been changed since its last page, so it can't be gone on with. Choose another "
                "name, or replace it with --overwrite."
            )
        self.done = done[:kept]
        return b"".join([begun, *lines[:kept]]), length

    def add(self, text: str, source: str, page: int, note: Any) -> None:
        """Write what a finished page has to say, then note that it is finished."""
        self._write(text)
        entry = {"source": source, "page": page, "note": note, "bytes": self._file.tell(), "crc32": self._sum}
        self._journal.write(_json_line(entry))
        self._journal.flush()

    def _write(self, text: str) -> None:
        content = text.encode()
        self._file.write(content)
        self._file.flush()
        self._sum = zlib.crc32(content, self._sum)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self.lacks_pages:
            self._journal.write(_json_line({"end": self._file.tell()}))
        self._close()
        if kind is None and not self.lacks_pages:
            if self._finish:
                self._finish(self._path)
            self._journal_path.unlink()


def _keep_others_out(file: BinaryIO, path: Path) -> None:
    try:
        keep_others_out(file.fileno())
    except BlockingIOError as error:
        raise FileExistsError(
            f"{path} is being written by another process. Wait for its end, or choose another name."
        ) from error


def _sum_of(path: Path, length: int) -> int:
    """Return the CRC-32 of a file's first bytes."""
    total = 0
    with path.open("rb") as file:
        while length and (block := file.read(min(length, BLOCK))):
            total = zlib.crc32(block, total)
            length -= len(block)
    return total


def _json_line(value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"
