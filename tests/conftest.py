"""What must be set before anything is imported, and what no test leaves behind."""

import os
import sys

import pytest

# scikit-learn skips its checks of array API input without it.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

# Tests of the benchmark scripts run whole fits, and other processes.
SLOW = {
    "test_ablation",
    "test_batch_size",
    "test_benchmarks",
    "test_capacity_script",
    "test_corruption_script",
    "test_grid_search",
    "test_interpolation_script",
    "test_paper_table",
    "test_parallel",
    "test_separability_script",
    "test_speed",
}


def pytest_collection_modifyitems(items):
    """Mark the tests of the slow files."""
    for item in items:
        if item.path.stem in SLOW:
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
