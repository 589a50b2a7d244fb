"""Makes test/stored/decompositions.json: singular values and vectors and QR of small matrices, by numpy (LAPACK) in float64."""

import json

import numpy as np

from common import DATA

random = np.random.default_rng(7)


def integers(m, n, rank=None):
    """Small whole numbers over 16; of a lower rank if one is named."""
    if rank is None:
        return random.integers(-40, 41, (m, n)) / 16
    return random.integers(-6, 7, (m, rank)) @ random.integers(-6, 7, (rank, n)) / 16


def case(a, vectors=True):
    """vectors: false where singular values are equal or zero, so that their vectors are not determined."""
    a = np.asarray(a, dtype=np.float64)
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    signs = np.sign(u[np.abs(u).argmax(axis=0), np.arange(u.shape[1])])
    q, r = np.linalg.qr(a)
    out = {"rows": a.shape[0], "columns": a.shape[1], "a": a, "s": s}
    if vectors:
        out |= {"u": u * signs, "vt": vt * signs[:, None], "q": q, "r": r}
    return {k: v.ravel().tolist() if isinstance(v, np.ndarray) else v for k, v in out.items()}


CASES = {
    "tall": case(integers(7, 4)),
    "wide": case(integers(3, 6)),
    "square": case(integers(5, 5)),
    "one_row": case(integers(1, 5)),
    "one_column": case(integers(5, 1)),
    "one": case([[-2.5]]),
    "more_than_a_block": case(integers(19, 11)),
    "rank_2_of_4": case(integers(6, 4, rank=2), vectors=False),
    "equal": case(np.diag([3, 3, -3, 1, 1]) + 0.0, vectors=False),
    "zero": case(np.zeros((4, 3)), vectors=False),
    "zero_row_and_column": case([[0, 0, 0], [0, 1, 2], [0, 3, 5]], vectors=False),
    "graded": case(integers(6, 6) * 2.0 ** -np.arange(0, 48, 8)[:, None], vectors=False),
    "huge": case(integers(4, 3) * 2.0**900),
    "tiny": case(integers(4, 3) * 2.0**-900),
}
(DATA / "decompositions.json").write_text(json.dumps(CASES, separators=(",", ":")) + "\n")
