"""How much the service carries, beside the bare reader and beside the usual Flask handler.

    python benchmarks/serving.py            (minutes; take it when nothing else runs)
    python benchmarks/serving.py --short    (seconds: a look whether it works; nothing is written)

Closed loop: each connection sends its next request when the last one is answered. This process sends, others
serve. The Flask handler (needs ``pip install flask``) is the one of tutorials: decode, resize to 28 x 28,
`model.predict` with the documented network; its weights are random, which takes as long.
"""

import argparse
import asyncio
import re
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from measurement import write_results

from inkdigits import Reader
from inkdigits.reading.image import load_rgb

ROOT = Path(__file__).parents[1]
CONNECTIONS = (1, 8, 64, 256)
MEMORY_REQUESTS = 20_000
CALLS = 1_000  # of the bare reader
FLASK = """
import cv2, flask, numpy as np
from inkdigits.learning.networks import classic

app, model = flask.Flask(__name__), classic()

@app.post("/v1/classify")
def classify():
    gray = cv2.imdecode(np.frombuffer(flask.request.data, np.uint8), cv2.IMREAD_GRAYSCALE)
    image = (255 - cv2.resize(gray, (28, 28), interpolation=cv2.INTER_AREA)) / 255
    probabilities = model.predict(image.reshape(1, 28, 28, 1), verbose=0)[0]
    return {"value": int(probabilities.argmax()), "probabilities": probabilities.tolist()}

@app.get("/health")
def health():
    return {}

app.run(port=PORT, threaded=True)
"""


@dataclass(frozen=True)
class Load:
    """What is sent, how often at most, and for how long at most."""

    path: str
    picture: bytes
    requests: int
    seconds: float

    def message(self) -> bytes:
        """Return the request."""
        head = f"POST {self.path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(self.picture)}\r\n\r\n"
        return head.encode() + self.picture


async def measure(port: int, load: Load, connections: int) -> dict[str, Any]:
    """Return requests a second, percentiles of the waiting time, and how many were not answered 200."""
    waited: list[float] = []
    failed = 0
    left = load.requests
    message = load.message()
    begun = time.perf_counter()

    async def client() -> None:
        nonlocal left, failed
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while left > 0 and time.perf_counter() - begun < load.seconds:
            left -= 1
            start = time.perf_counter()
            writer.write(message)
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            assert length
            await reader.readexactly(int(length[1]))
            waited.append(1000 * (time.perf_counter() - start))
            failed += not head.startswith(b"HTTP/1.1 200")
            if b"connection: close" in head.lower():  # Flask's server closes after each
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()

    await asyncio.gather(*(client() for _ in range(connections)))
    seconds = time.perf_counter() - begun
    centiles = statistics.quantiles(waited, n=100, method="inclusive")
    return {
        "connections": connections,
        "requests": len(waited),
        "requests_a_second": len(waited) / seconds,
        "p50_ms": centiles[49],
        "p95_ms": centiles[94],
        "p99_ms": centiles[98],
        "failed": failed,
    }


@contextmanager
def running(*command: str, port: int) -> Iterator[int]:
    """Run a server in a process of its own and wait until it answers."""
    process = subprocess.Popen(
        [sys.executable, *command], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health").close()
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise SystemExit(f"The server did not start: {command}")
        yield port
    finally:
        process.terminate()
        process.wait()


def drawn_digit() -> bytes:
    """Return a PNG file of a 7 as it is drawn on the page."""
    sheet = np.full((220, 180), 255, np.uint8)
    points = np.array([(50, 50), (130, 46), (80, 170)], np.int32)
    cv2.polylines(sheet, [points], isClosed=False, color=0, thickness=14, lineType=cv2.LINE_AA)
    return cv2.imencode(".png", sheet)[1].tobytes()


def page_of_a_megapixel() -> bytes:
    """Return a JPEG file of 1,160 x 870 pixels: an example page."""
    page = cv2.resize(load_rgb(ROOT / "examples/pages/expenses.jpg"), (870, 1160))
    return cv2.imencode(".jpg", page[..., ::-1])[1].tobytes()


def bare(picture: bytes) -> float:
    """Return the median milliseconds of naming a digit in this process, on one thread."""
    reader = Reader()
    waited = []
    for _ in range(CALLS):
        start = time.perf_counter()
        reader.classify(picture)
        waited.append(1000 * (time.perf_counter() - start))
    return statistics.median(waited)


def memory(port: int) -> float:
    """Return the memory of the server's process, in bytes."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        found = re.search(r"^process_resident_memory_bytes (\S+)", answer.read().decode(), re.MULTILINE)
    assert found
    return float(found[1])


def say(name: str, figures: dict[str, Any]) -> None:
    """Print one row."""
    print(
        f"{name:22} {figures['connections']:4} connections  {figures['requests_a_second']:8.1f} a second  "
        f"p50 {figures['p50_ms']:8.2f}  p95 {figures['p95_ms']:8.2f}  p99 {figures['p99_ms']:8.2f} ms  "
        f"{figures['failed']} failed of {figures['requests']}",
        flush=True,
    )


def main() -> None:
    """Measure all, print it and write it down."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--short", action="store_true")
    short = parser.parse_args().short
    seconds = 2 if short else 20
    digit, page = drawn_digit(), page_of_a_megapixel()
    results: dict[str, Any] = {"bare_reader_ms": bare(digit), "digit": [], "page": []}
    print(f"{'bare reader, one digit':22} {results['bare_reader_ms']:.2f} ms")
    with running("-m", "inkdigits", "serve", "--port", "8765", port=8765) as port:
        asyncio.run(measure(port, Load("/v1/classify", digit, 200, 5), 8))  # warm
        for name, path, picture in [("digit", "/v1/classify", digit), ("page", "/v1/read", page)]:
            for connections in CONNECTIONS:
                load = Load(path, picture, 20_000, seconds)
                results[name].append(asyncio.run(measure(port, load, connections)))
                say(f"inkdigits, one {name}", results[name][-1])
        before = memory(port)
        load = Load("/v1/classify", digit, 200 if short else MEMORY_REQUESTS, 600)
        asyncio.run(measure(port, load, 8))
        results["memory"] = {"requests": load.requests, "before_bytes": before, "after_bytes": memory(port)}
        growth = results["memory"]["after_bytes"] / before - 1
        print(f"memory {before / 1e6:.0f} MB, after {load.requests:,} more requests {growth:+.1%}")
    with running("-c", FLASK.replace("PORT", "8766"), port=8766) as port:
        asyncio.run(measure(port, Load("/v1/classify", digit, 10, 10), 1))  # warm
        results["flask"] = [asyncio.run(measure(port, Load("/v1/classify", digit, 2_000, seconds), 8))]
        say("Flask, model.predict", results["flask"][0])
    eight = next(each for each in results["digit"] if each["connections"] == 8)
    times = eight["requests_a_second"] / results["flask"][0]["requests_a_second"]
    print(
        f"the service adds {results['digit'][0]['p50_ms'] - results['bare_reader_ms']:.2f} ms at p50; "
        f"{times:.1f} times Flask's throughput"
    )
    if not short:
        write_results("serving", results)


if __name__ == "__main__":
    main()
