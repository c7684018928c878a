"""What a trained network does on all rows, in eval mode."""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._mlp import BatchNormMLP

_CHUNK = 4096  # rows
_FEW_PARAMETERS = 100_000


@torch.no_grad()
def recalibrate(module: BatchNormMLP, X: Tensor) -> Tensor:
    """Set the statistics of batch normalization to those of all rows of X.

    The averages that batch normalization keeps while it trains lag behind the
    weights. Here each layer's mean and variance are computed over all rows,
    from the inputs that the layer gets in eval mode [1]_. Layer by layer, that
    costs a single forward pass.

    Parameters
    ----------
    module : BatchNormMLP
        The network; its normalization layers are changed in place, and it is
        left in eval mode.
    X : torch.Tensor of shape (n_samples, n_features)
        The training inputs.

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
    dtype, layers = _evaluated(module, X)
    # One piece of memory holds the outputs of one layer after the other: a chunk
    # of rows is read before the next layer's outputs take its place.
    linears = [la for la in layers if isinstance(la, nn.Linear)]
    widths = [linear.out_features for linear in linears]
    if layers[0] is not linears[0]:
        widths.append(X.shape[1])
    memory = torch.empty(len(X), max(widths), dtype=dtype, device=X.device)
    outputs = X
    for kept, layer in zip(module.layers, layers, strict=True):
        if isinstance(layer, nn.BatchNorm1d):
            chunks = outputs.split(_CHUNK)
            mean = sum(chunk.sum(0) for chunk in chunks) / len(X)
            squares = sum((chunk - mean).square_().sum(0) for chunk in chunks)
            statistics = {"running_mean": mean, "running_var": squares / len(X)}
            kept.load_state_dict(statistics, strict=False)
            # With the rounding of the statistics that are kept.
            layer.load_state_dict(kept.state_dict())
        width = layer.out_features if isinstance(layer, nn.Linear) else None
        target = memory[:, : width or outputs.shape[1]]
        for chunk, out in zip(outputs.split(_CHUNK), target.split(_CHUNK), strict=True):
            out.copy_(layer(chunk.to(dtype)))
        outputs = target
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
    dtype, layers = _evaluated(module, X)
    return torch.cat([layers(chunk.to(dtype)) for chunk in X.split(_CHUNK)])


def _evaluated(module: BatchNormMLP, X: Tensor) -> tuple[torch.dtype, nn.Sequential]:
    n_parameters = sum(p.numel() for p in module.parameters())
    if X.device.type == "mps" or n_parameters >= _FEW_PARAMETERS:
        return torch.float32, module.layers
    return torch.float64, copy.deepcopy(module.layers).double()


def accuracy_and_loss(logits: Tensor, y: Tensor) -> tuple[float, float]:
    """Compute the accuracy and the mean cross-entropy of logits."""
    n_right = int((logits.argmax(1) == y).sum())
    return n_right / len(y), F.cross_entropy(logits, y).item()


def attainable_accuracy(X: Tensor, y: Tensor) -> float:
    """Compute the highest accuracy that any function of X can have.

    Rows that are equal get equal predictions, so of each set of equal rows only
    those of its most frequent label can be right.

    Parameters
    ----------
    X : torch.Tensor of shape (n_samples, n_features), float32 or uint8
        Inputs.
    y : torch.Tensor of shape (n_samples,), int64
        Class indices.

    Returns
    -------
    accuracy : float
        In (0, 1].
    """
    groups = _group_equal_rows(X)
    n_classes = int(y.max()) + 1
    pairs, counts = torch.unique(groups * n_classes + y, return_counts=True)
    best = torch.zeros(len(X), dtype=counts.dtype, device=X.device)
    best.scatter_reduce_(0, pairs // n_classes, counts, "amax")
    return best.sum().item() / len(X)


def _group_equal_rows(X: Tensor) -> Tensor:
    """Give equal rows, and only them, the same number."""
    generator = torch.Generator().manual_seed(0)
    factors = torch.randint(-(2**62), 2**62, X.shape[1:], generator=generator)
    factors = factors.to(X.device)
    # Adding zero turns the negative zeros into positive ones. The integers wrap
    # around, hence the sums are exact, whatever their order. Small tensors that
    # outlive large ones would keep the allocator from reusing the latter's memory.
    keys = torch.empty(len(X), dtype=torch.int64, device=X.device)
    chunks = zip(X.split(_CHUNK // 8), keys.split(_CHUNK // 8), strict=True)
    for chunk, out in chunks:
        bits = (chunk.float() + 0.0).view(torch.int32).long()
        torch.sum(bits.bitwise_xor_(0x5BD1E995).mul_(factors), 1, out=out)
    _, groups, counts = torch.unique(keys, return_inverse=True, return_counts=True)
    rows = torch.nonzero(counts[groups] > 1).squeeze(1)
    if len(rows):
        # Among the rows that share a key, equality decides.
        _, exact = torch.unique(X[rows].float() + 0.0, dim=0, return_inverse=True)
        groups[rows] = len(X) + exact
        groups = torch.unique(groups, return_inverse=True)[1]
    return groups
