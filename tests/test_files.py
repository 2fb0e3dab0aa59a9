"""A file is whole or not there."""

import contextlib
from pathlib import Path

import pytest

from inkdigits.files import GrowingFile, replacing


def test_file_appears_under_its_name(tmp_path):
    """What was written to the temporary path stands under the final one."""
    with replacing(tmp_path / "a.txt") as path:
        path.write_text("whole")
    assert (tmp_path / "a.txt").read_text() == "whole"


def test_failure_keeps_the_old_file_alone(tmp_path):
    """An interruption leaves the old file and nothing else."""
    (tmp_path / "a.txt").write_text("old")

    def interrupted_write():
        with replacing(tmp_path / "a.txt") as path:
            path.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted_write()
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.txt", "old")]


def test_file_is_readable_by_others(tmp_path):
    """The file has the permissions of any new file, not those of a temporary one."""
    (tmp_path / "plain").touch()
    with replacing(tmp_path / "replaced"):
        pass
    assert (tmp_path / "replaced").stat().st_mode == (tmp_path / "plain").stat().st_mode


# ---- files that grow ------------------------------------------------------------------------------


def grown(path, *pages, settings=None, **options) -> list[tuple]:
    """Add pages to a file and return which it had before."""
    with GrowingFile(path, settings=settings, head="head\n", **options) as file:
        for page in pages:
            file.add(f"page {page}\n", "a", page, note=page)
    return file.done


def interrupted(path, *pages, **options) -> None:
    """Add pages to a file, and be interrupted then."""
    with (
        contextlib.suppress(KeyboardInterrupt),
        GrowingFile(path, settings=None, head="head\n", **options) as file,
    ):
        for page in pages:
            file.add(f"page {page}\n", "a", page, note=page)
        raise KeyboardInterrupt


def test_file_grows(tmp_path):
    """A page is in the file as soon as it was added; at the end there is nothing beside it."""
    path = tmp_path / "a.txt"
    with GrowingFile(path, settings=None) as file:
        file.add("page 1\n", "a", 1, note=None)
        assert path.read_text() == "page 1\n"
    assert list(tmp_path.iterdir()) == [path]


def test_interrupted_file_is_gone_on_with(tmp_path):
    """It knows its pages and what was noted of them, and begins no second time."""
    path = tmp_path / "a.txt"
    interrupted(path, 1, 2)
    assert path.read_text() == "head\npage 1\npage 2\n"
    assert grown(path, 3, resume=True) == [("a", 1, 1), ("a", 2, 2)]
    assert path.read_text() == "head\npage 1\npage 2\npage 3\n"


def test_page_may_be_there_twice(tmp_path):
    """It is known as often as it was added."""
    interrupted(tmp_path / "a.txt", 1, 1)
    assert grown(tmp_path / "a.txt", resume=True) == [("a", 1, 1), ("a", 1, 1)]


def test_half_a_page_is_cut_off(tmp_path):
    """Whether the file or its journal was being written when all ended."""
    path = tmp_path / "a.txt"
    interrupted(path, 1, 2)
    journal = tmp_path / "a.txt.progress"
    journal.write_bytes(journal.read_bytes()[:-5])
    assert grown(path, 2, resume=True) == [("a", 1, 1)]
    assert path.read_text() == "head\npage 1\npage 2\n"


def lacking(path, *pages, **options) -> list[tuple]:
    """Add pages to a file, come to the end without another, and return which it had before."""
    with GrowingFile(path, settings=None, head="head\n", **options) as file:
        for page in pages:
            file.add(f"page {page}\n", "a", page, note=page)
        file.lacks_pages = True
    return file.done


def test_file_that_lacks_pages_is_gone_on_with(tmp_path):
    """As often as it lacks some."""
    path = tmp_path / "a.txt"
    lacking(path)
    assert lacking(path, 2, resume=True) == []
    assert lacking(path, resume=True) == [("a", 2, 2)]
    assert grown(path, 1, resume=True) == [("a", 2, 2)]
    assert path.read_text() == "head\npage 2\npage 1\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("pages", [[], [1]])
def test_what_was_added_after_the_end_is_not_cut_off(tmp_path, pages):
    """It is nothing half-written."""
    path = tmp_path / "a.txt"
    lacking(path, *pages)
    with path.open("a") as file:
        file.write("by hand\n")
    with pytest.raises(FileExistsError, match="has been changed since its last page"):
        grown(path, 2, resume=True)
    assert path.read_text().endswith("by hand\n")


def test_file_interrupted_before_its_first_page_begins_anew(tmp_path):
    """Its head is there once."""
    interrupted(tmp_path / "a.txt")
    assert grown(tmp_path / "a.txt", 1, resume=True) == []
    assert (tmp_path / "a.txt").read_text() == "head\npage 1\n"


@pytest.mark.parametrize("is_there", [False, True])
def test_what_is_no_journal_is_not_replaced(tmp_path, is_there):
    """It only has the journal's name."""
    path, other = tmp_path / "a.txt", tmp_path / "a.txt.progress"
    if is_there:
        path.write_text("old")
    other.write_text("precious")
    with pytest.raises(FileExistsError, match=r"a\.txt\.progress is in the way"):
        grown(path, 1, overwrite=is_there)
    assert other.read_text() == "precious"
    assert path.exists() == is_there


def test_file_has_one_writer(tmp_path):
    """A second one is refused before it changes anything."""
    path = tmp_path / "a.txt"
    with GrowingFile(path, settings=None, head="head\n") as file:
        file.add("page 1\n", "a", 1, note=1)
        with pytest.raises(FileExistsError, match="being written by another process"):
            grown(path, 2, resume=True)
        file.add("page 2\n", "a", 2, note=2)
    assert path.read_text() == "head\npage 1\npage 2\n"


@pytest.mark.parametrize("lacks_pages", [False, True])
def test_file_is_finished_before_its_journal_goes(tmp_path, lacks_pages):
    """So that it can be gone on with if that is interrupted; and only if nothing is lacking."""
    path, seen = tmp_path / "a.txt", []

    def finish(path):
        seen.append((path.read_text(), path.with_name("a.txt.progress").exists()))

    with GrowingFile(path, settings=None, finish=finish) as file:
        file.add("page 1\n", "a", 1, note=1)
        file.lacks_pages = lacks_pages
    assert seen == ([] if lacks_pages else [("page 1\n", True)])


def test_file_that_is_there_is_not_touched_unasked(tmp_path):
    """Neither anew, nor where it is whole, nor with other settings."""
    path = tmp_path / "a.txt"
    path.write_text("old")
    for options in ({}, {"resume": True}):
        with pytest.raises(FileExistsError, match="--overwrite"):
            grown(path, 1, **options)
    assert path.read_text() == "old"
    assert grown(path, 1, overwrite=True) == []
    interrupted(path, 2, overwrite=True)
    with pytest.raises(FileExistsError, match="other options"):
        grown(path, 3, resume=True, settings="others")
    assert path.read_text() == "head\npage 2\n"


def test_pages_that_the_file_lost_are_not_there(tmp_path):
    """A file that is shorter than its journal says is gone on with where it ends."""
    path = tmp_path / "a.txt"
    interrupted(path, 1, 2)
    path.write_text("head\npage 1\npa")
    assert grown(path, 2, resume=True) == [("a", 1, 1)]
    assert path.read_text() == "head\npage 1\npage 2\n"


def test_file_that_was_changed_is_not_gone_on_with(tmp_path):
    """A program that saved it with other line ends, say, has moved where its pages end."""
    path = tmp_path / "a.txt"
    interrupted(path, 1)
    interrupted(path, 2, resume=True)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    changed = path.read_bytes()
    with pytest.raises(FileExistsError, match="has been changed since its last page"):
        grown(path, 3, resume=True)
    assert path.read_bytes() == changed


def test_file_that_can_not_be_written_leaves_no_journal(tmp_path, monkeypatch):
    """The file that is there stays whole, also for who would go on with it."""
    path = tmp_path / "a.txt"
    path.write_text("old")
    opened = Path.open

    def refuse(self, mode="r"):
        if self == path:
            raise PermissionError(13, "Permission denied")
        return opened(self, mode)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(PermissionError):
        grown(path, 1, overwrite=True)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("damaged", [b"", b"xx\n", b'{"a": 1}\n', b'{"settings": null}\n{"bytes": 3}\n'])
def test_damaged_journal_is_said(tmp_path, damaged):
    """Nothing is guessed of what the file holds."""
    interrupted(tmp_path / "a.txt", 1)
    (tmp_path / "a.txt.progress").write_bytes(damaged)
    with pytest.raises(FileExistsError, match="is damaged"):
        grown(tmp_path / "a.txt", 2, resume=True)
