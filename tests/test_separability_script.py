"""The script that asks which pairs of classes a hyperplane separates."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import separability

FOLDER = Path(separability.__file__).parent


def test_each_pair_has_a_row_and_checked_proofs(tmp_path, capsys):
    output, plot = tmp_path / "pairs.json", tmp_path / "pairs.png"
    separability.main(
        ["--dataset", "digits", "--output", str(output), "--plot", str(plot)]
    )
    rows = json.loads(output.read_text())
    assert len(rows) == 45
    assert {row["verdict"] for row in rows} == {"separable"}
    assert {row["permuted_verdict"] for row in rows} == {"not separable"}
    assert all(row["proof_holds"] and row["permuted_proof_holds"] for row in rows)
    assert all(0 < row["margin"] <= row["margin_bound"] for row in rows)
    assert all(row["log10_p"] < -2 for row in rows)
    out = capsys.readouterr().out
    assert out.count("- holds: ") == 3
    assert "of 45 pairs 0 separable, 45 not separable" in out
    assert plot.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--dataset", "cats"], "invalid choice: 'cats'"),
        (["--seed", "x"], "--seed: must be an int of at least 0, got 'x'"),
        (["--n-jobs", "0"], "--n-jobs: must be an int, but not 0"),
        (["--output", "table.xlsx"], "must end in one of .csv"),
    ],
)
def test_wrong_arguments_are_named_before_any_work(
    arguments, words, capsys, monkeypatch
):
    monkeypatch.setattr(separability, "load_data", None)
    with pytest.raises(SystemExit):
        separability.main(arguments)
    assert words in capsys.readouterr().err


def test_help():
    command = [sys.executable, FOLDER / "separability.py", "--help"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Cover's theorem" in out
    assert "--plot FILE" in out
