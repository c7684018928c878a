"""Corrupt more and more labels, up to all of them, and fit them all the same.

The sweep of figure 1 of Zhang et al. (2017, arXiv:1611.03530) with MemorizingMLP:
(a) learning curves for true and random labels, and for true labels of randomized
inputs; (b) time until 99.99 % of the labels are fitted, relative to that for true
labels, against the corruption level; (c) test error against it.

At level p each label is independently, with probability p, replaced by a class drawn
uniformly from all of them, so that a share p(1 - 1/K) really changes. Test labels stay
true; inputs are randomized in the test rows, too. Time is that of fit: by default up to
the end of a cycle of the learning rate, with --lr-scheduler exponential to any epoch.
"""

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from _tools import claims
from _tools.arguments import Args, fraction, make_parser
from _tools.claims import NOISE, ZERO_ERROR, Claim, count, exceeds
from _tools.common import Data, load_data, network_of, run_script, timed_fit
from _tools.pictures import draw_corruption
from _tools.sweep import Cell, mean_and_spread, run_sweep
from _tools.tables import columns, report
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sk_memorize import (
    CorruptedTargetClassifier,
    GaussianInputs,
    LabelPermuter,
    MemorizingMLP,
    PixelRandomizer,
    PixelShuffler,
    memorization_scoring,
)

LABELS = {0.0: "true labels", 1.0: "random labels"}  # by level, in the paper's words
NOISE_INPUTS = ("random pixels", "Gaussian inputs")
INPUTS = ("shuffled pixels", *NOISE_INPUTS)
# Claimed: test error with true labels; its distance from chance at level 1; time.
TRUE_ERROR, NEAR_CHANCE, SMALL_FACTOR = {"mnist": 0.03}, 0.02, 5.0


def list_fits(args: Args) -> Iterator[Cell]:
    """List all fits, seed by seed."""
    levels = sorted({0.0, 1.0, *args.levels})
    kinds = [(LABELS.get(p, "corrupted labels"), p) for p in levels]
    kinds += [(condition, 0.0) for condition in INPUTS]
    for seed in dict.fromkeys(args.seed):
        for condition, level in kinds:
            yield {"condition": condition, "fraction": level, "seed": seed}


def make_inputs(condition: str, data: Data, seed: int) -> Any:
    """Make what randomizes the inputs, or leaves them as they are."""
    if condition == "Gaussian inputs":
        return GaussianInputs(random_state=seed)
    if condition == "shuffled pixels":
        return PixelShuffler(n_channels=data.n_channels, random_state=seed)
    if condition == "random pixels":
        return PixelRandomizer(n_channels=data.n_channels, random_state=seed)
    return FunctionTransformer()


def measure(args: Args, data: Data, cell: Cell) -> dict[str, Any]:
    """Fit one network, and test it on the clean test labels."""
    seed, level = cell["seed"], cell["fraction"]
    params = {"max_epochs": args.max_epochs, "lr_scheduler": args.lr_scheduler}
    params |= {"device": args.device, "random_state": seed}
    classifier = CorruptedTargetClassifier(
        MemorizingMLP(target_accuracy=ZERO_ERROR, **params),
        LabelPermuter("uniform", fraction=level, exact=False, random_state=seed),
    )
    inputs = make_inputs(cell["condition"], data, seed)
    X = inputs.fit_transform(data.X_train)
    seconds = timed_fit(classifier, X, data.y_train)  # that of the network alone
    model, scorers = make_pipeline(inputs, classifier), memorization_scoring()
    train, network = (model, data.X_train, data.y_train), network_of(classifier)
    return {
        "realized_rate": classifier.realized_rate_,
        "train_accuracy": scorers["fitted_accuracy"](*train),
        "train_accuracy_true": float(scorers["accuracy"](*train)),
        "test_error": 1 - float(scorers["accuracy"](model, data.X_test, data.y_test)),
        "epochs": network.n_epochs_,
        "seconds": seconds,
        "loss": network.history_["loss"].tolist(),
    }


def run(args: Args, data: Data) -> pd.DataFrame:
    """Make all fits that are missing; one row for each."""
    fits = run_sweep(args, data, list_fits(args), measure, in_cells=("levels", "seed"))
    # Of each seed, because seeds differ in time for all levels alike.
    true = fits[fits["condition"] == LABELS[0]].set_index("seed")
    for name in ("epochs", "seconds"):
        fits[f"relative_{name}"] = fits[name] / fits["seed"].map(true[name])
    return fits


_SCORES = "realized_rate", "train_accuracy", "train_accuracy_true", "test_error"
_MEASURES = *_SCORES, "epochs", "seconds", "relative_epochs", "relative_seconds"
_FACTS = "chance_error", "n_train", "n_test", "n_classes"
COLUMNS = columns("dataset", "condition", "fraction", *_MEASURES, "n_seeds", *_FACTS)


def summarize(fits: pd.DataFrame, data: Data) -> pd.DataFrame:
    """Average over the seeds; one row for each condition and level."""
    table = mean_and_spread(fits, ["condition", "fraction"], _MEASURES)
    n = len(np.unique(data.y_train))
    return table.assign(**data.facts, n_classes=n, chance_error=1 - 1 / n)


def judge(fits: pd.DataFrame, table: pd.DataFrame) -> list[Claim]:
    """Judge each claim that is made of such data, by all fits and by their means."""
    levels = table[table["condition"].str.endswith("labels")].sort_values("fraction")
    worst = fits.loc[fits["train_accuracy"].idxmin()]
    text = f"at each level and in each condition at least {ZERO_ERROR:.2%} of the "
    told = f"the worst of {len(fits)} fits has {worst['train_accuracy']:.5f}: "
    told += f"{worst['condition']}, level {worst['fraction']:g}, seed {worst['seed']}"
    holds = worst["train_accuracy"] >= ZERO_ERROR
    all_fitted = Claim(f"{text}fitted labels are right", holds, told)
    return [all_fitted, *_judge_errors(levels), *_judge_times(fits, table)]


def _judge_errors(levels: pd.DataFrame) -> Iterator[Claim]:
    rows = [row for _, row in levels.iterrows()]
    tests = levels["test_error"].to_numpy()
    noise = NOISE * np.array([claims.accuracy_error(row, "test_error") for row in rows])
    told = [claims.tell_test(row, "test_error", "seed") for row in rows]
    if most := TRUE_ERROR.get(rows[0]["dataset"]):  # of other data nothing is claimed
        text = f"with true labels the test error is under {most:.0%}"
        yield Claim(text, exceeds(most, tests[0], noise[0]), told[0])
    # Each level is compared with all later ones.
    falls, noises = np.subtract.outer(tests, tests), np.hypot.outer(noise, noise)
    pairs = np.triu_indices(len(rows), 1)
    nearest = np.argmax((falls - noises)[pairs])
    i, j = (int(index[nearest]) for index in pairs)
    fall, margin = falls[i, j], noises[i, j]
    text = "the test error never falls as the level rises, apart from noise (up to "
    text += f"{NOISE:g} standard errors)"
    where = f"from level {rows[i]['fraction']:g} to {rows[j]['fraction']:g}, with noise"
    where = f"the nearest to a fall is {-fall:+.4f} {where} of {margin:.4f}"
    yield Claim(text, fall <= margin, where)
    chance = rows[-1]["chance_error"]
    text = f"at level 1 the test error is that of guessing, within {NEAR_CHANCE:g}"
    holds = exceeds(NEAR_CHANCE, abs(tests[-1] - chance), noise[-1])
    yield Claim(text, holds, f"{told[-1]}, where guessing has {chance:.4f}")


def _judge_times(fits: pd.DataFrame, table: pd.DataFrame) -> Iterator[Claim]:
    # The epoch in which the loss has fallen to half of that of guessing.
    half = np.log(table["n_classes"].iloc[0]) / 2
    below = [np.flatnonzero(np.asarray(loss) <= half) + 1.0 for loss in fits["loss"]]
    first = [epochs[0] if len(epochs) else np.inf for epochs in below]
    fits = fits.assign(first=first).set_index(["condition", "seed"])
    last, firsts = fits.loc[LABELS[1]], fits["first"]
    ratios = last[["relative_epochs", "relative_seconds"]]
    means, errors = ratios.mean(), ratios.sem().fillna(0.0)
    epochs, seconds = (f"{means[name]:.2f} ± {errors[name]:.2f}" for name in ratios)
    seeds = f"over {count(len(last), 'seed')}"
    text = "at level 1 the labels are fitted in a small multiple (up to "
    text += f"{SMALL_FACTOR:g}) of the epochs for true ones"
    # Epochs of what was not fitted are a lower bound.
    all_fitted = bool((last["train_accuracy"] >= ZERO_ERROR).all()) or None
    is_small = exceeds(SMALL_FACTOR, means.iloc[0], NOISE * errors.iloc[0])
    holds = claims.both(all_fitted, is_small)
    told = f"{epochs} times the epochs, {seconds} times the seconds, {seeds}"
    yield Claim(text, holds, told)
    # Each seed is compared with itself; if they disagree, more are needed.
    found = {name: firsts[name] for name in (*NOISE_INPUTS, LABELS[1])}
    sooner = pd.concat([found[name] < last["first"] for name in NOISE_INPUTS])
    told = ", ".join(f"{name} {epochs.mean():g}" for name, epochs in found.items())
    text = "true labels of random pixels and of Gaussian inputs begin to be learned "
    text += f"sooner than {LABELS[1]} of the images"
    told = f"the first epoch with half of the loss of guessing: {told}, {seeds}"
    yield Claim(text, True if sooner.all() else None if sooner.any() else False, told)


LEVELS = [i / 10 for i in range(11)]
OPTIONS = {
    "levels": (LEVELS, fraction, "corruption levels; 0 and 1 are always among them"),
    "lr-scheduler": ("onecycle", ("onecycle", "exponential"), "learning rate"),
}
_NAMES = "device plot n-jobs seed max-epochs"
PARSER = make_parser(__doc__, _NAMES, OPTIONS, max_epochs=200)


def main(argv: list[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    args = PARSER.parse_args(argv)
    data = load_data(args)
    fits = run(args, data)
    table = summarize(fits, data)
    title = f"Corrupted labels (uniform): {data.title}, {len(data.y_train)} rows"
    draw = functools.partial(draw_corruption, fits, table, data.title)
    report(args, title, table, judge(fits, table), COLUMNS, draw)


if __name__ == "__main__":
    run_script(main)
