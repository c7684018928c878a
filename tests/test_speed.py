"""The script that times the contenders, run on digits."""

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import speed
import torch
from _tools import machine as _machine
from _tools.common import Data
from _tools.contenders import CONTENDERS, Entry, choose_entries, make_labels
from _tools.machine import gemm_peak, peak_memory
from _tools.plain_loop import (
    Fit,
    Task,
    _one_thread_if,
    finish,
    learning_rate,
    recalibrate,
    whiten,
)
from _tools.tables import format_rows
from sklearn.neural_network import MLPClassifier
from speed import judge, measure, summarize
from threadpoolctl import threadpool_limits

from sk_memorize import MemorizingMLP, load_dataset

NAMES = ["MemorizingMLP", "plain loop", "skorch", "MLPClassifier", "notebook loop"]
QUICK = ["--dataset", "digits", "--max-samples", "300", "--repeats", "1"]


@pytest.fixture(autouse=True, scope="module")
def single_thread():
    # On a busy machine the threads of tiny products wait for each other.
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield
    torch.set_num_threads(n_threads)


@pytest.fixture(autouse=True)
def quick_products(monkeypatch):
    monkeypatch.setattr(_machine, "_SECONDS", 0.002)


@pytest.fixture(scope="module")
def digits():
    data = load_dataset("digits")
    y = make_labels(data.y_train, "permuted", 0)
    return data.X_train[:300], y[:300]


def test_the_repeats_take_turns_in_the_order_of_the_table(
    tmp_path, capsys, monkeypatch
):
    seen = []

    def spy(name, fit):
        def count(*args):
            seen.append((name, args[-1]))
            return fit(*args)

        monkeypatch.setitem(CONTENDERS, name, replace(CONTENDERS[name], fit=count))

    for name in NAMES[:2]:
        spy(name, CONTENDERS[name].fit)
    output = tmp_path / "table.json"
    arguments = ["--contenders", "plain loop", "MemorizingMLP", "--repeats", "2"]
    arguments += ["--labels", "true", "--output", str(output)]
    speed.main([*QUICK, *arguments, "--seed", "5"])
    turns = [(name, seed) for seed in (5, 6) for name in NAMES[:2]]
    assert seen == [*((name, 0) for name in NAMES[:2]), *turns, *turns]  # warm, small
    records = json.loads(output.read_text())
    assert [record["contender"] for record in records] == NAMES[:2]
    assert all(record["reached"] for record in records)
    out = capsys.readouterr().out
    assert "MemorizingMLP is faster than plain loop" in out
    small = out.partition("Small data, true labels: digits, 30 epochs")[2]
    assert small.count("| 128-128 ") == 2


@pytest.mark.parametrize("name", ["MemorizingMLP", "plain loop", "notebook loop"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_labels_are_reached(name, precision, digits):
    task = Task((64, 64), 32, precision)
    fit = CONTENDERS[name].fit(*digits, task, 0)
    assert fit.train_accuracy >= (0.9999 if name == "notebook loop" else 1)
    assert 1 < fit.epochs < 200
    assert 0 < fit.train_seconds < fit.seconds


@pytest.mark.parametrize("name", NAMES)
def test_epochs_can_be_given(name, digits):
    fit = CONTENDERS[name].fit(*digits, Task((32,), 64, "float32", n_epochs=3), 0)
    assert fit.epochs == 3
    assert 0 < fit.train_seconds <= fit.seconds
    again = CONTENDERS[name].fit(*digits, Task((32,), 64, "float32", n_epochs=3), 0)
    assert again.train_accuracy == fit.train_accuracy


@pytest.mark.parametrize("name", NAMES)
def test_a_row_that_is_left_over_does_no_harm(name, digits):
    X, y = digits
    task = Task((32,), 64, "float32", n_epochs=2)
    assert CONTENDERS[name].fit(X[:129], y[:129], task, 0).epochs == 2


@pytest.mark.parametrize("name", NAMES[2:])
@pytest.mark.parametrize("n_epochs", [None, 2])
def test_an_interrupt_is_not_taken_for_the_end(name, n_epochs, digits, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(torch.nn.Sequential, "forward", interrupted)
    monkeypatch.setattr(MLPClassifier, "_backprop", interrupted)
    with pytest.raises(KeyboardInterrupt):
        CONTENDERS[name].fit(*digits, Task((32,), 64, "float32", n_epochs), 0)


def test_the_plain_loop_whitens_cools_and_finishes():
    X = torch.randn(300, 20, generator=torch.Generator().manual_seed(0))
    covariance = whiten(X @ torch.diag(torch.arange(20.0))).T.cov(correction=0)
    assert covariance.shape == (19, 19)  # a constant column is left out
    assert (covariance - torch.eye(19)).abs().max() < 0.1
    rates = [learning_rate((i + 0.5) / 100) for i in range(100)]
    assert np.argmax(rates) in (19, 20)
    assert max(rates) == pytest.approx(4e-3, rel=0.05)
    assert 0 < rates[-1] < 1e-4
    net = torch.nn.Sequential(torch.nn.BatchNorm1d(20), torch.nn.Linear(20, 2))
    hidden = recalibrate(net, X * 3 + 1)
    assert hidden.mean(0).abs().max() < 1e-3
    y = (hidden[:, 0] > 0).long()
    finish(net[-1], hidden, y, 1.0)
    assert torch.equal(net[-1](hidden).argmax(1), y)


def test_small_steps_have_one_thread():
    torch.set_num_threads(2)
    try:
        with _one_thread_if(10**6):
            assert torch.get_num_threads() == 1
        with _one_thread_if(10**9):
            assert torch.get_num_threads() == 2
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_ratios_are_those_of_the_same_seed():
    fits = pd.DataFrame({"seed": [0, 1, 2] * 2, "reached": True})
    fits["contender"] = ["plain loop"] * 3 + ["skorch"] * 3
    fits["seconds"] = [1.0, 3.0, 4.0, 2.0, 9.0, 4.0]
    assert summarize(fits)["ratio_to_plain_loop"].tolist() == [1, 2]
    alone = summarize(fits[3:])
    assert math.isnan(alone["ratio_to_plain_loop"][0])


def test_flops_and_rates():
    # 5 * 3 + 3 * 2 = 21 weights: 21 products for the outputs, 21 for the weights'
    # gradients, 6 for those of the second layer's inputs; two operations each.
    task = Task((3,), 10, "float32")
    assert Entry("any", task, (5, 3, 2)).flops == 2 * (21 + 21 + 6)
    fit = Fit(epochs=4, seconds=3.0, train_seconds=2.0, train_accuracy=0.99995)
    assert measure(fit, task, 96 * 1000) == {
        "epochs": 4,
        "seconds": 3.0,
        "reached": True,
        "train_accuracy": 0.99995,
        "seconds_per_epoch": 0.5,
        "tflop": pytest.approx(96 * 1000 * 4 / 1e12),
        "tflops": pytest.approx(96 * 1000 * 4 / 2.0 / 1e12),
    }


def row_of(name, *fits):
    task = Task((3,), 10, "float32")
    measured = [measure(Fit(e, s, s, a), task, 96) for e, s, a in fits]
    about = {"contender": name, "seed": range(len(fits)), "peak_memory_mb": 1.0}
    row = summarize(pd.DataFrame(measured).assign(**about)).iloc[0]
    extra = {"gemm_peak_tflops": 0.5, "peak_fraction": 0.5}
    return {**row, **extra, "hidden_layer_sizes": (3,)}


def test_medians_and_the_verdict():
    good = row_of("MemorizingMLP", (10, 2.0, 1.0), (12, 9.0, 1.0), (20, 4.0, 1.0))
    slow = row_of("plain loop", (10, 6.0, 1.0))
    bad = row_of("skorch", (10, 5.0, 1.0), (30, 5.0, 0.5), (30, 5.0, 0.75))
    assert (good["epochs"], good["seconds"], good["reached"]) == (12, 4, True)
    assert (bad["epochs"], bad["train_accuracy"], bad["reached"]) == (30, 0.75, False)
    table = pd.DataFrame([good, slow, bad])
    # One of our three fits took longer than the plain loop's.
    assert [claim.holds for claim in judge(table)] == [True, True, False, None]
    apart = pd.DataFrame([row_of("MemorizingMLP", (10, 5.0, 1.0)), slow])
    assert [claim.holds for claim in judge(apart)] == [True, True, True]
    shown = format_rows(table, speed.COLUMNS)
    assert shown.count("| reached ") == 2
    assert "| not reached: 0.75000 |" in shown
    assert len(judge(pd.DataFrame([slow]))) == 1


def test_equal_rows_bound_the_accuracy():
    X = np.array([[1], [1], [1], [2]], np.float32)
    assert speed.attainable_accuracy(X, np.array([0, 0, 1, 1])) == 0.75
    task = Task((3,), 2, "float32", attainable_accuracy=0.75)
    assert task.is_reached(0.75)
    assert not task.is_reached(0.74)


def test_chosen_sizes(digits):
    X, y = digits
    chosen = MemorizingMLP(max_epochs=1, target_accuracy=None).fit(X, y)
    hidden = chosen.hidden_layer_sizes_
    data = Data("digits", "digits", X, y, X, y)
    first, plain, skorch, mlp, notebook = choose_entries(NAMES, data, budget=9.0)
    # Some of the 64 pixels are always dark.
    n_whitened = whiten(torch.from_numpy(X)).shape[1]
    assert first.sizes == (n_whitened, *hidden, 10)
    assert plain.sizes == (n_whitened, 512, 512, 10)
    assert n_whitened < 64
    assert skorch.sizes == (64, *hidden, 10)
    assert first.task.batch_size == chosen.batch_size_
    sizes = [entry.task.batch_size for entry in (skorch, mlp, notebook)]
    assert sizes == [128, 200, 64]
    assert skorch.shapes[0] == (128, 64, hidden[0])
    assert {entry.task.precision for entry in (skorch, mlp, notebook)} == {"float32"}
    assert all(entry.task.budget == 9.0 for entry in (first, skorch))


def test_the_fastest_product_is_the_peak(monkeypatch):
    assert gemm_peak([(20, 30, 40)], torch.float32) > 0
    assert gemm_peak([(20, 30, 40)], torch.bfloat16) > 0
    monkeypatch.setattr(_machine, "_product_rate", lambda n, a, b, dtype: a * b / n)
    assert gemm_peak([(1, 2, 3), (2, 4, 6), (3, 6, 2)], torch.float32) == 12


@pytest.mark.skipif(not _machine._STATM.exists(), reason="the system does not tell")
def test_peak_memory_is_seen_after_it_was_freed():
    with peak_memory() as memory:
        block = np.ones(40_000_000, np.uint8)
        _machine.time.sleep(0.05)
        del block
    assert 39 < memory.mb < 100


def test_peak_memory_is_nan_where_the_system_does_not_tell(tmp_path, monkeypatch):
    monkeypatch.setattr(_machine, "_STATM", tmp_path / "statm")
    with peak_memory() as memory:
        pass
    assert math.isnan(memory.mb)
