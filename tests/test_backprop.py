"""The network's own forward and backward pass."""

import copy
import math
import pickle
from itertools import count, pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from sk_memorize import BatchNormMLP
from sk_memorize.neural._backprop import Backprop


def network(n_features=9, n_classes=10, sizes=(40, 24), negative_slope=-0.5, **params):
    module = BatchNormMLP(
        n_features, n_classes, sizes, negative_slope=negative_slope, seed=1, **params
    )
    generator = torch.Generator().manual_seed(2)
    for layer in module.layers:
        if isinstance(layer, nn.BatchNorm1d):  # else they are ones and zeros
            nn.init.uniform_(layer.weight, 0.5, 1.5, generator=generator)
            nn.init.uniform_(layer.bias, -0.5, 0.5, generator=generator)
    return module


def of_torch(module):
    """The same network of torch's own layers, in float64."""
    twins = nn.Sequential()
    for layer in module.layers:
        if isinstance(layer, nn.Linear):
            twin = nn.Linear(layer.in_features, layer.out_features)
        elif isinstance(layer, nn.BatchNorm1d):
            twin = nn.BatchNorm1d(layer.num_features)
        else:
            twin = copy.deepcopy(layer)
        twin.load_state_dict(layer.state_dict())
        twins.append(twin)
    return twins.double()


def rows(n, n_features=9, n_classes=10, seed=0):
    generator = torch.Generator().manual_seed(seed)
    X = torch.randn(n, n_features, generator=generator) * 2 + 1
    return X, torch.randint(n_classes, (n,), generator=generator)


def distance_to_kink(reference, X):
    """How close the rectifiers' inputs come to zero, where the slope jumps."""
    nearest = math.inf
    with torch.no_grad():
        hidden = X.double()
        for layer in reference:
            if isinstance(layer, nn.ReLU | nn.LeakyReLU):
                nearest = min(nearest, hidden.abs().min().item())
            hidden = layer(hidden)
    return nearest


def smooth_rows(module, *shape):
    """Rows for which rounding errors take no rectifier to its other side."""
    reference = of_torch(module)
    for seed in count():
        X, y = rows(*shape, seed=seed)
        if distance_to_kink(reference, X) > 1e-5:
            return X, y
    return None


def relative_error(found, expected):
    return ((found - expected).norm() / expected.norm()).item()


def check_against_autograd(backprop, module, X, y, tolerance=1e-4):
    reference = of_torch(module)
    expected_logits = reference(X.double())
    expected = F.cross_entropy(
        expected_logits, y, label_smoothing=backprop.label_smoothing
    )
    expected.backward()
    loss, logits = backprop(X, y)
    assert logits.shape == expected_logits.shape
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    assert relative_error(logits, expected_logits) < tolerance
    last = len(module.layers) - 1
    for i, (ours, theirs) in enumerate(zip(module.layers, reference, strict=True)):
        for (name, p), q in zip(
            ours.named_parameters(), theirs.parameters(), strict=True
        ):
            if isinstance(ours, nn.Linear) and name == "bias" and i < last:
                # The mean that is subtracted takes it away.
                assert p.grad is None
                assert q.grad.abs().max() < 1e-10
            else:
                assert relative_error(p.grad, q.grad) < tolerance, (i, name)


def descend(module):
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.grad is not None:
                parameter -= 0.1 * parameter.grad


@pytest.mark.parametrize("sizes", [(16,), (40, 24), (17, 33, 16)], ids=str)
@pytest.mark.parametrize("n_classes", [2, 7, 16, 17, 20])
@pytest.mark.parametrize("negative_slope", [0.0, -0.5, 0.2])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
@pytest.mark.parametrize("single_thread", [False, True])
def test_loss_and_gradients_are_autograds_while_weights_and_batch_sizes_change(
    sizes, n_classes, negative_slope, label_smoothing, single_thread
):
    module = network(9, n_classes, sizes, negative_slope)
    backprop = Backprop(module, torch.float32, label_smoothing, single_thread)
    for n in (50, 16, 50, 16):
        X, y = smooth_rows(module, n, 9, n_classes)
        check_against_autograd(backprop, module, X, y)
        descend(module)


@settings(deadline=None, max_examples=25)
@given(
    n=st.integers(8, 60),
    # The gradient for a single column is zero but for batch norm's epsilon.
    n_features=st.integers(4, 30),
    n_classes=st.integers(2, 40),
    sizes=st.lists(st.integers(16, 40), min_size=1, max_size=3),
    negative_slope=st.sampled_from([-1.0, -0.5, 0.0, 0.3]),
    label_smoothing=st.sampled_from([0.0, 0.3]),
    single_thread=st.booleans(),
)
def test_gradients_are_autograds_for_all_shapes(
    n, n_features, n_classes, sizes, negative_slope, label_smoothing, single_thread
):
    module = network(n_features, n_classes, sizes, negative_slope)
    backprop = Backprop(module, torch.float32, label_smoothing, single_thread)
    X, y = smooth_rows(module, n, n_features, n_classes)
    check_against_autograd(backprop, module, X, y, tolerance=1e-3)


@pytest.mark.parametrize("single_thread", [False, True])
def test_two_rows_are_enough(single_thread):
    module = network()
    backprop = Backprop(module, torch.float32, 0.0, single_thread)
    X, y = smooth_rows(module, 2)
    check_against_autograd(backprop, module, X, y, tolerance=1e-3)


@pytest.mark.parametrize(
    ("negative_slope", "tolerance"),
    # Rounding takes some inputs of the rectifiers to the other side of zero.
    [(0.0, 0.1), (0.2, 0.1), (-0.5, 0.15), (0.9, 0.02)],
)
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_gradients_in_bfloat16_are_near_those_in_float32(
    negative_slope, tolerance, label_smoothing
):
    gradients = {}
    for dtype in (torch.float32, torch.bfloat16):
        module = network(20, 7, (64, 64), negative_slope)
        backprop = Backprop(module, dtype, label_smoothing)
        for n in (256, 100, 256):
            loss, logits = backprop(*rows(n, 20, 7))
            assert loss.dtype == logits.dtype == torch.float32
        gradients[dtype] = [p.grad for p in module.parameters() if p.ndim == 2]
    for high, low in zip(*gradients.values(), strict=True):
        assert low.dtype == torch.float32
        assert relative_error(low, high) < tolerance


def test_bfloat16_sees_the_weights_that_an_optimizer_has_changed():
    module = network()
    backprop = Backprop(module, torch.bfloat16, 0.0)
    X, y = rows(64)
    losses = []
    for _ in range(20):
        losses.append(backprop(X, y)[0].item())
        descend(module)
    assert all(b < a for a, b in pairwise(losses))


@pytest.mark.parametrize("n_classes", [7, 16])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_parameters_and_gradients_are_views_of_one_tensor(n_classes, dtype):
    module = network(n_classes=n_classes)
    backprop = Backprop(module, dtype, 0.0)
    backprop(*rows(30, n_classes=n_classes))
    total = torch.zeros_like(backprop.parameters)
    for parameter in module.parameters():
        place = backprop.places.get(parameter)
        assert (place is None) == (parameter.grad is None)
        if place is not None:
            total[place] += 1
            start = backprop.parameters[place].data_ptr()
            assert parameter.data_ptr() == start
            assert torch.equal(parameter.grad.flatten(), backprop.gradients[place])
    # None lies on another; the padding stays zero.
    assert total.max() == 1
    assert (backprop.parameters[total == 0] == 0).all()
    assert (backprop.gradients[total == 0] == 0).all()


def test_the_running_averages_are_left_alone():
    module = network()
    kept = {name: buffer.clone() for name, buffer in module.named_buffers()}
    Backprop(module, torch.float32, 0.0)(*rows(30))
    assert all(torch.equal(kept[name], b) for name, b in module.named_buffers())


def test_inputs_may_be_of_the_other_dtype():
    X, y = rows(64)
    losses = [
        Backprop(network(), dtype, 0.0)(X.to(other), y)[0].item()
        for dtype in (torch.float32, torch.bfloat16)
        for other in (torch.float32, torch.bfloat16)
    ]
    assert losses == pytest.approx([losses[0]] * 4, rel=1e-2)


@pytest.mark.parametrize("sizes", [(16,), (40, 24), (512, 16, 300, 17)], ids=str)
@pytest.mark.parametrize("negative_slope", [-1.0, -0.5, 0.0, 0.2])
def test_batch_norm_before_a_rectifier_is_supported(sizes, negative_slope):
    assert Backprop.supports(network(3, 2, sizes, negative_slope))


@pytest.mark.parametrize(
    "params",
    [
        {"norm": "group"},
        {"norm": "layer"},
        {"norm": None},
        {"norm_position": "after"},
        {"dropout": 0.1},
        {"sizes": (15,)},
        {"sizes": (64, 8, 64)},
        {"sizes": ()},
        {"sizes": (16, 32), "norm": "group", "norm_position": "after"},
    ],
    ids=str,
)
def test_other_networks_are_not_supported(params):
    assert not Backprop.supports(network(**params))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_released_parameters_have_memory_of_their_own(dtype):
    module = network()
    size = len(pickle.dumps(module.state_dict()))
    backprop = Backprop(module, dtype, 0.0)
    backprop(*rows(30))
    descend(module)
    values = [p.detach().clone() for p in module.parameters()]
    assert len(pickle.dumps(module.state_dict())) > 2 * size  # each with all
    backprop.release()
    assert len(pickle.dumps(module.state_dict())) == size
    for parameter, value in zip(module.parameters(), values, strict=True):
        assert torch.equal(parameter, value)
        assert parameter.grad is None
        assert parameter.untyped_storage().nbytes() == 4 * parameter.numel()
    backprop.parameters.fill_(7.0)
    assert all(map(torch.equal, module.parameters(), values))


@pytest.mark.parametrize("single_thread", [False, True])
def test_quick_logits_of_the_last_batch_are_those_of_training_mode(single_thread):
    module = network()
    backprop = Backprop(module, torch.float32, 0.0, single_thread)
    X, y = rows(50)
    backprop(*rows(70, seed=1))
    _, logits = backprop(X, y)
    quick = backprop.quick_logits(X)
    torch.testing.assert_close(quick, logits, rtol=1e-4, atol=1e-5)
    expected = module.train()(X).detach()
    torch.testing.assert_close(quick, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("n", [0, 1, 13, 49])
@pytest.mark.parametrize("single_thread", [False, True])
def test_quick_logits_of_fewer_rows_have_the_last_batchs_statistics(n, single_thread):
    backprop = Backprop(network(), torch.float32, 0.0, single_thread)
    X, y = rows(50)
    _, logits = backprop(X, y)
    quick = backprop.quick_logits(X[:n])
    assert quick.shape == (n, 10)
    torch.testing.assert_close(quick, logits[:n], rtol=1e-4, atol=1e-5)


def test_quick_logits_in_bfloat16_are_near_those_of_the_batch():
    backprop = Backprop(network(), torch.bfloat16, 0.0)
    X, y = rows(50)
    _, logits = backprop(X, y)
    assert relative_error(backprop.quick_logits(X), logits) < 0.02


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("single_thread", [False, True])
def test_quick_logits_leave_no_trace_in_the_next_step(dtype, single_thread):
    X, y = rows(50)
    results = []
    for look in (False, True):
        module = network()
        backprop = Backprop(module, dtype, 0.0, single_thread)
        backprop(X, y)
        if look:
            backprop.quick_logits(X[:7] * 100)
        backprop(X, y)
        results.append([p.grad for p in module.parameters() if p.grad is not None])
    assert all(map(torch.equal, *results))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("n_features", [7, 61])
@pytest.mark.parametrize("n_classes", [7, 10])
@pytest.mark.parametrize("n", [256, 251])
def test_one_thread_and_two_give_the_same_bits(
    dtype, n_features, n_classes, n, set_threads
):
    X, y = rows(n, n_features, n_classes)
    results = []
    for n_threads in (1, 2):
        set_threads(n_threads)
        module = network(n_features, n_classes, (64, 128, 100))
        backprop = Backprop(module, dtype, 0.1)
        loss, logits = backprop(X, y)
        grads = [p.grad for p in module.parameters() if p.grad is not None]
        assert len(grads) == 4 + 2 * 3 + 1
        results.append([loss, logits, backprop.quick_logits(X[:100]), *grads])
    assert all(map(torch.equal, *results))
