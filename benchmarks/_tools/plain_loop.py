"""Memorize labels in plain PyTorch, as a competent user writes it in an afternoon.

Whitened inputs, two wide layers of ReLUs and batch normalization, autograd,
autocast, fused Adam with one cycle of the learning rate, and L-BFGS on the last
layer in the end. speed.py compares the estimator with it, so it takes nothing
from the package.
"""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from _tools.claims import ZERO_ERROR

WIDTHS, BATCH_SIZE, N_EPOCHS = (512, 512), 1024, 12
_PEAK, _WARMUP, _SHRINKAGE = 4e-3, 0.2, 1e-3

# Multiplications of a step below which a second thread costs more than it saves.
_SMALL_STEP = 2e7


@dataclass(frozen=True)
class Task:
    """What a contender is to do.

    Attributes
    ----------
    hidden_layer_sizes : tuple of int
        Units of each hidden layer.
    batch_size : int
        Rows of a batch.
    precision : {"float32", "bfloat16"}
        Number format of the products, for the plain loop.
    n_epochs : int or None
        Train for exactly so many epochs, or as long as the next two say.
    budget : float
        Seconds after which the current epoch is the last.
    attainable_accuracy : float
        Highest accuracy that equal rows with different labels leave possible.
    """

    hidden_layer_sizes: tuple[int, ...]
    batch_size: int
    precision: str
    n_epochs: int | None = None
    budget: float = math.inf
    attainable_accuracy: float = 1.0

    def is_reached(self, accuracy: float) -> bool:
        """Tell whether an accuracy counts as zero training error."""
        return accuracy >= ZERO_ERROR * self.attainable_accuracy


def train_plain_loop(
    X: np.ndarray, y: np.ndarray, task: Task, deadline: float, seed: int
) -> tuple[int, float, float]:
    """Train a network to fit all labels.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32
        Inputs.
    y : ndarray of shape (n_samples,), int64
        Labels, from 0 on.
    task : Task
        Sizes and precision of the network, and how long to train it.
    deadline : float
        The epoch during which `time.perf_counter` gets there is the last.
    seed : int
        Decides the initial weights and the order of the rows.

    Returns
    -------
    epochs : int
        Number of epochs.
    seconds : float
        What the epochs took, without whitening, finish and evaluation.
    accuracy : float
        On all rows, in float32 and eval mode.
    """
    torch.manual_seed(seed)
    rows, labels = whiten(torch.from_numpy(X)), torch.from_numpy(y)
    is_bfloat16 = task.precision == "bfloat16"
    inputs = rows.bfloat16() if is_bfloat16 else rows
    sizes = (rows.shape[1], *task.hidden_layer_sizes, int(y.max()) + 1)
    net = _make_network(sizes)
    optimizer = torch.optim.Adam(net.parameters(), lr=0, fused=True)
    n_epochs, goal = task.n_epochs, task.attainable_accuracy
    n_batches, length = -(-len(rows) // task.batch_size), n_epochs or N_EPOCHS

    def train_epoch(epoch: int) -> None:
        net.train()
        for i, batch in enumerate(torch.randperm(len(rows)).tensor_split(n_batches)):
            progress = (epoch % length + (i + 0.5) / n_batches) / length
            optimizer.param_groups[0]["lr"] = learning_rate(progress)
            with torch.autocast("cpu", torch.bfloat16, enabled=is_bfloat16):
                logits = net(inputs[batch])
            loss = nn.functional.cross_entropy(logits.float(), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    n_done, seconds = 0, 0.0
    with _one_thread_if(task.batch_size * sum(a * b for a, b in pairwise(sizes))):
        while True:
            start = time.perf_counter()
            train_epoch(n_done)
            now = time.perf_counter()
            seconds, n_done = seconds + now - start, n_done + 1
            if n_done % length == 0 or now >= deadline:
                hidden = recalibrate(net, rows)
                if n_epochs is None and n_done % length == 0:
                    finish(net[-1], hidden, labels, goal)
                accuracy = _accuracy(net[-1], hidden, labels)
                if accuracy >= goal or n_done == n_epochs or now >= deadline:
                    return n_done, seconds, accuracy


def whiten(X: Tensor) -> Tensor:
    """Standardize the columns and whiten them, both with shrinkage.

    Parameters
    ----------
    X : torch.Tensor of shape (n_samples, n_features), float32
        Inputs.

    Returns
    -------
    Z : torch.Tensor of shape (n_samples, n_components)
        Rotated inputs; components without variance are left out.
    """
    variance, mean = torch.var_mean(X, 0, correction=0)
    varies = variance > 1e-12
    scale = (variance[varies] + 0.1 * variance[varies].median()).sqrt()
    scaled = (X[:, varies] - mean[varies]) / scale
    values, vectors = torch.linalg.eigh((scaled.T @ scaled).double() / len(X))
    # Rounding leaves variance in more directions than n rows can span.
    n_kept = min(int((values > 1e-7 * values[-1]).sum()), len(X) - 1)
    values, vectors = values[-n_kept:], vectors[:, -n_kept:]
    return scaled @ (vectors * (values + _SHRINKAGE * values[-1]).rsqrt()).float()


def _make_network(sizes: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for n_inputs, n_outputs in pairwise(sizes[:-1]):
        layers += [nn.Linear(n_inputs, n_outputs), nn.ReLU(), nn.BatchNorm1d(n_outputs)]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


def learning_rate(progress: float) -> float:
    """Compute the learning rate at a part of a cycle: it rises, and falls again."""
    return _PEAK * max(1e-3, min(progress / _WARMUP, (1 - progress) / (1 - _WARMUP)))


@torch.no_grad()
def recalibrate(net: nn.Sequential, X: Tensor) -> Tensor:
    """Give batch normalization the statistics of all rows; return what is hidden."""
    net.eval()
    for layer in net[:-1]:
        if isinstance(layer, nn.BatchNorm1d):
            layer.running_mean = X.mean(0)
            layer.running_var = (X - layer.running_mean).square_().mean(0)
        X = layer(X)
    return X


def finish(last: nn.Module, hidden: Tensor, y: Tensor, goal: float) -> None:
    """Fit the last layer by L-BFGS until the goal is reached, if it can be."""
    optimizer = torch.optim.LBFGS(
        last.parameters(), max_iter=10, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(last(hidden), y)
        loss.backward()
        return loss

    for _ in range(10):
        if _accuracy(last, hidden, y) >= goal:
            return
        optimizer.step(closure)


@torch.no_grad()
def _accuracy(last: nn.Module, hidden: Tensor, y: Tensor) -> float:
    return int((last(hidden).argmax(1) == y).sum()) / len(y)


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
