#!/usr/bin/env python3
"""Measures how much of the text of documents reaches the rows of the feature pipeline.

usage: measure.py BIN [CORPUS...] [--cache FOLDER] [--show DOCUMENT] [--worst N] [--keep FOLDER]

BIN is the folder with ftictl and fti-feature; a corpus is one that setup.sh has fetched into the cache, or `odd`.
Exits with 1 if a figure misses its limit or an expectation in expected/ does not hold.
"""
import argparse
import collections
import concurrent.futures
import dataclasses
import hashlib
import json
import os
import pathlib
import pickle
import subprocess
import sys
import tempfile
import time

import checks
import expectations
import readers

HERE = pathlib.Path(__file__).resolve().parent
# The limits: the share of words in a corpus and in each document, of lines of code, and of rows with their title; the
# share of chunks that begin inside a sentence; and the number of chunks parted from what they announce.
WORDS, WORDS_OF_EACH, CODE, TITLED, INSIDE, PARTED = 0.995, 0.97, 0.995, 1.0, 0.10, 0
# Corpora whose file extensions do not match their format.
KINDS = {"django-4.2": {"txt": "rst"}, "django-5.0": {"txt": "rst"}, "django-5.1": {"txt": "rst"}}


@dataclasses.dataclass
class Document:
    path: str
    reading: readers.Reading
    rows: list
    findings: list
    wanted: int = 0
    missing: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    excused: int = 0
    lines: int = 0
    missing_lines: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    untitled: list = dataclasses.field(default_factory=list)
    later: int = 0
    inside: list = dataclasses.field(default_factory=list)
    parted: list = dataclasses.field(default_factory=list)

    def measure(self):
        self.wanted, self.missing = checks.missing_words(self.reading, self.rows)
        self.excused = min(checks.left_out(self.findings), self.missing.total())
        self.lines, self.missing_lines = checks.missing_code(self.reading, self.rows)
        self.untitled = checks.untitled(self.reading, self.rows)
        self.later, self.inside = checks.inside_sentence(self.reading, self.rows)
        self.parted = checks.parted(self.rows)

    @property
    def lost(self):
        return self.missing.total() - self.excused

    @property
    def share(self):
        return 1 - self.lost / self.wanted if self.wanted else 1.0


def run(binaries, folder, scratch):
    """Runs the pipeline on a folder, into a new repository."""
    environment = {**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}", "HOME": str(scratch), "FTI_AUTHOR": "measure",
                   "XDG_CACHE_HOME": f"{scratch}/c", "XDG_STATE_HOME": f"{scratch}/s", "XDG_CONFIG_HOME": f"{scratch}/k"}
    for name in ("FTI_REPO", "FTI_KEY", "FTI_TRUST", "FTI_EMBED_URL", "FTI_EMBED_KEY"):
        environment.pop(name, None)

    def call(*command):
        done = subprocess.run(command, cwd=scratch, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"measure: {' '.join(command)} exited with {done.returncode}: {done.stderr.strip()}")
        return done.stdout
    (scratch / "features.yaml").write_text(
        f"ref: features/measure\nsources:\n  - files: {json.dumps(str(folder))}\nembed: {{name: builtin, dimension: 64}}\n")
    call("ftictl", "init")
    start = time.monotonic()
    report = json.loads(call("fti-feature", "run", "features.yaml", "--json"))
    report["measuredSeconds"] = time.monotonic() - start
    call("ftictl", "get", "features/measure", "-o", "out")
    (scratch / "report.json").write_text(json.dumps(report, indent=1, ensure_ascii=False))


def made(scratch):
    """The rows of a run, its report, and its duration in seconds."""
    report = json.loads((scratch / "report.json").read_text())
    with open(scratch / "out/rows.jsonl", encoding="utf-8") as file:
        return [json.loads(line) for line in file], report, report["measuredSeconds"]


def read_one(task):
    """Reads a document, with a cache: readers are slow, and neither they nor the documents change often."""
    path, kind, encoding, kept = task
    if kept.exists():
        return pickle.loads(kept.read_bytes())
    reading = readers.read(path, kind, encoding)
    kept.parent.mkdir(parents=True, exist_ok=True)
    part = kept.with_suffix(f".{os.getpid()}")
    part.write_bytes(pickle.dumps(reading))
    part.replace(kept)
    return reading


def read_all(folder, cache, name, expected):
    """The readings of all documents in a folder, by path."""
    own = hashlib.sha256((HERE / "readers.py").read_bytes() + (HERE / "rst_reader.py").read_bytes()).digest()
    tasks, paths = [], []
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if not path.is_file() or any(part.startswith(".") for part in inside.parts):
            continue
        ending = path.suffix.lstrip(".").lower()
        kind = KINDS.get(name, {}).get(ending, ending)
        encoding = expected[str(inside)].encoding if str(inside) in expected else None
        digest = hashlib.sha256(own + f"{kind}/{encoding}/".encode() + path.read_bytes()).hexdigest()
        tasks.append((path, kind, encoding, cache / "readings" / digest[:2] / digest))
        paths.append(str(inside))
    with concurrent.futures.ProcessPoolExecutor() as pool:
        return dict(zip(paths, pool.map(read_one, tasks, chunksize=4)))


def document_of(path, readings):
    """The file that a row or a finding belongs to: the path of a record begins with the path of its file."""
    while path and path not in readings:
        path = path.rpartition("/")[0]
    return path


def assemble(readings, rows, report):
    documents = {path: Document(path, reading, [], []) for path, reading in readings.items() if reading is not None}
    for row in rows:
        path = document_of(row["document"], documents)
        if path:
            documents[path].rows.append(row)
    for kind in ("skipped", "notes", "gaps"):
        for item in report.get(kind, []):
            path = document_of(item["path"], documents)
            if path:
                documents[path].findings.append(item)
    for document in documents.values():
        document.measure()
    return documents


def total(documents, value):
    return sum(value(document) for document in documents)


def show_corpus(name, documents, rows, seconds, worst):
    """Prints the figures of a corpus, and returns those that miss their limits."""
    words, lost = total(documents, lambda d: d.wanted), total(documents, lambda d: d.lost)
    excused = total(documents, lambda d: d.excused)
    lines, lost_lines = total(documents, lambda d: d.lines), total(documents, lambda d: d.missing_lines.total())
    bare = total(documents, lambda d: len(d.untitled))
    later, inside = total(documents, lambda d: d.later), total(documents, lambda d: len(d.inside))
    parted = total(documents, lambda d: len(d.parted))
    below = [d for d in documents if d.share < WORDS_OF_EACH]

    def share(part, whole):
        return part / whole if whole else 1.0
    of_rows = len(rows) or 1
    figures = [
        ("words found", share(words - lost, words), f"{lost:,} of {words:,} missing, {excused:,} reported as left out",
         share(words - lost, words) >= WORDS, f"{WORDS:.1%}"),
        ("documents with their words", share(len(documents) - len(below), len(documents)),
         f"{len(below)} of {len(documents)} have less than {WORDS_OF_EACH:.0%}", not below, "100.0%"),
        ("lines of code", share(lines - lost_lines, lines), f"{lost_lines:,} of {lines:,} missing",
         share(lines - lost_lines, lines) >= CODE, f"{CODE:.1%}"),
        ("rows with their title", 1 - bare / of_rows, f"{bare:,} of {len(rows):,} without", bare == 0, f"{TITLED:.0%}"),
        ("begin inside a sentence", inside / (later or 1), f"{inside:,} of {later:,} continuations",
         inside / (later or 1) < INSIDE, f"<{INSIDE:.0%}"),
        ("parted from what they announce", parted / of_rows, f"{parted:,} chunks", parted <= PARTED, "0"),
    ]
    print(f"\n{name}: {len(documents)} documents, {len(rows):,} rows, {len(documents) / max(seconds, 0.001):,.0f} documents a second")
    for label, value, detail, is_met, limit in figures:
        print(f"  {'ok ' if is_met else 'BAD'} {label:32}{value:9.2%}  must be {limit:7} {detail}")
    for document in sorted(below, key=lambda d: d.share)[:worst]:
        print(f"      {document.share:7.2%} {document.path}: {few(document.missing)}")
    for document in sorted(documents, key=lambda d: -d.missing_lines.total())[:worst]:
        if document.missing_lines:
            print(f"      {document.missing_lines.total():4} lines of code {document.path}: "
                  f"{next(iter(document.missing_lines))[:60]!r}")
    for label, pick in (("untitled", "untitled"), ("inside", "inside"), ("parted", "parted")):
        some = [row for d in documents for row in getattr(d, pick)[:1]][:min(worst, 3)]
        for row in some:
            text = row["text"][-50:] if pick == "parted" else row["text"][:50]
            print(f"      {label} {row['document']}#{row['section']}/{row['ordinal']}: {text!r}")
    return [f"{name}: {label}" for label, _, _, is_met, _ in figures if not is_met]


def few(counter, most=12):
    return " ".join(word for word, _ in counter.most_common(most)) + (" …" if len(counter) > most else "")


def show_document(document):
    """Prints all problems of one document."""
    print(f"{document.path}: title {document.reading.title!r}, {len(document.rows)} rows, "
          f"{document.lost} of {document.wanted} words missing, {document.excused} reported as left out")
    for item in document.findings:
        print(f"  report: {json.dumps({k: v for k, v in item.items() if k != 'path'}, ensure_ascii=False)}")
    for word, count in document.missing.most_common():
        block = next((b for b in document.reading.blocks if word in checks.tokens(b)), "")
        print(f"  word {word!r} x{count}: {checks.normal(block)[:100]!r}")
    for line, count in document.missing_lines.items():
        print(f"  code x{count}: {line!r}")
    for label in ("untitled", "inside", "parted"):
        for row in getattr(document, label):
            print(f"  {label} #{row['section']}/{row['ordinal']} {row.get('headings')}: {row['text'][:60]!r} … {row['text'][-40:]!r}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("binaries", type=pathlib.Path)
    parser.add_argument("corpora", nargs="*")
    parser.add_argument("--cache", type=pathlib.Path, default=pathlib.Path(os.environ.get("FTI_CORPORA", HERE / ".data")))
    parser.add_argument("--show", metavar="DOCUMENT", help="print all problems of one document")
    parser.add_argument("--worst", type=int, default=5, help="how many of the worst documents to print for each figure")
    parser.add_argument("--keep", type=pathlib.Path, help="keep rows and reports in this folder, and do not run a corpus again that is already there")
    options = parser.parse_args()
    corpora = {"odd": HERE / "odd"} | {path.name: path for path in sorted((options.cache / "corpora").glob("*"))}
    failures = []
    for name in options.corpora or corpora:
        if name not in corpora:
            sys.exit(f"measure: unknown corpus {name}; choose from {', '.join(corpora)}")
        expected = expectations.load(HERE / "expected") if name == "odd" else {}
        with tempfile.TemporaryDirectory() as temporary:
            scratch = options.keep / name if options.keep else pathlib.Path(temporary)
            scratch.mkdir(parents=True, exist_ok=True)
            if not (options.keep and (scratch / "report.json").exists()):
                run(options.binaries.resolve(), corpora[name].resolve(), scratch)
            rows, report, seconds = made(scratch)
        readings = read_all(corpora[name], options.cache, name, expected)
        documents = assemble(readings, rows, report)
        if options.show:
            if options.show in documents:
                show_document(documents[options.show])
                if options.show in expected:
                    for problem in expected[options.show].problems(documents[options.show].rows, report, options.show):
                        print(f"  expected: {problem}")
            continue
        failures += show_corpus(name, list(documents.values()), rows, seconds, options.worst)
        if expected:
            failures += expectations.show(expected, readings, rows, report, document_of)
    if failures:
        print(f"\nnot met: {len(failures)}: " + "; ".join(failures))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
