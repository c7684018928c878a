"""A model of the given labels: true ones, some of which were exchanged."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._halves import Indices
from ._sums import Numbers

# Powers of the predicted probabilities that are tried.
_SHARPNESS = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)
_N_STEPS = 50
# What the probabilities are raised by, so that none is zero.
_FLOOR = 1e-3
# The share of wrong labels that is supposed at first.
_FIRST_SHARE = 0.1


class Posterior(NamedTuple):
    """What the model says about each row, given its features and its label.

    Attributes
    ----------
    probability_wrong : ndarray of shape (n_rows,)
        Probability that the given label is wrong.
    best_other : ndarray of shape (n_rows,)
        Index of the most probable of the other labels.
    """

    probability_wrong: Numbers
    best_other: Indices


def fit_noise_model(probabilities: NDArray, codes: Indices) -> Posterior:
    """Fit the model by maximum likelihood, and infer the true labels.

    A row has a true label, distributed as its held out probabilities raised to some
    power; it was given a label by a matrix of class transitions. Power and matrix are
    those under which the given labels are most likely: the power is taken from a few,
    the matrix is fitted by expectation maximization.

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows, n_classes)
        Held out probabilities.
    codes : ndarray of shape (n_rows,)
        Indices of the given labels.

    Returns
    -------
    posterior : Posterior
        The same for each row in whatever order the rows are.
    """
    # Sums are taken in an order that depends on nothing but the contents.
    order = np.lexsort((*probabilities.T, codes))
    given = codes[order]
    logs = np.log(probabilities[order].astype(np.float64) + _FLOOR)
    fitted = [_fit_transitions(_sharpen(logs, power), given) for power in _SHARPNESS]
    best = int(np.argmax([likelihood for _, likelihood in fitted]))
    transitions, prior = fitted[best][0], _sharpen(logs, _SHARPNESS[best])
    joint = prior * transitions.T[given]
    joint /= joint.sum(axis=1, keepdims=True)
    rows = np.arange(len(given))
    wrong, best_other = np.empty(len(given)), np.empty(len(given), np.intp)
    wrong[order] = 1 - joint[rows, given]
    joint[rows, given] = -1
    best_other[order] = joint.argmax(axis=1)
    return Posterior(wrong, best_other)


def _sharpen(logs: Numbers, power: float) -> Numbers:
    """Raise probabilities to a power, and let each row sum to one again."""
    raised = np.exp(power * (logs - logs.max(axis=1, keepdims=True)))
    return raised / raised.sum(axis=1, keepdims=True)


def _fit_transitions(prior: Numbers, given: Indices) -> tuple[Numbers, float]:
    """Fit the probabilities of each given label (column) for each true one (row).

    Parameters
    ----------
    prior : ndarray of shape (n_rows, n_classes)
        Distribution of the true label of each row.
    given : ndarray of shape (n_rows,)
        Indices of the given labels, in increasing order.

    Returns
    -------
    transitions : ndarray of shape (n_classes, n_classes)
        The matrix.
    likelihood : float
        Mean logarithm of the probability of the given labels.
    """
    n_classes = prior.shape[1]
    starts = np.searchsorted(given, np.arange(n_classes))
    transitions = np.full((n_classes, n_classes), _FIRST_SHARE / (n_classes - 1))
    np.fill_diagonal(transitions, 1 - _FIRST_SHARE)
    for _ in range(_N_STEPS):
        joint = prior * transitions.T[given]
        total = joint.sum(axis=1, keepdims=True)
        # One row's worth is spread over the labels: no transition is impossible.
        counts = np.add.reduceat(joint / total, starts, axis=0).T + 1 / n_classes
        transitions = counts / counts.sum(axis=1, keepdims=True)
    return transitions, float(np.log(total).mean())
