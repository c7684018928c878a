"""What LabelPermuter and CorruptedTargetClassifier refuse, and what they say."""

import datetime

import numpy as np
import pandas as pd
import pytest
from error_cases import Case, each, never, refused, wrong_data, wrong_parameters
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from sk_memorize import CorruptedTargetClassifier, LabelPermuter

Y = list("aabbcc")
X = np.zeros((6, 2))
CYCLE = pd.DataFrame([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5]])
DATES = pd.Series(pd.to_datetime(["2020-01-01", None]))


def matrix(values):
    return {"kind": "transition", "transition_matrix": values}


NOT_1D = "'y' parameter of LabelPermuter", "must be a 1d array-like of labels"
MISSING = "'y' parameter of LabelPermuter", "must be free of missing values"
CLASSES = "'y' parameter of LabelPermuter", "whole numbers, booleans or strings"
MATRIX = "The 'transition_matrix' parameter of LabelPermuter"
NUMBERS = MATRIX, "must be a 2d array-like of numbers"
SHAPE = MATRIX, "must have the shape (3, 3), in the order of the classes"
SEED = "'random_state' parameter of LabelPermuter", "an int in the range"

PERMUTER_PARAMETERS = wrong_parameters(
    "LabelPermuter.fit",
    ("kind-unknown", {"kind": "swap"}, "'kind' parameter", "a str among", "Got 'swap'"),
    ("fraction-high", {"fraction": 1.5}, "'fraction' parameter", "[0.0, 1.0]", "1.5"),
    ("exact-int", {"exact": 1}, "'exact' parameter", "'bool'", "Got 1"),
    ("seed-negative", {"random_state": -1}, *SEED, "Got -1"),
    ("matrix-None", matrix(None), MATRIX, "must be given", "Got None"),
    (
        "matrix-superfluous",
        {"transition_matrix": CYCLE},
        *(MATRIX, "None for the other kinds", "Got a matrix for kind='permutation'"),
    ),
    ("matrix-2x2", matrix(np.eye(2)), *SHAPE, "shape (2, 2)"),
    ("matrix-ragged", matrix([[1, 0], [0]]), *NUMBERS, "items differ in length"),
    ("matrix-nan", matrix(np.full((3, 3), np.nan)), MATRIX, "be finite", "Got nan"),
    ("matrix-negative", matrix(np.diag([1, 1, -1])), MATRIX, "nonnegative", "-1.0"),
    (
        "matrix-sums",
        matrix(np.diag([1, 0.5, 1])),
        *(MATRIX, "rows that sum to 1", "Got the sum 0.5 in row 1"),
    ),
    (
        "matrix-order",
        matrix(CYCLE.set_axis(list("cba"), axis=1)),
        *(MATRIX, "in the order of the classes", "Got the order ['c', 'b', 'a']"),
    ),
)

PERMUTER_DATA = [
    *wrong_data(
        "LabelPermuter.fit",
        ("y-None", {"y": None}, *NOT_1D, "Got None"),
        ("y-2d", {"y": X}, *NOT_1D, "an array of shape (6, 2)"),
        ("y-ragged", {"y": [[1], [1, 2]]}, *NOT_1D, "items differ in length"),
        ("y-complex", {"y": [1j, 2]}, "Complex", *NOT_1D, "dtype complex128"),
        ("y-empty", {"y": []}, "'y' parameter", "at least one label", "empty array"),
        ("y-nan", {"y": [1, np.nan]}, *MISSING, "Got nan at position 1"),
        ("y-with-None", {"y": ["a", None]}, *MISSING, "Got None at position 1"),
        ("y-NA", {"y": pd.Series([pd.NA, "a"])}, *MISSING, "at position 0"),
        ("y-NaT", {"y": DATES}, *MISSING, "Got NaT at position 1"),
        ("y-masked", {"y": np.ma.array([1, 2], mask=[0, 1])}, *MISSING, "a masked"),
        ("y-infinite", {"y": [1, np.inf]}, "'y'", "finite", "Got inf at position 1"),
        ("y-large", {"y": [2**63, -1]}, "'y'", "less than 2**63", "Got 9.223"),
        ("y-continuous", {"y": [1, 0.5]}, "continuous", *CLASSES, "Got 0.5"),
    ),
    *wrong_data(
        "LabelPermuter.fit",
        *(
            (f"y-{name}", {"y": given}, *CLASSES, f"Got values of type {name}")
            for name, given in [
                ("object (int, str)", np.array(["a", 1], object)),
                ("int, str", ["a", 1]),
                ("float, str", ["a", np.nan]),
                ("int", [2**63 + 1, 2**63, -1]),
                ("object (int)", np.array([7, 8], object)),
                ("object (date)", [datetime.date(2026, 1, 1)]),
                ("object (Timestamp)", pd.date_range("2026", periods=3, tz="UTC")),
                ("datetime64[ns]", np.array([1, 2], "M8[ns]")),
                ("timedelta64[D]", np.array([1, 2], "m8[D]")),
                ("|S1", np.array([b"a", b"b"])),
                ("[('a', '<i8')]", np.array([(1,), (2,)], [("a", "<i8")])),
                ("StringDType()", np.array(["a", "b"], np.dtypes.StringDType())),
            ]
        ),
        (
            "y-sparse",
            {"y": sparse.eye_array(6).tocsr()},
            "Sparse",
            "for y",
            ".toarray()",
        ),
        error=TypeError,
    ),
    *(
        case
        for kind in ("symmetric", "asymmetric")
        for case in wrong_data(
            "LabelPermuter.fit",
            (kind, {"y": ["a"]}, "'y'", "at least two classes for kind=", "'a'"),
            kind=kind,
        )
    ),
    *wrong_data(
        "LabelPermuter.fit",
        (
            "groups-conflict",
            {"y": Y, "groups": list("uuvwww")},
            *("'groups' parameter", "each group a single label", "'w'", "'b' and 'c'"),
        ),
        (
            "strata-conflict",
            {"y": Y, "groups": list("uuvvww"), "strata": [0, 0, 0, 1, 1, 1]},
            *("'strata' parameter", "each group in a single stratum", "'v'", "0 and 1"),
        ),
        *(
            (f"{name}-{wrong}", {"y": Y, name: given}, f"'{name}' parameter", *words)
            for name in ("groups", "strata")
            for wrong, given, *words in [
                ("short", [1, 2], "one value for each of the 6 rows", "shape (2,)"),
                ("2d", X, "1d array-like", "shape (6, 2)"),
                ("ragged", [[1], [2, 3]], "1d array-like", "items differ in length"),
                ("None", [*"uuv", None, *"ww"], "free of missing", "at position 3"),
                ("nan", (*"uuv", np.nan, *"ww"), "free of missing", "nan at position"),
                ("mask", np.ma.array(range(6), mask=[0, 1] * 3), "missing", "None"),
            ]
        ),
    ),
]

RESAMPLE = [
    *wrong_data(
        "LabelPermuter.fit_resample",
        ("X-None", {"X": None, "y": Y}, "'X' parameter", "array-like rows", "Got None"),
        ("X-str", {"X": "abcdef", "y": Y}, "'X' parameter", "rows", "Got 'abcdef'"),
        ("lengths", {"X": X[:3], "y": Y}, "inconsistent numbers of samples", "[3, 6]"),
        ("y-None", {"X": X, "y": None}, *NOT_1D, "Got None"),
        ("groups-short", {"X": X, "y": Y, "groups": [1]}, "'groups'", "6", "(1,)"),
    ),
]

SAME = "'y' parameter of LabelPermuter.transform", "must be the y given to fit"
TRANSFORM = wrong_data(
    "LabelPermuter.transform",
    ("fewer", {"y": Y[:4]}, *SAME, "Got 4 labels, not 6", "call fit on the new labels"),
    ("other-order", {"y": Y[::-1]}, *SAME, "Got 6 labels, of which some differ"),
    ("other-type", {"y": range(6)}, *SAME, "Got 6 labels, of which some differ"),
    ("None", {"y": None}, "'y' parameter", "1d array-like of labels", "Got None"),
    ("2d", {"y": X}, "'y' parameter", "1d array-like of labels", "shape (6, 2)"),
)


@each(PERMUTER_PARAMETERS + PERMUTER_DATA + RESAMPLE)
def test_a_permuter_draws_and_keeps_nothing(case):
    rng = np.random.RandomState(0)
    permuter = LabelPermuter(**({"random_state": rng} | case.params))
    before = vars(permuter).copy()
    method = getattr(permuter, case.of.partition(".")[2])
    with refused(case):
        method(**({"y": Y} | case.data))
    assert vars(permuter) == before
    assert rng.rand() == np.random.RandomState(0).rand()


@each(PERMUTER_DATA + RESAMPLE)
def test_a_fitted_permuter_keeps_its_fit(case):
    permuter = LabelPermuter(**case.params).fit(Y)
    before = vars(permuter).copy()
    with refused(case):
        getattr(permuter, case.of.partition(".")[2])(**case.data)
    assert vars(permuter) == before


@each(TRANSFORM)
def test_transform_refuses_other_labels(case):
    permuter = LabelPermuter().fit(Y)
    with refused(case):
        permuter.transform(**case.data)


class Unfittable(KNeighborsClassifier):
    """A classifier that is not to be fitted."""

    def __init__(self, n_neighbors=1):
        super().__init__(n_neighbors)

    fit = never


def estimator(value):
    return {"estimator": value}


def corruption(value):
    return {"estimator": Unfittable(), "corruption": value}


ESTIMATOR = "'estimator' parameter of CorruptedTargetClassifier"
CORRUPTION = "'corruption' parameter of CorruptedTargetClassifier", "LabelPermuter"

TARGET_PARAMETERS = wrong_parameters(
    "CorruptedTargetClassifier.fit",
    ("estimator-None", estimator(None), ESTIMATOR, "'fit' and 'predict'", "Got None"),
    ("estimator-class", estimator(Unfittable), ESTIMATOR, "an instance", "Unfittable"),
    ("estimator-regressor", estimator(Ridge()), ESTIMATOR, "a classifier", "Ridge()"),
    (
        "estimator-parameter",
        estimator(GaussianNB(var_smoothing=-1)),
        *("'var_smoothing' parameter of GaussianNB", "[0.0, inf)", "Got -1"),
    ),
    ("corruption-str", corruption("transition"), *CORRUPTION, "Got 'transition'"),
    ("corruption-class", corruption(LabelPermuter), *CORRUPTION, "Got <class"),
    (
        "corruption-parameter",
        corruption(LabelPermuter(fraction=2)),
        *("'fraction' parameter of LabelPermuter", "[0.0, 1.0]", "Got 2"),
    ),
)


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (lambda: LabelPermuter(), r"CorruptedTargetClassifier\("),
        (lambda: make_pipeline(LabelPermuter().fit(Y), GaussianNB()), "CorruptedT"),
        (lambda: make_pipeline(LabelPermuter(), GaussianNB()), "LabelPermuter"),
        (lambda: make_column_transformer((LabelPermuter(), [0])), "LabelPermuter"),
    ],
)
def test_a_permuter_is_no_transformer_of_rows(use, words):
    with pytest.raises(TypeError, match=words):
        use().fit(X, Y)


TARGET_DATA = [
    *wrong_data(
        "CorruptedTargetClassifier.fit",
        ("y-None", {"y": None}, "CorruptedTargetClassifier", "requires y", "y is None"),
        ("y-short", {"y": Y[:-1]}, "inconsistent numbers of samples", "[6, 5]"),
        ("y-2d", {"y": X}, *NOT_1D, "shape (6, 2)"),
        ("y-missing", {"y": [*"aabb", None, "c"]}, *MISSING, "None at position 4"),
        ("y-continuous", {"y": X[:, 0] + 0.5}, "continuous", *CLASSES, "Got 0.5"),
        ("groups-short", {"groups": [1]}, "'groups' parameter", "6 rows", "(1,)"),
        estimator=Unfittable(),
    ),
    *wrong_data(
        "CorruptedTargetClassifier.fit",
        ("X-nan", {"X": X * np.nan}, "Input X", "NaN", "GaussianNB does not accept"),
        ("X-1d", {"X": X[:, 0]}, "Expected 2D array, got 1D array"),
        estimator=GaussianNB(),
    ),
    *wrong_data(
        "CorruptedTargetClassifier.fit",
        ("unknown-argument", {"colour": 3}, "GaussianNB.fit()", "'colour'"),
        error=TypeError,
        estimator=GaussianNB(),
    ),
]


@each(TARGET_PARAMETERS + TARGET_DATA)
def test_a_corrupted_classifier_is_not_fitted(case):
    clf = CorruptedTargetClassifier(**case.params)
    before = vars(clf).copy()
    with refused(case):
        clf.fit(**({"X": X, "y": Y} | case.data))
    assert vars(clf) == before


METHODS = "predict", "predict_proba", "predict_log_proba", "decision_function"
WAY_OUT = "CorruptedTargetClassifier instance is not fitted yet", "Call 'fit'"
PREDICTION = [
    Case(f"CorruptedTargetClassifier.{name}", "", {}, {"X": X}, WAY_OUT, NotFittedError)
    for name in METHODS
]


@each(PREDICTION)
def test_predictions_of_a_corrupted_classifier(case):
    clf = CorruptedTargetClassifier(LogisticRegression())
    with refused(case):
        getattr(clf, case.of.partition(".")[2])(**case.data)


@pytest.mark.parametrize("name", ["classes_", "n_features_in_", "feature_names_in_"])
def test_fitted_attributes_of_an_unfitted_classifier(name):
    clf = CorruptedTargetClassifier(Unfittable())
    with pytest.raises(NotFittedError, match="Call 'fit' with appropriate arguments"):
        getattr(clf, name)
    assert not hasattr(clf, name)


CASES = [
    *(PERMUTER_PARAMETERS + PERMUTER_DATA + RESAMPLE + TRANSFORM),
    *(TARGET_PARAMETERS + TARGET_DATA + PREDICTION),
]
