"""Whitening of the inputs, and folding it into a layer."""

import pytest
import torch
from torch import nn

from sk_memorize.neural._rows import Rows
from sk_memorize.neural._whitening import (
    apply_whitening,
    fit_whitening,
    fold_whitening,
    unfold_whitening,
)


def data(n, d, seed=0):
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(d, d, generator=generator)
    return torch.randn(n, d, generator=generator) @ mixing + 5


def rows_of(X):
    return Rows(X, torch.arange(len(X)))


def whiten(X, shrinkage):
    rows = rows_of(X)
    Z = apply_whitening(rows, *fit_whitening(rows, shrinkage), dtype=torch.float32)
    return (
        Z[(X[:, None] == rows.gather()).all(2).int().argmax(1)] if len(X) < 2e3 else Z
    )


def test_without_shrinkage_the_covariance_is_the_identity():
    Z = whiten(data(20_000, 12), 0.0)
    torch.testing.assert_close(Z.mean(0), torch.zeros(12), rtol=0, atol=1e-4)
    torch.testing.assert_close(Z.T.cov(correction=0), torch.eye(12), rtol=0, atol=1e-3)


def test_shrinkage_keeps_small_directions_small():
    variances = whiten(data(5_000, 12), 0.1).var(0, correction=0).sort().values
    assert variances[0] < 0.5
    assert variances[-1].item() == pytest.approx(1 / 1.1, rel=1e-3)


@pytest.mark.parametrize("n", [40, 8])
def test_fewer_rows_than_columns_and_more_give_the_same_kind_of_map(n):
    X = data(n, 20)
    Z = whiten(X, 0.0)
    assert Z.shape == (n, min(20, n - 1))  # centering takes one direction
    torch.testing.assert_close(
        Z.T.cov(correction=0), torch.eye(Z.shape[1]), rtol=0, atol=1e-3
    )


def test_the_units_of_a_column_do_not_matter_once_it_is_large():
    X = data(1_000, 6)
    scaled = X * torch.tensor([1e6, 1, 1, 1, 1, 1])
    products = [Z @ Z.T for Z in (whiten(X, 0.01), whiten(scaled, 0.01))]
    difference = (products[0] - products[1]).norm() / products[0].norm()
    assert difference < 0.1


def test_constant_columns_are_left_out():
    X = data(100, 4)
    X[:, 1] = 1e4
    _, transform = fit_whitening(rows_of(X), 0.01)
    assert transform.shape == (4, 3)
    assert (transform[1] == 0).all()
    assert whiten(X, 0.01).isfinite().all()


def test_inputs_without_any_variance_become_zero():
    Z = whiten(torch.full((10, 3), 7.0), 0.1)
    assert Z.shape == (10, 1)
    assert (Z == 0).all()


@pytest.mark.parametrize("n", [8, 300])
def test_the_folded_layer_gives_the_same_outputs_on_raw_inputs(n):
    X = data(n, 20)
    mean, transform = fit_whitening(rows_of(X), 0.01)
    layer = nn.Linear(transform.shape[1], 5)
    folded = fold_whitening(layer, mean, transform)
    assert folded.in_features == 20
    rows = rows_of(X)
    expected = layer(apply_whitening(rows, mean, transform, dtype=torch.float32))
    torch.testing.assert_close(folded(rows.gather()), expected, rtol=1e-4, atol=1e-4)
    # And back again.
    weight, bias = unfold_whitening(folded, mean, transform)
    torch.testing.assert_close(weight.float(), layer.weight, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(bias.float(), layer.bias, rtol=1e-3, atol=1e-3)


def test_the_global_generator_is_left_alone():
    state = torch.get_rng_state()
    mean, transform = fit_whitening(rows_of(data(30, 4)), 0.1)
    fold_whitening(nn.Linear(4, 2), mean, transform)
    after = torch.get_rng_state()
    torch.set_rng_state(state)
    nn.Linear(4, 2)  # the test's own draw
    assert torch.equal(torch.get_rng_state(), after)
