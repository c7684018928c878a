"""Batches in memory."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from sk_memorize.neural._batches import (
    SequentialBatches,
    ShuffledBatches,
    TensorPair,
)


def pair(n):
    return TensorPair(torch.arange(n)[:, None], torch.arange(n))


@given(n=st.integers(2, 300), batch_size=st.integers(2, 300), seed=st.integers(0, 9))
def test_every_row_once_an_epoch_and_no_batch_of_one_row(n, batch_size, seed):
    batches = ShuffledBatches(pair(n), batch_size, seed)
    for _ in range(2):
        targets = [y.clone() for _, y in batches]
        assert len(targets) == len(batches)
        assert sorted(torch.cat(targets).tolist()) == list(range(n))
        assert torch.equal(batches.order, torch.cat(targets))
        sizes = [len(y) for y in targets]
        assert min(sizes) >= 2
        assert max(sizes) - min(sizes) <= 1
        assert max(sizes) <= batch_size + (batch_size == 2 and n % 2)


def test_inputs_and_targets_stay_together():
    for X, y in ShuffledBatches(pair(50), 8, seed=0):
        assert torch.equal(X[:, 0], y)


def test_single_rows_where_they_are_asked_for():
    assert [len(y) for _, y in ShuffledBatches(pair(4), 1)] == [1] * 4


def test_orders_differ_from_epoch_to_epoch_and_follow_the_seed():
    first, same, other = (ShuffledBatches(pair(64), 64, seed) for seed in (0, 0, 1))
    one, two = (next(iter(first))[1].clone() for _ in range(2))
    assert not torch.equal(one, two)
    assert torch.equal(next(iter(same))[1], one)
    assert not torch.equal(next(iter(other))[1], one)


def test_the_global_generator_is_left_alone():
    state = torch.get_rng_state()
    list(ShuffledBatches(pair(10), 3))
    assert torch.equal(torch.get_rng_state(), state)


def test_sequential_batches_keep_the_order():
    batches = SequentialBatches(pair(10), 4)
    assert [len(y) for _, y in batches] == [4, 4, 2]
    assert len(batches) == 3
    assert torch.equal(torch.cat([y for _, y in batches]), torch.arange(10))


def test_targets_may_be_missing():
    dataset = TensorPair(torch.ones(3, 2))
    assert dataset[1][1] == 0
    assert len(dataset) == 3
