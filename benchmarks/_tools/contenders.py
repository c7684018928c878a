"""Ways to fit a multilayer perceptron to all labels, for speed.py to compare.

Each one trains the same hidden layers on the CPU and reports its times alike.
"""

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from _tools.plain_loop import BATCH_SIZE, WIDTHS, Task, train_plain_loop
from sk_memorize import LabelPermuter, MemorizingMLP

_EVAL_ROWS = 1024  # rows predicted at a time, when accuracy is measured


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


def make_labels(y: np.ndarray, labels: str, seed: int) -> np.ndarray:
    """Give the labels as numbers from 0 on, in true or in permuted order."""
    if labels == "permuted":
        y = LabelPermuter(random_state=seed).fit(y).transform(y)
    return np.unique(y, return_inverse=True)[1].astype(np.int64)


def fit_memorizing_mlp(X: np.ndarray, y: np.ndarray, task: Task, seed: int) -> Fit:
    """Fit MemorizingMLP; but for the time limit with its defaults."""
    start = time.perf_counter()
    params: dict[str, Any] = {"callbacks": [_OutOfTime(start + task.budget)]}
    if task.n_epochs is not None:
        params = {
            "hidden_layer_sizes": task.hidden_layer_sizes,
            "batch_size": task.batch_size,
            "max_epochs": task.n_epochs,
            "target_accuracy": None,
        }
    clf = MemorizingMLP(device="cpu", random_state=seed, **params)
    with warnings.catch_warnings():
        # To miss the target is a result here, and is reported as one.
        warnings.simplefilter("ignore", ConvergenceWarning)
        clf.fit(X, y)
    seconds = time.perf_counter() - start
    train_seconds = float(clf.history_["seconds"].sum())
    return Fit(clf.n_epochs_, seconds, train_seconds, float(clf.score(X, y)))


class _OutOfTime(Callback):
    """Ends the training, in skorch's way, with the epoch in which time is over."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002  skorch's signature
        if time.perf_counter() >= self.deadline:
            raise KeyboardInterrupt


def fit_plain_loop(X: np.ndarray, y: np.ndarray, task: Task, seed: int) -> Fit:
    """Fit a network as it is done in an afternoon, in plain PyTorch."""
    start = time.perf_counter()
    deadline = start + task.budget
    epochs, train_seconds, accuracy = train_plain_loop(X, y, task, deadline, seed)
    return Fit(epochs, time.perf_counter() - start, train_seconds, accuracy)


class ReluNetwork(nn.Sequential):
    """Linear layers with batch normalization and ReLU between them.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, units of each hidden layer, outputs.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        layers: list[nn.Module] = []
        for n_inputs, n_outputs in pairwise(sizes[:-1]):
            layers += [nn.Linear(n_inputs, n_outputs), nn.BatchNorm1d(n_outputs)]
            layers.append(nn.ReLU())
        super().__init__(*layers, nn.Linear(sizes[-2], sizes[-1]))


def fit_skorch(X: np.ndarray, y: np.ndarray, task: Task, seed: int) -> Fit:
    """Fit skorch's classifier with its stock settings, SGD at 0.01.

    Only its validation split is turned off: a fifth of the labels would not be
    fitted. Stock settings do not shuffle the rows either.
    """
    start = time.perf_counter()
    torch.manual_seed(seed)
    net = NeuralNetClassifier(
        ReluNetwork,
        module__sizes=(X.shape[1], *task.hidden_layer_sizes, int(y.max()) + 1),
        criterion=nn.CrossEntropyLoss,
        batch_size=task.batch_size,
        iterator_train__drop_last=_leaves_one(len(X), task.batch_size),
        max_epochs=task.n_epochs or 1,
        train_split=None,
        verbose=0,
    )

    def train() -> None:
        net.partial_fit(X, y)
        # skorch ends quietly on Ctrl-C, in the midst of an epoch.
        if "dur" not in net.history[-1]:
            raise KeyboardInterrupt

    return _train_until_reached(
        train, lambda: _accuracy(net.module_, X, y), task, start, at_once=True
    )


def fit_mlp_classifier(X: np.ndarray, y: np.ndarray, task: Task, seed: int) -> Fit:
    """Fit scikit-learn's MLPClassifier, stock but for its sizes.

    `fit` cannot be stopped by the clock, so epochs are calls of `partial_fit`:
    the same steps, and the data are checked anew in each, which takes
    milliseconds. A given number of epochs is trained by `fit`.
    """
    start = time.perf_counter()
    given: dict[str, Any] = {}
    if task.n_epochs is not None:
        given = {"max_iter": task.n_epochs, "n_iter_no_change": task.n_epochs, "tol": 0}
    clf = MLPClassifier(
        task.hidden_layer_sizes,
        batch_size=task.batch_size,
        random_state=seed,
        **given,
    )
    classes = np.unique(y)

    def train() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            # scikit-learn makes a warning of Ctrl-C.
            warnings.filterwarnings("error", "Training interrupted by user")
            try:
                if task.n_epochs is None:
                    clf.partial_fit(X, y, classes=classes)
                else:
                    clf.fit(X, y)
            except UserWarning as warning:
                raise KeyboardInterrupt from warning

    def accuracy() -> float:
        # In parts: hidden units of all rows would be taken for memory of the fit.
        parts = range(0, len(X), _EVAL_ROWS)
        labels = np.concatenate([clf.predict(X[i : i + _EVAL_ROWS]) for i in parts])
        return float((labels == y).mean())

    return _train_until_reached(train, accuracy, task, start, at_once=True)


def fit_notebook_loop(X: np.ndarray, y: np.ndarray, task: Task, seed: int) -> Fit:
    """Fit as tutorials do: a DataLoader, Adam at 0.001, float32."""
    start = time.perf_counter()
    torch.manual_seed(seed)
    net = ReluNetwork((X.shape[1], *task.hidden_layer_sizes, int(y.max()) + 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    criterion = nn.CrossEntropyLoss()
    loader = DataLoader(
        TensorDataset(torch.from_numpy(X), torch.from_numpy(y)),
        batch_size=task.batch_size,
        shuffle=True,
        drop_last=_leaves_one(len(X), task.batch_size),
    )

    def train() -> None:
        net.train()
        for inputs, labels in loader:
            optimizer.zero_grad()
            loss = criterion(net(inputs), labels)
            loss.backward()
            optimizer.step()

    return _train_until_reached(train, lambda: _accuracy(net, X, y), task, start)


def _train_until_reached(
    train: Callable[[], object],
    accuracy: Callable[[], float],
    task: Task,
    start: float,
    *,
    at_once: bool = False,
) -> Fit:
    """Train until the labels are fitted; the clock stops while that is checked.

    A given number of epochs is trained by one call of `train` if `at_once`, and
    by one call an epoch otherwise.
    """
    setup_seconds = time.perf_counter() - start
    epochs, train_seconds = 0, 0.0
    while True:
        epoch_start = time.perf_counter()
        train()
        train_seconds += time.perf_counter() - epoch_start
        seconds = setup_seconds + train_seconds
        epochs += 1
        if task.n_epochs is not None:
            if at_once or epochs == task.n_epochs:
                return Fit(task.n_epochs, seconds, train_seconds, accuracy())
            continue
        reached = accuracy()
        if task.is_reached(reached) or seconds >= task.budget:
            return Fit(epochs, seconds, train_seconds, reached)


def _leaves_one(n_rows: int, batch_size: int) -> bool:
    # Batch normalization has no variance of a single row; that one is left out.
    return n_rows % batch_size == 1


@torch.no_grad()
def _accuracy(net: nn.Module, X: np.ndarray, y: np.ndarray) -> float:
    net.eval()
    logits = torch.cat([net(chunk) for chunk in torch.from_numpy(X).split(_EVAL_ROWS)])
    return int((logits.argmax(1).numpy() == y).sum()) / len(y)


@dataclass(frozen=True)
class Contender:
    """A way to fit.

    Attributes
    ----------
    fit : callable
        Takes X in float32, y in int64 from 0 on, a `Task` and a seed.
    batch_size : int or None
        Its stock batch size; None is that of MemorizingMLP.
    hidden_layer_sizes : tuple of int or None
        Its own sizes; None are those of MemorizingMLP.
    whitens : bool
        Whether it whitens its inputs, and has the precision of MemorizingMLP.
    """

    fit: Callable[[np.ndarray, np.ndarray, Task, int], Fit]
    batch_size: int | None = None
    hidden_layer_sizes: tuple[int, ...] | None = None
    whitens: bool = False


MEMORIZING_MLP = "MemorizingMLP"
PLAIN_LOOP = "plain loop"

CONTENDERS = {
    MEMORIZING_MLP: Contender(fit_memorizing_mlp, whitens=True),
    PLAIN_LOOP: Contender(fit_plain_loop, BATCH_SIZE, WIDTHS, whitens=True),
    "skorch": Contender(fit_skorch, batch_size=128),
    "MLPClassifier": Contender(fit_mlp_classifier, batch_size=200),
    "notebook loop": Contender(fit_notebook_loop, batch_size=64),
}
