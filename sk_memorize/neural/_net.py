"""The skorch net behind MemorizingMLP."""

from traceback import walk_tb
from typing import Any

import torch
from skorch import NeuralNetClassifier
from torch import Tensor

from ._callbacks import TrainingStopped


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
