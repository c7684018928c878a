"""The skorch net behind MemorizingMLP."""

from contextlib import AbstractContextManager, nullcontext
from traceback import walk_tb
from typing import Any, Self

import numpy as np
import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from torch import Tensor
from torch.nn import functional as F

from ._backprop import Backprop
from ._batches import SequentialBatches, ShuffledBatches, TensorPair
from ._callbacks import TrainingStopped
from ._flat import flattened
from ._mlp import BatchNormMLP
from ._schedules import DelayedLRScheduler
from ._settings import Settings
from ._sums import total
from ._threads import take_fair_part

_PREDICT_BATCH = 8192


class MemorizingNet(NeuralNetClassifier):
    """skorch's classifier with running accuracies and mixed precision.

    It differs from :class:`skorch.NeuralNetClassifier` in these points: the
    products are computed in bfloat16 where `bfloat16` is true; where `Backprop`
    supports the network and `own_backprop` is true, it takes the place of autograd;
    the rows may have weights; each epoch's loss,
    accuracy and learning rate are recorded in the history under ``train_loss``,
    ``train_accuracy`` and ``lr``, and the rows that were wrong are kept as
    ``wrong_rows_``; loss and accuracy are added up on the device, so that no
    batch waits for a number; and ``stopped_by_callback_`` tells a callback's
    stop from the user's Ctrl-C.
    """

    def __init__(
        self,
        *args: Any,
        bfloat16: bool = False,
        single_thread: bool = False,
        own_backprop: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.bfloat16 = bfloat16
        self.single_thread = single_thread
        self.own_backprop = own_backprop
        self.batch_weight_: Tensor | None = None
        self.stopped_by_callback_ = False
        self.backprop_: Backprop | None = None
        self.unheard_: set[str] = set()

    def fit_loop(self, X: Any, y: Any = None, **kwargs: Any) -> Self:
        """Train for some epochs."""
        module, criterion = self.module_, self.criterion_
        self.backprop_ = None
        if self.own_backprop and Backprop.supports(module):
            dtype = torch.bfloat16 if self.bfloat16 else torch.float32
            self.backprop_ = Backprop(
                module, dtype, criterion.label_smoothing, self.single_thread
            )
        self.unheard_ = _unheard_events([callback for _, callback in self.callbacks_])
        try:
            with self._flattened():
                return super().fit_loop(X, y, **kwargs)
        finally:
            if self.backprop_ is not None:
                self.backprop_.release()
            self.backprop_ = None
            self.unheard_ = set()

    def _flattened(self) -> AbstractContextManager[None]:
        backprop = self.backprop_
        # A callback that looks at the gradients may also replace them.
        if backprop is None or "on_grad_computed" not in self.unheard_:
            return nullcontext()
        return flattened(
            self.optimizer_, backprop.parameters, backprop.gradients, backprop.places
        )

    def _zero_grad_optimizer(self, set_to_none: bool | None = None) -> None:
        # Backprop overwrites the gradients.
        if self.backprop_ is None:
            super()._zero_grad_optimizer(set_to_none)

    def infer(self, x: Tensor, **fit_params: Any) -> Tensor:
        """Compute the logits of a batch, in the precision of the training."""
        if not (self.bfloat16 and self.module_.training):
            return super().infer(x, **fit_params)
        with torch.autocast(x.device.type, torch.bfloat16):
            y_pred = super().infer(x, **fit_params)
        return y_pred.float()

    @torch.no_grad()
    def quick_logits(self, X: Tensor) -> Tensor:
        """Compute the logits of a batch as of now, roughly as in eval mode."""
        if self.backprop_ is not None:
            return self.backprop_.quick_logits(X)
        self.module_.eval()
        return self.infer(X.float())

    def train_step_single(self, batch: Any, **fit_params: Any) -> dict[str, Tensor]:
        """Compute loss and gradients of a batch."""
        if self.backprop_ is None:
            return super().train_step_single(batch, **fit_params)
        inputs, targets = batch
        loss, y_pred = self.backprop_(inputs, targets, self.batch_weight_)
        return {"loss": loss, "y_pred": y_pred}

    def get_loss(
        self, y_pred: Tensor, y_true: Tensor, *args: Any, **kwargs: Any
    ) -> Any:
        """Compute the loss of a batch, with the weights of its rows if it has any."""
        weight = self.batch_weight_
        if weight is None:
            return super().get_loss(y_pred, y_true, *args, **kwargs)
        smoothing = self.criterion_.label_smoothing
        losses = F.cross_entropy(
            y_pred, y_true, reduction="none", label_smoothing=smoothing
        )
        return losses.mul(weight).mean()

    def run_single_epoch(
        self,
        iterator: Any,
        training: bool,
        prefix: str,
        step_fn: Any,
        **fit_params: Any,
    ) -> None:
        """Go once over the batches, and record the epoch's means."""
        if iterator is None:
            return
        if not self.single_thread:
            take_fair_part()
        lr = self.optimizer_.param_groups[0]["lr"]
        self.module_.train(training)
        losses, sizes, right = [], [], []
        for batch in iterator:
            self.notify("on_batch_begin", batch=batch, training=training)
            self.batch_weight_ = iterator.weight
            step = step_fn(batch, **fit_params)
            losses.append(step["loss"].detach())
            sizes.append(len(batch[1]))
            right.append(step["y_pred"].argmax(1) == batch[1])
            self.notify("on_batch_end", batch=batch, training=training, **step)
        is_right = torch.cat(right)
        self.wrong_rows_ = iterator.order[~is_right]
        loss_sum = np.dot(torch.stack(losses).tolist(), sizes)
        self.history.record(f"{prefix}_loss", float(loss_sum) / len(is_right))
        accuracy = 1 - len(self.wrong_rows_) / len(is_right)
        weight = iterator.dataset.weight
        if weight is not None:
            accuracy = float(total(weight[iterator.order] * is_right)) / len(weight)
        self.history.record(f"{prefix}_accuracy", accuracy)
        self.history.record(f"{prefix}_batch_count", len(iterator))
        self.history.record("lr", lr)

    def notify(self, method_name: str, **cb_kwargs: Any) -> None:
        """Call the callbacks; one of them may end the training.

        skorch's callbacks end it with a KeyboardInterrupt. If the exception
        comes out of anything deeper than the callback's own method, it is the
        user's.
        """
        if method_name in self.unheard_:
            return
        try:
            super().notify(method_name, **cb_kwargs)
        except TrainingStopped as stop:
            self.stopped_by_callback_ = True
            raise KeyboardInterrupt from stop
        except KeyboardInterrupt as interrupt:
            *_, (innermost, _) = walk_tb(interrupt.__traceback__)
            self.stopped_by_callback_ = innermost.f_code.co_name == method_name
            raise


def _unheard_events(callbacks: list[Callback]) -> set[str]:
    """Find the events of single batches that no callback listens to.

    Announcing them, and keeping a history of batches, would take as long as a
    small network's arithmetic.
    """
    listeners = [c for c in callbacks if not (_is_quiet_scheduler(c))]
    heard = {
        event
        for event in ("on_batch_begin", "on_batch_end", "on_grad_computed")
        for callback in listeners
        if getattr(type(callback), event) is not getattr(Callback, event)
    }
    unheard = set()
    if "on_grad_computed" not in heard:
        unheard.add("on_grad_computed")
    if heard <= {"on_grad_computed"}:
        unheard.add("on_batch_begin")
        if len(listeners) == len(callbacks):
            unheard.add("on_batch_end")
    return unheard


def _is_quiet_scheduler(callback: Callback) -> bool:
    # It steps after each batch, but writes nothing into the history of batches.
    return isinstance(callback, DelayedLRScheduler) and callback.event_name is None


def make_net(
    settings: Settings,
    *,
    n_inputs: int,
    n_classes: int,
    module_params: dict[str, Any],
    label_smoothing: float,
    max_epochs: int,
    order_seed: int,
    first_epoch: int,
    own_backprop: bool,
    callbacks: list[Callback | tuple[str, Callback]],
) -> MemorizingNet:
    """Put the skorch net together.

    Parameters
    ----------
    settings : Settings
        Sizes, batches, device, precision, and optimizer.
    n_inputs : int
        Inputs of the network in training: whitened ones, if they are whitened.
    n_classes : int
        Number of classes.
    module_params : dict
        Further arguments of `BatchNormMLP`.
    label_smoothing : float
        Part of the targets that is spread over all classes.
    max_epochs : int
        Largest number of epochs.
    order_seed : int
        Decides the order of the rows.
    first_epoch : int
        Number of epochs that are behind it.
    own_backprop : bool
        Whether `Backprop` may take the place of autograd.
    callbacks : list of callbacks, or of pairs of a name and a callback
        The callbacks, in the order in which they are called.

    Returns
    -------
    net : MemorizingNet
        The net, not initialized.
    """
    params = {f"module__{name}": value for name, value in module_params.items()}
    params |= {
        f"optimizer__{name}": value for name, value in settings.optimizer_params.items()
    }
    # Of skorch's own callbacks only the timer is needed: loss and accuracy are
    # recorded by the net, and nothing is printed.
    for name in ("train_loss", "valid_loss", "valid_acc", "print_log"):
        params[f"callbacks__{name}"] = None
    return MemorizingNet(
        BatchNormMLP,
        module__n_features=n_inputs,
        module__n_classes=n_classes,
        module__hidden_layer_sizes=settings.hidden_layer_sizes,
        criterion=torch.nn.CrossEntropyLoss,
        criterion__label_smoothing=label_smoothing,
        optimizer=settings.optimizer,
        lr=settings.lr,
        max_epochs=max_epochs,
        batch_size=settings.batch_size,
        dataset=TensorPair,
        iterator_train=ShuffledBatches,
        iterator_train__seed=order_seed,
        iterator_train__first_epoch=first_epoch,
        iterator_valid=SequentialBatches,
        iterator_valid__batch_size=_PREDICT_BATCH,
        train_split=None,
        classes=list(range(n_classes)),
        callbacks=callbacks,
        device=str(settings.device),
        verbose=0,
        bfloat16=settings.precision == "bfloat16",
        single_thread=settings.single_thread,
        own_backprop=own_backprop,
        **params,
    )
