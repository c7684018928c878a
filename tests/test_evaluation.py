"""Recalibration, evaluation, attainable accuracy."""

from collections import Counter, defaultdict

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sk_memorize import BatchNormMLP
from sk_memorize.neural._evaluation import (
    accuracy_and_loss,
    attainable_accuracy,
    compute_logits,
    recalibrate,
)


def inputs(n=20_000, d=6):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(0)) * 2 + 1


def test_recalibrated_eval_mode_is_training_mode_on_all_rows():
    X = inputs()
    for position in ("before", "after"):
        module = BatchNormMLP(6, 3, (8, 5), norm_position=position, seed=1)
        kept = X.clone()
        logits = recalibrate(module, X)
        assert not module.training
        assert torch.equal(X, kept)
        torch.testing.assert_close(compute_logits(module, X), logits)
        expected = module.train()(X).detach()
        torch.testing.assert_close(logits.float(), expected, rtol=1e-3, atol=1e-4)


def test_accuracy_and_loss_by_hand():
    logits = torch.tensor([[2.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    accuracy, loss = accuracy_and_loss(logits, torch.tensor([0, 0, 0]))
    assert accuracy == 2 / 3
    by_hand = np.log1p(np.exp(-2)) + np.log(2) + np.log1p(np.e)
    np.testing.assert_allclose(loss, by_hand / 3, rtol=1e-6)


@given(
    arrays(np.float32, (30, 2), elements=st.sampled_from([0.0, -0.0, 1.0, 1e-30])),
    arrays(np.int64, 30, elements=st.integers(0, 3)),
)
def test_attainable_accuracy_counts_the_most_frequent_label_of_equal_rows(X, y):
    labels = defaultdict(Counter)
    for row, label in zip(X + 0.0, y, strict=True):
        labels[tuple(row)][label] += 1
    best = sum(max(counter.values()) for counter in labels.values())
    found = attainable_accuracy(torch.from_numpy(X), torch.from_numpy(y))
    assert found == best / 30


def test_attainable_accuracy_is_one_where_rows_differ_in_one_bit():
    X = torch.ones(2, 50)
    X[1, 49] = torch.nextafter(torch.tensor(1.0), torch.tensor(2.0))
    assert attainable_accuracy(X, torch.tensor([0, 1])) == 1.0
    assert attainable_accuracy(X[[0, 0]], torch.tensor([0, 1])) == 0.5
