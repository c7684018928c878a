"""Callbacks of the training loop."""

import math
from typing import Any

from skorch.callbacks import Callback
from skorch.exceptions import SkorchException
from torch import Tensor, nn

from ._evaluation import accuracy_and_loss, recalibrate
from ._mlp import BatchNormMLP
from ._tails import AsinhTails
from ._whitening import fold_whitening


class Result:
    """A network that takes raw inputs, and what it achieves on all rows."""

    def __init__(self, module: BatchNormMLP, accuracy: float, loss: float) -> None:
        self.module = module
        self.accuracy = accuracy
        self.loss = loss


class TrainingRows:
    """The raw training rows, and how to assess a network on them.

    Parameters
    ----------
    X : torch.Tensor of shape (n_samples, n_features), float32
        Raw inputs.
    y : torch.Tensor of shape (n_samples,), int64
        Class indices.
    whitening : tuple of two tensors or None
        What `fit_whitening` returned for X, or for the compressed X.
    tails : AsinhTails or None
        What compresses X, if anything does.
    """

    def __init__(
        self,
        X: Tensor,
        y: Tensor,
        whitening: tuple[Tensor, Tensor] | None,
        tails: AsinhTails | None,
    ) -> None:
        self.X = X
        self.y = y
        self.whitening = whitening
        self.tails = tails

    def assess(self, module: BatchNormMLP) -> Result:
        """Make the final network of `module`, and measure it on all rows.

        Parameters
        ----------
        module : BatchNormMLP
            The network in training. It shares its layers with the result, but
            for the first, and is left in eval mode.

        Returns
        -------
        result : Result
            The network with the whitening folded in and its batch-norm
            statistics recalibrated; accuracy and loss in eval mode.
        """
        final = module
        if self.whitening is not None:
            first: list[nn.Module] = [
                fold_whitening(module.first_layer, *self.whitening)
            ]
            if self.tails is not None:
                first.insert(0, self.tails)
            final = module.with_first_layers(*first)
        logits = recalibrate(final, self.X)
        return Result(final, *accuracy_and_loss(logits, self.y))


class StopAtAccuracy(Callback):
    """Stop as soon as all training rows but a few are right in eval mode.

    The check itself is a forward pass over all rows. Rows that an epoch found
    wrong tell when it is worth it: they are tried once more, in one batch.

    Parameters
    ----------
    rows : TrainingRows
        The rows to be right on.
    inputs : torch.Tensor of shape (n_samples, n_inputs)
        The same rows, as the network in training takes them.
    target : float
        Accuracy to stop at.
    cycle_ends : collection of int
        Epochs at whose end the accuracy is always checked.
    dropout : bool
        Whether units are dropped in training, which hides the accuracy.
    highest_lr : float
        No stop while the learning rate is higher: a few rows are right after a
        few large steps, with weights that are useless for any other row.
    """

    def __init__(
        self,
        rows: TrainingRows,
        inputs: Tensor,
        target: float,
        cycle_ends: set[int],
        dropout: bool,
        highest_lr: float,
    ) -> None:
        self.rows = rows
        self.inputs = inputs
        self.target = target
        self.cycle_ends = cycle_ends
        self.dropout = dropout
        self.highest_lr = highest_lr
        self.result: Result | None = None

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002  skorch's signature
        """Drop the last result: the weights are about to change."""
        self.result = None

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002  skorch's signature
        """Check the accuracy, and stop the training if it suffices."""
        epoch = len(net.history)
        if net.optimizer_.param_groups[0]["lr"] > self.highest_lr:
            return
        if not (self.dropout or epoch in self.cycle_ends or self._promising(net)):
            return
        self.result = self.rows.assess(net.module_)
        if self.result.accuracy >= self.target:
            raise TrainingStopped

    def _promising(self, net: Any) -> bool:
        """Try the rows again that the epoch found wrong, or some of them."""
        n_allowed = (1 - self.target) * len(self.rows.y)
        wrong = net.wrong_rows_
        # The weights move during an epoch: at its end they make about a third
        # of the mistakes that were counted underway, or fewer.
        if len(wrong) > 3 * n_allowed + max(2, 2e-3 * len(self.rows.y)):
            return False
        if len(wrong) <= n_allowed:
            return True
        rows = wrong[:: -(-len(wrong) // max(1, net.batch_size // 2))]
        logits = net.quick_logits(self.inputs[rows])
        n_wrong = int((logits.argmax(1) != self.rows.y[rows]).sum())
        # The statistics of batch normalization are a little off, hence the leeway.
        return n_wrong * len(wrong) / len(rows) <= n_allowed + 1

    def forget(self) -> None:
        """Let go of the training rows."""
        del self.rows, self.inputs
        self.result = None


class FailOnDivergence(Callback):
    """End the training with an error when the loss is no longer finite."""

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002  skorch's signature
        """Look at the loss of the epoch."""
        loss = net.history[-1, "train_loss"]
        if not math.isfinite(loss):
            raise ValueError(
                f"The training diverged: the loss of epoch {len(net.history)} is "
                f"{loss}. A lower 'lr' or a normalization ('norm') helps."
            )


class ProgressBar(Callback):
    """A tqdm bar over the epochs, with loss, accuracy and learning rate."""

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002  skorch's signature
        """Open the bar."""
        from tqdm.auto import tqdm

        self.bar_ = tqdm(total=net.max_epochs, desc="MemorizingMLP", unit="epoch")

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002  skorch's signature
        """Advance the bar."""
        row = net.history[-1]
        self.bar_.set_postfix(
            loss=f"{row['train_loss']:.4f}",
            accuracy=f"{row['train_accuracy']:.4%}",
            lr=f"{row['lr']:.1e}",
            refresh=False,
        )
        self.bar_.update()

    def close(self) -> None:
        """Close the bar, however the training ended."""
        if hasattr(self, "bar_"):
            self.bar_.close()
            del self.bar_


class TrainingStopped(SkorchException):
    """The target is reached: no epoch is needed any more."""
