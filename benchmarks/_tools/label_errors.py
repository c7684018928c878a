"""Labels made wrong on purpose: anywhere, among like classes, near the boundary."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_memorize import LabelPermuter

KINDS = ("uniform", "similar", "boundary")

# How many times as often the row with the least margin is taken as that with the
# largest, as a power of e.
_CONCENTRATION = 3.0


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

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        The true labels: 0, 1, ...
    kind : {"uniform", "similar", "boundary"}
        Any other class, for rows drawn at random; the class that is most often taken
        for the row's; or the most probable other class, for rows of small margin.
    rate : float
        The part.
    probabilities : ndarray of shape (n_rows, n_classes)
        Of the classes, by classifiers that know the true labels of other rows.
    seed : int
        Decides which rows.

    Returns
    -------
    y_wrong : ndarray of shape (n_rows,)
        The labels, exactly ``round(rate * n_rows)`` of which are wrong.
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
