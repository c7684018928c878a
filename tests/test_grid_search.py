"""The grid search: any parameter, resumed, on a cluster."""

import json

import grid_search
import pandas as pd
import pytest

SMALL = [
    *("--dataset", "digits", "--max-samples", "200", "--folds", "2"),
    *("--max-epochs", "4", "--depths", "1"),
]
TIMES = ["fit_seconds", "fit_seconds_std"]


def run(path, *arguments):
    grid_search.main([*SMALL, "--output", str(path), *arguments])
    table = pd.read_json(path) if path.suffix == ".json" else pd.read_csv(path)
    return table.drop(columns=TIMES)


def test_any_parameter_can_be_searched(tmp_path):
    plot = tmp_path / "cells.png"
    table = run(
        tmp_path / "table.json",
        *("--widths", "16", "--grid", "norm=batch,None", "dropout=0,0.2"),
        *("--plot", str(plot)),
    )
    assert len(table) == 8
    assert table["norm"].tolist() == ["batch", "None"] * 4
    assert table["dropout"].tolist() == [0, 0, 0.2, 0.2] * 2
    assert (table["epochs"] == 4).all()
    ratio = table["parameters"] / (table["train_accuracy"] * 100)
    assert table["parameters_per_memorized_label"].tolist() == pytest.approx(
        ratio.tolist()
    )
    assert plot.stat().st_size > 10_000


def test_sizes_of_layers_take_the_place_of_width_and_depth(tmp_path):
    table = run(
        tmp_path / "table.json", "--grid", "hidden_layer_sizes=(8,),(16,8),None"
    )
    assert "width" not in table
    assert table["hidden_layer_sizes"].tolist()[:3] == ["(8,)", "(16, 8)", "None"]
    assert table["parameters"][0] == 64 * 8 + 8 + 80 + 10


def test_a_search_goes_on_where_it_was_broken_off(tmp_path, monkeypatch, capsys):
    arguments = ["--widths", "8", "16", "24"]
    whole = run(tmp_path / "whole.csv", *arguments)
    real, calls = grid_search.search, []

    def power_cut(args, data, labels, candidates):
        calls.append((labels, *candidates))
        if len(calls) == 3:
            raise SystemError("power cut")
        return real(args, data, labels, candidates)

    monkeypatch.setattr(grid_search, "search", power_cut)
    path = tmp_path / "part.csv"
    with pytest.raises(SystemError, match="power cut"):
        run(path, *arguments)
    assert not path.exists()
    assert "2 finished cells" not in capsys.readouterr().err
    resumed = run(path, *arguments)
    assert len(calls) == 3 + 4
    assert "part.cells.jsonl has 2 finished cells" in capsys.readouterr().err
    pd.testing.assert_frame_equal(resumed, whole)
    with pytest.raises(SystemExit):
        run(path, "--widths", "8")
    assert "'widths' is [8, 16, 24] there and [8] here" in capsys.readouterr().err


def test_a_cluster_finds_the_same(tmp_path):
    pytest.importorskip("distributed", reason="dask.distributed is not installed")
    arguments = ["--widths", "8", "16"]
    local = run(tmp_path / "local.json", *arguments)
    cluster = run(
        tmp_path / "cluster.json", *arguments, "--scheduler", "local", "--n-jobs", "2"
    )
    pd.testing.assert_frame_equal(local, cluster)
    lines = (tmp_path / "cluster.cells.jsonl").read_text().splitlines()
    assert len(lines) == 5
    assert json.loads(lines[0])["header"]["dataset"] == "digits"


def test_a_scheduler_that_does_not_answer(capsys):
    pytest.importorskip("distributed", reason="dask.distributed is not installed")
    with pytest.raises(SystemExit):
        grid_search.main([*SMALL, "--scheduler", "tcp://127.0.0.1:9"])
    assert "no scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err
