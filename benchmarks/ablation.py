"""What does each ingredient contribute? Fits without one of them at a time.

MemorizingMLP is fitted with its defaults, and with one ingredient removed or ordinary
at a time. A fit that misses 99.99 % enters into the means with the epochs that it was
given: what was spent, not what would be needed; one that diverges into none. "running
averages" are the default fits, with batch normalization without its recalibration.
"""

import copy
import math
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from _tools import claims
from _tools.arguments import Args, Own, add_repeats, make_parser
from _tools.claims import NOISE, ZERO_ERROR, Claim, count, exceeds
from _tools.common import Data, load_data, run_script, timed_fit_or_nan
from _tools.progress import track
from _tools.sweep import mean_and_spread
from _tools.tables import Columns, columns, report, with_spread

from sk_memorize import LabelPermuter, MemorizingMLP

DEFAULT, RUNNING_AVERAGES = "default", "running averages"
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

ABLATIONS = (DEFAULT, RUNNING_AVERAGES, *(name for name in RECIPES if name != DEFAULT))


def choose_recipes(args: Args, data: Data) -> dict[str, dict[str, Any]]:
    """Choose the recipes to fit, the default first; tell what the data leave out."""
    params = {"device": args.device, "random_state": args.seed}
    network = MemorizingMLP(max_epochs=1, target_accuracy=None, **params)
    network.fit(data.X_train, data.y_train)
    wanted = {name: RECIPES[name] for name in RECIPES if name in args.ablations}
    recipes = {DEFAULT: RECIPES[DEFAULT], **wanted}
    for name in wanted:
        if reason := why_left_out(wanted[name], network, len(data.y_train)):
            print(f"notice: {name!r} is left out: {reason}.", file=sys.stderr)
            del recipes[name]
    return recipes


def why_left_out(params: dict[str, Any], default: Any, n_train: int) -> str | None:
    """Tell why a recipe shows nothing beside the fitted default, if so."""
    if any(getattr(default, f"{k}_", default) == v for k, v in params.items()):
        return "on these data and this device the default does the same"
    is_too_large = params.get("batch_size", 0) > n_train
    return f"there are only {n_train} training rows" if is_too_large else None


def with_running_averages(network: Any, X: np.ndarray, seed: int) -> MemorizingMLP:
    """Make a copy whose batch normalization has running averages.

    `fit` ends with the mean and the variance over all training rows. Instead, batches
    of the training's size pass through the final network in train mode until their
    averages have forgotten their start: moving weights would make them lag behind.
    """
    twin = copy.deepcopy(network)
    if not hasattr(twin, "net_"):  # the training diverged
        return twin
    module = twin.net_.module_
    for layer in module.modules():
        if isinstance(layer, torch.nn.BatchNorm1d):
            layer.reset_running_stats()
            layer.momentum = 0.1  # torch's default
    rng = np.random.default_rng(seed)
    # At least two rows each: the variance of a single one is no estimate.
    n_batches = max(1, min(-(-len(X) // network.batch_size_), len(X) // 2))
    module.train()
    with torch.no_grad():
        # After 200 batches their start weighs less than one in a billion.
        for _ in range(-(-200 // n_batches)):
            for rows in np.array_split(rng.permutation(len(X)), n_batches):
                module(torch.from_numpy(X[rows]).float().to(network.device_))
    module.eval()
    return twin


def run(args: Args, data: Data) -> pd.DataFrame:
    """Run all fits, each repeat with all recipes in turn; one row for each ablation."""
    recipes, fits = choose_recipes(args, data), []
    seeds = range(args.seed, args.seed + args.repeats)
    cells = [(name, seed) for seed in seeds for name in recipes]
    for name, seed in track(cells, "{0[0]}, seed {0[1]}".format):
        y = data.y_train
        if args.labels == "permuted":
            y = LabelPermuter(random_state=seed).fit(y).transform(y)
        params = {"max_epochs": args.max_epochs, "target_accuracy": ZERO_ERROR}
        params |= {"device": args.device, "random_state": seed, **recipes[name]}
        network = MemorizingMLP(**params)
        seconds = timed_fit_or_nan(network, data.X_train, y)
        fit = {"seconds": seconds, "diverged": math.isnan(seconds)}
        found = {name: network}
        if name == DEFAULT and RUNNING_AVERAGES in args.ablations:
            found[RUNNING_AVERAGES] = with_running_averages(network, data.X_train, seed)
        fits += [{"ablation": n, **fit, **measure(found[n], data, y)} for n in found]
    return summarize(fits, data, args.labels)


def measure(network: MemorizingMLP, data: Data, y: np.ndarray) -> dict[str, Any]:
    """Measure a fitted network by its predictions; one that diverged has none."""
    if not hasattr(network, "net_"):
        return {"reached": False}
    accuracy = float(network.score(data.X_train, y))
    return {
        "reached": accuracy >= ZERO_ERROR * network.attainable_accuracy_,
        "epochs": network.n_epochs_,
        "train_accuracy": accuracy,
        "test_accuracy": network.score(data.X_test, data.y_test),
    }


def summarize(fits: list[dict[str, Any]], data: Data, labels: str) -> pd.DataFrame:
    """Average over the fits of each ablation that did not diverge."""
    measures = ["epochs", "seconds", "train_accuracy"]
    measures += ["test_accuracy"] * (labels == "true")
    table = pd.DataFrame(fits, columns=["ablation", "reached", "diverged", *measures])
    means = mean_and_spread(table, ["ablation"], measures)
    counts = table.groupby("ablation")[["reached", "diverged"]].sum().astype(int)
    return means.assign(**data.facts, labels=labels).merge(counts.reset_index())


def _diverged(row: Mapping[str, Any]) -> str:
    return f", {row['diverged']} diverged" * (row["diverged"] > 0)


COLUMNS: Columns = {
    **columns("ablation", "epochs"),
    "fit s": with_spread("seconds", ".1f"),
    "reached": lambda row: f"{row['reached']}/{row['n_seeds']}{_diverged(row)}",
    **columns("train_accuracy"),
}


def judge(table: pd.DataFrame) -> list[Claim]:
    """Judge whether the default reaches its target, and what each ingredient saves."""
    rows = table.set_index("ablation")
    return [_judge(str(name), row, rows.loc[DEFAULT]) for name, row in rows.iterrows()]


def _judge(name: str, row: pd.Series, default: pd.Series) -> Claim:
    told = f"by {row['reached']} of {count(row['n_seeds'], 'seed')}{_diverged(row)}; "
    told += claims.tell_fitted(row)
    missed, default_missed = (r["reached"] < r["n_seeds"] for r in (row, default))
    if name in (DEFAULT, RUNNING_AVERAGES):
        text = f"with {name} zero training error (at least {ZERO_ERROR:.2%}) is reached"
        return Claim(text, not missed, told)
    errors = [claims.spread_error(r, "epochs") for r in (row, default)]
    gap = exceeds(row["epochs"], default["epochs"], NOISE * math.hypot(*errors))
    holds = gap and bool(row["epochs"] > default["epochs"])
    if missed or default_missed:
        # Who reaches the target always is the better one; epochs do not compare.
        holds = None if missed and default_missed else bool(missed)
    told += f", {row['epochs'] / default['epochs']:.2f} times the default's epochs, "
    told += f"{row['seconds'] / default['seconds']:.2f} times its seconds"
    return Claim(f"the default takes fewer epochs than {name}", holds, told)


OPTIONS: Own = {
    "ablations": (list(ABLATIONS), ABLATIONS, "what to run with the default")
}
PARSER = make_parser(__doc__, "device labels max-epochs", OPTIONS)
add_repeats(PARSER, "fits of each recipe, with one seed after the other")


def main(argv: list[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    args = PARSER.parse_args(argv)
    data = load_data(args)
    table = run(args, data)
    title = f"Ablations of the default recipe, {args.labels} labels: {data.title}, "
    title += f"{len(data.y_train)} rows"
    of_true = columns("test_accuracy") if args.labels == "true" else {}
    report(args, title, table, judge(table), {**COLUMNS, **of_true})


if __name__ == "__main__":
    run_script(main)
