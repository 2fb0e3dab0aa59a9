"""Published figures are the measured ones."""

import importlib
import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from inkdigits.result import Box, Digit, Number, Reading

ROOT = Path(__file__).parents[1]


@pytest.fixture
def benchmark(monkeypatch):
    """Imports a module of benchmarks/ by its name."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    yield importlib.import_module
    for path in (ROOT / "benchmarks").glob("*.py"):
        if path.stem not in before:
            sys.modules.pop(path.stem, None)


@pytest.fixture
def report(benchmark):
    """The module that writes docs/results.md."""
    return benchmark("report")


@pytest.fixture
def results(benchmark, tmp_path, monkeypatch):
    """An empty folder in place of benchmarks/results."""
    monkeypatch.setattr(benchmark("measurement"), "RESULTS", tmp_path)
    return tmp_path


def test_results_page_is_made_from_the_measurements(report):
    """docs/results.md is what `python benchmarks/report.py` writes."""
    assert (ROOT / "docs" / "results.md").read_text() == report.results_page()


def test_readme_table_is_made_from_the_measurements(report):
    """So is the README's table."""
    readme = (ROOT / "README.md").read_text()
    assert readme == report.readme_with_table(readme)


def test_pictures_of_the_results_page_are_there(report):
    """Every chart that is shown has been drawn."""
    pictures = re.findall(r"\((images/[^)]+)\)", report.results_page())
    assert pictures
    assert [name for name in pictures if not (ROOT / "docs" / name).exists()] == []


def test_what_is_not_measured_is_left_out(report, results):
    """With the documented network's figures alone the page has its section alone."""
    shutil.copy(ROOT / "benchmarks" / "results" / "classic.json", results)
    assert re.findall("^## .*", report.results_page(), re.MULTILINE) == ["## The documented network"]


def test_parts_measured_before_keep_their_machine(benchmark, results):
    """Measuring one part again changes neither the figures nor the date of another."""
    old = {"accuracy": 0.9, "machine": {"date": "2001-02-03"}}
    (results / "classic.json").write_text(json.dumps({"classic": old, "quick": old}))
    benchmark("measurement").merge_results("classic", {"quick": {"accuracy": 0.95}})
    written = json.loads((results / "classic.json").read_text())
    assert written["classic"] == old
    assert written["quick"]["accuracy"] == 0.95
    assert written["quick"]["machine"]["date"] > "2001-02-03"


def test_time_to_99_is_that_of_the_first_epoch_there(benchmark):
    """What comes after it doesn't count, and a training that never gets there counts whole."""
    time_to_99 = benchmark("classic").time_to_99
    reached = time_to_99([2.0, 3.0, 4.0], [0.98, 0.99, 0.995])
    assert (reached["seconds_to_99"], reached["reached_99"], reached["training_seconds"]) == (5, 1, 9)
    never = time_to_99([2.0, 3.0, 4.0], [0.98, 0.9899, 0.985])
    assert (never["seconds_to_99"], never["reached_99"]) == (9, 0)


def test_keras_example_has_its_published_size(benchmark):
    """The network that ours are compared with is the one of the keras.io page: 34,826 parameters."""
    assert benchmark("classic").build_keras_example().count_params() == 34_826


@pytest.mark.parametrize(
    ("read", "causes"),
    [
        ([("1.2", (0, 1)), ("3", (2,))], {"right": 2}),
        ([("12", (0, 1)), ("3", (2,))], {"right": 1, "a sign": 1}),
        ([("1.23", (0, 1, 2))], {"joined to another number": 2}),
        ([("1", (0,)), ("2", (1,)), ("3", (2,))], {"right": 1, "cut up": 1}),
        ([("1.7", (0, 1)), ("3", (2,))], {"right": 1, "a digit taken for another": 1}),
        ([("2", (1,)), ("3", (2,))], {"right": 1, "a digit not found": 1}),
        ([("1.2", (0, 1)), ("34", (2, 3))], {"right": 1, "something else read as its digit": 1}),
    ],
)
def test_mistakes_on_a_page_are_told_apart(benchmark, read, causes):
    """Two numbers, "1.2" and "3", and where their digits and a blot are."""
    synthetic = benchmark("synthetic")
    places = [Box(10, 10, 10, 20), Box(30, 10, 10, 20), Box(80, 10, 10, 20), Box(95, 10, 10, 20)]
    boxes = [places[0].to_list(), [22, 28, 2, 2], places[1].to_list(), places[2].to_list()]
    labels = [1, synthetic.NAMES.index("."), 2, 3]
    page = synthetic.Page(
        np.zeros((40, 120), np.uint8),
        np.array(boxes, np.float32),
        np.array(labels, np.uint8),
        np.array([0, 0, 0, 1]),
    )
    numbers = [
        Number(
            text,
            1,
            column,
            0.9,
            doubtful=False,
            box=places[where[0]],
            digits=tuple(
                Digit(int(digit), 0.9, doubtful=False, probabilities=(), box=places[place])
                for digit, place in zip(text.replace(".", ""), where, strict=True)
            ),
        )
        for column, (text, where) in enumerate(read, start=1)
    ]
    assert synthetic.causes(page, Reading(None, 1, 120, 40, tuple(numbers))) == causes
