"""What all benchmark scripts have in common, run on digits; and each one's table."""

import importlib
import json
import math
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from _tools import common
from _tools.common import Data

from sk_memorize import MemorizingMLP, load_dataset

DIGITS = ["--dataset", "digits"]
FEW = [*DIGITS, "--max-samples", "200"]
# Arguments of a quick run, and how many verdicts it has.
QUICK = {
    name: ([*FEW, *shlex.split(arguments)], n_verdicts)
    for name, arguments, n_verdicts in [
        ("permuted", "--folds 2", 4),
        ("true_labels", "--max-samples 1437", 4),
        ("grid_search", "--folds 2 --widths 16 32 --depths 1 --max-epochs 5", 1),
        ("corruption", "--lr-scheduler exponential --levels 0.5 --seed 0 1", 5),
        (
            "batch_size",
            "--max-samples 256 --search-epochs 5 --max-epochs 40 "
            "--batch-sizes 64 256 512 64",
            8,
        ),
        ("separability", "--max-samples 1437", 3),
        ("capacity", "--repeats 2 --widths 2 4 --depths 1 --max-epochs 60", 3),
        ("interpolation", "--max-kernel-samples 100", 3),
        (
            "paper_table",
            "--models 1x512 --settings package --n-jobs 1 --max-epochs 4",
            8,
        ),
        (
            "ablation",
            "--repeats 1 --max-epochs 30 --labels true "
            "--ablations SGD 'running averages'",
            3,
        ),
        (
            "parallel",
            "--backends threading --widths 16 --depths 1 --folds 2 --max-epochs 3 "
            "--repeats 1",
            2,
        ),
        ("speed", "--repeats 1 --budget 1e-9 --no-small", 5),
    ]
}
SWEEPS = {"grid_search", "corruption", "batch_size", "capacity", "paper_table"}
WITHOUT_PICTURE = {"paper_table", "ablation", "parallel", "speed"}
EVERY = pytest.mark.parametrize("name", QUICK)


def script(name):
    return importlib.import_module(name)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    monkeypatch.setattr("_tools.machine._SECONDS", 0.002)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Give a function that runs a script once: its records, output and folder."""
    found = {}

    def run(name):
        if name not in found:
            folder = tmp_path_factory.mktemp(name)
            arguments = [*QUICK[name][0], "--output", str(folder / "table.json")]
            if name not in WITHOUT_PICTURE:
                arguments += ["--plot", str(folder / "figure.png")]
            with pytest.MonkeyPatch.context() as patch:
                out = []
                patch.setattr("builtins.print", lambda *a, **k: out.append(str(*a)))
                script(name).main(arguments)
            records = json.loads((folder / "table.json").read_text())
            found[name] = records, "\n".join(out), folder
        return found[name]

    return run


@EVERY
def test_the_table_the_verdicts_and_the_figure(name, finished):
    records, out, folder = finished(name)
    assert all(record["dataset"] == "digits" for record in records)
    assert "digits" in out
    verdicts = re.findall("^- (?:holds|does not hold|undecided): ", out, re.M)
    assert len(verdicts) == QUICK[name][1]
    table = [line for line in out.splitlines() if line.startswith("|")]
    assert len(table) == len(records) + 2
    assert not any(re.search(r"\b(nan|None|NA)\b", line) for line in table)
    written = {"table.json"}
    if name in SWEEPS:
        written.add("table.cells.jsonl")
    if name not in WITHOUT_PICTURE:
        written.add("figure.png")
        assert (folder / "figure.png").read_bytes().startswith(b"\x89PNG")
        assert (folder / "figure.png").stat().st_size > 10_000
    assert {path.name for path in folder.iterdir()} == written


@EVERY
def test_help(name, capsys):
    with pytest.raises(SystemExit) as stop:
        script(name).main(["--help"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    used = [argument for argument in QUICK[name][0] if argument.startswith("--")]
    options = {"--data-home", "--max-samples", "--output", *used}
    if name not in WITHOUT_PICTURE:
        options.add("--plot")
    assert options <= set(out.split())
    assert "\n\n" in script(name).__doc__
    assert " ".join(script(name).__doc__.split()[:8]) in " ".join(out.split())


COMMON = [
    (["--output", "{tmp}/none/table.json"], "--output: the folder .*none does not"),
    (["--output", "{tmp}/table.xlsx"], "--output: .* must end in one of .csv, .json"),
    (["--output", "{tmp}/folder.json"], "--output: .*folder.json is a folder"),
    (["--dataset", "cats"], "--dataset: invalid choice: 'cats'"),
    (["--dataset", "mnist", "--data-home", "{tmp}/void"], "void"),
    (["--max-samples", "0"], "--max-samples: must be an int of at least 1, got '0'"),
]
POSITIVE = "must be an int of at least 1, got '0'"
OWN = [
    ("permuted", ["--plot", "{tmp}/curves.txt"], "--plot: .* must end in one of .png"),
    ("permuted", ["--folds", "1"], "--folds: must be 0 or at least 2, got '1'"),
    ("permuted", ["--seed", "x"], "--seed: must be an int of at least 0, got 'x'"),
    ("permuted", ["--n-jobs", "0"], "--n-jobs: must be an int, but not 0, got '0'"),
    ("permuted", ["--device", "tpu"], "--device: must be auto or a device .* 'tpu'"),
    ("permuted", [*DIGITS, "--max-samples", "11"], "--max-samples: 11 rows are too"),
    ("grid_search", ["--folds", "0"], "--folds: a grid search needs at least 2"),
    ("grid_search", ["--seed", "0", "1"], "--seed: a grid search takes one seed"),
    ("grid_search", ["--grid", "norm"], "--grid: must be NAME=V1,V2 .* got 'norm'"),
    ("grid_search", ["--grid", "nor=batch"], "--grid: .*width; got 'nor=batch'"),
    ("grid_search", ["--grid", "random_state=1"], "--grid: .* got 'random_state=1'"),
    ("grid_search", ["--grid", "dropout=0,2"], "'dropout' parameter .* Got 2"),
    ("grid_search", ["--scheduler", "here"], "--scheduler: must be local or an addr"),
    ("corruption", ["--levels", "1.5"], "--levels: must be from 0 to 1, got '1.5'"),
    ("corruption", ["--levels", "nan"], "--levels: must be from 0 to 1, got 'nan'"),
    ("corruption", ["--lr-scheduler", "x"], "--lr-scheduler: invalid choice: 'x'"),
    ("batch_size", ["--batch-sizes", "1"], "--batch-sizes: must be an int of at least"),
    ("batch_size", [*FEW, "--batch-sizes", "512"], "-sizes: none is at most 200"),
    ("batch_size", ["--budget", "nan"], "--budget: must be a positive number, got"),
    ("batch_size", ["--lr-factors", "x"], "--lr-factors: must be a positive number"),
    ("capacity", ["--widths", "0"], f"--widths: {POSITIVE}"),
    ("capacity", ["--max-samples", "9"], "--max-samples: must be at least 16"),
    ("interpolation", [*FEW, "--max-kernel-samples", "19"], "19 .* few; at least 20"),
    ("interpolation", ["--seed", "0", "1"], "unrecognized arguments: 1"),
    ("paper_table", ["--models", "2x512"], "--models: invalid choice: '2x512'"),
    ("ablation", ["--ablations", "no luck"], "--ablations: invalid choice: 'no luck'"),
    ("ablation", ["--repeats", "0"], f"--repeats: {POSITIVE}"),
    ("parallel", ["--backends", "mpi"], "--backends: invalid choice: 'mpi'"),
    ("parallel", [*DIGITS, "--max-samples", "29"], "29 rows are .* and 3 folds"),
    ("speed", ["--contenders", "nobody"], "--contenders: invalid choice: 'nobody'"),
    ("speed", ["--max-epochs", "0"], "unrecognized arguments"),
]


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [(name, *case) for name in QUICK for case in COMMON] + OWN,
)
def test_wrong_arguments_are_named_before_any_work(
    name, arguments, words, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(script(name), "run", None)
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(SystemExit) as stop:
        script(name).main([a.format(tmp=tmp_path) for a in arguments])
    assert stop.value.code not in (0, None)
    assert len(re.findall(words, capsys.readouterr().err)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["folder.json"]


@EVERY
def test_an_interrupt_leaves_no_table(name, tmp_path, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(script(name), "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        script(name).main([*FEW, "--output", str(tmp_path / "table.json")])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("body", "stdout", "words"),
    [
        ("raise KeyboardInterrupt", os.devnull, "interrupted: no table is written"),
        ("print('a table')", "/dev/full", "error: [Errno 28] No space left on device"),
    ],
)
def test_a_script_ends_with_one_line(body, stdout, words):
    if not Path(stdout).exists():
        pytest.skip(f"there is no {stdout}")
    code = f"from _tools.common import run_script\ndef main():\n    {body}\n"
    with open(stdout, "w") as out:  # noqa: PTH123  a device
        ended = subprocess.run(
            [sys.executable, "-c", f"{code}run_script(main)"],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(words)


def test_an_unwritable_output_is_refused(tmp_path, capsys, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(SystemExit):
        script("permuted").main(["--output", str(tmp_path / "table.json")])
    assert "cannot be written to: Permission denied" in capsys.readouterr().err


def test_without_mnist_the_title_says_that_it_is_about_digits(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(script("speed"), "run", None)
    arguments = ["--max-samples", "100", "--data-home", str(tmp_path / "void")]
    args = script("speed").make_own_parser().parse_args(arguments)
    assert common.load_data(args).title == "digits of scikit-learn, in place of MNIST"
    assert capsys.readouterr().err.startswith("notice: ")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["permuted", "grid_search", "paper_table"])
def test_the_first_fit_of_a_process_is_not_timed(name, monkeypatch):
    shapes = []
    fit = MemorizingMLP.fit

    def spy(self, X, y, **params):
        shapes.append(X.shape)
        return fit(self, X, y, **params)

    monkeypatch.setattr(MemorizingMLP, "fit", spy)
    common.warm_up.cache_clear()
    script(name).main([*QUICK[name][0], "--max-samples", "100"])
    assert shapes[0] == (2048, 256)
    assert {columns for _, columns in shapes[1:]} <= {64, 256}


# The tables


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


def test_parallel_compares_with_the_sequential_search(finished):
    records, out, _ = finished("parallel")
    assert [row["backend"] for row in records] == ["sequential", "threading"]
    assert [row["workers"] for row in records] == [1, 2]
    assert records[0]["ratio"] == 1
    assert all(row["scores_equal"] for row in records)
    assert "- holds: threading: every score is the same, bit for bit;" in out


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
