"""How long reading one digit takes: from the start of Python, from import, and once everything is loaded.

    python benchmarks/latency.py [RUN...]      (take it when nothing else runs)

Each figure is a median over the runs named beside it. Of finished run folders given, the network itself is
timed, too, in batches of 1, 32 and 1,000: `model.predict` and `model(x)` of Keras's network, prepared images
in and an array out, and ONNX Runtime with the exported one. Everything runs on one thread.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from measurement import describe_machine, write_results

import inkdigits
from inkdigits.learning import mnist
from inkdigits.reading.image import load_gray
from inkdigits.reading.model import open_model

EXAMPLES = Path(__file__).parents[1] / "examples" / "pictures"
PICTURE = EXAMPLES / "3-marker-on-a-yellow-note.jpg"
DRAWING = EXAMPLES / "5-drawn-on-a-transparent-canvas.png"
PROCESS_RUNS, CALLS = 15, 1_000
BATCHES = (1, 32, 1_000)
SECONDS = 4.0  # for each way to run a network
FEWEST_RUNS = 30

Images = npt.NDArray[Any]


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


def time_batches(run: Callable[[Images], object], images: Images) -> dict[str, dict[str, float]]:
    """Return by batch the median seconds, with 10th and 90th percentile, of as many runs as fit the time."""
    return {str(batch): time_batch(partial(run, images[:batch])) for batch in BATCHES}


def time_batch(call: Callable[[], object]) -> dict[str, float]:
    call()
    seconds: list[float] = []
    end = time.perf_counter() + SECONDS
    while len(seconds) < FEWEST_RUNS or (len(seconds) < CALLS and time.perf_counter() < end):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    tenth, median, ninetieth = np.percentile(seconds, [10, 50, 90])
    return {"median": median, "tenth": tenth, "ninetieth": ninetieth, "runs": len(seconds)}


def measure_keras(folder: Path, images: npt.NDArray[np.uint8]) -> dict[str, Any]:
    import keras

    from inkdigits.learning.networks import to_input

    network, prepared = keras.models.load_model(folder / "model.keras"), to_input(images)
    return {
        "predict": time_batches(partial(network.predict, batch_size=len(images), verbose=0), prepared),
        "call": time_batches(lambda batch: np.asarray(network(batch)), prepared),
    }


def use_one_thread() -> None:
    """Keep TensorFlow, before its first step, to one thread."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def measure_networks(folders: list[Path]) -> dict[str, Any]:
    """Return the seconds of Keras and of ONNX Runtime by name and batch, each on one thread."""
    images = mnist.load().test.images[: max(BATCHES)]
    models = [open_model(folder) for folder in folders]
    onnx = [time_batches(model.network.probabilities, images) for model in models]
    use_one_thread()  # only now: no thread of TensorFlow's is there while ONNX Runtime is timed
    networks = {}
    for folder, model, of_onnx in zip(folders, models, onnx, strict=True):
        figures = {"parameters": model.card.parameters} | measure_keras(folder, images) | {"onnx": of_onnx}
        figures["predict_over_onnx"] = figures["predict"]["1"]["median"] / of_onnx["1"]["median"]
        print_network(model.card.name, figures)
        networks[model.card.name] = figures
    return networks


def print_network(name: str, figures: dict[str, Any]) -> None:
    print(f"\n{name}, {figures['parameters']:,} parameters: median microseconds of a call")
    for way in "predict", "call", "onnx":
        for batch, seconds in figures[way].items():
            tenth, median, ninetieth = (1e6 * seconds[key] for key in ("tenth", "median", "ninetieth"))
            print(
                f"{way:8}{batch:>5} images{median:>12,.1f}   10 to 90 %: {tenth:,.1f} to {ninetieth:,.1f}   "
                f"{seconds['runs']} runs"
            )
    print(f"one image: predict takes {figures['predict_over_onnx']:,.0f} times as long as ONNX Runtime")


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
    folders = [Path(argument) for argument in sys.argv[1:]]
    networks = measure_networks(folders) if folders else {}
    write_results("latency", results | {"networks": networks})


if __name__ == "__main__":
    main()
