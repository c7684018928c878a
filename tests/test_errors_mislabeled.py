"""What the finder of wrong labels refuses before any fit, and what it says."""

from dataclasses import replace

import numpy as np
import pandas as pd
from error_cases import each, never, refused, wrong_data, wrong_parameters
from sklearn.linear_model import Perceptron
from sklearn.naive_bayes import GaussianNB

from sk_memorize import MislabeledRows, find_mislabeled
from sk_memorize.analysis.memorization._fits import Fits

X = np.random.RandomState(0).standard_normal((12, 2))
Y = list("abcabcabcabc")
P = np.full((12, 3), 1 / 3)
ESTIMATOR, ROWS, PROBABILITIES, FITS = (
    f"'{name}' parameter of find_mislabeled"
    for name in ("estimator", "X", "pred_probs", "n_fits")
)


def changed(value):
    matrix = P.copy()
    matrix[4, 1] = value
    return {"pred_probs": matrix}


CASES = [
    *wrong_data(
        "find_mislabeled",
        ("no-proba", {"estimator": Perceptron()}, ESTIMATOR, "predict_proba", "Percep"),
        ("no-members", {"estimator": []}, ESTIMATOR, "a list of them", "Got []"),
        ("both", {"estimator": GaussianNB(), "pred_probs": P}, ESTIMATOR, "None where"),
        ("groups", {"groups": Y, "pred_probs": P}, "'groups'", "nothing is fitted"),
        ("nan", changed(np.nan), PROBABILITIES, "finite", "nan in row 4"),
        ("negative", changed(-0.1), PROBABILITIES, "nonnegative", "minimum -0.1"),
        ("sum", changed(0.6), PROBABILITIES, "sum to 1", "the sum 1.26667 in row 4"),
        ("columns", {"pred_probs": P[:, :2]}, PROBABILITIES, "['a', 'b', 'c']", "2)"),
        ("rows", {"pred_probs": P[:7]}, PROBABILITIES, "shape (12, 3)", "(7, 3)"),
        ("words", {"pred_probs": [["x"] * 3] * 12}, PROBABILITIES, "be numbers"),
        ("1d", {"pred_probs": P[:, 0]}, PROBABILITIES, "shape (12, 3)", "(12,)"),
        (
            *("shuffled", {"pred_probs": pd.DataFrame(P, columns=list("cab"))}),
            *(PROBABILITIES, "in the order of the classes", "['c', 'a', 'b']"),
        ),
        ("other-X", {"X": X[:5], "pred_probs": P}, ROWS, "the 12 labels", "Got 5"),
        ("X-none", {"X": None}, ROWS, "Got None"),
        ("X-1d", {"X": X[:, 0]}, ROWS, "at least one column", "shape (12,)"),
        ("X-inf", {"X": X * np.inf}, ROWS, "magnitudes up to 1e+15", "in row 0"),
        ("X-int", {"X": np.full((12, 1), -(2**63))}, ROWS, "1e+15", "Got -922"),
        ("X-few", {"X": X[:3], "y": Y[:3]}, ROWS, "at least 4 rows", "Got 3"),
        ("one-class", {"y": ["a"] * 12}, "'y' parameter", "two classes", "'a'"),
        ("fits", {"n_fits": 4}, FITS, "[5, inf)", "Got 4"),
        ("jobs", {"n_jobs": 0}, "'n_jobs' parameter", "or None", "Got 0"),
        ("seed", {"random_state": -1}, "'random_state'", "Got -1"),
        ("verbose", {"verbose": "x"}, "'verbose'", "Got 'x'"),
        ("weight", {"sample_weight": [-1] * 12}, "'sample_weight'", "not negative"),
    ),
    *wrong_parameters(
        "MislabeledRows.fit_resample",
        ("fits", {"n_fits": 4}, "'n_fits'", "[5, inf)", "Got 4"),
        ("jobs", {"n_jobs": 0}, "'n_jobs'", "or None", "Got 0"),
        ("seed", {"random_state": -1}, "'random_state'", "Got -1"),
        ("action", {"action": "flip"}, "'action'", "'relabel'", "'flip'"),
        ("threshold", {"threshold": 2}, "'threshold'", "[0.0, 1.0]", "Got 2"),
        ("many", {"n_rows": 13}, "'n_rows'", "the number of rows, 12", "Got 13"),
        ("share", {"n_rows": 1.5}, "'n_rows'", "[0.0, 1.0]", "Got 1.5"),
        ("estimator", {"estimator": 3}, "'estimator'", "Got 3"),
    ),
]


CASES += [replace(case, of="MislabeledRows.fit") for case in CASES if case.params]


@each(CASES)
def test_nothing_is_fitted(case, monkeypatch):
    monkeypatch.setattr(Fits, "run", never)
    with refused(case):
        if case.params:
            getattr(MislabeledRows(**case.params), case.of.split(".")[1])(X, Y)
        else:
            find_mislabeled(**({"X": X, "y": Y} | case.data))
