"""The verdicts of the benchmarks follow the numbers and their uncertainty."""

import itertools
import math

import ablation
import corruption
import grid_search
import interpolation
import numpy as np
import pandas as pd
import paper_table
import parallel
import permuted
import pytest
import true_labels
from _tools.claims import Claim, both, exceeds, format_claims
from _tools.common import guess_std
from _tools.tables import format_table
from batch_size import judge_epoch_time, judge_quality, judge_sweet_spot

NAN = math.nan
ROW = {
    "protocol": "holdout",
    "dataset": "mnist",
    "n_train": 1000,
    "n_test": 10_000,
    "n_fits": 1,
    "train_accuracy": 1.0,
    "train_loss": 0.01,
    "test_accuracy": 0.9,
    "chance_accuracy": 0.1,
    "guess_std": 0.004,
    "epochs": 10.0,
    "seconds_to_fit": 0.5,
}


def table(*rows):
    return pd.DataFrame([{**ROW, **row} for row in rows])


def verdicts(claims):
    return [None if claim.holds is None else bool(claim.holds) for claim in claims]


def test_a_claim_is_printed_with_its_verdict():
    claims = [Claim("it rains", holds, "a drop") for holds in (np.bool_(True), False)]
    text = format_claims([*claims, Claim("it snows", None, "a cloud")])
    assert text.splitlines() == [
        "- holds: it rains; a drop.",
        "- does not hold: it rains; a drop.",
        "- undecided: it snows; a cloud.",
    ]


def test_what_noise_could_turn_around_is_undecided():
    assert exceeds(1.0, 1.0) is True
    assert [exceeds(x, 1.0, 0.1) for x in (1.2, 1.05, 0.95, 0.8)] == [
        *(True, None, None, False)
    ]
    assert exceeds(NAN, 1.0) is exceeds(2.0, 1.0, NAN) is None
    assert [both(True, None), both(None, False), both(True, True)] == [
        None,
        False,
        True,
    ]


def test_tables_have_no_nan():
    shown = format_table(table({"train_loss": NAN}).assign(epochs_std=NAN, extra=None))
    assert "nan" not in shown
    assert "train loss" not in shown
    assert "nan" not in format_table(table({"epochs": NAN}, {"epochs": 3.0}))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, [True, True, True, True]),
        ({"test_accuracy": 0.2}, [True, True, False, False]),
        ({"train_accuracy": 0.9}, [True, False, True, False]),
    ],
)
def test_permuted(changed, expected):
    rows = {"labels": "true"}, {"labels": "permuted", "test_accuracy": 0.1, **changed}
    assert verdicts(permuted.judge(table(*rows))) == expected


def test_guesses_scatter_as_much_as_if_classes_traded_names():
    y, guesses = np.random.default_rng(0).integers(4, size=(2, 60))
    guesses[y == 1] = 2
    names = itertools.permutations(range(4))
    accuracies = [(np.array(name)[guesses] == y).mean() for name in names]
    assert guess_std(y, guesses) == pytest.approx(np.std(accuracies))


@pytest.mark.parametrize(
    ("notebook", "generalizing", "expected"),
    [
        ({}, {}, [True, True, True, None]),  # equal recipes have no best one
        ({}, {"test_accuracy": 0.95}, [True, True, True, True]),
        ({}, {"test_accuracy": 0.85}, [True, True, True, False]),
        ({}, {"test_accuracy": 0.91}, [True, True, True, None]),
        ({"train_accuracy": 1.0}, {}, [False, True, True, None]),
        ({"train_accuracy": 0.9}, {"train_accuracy": 0.9}, [False, True, False, None]),
        ({"epochs": 5}, {}, [True, False, True, None]),
    ],
)
def test_true_labels(notebook, generalizing, expected):
    rows = table(
        {"recipe": "notebook", "epochs": 20, "train_accuracy": 0.9995, **notebook},
        {"recipe": "memorizing"},
        {"recipe": "generalizing", **generalizing},
    )
    histories = dict.fromkeys(true_labels.RECIPES, pd.DataFrame({"lr": [0.1, 0.1]}))
    claims = true_labels.judge(rows, histories)
    assert verdicts(claims) == expected
    assert "(10000 test rows, 1 fit)" in claims[-1].evidence


@pytest.mark.parametrize(
    ("fitted", "large", "expected"),
    [
        ((0.5, 1.0), 0.9, True),
        ((0.5, 1.0), 0.8, False),
        ((0.5, 1.0), 0.88, None),
        ((1.0, 1.0), 0.9, None),
        ((0.5, 0.5), 0.9, None),
    ],
)
def test_grid_search(fitted, large, expected):
    sizes = {"parameters": 10, "parameters_per_memorized_label": 1.0}
    small, wide = {**sizes, "norm": "None"}, {**sizes, "norm": "batch"}
    rows = table(
        {"labels": "true", **small, "test_accuracy": 0.88},
        {"labels": "true", **wide, "test_accuracy": large},
        {"labels": "permuted", **small, "train_accuracy": fitted[0]},
        {"labels": "permuted", **wide, "train_accuracy": fitted[1]},
    )
    assert verdicts(grid_search.judge(rows, ["norm"])) == [expected]


def batches(**columns):
    n = len(next(iter(columns.values())))
    made_up = {"batch_size": [8, 32, 128, 512, 2048][:n], "reached": True}
    return table(*[{}] * n).assign(**{**made_up, **columns})


@pytest.mark.parametrize(
    ("seconds", "first", "expected"),
    [
        ((9, 2, 1, 2, 9), True, True),
        ((1, 2, 3, 4, 5), True, False),
        ((5, 4, 3, 2, 1), True, False),
        ((9, 2, 1, 1.2, 1.4), True, False),
        ((9, 2, 1, 2, 9), False, True),
        # A lower bound shows that an end is slow only if it is high enough.
        ((1.2, 2, 1, 2, 9), False, None),
        ((NAN, 2, 1, 2, 9), False, True),
        ((1, 2), True, None),
    ],
)
def test_sweet_spot(seconds, first, expected):
    rows = batches(seconds=seconds)
    rows.loc[0, "reached"] = first
    assert judge_sweet_spot(rows.sample(frac=1, random_state=0))[0] is expected


def test_seeds_that_differ_more_than_the_batch_sizes_do_not_decide():
    rows = batches(seconds=(9.0, 2.0, 1.0, 2.0, 9.0), n_fits=2)
    noisy = rows.assign(seconds_std=rows["seconds"])
    assert judge_sweet_spot(noisy)[0] is None


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((5, 4, 3, 2, 1), True),
        ((5, 3, 3.2, 3, 3.1), True),
        ((5, 4, 1, 2, 3), False),
        # Each is near the one before, but they add up.
        ((5, 1, 1.1, 1.2, 1.3), False),
        ((3, 3, 3, 3, 3), False),
        ((NAN, 4, 3, 2, 1), True),
        ((NAN, NAN, NAN, NAN, 1), None),
    ],
)
def test_epoch_time(times, expected):
    assert judge_epoch_time(batches(seconds_per_epoch=times))[0] is expected


@pytest.mark.parametrize(
    ("accuracies", "n_test", "expected"),
    [
        ((0.95, 0.94, 0.93, 0.92, 0.91), 10_000, True),
        ((0.91, 0.92, 0.93, 0.94, 0.95), 10_000, False),
        # Two rows of a small test set make a perfect order, too.
        ((0.95, 0.949, 0.948, 0.947, 0.946), 360, None),
        ((0.93, 0.95, 0.91, 0.94, 0.92), 10_000, None),
        ((0.9,) * 5, 10_000, None),
        ((0.95, 0.94, 0.93, 0.92), 10_000, None),
    ],
)
def test_quality(accuracies, n_test, expected):
    found = judge_quality(batches(test_accuracy=accuracies).assign(n_test=n_test))[0]
    assert (None if found is None else bool(found)) is expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, [True, True, True, True, True, True, True, True]),
        # What was never fitted is not "still" fitted.
        ({0: (0.95, 0.1)}, [False, True, True, True, True, None, True, None]),
        ({0: (1.0, 0.2)}, [True, False, True, True, True, True, True, True]),
        ({1: (1.0, 0.11)}, [True, True, True, False, False, True, False, True]),
        ({2: (0.4, 0.1)}, [True, True, True, True, True, False, True, True]),
        ({3: (1.0, 0.7)}, [True, True, True, True, True, True, False, True]),
        ({3: (1.0, 0.81)}, [True, True, True, True, True, True, None, True]),
    ],
)
def test_paper_table(changed, expected):
    names = [("random", "none"), ("true", "none"), ("random", "weight decay")]
    names += [("true", "dropout"), ("true", "weight decay"), ("random", "dropout")]
    numbers = [(1.0, 0.1 if labels == "random" else 0.9) for labels, _ in names]
    rows = [
        {"labels": a, "regularizer": b, "train_accuracy": c, "test_accuracy": d}
        for i, (a, b) in enumerate(names)
        for c, d in [changed.get(i, numbers[i])]
    ]
    made_up = table(*rows).assign(setting="paper", model="3x512", n_seeds=1)
    claims = paper_table.judge(paper_table.add_paper(made_up))
    assert verdicts(claims) == expected


def corrupted(changed=()):
    """Make fits of one seed on whose numbers all claims hold."""
    rows = [
        ("true labels", 0.0, 0.02, 10, 1.0, [1.0, 0.1]),
        ("corrupted labels", 0.5, 0.4, 15, 1.5, [2.0, 1.5, 1.0]),
        ("random labels", 1.0, 0.9, 20, 2.0, [2.3, 2.0, 1.6, 1.0]),
        ("random pixels", 0.0, 0.8, 15, 2.0, [2.0, 1.0]),
        ("Gaussian inputs", 0.0, 0.9, 15, 2.0, [2.0, 1.0]),
    ]
    names = ["condition", "fraction", "test_error", "epochs", "seconds", "loss"]
    made_up = pd.DataFrame(rows, columns=names).assign(
        seed=0, train_accuracy=1.0, n_seeds=1, n_test=10_000, dataset="mnist"
    )
    made_up = made_up.assign(n_classes=10, chance_error=0.9)
    for name in ("epochs", "seconds"):
        made_up[f"relative_{name}"] = made_up[name] / made_up[name][0]
    for name, row, value in changed:
        column = made_up[name].tolist()
        column[row] = value
        made_up[name] = column
    return made_up


@pytest.mark.parametrize(
    ("name", "row", "value", "claim", "expected"),
    [
        ("train_accuracy", 3, 0.9998, 0, False),
        ("test_error", 0, 0.04, 1, False),
        ("test_error", 0, 0.031, 1, None),
        ("test_error", 1, 0.93, 2, False),
        ("test_error", 1, 0.905, 2, True),
        ("test_error", 2, 0.94, 3, False),
        ("test_error", 2, 0.921, 3, None),
        ("relative_epochs", 2, 5.1, 4, False),
        ("train_accuracy", 2, 0.9, 4, None),
        ("loss", 4, [2.0, 1.9, 1.8, 1.5, 1.0], 5, None),
        ("loss", 3, [2.0, 1.9], 5, None),
    ],
)
def test_corruption(name, row, value, claim, expected):
    fits = corrupted([(name, row, value)])
    claims = corruption.judge(fits, fits)
    assert verdicts(claims)[claim] is expected
    others = verdicts(claims)[:claim] + verdicts(claims)[claim + 1 :]
    assert name == "test_error" or claim == 4 or all(others)


def test_of_other_data_less_is_claimed():
    fits = corrupted([("test_error", 0, 0.5)]).assign(dataset="digits")
    assert len(corruption.judge(fits, fits)) == 5


@pytest.mark.parametrize(
    ("kernel", "expected"),
    [
        ({}, [True, True, True]),
        ({"test_accuracy": 0.905}, [True, True, None]),
        ({"train_accuracy": 0.9}, [False, False, False]),
    ],
)
def test_interpolation(kernel, expected):
    rows = [
        {"labels": labels, "method": method, **values}
        for labels in ("true", "permuted")
        for method, values in [
            ("line", {}),
            ("kernel", {"test_accuracy": 0.5, **kernel}),
        ]
    ]
    assert verdicts(interpolation.judge(table(*rows))) == expected


@pytest.mark.parametrize(
    ("default", "expected"),
    [
        ({}, [True, True]),
        ({"epochs": 40.0}, [True, False]),
        ({"epochs_std": 20.0}, [True, None]),
        ({"reached": 2}, [False, False]),
    ],
)
def test_ablation(default, expected):
    row = {"n_seeds": 3, "reached": 3, "diverged": 0, "seconds": 4.0}
    row["epochs_std"] = 1.0
    rows = {"ablation": "default", **row, **default}, {"ablation": "SGD", **row}
    rows[1]["epochs"] = 30.0
    assert verdicts(ablation.judge(table(*rows))) == expected


@pytest.mark.parametrize(
    ("ratios", "n_cores", "expected"),
    [
        ((0.5, 0.6, 0.65), 2, True),
        ((0.66, 0.8, 0.9), 2, False),
        ((0.5, 0.6, 0.9), 2, None),
        ((0.5, 0.6, 0.65), 4, None),
    ],
)
def test_parallel(ratios, n_cores, expected):
    low, middle, high = ratios
    row = {"workers": 2, "torch_threads": 1, "predict_threads": 1, "ratio": middle}
    row |= {"ratio_low": low, "ratio_high": high, "scores_equal": True}
    names = {"backend": "sequential"}, {"backend": "loky"}
    rows = table(*({**name, **row} for name in names))
    assert verdicts(parallel.judge(rows, n_cores)) == [expected, True]
