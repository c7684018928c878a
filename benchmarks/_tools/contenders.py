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

from _tools import plain_loop
from _tools.common import Data, timed_fit
from _tools.plain_loop import Fit, Task, fit_plain_loop, make_network, whiten
from sk_memorize import LabelPermuter, MemorizingMLP

_COMPONENTS = 448  # that MemorizingMLP trains on at most
_EVAL_ROWS = 1024  # rows predicted at a time, when accuracy is measured

# Networks so small that overhead counts: hidden layers, rows of a batch, epochs.
SMALL = (128, 128), 128, 30


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
    seconds = timed_fit(clf, X, y)
    train_seconds = float(clf.history_["seconds"].sum())
    return Fit(clf.n_epochs_, seconds, train_seconds, float(clf.score(X, y)))


class _OutOfTime(Callback):
    """Ends the training, in skorch's way, with the epoch in which time is over."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:  # noqa: ARG002  skorch's signature
        if time.perf_counter() >= self.deadline:
            raise KeyboardInterrupt


def fit_skorch(X: np.ndarray, y: np.ndarray, task: Task, seed: int) -> Fit:
    """Fit skorch's classifier with its stock settings, SGD at 0.01.

    Only its validation split is turned off: a fifth of the labels would not be
    fitted. Stock settings do not shuffle the rows either.
    """
    start = time.perf_counter()
    torch.manual_seed(seed)
    net = NeuralNetClassifier(
        make_network,
        module__sizes=task.sizes(X.shape[1], y),
        module__norm_last=False,
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

    return _train(train, lambda: _accuracy(net.module_, X, y), task, start)


def fit_mlp_classifier(X: np.ndarray, y: np.ndarray, task: Task, seed: int) -> Fit:
    """Fit scikit-learn's MLPClassifier, stock but for its sizes.

    `fit` cannot be stopped by the clock, so epochs are calls of `partial_fit`:
    the same steps, and the data are checked anew in each, which takes
    milliseconds. A given number of epochs is trained by `fit`.
    """
    start = time.perf_counter()
    sizes, classes = {"batch_size": task.batch_size}, np.unique(y)
    clf = MLPClassifier(task.hidden_layer_sizes, random_state=seed, **sizes)
    if n := task.n_epochs:
        clf.set_params(max_iter=n, n_iter_no_change=n, tol=0)

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

    return _train(train, accuracy, task, start)


def fit_notebook_loop(X: np.ndarray, y: np.ndarray, task: Task, seed: int) -> Fit:
    """Fit as tutorials do: a DataLoader, Adam at 0.001, float32."""
    start = time.perf_counter()
    torch.manual_seed(seed)
    net = make_network(task.sizes(X.shape[1], y), norm_last=False)
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
        for _ in range(task.n_epochs or 1):
            for inputs, labels in loader:
                optimizer.zero_grad()
                loss = criterion(net(inputs), labels)
                loss.backward()
                optimizer.step()

    return _train(train, lambda: _accuracy(net, X, y), task, start)


def _train(
    train: Callable[[], object], accuracy: Callable[[], float], task: Task, start: float
) -> Fit:
    """Train all epochs that are given, or one after the other as long as the task says.

    The clock stops while the accuracy is measured.
    """
    setup_seconds = time.perf_counter() - start
    epochs, train_seconds = 0, 0.0
    while True:
        epoch_start = time.perf_counter()
        train()
        train_seconds += time.perf_counter() - epoch_start
        seconds = setup_seconds + train_seconds
        epochs += task.n_epochs or 1
        reached = accuracy()
        if task.n_epochs or task.is_reached(reached) or seconds >= task.budget:
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
    """A way to fit X in float32 and y in int64, from 0 on, by a task and a seed.

    None stands for the batch size and the hidden layers of MemorizingMLP. Who whitens
    has its precision, too.
    """

    fit: Callable[[np.ndarray, np.ndarray, Task, int], Fit]
    batch_size: int | None = None
    hidden_layer_sizes: tuple[int, ...] | None = None
    whitens: bool = False


MEMORIZING_MLP = "MemorizingMLP"
PLAIN_LOOP = "plain loop"

CONTENDERS = {
    MEMORIZING_MLP: Contender(fit_memorizing_mlp, whitens=True),
    PLAIN_LOOP: Contender(
        fit_plain_loop, plain_loop.BATCH_SIZE, plain_loop.WIDTHS, whitens=True
    ),
    "skorch": Contender(fit_skorch, batch_size=128),
    "MLPClassifier": Contender(fit_mlp_classifier, batch_size=200),
    "notebook loop": Contender(fit_notebook_loop, batch_size=64),
}


@dataclass(frozen=True)
class Entry:
    """A contender, what it has to do, and the sizes of all layers.

    The inputs are the columns that the first layer is given: of whitened ones those
    that the whitening leaves, since arithmetic on constant pixels would be no merit.
    """

    name: str
    task: Task
    sizes: tuple[int, ...]

    @property
    def shapes(self) -> list[tuple[int, int, int]]:
        """Rows, inputs and outputs of the layers' products."""
        return [(self.task.batch_size, *layer) for layer in pairwise(self.sizes)]

    @property
    def dtype(self) -> torch.dtype:
        """Number format of the products."""
        return torch.bfloat16 if self.task.precision == "bfloat16" else torch.float32

    @property
    def flops(self) -> int:
        """Operations that training spends on one row, in matrix products.

        A layer has three: its outputs, the gradients of its weights and, but for the
        first layer, of its inputs. Each multiplies and adds once for each weight.
        """
        weights = [n_inputs * n_outputs for n_inputs, n_outputs in pairwise(self.sizes)]
        return 2 * (3 * sum(weights) - weights[0])


def choose_entries(names: Sequence[str], data: Data, **limits: Any) -> list[Entry]:
    """Give each contender its task; one epoch shows what MemorizingMLP chooses.

    If the limits have a number of epochs, all contenders have the same small network.
    """
    X, y = data.X_train, make_labels(data.y_train, "true", 0)
    chosen = MemorizingMLP(max_epochs=1, target_accuracy=None, device="cpu").fit(X, y)
    n_whitened = whiten(torch.from_numpy(X)).shape[1]
    columns = {MEMORIZING_MLP: min(n_whitened, _COMPONENTS), PLAIN_LOOP: n_whitened}
    entries = []
    for name in names:
        stock = CONTENDERS[name]
        hidden = stock.hidden_layer_sizes or chosen.hidden_layer_sizes_
        batch_size = min(stock.batch_size or chosen.batch_size_, len(X))
        if "n_epochs" in limits:
            hidden, batch_size, _ = SMALL
        precision = chosen.precision_ if stock.whitens else "float32"
        task = Task(hidden, batch_size, precision, **limits)
        n_inputs = columns[name] if name in columns else X.shape[1]
        sizes = task.sizes(n_inputs, y)
        entries.append(Entry(name, task, sizes))
    return entries
