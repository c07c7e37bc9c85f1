"""Durable ref moves per second in one process, against the minimum for a durable file on this file system."""
import statistics


def run(bench):
    folder, repo = bench.fresh("moves"), bench.fresh("moves.fti")
    folder.mkdir()
    results, peak = bench.program("moves", repo, folder, "--rounds", max(bench.count, 5), "--count", 200)
    for r in results:
        bench.round = r["round"]
        bench.within("fti", "200 moves", r["moves"], peak)
        bench.within("file system", "200 files", r["floor"])
    bench.round = 0
    rate = lambda tool, op: 200 / bench.median(tool, op)
    ratio = statistics.median(r["floor"] / r["moves"] for r in results)
    bench.line("durable ref moves per second, against create, sync, rename, directory sync", ">= 0.6 x", ratio, 0.6, f"{ratio:.2f} x",
               least=True, medians=f"fti {rate('fti', '200 moves'):.0f}/s, files {rate('file system', '200 files'):.0f}/s",
               command="Benchmarks: moves")
