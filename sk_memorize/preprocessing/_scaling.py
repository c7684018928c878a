"""Scaling of columns that float32 cannot hold, or that have heavy tails."""

from typing import NamedTuple

import torch
from torch import Tensor

from ._rows import Rows

_MOST_NUMBERS = 2**24  # of a sample, where there are many columns

# Heavy-tailed columns span this many times the spread of their middle 80 %. A
# normal column of any practical length spans about 4, an exponential one 6,
# rarely used pixels up to 12, a Cauchy column of 500 rows over 200.
_HEAVY = 25.0
_SPREAD_SHRINKAGE = 0.1  # of the median spread: sparse columns are not heavy-tailed
_QUANTILE_ROWS = 1024

# Columns whose range is beyond these, or whose offset is so many times larger
# than their range, are centered and scaled in float64.
_EXTREME_RANGE = 1e12
_LARGE_OFFSET = 1e3


class Scaling(NamedTuple):
    """Map ``(x - center) / scale``, followed by asinh in heavy-tailed columns."""

    center: Tensor
    scale: Tensor
    is_heavy: Tensor

    def __call__(self, X: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Apply the map; the result has the given number format."""
        scaled = ((X - self.center) / self.scale).to(dtype)
        return torch.where(self.is_heavy, scaled.asinh(), scaled)


def fewer_rows(n_rows: int, n_columns: int) -> int:
    """Take fewer rows for a sample whose columns are very many."""
    return min(n_rows, max(64, _MOST_NUMBERS // n_columns))


def scaled(X: Tensor, scaling: Scaling | None) -> Tensor:
    """Apply a scaling, or only convert to float32."""
    return X.float() if scaling is None else scaling(X)


def fit_scaling(rows: Rows, compress: bool) -> Scaling | None:
    """Find the scaling, or None where float32 and the columns need none."""
    middle, span = rows.ranges()
    used = span > 0
    extreme = used & ((span > _EXTREME_RANGE) | (span < 1 / _EXTREME_RANGE))
    is_far = (used & (middle.abs() > _LARGE_OFFSET * span)).any()
    center, scale = torch.zeros_like(span), torch.ones_like(span)
    is_heavy = torch.zeros_like(used)
    if extreme.any() or is_far or not rows.are_distinct_in_float32:
        center, scale = middle, torch.where(extreme, span, 1.0)
    if compress and used.any():
        ordered = (
            rows.sample(fewer_rows(_QUANTILE_ROWS, 2 * rows.n_features))
            .double()
            .cpu()
            .sort(0)
            .values
        )
        tenth = len(ordered) // 10
        spread = ordered[-1 - tenth] - ordered[tenth]
        if (spread > 0).any():
            shrunk = _SPREAD_SHRINKAGE * spread[spread > 0].median()
            spread = spread.clamp_min(shrunk)
            is_heavy = span > _HEAVY * spread
            center = torch.where(is_heavy, ordered[len(ordered) // 2], center)
            scale = torch.where(is_heavy, spread / 2, scale)
    if not is_heavy.any() and not (center.any() or (scale != 1).any()):
        return None
    return Scaling(rows.put(center), rows.put(scale), rows.put(is_heavy))
