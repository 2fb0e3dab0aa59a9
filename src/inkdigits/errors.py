"""Everything inkdigits raises on purpose, in one tree.

InkdigitsError            catch this one to catch them all
    ArgumentError         a parameter has a value that is not accepted (also a ValueError)
    PictureError          a picture can't be opened, decoded or is larger than the limit
    ModelError            a model folder is missing, damaged, foreign or of another schema
    DataError             MNIST or a folder of labeled pictures can't be found or verified
    RunError              a run folder can't be written, resumed or overwritten, or a training diverged
    ExportError           a network can't be exported, or gives other numbers than the trained one
    MissingExtraError     an optional part of inkdigits is not installed

Each message says what failed, what was received, what is accepted and what to do next.
"""

from numbers import Integral


class InkdigitsError(Exception):
    """Base class of every error that inkdigits raises on purpose."""


class ArgumentError(InkdigitsError, ValueError):
    """A parameter has a value that is not accepted."""


class PictureError(InkdigitsError):
    """A picture can't be opened, decoded or is larger than the limit."""


class ModelError(InkdigitsError):
    """A model folder is missing, damaged, foreign or of another schema."""


class DataError(InkdigitsError):
    """MNIST or a folder of labeled pictures can't be found or verified."""


class RunError(InkdigitsError):
    """A run folder can't be written, resumed or overwritten, or a training diverged."""


class ExportError(InkdigitsError):
    """A network can't be exported, or gives other numbers than the trained one."""


class MissingExtraError(InkdigitsError, ImportError):
    """An optional part of inkdigits is not installed."""


def is_whole(value: object) -> bool:
    """Tell whether an argument is a whole number, NumPy's as well; True and False are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)
