"""What scikit-learn's MLPClassifier calls the parameters of MemorizingMLP."""

from collections.abc import Callable
from functools import wraps

_OPTIMIZER = "'optimizer_params' (a dict of the torch optimizer's own arguments)"
_STOPPING = "'target_accuracy', or skorch's EarlyStopping in 'callbacks'"

OTHER_NAMES = {
    "activation": "'negative_slope' (0 is the ReLU)",
    "alpha": "'weight_decay'",
    "beta_1": _OPTIMIZER,
    "beta_2": _OPTIMIZER,
    "early_stopping": _STOPPING,
    "epsilon": _OPTIMIZER,
    "learning_rate": "'lr_scheduler'",
    "learning_rate_init": "'lr'",
    "max_fun": "'max_epochs'",
    "max_iter": "'max_epochs'",
    "momentum": _OPTIMIZER,
    "n_iter_no_change": _STOPPING,
    "nesterovs_momentum": _OPTIMIZER,
    "power_t": "'lr_scheduler_params'",
    "shuffle": "nothing (all epochs are shuffled)",
    "solver": "'optimizer'",
    "tol": _STOPPING,
    "validation_fraction": _STOPPING,
}


def names_its_own(init: Callable[..., None]) -> Callable[..., None]:
    """Let a constructor say which of its parameters does what another name asks for."""

    @wraps(init)
    def checked(self: object, *args: object, **params: object) -> None:
        name = next((name for name in params if name in OTHER_NAMES), None)
        if name is not None:
            raise TypeError(
                f"{type(self).__name__} has no parameter {name!r}, which is of "
                f"MLPClassifier. What does it here is {OTHER_NAMES[name]}."
            )
        init(self, *args, **params)

    return checked
