"""Published figures are the measured ones."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def report(monkeypatch):
    """The module that writes docs/results.md."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    spec = importlib.util.spec_from_file_location("report", ROOT / "benchmarks" / "report.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.modules.pop("measurement", None)


def test_results_page_is_made_from_the_measurements(report):
    """docs/results.md is what `python benchmarks/report.py` writes."""
    assert (ROOT / "docs" / "results.md").read_text() == report.results_page()


def test_readme_table_is_made_from_the_measurements(report):
    """So is the README's table."""
    readme = (ROOT / "README.md").read_text()
    assert readme == report.readme_with_table(readme)
