"""Writes scikit_learn.json: small data sets, and what scikit-learn's predictors make of them.

    python -m venv /tmp/venv && /tmp/venv/bin/pip install scikit-learn==1.9.1
    /tmp/venv/bin/python crates/baselines/tests-data/scikit_learn.py

Features are standardised and rounded to three decimals before anything is fitted, so that the file holds exactly what
scikit-learn saw.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, make_friedman1
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor


def halves(x, y):
    """Every third row is predicted and the others are learnt from."""
    x = np.round(StandardScaler().fit_transform(x), 3)
    held_out = np.arange(len(x)) % 3 == 0
    return x[~held_out], y[~held_out], x[held_out], y[held_out]


def case(x, y, rows, **expected):
    return {"num_features": x.shape[1], "features": x.ravel().tolist(), "targets": y.ravel().tolist(),
            "rows": rows.ravel().tolist()} | {name: np.asarray(value).ravel().tolist() for name, value in expected.items()}


def classification(x, y, rows, rows_y):
    logistic = LogisticRegression(solver="newton-cholesky", tol=1e-12, max_iter=1000).fit(x, y)
    neighbors = KNeighborsClassifier(algorithm="brute").fit(x, y)
    dummy = DummyClassifier().fit(x, y)
    scores = [RandomForestClassifier(random_state=seed).fit(x, y).score(rows, rows_y) for seed in range(20)]
    return case(x, y, rows, rows_targets=rows_y,
                majority_classes=dummy.predict(rows), majority_probabilities=dummy.predict_proba(rows),
                logistic_coefficients=logistic.coef_,
                logistic_classes=logistic.predict(rows), logistic_probabilities=logistic.predict_proba(rows),
                neighbors_classes=neighbors.predict(rows), neighbors_probabilities=neighbors.predict_proba(rows),
                forest_accuracy=[min(scores), max(scores)])


def regression(x, y, rows, rows_y):
    linear = LinearRegression().fit(x, y)
    result = case(x, y, rows, rows_targets=rows_y, mean=DummyRegressor().fit(x, y).predict(rows),
                  linear_coefficients=linear.coef_, linear=linear.predict(rows))
    if len(x) >= 5:
        result["neighbors"] = KNeighborsRegressor(algorithm="brute").fit(x, y).predict(rows).ravel().tolist()
        scores = [RandomForestRegressor(random_state=seed).fit(x, y).score(rows, rows_y) for seed in range(20)]
        result["forest_r2"] = [min(scores), max(scores)]
    return result


def tree(kind, x, y, rows):
    """A fully grown tree whose predictions are the same for every order of the features."""
    predictions = [kind(random_state=seed).fit(x, y).predict(rows) for seed in range(50)]
    assert all((other == predictions[0]).all() for other in predictions)
    return case(x, y, rows, tree=predictions[0])


def one_hot(y):
    """All three columns of a one-hot code, a number, twice that number and a constant."""
    i = np.arange(30)
    number = np.round(np.sin(i), 3)
    x = np.column_stack([np.eye(3)[i * 7 % 3], number, 2 * number, np.ones(30)])
    # The last row is of none of the three categories.
    rows = np.vstack([x[::4] * [1, 1, 1, -1, -1, 1], [0, 0, 0, 0.5, 1, 2]])
    return x, y(i, number), rows


cases = {}
cases["iris"] = classification(*halves(*load_iris(return_X_y=True)))
x, y = load_breast_cancer(return_X_y=True)
cases["two classes, 30 features"] = classification(*halves(x[:90], y[:90]))
x, y = load_digits(return_X_y=True)
cases["ten classes, 64 features, some constant"] = classification(*halves(x[:150], y[:150]))
x, y, rows = one_hot(lambda i, number: (i * 5 % 7 + number > 3).astype(int))
cases["classes of one-hot columns"] = classification(x, y, rows, np.zeros(len(rows), int))

x, y = load_diabetes(return_X_y=True, scaled=False)
cases["diabetes"] = regression(*halves(x, y))
cases["two targets"] = regression(*halves(x[:60], np.column_stack([y[:60], np.round(np.sqrt(y[:60]), 3)])))
cases["more features than rows"] = regression(*halves(x[:9], y[:9]))
x, y, rows = one_hot(lambda i, number: i * 5 % 7 + number)
cases["numbers of one-hot columns"] = regression(x, y, rows, np.zeros(len(rows)))
x, y = make_friedman1(600, n_features=5, noise=1.0, random_state=0)
cases["more than 255 values"] = regression(*halves(x, np.round(y, 3)))

random = np.random.default_rng(0)
x = random.permuted(np.tile(np.arange(120) / 4, (3, 1)), axis=1).T
rows = x[:40] + 0.1
# Values far apart, so that no two cuts are equally good by chance.
numbers = np.round(np.exp(x[:, 0] / 8) + x[:, 1] ** 2 / 20 + random.normal(size=120), 3)
cases["tree of numbers"] = tree(DecisionTreeRegressor, x[:, :1], numbers, rows[:, :1])
classes = np.digitize(x[:, 1] + random.normal(size=120) * 2, [8, 20])
cases["tree of classes"] = tree(DecisionTreeClassifier, x[:, 1:2], classes, rows[:, 1:2])
steps = 5 * (x[:, 0] > 11) + 3 * (x[:, 1] > 17) * (x[:, 0] > 11) + 1.0 * (x[:, 2] > 6) * (x[:, 0] <= 11)
cases["tree of several features"] = tree(DecisionTreeRegressor, x, steps, rows)

path = Path(__file__).with_suffix(".json")
path.write_text("{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in cases.items()) + "\n}\n")
