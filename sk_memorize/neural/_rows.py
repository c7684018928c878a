"""The training rows: each distinct one once, in an order of their own."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ._sums import CHUNK, split_rows, total


class Rows:
    """Inputs that differ, or whose labels do, with weights.

    Parameters
    ----------
    X : torch.Tensor of shape (n_rows, n_features), float32 or uint8
        Inputs. They are not copied.
    y : torch.Tensor of shape (n_rows,), int64
        Class indices.
    weight : torch.Tensor of shape (n_rows,), float64, or None
        Positive weights; None stands for ones.

    Attributes
    ----------
    y : torch.Tensor of shape (n_samples,), int64
        Class indices of the distinct rows.
    mass : torch.Tensor of shape (n_samples,), float64
        Sum of the weights of the rows that are equal.
    weight : torch.Tensor of shape (n_samples,), float32, or None
        `mass` divided by its mean; None if all are alike.
    attainable_accuracy : float
        The highest (weighted) accuracy that any function of X can have: rows
        that are equal get equal predictions, so of each set of equal rows only
        those of its heaviest label can be right.

    Notes
    -----
    Rows that are equal in X and y count as one with the sum of their weights. A
    weight of two is therefore the same as the row twice, bit for bit. The order
    is that of a hash of the rows, so it does not depend on the order in which
    they are given, and nor does anything that is computed from them.
    """

    def __init__(self, X: Tensor, y: Tensor, weight: Tensor | None = None) -> None:
        self._X = X
        groups = _group_equal_rows(X)
        n_classes = int(y.max()) + 1
        pairs, inverse, counts = torch.unique(
            groups * n_classes + y, return_inverse=True, return_counts=True
        )
        positions = torch.arange(len(X), device=X.device)
        self._index = torch.empty_like(pairs).scatter_reduce_(
            0, inverse, positions, "amin", include_self=False
        )
        self.y = y[self._index]
        self.mass = counts.double()
        if weight is not None:
            self.mass = torch.zeros_like(self.mass).index_add_(0, inverse, weight)
        mean = total(self.mass) / len(self.mass)
        is_uniform = bool((self.mass == self.mass[0]).all())
        self.weight = None if is_uniform else (self.mass / mean).float()
        best = torch.zeros(len(X), dtype=torch.float64, device=X.device)
        best.scatter_reduce_(0, pairs // n_classes, self.mass, "amax")
        self.attainable_accuracy = (total(best) / total(self.mass)).item()

    def __len__(self) -> int:
        return len(self._index)

    @property
    def n_features(self) -> int:
        """Number of columns."""
        return self._X.shape[1]

    @property
    def device(self) -> torch.device:
        """Where the rows are."""
        return self._X.device

    def chunks(self) -> Iterator[Tensor]:
        """Copy the rows in pieces, in float32: they may be written to."""
        for index in split_rows(self._index):
            yield self._X[index].float()

    def gather(self, step: int = 1) -> Tensor:
        """Copy all rows, or every `step`-th of them, in float32."""
        return self._X[self._index[::step]].float()

    def range(self) -> Tensor:
        """Compute the largest less the smallest value of each column."""
        smallest, largest = torch.aminmax(self._X, dim=0)
        return largest.float() - smallest.float()

    def accuracy(self, is_right: Tensor) -> float:
        """Compute the weighted accuracy.

        Parameters
        ----------
        is_right : torch.Tensor of shape (n_samples,), bool
            Which of the rows are right.

        Returns
        -------
        accuracy : float
            Exactly one if all are right.
        """
        return (total(self.mass[is_right]) / total(self.mass)).item()


def _group_equal_rows(X: Tensor) -> Tensor:
    """Give equal rows, and only them, the same number, by their values alone."""
    generator = torch.Generator().manual_seed(0)
    factors = torch.randint(-(2**62), 2**62, X.shape[1:], generator=generator)
    factors = factors.to(X.device)
    # Adding zero turns the negative zeros into positive ones. The integers wrap
    # around, hence the sums are exact, whatever their order. Small tensors that
    # outlive large ones would keep the allocator from reusing the latter's memory.
    keys = torch.empty(len(X), dtype=torch.int64, device=X.device)
    chunks = zip(X.split(CHUNK // 8), keys.split(CHUNK // 8), strict=True)
    for chunk, out in chunks:
        bits = (chunk.float() + 0.0).view(torch.int32).long()
        torch.sum(bits.bitwise_xor_(0x5BD1E995).mul_(factors), 1, out=out)
    _, groups = torch.unique(keys, return_inverse=True)
    positions = torch.arange(len(X), device=X.device)
    first = torch.empty_like(groups).scatter_reduce_(
        0, groups, positions, "amin", include_self=False
    )[groups]
    # Among the rows that share a key, equality decides.
    shared = torch.nonzero(first != positions).squeeze(1)
    collided = [
        part[(X[part] != X[first[part]]).any(1)] for part in shared.split(CHUNK)
    ]
    if any(len(part) for part in collided):
        rows = torch.nonzero(torch.isin(groups, groups[torch.cat(collided)])).squeeze(1)
        _, exact = torch.unique(X[rows].float() + 0.0, dim=0, return_inverse=True)
        groups[rows] = len(X) + exact
        groups = torch.unique(groups, return_inverse=True)[1]
    return groups
