"""The last layer, fitted by convex optimization."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from sk_memorize import BatchNormMLP, MemorizingMLP
from sk_memorize.neural import _evaluation, _finish
from sk_memorize.neural._evaluation import HiddenOutputs, accuracy_and_loss
from sk_memorize.neural._finish import Goal, fit_last_layer
from sk_memorize.preprocessing import Rows

PLAIN = Goal(1.0, 0.0, 0.0)


def problem(n, n_hidden, n_classes=3, seed=0, weight=None, n_distinct=None):
    """Make rows with random labels, their hidden outputs, and a last layer."""
    generator = torch.Generator().manual_seed(seed)
    X = torch.randn(n, 5, generator=generator)[torch.arange(n) % (n_distinct or n)]
    y = torch.randint(0, n_classes, (n,), generator=generator)
    rows = Rows(X, y, weight)
    module = BatchNormMLP(5, n_classes, (n_hidden,), norm=None, seed=seed).eval()
    return HiddenOutputs(module, rows), module.last_layer, rows


def margins(hidden, last, rows):
    return _finish._margins(hidden.logits(last), rows.y)


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(
    n=st.integers(10, 120),
    n_classes=st.integers(2, 6),
    smoothing=st.sampled_from([0.0, 0.1, 0.5, 0.95]),
    n_first=st.sampled_from([5, 4096]),
)
def test_separable_rows_are_right_with_a_margin(n, n_classes, smoothing, n_first):
    hidden, last, rows = problem(n, 400, n_classes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_finish, "_FIRST_ROWS", n_first)
        assert fit_last_layer(hidden, last, rows, Goal(1.0, smoothing, 0.0))
    # Label smoothing bounds the margins. Others are far above float32's rounding.
    least = _finish._reachable_margin(smoothing, n_classes) / 3 if smoothing else 0.1
    assert margins(hidden, last, rows).min() >= least * 0.999
    accuracy, loss = accuracy_and_loss(hidden.logits(last), rows)
    assert accuracy == 1.0
    assert smoothing > 0 or loss < 0.05


def test_what_cannot_be_separated_is_given_up_in_bounded_time():
    hidden, last, rows = problem(4000, 10)
    assert not fit_last_layer(hidden, last, rows, PLAIN)
    # Strong weight decay keeps all margins small.
    hidden, last, rows = problem(50, 300)
    assert not fit_last_layer(hidden, last, rows, Goal(1.0, 0.0, 10.0))


def test_rows_are_not_told_apart_by_their_rounding():
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(20, 5, generator=generator).repeat(2, 1)
    X[20:] += 1e-5 * torch.randn(20, 5, generator=generator)
    rows = Rows(X, torch.arange(40) // 20)
    module = BatchNormMLP(5, 2, (200,), norm=None).eval()
    hidden, last = HiddenOutputs(module, rows), module.last_layer
    assert not fit_last_layer(hidden, last, rows, PLAIN)
    assert last.weight.abs().max() < 1e5


def test_the_gradient_is_that_of_torch():
    weight = torch.rand(60, dtype=torch.float64, generator=torch.Generator()) + 0.5
    hidden, _, rows = problem(60, 20, weight=weight)
    goal = Goal(1.0, 0.2, 0.03)
    chosen = torch.ones(60, dtype=torch.bool)
    convex = _finish._Problem(hidden, rows, chosen, goal, 0.3, 0.0)
    x = np.random.RandomState(0).standard_normal(3 * 21)
    convex._shape = (3, 21)
    loss, gradient = convex._loss_and_gradient(x)
    W = torch.tensor(x.reshape(3, 21), requires_grad=True)
    H = torch.cat(list(hidden.chunks())).double()
    losses = nn.functional.cross_entropy(
        H @ W[:, :-1].T + W[:, -1], rows.y, reduction="none", label_smoothing=0.2
    )
    expected = (losses * rows.mass).sum() / rows.mass.sum() + 0.015 * W.square().sum()
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    np.testing.assert_allclose(gradient, W.grad.numpy().ravel(), rtol=1e-4, atol=1e-6)


def test_a_target_below_one_leaves_some_rows():
    hidden, last, rows = problem(300, 60)
    start = accuracy_and_loss(hidden.logits(last), rows)[0]
    assert start < 0.5
    assert fit_last_layer(hidden, last, rows, Goal(0.5, 0.0, 0.0))
    assert 0.5 <= accuracy_and_loss(hidden.logits(last), rows)[0] < 1


def test_of_equal_rows_those_of_the_largest_weight_are_right():
    hidden, last, rows = problem(90, 300, n_distinct=30)
    assert fit_last_layer(hidden, last, rows, Goal(rows.accuracy_to_reach, 0.1, 0.0))
    accuracy, _ = accuracy_and_loss(hidden.logits(last), rows)
    assert accuracy == rows.accuracy_to_reach < 1


@pytest.mark.parametrize("kept_bytes", [0, 2**27])
def test_outputs_that_do_not_fit_in_memory_are_computed_anew(monkeypatch, kept_bytes):
    monkeypatch.setattr(_evaluation, "_KEPT_BYTES", kept_bytes)
    monkeypatch.setattr(_finish, "_FIRST_ROWS", 50)
    X = np.random.RandomState(0).standard_normal((1500, 20))
    y = np.random.RandomState(1).randint(0, 4, 1500)
    clf = MemorizingMLP(random_state=0, width=128).fit(X, y)
    assert clf.train_accuracy_ == clf.score(X, y) == 1.0


@pytest.mark.slow
def test_the_finish_saves_epochs_and_can_be_turned_off():
    X = np.random.RandomState(0).standard_normal((400, 2))
    y = np.random.RandomState(1).randint(0, 2, 400)
    fast = MemorizingMLP(random_state=0).fit(X, y)
    slow = MemorizingMLP(exact_finish=False, random_state=0).fit(X, y)
    assert fast.train_accuracy_ == slow.train_accuracy_ == 1.0
    assert fast.n_epochs_ < slow.n_epochs_


def test_a_frozen_last_layer_is_not_fitted():
    from skorch.callbacks import Freezer

    X = np.random.RandomState(0).standard_normal((200, 20))
    y = np.random.RandomState(1).randint(0, 2, 200)
    clf = MemorizingMLP(width=32, random_state=0, callbacks=[Freezer("layers.6.*")])
    initial = BatchNormMLP(20, 2, (32, 32), seed=clf.fit(X, y).net_.module__seed)
    assert torch.equal(clf.net_.module_.last_layer.weight, initial.last_layer.weight)
