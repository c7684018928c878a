"""One training, from the prepared rows to the network that predicts."""

import copy
import math
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from skorch.dataset import Dataset

from .._interrupts import watch_interrupts
from ..preprocessing import Rows
from ._callbacks import CompleteWhitening, make_progress_bar, show_epoch
from ._config import Config
from ._evaluation import (
    HiddenOutputs,
    accuracy_and_loss,
    compute_logits,
    recalibrate,
)
from ._finish import Goal, fit_last_layer, is_within_reach
from ._net import MemorizingNet, make_net
from ._network import BatchNormMLP
from ._prepared import Prepared

# Running error, beyond what no function can avoid, from which on a cycle is cut
# short, and the epochs and steps in which the learning rate then falls.
_EASY = 0.03
_COOLING_EPOCHS, _COOLING_STEPS = 3, 16

# Running error from which on the accuracy is measured after epochs inside a cycle
# or without cycles, and the learning rate, as a part of the peak, in a cycle.
_PROMISING, _PROMISING_WITH_FINISH = 2e-3, 1e-2
_COOL = 0.25

# Lowest frequency of a class that the biases start with.
_RAREST = 1e-6

# Sums of weights that should be equal may differ by rounding.
_ROUNDING = 1e-12


class Result(NamedTuple):
    """A network that takes raw inputs, and what it achieves on all rows.

    Attributes
    ----------
    module : BatchNormMLP
        The network, in eval mode.
    accuracy, loss : float
        On all rows.
    """

    module: BatchNormMLP
    accuracy: float
    loss: float


@dataclass(frozen=True)
class Trained:
    """A trained net, and how far it got.

    Attributes
    ----------
    net : MemorizingNet
        Its `module_` takes raw inputs and is in eval mode.
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
    accuracy: float
    loss: float
    attainable: float
    target: float | None
    interrupted: bool


def train(
    config: Config,
    prepared: Prepared,
    n_classes: int,
    seeds: Sequence[int],
    previous: BatchNormMLP | None = None,
) -> Trained:
    """Train a network until it has memorized the labels.

    Parameters
    ----------
    config : Config
        What to train with.
    prepared : Prepared
        The rows.
    n_classes : int
        Number of classes.
    seeds : sequence of two ints
        They decide the initial weights, and the order of the rows.
    previous : BatchNormMLP, default=None
        A network on raw inputs to begin with.

    Returns
    -------
    trained : Trained
        The result.

    Raises
    ------
    ValueError
        If the loss becomes infinite or NaN, or if the previous network has layers
        of other kinds.
    """
    rows, n_inputs = prepared.rows, prepared.inputs.shape[1]
    attainable = rows.attainable_accuracy
    whitening = ("whitening", CompleteWhitening(prepared, config.n_batches))
    net = make_net(config, (n_inputs, n_classes), seeds, (whitening,))
    if previous is None:
        _start_with_frequencies(net.module_, rows)
    else:
        _check_kinds(net.module_, previous)
        prepared.unfold(net.module_, previous)
    run = _Run(config, prepared, net)
    interrupted = run.train()
    net.module_, accuracy, loss = run.result or assess(prepared, net.module_)
    return Trained(net, accuracy, loss, attainable, run.target, interrupted)


class _Run:
    """The epochs of a training: when to cool, to finish, and to stop.

    Parameters
    ----------
    config, prepared
        As in `train`.
    net : MemorizingNet
        The net to train.
    """

    def __init__(self, config: Config, prepared: Prepared, net: MemorizingNet) -> None:
        self.config, self.prepared, self.net = config, prepared, net
        self.target: float | None = None
        if config.target_accuracy is not None:
            target = config.target_accuracy * prepared.rows.accuracy_to_reach
            self.target = target if target == 1 else target - _ROUNDING
        self.cycle = min(config.cycle_epochs or config.max_epochs, config.max_epochs)
        self.end = self.cycle
        self.is_cooling = False
        self.tried = math.inf  # running error of the last attempt that failed
        self.result: Result | None = None

    def train(self) -> bool:
        """Train until the target is reached; tell whether Ctrl-C broke it off."""
        rows, inputs = self.prepared.rows, self.prepared.inputs
        # Programs without a console have no stderr.
        is_shown = self.config.verbose and sys.stderr is not None
        with make_progress_bar(self.end) if is_shown else nullcontext() as self.bar:
            return _until_stopped(self.net, rows, inputs, self._run_epochs)

    def _run_epochs(self, data: Dataset) -> None:
        for epoch in range(1, self.config.max_epochs + 1):
            was_attenuated = self.prepared.is_attenuated
            row = train_epoch(self.net, data, self.prepared.rows)
            is_completed = was_attenuated and not self.prepared.is_attenuated
            error = 1 - row["train_accuracy"] / self.prepared.rows.attainable_accuracy
            if self.target is not None and self.config.may_cool_early:
                if is_completed and 1 < epoch < self.config.max_epochs:
                    # Labels that need all components need a whole cycle.
                    self._begin_cycle(epoch)
                self._cool_if_easy(epoch, error)
            if self.bar is not None:
                show_epoch(self.bar, row, self.end)
            if self.target is not None and self._should_try(epoch, error):
                self._describe("fitting the last layer")
                result = assess(self.prepared, self.net.module_, self._goal())
                if result.accuracy >= self.target:
                    self.result = result
                    return
                self.tried = error
                self._describe("going on")
            if epoch == self.end < self.config.max_epochs:
                self.cycle *= 2
                self._begin_cycle(epoch)

    def _describe(self, doing: str) -> None:
        if self.bar is not None:
            self.bar.set_description(f"MemorizingMLP, {doing}")

    def _cool_if_easy(self, epoch: int, error: float) -> None:
        """End the cycle soon where hardly any label is left."""
        n_batches = self.config.n_batches
        n_epochs = max(_COOLING_EPOCHS, math.ceil(_COOLING_STEPS / n_batches))
        one_cycle = self._one_cycle()
        if self.is_cooling or error > _EASY or one_cycle is None:
            return
        self.is_cooling = True
        if self.end - epoch > n_epochs:
            self.end = epoch + n_epochs
            one_cycle.cool(n_epochs * n_batches)

    def _begin_cycle(self, epoch: int) -> None:
        self.end = min(epoch + self.cycle, self.config.max_epochs)
        self.is_cooling = False
        one_cycle = self._one_cycle()
        if one_cycle is not None:
            one_cycle.begin_cycle((self.end - epoch) * self.config.n_batches)
        self.prepared.whiten_fully(self.net.module_)

    def _one_cycle(self) -> Any:
        scheduler, has_cycles = self.config.scheduler, self.config.cycle_epochs
        return scheduler.lr_scheduler_ if scheduler and has_cycles else None

    def _should_try(self, epoch: int, error: float) -> bool:
        """Tell whether to measure the accuracy on all rows after this epoch."""
        if epoch in (self.end, self.config.max_epochs):
            return True
        lr = self.net.optimizer_.param_groups[0]["lr"]
        finish = self._goal() is not None
        is_hot = finish or lr > _COOL * self.config.lr
        if self.config.cycle_epochs is not None and is_hot:
            return False
        left = max(0.0, error - (1 - (self.config.target_accuracy or 1.0)))
        bound = _PROMISING_WITH_FINISH if finish else _PROMISING
        few = 2 / len(self.prepared.inputs)
        return left <= max(few, min(bound, 0.7 * self.tried))

    def _goal(self) -> Goal | None:
        """Say what to fit the last layer for; None leaves it as it is."""
        config, last = self.config, self.net.module_.last_layer
        is_free = last.weight.requires_grad and last.bias.requires_grad
        if self.target is None or not (
            config.exact_finish and config.hidden_layer_sizes and is_free
        ):
            return None
        return Goal(self.target, config.label_smoothing, config.weight_decay)


def train_epoch(net: MemorizingNet, data: Dataset, rows: Rows) -> dict[str, Any]:
    """Train for one epoch; return what the history says of it."""
    net.iterator_train__epoch = len(net.history)
    net.fit_loop(data, rows.y, epochs=1)
    row: dict[str, Any] = net.history[-1]
    if not math.isfinite(row["train_loss"]):
        raise ValueError(
            f"The training diverged: the loss of epoch {len(net.history)} is "
            f"{row['train_loss']}. A lower 'lr' or a normalization ('norm') helps."
        )
    return row


def assess(
    prepared: Prepared, module: BatchNormMLP, goal: Goal | None = None
) -> Result:
    """Make the network that predicts, finish it, and measure it on all rows.

    Parameters
    ----------
    prepared : Prepared
        The rows.
    module : BatchNormMLP
        The network in training. Only the statistics of its batch normalization
        are changed, and it is left in eval mode.
    goal : Goal, default=None
        What to fit the last layer for; None leaves it as it is.

    Returns
    -------
    result : Result
        The network with the whitening folded in, and its accuracy.
    """
    rows = prepared.rows
    recalibrate(module, prepared.inputs)
    final = prepared.fold(module)
    hidden = HiddenOutputs(final, rows)
    accuracy, loss = accuracy_and_loss(hidden.logits(final.last_layer), rows)
    n_hidden = final.last_layer.in_features
    if goal is not None and is_within_reach(accuracy, rows, n_hidden):
        fit_last_layer(hidden, final.last_layer, rows, goal)
        accuracy, loss = accuracy_and_loss(hidden.logits(final.last_layer), rows)
    return Result(final, accuracy, loss)


def start_stream(
    config: Config,
    layer_sizes: tuple[int, int],
    seeds: Sequence[int],
    previous: BatchNormMLP | None = None,
) -> MemorizingNet:
    """Make a net that is trained piece by piece, on raw inputs.

    Its batch normalization keeps running averages, as no piece has all the rows, and
    its learning rate stays as it is: each call would begin a schedule anew.
    """
    config = replace(config, scheduler=None)
    net = make_net(config, layer_sizes, seeds)
    if previous is not None:
        _check_kinds(net.module_, previous)
        net.module_ = copy.deepcopy(previous).to(config.device)
        net.initialize_optimizer()
    return net


def train_on_stream(net: MemorizingNet, rows: Rows) -> Trained:
    """Train a net of `start_stream` for one epoch, and assess it on the rows."""
    raw = rows.inputs()
    interrupted = _until_stopped(
        net, rows, raw, lambda data: train_epoch(net, data, rows)
    )
    logits = compute_logits(net.module_, raw).to(rows.device)
    accuracy, loss = accuracy_and_loss(logits, rows)
    return Trained(net, accuracy, loss, rows.attainable_accuracy, None, interrupted)


def _until_stopped(
    net: MemorizingNet, rows: Rows, inputs: torch.Tensor, run: Callable[[Any], object]
) -> bool:
    """Run epochs until a callback or Ctrl-C stops them; tell whether it was Ctrl-C."""
    data = inputs if rows.weight is None else {"X": inputs, "weight": rows.weight}
    is_stopped = False
    with watch_interrupts() as interrupts:
        net.notify("on_train_begin", X=data, y=rows.y, rows=rows)
        try:
            run(data)
        except KeyboardInterrupt:
            is_stopped = True
            if net.history and "train_accuracy" not in net.history[-1]:
                del net.history[-1]  # a broken epoch
        net.notify("on_train_end", X=data, y=rows.y)
    return is_stopped and interrupts.pressed


@torch.no_grad()
def _start_with_frequencies(module: BatchNormMLP, rows: Rows) -> None:
    """Add the logarithms of the classes' frequencies to the biases of the logits.

    Nothing has to be learned for rare or hardly weighted classes to be predicted
    rarely.
    """
    bias = module.last_layer.bias
    mass = rows.mass.to(bias)
    frequencies = torch.zeros_like(bias).index_add_(0, rows.y, mass / mass.sum())
    logarithms = frequencies.clamp_min(_RAREST).log()
    bias.add_(logarithms - logarithms.max())


def _check_kinds(module: BatchNormMLP, previous: BatchNormMLP) -> None:
    if list(map(repr, module.layers[1:])) != list(map(repr, previous.layers[1:])):
        raise ValueError(
            "The network to go on with has layers of other kinds than 'norm', "
            "'norm_position', 'norm_affine', 'negative_slope' and 'dropout' ask for. "
            "Expected the values that it was fitted with."
        )
