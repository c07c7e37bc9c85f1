"""The expected results for the odd documents; README.md explains the verbs."""
import dataclasses
import json
import re

import checks

VERBS = {"has", "not", "together", "every", "title", "code", "link", "page", "report", "unread", "encoding"}


@dataclasses.dataclass
class Expectation:
    """A file in expected/."""
    path: str
    lines: list
    encoding: str = None

    def problems(self, rows, report, path):
        """The lines that do not hold, as text."""
        texts = [checks.normal(checks.shown(row)) for row in rows]
        return [f"{verb} {text}" for verb, text in self.lines if not self.holds(verb, text, rows, texts, report, path)]

    @staticmethod
    def holds(verb, text, rows, texts, report, path):
        if verb == "code":
            return any(text.rstrip() == line.rstrip() for row in rows for line in row["text"].split("\n"))
        if verb == "link":
            return any(text in (row.get("links") or []) for row in rows)
        if verb == "page":
            number, text = text.split(" ", 1)
            return any(text in shown and row.get("page") == int(number) for row, shown in zip(rows, texts))
        if verb in ("report", "unread"):
            remarks = [item for kind in ("skipped", "notes", "gaps") for item in report.get(kind, [])]
            own = [json.dumps(item, ensure_ascii=False) for item in remarks
                   if item["path"] == path or item["path"].startswith(path + "/")]
            if verb == "report":
                return any(text.lower() in remark.lower() for remark in own)
            ending = path.rsplit(".", 1)[-1]
            return bool(own) or re.search(rf"\b{ending}\b", json.dumps(report), re.I) is not None
        if verb == "title":
            wanted = checks.normal(text)
            return bool(rows) and all(checks.normal(row.get("title") or "") == wanted
                                      and checks.normal((row.get("headings") or [""])[0]) == wanted for row in rows)
        if verb == "together":
            parts = [checks.normal(part) for part in text.split(" | ")]
            return any(all(part in shown for part in parts) for shown in texts)
        text = checks.normal(text)
        if verb == "every":
            return bool(texts) and all(text in shown for shown in texts)
        return any(text in shown for shown in texts) == (verb == "has")


def load(folder):
    """The expectations, by document path."""
    out = {}
    for file in sorted(folder.rglob("*.txt")):
        path = str(file.relative_to(folder))[:-len(".txt")]
        expectation = Expectation(path, [])
        for line in file.read_text("utf-8").split("\n"):
            if not line:
                continue
            verb, _, text = line.partition(" ")
            if verb not in VERBS:
                raise SystemExit(f"measure: {file}: unknown verb {verb!r}")
            if verb == "encoding":
                expectation.encoding = text
            else:
                expectation.lines.append((verb, text))
        out[path] = expectation
    return out


def show(expected, readings, rows, report, document_of):
    """Prints the expectations that do not hold, and returns a list of failures."""
    by_path = {path: [] for path in expected}
    for row in rows:
        path = document_of(row["document"], readings)
        if path in by_path:
            by_path[path].append(row)
    wrong = {}
    for path, expectation in expected.items():
        problems = expectation.problems(by_path[path], report, path)
        if path not in readings:
            problems = ["no such document"]
        if problems:
            wrong[path] = problems
    silent = sorted(set(readings) - set(expected))
    lines = sum(len(expectation.lines) for expectation in expected.values())
    broken = sum(len(problems) for problems in wrong.values())
    print(f"  {'BAD' if wrong else 'ok '} as expected: {lines - broken} of {lines} lines, "
          f"{len(expected) - len(wrong)} of {len(expected)} documents")
    for path, problems in wrong.items():
        print(f"      {path}: " + "; ".join(problems[:6]) + (f"; and {len(problems) - 6} more" if len(problems) > 6 else ""))
    for path in silent:
        print(f"      {path}: has no file in expected/")
    return [f"odd: {len(wrong)} documents are not as expected"] * bool(wrong) + [f"odd: {path}" for path in silent]
