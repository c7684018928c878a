"""The sweep over corrupted labels, run on digits."""

import json
import re
import subprocess
import sys
from pathlib import Path

import corruption
import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from sk_memorize import load_dataset

QUICK = [
    *("--dataset", "digits", "--max-samples", "200", "--lr-scheduler", "exponential"),
    *("--levels", "0.5"),
]
CONDITIONS = [
    *("true labels", "corrupted labels", "random labels"),
    *("shuffled pixels", "random pixels", "Gaussian inputs"),
]
MEASURES = [
    *("realized_rate", "train_accuracy", "train_accuracy_true", "test_error"),
    *("epochs", "seconds", "relative_epochs", "relative_seconds"),
]
KEYS = [
    *("dataset", "condition", "fraction"),
    *(name for measure in MEASURES for name in (measure, f"{measure}_std")),
    *("n_seeds", "chance_error", "n_train", "n_test", "n_classes"),
]


def run_script(path, *arguments):
    corruption.main([*QUICK, "--output", str(path), *arguments])
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A sweep with two seeds."""
    path = tmp_path_factory.mktemp("sweep") / "table.json"
    run_script(path, "--seed", "0", "1")
    return path


def test_the_table(finished):
    records = json.loads(finished.read_text())
    assert [record["condition"] for record in records] == CONDITIONS
    assert [record["fraction"] for record in records] == [0, 0.5, 1, 0, 0, 0]
    for record in records:
        assert list(record) == KEYS
        assert record["dataset"] == "digits"
        assert record["n_seeds"] == 2
        assert (record["n_train"], record["n_test"]) == (200, 360)
        assert record["train_accuracy"] == 1.0
        assert record["chance_error"] == 0.9
        corrupts = record["fraction"] > 0
        # Independent draws, of which a tenth return the true class.
        expected = 0.9 * record["fraction"]
        assert abs(record["realized_rate"] - expected) < 0.1 * corrupts + 1e-12
        assert record["train_accuracy_true"] == pytest.approx(
            1 - record["realized_rate"]
        )
    true, half, random, shuffled, pixels, gaussian = (r["test_error"] for r in records)
    assert true < 0.2 < half < 0.75 < random
    assert abs(shuffled - true) < 0.1
    assert pixels > 0.7
    assert gaussian > 0.7
    assert [records[0][f"relative_{name}"] for name in ("epochs", "seconds")] == [1, 1]


def test_relative_times_are_those_of_each_seed(finished):
    lines = finished.with_suffix(".cells.jsonl").read_text().splitlines()[1:]
    fits = pd.DataFrame([{**r["key"], **r["record"]} for r in map(json.loads, lines)])
    assert len(fits) == 12
    for name in ("epochs", "seconds"):
        true = fits.query("condition == 'true labels'").set_index("seed")[name]
        random = fits.query("condition == 'random labels'").set_index("seed")[name]
        row = json.loads(finished.read_text())[2]
        assert row[f"relative_{name}"] == pytest.approx((random / true).mean())
        assert row[f"relative_{name}_std"] == pytest.approx((random / true).std())
    assert [len(loss) for loss in fits["loss"]] == fits["epochs"].tolist()


def test_a_finished_sweep_is_drawn_and_extended_without_a_fit(
    finished, tmp_path, monkeypatch, capsys
):
    copy = tmp_path / "table.json"
    cells = finished.with_suffix(".cells.jsonl").read_bytes()
    copy.with_suffix(".cells.jsonl").write_bytes(cells)
    monkeypatch.setattr("sk_memorize.neural._memorizing_mlp.train", never)
    plot = tmp_path / "panels.svg"
    # Two seeds, then one of them, and a kind of file that has no table yet.
    again = run_script(copy, "--seed", "0", "1", "--plot", str(plot))
    assert again == json.loads(finished.read_text())
    assert len(re.findall(r'<g id="axes_\d">', plot.read_text())) == 3
    out = capsys.readouterr().out
    assert "Corrupted labels (uniform): digits, 200 rows" in out
    assert len(re.findall("^- (holds|does not hold|undecided): ", out, re.M)) == 5
    one = run_script(copy, "--seed", "1")
    assert all(record["n_seeds"] == 1 for record in one)
    with pytest.raises(AssertionError, match="the training began"):
        run_script(copy, "--seed", "2")


def never(*args, **kwargs):
    raise AssertionError("the training began")


def test_another_kind_is_another_sweep(finished, capsys):
    for other in (["--kind", "symmetric"], ["--exact"], ["--max-samples", "100"]):
        with pytest.raises(SystemExit):
            run_script(finished, *other)
        assert "has the records of another run" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["permutation", "symmetric", "asymmetric"])
def test_other_kinds_and_exact_rates(kind, tmp_path, capsys):
    true, half, last, *_ = run_script(
        tmp_path / "table.json", "--kind", kind, "--exact"
    )
    name = "random labels" if kind == "permutation" else "corrupted labels"
    assert last["condition"] == name
    assert true["realized_rate"] == 0
    if kind == "permutation":
        assert 0.8 < last["realized_rate"] < 1
        assert last["chance_error"] == pytest.approx(0.9, abs=0.01)
    else:
        assert (half["realized_rate"], last["realized_rate"]) == (0.5, 1)
    told = "at level 1 the test error is that of guessing" in capsys.readouterr().out
    assert told == (kind == "permutation")


def test_inputs_are_randomized_before_the_network(monkeypatch, tmp_path):
    pipelines = []
    real = corruption.make_pipeline

    def spy(*steps):
        pipelines.append(real(*steps))
        return pipelines[-1]

    monkeypatch.setattr(corruption, "make_pipeline", spy)
    run_script(tmp_path / "table.json", "--max-epochs", "1")
    names = [[type(step).__name__ for _, step in p.steps] for p in pipelines]
    assert [first for first, _ in names] == [
        *("PixelShuffler", "PixelRandomizer", "GaussianInputs")
    ]
    assert {last for _, last in names} == {"CorruptedTargetClassifier"}
    assert all(isinstance(pipeline, Pipeline) for pipeline in pipelines)


def test_a_thousand_images(tmp_path, capsys):
    try:
        load_dataset("mnist", download=False)
    except OSError as error:
        pytest.skip(f"needs MNIST: {error}")
    path = tmp_path / "table.json"
    records = run_script(path, "--dataset", "mnist", "--max-samples", "1000")
    assert [record["condition"] for record in records] == CONDITIONS
    assert all(record["train_accuracy"] == 1.0 for record in records)
    errors = [record["test_error"] for record in records]
    assert errors[0] < 0.2 < errors[1] < 0.8
    assert errors[2] == pytest.approx(0.9, abs=0.02)
    assert errors[5] == pytest.approx(0.9, abs=0.02)
    assert "- does not hold: with true labels the test error is under 3%" in (
        capsys.readouterr().out
    )


# Arguments


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--levels", "1.5"], "--levels: must be from 0 to 1, got '1.5'"),
        (["--levels", "-0.1"], "--levels"),
        (["--levels", "nan"], "--levels: must be from 0 to 1, got 'nan'"),
        (["--levels", "half"], "--levels: must be from 0 to 1, got 'half'"),
        (["--levels"], "--levels: expected at least one argument"),
        (["--kind", "transition"], "--kind: invalid choice: 'transition'"),
        (["--lr-scheduler", "step"], "--lr-scheduler: invalid choice: 'step'"),
        (["--max-epochs", "0"], "--max-epochs: must be an int of at least 1"),
        (["--seed", "x"], "--seed: must be an int of at least 0, got 'x'"),
        (["--n-jobs", "0"], "--n-jobs: must be an int, but not 0"),
        (["--max-samples", "11"], "--max-samples: 11 rows are too few"),
        (["--device", "tpu"], "--device: must be auto or a device .* got 'tpu'"),
        (["--output", "{tmp}/none/table.csv"], "--output: the folder .*none does not"),
        (["--output", "{tmp}/table.xlsx"], "--output: .* must end in one of .csv"),
        (["--plot", "{tmp}/panels.txt"], "--plot: .* must end in one of .png"),
        (["--dataset", "cats"], "--dataset: invalid choice: 'cats'"),
        (["--dataset", "mnist", "--data-home", "{tmp}/void"], "void"),
    ],
)
def test_wrong_arguments_are_named_before_any_work(
    arguments, words, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("sk_memorize.neural._memorizing_mlp.train", never)
    monkeypatch.setattr("urllib.request.urlopen", no_network)
    with pytest.raises(SystemExit) as stop:
        corruption.main([*QUICK, *(a.format(tmp=tmp_path) for a in arguments)])
    assert stop.value.code not in (0, None)
    assert re.search(words, capsys.readouterr().err)
    assert not list(tmp_path.iterdir())


def no_network(*args, **kwargs):
    raise OSError("no network")


def test_the_ends_are_always_measured_and_nothing_twice():
    args = corruption.make_own_parser().parse_args(["--levels", "0.5", "0.5", "1"])
    levels = sorted({0.0, 1.0, *args.levels})
    cells = corruption.list_cells(levels, [3, 4], "uniform")
    assert [cell["fraction"] for cell in cells[:6]] == [0, 0.5, 1, 0, 0, 0]
    assert [cell["seed"] for cell in cells] == [3] * 6 + [4] * 6
    assert len({str(cell) for cell in cells}) == len(cells)


def test_pixels_of_three_channels_move_together():
    from _common import Data

    X = np.zeros((4, 12))
    data = Data("toy", "toy", X, X[:, 0], X, X[:, 0], n_channels=3)
    for condition in ("shuffled pixels", "random pixels"):
        assert corruption.make_inputs(condition, data, 0).n_channels == 3


def test_help():
    out = subprocess.run(
        [sys.executable, Path(corruption.__file__), "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    options = ["dataset", "data-home", "levels", "kind", "exact", "seed", "n-jobs"]
    options += ["lr-scheduler", "max-epochs", "max-samples", "device", "output", "plot"]
    assert {f"--{option}" for option in options} <= set(out.split())
    assert "\n\nTime is that of fit" in out
