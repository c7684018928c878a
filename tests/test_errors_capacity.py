"""What the capacity, the randomization test and its display refuse, in what words."""

import numpy as np
import pandas as pd
import pytest
from error_cases import each, never, refused, wrong_data
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler

from sk_memorize import (
    RandomizationTestDisplay,
    memorization_capacity,
    randomization_test,
)
from sk_memorize.analysis import RandomizationTest

X = np.random.RandomState(0).standard_normal((20, 2))
Y = list("aabb") * 5


class Unfittable(GaussianNB):
    """A classifier that is not to be fitted."""

    fit = never


def wrong_estimators(function):
    must = f"'estimator' parameter of {function} must be", "an instance of a classifier"
    duck = f"'estimator' parameter of {function} must be", "'fit' and 'predict'"
    return [
        ("estimator-None", {"estimator": None}, *duck, "Got None"),
        ("estimator-scaler", {"estimator": StandardScaler()}, *duck, "StandardScaler"),
        ("estimator-class", {"estimator": GaussianNB}, *must, "Got <class"),
        ("estimator-regressor", {"estimator": Ridge()}, *must, "Got Ridge()"),
    ]


def wrong_numbers(function, **expectations):
    for name, (expected, *values) in expectations.items():
        for value in values:
            words = f"'{name}' parameter of {function} must be", expected
            yield f"{name}-{value}", {name: value}, *words, f"Got {value!r}"


WHOLE = "an int in the range"
CAPACITY = wrong_data(
    "memorization_capacity",
    *wrong_estimators("memorization_capacity"),
    *wrong_numbers(
        "memorization_capacity",
        n_features=(WHOLE, 0, -1, 1.5, "2"),
        n_classes=(WHOLE, 1, 2.0, None),
        target_accuracy=("a float in the range (0.0, 1.0]", 0, 1.1, 99, None),
        n_repeats=(WHOLE, 0, None, 2.5),
        min_samples=(WHOLE, 1, None, 3.0),
        max_samples=(WHOLE, 1, 2.0, "all"),
        rtol=("a float in the range [0.0, 1.0)", 1, -0.1, None),
        confidence=("a float in the range (0.0, 1.0)", 0, 1, 95, None),
        n_parameters=("a str among {'auto'} or a callable", "count", 5, None),
        n_jobs=(WHOLE, 0, 1.5, "all"),
        random_state=("an int in the range", -1, 1.5, "x"),
    ),
    ("X-scalar", {"X": 3}, "'X' parameter of", "array-like", "Got 3"),
    (
        "no-inputs",
        {"n_features": None},
        *("'n_features' parameter of", "an int where X is None", "Got None"),
    ),
    (
        "two-inputs",
        {"X": X},
        *("'n_features' parameter of", "None where X is given", "Got 2"),
    ),
    (
        "max_samples-rows",
        {"X": X, "n_features": None, "max_samples": 21},
        *("'max_samples' parameter of", "number of rows of X, 20", "Got 21"),
    ),
    (
        "min_samples-rows",
        {"X": X, "n_features": None, "min_samples": 30},
        *("'min_samples' parameter of", "max_samples, which is 20", "Got 30"),
    ),
    (
        "min_samples-max",
        {"min_samples": 30, "max_samples": 20},
        *("'min_samples' parameter of", "max_samples, which is 20", "Got 30"),
    ),
    (
        "target-chance",
        {"target_accuracy": 0.25, "n_classes": 4},
        *("'target_accuracy' parameter of", "above", "1 / n_classes = 0.25", "0.25"),
    ),
)

LABELS = "'y' parameter of randomization_test"
TEST = [
    *wrong_data(
        "randomization_test",
        *wrong_estimators("randomization_test"),
        *wrong_numbers(
            "randomization_test",
            n_permutations=(WHOLE, 0, None, 99.0),
            n_jobs=(WHOLE, 0, 1.5, "all"),
            random_state=(WHOLE, -1, 1.5, "x"),
            cv=("an int in the range [2, inf)", 1, 1.5, "loo"),
            checkpoint=("an instance of 'str'", 3, True),
        ),
        ("X-None", {"X": None}, "'X' parameter of", "array-like", "Got None"),
        ("X-short", {"X": X[:9]}, "inconsistent numbers of samples", "[9, 20]"),
        ("y-None", {"y": None}, LABELS, "array-like", "Got None"),
        ("y-2d", {"y": X}, LABELS, "1d array-like of labels", "shape (20, 2)"),
        ("y-continuous", {"y": X[:, 0]}, "continuous", LABELS, "must hold whole"),
        (
            "y-missing",
            {"y": [*Y[:19], None]},
            *(LABELS, "free of missing values", "Got None at position 19"),
        ),
        (
            "y-constant",
            {"y": ["a"] * 20},
            *(LABELS, "at least two classes", "one class, 'a',"),
        ),
        (
            "groups-short",
            {"groups": [1, 2]},
            *("'groups' parameter of randomization_test", "20 rows", "shape (2,)"),
        ),
        (
            "groups-conflict",
            {"groups": [0] * 20},
            *("'groups' parameter of", "a single label", "'a' and 'b'"),
        ),
        ("cv-folds", {"cv": 11}, "n_splits=11", "members in each class"),
        *(
            (f"cv-{cv}", {"cv": cv}, "'cv' parameter of", "rows to test", "only once")
            for cv in ([], [(range(20), [])], [([], range(20))])
        ),
    ),
    *wrong_data(
        "randomization_test",
        (
            "checkpoint-nowhere",
            {"checkpoint": "no/such/folder/test.jsonl"},
            *("'checkpoint' parameter of randomization_test", "folder that exists"),
            "Got 'no/such/folder/test.jsonl'",
        ),
        (
            "checkpoint-folder",
            {"checkpoint": "."},
            *("'checkpoint' parameter of randomization_test", "must be a file", "'.'"),
        ),
    ),
]

RESULT = RandomizationTest(
    pd.DataFrame({"cv_accuracy": [0.9, 0.5, 0.4], "epochs": [np.nan] * 3}),
    {"cv_accuracy": 1 / 3},
    20,
)
DISPLAYED = "'result' parameter of RandomizationTestDisplay", "what randomization_test"
STATISTIC = "'statistic' parameter of RandomizationTestDisplay", "['cv_accuracy'"
wrong_results = [
    ("result-None", {"result": None}, *DISPLAYED, "Got None"),
    ("result-table", {"result": RESULT.table}, *DISPLAYED, "shape (3, 2)"),
    ("statistic-unknown", {"statistic": "f1"}, *STATISTIC, "Got 'f1'"),
    ("statistic-None", {"statistic": None}, *STATISTIC, "Got None"),
    ("statistic-missing", {"statistic": "epochs"}, *STATISTIC, "Got 'epochs'"),
]
DISPLAY = [
    *wrong_data("RandomizationTestDisplay", *wrong_results),
    *wrong_data("RandomizationTestDisplay.from_results", *wrong_results),
    *wrong_data(
        "RandomizationTestDisplay.from_estimator",
        ("statistic-unknown", {"statistic": "f1"}, *STATISTIC, "'epochs']", "'f1'"),
        ("y-None", {"y": None}, LABELS, "array-like", "Got None"),
    ),
]
PLOT = wrong_data(
    "RandomizationTestDisplay.plot",
    ("bins-unknown", {"bins": "many"}, "'many' is not a valid estimator"),
    ("bins-zero", {"bins": 0}, "`bins` must be positive"),
    (
        "ax-str",
        {"ax": "left"},
        *("'ax' parameter of RandomizationTestDisplay", "an Axes", "Got 'left'"),
    ),
)

CASES = [*CAPACITY, *TEST, *DISPLAY, *PLOT]


@each(CAPACITY)
def test_no_labels_are_fitted(case):
    arguments = {"estimator": Unfittable(), "n_features": 2} | case.data
    with refused(case):
        memorization_capacity(**arguments)


@each(TEST)
def test_no_permutation_is_fitted(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = {"estimator": Unfittable(), "X": X, "y": Y} | case.data
    with refused(case):
        randomization_test(**arguments)
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_recognized_again_cannot_be_resumed(tmp_path):
    class Local(GaussianNB):
        pass

    with pytest.raises(
        ValueError, match=r"'checkpoint' parameter .* cannot be pickled"
    ):
        randomization_test(Local(), X, Y, checkpoint=tmp_path / "test.jsonl")
    assert not list(tmp_path.iterdir())


@each(DISPLAY)
def test_nothing_is_drawn(case):
    make = RandomizationTestDisplay
    arguments = {"result": RESULT}
    if case.of.endswith(".from_results"):
        make = make.from_results
    elif case.of.endswith(".from_estimator"):
        make = make.from_estimator
        arguments = {"estimator": Unfittable(), "X": X, "y": Y}
    with refused(case):
        make(**(arguments | case.data))


@each(PLOT)
def test_wrong_arguments_of_the_plot(case):
    with refused(case):
        RandomizationTestDisplay(RESULT).plot(**case.data)
