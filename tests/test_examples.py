"""The examples of the gallery run, each to its picture, without a warning."""

import runpy
from pathlib import Path

import pytest
import torch

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("plot_*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_example_runs(path, tmp_path, monkeypatch):
    plt = pytest.importorskip("matplotlib.pyplot", reason="needs the extra 'plot'")
    if "dask" in path.stem:
        pytest.importorskip("distributed", reason="needs the extra 'distributed'")
    monkeypatch.chdir(tmp_path)
    plt.switch_backend("agg")
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)  # small networks would only wait for each other
    try:
        runpy.run_path(str(path))
        assert plt.get_fignums()
        for number in plt.get_fignums():
            plt.figure(number).canvas.draw()
    finally:
        plt.close("all")
        torch.set_num_threads(n_threads)
    assert not list(tmp_path.iterdir())
