"""The pure functions on class indices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import RandomState
from numpy.testing import assert_allclose, assert_array_equal

from sk_memorize.corruption import _labels

seeds = st.integers(0, 2**32 - 1)
fractions = st.floats(0, 1)
strata_of_units = st.lists(st.integers(0, 4), min_size=1, max_size=60).map(
    lambda drawn: np.unique(drawn, return_inverse=True)[1]
)


@given(
    shares=st.lists(st.floats(0, 50), min_size=1, max_size=12).map(np.array),
    seed=seeds,
)
def test_apportioned_counts_sum_to_total_and_stay_within_one(shares, seed):
    total = round(shares.sum())
    counts = _labels.apportion(shares, total, RandomState(seed))
    assert counts.sum() == total
    assert (abs(counts - shares) < 1 + 1e-9).all()


def test_apportioned_ties_favor_no_position():
    shares = 0.3 * np.array([1, 11, 21, 31])  # remainders differ in the last bits
    counts = (_labels.apportion(shares, 19, RandomState(seed)) for seed in range(400))
    winners = sum(counts) - 400 * np.floor(shares)
    assert winners.sum() == 400
    assert winners.min() > 60


@pytest.mark.parametrize(
    ("n", "fraction", "expected"),
    [(5, 0.5, 2), (7, 0.5, 4), (10, 0.26, 3), (3, 0.1, 0)],
)
def test_exact_selection_rounds_halves_to_even(n, fraction, expected):
    strata = np.zeros(n, dtype=np.intp)
    selected = _labels.select(strata, fraction, exact=True, rng=RandomState(0))
    assert selected.sum() == expected


def test_permutation_reaches_all_orders_equally_often():
    codes, strata = np.arange(3), np.zeros(3, dtype=np.intp)
    rng = RandomState(0)
    orders = [tuple(_labels.permute(codes, strata, rng)) for _ in range(1200)]
    assert len(set(orders)) == 6
    assert min(orders.count(order) for order in set(orders)) > 150


def test_exact_transitions_are_apportioned_by_largest_remainder():
    codes = np.repeat([0, 1, 2], [10, 4, 7])
    matrix = np.array([[0.5, 0.3, 0.2], [0, 1, 0], [0.5, 0.25, 0.25]])
    targets = _labels.follow_transitions(codes, matrix, exact=True, rng=RandomState(0))
    # 7 rows: shares 3.5, 1.75, 1.75; the two largest remainders are served.
    expected = [[5, 3, 2], [0, 4, 0], [3, 2, 2]]
    for label, counts in enumerate(expected):
        assert_array_equal(np.bincount(targets[codes == label], minlength=3), counts)


def test_sampled_transitions_follow_the_matrix():
    codes = np.repeat([0, 1, 2], 20_000)
    matrix = np.array([[0.5, 0.3, 0.2], [0, 1, 0], [0.6, 0.4, 0]])
    targets = _labels.follow_transitions(codes, matrix, exact=False, rng=RandomState(0))
    realized = _labels.realized_transitions(codes, targets, 3)
    assert_allclose(realized, matrix, atol=0.02)
    assert_array_equal(realized[matrix == 0], 0)
