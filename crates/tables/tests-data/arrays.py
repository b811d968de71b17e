"""Makes the `.npy` and `.npz` files here: every kind of number, both byte orders, both orders of a matrix.

Run `python3 arrays.py` with NumPy installed (`pip install numpy`; the files were made with 2.4.6).
"""

from pathlib import Path

import numpy as np

folder = Path(__file__).parent

rows = [[1.0, -2.5], [0.1, 1e300], [np.nan, -np.inf]]
np.save(folder / "matrix_c.npy", np.array(rows))
np.save(folder / "matrix_fortran_big_endian.npy", np.asfortranarray(np.array(rows, dtype=">f8")))

np.savez(
    folder / "kinds.npz",
    f2=np.array([0.1, -1.5, 65504], dtype="f2"),
    f4=np.array([0.1, 1e30, -0.0], dtype=">f4"),
    f8=np.array([0.1, 1 / 3, 12345678901234567890], dtype="f8"),
    i1=np.array([-128, 0, 127], dtype="i1"),
    i2=np.array([-32768, 0, 32767], dtype=">i2"),
    i4=np.array([-(2**31), 0, 2**31 - 1], dtype="<i4"),
    i8=np.array([-(2**63), 0, 2**63 - 1], dtype=">i8"),
    u1=np.array([0, 1, 255], dtype="u1"),
    u2=np.array([0, 1, 65535], dtype="<u2"),
    u4=np.array([0, 1, 2**32 - 1], dtype=">u4"),
    u8=np.array([0, 1, 2**64 - 1], dtype="<u8"),
    yes=np.array([True, False, True]),
    word=np.array(["ä", "", "two words"]),
    big=np.array(["no", "yes", "é,è"], dtype=">U3"),
    ascii=np.array([b"a", b"bc", b""]),
)
np.savez_compressed(
    folder / "features_and_labels.npz",
    X=np.arange(6, dtype="f4").reshape(3, 2) / 4,
    y=np.array([0, 1, 1]),
)

# What is refused.
np.save(folder / "cube.npy", np.zeros((2, 3, 4)))
np.save(folder / "complex.npy", np.zeros(2, dtype="c16"))
np.save(folder / "fields.npy", np.zeros(2, dtype=[("a", "f4"), ("b", "i4")]))
np.save(folder / "objects.npy", np.array([{"a": 1}, None], dtype=object))
np.savez(folder / "lengths.npz", X=np.zeros((3, 2)), y=np.zeros(2))
