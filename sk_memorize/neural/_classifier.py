"""MemorizingMLP, the classifier that fits whatever labels it is given."""

import copy
import math
import os
import secrets
import warnings
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from skorch.callbacks import Callback, LRScheduler
from torch import Tensor

from ._batches import TensorPair, count_batches
from ._callbacks import (
    FailOnDivergence,
    ProgressBar,
    Result,
    StopAtAccuracy,
    TrainingRows,
)
from ._evaluation import attainable_accuracy, compute_logits
from ._net import make_net
from ._optimizers import OPTIMIZERS
from ._schedules import SCHEDULES, cycle_epochs, make_scheduler
from ._settings import Settings, resolve_settings
from ._storage import load_model, save_model
from ._tails import fit_tails
from ._threads import single_thread
from ._whitening import apply_whitening, fit_whitening

# The shortest first cycle of the learning rate: epochs, and steps.
_MIN_CYCLE_EPOCHS = 16
_MIN_CYCLE_STEPS = 400

# A cycle may be left when its learning rate has fallen to this part of the peak.
_COOL = 0.25

# Inputs of other types become the first. Bytes are converted batch by batch.
_DTYPES = (np.float32, np.uint8)


class MemorizingMLP(ClassifierMixin, BaseEstimator):
    """Multilayer perceptron that fits its training labels to the last one.

    `fit` trains until every training row that can be right is right, in eval
    mode and with the final weights: true labels or random ones, ten rows or
    sixty thousand. Where rows are equal but their labels are not, the highest
    attainable accuracy is the goal. If it is not reached within `max_epochs`,
    a :class:`~sklearn.exceptions.ConvergenceWarning` tells how far it got.

    The network is a plain MLP of Linear layers, batch normalization and
    rectifiers, and `net_.module_` takes the raw inputs. What is unusual about
    it and its training is explained in Notes: the rectifier, the whitening of
    the inputs, the cycles of the learning rate, the short memory of Adam, the
    batch-norm statistics computed anew at the end, the choice of the sizes, and
    a backward pass of its own.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=None
        Units of each hidden layer. None means `depth` layers of `width` units.
    width : "auto" or int, default="auto"
        Units of a hidden layer. "auto" is a multiple of 64, as few as give six
        weights per row, but between 128 and 2048. Ignored if
        `hidden_layer_sizes` is given.
    depth : "auto" or int, default="auto"
        Number of hidden layers. "auto" is 2, or 4 if there are fewer than 16
        columns, or 6 if there are fewer than 4. Ignored if `hidden_layer_sizes`
        is given.
    norm : {"batch", "group", "layer"} or None, default="batch"
        Normalization of the hidden layers.
    norm_position : {"before", "after"}, default="before"
        Whether the normalization stands before or after the rectifier.
    negative_slope : float, default=-0.5
        The hidden units' rectifier is the identity for positive inputs, and has
        this slope, in [-1, 1), for negative ones: 0 is the ReLU, -1 the
        absolute value.
    n_groups : int, default=8
        Groups of the group normalization; divides each hidden layer's size.
        Ignored unless ``norm="group"``.
    dropout : float, default=0.0
        Probability with which a hidden unit is dropped in training, in [0, 1).
    whitening_shrinkage : float or None, default=0.15
        The inputs are whitened, with their covariance shrunk by this part of
        its largest eigenvalue, after columns with heavy tails are compressed.
        Small values memorize in fewer epochs, large ones generalize better;
        None leaves the inputs as they are.
    optimizer : {"adam", "adamw", "sgd", "muon"} or torch optimizer class, \
            default="adam"
        The optimizer. "adam" and "adamw" have betas of 0.9 and 0.95, "sgd"
        has Nesterov momentum of 0.9; "muon" is Muon for the hidden matrices
        and Adam for all other parameters.
    lr : "auto" or float, default="auto"
        Learning rate, the highest one where the schedule changes it. "auto" is
        0.008 for Adam and AdamW, 0.2 for SGD, 0.01 for Muon, and 0.001 for a
        torch class.
    optimizer_params : dict, default=None
        Further arguments of the optimizer's class.
    weight_decay : float, default=0.0
        Weight decay, as the optimizer defines it.
    label_smoothing : float, default=0.0
        Part of the target that is spread evenly over all classes, in [0, 1).
    lr_scheduler : {"onecycle", "step", "cosine", "exponential", "plateau"}, \
            torch scheduler class, skorch.callbacks.LRScheduler or None, \
            default="onecycle"
        Learning rate schedule. "onecycle" rises linearly and falls linearly to
        nearly zero, step by step; a short cycle with a tenth of the peak
        follows, then a long one twice as long as the first, and so on. "step"
        (default: a tenth every 5 epochs), "exponential" (0.95 an epoch) and
        "plateau" are torch's StepLR, ExponentialLR and ReduceLROnPlateau, and
        "cosine" is its CosineAnnealingLR down to zero at `max_epochs`. A torch
        class steps after each epoch; for steps after each batch give a
        :class:`skorch.callbacks.LRScheduler`.
    lr_scheduler_params : dict, default=None
        Arguments of the scheduler's class. For "onecycle": `cycle_epochs`, the
        length of the first cycle, and `warmup`, the rising part of a cycle
        (default: 0.2).
    lr_scheduler_start : int, default=1
        The schedule takes its first step in this epoch (counted from 1): at
        its end, or with its first batch where it steps batch by batch.
    batch_size : "auto" or int, default="auto"
        Rows of a batch, at most the number of rows. "auto" is a power of two
        near a sixteenth of the rows, between 32 and 1024, and more if there are
        fewer than 16 columns. All rows take part in every epoch, in batches
        whose sizes differ by one at most.
    max_epochs : int, default=1000
        Largest number of epochs.
    target_accuracy : float or None, default=1.0
        Training stops when this part of the attainable training accuracy is
        reached in eval mode over all rows; with "onecycle" not before the
        learning rate has fallen to a quarter of its peak. None trains for
        `max_epochs`, in a single cycle.
    device : str, default="auto"
        A torch device, such as "cpu", "cuda" or "mps". "auto" takes a GPU if
        there is one.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        Number format of the products in training; weights, sums and all of
        prediction are in float32. "auto" is bfloat16 where the processor
        multiplies it faster, unless the steps are small or there are fewer than
        16 columns.
    callbacks : list of skorch callbacks, default=None
        Callbacks, or pairs of a name and a callback. They are copied.
    verbose : bool or int, default=False
        Whether to show a progress bar, on stderr.
    random_state : int, RandomState instance or None, default=None
        Decides the initial weights, the order of the rows and the dropped
        units. None draws afresh at each call of `fit`. The global generators
        of numpy and torch are neither read nor advanced.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns seen in `fit`, where they have names.
    net_ : skorch.NeuralNetClassifier
        The trained net. Its `module_` is the network, which takes raw inputs
        in float32 and gives logits; its `history` has one entry per epoch.
    hidden_layer_sizes_ : tuple of int
        Units of each hidden layer.
    n_parameters_ : int
        Number of trainable numbers of the network that takes raw inputs.
    batch_size_ : int
        Largest batch.
    lr_ : float
        Learning rate that `lr` stands for.
    device_ : str
        Where the training took place.
    precision_ : {"float32", "bfloat16"}
        Number format of the products in training.
    attainable_accuracy_ : float
        Highest accuracy that any function can have on the training rows: below
        one if equal rows have different labels.
    train_accuracy_ : float
        Accuracy on all training rows in eval mode, with the final weights.
    train_loss_ : float
        Mean cross-entropy, likewise, in nats.
    n_epochs_ : int
        Number of epochs.
    history_ : pandas.DataFrame of shape (n_epochs_, 4)
        One row an epoch, indexed from 1: `loss` and `accuracy` are means over
        the batches while the weights moved, `lr` is the learning rate of the
        first step, `seconds` the time.
    loss_curve_ : list of float
        The column `loss` of `history_`.

    See Also
    --------
    CorruptedTargetClassifier : Fits any classifier to corrupted labels.
    sklearn.neural_network.MLPClassifier : MLP of scikit-learn.

    Notes
    -----
    *Whitening.* Neighboring pixels are nearly equal, so the covariance of the
    inputs is badly conditioned, and gradient descent learns the directions of
    small variance, which random labels need, last [2]_. Whitening makes
    all directions alike and saves most of the epochs. It is an affine map and is
    merged into the first layer after the training. The shrinkage keeps
    directions of noise small, which true labels profit from.

    Columns with heavy tails are replaced by the inverse hyperbolic sine of
    themselves before that, so that a few extreme values do not decide what all
    others look like. That is a layer of its own in the network.

    *Rectifier.* With a negative slope on the negative side a unit folds its
    input rather than cutting it off, the more so the closer to the absolute
    value [5]_: no unit is dead, and a fold separates labels that a cut does not.
    Half of the way is enough to memorize 60,000 random labels in a fraction of
    the ReLU's epochs, and keeps its accuracy on test rows.

    *Cycles.* A high learning rate in the middle moves far, the fall to nearly
    zero settles [3]_. The few rows that are still wrong then are learned in a
    short cycle with a low peak. If that does not suffice, a longer one follows
    from the weights reached. Adam's average of the squares forgets after 20
    steps instead of 1000: the gradients shrink as fast as the rows are learned.

    *Sizes.* For the same arithmetic a narrow network that sees the rows more
    often learns more than a wide one, down to a few weights per label. In few
    dimensions rows of different labels lie so close together that more layers,
    large batches and float32 are needed to tell them apart.

    *Backward pass.* The default network's gradients are computed by a fixed
    sequence of operations in memory that is kept from step to step; autograd
    would ask for fresh memory each time. Networks with other layers are trained
    with autograd.

    *Recalibration.* The running averages of batch normalization lag behind the
    weights, so they are replaced by the mean and variance over all rows [4]_.

    The accuracy that stops the training, `train_accuracy_` and `train_loss_`
    are measured with the network that predicts: in float32, on the raw inputs.

    On one machine the result is the same, bit for bit, for every number of
    threads and of worker processes.

    References
    ----------
    .. [1] C. Zhang, S. Bengio, M. Hardt, B. Recht and O. Vinyals, "Understanding
       deep learning requires rethinking generalization", 2017,
       arXiv:1611.03530, section 2.
    .. [2] Y. LeCun, L. Bottou, G. Orr and K.-R. Müller, "Efficient BackProp",
       1998, section 4.3.
    .. [3] L. N. Smith and N. Topin, "Super-convergence: very fast training of
       neural networks using large learning rates", 2019, arXiv:1708.07120.
    .. [4] Y. Wu and J. Johnson, "Rethinking 'batch' in BatchNorm", 2021,
       arXiv:2105.07576, section 3.
    .. [5] K. Jarrett, K. Kavukcuoglu, M. Ranzato and Y. LeCun, "What is the best
       multi-stage architecture for object recognition?", ICCV 2009, section 2.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sk_memorize import LabelPermuter, MemorizingMLP
    >>> X, y = load_digits(return_X_y=True)
    >>> y_permuted = LabelPermuter(random_state=0).fit(y).transform(y)
    >>> clf = MemorizingMLP(random_state=0).fit(X, y_permuted)
    >>> clf.score(X, y_permuted)
    1.0
    """

    _parameter_constraints: dict[str, list[Any]] = {  # noqa: RUF012  scikit-learn's way
        "hidden_layer_sizes": ["array-like", None],
        "width": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "depth": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "norm": [StrOptions({"batch", "group", "layer"}), None],
        "norm_position": [StrOptions({"before", "after"})],
        "negative_slope": [Interval(Real, -1, 1, closed="left")],
        "n_groups": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "whitening_shrinkage": [Interval(Real, 0, None, closed="left"), None],
        "optimizer": [StrOptions(set(OPTIMIZERS)), callable],
        "lr": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        "optimizer_params": [dict, None],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "lr_scheduler": [StrOptions(set(SCHEDULES)), LRScheduler, callable, None],
        "lr_scheduler_params": [dict, None],
        "lr_scheduler_start": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "target_accuracy": [Interval(Real, 0, 1, closed="right"), None],
        "device": [str],
        "precision": [StrOptions({"auto", "float32", "bfloat16"})],
        "callbacks": [list, tuple, None],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        hidden_layer_sizes: Sequence[int] | None = None,
        width: int | str = "auto",
        depth: int | str = "auto",
        norm: str | None = "batch",
        norm_position: str = "before",
        negative_slope: float = -0.5,
        n_groups: int = 8,
        dropout: float = 0.0,
        whitening_shrinkage: float | None = 0.15,
        optimizer: str | type[torch.optim.Optimizer] = "adam",
        lr: float | str = "auto",
        optimizer_params: Mapping[str, Any] | None = None,
        weight_decay: float = 0.0,
        label_smoothing: float = 0.0,
        lr_scheduler: str | type | LRScheduler | None = "onecycle",
        lr_scheduler_params: Mapping[str, Any] | None = None,
        lr_scheduler_start: int = 1,
        batch_size: int | str = "auto",
        max_epochs: int = 1000,
        target_accuracy: float | None = 1.0,
        device: str = "auto",
        precision: str = "auto",
        callbacks: Sequence[Callback | tuple[str, Callback]] | None = None,
        verbose: bool | int = False,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.width = width
        self.depth = depth
        self.norm = norm
        self.norm_position = norm_position
        self.negative_slope = negative_slope
        self.n_groups = n_groups
        self.dropout = dropout
        self.whitening_shrinkage = whitening_shrinkage
        self.optimizer = optimizer
        self.lr = lr
        self.optimizer_params = optimizer_params
        self.weight_decay = weight_decay
        self.label_smoothing = label_smoothing
        self.lr_scheduler = lr_scheduler
        self.lr_scheduler_params = lr_scheduler_params
        self.lr_scheduler_start = lr_scheduler_start
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.target_accuracy = target_accuracy
        self.device = device
        self.precision = precision
        self.callbacks = callbacks
        self.verbose = verbose
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any) -> Self:
        """Train the network until it has memorized the labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training inputs, of at least two rows.
        y : array-like of shape (n_samples,)
            Labels of at least two classes.

        Returns
        -------
        self : MemorizingMLP
            The fitted classifier.

        Raises
        ------
        ValueError
            If a parameter or the data are not as described; before any training
            except when the loss becomes infinite or NaN.

        Warns
        -----
        ConvergenceWarning
            If the target accuracy is not reached within `max_epochs`.

        Notes
        -----
        A KeyboardInterrupt (Ctrl-C) during the training is raised again, after
        all fitted attributes are set: the network is usable, and
        `train_accuracy_` and `n_epochs_` tell how far it got.
        """
        X, y = validate_data(self, X, y, dtype=_DTYPES, order="C", ensure_min_samples=2)
        check_classification_targets(y)
        encoder = LabelEncoder().fit(y)
        self.classes_ = encoder.classes_
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs labels of at least 2 classes. "
                f"Got one class only: {self.classes_[0]!r}."
            )
        settings = resolve_settings(self, len(X), X.shape[1], len(self.classes_))
        with single_thread() if settings.single_thread else nullcontext():
            self._fit(_as_tensor(X), torch.from_numpy(encoder.transform(y)), settings)
        return self

    def _fit(self, X: Tensor, y: Tensor, settings: Settings) -> None:
        X, y = X.to(settings.device), y.to(settings.device)
        self.attainable_accuracy_ = attainable_accuracy(X, y)
        tails = whitening = None
        inputs = X if self.whitening_shrinkage is not None else X.float()
        if self.whitening_shrinkage is not None:
            tails = fit_tails(X)
            if tails is not None:
                inputs = tails(X.float())
            whitening = fit_whitening(inputs, self.whitening_shrinkage)
            # Columns that depend on others are not there any more, and what is
            # chosen by the number of columns is chosen by that of directions.
            settings = resolve_settings(
                self, len(X), whitening[1].shape[1], len(self.classes_)
            )
            dtype = getattr(torch, settings.precision)
            inputs = apply_whitening(inputs, *whitening, dtype=dtype)
        self.hidden_layer_sizes_ = settings.hidden_layer_sizes
        self.batch_size_ = settings.batch_size
        self.lr_ = settings.lr
        self.device_ = str(settings.device)
        self.precision_ = settings.precision

        self._train(TrainingRows(X, y, whitening, tails), inputs, settings)

    def _train(self, rows: TrainingRows, inputs: Tensor, settings: Settings) -> None:
        init_seed, order_seed = _draw_seeds(self.random_state)
        n_batches = count_batches(len(inputs), settings.batch_size)
        cycles = self._make_cycles(n_batches)
        stop = None
        if self.target_accuracy is not None:
            stop = StopAtAccuracy(
                rows,
                inputs,
                self.target_accuracy * self.attainable_accuracy_,
                cycle_ends=set(np.cumsum(cycles).tolist()),
                dropout=self.dropout > 0,
                highest_lr=(
                    _COOL * settings.lr if self.lr_scheduler == "onecycle" else math.inf
                ),
            )
        progress = ProgressBar() if self.verbose else None
        scheduler = make_scheduler(
            self.lr_scheduler,
            self.lr_scheduler_params,
            start_epoch=self.lr_scheduler_start,
            cycles=cycles,
            steps_per_epoch=n_batches,
        )
        own = {
            "lr_scheduler": scheduler,
            "divergence": FailOnDivergence(),
            "progress_bar": progress,
            "stop_at_accuracy": stop,
        }
        self.net_ = make_net(
            settings,
            n_inputs=inputs.shape[1],
            n_classes=len(self.classes_),
            module_params={
                "norm": self.norm,
                "norm_position": self.norm_position,
                "negative_slope": self.negative_slope,
                "n_groups": self.n_groups,
                "dropout": self.dropout,
                "seed": init_seed,
            },
            label_smoothing=self.label_smoothing,
            max_epochs=self.max_epochs,
            order_seed=order_seed,
            callbacks=[
                *copy.deepcopy(list(self.callbacks or [])),
                *((name, callback) for name, callback in own.items() if callback),
            ],
        )
        try:
            self.net_.fit(TensorPair(inputs, rows.y), None)
        finally:
            if progress is not None:
                progress.close()
        result = stop.result if stop is not None else None
        self._keep(result or rows.assess(self.net_.module_), stop)

    def _make_cycles(self, n_batches: int) -> list[int]:
        if self.target_accuracy is None or self.lr_scheduler != "onecycle":
            return [self.max_epochs]
        first = (self.lr_scheduler_params or {}).get("cycle_epochs")
        if first is None:
            first = max(_MIN_CYCLE_EPOCHS, math.ceil(_MIN_CYCLE_STEPS / n_batches))
        return cycle_epochs(first, self.max_epochs)

    def _keep(self, result: Result, stop: StopAtAccuracy | None) -> None:
        """Set the fitted attributes, and warn if the target was missed."""
        # The training rows are not to be kept with the model.
        if stop is not None:
            stop.forget()
        self.net_.module_ = result.module.eval()
        self.net_.module__n_features = self.n_features_in_
        self.n_parameters_ = sum(p.numel() for p in result.module.parameters())
        self.train_accuracy_ = result.accuracy
        self.train_loss_ = result.loss
        history = self.net_.history
        if "train_loss" not in history[-1]:
            del history[-1]  # an epoch that Ctrl-C broke off
        self.n_epochs_ = len(history)
        columns = {"train_loss": "loss", "train_accuracy": "accuracy", "lr": "lr"}
        columns["dur"] = "seconds"
        self.history_ = pd.DataFrame(
            {new: [row[old] for row in history] for old, new in columns.items()},
            index=pd.RangeIndex(1, self.n_epochs_ + 1, name="epoch"),
        )
        self.loss_curve_ = self.history_["loss"].tolist()

        interrupted = (
            self.n_epochs_ < self.max_epochs and not self.net_.stopped_by_callback_
        )
        if interrupted:
            raise KeyboardInterrupt
        if stop is not None and self.train_accuracy_ < stop.target:
            warnings.warn(
                f"The training ended after {self.n_epochs_} epochs with a training "
                f"accuracy of {self.train_accuracy_:.6g}; the target was "
                f"{stop.target:.6g}. A larger 'max_epochs', 'width' or 'depth' may "
                "reach it.",
                ConvergenceWarning,
                stacklevel=6,  # the line that calls fit
            )

    def __sklearn_is_fitted__(self) -> bool:
        # The last attributes that `fit` sets, after the training has ended.
        return hasattr(self, "loss_curve_")

    def decision_function(self, X: Any) -> np.ndarray:
        """Compute the logits.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.

        Returns
        -------
        scores : ndarray of shape (n_samples, n_classes) or (n_samples,)
            Logits; for two classes, the log-odds of the second.
        """
        logits = self._logits(X).float().numpy()
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def predict(self, X: Any) -> np.ndarray:
        """Predict the labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            The most probable labels.
        """
        indices = self._logits(X).argmax(1).numpy()
        return self.classes_[indices]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Compute the probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        return torch.softmax(self._logits(X).double(), 1).numpy()

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Compute the logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        return torch.log_softmax(self._logits(X).double(), 1).numpy()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted network and its parameters to a safetensors file.

        Unlike a pickle, the file holds no code: :meth:`load` can read one from a
        stranger. A file of this name is replaced as a whole, or stays as it is.

        Parameters
        ----------
        path : str or path-like
            The file, by custom with the ending ``.safetensors``.

        Raises
        ------
        ValueError
            If a parameter is an object of a class (callbacks, an optimizer's or a
            scheduler's class, a RandomState), or labels are neither numbers nor
            booleans nor strings.
        ImportError
            If the library safetensors is not installed (extra ``safetensors``).

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from sklearn.datasets import load_iris
        >>> from sk_memorize import MemorizingMLP
        >>> X, y = load_iris(return_X_y=True)
        >>> clf = MemorizingMLP(random_state=0).fit(X, y)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "iris.safetensors"
        ...     clf.save(path)
        ...     again = MemorizingMLP.load(path)
        >>> bool((again.predict(X) == clf.predict(X)).all())
        True
        """
        check_is_fitted(self)
        save_model(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a network that :meth:`save` wrote; no code in the file is run.

        Parameters
        ----------
        path : str or path-like
            The file.

        Returns
        -------
        clf : MemorizingMLP
            The fitted classifier, on the CPU wherever it was trained. Its `net_`
            has the network, but not the optimizer and the history of skorch.

        Raises
        ------
        ValueError
            If the file is truncated, damaged, not of a MemorizingMLP, or written
            by a later version of the format.
        OSError
            If the file cannot be read.
        ImportError
            If the library safetensors is not installed (extra ``safetensors``).
        """
        return load_model(cls, path)

    def _logits(self, X: Any) -> Tensor:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=_DTYPES, order="C", reset=False)
        module = self.net_.module_
        X = _as_tensor(X).to(next(module.parameters()).device)
        return compute_logits(module, X).cpu()


def _as_tensor(X: np.ndarray) -> Tensor:
    with warnings.catch_warnings():
        # Nothing here writes to the inputs, so they may be read-only.
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(X)


def _draw_seeds(random_state: int | np.random.RandomState | None) -> tuple[int, int]:
    """Draw the seeds of the initial weights and of the order of the rows."""
    if random_state is None:
        # Unlike `check_random_state`, this leaves numpy's global state alone.
        random_state = secrets.randbits(32)
    first, second = check_random_state(random_state).randint(2**31 - 1, size=2)
    return int(first), int(second)
