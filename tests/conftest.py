"""What tests of several modules share: the real MNIST, and one real, short training."""

import pytest

from inkdigits.learning import mnist as mnist_module
from inkdigits.learning.training import Run, train

# Short, and in few steps: enough to be right nine times in ten.
RUN_SETTINGS = {"seed": 3, "epochs": 3, "batch_size": 1000}


@pytest.fixture(scope="session")
def mnist() -> mnist_module.Mnist:
    """The real MNIST, from the user's cache after the first time."""
    return mnist_module.load()


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run of the documented network, trained for three short epochs."""
    return train("classic", **RUN_SETTINGS, out=tmp_path_factory.mktemp("runs") / "run")
