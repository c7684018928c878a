"""The benchmark scripts, run on digits."""

import json
import math
import subprocess
import sys
from pathlib import Path

import _common
import grid_search
import pandas as pd
import paper_table
import permuted
import pytest
import true_labels

from sk_memorize import MemorizingMLP

SCRIPTS = {"permuted": permuted, "true_labels": true_labels, "grid_search": grid_search}
FOLDER = Path(permuted.__file__).parent
KEYS = [
    *("dataset", "labels", "protocol", "n_train", "n_test"),
    *("train_accuracy", "train_loss", "train_accuracy_true", "test_accuracy"),
    *("chance_accuracy", "epochs", "fit_seconds", "seed"),
]
QUICK = ["--dataset", "digits", "--max-samples", "300", "--folds", "2"]


@pytest.fixture
def small_grid():
    return ["--widths", "16", "32", "--depths", "1", "--max-epochs", "5"]


def test_permuted_writes_the_table_the_figure_and_the_verdict(tmp_path, capsys):
    output, plot = tmp_path / "table.json", tmp_path / "curves.png"
    permuted.main([*QUICK, "--output", str(output), "--plot", str(plot)])
    records = json.loads(output.read_text())
    assert [(r["labels"], r["protocol"]) for r in records] == [
        ("true", "holdout"),
        ("true", "cv"),
        ("permuted", "holdout"),
        ("permuted", "cv"),
    ]
    for record in records:
        assert list(record)[: len(KEYS)] == KEYS
        assert record["dataset"] == "digits"
        assert record["train_accuracy"] == 1.0
        assert record["chance_accuracy"] == pytest.approx(0.1, abs=0.01)
        is_cv = record["protocol"] == "cv"
        assert record["n_train"] == (150 if is_cv else 300)
        assert record["n_test"] == (150 if is_cv else 360)
        assert record["n_fits"] == (2 if is_cv else 1)
        if record["labels"] == "true":
            assert record["train_accuracy_true"] == 1.0
            assert record["test_accuracy"] > 0.8
        else:
            assert record["train_accuracy_true"] < 0.3
            assert record["test_accuracy"] < 0.3
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert sorted(tmp_path.iterdir()) == [plot, output]
    out = capsys.readouterr().out
    for words in ("True and permuted labels: digits", "zero training error", "p = "):
        assert words in out


def test_several_seeds_are_averaged(tmp_path):
    output = tmp_path / "table.csv"
    arguments = ["--folds", "0", "--seed", "0", "1", "--output", str(output)]
    permuted.main([*QUICK[:4], *arguments])
    table = pd.read_csv(output)
    assert table["protocol"].tolist() == ["holdout"] * 2
    assert table["n_fits"].tolist() == [2, 2]
    assert table["test_accuracy_std"].notna().all()


def test_true_labels_tells_the_notebooks_schedule(tmp_path, capsys):
    output, plot = tmp_path / "table.md", tmp_path / "curves.svg"
    arguments = ["--dataset", "digits", "--output", str(output), "--plot", str(plot)]
    true_labels.main(arguments)
    out = capsys.readouterr().out
    assert (
        "0.001 (epochs 1-6), 0.0001 (epochs 7-11), 1e-05 (epochs 12-16), "
        "1e-06 (epochs 17-20)" in out
    )
    text = output.read_text()
    assert text.splitlines()[0].split("|")[1].strip() == "recipe"
    for recipe in ("notebook", "memorizing", "generalizing"):
        assert f"| {recipe}" in text
    assert "<svg" in plot.read_text()


def test_grid_search_has_a_row_for_each_cell(tmp_path, small_grid):
    output, plot = tmp_path / "grid.json", tmp_path / "grid.pdf"
    grid_search.main(
        [*QUICK, *small_grid, "--output", str(output), "--plot", str(plot)]
    )
    cells = json.loads(output.read_text())
    assert [(c["labels"], c["width"], c["depth"]) for c in cells] == [
        ("true", 16, 1),
        ("true", 32, 1),
        ("permuted", 16, 1),
        ("permuted", 32, 1),
    ]
    # 64 inputs, a hidden layer with batch norm, 10 outputs.
    assert [c["parameters"] for c in cells[:2]] == [
        64 * w + w + 10 * w + 10 for w in (16, 32)
    ]
    for cell in cells:
        assert all(math.isfinite(v) for v in cell.values() if isinstance(v, float))
    assert cells[2]["train_accuracy"] > cells[2]["train_accuracy_true"]
    assert plot.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--output", "{tmp}/none/table.json"], "--output: the folder .*none does not"),
        (
            ["--output", "{tmp}/table.xlsx"],
            r"--output: .* must end in one of .csv, .json",
        ),
        (["--output", "{tmp}/folder.json"], "--output: .*folder.json is a folder"),
        (["--plot", "{tmp}/curves.txt"], "--plot: .* must end in one of .png"),
        (["--dataset", "cats"], "--dataset: invalid choice: 'cats'"),
        (["--folds", "1"], "--folds: must be 0 or at least 2, got '1'"),
        (["--folds", "-3"], "--folds: must be 0 or at least 2, got '-3'"),
        (["--seed", "x"], "--seed: must be an int of at least 0, got 'x'"),
        (["--n-jobs", "0"], "--n-jobs: must be an int, but not 0"),
        (["--n-jobs", "all"], "--n-jobs: must be an int, but not 0, got 'all'"),
        (["--max-samples", "0"], "--max-samples: must be an int of at least 1"),
        (
            ["--dataset", "digits", "--max-samples", "11"],
            "--max-samples: 11 rows are too",
        ),
        (["--dataset", "mnist", "--data-home", "{tmp}/void"], "void"),
        (["--device", "tpu"], "--device: must be auto or a device .* got 'tpu'"),
    ],
)
def test_wrong_arguments_are_named_before_any_work(
    script, arguments, words, tmp_path, capsys, monkeypatch
):
    import re

    def never(*args, **kwargs):
        raise AssertionError("the training began")

    monkeypatch.setattr("sk_memorize.neural._memorizing_mlp.train", never)
    monkeypatch.setattr("urllib.request.urlopen", _no_network)
    (tmp_path / "folder.json").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SystemExit) as stop:
        SCRIPTS[script].main([a.format(tmp=tmp_path) for a in arguments])
    assert stop.value.code not in (0, None)
    assert re.search(words, capsys.readouterr().err)
    assert sorted(tmp_path.rglob("*")) == before


def _no_network(*args, **kwargs):
    raise OSError("no network")


def test_an_unwritable_output_is_refused(tmp_path, capsys, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(SystemExit):
        permuted.main(["--output", str(tmp_path / "table.json")])
    assert "cannot be written to: Permission denied" in capsys.readouterr().err


def test_a_failed_write_leaves_the_old_file(tmp_path):
    from _tables import replacing

    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]
    assert path.read_text() == "old"


@pytest.mark.parametrize("script", SCRIPTS)
def test_help(script):
    out = subprocess.run(
        [sys.executable, FOLDER / f"{script}.py", "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    options = {"dataset", "data-home", "folds", "seed", "n-jobs", "device", "output"}
    assert {f"--{option}" for option in options | {"max-samples", "plot"}} <= set(
        out.split()
    )


def test_without_mnist_and_network_the_table_says_that_it_is_about_digits(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("urllib.request.urlopen", _no_network)
    arguments = [*QUICK[2:4], "--folds", "0", "--data-home", str(tmp_path / "void")]
    permuted.main(arguments)
    captured = capsys.readouterr()
    assert captured.err.startswith("notice: ")
    assert "digits" in captured.err
    title = next(line for line in captured.out.splitlines() if "labels: digits" in line)
    assert "MNIST" in title
    assert not (tmp_path / "void").exists()


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        (permuted, ["--folds", "0"]),
        (permuted, ["--folds", "2"]),
        (grid_search, ["--folds", "2", "--widths", "8", "--depths", "1"]),
        (paper_table, ["--models", "1x512", "--settings", "package", "--n-jobs", "1"]),
    ],
)
def test_the_first_fit_of_a_process_is_not_timed(script, arguments, monkeypatch):
    shapes = []
    fit = MemorizingMLP.fit

    def spy(self, X, y, **params):
        shapes.append(X.shape)
        return fit(self, X, y, **params)

    monkeypatch.setattr(MemorizingMLP, "fit", spy)
    _common.warm_up.cache_clear()
    script.main([*QUICK[:2], "--max-samples", "100", *arguments])
    assert shapes[0] == (2048, 256)
    assert {columns for _, columns in shapes[1:]} <= {64, 256}
