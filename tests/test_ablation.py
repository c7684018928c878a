"""The ablation script, run on digits."""

import json
import math

import ablation
import numpy as np
import pandas as pd
import pytest
import torch
from _tools.common import Data
from _tools.tables import format_rows
from ablation import RECIPES, summarize, with_running_averages
from torch import nn

from sk_memorize import MemorizingMLP

NAMES = [
    *("default", "running averages", "no finish", "no whitening", "one whitening"),
    *("no schedule", "float32", "ReLU", "default betas", "SGD", "learning rate / 8"),
    *("batches of 128", "no batch norm", "group norm", "norm before"),
    *("gain and shift", "512-512"),
]
QUICK = ["--dataset", "digits", "--max-samples", "300"]


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((90, 8)).astype(np.float32)
    y = rng.integers(3, size=90)
    return Data("noise", "noise", X, y, X, y)


@pytest.fixture
def network(data):
    return MemorizingMLP(random_state=0, batch_size=16).fit(data.X_train, data.y_train)


def run_script(tmp_path, *arguments):
    output = tmp_path / "table.json"
    ablation.main([*QUICK, *arguments, "--output", str(output)])
    return json.loads(output.read_text())


def test_the_default_is_always_there(tmp_path):
    arguments = ["--repeats", "2", "--seed", "5", "--max-epochs", "30"]
    records = run_script(tmp_path, *arguments, "--ablations", "SGD", "ReLU")
    assert [record["ablation"] for record in records] == ["default", "ReLU", "SGD"]
    for record in records:
        assert record["n_seeds"] == 2
        assert record["epochs_std"] is not None


def test_a_missed_target_is_reported_as_such(tmp_path, capsys):
    arguments = ["--repeats", "1", "--max-epochs", "1", "--ablations", "no finish"]
    default, without = run_script(tmp_path, *arguments)
    assert default["epochs"] == without["epochs"] == 1
    assert default["reached"] == 1  # with 300 rows the last layer alone can do it
    assert without["reached"] == 0 < without["train_accuracy"] < 0.9999
    out = capsys.readouterr().out
    assert "0/1" in out
    assert (
        "- holds: the default takes fewer epochs than no finish; by 0 of 1 seed" in out
    )


def test_a_divergence_is_reported_as_such(tmp_path, capsys, monkeypatch):
    wild = {"norm": None, "optimizer": "sgd", "lr": 1e30}
    monkeypatch.setitem(RECIPES, "no batch norm", wild)
    arguments = ["--repeats", "2", "--max-epochs", "30"]
    _, record = run_script(tmp_path, *arguments, "--ablations", "no batch norm")
    assert (record["reached"], record["diverged"]) == (0, 2)
    for key in ("epochs", "seconds", "train_accuracy"):
        assert record[key] is None
        assert record[f"{key}_std"] is None
    out = capsys.readouterr().out
    assert "0/2, 2 diverged" in out
    assert "by 0 of 2 seeds, 2 diverged" in out


def test_a_default_that_diverges_has_no_running_averages(tmp_path, monkeypatch):
    monkeypatch.setitem(RECIPES, "default", {"optimizer": "sgd", "lr": 1e30})
    arguments = ["--repeats", "1", "--labels", "true", "--ablations"]
    for record in run_script(tmp_path, *arguments, "running averages"):
        assert (record["reached"], record["diverged"]) == (0, 1)
        assert record["test_accuracy"] is None


def test_means_are_those_of_the_fits_that_did_not_diverge(data):
    numbers = {"epochs": [60, math.nan, 100], "train_accuracy": [1.0, math.nan, 0.5]}
    fits = pd.DataFrame(numbers).assign(ablation="SGD", seconds=[4.0, math.nan, 8.0])
    fits["reached"] = fits["train_accuracy"] >= 0.9999
    fits["diverged"] = fits["epochs"].isna()
    table = summarize(fits.to_dict("records"), data, "permuted")
    (sgd,) = table.to_dict("records")
    assert (sgd["n_seeds"], sgd["reached"], sgd["diverged"]) == (3, 1, 1)
    assert (sgd["epochs"], sgd["epochs_std"]) == (80, pytest.approx(800**0.5))
    assert (sgd["seconds"], sgd["seconds_std"]) == (6, pytest.approx(8**0.5))
    assert sgd["train_accuracy"] == 0.75
    assert "1/3, 1 diverged" in format_rows(table, ablation.COLUMNS)


def statistics(network):
    return [
        (layer.running_mean, layer.running_var)
        for layer in network.net_.module_.modules()
        if isinstance(layer, nn.BatchNorm1d)
    ]


def test_running_averages_leave_the_network_alone(network, data):
    before = {k: v.clone() for k, v in network.net_.module_.state_dict().items()}
    logits = network.decision_function(data.X_train)
    twin = with_running_averages(network, data.X_train, seed=0)
    after = network.net_.module_.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    np.testing.assert_array_equal(network.decision_function(data.X_train), logits)
    assert not network.net_.module_.training
    assert not twin.net_.module_.training
    # Only the statistics differ; all weights are the same.
    weights = zip(
        network.net_.module_.parameters(), twin.net_.module_.parameters(), strict=True
    )
    assert all(torch.equal(a, b) and a is not b for a, b in weights)
    for ours, theirs in zip(statistics(twin), statistics(network), strict=True):
        assert not torch.equal(ours[0], theirs[0])
        assert not torch.equal(ours[1], theirs[1])


def test_running_averages_are_those_of_batches(data):
    # One batch of all rows: every batch has the statistics of all rows, so the
    # averages are the recalibrated ones, but for the variance's n - 1.
    X, y = data.X_train, data.y_train
    network = MemorizingMLP(random_state=0, batch_size=len(X)).fit(X, y)
    twin = with_running_averages(network, X, seed=0)
    unbiased = len(X) / (len(X) - 1)
    # The second layer's inputs have passed the first one's biased variance in
    # train mode as in eval mode.
    for ours, theirs in zip(statistics(twin), statistics(network), strict=True):
        torch.testing.assert_close(ours[0], theirs[0], rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(ours[1], theirs[1] * unbiased, rtol=1e-4, atol=0)


def test_the_row_of_running_averages_is_about_their_network(tmp_path, monkeypatch):
    def constant(network, X, seed):
        twin = with_running_averages(network, X, seed)
        with torch.no_grad():
            list(twin.net_.module_.parameters())[-1][3] += 1e6
        return twin

    monkeypatch.setattr(ablation, "with_running_averages", constant)
    arguments = ["--repeats", "1", "--max-epochs", "30", "--ablations"]
    default, averages = run_script(tmp_path, *arguments, "running averages")
    assert (default["train_accuracy"], default["reached"]) == (1.0, 1)
    assert (averages["train_accuracy"], averages["reached"]) == (0.1, 0)


def test_each_recipe_changes_the_default(data):
    assert [*ablation.ABLATIONS] == NAMES
    assert RECIPES["default"] == {}
    defaults = MemorizingMLP().get_params()
    for name, params in RECIPES.items():
        assert len(params) == (name != "default")
        assert all(defaults[key] != value for key, value in params.items())
    fitted = MemorizingMLP(max_epochs=1, target_accuracy=None)
    fitted.fit(data.X_train, data.y_train)
    assert RECIPES["learning rate / 8"] == {"lr": fitted.lr_ / 8}
    assert fitted.net_.optimizer_.defaults["betas"] != (0.9, 0.999)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"precision": "float32"}, "the default does the same"),
        ({"batch_size": 16}, "the default does the same"),
        ({"batch_size": 91}, "only 90 training rows"),
        ({"precision": "bfloat16"}, None),
        ({"batch_size": 17}, None),
        ({"whitening_shrinkage": None}, None),
        ({}, None),
    ],
)
def test_what_would_repeat_the_default_is_left_out(data, params, words):
    default = MemorizingMLP(
        max_epochs=1, target_accuracy=None, batch_size=16, precision="float32"
    ).fit(data.X_train, data.y_train)
    reason = ablation.why_left_out(params, default, 90)
    assert reason is None if words is None else words in reason


def test_what_is_left_out_is_told(tmp_path, capsys):
    arguments = ["--repeats", "1", "--max-epochs", "1", "--max-samples", "100"]
    records = run_script(tmp_path, *arguments, "--ablations", "batches of 128")
    assert [record["ablation"] for record in records] == ["default"]
    notice = "notice: 'batches of 128' is left out: there are only 100 training rows."
    assert notice in capsys.readouterr().err
