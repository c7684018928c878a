"""The numbers of the separability test, and the proofs that it gives and believes."""

import math
from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.svm import SVC

from sk_memorize import cover_count, load_dataset, separability_test
from sk_memorize.analysis.separability._exact import cancelling_weights
from sk_memorize.analysis.separability._problem import Entries, Problem
from sk_memorize.analysis.separability._solver import _line_search

DIGITS = load_dataset("digits")
STRETCHED = [[-2e-8, -2e-8], [0, 2e-6], [2, 1], [-1e-4, 2e-4], [0, 1e-3]]
TOUCHING = [[0.0, 0.0], [1.0, 3.0], [3.0, 9.0]], [0, 1, 0]


# What the numbers mean


def test_the_margin_is_the_widest():
    rows = np.isin(DIGITS.y_train, (3, 8))
    X, y = DIGITS.X_train[rows], DIGITS.y_train[rows]
    result = separability_test(X, y)
    svc = SVC(kernel="linear", C=1e8, tol=1e-6).fit(X, y)
    assert result.margin == pytest.approx(1 / np.linalg.norm(svc.coef_), rel=2e-3)
    assert result.margin <= result.margin_bound <= result.margin * 1.002
    # The bound is half the distance of two points of the convex hulls.
    signs = np.where(y[result.support] == 8, 1, -1)
    assert (result.weights * signs).sum() == pytest.approx(0, abs=1e-12)
    difference = (result.weights * signs) @ X[result.support].astype(float)
    assert np.linalg.norm(difference) == pytest.approx(result.residual)


def test_the_margin_is_the_widest_where_columns_differ_in_size():
    result = separability_test(*load_breast_cancer(return_X_y=True))
    assert 0 < result.margin <= result.margin_bound <= 1.002 * result.margin


def test_margins_are_in_units_of_the_rows():
    X, y = [[0.0, 0.0], [0.0, 1.0], [3.0, 4.0]], [0, 0, 1]
    for scale in (1e-50, 1.0, 1e50):
        result = separability_test(scale * np.array(X), y)
        assert result.margin == pytest.approx(scale * np.sqrt(18) / 2, rel=1e-3)


def test_the_joint_margin_is_between_its_bounds():
    X, y = DIGITS.X_train[:400], DIGITS.y_train[:400]
    result = separability_test(X, y, strategy="joint")
    scores = X @ result.coef.T + result.intercept
    own = np.take_along_axis(scores, y[:, None], axis=1)
    leads = (own - scores)[y[:, None] != np.arange(10)]
    norm = np.linalg.norm(result.coef - result.coef.mean(axis=0))
    assert result.margin == pytest.approx(leads.min() / norm, rel=1e-5)
    assert result.margin <= result.margin_bound <= 1.002 * result.margin


def labelings(n):
    return [np.array(y) for y in product([0, 1], repeat=n) if len(set(y)) == 2]


@pytest.mark.parametrize("kind", ["general", "degenerate"])
def test_the_chances_by_counting_all_labelings(kind):
    rng = np.random.RandomState(0)
    n, d = 6, 2
    X = rng.standard_normal((n, d))
    if kind == "degenerate":
        X = rng.randint(2, size=(n, d)).astype(float)
    results = [separability_test(X, y) for y in labelings(n)]
    count = 2 + sum(result.verdict == "separable" for result in results)
    # The labelings with a single class are separable by a hyperplane far away.
    bound = 10 ** results[0].log10_p * 2**n
    assert count == pytest.approx(bound) if kind == "general" else count <= bound
    for ones in range(1, n):
        with_ones = [
            r for r, y in zip(results, labelings(n), strict=True) if y.sum() == ones
        ]
        share = np.mean([result.verdict == "separable" for result in with_ones])
        assert share <= 10 ** with_ones[0].log10_p_permutation * (1 + 1e-12)


def test_the_joint_chance_bounds_the_count():
    n = 9  # On a line three classes are separable as three intervals.
    X, y = np.arange(n)[:, None], np.arange(n) // 3
    result = separability_test(X, y, strategy="joint")
    count = 6 * math.comb(n - 1, 2) + 6 * (n - 1) + 3
    assert count / 3**n < 10**result.log10_p < 0.5
    assert result.log10_p_permutation == 0  # 1680 orders, fewer than the bound
    assert 10**result.log10_p == pytest.approx(cover_count(3 * n, 4) / 3**n)


def test_rank_and_distinct_rows_are_told():
    square = np.array(list(product([0.0, 1.0], repeat=2)))
    X = np.repeat(np.c_[square, square.sum(axis=1), np.ones(4)], 2, axis=0)
    y = np.repeat([0, 1, 1, 1], 2)
    result = separability_test(X, y)
    assert (result.rank, result.n_samples, result.n_distinct) == (3, 8, 4)
    assert result.log10_p == pytest.approx(np.log10(14 / 2**8))
    assert separability_test(X, y, fit_intercept=False).rank == 3


# Wrong proofs


def test_wrong_proofs_are_not_believed():
    rows = np.isin(DIGITS.y_train, (3, 8))
    X, y = DIGITS.X_train[rows], DIGITS.y_train[rows]
    permuted = np.random.RandomState(0).permutation(y)
    separable, inseparable = (separability_test(X, labels) for labels in (y, permuted))
    assert separable.check(X, y)
    assert inseparable.check(X, permuted)
    for wrong in (
        replace(separable, coef=-separable.coef),
        replace(separable, intercept=separable.intercept + 1e3),
        replace(separable, margin=1.1 * separable.margin),
        replace(separable, margin_bound=0.9 * separable.margin_bound),
        replace(separable, coef=np.zeros_like(separable.coef)),
    ):
        assert not wrong.check(X, y)
    weights, support = inseparable.weights, inseparable.support
    for wrong in (
        replace(inseparable, weights=np.ones_like(weights) / len(weights)),
        replace(inseparable, weights=weights[1:], support=support[1:]),
        replace(inseparable, weights=weights * np.where(support == support[0], -1, 1)),
        replace(inseparable, weights=weights[:30], support=support[:30]),
    ):
        assert not wrong.check(X, permuted)
    assert not separable.check(X, permuted)
    assert not inseparable.check(X, y)
    assert not separable.check(X, np.where(y == 3, 5, 6))


def test_wrong_exact_weights_are_not_believed():
    X, y = TOUCHING
    result = separability_test(X, y)
    assert result.exact_weights == (Fraction(1, 3), Fraction(1, 2), Fraction(1, 6))
    assert result.check(X, y)
    for weights in (
        (Fraction(1, 3), Fraction(1, 2), Fraction(1, 7)),
        tuple(-weight for weight in result.exact_weights),
        (Fraction(0),) * 3,
        (),
    ):
        assert not replace(result, exact_weights=weights).check(X, y)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([1, 3, 2], (Fraction(1, 4), Fraction(1, 4), Fraction(1, 2))),
        ([1, 2, 4], None),  # weights of both signs
        ([1, 1, 1], None),  # any weights
        ([1, 1, 2], None),  # a weight of zero
    ],
)
def test_only_positive_weights_cancel(rows, expected):
    X, codes = np.array(rows, float)[:, None], np.array([0, 0, 1])
    problem = Problem(X, codes, 2, fit_intercept=True)
    entries = Entries(np.arange(3), 1 - codes, np.ones(3) / 3)
    assert cancelling_weights(problem, entries) == expected


# Undecided


def test_too_few_steps_leave_the_whole_undecided():
    X, y = DIGITS.X_train[:300], DIGITS.y_train[:300]
    whole = separability_test(X, y, strategy="one-vs-rest", max_iter=2)
    assert {part.verdict for part in whole.parts} == {"separable", "undecided"}
    assert whole.verdict == "undecided"
    assert not whole.check(X, y)
    number = [part.verdict for part in whole.parts].index("undecided")
    part = whole.parts[number]
    assert part.proof is None
    assert "max_iter" in part.reason
    margin = separability_test(X, y == number).margin
    assert 0 < margin < part.margin_bound < np.inf


@pytest.mark.parametrize(
    ("X", "y", "max_iter", "reason"),
    [
        # In decimals the second point is between the others.
        ([[0.1, 0.3], [0.2, 0.6], [0.3, 0.9]], [0, 1, 0], 300, "rounding errors"),
        ([[1e16], [1e16 + 2]], [0, 1], 300, "rounding errors"),
        (STRETCHED, [0, 1, 0, 1, 1], 2, "max_iter may help"),
    ],
)
def test_rows_as_close_as_rounding_errors(X, y, max_iter, reason):
    result = separability_test(X, y, max_iter=max_iter)
    assert result.verdict == "undecided"
    assert result.margin_bound > 0
    assert reason in result.reason
    assert reason in result.summary()
    assert not result.check(X, y)


@pytest.mark.parametrize("limit", ["_MAX_SIZE", "_MAX_SUPPORT"])
def test_many_rows_have_another_proof_than_exact_weights(limit, monkeypatch):
    monkeypatch.setattr(f"sk_memorize.analysis.separability._proofs.{limit}", 2)
    result = separability_test(*TOUCHING)
    assert (result.verdict, result.proof) == ("not separable", "correctable weights")
    assert result.check(*TOUCHING)


def test_a_joint_problem_that_is_too_large(monkeypatch):
    monkeypatch.setattr("sk_memorize.analysis.separability._decide._MAX_UNKNOWNS", 100)
    X, y = DIGITS.X_train[:200], DIGITS.y_train[:200]
    result = separability_test(X, y, strategy="joint")
    assert result.verdict == "undecided"
    assert "make 522 unknowns, more than the limit of 100" in result.reason


# The line search


def test_a_step_ends_where_the_loss_is_least():
    rng = np.random.RandomState(0)
    for _ in range(300):
        margins, change = 10 ** rng.uniform(-3, 3, (2, 8)) * rng.choice([-1, 1], (2, 8))
        promise = float(np.maximum(0, 1 - margins) @ change)
        if promise < 0:
            change, promise = -change, -promise
        curvature = rng.choice([0.0, 1.0])
        t = _line_search(margins, change, 0.0, curvature, promise)
        slacks = np.maximum(0, 1 - margins - t * change)
        assert abs(t * curvature - slacks @ change) <= 1e-9 * promise


# Real data


@pytest.fixture
def zeros_and_ones():
    try:
        mnist = load_dataset("mnist", download=False)
    except OSError as error:
        pytest.skip(f"needs MNIST: {error}")
    rows = np.flatnonzero(mnist.y_train < 2)[:6_000]
    return mnist.X_train[rows], mnist.y_train[rows]


def test_zeros_and_ones_of_mnist(zeros_and_ones):
    X, y = zeros_and_ones
    result = separability_test(X, y)
    assert (result.verdict, result.n_samples) == ("separable", 6_000)
    assert result.check(X, y)
    assert (((X @ result.coef + result.intercept) > 0) == (y == 1)).all()
    assert result.log10_p < -900
    y = np.random.RandomState(0).permutation(y)
    result = separability_test(X, y)
    assert (result.verdict, result.proof) == ("not separable", "correctable weights")
    assert result.check(X, y)
    signs = np.where(y[result.support] == 1, 1, -1)
    rows = np.c_[X[result.support], np.ones(len(signs))].astype(float)
    # The proof is that of `check`; what rounding leaves is small beside the rows.
    assert result.weights.sum() == pytest.approx(1)
    assert np.abs((result.weights * signs) @ rows).max() < 1e-9
