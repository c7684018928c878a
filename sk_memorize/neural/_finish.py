"""The exact finish: the last layer, fitted by convex optimization.

Given the outputs of the last hidden layer, the cross-entropy is convex in the
last layer, and a linear layer of some hundred inputs can be right in far more
rows than stochastic gradients with their noise find the way to. So the labels
that are still wrong when the hidden layers are good are fitted by L-BFGS, in full
batches of the rows that matter: those of the smallest margins.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor, nn

from ..preprocessing import Rows
from ._evaluation import HiddenOutputs

# Logit of the label less the largest other one: where L-BFGS may stop, and what
# is asked of all rows. The rounding of float32 is a thousandth of that.
_MARGIN, _LEAST_MARGIN = 0.3, 0.1
_LOW_LOSS = 0.02  # nats

_FIRST_ROWS = 4096  # rows of the smallest margins, to begin with
_NEAR = 0.5  # rows with a smaller margin join them
_MAX_ROUNDS = 6

# Iterations: as many as cost this many multiplications, within bounds. The
# attempt ends early where this part of them leaves most of the mistakes, unless they
# are fewer than this part of the rows.
_MULTIPLICATIONS = 4e9
_FEWEST_ITERATIONS, _MOST_ITERATIONS = 100, 2000
_PATIENCE, _PROGRESS, _FEW_FAILING = 0.25, 0.8, 0.01

# Weights that have grown so many times tell rows apart by rounding errors.
_LARGEST_GROWTH = 1e4

# Hopeless: a larger part of the rows is wrong, and they are more than four
# times the inputs of the layer.
_HOPELESS, _FEW_ROWS = 0.03, 4


class Goal(NamedTuple):
    """Accuracy to reach, and the regularizers of the loss.

    The accuracy is a part of all mass, not only of the mass that can be right.
    """

    accuracy: float
    label_smoothing: float
    weight_decay: float


def is_within_reach(accuracy: float, rows: Rows, n_hidden: int) -> bool:
    """Tell whether few enough rows are wrong to fit them by the last layer alone."""
    wrong = 1 - accuracy / rows.accuracy_to_reach
    return wrong <= _HOPELESS or len(rows) <= _FEW_ROWS * n_hidden


def fit_last_layer(
    hidden: HiddenOutputs, last: nn.Linear, rows: Rows, goal: Goal
) -> bool:
    """Fit the last layer until the rows that can be right are right.

    Parameters
    ----------
    hidden : HiddenOutputs
        What the layer takes.
    last : torch.nn.Linear
        The layer; it is changed in place.
    rows : Rows
        The training rows.
    goal : Goal
        The accuracy to reach, and the regularizers.

    Returns
    -------
    reached : bool
        Whether it has been reached, with a margin that rounding does not change.
    """
    allowed = (1 - goal.accuracy) * float(rows.mass.sum())
    allowed = max(0.0, allowed - float(rows.mass[~rows.can_be_right].sum()))
    margin = _reachable_margin(goal.label_smoothing, last.out_features)
    if allowed >= float(rows.mass.min()):
        margin *= 0.03  # rows at the boundary are among those that may be wrong
    least = margin * _LEAST_MARGIN / _MARGIN
    chosen = torch.zeros_like(rows.can_be_right)
    is_done = True
    for _ in range(_MAX_ROUNDS):
        margins = _margins(hidden.logits(last), rows.y)
        margins[~rows.can_be_right] = math.inf
        failing = float(rows.mass[margins < least].sum())
        if chosen.any() and failing <= allowed:
            return True
        if not is_done:
            return False
        n_first = min(_FIRST_ROWS, len(rows))
        chosen |= margins <= margins.kthvalue(n_first).values.clamp_max(1e30)
        chosen |= margins < _NEAR
        problem = _Problem(hidden, rows, chosen, goal, margin, allowed)
        is_done = problem.minimize(last)
    return False


def _reachable_margin(label_smoothing: float, n_classes: int) -> float:
    """Compute the margin to stop at; smoothed labels have a largest one."""
    part = label_smoothing / n_classes
    if part == 0:
        return _MARGIN
    return min(_MARGIN, 0.5 * (math.log(1 - label_smoothing + part) - math.log(part)))


def _margins(logits: Tensor, y: Tensor) -> Tensor:
    """Compute the logit of the label less the largest other one."""
    label = logits.gather(1, y[:, None]).squeeze(1)
    return label - logits.scatter(1, y[:, None], -math.inf).amax(1)


class _Problem:
    """The convex problem of some rows, as SciPy's minimizer asks for it.

    Parameters
    ----------
    hidden, rows, goal
        As in `fit_last_layer`.
    chosen : torch.Tensor of shape (n_samples,), bool
        The rows.
    margin : float
        Where to stop.
    allowed : float
        Mass of the rows that may miss it.
    """

    def __init__(
        self,
        hidden: HiddenOutputs,
        rows: Rows,
        chosen: Tensor,
        goal: Goal,
        margin: float,
        allowed: float,
    ) -> None:
        index = torch.nonzero(chosen).squeeze(1)
        self._inputs = torch.cat(list(hidden.chunks(index)))
        self._y = rows.y[index]
        self._mass = rows.mass[index].to(self._inputs.dtype)
        self._total = float(rows.mass.sum())
        self._goal, self._margin, self._allowed = goal, margin, allowed
        self._is_regularized = goal.label_smoothing > 0 or goal.weight_decay > 0
        self._failing = self._loss = math.inf  # at the last evaluation
        self._counts: list[float] = []

    def minimize(self, last: nn.Linear) -> bool:
        """Fit the layer in place; tell whether the margins are reached."""
        with torch.no_grad():
            start = torch.cat([last.weight, last.bias[:, None]], 1)
        n_multiplications = self._inputs.numel() * last.out_features
        n_iterations = int(_MULTIPLICATIONS / n_multiplications)
        n_iterations = min(max(n_iterations, _FEWEST_ITERATIONS), _MOST_ITERATIONS)
        self._shape, self._patience = start.shape, int(_PATIENCE * n_iterations)
        self._few = _FEW_FAILING * float(self._mass.sum())
        self._largest = _LARGEST_GROWTH * max(1.0, float(start.abs().max()))
        result = minimize(
            self._loss_and_gradient,
            start.double().cpu().numpy().ravel(),
            jac=True,
            method="L-BFGS-B",
            callback=self._stop_if_done,
            options={
                "maxiter": n_iterations,
                "maxfun": 2 * n_iterations,
                "maxcor": 20,
                "ftol": 0.0,
                "gtol": 1e-12,
            },
        )
        weights = torch.from_numpy(result.x.reshape(self._shape)).float()
        with torch.no_grad():
            last.weight.copy_(weights[:, :-1])
            last.bias.copy_(weights[:, -1])
        return self._is_done()

    @torch.no_grad()
    def _loss_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        H, y = self._inputs, self._y
        weights = torch.from_numpy(x.reshape(self._shape)).to(H)
        logits = torch.addmm(weights[:, -1], H, weights[:, :-1].T)
        failing = self._mass[_margins(logits, y) < self._margin].sum()
        # By hand: with few classes torch's own softmax and cross-entropy take as
        # long as the products.
        smoothing, log_sum = self._goal.label_smoothing, logits.logsumexp(1)
        label = logits.gather(1, y[:, None]).squeeze(1)
        losses = log_sum - (1 - smoothing) * label
        if smoothing:
            losses -= smoothing * logits.mean(1)
        errors = logits.sub_(log_sum[:, None]).exp_().sub_(smoothing / len(weights))
        errors.scatter_add_(1, y[:, None], torch.full_like(errors, smoothing - 1))
        errors *= (self._mass / self._total)[:, None]
        gradient = torch.cat([errors.T @ H, errors.sum(0)[:, None]], 1)
        loss = float((losses.double() * self._mass).sum()) / self._total
        self._failing, self._loss = float(failing), loss
        decay = self._goal.weight_decay
        loss += 0.5 * decay * float(x @ x)
        return loss, gradient.double().cpu().numpy().ravel() + decay * x

    def _is_done(self) -> bool:
        is_low = self._is_regularized or self._loss <= _LOW_LOSS
        return self._failing <= self._allowed and is_low

    def _stop_if_done(self, x: np.ndarray) -> None:
        """End the minimization where it has succeeded, or makes no progress."""
        # L-BFGS-B calls back at the point that it has evaluated last.
        self._counts.append(self._failing)
        before = self._counts[-self._patience - 1 : -self._patience]
        is_stuck = before and self._failing > max(_PROGRESS * before[0], self._few)
        if self._is_done() or is_stuck or np.abs(x).max() > self._largest:
            raise StopIteration
