"""Training rows: equal ones counted once, with the sum of their weights."""

import copy
from collections.abc import Callable, Iterator
from typing import Any, Self

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from .._equal_rows import first_positions, group_equal_rows, heaviest_of_each
from .._sparse_rows import SparseRows

# Part of the mean mass below which a row is not trained on: Adam, which divides by
# the size of the gradients, would memorize it all the same.
_NEGLIGIBLE = 1e-5

CHUNK = 1024  # rows that are worked on at a time: they stay in the cache
_MOST_NUMBERS = 2**22  # of a chunk, where there are many columns


def chunk_size(n_columns: int) -> int:
    """Choose the number of rows that are worked on at a time."""
    return max(1, min(CHUNK, _MOST_NUMBERS // max(1, n_columns)))


class Rows:
    """Inputs that differ, or whose labels do, with weights.

    Parameters
    ----------
    X : torch.Tensor or SparseRows of shape (n_rows, n_features)
        Inputs, of float64, float32 or uint8. They are not copied.
    y : array-like of shape (n_rows,), int64
        Class indices.
    weight : array-like of shape (n_rows,), float64, or None
        Positive weights; None stands for ones.

    Attributes
    ----------
    chunk : int
        Rows that are worked on at a time.
    of_given : torch.Tensor of shape (n_rows,), int64
        Which of the distinct rows each given row is, on the CPU.
    y : torch.Tensor of shape (n_samples,), int64
        Class indices of the distinct rows.
    mass : torch.Tensor of shape (n_samples,), float64
        Sum of the weights of the rows that are equal.
    weight : torch.Tensor of shape (n_samples,), float32, or None
        `mass` divided by its mean, or zero if it is negligible; None if all are alike.
    can_be_right : torch.Tensor of shape (n_samples,), bool
        One row of each set with equal inputs: that of the largest mass. Rows of
        negligible mass are left out.
    attainable_accuracy : float
        The highest (weighted) accuracy that any function of X can have.
    accuracy_to_reach : float
        That of being right in the rows that can be right.
    are_distinct_in_float32 : bool
        Whether rows that differ still do when they are rounded to float32.

    Notes
    -----
    Rows that are equal in X and y count as one with the sum of their weights. A
    weight of two is therefore the same as the row twice, bit for bit. The order
    is that of a hash of the rows, so it does not depend on the order in which
    they are given, and nor does anything that is computed from them.
    """

    def __init__(self, X: Any, y: ArrayLike, weight: ArrayLike | None = None) -> None:
        y = torch.as_tensor(y)
        self._X = X
        self._extremes: tuple[Tensor, Tensor] | None = None
        self.chunk = chunk_size(X.shape[1])
        self.device = torch.device("cpu")
        groups, self.are_distinct_in_float32 = group_equal_rows(X)
        n_classes = int(y.max()) + 1
        pairs, self.of_given, counts = torch.unique(
            groups * n_classes + y, return_inverse=True, return_counts=True
        )
        self._index = first_positions(self.of_given, len(pairs))
        mass = counts.double()
        if weight is not None:
            weights = torch.as_tensor(weight)
            mass = torch.zeros_like(mass).index_add_(0, self.of_given, weights)
        is_uniform = bool((mass == mass[0]).all())
        can_be_right = heaviest_of_each(pairs // n_classes, mass)
        self.attainable_accuracy = (mass[can_be_right].sum() / mass.sum()).item()
        counts = mass >= _NEGLIGIBLE * mass.mean()
        can_be_right &= counts
        self.accuracy_to_reach = (mass[can_be_right].sum() / mass.sum()).item()
        self.y = y[self._index]
        self.mass = mass
        self.can_be_right = can_be_right
        self.weight = None if is_uniform else (mass / mass.mean() * counts).float()

    def __len__(self) -> int:
        return len(self._index)

    @property
    def n_features(self) -> int:
        """Number of columns."""
        return self._X.shape[1]

    def to(self, device: torch.device) -> Self:
        """Move all but the inputs to a device, where chunks of those will go."""
        moved = copy.copy(self)
        moved.device = device
        for name in ("y", "mass", "can_be_right", "weight"):
            values = getattr(self, name)
            setattr(moved, name, None if values is None else moved.put(values))
        return moved

    def put(self, values: Tensor) -> Tensor:
        """Move a tensor to the device."""
        return values.to(self.device)

    def chunks(self, index: Tensor | None = None) -> Iterator[Tensor]:
        """Copy the rows, or those of an index, in pieces, onto the device."""
        chosen = self._index if index is None else self._index[index.cpu()]
        for part in chosen.split(self.chunk):
            yield self.put(self._X[part])

    def inputs(self) -> Any:
        """Copy all rows; sparse ones stay sparse, and off the device."""
        if isinstance(self._X, SparseRows):
            return self._X.take(self._index)
        return torch.cat(list(self.chunks()))

    def sample(
        self,
        n_rows: int,
        offset: float = 0.0,
        convert: Callable[[Tensor], Tensor] = torch.Tensor.contiguous,
    ) -> Tensor:
        """Convert some evenly spaced rows, or all; an offset below 1 shifts them."""
        n_rows = min(n_rows, len(self))
        positions = (torch.arange(n_rows, dtype=torch.float64) + offset) * (
            len(self) / n_rows
        )
        return torch.cat([convert(c) for c in self.chunks(positions.long())])

    def extremes(self) -> tuple[Tensor, Tensor]:
        """Compute the smallest and the largest value of each column, in float64."""
        if self._extremes is None:
            # Two passes: torch.aminmax is four times slower than both.
            low, high = self._X.amin(0), self._X.amax(0)
            self._extremes = low.double(), high.double()
        return self._extremes

    def ranges(self) -> tuple[Tensor, Tensor]:
        """Compute the middle of each column's range and its length, both finite."""
        low, high = self.extremes()
        largest = torch.finfo(torch.float64).max
        return low / 2 + high / 2, (high - low).clamp_max(largest)

    def accuracy(self, is_right: Tensor) -> float:
        """Compute the weighted accuracy: exactly one if all rows are right."""
        return (self.mass[is_right].sum() / self.mass.sum()).item()
