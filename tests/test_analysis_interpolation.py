"""Theorem 1: any targets fitted in closed form by a two-layer ReLU network."""

from collections import Counter, defaultdict
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.datasets import load_diabetes, load_digits
from sklearn.neighbors import KNeighborsClassifier

from sk_memorize import (
    CorruptedTargetClassifier,
    LabelPermuter,
    TwoLayerInterpolator,
    TwoLayerInterpolatorRegressor,
    load_dataset,
    memorization_scoring,
)
from sk_memorize.analysis._validation import find_equal_rows
from sk_memorize.analysis.interpolation._network import (
    draw_direction,
    interpolate,
    place_knots,
)
from sk_memorize.analysis.interpolation._targets import project

X, Y = load_digits(return_X_y=True)
PERMUTED = LabelPermuter(random_state=0).fit(Y).transform(Y)

# Few values, so that rows are equal, differ in a sign of zero or by a rounding error.
NUMBERS = st.sampled_from([0.0, -0.0, 1.0, 1.0 + 2**-23, -3.0, 1e6])
ROWS = arrays(np.float32, (20, 3), elements=NUMBERS)
LABELS = arrays(np.int64, 20, elements=st.integers(0, 3)).filter(lambda y: np.ptp(y))
TARGETS = arrays(np.float64, 20, elements=st.floats(-1e6, 1e6))


def interpolator(seed=0):
    return TwoLayerInterpolator(random_state=seed)


def test_permuted_digits_are_fitted_with_the_weights_of_the_theorem():
    clf = interpolator().fit(X, PERMUTED)
    assert clf.score(X, PERMUTED) == clf.attainable_accuracy_ == 1.0
    assert clf.n_parameters_ == 64 + 1797 + 1797 * 10
    binary = interpolator().fit(X, PERMUTED > 4)
    assert binary.score(X, PERMUTED > 4) == 1.0
    assert binary.n_parameters_ == 64 + 2 * 1797


def test_permuted_mnist_is_fitted():
    try:
        data = load_dataset("mnist", download=False)
    except OSError as error:
        pytest.skip(f"needs MNIST: {error}")
    noisy = CorruptedTargetClassifier(interpolator(), LabelPermuter(random_state=0))
    noisy.fit(data.X_train, data.y_train)
    scores = memorization_scoring()
    assert scores["fitted_accuracy"](noisy, data.X_train, data.y_train) == 1.0
    assert scores["accuracy"](noisy, data.X_train, data.y_train) < 0.12
    assert scores["accuracy"](noisy, data.X_test, data.y_test) < 0.12
    assert noisy.estimator_.n_parameters_ == 784 + 60_000 * 11


@settings(max_examples=40, deadline=None)
@given(ROWS, LABELS)
def test_each_set_of_equal_rows_gets_its_most_frequent_label(rows, labels):
    by_row = defaultdict(Counter)
    for row, label in zip(rows + 0.0, labels, strict=True):
        by_row[tuple(row)][label] += 1
    clf = interpolator().fit(rows, labels)
    elected = [
        min(counts, key=lambda label: (-counts[label], label))
        for counts in (by_row[tuple(row)] for row in rows + 0.0)
    ]
    assert clf.predict(rows).tolist() == elected
    assert clf.attainable_accuracy_ == np.mean(np.array(elected) == labels)
    assert len(clf.biases_) == len(by_row)


@settings(max_examples=40, deadline=None)
@given(ROWS, TARGETS)
def test_each_set_of_equal_rows_gets_its_mean_target(rows, targets):
    reg = TwoLayerInterpolatorRegressor(random_state=0).fit(rows, targets)
    frame = pd.DataFrame(rows + 0.0)
    frame["y"] = targets
    means = frame.groupby([0, 1, 2])["y"].transform("mean")
    assert reg.predict(rows) == pytest.approx(means.to_numpy(), rel=1e-12, abs=1e-9)
    assert reg.attainable_score_ == pytest.approx(reg.score(rows, targets), abs=1e-9)


def test_numbers_are_met_bit_for_bit_where_rows_are_repeated_too():
    rows, targets = load_diabetes(return_X_y=True)
    targets = targets + 0.1
    rows, targets = np.tile(rows, (3, 1)), np.tile(targets, 3)
    reg = TwoLayerInterpolatorRegressor(random_state=0).fit(rows, targets)
    assert (reg.predict(rows) == targets).all()
    assert reg.attainable_score_ == 1.0
    assert reg.n_parameters_ == 10 + 2 * 442
    assert reg.fit(rows[:1], targets[:1]).attainable_score_ == 1.0


@settings(max_examples=25, deadline=None)
@given(
    arrays(np.int64, 8, elements=st.integers(-50, 50), unique=True),
    arrays(np.int64, 8, elements=st.integers(-9, 9)),
)
def test_the_outputs_are_the_sum_of_the_theorem_in_exact_arithmetic(rows, targets):
    reg = TwoLayerInterpolatorRegressor(random_state=0).fit(rows[:, None], targets)
    (direction,) = map(Fraction, reg.direction_)
    grid = np.linspace(-150, 150, 41)
    total = [
        sum(
            Fraction(weight) * max(Fraction(x) * direction - Fraction(bias), 0)
            for bias, (weight,) in zip(reg.biases_, reg.output_weights_, strict=True)
        )
        for x in grid
    ]
    assert reg.predict(grid[:, None]) == pytest.approx(
        np.array(total, float), rel=1e-9, abs=1e-9
    )


@pytest.mark.parametrize("labels", [PERMUTED, PERMUTED > 4])
def test_the_module_agrees_within_the_stated_tolerance(labels):
    clf = interpolator().fit(X, labels)
    module = clf.to_module()
    assert sum(p.numel() for p in module.parameters()) == clf.n_parameters_
    rng = np.random.RandomState(0)
    queries = np.vstack([X, X + rng.standard_normal(X.shape), 100 * X, -100 * X])
    with torch.no_grad():
        outputs = module(torch.tensor(queries)).numpy()
    expected = clf.decision_function(queries).reshape(outputs.shape)
    # Far from the rows the last piece has grown large, and so has its error.
    scale = np.abs(expected).max(axis=1, keepdims=True).clip(1)
    assert np.abs((outputs - expected) / scale).max() < 1e-14 * 1797**2


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("labels", [["c", "a", "b", "b"], ["c", "a", "c", "a"]])
def test_beyond_the_rows(labels, sign):
    rows = np.array([[0.0], [1.0], [2.0], [3.0]])
    seed = next(
        seed
        for seed in range(99)
        if np.sign(interpolator(seed).fit(rows, labels).direction_) == sign
    )
    clf = interpolator(seed).fit(rows, labels)
    queries = np.array([[-1e3], [-2.9], [-0.1], [3.1], [5.9], [1e3]])
    if sign < 0:  # the line runs the other way, and so does what is said of it
        queries, labels = 3 - queries, labels[::-1]
    first, last = labels[0], labels[-1]
    expected = [clf.classes_[0], first, first, last, last, last]
    assert clf.predict(queries).tolist() == expected
    silent, *_, far = clf.predict_proba(queries)
    assert silent == pytest.approx(1 / len(clf.classes_))
    assert far[clf.classes_ == last] == 1.0
    assert not np.any(clf.decision_function(queries[:1]))
    with torch.no_grad():
        outputs = clf.to_module()(torch.tensor(queries)).numpy()
    expected = clf.decision_function(queries).reshape(outputs.shape)
    assert outputs == pytest.approx(expected, abs=1e-9)


def test_enormous_inputs_have_finite_outputs():
    clf = interpolator().fit([[0.0], [1e-300], [1.0]], [0, 1, 2])
    outputs = clf.decision_function([[1e300], [-1e300]])
    assert np.isfinite(outputs).all()
    assert np.isfinite(clf.predict_proba([[1e300], [-1e300]])).all()


@settings(max_examples=40, deadline=None)
@given(ROWS, ROWS, LABELS)
def test_probabilities(rows, queries, labels):
    clf = interpolator().fit(rows, labels)
    probabilities = clf.predict_proba(queries)
    assert (probabilities >= 0).all()
    assert probabilities.sum(axis=1) == pytest.approx(1)
    best = probabilities.max(axis=1, keepdims=True)
    chosen = probabilities[clf.classes_ == clf.predict(queries)[:, None]]
    assert chosen[:, None] == pytest.approx(best, abs=1e-12)


def test_between_two_rows_the_nearer_one_on_the_line_decides():
    clf = interpolator().fit(X, PERMUTED)
    queries = X[::7] + 0.3
    line, places = (project(rows, clf.direction_, "")[:, None] for rows in (X, queries))
    nearest = KNeighborsClassifier(1).fit(line, PERMUTED)
    assert (clf.predict(queries) == nearest.predict(places)).all()


def test_only_the_seed_matters_not_order_layout_or_precision():
    order = np.random.RandomState(1).permutation(len(X))
    clf = interpolator().fit(X, PERMUTED)
    for rows in (X, np.asfortranarray(X), X.astype(">f4"), X.astype(np.uint8)):
        other = interpolator().fit(rows[order], PERMUTED[order].astype(">i4"))
        for name in ("direction_", "biases_", "output_weights_"):
            assert (getattr(other, name) == getattr(clf, name)).all()
    outputs = clf.decision_function(X)
    alone = [clf.decision_function(row[None].copy())[0] for row in X[:50]]
    assert (np.array(alone) == outputs[:50]).all()
    assert (clf.decision_function(X[order]) == outputs[order]).all()
    for seed in (1, None):
        other = interpolator(seed).fit(X, PERMUTED)
        assert (other.direction_ != clf.direction_).any()


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_equal_rows_are_found_whatever_the_contexts_of_torch(rows):
    with torch.device("meta"), torch.inference_mode():
        groups, first = find_equal_rows(rows)
    _, inverse = np.unique(rows + 0.0, axis=0, return_inverse=True)
    pairs = set(zip(groups.tolist(), inverse.tolist(), strict=True))
    assert len(pairs) == len(np.unique(inverse)) == len(first)
    assert all(groups.tolist().index(g) == row for g, row in enumerate(first))


def test_a_direction_that_does_not_separate_is_drawn_again():
    class Unlucky(np.random.RandomState):
        draws = 0

        def standard_normal(self, size):
            self.draws += 1
            return super().standard_normal(size) * (self.draws > 2)

    rng = Unlucky(0)
    direction, projections, order = draw_direction(X, np.arange(len(X)), rng, "")
    assert rng.draws == 3
    assert (project(X, direction, "")[order] == projections).all()
    assert (np.diff(projections) > 0).all()


@given(st.floats(-1e300, 1e300), st.integers(1, 3), st.booleans())
@example(-1.0, 2, False)
@example(-1e20, 1, False)
def test_the_first_knot_is_below_the_smallest_projection(start, n, is_apart):
    line = [start]
    for _ in range(n - 1):
        line.append(
            2 * abs(line[-1]) + 1 if is_apart else np.nextafter(line[-1], np.inf)
        )
    targets = np.arange(1.0, n + 1)[:, None]
    knots = place_knots(np.array(line), targets)
    assert (np.diff(knots.positions) > 0).all()
    assert (interpolate(knots.positions[1:], knots) == targets).all()
    assert interpolate(knots.positions[:1], knots) == 0


def test_columns_of_very_different_size_and_constant_ones():
    rng = np.random.RandomState(0)
    rows = np.column_stack(
        [
            1.6e18 + 1e15 * rng.rand(500),  # nanoseconds since 1970, about
            np.full(500, 1e300),
            1e-9 * rng.randint(2, size=500),
        ]
    )
    rows[250:, :2] = rows[:250, :2]
    rows[250:, 2] = 1e-9 - rows[:250, 2]
    labels = np.arange(500) // 250
    clf = interpolator().fit(rows, labels)
    assert clf.score(rows, labels) == clf.attainable_accuracy_ == 1.0
    assert (np.abs(clf.direction_) * np.abs(rows).max(axis=0) < 5).all()


def test_rows_that_are_all_equal():
    clf = interpolator().fit(np.ones((5, 2)), list("abbba"))
    assert clf.predict([[1, 1], [7, 9]]).tolist() == ["b", "b"]
    assert clf.attainable_accuracy_ == 0.6
    assert clf.n_parameters_ == 2 + 2
