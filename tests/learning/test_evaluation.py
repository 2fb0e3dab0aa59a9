import dataclasses
import json
import math

import numpy as np
import pytest

from inkdigits.errors import ArgumentError
from inkdigits.learning.evaluation import (
    CalibrationBin,
    Confusion,
    Evaluation,
    apply_temperature,
    auroc,
    calibration_bins,
    check_labels,
    choose_doubt_threshold,
    documented_block,
    evaluate_probabilities,
    expected_calibration_error,
    fit_temperature,
    report,
    risk_coverage,
    selective_accuracy,
    wilson_interval,
)


def answer(digit, confidence):
    """Ten probabilities: this confidence for the digit, the rest in equal parts for the others."""
    row = np.full(10, (1 - confidence) / 9)
    row[digit] = confidence
    return row


def answers(*pairs):
    """One such row for each pair of digit and confidence."""
    return np.array([answer(digit, confidence) for digit, confidence in pairs])


@pytest.fixture
def small():
    """Five images: 0 read as 0 twice, 4 read as 4, 4 read as 9, 9 read as 9."""
    probabilities = answers((0, 0.91), (0, 0.82), (4, 0.73), (9, 0.64), (9, 1.0))
    return evaluate_probabilities(probabilities, [0, 0, 4, 4, 9], split="validation")


@pytest.fixture
def documented():
    """An evaluation with the documented numbers: 4,931 of 5,000 right, a cross-entropy of 0.051526."""
    confusion = np.diag([493] * 10)
    confusion[0, 0] = 494
    confusion[4, 9], confusion[9, 4], confusion[7, 2] = 40, 20, 9
    return Evaluation(
        split="validation",
        confusion=tuple(map(tuple, confusion.tolist())),
        loss=0.051526,
        brier_score=0.0211,
        expected_calibration_error=0.0031,
        microseconds_per_image=295.0,
    )


BLOCK = """\
==================================================
>> Evaluate on validation data: (WHICH NEVER SEEN)
5000/5000 [==============================] - 1s 295us/step
Accuracy: 98.6200%
Loss: 5.1526%
==================================================
Mean cross-entropy: 0.051526 (the loss above is 100 times this)"""


def test_accuracy_is_the_share_of_right_answers(small):
    """Four of five answers are right."""
    assert small.accuracy == 0.8


def test_images_are_counted(small):
    """There are five images."""
    assert small.images == 5


def test_confusion_has_a_row_for_each_label(small):
    """The 4 read as 9 is counted in row 4, column 9."""
    assert small.confusion[4] == (0, 0, 0, 0, 1, 0, 0, 0, 0, 1)


def test_confusion_counts_every_image_once(small):
    """All counts together are the number of images, and only four cells have any."""
    counts = np.array(small.confusion)
    assert (counts.sum(), (counts > 0).sum()) == (5, 4)


def test_recall_is_by_label(small):
    """One of two 4s was found; digits without images have no recall."""
    assert small.recall == (1.0, None, None, None, 0.5, None, None, None, None, 1.0)


def test_precision_is_by_answer(small):
    """One of two answers 9 was right; digits never answered have no precision."""
    assert small.precision == (1.0, None, None, None, 1.0, None, None, None, None, 0.5)


def test_frequent_confusions_are_sorted_by_count_then_digits():
    """Three 7s read as 2 come before single confusions, and those in the order of their digits."""
    pairs = [(7, 2), (3, 5), (7, 2), (1, 7), (7, 2), (3, 1)]
    probabilities = answers(*[(read, 0.9) for _, read in pairs])
    evaluation = evaluate_probabilities(probabilities, [label for label, _ in pairs], split="test")
    assert evaluation.frequent_confusions == (
        Confusion(7, 2, 3),
        Confusion(1, 7, 1),
        Confusion(3, 1, 1),
        Confusion(3, 5, 1),
    )


def test_frequent_confusions_are_at_most_ten():
    """Of twelve different confusions ten are listed."""
    labels = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]
    read = [1, 2, 3, 4, 5, 6, 2, 3, 4, 5, 6, 7]
    evaluation = evaluate_probabilities(answers(*[(digit, 0.9) for digit in read]), labels, split="test")
    assert len(evaluation.frequent_confusions) == 10


def test_loss_is_the_mean_cross_entropy_in_nats(small):
    """Minus the mean natural logarithm of each label's probability: 0.91, 0.82, 0.73, 0.04 and 1."""
    expected = -(math.log(0.91) + math.log(0.82) + math.log(0.73) + math.log(0.04)) / 5
    assert small.loss == pytest.approx(expected, abs=1e-7)


def test_loss_of_an_impossible_label_is_finite():
    """A label of probability 0 counts as 0.0000001, as in Keras."""
    evaluation = evaluate_probabilities(np.eye(10)[[3]], [5], split="test")
    assert evaluation.loss == pytest.approx(-math.log(1e-7))


def test_brier_score_is_the_mean_sum_of_squares():
    """An answer of 0 with 0.91 to a 0 is 0.09 off and nine times 0.01; to a 6 it is 0.91 and 0.99 off."""
    evaluation = evaluate_probabilities(answers((0, 0.91), (0, 0.91)), [0, 6], split="test")
    of_right = 0.09**2 + 9 * 0.01**2
    of_wrong = 0.91**2 + 0.99**2 + 8 * 0.01**2
    assert evaluation.brier_score == pytest.approx((of_right + of_wrong) / 2)


def test_calibration_error_of_few_images_has_a_bin_for_each(small):
    """The five gaps between confidence and being right are 0.09, 0.18, 0.27, 0.64 and 0."""
    assert small.expected_calibration_error == pytest.approx((0.09 + 0.18 + 0.27 + 0.64 + 0.0) / 5)


def test_calibration_error_is_zero_where_confidence_is_accuracy():
    """Of four answers given with 0.75 three are right, which is no error at all."""
    probabilities = answers(*[(0, 0.75)] * 4)
    evaluation = evaluate_probabilities(probabilities, [0, 0, 0, 1], split="test")
    assert evaluation.expected_calibration_error == pytest.approx(0, abs=1e-12)


def test_calibration_error_weighs_bins_by_their_images():
    """A gap of 0.25 on three images and none on one make 0.1875."""
    assert expected_calibration_error([CalibrationBin(3, 0.75, 0.5), CalibrationBin(1, 1.0, 1.0)]) == 0.1875


def test_calibration_bins_are_of_equal_mass():
    """Seven images in three bins: three, two and two, by rising confidence."""
    confidence = np.array([0.9, 0.3, 0.8, 0.4, 0.7, 0.5, 0.6])
    right = np.array([True, False, True, False, True, True, False])
    assert calibration_bins(confidence, right, bins=3) == [
        CalibrationBin(3, pytest.approx(0.4), pytest.approx(1 / 3)),
        CalibrationBin(2, pytest.approx(0.65), 0.5),
        CalibrationBin(2, pytest.approx(0.85), 1.0),
    ]


def test_calibration_bins_do_not_depend_on_the_order_of_equal_confidences():
    """Two right and two wrong answers of the same confidence make two bins that are half right."""
    bins = calibration_bins(np.full(4, 0.5), np.array([True, True, False, False]), bins=2)
    assert [each.accuracy for each in bins] == [0.5, 0.5]


def test_wilson_interval_of_the_documented_accuracy():
    """4,931 of 5,000: 98.26% to 98.91%."""
    low, high = wilson_interval(4931, 5000)
    assert (round(low, 4), round(high, 4)) == (0.9826, 0.9891)


def test_wilson_interval_of_half():
    """50 of 100 is known to give 0.4038 to 0.5962."""
    low, high = wilson_interval(50, 100)
    assert (round(low, 4), round(high, 4)) == (0.4038, 0.5962)


def test_wilson_interval_of_all_right_stays_below_certainty():
    """10 of 10 is known to give 0.7225 to 1, and never more than 1."""
    low, high = wilson_interval(10, 10)
    assert (round(low, 4), high) == (0.7225, pytest.approx(1.0))
    assert high <= 1


def test_wilson_interval_of_none_right_starts_at_zero():
    """0 of 10 is the mirror image of 10 of 10."""
    low, high = wilson_interval(0, 10)
    assert (low, round(high, 4)) == (0.0, 0.2775)


def test_accuracy_interval_is_the_wilson_interval_of_the_right_answers(small):
    """4 of 5 were right."""
    assert small.accuracy_interval == wilson_interval(4, 5)


def test_equal_probabilities_are_answered_with_the_smaller_digit():
    """Ten equal probabilities are an answer of 0."""
    evaluation = evaluate_probabilities(np.full((1, 10), 0.1), [0], split="test")
    assert evaluation.accuracy == 1


def test_float32_and_uint8_are_accepted(small):
    """What networks and MNIST bring gives the same numbers as Python's own."""
    probabilities = answers((0, 0.91), (0, 0.82), (4, 0.73), (9, 0.64), (9, 1.0)).astype(np.float32)
    labels = np.array([0, 0, 4, 4, 9], np.uint8)
    evaluation = evaluate_probabilities(probabilities, labels, split="validation")
    assert evaluation.confusion == small.confusion
    assert evaluation.loss == pytest.approx(small.loss, abs=1e-6)


def test_dictionary_survives_json(small):
    """Through JSON and back an evaluation is the same."""
    assert Evaluation.from_dict(json.loads(json.dumps(small.to_dict()))) == small


def test_dictionary_of_an_evaluation_is_strict_json(small):
    """No NaN or infinity is in it."""
    assert json.dumps(small.to_dict(), allow_nan=False)


def test_dictionary_has_every_number(small):
    """The names in JSON, in the order people read them."""
    assert list(small.to_dict()) == [
        "split",
        "images",
        "accuracy",
        "accuracy_interval",
        "loss",
        "brier_score",
        "expected_calibration_error",
        "microseconds_per_image",
        "recall",
        "precision",
        "frequent_confusions",
        "confusion",
    ]


def test_dictionary_names_the_digits_of_a_confusion(small):
    """A confusion is written as label, answer and images."""
    assert small.to_dict()["frequent_confusions"] == [{"label": 4, "answer": 9, "images": 1}]


@pytest.mark.parametrize(
    "confusion",
    [
        [],
        [[1] * 10] * 9,
        [[1] * 10] * 9 + [[1] * 9],
        [[0] * 10] * 10,
        [[-1] + [1] * 9] * 10,
        [[0.5] * 10] * 10,
    ],
    ids=["empty", "nine rows", "short row", "no images", "negative", "fractions"],
)
def test_damaged_confusion_is_refused(small, confusion):
    """A dictionary from a damaged file is no evaluation."""
    with pytest.raises(ArgumentError, match="ten rows of ten whole numbers"):
        Evaluation.from_dict(small.to_dict() | {"confusion": confusion})


def test_time_is_kept(small):
    """Microseconds an image are what the caller measured."""
    evaluation = evaluate_probabilities(np.eye(10), range(10), split="test", microseconds_per_image=295)
    assert (evaluation.microseconds_per_image, small.microseconds_per_image) == (295.0, None)


@pytest.mark.parametrize("time", [0, -1.0, math.nan, math.inf])
def test_impossible_time_is_refused(time):
    """Zero, negative and endless times are no times."""
    with pytest.raises(ArgumentError, match="above 0"):
        evaluate_probabilities(np.eye(10), range(10), split="test", microseconds_per_image=time)


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        (np.empty((0, 10)), "0 rows"),
        (np.full((2, 9), 1 / 9), r"shape \(2, 9\)"),
        (np.full(10, 0.1), r"shape \(10,\)"),
        (np.full((2, 10), 0.2), "image 0, a sum of 2"),
        (np.vstack([np.full((1, 10), 0.1), np.full((1, 10), math.nan)]), "image 1"),
        (np.array([[1.5, -0.5] + [0.0] * 8] * 2), "0 or more"),
        ([["a"] * 10] * 2, "ten numbers"),
        ([[0.5, 0.5], [1.0]], "ten numbers"),
    ],
    ids=["no images", "nine digits", "one row", "sum of 2", "NaN", "negative", "words", "ragged"],
)
def test_impossible_probabilities_are_refused(probabilities, message):
    """The message says what was received."""
    with pytest.raises(ArgumentError, match=message):
        evaluate_probabilities(probabilities, [0, 1], split="test")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0], r"shape \(1,\) for 2 images"),
        ([[0], [1]], r"shape \(2, 1\)"),
        ([0, 10], "from 0 to 10"),
        ([-1, 3], "from -1 to 3"),
        ([0.0, 1.0], "float64"),
        ([True, False], "bool"),
        ([[0], [1, 2]], "one list"),
    ],
    ids=["too few", "a column", "ten", "negative", "fractions", "bools", "ragged"],
)
def test_impossible_labels_are_refused(labels, message):
    """The message says what was received."""
    with pytest.raises(ArgumentError, match=message):
        check_labels(labels, 2)


def test_block_is_the_documented_one(documented):
    """Character by character, with the plain cross-entropy below."""
    assert documented_block(documented) == BLOCK


def test_block_leaves_out_a_time_that_was_not_measured(documented):
    """The bar is the end of its line."""
    block = documented_block(dataclasses.replace(documented, microseconds_per_image=None))
    assert block.splitlines()[2] == "5000/5000 [==============================]"


def test_block_names_the_split(documented):
    """Test data are named as such."""
    block = documented_block(dataclasses.replace(documented, split="test"))
    assert block.splitlines()[1] == ">> Evaluate on test data: (WHICH NEVER SEEN)"


def test_block_does_not_say_of_training_data_that_they_were_never_seen(documented):
    """They have been."""
    block = documented_block(dataclasses.replace(documented, split="train"))
    assert block.splitlines()[1] == ">> Evaluate on train data:"


def test_report_is_complete(documented):
    """Line by line what a person sees."""
    assert report(documented) == BLOCK + (
        "\n"
        "Accuracy, 95% interval: 98.26% to 98.91%\n"
        "Calibration error (ECE): 0.31%\n"
        "Brier score: 0.0211\n"
        "\n"
        "Digit   Images    Recall  Precision\n"
        "    0      494   100.00%    100.00%\n"
        "    1      493   100.00%    100.00%\n"
        "    2      493   100.00%     98.21%\n"
        "    3      493   100.00%    100.00%\n"
        "    4      533    92.50%     96.10%\n"
        "    5      493   100.00%    100.00%\n"
        "    6      493   100.00%    100.00%\n"
        "    7      502    98.21%    100.00%\n"
        "    8      493   100.00%    100.00%\n"
        "    9      513    96.10%     92.50%\n"
        "\n"
        "Most frequent confusions:\n"
        "  4 read as 9: 40\n"
        "  9 read as 4: 20\n"
        "  7 read as 2: 9\n"
        "\n"
        "Time: 295 microseconds an image"
    )


def test_report_has_no_number_where_there_is_none(small):
    """A digit without images has a dash for recall and for precision."""
    assert "    1        0         -          -" in report(small).splitlines()


def test_report_without_mistakes_says_so():
    """There is no confusion to list."""
    assert "none, every image was read right" in report(
        evaluate_probabilities(np.eye(10), range(10), split="test")
    )


def test_temperature_of_an_overconfident_network_is_hot():
    """Right in two of three cases but 91% sure: the fit makes it two thirds sure."""
    probabilities = answers((0, 0.91), (0, 0.91), (0, 0.91))
    temperature = fit_temperature(probabilities, [0, 0, 6])
    assert temperature > 1
    assert apply_temperature(probabilities, temperature)[0, 0] == pytest.approx(2 / 3)


def test_temperature_of_an_underconfident_network_is_cold():
    """Right in nine of ten cases but 55% sure: the fit makes it 90% sure."""
    probabilities = answers(*[(0, 0.55)] * 10)
    temperature = fit_temperature(probabilities, [0] * 9 + [6])
    assert temperature < 1
    assert apply_temperature(probabilities, temperature)[0, 0] == pytest.approx(0.9)


def test_temperature_of_an_honest_network_is_one():
    """Right in three of four cases and 75% sure."""
    assert fit_temperature(answers(*[(0, 0.75)] * 4), [0, 0, 0, 6]) == pytest.approx(1)


def test_temperature_is_found_again():
    """Logits of a known temperature, on labels drawn from them, give it back to a few percent."""
    generator = np.random.default_rng(0)
    honest = generator.dirichlet(np.full(10, 0.3), size=4000)
    labels = (generator.random((4000, 1)) > honest.cumsum(axis=1)).sum(axis=1).clip(max=9)
    assert fit_temperature(apply_temperature(honest, 0.5), labels) == pytest.approx(2, rel=0.05)


def test_temperature_is_where_the_cross_entropy_is_lowest():
    """Slightly hotter and slightly colder are both worse."""
    probabilities = answers((0, 0.9), (1, 0.7), (2, 0.99), (3, 0.8), (4, 0.6))
    labels = [0, 1, 2, 5, 4]

    def loss(temperature):
        softened = apply_temperature(probabilities, temperature)
        return evaluate_probabilities(softened, labels, split="test").loss

    best = fit_temperature(probabilities, labels)
    assert loss(best) < min(loss(1.01 * best), loss(best / 1.01))


@pytest.mark.parametrize(
    "probabilities", [answers((3, 0.9), (5, 0.4)), np.full((2, 10), 0.1)], ids=["all right", "undecided"]
)
def test_temperature_is_one_where_images_cannot_tell(probabilities):
    """Without a mistake ever colder would be ever better, so nothing is changed."""
    assert fit_temperature(probabilities, [3, 5]) == 1


def test_temperature_of_a_network_that_is_always_wrong_is_bounded():
    """The hottest possible one is not infinite."""
    assert fit_temperature(np.eye(10)[[0, 1]], [1, 2]) == pytest.approx(20)


def test_temperature_of_certain_answers_is_finite():
    """Probabilities of exactly 0 and 1 with one mistake in four don't break the fit."""
    probabilities = np.eye(10)[[0, 1, 2, 3]]
    temperature = fit_temperature(probabilities, [0, 1, 2, 4])
    assert 1 < temperature <= 20


def test_applied_temperature_keeps_the_answers():
    """Hotter or colder, the order of the ten probabilities stays."""
    probabilities = np.random.default_rng(0).dirichlet(np.ones(10), size=50)
    for temperature in 0.1, 3.0:
        assert (apply_temperature(probabilities, temperature).argsort() == probabilities.argsort()).all()


def test_applied_temperature_by_hand():
    """0.8 and 0.2 squared are 0.64 and 0.04, which is 16 to 1."""
    cold = apply_temperature([[0.8, 0.2] + [0.0] * 8], 0.5)
    assert cold[0, :2] == pytest.approx([16 / 17, 1 / 17])


def test_applied_temperature_adds_up_to_one():
    """Even of certain or undecided answers and an extreme temperature."""
    probabilities = np.vstack([np.eye(10), np.full((1, 10), 0.1)])
    assert apply_temperature(probabilities, 0.001).sum(axis=1) == pytest.approx(np.ones(11))


@pytest.mark.parametrize("temperature", [0, -1, math.nan, math.inf])
def test_impossible_temperature_is_refused(temperature):
    """Only numbers above 0 are temperatures."""
    with pytest.raises(ArgumentError, match="above 0"):
        apply_temperature(np.eye(10), temperature)


def test_threshold_leaves_out_the_mistake():
    """The only wrong answer has 0.55, so 0.64 is the lowest confidence that is always right."""
    probabilities = answers((0, 0.55), (0, 0.64), (0, 0.82), (0, 0.91))
    assert choose_doubt_threshold(probabilities, [6, 0, 0, 0]) == pytest.approx(0.64)


def test_threshold_allows_the_wanted_share_of_mistakes():
    """Three of four right are 75%, so all four answers may stay, and with 76% the mistake goes."""
    probabilities = answers((0, 0.55), (0, 0.64), (0, 0.82), (0, 0.91))
    assert choose_doubt_threshold(probabilities, [6, 0, 0, 0], precision=0.75) == pytest.approx(0.55)
    assert choose_doubt_threshold(probabilities, [6, 0, 0, 0], precision=0.76) == pytest.approx(0.64)


def test_threshold_is_the_smallest_even_if_a_higher_one_is_not_enough():
    """The surest answer is wrong, but three right ones below it make three of four."""
    probabilities = answers((0, 0.64), (0, 0.73), (0, 0.82), (0, 0.91))
    assert choose_doubt_threshold(probabilities, [0, 0, 0, 6], precision=0.75) == pytest.approx(0.64)


def test_threshold_takes_equal_confidences_together():
    """A right and a wrong answer of 0.73 are both doubtful, in whichever order they come."""
    probabilities = answers((0, 0.73), (0, 0.73), (0, 0.91))
    for labels in [0, 6, 0], [6, 0, 0]:
        assert choose_doubt_threshold(probabilities, labels) == pytest.approx(0.91)


def test_threshold_is_one_if_none_is_enough():
    """The surest answer is wrong, so every answer is doubtful."""
    assert choose_doubt_threshold(answers((0, 0.55), (0, 0.91)), [0, 6]) == 1


def test_threshold_without_mistakes_is_the_lowest_confidence_seen():
    """Less sure answers than any that were seen are doubtful."""
    assert choose_doubt_threshold(answers((3, 0.37), (5, 0.91)), [3, 5]) == pytest.approx(0.37)


def test_threshold_asks_for_a_mean_confidence_too():
    """All answers are right; of 0.8 on average are the two surest, of 0.85 the surest alone."""
    probabilities = answers((0, 0.55), (0, 0.73), (0, 0.87))
    for wanted, threshold in (0.8, 0.73), (0.85, 0.87):
        found = choose_doubt_threshold(probabilities, [0, 0, 0], mean_confidence=wanted)
        assert found == pytest.approx(threshold)


def test_threshold_of_a_mean_confidence_keeps_the_share():
    """A network much too sure of itself is not believed: its only mistake is doubtful all the same."""
    probabilities = answers((0, 0.98), (0, 0.99), (0, 0.999))
    assert choose_doubt_threshold(probabilities, [6, 0, 0], mean_confidence=0.9) == pytest.approx(0.99)


def test_threshold_is_one_if_the_mean_confidence_is_never_reached():
    """The surest answer is not sure enough."""
    assert choose_doubt_threshold(answers((0, 0.9)), [0], mean_confidence=0.95) == 1


@pytest.mark.parametrize("mean", [-0.1, 1.1, math.nan])
def test_impossible_mean_confidence_is_refused(mean):
    """A mean of confidences is 0 to 1."""
    with pytest.raises(ArgumentError, match="mean_confidence must be from 0 to 1"):
        choose_doubt_threshold(np.eye(10), range(10), mean_confidence=mean)


@pytest.mark.parametrize("precision", [0, 1.1, math.nan])
def test_impossible_precision_is_refused(precision):
    """A share is more than 0 and at most 1."""
    with pytest.raises(ArgumentError, match="at most 1"):
        choose_doubt_threshold(np.eye(10), range(10), precision=precision)


def test_selection_counts_answers_from_the_threshold_on():
    """Of four answers three have at least 0.64, and two of these are right."""
    probabilities = answers((0, 0.55), (0, 0.64), (0, 0.82), (0, 0.91))
    threshold = float(probabilities[1].max())
    selection = selective_accuracy(probabilities, [0, 0, 6, 0], threshold)
    assert (selection.images, selection.coverage, selection.accuracy) == (3, 0.75, 2 / 3)


def test_selection_has_an_interval():
    """Two of three right, by Wilson."""
    selection = selective_accuracy(answers((0, 0.7), (0, 0.8), (0, 0.9)), [0, 6, 0], 0.5)
    assert selection.accuracy_interval == wilson_interval(2, 3)


def test_selection_of_nothing_has_no_accuracy():
    """No answer is sure enough."""
    selection = selective_accuracy(answers((0, 0.7)), [0], 0.9)
    assert (selection.coverage, selection.accuracy, selection.accuracy_interval) == (0.0, None, None)


def test_selection_keeps_the_promise_of_the_threshold():
    """At the chosen threshold the share of right answers is at least the one asked for."""
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet(np.full(10, 0.1), size=2000)
    labels = (generator.random((2000, 1)) > probabilities.cumsum(axis=1)).sum(axis=1).clip(max=9)
    threshold = choose_doubt_threshold(probabilities, labels, precision=0.95)
    selection = selective_accuracy(probabilities, labels, threshold)
    assert selection.accuracy >= 0.95


@pytest.mark.parametrize("threshold", [-0.1, 1.1, math.nan])
def test_impossible_threshold_is_refused(threshold):
    """A confidence is 0 to 1."""
    with pytest.raises(ArgumentError, match="from 0 to 1"):
        selective_accuracy(np.eye(10), range(10), threshold)


def test_risk_grows_with_the_least_sure_answers():
    """Of four answers the third in confidence is wrong: none of two, one of three, one of four."""
    probabilities = answers((0, 0.91), (0, 0.55), (0, 0.64), (0, 0.82))
    curve = risk_coverage(probabilities, [0, 0, 6, 0])
    assert curve.threshold == pytest.approx([0.91, 0.82, 0.64, 0.55])
    assert curve.coverage.tolist() == [0.25, 0.5, 0.75, 1]
    assert curve.risk == pytest.approx([0, 0, 1 / 3, 1 / 4])


def test_risk_takes_equal_confidences_together():
    """Two answers of 0.73, one of them wrong, are answered both or not at all."""
    curve = risk_coverage(answers((0, 0.73), (0, 0.73), (0, 0.91)), [0, 6, 0])
    assert curve.coverage == pytest.approx([1 / 3, 1])
    assert curve.risk == pytest.approx([0, 1 / 3])


def test_risk_at_a_threshold_is_that_of_the_selection():
    """Curve and selection count the same answers."""
    generator = np.random.default_rng(1)
    probabilities = generator.dirichlet(np.full(10, 0.2), size=300)
    labels = generator.integers(10, size=300)
    curve = risk_coverage(probabilities, labels)
    selection = selective_accuracy(probabilities, labels, curve.threshold[120])
    assert (curve.coverage[120], 1 - curve.risk[120]) == pytest.approx(
        (selection.coverage, selection.accuracy)
    )


def test_auroc_counts_pairs_in_order():
    """Of six pairs five are in the right order and one is a tie, which counts half."""
    assert auroc([0.9, 0.8, 0.3], [0.3, 0.1]) == pytest.approx(5.5 / 6)


@pytest.mark.parametrize(
    ("positive", "negative", "area"), [([2, 3], [0, 1], 1), ([0, 1], [2, 3], 0), ([1, 1], [1, 1, 1], 0.5)]
)
def test_auroc_of_the_clear_cases(positive, negative, area):
    """All in order is 1, all reversed 0, all equal 0.5."""
    assert auroc(positive, negative) == area


def test_auroc_is_the_share_of_ordered_pairs():
    """On coarse scores with many ties it is what counting every pair gives."""
    generator = np.random.default_rng(2)
    positive, negative = generator.integers(2, 9, 70), generator.integers(0, 7, 50)
    pairs = np.subtract.outer(positive, negative)
    assert auroc(positive, negative) == pytest.approx((pairs > 0).mean() + (pairs == 0).mean() / 2)


@pytest.mark.parametrize("scores", [[], [[0.5]], [math.nan], ["a"], 0.5, [[1], [1, 2]]])
def test_impossible_scores_are_refused(scores):
    """Scores are finite numbers in one list; the message says which of the two is none."""
    with pytest.raises(ArgumentError, match="positive scores"):
        auroc(scores, [0.5])
    with pytest.raises(ArgumentError, match="negative scores"):
        auroc([0.5], scores)
