"""One training, from the rows to the network that predicts."""

import copy
import math
import secrets
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_random_state
from torch import Tensor

from ._batches import TensorPair, count_batches
from ._callbacks import Assessor, FailOnDivergence, ProgressBar, StopAtAccuracy
from ._checkpoint import Checkpoint, fingerprint, read_checkpoint
from ._evaluation import accuracy_and_loss, compute_logits
from ._mlp import BatchNormMLP
from ._net import MemorizingNet, make_net
from ._rows import Rows
from ._schedules import cycle_epochs, make_scheduler
from ._settings import Settings, resolve_settings
from ._tails import AsinhTails, fit_tails
from ._threads import fair_threads, single_thread
from ._whitening import apply_whitening, fit_whitening, unfold_whitening

# The shortest first cycle of the learning rate: epochs, and steps.
_MIN_CYCLE_EPOCHS = 16
_MIN_CYCLE_STEPS = 400

# A cycle may be left when its learning rate has fallen to this part of the peak.
_COOL = 0.25

# Sums of weights that should be equal may differ by rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Trained:
    """A trained net, and how far it got.

    Attributes
    ----------
    net : MemorizingNet
        Its `module_` takes raw inputs and is in eval mode.
    settings : Settings
        What it was trained with.
    accuracy, loss : float
        On all rows, in eval mode.
    attainable : float
        The highest accuracy that there is.
    target : float or None
        The accuracy to reach.
    interrupted : bool
        Whether Ctrl-C ended the training.
    """

    net: MemorizingNet
    settings: Settings
    accuracy: float
    loss: float
    attainable: float
    target: float | None
    interrupted: bool


def train(
    estimator: Any,
    X: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray | None,
    n_classes: int,
    previous: BatchNormMLP | None,
) -> Trained:
    """Train a network until it has memorized the labels.

    Parameters
    ----------
    estimator : MemorizingMLP
        Its parameters are valid.
    X : ndarray of shape (n_samples, n_features), float32 or uint8
        Inputs.
    y : ndarray of shape (n_samples,), int64
        Class indices.
    weight : ndarray of shape (n_samples,), float64, or None
        Positive weights.
    n_classes : int
        Number of classes.
    previous : BatchNormMLP or None
        A network on raw inputs to begin with.

    Returns
    -------
    trained : Trained
        The result.
    """
    sizes = None if previous is None else previous.hidden_layer_sizes
    shape = X.shape[1], n_classes, sizes
    settings = resolve_settings(estimator, len(X), *shape)
    checkpoint = None
    if estimator.checkpoint is not None:
        mark = fingerprint(estimator, X, y, weight)
        path = Path(estimator.checkpoint)
        checkpoint = path, mark, read_checkpoint(path, mark)
    rows = _make_rows(X, y, weight, settings.device)
    # Rows that are equal count as one.
    settings = resolve_settings(estimator, len(rows), *shape)
    with single_thread() if settings.single_thread else fair_threads():
        tails = previous.tails if previous is not None else None
        whitening = None
        if estimator.whitening_shrinkage is None:
            inputs = rows.gather() if tails is None else tails(rows.gather())
        else:
            if previous is None:
                tails = fit_tails(rows)
            whitening = fit_whitening(rows, estimator.whitening_shrinkage, tails)
            # Columns that depend on others are not there any more, and what is
            # chosen by the number of columns is chosen by that of directions.
            shape = whitening[1].shape[1], n_classes, sizes
            settings = resolve_settings(estimator, len(rows), *shape)
            dtype = getattr(torch, settings.precision)
            inputs = apply_whitening(rows, *whitening, dtype=dtype, tails=tails)
        assessor = Assessor(rows, whitening, tails)
        return _run(
            estimator, settings, assessor, inputs, n_classes, previous, checkpoint
        )


def _make_rows(
    X: np.ndarray, y: np.ndarray, weight: np.ndarray | None, device: torch.device
) -> Rows:
    return Rows(
        as_tensor(X).to(device),
        torch.from_numpy(y).to(device),
        None if weight is None else torch.from_numpy(weight).to(device),
    )


def _run(
    estimator: Any,
    settings: Settings,
    assessor: Assessor,
    inputs: Tensor,
    n_classes: int,
    previous: BatchNormMLP | None,
    checkpoint: tuple[Path, str, dict[str, Any] | None] | None,
) -> Trained:
    rows = assessor.rows
    state = None if checkpoint is None else checkpoint[2]
    seeds = draw_seeds(estimator.random_state) if state is None else state["seeds"]
    n_batches = count_batches(len(inputs), settings.batch_size)
    cycles = _make_cycles(estimator, n_batches)
    stop = None
    if estimator.target_accuracy is not None:
        target = estimator.target_accuracy * rows.attainable_accuracy
        one_cycle = estimator.lr_scheduler == "onecycle"
        stop = StopAtAccuracy(
            assessor,
            inputs,
            target if target == 1 else target - _ROUNDING,
            cycle_ends=set(np.cumsum(cycles).tolist()),
            dropout=estimator.dropout > 0,
            highest_lr=_COOL * settings.lr if one_cycle else math.inf,
        )
    scheduler = make_scheduler(
        estimator.lr_scheduler,
        estimator.lr_scheduler_params,
        start_epoch=estimator.lr_scheduler_start,
        cycles=cycles,
        steps_per_epoch=n_batches,
    )
    history = [] if state is None else state["history"]
    net = make_estimators_net(
        estimator,
        settings,
        n_inputs=inputs.shape[1],
        n_classes=n_classes,
        seeds=seeds,
        first_epoch=len(history),
        own={
            "lr_scheduler": scheduler,
            "divergence": FailOnDivergence(),
            "stop_at_accuracy": stop,
            "checkpoint": checkpoint
            and Checkpoint(checkpoint[0], checkpoint[1], list(seeds), state),
        },
    )
    if previous is not None:
        _begin_with(net.module_, previous, assessor.whitening)
    data = TensorPair(inputs, rows.y, rows.weight)
    interrupted = run_epochs(net, data, len(history), estimator.max_epochs)
    result = stop.result if stop is not None else None
    result = result or assessor.assess(net.module_)
    if stop is not None:
        stop.forget()  # the training rows are not to be kept with the model
    net.module_ = result.module.eval()
    if checkpoint is not None and not interrupted:
        checkpoint[0].unlink(missing_ok=True)
    return Trained(
        net,
        settings,
        result.accuracy,
        result.loss,
        rows.attainable_accuracy,
        None if stop is None else stop.target,
        interrupted,
    )


def train_on_stream(
    net: MemorizingNet,
    settings: Settings,
    X: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray | None,
) -> Trained:
    """Train a net of `start_stream` for one epoch, and assess it on the rows."""
    rows = _make_rows(X, y, weight, settings.device)
    inputs = rows.gather()
    net.iterator_train__first_epoch = len(net.history)
    data = TensorPair(inputs, rows.y, rows.weight)
    with single_thread() if settings.single_thread else fair_threads():
        interrupted = run_epochs(net, data, len(net.history), len(net.history) + 1)
        accuracy, loss = accuracy_and_loss(compute_logits(net.module_, inputs), rows)
    return Trained(
        net,
        settings,
        accuracy,
        loss,
        rows.attainable_accuracy,
        None,
        interrupted,
    )


def start_stream(
    estimator: Any,
    n_rows: int,
    n_features: int,
    n_classes: int,
    previous: BatchNormMLP | None,
) -> tuple[MemorizingNet, Settings]:
    """Make a net that is trained piece by piece, on raw inputs.

    Its batch normalization keeps running averages, as no piece has all the rows.
    """
    sizes = None if previous is None else previous.hidden_layer_sizes
    settings = resolve_settings(estimator, n_rows, n_features, n_classes, sizes)
    net = make_estimators_net(
        estimator,
        settings,
        n_inputs=n_features,
        n_classes=n_classes,
        seeds=draw_seeds(estimator.random_state),
        first_epoch=0,
        own={"divergence": FailOnDivergence()},
        own_backprop=False,
    )
    if previous is not None:
        _check_kinds(net.module_, previous)
        net.module_ = copy.deepcopy(previous).to(settings.device)
        net.initialize_optimizer()
    return net, settings


def make_estimators_net(
    estimator: Any,
    settings: Settings,
    *,
    n_inputs: int,
    n_classes: int,
    seeds: tuple[int, int],
    first_epoch: int,
    own: dict[str, Any],
    own_backprop: bool = True,
) -> MemorizingNet:
    """Make an initialized net with the estimator's parameters."""
    init_seed, order_seed = seeds
    progress = (
        ProgressBar(first_epoch)
        if estimator.verbose and "stop_at_accuracy" in own
        else None
    )
    # The bar stands before what may end the training, to count the last epoch.
    own = {"progress_bar": progress, **own}
    order = sorted(own, key=lambda name: name in ("stop_at_accuracy", "checkpoint"))
    net = make_net(
        settings,
        n_inputs=n_inputs,
        n_classes=n_classes,
        module_params={
            "norm": estimator.norm,
            "norm_position": estimator.norm_position,
            "negative_slope": estimator.negative_slope,
            "n_groups": estimator.n_groups,
            "dropout": estimator.dropout,
            "seed": init_seed,
        },
        label_smoothing=estimator.label_smoothing,
        max_epochs=estimator.max_epochs,
        order_seed=order_seed,
        first_epoch=first_epoch,
        own_backprop=own_backprop,
        callbacks=[
            *copy.deepcopy(list(estimator.callbacks or [])),
            *((name, own[name]) for name in order if own[name] is not None),
        ],
    )
    return net.initialize()


def run_epochs(
    net: MemorizingNet, data: TensorPair, n_done: int, n_epochs: int
) -> bool:
    """Train up to a number of epochs, and tell whether Ctrl-C broke them off."""
    net.stopped_by_callback_ = False
    try:
        net.partial_fit(data, None, epochs=n_epochs - n_done)
    finally:
        progress = dict(net.callbacks_).get("progress_bar")
        if progress is not None:
            progress.close()
    if net.history and "train_loss" not in net.history[-1]:
        del net.history[-1]  # an epoch that Ctrl-C broke off
    return len(net.history) < n_epochs and not net.stopped_by_callback_


def as_tensor(X: np.ndarray) -> Tensor:
    """View an array as a tensor that is not written to."""
    if not X.flags.writeable:
        # torch warns, as it has no read-only tensors.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return torch.from_numpy(X)
    return torch.from_numpy(X)


def draw_seeds(random_state: int | np.random.RandomState | None) -> tuple[int, int]:
    """Draw the seeds of the initial weights and of the order of the rows."""
    if random_state is None:
        # Unlike `check_random_state`, this leaves numpy's global state alone.
        random_state = secrets.randbits(32)
    first, second = check_random_state(random_state).randint(2**31 - 1, size=2)
    return int(first), int(second)


def _make_cycles(estimator: Any, n_batches: int) -> list[int]:
    if estimator.target_accuracy is None or estimator.lr_scheduler != "onecycle":
        return [estimator.max_epochs]
    first = (estimator.lr_scheduler_params or {}).get("cycle_epochs")
    if first is None:
        first = max(_MIN_CYCLE_EPOCHS, math.ceil(_MIN_CYCLE_STEPS / n_batches))
    return cycle_epochs(first, estimator.max_epochs)


def _begin_with(
    module: BatchNormMLP,
    previous: BatchNormMLP,
    whitening: tuple[Tensor, Tensor] | None,
) -> None:
    """Give a new network the weights of one on raw inputs."""
    _check_kinds(module, previous)
    layers: list[Any] = _plain_layers(previous)
    with torch.no_grad():
        for new, old in zip(module.layers, layers, strict=True):
            if new is module.first_layer and whitening is not None:
                mean, transform = whitening
                first = copy.deepcopy(old).to(mean.device)
                weight, bias = unfold_whitening(first, mean, transform)
                new.weight.copy_(weight)
                new.bias.copy_(bias)
            else:
                new.load_state_dict(old.state_dict())


def _check_kinds(module: BatchNormMLP, previous: BatchNormMLP) -> None:
    kinds = [type(layer) for layer in module.layers]
    previous_kinds = [type(layer) for layer in _plain_layers(previous)]
    if kinds != previous_kinds:
        raise ValueError(
            "The network to go on with has layers of other kinds than 'norm', "
            "'norm_position', 'negative_slope' and 'dropout' ask for. Expected the "
            "values that it was fitted with."
        )


def _plain_layers(module: BatchNormMLP) -> list[Any]:
    return [layer for layer in module.layers if not isinstance(layer, AsinhTails)]
