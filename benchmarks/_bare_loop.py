"""The recipe of MemorizingMLP without its conveniences, in plain PyTorch.

It is what a competent user writes in an afternoon: a Sequential, autograd,
fused Adam, autocast. speed.py compares it with the estimator, to tell what
skorch, scikit-learn's conventions and the estimator's generality cost, or save.
So it takes nothing from the package.
"""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

# Highest learning rate of a long cycle, of a short one, and the lowest of all.
_PEAK, _LOW_PEAK, _FLOOR = 8e-3, 8e-4, 8e-6

# Part of the rows to be right in an epoch for all rows to be checked after it.
_PROMISING = 0.998

# Multiplications of a step below which a second thread costs more than it saves.
_SMALL_STEP = 2e7


def train_bare_loop(
    X: np.ndarray,
    y: np.ndarray,
    *,
    hidden_layer_sizes: Sequence[int],
    batch_size: int,
    bfloat16: bool,
    n_epochs: int | None,
    deadline: float,
    goal: float,
    seed: int,
) -> tuple[int, float, float]:
    """Train a network to fit all labels.

    The accuracy on all rows is checked at the end of each cycle of the learning
    rate, and after epochs in which nearly all rows were right.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32
        Inputs.
    y : ndarray of shape (n_samples,), int64
        Labels, from 0 on.
    hidden_layer_sizes : sequence of int
        Units of each hidden layer.
    batch_size : int
        Largest batch.
    bfloat16 : bool
        Whether the products of the training are in bfloat16.
    n_epochs : int or None
        Train for exactly so many epochs, or as long as the next two say.
    deadline : float
        The epoch during which `time.perf_counter` gets there is the last.
    goal : float
        Accuracy to stop at.
    seed : int
        Decides the initial weights and the order of the rows.

    Returns
    -------
    epochs : int
        Number of epochs.
    seconds : float
        What the epochs took, without whitening and checks.
    accuracy : float
        On all rows, in float32 and eval mode.
    """
    torch.manual_seed(seed)
    rows, labels = whiten(torch.from_numpy(X)), torch.from_numpy(y)
    inputs = rows.bfloat16() if bfloat16 else rows
    sizes = (rows.shape[1], *hidden_layer_sizes, int(y.max()) + 1)
    net = _make_network(sizes)
    optimizer = torch.optim.Adam(net.parameters(), lr=0, betas=(0.9, 0.95), fused=True)
    n_batches = -(-len(rows) // batch_size)

    def train_epoch(epoch: int, length: int, peak: float) -> int:
        net.train()
        n_right = torch.tensor(0)
        order = torch.randperm(len(rows))
        for i, batch in enumerate(order.tensor_split(n_batches)):
            progress = (epoch + (i + 0.5) / n_batches) / length
            optimizer.param_groups[0]["lr"] = learning_rate(progress, peak)
            with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
                logits = net(inputs[batch])
            loss = nn.functional.cross_entropy(logits.float(), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            n_right += (logits.argmax(1) == labels[batch]).sum()
        return int(n_right)

    n_done, seconds = 0, 0.0
    with _one_thread_if(batch_size * sum(a * b for a, b in pairwise(sizes))):
        for length, peak in cycles(n_epochs, n_batches):
            for epoch in range(length):
                start = time.perf_counter()
                n_right = train_epoch(epoch, length, peak)
                now = time.perf_counter()
                seconds += now - start
                n_done += 1
                is_last = n_done == n_epochs or now >= deadline
                is_promising = n_right >= _PROMISING * len(rows) or epoch == length - 1
                if is_last or (n_epochs is None and is_promising):
                    accuracy = evaluate(net, rows, labels)
                    if is_last or accuracy >= goal:
                        return n_done, seconds, accuracy
    raise AssertionError("the cycles go on until the training ends")


def whiten(X: Tensor) -> Tensor:
    """Standardize the columns and whiten them, both with shrinkage.

    Parameters
    ----------
    X : torch.Tensor of shape (n_samples, n_features), float32
        Inputs.

    Returns
    -------
    Z : torch.Tensor of shape (n_samples, n_components)
        Rotated inputs; directions without variance are left out.
    """
    variance, mean = torch.var_mean(X, 0, correction=0)
    varies = variance > 1e-12
    scale = (variance[varies] + 0.1 * variance[varies].median()).sqrt()
    scaled = (X[:, varies] - mean[varies]) / scale
    values, vectors = torch.linalg.eigh((scaled.T @ scaled).double() / len(X))
    # Rounding leaves variance in more directions than n rows can span.
    n_kept = min(int((values > 1e-7 * values[-1]).sum()), len(X) - 1)
    values, vectors = values[-n_kept:], vectors[:, -n_kept:]
    return scaled @ (vectors * (values + 0.1 * values[-1]).rsqrt()).float()


def _make_network(sizes: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for n_inputs, n_outputs in pairwise(sizes[:-1]):
        # Batch normalization would subtract a bias.
        layers.append(nn.Linear(n_inputs, n_outputs, bias=False))
        layers += [nn.BatchNorm1d(n_outputs), nn.LeakyReLU(-0.5)]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


def cycles(n_epochs: int | None, n_batches: int) -> Iterator[tuple[int, float]]:
    """Yield the length of each cycle in epochs, and its highest learning rate."""
    if n_epochs is not None:
        yield n_epochs, _PEAK
        return
    length = max(16, math.ceil(400 / n_batches))
    while True:
        yield length, _PEAK
        yield math.ceil(length / 4), _LOW_PEAK
        length *= 2


def learning_rate(progress: float, peak: float) -> float:
    """Compute the learning rate at a part of a cycle: it rises, and falls again."""
    return max(_FLOOR, peak * min(progress / 0.2, (1 - progress) / 0.8))


@torch.no_grad()
def evaluate(net: nn.Sequential, X: Tensor, y: Tensor) -> float:
    """Give batch normalization the statistics of all rows; measure the accuracy."""
    net.eval()
    for layer in net:
        if isinstance(layer, nn.BatchNorm1d):
            layer.running_mean = X.mean(0)
            layer.running_var = (X - layer.running_mean).square_().mean(0)
        X = layer(X)
    return int((X.argmax(1) == y).sum()) / len(y)


@contextmanager
def _one_thread_if(n_multiplications: int) -> Iterator[None]:
    """Let torch compute with one thread where a step is small."""
    n_threads = torch.get_num_threads()
    if n_multiplications < _SMALL_STEP:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)
