"""Inputs for training: scaled, compressed, and whitened by PCA with shrinkage."""

import copy
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

from .._threads import single_thread
from ._network import BatchNormMLP, Scaling
from ._rows import Rows

# Principal components at most, and how many of these are random directions of
# what the widest ones leave out, so that rows which differ only there differ.
MAX_COMPONENTS = 448
_N_RANDOM = 32

# Rows that the covariance is estimated from: this many per column, within bounds.
_ROWS_PER_COLUMN, _FEWEST_ROWS, _MOST_ROWS = 16, 8192, 20_000
_WIDE = 2048  # with more columns the Gram matrix of this many rows is used
_MOST_NUMBERS = 2**24  # of a sample, where there are many more columns

# Components of less variance than this part of the largest are rounding errors, of
# sums in float32, or of inputs in float32 where the sums are in float64.
_TOLERANCE, _FINE_TOLERANCE = 1e-6, 1e-12
_FEW_COLUMNS = 64  # up to which the sums are in float64

# Columns are divided by their range, so that units do not matter while pixels,
# which share one, keep their proportions. It is shrunk by this part of the median
# range: nearly constant columns stay small.
_SCALE_SHRINKAGE = 0.3

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


class Whitening(NamedTuple):
    """Affine map ``(x - mean) @ (full * attenuation)``.

    `full` (columns, k components) whitens fully; `attenuation` (k components) turns
    that into the whitening of the first stage.
    """

    mean: Tensor
    full: Tensor
    attenuation: Tensor

    @property
    def transform(self) -> Tensor:
        """What the inputs are multiplied with."""
        return self.full * self.attenuation


class Prepared:
    """The rows as the network in training takes them, and the way back.

    Parameters
    ----------
    rows : Rows
        The training rows.
    scaling : Scaling or None
        What is done to the inputs before anything else.
    whitening : Whitening or None
        The map behind the scaling; None leaves the inputs as they are.
    dtype : torch.dtype
        Number format of the inputs.

    Attributes
    ----------
    inputs : torch.Tensor of shape (n_samples, n_inputs)
        What the network in training takes.
    is_attenuated : bool
        Whether narrow components are still attenuated.
    """

    def __init__(
        self,
        rows: Rows,
        scaling: Scaling | None,
        whitening: Whitening | None,
        dtype: torch.dtype,
    ) -> None:
        self.rows = rows
        self.scaling = scaling
        self._whitening = whitening
        self.is_attenuated = False
        n_inputs = rows.n_features
        if whitening is not None:
            self.is_attenuated = bool((whitening.attenuation != 1).any())
            transform = whitening.transform.to(dtype)
            n_inputs = transform.shape[1]
        self.inputs = torch.empty(len(rows), n_inputs, dtype=dtype, device=rows.device)
        for chunk, out in zip(
            rows.chunks(), self.inputs.split(rows.chunk), strict=True
        ):
            scaled = _scaled(chunk, scaling)
            if whitening is None:
                out.copy_(scaled)
            else:
                torch.mm((scaled - whitening.mean).to(dtype), transform, out=out)

    @torch.no_grad()
    def whiten_fully(self, module: BatchNormMLP) -> None:
        """End the attenuation of narrow components; the network stays the same."""
        if self._whitening is None or not self.is_attenuated:
            return
        attenuation = self._whitening.attenuation
        # In the number format of the inputs: torch is slow where formats are mixed.
        self.inputs.mul_((1 / attenuation).to(self.inputs.dtype))
        module.first_layer.weight.mul_(attenuation)
        self._whitening = self._whitening._replace(attenuation=attenuation.new_ones(()))
        self.is_attenuated = False

    def fold(self, module: BatchNormMLP) -> BatchNormMLP:
        """Copy a network in training into one that takes raw inputs, in eval mode."""
        final = copy.deepcopy(module)
        if self._whitening is not None:
            final.layers[0] = _fold_whitening(self._whitening, module.first_layer)
        if self.scaling is not None:
            for name, value in self.scaling._asdict().items():
                setattr(final, name, value)
        return final.eval()

    @torch.no_grad()
    def unfold(self, module: BatchNormMLP, previous: BatchNormMLP) -> None:
        """Give a network in training the weights of one that takes raw inputs."""
        begin = 0 if self._whitening is None else 1
        module.layers[begin:].load_state_dict(previous.layers[begin:].state_dict())
        if self._whitening is None:
            return
        raw, first = previous.first_layer, module.first_layer
        weight = raw.weight.double().to(first.weight.device)
        # Exact on rows in the span of the components: all rows, unless there are so
        # many columns that the components are those of a sample.
        inverse = torch.linalg.pinv(self._whitening.transform.double())
        first.weight.copy_(weight @ inverse.T)
        first.bias.copy_(raw.bias.to(weight) + weight @ self._whitening.mean.double())


@torch.no_grad()
def _fold_whitening(whitening: Whitening, first: nn.Linear) -> nn.Linear:
    """Make a Linear layer of raw inputs from one of whitened inputs."""
    transform, mean = whitening.transform.double(), whitening.mean.double()
    weight = first.weight.double() @ transform.T
    folded = skip_init(nn.Linear, len(transform), len(weight), dtype=torch.float32)
    folded = folded.to(weight.device)
    folded.weight.copy_(weight)
    folded.bias.copy_(first.bias.double() - weight @ mean)
    return folded


def prepare(
    rows: Rows,
    shrinkage: tuple[float, float] | None,
    dtype: torch.dtype,
    previous: BatchNormMLP | None = None,
) -> Prepared:
    """Prepare the rows for training.

    Parameters
    ----------
    rows : Rows
        The training rows.
    shrinkage : tuple of two floats, or None
        Parts of the largest variance that are added to all variances before the
        inputs are whitened by them, in the first stage of the training and in the
        second; None for inputs that are not whitened.
    dtype : torch.dtype
        Number format of the inputs.
    previous : BatchNormMLP, default=None
        A network on raw inputs to go on with: its scaling is kept, and so are all
        components that its weights may use.

    Returns
    -------
    prepared : Prepared
        The inputs.
    """
    if previous is None:
        scaling = _fit_scaling(rows, compress=shrinkage is not None)
    else:
        scaling = previous.scaling
        if scaling is not None:
            scaling = Scaling(*map(rows.put, scaling))
    whitening = None
    if shrinkage is not None:
        limit = None if previous is not None else MAX_COMPONENTS
        whitening = _fit_whitening(rows, scaling, shrinkage, limit)
    return Prepared(rows, scaling, whitening, dtype)


def count_components(rows: Rows, limit: int) -> int:
    """Count the linearly independent columns, up to a limit."""
    low, high = rows.extremes()
    span = (high - low).clamp_min(torch.finfo(torch.float64).tiny)
    sample = (rows.sample(2 * limit).double().cpu() - low) / span
    sample -= sample.mean(0)
    with single_thread():
        values = torch.linalg.eigvalsh(sample @ sample.T)
    return min(limit, max(1, int((values > 1e-10 * values[-1]).sum())))


def _fewer(n_rows: int, n_columns: int) -> int:
    """Take fewer rows for a sample whose columns are very many."""
    return min(n_rows, max(64, _MOST_NUMBERS // n_columns))


def _scaled(X: Tensor, scaling: Scaling | None) -> Tensor:
    return X.float() if scaling is None else scaling(X)


def _fit_scaling(rows: Rows, compress: bool) -> Scaling | None:
    """Find the scaling, or None where float32 and the columns need none."""
    low, high = rows.extremes()
    span, middle = high - low, low / 2 + high / 2
    used = span > 0
    extreme = used & ((span > _EXTREME_RANGE) | (span < 1 / _EXTREME_RANGE))
    is_far = (used & (middle.abs() > _LARGE_OFFSET * span)).any()
    center, scale = torch.zeros_like(span), torch.ones_like(span)
    is_heavy = torch.zeros_like(used)
    if extreme.any() or is_far or not rows.are_distinct_in_float32:
        center, scale = middle, torch.where(extreme, span, 1.0)
    if compress and used.any():
        ordered = (
            rows.sample(_fewer(_QUANTILE_ROWS, 2 * rows.n_features))
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


def _fit_whitening(
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
        n_rows = max(MAX_COMPONENTS, _fewer(_WIDE, n_columns))
    scaled = partial(_scaled, scaling=scaling)
    sample = rows.sample(n_rows, convert=scaled)
    low, high = (_scaled(rows.put(e), scaling) for e in rows.extremes())
    middle = low / 2 + high / 2
    sample -= middle
    mean = sample.mean(0)
    span = high - low
    varies = span > 0
    if not varies.any():
        transform = mean.new_zeros(n_columns, 1)
        return Whitening(middle + mean, transform, mean.new_ones(1))
    shrunk = torch.hypot(span, _SCALE_SHRINKAGE * span[varies].median())
    inverse_scale = torch.where(varies, 1 / shrunk, 0)
    sample.sub_(mean).mul_(inverse_scale)
    directions, values = _principal_components(sample, limit)
    mean = middle + mean
    if len(sample) <= n_columns and len(sample) < len(rows):
        # The variance of the very rows that directions are taken from is too large.
        other = rows.sample(n_rows, 0.5, scaled)
        other.sub_(mean).mul_(inverse_scale)
        values = (other @ directions).square().mean(0)
    first, second = ((values + s * values.max()).rsqrt() for s in shrinkage)
    return Whitening(mean, inverse_scale[:, None] * directions * second, first / second)


def _principal_components(X: Tensor, limit: int | None) -> tuple[Tensor, Tensor]:
    """Find the directions of variance of centered rows, and their variances."""
    n_rows, n_columns = X.shape
    tolerance = _TOLERANCE
    if min(n_rows, n_columns) <= _FEW_COLUMNS and X.device.type != "mps":
        X, tolerance = X.double(), _FINE_TOLERANCE
    is_tall = n_rows > n_columns
    values, directions = torch.linalg.eigh((X.T @ X if is_tall else X @ X.T) / n_rows)
    kept = values > tolerance * values[-1]
    values, directions = values[kept], directions[:, kept]
    if not is_tall:
        directions = X.T @ (directions / (n_rows * values).sqrt())
    if limit is not None and len(values) > limit:
        n_widest = limit - _N_RANDOM
        widest, values = directions[:, -n_widest:], values[-n_widest:]
        others = _random_directions(widest)
        directions = torch.cat([others, widest], 1)
        values = torch.cat([(X @ others).square().mean(0), values])
    return directions.float(), values.float()


def _random_directions(widest: Tensor) -> Tensor:
    """Draw directions, always the same ones, that are orthogonal to others."""
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randn(
        len(widest), _N_RANDOM, generator=generator, dtype=torch.float32
    ).to(widest)
    drawn -= widest @ (widest.T @ drawn)
    return drawn / drawn.norm(dim=0)
