"""Makes scikit_learn.json: the features that scikit-learn makes of the table in tests.rs.

Run it in this folder with scikit-learn: `python3 scikit_learn.py`.
"""

import json

import numpy as np
from sklearn import __version__
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

NUMBERS = np.array(
    [[1.5, 7.0], [np.nan, 8.25], [-2.25, np.nan], [4.125, np.nan], [0.1, -3.0], [np.nan, 1e6], [1e9, 5.5]]
)
COLORS = np.array([["red"], ["Blue"], [None], ["green"], ["red"], ["Ärger"], ["violet"]], dtype=object)
TRAINING = slice(0, 6)

results = {"scikit_learn": __version__}
for strategy in ["mean", "median", "constant"]:
    imputer = SimpleImputer(strategy=strategy, fill_value=0.5 if strategy == "constant" else None, add_indicator=True)
    imputer.fit(NUMBERS[TRAINING])
    results[strategy] = imputer.transform(NUMBERS).tolist()

imputer = SimpleImputer(strategy="most_frequent", missing_values=None)
imputer.fit(COLORS[TRAINING])
colors = imputer.transform(COLORS)
one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(colors[TRAINING])
results["one_hot_categories"] = one_hot.categories_[0].tolist()
results["one_hot"] = one_hot.transform(colors).tolist()
ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(colors[TRAINING])
results["ordinal"] = ordinal.transform(colors).tolist()

numeric = np.array([[10], [9], [100], [9], [10], [100], [11]])
ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(numeric[TRAINING])
results["ordinal_of_numbers"] = ordinal.transform(numeric).tolist()

lines = [f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in results.items()]
with open("scikit_learn.json", "w") as file:
    file.write("{\n" + ",\n".join(lines) + "\n}\n")
