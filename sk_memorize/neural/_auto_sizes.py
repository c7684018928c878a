"""Automatic sizes: layers and batches, chosen by numbers that describe the data."""

import math
from typing import NamedTuple

from ..preprocessing import MAX_COMPONENTS, Rows, count_components

# With fewer components than this the network is deeper, the batches are larger, and
# bfloat16 would round neighboring rows to the same inputs.
FEW_COMPONENTS = 16
_VERY_FEW_COMPONENTS = 4  # deeper still

# Rows on a line are told apart by folding it often, and the exact finish needs
# many inputs for it.
_ON_A_LINE = (64,) * 8 + (1024,)

_WIDTH_STEP = 64
_MIN_WIDTH, _MIN_WIDTH_OF_MANY, _MAX_WIDTH = 128, 256, 2048
_MANY_COMPONENTS = 256  # from which on a narrow layer generalizes worse
_WEIGHTS_PER_ROW = 5

_MIN_BATCH, _MAX_BATCH = 32, 2048


class Shape(NamedTuple):
    """Numbers of distinct rows, columns, independent columns, and classes.

    Independent columns are counted up to `FEW_COMPONENTS`.
    """

    n_rows: int
    n_features: int
    n_components: int
    n_classes: int


def describe(rows: Rows, n_classes: int) -> Shape:
    """Find the numbers that sizes are chosen by."""
    n_components = count_components(rows, FEW_COMPONENTS)
    return Shape(len(rows), rows.n_features, n_components, n_classes)


def auto_sizes(depth: int | str, width: int | str, shape: Shape) -> tuple[int, ...]:
    """Choose the units of each hidden layer where depth or width is "auto"."""
    if depth == width == "auto" and shape.n_components == 1:
        return _ON_A_LINE
    if isinstance(depth, str):
        depth = _auto_depth(shape.n_components)
    return (_auto_width(shape, depth) if isinstance(width, str) else width,) * depth


def _auto_depth(n_components: int) -> int:
    """Choose the number of hidden layers: more for few components."""
    if n_components >= FEW_COMPONENTS:
        return 2
    return 4 if n_components >= _VERY_FEW_COMPONENTS else 6


def _auto_width(shape: Shape, depth: int) -> int:
    """Choose the units of a layer: enough weights for the labels of all rows."""
    n_inputs = min(shape.n_features, MAX_COMPONENTS)
    least = _MIN_WIDTH if n_inputs < _MANY_COMPONENTS else _MIN_WIDTH_OF_MANY
    for width in range(least, _MAX_WIDTH, _WIDTH_STEP):
        n_weights = n_inputs * width + (depth - 1) * width**2
        if n_weights >= _WEIGHTS_PER_ROW * shape.n_rows:
            return width
    return _MAX_WIDTH


def auto_batch_size(n_rows: int, n_components: int) -> int:
    """Choose a quarter of few rows, a smaller part of many, or more for few columns.

    In few dimensions rows of different labels lie close together, and what
    tells them apart is smaller than the noise that the statistics of a small
    batch add to batch normalization.
    """
    growth = max(1.0, FEW_COMPONENTS / n_components) ** 2
    part = max(_MIN_BATCH, n_rows / 4, growth * n_rows / 6)
    most = growth * min(_MAX_BATCH, 10 * math.sqrt(n_rows))
    return math.ceil(min(part, most, n_rows))
