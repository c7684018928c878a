"""The loss of each row, summed over a training from what the training computes."""

from typing import Any, Self

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from torch import Tensor
from torch.nn import functional as F

from ..._typing import Estimator
from ...neural import Batch, MemorizingMLP, draw_order


class RowLosses(Callback):
    """Sum the cross-entropy of each row over the epochs, while the weights move.

    Copies and clones are the original itself: it is handed to a net, perhaps by a
    meta-estimator, and asked after the fit.
    """

    def __init__(self) -> None:
        self._sums: Tensor | None = None
        self._n_trainings = 0

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __sklearn_clone__(self) -> Self:
        return self

    def on_train_begin(self, net: NeuralNet, *, rows: Any, **kwargs: object) -> None:  # noqa: ARG002  skorch's signature
        """Begin with zeros."""
        self._rows = rows
        self._sums = torch.zeros(len(rows))
        self._n_trainings += 1

    def on_epoch_begin(self, net: NeuralNet, **kwargs: object) -> None:  # noqa: ARG002  skorch's signature
        """Draw the order of the rows as the iterator does."""
        self._order = draw_order(
            len(self._rows), net.iterator_train__seed, net.iterator_train__epoch
        )
        self._n_seen = 0

    @torch.no_grad()
    def on_batch_end(self, net: NeuralNet, batch: Batch, **kwargs: Any) -> None:  # noqa: ARG002  skorch's signature
        """Add the losses of a batch."""
        y = batch[1]
        losses = F.cross_entropy(kwargs["y_pred"].detach(), y, reduction="none").cpu()
        part = self._order[self._n_seen : self._n_seen + len(y)]
        self._n_seen += len(y)
        self._sums[part] += losses  # type: ignore[index]  # on_train_begin came first

    def of_given_rows(self, labels: np.ndarray) -> np.ndarray | None:
        """Return the sums in the order of the rows that `fit` was given.

        Parameters
        ----------
        labels : ndarray of shape (n_rows,)
            The labels of the rows of positive weight.

        Returns
        -------
        losses : ndarray of shape (n_rows,), float32, or None
            Of these rows; equal ones have the same. None if there was no training,
            more than one, or one on other labels: those of a resample, or corrupted.
        """
        if self._sums is None or self._n_trainings != 1:
            return None
        fitted = self._rows.y.cpu()[self._rows.of_given].numpy()
        if not np.array_equal(fitted, np.unique(labels, return_inverse=True)[1]):
            return None
        return self._sums[self._rows.of_given].numpy()


def watch_losses(estimator: Estimator) -> RowLosses | None:
    """Give each MemorizingMLP inside an estimator a callback that sums its losses.

    Parameters
    ----------
    estimator : estimator instance
        It is changed.

    Returns
    -------
    losses : RowLosses or None
        The callback; None if there is no MemorizingMLP.
    """
    params = {"": estimator} | estimator.get_params(deep=True)
    names = [name for name, p in params.items() if isinstance(p, MemorizingMLP)]
    if not names:
        return None
    losses = RowLosses()
    for name in names:
        own = list(params[name].callbacks or ())
        params[name].set_params(callbacks=[*own, ("row_losses", losses)])
    return losses
