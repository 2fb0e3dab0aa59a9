"""The Dockerfile's steps, run as commands: its own files and extras, an empty environment."""

import os
import re
import shutil
import subprocess
import sys
import time

import httpx
import pytest

from .conftest import PAGE, ROOT

pytestmark = [pytest.mark.soak, pytest.mark.network]

if "INKDIGITS_SOAK" not in os.environ:
    pytest.skip("make soak installs what the container does", allow_module_level=True)

DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_container_reads(tmp_path):
    """What is copied and installed there is enough to serve, with no home to write to."""
    copied = re.findall(r"^COPY (.+) /source/\S*$", DOCKERFILE, re.MULTILINE)
    for name in " ".join(copied).split():
        (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / "source" / name)
    (extras,) = re.findall(r"'/source(\[.+\])'", DOCKERFILE)
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", f"{tmp_path / 'source'}{extras}"]
    subprocess.run(install, check=True)
    token = tmp_path / "token"
    token.write_text("a secret of some length")
    command = [
        python,
        "-m",
        "inkdigits",
        "serve",
        "--host",
        "0.0.0.0",
        "--port",
        "8767",
        "--token-file",
        token,
    ]
    process = subprocess.Popen(command, cwd="/", env={"PYTHONDONTWRITEBYTECODE": "1"})
    try:
        with httpx.Client(base_url="http://127.0.0.1:8767", timeout=60) as client:
            for _ in range(300):
                try:
                    client.get("/health/ready").raise_for_status()
                    break
                except httpx.HTTPError:
                    time.sleep(0.1)
            headers = {"Authorization": "Bearer a secret of some length"}
            assert client.post("/v1/read", content=PAGE.read_bytes()).status_code == 401
            pages = client.post("/v1/read", content=PAGE.read_bytes(), headers=headers).json()["pages"]
        assert len(pages[0]["numbers"]) == 3
    finally:
        process.terminate()
        process.wait(30)
