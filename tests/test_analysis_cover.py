"""Cover's counting theorem."""

import math
from decimal import Decimal, localcontext
from itertools import product

import numpy as np
import pytest
from scipy.stats import binomtest

from sk_memorize import cover_count, cover_log10_probability, separability_test
from sk_memorize.analysis._cover import log10_arrangements, log10_cover_count


def exact_count(n, d):
    return 2 * sum(math.comb(n - 1, k) for k in range(d))


def exact_log10(n, d, digits=120):
    with localcontext(prec=digits):
        return Decimal(exact_count(n, d)).log10() - n * Decimal(2).log10()


def test_the_count_is_exact():
    exact = {}
    for n in range(1, 201):  # all sums in one pass
        exact[n, 0] = 0
        for d in range(1, 201):
            exact[n, d] = exact[n, d - 1] + 2 * math.comb(n - 1, d - 1)
    for n, d in product(range(1, 201), range(201)):
        assert cover_count(n, d) == exact[n, d]


def test_the_count_obeys_covers_recursion():
    for n, d in product(range(1, 40), range(1, 40)):
        assert cover_count(n + 1, d) == cover_count(n, d) + cover_count(n, d - 1)


def test_the_count_of_all_labelings():
    assert cover_count(7, 7) == cover_count(7, 100) == 2**7
    assert cover_count(100_000, 1) == 2
    assert cover_count(np.int64(100), np.int64(50)) == 2**99


@pytest.mark.parametrize(
    ("n", "d"), [(10**6, 784), (60_000, 785), (12_665, 580), (5_000, 2_400), (101, 3)]
)
def test_the_logarithm_agrees_with_many_digits(n, d):
    assert abs(Decimal(cover_log10_probability(n, d)) - exact_log10(n, d)) < 1e-10


def test_the_logarithm_agrees_everywhere():
    for n, d in product((1, 2, 3, 10, 99, 100, 101, 102, 200, 211), range(1, 220)):
        expected = float(exact_log10(n, d)) if d < n else 0.0
        assert cover_log10_probability(n, d) == pytest.approx(
            expected, rel=1e-13, abs=1e-300
        )


@pytest.mark.parametrize("d", [1, 2, 10, 784, 10**5, 5 * 10**8])
def test_half_of_the_labelings_of_twice_as_many_points(d):
    assert cover_log10_probability(2 * d, d) == pytest.approx(
        math.log10(0.5), rel=1e-11
    )


@pytest.mark.parametrize(("n", "d"), [(1, 1), (784, 784), (10**9, 10**9), (5, 10**12)])
def test_no_more_points_than_dimensions(n, d):
    probability = cover_log10_probability(n, d)
    assert probability == 0
    assert math.copysign(1, probability) == 1


def test_no_dimension():
    assert cover_count(3, 0) == 0
    assert cover_log10_probability(3, 0) == -math.inf


def test_a_billion_points_follow_the_normal_law():
    # The number of heads is normal up to a relative error of 1 / sqrt(n).
    n, deviations = 10**9, np.array([-3.0, -1.0, 1.0, 3.0])
    for z in deviations:
        d = round(n / 2 + z * math.sqrt(n) / 2)
        expected = math.log10(math.erfc(-z / math.sqrt(2)) / 2)
        assert cover_log10_probability(n, d) == pytest.approx(expected, abs=1e-4)
    assert cover_log10_probability(10**9, 785) == pytest.approx(
        -(10**9) * math.log10(2), rel=1e-4
    )


def test_logarithms_of_counts():
    with localcontext(prec=60):
        for n, d in [(5, 3), (300, 20), (300, 299), (4, 9)]:
            expected = Decimal(exact_count(n, d)).log10()
            assert abs(log10_cover_count(n, d) - expected) < Decimal("1e-13")
        multinomial = math.factorial(300) // math.factorial(120) // math.factorial(180)
        expected = Decimal(multinomial).log10()
        assert abs(log10_arrangements([120, 180]) - expected) < Decimal("1e-30")


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_random_labels_of_gaussian_points_are_separable_as_often(fit_intercept):
    rng = np.random.RandomState(0)
    n, d, n_trials, n_separable = 11, 4, 250, 0
    for _ in range(n_trials):
        X, y = rng.standard_normal((n, d)), rng.randint(2, size=n)
        if len(set(y)) == 1 and fit_intercept:  # a hyperplane far away
            n_separable += 1
            continue
        if len(set(y)) == 1:  # the same inequality, with two classes
            y[0], X[0] = 1 - y[0], -X[0]
        result = separability_test(X, y, fit_intercept=fit_intercept)
        assert result.verdict != "undecided"
        n_separable += result.verdict == "separable"
    expected = cover_count(n, d + fit_intercept) / 2**n
    assert binomtest(n_separable, n_trials, expected).pvalue > 0.001
    assert 0.05 < expected < 0.95
