"""A table of a million rows with 384-dimensional vectors, shared by three questions."""
from . import harness

ROWS, DIMENSION = 1_000_000, 384
TRUTH = {"added": 500, "removed": 500, "changed": 1000}


def workload(bench):
    return bench.workload("million", "done", "--rows", str(ROWS))


def repository(bench):
    data = workload(bench)

    def make(path):
        print("  making the table of a million rows", flush=True)
        made, peak = bench.program("fixtures", "table", path, data / "vectors.f32", data / "texts.txt", "--rows", ROWS, "--dimension", DIMENSION)
        bench.within("fti", "build of 1 M", made[0]["seconds"], peak, harness.size(path))
        harness.os.sync()

    return bench.shared("million.fti", make)
