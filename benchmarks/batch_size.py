"""Measure what the batch size does to the time to convergence, an epoch and the model.

The course's three claims: the time to convergence has a sweet spot (8 is slow, huge
is slow); the time per epoch falls as batches grow; smaller batches give the better
model. Each is judged at the course's learning rate, and at one that is tuned for each
batch size: among multiples of the first, scaled by the root of the batch size, the
first to converge, in a search with a seed of its own.

What is trained: two hidden layers of 128 units, with batch norm, small enough for
batches of 8; or the course's seven Linear layers. Adam and inputs are the course's, the
labels true, the learning rate constant. A training has converged when 99.99 % of its
rows are right in eval mode. That is looked at after each epoch, while the clock stands
still: the time to convergence is that of the epochs, the time per epoch their median.
"""

import dataclasses
import functools
import math
import sys
from typing import Any

import numpy as np
import pandas as pd
from _tools import claims
from _tools.arguments import Args, make_parser, positive_int, positive_seconds, several
from _tools.claims import NOISE, Claim, count, exceeds, tell_test
from _tools.common import Data, fail, load_data, run_script
from _tools.convergence import COURSE, NETWORKS, search, train
from _tools.pictures import draw_batch_sizes
from _tools.sweep import Cell, mean_and_spread, run_sweep
from _tools.tables import Columns, columns, report
from scipy.stats import kendalltau
from true_labels import normalize

SLOW, EQUAL = 1.5, 1.2  # ratios of times; they vary by 10 % on a busy machine
SIGNIFICANCE, FEWEST_POINTS = 0.05, 5  # even a perfect order of four could be chance
Finding = tuple[bool | None, str]
MEASURES = ["epochs", "seconds", "seconds_per_epoch", "train_accuracy", "test_accuracy"]


def measure(args: Args, data: Data, cell: Cell) -> dict[str, Any]:
    """Train with a batch size and a learning rate, and test."""
    params = {"batch_size": cell["batch_size"], "lr": cell["lr"]}
    params |= {"random_state": cell["seed"], "max_epochs": args.max_epochs}
    network, reached, *times = train(data, args, args.budget, **params)
    found = [math.nan] * 3
    if network is not None:
        accuracies = network.train_accuracy_, network.score(data.X_test, data.y_test)
        found = [network.history_["seconds"].median(), *accuracies]
    return {**dict(zip(MEASURES, (*times, *found), strict=True)), "reached": reached}


def run(args: Args, data: Data) -> pd.DataFrame:
    """Search the learning rates, and run all trainings; means over the seeds."""
    pixels = {"mean": float(data.X_train.mean()), "scale": float(data.X_train.std())}
    X_train, X_test = (normalize(X, **pixels) for X in (data.X_train, data.X_test))
    data = dataclasses.replace(data, X_train=X_train, X_test=X_test)
    sweep = functools.partial(run_sweep, args, data, in_cells=("batch_sizes", "seed"))
    sizes = [{"batch_size": size} for size in args.batch_sizes]
    searches = sweep([{**size, "step": "search"} for size in sizes], measure=search)
    fixed = {"lr_rule": "fixed", "lr": COURSE["lr"], "lr_at_edge": False}
    tuned = searches.drop(columns="step").assign(lr_rule="tuned")
    rules = pd.concat([pd.DataFrame(sizes).assign(**fixed), tuned], ignore_index=True)
    # Where both rules have the same learning rate they share the training.
    by = ["batch_size", "lr"]
    pairs = rules[by].drop_duplicates().to_dict("records")
    cells = [{**pair, "seed": seed} for seed in args.seed for pair in pairs]
    fits = sweep(cells, measure=measure)
    reached = fits.groupby(by)["reached"].all().reset_index()
    table = rules.merge(mean_and_spread(fits, by, MEASURES)).merge(reached)
    n_batches = np.ceil(len(data.y_train) / table["batch_size"])
    return table.assign(**data.facts, rows_per_step=len(data.y_train) / n_batches)


def judge_sweet_spot(rows: pd.DataFrame) -> Finding:
    """Judge whether the time to convergence has its minimum in between."""
    rows = rows.sort_values("batch_size")
    if len(rows) < 3 or not rows["reached"].any():
        return None, "it takes three batch sizes, and one of them that converges"
    fastest = rows.loc[rows["seconds"].where(rows["reached"]).idxmin()]
    ends = [rows.iloc[end] for end in (0, -1)]
    found = [_compare(end, fastest) for end in ends if end.name != fastest.name]
    told = [f"{_size(fastest)} is the fastest, {fastest['seconds']:.3g} s"]
    told += [text for _, text in found] + [count(claims.n_fits(fastest), "fit")]
    holds = claims.both(len(found) == 2, *(is_slow for is_slow, _ in found))
    return holds, "; ".join(told)


def _compare(end: pd.Series, fastest: pd.Series) -> Finding:
    if math.isnan(end["seconds"]):
        return True, f"{_size(end)} diverges"
    ratio = end["seconds"] / fastest["seconds"]
    errors = [claims.spread_error(r, "seconds") / r["seconds"] for r in (end, fastest)]
    is_slow = exceeds(ratio, SLOW, NOISE * ratio * math.hypot(*errors))
    # A lower bound does not show that an end is fast.
    more, holds = ("", is_slow) if end["reached"] else ("more than ", is_slow or None)
    return holds, f"{_size(end)} takes {more}{ratio:.2g} times as long"


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
    return bool(never_rises and falls), f"{', '.join(dict.fromkeys(told))}; {fits}"


def judge_quality(rows: pd.DataFrame) -> Finding:
    """Judge whether smaller batches that converge give a better test accuracy."""
    rows = rows[rows["reached"]]
    if len(rows) < FEWEST_POINTS:
        return None, f"{len(rows)} batch sizes converged, of {FEWEST_POINTS} needed"
    accuracy = rows["test_accuracy"]
    test = kendalltau(rows["batch_size"], accuracy)
    best, worst = rows.loc[accuracy.idxmax()], rows.loc[accuracy.idxmin()]
    gap, margin = claims.difference(best, worst)
    is_trend = test.pvalue < SIGNIFICANCE and gap > margin  # all equal gives NaN
    told = f"from {tell_test(worst)} at {_size(worst)} to {tell_test(best)} at "
    told += f"{_size(best)}, where noise may make {margin:.4f}; rank correlation with "
    told += f"the batch size {test.statistic:.2f}, p = {test.pvalue:.2g}, over "
    told += f"{len(rows)} batch sizes that converged"
    return bool(test.statistic < 0) if is_trend else None, told


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
    edge = table.loc[table["lr_at_edge"], "batch_size"].astype(str)
    told = "; ".join(missed) or count(len(table), "setting")
    text = "the search tries learning rates below and above the tuned ones"
    of_search = f"not for batch size {', '.join(edge)} (--lr-factors)"
    by_rule.append(Claim("all trainings converge", not missed, told))
    told = "for all batch sizes" if edge.empty else of_search
    return [*by_rule, Claim(text, edge.empty, told)]


COLUMNS: Columns = {
    **columns("batch_size", "rows_per_step", "lr_rule", "lr", "epochs", "seconds"),
    "seconds per epoch": "{seconds_per_epoch:.3g}",
    **columns("train_accuracy", "test_accuracy"),
    "reached": lambda row: "yes" if row["reached"] else "NO",
    **columns("search_seconds"),
}
SIZES, FACTORS = [2**power for power in range(3, 14)], [0.25, 0.5, 1.0, 2.0, 4.0, 8.0]
OPTIONS = {
    "network": ("small", NETWORKS, "the course's takes ten times as long for a step"),
    "batch-sizes": (SIZES, several, "rows of a batch, two at least for batch norm"),
    "budget": (60.0, positive_seconds, "seconds of the epochs; then give up"),
    "lr-factors": (FACTORS, positive_seconds, "multiples of the scaled learning rate"),
    "search-epochs": (40, positive_int, "epochs of a training of the search, at most"),
}
_DEFAULTS = {"max_samples": 8192, "max_epochs": 200}  # all batch sizes divide it
PARSER = make_parser(__doc__, "seed device plot max-epochs", OPTIONS, **_DEFAULTS)


def main(argv: list[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    args = PARSER.parse_args(argv)
    data = load_data(args)
    n_train, sizes = len(data.y_train), sorted(set(args.batch_sizes))
    args.batch_sizes = [size for size in sizes if size <= n_train]
    if not args.batch_sizes:
        fail(f"argument --batch-sizes: none is at most {n_train}, the training rows.")
    if args.batch_sizes != sizes:
        text = f"batch sizes above {args.batch_sizes[-1]} are left out: there are"
        print(f"notice: {text} {n_train} rows", file=sys.stderr)
    table = run(args, data)
    title = f"Batch size: {data.title}, {n_train} rows, at most {args.max_epochs} "
    title += f"epochs or {args.budget:g} s a training"
    of_plot = f"The {args.network} network on {n_train} rows of {data.title}"
    draw = functools.partial(draw_batch_sizes, table, of_plot)
    report(args, title, table, judge(table), COLUMNS, draw)


if __name__ == "__main__":
    run_script(main)
