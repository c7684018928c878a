"""What must be set before anything is imported, and what no test leaves behind."""

import os
import sys

import pytest

# scikit-learn skips its checks of array API input without it.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

# Files of tests, and tests, that run whole fits or other processes.
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
    "test_sweep",
    "test_a_killed_run_goes_on_where_it_was",
    "test_digests_are_the_same_in_another_process",
    "test_digests_are_the_same_in_any_process",
    "test_other_processes_measure_the_same",
    "test_scorers_pickle_show_themselves_and_run_in_other_processes",
    "test_whatever_json_can_express_comes_back_exactly",
}


def pytest_collection_modifyitems(items):
    """Mark the slow tests that have no mark of their own."""
    for item in items:
        if SLOW & {item.path.stem, getattr(item, "originalname", "")}:
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
