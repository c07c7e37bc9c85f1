"""A durable snapshot of 100,000 rows from known changes, in process, against Lance's merge_insert."""
import importlib.util
import shutil

from . import harness
from .rows import OPTIONS


def run(bench):
    data = bench.workload("w2", "done")

    def make(path):
        harness.execute([harness.FTICTL, "--repo", path, "init", path])
        harness.execute([harness.FTICTL, "--repo", path, "put", "features/rows", data / "v1/rows.jsonl", *OPTIONS])

    first = bench.shared("rows-v1.fti", make)
    lance = bench.shared("rows-v1.lance", lambda path: write_lance(bench, path, data)) if has_lance(bench) else None
    for _ in bench.rounds():
        repo = copied(bench, first)
        before = harness.size(repo)
        results, peak = bench.program("delta", repo, "features/rows", data / "upserts.jsonl", data / "removed.txt", *OPTIONS)
        bench.within("fti", "known delta", results[0]["seconds"], peak, harness.size(repo) - before)
        if lance:
            store = copied(bench, lance)
            bench.measure("lance", "known delta", bench.python("lance_table.py", "merge", store, data), store=store)
    took, added = bench.median("fti", "known delta"), bench.median("fti", "known delta", "added")
    command = "Benchmarks: delta"
    bench.line("next snapshot of 100,000 rows from a known delta, durable", "<= 0.1 s", took, 0.1, harness.seconds(took),
               medians=bench.medians([("lance", "known delta")]).replace("lance", "lance merge_insert and delete"), command=command)
    peer = bench.median("lance", "known delta", "added")
    bench.line("... bytes added", "<= 1 MB", added, 1e6, harness.megabytes(added), medians=f"lance {harness.megabytes(peer)}" if peer else "", command=command)


def has_lance(bench):
    if importlib.util.find_spec("lance"):
        bench.versions.setdefault("lance", importlib.import_module("importlib.metadata").version("pylance"))
        return True
    bench.skip("lance", "it is not installed; Benchmarks/setup.sh installs it")
    return False


def write_lance(bench, path, data, *versions):
    harness.execute(bench.python("lance_table.py", "write", path, data, *(versions or ("v1",))))


def copied(bench, store):
    path = bench.fresh("copy" + store.suffix)
    shutil.copytree(store, path)
    harness.os.sync()
    return path
