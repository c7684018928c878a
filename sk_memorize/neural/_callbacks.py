"""Callbacks of the training loop."""

import math
from typing import Any

from skorch.callbacks import Callback
from skorch.exceptions import SkorchException
from torch import Tensor, nn

from ._evaluation import accuracy_and_loss, recalibrate
from ._mlp import BatchNormMLP
from ._rows import Rows
from ._whitening import fold_whitening


class Result:
    """A network that takes raw inputs, and what it achieves on all rows."""

    def __init__(self, module: BatchNormMLP, accuracy: float, loss: float) -> None:
        self.module = module
        self.accuracy = accuracy
        self.loss = loss


class Assessor:
    """How to assess a network in training on the rows.

    Parameters
    ----------
    rows : Rows
        The training rows.
    whitening : tuple of two tensors or None
        What `fit_whitening` returned for them.
    tails : torch.nn.Module or None
        What compresses them before, if anything does.
    """

    def __init__(
        self,
        rows: Rows,
        whitening: tuple[Tensor, Tensor] | None,
        tails: nn.Module | None,
    ) -> None:
        self.rows = rows
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
        first: list[nn.Module] = [module.first_layer]
        if self.whitening is not None:
            first = [fold_whitening(module.first_layer, *self.whitening)]
        if self.tails is not None:
            first.insert(0, self.tails)
        final = module.with_first_layers(*first)
        logits = recalibrate(final, self.rows)
        return Result(final, *accuracy_and_loss(logits, self.rows))


class StopAtAccuracy(Callback):
    """Stop as soon as all training rows but a few are right in eval mode.

    The check itself is a forward pass over all rows. Rows that an epoch found
    wrong tell when it is worth it: they are tried once more, in one batch.

    Parameters
    ----------
    assessor : Assessor
        Measures the accuracy on the rows to be right on.
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
        assessor: Assessor,
        inputs: Tensor,
        target: float,
        cycle_ends: set[int],
        dropout: bool,
        highest_lr: float,
    ) -> None:
        self.assessor = assessor
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
        self.result = self.assessor.assess(net.module_)
        if self.result.accuracy >= self.target:
            raise TrainingStopped

    def _promising(self, net: Any) -> bool:
        """Try the rows again that the epoch found wrong, or some of them."""
        rows = self.assessor.rows
        n_allowed = (1 - self.target) * len(rows)
        wrong = net.wrong_rows_
        n_wrong = len(wrong) if rows.weight is None else float(rows.weight[wrong].sum())
        # The weights move during an epoch: at its end they make about a third
        # of the mistakes that were counted underway, or fewer.
        if n_wrong > 3 * n_allowed + max(2, 2e-3 * len(rows)):
            return False
        if n_wrong <= n_allowed:
            return True
        tried = wrong[:: -(-len(wrong) // max(1, net.batch_size // 2))]
        still_wrong = net.quick_logits(self.inputs[tried]).argmax(1) != rows.y[tried]
        n_wrong *= still_wrong.sum().item() / len(tried)
        # The statistics of batch normalization are a little off, hence the leeway.
        return n_wrong <= n_allowed + 1

    def forget(self) -> None:
        """Let go of the training rows."""
        del self.assessor, self.inputs
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
    """A tqdm bar over the epochs, with loss, accuracy and learning rate.

    Parameters
    ----------
    n_done : int
        Epochs that are behind the training.
    """

    def __init__(self, n_done: int) -> None:
        self.n_done = n_done

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002  skorch's signature
        """Open the bar."""
        from tqdm.auto import tqdm

        self.bar_ = tqdm(
            total=net.max_epochs,
            initial=self.n_done,
            desc="MemorizingMLP",
            unit="epoch",
        )

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
