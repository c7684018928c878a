"""The table of each benchmark script, of a quick run on digits."""

import importlib
import json
import math
import re

import pytest
from _tools.common import Data
from script_cases import FEW

from sk_memorize import load_dataset


def script(name):
    return importlib.import_module(name)


def test_permuted(finished):
    records, out, _ = finished("permuted")
    assert [(r["labels"], r["protocol"], r["n_fits"]) for r in records] == [
        *(("true", "holdout", 1), ("true", "cv", 2)),
        *(("permuted", "holdout", 1), ("permuted", "cv", 2)),
    ]
    for record in records:
        n_rows = (100, 100) if record["protocol"] == "cv" else (200, 360)
        assert (record["n_train"], record["n_test"]) == n_rows
        assert record["train_accuracy"] == 1.0
        assert record["chance_accuracy"] == pytest.approx(0.1, abs=0.01)
        is_true = record["labels"] == "true"
        assert (record["train_accuracy_true"] == 1.0) == is_true
        assert (record["test_accuracy"] > 0.7) == is_true
    assert "True and permuted labels: digits" in out


def test_several_seeds_are_averaged_and_reported_on_one_page(tmp_path):
    output, page = tmp_path / "table.json", tmp_path / "report.html"
    arguments = ["--folds", "0", "--seed", "0", "1", "--output", str(output)]
    script("permuted").main([*FEW, *arguments, "--report", str(page)])
    text = page.read_text("utf-8")
    assert (text.count("<tr>"), text.count("<li>")) == (3, 4)
    assert 'src="data:image/png;base64,iVBOR' in text
    assert not re.search(r'https?://|(?:src|href)="(?!data:)', text)
    records = json.loads(output.read_text())
    assert [(r["protocol"], r["n_fits"]) for r in records] == [("holdout", 2)] * 2
    assert all(record["test_accuracy_std"] is not None for record in records)


def test_true_labels_tells_the_notebooks_schedule(finished):
    _, out, _ = finished("true_labels")
    assert (
        "0.001 (epochs 1-6), 0.0001 (epochs 7-11), 1e-05 (epochs 12-16), "
        "1e-06 (epochs 17-20)" in out
    )


def test_grid_search_has_a_row_for_each_cell(finished):
    records, _, _ = finished("grid_search")
    assert [(r["labels"], r["width"], r["depth"]) for r in records] == [
        (labels, width, 1) for labels in ("true", "permuted") for width in (16, 32)
    ]
    # 64 inputs, a hidden layer with batch norm, 10 outputs.
    assert [r["parameters"] for r in records[:2]] == [75 * 16 + 10, 75 * 32 + 10]
    for record in records:
        assert all(math.isfinite(v) for v in record.values() if isinstance(v, float))
        # Of two folds both are one standard deviation, by the root of 2, off the mean.
        n_right = 100 * (record["test_accuracy"] + record["test_accuracy_std"] / 2**0.5)
        assert n_right == pytest.approx(round(n_right))
    assert records[2]["train_accuracy"] > records[2]["train_accuracy_true"]


def test_batch_size_has_a_row_for_each_rule(finished):
    records, out, _ = finished("batch_size")
    assert [(r["lr_rule"], r["batch_size"]) for r in records] == [
        (rule, size) for rule in ("fixed", "tuned") for size in (64, 256)
    ]
    for record in records:
        assert (record["n_train"], record["n_seeds"]) == (256, 1)
        assert record["rows_per_step"] == record["batch_size"]
        assert record["reached"] == (record["train_accuracy"] >= 0.9999)
        assert record["test_accuracy"] > 0.7
        assert record["seconds"] > record["seconds_per_epoch"] > 0
        assert (record["search_seconds"] is None) == (record["lr_rule"] == "fixed")
    assert records[0]["lr"] == 0.001
    assert "notice: batch sizes above 256 are left out" in out
    assert "finished cells" not in out


def test_separability_has_checked_proofs(finished):
    records, out, _ = finished("separability")
    assert len(records) == 45
    for row in records:
        verdicts = row["verdict"], row["permuted_verdict"]
        assert verdicts == ("separable", "not separable")
        assert row["proof_holds"]
        assert row["permuted_proof_holds"]
        assert 0 < row["margin"] <= row["margin_bound"]
        assert row["log10_p"] < -2
    assert out.count("- holds: ") == 3
    assert "of 45 pairs 0 separable, 45 not separable" in out


def test_capacity_compares_networks_with_what_is_known(finished):
    (first, second, linear, tree), _, folder = finished("capacity")
    parameters = [row["parameters"] for row in (first, second)]
    assert parameters == [64 * w + w + 2 * w + 2 for w in (2, 4)]
    # Two repeats leave some noise.
    assert linear["labels"] == pytest.approx(linear["cover"], rel=0.25)
    assert tree["at_least"]
    assert tree["labels"] == 200
    assert len((folder / "table.cells.jsonl").read_text().splitlines()) == 5


def test_interpolation_fits_all_labels(finished):
    records, out, _ = finished("interpolation")
    methods = "TwoLayerInterpolator", "KernelInterpolator"
    methods += "MemorizingMLP", "1-nearest neighbor"
    assert [(r["labels"], r["method"]) for r in records] == [
        (labels, method) for labels in ("true", "permuted") for method in methods
    ]
    for record in records:
        assert record["train_accuracy"] == 1.0
        is_true = record["labels"] == "true"
        learns = is_true and record["method"] != methods[0]
        assert (record["test_accuracy"] > 0.6) == learns
    assert [r["n_train"] for r in records[:4]] == [200, 100, 200, 100]
    parameters = [r["parameters"] for r in records[:4]]
    assert parameters[:2] == [64 + 200 * 11, 100 * (64 + 10)]
    assert parameters[3] == 100 * 65
    assert "holds: each method fits 99.99% of true labels" in out


def test_a_kernel_too_large_for_the_memory(capsys, monkeypatch):
    monkeypatch.setattr(
        "sk_memorize.analysis.interpolation._kernel._available_memory", lambda: 1e-6
    )
    with pytest.raises(SystemExit):
        script("interpolation").main(FEW)
    words = r"--max-kernel-samples: The 'max_memory' parameter .* fit fewer rows"
    assert re.search(words, capsys.readouterr().err)


def test_corruption_raises_the_test_error(finished):
    records, out, folder = finished("corruption")
    conditions = ["true labels", "corrupted labels", "random labels"]
    conditions += ["shuffled pixels", "random pixels", "Gaussian inputs"]
    assert [record["condition"] for record in records] == conditions
    assert [record["fraction"] for record in records] == [0, 0.5, 1, 0, 0, 0]
    for record in records:
        assert record["n_seeds"] == 2
        assert record["train_accuracy"] == 1.0
        assert record["chance_error"] == 0.9
        # Independent draws, of which a tenth return the true class.
        rate = record["realized_rate"]
        assert abs(rate - 0.9 * record["fraction"]) < 0.1
        assert record["train_accuracy_true"] == pytest.approx(1 - rate)
    true, half, random, shuffled, pixels, gaussian = (r["test_error"] for r in records)
    assert true < 0.25 < half < 0.75 < random
    assert abs(shuffled - true) < 0.1
    assert min(pixels, gaussian) > 0.7
    lines = (folder / "table.cells.jsonl").read_text().splitlines()[1:]
    fits = [{**r["key"], **r["record"]} for r in map(json.loads, lines)]
    assert len(fits) == 12
    assert all(len(fit["loss"]) == fit["epochs"] for fit in fits)
    # Relative times are those of each seed.
    epochs = {(f["condition"], f["seed"]): f["epochs"] for f in fits}
    ratios = [epochs[conditions[2], s] / epochs[conditions[0], s] for s in (0, 1)]
    assert records[2]["relative_epochs"] == pytest.approx(sum(ratios) / 2)
    assert records[0]["relative_seconds"] == 1
    assert "Corrupted labels (uniform): digits, 200 rows" in out


def test_corruption_shuffles_all_channels():
    X = load_dataset("digits").X_train[:4, :12]
    data = Data("toy", "toy", X, X[:, 0], X, X[:, 0], n_channels=3)
    for condition in ("shuffled pixels", "random pixels"):
        assert script("corruption").make_inputs(condition, data, 0).n_channels == 3


def test_paper_table_stands_beside_the_papers_figures(finished):
    records, out, _ = finished("paper_table")
    regularizers = "none", "weight decay", "dropout"
    assert [(r["labels"], r["regularizer"]) for r in records] == [
        (labels, name) for labels in ("true", "random") for name in regularizers
    ]
    in_paper = [r["paper_test_accuracy"] is not None for r in records]
    assert in_paper == [True, True, False, True, False, False]
    for record in records:
        assert record["parameters"] == 65 * 512 + 513 * 10
        assert (record["test_accuracy"] > 0.5) == (record["labels"] == "true")
    difference = records[0]["test_accuracy"] - records[0]["paper_test_accuracy"]
    assert records[0]["test_difference"] == pytest.approx(difference)
    assert "batches of 16 in the paper's setting" in out
    assert "| +0." in out


def test_ablation_has_a_row_for_each_recipe(finished):
    (default, averages, sgd), out, _ = finished("ablation")
    assert [row["ablation"] for row in (default, averages, sgd)] == [
        *("default", "running averages", "SGD")
    ]
    assert default["train_accuracy"] == 1.0
    assert (averages["epochs"], averages["seconds"]) == (
        *(default["epochs"], default["seconds"]),
    )
    assert default["test_accuracy"] > 0.7
    assert "1/1" in out


def test_speed_stops_all_contenders(finished):
    records, out, _ = finished("speed")
    names = ["MemorizingMLP", "plain loop", "skorch", "MLPClassifier", "notebook loop"]
    assert [record["contender"] for record in records] == names
    for record in records:
        sizes = [512, 512]
        if record["contender"] != names[1]:
            sizes = records[0]["hidden_layer_sizes"]
        assert record["hidden_layer_sizes"] == sizes
        # The time was over at once, hence in the first epoch.
        assert (record["epochs"], record["reached"]) == (1, False)
        assert 0 < record["train_accuracy"] < 0.9
        assert record["seconds"] >= record["seconds_per_epoch"] > 0
        rate = record["tflops"] / record["gemm_peak_tflops"]
        assert record["peak_fraction"] == pytest.approx(rate)
    assert f"not reached: {records[0]['train_accuracy']:.5f}" in out
    assert "GEMM peaks of this" in out
