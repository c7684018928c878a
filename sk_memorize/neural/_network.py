"""The network: a multilayer perceptron with normalized hidden layers."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

from .._errors import wrong
from ..preprocessing import Scaling


class BatchNormMLP(nn.Module):
    """Linear layers with a rectifier and normalization between them.

    Every hidden layer is ``Linear -> rectifier -> norm``, or ``Linear -> norm
    -> rectifier`` with ``norm_position="before"``, followed by dropout if there
    is any; the last layer is linear and gives the logits. There is no convolution
    and no attention, and all layers are torch's own.

    The layers are initialized as :class:`torch.nn.Linear` does it (uniform in
    plus or minus one over the square root of the number of inputs), but from
    `seed` alone: torch's global generator is neither read nor advanced.

    Parameters
    ----------
    n_features : int
        Number of inputs.
    n_classes : int
        Number of outputs.
    hidden_layer_sizes : sequence of int, default=(512, 512)
        Units of each hidden layer, from the input to the output.
    norm : {"batch", "group"} or None, default="batch"
        Normalization of the hidden layers.
    norm_position : {"before", "after"}, default="after"
        Whether the normalization stands before or after the rectifier.
    norm_affine : bool, default=False
        Whether the normalization has a learned gain and shift.
    negative_slope : float, default=-0.6
        The rectifier is the identity for positive inputs, and has this slope
        for negative ones: 0 is the ReLU, -1 the absolute value.
    n_groups : int, default=8
        Number of groups of the group normalization; it divides each of the
        hidden layer sizes.
    dropout : float, default=0.0
        Probability of dropping a hidden unit while training, in [0, 1).
    seed : int, default=0
        Decides the initial weights and the dropped units.

    Attributes
    ----------
    layers : torch.nn.Sequential
        The layers in order.
    center, scale : torch.Tensor of shape (n_features,), float64, or None
        What is subtracted from the inputs and what they are divided by before
        the first layer, where float32 cannot hold them or a column has heavy
        tails.
    is_heavy : torch.Tensor of shape (n_features,), bool, or None
        Columns that are then replaced by their inverse hyperbolic sine: the
        identity near zero, a logarithm far from it [1]_.

    References
    ----------
    .. [1] J. B. Burbidge, L. Magee and A. L. Robb, "Alternative transformations
       to handle extreme values of the dependent variable", Journal of the
       American Statistical Association 83, 1988, section 2.

    Examples
    --------
    >>> import torch
    >>> from sk_memorize import BatchNormMLP
    >>> module = BatchNormMLP(64, 10, hidden_layer_sizes=(32, 32), seed=0)
    >>> module(torch.zeros(5, 64)).shape
    torch.Size([5, 10])
    >>> sum(p.numel() for p in module.parameters())
    3466
    """

    center: Tensor | None
    scale: Tensor | None
    is_heavy: Tensor | None

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        hidden_layer_sizes: Sequence[int] = (512, 512),
        norm: str | None = "batch",
        norm_position: str = "after",
        norm_affine: bool = False,
        negative_slope: float = -0.6,
        n_groups: int = 8,
        dropout: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        layers: list[nn.Module] = []
        n_inputs = n_features
        for size in hidden_layer_sizes:
            layers.append(_make_linear(n_inputs, size, generator))
            rectifier = nn.LeakyReLU(negative_slope) if negative_slope else nn.ReLU()
            block: list[nn.Module] = [rectifier]
            if norm is not None:
                block.append(_make_norm(norm, size, n_groups, norm_affine))
            layers += block if norm_position == "after" else reversed(block)
            if dropout:
                layers.append(nn.Dropout(dropout))
            n_inputs = size
        layers.append(_make_linear(n_inputs, n_classes, generator))
        self.layers = nn.Sequential(*layers)
        self.seed = seed
        self._dropout_generator: torch.Generator | None = None
        for name in Scaling._fields:
            self.register_buffer(name, None)

    def forward(self, X: Tensor) -> Tensor:
        """Compute the logits.

        Parameters
        ----------
        X : torch.Tensor of shape (n_samples, n_features)
            Inputs.

        Returns
        -------
        logits : torch.Tensor of shape (n_samples, n_classes)
            Unnormalized log-probabilities.

        Raises
        ------
        ValueError
            If X is not of that shape.
        """
        return self.last_layer(last_hidden(self, X))

    @property
    def first_layer(self) -> nn.Linear:
        """The first Linear layer."""
        layer: nn.Linear = self.layers[0]  # type: ignore[assignment]  # a Linear by construction
        return layer

    @property
    def last_layer(self) -> nn.Linear:
        """The last Linear layer, which gives the logits."""
        layer: nn.Linear = self.layers[-1]  # type: ignore[assignment]  # a Linear by construction
        return layer

    @property
    def scaling(self) -> Scaling | None:
        """What is done to the inputs before the first layer."""
        if self.center is None:
            return None
        return Scaling(self.center, self.scale, self.is_heavy)  # type: ignore[arg-type]  # all or none

    @property
    def hidden_layer_sizes(self) -> tuple[int, ...]:
        """Units of each hidden layer."""
        linears = [layer for layer in self.layers if isinstance(layer, nn.Linear)]
        return tuple(layer.out_features for layer in linears[:-1])

    def __getstate__(self) -> dict[str, object]:
        # A generator cannot be pickled or copied on every torch supported.
        return {**self.__dict__, "_dropout_generator": None}


def last_hidden(module: BatchNormMLP, X: Tensor) -> Tensor:
    """Compute what the last layer takes."""
    n_features = module.first_layer.in_features
    if X.ndim != 2 or X.shape[1] != n_features:
        must, got = f"be of shape (n_samples, {n_features})", f"shape {tuple(X.shape)}"
        raise ValueError(wrong("X", "BatchNormMLP.forward", must, got))
    scaling, dtype = module.scaling, module.first_layer.weight.dtype
    if scaling is not None:
        X = scaling(X, dtype)
    elif X.dtype != torch.bfloat16:
        # Equal numbers are the same input, whatever their format.
        X = X.float().to(dtype)
    # A slice of a Sequential would be another one, made anew for each batch.
    for layer in list(module.layers)[:-1]:
        X = apply_layer(module, layer, X)
    return X


def apply_layer(module: BatchNormMLP, layer: nn.Module, X: Tensor) -> Tensor:
    """Compute the outputs of a layer; dropped units are drawn from the seed."""
    if not (module.training and isinstance(layer, nn.Dropout)):
        outputs: Tensor = layer(X)
        return outputs
    if module._dropout_generator is None:
        generator = torch.Generator(X.device).manual_seed(module.seed + 1)
        module._dropout_generator = generator
    kept = torch.empty_like(X)
    kept.bernoulli_(1 - layer.p, generator=module._dropout_generator)
    return X * kept.div_(1 - layer.p)


def _make_linear(
    n_inputs: int, n_outputs: int, generator: torch.Generator
) -> nn.Linear:
    """Make a Linear layer that is initialized by the generator alone."""
    layer = skip_init(nn.Linear, n_inputs, n_outputs, dtype=torch.float32)
    bound = 1 / math.sqrt(n_inputs)
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -bound, bound, generator)
    return layer


def _make_norm(norm: str, size: int, n_groups: int, affine: bool) -> nn.Module:
    if norm == "batch":
        return nn.BatchNorm1d(size, affine=affine, dtype=torch.float32)
    return nn.GroupNorm(n_groups, size, affine=affine, dtype=torch.float32)
