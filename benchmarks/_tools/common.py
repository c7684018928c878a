"""What the benchmark scripts share: how they run, data and fits."""

import argparse
import functools
import math
import os
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, NoReturn

import joblib
import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold, cross_validate, train_test_split
from sklearn.pipeline import Pipeline

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
        X_train, _, y_train, _ = train_test_split(
            X_train,
            y_train,
            train_size=args.max_samples,
            stratify=y_train,
            random_state=0,
        )
    n_channels = bunch.image_shape[2] if len(bunch.image_shape) == 3 else 1
    return Data(
        bunch.name, title, X_train, y_train, bunch.X_test, bunch.y_test, n_channels
    )


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
    X = np.concatenate([data.X_train, data.X_test])
    y = np.concatenate([data.y_train, data.y_test])
    parts = np.split(np.arange(len(y)), [len(data.y_train)])
    protocols: list[tuple[str, int, Any, int]]
    protocols = [("holdout", seed, [parts], 1) for seed in args.seed]
    warm_up(fit_small_network, args.device)
    if args.folds:
        warm_up_workers(args.device, args.n_jobs)
        folds = StratifiedKFold(args.folds, shuffle=True, random_state=args.seed[0])
        splits = list(folds.split(data.X_train, data.y_train))
        protocols.append(("cv", args.seed[0], splits, args.n_jobs))
    runs = track(
        product(kinds, protocols), lambda run: f"{run[0]} {column}, {run[1][0]}"
    )
    tables: list[pd.DataFrame] = []
    histories: dict[str, pd.DataFrame] = {}
    for name, (protocol, seed, splits, n_jobs) in runs:
        table, networks = _fit_splits(kinds[name](seed), X, y, splits, n_jobs)
        tables.append(table.assign(protocol=protocol, seed=seed, **{column: name}))
        histories.setdefault(name, networks[0].history_)
    fits = pd.concat(tables, ignore_index=True).assign(dataset=data.name)
    fits["chance_accuracy"] = data.chance_accuracy
    fits["labels"] = fits.get("labels", "true")
    by = dict.fromkeys([column, "dataset", "labels", "protocol"])
    return summarize(fits, list(by)), histories


def _fit_splits(
    estimator: ClassifierMixin, X: np.ndarray, y: np.ndarray, splits: Any, n_jobs: int
) -> tuple[pd.DataFrame, list[MemorizingMLP]]:
    """Fit on the first part of each split, and measure on both."""
    results = cross_validate(
        estimator,
        X,
        y,
        scoring=memorization_scoring(),
        cv=splits,
        n_jobs=n_jobs,
        return_train_score=True,
        return_estimator=True,
        error_score="raise",
    )
    networks = [network_of(fitted) for fitted in results["estimator"]]
    found = {
        "n_train": [len(train) for train, _ in splits],
        "n_test": [len(test) for _, test in splits],
        "train_accuracy": results["train_fitted_accuracy"],
        "train_loss": [network.train_loss_ for network in networks],
        "train_accuracy_true": results["train_accuracy"],
        "test_accuracy": results["test_accuracy"],
        "epochs": [network.n_epochs_ for network in networks],
        "fit_seconds": results["fit_time"],
    }
    return pd.DataFrame(found), networks


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
