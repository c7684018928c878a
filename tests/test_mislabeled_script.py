"""The script that compares finders of wrong labels."""

import json

import mislabeled
import pytest
from sklearn.datasets import load_iris


def test_a_csv_file_is_searched(tmp_path, capsys, monkeypatch):
    file = tmp_path / "flowers.csv"
    load_iris(as_frame=True).frame.to_csv(file, index=False)
    # The others take longer, and are not ours to test.
    names = mislabeled.OURS, "forest out of bag", "nearest neighbors"
    finders = {name: mislabeled.make_finders(1)[name] for name in names}
    monkeypatch.setattr(mislabeled, "make_finders", lambda n_jobs: finders)
    output, plot = tmp_path / "rows.json", tmp_path / "rows.png"
    arguments = ["--csv", str(file), "--target", "target", "--rates", "0.1"]
    files = ["--output", str(output), "--plot", str(plot)]
    mislabeled.main([*arguments, *files, "--repeats", "1"])
    rows = json.loads(output.read_text())
    assert len(rows) == 3 * len(finders)
    uniform = [row for row in rows if row["kind"] == "uniform"]
    assert all(row["auroc"] > 0.8 for row in uniform)
    out = capsys.readouterr().out
    assert out.count("\n- ") == 4
    assert "wilcoxon" in out
    assert plot.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--max-samples", "10"], "needs 5 rows of each class, got [1, 1,"),
        (["--csv", "table.csv"], "--csv: must be given with --target"),
        (["--rates", "1"], "--rates: must be between 0 and 1"),
        (["--csv", "none.csv", "--target", "y"], "--csv: "),
    ],
)
def test_wrong_arguments_are_named(arguments, words, capsys):
    with pytest.raises(SystemExit):
        mislabeled.main(arguments)
    assert words in capsys.readouterr().err
