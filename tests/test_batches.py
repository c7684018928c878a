"""Batches in memory."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from skorch.dataset import Dataset

from sk_memorize.neural._batches import TensorBatches


def pair(n):
    return Dataset(torch.arange(n)[:, None], torch.arange(n))


@given(n=st.integers(2, 300), batch_size=st.integers(2, 300), seed=st.integers(0, 9))
def test_every_row_once_an_epoch_and_no_batch_of_one_row(n, batch_size, seed):
    batches = TensorBatches(pair(n), batch_size, seed)
    targets = [y for _, y in batches]
    assert len(targets) == len(batches)
    assert sorted(torch.cat(targets).tolist()) == list(range(n))
    sizes = [len(y) for y in targets]
    assert min(sizes) >= 2
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= batch_size + (batch_size == 2 and n % 2)


def test_inputs_weights_and_targets_stay_together():
    inputs = {"X": torch.arange(50)[:, None], "weight": torch.arange(50.0)}
    for X, y in TensorBatches(Dataset(inputs, torch.arange(50)), 8, seed=0):
        assert torch.equal(X["X"][:, 0], y)
        assert torch.equal(X["weight"], y.float())


def test_single_rows_where_they_are_asked_for():
    assert [len(y) for _, y in TensorBatches(pair(4), 1, seed=0)] == [1] * 4


def test_orders_are_a_function_of_seed_and_epoch():
    def order(seed, epoch):
        return next(iter(TensorBatches(pair(64), 64, seed, epoch)))[1].tolist()

    assert order(0, 3) == order(0, 3)
    assert len({tuple(order(seed, epoch)) for seed in (0, 1) for epoch in (0, 1)}) == 4


def test_without_a_seed_the_order_is_kept_and_targets_may_be_missing():
    batches = TensorBatches(pair(10), 4)
    assert [len(y) for _, y in batches] == [4, 4, 2]
    assert len(batches) == 3
    assert torch.equal(torch.cat([y for _, y in batches]), torch.arange(10))
    ((X, y),) = TensorBatches(Dataset(torch.ones(3, 2)), 4)
    assert X.shape == (3, 2)
    assert y.tolist() == [0, 0, 0]
