"""All vectors of a million rows into memory: GB/s, page cache warm; a plain file read by numpy as the floor, Lance as the peer."""
from . import delta, million


def run(bench):
    data, repo = million.workload(bench), million.repository(bench)
    size = 4 * million.ROWS * million.DIMENSION
    lance = None
    if bench.everything and delta.has_lance(bench):
        make = lambda path: bench.measure("lance", "write", bench.python("lance_table.py", "vectors", path, data / "vectors.f32", million.ROWS))
        lance = bench.shared("million.lance", make)
    for _ in bench.rounds():
        results, peak = bench.program("scan", repo, "features/v1", "--rounds", 1)
        bench.within("fti", "scan", results[0]["seconds"], peak)
        bench.measure("numpy", "scan", bench.python("blas.py", "read", data / "vectors.f32", million.ROWS))
        if lance:
            bench.measure("lance", "scan", bench.python("lance_table.py", "scan", lance))
    speed = lambda tool: size / 1e9 / bench.median(tool, "scan")
    peers = [f"{name} {speed(tool):.1f} GB/s" for tool, name in (("numpy", "numpy, a plain file,"), ("lance", "lance")) if bench.of(tool, "scan")]
    bench.line("all vectors of 1,000,000 x 384 into memory, verified, warm", ">= 3 GB/s", speed("fti"), 3, f"{speed('fti'):.2f} GB/s", least=True,
               medians=", ".join(peers), command="Benchmarks: scan")
