"""The verdicts of the separability test, against exact arithmetic."""

from fractions import Fraction
from itertools import product

import numpy as np
import pandas as pd
import pytest

from sk_memorize import load_dataset, separability_test

DIGITS = load_dataset("digits")


# Exact arithmetic


def gradients(X, codes, n_classes, fit_intercept):
    """Write Kesler's vectors in fractions."""
    for row, own in zip(X.tolist(), codes, strict=True):
        x = [Fraction(value) for value in row] + [Fraction(1)] * fit_intercept
        for rival in set(range(n_classes)) - {own}:
            blocks = [[Fraction(0)] * len(x) for _ in range(n_classes)]
            blocks[own], blocks[rival] = x, [-value for value in x]
            yield [value for block in blocks for value in block]


def cancel(vectors):
    """Whether nonnegative weights with the sum 1 cancel: Bland's simplex method."""
    vectors = list(vectors)
    n, m = len(vectors), len(vectors[0]) + 1
    rows = [[vector[i] for vector in vectors] for i in range(m - 1)]
    rows = [[*row, Fraction(0)] for row in rows] + [[Fraction(1)] * (n + 1)]
    # Artificial variables, whose columns need not be kept, make up the first basis.
    basis = list(range(n, n + m))
    cost = [-sum(column) for column in zip(*rows, strict=True)]
    while (entering := next((j for j in range(n) if cost[j] < 0), None)) is not None:
        _, _, leaving = min(
            (row[-1] / row[entering], basis[i], i)
            for i, row in enumerate(rows)
            if row[entering] > 0
        )
        pivot = rows[leaving][entering]
        rows[leaving] = [value / pivot for value in rows[leaving]]
        for row in [*rows[:leaving], *rows[leaving + 1 :], cost]:
            factor = row[entering]
            row[:] = [a - factor * b for a, b in zip(row, rows[leaving], strict=True)]
        basis[leaving] = entering
    return cost[-1] == 0


def is_separable(X, y, fit_intercept=True):
    classes, codes = np.unique(y, return_inverse=True)
    return not cancel(gradients(X, codes.tolist(), len(classes), fit_intercept))


def prove(result, X, y):
    """Check the proof of a result for two classes by other means than its own."""
    signs = np.where(np.asarray(y) == result.classes[1], 1, -1)
    if result.proof == "margins":
        coef = [Fraction(value) for value in result.coef.tolist()]
        for row, sign in zip(X.tolist(), signs.tolist(), strict=True):
            score = sum(Fraction(x) * c for x, c in zip(row, coef, strict=True))
            assert sign * (score + Fraction(result.intercept)) > 0
        scores = signs * (X @ result.coef + result.intercept)
        margin = scores.min() / np.linalg.norm(result.coef)
        assert 0 < margin == pytest.approx(result.margin)
        assert margin <= result.margin_bound
    ones = [Fraction(1)] * result.fit_intercept
    rows = [
        [Fraction(value) * sign for value in X[i].tolist() + ones]
        for i, sign in zip(result.support, signs[result.support].tolist(), strict=True)
    ]
    assert (result.weights > 0).all()
    if result.proof == "exact weights":
        assert min(result.exact_weights) > 0
        for column in zip(*rows, strict=True):
            products = zip(result.exact_weights, column, strict=True)
            assert sum(weight * value for weight, value in products) == 0
    if result.proof == "correctable weights":
        # The rows span all columns, and weights change by less than themselves.
        M = result.weights[:, None] * np.array(rows, float)
        correction = np.linalg.lstsq(M.T, -M.sum(axis=0))[0]
        assert np.abs(correction).max() < 1e-6


def draw_problem(rng):
    """Draw integers, so few and small that many problems are degenerate."""
    n = rng.randint(2, 10)
    d = rng.randint(1, 5)
    match rng.randint(4):
        case 0:
            X = rng.randint(0, 2, (n, d))
        case 1:
            X = rng.randint(-2, 3, (n, d))
        case 2:  # of low rank
            X = rng.randint(-2, 3, (n, 1 + d // 3)) @ rng.randint(
                -2, 3, (1 + d // 3, d)
            )
        case _:  # in a few places only
            X = rng.randint(-3, 4, (1 + n // 2, d))[rng.randint(1 + n // 2, size=n)]
            X[0] += rng.randint(2)
    y = rng.randint(2, size=n)
    y[:2] = 0, 1
    return X.astype(float), y


def test_small_problems():
    rng = np.random.RandomState(0)
    seen = set()
    for _ in range(300):
        X, y = draw_problem(rng)
        fit_intercept = bool(rng.randint(2))
        result = separability_test(X, y, fit_intercept=fit_intercept)
        expected = is_separable(X, y, fit_intercept)
        assert result.verdict == ("separable" if expected else "not separable")
        assert result.check(X, y)
        prove(result, X, y)
        seen.add(((result.verdict, result.proof), fit_intercept))
    assert seen == set(
        product([("separable", "margins"), ("not separable", "exact weights")], [0, 1])
    )


def test_small_problems_of_three_and_four_classes():
    rng = np.random.RandomState(1)
    seen = set()
    for _ in range(60):
        n, d, k = rng.randint(4, 9), rng.randint(1, 4), rng.randint(3, 5)
        X, y = rng.randint(-2, 3, (n, d)).astype(float), rng.randint(k, size=n)
        y[:k] = range(k)
        fit_intercept = bool(rng.randint(2))
        result = separability_test(X, y, strategy="joint", fit_intercept=fit_intercept)
        expected = is_separable(X, y, fit_intercept)
        assert result.verdict == ("separable" if expected else "not separable")
        assert result.check(X, y)
        if expected:
            scores = X @ result.coef.T + result.intercept
            np.testing.assert_array_equal(scores.argmax(axis=1), y)
        seen.add((result.verdict, fit_intercept))
    assert len(seen) == 4


def test_pairs_do_not_tell_of_all():
    # Three long triangles, each of which ends where the next one begins: lines that
    # separate the pairs cannot meet in a point.
    triangles = "7 -6 8 1 0 3 2 9 -5 6 -3 -1 -9 -3 -3 -7 3 -2"
    X = np.array(triangles.split(), int).reshape(9, 2)
    y = np.repeat([0, 1, 2], 3)
    assert separability_test(X, y).verdict == "separable"
    result = separability_test(X, y, strategy="joint")
    assert (result.verdict, result.proof) == ("not separable", "exact weights")
    assert result.check(X, y)
    assert not is_separable(X, y)
    assert set(y[result.support]) == {0, 1, 2}
    sums = np.full((3, 3), Fraction(0))
    for row, rival, weight in zip(
        result.support, result.rivals, result.exact_weights, strict=True
    ):
        point = np.array([*map(Fraction, X[row].tolist()), Fraction(1)])
        sums[y[row]] += weight * point
        sums[rival] -= weight * point
    assert not sums.any()


@pytest.mark.parametrize(
    ("strategy", "number", "classes"), [("pairs", 1, (0, 2)), ("one-vs-rest", 3, (3,))]
)
def test_parts_are_the_problems_of_two_classes(strategy, number, classes):
    X, y = DIGITS.X_train[:200], DIGITS.y_train[:200]
    whole = separability_test(X, y, strategy=strategy)
    part = whole.parts[number]
    assert part.classes == classes
    rows = np.flatnonzero(np.isin(y, (0, 2)) if strategy == "pairs" else y >= 0)
    alone = separability_test(X[rows], y[rows] == classes[-1])
    np.testing.assert_array_equal(part.coef, alone.coef)
    np.testing.assert_array_equal(part.support, rows[alone.support])
    assert (part.margin, part.log10_p) == (alone.margin, alone.log10_p)
    assert whole.verdict == "separable"
    assert whole.check(X, y)
    assert not whole.check(X, y[::-1])
    assert whole.margin == min(part.margin for part in whole.parts)
    n = len(whole.parts)
    assert f"Of {n} problems {n} are separable" in whole.summary()
    # Threads share the parts, and change no digit.
    other = separability_test(X, y, strategy=strategy, n_jobs=2)
    pd.testing.assert_frame_equal(whole.to_frame(), other.to_frame(), check_exact=True)
    np.testing.assert_array_equal(other.parts[number].weights, part.weights)


# Cases that are easily got wrong

SQUARE = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
CASES = {
    "one row each": ([[1.0], [2.0]], [0, 1], True),
    "exclusive or": (SQUARE, [0, 1, 1, 0], False),
    "and": (SQUARE, [0, 0, 0, 1], True),
    "a shared corner": ([*SQUARE, [1.0, 1.0], [2.0, 2.0]], [0] * 4 + [1] * 2, False),
    "a corner on an edge": (
        [*SQUARE, [1.0, 0.5], [2.0, 2.0]],
        [0] * 4 + [1] * 2,
        False,
    ),
    "touching in a line": ([[0.0, 0.0], [1.0, 3.0], [3.0, 9.0]], [0, 1, 0], False),
    "equal rows": ([[5.0, 1.0], [5.0, 1.0], [0.0, 0.0]], ["a", "b", "a"], False),
    "equal rows, zeros of both signs": ([[0.0], [-0.0], [1.0]], [0, 1, 1], False),
    "equal rows, same label": ([[5.0, 1.0], [5.0, 1.0], [0.0, 0.0]], [1, 1, 0], True),
    "equal columns": (np.repeat(SQUARE, 3, axis=1), [0, 1, 1, 1], True),
    "more columns than rows": (np.eye(5), [0, 1, 0, 1, 1], True),
    "far from the origin": ([[1e9], [1e9 + 1], [1e9 + 2]], [0, 0, 1], True),
    "far from the origin, touching": ([[1e9], [1e9 + 1], [1e9 + 2]], [0, 1, 0], False),
    "columns of different size": ([[1e-9, 1e9], [2e-9, 1e9]], [0, 1], True),
    "a weight like noise": ([[-2e-9], [-1.0], [0.0]], [0, 1, 1], False),
    "a close call": ([[0.0], [1.0], [1.0 + 2**-40], [2.0]], [0, 0, 1, 1], True),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("swap", [False, True])
def test_special_cases(name, swap):
    X, y, expected = CASES[name]
    X, y = np.array(X), np.array(y)
    if swap:
        X, y = X[::-1], (y == y[0]).astype(int)[::-1]
    result = separability_test(X, y)
    assert result.verdict == ("separable" if expected else "not separable")
    assert result.check(X, y)
    prove(result, X, y)
    assert is_separable(X, y) == expected


def test_without_intercept():
    X, y = np.array([[1.0, 0.0], [2.0, 0.0]]), [0, 1]
    assert separability_test(X, y).verdict == "separable"
    result = separability_test(X, y, fit_intercept=False)
    assert result.verdict == "not separable"
    assert result.exact_weights == (Fraction(2, 3), Fraction(1, 3))
    prove(result, X, y)
    X = np.array([[1.0, 0.0], [-1.0, 0.1], [0.0, 0.0]])
    result = separability_test(X, [0, 1, 1], fit_intercept=False)
    assert (result.verdict, result.support.tolist()) == ("not separable", [2])
    assert result.check(X, [0, 1, 1])
    result = separability_test(X[:2], [0, 1], fit_intercept=False)
    assert (result.verdict, result.intercept) == ("separable", 0)


def test_equal_rows_of_different_labels_are_the_proof():
    X, y = DIGITS.X_train.copy(), DIGITS.y_train
    X[7] = X[np.flatnonzero(y != y[7])[20]]
    for labels, strategy in ((y, "joint"), (y == y[7], "pairs")):
        result = separability_test(X, labels, strategy=strategy)
        assert result.check(X, labels)
        assert result.exact_weights == (Fraction(1, 2),) * 2
        assert 7 in result.support
        assert result.residual == 0
        assert result.n_distinct == len(X) - 1


def test_hulls_that_touch_inside_faces_of_many_dimensions():
    rng = np.random.RandomState(0)
    d, face = 40, 16
    corners = 16 * rng.randint(-99, 100, (face, d)).astype(float)
    others = 16 * rng.randint(-99, 100, (200, d)).astype(float)
    height = np.r_[np.zeros(face), np.repeat([-3, 5], 100), 0]
    X = np.c_[np.vstack([corners, others, corners.mean(axis=0)]), height]
    y = np.r_[np.zeros(face), np.repeat([0, 1], 100), 1].astype(int)
    result = separability_test(X, y)
    assert (result.verdict, result.proof) == ("not separable", "exact weights")
    prove(result, X, y)
    X[-1, -1] = 1e-6  # now they do not
    assert separability_test(X, y).verdict == "separable"


@pytest.mark.parametrize("name", ["copies", "totals", "one-hot", "shares"])
def test_dependent_columns(name):
    rng = np.random.RandomState(0)
    n = 600
    X = rng.standard_normal((n, 20))
    if name == "copies":
        X = np.c_[X, X[:, ::-1], 3 * X, X[:, :5] - X[:, 5:10]]
    elif name == "totals":  # up to rounding errors, of which this is the separable part
        X = np.c_[X, X.sum(axis=1), X[:, 0] * 0.1 + X[:, 1] / 3]
    elif name == "one-hot":
        X = np.c_[np.eye(150)[rng.randint(150, size=n)], np.eye(4)[np.arange(n) % 4], X]
    else:
        X = np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)
    y = rng.randint(2, size=n)
    if name != "one-hot":
        result = separability_test(X, y)
        assert result.verdict == "not separable"
        assert result.check(X, y)
        assert result.rank == (21 if name != "shares" else 20)
    y = (X @ rng.standard_normal(X.shape[1]) > 0).astype(int)
    result = separability_test(X, y)
    assert result.verdict == "separable"
    assert result.check(X, y)


def test_the_rounding_errors_of_a_total_are_no_dependence():
    X = np.random.RandomState(0).standard_normal((300, 10))
    total = X.sum(axis=1)
    exact = [sum(map(Fraction, row)) for row in X.tolist()]
    y = [Fraction(t) > e for t, e in zip(total.tolist(), exact, strict=True)]
    assert separability_test(X, y).verdict == "not separable"
    assert separability_test(np.c_[X, total], y).verdict == "undecided"


# Reproducible, and open to all kinds of data


@pytest.mark.parametrize("strategy", ["pairs", "one-vs-rest", "joint"])
def test_kinds_of_rows_and_labels(strategy):
    rows = np.flatnonzero(DIGITS.y_train < 3)[:150]
    X, y = DIGITS.X_train[rows].astype(float), DIGITS.y_train[rows]
    X.flags.writeable = False
    expected = (
        separability_test(X, y, strategy=strategy).to_frame().drop(columns="classes")
    )
    names = np.array(["nil", "one", "two"])[y]
    frame = pd.DataFrame(X)
    for other_X, other_y in [
        (X.astype(np.float32), names),
        (frame, pd.Series(names, dtype="category")),
        (X.tolist(), y.astype(float).tolist()),
        (np.asfortranarray(X), names.astype(object)),
        (X.astype(">f8")[::-1].copy()[::-1], y.astype(">i4")[::-1].copy()[::-1]),
    ]:
        result = separability_test(other_X, other_y, strategy=strategy)
        found = result.to_frame().drop(columns="classes")
        pd.testing.assert_frame_equal(found, expected, rtol=1e-6)
        assert result.check(other_X, other_y)
    assert separability_test(X, y > 0, strategy=strategy).classes == (False, True)
