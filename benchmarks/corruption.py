"""Corrupt more and more labels, up to all of them, and fit them all the same.

The sweep of figure 1 of Zhang et al. (2017, arXiv:1611.03530) with MemorizingMLP:
(a) learning curves for true labels, random labels, and true labels of randomized
inputs: shuffled pixels (the same permutation in all images), random pixels (another one
in each) and Gaussian noise; (b) time until 99.99 % of the labels are fitted, relative
to that for true labels, against the corruption level; (c) test error against it.

At corruption level p each label is independently, with probability p, replaced by a
class drawn uniformly from all of them, so that a share p(1 - 1/K) really changes: the
realized rate in the table. Test labels are never corrupted; inputs are randomized in
the test rows, too.

Time is that of fit: epochs and seconds up to the first epoch after which 99.99 % of the
fitted labels are right in eval mode. With the network's default schedule, cycles of the
learning rate, this is not asked before the rate has fallen to a quarter of its peak:
the epochs are near the end of a cycle, however simple the labels are, and their ratios
near to one. The first cycle has 16 epochs on MNIST, more on smaller data. With
--lr-scheduler exponential any epoch may be the last, and the ratios tell more.

With --output a sweep that was broken off goes on where it was, and a finished one can
be extended: given more --levels or --seed, only the fits that are missing are made.
"""

import argparse
import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from _tools.arguments import add_own, fraction, make_parser
from _tools.claims import NOISE, ZERO_ERROR, Claim, accuracy_error, count, exceeds
from _tools.common import (
    Data,
    fit_small_network,
    load_data,
    network_of,
    run_script,
    timed_fit,
    warm_up,
)
from _tools.pictures import draw_corruption
from _tools.sweep import Cell, add_output, mean_and_spread, run_sweep
from _tools.tables import report
from sklearn.pipeline import make_pipeline

from sk_memorize import (
    CorruptedTargetClassifier,
    GaussianInputs,
    LabelPermuter,
    MemorizingMLP,
    PixelRandomizer,
    PixelShuffler,
    memorization_scoring,
)

TRUE, RANDOM = "true labels", "random labels"
NOISE_INPUTS = ("random pixels", "Gaussian inputs")
INPUTS = ("shuffled pixels", *NOISE_INPUTS)
# Kinds after which labels tell nothing about the inputs; the others leave some trace.
RANDOM_KINDS = ("uniform", "permutation")
KINDS = (*RANDOM_KINDS, "symmetric", "asymmetric")

TRUE_ERROR = {"mnist": 0.03}  # claimed of the test error with true labels, at most
NEAR_CHANCE = 0.02  # how near to chance the test error must be at level 1
SMALL_FACTOR = 5.0  # the largest ratio of times that is called a small factor

_MEASURES = (
    *("realized_rate", "train_accuracy", "train_accuracy_true", "test_error"),
    *("epochs", "seconds", "relative_epochs", "relative_seconds"),
)


def label_condition(fraction: float, kind: str) -> str:
    """Name what is fitted at a corruption level, in the paper's words."""
    if fraction == 0:
        return TRUE
    return RANDOM if fraction == 1 and kind in RANDOM_KINDS else "corrupted labels"


def list_cells(levels: Sequence[float], seeds: Sequence[int], kind: str) -> list[Cell]:
    """List all fits, seed by seed."""
    conditions = [(label_condition(level, kind), level) for level in levels]
    conditions += [(condition, 0.0) for condition in INPUTS]
    return [
        {"condition": condition, "fraction": fraction, "seed": seed}
        for seed in seeds
        for condition, fraction in conditions
    ]


def make_inputs(condition: str, data: Data, seed: int) -> Any:
    """Make what randomizes the inputs, None where they stay as they are."""
    if condition == "shuffled pixels":
        return PixelShuffler(n_channels=data.n_channels, random_state=seed)
    if condition == "random pixels":
        return PixelRandomizer(n_channels=data.n_channels, random_state=seed)
    return GaussianInputs(random_state=seed) if condition == "Gaussian inputs" else None


def measure(cell: Cell, *, data: Data, args: argparse.Namespace) -> dict[str, Any]:
    """Fit one network, and test it on the clean test labels."""
    warm_up(fit_small_network, args.device)
    seed, level = cell["seed"], cell["fraction"]
    classifier = CorruptedTargetClassifier(
        MemorizingMLP(
            target_accuracy=ZERO_ERROR,
            lr_scheduler=args.lr_scheduler,
            max_epochs=args.max_epochs,
            device=args.device,
            random_state=seed,
        ),
        LabelPermuter(args.kind, fraction=level, exact=args.exact, random_state=seed),
    )
    inputs = make_inputs(cell["condition"], data, seed)
    X = data.X_train if inputs is None else inputs.fit_transform(data.X_train)
    # The network's time alone: to randomize inputs is no part of fitting them.
    seconds = timed_fit(classifier, X, data.y_train)
    model = classifier if inputs is None else make_pipeline(inputs, classifier)
    network = network_of(classifier)
    train, test = (data.X_train, data.y_train), (data.X_test, data.y_test)
    scorers = memorization_scoring()
    return {
        "realized_rate": classifier.realized_rate_,
        "train_accuracy": scorers["fitted_accuracy"](model, *train),
        "train_accuracy_true": float(scorers["accuracy"](model, *train)),
        "test_error": 1 - float(scorers["accuracy"](model, *test)),
        "epochs": network.n_epochs_,
        "seconds": seconds,
        "loss": network.history_["loss"].tolist(),
    }


def run(args: argparse.Namespace, data: Data) -> pd.DataFrame:
    """Make all fits that are missing; one row for each."""
    fits = run_sweep(
        args,
        data,
        list_cells(args.levels, args.seed, args.kind),
        functools.partial(measure, data=data, args=args),
        n_jobs=args.n_jobs,
        in_cells=("levels", "seed"),
    )
    # Of each seed, because seeds differ in time for all levels alike.
    true = fits[fits["condition"] == TRUE].set_index("seed")
    for name in ("epochs", "seconds"):
        fits[f"relative_{name}"] = fits[name] / fits["seed"].map(true[name])
    return fits


def summarize(fits: pd.DataFrame, data: Data, kind: str) -> pd.DataFrame:
    """Average over the seeds; one row for each condition and level."""
    table = mean_and_spread(fits, ["condition", "fraction"], _MEASURES)
    table.insert(0, "dataset", data.name)
    n_classes = len(np.unique(data.y_train))
    # Guesses have the frequencies of the corrupted labels.
    chance = data.chance_accuracy if kind == "permutation" else 1 / n_classes
    n_train, n_test = len(data.y_train), len(data.y_test)
    return table.assign(
        chance_error=1 - chance, n_train=n_train, n_test=n_test, n_classes=n_classes
    )


def judge(fits: pd.DataFrame, table: pd.DataFrame) -> list[Claim]:
    """Judge each claim that is made of such data, by all fits and by their means."""
    levels = table[table["condition"].str.endswith("labels")]
    levels = levels.sort_values("fraction")
    first, last = levels.iloc[0], levels.iloc[-1]
    claims = [
        _all_fitted(fits),
        _true_labels(first),
        _rises(levels),
        _ends_at_chance(last),
        _takes_longer(fits, last),
        _noise_is_easier(fits, last),
    ]
    return [claim for claim in claims if claim is not None]


def _all_fitted(fits: pd.DataFrame) -> Claim:
    worst = fits.loc[fits["train_accuracy"].idxmin()]
    return Claim(
        f"at each level and in each condition at least {ZERO_ERROR:.2%} of the fitted "
        "labels are right",
        worst["train_accuracy"] >= ZERO_ERROR,
        f"the worst of {len(fits)} fits has {worst['train_accuracy']:.5f}: "
        f"{worst['condition']}, level {worst['fraction']:g}, seed {worst['seed']}",
    )


def _true_labels(row: pd.Series) -> Claim | None:
    if row["dataset"] not in TRUE_ERROR:  # nothing is claimed of these data
        return None
    most = TRUE_ERROR[row["dataset"]]
    text = f"with true labels the test error is under {most:.0%}"
    return Claim(text, exceeds(most, row["test_error"], _noise(row)), _tell(row))


def _noise(*rows: pd.Series) -> float:
    return NOISE * math.hypot(*(accuracy_error(row, "test_error") for row in rows))


def _tell(row: pd.Series) -> str:
    error, seeds = accuracy_error(row, "test_error"), count(row["n_seeds"], "seed")
    return f"{row['test_error']:.4f} ± {error:.4f} ({row['n_test']} test rows, {seeds})"


def _rises(levels: pd.DataFrame) -> Claim:
    """Compare each level with all later ones."""
    rows = [row for _, row in levels.iterrows()]
    falls = [
        (
            earlier["test_error"] - later["test_error"],
            _noise(earlier, later),
            f"from level {earlier['fraction']:g} to {later['fraction']:g}",
        )
        for i, earlier in enumerate(rows)
        for later in rows[i + 1 :]
    ]
    fall, noise, where = max(falls, key=lambda fall: fall[0] - fall[1])
    return Claim(
        "the test error never falls as the level rises, apart from noise (up to "
        f"{NOISE:g} standard errors)",
        fall <= noise,
        f"the nearest to a fall is {-fall:+.4f} {where}, with noise of {noise:.4f}",
    )


def _ends_at_chance(row: pd.Series) -> Claim | None:
    if row["condition"] != RANDOM:  # such labels still tell something
        return None
    chance = row["chance_error"]
    text = f"at level 1 the test error is that of guessing, within {NEAR_CHANCE:g}"
    holds = exceeds(NEAR_CHANCE, abs(row["test_error"] - chance), _noise(row))
    return Claim(text, holds, f"{_tell(row)}, where guessing has {chance:.4f}")


def _takes_longer(fits: pd.DataFrame, row: pd.Series) -> Claim:
    last = fits_of(fits, row["condition"], row["fraction"])
    ratios = last[["relative_epochs", "relative_seconds"]]
    means, errors = ratios.mean(), ratios.sem().fillna(0.0)
    told = [
        f"{mean:.2f} ± {error:.2f} times the {name.removeprefix('relative_')}"
        for (name, mean), error in zip(means.items(), errors, strict=True)
    ]
    return Claim(
        "at level 1 the labels are fitted in a small multiple (up to "
        f"{SMALL_FACTOR:g}) of the epochs for true ones",
        exceeds(SMALL_FACTOR, means.iloc[0], NOISE * errors.iloc[0]),
        f"{', '.join(told)}, over {count(len(last), 'seed')}",
    )


def fits_of(fits: pd.DataFrame, condition: str, level: float) -> pd.DataFrame:
    """Select the fits of a condition and level, one for each seed."""
    return fits[(fits["condition"] == condition) & (fits["fraction"] == level)]


def _noise_is_easier(fits: pd.DataFrame, row: pd.Series) -> Claim:
    """Compare the epochs in which the loss has fallen to half of that of guessing."""

    def first_epochs(losses: pd.Series) -> np.ndarray:
        half = math.log(row["n_classes"]) / 2
        below = [np.flatnonzero(np.asarray(loss) <= half) for loss in losses]
        return np.array([1 + epochs[0] if len(epochs) else np.inf for epochs in below])

    labels = row["condition"]
    of_labels = first_epochs(fits_of(fits, labels, row["fraction"])["loss"])
    noise = {
        name: first_epochs(fits.loc[fits["condition"] == name, "loss"])
        for name in NOISE_INPUTS
    }
    told = ", ".join(f"{name} {found.mean():g}" for name, found in noise.items())
    # Each seed is compared with itself; if they disagree, more are needed.
    sooner = np.concatenate([found < of_labels for found in noise.values()])
    return Claim(
        "true labels of random pixels and of Gaussian inputs begin to be learned "
        f"sooner than {labels} of the images",
        True if sooner.all() else None if sooner.any() else False,
        f"the first epoch with half of the loss of guessing: {told}, {labels} "
        f"{of_labels.mean():g}, over {count(len(of_labels), 'seed')}",
    )


def draw(fits: pd.DataFrame, table: pd.DataFrame, kind: str, title: str) -> Any:
    """Draw the three panels; the curves are those of both ends and of the inputs."""
    ends = [(TRUE, 0.0), (label_condition(1, kind), 1.0)]
    histories = {
        condition: [
            pd.DataFrame(
                {"loss": loss, "accuracy": math.nan}, index=range(1, len(loss) + 1)
            )
            for loss in fits_of(fits, condition, level)["loss"]
        ]
        for condition, level in [*ends, *((condition, 0.0) for condition in INPUTS)]
    }
    return draw_corruption(table, histories, title)


def make_own_parser() -> argparse.ArgumentParser:
    """Make the parser; options of other scripts have the same meaning here."""
    options = "dataset", "data-home", "max-samples", "device", "plot", "n-jobs", "seed"
    parser = make_parser(__doc__, (*options, "max-epochs"), max_epochs=200)
    add_output(parser)
    own = {
        "levels": (
            [i / 10 for i in range(11)],
            fraction,
            "corruption levels from 0 to 1; those two are always among them",
        ),
        "kind": (
            "uniform",
            KINDS,
            "what becomes of a selected label; uniform: a class drawn from all, "
            "possibly its own; permutation: the selected ones are permuted among "
            "themselves; symmetric: one of the other classes; asymmetric: the next "
            "class",
        ),
        "exact": (
            False,
            None,
            "select exactly the share of the rows that the level tells, not each row "
            "independently with that probability",
        ),
        "lr-scheduler": (
            "onecycle",
            ("onecycle", "exponential"),
            "learning rate; onecycle: rises and falls in cycles, MemorizingMLP's "
            "default; exponential: 0.95 times the last epoch's, as in the paper, so "
            "that each epoch may be the last",
        ),
    }
    add_own(parser, own)
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    args = make_own_parser().parse_args(argv)
    args.levels = sorted({0.0, 1.0, *args.levels})
    args.seed = list(dict.fromkeys(args.seed))
    data = load_data(args)
    fits = run(args, data)
    table = summarize(fits, data, args.kind)
    title = (
        f"MemorizingMLP on {data.title}, {args.kind} corruption of labels, "
        f"{count(len(args.seed), 'seed')}"
    )
    report(
        args,
        f"Corrupted labels ({args.kind}): {data.title}, {len(data.y_train)} rows",
        table,
        judge(fits, table),
        draw=lambda: draw(fits, table, args.kind, title),
    )


if __name__ == "__main__":
    run_script(main)
