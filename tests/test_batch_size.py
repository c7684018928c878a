"""The script about batch sizes, run on digits, and its verdicts."""

import dataclasses
import json
import math
import re
import subprocess
import sys
from pathlib import Path

import _convergence
import batch_size
import numpy as np
import pytest
from _common import Data

KEYS = [
    *("dataset", "batch_size", "lr_rule", "lr", "lr_at_edge", "search_seconds"),
    *("epochs", "epochs_std", "seconds", "seconds_std"),
    *("seconds_per_epoch", "seconds_per_epoch_std"),
    *("train_accuracy", "train_accuracy_std", "test_accuracy", "test_accuracy_std"),
    *("n_seeds", "reached", "rows_per_step", "n_train", "n_test"),
]
QUICK = ["--dataset", "digits", "--max-samples", "256", "--search-epochs", "5"]
SIZES = ["--batch-sizes", "64", "16", "256", "512", "16"]


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=96)
    X = rng.standard_normal((96, 8)).astype(np.float32)
    X[:, :3] += np.eye(3, dtype=np.float32)[y]
    return Data("noise", "noise", X, y, X, y)


@pytest.fixture
def args():
    return batch_size.make_own_parser().parse_args([])


def train(data, args, **params):
    defaults = {"batch_size": 16, "lr": 0.01, "seed": 0, "max_epochs": 300}
    return _convergence.train(data, args, **{**defaults, **params})


def run_script(tmp_path, *arguments):
    output = tmp_path / "table.json"
    batch_size.main([*QUICK, *arguments, "--output", str(output)])
    return json.loads(output.read_text())


def test_each_batch_size_has_a_row_for_each_rule(tmp_path, capsys):
    plot = tmp_path / "curves.png"
    records = run_script(tmp_path, *SIZES, "--plot", str(plot), "--max-epochs", "150")
    assert [(r["lr_rule"], r["batch_size"]) for r in records] == [
        (rule, size) for rule in ("fixed", "tuned") for size in (16, 64, 256)
    ]
    for record in records:
        assert list(record) == KEYS
        assert (record["n_train"], record["n_test"], record["n_seeds"]) == (256, 360, 1)
        assert record["rows_per_step"] == record["batch_size"]
        assert record["reached"] == (record["train_accuracy"] >= 0.9999)
        assert record["reached"]
        assert record["test_accuracy"] > 0.8
        assert record["seconds"] > 0
        assert record["seconds_per_epoch"] > 0
        tuned = record["lr_rule"] == "tuned"
        assert (record["search_seconds"] is None) != tuned
        if not tuned:
            assert record["lr"] == 0.001
    captured = capsys.readouterr()
    assert "notice: batch sizes above 256 are left out" in captured.err
    assert "Batch size: digits" in captured.out
    for claim in ("sweet spot", "time per epoch", "smaller batches"):
        assert claim in captured.out
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_a_sweep_goes_on_where_it_was_and_takes_more_seeds(tmp_path, monkeypatch):
    arguments = ["--batch-sizes", "64", "256", "--max-epochs", "5"]
    first = run_script(tmp_path, *arguments)
    trained = []

    def record_training(data, args, **params):
        trained.append((params["batch_size"], params["seed"]))
        return _convergence.train(data, args, **params)

    monkeypatch.setattr(batch_size, "train", record_training)
    assert run_script(tmp_path, *arguments) == first
    assert not trained
    more = run_script(tmp_path, *arguments, "--seed", "0", "1")
    assert {seed for _, seed in trained} == {1}
    for record, before in zip(more, first, strict=True):
        assert record["n_seeds"] == 2
        assert record["test_accuracy_std"] is not None
        assert record["lr"] == before["lr"]
        assert not record["reached"]


def test_the_training_ends_with_the_first_epoch_that_has_all_rows_right(data, args):
    # Small batches: their running accuracy is far from that in eval mode.
    outcome = train(data, args, batch_size=8, lr=0.003)
    assert outcome.reached
    assert outcome.network.train_accuracy_ == 1.0
    assert outcome.network.score(data.X_train, data.y_train) == 1.0
    assert outcome.network.history_["accuracy"].iloc[-1] < 0.99
    assert outcome.seconds == pytest.approx(outcome.network.history_["seconds"].sum())
    before = train(data, args, batch_size=8, lr=0.003, max_epochs=outcome.epochs - 1)
    assert not before.reached
    assert before.network.train_accuracy_ < 1.0
    assert before.rank > outcome.rank


def test_a_training_gives_up_when_its_time_is_over(data, args):
    outcome = train(data, args, lr=1e-6, budget=1e-9)
    assert (outcome.epochs, outcome.reached) == (1, False)


def test_a_training_that_diverges_is_the_worst_outcome(data, args):
    outcome = train(data, args, lr=1e30)
    assert outcome.network is None
    assert not outcome.reached
    assert outcome.rank > train(data, args, lr=1e-6, max_epochs=1).rank
    record = batch_size.measure(args, data, {"batch_size": 16, "lr": 1e30, "seed": 0})
    assert not record["reached"]
    assert math.isnan(record["test_accuracy"])


def test_candidates_follow_the_root_of_the_batch_size():
    assert batch_size.candidates(0.001, [0.25, 4, 1, 4], 2048) == [0.002, 0.0005, 0.008]
    assert batch_size.candidates(0.001, [1], 8) == [0.000125]


def test_the_search_takes_the_first_to_converge_without_test_rows(data, args):
    args.lr, args.lr_factors, args.search_epochs = 0.01, [0.01, 1, 10], 200
    untested = dataclasses.replace(data, X_test=None, y_test=None)
    found = batch_size.search(args, untested, {"batch_size": 32, "step": "search"})
    scaled = batch_size.candidates(args.lr, args.lr_factors, 32)
    outcomes = [
        train(data, args, batch_size=32, lr=lr, seed=batch_size._SEARCH_SEED)
        for lr in scaled
    ]
    epochs = [o.epochs if o.reached else math.inf for o in outcomes]
    assert min(epochs) < sorted(epochs)[1]  # otherwise there is nothing to find
    assert found["tuned_lr"] == scaled[int(np.argmin(epochs))]
    assert found["search_seconds"] > 0


def test_the_search_takes_the_lowest_loss_where_none_converges(data, args):
    args.lr_factors, args.search_epochs = [1e-3, 1, 1e9], 2
    found = batch_size.search(args, data, {"batch_size": 32, "step": "search"})
    assert found["tuned_lr"] == 0.00025
    assert not found["lr_at_edge"]
    args.lr_factors = [1e-3, 1]
    assert batch_size.search(args, data, {"batch_size": 32})["lr_at_edge"]
    args.lr_factors = [1]
    assert not batch_size.search(args, data, {"batch_size": 32})["lr_at_edge"]


def test_the_courses_network_can_be_trained(tmp_path):
    arguments = ["--network", "course", "--batch-sizes", "128", "--max-epochs", "2"]
    records = run_script(tmp_path, *arguments, "--search-steps", "1")
    assert [record["epochs"] for record in records] == [2, 2]
    course = _convergence.NETWORKS["course"]
    assert course["hidden_layer_sizes"] == (256, 512, 256, 128, 64, 32)
    assert course["lr_scheduler"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["--batch-sizes", "0"],
            "--batch-sizes: must be an int of at least 2, got '0'",
        ),
        (["--batch-sizes", "1"], "--batch-sizes: must be an int of at least 2, got"),
        (["--batch-sizes", "512"], "--batch-sizes: none is at most 256"),
        (["--max-epochs", "0"], "--max-epochs: must be an int of at least 1"),
        (["--budget", "-1"], "--budget: must be a positive number, got '-1'"),
        (["--lr", "0"], "--lr: must be a positive number, got '0'"),
        (["--lr-factors", "x"], "--lr-factors: must be a positive number, got 'x'"),
        (["--search-steps", "0"], "--search-steps: must be an int"),
        (["--search-epochs", "0"], "--search-epochs: must be an int"),
        (["--network", "resnet"], "--network: invalid choice: 'resnet'"),
        (["--plot", "{tmp}/x.txt"], "--plot: .* must end in one of .png"),
        (["--output", "{tmp}/none/x.csv"], "--output: the folder .*none does not"),
        (["--max-samples", "11"], "--max-samples: 11 rows are too few"),
    ],
)
def test_wrong_arguments_are_named_before_any_work(
    arguments, words, tmp_path, capsys, monkeypatch
):
    def never(*args, **kwargs):
        raise AssertionError("the training began")

    monkeypatch.setattr(batch_size, "train", never)
    with pytest.raises(SystemExit) as stop:
        batch_size.main([*QUICK, *(a.format(tmp=tmp_path) for a in arguments)])
    assert stop.value.code not in (0, None)
    assert re.search(words, capsys.readouterr().err)
    assert not list(tmp_path.iterdir())


def test_help():
    out = subprocess.run(
        [sys.executable, Path(batch_size.__file__), "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for option in ("--batch-sizes", "--seed", "--budget", "--lr-factors", "--plot"):
        assert option in out
