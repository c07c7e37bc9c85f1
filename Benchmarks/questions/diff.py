"""Counting the rows that differ between two versions of 100,000 and of a million rows, against a join of Lance tables."""
import json

from . import delta, harness, million, rows


def run(bench):
    data = bench.workload("w2", "done")
    truth = json.loads((data / "truth.json").read_text())
    repo, big = rows.repository(bench), million.repository(bench)
    lance = bench.shared("rows.lance", lambda path: delta.write_lance(bench, path, data, "v1", "v2")) if delta.has_lance(bench) else None
    right = True
    for _ in bench.rounds():
        right &= counts(bench.ftictl("diff", repo, "diff", "features/rows~1", "features/rows", "--stat")) == truth
        right &= counts(bench.ftictl("diff of 1 M", big, "diff", "features/v1", "features/v2", "--stat")) == million.TRUTH
        if lance:
            found = bench.measure("lance", "diff", bench.python("lance_table.py", "diff", lance, data))
            right &= json.loads(found.out.splitlines()[0]) == truth
    peers = bench.medians([("lance", "diff")]).replace("lance", "lance, joined by key")
    for op, what, limit in (("diff", "diff --stat, 100,000 rows", 0.03), ("diff of 1 M", "diff --stat, 1,000,000 rows", 0.1)):
        took = bench.median("fti", op)
        bench.line(what, f"<= {harness.seconds(limit)}", took if right else None, limit, harness.seconds(took),
                   medians=peers if op == "diff" else "", command="ftictl diff A B --stat")
    bench.line("... correct counts in both", "right", 0 if right else 1, 0, "right" if right else "wrong")


def counts(sample):
    found = json.loads(sample.out.splitlines()[0])
    return {name: found[name] for name in ("added", "removed", "changed")}
