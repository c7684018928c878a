"""The capacity for random labels: against Cover's theorem and against known ones."""

import math
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse, stats
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from sk_memorize import memorization_capacity
from sk_memorize.analysis._capacity import _Sequence
from sk_memorize.analysis._capacity_result import median_interval

DIGITS, DIGIT_LABELS = load_digits(return_X_y=True)
# The default C prefers small weights to right labels.
LINEAR = LogisticRegression(C=np.inf, max_iter=1000)
HOMOGENEOUS = LogisticRegression(C=np.inf, max_iter=1000, fit_intercept=False)


class Known(ClassifierMixin, BaseEstimator):
    """A classifier that fits so many labels, and of more only the half."""

    def __init__(self, capacity=10, n_wrong=None, random_state=None):
        self.capacity = capacity
        self.n_wrong = n_wrong
        self.random_state = random_state

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.y_ = np.array(y)
        n_wrong = self.n_wrong
        if n_wrong is None:
            n_wrong = 0 if len(y) <= self.capacity else len(y) // 2
        wrong = slice(0, n_wrong)
        self.y_[wrong] = np.where(y[wrong] == 0, 1, 0)
        self.n_parameters_ = 5
        return self

    def predict(self, X):
        return self.y_


def without_seconds(result):
    return result.curve.drop(columns="seconds"), result.repeats


def assert_same(result, other):
    for one, two in zip(without_seconds(result), without_seconds(other), strict=True):
        pd.testing.assert_frame_equal(one, two)
    assert (result.labels, result.interval) == (other.labels, other.interval)


# Cover's theorem


@pytest.mark.parametrize(
    ("estimator", "n_weights"), [(HOMOGENEOUS, 25), (LINEAR, 26)], ids=["0", "1"]
)
def test_a_linear_classifier_fits_two_labels_for_each_weight(estimator, n_weights):
    result = memorization_capacity(
        estimator, n_features=25, n_repeats=16, min_samples=32, rtol=0, random_state=0
    )
    low, high = result.interval
    assert low <= 2 * n_weights <= high
    assert high - low < n_weights
    assert result.coverage >= 0.95
    assert result.n_parameters == n_weights
    assert result.labels_per_parameter == pytest.approx(2, abs=0.25)


def test_the_largest_number_of_labels_has_the_distribution_of_covers_theorem():
    # n labels can be fitted in d dimensions if n - 1 tosses of a coin have fewer than
    # d heads, so the largest n is the number of tosses until the d-th head.
    dim, n_repeats = 5, 70
    result = memorization_capacity(
        HOMOGENEOUS,
        n_features=dim,
        n_repeats=n_repeats,
        min_samples=2,
        rtol=0,
        random_state=0,
    )
    edges = [0, 7, 8, 10, 12, 14, np.inf]
    tosses = stats.nbinom(dim, 0.5, loc=dim)
    expected = n_repeats * np.diff(tosses.cdf(edges))
    found = np.histogram(result.repeats["largest_fitted"] - 0.5, edges)[0]
    assert stats.chisquare(found, expected).pvalue > 0.01


# The search


@settings(deadline=None, max_examples=25)
@given(
    capacity=st.integers(1, 200),
    min_samples=st.integers(2, 150),
    max_samples=st.integers(150, 250),
    rtol=st.sampled_from([0, 0.02, 0.1, 0.9]),
)
def test_a_known_capacity_is_found(capacity, min_samples, max_samples, rtol):
    result = memorization_capacity(
        Known(capacity),
        n_features=1,
        n_classes=50,
        n_repeats=2,
        min_samples=min_samples,
        max_samples=max_samples,
        rtol=rtol,
        random_state=0,
    )
    for repeat, row in result.repeats.iterrows():
        fits = result.curve[result.curve["repeat"] == repeat]
        assert fits["n_samples"].is_unique
        assert fits["n_samples"].is_monotonic_increasing
        assert fits["n_samples"].between(2, max_samples).all()
        if capacity >= max_samples:
            assert row["largest_fitted"] == max_samples
            assert pd.isna(row["smallest_failed"])
            continue
        # A single label, and labels that are all the same, need no classifier.
        trivial = max([1, *fits.loc[fits["n_parameters"].isna(), "n_samples"]])
        assert row["largest_fitted"] <= max(capacity, trivial) < row["smallest_failed"]
        slack = row["smallest_failed"] - 1 - row["largest_fitted"]
        assert slack <= rtol * row["largest_fitted"]
        assert len(fits) <= 2 * math.log2(max_samples) + 2
    assert result.is_lower_bound == (capacity >= max_samples)


def test_the_interval_covers_what_the_search_left_open():
    params = {"n_features": 1, "n_classes": 5, "random_state": 0}
    coarse = memorization_capacity(Known(100), rtol=0.5, **params)
    assert set(coarse.curve["n_samples"]) == {16, 32, 64, 96, 128}
    assert coarse.labels == 96
    assert coarse.interval == (96, 127)
    exact = memorization_capacity(Known(100), rtol=0, **params)
    assert exact.labels == 100
    assert exact.interval == (100, 100)


def test_what_never_fails_has_at_least_max_samples():
    tree = DecisionTreeClassifier()
    result = memorization_capacity(
        tree, n_features=3, max_samples=500, n_repeats=3, random_state=0
    )
    assert result.labels == 500
    assert result.is_lower_bound
    assert result.interval == (500, math.inf)
    assert result.repeats["smallest_failed"].isna().all()
    assert result.curve["success"].all()
    assert result.n_parameters > 100
    for words in ("at least 500 labels", "500 to inf", "at least 500\n"):
        assert words in repr(result) + "\n"


def test_half_of_the_repeats_decide_whether_it_is_a_lower_bound():
    class Lucky(Known):
        def fit(self, X, y):
            self.capacity = 40 if self.random_state % 3 else 1000
            return super().fit(X, y)

    params = {"n_features": 1, "n_classes": 9, "max_samples": 64, "n_repeats": 9}
    result = memorization_capacity(Lucky(), **params, random_state=0)
    n_censored = result.repeats["smallest_failed"].isna().sum()
    assert 0 < n_censored < 5
    assert result.labels == 40
    assert not result.is_lower_bound


def test_the_curve_has_all_fits():
    result = memorization_capacity(
        Known(20, random_state=0), n_features=2, n_classes=3, n_repeats=1, rtol=0
    )
    columns = ["repeat", "n_samples", "fitted_accuracy", "success", "seconds"]
    assert list(result.curve) == [*columns, "n_parameters"]
    expected = np.array([16, 20, 21, 22, 24, 32])
    accuracies = np.where(expected <= 20, 1, (expected - expected // 2) / expected)
    assert result.curve["n_samples"].tolist() == expected.tolist()
    assert result.curve["success"].tolist() == (expected <= 20).tolist()
    assert result.curve["fitted_accuracy"].tolist() == accuracies.tolist()
    assert (result.curve["seconds"] > 0).all()


def test_a_lower_target_is_a_larger_capacity():
    clf = Known(n_wrong=5)
    params = {"n_features": 1, "n_classes": 4, "rtol": 0, "random_state": 0}
    result = memorization_capacity(
        clf, target_accuracy=0.9, min_samples=64, max_samples=128, **params
    )
    assert result.is_lower_bound
    assert memorization_capacity(clf, **params).labels < 16


def test_sizes_that_are_too_small_for_the_classifier_count_as_failures():
    class Picky(Known):
        def fit(self, X, y):
            if len(y) < 12:
                raise ValueError("too few rows")
            return super().fit(X, y)

    result = memorization_capacity(Picky(5), n_features=1, n_classes=9, rtol=0)
    assert result.labels < 5
    assert result.curve["fitted_accuracy"].isna().any()
    with pytest.raises(ValueError, match="too few rows"):
        memorization_capacity(Picky(), n_features=1, min_samples=8)


# The bits


@pytest.mark.parametrize(("n_classes", "accuracy"), [(2, 0.9), (10, 0.5), (3, 1.0)])
def test_labels_with_errors_hold_the_mutual_information(n_classes, accuracy):
    channel = np.full((n_classes, n_classes), (1 - accuracy) / (n_classes - 1))
    np.fill_diagonal(channel, accuracy)
    joint = channel / n_classes
    independent = np.full_like(joint, 1 / n_classes**2)
    result = memorization_capacity(
        DecisionTreeClassifier(),
        n_features=2,
        n_classes=n_classes,
        target_accuracy=accuracy,
        max_samples=20,
        random_state=0,
    )
    information = stats.entropy(joint.ravel(), independent.ravel(), base=2)
    assert result.bits == pytest.approx(20 * information)
    assert result.bits_per_parameter == result.bits / result.n_parameters
    assert result.labels_per_parameter == 20 / result.n_parameters


# The sequences of rows and labels


@settings(deadline=None, max_examples=15)
@given(
    sizes=st.tuples(st.integers(1, 60), st.integers(1, 60)).map(sorted),
    n_classes=st.integers(2, 12),
    n_features=st.integers(1, 5),
    is_real=st.booleans(),
)
def test_samples_are_nested(sizes, n_classes, n_features, is_real):
    X = DIGITS[:60] if is_real else None
    sequence = _Sequence(LINEAR, X, n_features, n_classes, 1, 2, 3)
    (X_small, y_small), (X_large, y_large) = map(sequence.take, sizes)
    assert np.array_equal(X_small, X_large[: len(X_small)])
    assert np.array_equal(y_small, y_large[: len(y_small)])
    assert len(X_large) == len(y_large) == sizes[1]


def test_labels_are_uniform_and_rows_are_drawn_without_replacement():
    sequence = _Sequence(LINEAR, DIGITS, None, 4, 1, 2, 3)
    rows, labels = sequence.take(len(DIGITS))
    assert stats.chisquare(np.bincount(labels)).pvalue > 0.01
    assert not np.array_equal(rows, DIGITS)
    assert np.array_equal(np.unique(rows, axis=0), np.unique(DIGITS, axis=0))
    gaussian, _ = _Sequence(LINEAR, None, 3, 4, 1, 2, 3).take(1000)
    assert stats.kstest(gaussian.ravel(), "norm").pvalue > 0.01


@pytest.mark.parametrize(
    "convert",
    [pd.DataFrame, sparse.csc_array, sparse.csr_matrix, np.ndarray.tolist],
    ids=["frame", "csc", "csr_matrix", "list"],
)
def test_all_kinds_of_inputs(convert):
    params = {"max_samples": 120, "n_repeats": 2, "n_classes": 10, "random_state": 0}
    tree = DecisionTreeClassifier(max_leaf_nodes=20)
    expected = memorization_capacity(tree, DIGITS[:200], **params)
    assert 10 < expected.labels < 120
    assert_same(memorization_capacity(tree, convert(DIGITS[:200]), **params), expected)


def test_rows_of_a_precomputed_kernel_are_taken_with_their_columns():
    params = {"n_repeats": 2, "n_classes": 3, "random_state": 0}
    rows = DIGITS[:90, 18:22]
    expected = memorization_capacity(SVC(C=1.0, kernel="linear"), rows, **params)
    kernel = SVC(C=1.0, kernel="precomputed")
    result = memorization_capacity(kernel, rows @ rows.T, **params)
    assert result.repeats["largest_fitted"].tolist() == [
        *expected.repeats["largest_fitted"]
    ]


def test_real_rows_are_all_tried_by_default():
    result = memorization_capacity(
        KNeighborsClassifier(1), DIGITS[:100], n_repeats=1, random_state=0
    )
    assert result.labels == 100
    assert result.n_parameters is None
    assert result.labels_per_parameter is result.bits_per_parameter is None
    assert "parameter" not in repr(result)


# Seeds


def test_one_seed_decides_whatever_the_number_of_processes():
    clf = DecisionTreeClassifier(max_leaf_nodes=12, splitter="random")
    params = {"n_features": 4, "n_repeats": 2, "rtol": 0}
    state = np.random.get_state()[1].copy()
    one = memorization_capacity(clf, **params, random_state=1)
    assert_same(one, memorization_capacity(clf, **params, random_state=1, n_jobs=2))
    fresh = [memorization_capacity(clf, **params).curve for _ in range(2)]
    assert not fresh[0]["fitted_accuracy"].equals(fresh[1]["fitted_accuracy"])
    assert np.array_equal(state, np.random.get_state()[1])


# Warnings


def test_only_the_warnings_of_the_search_are_hidden():
    class Loud(Known):
        def fit(self, X, y):
            warnings.warn("not there", ConvergenceWarning, stacklevel=2)
            warnings.warn("look out", RuntimeWarning, stacklevel=2)
            return super().fit(X, y)

    with pytest.warns(RuntimeWarning, match="look out") as caught:
        memorization_capacity(Loud(), n_features=1, n_repeats=1)
    assert {warning.category for warning in caught} == {RuntimeWarning}


# The interval of the median


@settings(deadline=None)
@given(n_values=st.integers(1, 60), confidence=st.floats(0.01, 0.999))
def test_the_interval_is_the_narrowest_that_covers(n_values, confidence):
    values = np.arange(n_values, dtype=float)
    low, high, coverage = median_interval(values, values, confidence)
    assert low + high == n_values - 1
    assert coverage == pytest.approx(1 - 2 * stats.binom(n_values, 0.5).cdf(low))
    widest = 1 - 2 * 0.5**n_values
    assert coverage >= min(confidence, widest)
    if low + 1 < high - 1:
        narrower = stats.binom(n_values, 0.5).cdf(low + 1)
        assert 1 - 2 * narrower < confidence
