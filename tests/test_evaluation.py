"""Recalibration, evaluation, attainable accuracy."""

import numpy as np
import torch

from sk_memorize import BatchNormMLP
from sk_memorize.neural._evaluation import (
    accuracy_and_loss,
    compute_logits,
    recalibrate,
)
from sk_memorize.neural._rows import Rows


def inputs(n=20_000, d=6):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(0)) * 2 + 1


def test_recalibrated_eval_mode_is_training_mode_on_all_rows():
    rows = Rows(inputs(), torch.arange(20_000))
    X = rows.gather()
    for position in ("before", "after"):
        module = BatchNormMLP(6, 3, (8, 5), norm_position=position, seed=1)
        logits = recalibrate(module, rows)
        assert not module.training
        torch.testing.assert_close(compute_logits(module, X), logits)
        expected = module.train()(X).detach()
        torch.testing.assert_close(logits.float(), expected, rtol=1e-3, atol=1e-4)


def test_accuracy_and_loss_by_hand():
    logits = torch.tensor([[2.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    rows = Rows(torch.arange(3.0)[:, None], torch.tensor([0, 0, 0]))
    accuracy, loss = accuracy_and_loss(logits[rows.gather().long().squeeze(1)], rows)
    assert accuracy == 2 / 3
    by_hand = np.log1p(np.exp(-2)) + np.log(2) + np.log1p(np.e)
    np.testing.assert_allclose(loss, by_hand / 3, rtol=1e-6)
