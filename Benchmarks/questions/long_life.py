"""A repository after many transactions that each stored something, against a new one; whole processes."""
import json, os

from . import harness

REF = "models/ref-3"


def run(bench):
    count = 100_000 if bench.everything else 10_000
    old = bench.fresh("life.fti")
    bench.fixture(old, "life", "--transactions", count)
    # One so new that opening reads only entries, and one whose refs have had twenty values each.
    fresh, young = bench.fresh("life-fresh.fti"), bench.fresh("life-young.fti")
    bench.fixture(fresh, "life", "--transactions", 8)
    bench.fixture(young, "life", "--transactions", 160)
    after = f"after {count:,} transactions"
    figures = json.loads(harness.execute([harness.FTICTL, "--repo", old, "--json", "stats"])[3])
    bench.line(f"live packs {after}", "<= 64", figures["packs"], 64, str(figures["packs"]), command="ftictl stats")
    files = sum(len(names) for _, _, names in os.walk(old / "log"))
    bench.line(f"files under log/ {after}", "<= 300", files, 300, str(files), command="find log -type f")
    small = bench.scratch / "life.txt"
    asked = {"resolve": (["resolve", REF], fresh), "log -n 20": (["log", REF, "-n", "20"], young), "reflog -n 20": (["reflog", "-n", "20"], young),
             "put": (["put", "models/new", small], fresh)}
    for _ in bench.rounds(max(bench.count, 15)):
        for op, (words, other) in asked.items():
            for name, repo in (("old", old), ("new", other)):
                small.write_text(f"{name} {bench.round}\n")
                bench.measure("fti", f"{op} {name}", [harness.FTICTL, "--repo", repo, *words])
    for op, (words, _) in asked.items():
        compare(bench, f"{op} {after}, whole process", op, 2 if op == "resolve" else None, " ".join(str(w) for w in words).replace(str(small), "FILE"))
    for _ in bench.rounds():
        bench.measure("fti", "verify", [harness.FTICTL, "--repo", old, "verify"])
    taken = bench.median("fti", "verify")
    bench.line(f"verify {after}", "", taken, None, harness.seconds(taken), command="ftictl verify")


def compare(bench, what, op, limit, command):
    value = bench.ratio(("fti", f"{op} old"), ("fti", f"{op} new"))
    medians = ", ".join(f"{words} {harness.seconds(bench.median('fti', f'{op} {name}'))}" for name, words in (("old", "long life"), ("new", "young")))
    bench.line(what, f"<= {limit} x a fresh repository" if limit else "", value, limit, f"{value:.2f} x", medians=medians, command=f"ftictl {command}")
