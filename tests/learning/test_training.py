"""A training can be repeated, interrupted at any moment, and never loses or harms anything."""

import dataclasses
import inspect
import json
import resource
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import get_args, get_overloads, get_type_hints

import keras
import numpy as np
import pytest
from conftest import RUN_SETTINGS

from inkdigits.errors import ArgumentError, ModelError, RunError
from inkdigits.learning import mnist as mnist_module
from inkdigits.learning import training
from inkdigits.learning.evaluation import Evaluation, PartEvaluation
from inkdigits.learning.networks import to_input
from inkdigits.learning.recipe import RECIPES, find_recipe
from inkdigits.learning.training import chosen_epoch, open_run, train
from inkdigits.reading.model import open_model
from inkdigits.reading.reader import SHIPPED_READER


def weights_of(folder: Path) -> list[np.ndarray]:
    """Return the weights of a run's Keras network."""
    return keras.models.load_model(folder / "model.keras").get_weights()


def start_training(*options: str, **settings) -> subprocess.Popen[str]:
    """Start the command with the settings of the session's run."""
    command = [sys.executable, "-m", "inkdigits", "train"]
    for name, value in RUN_SETTINGS.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    return subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True, **settings)


def wait_for(process: subprocess.Popen[str], words: str) -> None:
    """Read what the training says until a line begins with these words."""
    for line in process.stderr:
        if line.startswith(words):
            return
    pytest.fail(f"the training ended without saying {words!r}")


def test_run_folder_is_complete(run):
    """A finished run holds every file that is promised, and no checkpoint."""
    assert sorted(str(path.relative_to(run.path)) for path in run.path.rglob("*") if path.is_file()) == [
        "card.json",
        "evaluation.json",
        "figures/calibration.png",
        "figures/confusion.png",
        "figures/curves.png",
        "figures/doubt.png",
        "figures/examples.png",
        "figures/mistakes.png",
        "figures/predictions.png",
        "history.csv",
        "model.keras",
        "model.onnx",
    ]


def test_network_has_learned(run):
    """Three short epochs bring the network far beyond chance, and not to a suspicious 100 %."""
    assert 0.9 < run.evaluation.accuracy < 0.999


def test_run_is_read_back_from_its_folder(run):
    """What the folder holds is the run that was returned."""
    assert open_run(run.path) == run
    assert {type(row["epoch"]) for row in open_run(run.path).history} == {int}


def test_type_checkers_know_what_each_recipe_is_worth():
    """`train("classic").evaluation.accuracy` is right to them; that of a finder would be wrong."""
    *named, _any = map(get_type_hints, get_overloads(train))
    promised = {name: get_args(hints["return"])[0] for hints in named for name in get_args(hints["recipe"])}
    worth = {True: Evaluation, False: PartEvaluation}
    assert promised == {name: worth[recipe.part == "classifier"] for name, recipe in RECIPES.items()}


def test_type_checkers_know_every_option_of_train():
    """The options of its named forms are the parameters that it has."""
    assert ["recipe", *training.Options.__annotations__] == [*inspect.signature(train).parameters]


def test_kept_weights_are_those_of_the_chosen_epoch(run, mnist):
    """The kept network has the validation loss of the epoch with the lowest one."""
    network = keras.models.load_model(run.path / "model.keras")
    labels = np.eye(10)[mnist.validation.labels]
    loss = network.evaluate(to_input(mnist.validation.images), labels, verbose=0)[0]
    assert loss == pytest.approx(min(row["validation_loss"] for row in run.history), rel=1e-4)


def test_chosen_epoch_has_the_lowest_validation_loss():
    """Epochs count from 1."""
    assert chosen_epoch([{"validation_loss": loss} for loss in (0.3, 0.1, 0.2)]) == 2


def test_killed_training_ends_with_the_same_weights(run, tmp_path):
    """SIGKILL in the second epoch, then --resume: the same weights as never interrupted, bit by bit."""
    process = start_training("--out", str(tmp_path / "run"))
    wait_for(process, "epoch 1/3")
    process.kill()
    process.communicate()
    resumed = start_training("--resume", "--out", str(tmp_path / "run"))
    said = resumed.communicate()[1]
    assert resumed.returncode == 0, said
    assert "epoch 1/3" not in said
    assert all(map(np.array_equal, weights_of(tmp_path / "run"), weights_of(run.path)))


def test_ctrl_c_says_how_to_go_on(tmp_path):
    """Ctrl-C keeps the last finished epoch and names --resume; exit status 130."""
    process = start_training("--out", str(tmp_path / "run"))
    wait_for(process, "epoch 1/3")
    process.send_signal(signal.SIGINT)
    said = process.communicate()[1]
    assert process.returncode == 130
    assert (
        f"inkdigits train --recipe classic --seed 3 --epochs 3 --batch-size 1000 --out {tmp_path}/run" in said
    )
    assert "Traceback" not in said
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["checkpoint.npz"]


def test_full_disk_is_said_and_leaves_nothing_half_written(tmp_path):
    """A file system that takes no more ends the training with a sentence, not with a broken checkpoint."""
    process = start_training(
        "--out",
        str(tmp_path / "run"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)),
    )
    said = process.communicate()[1]
    assert process.returncode == 1
    assert "can't be written" in said
    assert "Traceback" not in said
    assert list((tmp_path / "run").iterdir()) == []


def test_training_never_touches_the_test_part(tmp_path, monkeypatch, mnist):
    """Nothing fits, chooses or calibrates on test: training works where there is no test part to look at."""
    blind = dataclasses.replace(mnist, test=None)
    monkeypatch.setattr(mnist_module, "load", lambda *_, **__: blind)
    train("classic", epochs=1, batch_size=5000, out=tmp_path / "run")


def test_existing_run_is_refused(run):
    """A finished run is not replaced by accident."""
    with pytest.raises(RunError, match=r"--resume.*--overwrite"):
        train("classic", out=run.path)


def test_foreign_folder_is_never_overwritten(tmp_path):
    """--overwrite replaces runs only."""
    (tmp_path / "thesis.txt").write_text("years of work")
    (tmp_path / "card.json").touch()
    with pytest.raises(RunError, match=r"no part of a run \(thesis.txt\), so it is left alone"):
        train("classic", out=tmp_path, overwrite=True)
    assert (tmp_path / "thesis.txt").exists()


def test_nothing_to_resume_is_said(tmp_path):
    """Resuming nothing is refused."""
    with pytest.raises(RunError, match="no run to resume"):
        train("classic", out=tmp_path / "run", resume=True)


def test_resume_and_overwrite_exclude_each_other(run):
    """A run can't be both continued and replaced."""
    with pytest.raises(ArgumentError, match="one of --resume and --overwrite"):
        train("classic", out=run.path, resume=True, overwrite=True)


def test_finished_run_is_not_trained_again(run):
    """Resuming a finished run gives it back as it is."""
    before = (run.path / "card.json").stat().st_mtime_ns
    assert train("classic", **RUN_SETTINGS, out=run.path, resume=True) == run
    assert (run.path / "card.json").stat().st_mtime_ns == before


def test_run_of_before_recipes_had_some_field_is_known(run, tmp_path):
    """What an older card doesn't say is what is done without being asked."""
    shutil.copytree(run.path, tmp_path / "run")
    card = json.loads((tmp_path / "run" / "card.json").read_text())
    del card["recipe"]["finish"]
    (tmp_path / "run" / "card.json").write_text(json.dumps(card))
    again = train("classic", **RUN_SETTINGS, out=tmp_path / "run", resume=True)
    assert again.evaluation == run.evaluation


def test_finished_run_of_other_settings_is_not_given_back(run):
    """Asking for another seed is not answered with the old run."""
    with pytest.raises(RunError, match="seed was 3 and is now 4"):
        train("classic", **RUN_SETTINGS | {"seed": 4}, out=run.path, resume=True)


def test_run_killed_before_its_first_checkpoint_is_resumed(tmp_path):
    """What a kill left half-written is removed, and the training starts."""
    (tmp_path / ".checkpoint-x1y2.npz").touch()
    assert train("classic", epochs=1, batch_size=5000, out=tmp_path, resume=True).path == tmp_path
    assert not list(tmp_path.glob(".*"))


def test_run_without_card_and_checkpoint_is_not_begun_anew(run, tmp_path):
    """Resuming would replace its weights by those of another training."""
    folder = shutil.copytree(run.path, tmp_path / "run")
    (folder / "card.json").unlink()
    with pytest.raises(RunError, match=r"neither card\.json nor checkpoint\.npz to go on from"):
        train("classic", **RUN_SETTINGS, out=folder, resume=True)
    assert (folder / "model.keras").exists()


def test_errors_of_ones_own_functions_are_not_the_folders(tmp_path):
    """What a callback raises comes back as it is."""

    def on_progress(_):
        raise ConnectionRefusedError("no dashboard")

    with pytest.raises(ConnectionRefusedError, match="no dashboard"):
        train("classic", epochs=1, batch_size=5000, out=tmp_path / "run", on_progress=on_progress)


def test_two_trainings_do_not_share_a_folder(tmp_path):
    """A second one is refused while the first goes on, and removes nothing."""
    (tmp_path / "model.keras").write_text("of the first")
    with training._alone_in(tmp_path), pytest.raises(RunError, match="Another training writes into"):
        train("classic", epochs=1, batch_size=5000, out=tmp_path, overwrite=True)
    assert (tmp_path / "model.keras").read_text() == "of the first"


def test_overwriting_replaces_the_run(tmp_path):
    """Even a run folder of which only a part is left is replaced."""
    (tmp_path / "model.keras").write_text("old")
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "mistakes-mine.png").touch()
    train("classic", epochs=1, batch_size=5000, out=tmp_path, overwrite=True)
    assert (tmp_path / "model.keras").stat().st_size > 100_000
    assert not (tmp_path / "figures" / "mistakes-mine.png").exists()


def test_diverged_training_is_said(tmp_path, monkeypatch, mnist):
    """A loss that is no number ends the training with advice."""
    monkeypatch.setattr(
        "inkdigits.learning.classifying.to_input", lambda images: images[..., None] * np.float32(1e30)
    )
    with pytest.raises(RunError, match=r"diverged in epoch 1.*lower learning rate"):
        train("classic", epochs=1, batch_size=5000, out=tmp_path / "run")


def checkpoint_of(recipe: dict, seed: int, sums: dict) -> dict[str, np.ndarray]:
    """Return a checkpoint of a training that has just begun."""
    state = {"recipe": recipe, "seed": seed, "data": sums, "history": []}
    return {"state": np.array(json.dumps(state))}


def test_training_starts_with_the_weights_of_a_run(run, tmp_path):
    """A step with hardly any learning rate leaves them as they were, and the card says whose they are."""
    recipe = dataclasses.replace(find_recipe("classic"), learning_rate=1e-9, weight_decay=0.0)
    again = train(recipe, epochs=1, batch_size=55_000, start=run.path, out=tmp_path)
    for before, after in zip(weights_of(run.path), weights_of(again.path), strict=True):
        assert np.allclose(before, after, atol=1e-6)
    assert open_model(again.path).card.recipe["start"] == open_model(run.path).card.model_sha256


def test_training_starts_only_with_its_own_network(run, tmp_path):
    """The weights of another network fit nowhere, which is said before MNIST is looked for."""
    with pytest.raises(ArgumentError, match=r"another network.*Received: 'classic'.*Accepted: 'quick'"):
        train("quick", start=run.path, data=tmp_path / "no-mnist", out=tmp_path)


def test_training_takes_no_weights_of_other_layers(run, tmp_path, monkeypatch):
    """A network of the same name, but of an older version, is refused, and what --overwrite names stays."""
    older = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()], name="classic")
    monkeypatch.setattr(training, "build_network", lambda *_: older)
    (tmp_path / "model.keras").write_text("old")
    with pytest.raises(ArgumentError, match="other layers than the recipe's"):
        train("classic", start=run.path, out=tmp_path, overwrite=True)
    assert (tmp_path / "model.keras").read_text() == "old"


def test_a_run_cannot_replace_the_one_it_starts_with(run):
    """Its weights would be gone if it were interrupted."""
    with pytest.raises(ArgumentError, match="can't take the place"):
        train("classic", start=run.path, out=run.path, overwrite=True)
    assert (run.path / "model.keras").exists()


def test_a_run_cannot_replace_its_teacher(run):
    """What it learns from would be gone before it has learned."""
    with pytest.raises(ArgumentError, match=r"can't take the place.*--teacher and --out"):
        train("classic", teacher=run.path, out=run.path, overwrite=True)
    assert (run.path / "model.keras").exists()


@pytest.fixture(scope="module")
def taught(run, tmp_path_factory):
    """A run that also learned from the session's."""
    folder = tmp_path_factory.mktemp("taught")
    return train("classic", epochs=1, batch_size=55_000, teacher=run.path, out=folder)


def test_a_run_names_its_teacher(run, taught):
    """The card says whose answers a network has learned from."""
    assert open_model(taught.path).card.recipe["teacher"] == open_model(run.path).card.model_sha256


def test_a_taught_run_is_resumed_with_its_teacher(taught):
    """Without the teacher the other epochs would be of labels alone."""
    with pytest.raises(RunError, match=r"teacher was '[0-9a-f]{64}' and is now ''"):
        train("classic", epochs=1, batch_size=55_000, out=taught.path, resume=True)


def test_only_a_classifier_has_a_teacher(run, tmp_path):
    """Pages and lines have no answers of a classifier."""
    with pytest.raises(ArgumentError, match=r"Only a classifier .*Received: part='lines'"):
        train("lines", teacher=run.path, data=tmp_path / "no-mnist", out=tmp_path)


def test_a_teacher_is_a_classifier(tmp_path):
    """A finder names no digit."""
    with pytest.raises(ModelError, match="finder"):
        train("classic", teacher=SHIPPED_READER / "finder", data=tmp_path / "no-mnist", out=tmp_path)


def test_start_without_weights_is_said(run, tmp_path):
    """A model folder has no Keras network."""
    model = tmp_path / "model"
    model.mkdir()
    for name in ("card.json", "model.onnx"):
        (model / name).write_bytes((run.path / name).read_bytes())
    with pytest.raises(RunError, match=r"are not there: .*model has no model\.keras"):
        train("classic", start=model, out=tmp_path / "run")


@pytest.mark.parametrize("damage", ["cut off", "emptied", "of something else"])
def test_damaged_weights_to_start_with_are_said(run, tmp_path, damage):
    """Whatever Keras makes of them, with a way out."""
    model = shutil.copytree(run.path, tmp_path / "model") / "model.keras"
    if damage == "of something else":
        with zipfile.ZipFile(model, "w") as archive:
            archive.writestr("thesis.txt", "years of work")
    else:
        model.write_bytes(model.read_bytes()[: 1000 if damage == "cut off" else 0])
    with pytest.raises(RunError, match=r"model\.keras is damaged .*without --start"):
        train("classic", start=tmp_path / "model", out=tmp_path / "run")


def test_ctrl_c_waits_for_no_pages(tmp_path):
    """A part of the page reader prepares an epoch for long; the end does not wait for it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "inkdigits", "train", "--recipe", "lines", "--out", str(tmp_path / "run")],
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (tmp_path / "run" / "checkpoint.npz").exists():
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=20)[1]
    assert process.returncode == 130
    assert "Stopped." in said


def test_other_settings_are_not_resumed(tmp_path, mnist):
    """A checkpoint of another seed is left alone, and the difference is named."""
    np.savez(tmp_path / "checkpoint.npz", **checkpoint_of(find_recipe("classic").to_dict(), 1, mnist.sha256))
    with pytest.raises(RunError, match="seed was 1 and is now 0"):
        train("classic", out=tmp_path, resume=True)


def test_damaged_checkpoint_is_said(tmp_path):
    """A checkpoint that is no longer one ends in a sentence with a way out."""
    (tmp_path / "checkpoint.npz").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(RunError, match=r"is damaged .*--overwrite"):
        train("classic", out=tmp_path, resume=True)


def test_folder_that_takes_nothing_is_said():
    """A place where no folder can be made is named."""
    with pytest.raises(RunError, match="/proc/run can't be written"):
        train("classic", out="/proc/run")


@pytest.mark.parametrize("settings", [{"epochs": 0}, {"batch_size": -1}, {"seed": -1}])
def test_absurd_settings_are_refused_before_anything_is_made(tmp_path, settings):
    """A refused parameter leaves no folder behind."""
    with pytest.raises(ArgumentError):
        train("classic", out=tmp_path / "run", **settings)
    assert not (tmp_path / "run").exists()
