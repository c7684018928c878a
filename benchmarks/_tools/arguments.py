"""Command-line options of the benchmark scripts.

The values are checked as they are read, before any work is done.
"""

import argparse
import contextlib
import math
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from _tools.tables import PICTURES, TABLES

DATASETS = ("auto", "mnist", "fashion-mnist", "kmnist", "cifar10", "digits")


def number(
    kind: type, is_right: Callable[[Any], bool], words: str
) -> Callable[[str], Any]:
    """Make a reader of numbers of a kind, with the words that tell which are right."""

    def read(text: str) -> Any:
        with contextlib.suppress(ValueError):
            if is_right(value := kind(text)):
                return value
        raise argparse.ArgumentTypeError(f"must be {words}, got {text!r}")

    return read


positive_int = number(int, lambda value: value >= 1, "an int of at least 1")
several = number(int, lambda value: value >= 2, "an int of at least 2")
seed_value = number(int, lambda value: value >= 0, "an int of at least 0")
fold_count = number(int, lambda value: value == 0 or value >= 2, "0 or at least 2")
# In joblib's way: -1 is one per core.
job_count = number(int, bool, "an int, but not 0")
positive_seconds = number(float, lambda v: 0 < v < math.inf, "a positive number")
fraction = number(float, lambda value: 0 <= value <= 1, "from 0 to 1")
fraction_below_1 = number(float, lambda value: 0 <= value < 1, "in [0, 1)")


def device_name(text: str) -> str:
    """Read a device that torch can use here, or auto."""
    if text != "auto":
        try:
            torch.empty(0, device=text)
        except (RuntimeError, AssertionError):  # torch's ways to say no
            raise argparse.ArgumentTypeError(
                f"must be auto or a device that torch can use here, got {text!r}"
            ) from None
    return text


def table_file(text: str) -> str:
    """Read the name of a table that can be written."""
    return _writable_file(text, TABLES)


def picture_file(text: str) -> str:
    """Read the name of a picture that can be written; see that it can be drawn."""
    return _drawn_file(text, PICTURES)


def page_file(text: str) -> str:
    """Read the name of a page with a picture in it."""
    return _drawn_file(text, (".html",))


def _drawn_file(text: str, suffixes: Sequence[str]) -> str:
    _writable_file(text, suffixes)
    if find_spec("matplotlib") is None:
        raise argparse.ArgumentTypeError(
            "needs matplotlib; install the extra 'plot': pip install -e \".[plot]\""
        )
    return text


def _writable_file(text: str, suffixes: Sequence[str]) -> str:
    problem = _why_not_writable(Path(text), suffixes)
    if problem:
        raise argparse.ArgumentTypeError(problem)
    return text


def _why_not_writable(path: Path, suffixes: Sequence[str]) -> str | None:
    if path.suffix not in suffixes:
        return f"{path} must end in one of {', '.join(suffixes)}"
    if path.is_dir():
        return f"{path} is a folder"
    if not path.parent.is_dir():
        return f"the folder {path.parent} does not exist"
    try:
        # Permissions do not tell everything: a read-only disk, for instance.
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        return f"the folder {path.parent} cannot be written to: {error.strerror}"
    return None


OPTIONS: dict[str, dict[str, Any]] = {
    "dataset": {
        "choices": DATASETS,
        "default": "auto",
        "help": "data set; auto: MNIST if it can be had, else scikit-learn's digits",
    },
    "data-home": {
        "metavar": "DIR",
        "help": "folder of the data sets, in torchvision's layout; without it "
        "SK_MEMORIZE_DATA, or a cache folder, counts",
    },
    "folds": {
        "type": fold_count,
        "default": 3,
        "help": "folds of the stratified cross-validation on the training part; "
        "0: none",
    },
    "seed": {
        "type": seed_value,
        "nargs": "+",
        "default": [0],
        "help": "seeds of all that is random: labels, initial weights, order of the "
        "rows; a mean over several has a spread",
    },
    "n-jobs": {
        "type": job_count,
        "default": 1,
        "help": "processes that share the work; -1: one per core; the seconds are then "
        "those of work that shares the machine",
    },
    "device": {
        "type": device_name,
        "default": "auto",
        "help": "where to train: auto, cpu, cuda",
    },
    "max-samples": {
        "type": positive_int,
        "metavar": "N",
        "help": "train on a stratified sample of N rows; without it, on all",
    },
    "output": {
        "type": table_file,
        "metavar": "FILE",
        "help": "also write the table: .csv, .json (a list of records) or .md; a sweep "
        "keeps each finished cell beside it, in NAME.cells.jsonl, and goes on with the "
        "missing ones when it is started again with the same arguments",
    },
    "plot": {
        "type": picture_file,
        "metavar": "FILE",
        "help": "draw the figure: .png, .pdf or .svg",
    },
    "labels": {
        "choices": ("permuted", "true"),
        "default": "permuted",
        "help": "which labels to fit",
    },
    "widths": {
        "type": positive_int,
        "nargs": "+",
        "help": "units of a hidden layer",
    },
    "depths": {"type": positive_int, "nargs": "+", "help": "hidden layers"},
    "max-epochs": {
        "type": positive_int,
        "default": 100,
        "help": "epochs after which a network that has not fitted the labels gives up",
    },
    "repeats": {"type": positive_int, "default": 3, "help": "fits of each kind"},
}

# Every script has the first four.
ALWAYS = ("dataset", "data-home", "max-samples", "output")
STANDARD = (*ALWAYS, "folds", "seed", "n-jobs", "device", "plot")
Args = argparse.Namespace
# By name: a default, a reader or choices, and the help.
Own = Mapping[str, tuple[Any, Any, str]]


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    def _get_help_string(self, action: argparse.Action) -> str | None:
        # Where nothing is the default, the help itself tells what that means.
        if action.default is None:
            return action.help
        return super()._get_help_string(action)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        # argparse would make a single paragraph of all.
        paragraphs = text.strip().split("\n\n")
        fill = super()._fill_text
        return "\n\n".join(fill(part, width, indent) for part in paragraphs)


def make_parser(
    description: str | None,
    options: Iterable[str] | str = STANDARD,
    own: Own | None = None,
    /,
    **defaults: Any,
) -> argparse.ArgumentParser:
    """Make a parser with some of `OPTIONS`, a script's own, and other defaults."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=_HelpFormatter
    )
    names = options.split() if isinstance(options, str) else options
    for name in dict.fromkeys((*ALWAYS, *names)):
        add_option(parser, name)
    add_own(parser, own or {})
    parser.set_defaults(**defaults)
    return parser


def add_option(parser: argparse.ArgumentParser, name: str, **changed: Any) -> None:
    """Add one of `OPTIONS`, with other settings than usual."""
    parser.add_argument(f"--{name}", **{**OPTIONS[name], **changed})


def add_own(parser: argparse.ArgumentParser, options: Own) -> None:
    """Add a script's own options; a list takes several values, False is a flag."""
    for name, (default, kind, text) in options.items():
        settings: dict[str, Any] = {"help": text, "default": default}
        if default is False:
            settings["action"] = "store_true"
        elif callable(kind):
            settings["type"] = kind
        else:
            settings["choices"] = kind
        if isinstance(default, list):
            settings["nargs"] = "+"
        parser.add_argument(f"--{name}", **settings)


def add_seed(parser: argparse.ArgumentParser, meaning: str) -> None:
    """Add --seed for a single seed with its meaning."""
    add_option(parser, "seed", nargs=None, default=0, help=meaning)


def add_repeats(parser: argparse.ArgumentParser, meaning: str) -> None:
    """Add --repeats with its meaning, and instead of a list of seeds the first one."""
    add_option(parser, "repeats", help=meaning)
    add_seed(
        parser, "first seed of the labels, the initial weights, the order of the rows"
    )
