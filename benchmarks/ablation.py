"""What does each ingredient contribute? Fits without one of them at a time.

MemorizingMLP is fitted with its defaults, and with one ingredient removed or
replaced by the ordinary choice at a time. Epochs and seconds of the whole fit
are means over the seeds; a fit that misses 99.99 % enters with the epochs that
it was given, so its row shows what was spent, not what would be needed. A fit
that diverges enters into no mean. "running averages" are the default fits
themselves, with batch normalization as it would be without its recalibration.
"""

import argparse
import copy
import math
import sys
import time
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from _arguments import add_repeats, make_parser, positive_int
from _claims import NOISE, ZERO_ERROR, Claim, count, exceeds, tell_fitted
from _common import Data, fit_small_network, load_data, run_script, say, warm_up
from _tables import format_table, report
from sklearn.exceptions import ConvergenceWarning
from torch import nn

from sk_memorize import LabelPermuter, MemorizingMLP

DEFAULT = "default"
RUNNING_AVERAGES = "running averages"

RECIPES: dict[str, dict[str, Any]] = {
    DEFAULT: {},
    "no finish": {"exact_finish": False},
    "no whitening": {"whitening_shrinkage": None},
    "one whitening": {"whitening_shrinkage": 0.1},
    "no schedule": {"lr_scheduler": None},
    "float32": {"precision": "float32"},
    "ReLU": {"negative_slope": 0.0},
    "default betas": {"optimizer_params": {"betas": (0.9, 0.999)}},
    "SGD": {"optimizer": "sgd"},
    "learning rate / 8": {"lr": 1e-3},
    "batches of 128": {"batch_size": 128},
    "no batch norm": {"norm": None},
    "group norm": {"norm": "group"},
    "norm before": {"norm_position": "before"},
    "gain and shift": {"norm_affine": True},
    "512-512": {"hidden_layer_sizes": (512, 512)},
}

# "running averages" need no fit of their own, and stand beside the fits they are of.
ABLATIONS = (DEFAULT, RUNNING_AVERAGES, *(name for name in RECIPES if name != DEFAULT))

# torch's default momentum, and a number of batches after which the statistics
# that running averages started from weigh less than one in a billion.
_MOMENTUM = 0.1
_MANY_BATCHES = 200


def choose_recipes(args: argparse.Namespace, data: Data) -> dict[str, dict[str, Any]]:
    """Choose the recipes to fit, the default first; tell what the data leave out."""
    warm_up(fit_small_network, args.device)
    say("one epoch, to see what the default chooses")
    network = MemorizingMLP(
        max_epochs=1, target_accuracy=None, device=args.device, random_state=args.seed
    ).fit(data.X_train, data.y_train)
    chosen = {DEFAULT, *(args.ablations or ABLATIONS)}
    recipes = {}
    for name, params in RECIPES.items():
        if name in chosen:
            reason = why_left_out(params, network, len(data.y_train))
            if reason is None:
                recipes[name] = params
            else:
                print(f"notice: {name!r} is left out: {reason}.", file=sys.stderr)
    return recipes


def why_left_out(
    params: dict[str, Any], network: MemorizingMLP, n_train: int
) -> str | None:
    """Tell why a recipe shows nothing beside the fitted default, if so."""
    used = vars(network)
    if any(
        f"{name}_" in used and used[f"{name}_"] == value
        for name, value in params.items()
    ):
        return "on these data and this device the default does the same"
    if params.get("batch_size", 0) > n_train:
        return f"there are only {n_train} training rows"
    return None


def fit(
    params: dict[str, Any],
    X: np.ndarray,
    y: np.ndarray,
    *,
    seed: int,
    device: str,
    max_epochs: int,
) -> tuple[MemorizingMLP | None, float]:
    """Fit the network, and time it; it is None if the training diverges."""
    network = MemorizingMLP(
        max_epochs=max_epochs,
        target_accuracy=ZERO_ERROR,
        device=device,
        random_state=seed,
        **params,
    )
    start = time.perf_counter()
    with warnings.catch_warnings():
        # To miss the target is a result here, and is reported as one.
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            network.fit(X, y)
        except ValueError as error:
            if "diverged" not in str(error):
                raise
            return None, math.nan
    return network, time.perf_counter() - start


def with_running_averages(
    network: MemorizingMLP, X: np.ndarray, seed: int
) -> MemorizingMLP:
    """Make a copy whose batch normalization has running averages.

    `fit` ends with the mean and the variance over all training rows. Ordinary
    training ends with exponential averages of the last batches' statistics,
    of which `fit` keeps none. So they are made here from the final network: with
    the weights held still, batches of the training's size pass through it in
    train mode, in random order, until the averages have forgotten their start.
    In training they would lag behind the moving weights besides, so this is the
    best that they could be.

    Parameters
    ----------
    network : MemorizingMLP
        A fitted network; it is not changed.
    X : ndarray of shape (n_samples, n_features)
        The training rows.
    seed : int
        Decides their order.

    Returns
    -------
    twin : MemorizingMLP
        The copy.
    """
    twin = copy.deepcopy(network)
    module = twin.net_.module_
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm1d):
            layer.reset_running_stats()
            layer.momentum = _MOMENTUM
    rng = np.random.default_rng(seed)
    # At least two rows each: the variance of a single one is no estimate.
    n_batches = max(1, min(-(-len(X) // network.batch_size_), len(X) // 2))
    module.train()
    with torch.no_grad():
        for _ in range(-(-_MANY_BATCHES // n_batches)):
            for rows in np.array_split(rng.permutation(len(X)), n_batches):
                module(torch.from_numpy(X[rows]).float().to(network.device_))
    module.eval()
    return twin


def run(args: argparse.Namespace, data: Data) -> pd.DataFrame:
    """Run all fits, each repeat with all recipes in turn; one row for each ablation."""
    recipes = choose_recipes(args, data)
    with_averages = RUNNING_AVERAGES in (args.ablations or ABLATIONS)
    fits: list[dict[str, Any]] = []
    for seed in range(args.seed, args.seed + args.repeats):
        y = data.y_train
        if args.labels == "permuted":
            y = LabelPermuter(random_state=seed).fit(y).transform(y)
        for name, params in recipes.items():
            say(f"{args.labels} labels, {name}, seed {seed}")
            network, seconds = fit(
                params,
                data.X_train,
                y,
                seed=seed,
                device=args.device,
                max_epochs=args.max_epochs,
            )
            result = measure(network, data, y, args.labels)
            fits.append({"ablation": name, "seconds": seconds, **result})
            if name == DEFAULT and with_averages:
                if network is not None:
                    network = with_running_averages(network, data.X_train, seed)
                    result = measure(network, data, y, args.labels)
                fits.append(
                    {"ablation": RUNNING_AVERAGES, "seconds": seconds, **result}
                )
    return summarize_fits(fits, data, args.labels)


def measure(
    network: MemorizingMLP | None, data: Data, y: np.ndarray, labels: str
) -> dict[str, Any]:
    """Measure a fitted network by its predictions; None is one that diverged."""
    measured: dict[str, Any] = {
        "epochs": math.nan,
        "reached": False,
        "diverged": network is None,
        "train_accuracy": math.nan,
    }
    if network is not None:
        accuracy = float(network.score(data.X_train, y))
        measured["epochs"] = network.n_epochs_
        measured["reached"] = accuracy >= ZERO_ERROR * network.attainable_accuracy_
        measured["train_accuracy"] = accuracy
    # With permuted labels it is that of guessing, which is permuted.py's subject.
    if labels == "true":
        score = math.nan if network is None else network.score(data.X_test, data.y_test)
        measured["test_accuracy"] = score
    return measured


def summarize_fits(fits: list[dict[str, Any]], data: Data, labels: str) -> pd.DataFrame:
    """Average over the fits of each ablation that did not diverge."""
    rows = []
    for name, group in pd.DataFrame(fits).groupby("ablation", sort=False):
        row = {
            "ablation": name,
            "dataset": data.name,
            "labels": labels,
            "n_train": len(data.y_train),
            "n_seeds": len(group),
            "epochs": group["epochs"].mean(),
            "epochs_spread": group["epochs"].std(),
            "seconds": group["seconds"].mean(),
            "seconds_spread": group["seconds"].std(),
            "reached": int(group["reached"].sum()),
            "diverged": int(group["diverged"].sum()),
            "train_accuracy": group["train_accuracy"].mean(),
            "train_accuracy_spread": group["train_accuracy"].std(),
        }
        if labels == "true":
            row["test_accuracy"] = group["test_accuracy"].mean()
        rows.append(row)
    return pd.DataFrame(rows)


def format_rows(table: pd.DataFrame) -> str:
    """Format the table for reading: mean and spread, and 3/3 where all reached."""
    counts = table["reached"].astype(str) + "/" + table["n_seeds"].astype(str)
    some = (", " + table["diverged"].astype(str) + " diverged").where(
        table["diverged"] > 0, ""
    )
    shown = table.assign(reached=counts + some).rename(
        columns=lambda name: name.replace("_spread", "_std")
    )
    shown = shown.rename(
        columns={"seconds": "fit_seconds", "seconds_std": "fit_seconds_std"}
    )
    return format_table(
        shown.drop(columns=["dataset", "labels", "n_train", "n_seeds", "diverged"])
    )


def judge(table: pd.DataFrame) -> list[Claim]:
    """Judge whether the default reaches its target, and what each ingredient saves."""
    rows = table.set_index("ablation")
    return [
        _reaches(name, row)
        if name in (DEFAULT, RUNNING_AVERAGES)
        else _saves(name, row, rows.loc[DEFAULT])
        for name, row in rows.iterrows()
    ]


def _reaches(name: str, row: pd.Series) -> Claim:
    return Claim(
        f"with {name} zero training error (at least {ZERO_ERROR:.2%}) is reached",
        bool(row["reached"] == row["n_seeds"]),
        _tell(row),
    )


def _saves(name: str, row: pd.Series, default: pd.Series) -> Claim:
    text = f"the default takes fewer epochs than {name}"
    evidence = f"{_tell(row)}, {row['epochs'] / default['epochs']:.2f} times the "
    evidence += f"default's epochs, {row['seconds'] / default['seconds']:.2f} times "
    evidence += "its seconds"
    missed, default_missed = (r["reached"] < r["n_seeds"] for r in (row, default))
    if missed or default_missed:
        # Who reaches the target always is the better one; epochs do not compare.
        holds = None if missed and default_missed else bool(missed)
        return Claim(text, holds, evidence)
    errors = [r["epochs_spread"] / math.sqrt(r["n_seeds"]) for r in (row, default)]
    margin = 0.0 if row["n_seeds"] == 1 else NOISE * math.hypot(*errors)
    is_slower = row["epochs"] > default["epochs"]
    gap = exceeds(row["epochs"], default["epochs"], margin)
    return Claim(text, gap and bool(is_slower), evidence)


def _tell(row: pd.Series) -> str:
    text = f"by {row['reached']} of {count(row['n_seeds'], 'seed')}"
    if row["diverged"]:
        text += f", {row['diverged']} diverged"
    return f"{text}; {tell_fitted(row)}"


def make_own_parser() -> argparse.ArgumentParser:
    """Make the parser; options of other scripts have the same meaning here."""
    parser = make_parser(
        __doc__, ("dataset", "data-home", "max-samples", "device", "output")
    )
    parser.add_argument(
        "--labels",
        choices=("permuted", "true"),
        default="permuted",
        help="which labels to fit; with true ones the clean test set counts as well",
    )
    parser.add_argument(
        "--ablations",
        choices=ABLATIONS,
        nargs="+",
        metavar="NAME",
        help="what to run beside the default, all if not given: "
        + ", ".join(repr(name) for name in ABLATIONS[1:]),
    )
    parser.add_argument(
        "--max-epochs",
        type=positive_int,
        default=100,
        help="epochs after which a fit that has not reached the target gives up; "
        "the last cycle of the learning rate ends there",
    )
    add_repeats(parser, "fits of each recipe, with one seed after the other")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    args = make_own_parser().parse_args(argv)
    data = load_data(args)
    table = run(args, data)
    title = (
        f"Ablations of the default recipe, {args.labels} labels: {data.title}, "
        f"{len(data.y_train)} rows"
    )
    report(args, title, table, judge(table), format_rows(table))


if __name__ == "__main__":
    run_script(main)
