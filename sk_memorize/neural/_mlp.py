"""The network: a multilayer perceptron with normalized hidden layers."""

import copy
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._sums import ENOUGH_ROWS, MOST_ROWS, padding, sum_rows


class BatchNormMLP(nn.Module):
    """Linear layers with normalization and a rectifier between them.

    Every hidden layer is ``Linear -> norm -> rectifier``, or ``Linear ->
    rectifier -> norm`` with ``norm_position="after"``, followed by dropout if
    there is any; the last layer is linear and gives the logits. There is no
    convolution and no attention.

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
    norm : {"batch", "group", "layer"} or None, default="batch"
        Normalization of the hidden layers.
    norm_position : {"before", "after"}, default="before"
        Whether the normalization stands before or after the rectifier.
    negative_slope : float, default=-0.5
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

    Examples
    --------
    >>> import torch
    >>> from sk_memorize import BatchNormMLP
    >>> module = BatchNormMLP(64, 10, hidden_layer_sizes=(32, 32), seed=0)
    >>> module(torch.zeros(5, 64)).shape
    torch.Size([5, 10])
    >>> sum(p.numel() for p in module.parameters())
    3594
    """

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        hidden_layer_sizes: Sequence[int] = (512, 512),
        norm: str | None = "batch",
        norm_position: str = "before",
        negative_slope: float = -0.5,
        n_groups: int = 8,
        dropout: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        layers: list[nn.Module] = []
        n_inputs = n_features
        for depth, size in enumerate(hidden_layer_sizes):
            layers.append(make_linear(n_inputs, size, generator=generator))
            block = [_make_norm(norm, size, n_groups), _make_rectifier(negative_slope)]
            if norm_position == "after":
                block.reverse()
            layers.extend(layer for layer in block if layer is not None)
            if dropout:
                layers.append(Dropout(dropout, seed=seed + depth + 1))
            n_inputs = size
        layers.append(make_linear(n_inputs, n_classes, generator=generator))
        self.layers = nn.Sequential(*layers)

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
        n_features = self.first_layer.in_features
        if X.ndim != 2 or X.shape[1] != n_features:
            raise ValueError(
                "The 'X' parameter of BatchNormMLP.forward must be of shape "
                f"(n_samples, {n_features}). Got shape {tuple(X.shape)} instead."
            )
        for layer in self.layers:
            X = layer(X)
        return X

    @property
    def first_layer(self) -> nn.Linear:
        """The first Linear layer."""
        return next(layer for layer in self.layers if isinstance(layer, nn.Linear))

    @property
    def hidden_layer_sizes(self) -> tuple[int, ...]:
        """Units of each hidden layer."""
        linears = [layer for layer in self.layers if isinstance(layer, nn.Linear)]
        return tuple(layer.out_features for layer in linears[:-1])

    @property
    def tails(self) -> nn.Module | None:
        """What the inputs go through before the first Linear layer."""
        first = self.layers[0]
        return None if isinstance(first, nn.Linear) else first

    def with_first_layers(self, *first: nn.Module) -> "BatchNormMLP":
        """Make a network that differs in its first layer and shares the others.

        Parameters
        ----------
        *first : torch.nn.Module
            One layer or more in place of the first.

        Returns
        -------
        module : BatchNormMLP
            The new network.
        """
        module = copy.copy(self)
        module._modules = {"layers": nn.Sequential(*first, *self.layers[1:])}
        return module


class _Linear(nn.Linear):
    """A Linear layer whose results do not depend on the number of threads."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  torch's name
        n_rows, n_outputs = len(input), self.out_features
        more_rows = padding(n_rows) if n_rows < ENOUGH_ROWS else 0
        # The columns of the inputs are those of the weights' gradients.
        more_inputs = padding(self.in_features) if self.training else 0
        more_outputs = padding(n_outputs)
        weight: Tensor = self.weight
        bias: Tensor = self.bias
        if more_rows or more_inputs:
            input = F.pad(input, (0, more_inputs, 0, more_rows))  # noqa: A001
        if more_inputs or more_outputs:
            weight = F.pad(weight, (0, more_inputs, 0, more_outputs))
            bias = F.pad(bias, (0, more_outputs))
        if self.training and n_rows > MOST_ROWS:
            parts = [F.linear(rows, weight, bias) for rows in input.split(MOST_ROWS)]
            output = torch.cat(parts)
        else:
            output = F.linear(input, weight, bias)
        # To autograd even a slice of everything is a copy.
        is_padded = more_rows or more_outputs
        return output[:n_rows, :n_outputs] if is_padded else output


class _BatchNorm(nn.BatchNorm1d):
    """Batch normalization whose sums do not depend on the number of threads."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  torch's name
        if not self.training:
            return super().forward(input)
        output, mean, variance = _BatchNormFunction.apply(
            input, self.weight, self.bias, self.eps
        )
        if self.running_mean is not None and self.running_var is not None:
            n, momentum = len(input), self.momentum or 0.0
            self.running_mean.lerp_(mean, momentum)
            self.running_var.lerp_(variance * (n / max(n - 1, 1)), momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        return output


class _BatchNormFunction(torch.autograd.Function):
    # torch's own kernel for the CPU splits the rows among the threads and adds
    # the partial sums, so its result changes with their number; these
    # reductions split the columns, and each column is summed by one thread.

    @staticmethod
    def forward(ctx, x, weight, bias, eps):  # type: ignore[no-untyped-def]  # autograd's protocol
        # Two sums are an order of magnitude faster than torch.var_mean. Work
        # is done in place: fresh memory costs as much as the arithmetic.
        mean = sum_rows(x, dtype=torch.float32) / len(x)
        x_hat = x - mean
        variance = sum_rows(x_hat.square()) / len(x)
        scale = torch.rsqrt(variance + eps)
        x_hat *= scale
        ctx.save_for_backward(x_hat, weight, scale)
        ctx.mark_non_differentiable(mean, variance)
        return torch.addcmul(bias, x_hat, weight), mean, variance

    @staticmethod
    def backward(ctx, d_output, _d_mean, _d_variance):  # type: ignore[no-untyped-def]  # likewise
        x_hat, weight, scale = ctx.saved_tensors
        n = len(d_output)
        d_bias = sum_rows(d_output)
        d_x = d_output * x_hat
        d_weight = sum_rows(d_x)
        torch.addcmul(d_bias / n, x_hat, d_weight / n, out=d_x)
        torch.sub(d_output, d_x, out=d_x)
        return d_x.mul_(weight * scale), d_weight, d_bias, None


class _LayerNorm(nn.LayerNorm):
    """Layer normalization whose gradients do not depend on the number of threads.

    torch's kernel for the CPU adds its threads' sums over the rows. That of group
    normalization sums each column in one thread, and layer normalization is its case
    of a single group.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  torch's name
        return F.group_norm(input, 1, self.weight, self.bias, self.eps)


class Dropout(nn.Dropout):
    """Dropout that draws from a generator of its own."""

    def __init__(self, p: float, seed: int) -> None:
        super().__init__(p)
        self.seed = seed
        self._generator: torch.Generator | None = None
        self._next_state: Tensor | None = None

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  torch's name
        if not self.training:
            return input
        if self._generator is None or self._generator.device != input.device:
            self._generator = torch.Generator(input.device).manual_seed(self.seed)
        if self._next_state is not None:
            self._generator.set_state(self._next_state)
            self._next_state = None
        keep = torch.empty_like(input).bernoulli_(1 - self.p, generator=self._generator)
        return input * keep.div_(1 - self.p)

    @property
    def generator_state(self) -> Tensor | None:
        """State of the generator, or None before the first draw."""
        return None if self._generator is None else self._generator.get_state()

    @generator_state.setter
    def generator_state(self, state: Tensor | None) -> None:
        self._next_state = state

    def __getstate__(self) -> dict[str, object]:
        # A generator cannot be pickled or copied on every torch supported.
        return {**self.__dict__, "_generator": None}


def make_linear(
    n_inputs: int, n_outputs: int, generator: torch.Generator | None = None
) -> nn.Linear:
    """Make a Linear layer, initialized from `generator`, or not at all."""
    # A layer on the meta device has shapes only: nothing is drawn for it.
    layer = _Linear(n_inputs, n_outputs, device="meta").to_empty(device="cpu")
    if generator is not None:
        bound = 1 / math.sqrt(n_inputs)
        with torch.no_grad():
            layer.weight.uniform_(-bound, bound, generator=generator)
            layer.bias.uniform_(-bound, bound, generator=generator)
    return layer


def _make_rectifier(negative_slope: float) -> nn.Module:
    return nn.LeakyReLU(negative_slope) if negative_slope else nn.ReLU(inplace=True)


def _make_norm(norm: str | None, size: int, n_groups: int) -> nn.Module | None:
    if norm == "batch":
        return _BatchNorm(size)
    if norm == "group":
        return nn.GroupNorm(n_groups, size)
    if norm == "layer":
        return _LayerNorm(size)
    return None
