"""Prepared: the rows as the network in training takes them, and the way back."""

import copy
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

from ..preprocessing import (
    MAX_COMPONENTS,
    Rows,
    Scaling,
    Whitening,
    fit_scaling,
    fit_whitening,
    scaled,
)
from ._network import BatchNormMLP

# Rows that the rounding of bfloat16 is measured on, and the error that it may add to
# a component, as a part of its deviation.
_FEW, _SMALL_ERROR = 256, 0.03


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
            transform = _choose_format(rows, scaling, whitening, dtype)
            n_inputs = transform.shape[1]
        self.inputs = torch.empty(len(rows), n_inputs, dtype=dtype, device=rows.device)
        outputs = self.inputs.split(rows.chunk)
        for chunk, out in zip(rows.chunks(), outputs, strict=True):
            X = scaled(chunk, scaling)
            if whitening is not None:
                X = (X - whitening.mean).to(transform.dtype) @ transform
            out.copy_(X)

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
        first.weight.copy_(weight @ self._whitening.inverse().T)
        first.bias.copy_(raw.bias.to(weight) + weight @ self._whitening.mean.double())


def _choose_format(
    rows: Rows, scaling: Scaling | None, whitening: Whitening, dtype: torch.dtype
) -> Tensor:
    """Convert the whitening matrix to the number format that inputs are whitened in.

    It is float32 where the rounding of bfloat16 would hide what nearly equal columns
    differ in.
    """
    if dtype == whitening.full.dtype:
        return whitening.transform
    X = rows.sample(_FEW, convert=partial(scaled, scaling=scaling)) - whitening.mean
    errors = (X.to(dtype).to(X.dtype) - X) @ whitening.full
    bounds = _SMALL_ERROR * (X @ whitening.full).norm(dim=0)
    is_fine = (errors.norm(dim=0) <= bounds).all()
    return whitening.transform.to(dtype if is_fine else X.dtype)


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
        scaling = fit_scaling(rows, compress=shrinkage is not None)
    else:
        scaling = previous.scaling and Scaling(*map(rows.put, previous.scaling))
    whitening = None
    if shrinkage is not None:
        limit = None if previous is not None else MAX_COMPONENTS
        whitening = fit_whitening(rows, scaling, shrinkage, limit)
    return Prepared(rows, scaling, whitening, dtype)
