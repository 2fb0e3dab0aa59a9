"""What every benchmark shares: the machine and versions, a mean with its spread, one JSON file of results."""

import importlib.metadata
import json
import os
import platform
import resource
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
# Widest first, by the names in /proc/cpuinfo: the same processor's name doesn't tell how fast it computes.
INSTRUCTIONS = {"amx_bf16": "AMX", "avx512_bf16": "AVX-512 BF16", "avx512f": "AVX-512", "avx2": "AVX2"}
PACKAGES = (
    "inkdigits",
    "keras",
    "tensorflow-cpu",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "pillow",
)


def describe_machine() -> dict[str, Any]:
    """Return processor and its widest instructions, cores, system and versions."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    known = set(" ".join(lines).split())
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": models[0] if models else platform.processor(),
        "instructions": next((name for flag, name in INSTRUCTIONS.items() if flag in known), ""),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {package: importlib.metadata.version(package) for package in PACKAGES},
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return mean, sample standard deviation, median, smallest and largest of some runs."""
    return {
        "mean": statistics.fmean(values),
        "standard_deviation": statistics.stdev(values) if len(values) > 1 else 0.0,
        "median": statistics.median(values),
        "smallest": min(values),
        "largest": max(values),
        "runs": len(values),
    }


def peak_megabytes() -> float:
    """Return the most memory that this process, or the largest of those it waited for, has held."""
    return max(_own_peak(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)


def _own_peak() -> float:
    """Return this process's peak memory; on Linux ``ru_maxrss`` is also that of who started it."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def is_measured(name: str) -> bool:
    """Say whether there are results of this name."""
    return (RESULTS / f"{name}.json").exists()


def read_results(name: str) -> dict[str, Any]:
    """Return what a benchmark measured last."""
    results: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text())
    return results


def write_results(name: str, results: dict[str, Any]) -> None:
    """Write benchmarks/results/NAME.json, with machine and date, and say so."""
    _write(name, results | {"machine": describe_machine()})


def merge_results(name: str, parts: Mapping[str, dict[str, Any]], *, within: str | None = None) -> None:
    """Write these parts into benchmarks/results/NAME.json, each with its machine and date.

    Parts measured before and not again keep their figures, and the machine and date of these. All of them may
    stand within one key of the file.
    """
    before = read_results(name) if is_measured(name) else {}
    machine = describe_machine()
    measured = {part: figures | {"machine": machine} for part, figures in parts.items()}
    _write(name, before | ({within: before.get(within, {}) | measured} if within else measured))


def _write(name: str, results: dict[str, Any]) -> None:
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(results, indent=1) + "\n")
    print(f"\nWritten to {path}")
