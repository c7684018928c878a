"""The skorch net behind MemorizingMLP."""

import pytest
import torch
from sklearn.datasets import load_digits
from skorch.callbacks import Callback

from sk_memorize import MemorizingMLP
from sk_memorize.neural import _flat
from sk_memorize.neural._backprop import Backprop

X, y = load_digits(return_X_y=True)
X, y = X[:400].astype("f"), y[:400]


def fit(**params):
    defaults = {"width": 64, "max_epochs": 3, "target_accuracy": None}
    return MemorizingMLP(random_state=0, **{**defaults, **params}).fit(X, y)


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_autograd_and_backprop_train_alike(monkeypatch, label_smoothing):
    params = {"label_smoothing": label_smoothing, "precision": "float32"}
    ours = fit(**params)
    monkeypatch.setattr(Backprop, "supports", lambda module: False)
    theirs = fit(**params)
    assert ours.loss_curve_ == pytest.approx(theirs.loss_curve_, rel=2e-3)
    assert ours.loss_curve_ != theirs.loss_curve_


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_one_tensor_or_many_makes_no_difference(monkeypatch, optimizer):
    params = {"optimizer": optimizer, "weight_decay": 0.01}
    flat = fit(**params)
    monkeypatch.setattr(_flat, "_ELEMENTWISE", ())
    many = fit(**params)
    assert flat.loss_curve_ == many.loss_curve_
    states = flat.net_.optimizer_.state, many.net_.optimizer_.state
    assert len(states[0]) == len(states[1]) > 4
    for one, two in zip(*(state.values() for state in states), strict=True):
        assert one.keys() == two.keys()


class Listener(Callback):
    def __init__(self, counts):
        self.counts = counts

    def __deepcopy__(self, memo):
        return self  # MemorizingMLP copies callbacks


class BatchListener(Listener):
    def on_batch_end(self, net, batch, training, **kwargs):
        assert net.history[-1, "batches", -1] is not None
        self.counts.append(len(batch[1]))


class GradientListener(Listener):
    def on_grad_computed(self, net, named_parameters, **kwargs):
        gradients = dict(named_parameters)
        self.counts.append(gradients["layers.0.weight"].grad.norm().item())


def test_callbacks_hear_of_every_batch():
    counts = []
    clf = fit(callbacks=[BatchListener(counts)])
    assert sum(counts) == 3 * len(X)
    assert fit().loss_curve_ == clf.loss_curve_


def test_callbacks_see_the_gradients():
    counts = []
    clf = fit(callbacks=[GradientListener(counts)])
    assert len(counts) == 3 * -(-len(X) // clf.batch_size_)
    assert min(counts) > 0
    assert fit().loss_curve_ == clf.loss_curve_


def test_a_callback_can_change_the_gradients():
    class Freeze(Callback):
        def on_grad_computed(self, net, named_parameters, **kwargs):
            for _, parameter in named_parameters:
                if parameter.grad is not None:
                    parameter.grad = torch.zeros_like(parameter)

    clf = fit(callbacks=[Freeze()], lr_scheduler=None)
    losses = clf.loss_curve_
    assert losses == pytest.approx([losses[0]] * 3, rel=0.1)


def test_wrong_rows_are_those_of_the_epoch():
    class Count(Listener):
        def on_epoch_end(self, net, **kwargs):
            self.counts.append(len(set(net.wrong_rows_.tolist())))

    counts = []
    clf = fit(callbacks=[Count(counts)])
    expected = (1 - clf.history_["accuracy"]) * len(X)
    assert counts == pytest.approx(expected.tolist())
