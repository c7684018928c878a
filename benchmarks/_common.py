"""What the benchmark scripts share: arguments, data, and fits."""

import argparse
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from _tables import PICTURES, TABLES
from sklearn.base import ClassifierMixin
from sklearn.model_selection import StratifiedKFold, cross_validate, train_test_split
from sklearn.pipeline import Pipeline

from sk_memorize import (
    CorruptedTargetClassifier,
    LabelPermuter,
    MemorizingMLP,
    load_dataset,
    memorization_scoring,
)

DATASETS = ("auto", "mnist", "fashion-mnist", "kmnist", "cifar10", "digits")


def positive_int(text: str) -> int:
    """Read an int of at least 1."""
    return _int_from(text, 1)


def fold_count(text: str) -> int:
    """Read a number of folds: 0, for no cross-validation, or at least 2."""
    value = _int_from(text, 0)
    if value == 1:
        raise argparse.ArgumentTypeError("must be 0 or at least 2, got 1")
    return value


def seed_value(text: str) -> int:
    """Read a seed."""
    return _int_from(text, 0)


def _int_from(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(
            f"must be an int of at least {least}, got {text!r}"
        )
    return value


def make_parser(description: str, *, folds: int = 3) -> argparse.ArgumentParser:
    """Make a parser with the options that all scripts have."""
    parser = argparse.ArgumentParser(
        description=description,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--dataset",
        choices=DATASETS,
        default="auto",
        help="data set; auto: MNIST if it can be had, else scikit-learn's digits",
    )
    parser.add_argument(
        "--data-home",
        metavar="DIR",
        help="folder of the data sets, in torchvision's layout; without it "
        "SK_MEMORIZE_DATA, or a cache folder, counts",
    )
    parser.add_argument(
        "--folds",
        type=fold_count,
        default=folds,
        help="folds of the stratified cross-validation on the training part; 0: none",
    )
    parser.add_argument(
        "--seed",
        type=seed_value,
        nargs="+",
        default=[0],
        help="seeds of the initial weights, the order of the rows and the "
        "permutation; several seeds repeat the holdout",
    )
    parser.add_argument(
        "--n-jobs",
        type=int,
        default=1,
        help="processes that share the folds; -1: one per core",
    )
    parser.add_argument(
        "--device", default="auto", help="where to train: auto, cpu, cuda, mps"
    )
    parser.add_argument(
        "--max-samples",
        type=positive_int,
        metavar="N",
        help="train on a stratified sample of N rows; without it, on all",
    )
    parser.add_argument(
        "--output",
        metavar="FILE",
        help="also write the table: .csv, .json (a list of records) or .md",
    )
    parser.add_argument(
        "--plot", metavar="FILE", help="draw the figure: .png, .pdf or .svg"
    )
    return parser


def parse_arguments(
    parser: argparse.ArgumentParser, argv: Sequence[str] | None = None
) -> argparse.Namespace:
    """Parse the arguments, and check them all before any work is done."""
    args = parser.parse_args(argv)
    if args.n_jobs == 0:
        parser.error("argument --n-jobs: must not be 0; 1 is one process")
    if args.device != "auto" and not _is_usable(args.device):
        parser.error(
            "argument --device: must be auto or a device that torch can use here, "
            f"got {args.device!r}"
        )
    for option, suffixes in (("output", TABLES), ("plot", PICTURES)):
        name = getattr(args, option)
        if name is not None:
            problem = _why_not_writable(Path(name), suffixes)
            if problem:
                parser.error(f"argument --{option}: {problem}")
    if args.plot is not None:
        try:
            import matplotlib  # noqa: F401  only whether it is there
        except ImportError:
            parser.error(
                "argument --plot: needs matplotlib; install the extra 'plot': "
                'pip install -e ".[plot]"'
            )
    return args


def _is_usable(device: str) -> bool:
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError):  # torch's ways to say no
        return False
    return True


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


def fail(message: str) -> NoReturn:
    """End the script with a message on stderr."""
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(1)


@dataclass(frozen=True)
class Data:
    """A data set as the scripts use it, and the title of its tables."""

    name: str
    title: str
    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray

    @property
    def chance_accuracy(self) -> float:
        """Expected test accuracy of guesses with the training frequencies."""
        classes = np.unique(self.y_train)
        train = (self.y_train[:, None] == classes).mean(0)
        test = (self.y_test[:, None] == classes).mean(0)
        return float(train @ test)


def load_data(args: argparse.Namespace) -> Data:
    """Load the data set that the arguments ask for; tell what is unusual."""
    with warnings.catch_warnings():
        # The notice is printed below, as a sentence of its own.
        warnings.simplefilter("ignore", UserWarning)
        try:
            bunch = load_dataset(args.dataset, data_home=args.data_home)
        except (OSError, ValueError) as error:
            fail(str(error))
    title = bunch.name
    if bunch.notice:
        print(f"notice: {bunch.notice}", file=sys.stderr)
        title = f"{bunch.name} ({bunch.notice})"
    X_train, y_train = bunch.X_train, bunch.y_train
    n_classes = len(np.unique(y_train))
    if args.max_samples is not None and args.max_samples < len(y_train):
        needed = 2 * n_classes if not args.folds else n_classes * args.folds
        if args.max_samples < needed:
            fail(
                f"argument --max-samples: {args.max_samples} rows are too few for "
                f"{n_classes} classes and {args.folds} folds; at least {needed}."
            )
        X_train, _, y_train, _ = train_test_split(
            X_train,
            y_train,
            train_size=args.max_samples,
            stratify=y_train,
            random_state=0,
        )
    return Data(bunch.name, title, X_train, y_train, bunch.X_test, bunch.y_test)


def make_estimator(
    labels: str, seed: int, **params: Any
) -> MemorizingMLP | CorruptedTargetClassifier:
    """Make the classifier that is fitted to true or to permuted labels."""
    network = MemorizingMLP(random_state=seed, **params)
    if labels == "true":
        return network
    return CorruptedTargetClassifier(network, LabelPermuter(random_state=seed))


def network_of(estimator: Any) -> MemorizingMLP:
    """Find the fitted network in a pipeline, or behind corrupted targets."""
    if isinstance(estimator, Pipeline):
        estimator = estimator[-1]
    return getattr(estimator, "estimator_", estimator)


def _record(
    data: Data, labels: str, protocol: str, seed: int, **measured: Any
) -> dict[str, Any]:
    return {
        "dataset": data.name,
        "labels": labels,
        "protocol": protocol,
        "chance_accuracy": data.chance_accuracy,
        "seed": seed,
        **measured,
    }


def run_holdout(
    estimator: ClassifierMixin, data: Data, labels: str, seed: int
) -> dict[str, Any]:
    """Fit on the training part, and measure on both parts."""
    say(f"{labels} labels, holdout, seed {seed}")
    start = time.perf_counter()
    estimator.fit(data.X_train, data.y_train)
    seconds = time.perf_counter() - start
    scorers = memorization_scoring()
    train = {
        name: scorer(estimator, data.X_train, data.y_train)
        for name, scorer in scorers.items()
    }
    network = network_of(estimator)
    return _record(
        data,
        labels,
        "holdout",
        seed,
        n_train=len(data.y_train),
        n_test=len(data.y_test),
        train_accuracy=train["fitted_accuracy"],
        train_loss=network.train_loss_,
        train_accuracy_true=train["accuracy"],
        test_accuracy=scorers["accuracy"](estimator, data.X_test, data.y_test),
        epochs=network.n_epochs_,
        fit_seconds=seconds,
    )


def run_folds(
    estimator: ClassifierMixin,
    data: Data,
    labels: str,
    seed: int,
    *,
    folds: int,
    n_jobs: int,
) -> list[dict[str, Any]]:
    """Cross-validate on the training part; one record for each fold."""
    say(f"{labels} labels, {folds}-fold cross-validation, seed {seed}")
    results = cross_validate(
        estimator,
        data.X_train,
        data.y_train,
        scoring=memorization_scoring(),
        cv=StratifiedKFold(folds, shuffle=True, random_state=seed),
        n_jobs=n_jobs,
        return_train_score=True,
        return_estimator=True,
        return_indices=True,
        error_score="raise",
    )
    return [
        _record(
            data,
            labels,
            "cv",
            seed,
            n_train=len(results["indices"]["train"][fold]),
            n_test=len(results["indices"]["test"][fold]),
            train_accuracy=results["train_fitted_accuracy"][fold],
            train_loss=network_of(fitted).train_loss_,
            train_accuracy_true=results["train_accuracy"][fold],
            test_accuracy=results["test_accuracy"][fold],
            epochs=network_of(fitted).n_epochs_,
            fit_seconds=results["fit_time"][fold],
        )
        for fold, fitted in enumerate(results["estimator"])
    ]


def say(text: str) -> None:
    """Tell on stderr what is being fitted."""
    print(f"fitting: {text} ...", file=sys.stderr, flush=True)
