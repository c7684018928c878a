"""Forward and backward pass of a BatchNormMLP in memory of its own."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._mlp import BatchNormMLP
from ._sums import MOST_ROWS, MULTIPLE, padding, sum_rows


@dataclass
class _Block:
    """A hidden layer's parameters, gradients and memory."""

    weight: Tensor
    weight_grad: Tensor
    gain: Tensor
    gain_grad: Tensor
    shift: Tensor
    shift_grad: Tensor
    eps: float
    negative_slope: float
    fused: bool
    inputs: Tensor
    centered: Tensor  # outputs of the Linear layer less their mean
    normalized: Tensor
    outputs: Tensor
    d_outputs: Tensor
    spare: Tensor
    mean: Tensor
    rstd: Tensor
    scale: Tensor


_leaky_relu = torch.ops.aten.leaky_relu.out
_leaky_relu_backward = torch.ops.aten.leaky_relu_backward.grad_input
_batch_norm_backward = torch.ops.aten.native_batch_norm_backward.default


class Backprop:
    """Computes loss and gradients of a network without autograd.

    On small batches autograd's bookkeeping costs more than the arithmetic, and
    on large ones the fresh memory that each operation asks for costs about as
    much as the element-wise arithmetic. Here the operations are called in turn
    and write to memory that is kept from step to step. The products are
    computed in `dtype`; sums over the rows, the loss and the parameters are in
    float32. Reductions split the columns among the threads, never the rows, and
    products have a multiple of 16 columns, so the result does not depend on the
    number of threads.

    The running averages of batch normalization are left alone: the statistics
    are computed anew from all rows when the training has ended.

    Parameters
    ----------
    module : BatchNormMLP
        A network that `supports` accepts. Its parameters become views of one
        tensor.
    dtype : torch.dtype
        Number format of the products: float32 or bfloat16.
    label_smoothing : float
        Part of the targets that is spread over all classes.
    single_thread : bool
        Whether this is never used with more threads than one, in which case
        torch's own kernels of batch normalization can be used with float32.

    Attributes
    ----------
    parameters, gradients : torch.Tensor of shape (n,), float32
        All parameters but the hidden Linear layers' biases, and their gradients.
    places : dict of torch.nn.Parameter to slice
        Where in them each parameter is.
    """

    def __init__(
        self,
        module: BatchNormMLP,
        dtype: torch.dtype,
        label_smoothing: float,
        single_thread: bool = False,
    ) -> None:
        self.dtype = dtype
        # They are the fastest for few numbers, but split the rows among threads.
        self._fused = single_thread and dtype == torch.float32
        self.label_smoothing = label_smoothing
        layers = list(module.layers)
        self.linears = [layer for layer in layers if isinstance(layer, nn.Linear)]
        self.norms = [layer for layer in layers if isinstance(layer, nn.BatchNorm1d)]
        self.slopes = [
            layer.negative_slope if isinstance(layer, nn.LeakyReLU) else 0.0
            for layer in layers
            if isinstance(layer, nn.LeakyReLU | nn.ReLU)
        ]
        self.n_classes = self.linears[-1].out_features
        self._inputs_padding = 0
        self._flatten()
        sizes = [norm.num_features for norm in self.norms]
        if dtype == torch.float32:
            sizes.append(self.linears[0].in_features)
        if not single_thread and any(map(padding, sizes)):
            self._widen()
        self._blocks: dict[int, list[_Block]] = {}
        self._heads: dict[int, tuple[Tensor, Tensor, Tensor]] = {}
        self._inputs: dict[int, Tensor] = {}

    @staticmethod
    def supports(module: BatchNormMLP) -> bool:
        """Tell whether the network is of the kind that is computed here.

        Parameters
        ----------
        module : BatchNormMLP
            The network.

        Returns
        -------
        supported : bool
            Whether its hidden layers are ``Linear -> batch norm -> rectifier``,
            each of them at least 16 units wide, on the CPU or a CUDA device.
        """
        *hidden, last = module.layers
        kinds = (nn.Linear, nn.BatchNorm1d, nn.LeakyReLU | nn.ReLU)
        return (
            isinstance(last, nn.Linear)
            and len(hidden) > 0
            and len(hidden) % 3 == 0
            and all(isinstance(layer, kinds[i % 3]) for i, layer in enumerate(hidden))
            and all(
                layer.out_features >= MULTIPLE
                for layer in hidden
                if isinstance(layer, nn.Linear)
            )
            and last.weight.device.type in ("cpu", "cuda")
        )

    def _flatten(self) -> None:
        # One tensor for all parameters and one for all gradients: a single
        # call converts, updates or clears them. Zero rows pad the last layer.
        weights: list[Any] = [layer.weight for layer in self.linears]
        others: list[Any] = [p for norm in self.norms for p in (norm.weight, norm.bias)]
        others.append(self.linears[-1].bias)
        n_padding = padding(self.n_classes) * self.linears[-1].in_features
        n_weights = sum(w.numel() for w in weights)
        n_padded = n_weights + n_padding
        total = n_padded + sum(p.numel() for p in others)
        device = weights[0].device
        self.parameters = torch.zeros(total, device=device)
        self.gradients = torch.zeros(total, device=device)
        # Pairs of a target and a source, copied before and after each pass.
        self._before: list[tuple[Tensor, Tensor]] = []
        self._after: list[tuple[Tensor, Tensor]] = []
        if self.dtype == torch.float32:
            low, low_grad = self.parameters, self.gradients
        else:
            low = torch.zeros(n_padded, dtype=self.dtype, device=device)
            low_grad = torch.zeros(n_padded, dtype=self.dtype, device=device)
            used = slice(n_weights)
            self._before.append((low[used], self.parameters[used]))
            self._after.append((self.gradients[used], low_grad[used]))

        self._weights: list[tuple[Tensor, Tensor]] = []
        self._grads: list[tuple[nn.Parameter, Tensor]] = []
        self.places: dict[nn.Parameter, slice] = {}
        start = 0
        for i, parameter in enumerate([*weights, *others]):
            if i == len(weights):
                start = n_padded
            stop = start + parameter.numel()
            view = self.parameters[start:stop].view_as(parameter)
            view.copy_(parameter.detach())
            parameter.data = view
            grad = self.gradients[start:stop].view_as(parameter)
            self._grads.append((parameter, grad))
            self.places[parameter] = slice(start, stop)
            if i < len(weights):
                end = n_padded if i == len(weights) - 1 else stop
                shape = (-1, parameter.shape[1])
                self._weights.append(
                    (low[start:end].view(shape), low_grad[start:end].view(shape))
                )
            start = stop
        # Gain and shift of each batch normalization, with their gradients.
        of_norms = [(p.data, grad) for p, grad in self._grads[len(weights) : -1]]
        self._norms = list(zip(of_norms[::2], of_norms[1::2], strict=True))

    def _widen(self) -> None:
        """Compute with copies that have a multiple of 16 inputs, and of hidden units.

        A unit without weights, gain and shift is zero for all rows, and all of its
        gradients are.
        """
        self._before, self._after = [], []
        linears = self._grads[: len(self.linears)]
        self._weights = [self._copy(p.data, grad) for p, grad in linears]
        self._norms = [
            (self._copy(*gain), self._copy(*shift)) for gain, shift in self._norms
        ]
        self._inputs_padding = padding(self.linears[0].in_features)

    def _copy(self, values: Tensor, grad: Tensor) -> tuple[Tensor, Tensor]:
        part = tuple(slice(size) for size in values.shape)
        # Gains and shifts are in float32, as they are not of the products.
        dtype = self.dtype if values.ndim == 2 else values.dtype
        shape = [size + padding(size) for size in values.shape]
        copy = values.new_zeros(shape, dtype=dtype)
        copy_grad = torch.zeros_like(copy)
        self._before.append((copy[part], values))
        self._after.append((grad, copy_grad[part]))
        return copy, copy_grad

    def release(self) -> None:
        """Give the parameters memory of their own again, and drop the gradients."""
        for parameter, _ in self._grads:
            parameter.data = parameter.data.clone()
            parameter.grad = None

    def _make_blocks(self, n_rows: int) -> list[_Block]:
        device = self.parameters.device

        def empty(size: int) -> Tensor:
            return torch.empty(n_rows, size, dtype=self.dtype, device=device)

        width = self._weights[-1][0].shape[0]
        # The logits' gradient with its padding, and two constants of the loss.
        part = torch.tensor(1 / n_rows, device=device)
        target = torch.full((n_rows, 1), self.label_smoothing - 1, device=device)
        self._heads[n_rows] = empty(width).zero_(), part, target
        if self._inputs_padding:
            n_inputs = self.linears[0].in_features + self._inputs_padding
            self._inputs[n_rows] = empty(n_inputs).zero_()
        return [
            _Block(
                *weight,
                *gain,
                *shift,
                norm.eps,
                slope,
                self._fused,
                empty(0),
                *(empty(len(gain[0])) for _ in range(5)),
                *(torch.empty_like(gain[0]) for _ in range(3)),
            )
            for weight, (gain, shift), norm, slope in zip(
                self._weights[:-1], self._norms, self.norms, self.slopes, strict=True
            )
        ]

    @torch.no_grad()
    def quick_logits(self, X: Tensor) -> Tensor:
        """Compute logits with the statistics of the last batch.

        Parameters
        ----------
        X : torch.Tensor of shape (n_samples, n_features)
            No more rows than the last batch had.

        Returns
        -------
        logits : torch.Tensor of shape (n_samples, n_classes), float32
            The logits.
        """
        blocks = self._last
        padded = X.new_zeros(len(blocks[-1].outputs), X.shape[1])
        padded[: len(X)] = X
        return self._forward(padded, blocks, frozen=True)[: len(X)]

    def _forward(self, X: Tensor, blocks: list[_Block], frozen: bool) -> Tensor:
        for copy, values in self._before:
            copy.copy_(values)
        hidden = X if X.dtype == self.dtype else X.to(self.dtype)
        if self._inputs_padding:
            hidden = self._inputs[len(X)]
            hidden[:, : X.shape[1]].copy_(X)
        for block in blocks:
            block.inputs = hidden
            hidden = _forward(block, frozen)
        logits = hidden @ self._weights[-1][0].T
        return logits[:, : self.n_classes] + self.linears[-1].bias

    @torch.no_grad()
    def __call__(
        self, X: Tensor, y: Tensor, weight: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Compute the loss, and set the gradients of the parameters.

        Parameters
        ----------
        X : torch.Tensor of shape (n_samples, n_features)
            A batch.
        y : torch.Tensor of shape (n_samples,), int64
            Its class indices.
        weight : torch.Tensor of shape (n_samples,), float32, default=None
            Factors of the rows' losses; None stands for ones.

        Returns
        -------
        loss : torch.Tensor of shape ()
            Mean of the weighted cross-entropies.
        logits : torch.Tensor of shape (n_samples, n_classes), float32
            The logits.
        """
        blocks = self._blocks.get(len(X))
        if blocks is None:
            blocks = self._blocks[len(X)] = self._make_blocks(len(X))
        self._last = blocks
        logits = self._forward(X, blocks, frozen=False)
        log_p = F.log_softmax(logits, 1)
        loss = (
            F.nll_loss(log_p, y) if weight is None else _weighted_nll(log_p, y, weight)
        )
        smoothing = self.label_smoothing
        if smoothing:
            means = log_p.mean(1) if weight is None else log_p.mean(1) * weight
            loss = (1 - smoothing) * loss - smoothing * means.mean()

        error = log_p.exp_()
        if smoothing:
            error -= smoothing / self.n_classes
        d_outputs, part, target = self._heads[len(X)]
        error.scatter_add_(1, y[:, None], target).mul_(part)
        if weight is not None:
            error *= weight[:, None]
        _, bias_grad = self._grads[-1]
        bias_grad.copy_(sum_rows(error))
        d_outputs[:, : self.n_classes].copy_(error)

        weight, weight_grad = self._weights[-1]
        _sum_products(d_outputs, blocks[-1].outputs, weight_grad)
        for block in reversed(blocks):
            torch.mm(d_outputs, weight, out=block.d_outputs)
            d_outputs = _backward(block)
            _sum_products(d_outputs, block.inputs, block.weight_grad)
            weight = block.weight
        for grad, copy in self._after:
            grad.copy_(copy)
        for parameter, grad in self._grads:
            parameter.grad = grad
        return loss, logits


def _weighted_nll(log_p: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    return -log_p.gather(1, y[:, None]).squeeze(1).mul_(weight).mean()


def _sum_products(d_outputs: Tensor, inputs: Tensor, out: Tensor) -> None:
    """Compute ``d_outputs.T @ inputs``, part by part."""
    torch.mm(d_outputs[:MOST_ROWS].T, inputs[:MOST_ROWS], out=out)
    for start in range(MOST_ROWS, len(inputs), MOST_ROWS):
        rows = slice(start, start + MOST_ROWS)
        out.addmm_(d_outputs[rows].T, inputs[rows])


def _forward(block: _Block, frozen: bool) -> Tensor:
    dtype = block.spare.dtype
    # The Linear layer's bias is left out: the mean that is subtracted has it.
    x = torch.mm(block.inputs, block.weight.T, out=block.centered)
    if block.fused and not frozen:
        block.normalized, block.mean, block.rstd = torch.native_batch_norm(
            x, block.gain, block.shift, None, None, True, 0.0, block.eps
        )
    else:
        if not frozen:
            torch.mean(x, 0, dtype=torch.float32, out=block.mean)
        x -= block.mean.to(dtype)
        if not frozen:
            squares = torch.mul(x, x, out=block.spare)
            variance = squares.mean(0, dtype=torch.float32)
            torch.rsqrt(variance.add_(block.eps), out=block.rstd)
        scale = torch.mul(block.gain, block.rstd, out=block.scale).to(dtype)
        torch.addcmul(block.shift.to(dtype), x, scale, out=block.normalized)
    return _leaky_relu(block.normalized, block.negative_slope, out=block.outputs)


def _backward(block: _Block) -> Tensor:
    d, x, spare = block.d_outputs, block.centered, block.spare
    _leaky_relu_backward(d, block.normalized, block.negative_slope, False, grad_input=d)
    if block.fused:
        d, d_gain, d_shift = _batch_norm_backward(
            d,
            x,
            block.gain,
            None,
            None,
            block.mean,
            block.rstd,
            True,
            block.eps,
            [True, True, True],
        )
        block.gain_grad.copy_(d_gain)
        block.shift_grad.copy_(d_shift)
        return d
    torch.sum(d, 0, dtype=torch.float32, out=block.shift_grad)
    torch.mul(d, x, out=spare)
    torch.sum(spare, 0, dtype=torch.float32, out=block.gain_grad)
    block.gain_grad.mul_(block.rstd)
    # scale * (d - mean(d) - x_hat * mean(d * x_hat)), with x_hat = x * rstd
    dtype, scale = x.dtype, block.scale
    slope = (block.gain_grad * block.rstd).mul_(scale).mul_(-1 / len(x))
    offset = (block.shift_grad * scale).mul_(-1 / len(x))
    torch.addcmul(offset.to(dtype), x, slope.to(dtype), out=spare)
    return torch.addcmul(spare, d, scale.to(dtype), out=spare)
