"""Lance, the table format, on the rows of workload w2.

    lance_table.py write   STORE DATA v1 [v2]    each version as a whole snapshot
    lance_table.py merge   STORE DATA            the next version from a known delta: merge_insert and delete
    lance_table.py diff    STORE DATA            rows that differ between versions 1 and 2, joined by key, all columns compared
    lance_table.py vectors STORE FILE ROWS       a table of vectors alone
    lance_table.py scan    STORE                 its vectors into memory

Prints `seconds=S`: the work without the start of the interpreter and without bringing the input into memory.
"""
import json, pathlib, sys, time

import lance
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

DIMENSION = 384
op, store, *rest = sys.argv[1:]


def table(rows, vectors):
    return pa.table({
        "key": [f"{r['id']}#{r['chunk']}" for r in rows], "text": [r["text"] for r in rows], "meta": [json.dumps(r["meta"]) for r in rows],
        "emb": pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(vectors, np.float32).reshape(-1)), DIMENSION)})


def vectors_of(column):
    return column.combine_chunks().flatten().to_numpy().reshape(-1, DIMENSION)


def load(folder):
    with open(folder / "attributes.jsonl") as lines:
        return table([json.loads(line) for line in lines], np.load(folder / "vectors.npy"))


def difference(a, b):
    """Anti-joins by key both ways, then the joined rows column by column."""
    at = pc.index_in(b["key"], a["key"]).to_numpy(zero_copy_only=False)
    there = ~np.isnan(at.astype(float))
    i, j = at[there].astype(np.int64), np.flatnonzero(there)
    differs = np.zeros(len(i), bool)
    for name in ("text", "meta"):
        differs |= pc.not_equal(a[name].take(pa.array(i)), b[name].take(pa.array(j))).to_numpy()
    x, y = vectors_of(a["emb"]), vectors_of(b["emb"])
    for s in range(0, len(i), 20_000):
        differs[s:s + 20_000] |= (x[i[s:s + 20_000]] != y[j[s:s + 20_000]]).any(axis=1)
    return {"added": int((~there).sum()), "removed": len(a) - len(i), "changed": int(differs.sum())}


took = 0.0
if op == "write":
    for n, version in enumerate(rest[1:]):
        rows = load(pathlib.Path(rest[0]) / version)
        start = time.perf_counter()
        lance.write_dataset(rows, store, mode="overwrite" if n else "create")
        took += time.perf_counter() - start
elif op == "merge":
    data = pathlib.Path(rest[0])
    rows = [json.loads(line) for line in open(data / "upserts.jsonl")]
    upserts = table(rows, np.array([r["emb"] for r in rows], np.float32))
    removed = (data / "removed.txt").read_text().split("\n")
    start = time.perf_counter()
    lance.dataset(store).merge_insert("key").when_matched_update_all().when_not_matched_insert_all().execute(upserts)
    lance.dataset(store).delete(f"key in ({','.join(repr(k) for k in removed if k)})")
    took = time.perf_counter() - start
elif op == "diff":
    start = time.perf_counter()
    counts = difference(*(lance.dataset(store, version=v).to_table() for v in (1, 2)))
    took = time.perf_counter() - start
    print(json.dumps(counts))
elif op == "vectors":
    numbers = np.fromfile(rest[0], np.float32, int(rest[1]) * DIMENSION)
    start = time.perf_counter()
    lance.write_dataset(pa.table({"emb": pa.FixedSizeListArray.from_arrays(pa.array(numbers), DIMENSION)}), store)
    took = time.perf_counter() - start
elif op == "scan":
    start = time.perf_counter()
    vectors_of(lance.dataset(store).to_table(columns=["emb"])["emb"])
    took = time.perf_counter() - start
print(f"seconds={took:.6f}")
