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
from sk_memorize.neural._schedules import OneCycle

X, y = load_digits(return_X_y=True)
X, y = X[:200], y[:200]


def rates(**params):
    clf = MemorizingMLP(width=16, target_accuracy=None, random_state=0, **params)
    return clf.fit(X, y).history_["lr"].to_numpy()


def test_the_notebooks_schedule():
    recipe = MemorizingMLP.from_recipe("notebook", random_state=0, batch_size=50)
    lr = recipe.set_params(hidden_layer_sizes=(16,)).fit(X, y).history_["lr"]
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
    # A class of skorch by its name, which torch does not know.
    restarts = LRScheduler("WarmRestartLR", min_lr=0.1, max_lr=0.2, base_period=2)
    lr = rates(lr_scheduler=restarts, **common)
    np.testing.assert_allclose([lr.min(), lr.max()], [0.1, 0.2])


def test_a_skorch_scheduler_that_steps_with_every_batch():
    callback = LRScheduler(
        OneCycleLR, step_every="batch", max_lr=0.1, epochs=4, steps_per_epoch=7
    )
    lr = rates(lr_scheduler=callback, max_epochs=4, batch_size=-(-len(X) // 7))
    assert lr[0] == pytest.approx(0.1 / 25)
    assert lr.argmax() == 1


def rates_of(schedule, n_steps):
    seen = []
    for _ in range(n_steps):
        seen.append(schedule.optimizer.param_groups[0]["lr"])
        schedule.optimizer.step()
        schedule.step()
    return np.array(seen)


def one_cycle(length, warmup=0.2, lr=2.0):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    return OneCycle(optimizer, length, warmup=warmup)


def test_one_cycle_rises_to_the_peak_and_falls_to_nearly_nothing():
    seen = rates_of(one_cycle(100), 100)
    assert seen.argmax() in (19, 20)
    assert seen.max() == pytest.approx(2, abs=0.06)
    assert seen[0] < 0.06
    assert 0 < seen[-1] < 0.02
    assert rates_of(one_cycle(10, warmup=0.0), 10)[0] == pytest.approx(1.9)


@given(n_before=st.integers(0, 60), n_steps=st.integers(2, 40))
def test_a_cycle_that_cools_falls_from_where_it_is(n_before, n_steps):
    schedule = one_cycle(100)
    rates_of(schedule, n_before)
    now = schedule.optimizer.param_groups[0]["lr"]
    schedule.cool(n_steps)
    seen = rates_of(schedule, n_steps + 2)
    assert (np.diff(seen) <= 0).all()
    assert seen[-1] > 0
    assert seen[0] == pytest.approx(now, rel=1.01 / n_steps)
    assert seen[-1] <= 1.6 * now / n_steps + 0.01


def test_another_cycle_begins_at_once():
    schedule = one_cycle(10)
    first = rates_of(schedule, 10)
    schedule.begin_cycle(20)
    second = rates_of(schedule, 20)
    assert second.argmax() in (3, 4)
    assert second.max() == pytest.approx(first.max(), rel=0.1)
