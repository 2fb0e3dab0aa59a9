"""A model folder is checked before it is used, and what is wrong is said plainly."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from inkdigits.errors import ArgumentError, ExportError, ModelError
from inkdigits.reading.classifier import SHIPPED_MODEL
from inkdigits.reading.model import Card, available_cores, export_model, open_model


@pytest.fixture
def folder(tmp_path):
    """A copy of the shipped model folder, to be damaged."""
    return shutil.copytree(SHIPPED_MODEL, tmp_path / "model")


def change_card(folder, **entries):
    """Write other entries onto the card; None removes one."""
    card = json.loads((folder / "card.json").read_text()) | entries
    (folder / "card.json").write_text(json.dumps({k: v for k, v in card.items() if v is not None}))


def test_shipped_model_opens():
    """The model that comes with inkdigits passes its own checks."""
    assert open_model(SHIPPED_MODEL).card.labels == tuple(range(10))


def test_card_survives_json():
    """A card read back from its JSON is the same card."""
    card = open_model(SHIPPED_MODEL).card
    assert Card.from_dict(json.loads(json.dumps(card.to_dict()))) == card


def test_any_number_of_images(folder):
    """None, one and more than a batch of images all have an answer each."""
    network = open_model(folder).network
    for count in (0, 1, 1001):
        assert network.probabilities(np.zeros((count, 28, 28), np.uint8)).shape == (count, 10)


def test_missing_folder_is_said(tmp_path):
    """A folder that does not exist is named, with how to make one."""
    with pytest.raises(ModelError, match=r"nowhere does not exist.*inkdigits train"):
        open_model(tmp_path / "nowhere")


def test_name_too_long_for_a_folder_is_said():
    """As any other place where no model can be."""
    with pytest.raises(ModelError, match="can't be looked into: File name too long"):
        open_model(Path("a" * 300))


def test_pipe_instead_of_a_card_is_said(folder):
    """It would be waited for."""
    (folder / "card.json").unlink()
    os.mkfifo(folder / "card.json")
    with pytest.raises(ModelError, match=r"card\.json is no file"):
        open_model(folder)


def test_file_instead_of_a_folder_is_said(folder):
    """Pointing at model.onnx itself is a common slip."""
    with pytest.raises(ModelError, match="is not a folder"):
        open_model(folder / "model.onnx")


@pytest.mark.parametrize("name", ["model.onnx", "card.json"])
def test_missing_file_is_said(folder, name):
    """Both files are needed."""
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"has no {name}"):
        open_model(folder)


def test_unfinished_run_is_said(folder):
    """A run folder whose training has not ended says how to end it."""
    (folder / "card.json").unlink()
    (folder / "checkpoint.npz").touch()
    with pytest.raises(ModelError, match="repeat its command with --resume"):
        open_model(folder)


def test_damaged_model_is_said(folder):
    """One changed byte is noticed."""
    model = bytearray((folder / "model.onnx").read_bytes())
    model[len(model) // 2] ^= 1
    (folder / "model.onnx").write_bytes(model)
    with pytest.raises(ModelError, match="is not the file its card describes"):
        open_model(folder)


def exchange_model(folder, model: bytes):
    """Put another model there, with a card that vouches for it."""
    (folder / "model.onnx").write_bytes(model)
    change_card(folder, model_sha256=hashlib.sha256(model).hexdigest())


def test_another_part_is_said():
    """A classifier is no finder, though its folder is whole."""
    with pytest.raises(ModelError, match=r"another kind.* Received: classifier\. Accepted: finder"):
        open_model(SHIPPED_MODEL, "finder")


def test_unreadable_model_is_said(folder):
    """Bytes that are no ONNX file are refused even when the card vouches for them."""
    exchange_model(folder, b"not an ONNX file")
    with pytest.raises(ModelError, match="can't be opened by ONNX Runtime"):
        open_model(folder)


def test_foreign_model_is_said(folder):
    """A valid network of another kind is refused, with both kinds named."""
    text = onnx.helper.make_tensor_value_info("text", onnx.TensorProto.FLOAT, ["N", 3])
    same = onnx.helper.make_tensor_value_info("same", onnx.TensorProto.FLOAT, ["N", 3])
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["text"], ["same"])], "g", [text], [same]
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 15)], ir_version=8)
    exchange_model(folder, model.SerializeToString())
    with pytest.raises(ModelError, match=r"another kind of network.*'text'.*'images'"):
        open_model(folder)


def test_model_of_a_fixed_batch_is_said(folder):
    """A network for one image at a time is another kind."""
    model = onnx.load(folder / "model.onnx")
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 1
    exchange_model(folder, model.SerializeToString())
    with pytest.raises(ModelError, match="another kind of network"):
        open_model(folder)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"schema": 2}, "has schema 2; this version of inkdigits reads schema 1"),
        ({"schema": None}, "no entry 'schema'"),
        ({"seed": None}, "lacks seed"),
        ({"color": "blue"}, "doesn't know: color"),
        ({"parameters": "many"}, "'parameters' has the wrong type"),
        ({"doubt_threshold": 1.5}, "must be from 0 to 1"),
        ({"labels": [0, 1]}, "another classifier than"),
        ({"input": {"name": "images"}}, "another classifier than"),
        ({"part": "poet"}, "unknown kind of network. Received: 'poet'. Accepted: classifier, finder, lines"),
        ({"part": "finder"}, "another finder than"),
    ],
)
def test_wrong_card_is_said(folder, entries, words):
    """Each entry of the card is checked."""
    change_card(folder, **entries)
    with pytest.raises(ModelError, match=words):
        open_model(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00\xff", "[" * 100_000])
def test_card_that_is_no_card_is_said(folder, text):
    """Neither broken JSON nor another kind of JSON brings a traceback."""
    (folder / "card.json").write_text(text)
    with pytest.raises(ModelError, match=r"is not JSON|no inkdigits card"):
        open_model(folder)


def test_reader_folder_is_told_from_a_model_folder():
    """Each option takes one of the two, and people mix them up."""
    with pytest.raises(ModelError, match=r"It is a reader folder.*classifier, finder, lines"):
        open_model(SHIPPED_MODEL.parent)


def test_threads_may_be_a_numpy_integer():
    """As it comes out of a computation."""
    assert open_model(SHIPPED_MODEL, threads=np.int64(2)).card.part == "classifier"


@pytest.mark.parametrize("threads", [0, 65, 1.5, "2", True])
def test_threads_out_of_range_are_refused(threads):
    """A number of threads that makes no sense is refused, and so is what is no number of them."""
    with pytest.raises(ArgumentError, match=f"threads must be from 1 to 64. Received: {threads!r}"):
        open_model(SHIPPED_MODEL, threads=threads)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes can't be bound to cores here")
def test_cores_are_those_the_process_is_bound_to():
    """A container or batch job that was given one core starts no threads for others."""
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, [min(allowed)])
        assert available_cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert available_cores() == len(allowed)


def test_export_writes_just_the_model_folder(tmp_path):
    """Two files, the same as in the run folder."""
    export_model(SHIPPED_MODEL, tmp_path / "model")
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["card.json", "model.onnx"]
    assert (tmp_path / "model" / "model.onnx").read_bytes() == (SHIPPED_MODEL / "model.onnx").read_bytes()
    assert open_model(tmp_path / "model").card == open_model(SHIPPED_MODEL).card


def test_export_never_overwrites(tmp_path):
    """A folder that holds something is left alone."""
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(ExportError, match="not an empty folder"):
        export_model(SHIPPED_MODEL, tmp_path)


def test_export_of_a_damaged_run_is_refused(tmp_path):
    """What can't be opened is not passed on."""
    shutil.copytree(SHIPPED_MODEL, tmp_path / "run")
    (tmp_path / "run" / "model.onnx").write_bytes(b"damaged")
    with pytest.raises(ModelError, match="is not the file its card describes"):
        export_model(tmp_path / "run", tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_full_disk_while_exporting_is_said(tmp_path):
    """A file system that takes no more leaves no model folder that looks whole."""
    code = (
        "import resource, sys, inkdigits\n"
        "from inkdigits.reading.model import export_model\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "try: export_model(*sys.argv[1:])\n"
        "except inkdigits.ExportError as error: print(error)\n"
    )
    command = [sys.executable, "-c", code, str(SHIPPED_MODEL), str(tmp_path / "model")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "can't be written" in said
    assert list((tmp_path / "model").iterdir()) == []


def test_export_into_a_place_that_takes_nothing_is_said():
    """A place where no folder can be made is named."""
    with pytest.raises(ExportError, match="/proc/model can't be written"):
        export_model(SHIPPED_MODEL, "/proc/model")
