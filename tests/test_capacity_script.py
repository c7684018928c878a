"""The script that measures capacities."""

import json
import subprocess
import sys
from pathlib import Path

import capacity
import pytest

FOLDER = Path(capacity.__file__).parent
SMALL = [
    *("--dataset", "digits", "--max-samples", "200", "--repeats", "2"),
    *("--widths", "2", "4", "--depths", "1", "--max-epochs", "60"),
]


def test_networks_and_models_of_known_capacity_stand_in_one_table(tmp_path, capsys):
    output, plot = tmp_path / "capacity.json", tmp_path / "capacity.png"
    arguments = [*SMALL, "--output", str(output)]
    capacity.main([*arguments, "--plot", str(plot)])
    rows = json.loads(output.read_text())
    names = [row["model"] for row in rows]
    assert names[:2] == ["MemorizingMLP"] * 2
    # 64 inputs, a hidden layer with batch norm, 2 outputs.
    assert [row["parameters"] for row in rows[:2]] == [
        64 * w + w + 2 * w + 2 for w in (2, 4)
    ]
    linear, tree = rows[2:]
    # Two repeats leave some noise.
    assert linear["labels"] == pytest.approx(linear["cover"], rel=0.25)
    assert tree["at_least"]
    assert tree["labels"] == 200
    assert "capacity of Cover's theorem" in capsys.readouterr().out
    assert plot.stat().st_size > 10_000
    # Started again, nothing is left to do.
    capacity.main(arguments)
    assert "has 4 finished cells" in capsys.readouterr().err
    assert json.loads(output.read_text()) == rows


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--widths", "0"], "--widths: must be an int of at least 1, got '0'"),
        (["--classes", "1"], "--classes: must be"),
        (["--rtol", "2"], "--rtol: must be"),
        (["--gaussian", "-3"], "--gaussian: must be an int of at least 1"),
        (["--output", "table.xlsx"], "must end in one of .csv"),
    ],
)
def test_wrong_arguments_are_named_before_any_work(
    arguments, words, capsys, monkeypatch
):
    monkeypatch.setattr(capacity, "memorization_capacity", None)
    with pytest.raises(SystemExit):
        capacity.main(arguments)
    assert words in capsys.readouterr().err


def test_help():
    command = [sys.executable, FOLDER / "capacity.py", "--help"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "How many random labels" in out
    assert "--gaussian COLUMNS" in out
