"""Trainings that end as soon as all labels are fitted, and a search for the fastest."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from skorch.callbacks import Callback

from _tools.arguments import Args
from _tools.claims import ZERO_ERROR
from _tools.common import Data, timed_fit_or_nan
from _tools.sweep import Cell
from sk_memorize import MemorizingMLP

_CONSTANT = {"lr_scheduler": None, "lr_scheduler_params": None}
_NOTEBOOK = MemorizingMLP.from_recipe("notebook", **_CONSTANT)
COURSE: dict[str, Any] = _NOTEBOOK.get_params()
_SMALL = {"hidden_layer_sizes": (128, 128), "norm_position": "before"}
NETWORKS = {"small": {**COURSE, **_SMALL}, "course": COURSE}
SEARCH_SEED, SEARCH_STEPS = 2**31 - 1, 16384


class StopAtConvergence(Callback):
    """Stop at the target accuracy on all rows, or when the seconds are over.

    MemorizingMLP's own check skips the evaluation while the running accuracy is low,
    which with small batches it is for long, by the noise of batch norm.
    """

    def __init__(self, budget: float) -> None:
        self.budget = budget

    def on_epoch_end(self, net: Any, dataset_train: Any = None, **kwargs: Any) -> None:  # noqa: ARG002  skorch's signature
        """Stop the training if it has come to its end."""
        # A batch of all rows has the statistics that batch norm gets after the fit.
        with torch.no_grad():
            logits = net.module_.train()(dataset_train.X)
        accuracy = (logits.argmax(1) == dataset_train.y).double().mean().item()
        if accuracy >= ZERO_ERROR or sum(net.history[:, "dur"]) >= self.budget:
            raise KeyboardInterrupt  # skorch's way


class Outcome(NamedTuple):
    """What a training came to; without a network if it diverged."""

    network: MemorizingMLP | None = None
    reached: bool = False
    epochs: float = math.nan
    seconds: float = math.nan

    @property
    def rank(self) -> tuple[float, ...]:
        """Lower for what is better: epochs if it converged, else the loss."""
        loss = math.inf if self.network is None else self.network.train_loss_
        return (not self.reached, self.epochs if self.reached else 0, loss)


def train(data: Data, args: Args, budget: float = math.inf, **params: Any) -> Outcome:
    """Train the network until it converges, or gives up."""
    params = {**NETWORKS[args.network], "device": args.device, **params}
    network = MemorizingMLP(**params).set_params(callbacks=[StopAtConvergence(budget)])
    if math.isnan(timed_fit_or_nan(network, data.X_train, data.y_train)):
        return Outcome()
    reached = network.train_accuracy_ >= ZERO_ERROR
    seconds = float(network.history_["seconds"].sum())
    return Outcome(network, reached, network.n_epochs_, seconds)


def candidates(factors: Sequence[float], batch_size: int) -> list[float]:
    """Scale the learning rate by the root of the batch size; vary it, nearest first."""
    scaled = COURSE["lr"] * math.sqrt(batch_size / COURSE["batch_size"])
    ordered = sorted(set(factors), key=lambda factor: (abs(math.log(factor)), factor))
    return [float(f"{scaled * factor:.4g}") for factor in ordered]


def search(args: Args, data: Data, cell: Cell) -> dict[str, Any]:
    """Find the learning rate that converges first, and tell if it is an extreme one."""
    steps_per_epoch = math.ceil(len(data.y_train) / cell["batch_size"])
    max_epochs = min(args.search_epochs, max(1, SEARCH_STEPS // steps_per_epoch))
    params = {"batch_size": cell["batch_size"], "random_state": SEARCH_SEED}
    outcomes: dict[float, Outcome] = {}
    for lr in candidates(args.lr_factors, cell["batch_size"]):
        outcomes[lr] = train(data, args, lr=lr, max_epochs=max_epochs, **params)
        if outcomes[lr].reached:  # the others get no more
            max_epochs = int(outcomes[lr].epochs)
    best = min(outcomes, key=lambda lr: outcomes[lr].rank)
    return {
        "lr": best,
        "lr_at_edge": len(outcomes) > 1 and best in (min(outcomes), max(outcomes)),
        "search_seconds": float(np.nansum([o.seconds for o in outcomes.values()])),
    }
