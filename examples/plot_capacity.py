"""
How many labels does a network hold?
====================================

Every classifier fits two random labels, and none a million with ten weights. Where is
the limit? :func:`~sk_memorize.memorization_capacity` looks for the largest number of
random labels that a classifier fits without an error.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression

from sk_memorize import MemorizingMLP, memorization_capacity

# %%
# For a linear classifier Cover's theorem gives the limit: twice as many labels as
# weights, the intercept among them. Here are 10, 20 and 40 weights.

settings = {"random_state": 0, "rtol": 0.2}
linear = LogisticRegression(C=np.inf, max_iter=1000)
capacities = {
    "linear": [
        memorization_capacity(linear, n_features=n_weights - 1, **settings)
        for n_weights in (10, 20, 40)
    ]
}
for capacity in capacities["linear"]:
    low, high = capacity.interval
    print(
        f"{capacity.n_parameters:.0f} weights: {capacity.labels} labels, "
        f"with 95 % confidence between {low:.0f} and {high:.0f}"
    )

# %%
# No theorem as sharp is known for networks that are trained. What they hold after forty
# epochs is less, since the training must find the weights; a longer one finds more.

capacities["one hidden layer"] = [
    memorization_capacity(
        MemorizingMLP(width=width, depth=1, max_epochs=40, random_state=0),
        n_features=19,
        min_samples=16 * width,
        **settings,
    )
    for width in (2, 4)
]

# %%
# The bars are intervals for the median over orders of rows and labels.

figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for (name, results), style in zip(capacities.items(), ("o-", "s--"), strict=True):
    n_parameters = [capacity.n_parameters for capacity in results]
    labels = np.array([capacity.labels for capacity in results])
    ends = np.array([capacity.interval for capacity in results]).T
    ax.errorbar(
        n_parameters, labels, np.abs(ends - labels), fmt=style, capsize=3, label=name
    )
limit = np.array(ax.get_xlim())
ax.plot(limit, 2 * limit, color="0.4", linestyle=":", label="two labels per weight")
ax.set(
    xlabel="parameters",
    ylabel="random labels of two classes, all fitted",
    title="Capacity on Gaussian inputs",
)
_ = ax.legend()
