"""Cover's counting theorem."""

import math
from decimal import Decimal, localcontext
from itertools import product

import numpy as np
import pytest

from sk_memorize import cover_count, cover_log10_probability, separability_test


def log10_ratio(numerator, denominator):
    with localcontext(prec=120):
        return float(Decimal(numerator).log10() - Decimal(denominator).log10())


def exact_probability(n, d):
    return log10_ratio(cover_count(n, d), 2**n)


def test_the_count_is_exact():
    for n, d in product(range(1, 40), range(1, 40)):
        assert cover_count(n, d) == 2 * sum(math.comb(n - 1, k) for k in range(d))
    assert cover_count(3, 0) == 0
    assert cover_count(7, 7) == cover_count(7, 100) == 2**7
    assert cover_count(100_000, 1) == 2
    assert cover_count(np.int64(100), np.int64(50)) == 2**99


@pytest.mark.parametrize(
    ("n", "d"),
    [(10**6, 784), (60_000, 785), (12_665, 580), (5_000, 2_000), (5_000, 1_300)],
)
def test_the_logarithm_agrees_with_many_digits(n, d):
    expected = exact_probability(n, d)
    assert cover_log10_probability(n, d) == pytest.approx(expected, rel=1e-13)


def test_the_logarithm_agrees_everywhere():
    for n, d in product((1, 2, 3, 10, 100, 211), range(1, 220, 3)):
        expected = exact_probability(n, d) if d < n else 0.0
        assert cover_log10_probability(n, d) == pytest.approx(
            expected, rel=1e-13, abs=1e-300
        )


@pytest.mark.parametrize(("n", "d"), [(1, 1), (784, 784), (10**9, 10**9), (5, 10**12)])
def test_no_more_points_than_dimensions(n, d):
    probability = cover_log10_probability(n, d)
    assert probability == 0
    assert math.copysign(1, probability) == 1
    assert cover_log10_probability(n, 0) == -math.inf


def test_a_billion_points_follow_the_normal_law():
    # The number of heads is normal up to a relative error of 1 / sqrt(n).
    n = 10**9
    for z in (-3.0, 0.0, 1.0, 3.0):
        d = round(n / 2 + z * math.sqrt(n) / 2)
        expected = math.log10(math.erfc(-z / math.sqrt(2)) / 2)
        assert cover_log10_probability(n, d) == pytest.approx(expected, abs=1e-4)
    assert cover_log10_probability(n, 785) == pytest.approx(
        -n * math.log10(2), rel=1e-4
    )


@pytest.mark.parametrize(("d", "n_ones"), [(20, 120), (3, 7)])
def test_the_chances_of_many_rows(d, n_ones):
    n = 300
    X = np.random.RandomState(0).standard_normal((n, d))
    result = separability_test(X, np.arange(n) < n_ones, fit_intercept=False)
    assert result.log10_p == pytest.approx(exact_probability(n, d), rel=1e-13)
    expected = min(0.0, log10_ratio(cover_count(n, d), math.comb(n, n_ones)))
    assert result.log10_p_permutation == pytest.approx(expected, rel=1e-12)
