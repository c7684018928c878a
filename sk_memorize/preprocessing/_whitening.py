"""Whitening: PCA with shrinkage, from a sample of the rows."""

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from .._threads import single_thread
from ._rows import Rows
from ._scaling import Scaling, fewer_rows, scaled

# Principal components at most, and how many of these are random directions of
# what the widest ones leave out, so that rows which differ only there differ.
MAX_COMPONENTS = 448
_N_RANDOM = 32

# Rows that the covariance is estimated from: this many per column, within bounds.
_ROWS_PER_COLUMN, _FEWEST_ROWS, _MOST_ROWS = 16, 8192, 20_000
_WIDE = 2048  # with more columns the Gram matrix of this many rows is used

# Components of less variance than this part of the largest are rounding errors, of
# sums in float32, or of inputs in float32 where the sums are in float64.
_TOLERANCE, _FINE_TOLERANCE = 1e-6, 1e-12
_FEW = 64  # columns, or components found, up to which the sums are in float64

# Columns are divided by their range, so that units do not matter while pixels,
# which share one, keep their proportions. It is shrunk by this part of the median
# range: nearly constant columns stay small. A range below a gray level of pictures
# is taken for one in another unit.
_SCALE_SHRINKAGE = 0.3
_GRAY_LEVEL = 1 / 256


class Whitening(NamedTuple):
    """Affine map ``(x - mean) @ (full * attenuation)``.

    `full` (columns, k components) whitens fully; `attenuation` (k components) turns
    that into the whitening of the first stage. With the rows of `full` multiplied by
    `scale` (columns), its columns are orthogonal.
    """

    mean: Tensor
    full: Tensor
    attenuation: Tensor
    scale: Tensor

    @property
    def transform(self) -> Tensor:
        """What the inputs are multiplied with."""
        return self.full * self.attenuation

    def inverse(self) -> Tensor:
        """Compute what undoes the product, in float64.

        It is exact on rows in the span of the components: on all rows, unless there
        are so many columns that the components are those of a sample.
        """
        scale = self.scale.double()
        return torch.linalg.pinv(scale[:, None] * self.transform) * scale


def count_components(rows: Rows, limit: int) -> int:
    """Count the linearly independent columns, up to a limit."""
    middle, span = rows.ranges()
    sample = rows.sample(2 * limit).double().cpu() - middle
    sample /= span.clamp_min(torch.finfo(torch.float64).tiny)
    sample -= sample.mean(0)
    with single_thread():
        values = torch.linalg.eigvalsh(sample @ sample.T)
    return min(limit, max(1, int((values > 1e-10 * values[-1]).sum())))


def fit_whitening(
    rows: Rows,
    scaling: Scaling | None,
    shrinkage: tuple[float, float],
    limit: int | None,
) -> Whitening:
    """Find an affine map that makes the covariance of the rows nearly the identity.

    With the covariance ``U diag(v) U'`` of the columns divided by their ranges, the
    map is ``x -> ((x - mean) / range) U diag(v + shrinkage * max(v)) ** -0.5``.
    Constant columns are left out, and all components without variance.
    """
    n_columns = rows.n_features
    n_rows = min(max(_ROWS_PER_COLUMN * n_columns, _FEWEST_ROWS), _MOST_ROWS)
    if n_columns > _WIDE:
        n_rows = max(MAX_COMPONENTS, fewer_rows(_WIDE, n_columns))
    convert = partial(scaled, scaling=scaling)
    sample = rows.sample(n_rows, convert=convert)
    is_short = len(sample) <= n_columns and len(sample) < len(rows)
    low, high = (scaled(rows.put(e), scaling) for e in rows.extremes())
    middle = low / 2 + high / 2
    sample -= middle
    mean = sample.mean(0)
    span = high - low
    varies = span > 0
    if not varies.any():
        transform = mean.new_zeros(n_columns, 1)
        ones = mean.new_ones(n_columns)
        return Whitening(middle + mean, transform, ones[:1], ones)
    median = span[varies].median()
    shrunk = torch.hypot(span, _SCALE_SHRINKAGE * median)
    scale = torch.where(span < _GRAY_LEVEL * median, span, shrunk)
    scale[~varies] = 1
    inverse_scale = varies / scale
    is_part = is_short or bool((varies & (sample.amin(0) == sample.amax(0))).any())
    sample.sub_(mean).mul_(inverse_scale)
    directions, values = _principal_components(sample, limit, is_part)
    mean = middle + mean
    if is_short:
        # The variance of the very rows that directions are taken from is too large.
        other = rows.sample(n_rows, 0.5, convert)
        other.sub_(mean).mul_(inverse_scale)
        values = (other @ directions).square().mean(0)
    values.clamp_min_(_FINE_TOLERANCE * values.max())
    first, second = ((values + s * values.max()).rsqrt() for s in shrinkage)
    full = inverse_scale[:, None] * directions * second
    return Whitening(mean, full, first / second, scale)


def _principal_components(
    X: Tensor, limit: int | None, is_part: bool
) -> tuple[Tensor, Tensor]:
    """Find the directions of variance of centered rows, and their variances.

    Those that there are beyond a limit, or beyond rows that are only a part, have
    some random directions in their place.
    """
    n_rows, n_columns = X.shape
    values = X.new_empty(0)
    if min(n_rows, n_columns) > _FEW:
        values, directions = _eigenvectors(X, _TOLERANCE)
    if len(values) <= _FEW:
        X = X.double()
        values, directions = _eigenvectors(X, _FINE_TOLERANCE)
    if n_rows <= n_columns:
        directions = X.T @ (directions / (n_rows * values).sqrt())
    if limit is not None and (is_part or len(values) > limit):
        n_widest = min(len(values), limit - _N_RANDOM)
        widest, values = directions[:, -n_widest:], values[-n_widest:]
        others = _random_directions(widest)
        directions = torch.cat([others, widest], 1)
        values = torch.cat([(X @ others).square().mean(0), values])
    return directions.float(), values.float()


def _eigenvectors(X: Tensor, tolerance: float) -> tuple[Tensor, Tensor]:
    """Decompose the covariance of columns or rows, whichever are fewer."""
    product = X.T @ X if len(X) > X.shape[1] else X @ X.T
    values, vectors = torch.linalg.eigh(product / len(X))
    kept = values > tolerance * values[-1]
    return values[kept], vectors[:, kept]


def _random_directions(widest: Tensor) -> Tensor:
    """Draw directions, always the same ones, that are orthogonal to others."""
    generator = torch.Generator().manual_seed(0)
    size = len(widest), min(_N_RANDOM, len(widest) - widest.shape[1])
    drawn = torch.randn(size, generator=generator, dtype=torch.float32).to(widest)
    drawn -= widest @ (widest.T @ drawn)
    return drawn / drawn.norm(dim=0)
