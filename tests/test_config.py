"""What "auto" comes to for given data."""

import pytest
import torch

from sk_memorize import MemorizingMLP
from sk_memorize.neural._auto_sizes import Shape
from sk_memorize.neural._config import resolve_config


@pytest.mark.parametrize(
    ("shape", "params", "sizes", "batch_size", "cycle_epochs"),
    [
        (Shape(100, 20, 16, 10), {}, (128, 128), 32, 50),
        (Shape(20, 256, 16, 10), {}, (256, 256), 20, 200),
        # The first with five weights for each row, of 448 components.
        (Shape(60_000, 784, 16, 10), {}, (384, 384), 2048, 8),
        (Shape(10_000, 784, 16, 10), {}, (256, 256), 1000, 20),
        (Shape(10**6, 784, 16, 10), {}, (2048, 2048), 2048, 8),
        # In fewer dimensions the networks are deeper, and the batches larger.
        (Shape(1000, 10, 10, 2), {}, (128,) * 4, 427, 67),
        (Shape(1000, 4, 4, 2), {"width": 512}, (512,) * 4, 1000, 200),
        (Shape(1000, 3, 3, 2), {"depth": 3, "batch_size": 5000}, (128,) * 3, 1000, 200),
        (Shape(1000, 3, 3, 2), {"norm": "group"}, (128,) * 6, 250, 50),
        (Shape(1000, 5, 1, 2), {}, (*(64,) * 8, 1024), 1000, 200),
        (Shape(1000, 5, 1, 2), {"width": 32}, (32,) * 6, 1000, 200),
    ],
)
def test_sizes_follow_the_data(
    monkeypatch, shape, params, sizes, batch_size, cycle_epochs
):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: {"amx_bf16": True})
    params = MemorizingMLP(**params).get_params(deep=False)
    config = resolve_config(params, shape)
    assert (config.hidden_layer_sizes, config.batch_size) == (sizes, batch_size)
    assert config.cycle_epochs == cycle_epochs
    expected = torch.bfloat16 if shape.n_rows > 1000 else torch.float32
    assert config.dtype == expected
