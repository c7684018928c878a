"""BatchNormMLP."""

import copy
import pickle

import pytest
import torch
from torch import nn

from sk_memorize import BatchNormMLP
from sk_memorize.neural._network import apply_layer


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_the_notebooks_network_has_its_number_of_parameters():
    sizes = (256, 512, 256, 128, 64, 32)
    module = BatchNormMLP(784, 10, sizes, norm_affine=True, negative_slope=0.0)
    assert count(module) == 509_930
    for layer, kind in zip(
        module.layers,
        [nn.Linear, nn.ReLU, nn.BatchNorm1d] * 6 + [nn.Linear],
        strict=True,
    ):
        assert isinstance(layer, kind)


@pytest.mark.parametrize(
    ("norm", "kind"), [("batch", nn.BatchNorm1d), ("group", nn.GroupNorm), (None, None)]
)
@pytest.mark.parametrize("norm_position", ["before", "after"])
def test_all_layers_are_torchs_own(norm, kind, norm_position):
    module = BatchNormMLP(
        5, 3, (16, 8), norm=norm, norm_position=norm_position, dropout=0.1
    )
    block = [nn.LeakyReLU] if kind is None else [nn.LeakyReLU, kind]
    if norm_position == "before":
        block.reverse()
    kinds = [type(layer) for layer in module.layers]
    assert kinds == [nn.Linear, *block, nn.Dropout] * 2 + [nn.Linear]
    linear = [layer for layer in module.layers if isinstance(layer, nn.Linear)]
    assert [layer.out_features for layer in linear] == [16, 8, 3]
    X = torch.randn(9, 5, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(module.eval()(X), module.layers(X))


@pytest.mark.parametrize("slope", [-1.0, -0.5, 0.0, 0.2])
def test_the_rectifier_has_the_slope(slope):
    module = BatchNormMLP(1, 2, (3,), norm=None, negative_slope=slope)
    X = torch.tensor([[-2.0, 0.0, 3.0]])
    expected = torch.tensor([[-2.0 * slope, 0.0, 3.0]])
    assert torch.equal(module.layers[1](X), expected)


def test_the_weights_are_distributed_as_torchs_linear_layers():
    weight = BatchNormMLP(400, 3, (500,), seed=0).layers[0].weight
    assert weight.abs().max() <= 1 / 20
    assert weight.std().item() == pytest.approx(1 / 20 / 3**0.5, rel=0.01)


def test_dropout_drops_its_part_scales_the_rest_and_spares_the_global_generator():
    module = BatchNormMLP(4, 2, (8,), norm=None, dropout=0.25, seed=5)
    dropout, ones = module.layers[2], torch.ones(100, 1000)
    state = torch.get_rng_state()
    out, other = (apply_layer(module, dropout, ones) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert out.unique().tolist() == pytest.approx([0.0, 1 / 0.75])
    assert (out == 0).double().mean().item() == pytest.approx(0.25, abs=0.01)
    assert not torch.equal(out, other)
    assert torch.equal(apply_layer(module.eval(), dropout, ones), ones)


def test_a_network_with_dropout_can_be_copied_and_pickled_after_use():
    module = BatchNormMLP(4, 2, (8,), dropout=0.5, seed=5)
    X = torch.ones(6, 4)
    module(X)
    for twin in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert torch.equal(twin.eval()(X), module.eval()(X))
