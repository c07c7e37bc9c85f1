"""Reading all vectors of a million rows into memory, page cache warm, in GB/s, against numpy on a plain file and against Lance."""
import statistics

from . import delta, million


def run(bench):
    data, repo = million.workload(bench), million.repository(bench)
    size = 4 * million.ROWS * million.DIMENSION
    lance = None
    if bench.everything and delta.has_lance(bench):
        make = lambda path: bench.measure("lance", "write", bench.python("lance_table.py", "vectors", path, data / "vectors.f32", million.ROWS))
        lance = bench.shared("million.lance", make)
    for _ in bench.rounds():
        results, peak = bench.program("scan", repo, "features/v1", "--rounds", 3)
        for op, name in (("scan", "seconds"), ("new memory", "fresh"), ("in place", "inPlace")):
            bench.within("fti", op, statistics.median(r[name] for r in results), peak)
        bench.measure("numpy", "scan", bench.python("blas.py", "read", data / "vectors.f32", million.ROWS))
        if lance:
            bench.measure("lance", "scan", bench.python("lance_table.py", "scan", lance))
    speed = lambda tool, op="scan": size / 1e9 / bench.median(tool, op)
    peers = [f"{name} {speed(tool):.1f} GB/s" for tool, name in (("numpy", "numpy, a plain file,"), ("lance", "lance")) if bench.of(tool, "scan")]
    bench.line("all vectors of 1,000,000 x 384 into memory, verified, warm", ">= 3 GB/s", speed("fti"), 3, f"{speed('fti'):.2f} GB/s", least=True,
               medians=", ".join(peers), command="Benchmarks: scan")
    bench.line("... into newly allocated memory", "", 0, None, f"{speed('fti', 'new memory'):.2f} GB/s", command="Benchmarks: scan")
    bench.line("... verified in place, without a copy", "", 0, None, f"{speed('fti', 'in place'):.2f} GB/s", command="Benchmarks: scan")
