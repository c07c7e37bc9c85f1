#!/usr/bin/env python3
"""report.py RESULTS.json: the tables of docs/performance.md, from what bench.py has written."""
import json, pathlib, statistics, sys


def row(cells):
    return "| " + " | ".join(str(c) for c in cells) + " |"


def table(head, rows):
    return "\n".join([row(head), "|" + "---|" * len(head)] + [row(r) for r in rows])


def promises(results):
    """What must hold, and whether it does."""
    word = {None: "not measured", True: "yes", False: "**no**"}
    lines = [line for line in results["lines"] if line["limit"] != float("inf")]
    return table(["question", "what", "must be", "measured", "medians", "met"],
                 [[line["question"], line["what"], line["must"], line["shown"], line["medians"], word[line["met"]]] for line in lines])


def figures(results, question):
    """Medians of every tool and operation of a question: seconds, bytes, peak memory."""
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
    m = results["machine"]
    versions = ", ".join(f"{tool} {version}" if tool.lower() not in version.lower() else version for tool, version in results["versions"].items())
    parts = [f"{m['processor']}, {m['processors']} processors, {m['memory']}, {m['system']}; {results['date']}; medians of {results['rounds']} rounds; "
             f"load {m['load']:.1f} at the start; {results['seconds']} s.", f"Versions: {versions}.", promises(results)]
    if results["skipped"] or results["failed"]:
        parts.append("\n".join(["Left out:", ""] + [f"- {s.splitlines()[0]}" for s in results["skipped"]] + [f"- {q} failed" for q in results["failed"]]))
    if everything:
        for question in dict.fromkeys(s["question"] for s in results["samples"]):
            parts.append(f"### {question}\n\n" + figures(results, question))
    return "\n\n".join(parts)


if __name__ == "__main__":
    print(markdown(json.loads(pathlib.Path(sys.argv[1]).read_text()), everything=True))
