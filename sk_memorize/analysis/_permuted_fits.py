"""Fit a classifier to the given labels and to permutations, with checkpoints."""

import copy
import os
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.parallel import (
    Parallel,
    _threadpool_controller_decorator,
    delayed,
)

from .._errors import wrong
from .._fingerprint import digest, show
from .._records import RecordStore
from .._seeding import draw_seed, seeded_clone, spawn_seeds
from .._unwrap import layers
from ..corruption import LabelPermuter

OWNER = "randomization_test"

Record = dict[str, Any]


@dataclass(frozen=True, eq=False)
class PermutedFits:
    """Fits to the given labels, as number 0, and to permutations of them.

    Attributes
    ----------
    estimator : estimator instance
        The classifier.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The rows.
    y : ndarray of shape (n_samples,)
        The labels.
    groups : array-like of shape (n_samples,) or None
        The group of each row.
    splitter : cross-validation generator
        The folds.
    """

    estimator: Any
    X: Any
    y: NDArray
    groups: ArrayLike | None
    splitter: BaseCrossValidator

    def run(
        self,
        n_permutations: int,
        seed: int | None,
        store: RecordStore | None,
        n_jobs: int | None,
    ) -> list[Record]:
        """Measure the labelings that are not yet in the store, the given labels first.

        The seed decides the permutations, and the seeds that are None. None takes the
        seed of the store, or else a new one.
        """
        if seed is None:
            seed = _stored_seed(store)
        estimator_seed, splitter_seed, first = spawn_seeds(seed, 3)
        seeded = PermutedFits(
            seeded_clone(self.estimator, estimator_seed),
            self.X,
            self.y,
            self.groups,
            seeded_splitter(self.splitter, splitter_seed),
        )
        records = {
            number: record
            for number in range(n_permutations + 1)
            if store is not None
            and (record := store.get({"permutation": number})) is not None
        }
        seeds = [None, *spawn_seeds(first, n_permutations)]
        finished = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
            delayed(_measure)(seeded, number, seeds[number])
            for number in range(n_permutations + 1)
            if number not in records
        )
        for number, record in finished:
            if store is not None:
                store.add({"permutation": number}, record)
            records[number] = record
        return [records[number] for number in range(n_permutations + 1)]

    def fingerprint(self, seed: int | None) -> dict[str, Any]:
        """Compute digests of everything that decides the records, for the store."""
        parts = {
            "estimator": self.estimator,
            "cv": self.splitter,
            "X": self.X,
            "y": self.y,
            "groups": self.groups,
        }
        try:
            digests = {name: digest(part) for name, part in parts.items()}
            shown = {name: show(parts[name]) for name in ("estimator", "cv")}
        except TypeError as error:
            must = f"be None where estimator or folds cannot be pickled: {error}"
            raise ValueError(wrong("checkpoint", OWNER, must, "a file")) from error
        return {
            "of": OWNER,
            "random_state": seed,
            **digests,
            **{name: f"{text} {digests[name]}" for name, text in shown.items()},
            "versions": {"numpy": np.__version__, "scikit-learn": sklearn.__version__},
        }


def seeded_splitter(splitter: BaseCrossValidator, seed: int) -> BaseCrossValidator:
    """Copy a cross-validation generator, and give it a seed if it has none."""
    twin = copy.deepcopy(splitter)
    if getattr(twin, "random_state", 0) is None:
        twin.random_state = seed
    return twin


def open_store(
    checkpoint: str | os.PathLike[str], header: dict[str, Any]
) -> RecordStore:
    """Open the file of a checkpoint, or make it."""
    path = Path(checkpoint)
    if path.is_dir() or not path.parent.is_dir():
        must = "be a file in a folder that exists"
        raise ValueError(wrong("checkpoint", OWNER, must, repr(str(path))))
    return RecordStore(path, header)


def _stored_seed(store: RecordStore | None) -> int:
    """Draw a seed, or take that of the store, which keeps it for a restart."""
    key = {"drawn": "seed"}
    record = None if store is None else store.get(key)
    if record is None:
        record = {"seed": draw_seed(None)}
        if store is not None:
            store.add(key, record)
    return int(record["seed"])


# Last digits of sums depend on the number of threads, and that on n_jobs.
@_threadpool_controller_decorator(limits=1, user_api="blas")
def _measure(fits: PermutedFits, number: int, seed: int | None) -> tuple[int, Record]:
    """Measure the statistics of one labeling."""
    y = fits.y
    if seed is not None:
        permuter = LabelPermuter(random_state=seed).fit(y, groups=fits.groups)
        y = permuter.y_corrupted_
    with warnings.catch_warnings():
        if seed is not None:
            # Random labels are expected to be hard to fit.
            warnings.simplefilter("ignore", ConvergenceWarning)
        # Folds first: they warm up what the timed fit below uses.
        folds = _cross_validate(fits, y)
        estimator = clone(fits.estimator)
        start = time.perf_counter()
        estimator.fit(fits.X, y)
        seconds = time.perf_counter() - start
        train_accuracy = accuracy_score(y, estimator.predict(fits.X))
    return number, {
        **folds,
        "train_accuracy": float(train_accuracy),
        "epochs": _count_epochs(estimator),
        "seconds": seconds,
    }


def _cross_validate(fits: PermutedFits, y: NDArray) -> Record:
    """Fit the training folds, and compare the predictions of the test folds."""
    against_fitted, against_true = [], []
    # A splitter may hold a RandomState: give each labeling the same state.
    splits = copy.deepcopy(fits.splitter).split(fits.X, y, fits.groups)
    for train, test in splits:
        X_train, y_train = _safe_split(fits.estimator, fits.X, y, train)
        X_test, y_test = _safe_split(fits.estimator, fits.X, y, test, train)
        if not len(y_test):
            continue  # permuted groups, if they are few, may leave a fold empty
        has_one_class = (y_train == y_train[0]).all()
        estimator = DummyClassifier() if has_one_class else clone(fits.estimator)
        y_pred = estimator.fit(X_train, y_train).predict(X_test)
        against_fitted.append(accuracy_score(y_test, y_pred))
        against_true.append(accuracy_score(fits.y[test], y_pred))
    return {
        "cv_accuracy": float(np.mean(against_fitted)),
        "cv_accuracy_true": float(np.mean(against_true)),
    }


def _count_epochs(estimator: object) -> int | None:
    """Find how many epochs, or iterations, a fit took."""
    for layer in layers(estimator):
        for name in ("n_epochs_", "n_iter_"):
            if (value := getattr(layer, name, None)) is not None:
                return int(np.max(value))
    return None
