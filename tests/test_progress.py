"""The bar of the benchmark scripts."""

import io

import pytest
from _tools.progress import track


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_bar_is_for_terminals(is_terminal, monkeypatch):
    stderr = io.StringIO()
    stderr.isatty = lambda: is_terminal
    monkeypatch.setattr("sys.stderr", stderr)
    assert list(track(range(3), "number {}".format)) == [0, 1, 2]
    shown = stderr.getvalue()
    assert (not shown) == (not is_terminal)
    if is_terminal:
        assert "0/3" in shown
        assert "3/3" in shown
        assert "number 2" in shown
