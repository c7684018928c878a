"""The trainings and the search of the script about batch sizes."""

import dataclasses
import json
import math

import batch_size
import numpy as np
import pytest
from _tools import convergence
from _tools.common import Data


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=96)
    X = rng.standard_normal((96, 8)).astype(np.float32)
    X[:, :3] += np.eye(3, dtype=np.float32)[y]
    return Data("noise", "noise", X, y, X, y)


@pytest.fixture
def args():
    return batch_size.PARSER.parse_args([])


def train(data, args, **params):
    defaults = {"batch_size": 16, "lr": 0.01, "random_state": 0, "max_epochs": 300}
    return convergence.train(data, args, **{**defaults, **params})


def test_a_sweep_goes_on_where_it_was_and_takes_more_seeds(tmp_path, monkeypatch):
    output, real = tmp_path / "table.json", batch_size.train
    arguments = ["--dataset", "digits", "--max-samples", "64", "--search-epochs", "2"]
    arguments += ["--batch-sizes", "32", "64", "--max-epochs", "1"]

    def run_script(*more):
        batch_size.main([*arguments, *more, "--output", str(output)])
        return json.loads(output.read_text())

    first = run_script("--network", "course")
    trained = []

    def record_training(data, args, budget=math.inf, **params):
        trained.append((params["batch_size"], params["random_state"]))
        return real(data, args, budget, **params)

    monkeypatch.setattr(batch_size, "train", record_training)
    assert run_script("--network", "course") == first
    assert not trained
    more = run_script("--network", "course", "--seed", "0", "1")
    assert {seed for _, seed in trained} == {1}
    for record, before in zip(more, first, strict=True):
        assert record["n_seeds"] == 2
        assert record["test_accuracy_std"] is not None
        assert record["lr"] == before["lr"]


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
    assert convergence.candidates([0.25, 4, 1, 4], 2048) == [0.002, 0.0005, 0.008]
    assert convergence.candidates([1], 8) == [0.000125]


def test_the_search_takes_the_first_to_converge_without_test_rows(data, args):
    args.lr_factors, args.search_epochs = [0.1, 10, 100], 200
    untested = dataclasses.replace(data, X_test=None, y_test=None)
    found = batch_size.search(args, untested, {"batch_size": 32, "step": "search"})
    scaled = convergence.candidates(args.lr_factors, 32)
    outcomes = [
        train(data, args, batch_size=32, lr=lr, random_state=convergence.SEARCH_SEED)
        for lr in scaled
    ]
    epochs = [o.epochs if o.reached else math.inf for o in outcomes]
    assert min(epochs) < sorted(epochs)[1]  # otherwise there is nothing to find
    assert found["lr"] == scaled[int(np.argmin(epochs))]
    assert found["search_seconds"] > 0


def test_the_search_takes_the_lowest_loss_where_none_converges(data, args):
    args.lr_factors, args.search_epochs = [1e-3, 1, 1e9], 2
    found = batch_size.search(args, data, {"batch_size": 32, "step": "search"})
    assert found["lr"] == 0.00025
    assert not found["lr_at_edge"]
    args.lr_factors = [1e-3, 1]
    assert batch_size.search(args, data, {"batch_size": 32})["lr_at_edge"]
    args.lr_factors = [1]
    assert not batch_size.search(args, data, {"batch_size": 32})["lr_at_edge"]
