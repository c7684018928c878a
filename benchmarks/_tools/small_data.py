"""The second table of speed.py: networks so small that overhead counts."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from _tools.common import say, warm_up
from _tools.contenders import CONTENDERS, PLAIN_LOOP, make_labels
from _tools.plain_loop import Task
from _tools.tables import Columns
from sk_memorize import MemorizingMLP, load_dataset

N_EPOCHS = 30


def make_small_task() -> Task:
    """Make the task, in the precision that MemorizingMLP chooses here."""
    chosen = MemorizingMLP(max_epochs=1, target_accuracy=None, device="cpu")
    chosen.fit(*_load_digits())
    return Task((128, 128), 128, chosen.precision_, n_epochs=N_EPOCHS)


def warm_up_contenders(names: Sequence[str], task: Task) -> None:
    """Let each contender fit something before any is timed."""
    say("made-up rows, to warm up")
    for name in names:
        warm_up(CONTENDERS[name].fit, dataclasses.replace(task, n_epochs=2), 0)


def _load_digits() -> tuple[np.ndarray, np.ndarray]:
    digits = load_dataset("digits")
    return digits.X_train, digits.y_train.astype(np.int64)


def run_small(names: Sequence[str], repeats: int, seed: int) -> pd.DataFrame:
    """Let all contenders train for 30 epochs on permuted labels of digits.

    The plain loop has the precision that MemorizingMLP chooses, and one thread,
    which MemorizingMLP also takes for so small steps. The final evaluation is a
    part of these two fits; of the others' it is not.

    Returns
    -------
    table : pandas.DataFrame
        One row for each contender: medians over the repeats. The ratio is that
        of the seconds of the same repeat; NaN if the plain loop is not among the
        contenders.
    """
    X, y = _load_digits()
    task = make_small_task()
    warm_up_contenders(names, task)
    fits = []
    for repeat in range(seed, seed + repeats):
        say(f"small data, seed {repeat}")
        labels = make_labels(y, "permuted", repeat)
        turn = {n: CONTENDERS[n].fit(X, labels, task, repeat) for n in names}
        plain = turn[PLAIN_LOOP].seconds if PLAIN_LOOP in turn else math.nan
        fits += [
            {
                "contender": name,
                "seconds": fit.seconds,
                "ratio_to_plain_loop": fit.seconds / plain,
                "train_accuracy": fit.train_accuracy,
            }
            for name, fit in turn.items()
        ]
    return pd.DataFrame(fits).groupby("contender", sort=False).median().reset_index()


SMALL_COLUMNS: Columns = {
    "contender": "{contender}",
    "seconds": "{seconds:.3f}",
    "of the plain loop's": lambda row: f"{row['ratio_to_plain_loop']:.2f}".replace(
        "nan", "-"
    ),
    "train accuracy": "{train_accuracy:.5f}",
}
