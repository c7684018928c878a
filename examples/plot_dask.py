"""
A grid search on a Dask cluster
===============================

A search is many small fits, which joblib can send to the machines of a cluster. The
scores do not depend on where they were computed. Here the cluster is one of threads in
this process, to try it out; for a real one, give the address of its scheduler to
:class:`~distributed.Client`.
"""

import matplotlib.pyplot as plt
from dask.distributed import Client, LocalCluster
from joblib import parallel_config
from sklearn.model_selection import GridSearchCV

from sk_memorize import GridHeatmapDisplay, MemorizingMLP, load_dataset

digits = load_dataset("digits")
X, y = digits.X_train[:600], digits.y_train[:600]
search = GridSearchCV(
    MemorizingMLP(max_epochs=8, target_accuracy=None, random_state=0),
    {"lr": [0.001, 0.003, 0.01], "width": [8, 32]},
    cv=2,
)

# %%
# `scatter` sends the data to each worker once, for all fits of the search.

cluster = LocalCluster(
    n_workers=1, threads_per_worker=2, processes=False, dashboard_address="localhost:0"
)
with Client(cluster), parallel_config("dask", scatter=[X, y]):
    search.fit(X, y)
cluster.close()
print(search.best_params_, f"{search.best_score_:.3f}")

# %%
# The same search without the cluster gives the same scores, bit for bit.

on_cluster = search.cv_results_["mean_test_score"].copy()
in_turn = search.fit(X, y).cv_results_["mean_test_score"]
print("the same scores:", bool((in_turn == on_cluster).all()))

# %%

figure, ax = plt.subplots(figsize=(5, 3.6), layout="constrained")
GridHeatmapDisplay.from_estimator(search, x="lr", y="width", ax=ax)
_ = ax.set(xlabel="learning rate", title="Accuracy on test folds of 600 digits")
