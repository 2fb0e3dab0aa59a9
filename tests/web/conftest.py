"""What the tests of the web share: a reader, a real server, and the means to write on its page."""

import importlib
import io
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from inkdigits import Reader
from inkdigits.web.app import create_app
from inkdigits.web.limits import Limits

ROOT = Path(__file__).parents[2]
SEVEN = ROOT / "examples" / "pictures" / "7-pencil-in-a-corner.jpg"
PAGE = ROOT / "examples" / "pages" / "meter-card.jpg"
# Small, so that it takes little to exceed them.
LIMITS = Limits(upload=1_000_000, pixels=3_000_000, pages=3, workers=2, chunk_seconds=0.5, body_seconds=2)


@pytest.fixture(scope="session")
def screenshots():
    """The module that draws the documentation's pictures of the page; it writes and serves here, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "examples"))
        yield importlib.import_module("screenshots")


@pytest.fixture(scope="session")
def serving(screenshots):
    """Serves an application in a thread, in a with statement; gives its address."""
    return screenshots.serving


@pytest.fixture(scope="session")
def reader():
    """The shipped reader."""
    return Reader()


@pytest.fixture(scope="session")
def url(reader, serving):
    """The address of a server with small limits."""
    with serving(create_app(reader, limits=LIMITS)) as address:
        yield address


@pytest.fixture(scope="session")
def client(url):
    """A client of that server, which keeps its connections open."""
    with httpx.Client(base_url=url, timeout=60) as each:
        yield each


@pytest.fixture(scope="session")
def png():
    """Makes a PNG file of a page without ink."""

    def make(width: int = 40, height: int = 30) -> bytes:
        file = io.BytesIO()
        Image.fromarray(np.full((height, width), 255, np.uint8)).save(file, format="PNG")
        return file.getvalue()

    return make
