"""The tutorial can be followed to its end."""

import csv
import re
import shlex
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "tutorial.md").read_text()
STEPS = re.findall(r"```(console|python)\n(.*?)```", PAGE, re.DOTALL)


def without_doubt(text: str) -> list[str]:
    """Return the words of an output without marks of doubt, which may differ between processors."""
    return re.sub(r"[\[\]?]|\d+ of them doubtful", "", text).split()


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """Where all that the tutorial says was done, in its order."""
    folder = tmp_path_factory.mktemp("tutorial")
    (folder / "examples").symlink_to(ROOT / "examples")
    names = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for kind, step in STEPS:
            if kind == "python":
                exec(step, names)
                continue
            prompt, _, shown = step.partition("\n")
            command = prompt.removeprefix("$ inkdigits")
            done = subprocess.run(
                f"{shlex.quote(sys.executable)} -m inkdigits{command}",
                shell=True,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{command}\n{done.stderr}"
            assert without_doubt(done.stdout + done.stderr) == without_doubt(shown), command
    return folder, names


def test_every_step_works(followed):
    """Its files are there, and it ends with a reading of the mark sheet."""
    folder, names = followed
    files = {path.name for path in folder.iterdir()}
    assert {"marks.csv", "meters.csv", "log.csv", "log.jsonl", "drawn"} <= files
    assert names["reading"].numbers


def test_files_are_tables(followed):
    """Every row has as many cells as the others, so that a spreadsheet opens it as it is."""
    folder, _ = followed
    for name in ("marks.csv", "meters.csv", "log.csv"):
        with (folder / name).open(newline="") as file:
            rows = list(csv.reader(file))
        assert len(rows) > 2
        assert len({len(row) for row in rows}) == 1


def test_spreadsheet_has_numbers_as_they_were_read(followed):
    """As texts, with the zeros they begin with."""
    folder, names = followed
    header, *rows = openpyxl.load_workbook(folder / "log.xlsx").active.values
    assert list(header) == list(names["numbers"].columns)
    assert [row[header.index("text")] for row in rows] == names["numbers"].text.tolist()


def test_libraries_see_the_same_numbers(followed):
    """A row a number in pandas, pages in JSON."""
    _, names = followed
    assert len(names["pages"]) == 2
    assert len(names["numbers"]) == sum(len(numbers) for numbers in names["pages"].numbers)
