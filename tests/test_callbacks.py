"""skorch's callbacks in a fit, Ctrl-C, and the progress bar."""

import signal

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import (
    BatchScoring,
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    Freezer,
    LoadInitState,
    TrainEndCheckpoint,
)

from sk_memorize import MemorizingMLP

X, y = load_digits(return_X_y=True)
X, y = X[:400] / 16, y[:400]
PERMUTED = np.random.RandomState(0).permutation(y)


def network(**params):
    defaults = {"width": 64, "max_epochs": 3, "target_accuracy": None}
    return MemorizingMLP(random_state=0, **{**defaults, **params})


def fit(sample_weight=None, **params):
    return network(**params).fit(X, y, sample_weight=sample_weight)


@pytest.mark.slow
@pytest.mark.parametrize("norm", ["batch", "group"])
@pytest.mark.parametrize("layer", [0, 3])
def test_frozen_layers_stay_as_they_are(norm, layer):
    free = fit(norm=norm)
    frozen = fit(norm=norm, callbacks=[Freezer(f"layers.{layer}.*")])
    longer = fit(norm=norm, max_epochs=5, callbacks=[Freezer(f"layers.{layer}.*")])
    weights = [clf.net_.module_.layers[layer].weight for clf in (free, frozen, longer)]
    assert not torch.equal(weights[0], weights[1])
    # The whitening that is folded in may have been completed in between.
    torch.testing.assert_close(weights[1], weights[2], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("use_caching", [True, False])
def test_scores_of_the_training_rows(use_caching, weighted):
    scorings = [
        EpochScoring("accuracy", on_train=True, name="a", use_caching=use_caching),
        EpochScoring("neg_log_loss", on_train=True, name="b", use_caching=use_caching),
        BatchScoring("accuracy", on_train=True, name="c"),
    ]
    weight = np.ones(len(y))
    weight[0] += weighted
    params = {"callbacks": scorings, "max_epochs": 6, "batch_size": 64}
    clf = fit(sample_weight=weight, **params)
    row = clf.net_.history[-1]
    assert not hasattr(scorings[0], "best_score_")  # the user's object is copied
    assert row["c"] == pytest.approx(row["train_accuracy"], abs=0.01)
    assert row["a"] == pytest.approx(row["train_accuracy"], abs=0.05)
    # Without the cache it is computed in eval mode, after the epoch.
    if use_caching:
        assert -row["b"] == pytest.approx(row["train_loss"], rel=0.02)


def test_checkpoints_hold_the_network_and_load_it(tmp_path):
    checkpoint = Checkpoint(monitor="train_loss_best", dirname=tmp_path)
    clf = fit(callbacks=[checkpoint])
    assert (tmp_path / "params.pt").exists()
    plain = fit()
    np.testing.assert_array_equal(clf.predict_proba(X), plain.predict_proba(X))
    at_end = TrainEndCheckpoint(dirname=tmp_path / "end")
    fit(callbacks=[at_end], max_epochs=30)
    resumed = fit(callbacks=[at_end, LoadInitState(at_end)], max_epochs=1, lr=1e-9)
    assert resumed.history_["loss"].iloc[-1] < 0.2 < fit(max_epochs=1).loss_curve_[0]


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


def test_callbacks_hear_of_every_batch_and_gradient():
    sizes, gradients = [], []
    clf = fit(callbacks=[BatchListener(sizes), GradientListener(gradients)])
    assert sum(sizes) == 3 * len(X)
    assert len(gradients) == 3 * -(-len(X) // clf.batch_size_)
    assert min(gradients) > 0
    assert fit().loss_curve_ == clf.loss_curve_


def test_the_trained_net_can_be_cloned_and_fitted_as_skorchs():
    net = clone(fit().net_).set_params(max_epochs=1).fit(X.astype("f"), y)
    assert len(net.history) == 1


class PressCtrlC(Callback):
    """Press Ctrl-C in an epoch: in the callback's own frame, or deeper."""

    def __init__(self, epoch, deeper):
        self.epoch, self.deeper = epoch, deeper

    def on_batch_end(self, net, **kwargs):
        if len(net.history) == self.epoch:
            press_ctrl_c() if self.deeper else signal.raise_signal(signal.SIGINT)


def press_ctrl_c():
    signal.raise_signal(signal.SIGINT)


class Stop(Callback):
    """End the training as skorch's callbacks do."""

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == 3:
            stop()


def stop():
    raise KeyboardInterrupt


@pytest.fixture
def default_handler():
    # SIGINT is ignored where the tests run in the background.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("default_handler")
@pytest.mark.parametrize(("epoch", "deeper"), [(1, False), (3, True), (5, False)])
def test_ctrl_c_is_raised_or_kept_wherever_it_is_pressed(epoch, deeper, capsys):
    # At the end of the cycle, of 4 epochs, the network has been assessed.
    params = {"lr_scheduler_params": {"cycle_epochs": 4}, "target_accuracy": 1.0}
    params |= {"max_epochs": 30, "callbacks": [PressCtrlC(epoch, deeper)], "verbose": 1}
    words = f"by Ctrl-C after {epoch - 1} epochs"
    for on_interrupt, expected in (
        ("raise", pytest.raises(KeyboardInterrupt)),
        ("stop", pytest.warns(ConvergenceWarning, match=words)),
    ):
        clf = network(on_interrupt=on_interrupt, **params)
        with expected:
            clf.fit(X, PERMUTED)
        assert clf.n_epochs_ == len(clf.history_) == epoch - 1  # whole epochs
        assert clf.train_accuracy_ == clf.score(X, PERMUTED) < 1
        assert capsys.readouterr().err.endswith("\n")  # the bar is closed
    clf = network(callbacks=[PressCtrlC(1, deeper)])
    with pytest.raises(KeyboardInterrupt):
        clf.partial_fit(X, y, classes=range(10))
    assert clf.n_epochs_ == 0
    assert clf.train_accuracy_ == clf.score(X, y)


class SetHandler(Callback):
    def on_train_begin(self, net, **kwargs):
        signal.signal(signal.SIGINT, stop)


@pytest.mark.usefixtures("default_handler")
def test_the_handler_that_a_callback_sets_stays():
    fit(callbacks=[SetHandler()])
    assert signal.signal(signal.SIGINT, signal.default_int_handler) is stop


@pytest.mark.usefixtures("default_handler")
@pytest.mark.parametrize("callback", [Stop(), EarlyStopping("train_loss", 1, 1e9)])
def test_a_callback_that_stops_is_no_ctrl_c(callback):
    assert fit(max_epochs=30, callbacks=[callback]).n_epochs_ in (2, 3)


def test_the_progress_bar_counts_to_the_end_that_is_expected(capsys):
    clf = fit(max_epochs=1000, target_accuracy=1.0, verbose=1)
    out, shown = capsys.readouterr()
    for words in (f"{clf.n_epochs_}/{clf.n_epochs_}", "loss=", "accuracy=", "fit"):
        assert words in shown
    assert "1000" not in shown
    fit()
    assert out == "".join(capsys.readouterr()) == ""
