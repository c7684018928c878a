"""What a trained network does on all rows, in eval mode."""

import copy
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._mlp import BatchNormMLP
from ._rows import Rows
from ._sums import FLOAT64_THREADS, split_rows, sum_rows, total
from ._threads import at_most_threads, fair_threads

_FEW_PARAMETERS = 100_000

# Multiplications, from which on it is worth while to share the threads.
_LONG = 1e9


@torch.no_grad()
def recalibrate(module: BatchNormMLP, rows: Rows) -> Tensor:
    """Set the statistics of batch normalization to those of all rows.

    The averages that batch normalization keeps while it trains lag behind the
    weights. Here each layer's mean and variance are computed over all rows,
    from the inputs that the layer gets in eval mode [1]_. Layer by layer, that
    costs a single forward pass.

    Parameters
    ----------
    module : BatchNormMLP
        The network; its normalization layers are changed in place, and it is
        left in eval mode.
    rows : Rows
        The training inputs. Their weights are not used.

    Returns
    -------
    logits : torch.Tensor of shape (n_samples, n_classes)
        The outputs in eval mode, with the new statistics.

    References
    ----------
    .. [1] Y. Wu and J. Johnson, "Rethinking 'batch' in BatchNorm", 2021,
       arXiv:2105.07576, section 3.
    """
    module.eval()
    dtype, layers = _evaluated(module, rows.device)
    # One piece of memory holds the outputs of one layer after the other: a chunk
    # of rows is read before the next layer's outputs take its place.
    linears = [la for la in layers if isinstance(la, nn.Linear)]
    widths = [linear.out_features for linear in linears]
    if layers[0] is not linears[0]:
        widths.append(rows.n_features)
    memory = torch.empty(len(rows), max(widths), dtype=dtype, device=rows.device)
    with _few_threads(dtype):
        return _recalibrate(module, layers, rows, memory)


def _recalibrate(
    module: BatchNormMLP, layers: nn.Sequential, rows: Rows, memory: Tensor
) -> Tensor:
    outputs = memory[:0]
    for i, (kept, layer) in enumerate(zip(module.layers, layers, strict=True)):
        if isinstance(layer, nn.BatchNorm1d):
            chunks = split_rows(outputs)
            mean = sum(map(sum_rows, chunks)) / len(rows)
            squares = sum(sum_rows((chunk - mean).square_()) for chunk in chunks)
            statistics = {"running_mean": mean, "running_var": squares / len(rows)}
            kept.load_state_dict(statistics, strict=False)
            # With the rounding of the statistics that are kept.
            layer.load_state_dict(kept.state_dict())
        if isinstance(layer, nn.Linear):
            width = layer.out_features
        else:
            width = outputs.shape[1] if i else rows.n_features
        inputs = split_rows(outputs) if i else rows.chunks()
        outputs = memory[:, :width]
        for chunk, out in zip(inputs, split_rows(outputs), strict=True):
            out.copy_(layer(chunk.to(memory.dtype)))
    return outputs


@torch.inference_mode()
def compute_logits(module: BatchNormMLP, X: Tensor) -> Tensor:
    """Compute the outputs in eval mode, in chunks that bound the memory.

    The rounding of a matrix product depends on its number of rows, and the deep
    networks for few columns amplify it. Small networks are therefore evaluated
    in float64, which costs next to nothing: a row's outputs are then the same,
    to more digits than float32 has, whatever the rows beside it.
    """
    module.eval()
    dtype, layers = _evaluated(module, X.device)
    is_long = len(X) * sum(p.numel() for p in module.parameters()) > _LONG
    with fair_threads() if is_long else nullcontext(), _few_threads(dtype):
        return torch.cat([layers(chunk.to(dtype)) for chunk in split_rows(X)])


def _evaluated(
    module: BatchNormMLP, device: torch.device
) -> tuple[torch.dtype, nn.Sequential]:
    n_parameters = sum(p.numel() for p in module.parameters())
    if device.type == "mps" or n_parameters >= _FEW_PARAMETERS:
        return torch.float32, module.layers
    return torch.float64, copy.deepcopy(module.layers).double()


def _few_threads(dtype: torch.dtype) -> AbstractContextManager[None]:
    return at_most_threads(FLOAT64_THREADS) if dtype.itemsize == 8 else nullcontext()


def accuracy_and_loss(logits: Tensor, rows: Rows) -> tuple[float, float]:
    """Compute the weighted accuracy and mean cross-entropy of logits."""
    accuracy = rows.accuracy(logits.argmax(1) == rows.y)
    if rows.weight is None:
        return accuracy, F.cross_entropy(logits, rows.y).item()
    losses = F.cross_entropy(logits, rows.y, reduction="none")
    return accuracy, (total(losses * rows.mass) / total(rows.mass)).item()
