"""Equal rows, and the accuracy that they leave attainable."""

import torch
from torch import Tensor

_CHUNK = 1024  # rows that are compared at a time


def first_positions(groups: Tensor, n_groups: int) -> Tensor:
    """Find the first member of each of the groups 0, 1, ..."""
    positions = torch.arange(len(groups))
    first = torch.empty(n_groups, dtype=torch.int64)
    return first.scatter_reduce_(0, groups, positions, "amin", include_self=False)


def heaviest_of_each(groups: Tensor, mass: Tensor) -> Tensor:
    """Mark one member of each group, the first of those with the largest mass."""
    _, groups = torch.unique(groups, return_inverse=True)
    n_groups = int(groups.max()) + 1
    largest = torch.zeros(n_groups, dtype=mass.dtype)
    largest.scatter_reduce_(0, groups, mass, "amax")
    candidates = torch.nonzero(mass == largest[groups]).squeeze(1)
    marked = torch.zeros(len(mass), dtype=torch.bool)
    marked[candidates[first_positions(groups[candidates], n_groups)]] = True
    return marked


def elect_labels(groups: Tensor, labels: Tensor) -> tuple[Tensor, float]:
    """Find the most frequent label of each group of equal rows.

    Parameters
    ----------
    groups : torch.Tensor of shape (n_rows,), int64
        The groups, numbered from 0 without a gap, as `group_equal_rows` returns them.
    labels : torch.Tensor of shape (n_rows,), int64
        Class indices, from 0.

    Returns
    -------
    elected : torch.Tensor of shape (n_groups,), int64
        The label of each group, the smallest of those that are equally frequent.
    attainable_accuracy : float
        The highest accuracy that any function of the rows can have.

    Examples
    --------
    >>> elect_labels(torch.tensor([0, 0, 0, 1]), torch.tensor([2, 1, 2, 0]))
    (tensor([2, 0]), 0.75)
    """
    n_classes = int(labels.max()) + 1
    pairs, counts = torch.unique(groups * n_classes + labels, return_counts=True)
    is_elected = heaviest_of_each(pairs // n_classes, counts)
    n_right = int(counts[is_elected].sum())
    return pairs[is_elected] % n_classes, n_right / len(labels)


def group_equal_rows(X: Tensor) -> tuple[Tensor, bool]:
    """Assign one number to all rows that are equal, and to no others.

    Parameters
    ----------
    X : torch.Tensor of shape (n_rows, n_features), float64, float32 or uint8
        The rows. Positive and negative zeros are equal.

    Returns
    -------
    groups : torch.Tensor of shape (n_rows,), int64
        Numbers in the order of a hash, which is the same for all number formats.
    are_distinct_in_float32 : bool
        Whether there are as many groups when the rows are rounded to float32.
    """
    generator = torch.Generator().manual_seed(0)
    factors = torch.randint(-(2**62), 2**62, (2, X.shape[1]), generator=generator)
    # Integer sums wrap around, so they are exact in any order. Preallocated keys
    # let the allocator reuse the memory of the chunks.
    keys = torch.empty(len(X), dtype=torch.int64)
    n_rows = max(1, 2**19 // X.shape[1])  # 4 MB of hashed numbers
    for chunk, out in zip(X.split(n_rows), keys.split(n_rows), strict=True):
        rounded = chunk.float()
        torch.sum(_bits(rounded).bitwise_xor_(0x5BD1E995).mul_(factors[0]), 1, out=out)
    _, groups = torch.unique(keys, return_inverse=True)
    are_distinct = True
    if X.dtype == torch.float64:
        for chunk, out in zip(X.split(n_rows), keys.split(n_rows), strict=True):
            out += _bits((chunk - chunk.float()).float()).mul_(factors[1]).sum(1)
        _, exact_groups = torch.unique(keys, return_inverse=True)
        # Keep the order of the float32 hash if float32 tells all rows apart.
        are_distinct = bool(exact_groups.max() == groups.max())
        groups = groups if are_distinct else exact_groups
    first = first_positions(groups, int(groups.max()) + 1)[groups]
    shared = torch.nonzero(first != torch.arange(len(X))).squeeze(1)
    # Hash collisions: compare the rows that share a key.
    collided = [
        part[(X[part] != X[first[part]]).any(1)] for part in shared.split(_CHUNK)
    ]
    if any(len(part) for part in collided):
        rows = torch.nonzero(torch.isin(groups, groups[torch.cat(collided)])).squeeze(1)
        _, exact = torch.unique(X[rows] + 0, dim=0, return_inverse=True)
        groups[rows] = len(X) + exact
        groups = torch.unique(groups, return_inverse=True)[1]
    return groups, are_distinct


def _bits(values: Tensor) -> Tensor:
    """View float32 numbers as integers; negative zeros count as positive ones."""
    return (values + 0.0).view(torch.int32).long()
