"""What the project promises about itself: its shape, its public names, its README."""

import ast
import doctest
import hashlib
import importlib
import pkgutil
import re
import shlex
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import inkdigits
from inkdigits.learning.recipe import find_recipe

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "inkdigits"
MODULES = sorted(path.relative_to(SOURCE) for path in SOURCE.rglob("*.py"))
README = (ROOT / "README.md").read_text()


def imports_of(path: Path) -> set[str]:
    """Return the dotted names a file imports, wherever it does."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def users_of(library: str) -> set[str]:
    """Return the modules that import a library."""
    return {
        str(module)
        for module in MODULES
        if any(name.split(".")[0] == library for name in imports_of(SOURCE / module))
    }


# Import rules


def test_reading_never_imports_learning():
    """Who only reads needs nothing that only training needs."""
    for module in MODULES:
        if module.parts[0] == "reading":
            assert not any(name.startswith("inkdigits.learning") for name in imports_of(SOURCE / module))


def test_keras_is_imported_under_learning_only():
    """Keras has one home."""
    assert {module.split("/")[0] for module in users_of("keras")} == {"learning"}


def test_onnx_runtime_is_imported_where_networks_are_opened_and_quantized():
    """It has one home in reading; its tools for integers have one in learning."""
    assert users_of("onnxruntime") == {"reading/model.py", "learning/quantization.py"}


def test_web_framework_is_imported_under_web_only():
    """Who doesn't serve needs nothing that only serving needs."""
    assert {module.split("/")[0] for module in users_of("fastapi") | users_of("uvicorn")} == {"web"}


def test_command_line_library_is_imported_by_commands_only():
    """Words come in through one door."""
    assert users_of("click") == {"cli.py", "cli_reading.py", "console.py"}
    assert users_of("rich") == {"cli.py"}


def test_pdfium_is_imported_in_one_file():
    """It has one home, which runs as a process of its own."""
    assert users_of("pypdfium2") == {"reading/pdf_process.py"}


def test_backends_are_never_imported():
    """The code trains with any backend of Keras."""
    assert not users_of("tensorflow") | users_of("torch") | users_of("jax")


def test_no_import_cycles():
    """Data flows one way."""
    graph = {}
    for module in MODULES:
        name = ".".join(("inkdigits", *module.with_suffix("").parts)).removesuffix(".__init__")
        graph[name] = {target for target in imports_of(SOURCE / module) if target.startswith("inkdigits.")}
    graph["inkdigits"] = set()  # it imports lazily: public names, no data

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"import cycle: {' -> '.join((*trail, name))}"
        for target in graph.get(name, set()):
            if target in graph:
                visit(target, (*trail, name))

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("command", ["import inkdigits", "import inkdigits.cli"])
def test_start_imports_nothing_heavy(command):
    """`import inkdigits` and `--help` load none of the libraries that take time."""
    code = f"import sys\n{command}\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not set(loaded) & {
        "numpy",
        "cv2",
        "PIL",
        "onnxruntime",
        "keras",
        "tensorflow",
        "matplotlib",
        "rich",
    }


# Public names


def test_every_public_name_exists_and_is_documented():
    """`inkdigits.__all__` is what users can rely on."""
    for name in inkdigits.__all__:
        assert getattr(inkdigits, name).__doc__, name


def test_public_names_are_all_listed():
    """__all__, the lazy table and dir() agree."""
    from inkdigits import _HOME_OF

    assert sorted(inkdigits.__all__) == sorted(_HOME_OF) == dir(inkdigits)


def test_without_keras_the_public_names_are_those_that_work():
    """`from inkdigits import *`, help() and completion don't stumble where only reading is installed."""
    program = (
        "import importlib.util, sys; find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name == 'keras' else find(name, *rest)\n"
        "from inkdigits import *\n"
        "import inkdigits; assert inkdigits.read is read\n"
        "assert 'train' not in dir(inkdigits); assert not {'keras', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_public_functions_have_no_module_name():
    """A public function never has the name of a module."""
    assert not {module.stem for module in MODULES} & set(inkdigits.__all__)


def test_unknown_name_is_an_attribute_error():
    """A typo reads like one."""
    with pytest.raises(AttributeError, match="has no attribute 'clasify'"):
        inkdigits.clasify  # noqa: B018


def test_errors_share_a_base():
    """One except clause catches all."""
    errors = [getattr(inkdigits, name) for name in inkdigits.__all__ if name.endswith("Error")]
    assert all(issubclass(error, inkdigits.InkdigitsError) for error in errors)


def test_version_is_the_package_version():
    """Code and package agree on the version."""
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == inkdigits.__version__


@pytest.mark.parametrize(
    "name",
    [
        module.name
        for module in pkgutil.walk_packages(inkdigits.__path__, "inkdigits.")
        if "__" not in module.name
    ],
)
def test_docstring_examples_hold(name):
    """Every example in a docstring gives what it says."""
    assert doctest.testmod(importlib.import_module(name)).failed == 0


# README


def test_readme_tree_is_the_real_one():
    """Every file of the package stands in the README's tree with a comment, and nothing else does."""
    tree = re.search(r"```text\n(src/inkdigits/.*?)```", README, re.DOTALL).group(1)
    rows = [line for line in tree.splitlines() if line.strip()]
    assert all(len(row.split(None, 1)) == 2 for row in rows), "every line has a comment"
    named = {row.split()[0] for row in rows if row.split()[0].endswith(".py")}
    assert named == {module.name for module in MODULES if module.name not in {"__init__.py", "__main__.py"}}


def test_readme_commands_run(run, tmp_path):
    """Every `inkdigits` command of the README runs, in its order, in a folder with what it expects."""
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "classic").symlink_to(run.path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    mine = tmp_path / "my-pictures" / "7"
    mine.mkdir(parents=True)
    (mine / "a.jpg").write_bytes((ROOT / "examples/pictures/7-pencil-in-a-corner.jpg").read_bytes())
    commands = [
        line.removeprefix("$ ").split("  #")[0].strip()
        for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL)
        for line in block.splitlines()
        if line.startswith("$ inkdigits")
    ]
    assert len(commands) >= 5
    for command in commands:
        short = " --epochs 1 --batch-size 5000 --out trained" if command.startswith("inkdigits train") else ""
        script = command.replace("inkdigits", f"{shlex.quote(sys.executable)} -m inkdigits", 1) + short
        done = subprocess.run(script, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stderr}"


def test_readme_python_runs(run, tmp_path, monkeypatch):
    """The lines of Python in the README run one after another."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "classic").symlink_to(run.path)
    (tmp_path / "seven.jpg").write_bytes((ROOT / "examples/pictures/7-pencil-in-a-corner.jpg").read_bytes())
    (tmp_path / "page.jpg").write_bytes((ROOT / "examples/pages/meter-card.jpg").read_bytes())
    names = {}
    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        short = block.replace(
            'train("classic", seed=0)', 'train("classic", epochs=1, batch_size=5000, out="short")'
        )
        exec(short, names)
    assert names["digit"].value == 7


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in ROOT.glob("docs/*.md"))]
)
def test_links_lead_somewhere(page):
    """Every relative link and picture exists."""
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / page).read_text())
    assert all(((ROOT / page).parent / target).exists() for target in targets)


# What is shipped


def test_shipped_model_was_trained_as_the_makefile_says():
    """By the current recipe, for so many epochs, by the teacher that is kept."""
    card = inkdigits.Classifier().card
    said = r"RECIPE_classifier := (\w+) --teacher runs/best --epochs (\d+) --seed (\d+)"
    name, epochs, seed = re.search(said, (ROOT / "Makefile").read_text()).groups()
    teacher = hashlib.sha256((ROOT / "benchmarks/finished/best-0/model.onnx").read_bytes()).hexdigest()
    assert card.recipe == {**find_recipe(name).to_dict(), "epochs": int(epochs), "teacher": teacher}
    assert card.seed == int(seed)


def test_wheel_reads_right_after_installation(tmp_path):
    """The wheel holds the model and is small."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"inkdigits/models/classifier/model.onnx", "inkdigits/models/classifier/card.json"} <= set(names)
    assert "inkdigits/py.typed" in names
    assert not [name for name in names if name.endswith(".keras")]  # for training only
    assert wheel.stat().st_size < 8_000_000


def test_makefile_is_what_the_readme_says():
    """The two commands of the README exist."""
    makefile = (ROOT / "Makefile").read_text()
    assert all(f"\n{target}:" in makefile for target in re.findall(r"`make (\w+)`", README))
