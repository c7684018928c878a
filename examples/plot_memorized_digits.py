"""
The most memorized digits, and who they influence
=================================================

Which labels follow from the other rows, and which can only be memorized? Fits that saw
a row, beside fits that did not, tell: :func:`~sk_memorize.memorization_scores` trains
networks on halves of the rows, so that each row is held out of half of them.
"""

from sk_memorize import (
    InfluenceDisplay,
    MemorizationDisplay,
    MemorizingMLP,
    load_dataset,
    memorization_scores,
)

digits = load_dataset("digits")
X, y = digits.X_train, digits.y_train

# %%
# Short trainings without whitening, as each fit must also generalize.

network = MemorizingMLP(whitening_shrinkage=None, max_epochs=8, target_accuracy=None)
scores = memorization_scores(
    network,
    X,
    y,
    X_test=digits.X_test,
    y_test=digits.y_test,
    n_fits=32,
    random_state=0,
)
print(scores.summary())

# %%
# Most digits follow from the others. A few do not: below each image is the label that
# it has, and the one that networks suggest that have not seen it.

display = MemorizationDisplay.from_results(
    scores, kind="images", X=X, image_shape=digits.image_shape
)

# %%
# A memorized digit is not useless. Some test digits are recognized by those networks
# only that saw a certain training digit: at the left the test digits, and beside each
# the training digits of its label that it owes most to. With so few fits some of them
# are large by chance; take hundreds to rely on a single pair.

display = InfluenceDisplay.from_results(
    scores,
    X,
    digits.X_test,
    digits.y_test,
    image_shape=digits.image_shape,
    pairs=scores.influential_pairs(),
)
