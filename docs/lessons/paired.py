"""Compare a column of a comparison's trials between variants, paired by seed, with the Python of any machine.

    python3 docs/lessons/paired.py artifacts/NAME/trials.csv COLUMN BASE

`emberlab compare` pairs the objective, which the validation split decides. This does the same for any other column of
`trials.csv`, such as `test_loss`, and against any variant. It prints each variant's median, its median difference from
BASE with the 95 % bootstrap interval, and the p-value of Wilcoxon's signed-rank test, exact and corrected by Holm's
method.
"""

import csv
import random
import statistics
import sys


def interval(differences):
    """The percentile bootstrap interval of the median."""
    generator = random.Random(0)
    medians = sorted(
        statistics.median(generator.choices(differences, k=len(differences))) for _ in range(10_000)
    )
    return medians[250], medians[9750]


def wilcoxon(differences):
    """The two-sided p-value, by counting the signs of all ranks."""
    sizes = sorted(abs(d) for d in differences if d)
    # Twice the rank, so that ties, which share the mean of their ranks, stay whole.
    rank = {size: 2 * sizes.index(size) + sizes.count(size) + 1 for size in sizes}
    total = sum(rank[size] for size in sizes)
    positive = sum(rank[d] for d in differences if d > 0)
    ways = [1] + [0] * total
    for size in sizes:
        for at in range(total, rank[size] - 1, -1):
            ways[at] += ways[at - rank[size]]
    return min(1.0, 2 * sum(ways[: min(positive, total - positive) + 1]) / 2 ** len(sizes))


def main(path, column, base):
    values = {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            if row[column]:
                values.setdefault(row["variant"], {})[row["seed"], row["fold"]] = float(row[column])
    if base not in values:
        sys.exit(f"{path} has no variant {base}; it has {', '.join(values)}")
    others = [variant for variant in values if variant != base]
    pairs = {v: [x - values[base][k] for k, x in values[v].items() if k in values[base]] for v in others}
    p_values = {v: wilcoxon(pairs[v]) for v in others}
    corrected, largest = {}, 0.0
    for place, v in enumerate(sorted(others, key=p_values.get)):
        largest = max(largest, min(1.0, p_values[v] * (len(others) - place)))
        corrected[v] = largest
    print(f"{column}: median {statistics.median(values[base].values()):.4g} with {base}")
    width = max(map(len, others))
    for v in others:
        low, high = interval(pairs[v])
        print(
            f"{v:{width}}  median {statistics.median(values[v].values()):<7.4g}"
            f"  difference {statistics.median(pairs[v]):+.4f} [{low:+.4f}, {high:+.4f}]"
            f"  p = {p_values[v]:.4f}, corrected {corrected[v]:.4f}"
        )


main(*sys.argv[1:])
