"""Models are scored on what they never saw, and on a user's own pictures."""

import cv2
import numpy as np
import pytest

from inkdigits.errors import ArgumentError, DataError, MissingExtraError
from inkdigits.learning import scoring
from inkdigits.learning.scoring import evaluate, evaluate_pictures, is_labeled_folder


@pytest.fixture(scope="module")
def own_pictures(mnist, tmp_path_factory):
    """A folder of pictures sorted by digit: 40 readable ones, a blank one, a mislabeled one, a broken one."""
    folder = tmp_path_factory.mktemp("own")
    for index in range(40):
        image, label = mnist.validation.images[index], mnist.validation.labels[index]
        (folder / str(label)).mkdir(exist_ok=True)
        cv2.imwrite(str(folder / str(label) / f"{index}.png"), 255 - image)
    cv2.imwrite(str(folder / "0" / "blank.png"), np.full((40, 40), 255, np.uint8))
    one = mnist.validation.images[mnist.validation.labels == 1][0]
    cv2.imwrite(str(folder / "8" / "mislabeled.png"), 255 - one)
    (folder / "3" / "broken.png").write_text("no picture")
    return folder


def test_validation_is_evaluated_again_with_the_same_figures(run):
    """The exported network scores what the training said."""
    evaluation = evaluate(run.path)
    assert (evaluation.images, evaluation.accuracy) == (5000, run.evaluation.accuracy)


def test_test_part_has_ten_thousand_images(run):
    """The test part is evaluated when asked for."""
    assert evaluate(run.path, split="test").images == 10_000


def test_training_part_is_no_split_to_evaluate(run):
    """Only parts the network never saw are accepted."""
    with pytest.raises(ArgumentError, match="one of validation, test"):
        evaluate(run.path, split="train")


def test_own_pictures_are_recognized_as_such(own_pictures, tmp_path):
    """Subfolders named by digits make a labeled folder."""
    assert is_labeled_folder(own_pictures)
    assert not is_labeled_folder(tmp_path)


def test_own_pictures_are_not_taken_for_mnist(run, own_pictures):
    """The function for them is named."""
    with pytest.raises(ArgumentError, match=r"evaluate_pictures\(model, folder\)"):
        evaluate(run.path, data=own_pictures)


def test_own_pictures_are_counted(run, own_pictures):
    """Every picture with ink counts; the blank and the broken one are listed."""
    result = evaluate_pictures(run.path, own_pictures)
    assert result.evaluation.images == 41
    assert result.blank == (str(own_pictures / "0" / "blank.png"),)
    assert [source for source, _ in result.failed] == [str(own_pictures / "3" / "broken.png")]


def test_a_missing_extra_stops_no_other_picture(run, own_pictures, monkeypatch):
    """A HEIC file without its decoder is one of those that could not be used."""
    classify = scoring.Classifier.classify

    def without_decoder(classifier, path):
        if path.name == "blank.png":
            raise MissingExtraError("HEIC needs an extra.")
        return classify(classifier, path)

    monkeypatch.setattr(scoring.Classifier, "classify", without_decoder)
    result = evaluate_pictures(run.path, own_pictures)
    assert result.evaluation.images == 41
    assert (str(own_pictures / "0" / "blank.png"), "HEIC needs an extra.") in result.failed


def test_mislabeled_picture_is_a_mistake(run, own_pictures):
    """An answer that is not the folder's digit is a mistake."""
    names = [
        mistake.source.rsplit("/", 1)[1] for mistake in evaluate_pictures(run.path, own_pictures).mistakes
    ]
    assert "mislabeled.png" in names
    assert len(names) < 10


def test_report_names_the_mistakes(run, own_pictures):
    """People see which pictures were read wrong, and why one was not read."""
    report = evaluate_pictures(run.path, own_pictures).report()
    assert "mislabeled.png  is a 8, read as 1" in report
    assert "No ink was found in these" in report
    assert "blank.png" in report
    assert "broken.png" in report


def test_wrong_layout_is_said(run, tmp_path):
    """A folder that is neither MNIST nor sorted pictures names both forms."""
    with pytest.raises(DataError, match="subfolders named 0 to 9"):
        evaluate(run.path, data=tmp_path)


def test_folder_that_is_none_is_refused(run, tmp_path):
    """Nothing is said of subfolders that it can't have."""
    with pytest.raises(DataError, match=r"nowhere is no folder\..*subfolders named 0 to 9"):
        evaluate_pictures(run.path, tmp_path / "nowhere")


def test_folder_without_pictures_is_refused(run, tmp_path):
    """An empty folder is no data."""
    (tmp_path / "4").mkdir()
    with pytest.raises(DataError, match="no usable picture with ink"):
        evaluate_pictures(run.path, tmp_path)
