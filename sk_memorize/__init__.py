"""Memorization experiments with neural networks, in plain scikit-learn."""

__version__ = "0.1.0.dev0"
