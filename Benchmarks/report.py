#!/usr/bin/env python3
"""Formats the results of bench.py as the tables of docs/performance.md.

    report.py RESULTS.json                prints the tables, and every tool's medians
    report.py RESULTS.json --into FILE    writes the tables into a document, between its two `<!-- figures -->` lines
"""
import json, pathlib, statistics, sys

MARK = "<!-- figures -->"
MET = {None: "not measured", True: "yes", False: "**no**"}


def row(cells):
    return "| " + " | ".join(str(c).replace("|", "\\|") for c in cells) + " |"


def table(head, rows):
    return "\n".join([row(head), "|" + "---|" * len(head)] + [row(r) for r in rows])


def about(results):
    """The machine, and the versions of the tools measured on it."""
    m = results["machine"]
    versions = [version if tool.lower().split("-")[0] in version.lower() else f"{tool} {version}" for tool, version in results["versions"].items()]
    return (f"{m['processor']}, {m['processors']} processors, {m['memory']}, {m['system']}; {results['date']}; load {m['load']:.1f} at the start.\n\nVersions: {', '.join(versions)}.")


def promises(results, question):
    """The promises and whether they hold; lines without a limit are for comparison."""
    rows = []
    for line in results["lines"]:
        if line["question"] == question:
            told = line["limit"] is None
            rows.append([line["what"], f"`{line['command']}`" if line["command"] else "", "" if told else line["must"], line["shown"],
                         "" if told else MET[line["met"]], line["medians"]])
    return table(["what", "command", "must be", "measured", "met", "medians, peers"], rows)


def figures(results, question):
    """Medians for every operation and tool of a question: seconds, bytes, peak memory."""
    samples = [s for s in results["samples"] if s["question"] == question]
    groups = {}
    for s in samples:
        groups.setdefault((s["op"], s["tool"]), []).append(s)
    rows = []
    for op in dict.fromkeys(s["op"] for s in samples):
        for tool in dict.fromkeys(s["tool"] for s in samples if s["op"] == op):
            found = groups[op, tool]
            mid = lambda what: statistics.median([s[what] for s in found])
            times = [s["seconds"] for s in found]
            added = [s["added"] for s in found if s["added"] is not None]
            rows.append([op, tool, shown(mid("seconds")), f"{shown(min(times))} - {shown(max(times))}", shown(mid("sync")) if mid("sync") > 0.005 else "",
                         f"{statistics.median(added) / 1e6:.2f}" if added else "", f"{mid('peak'):.0f}" if mid("peak") else "", len(found)])
    return table(["operation", "tool", "median", "least - most", "sync after", "MB added", "peak MiB", "n"], rows) if rows else ""


def shown(t):
    return f"{t:.2f} s" if t >= 1 else f"{t * 1e3:.0f} ms" if t >= 0.02 else f"{t * 1e3:.1f} ms"


def markdown(results, everything=False):
    parts = [about(results)]
    left_out = [s.splitlines()[0] for s in results["skipped"]] + [f"{q}: failed" for q in results["failed"]]
    if left_out:
        parts.append("\n".join(["Left out:", ""] + [f"- {s}" for s in left_out]))
    for question in dict.fromkeys(x["question"] for x in results["lines"] + results["samples"]):
        rounds = max((line["rounds"] for line in results["lines"] if line["question"] == question), default=0)
        said = f"Medians of {rounds} rounds or more." if rounds > 1 else "A single round, which shows only orders of magnitude."
        parts.append(f"### {question}\n\n{said}\n\n{promises(results, question)}")
        if everything and (all_figures := figures(results, question)):
            parts.append(all_figures)
    missed = [line["what"] for line in results["lines"] if line["met"] is False]
    asked = sum(line["limit"] is not None and line["met"] is not None for line in results["lines"])
    parts.append(f"{asked - len(missed)} of {asked} promises hold.")
    return "\n\n".join(parts)


def main():
    results = json.loads(pathlib.Path(sys.argv[1]).read_text())
    if sys.argv[2:3] != ["--into"]:
        return print(markdown(results, everything=True))
    document = pathlib.Path(sys.argv[3])
    before, _, after = document.read_text().split(MARK + "\n")
    document.write_text(f"{before}{MARK}\n{markdown(results)}\n{MARK}\n{after}")


if __name__ == "__main__":
    main()
