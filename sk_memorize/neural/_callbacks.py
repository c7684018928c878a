"""skorch callbacks of the training, and its progress bar."""

from typing import Any, Self

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from torch import Tensor

from ..preprocessing import Rows
from ._batches import Batch
from ._prepared import Prepared

# The whitening is completed where narrow components are needed: where this part
# of the mistakes of chance is left after the first steps, or more than a half
# after an epoch, more than a quarter after two, and so on.
_FIRST_PART = 0.85
_FEWEST_STEPS = 16  # of a look at the accuracy, if it is not a quarter of an epoch
_TINY = 1e-12  # divisor instead of zero, where nearly all weight is in a few rows


class RunningAccuracy(Callback):
    """Record each epoch's accuracy while the weights move, and its learning rate.

    They are in the history under ``train_accuracy`` and ``lr``.
    """

    def on_epoch_begin(self, net: NeuralNet, **kwargs: object) -> None:  # noqa: ARG002  skorch's signature
        """Begin to count."""
        self.lr_ = net.optimizer_.param_groups[0]["lr"]
        self.counts_: list[tuple[Tensor, Any]] = []

    def on_batch_end(  # skorch's signature
        self,
        net: NeuralNet,  # noqa: ARG002  skorch's signature
        batch: Batch,
        y_pred: Tensor,
        **kwargs: object,  # noqa: ARG002  skorch's signature
    ) -> None:
        """Count the rows that are right, by their weights."""
        self.counts_.append(_count_right(batch, y_pred))

    def on_epoch_end(self, net: NeuralNet, **kwargs: object) -> None:  # noqa: ARG002  skorch's signature
        """Record the epoch."""
        net.history.record("train_accuracy", _part_right(self.counts_))
        net.history.record("lr", self.lr_)
        self.counts_ = []


class CompleteWhitening(Callback):
    """Whiten fully as soon as the wide components prove not to be enough.

    In the first epoch a network has not seen a batch before it is trained on it.
    Its accuracy there tells whether the labels follow the inputs. If they do, the
    wide components serve them best, and the network generalizes better without
    the noise of the narrow ones. If they do not, all components are needed.

    Parameters
    ----------
    prepared : Prepared or None
        Whose whitening it is; None after the training.
    n_batches : int
        Batches of an epoch.
    """

    def __init__(self, prepared: Prepared | None, n_batches: int) -> None:
        self.prepared = prepared
        self.n_batches = n_batches

    def initialize(self) -> Self:
        """Begin to count."""
        self.n_steps_ = self.n_looks_ = 0
        self.counts_: list[tuple[Tensor, Any]] = []
        return self

    def on_batch_end(  # skorch's signature
        self,
        net: NeuralNet,
        batch: Batch,
        y_pred: Tensor,
        **kwargs: object,  # noqa: ARG002  skorch's signature
    ) -> None:
        """Look at the accuracy of the last steps where it is time to."""
        if self.prepared is None or not self.prepared.is_attenuated:
            return
        self.n_steps_ += 1
        window = max(_FEWEST_STEPS, self.n_batches // 4)
        due = self.n_looks_ * max(2 * _FEWEST_STEPS, self.n_batches) or window
        if self.n_steps_ > due - window // 2:
            self.counts_.append(_count_right(batch, y_pred))
        if self.n_steps_ < due:
            return
        error = (1 - _part_right(self.counts_)) / _error_by_chance(self.prepared.rows)
        bound = 0.5**self.n_looks_ if self.n_looks_ else _FIRST_PART
        self.n_looks_ += 1
        self.counts_ = []
        if error > bound:
            self.prepared.whiten_fully(net.module_)

    def on_train_end(self, net: NeuralNet, **kwargs: object) -> None:  # noqa: ARG002  skorch's signature
        """Forget the rows: a model does not keep them."""
        self.prepared = None


def _error_by_chance(rows: Rows) -> float:
    """Compute the error of always answering with the most frequent class."""
    classes = torch.bincount(rows.y.cpu(), rows.mass.cpu())
    return max(_TINY, 1 - float(classes.max() / classes.sum()))


def _count_right(batch: Batch, y_pred: Tensor) -> tuple[Tensor, Any]:
    """Compute the weight of the rows that are right, and of all."""
    X, y = batch
    is_right = y_pred.detach().argmax(1) == y
    if isinstance(X, dict):
        return (X["weight"] * is_right).sum(), X["weight"].sum()
    return is_right.sum(), len(y)


def _part_right(counts: list[tuple[Tensor, Any]]) -> float:
    right = float(torch.stack([right for right, _ in counts]).sum())
    return right / max(_TINY, sum(float(total) for _, total in counts))


def make_progress_bar(n_epochs: int) -> Any:
    """Make a tqdm bar over the epochs of the first cycle."""
    from tqdm.auto import tqdm

    return tqdm(total=n_epochs, desc="MemorizingMLP", unit="epoch")


def show_epoch(bar: Any, row: dict[str, Any], end: int) -> None:
    """Show another epoch, and where the cycle is expected to end."""
    bar.total = end
    texts = {"loss": f"{row['train_loss']:.4f}", "lr": f"{row['lr']:.1e}"}
    texts["accuracy"] = f"{row['train_accuracy']:.4%}"
    bar.set_postfix(texts, refresh=False)
    bar.update()
