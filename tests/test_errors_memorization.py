"""What the scores of rows refuse before any fit, and what they say."""

import numpy as np
import pandas as pd
import pytest
from error_cases import each, never, refused, wrong_data
from sklearn.linear_model import LinearRegression, Perceptron
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from sk_memorize import MemorizationScores, memorization_scores
from sk_memorize.analysis.memorization._fits import Fits

X = np.random.RandomState(0).standard_normal((12, 2))
FRAME = pd.DataFrame(X, columns=["a", "b"])
Y = list("abcabcabcabc")
GIVEN = {"estimator": GaussianNB(), "X": X, "y": Y, "random_state": 0}
OF = "memorization_scores"
ESTIMATOR, ROWS, LABELS, FITS, GROUPS, WEIGHT, TEST_ROWS, TEST_LABELS, FILE = (
    f"'{name}' parameter of {OF}"
    for name in (
        *("estimator", "X", "y", "n_fits", "groups", "sample_weight"),
        *("X_test", "y_test", "checkpoint"),
    )
)

CASES = [
    *wrong_data(
        OF,
        ("class", {"estimator": GaussianNB}, ESTIMATOR, "an instance", "GaussianNB'>"),
        ("regressor", {"estimator": LinearRegression()}, ESTIMATOR, "a classifier"),
        ("no-proba", {"estimator": Perceptron()}, ESTIMATOR, "predict_proba", "Percep"),
        ("no-members", {"estimator": []}, ESTIMATOR, "a list of them", "Got []"),
        ("member", {"estimator": [GaussianNB(), 3]}, ESTIMATOR, "instance", "Got 3"),
        ("y-one-class", {"y": ["a"] * 12}, LABELS, "at least two classes", "'a'"),
        ("y-short", {"y": Y[:7]}, ROWS, "each of the 7 labels", "Got 12 rows"),
        ("y-missing", {"y": [None, *Y[1:]]}, LABELS, "free of missing", "position 0"),
        ("y-numbers", {"y": X[:, 0]}, LABELS, "must hold whole numbers", "1.76"),
        ("few", {"X": X[:3], "y": Y[:3]}, ROWS, "at least 4 rows", "Got 3"),
        ("one-in-half", {"y": [*"b" * 11, "a"]}, LABELS, "two classes", "Got ['b']"),
        ("equal", {"X": np.ones((12, 2))}, LABELS, "trained on", "Got []"),
        ("odd", {"n_fits": 5}, FITS, "even with train_size=0.5", "Got 5"),
        ("one-fit", {"n_fits": 1}, FITS, "[2, inf)", "Got 1"),
        ("few-fits", {"train_size": 0.9, "n_fits": 4}, FITS, "large enough", "Got 4"),
        ("size", {"train_size": 1.0}, "'train_size'", "(0.0, 1.0)", "Got 1.0"),
        ("one-group", {"groups": [1] * 12}, GROUPS, "two groups", "a single one"),
        ("groups-short", {"groups": [1, 2]}, GROUPS, "the 12 rows", "shape (2,)"),
        ("groups-nan", {"groups": [np.nan, *range(11)]}, GROUPS, "missing", "nan"),
        ("weight", {"sample_weight": [-1] * 12}, WEIGHT, "not negative", "from -1.0"),
        ("weight-0", {"sample_weight": [0] * 12}, WEIGHT, "positive", "0.0 to 0.0"),
        ("weight-word", {"sample_weight": ["x"] * 12}, WEIGHT, "numbers", "Got an"),
        (
            *("unweighted", {"sample_weight": [1] * 12}, WEIGHT, "takes no weights"),
            "KNeighbors",
        ),
        ("no-labels", {"X_test": X}, TEST_LABELS, "with 'X_test'", "Got None"),
        ("no-rows", {"y_test": Y}, TEST_ROWS, "with 'y_test'", "Got None"),
        ("columns", {"X_test": X[:, :1], "y_test": Y}, TEST_ROWS, "(2,)", "Got (1,)"),
        ("list", {"X_test": [[0]] * 12, "y_test": Y}, TEST_ROWS, "(2,)", "Got (1,)"),
        ("empty", {"X_test": X[:0], "y_test": []}, TEST_ROWS, "one row", "Got none"),
        (
            *("names", {"X": FRAME, "X_test": FRAME.set_axis([*"bc"], axis=1)}),
            *(TEST_ROWS, "['a', 'b']", "Got ['b', 'c']"),
        ),
        ("test-short", {"X_test": X, "y_test": ["a"]}, TEST_LABELS, "12 rows", "(1,)"),
        ("unknown", {"X_test": X[:1], "y_test": ["z"]}, TEST_LABELS, "y has", "'z'"),
        (
            *("many", {"X_test": X, "y_test": Y, "n_influences": 13}),
            *("'n_influences'", "at most", "12", "Got 13"),
        ),
        ("influences", {"n_influences": 0}, "'n_influences'", "[1, inf)", "Got 0"),
        ("jobs", {"n_jobs": 0}, "'n_jobs' parameter", "or None", "Got 0"),
        ("seed", {"random_state": -1}, "'random_state'", "Got -1"),
        ("verbose", {"verbose": "x"}, "'verbose'", "Got 'x'"),
        ("folder", {"checkpoint": "no/file"}, FILE, "that exists", "'no/file'"),
        (
            *("no-pickle", {"estimator": GaussianNB(priors=(1 for _ in Y))}),
            *(FILE, "cannot be pickled", "a file"),
        ),
    ),
    *wrong_data(OF, ("X", {"X": 3}, ROWS, "an array-like", "Got 3"), error=TypeError),
]


@each(CASES)
def test_nothing_is_fitted(case, monkeypatch):
    monkeypatch.setattr(Fits, "run", never)
    given = GIVEN | case.data
    if case.name == "names":
        given["y_test"] = Y
    if case.name == "no-pickle":
        given["checkpoint"] = "sums"  # is not made
    if case.name == "unweighted":
        given["estimator"] = KNeighborsClassifier()
    with refused(case):
        memorization_scores(**given)


def test_probabilities_that_are_no_numbers_are_refused():
    classifier = KNeighborsClassifier(weights=lambda distance: distance * np.nan)
    with pytest.raises(ValueError, match=f"{ESTIMATOR} .* finite .* Got NaN from"):
        memorization_scores(classifier, X, Y, n_fits=2, random_state=0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"estimator": GaussianNB(var_smoothing=1)}, "another estimator"),
        ({"X": X + 1}, "another X, y, groups or sample_weight"),
        ({"random_state": 1}, "another random_state"),
        ({"random_state": np.random.RandomState(0)}, "another random_state"),
        ({"n_fits": 2}, "fits in the checkpoint, 4. Got 2"),
        (None, "cannot be read"),
    ],
)
def test_the_file_of_another_call_is_refused_and_kept(changes, words, tmp_path):
    path = tmp_path / "sums"
    memorization_scores(**GIVEN, n_fits=4, checkpoint=path)
    if changes is None:
        path.write_bytes(path.read_bytes()[:-100])
    content = path.read_bytes()
    with pytest.raises(ValueError, match=words):
        memorization_scores(
            **(GIVEN | {"n_fits": 4} | (changes or {})), checkpoint=path
        )
    assert path.read_bytes() == content


READS = [
    *wrong_data(
        "MemorizationScores.top",
        ("k", {"k": 0}, "'k' parameter of", "range [1, inf)", "Got 0"),
        ("part", {"k": 2.5}, "'k' parameter of", "an int", "Got 2.5"),
        ("by", {"k": 1, "by": "age"}, "'by' parameter", "memorization", "Got 'age'"),
        ("within", {"k": 1, "within": [1]}, "'within' parameter", "12", "shape (1,)"),
    ),
    *wrong_data(
        "MemorizationScores.influence_of",
        ("row", {"row": 12}, "'row' parameter", "from 0 to 11", "Got 12"),
        ("part", {"row": 1.5}, "'row' parameter", "'int'", "Got 1.5"),
        ("untested", {"row": 1}, "needs test rows", "'X_test' and 'y_test'"),
    ),
    *wrong_data(
        "MemorizationScores.influential_pairs",
        ("nan", {"min_influence": np.nan}, "'min_influence'", "a float", "Got nan"),
        ("untested", {}, "needs test rows", "'X_test' and 'y_test'"),
    ),
]


@each(READS)
def test_nothing_is_read(case):
    test = {} if case.name == "untested" else {"X_test": X, "y_test": Y}
    scores = memorization_scores(**GIVEN, n_fits=2, **test)
    with refused(case):
        getattr(scores, case.of.split(".")[1])(**case.data)
    assert isinstance(scores, MemorizationScores)
