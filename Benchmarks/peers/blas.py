"""Vectors of a plain file, by numpy and the BLAS it brings, with as many threads as that takes by itself.

    blas.py read   VECTORS ROWS                     into memory; prints `seconds=S`
    blas.py search VECTORS ROWS QUERIES             the ten nearest of each query: one at a time, and all at once
    blas.py recall VECTORS ROWS QUERIES ANSWERS     the part of the ten nearest that each of the ANSWERS names
"""
import json, sys, time

import numpy as np

DIMENSION, COUNT = 384, 10
op, path, rows, *rest = sys.argv[1:]
rows = int(rows)


def load():
    return np.fromfile(path, np.float32, rows * DIMENSION).reshape(rows, DIMENSION)


def timed(work):
    start = time.perf_counter()
    value = work()
    return time.perf_counter() - start, value


def best(scores):
    top = np.argpartition(scores, -COUNT)[-COUNT:]
    return top[np.argsort(-scores[top])]


if op == "read":
    print(f"seconds={timed(load)[0]:.6f}")
else:
    matrix = load()
    queries = np.fromfile(rest[0], np.float32).reshape(-1, DIMENSION)
if op == "search":
    best(matrix @ queries[0])
    single, _ = timed(lambda: [best(matrix @ q) for q in queries])
    batch, _ = timed(lambda: [best(s) for s in queries @ matrix.T])
    build = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    print(json.dumps({"single": single, "batch": batch, "queries": len(queries),
                      "version": f"{np.__version__} with {build.get('name')} {build.get('version')}"}))
if op == "recall":
    # In double precision: a row that single precision cannot tell from the tenth is as good as that.
    wide = queries.astype(np.float64)
    scores = np.empty((rows, len(queries)))
    for i in range(0, rows, 65536):
        scores[i:i + 65536] = matrix[i:i + 65536].astype(np.float64) @ wide.T
    bounds = [scores[best(scores[:, q])[-1], q] - 1e-7 for q in range(len(queries))]
    for name, answers in json.load(open(rest[1])).items():
        right = sum(float(scores[row, q]) >= bounds[q] for q, found in enumerate(answers) for row in set(found))
        print(json.dumps({"answers": name, "recall": right / (COUNT * len(queries))}))
