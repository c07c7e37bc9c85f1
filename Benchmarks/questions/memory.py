"""Peak resident memory of put, get and verify for a large model, and of every other fti measurement but search."""
from . import harness


def run(bench):
    source = bench.workload("big", "done") if bench.everything else bench.workload("w1", "done") / "v1"
    repo, out = bench.fresh("memory.fti"), bench.fresh("memory.out")
    harness.execute([harness.FTICTL, "--repo", repo, "init", repo])
    bench.ftictl("put", repo, "put", "models/candidate", source)
    bench.ftictl("get", repo, "get", "models/candidate", "-o", out)
    bench.ftictl("verify", repo, "verify", "--full")
    harness.remove(out)
    ours = [s for s in bench.samples if s.tool.startswith("fti") and s.question not in ("search", "scan")]
    worst = max(ours, key=lambda s: s.peak)
    large = harness.size(source) / 1e9
    own = max(s.peak for s in ours if s.question == "memory")
    bench.line(f"peak memory of put, get and verify --full, model of {large:.1f} GB", "< 512 MiB", own, 512, f"{own:.0f} MiB",
               command="ftictl put, get, verify --full")
    bench.line("peak memory of every measurement but search", "< 512 MiB", worst.peak, 512, f"{worst.peak:.0f} MiB",
               medians=f"highest: {worst.question}, {worst.op}", command="all of the above")
