"""A file is whole or not there."""

import pytest

from inkdigits.files import replacing


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
