"""The benchmark of closed-form interpolation, run on digits."""

import json
import re
import subprocess
import sys
from pathlib import Path

import interpolation
import pytest

from sk_memorize.analysis.interpolation import _kernel

QUICK = ["--dataset", "digits", "--max-samples", "300"]
METHODS = [
    *("TwoLayerInterpolator", "KernelInterpolator"),
    *("MemorizingMLP", "1-nearest neighbor"),
]


def test_the_table_the_figure_and_the_verdict(tmp_path, capsys):
    output, plot = tmp_path / "table.json", tmp_path / "figure.png"
    files = ["--output", str(output), "--plot", str(plot)]
    interpolation.main([*QUICK, "--max-kernel-samples", "200", *files])
    records = json.loads(output.read_text())
    assert [(r["labels"], r["method"]) for r in records] == [
        (labels, method) for labels in ("true", "permuted") for method in METHODS
    ]
    for record in records:
        assert record["dataset"] == "digits"
        assert record["train_accuracy"] == 1.0
        assert record["n_test"] == 360
        assert record["seconds_to_fit"] > 0
        low, high = (0.0, 0.25) if record["labels"] == "permuted" else (0.8, 1.0)
        if record["method"] == "TwoLayerInterpolator":
            low, high = 0.0, 0.4
        assert low <= record["test_accuracy"] <= high
    assert [r["n_train"] for r in records[:4]] == [300, 200, 300, 200]
    parameters = [r["parameters"] for r in records[:4]]
    assert parameters[:2] == [64 + 300 * 11, 200 * (64 + 10)]
    assert parameters[2] > 300
    assert parameters[3] == 200 * 65
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert sorted(tmp_path.iterdir()) == [plot, output]
    out = capsys.readouterr().out
    for words in (
        "closed form and by training: digits",
        "holds: each method fits 99.99% of true labels",
    ):
        assert words in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--max-kernel-samples", "0"], "--max-kernel-samples: must be an int of at"),
        (["--max-kernel-samples", "all"], "--max-kernel-samples: must be .* got 'all'"),
        ([*QUICK, "--max-kernel-samples", "19"], "samples: 19 .* few; at least 20"),
        ([*QUICK[:2], "--max-samples", "11"], "--max-samples: 11 rows are too few"),
        (["--seed", "x"], "--seed: must be an int of at least 0, got 'x'"),
        (["--seed", "0", "1"], "unrecognized arguments: 1"),
        (["--dataset", "cats"], "--dataset: invalid choice: 'cats'"),
        (["--dataset", "mnist", "--data-home", "{tmp}/void"], "void"),
        (["--device", "tpu"], "--device: must be auto or a device .* got 'tpu'"),
        (["--output", "{tmp}/table.xlsx"], "--output: .* must end in one of .csv"),
        (["--output", "{tmp}/none/table.json"], "--output: the folder .*none does not"),
        (["--plot", "{tmp}/figure.txt"], "--plot: .* must end in one of .png"),
    ],
)
def test_wrong_arguments_are_named_before_any_work(
    arguments, words, tmp_path, capsys, monkeypatch
):
    def never(*args, **kwargs):
        raise AssertionError("the work began")

    def no_network(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr(interpolation, "run", never)
    monkeypatch.setattr("urllib.request.urlopen", no_network)
    with pytest.raises(SystemExit) as stop:
        interpolation.main([a.format(tmp=tmp_path) for a in arguments])
    assert stop.value.code not in (0, None)
    assert re.search(words, capsys.readouterr().err)
    assert not list(tmp_path.iterdir())


def test_a_kernel_too_large_for_the_memory(capsys, monkeypatch):
    monkeypatch.setattr(_kernel, "_available_memory", lambda: 1e-6)
    with pytest.raises(SystemExit):
        interpolation.main(QUICK)
    words = r"--max-kernel-samples: The 'max_memory' parameter .* fit fewer rows"
    assert re.search(words, capsys.readouterr().err)


def test_help():
    script = Path(interpolation.__file__)
    out = subprocess.run(
        [sys.executable, script, "--help"], capture_output=True, text=True, check=True
    ).stdout
    options = ["dataset", "data-home", "seed", "device", "max-samples", "output"]
    for option in [*options, "plot", "max-kernel-samples"]:
        assert f"--{option} " in out
