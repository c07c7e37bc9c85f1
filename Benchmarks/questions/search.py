"""The ten nearest of a million vectors: recall, and queries per second against BLAS, one query at a time and all at once."""
import json
import statistics

from . import million


def run(bench):
    data, repo = million.workload(bench), million.repository(bench)
    queries = data / "queries.f32"
    found = None
    for _ in bench.rounds():
        results, peak = bench.program("search", repo, "features/v1", queries)
        found = results[0]
        for op in ("single", "approximate"):
            bench.within("fti", op, found[op] / found["queries"], peak)
        for op in ("loading", "signs"):
            bench.within("fti", op, found[op], peak)
        sample = bench.measure("blas", "both", bench.python("blas.py", "search", data / "vectors.f32", million.ROWS, queries))
        theirs = json.loads(sample.out.splitlines()[0])
        for op in ("single", "batch"):
            bench.within("blas", op, theirs[op] / theirs["queries"], sample.peak)
        bench.versions["numpy"] = theirs["version"]
    rate = lambda tool, op: f"{1 / bench.median(tool, op):.1f}/s"
    exact, approximate = recall(bench, data, {name: found[name] for name in ("rows", "near")})
    for op, theirs, limit, what in (("single", "single", 3, "one query at a time, against sgemv"), ("single", "batch", None, "against sgemm of all queries at once"),
                                    ("approximate", "single", None, f"approximate (recall {approximate:.3f}), against sgemv")):
        ratio = statistics.median(b.seconds / a.seconds for a, b in zip(bench.of("fti", op), bench.of("blas", theirs)))
        bench.line(f"top 10 of 1,000,000 x 384, {what}", f">= {limit} x", ratio, limit, f"{ratio:.2f} x", least=True,
                   medians=f"fti {rate('fti', op)}, blas {rate('blas', theirs)}", command="Benchmarks: search")
    bench.line("... recall of the exact search", "1.0", exact, 1.0, f"{exact:.4f}", least=True, command="Benchmarks: search",
               medians=f"opened in {bench.median('fti', 'loading'):.2f} s, signs in {bench.median('fti', 'signs'):.2f} s")


def recall(bench, data, found):
    """The recall of each answer against the true ten nearest, from a scan in double precision."""
    answers = bench.fresh("answers")
    answers.mkdir()
    (answers / "rows.json").write_text(json.dumps(found))
    command = bench.python("blas.py", "recall", data / "vectors.f32", million.ROWS, data / "queries.f32", answers / "rows.json")
    out = bench.measure("numpy", "recall", command).out
    return [json.loads(line)["recall"] for line in out.splitlines()]
