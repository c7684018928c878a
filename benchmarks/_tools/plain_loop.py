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
    """A network to train, in batches and with a precision, and when to stop.

    It is trained for exactly `n_epochs`; or, if that is None, until it has the
    `attainable_accuracy`, which equal rows with different labels may leave below 1,
    or to the end of the epoch in which the `budget` of seconds is spent.
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

    def sizes(self, n_inputs: int, y: np.ndarray) -> tuple[int, ...]:
        """List the sizes of all layers, from the inputs to the outputs."""
        return n_inputs, *self.hidden_layer_sizes, int(y.max()) + 1


@dataclass(frozen=True)
class Fit:
    """What a fit took, and its accuracy on all training rows in eval mode.

    `seconds` are those of all that it takes to get the trained network, and
    `train_seconds` those of the epochs alone.
    """

    epochs: int
    seconds: float
    train_seconds: float
    train_accuracy: float


def fit_plain_loop(X: np.ndarray, y: np.ndarray, task: Task, seed: int) -> Fit:
    """Train a network to fit all labels, which are numbers from 0 on."""
    begin = time.perf_counter()
    torch.manual_seed(seed)
    rows, labels = whiten(torch.from_numpy(X)), torch.from_numpy(y)
    is_bfloat16 = task.precision == "bfloat16"
    inputs = rows.bfloat16() if is_bfloat16 else rows
    sizes = task.sizes(rows.shape[1], y)
    net = make_network(sizes, norm_last=True)
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
            is_over = now >= begin + task.budget
            if n_done % length == 0 or is_over:
                hidden = recalibrate(net, rows)
                if n_epochs is None and n_done % length == 0:
                    finish(net[-1], hidden, labels, goal)
                accuracy = _accuracy(net[-1], hidden, labels)
                if accuracy >= goal or n_done == n_epochs or is_over:
                    total = time.perf_counter() - begin
                    return Fit(n_done, total, seconds, accuracy)


def whiten(X: Tensor) -> Tensor:
    """Standardize the columns and whiten them, both with shrinkage.

    Components without variance are left out.
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


def make_network(sizes: Sequence[int], *, norm_last: bool) -> nn.Sequential:
    """Make linear layers, with ReLU and batch normalization between them."""
    layers: list[nn.Module] = []
    for n_inputs, n_outputs in pairwise(sizes[:-1]):
        between = [nn.ReLU(), nn.BatchNorm1d(n_outputs)]
        layers += [nn.Linear(n_inputs, n_outputs), *between[:: 1 if norm_last else -1]]
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
