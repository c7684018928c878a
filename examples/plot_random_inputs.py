"""
Randomize the inputs instead
============================

The other experiment of Zhang et al. (2017) keeps the labels and destroys the structure
of the images: the pixels of all images are put in one random order, or those of each
image in another one, or noise replaces the images. The three are transformers, and give
a row the same new values whenever they see it.
"""

import matplotlib.pyplot as plt
from sklearn.pipeline import make_pipeline

from sk_memorize import (
    FittingCurveDisplay,
    GaussianInputs,
    MemorizingMLP,
    PixelRandomizer,
    PixelShuffler,
    load_dataset,
)

digits = load_dataset("digits")
X, y = digits.X_train, digits.y_train

# %%
# In a pipeline they act in training and in tests.

randomizers = {
    "images as they are": "passthrough",
    "shuffled pixels": PixelShuffler(random_state=0),
    "random pixels": PixelRandomizer(random_state=0),
    "Gaussian inputs": GaussianInputs(random_state=0),
}
histories, tests = {}, {}
for name, randomizer in randomizers.items():
    clf = make_pipeline(randomizer, MemorizingMLP(random_state=0)).fit(X, y)
    histories[name] = clf[-1].history_
    tests[name] = clf.score(digits.X_test, digits.y_test)
    print(f"{name}: {clf.score(X, y):.3f} on training rows, {tests[name]:.3f} on test")

# %%
# A digit before and after:

figure, axes = plt.subplots(1, 4, figsize=(8, 2.3), layout="constrained")
for ax, (name, randomizer) in zip(axes, randomizers.items(), strict=True):
    row = X[:1]
    if randomizer != "passthrough":
        row = randomizer.fit(X).transform(row)
    ax.imshow(row.reshape(digits.image_shape), cmap="gray_r")
    ax.set(title=name, xticks=[], yticks=[])

# %%
# An MLP does not know which pixels are neighbors, so shuffling changes nothing for it.
# Random pixels and noise are memorized, as random labels are, and say nothing about new
# rows.

display = FittingCurveDisplay.from_results(
    histories, test_accuracies=tests, chance_accuracy=0.1
)
_ = display.figure_.suptitle("Four kinds of inputs, true labels of digits")
