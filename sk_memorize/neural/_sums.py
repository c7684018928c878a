"""What makes sums depend on the number of threads, and how to avoid it.

Threads share the numbers of a result, so that each is summed by one of them. But what
is left over at the edge of a share is computed by other code, which rounds differently:
a product of 100 columns has other bits with four threads than with one, and so have the
sums of 100 columns with twelve. And where sums are long and few, the threads share the
terms. So here the results of products and sums have a multiple of 16 columns, of which
some may be zero; those of products are not of a few rows only; and sums over many rows
are made part by part.

This is what was found with torch 2.14, its MKL and its oneDNN, on up to 64 threads.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

# Of the columns of a result.
MULTIPLE = 16

# Rows of a product, from which on their number does not matter.
ENOUGH_ROWS = 64

# Largest number of rows in a sum of a product.
MOST_ROWS = 2048

CHUNK = 4096  # rows of a product that is not a sum over them

# Products in float64 share sums among threads from 16 of them on.
FLOAT64_THREADS = 8

# torch sums fewer numbers than this in one thread.
_SERIAL = 32768


def padding(width: int) -> int:
    """Tell how many columns are missing to the next multiple of 16."""
    return -width % MULTIPLE


def pad_columns(values: Tensor) -> Tensor:
    """Append columns of zeros to a matrix, up to a multiple of 16."""
    more = padding(values.shape[1])
    return F.pad(values, (0, more)) if more else values


def split_rows(values: Tensor) -> tuple[Tensor, ...]:
    """Split a tensor into chunks, none of which is of a few rows if there are more."""
    stops = range(CHUNK, len(values) - ENOUGH_ROWS + 1, CHUNK)
    return values.tensor_split(tuple(stops))


def sum_rows(values: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """Sum each column of a matrix."""
    if values.numel() < _SERIAL:
        return values.sum(0, dtype=dtype)
    return pad_columns(values).sum(0, dtype=dtype)[: values.shape[1]]


def total(values: Tensor) -> Tensor:
    """Sum all numbers of a vector."""
    parts = values.split(_SERIAL - 1)
    return torch.stack([part.sum() for part in parts]).sum()
