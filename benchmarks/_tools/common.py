"""What the benchmark scripts share: how they run, data and fits."""

import argparse
import functools
import math
import os
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NoReturn

import joblib
import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.utils import resample

from _tools.progress import track
from _tools.tables import summarize
from sk_memorize import (
    CorruptedTargetClassifier,
    LabelPermuter,
    MemorizingMLP,
    load_dataset,
    memorization_scoring,
)


def fail(message: str) -> NoReturn:
    """End the script with a message on stderr."""
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(1)


def run_script(main: Callable[[], None]) -> None:
    """Run a script; Ctrl-C and a full disk end it with one line."""
    try:
        main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit("interrupted: no table is written; a sweep's --output keeps its cells")
    except OSError as error:
        # At its end Python would write what is left to stdout, and complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        fail(str(error))


@functools.cache
def warm_up(fit: Callable[..., object], *args: Any) -> None:
    """Call ``fit(X, y, *args)`` with made-up rows, once in a process.

    The first fit of a process would be timed with its imports and the start of its
    threads.
    """
    fit(*_made_up_rows(), *args)


def warm_up_workers(device: str, n_jobs: int = 1) -> None:
    """Let the processes that joblib shares fits among fit a small network first."""
    X, y = _made_up_rows()
    # A network, and no function of ours: a cluster's workers know the package only.
    # Each worker takes long for its first fit, so the others are left to the others.
    n_fits = joblib.effective_n_jobs(n_jobs)
    joblib.Parallel(n_jobs)(
        joblib.delayed(_small_network(device).fit)(X, y) for _ in range(n_fits)
    )


def fit_small_network(X: np.ndarray, y: np.ndarray, device: str) -> None:
    """Fit a network for two epochs."""
    _small_network(device).fit(X, y)


def _small_network(device: str) -> MemorizingMLP:
    return MemorizingMLP(
        max_epochs=2, target_accuracy=None, device=device, random_state=0
    )


def _made_up_rows() -> tuple[np.ndarray, np.ndarray]:
    X = np.random.default_rng(0).random((2048, 256), dtype=np.float32)
    return X, np.arange(len(X)) % 10


@dataclass(frozen=True)
class Data:
    """A data set as the scripts use it, and the title of its tables."""

    name: str
    title: str
    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    n_channels: int = 1

    @property
    def chance_accuracy(self) -> float:
        """Expected test accuracy of guesses with the training frequencies."""
        classes = np.unique(self.y_train)
        train = (self.y_train[:, None] == classes).mean(0)
        test = (self.y_test[:, None] == classes).mean(0)
        return float(train @ test)

    @property
    def facts(self) -> dict[str, Any]:
        """What a table tells of the data in each row."""
        return {
            "dataset": self.name,
            "n_train": len(self.y_train),
            "n_test": len(self.y_test),
            "chance_accuracy": self.chance_accuracy,
        }


def load_data(args: argparse.Namespace, folds: int = 0) -> Data:
    """Load the data set that the arguments ask for; tell what is unusual.

    Parameters
    ----------
    args : argparse.Namespace
        With ``dataset``, ``data_home`` and ``max_samples``.
    folds : int
        Into how many the training part will be divided.

    Returns
    -------
    data : Data
        With as many rows in the training part as the arguments allow.
    """
    with warnings.catch_warnings():
        # The notice is printed below, as a sentence of its own.
        warnings.simplefilter("ignore", UserWarning)
        try:
            bunch = load_dataset(args.dataset, data_home=args.data_home)
        except (OSError, ValueError) as error:
            fail(str(error))
    title = bunch.title
    if bunch.notice:
        print(f"notice: {bunch.notice}", file=sys.stderr)
        title = f"{bunch.title} of scikit-learn, instead of MNIST"
    X_train, y_train = bunch.X_train, bunch.y_train
    n_classes = len(np.unique(y_train))
    if args.max_samples is not None and args.max_samples < len(y_train):
        needed = 2 * n_classes if not folds else n_classes * folds
        if args.max_samples < needed:
            fail(
                f"argument --max-samples: {args.max_samples} rows are too few for "
                f"{n_classes} classes and {folds} folds; at least {needed}."
            )
        rows = sample_rows(y_train, args.max_samples)
        X_train, y_train = X_train[rows], y_train[rows]
    n_channels = bunch.image_shape[2] if len(bunch.image_shape) == 3 else 1
    return Data(
        bunch.name, title, X_train, y_train, bunch.X_test, bunch.y_test, n_channels
    )


def sample_rows(y: np.ndarray, n: int) -> np.ndarray:
    """Choose rows with the shares of the classes."""
    rows, how = np.arange(len(y)), {"stratify": y, "random_state": 0}
    if len(y) - n < len(np.unique(y)):  # a split would leave a class without a row
        return np.asarray(resample(rows, replace=False, n_samples=n, **how))
    return np.asarray(train_test_split(rows, train_size=n, **how)[0])


def make_estimator(
    labels: str, seed: int, **params: Any
) -> MemorizingMLP | CorruptedTargetClassifier:
    """Make the classifier that is fitted to true or to permuted labels."""
    network = MemorizingMLP(random_state=seed, **params)
    if labels == "true":
        return network
    return CorruptedTargetClassifier(network, LabelPermuter(random_state=seed))


def network_of(estimator: Any) -> MemorizingMLP:
    """Find the network in a pipeline, or behind corrupted targets."""
    if isinstance(estimator, Pipeline):
        estimator = estimator[-1]
    given = getattr(estimator, "estimator", estimator)
    return getattr(estimator, "estimator_", given)


def run_protocols(
    args: argparse.Namespace,
    data: Data,
    column: str,
    kinds: Mapping[str, Callable[[int], ClassifierMixin]],
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Fit on the training part with each seed, and on its folds with the first one.

    Parameters
    ----------
    args : argparse.Namespace
        With ``device``, ``folds``, ``n_jobs`` and ``seed``.
    data : Data
        What is fitted and tested on.
    column : str
        What the kinds are kinds of. Labels are the true ones if it is not "labels".
    kinds : dict of callable
        By name, what makes a classifier of a seed.

    Returns
    -------
    table : pandas.DataFrame
        A row for each kind and protocol: means over the fits, and their spread.
    histories : dict of pandas.DataFrame
        Of the first fit of each kind, by name.
    """
    protocols: list[tuple[str, int, list[Any], int]]
    protocols = [("holdout", seed, [None], 1) for seed in args.seed]
    if args.folds:
        folds = StratifiedKFold(args.folds, shuffle=True, random_state=args.seed[0])
        splits = list(folds.split(data.X_train, data.y_train))
        protocols.append(("cv", args.seed[0], splits, args.n_jobs))
    runs = track(
        product(kinds, protocols), lambda run: f"{run[0]} {column}, {run[1][0]}"
    )
    fits: list[dict[str, Any]] = []
    histories: dict[str, pd.DataFrame] = {}
    for name, (protocol, seed, splits, n_jobs) in runs:
        about = {column: name, "protocol": protocol, "seed": seed}
        jobs = (joblib.delayed(_fit)(kinds[name](seed), data, s) for s in splits)
        for found, history in joblib.Parallel(n_jobs)(jobs):
            fits.append(about | found)
            histories.setdefault(name, history)
    table = pd.DataFrame(fits).assign(dataset=data.name)
    table["chance_accuracy"] = data.chance_accuracy
    table["labels"] = table.get("labels", "true")
    by = dict.fromkeys([column, "dataset", "labels", "protocol"])
    return summarize(table, list(by)), histories


def _fit(
    estimator: ClassifierMixin, data: Data, split: Sequence[np.ndarray] | None
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Fit on the training part, or one part of its split, and measure on both."""
    train, test = (data.X_train, data.y_train), (data.X_test, data.y_test)
    if split is not None:
        train, test = ((data.X_train[rows], data.y_train[rows]) for rows in split)
    seconds, scorers = timed_fit(estimator, *train), memorization_scoring()
    network = network_of(estimator)
    found = {
        "n_train": len(train[1]),
        "n_test": len(test[1]),
        "train_accuracy": scorers["fitted_accuracy"](estimator, *train),
        "train_loss": network.train_loss_,
        "train_accuracy_true": scorers["accuracy"](estimator, *train),
        "test_accuracy": scorers["accuracy"](estimator, *test),
        "guess_std": guess_std(test[1], estimator.predict(test[0])),
        "epochs": network.n_epochs_,
        "fit_seconds": seconds,
    }
    return found, network.history_


def guess_std(y: np.ndarray, guesses: np.ndarray) -> float:
    """Compute how accuracies scatter if the guessed classes trade names at random.

    Guesses for similar rows are alike, so it is more than for independent ones.
    """
    shares = confusion_matrix(y, guesses) / len(y)
    rest = shares - shares.mean(0) - shares.mean(1)[:, None] + shares.mean()
    return math.sqrt(np.square(rest).sum() / (len(shares) - 1))


def timed_fit(model: Any, X: np.ndarray, y: np.ndarray) -> float:
    """Fit a network; return the seconds. A missed target is a result here."""
    warm_up(fit_small_network, network_of(model).device)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)
    return time.perf_counter() - start


def timed_fit_or_nan(network: MemorizingMLP, X: np.ndarray, y: np.ndarray) -> float:
    """Fit a network; return the seconds, NaN if its training diverges."""
    try:
        return timed_fit(network, X, y)
    except ValueError as error:
        if "diverged" not in str(error):
            raise
        return math.nan
