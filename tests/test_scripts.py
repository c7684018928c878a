"""What all benchmark scripts have in common, run on digits."""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from _tools import common
from _tools.arguments import make_parser
from script_cases import DIGITS, FEW, N_VERDICTS, QUICK, SWEEPS, WITHOUT_PICTURE

from sk_memorize import MemorizingMLP

EVERY = pytest.mark.parametrize("name", QUICK)


def script(name):
    return importlib.import_module(name)


def load_data(*arguments):
    return common.load_data(make_parser(None).parse_args(arguments))


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", refuse)


@EVERY
def test_the_table_the_verdicts_and_the_figure(name, finished):
    records, out, folder = finished(name)
    assert all(record["dataset"] == "digits" for record in records)
    assert "digits" in out
    verdicts = re.findall("^- (?:holds|does not hold|undecided): ", out, re.M)
    assert len(verdicts) == N_VERDICTS[name]
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
    used = [argument for argument in QUICK[name] if argument.startswith("--")]
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
    ("grid_search", ["--grid", "width=1]+[2"], "--grid: must be a list .* got 'width"),
    ("grid_search", ["--grid", "nor=batch"], "--grid: .*width; got 'nor=batch'"),
    ("grid_search", ["--grid", "random_state=1"], "--grid: .* got 'random_state=1'"),
    ("grid_search", ["--grid", "dropout=0,2"], "'dropout' parameter .* Got 2"),
    ("grid_search", ["--scheduler", "here"], "--scheduler: must be local or an addr"),
    ("corruption", ["--levels", "1.5"], "--levels: must be from 0 to 1, got '1.5'"),
    ("corruption", ["--levels", "nan"], "--levels: must be from 0 to 1, got 'nan'"),
    ("batch_size", ["--batch-sizes", "1"], "--batch-sizes: must be an int of at least"),
    ("batch_size", [*FEW, "--batch-sizes", "512"], "-sizes: none is at most 200"),
    ("batch_size", ["--budget", "nan"], "--budget: must be a positive number, got"),
    ("batch_size", ["--lr-factors", "x"], "--lr-factors: must be a positive number"),
    ("capacity", ["--widths", "0"], f"--widths: {POSITIVE}"),
    ("capacity", ["--max-samples", "9"], "--max-samples: must be at least 16"),
    ("interpolation", [*FEW, "--max-kernel-samples", "19"], "19 .* few; at least 20"),
    ("ablation", ["--repeats", "0"], f"--repeats: {POSITIVE}"),
    ("parallel", [*DIGITS, "--max-samples", "29"], "29 rows are .* and 3 folds"),
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


@pytest.mark.parametrize("n_rows", [200, 1430, 1437, 2000])
def test_a_sample_may_have_any_size(n_rows):
    y = load_data(*DIGITS, "--max-samples", str(n_rows)).y_train
    assert len(y) == min(n_rows, 1437)
    shares = np.bincount(load_data(*DIGITS).y_train) * len(y) / 1437
    assert abs(np.bincount(y) - shares).max() < 1


def test_without_mnist_the_title_says_that_it_is_about_digits(tmp_path, capsys):
    arguments = ["--max-samples", "100", "--data-home", str(tmp_path / "void")]
    assert load_data(*arguments).title == "digits of scikit-learn, instead of MNIST"
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
    script(name).main([*QUICK[name], "--max-samples", "100"])
    assert shapes[0] == (2048, 256)
    assert {columns for _, columns in shapes[1:]} <= {64, 256}
