"""How long reading one digit takes: from the start of Python, from import, and once everything is loaded.

    python benchmarks/latency.py      (half a minute; take it when nothing else runs)

Each figure is a median over the runs named beside it.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from measurement import describe_machine, write_results

import inkdigits
from inkdigits.reading.image import load_gray

EXAMPLES = Path(__file__).parents[1] / "examples" / "pictures"
PICTURE = EXAMPLES / "3-marker-on-a-yellow-note.jpg"
DRAWING = EXAMPLES / "5-drawn-on-a-transparent-canvas.png"
PROCESS_RUNS, CALLS = 15, 1_000


def median_of_processes(*arguments: str) -> float:
    """Return the median seconds of whole processes, with files in the system's cache and no network."""
    environment = os.environ | {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    seconds = []
    for _ in range(PROCESS_RUNS + 1):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=environment)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:])


def median_of_calls(call: Callable[[], object]) -> float:
    """Return the median seconds of a call in this process."""
    seconds = []
    for _ in range(CALLS):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def main() -> None:
    print(describe_machine())
    classifier = inkdigits.Classifier()
    photo, drawing = (
        cv2.resize(load_gray(path), (100, 100), interpolation=cv2.INTER_AREA) for path in (PICTURE, DRAWING)
    )
    image = np.zeros((1, 28, 28), np.uint8)
    bare = median_of_processes("-c", "pass")
    results = {
        "process_runs": PROCESS_RUNS,
        "calls": CALLS,
        "import_seconds": median_of_processes("-c", "import inkdigits") - bare,
        "command_seconds": median_of_processes("-m", "inkdigits", "classify", str(PICTURE)),
        "classify_photo_100x100_seconds": median_of_calls(lambda: classifier.classify(photo)),
        "classify_drawing_100x100_seconds": median_of_calls(lambda: classifier.classify(drawing)),
        "classify_jpeg_400x400_seconds": median_of_calls(lambda: classifier.classify(PICTURE)),
        "probabilities_one_image_seconds": median_of_calls(lambda: classifier.probabilities(image)),
    }
    for name, value in results.items():
        print(f"{name:36}{1000 * value:10.3f} ms" if name.endswith("seconds") else f"{name:36}{value:10}")
    write_results("latency", results)


if __name__ == "__main__":
    main()
