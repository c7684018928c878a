"""Ways to find wrong labels: ours, and those that it is compared with.

A finder takes rows, labels and a seed, and returns a table with the column "score", of
which larger values are worse, and where it tells them "probability_wrong" and the mark
"is_found".
"""

import sys
import warnings
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_memorize import MemorizingMLP, find_mislabeled, memorization_scores

OURS = "find_mislabeled"

Finder = Callable[[np.ndarray, np.ndarray, int], pd.DataFrame]


def _ours(X: np.ndarray, y: np.ndarray, seed: int, n_jobs: int) -> pd.DataFrame:
    return find_mislabeled(X, y, random_state=seed, n_jobs=n_jobs).sort_index()


def _margin(probabilities: np.ndarray, y: np.ndarray) -> pd.DataFrame:
    """Score rows by how much more probable another class is than the given one."""
    others, rows = probabilities.copy(), np.arange(len(y))
    others[rows, y] = -np.inf
    return pd.DataFrame({"score": others.max(axis=1) - probabilities[rows, y]})


def _forest(X: np.ndarray, y: np.ndarray, seed: int) -> pd.DataFrame:
    forest = RandomForestClassifier(500, oob_score=True, random_state=seed)
    return _margin(forest.fit(X, y).oob_decision_function_, y)


def _folds(X: np.ndarray, y: np.ndarray, seed: int, classifier: Any) -> pd.DataFrame:
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    model = make_pipeline(StandardScaler(), classifier)
    predicted = cross_val_predict(model, X, y, cv=folds, method="predict_proba")
    return _margin(predicted, y)


def _cumulative_loss(X: np.ndarray, y: np.ndarray, seed: int) -> pd.DataFrame:
    """Sum the losses of a training; each row takes part in one of two, on halves."""
    network = MemorizingMLP(
        whitening_shrinkage=None, max_epochs=30, target_accuracy=None, device="cpu"
    )
    model = make_pipeline(StandardScaler(), network)
    scores = memorization_scores(model, X, y, n_fits=2, random_state=seed)
    return pd.DataFrame({"score": scores.cumulative_loss})


def _cleanlab(
    X: np.ndarray, y: np.ndarray, seed: int, make: Callable[[int], Any]
) -> pd.DataFrame:
    from cleanlab.classification import CleanLearning

    found = CleanLearning(make(seed), seed=seed).find_label_issues(X, y)
    table = pd.DataFrame({"score": -found["label_quality"].to_numpy()})
    table["is_found"] = found["is_label_issue"].to_numpy()
    return table


def make_finders(n_jobs: int) -> dict[str, Finder]:
    """Name the finders; those of cleanlab only if it is installed."""
    logistic = LogisticRegression(max_iter=1000)
    finders: dict[str, Finder] = {
        OURS: partial(_ours, n_jobs=n_jobs),
        "forest out of bag": _forest,
        "nearest neighbors": partial(_folds, classifier=KNeighborsClassifier(10)),
        "logistic regression": partial(_folds, classifier=logistic),
        "cumulative loss": _cumulative_loss,
    }
    if find_spec("cleanlab") is None:
        print("notice: no cleanlab: needs the extra 'compare'", file=sys.stderr)
        return finders
    models: dict[str, Callable[[int], Any]] = {
        "default": lambda _: None,
        "logistic": lambda _: make_pipeline(StandardScaler(), logistic),
        "forest": lambda seed: RandomForestClassifier(random_state=seed),
        "boosting": lambda seed: HistGradientBoostingClassifier(
            max_iter=50, random_state=seed
        ),
    }
    for name, make in models.items():
        finders[f"cleanlab, {name}"] = partial(_cleanlab, make=make)
    return finders


def find(finder: Finder, X: np.ndarray, y: np.ndarray, seed: int) -> pd.DataFrame:
    """Find wrong labels, without the warnings of models that do not converge."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return finder(X, y, seed)
