"""Recalibration, evaluation, attainable accuracy."""

import numpy as np
import pytest
import torch

from sk_memorize import BatchNormMLP
from sk_memorize.neural import _evaluation
from sk_memorize.neural._evaluation import (
    HiddenOutputs,
    accuracy_and_loss,
    compute_logits,
    recalibrate,
)
from sk_memorize.preprocessing import Rows


@pytest.mark.parametrize("position", ["before", "after"])
@pytest.mark.parametrize("kept_bytes", [0, 2**27])
def test_recalibrated_eval_mode_is_training_mode_on_all_rows(
    monkeypatch, position, kept_bytes
):
    monkeypatch.setattr(_evaluation, "_KEPT_BYTES", kept_bytes)
    X = torch.randn(20_000, 6, generator=torch.Generator().manual_seed(0)) * 2 + 1
    module = BatchNormMLP(6, 3, (8, 5), norm_position=position, seed=1)
    recalibrate(module, X)
    assert not module.training
    logits = compute_logits(module, X)
    hidden = HiddenOutputs(module, Rows(X, torch.zeros(len(X), dtype=torch.int64)))
    ordered = hidden.logits(module.last_layer).sort(0).values
    torch.testing.assert_close(ordered, logits.sort(0).values)
    expected = module.train()(X).detach()
    torch.testing.assert_close(logits.float(), expected, rtol=1e-3, atol=1e-4)


def test_accuracy_and_loss_by_hand():
    logits = torch.tensor([[2.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    rows = Rows(torch.arange(3.0)[:, None], torch.tensor([0, 0, 0]))
    order = torch.cat(list(rows.chunks())).long().squeeze(1)
    accuracy, loss = accuracy_and_loss(logits[order], rows)
    assert accuracy == 2 / 3
    by_hand = np.log1p(np.exp(-2)) + np.log(2) + np.log1p(np.e)
    np.testing.assert_allclose(loss, by_hand / 3, rtol=1e-6)
