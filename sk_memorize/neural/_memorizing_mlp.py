"""MemorizingMLP: parameters, validation, and fitted attributes."""

import math
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from numbers import Real
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import _check_partial_fit_first_call
from sklearn.utils.validation import check_is_fitted, validate_data
from skorch.callbacks import Callback, LRScheduler
from torch import Tensor

from .._errors import wrong
from .._images import flatten_images, remember_shape
from .._labels import check_labels
from .._other_names import names_its_own
from .._refusals import check_dates, explain
from .._row_weights import weigh_rows
from .._seeding import draw_seed, spawn_seeds
from .._sparse_rows import as_tensor
from .._torch_state import own_torch_state
from ..preprocessing import Rows
from ._auto_sizes import describe
from ._config import COUNT, OPTIMIZERS, PART, Config, resolve_config
from ._evaluation import compute_logits
from ._network import BatchNormMLP
from ._prepared import prepare
from ._recipes import RECIPES
from ._schedules import SCHEDULES
from ._storage import load_model, save_model
from ._training import Trained, start_stream, train, train_on_stream

# No probability vanishes, so that its logarithm is finite.
_SMALLEST = float(np.finfo(np.float64).tiny)

# Inputs of other types become the first; these are converted chunk by chunk.
_DTYPES = (np.float64, np.float32, np.uint8)

# What several parameters may be.
_AUTO = StrOptions({"auto"})
_AMOUNT = Interval(Real, 0, None, closed="left")


class MemorizingMLP(ClassifierMixin, BaseEstimator):
    """Multilayer perceptron that fits its training labels to the last one.

    `fit` trains until every training row that can be right is right, in eval
    mode and with the final weights: true labels or random ones, ten rows or
    sixty thousand. Where rows are equal but their labels are not, the highest
    attainable accuracy is the goal. If it is not reached within `max_epochs`,
    a :class:`~sklearn.exceptions.ConvergenceWarning` tells how far it got.

    The network is a plain MLP of torch's Linear layers, rectifiers and batch
    normalization, and `net_.module_` takes the raw inputs. What is unusual about it
    and its training is explained in Notes: the rectifier, the whitening of the
    inputs in two stages, the length of the cycle, the exact finish, and the choice
    of the sizes.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=None
        Units of each hidden layer. None means `depth` layers of `width` units.
    width : "auto" or int, default="auto"
        Units of a hidden layer. "auto" is a multiple of 64, as few as give five
        weights per row, but between 128 (256 for 256 columns or more) and 2048.
        Ignored if `hidden_layer_sizes` is given.
    depth : "auto" or int, default="auto"
        Number of hidden layers. "auto" is 2, or 4 if there are fewer than 16
        linearly independent columns, or 6 if there are fewer than 4. If there is
        one, and `width` is "auto" too, eight layers of 64 units and one of 1024
        are used. Ignored if `hidden_layer_sizes` is given.
    norm : {"batch", "group"} or None, default="batch"
        Normalization of the hidden layers. Group normalization with ``n_groups=1``
        is layer normalization.
    norm_position : {"before", "after"}, default="after"
        Whether the normalization stands before or after the rectifier.
    norm_affine : bool, default=False
        Whether the normalization has a learned gain and shift.
    negative_slope : float, default=-0.6
        The hidden units' rectifier is the identity for positive inputs, and has
        this slope, in [-1, 1), for negative ones: 0 is the ReLU, -1 the
        absolute value.
    n_groups : int, default=8
        Groups of the group normalization; divides each hidden layer's size.
        Ignored unless ``norm="group"``.
    dropout : float, default=0.0
        Probability with which a hidden unit is dropped in training, in [0, 1).
    whitening_shrinkage : "auto", float or None, default="auto"
        The inputs are whitened, with their covariance shrunk by this part of
        its largest eigenvalue, after columns with heavy tails are compressed.
        Small values memorize in fewer epochs, large ones generalize better.
        "auto" is 1, and 0.001 as soon as the first steps show that the labels
        do not follow the inputs well enough. None leaves the inputs as they are.
    optimizer : {"adam", "adamw", "sgd"} or torch optimizer class, default="adam"
        The optimizer. "adam" and "adamw" have betas of 0.9 and 0.95, "sgd"
        has Nesterov momentum of 0.9.
    lr : "auto" or float, default="auto"
        Learning rate, the highest one where the schedule changes it. "auto" is
        0.008 for Adam and AdamW, 0.2 for SGD, and 0.001 for a torch class.
    optimizer_params : dict, default=None
        Further arguments of the optimizer's class.
    weight_decay : float, default=0.0
        Weight decay, as the optimizer defines it.
    label_smoothing : float, default=0.0
        Part of the target that is spread evenly over all classes, in [0, 1).
    lr_scheduler : {"onecycle", "step", "multistep", "cosine", "exponential", \
            "plateau"}, torch scheduler class, skorch.callbacks.LRScheduler or None, \
            default="onecycle"
        Learning rate schedule. "onecycle" rises linearly and falls linearly to
        nearly zero, step by step; it is cut short where nearly all labels are
        learned early, unless its length is given, and followed by cycles that are
        each twice as long as the one before, until the target is reached. "step"
        and "multistep" (default: a tenth every 5 epochs, up to the 15th),
        "exponential" (0.95 an epoch) and "plateau" are torch's StepLR, MultiStepLR,
        ExponentialLR and ReduceLROnPlateau, and "cosine" is its CosineAnnealingLR
        down to zero at `max_epochs`. A torch class steps after each epoch; for steps
        after each batch give a :class:`skorch.callbacks.LRScheduler`.
    lr_scheduler_params : dict, default=None
        Arguments of the scheduler's class. For "onecycle": `cycle_epochs`, the
        length of the first cycle (default: 8, or more for at least 200 steps),
        and `warmup`, the rising part of a cycle (default: 0.05).
    batch_size : "auto" or int, default="auto"
        Rows of a batch, at most the number of rows. "auto" is a quarter of the
        rows, but at least 32 and at most ten times their square root or 2048,
        and more if there are fewer than 16 linearly independent columns. All rows
        take part in every epoch, in batches whose sizes differ by one at most.
    max_epochs : int, default=1000
        Largest number of epochs.
    target_accuracy : float or None, default=1.0
        Training stops when this part of the attainable training accuracy is
        reached in eval mode over all rows; with "onecycle" at the end of a cycle.
        None trains for `max_epochs`, by default in a single cycle.
    exact_finish : bool, default=True
        Whether the last layer is fitted by convex optimization when few labels are
        left, to reach the target. If it does not succeed, the training goes on from
        the weights before it. Ignored if `target_accuracy` is None.
    device : str, default="auto"
        A torch device: "cpu", "cuda" or one such as "cuda:1". "auto" is CUDA where
        there is one.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        Number format of the products in training; weights and sums are in float32,
        and so is prediction (in float64 if the network is small). "auto" is bfloat16
        where the processor multiplies it faster, unless the steps are small or there
        are fewer than 16 columns.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes: a dict of label and weight, where labels that are
        left out have one; "balanced" for weights that make all classes count the
        same (in `partial_fit`, among the rows of a call); None for ones. They are
        multiplied with `sample_weight`.
    warm_start : bool, default=False
        Whether a further `fit` begins with the network of the one before. It has
        the same columns, classes and sizes; optimizer and schedule begin anew.
    on_interrupt : {"raise", "stop"}, default="raise"
        What Ctrl-C does in training: "raise" keeps the network reached and raises
        KeyboardInterrupt, "stop" keeps it, warns, and goes on in the program.
    callbacks : list of skorch callbacks, default=None
        Callbacks, or pairs of a name and a callback. They are copied. They see the
        network in training, which takes the whitened inputs. There is no validation
        loss: let :class:`skorch.callbacks.EarlyStopping` monitor "train_loss".
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
    image_shape_ : tuple of int
        Shape of an image, where `fit` was given images. They become rows pixel by
        pixel, the last axis first. At predict time images of this shape and flat
        rows are taken.
    net_ : skorch.NeuralNetClassifier
        The trained net. Its `module_` is the network, which takes raw inputs
        and gives logits; its `history` has one entry per epoch.
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
        Mean cross-entropy on the same rows, in nats.
    n_epochs_ : int
        Number of epochs.
    history_ : pandas.DataFrame of shape (n_epochs_, 4)
        One row an epoch, indexed from 1: `loss` and `accuracy` are means over
        the batches while the weights moved, `lr` is the learning rate of the
        first step, `seconds` the time.
    loss_curve_ : list of float
        The column `loss` of `history_`.
    n_iter_, loss_ : int and float
        `n_epochs_` and the last of `loss_curve_`, as MLPClassifier calls them.

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
    merged into the first layer after the training. At most 448 components are used.

    *Two stages.* True labels are served best by the components of large variance;
    the others are noise to them. In its first steps a network has not seen a batch
    before it is trained on it, so its accuracy there tells whether the labels follow
    the inputs. The narrow components are attenuated as long as the mistakes become
    fewer by half with each epoch, and brought to full size when they do not. With a
    float the whitening is the same for all labels.

    *Scaling.* Columns with heavy tails are replaced by the inverse hyperbolic sine
    of themselves before that, so that a few extreme values do not decide what all
    others look like, and columns that float32 cannot hold are centered and scaled in
    float64. Both are done by the network itself.

    *Rectifier.* With a negative slope on the negative side a unit folds its
    input rather than cutting it off, the more so the closer to the absolute
    value [5]_: no unit is dead, and a fold separates labels that a cut does not.

    *Cycle.* A high learning rate in the middle moves far, the fall to nearly
    zero settles [3]_. Adam's average of the squares forgets after 20
    steps instead of 1000: the gradients shrink as fast as the rows are learned.

    *Exact finish.* The last wrong labels would take most of the epochs. But given
    the hidden layers the loss is convex in the last layer, so that is fitted by
    L-BFGS on the rows of the smallest margins [6]_: until all labels are right, by
    a margin that rounding does not change, and the loss is low.

    *Sizes.* For the same arithmetic a narrow network that sees the rows more
    often learns more than a wide one, down to a few weights per label. In few
    dimensions rows of different labels lie so close together that more layers,
    large batches and float32 are needed to tell them apart.

    *Recalibration.* The running averages of batch normalization lag behind the
    weights, so they are replaced by the mean and variance over all rows [4]_.

    *Weights.* A weight of two is the row twice. Rows whose weight is below 1e-5 of the
    mean are not trained on. The accuracy to reach is the weighted
    one, of which each row is a part.

    The accuracy that stops the training, `train_accuracy_` and `train_loss_`
    are measured with the network that predicts, on the raw inputs.

    For a given number of threads of torch the result is the same, bit for bit, on
    one machine, except for ``torch.set_float32_matmul_precision``, which is used.
    Networks with fewer than 100,000 weights always use one thread, so that it does
    not depend on `n_jobs` either. A forked process always uses one.

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
    .. [6] D. C. Liu and J. Nocedal, "On the limited memory BFGS method for large
       scale optimization", Mathematical Programming 45, 1989, section 2.

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

    net_: Any
    n_epochs_: int
    loss_curve_: list[float]
    _config: Config

    _parameter_constraints: dict[str, list[Any]] = {  # noqa: RUF012  scikit-learn's way
        "hidden_layer_sizes": ["array-like", None],
        "width": [_AUTO, COUNT],
        "depth": [_AUTO, COUNT],
        "norm": [StrOptions({"batch", "group"}), None],
        "norm_position": [StrOptions({"before", "after"})],
        "norm_affine": ["boolean"],
        "negative_slope": [Interval(Real, -1, 1, closed="left")],
        "n_groups": [COUNT],
        "dropout": [PART],
        "whitening_shrinkage": [_AUTO, _AMOUNT, None],
        "optimizer": [StrOptions(set(OPTIMIZERS)), callable],
        "lr": [_AUTO, Interval(Real, 0, None, closed="neither")],
        "optimizer_params": [dict, None],
        "weight_decay": [_AMOUNT],
        "label_smoothing": [PART],
        "lr_scheduler": [StrOptions(set(SCHEDULES)), LRScheduler, callable, None],
        "lr_scheduler_params": [dict, None],
        "batch_size": [_AUTO, COUNT],
        "max_epochs": [COUNT],
        "target_accuracy": [Interval(Real, 0, 1, closed="right"), None],
        "exact_finish": ["boolean"],
        "device": [str],
        "precision": [StrOptions({"auto", "float32", "bfloat16"})],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "warm_start": ["boolean"],
        "on_interrupt": [StrOptions({"raise", "stop"})],
        "callbacks": [list, tuple, None],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    classes_: np.ndarray

    @names_its_own
    def __init__(
        self,
        *,
        hidden_layer_sizes: Sequence[int] | None = None,
        width: int | str = "auto",
        depth: int | str = "auto",
        norm: str | None = "batch",
        norm_position: str = "after",
        norm_affine: bool = False,
        negative_slope: float = -0.6,
        n_groups: int = 8,
        dropout: float = 0.0,
        whitening_shrinkage: float | str | None = "auto",
        optimizer: str | type[torch.optim.Optimizer] = "adam",
        lr: float | str = "auto",
        optimizer_params: Mapping[str, Any] | None = None,
        weight_decay: float = 0.0,
        label_smoothing: float = 0.0,
        lr_scheduler: str | type | LRScheduler | None = "onecycle",
        lr_scheduler_params: Mapping[str, Any] | None = None,
        batch_size: int | str = "auto",
        max_epochs: int = 1000,
        target_accuracy: float | None = 1.0,
        exact_finish: bool = True,
        device: str = "auto",
        precision: str = "auto",
        class_weight: Mapping[Any, float] | str | None = None,
        warm_start: bool = False,
        on_interrupt: str = "raise",
        callbacks: Sequence[Callback | tuple[str, Callback]] | None = None,
        verbose: bool | int = False,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.width = width
        self.depth = depth
        self.norm = norm
        self.norm_position = norm_position
        self.norm_affine = norm_affine
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
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.target_accuracy = target_accuracy
        self.exact_finish = exact_finish
        self.device = device
        self.precision = precision
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.on_interrupt = on_interrupt
        self.callbacks = callbacks
        self.verbose = verbose
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Train the network until it has memorized the labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or images \
                of shape (n_samples, height, width) or (n_samples, channels, height, \
                width)
            Training inputs, of at least two rows. Sparse ones are made dense some
            rows at a time, unless ``whitening_shrinkage=None``.
        y : array-like of shape (n_samples,)
            Labels of at least two classes: whole numbers, booleans or strings.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, not negative. None stands for ones. A weight of
            zero is the same as leaving the row out, one of two the same as giving
            it twice, bit for bit.

        Returns
        -------
        self : MemorizingMLP
            The fitted classifier.

        Raises
        ------
        ValueError
            If a parameter or the data are not as described; before any training
            except when the loss becomes infinite or NaN.
        KeyboardInterrupt
            On Ctrl-C, with ``on_interrupt="raise"``. During the training it is
            raised after all fitted attributes are set: the network is usable, and
            `train_accuracy_` and `n_epochs_` tell how far it got.

        Warns
        -----
        ConvergenceWarning
            If the target accuracy is not reached within `max_epochs`, or if
            Ctrl-C ended the training with ``on_interrupt="stop"``.
        """
        with self._unless_refused():
            trained, config = self._train(X, y, sample_weight)
            self._streaming = False
            self._keep(trained, config)
        self._report(trained)
        return self

    @own_torch_state()
    def _train(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None
    ) -> tuple[Trained, Config]:
        """Validate the data, resolve the parameters, and train."""
        warm = self.warm_start and self.__sklearn_is_fitted__()
        previous = self.net_.module_ if warm else None
        X, labels = self._validate(X, y=y, reset=not warm, ensure_min_samples=2)
        X, labels, weight = weigh_rows(X, labels, sample_weight, self.class_weight)
        classes, indices = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            among = " among the rows of positive sample_weight and class_weight"
            among = "" if weight is None else among
            raise ValueError(
                f"{type(self).__name__} needs labels of at least 2 classes{among}. "
                f"Got one class only: {classes.tolist()[0]!r}."
            )
        if warm and not np.array_equal(classes, self.classes_):
            raise ValueError(
                "With warm_start=True, y must have the same classes as before: "
                f"{self.classes_.tolist()!r:.200}. Got {classes.tolist()!r:.200}."
            )
        rows = Rows(as_tensor(X), indices, weight)
        config = self._resolve(rows, len(classes), previous)
        self.classes_ = classes
        with config.threads():
            prepared = prepare(
                rows.to(config.device), config.shrinkage, config.dtype, previous
            )
            seeds = spawn_seeds(draw_seed(self.random_state), 2)
            trained = train(config, prepared, len(classes), seeds, previous)
        return trained, config

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train for one epoch on some of the rows, from the weights reached.

        Without all the rows at hand, some of what `fit` does is left out: the
        inputs are not whitened (scale them before), the learning rate stays at
        `lr_` without a schedule, and batch normalization uses running averages.
        Sizes that are "auto" are chosen by the first call's rows. After `fit`, the
        training goes on with the fitted network and a fresh optimizer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or images
            Some of the rows, as in `fit`.
        y : array-like of shape (n_samples,)
            Their labels.
        classes : array-like of shape (n_classes,), default=None
            All labels there will be; needed in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, relative to each other.

        Returns
        -------
        self : MemorizingMLP
            The classifier. `train_accuracy_`, `train_loss_` and
            `attainable_accuracy_` are about the rows of this call, `n_epochs_` and
            `history_` count the calls.

        Raises
        ------
        ValueError
            If the data are not as described, or a label is not in `classes_`; or if
            the loss becomes infinite or NaN, and then the weights stay diverged.
        """
        with self._unless_refused():
            trained, config = self._train_on_piece(X, y, classes, sample_weight)
            self._streaming = True
            self._keep(trained, config)
        if trained.interrupted:
            raise KeyboardInterrupt
        return self

    @own_torch_state()
    def _train_on_piece(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None,
        sample_weight: ArrayLike | None,
    ) -> tuple[Trained, Config]:
        """Validate the rows of a call of `partial_fit`, and train on them."""
        first = not self.__sklearn_is_fitted__()
        n_least = 1 + (self.norm == "batch")
        X, labels = self._validate(X, y=y, reset=first, ensure_min_samples=n_least)
        _check_partial_fit_first_call(self, classes)
        unknown = np.setdiff1d(labels, self.classes_)
        if len(unknown):
            raise ValueError(
                f"y has the label {unknown.tolist()[0]!r}, which is not one of "
                f"'classes', {self.classes_.tolist()!r:.200}."
            )
        X, labels, weight = weigh_rows(X, labels, sample_weight, self.class_weight)
        rows = Rows(as_tensor(X), np.searchsorted(self.classes_, labels), weight)
        if len(rows) < n_least:
            raise ValueError(
                "partial_fit of MemorizingMLP needs two distinct rows of positive "
                "weight at least, for batch normalization. Got one."
            )
        previous = None if first else self.net_.module_
        n_classes = len(self.classes_)
        if not getattr(self, "_streaming", False):
            self._config = self._resolve(rows, n_classes, previous)
            seeds = spawn_seeds(draw_seed(self.random_state), 2)
            sizes = X.shape[1], n_classes
            self.net_ = start_stream(self._config, sizes, seeds, previous)
        config = self._config
        with config.threads():
            return train_on_stream(self.net_, rows.to(config.device)), config

    def _resolve(
        self, rows: Rows, n_classes: int, previous: BatchNormMLP | None
    ) -> Config:
        """Resolve the parameters for the rows."""
        sizes = None if previous is None else previous.hidden_layer_sizes
        params = self.get_params(deep=False)
        return resolve_config(params, describe(rows, n_classes), sizes)

    def _validate(self, X: ArrayLike, **options: Any) -> Any:
        """Check the data as scikit-learn does, and name the column that is wrong."""
        X, shape = flatten_images(X)
        remember_shape(self, shape, reset=options["reset"])
        options |= {"dtype": _DTYPES, "order": "C", "accept_sparse": "csr"}
        check_dates(X)
        if options.get("y") is not None:
            options["y"] = check_labels(options["y"], type(self).__name__)
        try:
            return validate_data(self, X, **options)
        except (TypeError, ValueError) as error:
            message = explain(X)
            if message is None:
                raise
            raise ValueError(message) from error

    @contextmanager
    def _unless_refused(self) -> Iterator[None]:
        """Leave the fit before usable where one is refused or diverges."""
        before = dict(vars(self))
        try:
            yield
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def _report(self, trained: Trained) -> None:
        """Raise or warn if the training did not get where it should."""
        if trained.interrupted and self.on_interrupt == "raise":
            raise KeyboardInterrupt
        target = trained.target
        missed = target is not None and trained.accuracy < target
        if not (trained.interrupted or missed):
            return
        by = " by Ctrl-C" if trained.interrupted else ""
        goal = "." if target is None else f"; the target was {target:.6g}."
        advice = " A larger 'max_epochs', 'width' or 'depth' may reach it."
        advice = "" if trained.interrupted else advice
        warnings.warn(
            f"The training ended{by} after {self.n_epochs_} epochs with a training "
            f"accuracy of {self.train_accuracy_:.6g}{goal}{advice}",
            ConvergenceWarning,
            stacklevel=4,  # the line that calls fit
        )

    def _keep(self, trained: Trained, config: Config) -> None:
        """Set the fitted attributes."""
        self.hidden_layer_sizes_ = config.hidden_layer_sizes
        self.batch_size_ = config.batch_size
        self.lr_ = config.lr
        self.device_ = str(config.device)
        self.precision_ = str(config.dtype).removeprefix("torch.")
        self.attainable_accuracy_ = trained.attainable
        self.train_accuracy_ = trained.accuracy
        self.train_loss_ = trained.loss
        self.net_ = trained.net
        self.net_.module__n_features = self.n_features_in_
        self.n_parameters_ = sum(p.numel() for p in self.net_.module_.parameters())
        history = self.net_.history
        self.n_epochs_ = len(history)
        columns = {"train_loss": "loss", "train_accuracy": "accuracy", "lr": "lr"}
        columns["dur"] = "seconds"
        self.history_ = pd.DataFrame(
            {new: [row[old] for row in history] for old, new in columns.items()},
            index=pd.RangeIndex(1, self.n_epochs_ + 1, name="epoch"),
        )
        self.loss_curve_ = self.history_["loss"].tolist()

    @property
    def n_iter_(self) -> int:
        return self.n_epochs_

    @property
    def loss_(self) -> float:
        return self.loss_curve_[-1]

    def __sklearn_is_fitted__(self) -> bool:
        # The last attributes that `fit` sets, after the training has ended.
        return hasattr(self, "loss_curve_")

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True  # images
        tags.input_tags.sparse = True
        return tags

    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Compute the logits.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or images
            Inputs.

        Returns
        -------
        scores : ndarray of shape (n_samples, n_classes) or (n_samples,)
            Logits; for two classes, the log-odds of the second.
        """
        logits = self._logits(X).numpy()
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict the labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or images
            Inputs.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            The most probable labels.
        """
        scores = self.decision_function(X)
        indices = scores.argmax(1) if scores.ndim == 2 else (scores > 0).astype(int)
        return self.classes_[indices]

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Compute the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or images
            Inputs.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        return self._logits(X).double().softmax(1).clamp_min_(_SMALLEST).numpy()

    def predict_log_proba(self, X: ArrayLike) -> np.ndarray:
        """Compute the logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or images
            Inputs.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        logarithms = self._logits(X).double().log_softmax(1)
        return logarithms.clamp_min_(math.log(_SMALLEST)).numpy()

    @classmethod
    def from_recipe(cls, name: str, **changes: Any) -> Self:
        """Make a classifier with the parameters of a recipe.

        Parameters
        ----------
        name : {"memorizing", "generalizing", "notebook"}
            "memorizing" has the defaults. "generalizing" gives up speed for accuracy
            on other rows: inputs as they are, wide layers of ReLUs, dropout, label
            smoothing, and one long cycle. It is for inputs of mean 0 and
            deviation 1. "notebook" is the recipe of a course on deep learning: six
            hidden layers, Adam, MultiStepLR, 20 epochs.
        **changes
            Parameters that replace the recipe's.

        Returns
        -------
        clf : MemorizingMLP
            A classifier, not fitted.

        Raises
        ------
        ValueError
            If there is no recipe of this name.
        TypeError
            If a change is not a parameter.

        Examples
        --------
        >>> from sk_memorize import MemorizingMLP
        >>> MemorizingMLP.from_recipe("notebook", max_epochs=30).lr_scheduler
        'multistep'
        """
        if name not in RECIPES:
            owner = f"{cls.__name__}.from_recipe"
            must = f"be one of {sorted(RECIPES)}"
            raise ValueError(wrong("name", owner, must, repr(name)))
        return cls(**{**RECIPES[name], **changes})

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
    @own_torch_state()
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

    @own_torch_state()
    def _logits(self, X: ArrayLike) -> Tensor:
        check_is_fitted(self)
        X = self._validate(X, reset=False)
        return compute_logits(self.net_.module_, as_tensor(X))
