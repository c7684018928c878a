"""Batches sliced from tensors in memory, for skorch's iterators."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike
from skorch.dataset import Dataset
from torch import Tensor

from .._sparse_rows import SparseRows

# Inputs, with their weights where they have any, and class indices.
Batch: TypeAlias = tuple[Tensor | dict[str, Tensor], Tensor]


class TensorBatches:
    """Batches of a skorch Dataset whose contents are tensors.

    With a seed, the rows come in the order of the epoch and in batches whose
    sizes differ by one at most: no small batch is left over, on which batch
    normalization would be noisy, or, with one row, undefined; and no row has to
    be dropped for it. Without, they come in their own order, in slices.

    Parameters
    ----------
    dataset : skorch.dataset.Dataset
        The rows, as a tensor or a dict of tensors, and their labels.
    batch_size : int
        Largest size of a batch. It is exceeded by one row where a shuffled batch
        would otherwise be of a single row.
    seed : int, default=None
        Decides, with `epoch`, the order of the rows.
    epoch : int, default=0
        Number of epochs before.
    """

    def __init__(
        self, dataset: Dataset, batch_size: int, seed: int | None = None, epoch: int = 0
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = epoch

    def __len__(self) -> int:
        if self.seed is None:
            return -(-len(self.dataset) // self.batch_size)
        return count_batches(len(self.dataset), self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        X, y, n_rows = self.dataset.X, self.dataset.y, len(self.dataset)
        y = torch.zeros(n_rows, dtype=torch.int64) if y is None else y
        if self.seed is None:
            parts = torch.arange(n_rows).split(self.batch_size)
        else:
            parts = draw_order(n_rows, self.seed, self.epoch).tensor_split(len(self))
        for part in parts:
            yield _take(X, part), _take(y, part)


def draw_order(n_rows: int, seed: int, epoch: int) -> Tensor:
    """Draw the order of the rows in an epoch."""
    # Drawn on the CPU, so that the order is the same on every device.
    state = np.random.SeedSequence((seed, epoch)).generate_state(1)
    generator = torch.Generator().manual_seed(int(state[0]))
    return torch.randperm(n_rows, generator=generator)


def _take(X: Mapping[str, Tensor] | SparseRows | ArrayLike, rows: Tensor) -> Any:
    if isinstance(X, Mapping):
        return {name: _take(values, rows) for name, values in X.items()}
    if isinstance(X, SparseRows):
        return X[rows]
    X = torch.as_tensor(X)
    return X.index_select(0, rows.to(X.device))


def count_batches(n_samples: int, batch_size: int) -> int:
    """Count the batches of an epoch, each of two rows or more."""
    wanted = -(-n_samples // batch_size)
    # One row more per batch where batches of a single row would appear, unless
    # a single row is what was asked for.
    return wanted if batch_size == 1 else max(1, min(wanted, n_samples // 2))
