#!/usr/bin/env python3
"""Measures fti against other tools and the machine's own limits, and reports which promises hold.

    bench.py [--all] [--only model,rows] [--rounds 5] [--data DIR] [--scratch DIR] [--results FILE.json]

Every round runs each tool once; ratios are medians of the ratios within rounds. Inputs are staged and synced beforehand,
and the page cache is warm. fti returns when its bytes are durable; for other tools, the time of a sync afterwards is
shown separately. Without --all, tools that take minutes are skipped. `report.py FILE.json` prints the results as
Markdown. Exits with 1 if a promise does not hold. Benchmarks/setup.sh installs the tools; missing ones are skipped.
"""
import argparse, dataclasses, datetime, importlib, json, pathlib, sys, time, traceback

import report
from questions import ALL, harness


def main():
    here = pathlib.Path(__file__).resolve().parent
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--all", action="store_true", help="include the tools that take minutes")
    a.add_argument("--only", default=",".join(ALL), help="questions: " + ", ".join(ALL))
    a.add_argument("--rounds", type=int, default=5)
    a.add_argument("--data", type=pathlib.Path, default=here / ".data")
    a.add_argument("--scratch", type=pathlib.Path, default=here / ".scratch")
    a.add_argument("--results", type=pathlib.Path, default=here / ".data/results.json")
    a.add_argument("--keep", action="store_true", help="keep results of questions that this run does not ask")
    o = a.parse_args()
    asked = o.only.split(",")
    if unknown := set(asked) - set(ALL):
        a.error(f"unknown question: {', '.join(sorted(unknown))}; choose from {', '.join(ALL)}")
    for needed in (harness.FTICTL, harness.PROGRAMS / "scan"):
        if not needed.exists():
            sys.exit(f"bench: {needed} is missing; `make bench` builds it")
    bench = harness.Bench(o.data.resolve(), o.scratch.resolve(), o.rounds, o.all)
    bench.versions["fti"] = harness.execute([harness.FTICTL, "--version"])[3].strip()
    about = harness.machine()
    failed, start = [], time.monotonic()
    for name in [n for n in ALL if n in asked]:
        bench.question, bench.round = name, 0
        module = importlib.import_module(f"questions.{name}")
        print(f"\n{name}: {module.__doc__}", flush=True)
        try:
            module.run(bench)
        except Exception as error:
            # Go on with the other questions.
            failed.append(name)
            print(f"FAIL  {name}: {error}", file=sys.stderr, flush=True)
            if not isinstance(error, harness.Failed):
                traceback.print_exc()
    harness.remove(bench.scratch)
    results = {"date": datetime.date.today().isoformat(), "rounds": o.rounds, "seconds": round(time.monotonic() - start), "machine": about,
               "versions": bench.versions, "skipped": bench.skipped, "failed": failed, "lines": bench.lines,
               "samples": [{k: v for k, v in dataclasses.asdict(s).items() if k != "out"} for s in bench.samples]}
    if o.keep and o.results.exists():
        results = merged(json.loads(o.results.read_text()), results, asked)
    o.results.parent.mkdir(parents=True, exist_ok=True)
    o.results.write_text(json.dumps(results, indent=1))
    print("\n" + report.markdown(results))
    sys.exit(1 if failed or any(line["met"] is False for line in bench.lines) else 0)


def merged(old, new, asked):
    """The new results, plus the old results of questions that this run did not ask."""
    for what in ("lines", "samples"):
        new[what] = [x for x in old[what] if x["question"] not in asked] + new[what]
        new[what].sort(key=lambda x: ALL.index(x["question"]))
    new["versions"] = old["versions"] | new["versions"]
    new["skipped"] = [s for s in old["skipped"] if s.split(":")[0] not in asked] + new["skipped"]
    return new


if __name__ == "__main__":
    main()
