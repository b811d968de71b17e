"""Reads a Parquet file with pyarrow, Polars and DuckDB, and compares each with the CSV file of the same table.

usage: parquet_readers.py TABLE.parquet TABLE.csv
"""

import csv
import math
import sys

import duckdb
import polars
import pyarrow.parquet

parquet, text = sys.argv[1:]


def cell(value):
    """A value as the CSV file spells it."""
    if value is None:
        return ""
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    return value


def agrees(value, expected):
    """Whether a value of a reader is the one in the CSV file; floats must be the same bits."""
    value = cell(value)
    if isinstance(value, str):
        return value == expected
    return expected != "" and type(value)(expected) == value


with open(text, newline="", encoding="utf-8") as file:
    names, *rows = csv.reader(file)
arrow = pyarrow.parquet.read_table(parquet)
frame = polars.read_parquet(parquet)
relation = duckdb.sql(f"select * from '{parquet}'")
readers = {
    "pyarrow": (arrow.column_names, [list(row.values()) for row in arrow.to_pylist()]),
    "polars": (frame.columns, frame.rows()),
    "duckdb": (relation.columns, relation.fetchall()),
}
for reader, (found_names, found_rows) in readers.items():
    assert list(found_names) == names, f"{reader}: {found_names}"
    assert len(found_rows) == len(rows) > 0, f"{reader}: {len(found_rows)} rows"
    for found, expected in zip(found_rows, rows):
        for name, value, wanted in zip(names, found, expected):
            assert agrees(value, wanted), f"{reader}: {name} is {value!r}, not {wanted}"
print(f"{len(rows)} rows read by {', '.join(readers)}")
