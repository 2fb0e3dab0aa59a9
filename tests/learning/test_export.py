"""An exported network gives the same numbers as the trained one, or is refused."""

import hashlib
import json
import shutil
import subprocess
import sys

import keras
import numpy as np
import onnx
import pytest

from inkdigits.errors import ExportError, ModelError
from inkdigits.learning.evaluation import apply_temperature
from inkdigits.learning.export import check_agreement, export_model
from inkdigits.learning.training import to_input
from inkdigits.reading.model import open_model


def test_exported_numbers_are_the_trained_ones(run, mnist):
    """On 1,000 validation images Keras, calibrated by the card's temperature, and ONNX agree to 1e-5."""
    images = mnist.validation.images[:1000]
    trained = keras.models.load_model(run.path / "model.keras").predict(to_input(images), verbose=0)
    model = open_model(run.path)
    calibrated = apply_temperature(trained, model.card.calibration["temperature"])
    assert np.abs(calibrated - model.network.probabilities(images)).max() <= 1e-5


@pytest.mark.parametrize("wrong", [2e-5, np.nan])
def test_disagreement_is_refused(wrong):
    """One probability that differs by more than 1e-5, or is no number, is enough."""
    expected = np.full((5, 10), 0.1, np.float32)
    received = expected.copy()
    received[2, 3] += wrong
    with pytest.raises(ExportError, match="differs from the trained one"):
        check_agreement(expected, received)


def test_graph_takes_uint8_and_any_number_of_images(run):
    """The interface is images uint8 (N, 28, 28) -> probabilities float32 (N, 10)."""
    graph = onnx.load(run.path / "model.onnx").graph
    described = [
        (
            value.name,
            onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type),
            [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim],
        )
        for value in (*graph.input, *graph.output)
    ]
    assert described == [("images", "UINT8", ["N", 28, 28]), ("probabilities", "FLOAT", ["N", 10])]


def test_card_tells_where_the_network_comes_from(run, mnist):
    """Seed, data, versions, figures and the model's own sum are on the card."""
    card = json.loads((run.path / "card.json").read_text())
    assert (card["name"], card["parameters"], card["seed"]) == ("classic", 35274, 3)
    assert card["data"] == mnist.sha256
    assert card["evaluation"]["accuracy"] == run.evaluation.accuracy
    assert {"python", "keras", "onnxruntime", "inkdigits"} <= card["versions"].keys()
    assert card["model_sha256"] == hashlib.sha256((run.path / "model.onnx").read_bytes()).hexdigest()


def test_doubt_threshold_keeps_its_promise_on_validation(run, mnist):
    """At least 99.9 % of the validation answers that are not doubtful are right."""
    model = open_model(run.path)
    probabilities = model.network.probabilities(mnist.validation.images)
    sure = probabilities.max(axis=1) >= model.card.doubt_threshold
    right = probabilities.argmax(axis=1) == mnist.validation.labels
    assert right[sure].mean() >= 0.999


def test_export_writes_just_the_model_folder(run, tmp_path):
    """Two files, the same as in the run folder."""
    export_model(run.path, tmp_path / "model")
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["card.json", "model.onnx"]
    assert (tmp_path / "model" / "model.onnx").read_bytes() == (run.path / "model.onnx").read_bytes()
    assert open_model(tmp_path / "model").card == open_model(run.path).card


def test_export_never_overwrites(run, tmp_path):
    """A folder that holds something is left alone."""
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(ExportError, match="not an empty folder"):
        export_model(run.path, tmp_path)


def test_export_of_a_damaged_run_is_refused(run, tmp_path):
    """What can't be opened is not passed on."""
    shutil.copytree(run.path, tmp_path / "run")
    (tmp_path / "run" / "model.onnx").write_bytes(b"damaged")
    with pytest.raises(ModelError, match="is not the file its card describes"):
        export_model(tmp_path / "run", tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_full_disk_while_exporting_is_said(run, tmp_path):
    """A file system that takes no more leaves no model folder that looks whole."""
    code = (
        "import resource, sys, inkdigits\n"
        "from inkdigits.learning.export import export_model\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "try: export_model(*sys.argv[1:])\n"
        "except inkdigits.ExportError as error: print(error)\n"
    )
    command = [sys.executable, "-c", code, str(run.path), str(tmp_path / "model")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "can't be written" in said
    assert list((tmp_path / "model").iterdir()) == []


def test_export_into_a_place_that_takes_nothing_is_said(run):
    """A place where no folder can be made is named."""
    with pytest.raises(ExportError, match="/proc/model can't be written"):
        export_model(run.path, "/proc/model")
