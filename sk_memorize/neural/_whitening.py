"""Shrunk PCA whitening of the inputs, and folding it into the first layer."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ._mlp import make_linear
from ._rows import Rows
from ._sums import FLOAT64_THREADS, pad_columns, padding, split_rows
from ._threads import at_most_threads, single_thread

# Directions whose variance is below this part of the largest one are rounding
# errors of float32 arithmetic, not data.
_RANK_TOLERANCE = 1e-7

# Columns are divided by their standard deviation, shrunk towards the median
# one by this part: units do not matter, and nearly constant columns stay small.
_SCALE_SHRINKAGE = 0.1


def fit_whitening(
    rows: Rows, shrinkage: float, tails: nn.Module | None = None
) -> tuple[Tensor, Tensor]:
    """Find an affine map that makes the covariance of the rows nearly the identity.

    With the standardized columns' covariance ``U diag(v) U'``, the map is
    ``x -> ((x - mean) / scale) U diag(v + shrinkage * max(v)) ** -0.5``.
    Constant columns are left out, and all directions without variance.

    Parameters
    ----------
    rows : Rows
        Inputs. Their weights are not used.
    shrinkage : float
        Part of the largest variance that is added to all: 0 whitens fully,
        large values only rotate and scale.
    tails : torch.nn.Module, default=None
        What the inputs go through before.

    Returns
    -------
    mean : torch.Tensor of shape (n_features,), float32
        What is subtracted.
    transform : torch.Tensor of shape (n_features, n_components), float32
        What the centered inputs are multiplied by.
    """
    n_samples, n_features = len(rows), rows.n_features

    def chunks() -> Iterator[Tensor]:
        for chunk in rows.chunks():
            yield pad_columns(chunk if tails is None else tails(chunk))

    def mean_of(values: Iterator[Tensor]) -> Tensor:
        sums = (chunk.sum(0).double() for chunk in values)
        return torch.stack(list(sums)).sum(0) / n_samples

    mean = mean_of(chunks()).float()
    variance = mean_of(c.sub_(mean).square_() for c in chunks())
    # What the subtraction leaves of a constant column is rounding.
    varies = variance > (1e-6 * mean).double().square_()
    if not varies.any():
        return mean[:n_features], torch.zeros(n_features, 1, device=rows.device)
    scale = (variance + _SCALE_SHRINKAGE * variance[varies].median()).sqrt()
    inverse_scale = torch.where(varies, 1 / scale, 0)
    if n_samples > n_features:
        covariance = torch.zeros(len(mean), len(mean), device=rows.device)
        for chunk in chunks():
            scaled = chunk.sub_(mean).mul_(inverse_scale.float())
            covariance.addmm_(scaled.T, scaled)
        values, vectors = _eigh(covariance.double() / n_samples)
    else:
        # With fewer rows than columns the rows' inner products are the smaller
        # matrix of the same eigenvalues.
        # Rows of zeros have directions of their own, without variance.
        zeros = torch.zeros(padding(n_samples), len(mean), device=rows.device)
        scaled = torch.cat([*(c.sub_(mean) for c in chunks()), zeros]).double()
        scaled *= inverse_scale
        with at_most_threads(FLOAT64_THREADS):
            values, vectors = _eigh(scaled @ scaled.T / n_samples)
            vectors = scaled.T @ vectors / (n_samples * values).clamp_min(1e-300).sqrt()
    kept = values > _RANK_TOLERANCE * values[-1]
    weights = (values[kept] + shrinkage * values[-1]).rsqrt()
    transform = (inverse_scale[:, None] * vectors[:, kept] * weights).float()
    return mean[:n_features], transform[:n_features]


def apply_whitening(
    rows: Rows,
    mean: Tensor,
    transform: Tensor,
    dtype: torch.dtype,
    tails: nn.Module | None = None,
) -> Tensor:
    """Transform the rows in chunks into a tensor of `dtype`, computing in it."""
    n_components = transform.shape[1]
    transform = pad_columns(transform).to(dtype)
    out = torch.empty(len(rows), transform.shape[1], dtype=dtype, device=rows.device)
    for chunk, target in zip(rows.chunks(), split_rows(out), strict=True):
        inputs = chunk if tails is None else tails(chunk)
        torch.mm(inputs.sub_(mean).to(dtype), transform, out=target)
    return out[:, :n_components]


def fold_whitening(first: nn.Linear, mean: Tensor, transform: Tensor) -> nn.Linear:
    """Merge the whitening into the Linear layer behind it.

    Parameters
    ----------
    first : torch.nn.Linear
        A layer that takes whitened inputs.
    mean, transform : torch.Tensor
        What `fit_whitening` returned.

    Returns
    -------
    layer : torch.nn.Linear
        A layer that takes raw inputs and gives the same outputs.
    """
    with single_thread():
        weight = first.weight.detach().double() @ transform.T.double()
        bias = first.bias.detach().double() - weight @ mean.double()
    layer = make_linear(transform.shape[0], first.out_features).to(weight.device)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
    return layer


def unfold_whitening(
    first: nn.Linear, mean: Tensor, transform: Tensor
) -> tuple[Tensor, Tensor]:
    """Find the layer behind the whitening that does what one on raw inputs does.

    Parameters
    ----------
    first : torch.nn.Linear
        A layer that takes raw inputs.
    mean, transform : torch.Tensor
        What `fit_whitening` returned.

    Returns
    -------
    weight : torch.Tensor of shape (n_outputs, n_components), float64
        Weights on the whitened inputs; the same outputs on the rows that the
        whitening was fitted to.
    bias : torch.Tensor of shape (n_outputs,), float64
        The bias, likewise.
    """
    raw = first.weight.detach().double()
    with single_thread():
        # x - mean lies in the span of the transform's columns, but for directions
        # in which the rows do not vary.
        weight = raw @ torch.linalg.pinv(transform.double()).T
        return weight, first.bias.detach().double() + raw @ mean.double()


def _eigh(matrix: Tensor) -> tuple[Tensor, Tensor]:
    # LAPACK's eigenvectors change in the last bits with the number of threads.
    with single_thread():
        values, vectors = torch.linalg.eigh(matrix)
    return values.clamp_min(0), vectors
