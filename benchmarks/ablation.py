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
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from _tools import common
from _tools.arguments import add_repeats, make_parser
from _tools.claims import (
    NOISE,
    ZERO_ERROR,
    Claim,
    count,
    exceeds,
    spread_error,
    tell_fitted,
)
from _tools.common import Data, load_data, run_script, say, timed_fit_or_nan
from _tools.sweep import mean_and_spread
from _tools.tables import Columns, format_rows, report, with_spread
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
    common.warm_up(common.fit_small_network, args.device)
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
    fits: list[dict[str, Any]] = []
    for seed in range(args.seed, args.seed + args.repeats):
        y = data.y_train
        if args.labels == "permuted":
            y = LabelPermuter(random_state=seed).fit(y).transform(y)
        for name, params in recipes.items():
            say(f"{args.labels} labels, {name}, seed {seed}")
            network = MemorizingMLP(
                max_epochs=args.max_epochs,
                target_accuracy=ZERO_ERROR,
                device=args.device,
                random_state=seed,
                **params,
            )
            seconds = timed_fit_or_nan(network, data.X_train, y)
            has_diverged = math.isnan(seconds)
            twins = {name: network}
            if name == DEFAULT and RUNNING_AVERAGES in (args.ablations or ABLATIONS):
                twins[RUNNING_AVERAGES] = (
                    network
                    if has_diverged
                    else with_running_averages(network, data.X_train, seed)
                )
            fits += [
                {"ablation": of, "seconds": seconds, "diverged": has_diverged}
                | measure(None if has_diverged else twin, data, y, args.labels)
                for of, twin in twins.items()
            ]
    return summarize(fits, data, args.labels)


def measure(
    network: MemorizingMLP | None, data: Data, y: np.ndarray, labels: str
) -> dict[str, Any]:
    """Measure a fitted network by its predictions; None is one that diverged."""
    names = ["epochs", "train_accuracy"]
    # With permuted labels the test accuracy is permuted.py's subject.
    names += ["test_accuracy"] * (labels == "true")
    if network is None:
        return {"reached": False, **dict.fromkeys(names, math.nan)}
    accuracy = float(network.score(data.X_train, y))
    measured = {
        "reached": accuracy >= ZERO_ERROR * network.attainable_accuracy_,
        "epochs": network.n_epochs_,
        "train_accuracy": accuracy,
    }
    if labels == "true":
        measured["test_accuracy"] = network.score(data.X_test, data.y_test)
    return measured


def summarize(fits: list[dict[str, Any]], data: Data, labels: str) -> pd.DataFrame:
    """Average over the fits of each ablation that did not diverge."""
    table = pd.DataFrame(fits)
    measures = ["epochs", "seconds", "train_accuracy", "test_accuracy"]
    means = mean_and_spread(table, ["ablation"], [m for m in measures if m in table])
    counts = table.groupby("ablation")[["reached", "diverged"]].sum().astype(int)
    means.insert(1, "dataset", data.name)
    means.insert(2, "labels", labels)
    return means.assign(n_train=len(data.y_train)).merge(counts.reset_index())


COLUMNS: Columns = {
    "ablation": "{ablation}",
    "epochs": with_spread("epochs", ".3g"),
    "fit s": with_spread("seconds", ".1f"),
    "reached": lambda row: (
        f"{row['reached']}/{row['n_seeds']}"
        + f", {row['diverged']} diverged" * (row["diverged"] > 0)
    ),
    "train acc. (fitted)": with_spread("train_accuracy", ".5f"),
}
OF_TRUE_LABELS: Columns = {"test acc. (true)": with_spread("test_accuracy", ".4f")}


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
    margin = NOISE * math.hypot(*(spread_error(r, "epochs") for r in (row, default)))
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
    options = "dataset", "data-home", "max-samples", "device", "output", "labels"
    parser = make_parser(__doc__, (*options, "max-epochs"))
    named = ", ".join(repr(name) for name in ABLATIONS[1:])
    what = f"what to run beside the default, all if not given: {named}"
    parser.add_argument(
        "--ablations", choices=ABLATIONS, nargs="+", metavar="NAME", help=what
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
    columns = {**COLUMNS, **(OF_TRUE_LABELS if args.labels == "true" else {})}
    report(args, title, table, judge(table), format_rows(table, columns))


if __name__ == "__main__":
    run_script(main)
