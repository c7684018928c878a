"""BatchNormMLP."""

import copy
import pickle

import pytest
import torch
from torch import nn

from sk_memorize import BatchNormMLP


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_the_notebooks_network_has_its_number_of_parameters():
    sizes = (256, 512, 256, 128, 64, 32)
    module = BatchNormMLP(784, 10, sizes, norm_position="after", negative_slope=0.0)
    assert count(module) == 509_930
    for layer, kind in zip(
        module.layers,
        [nn.Linear, nn.ReLU, nn.BatchNorm1d] * 6 + [nn.Linear],
        strict=True,
    ):
        assert isinstance(layer, kind)


def test_the_papers_networks_have_their_number_of_parameters():
    # Zhang et al. 2017, Table 1: 28 x 28 x 3 inputs, no normalization.
    assert count(BatchNormMLP(2352, 10, (512,) * 3, norm=None)) == 1_735_178
    assert count(BatchNormMLP(2352, 10, (512,), norm=None)) == 1_209_866


@pytest.mark.parametrize(
    ("norm", "kind"),
    [
        ("batch", nn.BatchNorm1d),
        ("group", nn.GroupNorm),
        ("layer", nn.LayerNorm),
        (None, None),
    ],
)
def test_only_the_documented_layers(norm, kind):
    module = BatchNormMLP(5, 3, (16, 8), norm=norm, dropout=0.1)
    allowed = (nn.Linear, nn.LeakyReLU, nn.Dropout) + ((kind,) if kind else ())
    assert all(isinstance(layer, allowed) for layer in module.layers)
    linear = [layer for layer in module.layers if isinstance(layer, nn.Linear)]
    assert [layer.out_features for layer in linear] == [16, 8, 3]


@pytest.mark.parametrize("norm_position", ["before", "after"])
def test_outputs_and_gradients_are_those_of_torchs_layers(norm_position):
    module = BatchNormMLP(7, 10, (16, 20), norm_position=norm_position, seed=3)
    reference = nn.Sequential()
    for layer in module.layers:
        if isinstance(layer, nn.Linear):
            twin = nn.Linear(layer.in_features, layer.out_features)
        elif isinstance(layer, nn.BatchNorm1d):
            twin = nn.BatchNorm1d(layer.num_features)
        else:
            twin = nn.LeakyReLU(-0.5)
        twin.load_state_dict(layer.state_dict())
        reference.append(twin)
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(33, 7, generator=generator) * 3 + 1
    y = torch.randint(10, (33,), generator=generator)
    for network in (module, reference):
        nn.functional.cross_entropy(network(X), y).backward()
    for ours, theirs in zip(module.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=1e-6)
    for ours, theirs in zip(module.buffers(), reference.buffers(), strict=True):
        torch.testing.assert_close(ours, theirs)
    module.eval(), reference.eval()
    torch.testing.assert_close(module(X), reference(X))


@pytest.mark.parametrize("slope", [-1.0, -0.5, 0.0, 0.2])
def test_the_rectifier_has_the_slope(slope):
    module = BatchNormMLP(1, 2, (3,), norm=None, negative_slope=slope)
    X = torch.tensor([[-2.0, 0.0, 3.0]])
    expected = torch.tensor([[-2.0 * slope, 0.0, 3.0]])
    assert torch.equal(module.layers[1](X), expected)


def test_the_seed_decides_the_weights_and_the_global_generator_is_left_alone():
    state = torch.get_rng_state()
    first, same, other = (BatchNormMLP(5, 3, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.layers[0].weight, same.layers[0].weight)
    assert not torch.equal(first.layers[0].weight, other.layers[0].weight)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_weights_are_distributed_as_torchs_linear_layers():
    weight = BatchNormMLP(400, 3, (500,), seed=0).layers[0].weight
    assert weight.abs().max() <= 1 / 20
    assert weight.std().item() == pytest.approx(1 / 20 / 3**0.5, rel=0.01)


def test_dropout_drops_its_part_scales_the_rest_and_spares_the_global_generator():
    module = BatchNormMLP(4, 2, (8,), norm=None, dropout=0.25, seed=5)
    dropout = module.layers[2]
    state = torch.get_rng_state()
    out = dropout(torch.ones(100, 1000))
    assert torch.equal(torch.get_rng_state(), state)
    assert out.unique().tolist() == pytest.approx([0.0, 1 / 0.75])
    assert (out == 0).double().mean().item() == pytest.approx(0.25, abs=0.01)
    assert torch.equal(dropout.eval()(torch.ones(3)), torch.ones(3))


def test_a_network_with_dropout_can_be_copied_and_pickled_after_use():
    module = BatchNormMLP(4, 2, (8,), dropout=0.5, seed=5)
    X = torch.ones(6, 4)
    module(X)
    for twin in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert torch.equal(twin.eval()(X), module.eval()(X))


def test_a_new_first_layer_shares_the_others():
    module = BatchNormMLP(4, 2, (8,), seed=0)
    other = module.with_first_layers(nn.Identity(), nn.Linear(9, 8))
    assert other.layers[1].in_features == 9
    assert module.layers[0].in_features == 4
    assert all(a is b for a, b in zip(other.layers[2:], module.layers[1:], strict=True))
