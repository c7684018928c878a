"""
Which labels are wrong in a CSV file?
=====================================

Somebody has sent a table with a column of labels, and some of these are wrong. Which
ones? :func:`~sk_memorize.find_mislabeled` fits some classifiers to parts of the rows,
asks them about the others, and returns all rows with the probability that the label is
wrong, the worst first.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer

from sk_memorize import LabelPermuter, find_mislabeled

# %%
# Such a file: 569 tumors, of which one in twenty gets the wrong label. In yours nobody
# knows which.

bunch = load_breast_cancer(as_frame=True)
table = bunch.data.round(2)
true = bunch.target_names[bunch.target]
noise = LabelPermuter("symmetric", fraction=0.05, random_state=0).fit(true)
table["diagnosis"] = noise.transform(true)
folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "tumors.csv"
table.to_csv(path, index=False)

# %%
# Five lines from the file to the list:

table = pd.read_csv(path)
y = table.pop("diagnosis")
suspects = find_mislabeled(table, y, random_state=0)
print(f"about {suspects.attrs['n_wrong']:.0f} of {len(y)} labels are wrong")
print(suspects.head(8).round(2))

# %%
# Here the truth is known. Read the list from above, as somebody would who checks row
# after row: how many wrong labels are found by then?

folder.cleanup()
is_wrong = noise.corrupted_mask_[suspects.index]
n_wrong = int(is_wrong.sum())
print(f"of the first {n_wrong} rows {int(is_wrong[:n_wrong].sum())} are wrong")

# %%

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
left.plot(np.arange(len(y)) + 1, np.cumsum(is_wrong), label="the list")
left.plot([0, n_wrong, len(y)], [0, n_wrong, n_wrong], ":", c="0.4", label="perfect")
left.plot([0, len(y)], [0, n_wrong], "--", color="0.6", label="in random order")
left.set(xlabel="rows checked", ylabel="wrong labels found", xlim=(0, 4 * n_wrong))
left.set_title("Effort and gain")
left.legend()
bins = np.linspace(0, 1, 21)
for chosen, name in ((~is_wrong, "right labels"), (is_wrong, "wrong labels")):
    right.hist(suspects["probability_wrong"][chosen], bins, alpha=0.7, label=name)
right.set(
    xlabel="probability of being wrong",
    ylabel="rows",
    yscale="log",
    title=f"Wrong: {suspects.attrs['n_wrong']:.0f} estimated, {n_wrong} in truth",
)
_ = right.legend()
