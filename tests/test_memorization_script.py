"""The script that scores each row of a data set."""

import json

import memorization

SMALL = ["--dataset", "digits", "--max-samples", "300", "--repeats", "1"]


def test_each_question_has_rows_and_a_verdict(tmp_path, capsys):
    output, plot = tmp_path / "rows.json", tmp_path / "rows.png"
    files = ["--output", str(output), "--plot", str(plot)]
    memorization.main([*SMALL, "--n-fits", "8", *files])
    rows = json.loads(output.read_text())
    agreement = [row for row in rows if row["what"] == "agreement"]
    assert [row["networks"] for row in agreement] == [2, 4, 8]
    assert all(0 < row["heldout_probability"] < 1 for row in agreement)
    removal = [row for row in rows if row["what"] == "removal"]
    assert len(removal) == 1 + 2 * len(memorization.SHARES)
    assert all(row["test_accuracy"] > 0.5 for row in removal)
    assert rows[-1]["what"] == "influence"
    assert capsys.readouterr().out.count("\n- ") == 4
    assert plot.stat().st_size > 10_000
