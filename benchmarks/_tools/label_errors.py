"""Tables, and labels made wrong on purpose: anywhere, by likeness, at the boundary."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import resample

from _tools.common import fail
from sk_memorize import LabelPermuter, load_dataset

KINDS = ("uniform", "similar", "boundary")

# How many times as often the row with the least margin is taken as that with the
# largest, as a power of e.
_CONCENTRATION = 3.0

Table = tuple[str, np.ndarray, np.ndarray]


def load_tables(args: argparse.Namespace) -> Iterator[Table]:
    """Load the data sets, or the CSV file: names, rows, and labels 0, 1, ..."""
    n_rows = args.max_samples
    if args.csv is not None:
        yield _sample(Path(args.csv).name, *read_csv(args.csv, args.target), n_rows)
        return
    sets = {"digits": load_digits, "breast cancer": load_breast_cancer}
    for name, load in {**sets, "wine": load_wine}.items():
        X, y = load(return_X_y=True)
        yield _sample(name, X, y, n_rows)
    try:
        images = load_dataset(args.dataset, data_home=args.data_home)
    except OSError as error:
        print(f"notice: no images: {error}", file=sys.stderr)
        return
    rows = slice(2000 if n_rows is None else None)
    X, y = images.X_train[rows], images.y_train[rows]
    name, X, y = _sample(images.title, X, y, n_rows)
    yield name, X.astype(np.float32), y


def _sample(name: str, X: np.ndarray, y: np.ndarray, n_rows: int | None) -> Table:
    """Take a stratified sample, and refuse one in which a class is rare."""
    if n_rows is not None and n_rows < len(y):
        X, y = resample(
            X, y, replace=False, n_samples=n_rows, stratify=y, random_state=0
        )
    counts = np.bincount(y, minlength=2)
    if counts.min() < 5:
        fail(f"{name}: needs 5 rows of each class, got {counts.tolist()}")
    return name, X, y


def read_csv(file: str, target: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Read a table with a column of labels; text becomes columns of zeros and ones."""
    try:
        frame = pd.read_csv(file)
    except (OSError, ValueError) as error:
        fail(f"argument --csv: {error}")
    if target not in frame:
        fail(f"argument --target: must be one of {list(frame)}, got {target!r}")
    if frame.shape[1] == 1:
        fail(f"argument --csv: must have a column beside {target!r}")
    frame = frame.dropna()
    labels = pd.factorize(frame.pop(target), sort=True)[0]
    return pd.get_dummies(frame).to_numpy(np.float64), labels


def judge_rows(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Predict the probabilities of the classes by two classifiers, out of fold."""
    judges: tuple[ClassifierMixin, ...] = (
        RandomForestClassifier(random_state=0),
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
    )
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    return np.mean(
        [
            cross_val_predict(judge, X, y, cv=folds, method="predict_proba")
            for judge in judges
        ],
        axis=0,
    )


def make_wrong(
    y: np.ndarray, kind: str, rate: float, probabilities: np.ndarray, seed: int
) -> np.ndarray:
    """Make a part of the labels wrong.

    The kinds are "uniform", any other class, for rows drawn at random; "similar", the
    class that is most often taken for the row's; and "boundary", the most probable
    other class, for rows of small margin. The probabilities are those of classifiers
    that know the labels of other rows; all labels are 0, 1, ... and right. Of them
    exactly ``round(rate * n_rows)`` are made wrong.
    """
    if kind == "uniform":
        noise = LabelPermuter("symmetric", fraction=rate, random_state=seed)
        return noise.fit(y).transform(y)
    rows, rng = np.arange(len(y)), np.random.RandomState(seed)
    others = probabilities.copy()
    others[rows, y] = -1
    n_wrong = round(rate * len(y))
    y_wrong = y.copy()
    if kind == "similar":
        mean = np.stack([others[y == k].mean(axis=0) for k in range(others.shape[1])])
        chosen = rng.permutation(len(y))[:n_wrong]
        y_wrong[chosen] = mean.argmax(axis=1)[y[chosen]]
        return y_wrong
    margin = probabilities[rows, y] - others.max(axis=1)
    rank = np.argsort(np.argsort(margin, kind="stable"), kind="stable") / len(y)
    weight = np.exp(-_CONCENTRATION * rank)
    chosen = rng.choice(len(y), n_wrong, replace=False, p=weight / weight.sum())
    y_wrong[chosen] = others.argmax(axis=1)[chosen]
    return y_wrong
