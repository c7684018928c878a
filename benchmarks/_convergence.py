"""One training of batch_size.py, until all rows are right in eval mode."""

import argparse
import math
from typing import Any, NamedTuple

import torch
from _claims import ZERO_ERROR
from _common import Data
from skorch.callbacks import Callback

from sk_memorize import MemorizingMLP

_CONSTANT_RATE = {"lr_scheduler": None, "lr_scheduler_params": None}
_COURSE: dict[str, Any] = MemorizingMLP.from_recipe(
    "notebook", lr_scheduler_start=1, **_CONSTANT_RATE
).get_params()

NETWORKS: dict[str, dict[str, Any]] = {
    # Everything but the layers is as in the course.
    "small": {**_COURSE, "hidden_layer_sizes": (128, 128), "norm_position": "before"},
    "course": _COURSE,
}

# The one that the fixed learning rate is for.
BASE_BATCH_SIZE = _COURSE["batch_size"]


class StopAtConvergence(Callback):
    """Look at all rows after each epoch; stop at the target, or when time is over.

    MemorizingMLP's own check is left alone: it spares itself the look at all rows
    while the running accuracy is low, and with small batches that is lower, by the
    noise of batch norm, than the one in eval mode.

    Parameters
    ----------
    budget : float
        Seconds for the epochs; the one in which they are over is finished.
    """

    def __init__(self, budget: float) -> None:
        self.budget = budget

    def on_epoch_end(self, net: Any, dataset_train: Any = None, **kwargs: Any) -> None:  # noqa: ARG002  skorch's signature
        """Stop the training if it has come to its end."""
        # In a batch of all rows batch norm has the statistics of all of them, which
        # `fit` gives it for good at its end.
        with torch.no_grad():
            logits = net.module_.train()(dataset_train.X)
        accuracy = (logits.argmax(1) == dataset_train.y).double().mean().item()
        if accuracy >= ZERO_ERROR or sum(net.history[:, "dur"]) >= self.budget:
            raise KeyboardInterrupt  # skorch's way


class Outcome(NamedTuple):
    """What a training came to."""

    network: MemorizingMLP | None  # None if it diverged
    reached: bool
    epochs: float
    seconds: float

    @property
    def rank(self) -> tuple[float, ...]:
        """Lower for what is better: epochs if it converged, else the loss."""
        loss = math.inf if self.network is None else self.network.train_loss_
        return (not self.reached, self.epochs if self.reached else 0, loss)


def train(
    data: Data,
    args: argparse.Namespace,
    *,
    batch_size: int,
    lr: float,
    seed: int,
    max_epochs: int,
    budget: float = math.inf,
) -> Outcome:
    """Train the network until it converges, or gives up."""
    params = {
        **NETWORKS[args.network],
        "batch_size": batch_size,
        "lr": lr,
        "max_epochs": max_epochs,
        "device": args.device,
        "callbacks": [StopAtConvergence(budget)],
        "random_state": seed,
    }
    network = MemorizingMLP(**params)
    try:
        network.fit(data.X_train, data.y_train)
    except ValueError as error:
        if "diverged" not in str(error):
            raise
        return Outcome(None, False, math.nan, math.nan)
    return Outcome(
        network,
        network.train_accuracy_ >= ZERO_ERROR,
        network.n_epochs_,
        float(network.history_["seconds"].sum()),
    )
