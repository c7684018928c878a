"""Train an MLP to zero training error, by three recipes.

The claims: the recipe of the course's notebook stops just short of 99.99 %; the default
recipe, "memorizing", fits all labels in fewer epochs; and zero training error goes
together with the best test accuracy when the recipe is chosen for it.
"""

import argparse
import math
from collections.abc import Sequence
from functools import partial
from itertools import groupby

import numpy as np
import pandas as pd
from _tools import claims
from _tools.arguments import make_parser
from _tools.claims import NOISE, ZERO_ERROR, Claim, spread_error
from _tools.common import Data, load_data, run_protocols, run_script
from _tools.pictures import draw_histories
from _tools.tables import report
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sk_memorize import MemorizingMLP

# Accuracy that counts as just short of zero training error.
JUST_SHORT = 0.999

RECIPES = ("notebook", "memorizing", "generalizing")


def normalize(X: np.ndarray, mean: float, scale: float) -> np.ndarray:
    """Shift and scale all pixels alike."""
    return ((X - mean) / scale).astype(np.float32, copy=False)


def make_recipe(seed: int, *, name: str, data: Data, device: str) -> Pipeline:
    """Make the pipeline of a recipe; its inputs have mean 0 and deviation 1."""
    pixels = {"mean": float(data.X_train.mean()), "scale": float(data.X_train.std())}
    return make_pipeline(
        FunctionTransformer(normalize, kw_args=pixels),
        MemorizingMLP.from_recipe(name, random_state=seed, device=device),
    )


def run(
    args: argparse.Namespace, data: Data
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Run all fits; give the table, and histories of the first seed by recipe."""
    recipes = {
        name: partial(make_recipe, name=name, data=data, device=args.device)
        for name in RECIPES
    }
    return run_protocols(args, data, "recipe", recipes)


def describe_schedule(history: pd.DataFrame) -> str:
    """Tell the learning rates: epoch by epoch where they are few, else the range."""
    rates = [(float(f"{lr:.6g}"), epoch) for epoch, lr in history["lr"].items()]
    runs = [
        (rate, [epoch for _, epoch in run])
        for rate, run in groupby(rates, key=lambda pair: pair[0])
    ]
    if len(runs) > 6:
        low, high = history["lr"].min(), history["lr"].max()
        return f"{low:.1e} to {high:.1e}"
    return ", ".join(
        f"{rate:g} (epochs {epochs[0]}-{epochs[-1]})" for rate, epochs in runs
    )


def judge(table: pd.DataFrame, histories: dict[str, pd.DataFrame]) -> list[Claim]:
    """Judge the holdout fits."""
    rows = table[table["protocol"] == "holdout"].set_index("recipe")
    notebook, memorizing, generalizing = (rows.loc[recipe] for recipe in RECIPES)
    told = {
        recipe: f"{claims.tell_fitted(row)}, learning rate "
        f"{describe_schedule(histories[recipe])}"
        for recipe, row in rows.iterrows()
    }
    margin = NOISE * spread_error(notebook, "train_accuracy")
    is_close = claims.exceeds(notebook["train_accuracy"], JUST_SHORT, margin)
    noise = NOISE * math.hypot(
        spread_error(notebook, "epochs"), spread_error(memorizing, "epochs")
    )
    is_faster = claims.exceeds(notebook["epochs"], memorizing["epochs"] + 1, noise)
    return [
        Claim(
            f"the notebook's recipe stops just short of {ZERO_ERROR:.2%} (above "
            f"{JUST_SHORT:.2%})",
            claims.both(claims.negate(claims.fitted(notebook)), is_close),
            told["notebook"],
        ),
        Claim(
            f"the default, memorizing, fits all labels ({ZERO_ERROR:.2%}), in fewer "
            "epochs than the notebook's are",
            claims.both(claims.fitted(memorizing), is_faster),
            told["memorizing"],
        ),
        Claim(
            f"the generalizing recipe fits all labels ({ZERO_ERROR:.2%})",
            claims.fitted(generalizing),
            told["generalizing"],
        ),
        _judge_best(rows),
    ]


def _judge_best(rows: pd.DataFrame) -> Claim:
    """Compare the generalizing recipe with the best of the others."""
    best = rows.loc[rows.drop("generalizing")["test_accuracy"].idxmax()]
    gain, margin = claims.difference(rows.loc["generalizing"], best)
    return Claim(
        "the generalizing recipe has the best test accuracy",
        claims.exceeds(gain, 0, margin) if gain or margin else None,
        "; ".join(
            f"{recipe} {claims.tell_test(row)}" for recipe, row in rows.iterrows()
        ),
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    args = make_parser(__doc__, folds=0).parse_args(argv)
    data = load_data(args, args.folds)
    table, histories = run(args, data)
    title = f"True labels, three recipes: {data.title}"
    draw = partial(draw_histories, table, histories, title)
    report(args, title, table, judge(table, histories), draw=draw)


if __name__ == "__main__":
    run_script(main)
