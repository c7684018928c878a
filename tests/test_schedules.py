"""Learning rate schedules."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from skorch.callbacks import LRScheduler
from torch.optim.lr_scheduler import ExponentialLR, OneCycleLR

from sk_memorize import MemorizingMLP
from sk_memorize.neural._schedules import (
    OneCycle,
    cycle_epochs,
    one_cycle_factor,
)

X, y = load_digits(return_X_y=True)
X, y = X[:200], y[:200]


def rates(**params):
    clf = MemorizingMLP(width=16, target_accuracy=None, random_state=0, **params)
    return clf.fit(X, y).history_["lr"].to_numpy()


def test_the_notebooks_schedule():
    lr = rates(
        lr=1e-3,
        lr_scheduler="step",
        lr_scheduler_params={"step_size": 5, "gamma": 0.1},
        lr_scheduler_start=2,
        max_epochs=20,
    )
    expected = [1e-3] * 6 + [1e-4] * 5 + [1e-5] * 5 + [1e-6] * 4
    np.testing.assert_allclose(lr, expected)


def test_schedules_by_name():
    common = {"lr": 0.1, "max_epochs": 6}
    np.testing.assert_allclose(rates(lr_scheduler=None, **common), 0.1)
    np.testing.assert_allclose(
        rates(lr_scheduler="exponential", **common), 0.1 * 0.95 ** np.arange(6)
    )
    np.testing.assert_allclose(
        rates(lr_scheduler="cosine", **common),
        0.05 * (1 + np.cos(np.pi * np.arange(6) / 6)),
    )
    # The loss cannot fall by a half in every epoch, so the plateau is seen.
    plateau = rates(
        lr_scheduler="plateau",
        lr_scheduler_params={"patience": 0, "threshold": 0.9},
        **common,
    )
    assert plateau[-1] < plateau[0] == 0.1


def test_a_scheduler_of_torch_and_of_skorch():
    expected = 0.1 * 0.5 ** np.arange(4)
    common = {"lr": 0.1, "max_epochs": 4}
    by_class = rates(
        lr_scheduler=ExponentialLR, lr_scheduler_params={"gamma": 0.5}, **common
    )
    np.testing.assert_allclose(by_class, expected)
    callback = LRScheduler(ExponentialLR, gamma=0.5)
    np.testing.assert_allclose(rates(lr_scheduler=callback, **common), expected)
    late = rates(lr_scheduler=callback, lr_scheduler_start=3, **common)
    np.testing.assert_allclose(late, [0.1, 0.1, 0.1, 0.05])


def test_a_skorch_scheduler_that_steps_with_every_batch():
    callback = LRScheduler(
        OneCycleLR, step_every="batch", max_lr=0.1, epochs=4, steps_per_epoch=7
    )
    lr = rates(lr_scheduler=callback, max_epochs=4)
    assert lr[0] == pytest.approx(0.1 / 25)
    assert lr.argmax() == 1


def test_one_cycle_rises_to_the_peak_and_falls_to_nearly_nothing():
    factors = [one_cycle_factor(step, [100], 0.2) for step in range(100)]
    assert np.argmax(factors) in (19, 20)
    assert max(factors) == pytest.approx(1, abs=0.03)
    assert factors[0] < 0.03
    assert factors[-1] < 0.01
    assert min(factors) > 0


def test_one_cycle_starts_again_and_repeats_the_last_length():
    factors = [one_cycle_factor(step, [10, 5, 20], 0.2) for step in range(75)]
    np.testing.assert_allclose(factors[15:35], factors[35:55])
    assert [int(np.argmax(factors[a:b])) for a, b in [(0, 10), (15, 35)]] == [2, 4]


def test_one_cycle_sets_the_rates_of_an_optimizer():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2.0)
    schedule = OneCycle(optimizer, [10], warmup=0.5)
    seen = []
    for _ in range(10):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    expected = [2.0 * one_cycle_factor(step, [10], 0.5) for step in range(10)]
    np.testing.assert_allclose(seen, expected)


@given(first=st.integers(1, 200), max_epochs=st.integers(1, 2000))
def test_cycles_fill_the_epochs_and_grow(first, max_epochs):
    cycles = cycle_epochs(first, max_epochs)
    assert sum(cycles) == max_epochs
    assert min(cycles) >= 1
    # What is left at the end is the last cycle.
    long, short = cycles[:-1:2], cycles[1:-1:2]
    assert long == [first * 2**i for i in range(len(long))]
    assert short == [-(-length // 4) for length in long[: len(short)]]


def test_short_cycles_have_a_low_peak():
    factors = [one_cycle_factor(step, [100, 50, 200], 0.2) for step in range(350)]
    peaks = [max(factors[a:b]) for a, b in [(0, 100), (100, 150), (150, 350)]]
    assert peaks == pytest.approx([1, 0.1, 1], rel=0.05)
