"""The network of Theorem 1 as a module of torch."""

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

_MAX_ACTIVATIONS = 2**24  # computed at a time: 128 MiB


class TwoLayerReLU(nn.Module):
    """A two-layer ReLU network whose hidden units share one direction.

    Its outputs are ``relu(X @ direction - biases) @ output_weights``, summed as they
    stand, in float64.

    Parameters
    ----------
    direction : ndarray of shape (n_features,)
        The incoming weights of every hidden unit.
    biases : ndarray of shape (n_units,)
        What is subtracted before the ReLU.
    output_weights : ndarray of shape (n_units, n_outputs)
        The weights of the second layer.
    """

    def __init__(
        self, direction: NDArray, biases: NDArray, output_weights: NDArray
    ) -> None:
        super().__init__()
        self.direction = nn.Parameter(torch.tensor(direction))
        self.biases = nn.Parameter(torch.tensor(biases))
        self.output_weights = nn.Parameter(torch.tensor(output_weights))

    def forward(self, X: Tensor) -> Tensor:
        """Compute the outputs.

        Parameters
        ----------
        X : torch.Tensor of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        outputs : torch.Tensor of shape (n_samples, n_outputs), float64
            The outputs.
        """
        projections = X.to(self.direction.dtype) @ self.direction
        n_rows = max(1, _MAX_ACTIVATIONS // len(self.biases))
        return torch.cat(
            [
                torch.relu(part[:, None] - self.biases) @ self.output_weights
                for part in projections.split(n_rows)
            ]
        )
