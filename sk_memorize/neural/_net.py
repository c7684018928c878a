"""The skorch net behind MemorizingMLP."""

from traceback import walk_tb
from typing import Any

import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from torch import Tensor

from ._batches import SequentialBatches, ShuffledBatches, TensorPair
from ._callbacks import TrainingStopped
from ._mlp import BatchNormMLP
from ._settings import Settings

_PREDICT_BATCH = 8192


class MemorizingNet(NeuralNetClassifier):
    """skorch's classifier with running accuracies and mixed precision.

    It differs from :class:`skorch.NeuralNetClassifier` in four points: the
    products are computed in bfloat16 where `bfloat16` is true; each epoch's
    loss, accuracy and learning rate are recorded in the history under
    ``train_loss``, ``train_accuracy`` and ``lr``; loss and accuracy are added
    up on the device, so that no batch waits for a number; and
    ``stopped_by_callback_`` tells a callback's stop from the user's Ctrl-C.
    """

    def __init__(self, *args: Any, bfloat16: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bfloat16 = bfloat16
        self.stopped_by_callback_ = False

    def infer(self, x: Tensor, **fit_params: Any) -> Tensor:
        """Compute the logits of a batch, in the precision of the training."""
        if not (self.bfloat16 and self.module_.training):
            return super().infer(x, **fit_params)
        with torch.autocast(x.device.type, torch.bfloat16):
            y_pred = super().infer(x, **fit_params)
        return y_pred.float()

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
        lr = self.optimizer_.param_groups[0]["lr"]
        loss_sum, n_right, n_rows = 0.0, 0, 0
        for batch in iterator:
            self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch, **fit_params)
            with torch.no_grad():
                y = batch[1]
                loss_sum += step["loss"].detach() * len(y)
                n_right += (step["y_pred"].argmax(1) == y).sum()
                n_rows += len(y)
            self.notify("on_batch_end", batch=batch, training=training, **step)
        self.history.record(f"{prefix}_loss", float(loss_sum) / n_rows)
        self.history.record(f"{prefix}_accuracy", int(n_right) / n_rows)
        self.history.record(f"{prefix}_batch_count", len(iterator))
        self.history.record("lr", lr)

    def notify(self, method_name: str, **cb_kwargs: Any) -> None:
        """Call the callbacks; one of them may end the training.

        skorch's callbacks end it with a KeyboardInterrupt. If the exception
        comes out of anything deeper than the callback's own method, it is the
        user's.
        """
        try:
            super().notify(method_name, **cb_kwargs)
        except TrainingStopped as stop:
            self.stopped_by_callback_ = True
            raise KeyboardInterrupt from stop
        except KeyboardInterrupt as interrupt:
            *_, (innermost, _) = walk_tb(interrupt.__traceback__)
            self.stopped_by_callback_ = innermost.f_code.co_name == method_name
            raise


def make_net(
    settings: Settings,
    *,
    n_inputs: int,
    n_classes: int,
    module_params: dict[str, Any],
    label_smoothing: float,
    max_epochs: int,
    order_seed: int,
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
        iterator_valid=SequentialBatches,
        iterator_valid__batch_size=_PREDICT_BATCH,
        train_split=None,
        classes=list(range(n_classes)),
        callbacks=callbacks,
        device=str(settings.device),
        verbose=0,
        bfloat16=settings.precision == "bfloat16",
        **params,
    )
