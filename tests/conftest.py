"""What must be set before anything is imported, and what no test leaves behind."""

import importlib
import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# scikit-learn skips its checks of array API input without it.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
# Deadlines would fail tests on a busy machine.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

SLOW = set((Path(__file__).parent / "slow.txt").read_text("utf-8").split("\n"))


def pytest_collection_modifyitems(items):
    """Mark the slow tests that have no mark of their own."""
    for item in items:
        name = item.path.name
        if SLOW & {name, f"{name}::{getattr(item, 'originalname', '')}"}:
            item.add_marker("slow")


@pytest.fixture(autouse=True)
def close_figures():
    """Close a test's figures, so that the next one can count its own."""
    yield
    if plt := sys.modules.get("matplotlib.pyplot"):
        plt.close("all")


@pytest.fixture
def set_threads():
    """Give a function that sets torch's number of threads until the test ends."""
    import torch

    n_threads = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(n_threads)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Give a function that runs a script once: its records, output and folder."""
    from script_cases import QUICK, WITHOUT_PICTURE

    found = {}

    def run(name):
        if name not in found:
            folder, out = tmp_path_factory.mktemp(name), []
            arguments = [*QUICK[name], "--output", str(folder / "table.json")]
            if name not in WITHOUT_PICTURE:
                arguments += ["--plot", str(folder / "figure.png")]
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("_tools.machine._SECONDS", 0.002)
                patch.setattr("builtins.print", lambda *a, **k: out.append(str(*a)))
                importlib.import_module(name).main(arguments)
            records = json.loads((folder / "table.json").read_text())
            found[name] = records, "\n".join(out), folder
        return found[name]

    return run
