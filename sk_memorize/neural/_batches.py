"""Batches sliced from tensors in memory, for skorch's iterators."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.utils.data import Dataset


class TensorPair(Dataset):
    """Inputs and targets in memory, as skorch's data set.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Inputs.
    y : array-like of shape (n_samples,), default=None
        Targets; zeros stand in for them at predict time.
    weight : torch.Tensor of shape (n_samples,), float32, default=None
        Weights with a mean of one; None stands for ones.
    """

    def __init__(
        self, X: Tensor, y: Tensor | None = None, weight: Tensor | None = None
    ) -> None:
        self.X = torch.as_tensor(X)
        if y is None:
            y = torch.zeros(len(self.X), dtype=torch.int64, device=self.X.device)
        self.y = torch.as_tensor(y)
        self.weight = weight

    def __len__(self) -> int:
        return len(self.X)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.X[index], self.y[index]


class ShuffledBatches:
    """Every row once an epoch, in a fresh order, in batches of nearly one size.

    The rows are spread evenly: the sizes of two batches differ by one at most.
    So no small batch is left over at the end of an epoch, on which batch
    normalization would be noisy, or, with one row, undefined; and no row has
    to be dropped for it.

    Parameters
    ----------
    dataset : TensorPair
        The rows.
    batch_size : int
        Largest size of a batch. It is exceeded by one row where a batch would
        otherwise be of a single row.
    seed : int
        Decides the order of the rows in every epoch.
    first_epoch : int, default=0
        Number of epochs whose orders are passed over.

    Attributes
    ----------
    order : torch.Tensor of shape (n_samples,)
        The order of the rows in the current epoch.
    weight : torch.Tensor of shape (n_rows,), or None
        The weights of the rows of the current batch, if the rows have weights.

    Notes
    -----
    A batch lies in memory that the next one of its size overwrites.
    """

    def __init__(
        self,
        dataset: TensorPair,
        batch_size: int,
        seed: int = 0,
        first_epoch: int = 0,
    ) -> None:
        self.dataset = dataset
        self.n_batches = count_batches(len(dataset), batch_size)
        largest = -(-len(dataset) // self.n_batches)
        # The order is drawn on the CPU, so that it is the same on every device.
        self._generator = torch.Generator().manual_seed(seed)
        for _ in range(first_epoch):
            torch.randperm(len(dataset), generator=self._generator)
        self.weight: Tensor | None = None
        # The same memory for every batch: fresh memory costs more than the copy.
        self._inputs = torch.empty_like(dataset.X[:largest])
        self._targets = torch.empty_like(dataset.y[:largest])

    def __len__(self) -> int:
        return self.n_batches

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        X, y = self.dataset.X, self.dataset.y
        self.order = torch.randperm(len(X), generator=self._generator).to(X.device)
        for rows in self.order.tensor_split(self.n_batches):
            inputs, targets = self._inputs[: len(rows)], self._targets[: len(rows)]
            torch.index_select(X, 0, rows, out=inputs)
            torch.index_select(y, 0, rows, out=targets)
            if self.dataset.weight is not None:
                self.weight = self.dataset.weight[rows]
            yield inputs, targets


class SequentialBatches:
    """The rows in their order, in slices of one size.

    Parameters
    ----------
    dataset : TensorPair
        The rows.
    batch_size : int
        Size of all batches but the last.
    """

    def __init__(self, dataset: TensorPair, batch_size: int) -> None:
        self.dataset = dataset
        self.batch_size = batch_size

    def __len__(self) -> int:
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        X, y = self.dataset.X, self.dataset.y
        yield from zip(X.split(self.batch_size), y.split(self.batch_size), strict=True)


def count_batches(n_samples: int, batch_size: int) -> int:
    """Count the batches of an epoch, each of two rows or more."""
    wanted = -(-n_samples // batch_size)
    # One row more per batch where batches of a single row would appear, unless
    # a single row is what was asked for.
    return wanted if batch_size == 1 else max(1, min(wanted, n_samples // 2))
