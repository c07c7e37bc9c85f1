"""Checks that the dashboard and the alerts ask only for metrics that a replica exposes, of the right type and labels.

usage: metrics.py http://127.0.0.1:8080/metrics | FILE    FILE: what /metrics answered

A label is checked where the replica has a sample of the metric. Metrics that no panel shows are listed.
"""

import json
import re
import sys
import urllib.request
from collections import defaultdict
from pathlib import Path

PACKAGING = Path(__file__).resolve().parent.parent.parent / "Packaging"
METRIC = re.compile(r"\b(?:fti|http|work|process)_[a-z_]+[a-z]\b")
#: Labels that Prometheus adds, or that belong to the type.
GIVEN = {"job", "instance", "le"}


def exposed(text: str) -> tuple[dict[str, str], dict[str, set[str]]]:
    """The type of each metric, and the labels of its samples."""
    types: dict[str, str] = {}
    labels: dict[str, set[str]] = defaultdict(set)
    for line in text.splitlines():
        if match := re.match(r"# TYPE (\S+) (\S+)", line):
            types[match[1]] = match[2]
        elif match := re.match(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? ", line):
            family = base(match[1], types)
            labels[family] |= set(re.findall(r'(\w+)="', match[2] or "")) | {"(none)"}
    return types, labels


def base(name: str, types: dict[str, str]) -> str:
    """The metric that a series belongs to: a histogram has three."""
    family = re.sub(r"_(bucket|sum|count)$", "", name)
    return family if types.get(family) in ("histogram", "summary") else name


def queries() -> list[tuple[str, str]]:
    """Every query, and where it is."""
    dashboard = json.loads((PACKAGING / "grafana/fti-inference.json").read_text())
    found = [(f"panel {panel['title']!r}", target["expr"] + " " + target.get("legendFormat", ""))
             for panel in dashboard["panels"] for target in panel.get("targets", [])]
    found += [(f"variable {variable['name']!r}", variable.get("definition", ""))
              for variable in dashboard["templating"]["list"]]
    found += [(f"annotation {each['name']!r}", each["expr"]) for each in dashboard["annotations"]["list"]]
    rules = (PACKAGING / "prometheus/fti-inference.rules.yml").read_text()
    for alert in re.split(r"- alert: ", rules)[1:]:
        expression = re.search(r"expr: (.*?)\n\s+for:", alert, re.DOTALL)
        found.append((f"alert {alert.split()[0]}", expression[1]))
    return found


def complaints(types: dict[str, str], labels: dict[str, set[str]]) -> list[str]:
    result = []
    for place, query in queries():
        names = METRIC.findall(query)
        for name in names:
            family = base(name, types)
            kind = types.get(family)
            if kind is None:
                result.append(f"{place}: {name} is not exposed")
            elif re.search(rf"(rate|increase)\({name}\b", query) and kind not in ("counter", "histogram"):
                result.append(f"{place}: the rate of {name}, which is a {kind}")
            elif name.endswith("_bucket") and kind != "histogram":
                result.append(f"{place}: {name} of a {kind}")
        asked = set(re.findall(r"(\w+)(?:=~|!=|!~|=)\"", query)) | set(re.findall(r"\{\{(\w+)\}\}", query))
        for group in re.findall(r"\b(?:by|on) \(([^)]*)\)", query):
            asked |= {label.strip() for label in group.split(",")}
        known = set().union(*(labels[base(name, types)] for name in names))
        if all(labels[base(name, types)] for name in names):
            result += [f"{place}: no metric of it has the label {label}" for label in sorted(asked - known - GIVEN)]
    return result


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    source = sys.argv[1]
    if source.startswith(("http://", "https://")):
        text = urllib.request.urlopen(source, timeout=10).read().decode()
    else:
        text = Path(source).read_text()
    types, labels = exposed(text)
    wrong = complaints(types, labels)
    used = {base(name, types) for _, query in queries() for name in METRIC.findall(query)}
    for name in sorted(set(types) - used):
        print(f"not shown: {name}")
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"{len(used)} metrics in {len(queries())} queries: {'all exposed' if not wrong else f'{len(wrong)} wrong'}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
