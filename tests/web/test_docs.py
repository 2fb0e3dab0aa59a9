"""What docs/service.md shows works."""

import re
import shlex
import subprocess
import sys

import pytest

from .conftest import PAGE, ROOT

DOCUMENT = (ROOT / "docs" / "service.md").read_text()
ADDRESS = "http://127.0.0.1:8000"


def test_curl_line_runs(url):
    """One line, a page read."""
    (line,) = re.findall(r"^\$ (curl .*)$", DOCUMENT, re.MULTILINE)
    command = shlex.split(line.replace(ADDRESS, url))
    done = subprocess.run([command[0], "--silent", *command[1:]], cwd=ROOT, capture_output=True, check=True)
    assert b'"pages":[{"source":"expenses.jpg"' in done.stdout


def test_python_lines_run(url, monkeypatch, capsys):
    """Ten lines, numbers printed."""
    (block,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    assert len(block.splitlines()) <= 10
    monkeypatch.chdir(ROOT)
    names: dict = {}
    exec(block.replace(ADDRESS, url), names)
    names["service"].close()
    assert len(capsys.readouterr().out.splitlines()) >= 5


def test_every_path_and_status_is_described(client):
    """The tables name what /openapi.json does."""
    for path, operations in client.get("/openapi.json").json()["paths"].items():
        assert f"`{path}`" in DOCUMENT or f" {path}`" in DOCUMENT, path
        for operation in operations.values():
            for status in operation["responses"]:
                assert status == "200" or re.search(rf"^\|.*\b{status}\b.*\|", DOCUMENT, re.MULTILINE), status


def test_every_step_is_named(client):
    """Those that /v1/explain shows."""
    (page,) = client.post("/v1/explain", content=PAGE.read_bytes()).json()["pages"]
    for step in page["steps"]:
        assert f"`{step['name']}`" in DOCUMENT or step["name"].startswith("heat-"), step["name"]


@pytest.mark.parametrize("line", re.findall(r"^\$ (inkdigits serve.*)$", DOCUMENT, re.MULTILINE))
def test_commands_are_understood(line):
    """Every option shown exists."""
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(line), "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "Usage" in done.stdout
