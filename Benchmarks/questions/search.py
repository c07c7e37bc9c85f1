"""The ten nearest of a million vectors: queries a second against BLAS, one query at a time and all at once, and recall."""
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
        for op in ("single", "batch"):
            if op in found:
                bench.within("fti", op, found[op] / found["queries"], peak)
        sample = bench.measure("blas", "both", bench.python("blas.py", "search", data / "vectors.f32", million.ROWS, queries))
        theirs = json.loads(sample.out.splitlines()[0])
        for op in ("single", "batch"):
            bench.within("blas", op, theirs[op] / theirs["queries"], sample.peak)
        bench.versions["numpy"] = theirs["version"]
    answers = bench.fresh("answers.json")
    answers.write_text(json.dumps(found["rows"]))
    bench.measure("numpy", "recall", bench.python("blas.py", "recall", data / "vectors.f32", million.ROWS, queries, answers))
    recall = json.loads(bench.of("numpy", "recall")[-1].out.splitlines()[0])["recall"]
    for op, what in (("single", "one query at a time"), ("batch", "all queries at once")):
        if not bench.of("fti", op):
            continue
        ratios = [b.seconds / a.seconds for a, b in zip(bench.of("fti", op), bench.of("blas", op))]
        ratio = statistics.median(ratios)
        rate = lambda tool: f"{1 / bench.median(tool, op):.1f}/s"
        bench.line(f"top 10 of 1,000,000 x 384, {what}, against {'sgemv' if op == 'single' else 'sgemm'}", ">= 3 x", ratio, 3, f"{ratio:.2f} x", least=True,
                   medians=f"fti {rate('fti')}, blas {rate('blas')}", command="Benchmarks: search")
    bench.line("... recall", "1.0", recall, 1.0, f"{recall:.4f}", least=True, command="Benchmarks: search")
