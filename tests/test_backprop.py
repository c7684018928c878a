"""The backward pass without autograd."""

import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from sk_memorize import BatchNormMLP
from sk_memorize.neural._backprop import Backprop


def batch(n, n_features, n_classes, seed=0):
    generator = torch.Generator().manual_seed(seed)
    X = torch.randn(n, n_features, generator=generator)
    return X, torch.randint(n_classes, (n,), generator=generator)


def autograd(module, X, y, smoothing=0.0):
    loss = nn.functional.cross_entropy(module(X), y, label_smoothing=smoothing)
    module.zero_grad()
    loss.backward()
    return loss.detach(), [p.grad for p in module.parameters()]


def assert_same_gradients(module, expected, rtol=1e-4):
    # The hidden Linear layers' biases are without effect before batch norm.
    for parameter, gradient in zip(module.parameters(), expected, strict=True):
        if parameter.grad is None:
            assert gradient.abs().max() < 1e-6
        else:
            error = (parameter.grad - gradient).norm() / gradient.norm()
            assert error < rtol


@pytest.mark.parametrize("single_thread", [False, True])
@pytest.mark.parametrize("slope", [0.0, -0.5, 0.2])
@pytest.mark.parametrize(
    ("sizes", "n_classes"), [((16,), 2), ((32, 24), 7), ((20, 16, 40), 17)]
)
def test_loss_and_gradients_are_autograds(sizes, n_classes, slope, single_thread):
    module = BatchNormMLP(9, n_classes, sizes, negative_slope=slope, seed=1)
    twin = BatchNormMLP(9, n_classes, sizes, negative_slope=slope, seed=1)
    backprop = Backprop(module, torch.float32, 0.0, single_thread)
    for n in (50, 33, 50):  # the memory for each size is kept
        X, y = batch(n, 9, n_classes, seed=n)
        expected, gradients = autograd(twin, X, y)
        loss, logits = backprop(X, y)
        torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(logits, twin(X).detach(), rtol=1e-4, atol=1e-5)
        assert_same_gradients(module, gradients)


@settings(max_examples=20, deadline=None)
@given(
    n=st.integers(2, 60),
    n_features=st.integers(1, 20),
    width=st.integers(16, 40),
    n_classes=st.integers(2, 20),
    smoothing=st.sampled_from([0.0, 0.1, 0.5]),
)
def test_the_loss_is_autograds_for_any_shape(
    n, n_features, width, n_classes, smoothing
):
    module, twin = (BatchNormMLP(n_features, n_classes, (width,)) for _ in range(2))
    X, y = batch(n, n_features, n_classes)
    expected, _ = autograd(twin, X, y, smoothing)
    loss, logits = Backprop(module, torch.float32, smoothing)(X, y)
    torch.testing.assert_close(loss, expected, rtol=1e-4, atol=1e-5)
    assert logits.shape == (n, n_classes)
    output, reference = module.layers[-1], twin.layers[-1]
    torch.testing.assert_close(
        output.weight.grad, reference.weight.grad, rtol=1e-3, atol=1e-4
    )
    torch.testing.assert_close(
        output.bias.grad, reference.bias.grad, rtol=1e-3, atol=1e-4
    )


def test_label_smoothing_has_autograds_gradients():
    module, twin = (BatchNormMLP(9, 5, (32, 32)) for _ in range(2))
    X, y = batch(64, 9, 5)
    _, gradients = autograd(twin, X, y, smoothing=0.2)
    Backprop(module, torch.float32, 0.2)(X, y)
    assert_same_gradients(module, gradients)


def test_bfloat16_is_near_float32():
    module, twin = (BatchNormMLP(30, 10, (64, 64)) for _ in range(2))
    X, y = batch(256, 30, 10)
    _, gradients = autograd(twin, X, y)
    Backprop(module, torch.bfloat16, 0.0)(X.bfloat16(), y)
    assert_same_gradients(module, gradients, rtol=0.1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_number_of_threads_does_not_matter(dtype):
    n_threads = torch.get_num_threads()
    results = []
    try:
        for n in (1, 2):
            torch.set_num_threads(n)
            module = BatchNormMLP(50, 10, (96, 128), seed=2)
            backprop = Backprop(module, dtype, 0.0)
            loss, logits = backprop(*batch(300, 50, 10))
            results.append((loss, logits, backprop.gradients))
    finally:
        torch.set_num_threads(n_threads)
    for one, two in zip(*results, strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize("single_thread", [False, True])
def test_quick_logits_are_the_last_batchs(single_thread):
    module = BatchNormMLP(9, 5, (32, 32))
    backprop = Backprop(module, torch.float32, 0.0, single_thread)
    X, y = batch(40, 9, 5)
    _, logits = backprop(X, y)
    quick = backprop.quick_logits(X[:7])
    torch.testing.assert_close(quick, logits[:7], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "params",
    [
        {"norm": "group"},
        {"norm": None},
        {"norm_position": "after"},
        {"dropout": 0.1},
        {"hidden_layer_sizes": (32, 15)},
        {"hidden_layer_sizes": ()},
    ],
)
def test_other_networks_are_not_supported(params):
    params = {"hidden_layer_sizes": (32, 32), **params}
    assert not Backprop.supports(BatchNormMLP(9, 5, **params))
    assert Backprop.supports(BatchNormMLP(9, 5, (16, 32)))


def test_released_parameters_have_memory_of_their_own():
    module = BatchNormMLP(9, 5, (32, 32))
    size = len(pickle.dumps(module))
    backprop = Backprop(module, torch.float32, 0.0)
    backprop(*batch(40, 9, 5))
    before = [p.detach().clone() for p in module.parameters()]
    backprop.release()
    backprop.parameters.zero_()
    for parameter, value in zip(module.parameters(), before, strict=True):
        assert parameter.grad is None
        assert torch.equal(parameter, value)
    assert len(pickle.dumps(module)) < 1.1 * size
