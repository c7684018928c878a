"""Measure what the batch size does to the time to convergence, an epoch and the model.

The course's three claims: the time to convergence has a sweet spot (8 is slow, huge
is slow); the time per epoch falls as batches grow; smaller batches give the better
model. Each is measured for powers of two from 8 to 8192, at a fixed learning rate and
at one that is tuned for each batch size, and judged by the numbers.

What is trained: two hidden layers of 128 units, with batch norm, small enough for
batches of 8 to get to their end; or, with --network course, the course's seven Linear
layers. Optimizer (Adam) and inputs are the course's, the labels true, the learning rate
constant: a schedule by epochs would stop large batches, which take few steps an epoch.
A training has converged when 99.99 % of its rows are right in eval mode, with the
statistics of batch norm taken over all rows. That is looked at after each epoch, while
the clock stands still: the time to convergence is that of the epochs, and the time per
epoch their median. The rows of an epoch are spread evenly over its batches.

The fixed learning rate is that of the course for its batches of 512. The tuned one is
the first to converge in a search: among multiples of the fixed one times the square
root of the batch size over 512. Each gets a limited number of steps, and no more
epochs than the best before it; if none converges, the lowest training loss wins. The
search has a seed of its own and sees no test rows. Its time is in the table only.

Rules of the verdicts, of which each learning rate has its own. Sweet spot: holds if the
fastest batch size is neither the smallest nor the largest, and both take 1.5 times as
long or more. Time per epoch: holds if it falls to less than 1/1.2 altogether, and never
rises by more than 1.2 times. Better model: holds if test accuracy falls as the batch
size grows, by Kendall's rank correlation at the level 0.05, among the trainings that
converged, and if the best and the worst differ by more than three standard errors (test
rows and seeds); it does not hold if it rises so.
"""

import argparse
import dataclasses
import functools
import math
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from _tools import claims, common
from _tools.arguments import (
    add_own,
    make_parser,
    positive_int,
    positive_seconds,
    several,
)
from _tools.claims import NOISE, ZERO_ERROR, Claim, count, exceeds, tell_test
from _tools.common import Data, fail, load_data, run_script, timed_fit_or_nan
from _tools.pictures import draw_batch_sizes
from _tools.sweep import Cell, add_output, mean_and_spread, run_sweep
from _tools.tables import Columns, format_rows, report, with_spread, yes_or_no
from scipy.stats import kendalltau
from skorch.callbacks import Callback
from true_labels import normalize

from sk_memorize import MemorizingMLP

_CONSTANT_RATE = {"lr_scheduler": None, "lr_scheduler_params": None}
_COURSE: dict[str, Any] = MemorizingMLP.from_recipe(
    "notebook", **_CONSTANT_RATE
).get_params()
NETWORKS: dict[str, dict[str, Any]] = {
    # Everything but the layers is as in the course.
    "small": {**_COURSE, "hidden_layer_sizes": (128, 128), "norm_position": "before"},
    "course": _COURSE,
}
BASE_BATCH_SIZE = _COURSE["batch_size"]  # that of the fixed learning rate
SEARCH_SEED = 2**31 - 1

# The rules of the verdicts. Times of equal work differ by some 10 % on a busy machine.
SLOW, EQUAL, SIGNIFICANCE = 1.5, 1.2, 0.05
FEWEST_POINTS = 5  # with fewer even a perfect order could be chance at that level

_MEASURES = ["epochs", "seconds", "seconds_per_epoch"]
_MEASURES += ["train_accuracy", "test_accuracy"]
Finding = tuple[bool | None, str]


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


def train(
    data: Data, args: argparse.Namespace, budget: float = math.inf, **params: Any
) -> Outcome:
    """Train the network until it converges, or gives up."""
    network = MemorizingMLP(
        **{**NETWORKS[args.network], "device": args.device, **params},
    ).set_params(callbacks=[StopAtConvergence(budget)])
    if math.isnan(timed_fit_or_nan(network, data.X_train, data.y_train)):
        return Outcome()
    reached = network.train_accuracy_ >= ZERO_ERROR
    seconds = float(network.history_["seconds"].sum())
    return Outcome(network, reached, network.n_epochs_, seconds)


def candidates(lr: float, factors: Sequence[float], batch_size: int) -> list[float]:
    """Scale the learning rate by the root of the batch size; vary it, nearest first."""
    scaled = lr * math.sqrt(batch_size / BASE_BATCH_SIZE)
    ordered = sorted(set(factors), key=lambda factor: (abs(math.log(factor)), factor))
    return [float(f"{scaled * factor:.4g}") for factor in ordered]


def search(args: argparse.Namespace, data: Data, cell: Cell) -> dict[str, Any]:
    """Find the learning rate that converges first, and tell if it is an extreme one."""
    batch_size = cell["batch_size"]
    steps_per_epoch = math.ceil(len(data.y_train) / batch_size)
    max_epochs = min(args.search_epochs, max(1, args.search_steps // steps_per_epoch))
    fixed = {"batch_size": batch_size, "random_state": SEARCH_SEED}
    outcomes: dict[float, Outcome] = {}
    for lr in candidates(args.lr, args.lr_factors, batch_size):
        outcomes[lr] = train(data, args, lr=lr, max_epochs=max_epochs, **fixed)
        if outcomes[lr].reached:
            max_epochs = int(outcomes[lr].epochs)
    best = min(outcomes, key=lambda lr: outcomes[lr].rank)
    return {
        "tuned_lr": best,
        "lr_at_edge": len(outcomes) > 1 and best in (min(outcomes), max(outcomes)),
        "search_seconds": float(np.nansum([o.seconds for o in outcomes.values()])),
    }


def measure(args: argparse.Namespace, data: Data, cell: Cell) -> dict[str, Any]:
    """Train with a batch size and a learning rate, and test."""
    params = {"batch_size": cell["batch_size"], "lr": cell["lr"]}
    params |= {"random_state": cell["seed"], "max_epochs": args.max_epochs}
    network, reached, epochs, seconds = train(data, args, args.budget, **params)
    record = {**dict.fromkeys(_MEASURES, math.nan), "reached": reached}
    if network is not None:
        record |= {
            "epochs": epochs,
            "seconds": seconds,
            "seconds_per_epoch": network.history_["seconds"].median(),
            "train_accuracy": network.train_accuracy_,
            "test_accuracy": network.score(data.X_test, data.y_test),
        }
    return record


def run(args: argparse.Namespace, data: Data) -> pd.DataFrame:
    """Search the learning rates, and run all trainings; means over the seeds."""
    pixels = {"mean": float(data.X_train.mean()), "scale": float(data.X_train.std())}
    X_train, X_test = (normalize(X, **pixels) for X in (data.X_train, data.X_test))
    data = dataclasses.replace(data, X_train=X_train, X_test=X_test)
    common.warm_up(common.fit_small_network, args.device)
    sweep = functools.partial(run_sweep, args, data, in_cells=("batch_sizes", "seed"))
    sizes = pd.DataFrame({"batch_size": args.batch_sizes})
    cells = sizes.assign(step="search").to_dict("records")
    searches = sweep(cells, functools.partial(search, args, data))
    fixed = sizes.assign(lr_rule="fixed", lr=args.lr, lr_at_edge=False)
    tuned = searches.drop(columns="step").rename(columns={"tuned_lr": "lr"})
    rules = pd.concat([fixed, tuned.assign(lr_rule="tuned")], ignore_index=True)
    # Where both rules have the same learning rate they share the training.
    pairs = rules[["batch_size", "lr"]].drop_duplicates().to_dict("records")
    cells = [{**pair, "seed": seed} for seed in args.seed for pair in pairs]
    fits = sweep(cells, functools.partial(measure, args, data))
    means = mean_and_spread(fits, ["batch_size", "lr"], _MEASURES)
    reached = fits.groupby(["batch_size", "lr"])["reached"].all().reset_index()
    table = rules.merge(means).merge(reached)
    n_train = len(data.y_train)
    table["rows_per_step"] = n_train / np.ceil(n_train / table["batch_size"])
    table.insert(0, "dataset", data.name)
    return table.assign(n_train=n_train, n_test=len(data.y_test))


def judge_sweet_spot(rows: pd.DataFrame) -> Finding:
    """Judge whether the time to convergence has its minimum in between."""
    rows = rows.sort_values("batch_size")
    if len(rows) < 3 or not rows["reached"].any():
        return None, "it takes three batch sizes, and one of them that converges"
    fastest = rows.loc[rows["seconds"].where(rows["reached"]).idxmin()]
    compared = [
        _compare(end, fastest)
        for end in (rows.iloc[0], rows.iloc[-1])
        if end["batch_size"] != fastest["batch_size"]
    ]
    told = [f"{_size(fastest)} is the fastest, {fastest['seconds']:.3g} s"]
    told += [text for _, text in compared] + [count(claims.n_fits(fastest), "fit")]
    holds = (
        claims.both(*(is_slow for is_slow, _ in compared))
        if len(compared) == 2
        else False
    )
    return holds, "; ".join(told)


def _compare(end: pd.Series, fastest: pd.Series) -> Finding:
    if math.isnan(end["seconds"]):
        return True, f"{_size(end)} diverges"
    ratio = end["seconds"] / fastest["seconds"]
    errors = [
        claims.spread_error(row, "seconds") / row["seconds"] for row in (end, fastest)
    ]
    is_slow = exceeds(ratio, SLOW, NOISE * ratio * math.hypot(*errors))
    more = "" if end["reached"] else "more than "
    # A lower bound does not show that an end is fast.
    return (
        is_slow if end["reached"] or is_slow else None,
        f"{_size(end)} takes {more}{ratio:.2g} times as long",
    )


def judge_epoch_time(rows: pd.DataFrame) -> Finding:
    """Judge whether the time per epoch falls as the batch size grows."""
    rows = rows.dropna(subset="seconds_per_epoch").sort_values("batch_size")
    if len(rows) < 2:
        return None, "it takes two batch sizes"
    times = rows["seconds_per_epoch"].to_numpy()
    fastest = int(times.argmin())
    told = [f"{times[i]:.3g} s at {_size(rows.iloc[i])}" for i in (0, fastest, -1)]
    fits = count(claims.n_fits(rows.iloc[0]), "fit")
    never_rises = (times[1:] <= EQUAL * times[:-1]).all()
    falls = times[0] > EQUAL * times[-1] and times[-1] <= EQUAL * times[fastest]
    return (
        bool(never_rises and falls),
        f"{', '.join(dict.fromkeys(told))}; {fits}",
    )


def judge_quality(rows: pd.DataFrame) -> Finding:
    """Judge whether smaller batches that converge give a better test accuracy."""
    rows = rows[rows["reached"]]
    if len(rows) < FEWEST_POINTS:
        return None, f"{len(rows)} batch sizes converged, of {FEWEST_POINTS} needed"
    test = kendalltau(rows["batch_size"], rows["test_accuracy"])
    best = rows.loc[rows["test_accuracy"].idxmax()]
    worst = rows.loc[rows["test_accuracy"].idxmin()]
    gap, margin = claims.difference(best, worst)
    is_trend = test.pvalue < SIGNIFICANCE and gap > margin  # all equal gives NaN
    return (
        bool(test.statistic < 0) if is_trend else None,
        f"from {tell_test(worst)} at {_size(worst)} to {tell_test(best)} at "
        f"{_size(best)}, where noise may make {margin:.4f}; rank correlation with the "
        f"batch size {test.statistic:.2f}, p = {test.pvalue:.2g}, over {len(rows)} "
        "batch sizes that converged",
    )


def _size(row: pd.Series) -> str:
    return f"batch size {row['batch_size']:.0f}"


def judge(table: pd.DataFrame) -> list[Claim]:
    """Judge each claim at each learning-rate rule."""
    of_rules = {
        "the time to convergence has a sweet spot": judge_sweet_spot,
        "the time per epoch falls with the batch size": judge_epoch_time,
        "smaller batches give the better model": judge_quality,
    }
    by_rule = [
        Claim(f"{text} ({rule} learning rate)", *judge_claim(rows))
        for text, judge_claim in of_rules.items()
        for rule, rows in table.groupby("lr_rule", sort=False)
    ]
    missed = [
        f"{row['lr_rule']} learning rate, {_size(row)}: {row['train_accuracy']:.5f} "
        f"after {row['epochs']:.3g} epochs and {row['seconds']:.3g} s"
        for _, row in table[~table["reached"]].iterrows()
    ]
    edge = table.loc[table["lr_at_edge"], "batch_size"].astype(str).tolist()
    return [
        *by_rule,
        Claim(
            "all trainings converge",
            not missed,
            "; ".join(missed) or count(len(table), "setting"),
        ),
        Claim(
            "the search tries learning rates below and above the tuned ones",
            not edge,
            f"not for batch size {', '.join(edge)} (--lr-factors)"
            if edge
            else "for all batch sizes",
        ),
    ]


COLUMNS: Columns = {
    "batch size": "{batch_size}",
    "rows per step": "{rows_per_step:.5g}",
    "lr rule": "{lr_rule}",
    "lr": "{lr:.3g}",
    "epochs": with_spread("epochs", ".3g"),
    "seconds": with_spread("seconds", ".1f"),
    "seconds per epoch": "{seconds_per_epoch:.3g}",
    "train acc. (fitted)": with_spread("train_accuracy", ".5f"),
    "test acc. (true)": with_spread("test_accuracy", ".4f"),
    "reached": yes_or_no("reached"),
    "search seconds": "{search_seconds:.1f}",
}


def choose_batch_sizes(args: argparse.Namespace, data: Data) -> list[int]:
    """Sort the batch sizes, and leave out those that are larger than the data."""
    n_train, sizes = len(data.y_train), sorted(set(args.batch_sizes))
    fitting = [size for size in sizes if size <= n_train]
    if not fitting:
        fail(f"argument --batch-sizes: none is at most {n_train}, the training rows.")
    if fitting != sizes:
        text = f"batch sizes above {fitting[-1]} are left out: there are {n_train} rows"
        print(f"notice: {text}", file=sys.stderr)
    return fitting


def make_own_parser() -> argparse.ArgumentParser:
    """Make the parser; options of other scripts have the same meaning here."""
    options = "dataset", "data-home", "max-samples", "seed", "device", "plot"
    # All batch sizes divide the default number of rows, a power of two.
    defaults = {"max_samples": 8192, "max_epochs": 200}
    parser = make_parser(__doc__, (*options, "max-epochs"), **defaults)
    add_output(parser)
    add_own(
        parser,
        {
            "network": (
                "small",
                NETWORKS,
                "small: two hidden layers of 128 units; course: the course's network, "
                "whose steps take ten times as long",
            ),
            "batch-sizes": (
                [2**power for power in range(3, 14)],
                several,
                "rows of a batch, two at least for batch norm",
            ),
            "budget": (60.0, positive_seconds, "seconds of the epochs; then give up"),
            "lr": (_COURSE["lr"], positive_seconds, "fixed learning rate"),
            "lr-factors": (
                [0.25, 0.5, 1.0, 2.0, 4.0, 8.0],
                positive_seconds,
                "multiples of the scaled learning rate that the search tries",
            ),
            "search-steps": (16384, positive_int, "steps of each training of a search"),
            "search-epochs": (40, positive_int, "epochs of it, at most"),
        },
    )
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    args = make_own_parser().parse_args(argv)
    data = load_data(args)
    args.batch_sizes = choose_batch_sizes(args, data)
    table = run(args, data)
    title = (
        f"Batch size: {data.title}, {len(data.y_train)} rows, at most "
        f"{args.max_epochs} epochs or {args.budget:g} s a training"
    )
    report(
        args,
        title,
        table,
        judge(table),
        format_rows(table, COLUMNS),
        lambda: draw_batch_sizes(
            table,
            f"The {args.network} network on {len(data.y_train)} rows of {data.title}",
        ),
    )


if __name__ == "__main__":
    run_script(main)
