"""Files that are whole or not there."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


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
