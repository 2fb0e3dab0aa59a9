import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from inkdigits.errors import ArgumentError, MissingExtraError
from inkdigits.learning import figures

NAMES = [
    "examples.png",
    "curves.png",
    "confusion.png",
    "predictions.png",
    "mistakes.png",
    "calibration.png",
    "doubt.png",
]


def make_images(count):
    """Images like MNIST's: light ink on dark paper, here a slanted stroke that moves from image to image."""
    images = np.zeros((count, 28, 28), np.uint8)
    for index, image in enumerate(images):
        for y in range(4, 24):
            x = 6 + (index + y // 3) % 16
            image[y, x : x + 3] = 255
    return images


def make_answers(digits, confidences):
    """One row of ten probabilities for each digit: its confidence, and the rest in equal parts."""
    confidences = np.broadcast_to(confidences, len(digits))
    rows = np.repeat((1 - confidences)[:, None] / 9, 10, axis=1)
    rows[np.arange(len(digits)), digits] = confidences
    return rows


def make_history(epochs, **changes):
    """As many rows, in which everything gets better."""
    return [
        {
            "epoch": epoch,
            "loss": 0.5 / epoch,
            "accuracy": 1 - 0.1 / epoch,
            "validation_loss": 0.3 / epoch,
            "validation_accuracy": 1 - 0.05 / epoch,
            "learning_rate": 0.001,
            "seconds": 2.0,
        }
        | changes
        for epoch in range(1, epochs + 1)
    ]


def read_pixels(path):
    """The picture as (height, width, 3) integers."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def count_pixels(path, color):
    """How many pixels have exactly this color, given as #RRGGBB."""
    wanted = [int(color[place : place + 2], 16) for place in (1, 3, 5)]
    return int((read_pixels(path) == wanted).all(axis=2).sum())


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    """Fifty dots an inch are enough, and quick, where words and colors matter."""
    monkeypatch.setattr(figures, "DOTS_PER_INCH", 50)


@pytest.fixture
def words(monkeypatch):
    """What is written into figures while a test runs, in order."""
    written = []
    for kind in Figure, Axes:

        def write(self, x, y, text, *args, original=kind.text, **kwargs):
            written.append(text)
            return original(self, x, y, text, *args, **kwargs)

        monkeypatch.setattr(kind, "text", write)
    return written


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The seven figures of 100 images, 3 of them read wrong, as fine as everyone gets them."""
    folder = tmp_path_factory.mktemp("figures")
    labels = np.arange(100) % 10
    digits = labels.copy()
    digits[[5, 40, 77]] += 1
    paths = figures.draw_figures(
        folder,
        images=make_images(100),
        labels=labels,
        probabilities=make_answers(digits, np.linspace(0.5, 0.9999, 100)),
        uncalibrated=make_answers(digits, np.linspace(0.7, 0.99999, 100)),
        threshold=0.9,
        history=make_history(5),
        chosen_epoch=4,
        peek_images=make_images(100),
        peek_labels=labels,
    )
    assert paths == [folder / name for name in NAMES]
    return folder


def test_all_seven_figures_are_written_and_nothing_else(folder):
    """The folder holds them under their names, without temporary files."""
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_figures_are_png_files_as_wide_as_a_page(folder, name):
    """At 200 dots an inch they are 6 or 7 inches wide and not longer than a page."""
    with Image.open(folder / name) as picture:
        picture.load()
        assert picture.format == "PNG"
        assert picture.width in (1200, 1400)
        assert 400 <= picture.height <= 1800


@pytest.mark.parametrize("name", NAMES)
def test_figures_are_dark_on_white(folder, name):
    """Most of a figure is white, and something is drawn."""
    brightness = read_pixels(folder / name).mean(axis=2)
    assert (brightness > 250).mean() > 0.5
    assert (brightness < 100).any()


def test_one_image_is_enough(tmp_path):
    """All seven figures can be drawn of a single image and a single epoch."""
    paths = figures.draw_figures(
        tmp_path,
        images=make_images(1),
        labels=[3],
        probabilities=make_answers([3], 0.9),
        uncalibrated=make_answers([3], 0.99),
        threshold=0.8,
        history=make_history(1),
        chosen_epoch=1,
        peek_images=make_images(1),
        peek_labels=[3],
    )
    assert all(path.exists() for path in paths)


def test_examples_tell_how_many_images_each_digit_has(tmp_path, words):
    """Seven 0s and two 1s are counted, though six of a digit are shown."""
    figures.draw_examples(tmp_path / "examples.png", make_images(9), [0] * 7 + [1] * 2)
    assert words[2:6] == ["0", "7", "1", "2"]


def test_examples_are_the_first_six_of_each_digit(tmp_path):
    """Without the sixth image of a digit the figure is another one, without the seventh it is the same."""
    images = make_images(7)
    figures.draw_examples(tmp_path / "all.png", images, [0] * 7)
    for place, same in (5, False), (6, True):
        changed = images.copy()
        changed[place] = 0
        figures.draw_examples(tmp_path / "changed.png", changed, [0] * 7)
        pixels = read_pixels(tmp_path / "changed.png")
        assert (pixels == read_pixels(tmp_path / "all.png")).all() == same


def test_no_examples_are_refused(tmp_path):
    """There is nothing to look at."""
    with pytest.raises(ArgumentError, match="Received: 0 pictures"):
        figures.draw_examples(tmp_path / "examples.png", make_images(0), np.empty(0, int))


def test_curves_name_the_chosen_epoch(tmp_path, words):
    """The words below the title tell the epoch and its accuracy on validation images."""
    figures.draw_curves(tmp_path / "curves.png", make_history(5), 4)
    assert words[1] == "Epoch 4 of 5 was chosen: accuracy 98.75% on validation."


def test_curves_name_what_is_no_accuracy(tmp_path, words):
    """A finder is judged by F1, and the words below the title say so."""
    figures.draw_curves(tmp_path / "curves.png", make_history(5), 4, score="F1")
    assert words[1] == "Epoch 4 of 5 was chosen: F1 98.75% on validation."


@pytest.mark.parametrize(("accuracy", "ticks"), [(0.69, figures.TWENTIETHS), (0.99, figures.TICKS)])
def test_curves_have_ticks_far_from_100_percent(tmp_path, monkeypatch, accuracy, ticks):
    """Of those between 90 and 100% none would be seen there."""
    given = []
    monkeypatch.setattr(figures, "scale_to_percent", lambda *args, **_: given.append(args[2]))
    history = [row | {"accuracy": 0.61, "validation_accuracy": accuracy} for row in make_history(5)]
    figures.draw_curves(tmp_path / "curves.png", history, 4)
    assert given == [ticks]


def test_curves_mark_the_chosen_epoch(tmp_path):
    """Another chosen epoch is another picture."""
    figures.draw_curves(tmp_path / "4.png", make_history(5), 4)
    figures.draw_curves(tmp_path / "5.png", make_history(5), 5)
    assert (read_pixels(tmp_path / "4.png") != read_pixels(tmp_path / "5.png")).any()


@pytest.mark.parametrize("loss", [float("nan"), 0.0])
def test_curves_of_a_training_that_went_wrong_can_be_drawn(tmp_path, loss):
    """Losses that a logarithmic axis can't show leave a gap."""
    figures.draw_curves(tmp_path / "curves.png", make_history(3, loss=loss, validation_loss=loss), 2)
    assert (tmp_path / "curves.png").exists()


@pytest.mark.parametrize("epochs", [0, 3])
def test_curves_without_the_chosen_epoch_are_refused(tmp_path, epochs):
    """An empty history has no epoch to choose, and one of three epochs has no fourth."""
    with pytest.raises(ArgumentError, match="Received: 4"):
        figures.draw_curves(tmp_path / "curves.png", make_history(epochs), 4)


def test_confusion_writes_the_mistakes_that_occur(tmp_path, words):
    """Of the cells beside the diagonal only those with mistakes have a number."""
    counts = np.diag([1234] * 10)
    counts[4, 9] = 7
    figures.draw_confusion(tmp_path / "confusion.png", counts)
    assert sorted(words[2:]) == ["1,234"] * 10 + ["7"]


def test_confusion_colors_mistakes_alone(tmp_path):
    """A matrix without mistakes is gray."""
    figures.draw_confusion(tmp_path / "confusion.png", np.diag([50] * 10))
    pixels = read_pixels(tmp_path / "confusion.png")
    assert (pixels.max(axis=2) - pixels.min(axis=2)).max() == 0


def test_confusion_is_not_drowned_by_right_answers(tmp_path, words):
    """One mistake among ten thousand right answers has the darkest color."""
    counts = np.diag([1000] * 10)
    counts[4, 9] = 1
    figures.draw_confusion(tmp_path / "confusion.png", counts)
    assert count_pixels(tmp_path / "confusion.png", "#E8843C") > 100
    assert words[1] == "Read as another digit than their label: 1 of 10,001 images."


@pytest.mark.parametrize(
    "counts", [np.ones((9, 10), int), np.ones((10, 10)), -np.ones((10, 10), int)], ids=str.__call__
)
def test_impossible_confusion_is_refused(tmp_path, counts):
    """It has ten rows of ten whole numbers, none below 0."""
    with pytest.raises(ArgumentError, match="ten rows of ten counts"):
        figures.draw_confusion(tmp_path / "confusion.png", counts)


def test_predictions_tell_label_answer_and_confidence(tmp_path, words):
    """In three lines below the image, with a check or a cross and a word."""
    path = tmp_path / "predictions.png"
    figures.draw_predictions(path, make_images(2), [3, 4], make_answers([3, 9], [0.987, 0.6]))
    assert words[2:] == ["label 3", "✓ right: 3", "98.7% sure", "label 4", "✗ wrong: 9", "60.0% sure"]


def test_predictions_frame_a_wrong_answer(tmp_path):
    """There is vermilion on the page if and only if there is a mistake on it."""
    figures.draw_predictions(tmp_path / "right.png", make_images(1), [3], make_answers([3], 0.9))
    figures.draw_predictions(tmp_path / "wrong.png", make_images(1), [4], make_answers([3], 0.9))
    assert count_pixels(tmp_path / "right.png", figures.WRONG) == 0
    assert count_pixels(tmp_path / "wrong.png", figures.WRONG) > 100


def test_predictions_show_the_first_24_images(tmp_path, words):
    """In their order, however many there are."""
    labels = np.arange(30) % 10
    path = tmp_path / "predictions.png"
    figures.draw_predictions(path, make_images(30), labels, make_answers(labels, 0.9))
    assert words[1] == "The first 24 of 30 images, not picked. Read right: 24."
    assert [word for word in words if word.startswith("label")] == [f"label {each}" for each in labels[:24]]


@pytest.mark.parametrize(("confidence", "written"), [(0.9994, "99.9%"), (0.9995, ">99.9%"), (1.0, ">99.9%")])
def test_no_confidence_is_written_as_certainty(tmp_path, words, confidence, written):
    """What would round to 100.0% is more than 99.9%."""
    figures.draw_predictions(tmp_path / "a.png", make_images(1), [3], make_answers([3], confidence))
    assert words[-1] == f"{written} sure"


def test_mistakes_are_sorted_by_their_confidence(tmp_path, words):
    """The surest wrong answer comes first; right answers don't come at all."""
    path = tmp_path / "mistakes.png"
    probabilities = make_answers([1, 1, 2, 3], [0.6, 0.99, 0.8, 0.7])
    figures.draw_mistakes(path, make_images(4), [0, 1, 0, 0], probabilities)
    assert [word for word in words if word.startswith("✗")] == ["✗ wrong: 2", "✗ wrong: 3", "✗ wrong: 1"]
    assert words[1] == "Read wrong: 3 of 4 images. The 3 surest wrong answers, the surest first:"


def test_mistakes_are_at_most_24(tmp_path, words):
    """Of thirty the six least sure ones are left out."""
    probabilities = make_answers([1] * 30, np.linspace(0.5, 0.79, 30))
    figures.draw_mistakes(tmp_path / "mistakes.png", make_images(30), [0] * 30, probabilities)
    confidences = [word for word in words if word.endswith("% sure")]
    assert (len(confidences), confidences[0], confidences[-1]) == (24, "79.0% sure", "56.0% sure")


def test_worst_of_many_mistakes_say_how_many_there_are(tmp_path, words):
    """Where only the worst are given, all of them are counted."""
    path = tmp_path / "mistakes.png"
    figures.draw_mistakes(path, make_images(2), [0, 0], make_answers([1, 1], 0.9), counts=(100, 1000))
    assert words[1] == "Read wrong: 100 of 1,000 images. The 2 surest wrong answers, the surest first:"


def test_no_mistakes_is_a_figure_too(tmp_path, words):
    """It says so, and has nothing of the color of mistakes."""
    figures.draw_mistakes(tmp_path / "mistakes.png", make_images(2), [0, 1], make_answers([0, 1], 0.9))
    assert words[1:] == ["Read wrong: 0 of 2 images.", "✓ no mistakes"]
    assert count_pixels(tmp_path / "mistakes.png", figures.WRONG) == 0


def test_pictures_may_be_of_any_size(tmp_path):
    """A list of one's own pictures, wide, high and of a single pixel."""
    pictures = [np.full(shape, 200, np.uint8) for shape in [(30, 400), (500, 20), (1, 1)]]
    figures.draw_mistakes(tmp_path / "mistakes.png", pictures, [0, 0, 0], make_answers([1, 1, 1], 0.9))
    assert (tmp_path / "mistakes.png").exists()


def test_ink_is_dark_whatever_it_was(tmp_path):
    """Light ink on dark paper and dark ink on light paper give the same figure."""
    images = make_images(3)
    figures.draw_examples(tmp_path / "light.png", images, [0, 1, 2])
    figures.draw_examples(tmp_path / "dark.png", 255 - images, [0, 1, 2])
    assert (read_pixels(tmp_path / "light.png") == read_pixels(tmp_path / "dark.png")).all()


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (make_images(0), "Received: 0 pictures"),
        (make_images(2), "2 pictures for 1 labels"),
        (make_images(1) / 255, "float64"),
        (np.zeros((1, 28, 28, 3), np.uint8), r"shape \(28, 28, 3\)"),
        ([np.zeros((0, 5), np.uint8)], r"shape \(0, 5\)"),
    ],
    ids=["none", "too many", "fractions", "color", "without pixels"],
)
def test_impossible_pictures_are_refused(tmp_path, images, message):
    """Pictures are gray, of uint8, and as many as there are labels."""
    with pytest.raises(ArgumentError, match=message):
        figures.draw_predictions(tmp_path / "predictions.png", images, [3], make_answers([3], 0.9))
    assert list(tmp_path.iterdir()) == []


def test_calibration_error_is_in_the_title(tmp_path, words):
    """Ten answers, all right and 90% sure, are off by 10%."""
    figures.draw_calibration(tmp_path / "calibration.png", range(10), make_answers(range(10), 0.9))
    assert words[0] == "Calibration error (ECE): 10.00%"


def test_calibration_of_certainty_can_be_drawn(tmp_path):
    """Confidences of exactly 1, as float32 gives them, are in the last bar."""
    figures.draw_calibration(tmp_path / "sure.png", range(10), np.eye(10, dtype=np.float32))
    assert count_pixels(tmp_path / "sure.png", figures.RIGHT) > 100


def test_calibration_before_is_in_the_title(tmp_path, words):
    """Ten right answers were 50% sure and are now 90% sure."""
    figures.draw_calibration(
        tmp_path / "both.png", range(10), make_answers(range(10), 0.9), make_answers(range(10), 0.5)
    )
    assert words[0] == "Calibration error (ECE): 10.00%, before: 50.00%"
    figures.draw_calibration(tmp_path / "after.png", range(10), make_answers(range(10), 0.9))
    marked, unmarked = (count_pixels(tmp_path / name, figures.WRONG) for name in ("both.png", "after.png"))
    assert marked > unmarked


def test_doubt_tells_what_the_threshold_gives(tmp_path, words):
    """Of ten answers the two below 0.7 are doubtful, and one of the eight others is wrong."""
    probabilities = make_answers(range(10), [0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.92, 0.95, 0.97, 0.99])
    figures.draw_doubt(tmp_path / "doubt.png", [0, 1, 9, *range(3, 10)], probabilities, 0.7)
    assert words[1] == (
        "Answers below a confidence of 70% are doubtful. The lower axis widens toward 100%.\n"
        "Answered without doubt: 80.00%; wrong among these: 12.500%"
    )


def test_doubt_marks_the_threshold(tmp_path):
    """The mark stands further to the right if more is answered."""
    probabilities = make_answers(range(10), np.linspace(0.5, 0.99, 10))
    places = []
    for threshold in 0.98, 0.6:
        figures.draw_doubt(tmp_path / "doubt.png", [0, 2, *range(2, 10)], probabilities, threshold)
        pixels = read_pixels(tmp_path / "doubt.png")
        rows, columns = np.nonzero((pixels == [0xD5, 0x5E, 0x00]).all(axis=2))
        places.append(columns[rows > 80].mean())  # below the legend
    assert places[0] < places[1]


def test_doubt_of_everything_can_be_drawn(tmp_path, words):
    """Nothing is answered at a threshold that nothing reaches, so there is no share of wrong answers."""
    figures.draw_doubt(tmp_path / "doubt.png", range(10), make_answers(range(10), 0.9), 1)
    assert words[1].endswith("Answered without doubt: 0.00%")


def test_full_disk_leaves_the_old_figure(tmp_path):
    """A file that may not grow beyond 4 kB, as on a full disk, is never there in part."""
    resource = pytest.importorskip("resource")
    path = tmp_path / "confusion.png"
    path.write_bytes(b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            figures.draw_confusion(path, np.eye(10, dtype=int))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_interrupted_drawing_leaves_nothing(tmp_path, monkeypatch):
    """Ctrl-C while half of a file is written removes that half."""

    def write_half(self, path, **_):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(Figure, "savefig", write_half)
    with pytest.raises(KeyboardInterrupt):
        figures.draw_confusion(tmp_path / "confusion.png", np.eye(10, dtype=int))
    assert list(tmp_path.iterdir()) == []


def test_missing_folder_is_an_error(tmp_path):
    """Figures don't make folders."""
    with pytest.raises(FileNotFoundError):
        figures.draw_confusion(tmp_path / "missing" / "confusion.png", np.eye(10, dtype=int))


def test_settings_of_the_program_are_left_alone(tmp_path):
    """Fonts, colors and backend are after drawing what they were."""
    with mpl.rc_context({"font.size": 31, "axes.facecolor": "black"}):
        before = dict(mpl.rcParams)
        figures.draw_confusion(tmp_path / "confusion.png", np.eye(10, dtype=int))
        assert dict(mpl.rcParams) == before


def test_settings_of_the_program_change_nothing(tmp_path):
    """A dark style with large print gives the same figure."""
    history = make_history(3)
    figures.draw_curves(tmp_path / "plain.png", history, 2)
    with mpl.rc_context({"font.size": 31, "axes.facecolor": "black", "savefig.bbox": "tight"}):
        figures.draw_curves(tmp_path / "styled.png", history, 2)
    assert (read_pixels(tmp_path / "plain.png") == read_pixels(tmp_path / "styled.png")).all()


def test_drawing_does_not_need_pyplot(tmp_path):
    """Pyplot, with its global state and windows, isn't even imported."""
    program = (
        "import sys, numpy; from inkdigits.learning.figures import draw_confusion; "
        "assert 'matplotlib' not in sys.modules; "
        f"draw_confusion({str(tmp_path / 'confusion.png')!r}, numpy.eye(10, dtype=int)); "
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


def test_missing_matplotlib_is_explained(tmp_path, monkeypatch):
    """The message tells what to install."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"inkdigits\[train\]"):
        figures.draw_confusion(tmp_path / "confusion.png", np.eye(10, dtype=int))
