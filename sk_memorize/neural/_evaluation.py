"""What a trained network does on all rows, in eval mode."""

import copy
from collections.abc import Iterator
from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .._sparse_rows import SparseRows
from .._threads import single_thread
from ..preprocessing import CHUNK, Rows, chunk_size
from ._config import FEW_WEIGHTS
from ._network import BatchNormMLP, last_hidden

# The last hidden layer's outputs for all rows are kept where they take at most this.
_KEPT_BYTES = 128 * 2**20


@torch.no_grad()
def recalibrate(module: BatchNormMLP, inputs: Tensor) -> None:
    """Set the statistics of batch normalization to those of all rows.

    The averages that batch normalization keeps while it trains lag behind the
    weights. Here each layer's mean and variance are computed over all rows,
    from the inputs that the layer gets in eval mode [1]_.

    Parameters
    ----------
    module : BatchNormMLP
        The network in training. Its normalization layers are changed in place,
        and it is left in eval mode.
    inputs : torch.Tensor of shape (n_samples, n_inputs)
        The training inputs, whose number format is that of the products.

    References
    ----------
    .. [1] Y. Wu and J. Johnson, "Rethinking 'batch' in BatchNorm", 2021,
       arXiv:2105.07576, section 3.
    """
    module.eval()
    with torch.autocast(inputs.device.type, inputs.dtype, inputs.dtype.itemsize == 2):
        for end, layer in enumerate(module.layers):
            if not isinstance(layer, nn.BatchNorm1d):
                continue
            before = module.layers[:end]
            mean, variance = _moments(before(chunk) for chunk in inputs.split(CHUNK))
            layer.load_state_dict(
                {"running_mean": mean, "running_var": variance}, strict=False
            )


def _moments(chunks: Iterator[Tensor]) -> tuple[Tensor, Tensor]:
    """Compute means and variances of columns from chunks of rows."""
    sizes, means, variances = [], [], []
    for chunk in chunks:
        values = chunk.float()
        mean = values.mean(0)
        means.append(mean)
        variances.append((values - mean).square_().mean(0))
        sizes.append(len(values))
    weight = torch.tensor(sizes, device=means[0].device)[:, None] / sum(sizes)
    mean = (weight * torch.stack(means)).sum(0)
    within, between = torch.stack(variances), (torch.stack(means) - mean).square_()
    return mean, (weight * (within + between)).sum(0)


@torch.inference_mode()
def compute_logits(module: BatchNormMLP, X: Tensor | SparseRows) -> Tensor:
    """Compute the outputs in eval mode, in chunks that bound the memory.

    The rounding of a matrix product depends on its number of rows, and the deep
    networks for few columns amplify it. Small networks are therefore evaluated
    in float64, which costs next to nothing: a row's outputs are then the same,
    to more digits than float32 has, whatever the other rows are.

    Parameters
    ----------
    module : BatchNormMLP
        A network that takes raw inputs. It is left in eval mode.
    X : torch.Tensor or SparseRows of shape (n_samples, n_features)
        Raw inputs.

    Returns
    -------
    logits : torch.Tensor of shape (n_samples, n_classes)
        In float32, or in float64 if the network is small.
    """
    evaluated = to_evaluate(module)
    last = evaluated.last_layer
    dtype, device = last.weight.dtype, last.weight.device
    logits = torch.empty(len(X), last.out_features, dtype=dtype)
    with single_thread() if is_small(module) else nullcontext():
        n_rows = chunk_size(X.shape[1])
        for chunk, out in zip(X.split(n_rows), logits.split(n_rows), strict=True):
            out.copy_(evaluated(chunk.to(device)))
    return logits


def is_small(module: BatchNormMLP) -> bool:
    """Tell whether one thread is used for the network: it is small, on the CPU."""
    weights = [layer.weight for layer in module.layers if isinstance(layer, nn.Linear)]
    return weights[0].device.type == "cpu" and (
        sum(weight.numel() for weight in weights) < FEW_WEIGHTS
    )


def to_evaluate(module: BatchNormMLP) -> BatchNormMLP:
    """Put a network into eval mode, and copy it in float64 if it is small."""
    module.eval()
    return copy.deepcopy(module).double() if is_small(module) else module


class HiddenOutputs:
    """Outputs of the last hidden layer for the training rows, in eval mode.

    They are kept in memory where they fit, or computed anew at each use.

    Parameters
    ----------
    module : BatchNormMLP
        A network that takes raw inputs.
    rows : Rows
        The training rows.
    """

    def __init__(self, module: BatchNormMLP, rows: Rows) -> None:
        self._module = to_evaluate(module)
        self._rows = rows
        self._kept: Tensor | None = None
        weight = self._module.last_layer.weight
        if len(rows) * weight.shape[1] * weight.itemsize <= _KEPT_BYTES:
            kept = weight.new_empty(len(rows), weight.shape[1], requires_grad=False)
            for chunk, out in zip(self.chunks(), kept.split(rows.chunk), strict=True):
                out.copy_(chunk)
            self._kept = kept

    @torch.no_grad()
    def chunks(self, index: Tensor | None = None) -> Iterator[Tensor]:
        """Yield the outputs for all rows, or for those of an index."""
        if self._kept is not None:
            yield from (self._kept if index is None else self._kept[index]).split(CHUNK)
            return
        for chunk in self._rows.chunks(index):
            yield last_hidden(self._module, chunk)

    @torch.no_grad()
    def logits(self, last: nn.Linear) -> Tensor:
        """Compute the logits of all rows with a last layer."""
        weight, bias = last.weight, last.bias
        parts = [
            F.linear(hidden, weight.to(hidden.dtype), bias.to(hidden.dtype))
            for hidden in self.chunks()
        ]
        return torch.cat(parts)


def accuracy_and_loss(logits: Tensor, rows: Rows) -> tuple[float, float]:
    """Compute the weighted accuracy and mean cross-entropy of logits."""
    accuracy = rows.accuracy(logits.argmax(1) == rows.y)
    losses = F.cross_entropy(logits, rows.y, reduction="none")
    return accuracy, ((losses * rows.mass).sum() / rows.mass.sum()).item()
