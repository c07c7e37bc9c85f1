#!/usr/bin/env python3
"""Feeds large hostile inputs to the programs and measures the memory and time that they take.

usage: bounds.py BINARIES [--large] [--only TEXT]

BINARIES is the folder with ftictl, fti-feature, fti-training and fti-inference. Without --large inputs are some hundred
KiB to some MiB, which is enough to see what grows faster than it should; with it, up to 5 GB. Ends with an error when a
program takes more than it may, ends in another way than it should, or says what is not a line of error.
"""
import argparse
import hashlib
import json
import os
import pathlib
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

MIB = 1 << 20
# The most that a command and a pipeline may hold at once, for an input of any size.
COMMAND_LIMIT, PIPELINE_LIMIT = 320, 512
ROOT = pathlib.Path(__file__).resolve().parent.parent


class Bench:
    """A folder with a repository, and programs that run in it."""

    def __init__(self, binaries, folder, is_large):
        self.binaries, self.folder, self.is_large = binaries, pathlib.Path(folder), is_large
        self.failures = 0
        self.environment = {
            "PATH": f"{binaries}:/usr/bin:/bin", "HOME": str(self.folder), "FTI_AUTHOR": "bounds",
            "XDG_CACHE_HOME": f"{folder}/cache", "XDG_STATE_HOME": f"{folder}/state",
            "XDG_CONFIG_HOME": f"{folder}/config", "SWIFT_BACKTRACE": "enable=no",
        }

    def size(self, large, small):
        return large if self.is_large else small

    def path(self, name):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def fill(self, name, size, unit, start=b"", end=b""):
        """Writes a file of about `size` bytes: `start`, then `unit` again and again, then `end`."""
        piece = unit * max(1, MIB // len(unit))
        with open(self.path(name), "wb") as file:
            file.write(start)
            left = size
            while left > 0:
                part = piece if left >= len(piece) else unit * max(1, left // len(unit))
                file.write(part)
                left -= len(part)
            file.write(end)
        return name

    def sparse(self, name, size, start=b""):
        with open(self.path(name), "wb") as file:
            file.write(start)
            file.truncate(size)
        return name

    def quiet(self, *words):
        """Runs what a case needs first."""
        done = subprocess.run(words, cwd=self.folder, env=self.environment, capture_output=True)
        if done.returncode:
            raise SystemExit(f"bounds: {' '.join(words)}: {done.stderr.decode()}")
        return done.stdout

    def check(self, what, words, codes, says="", pours=None):
        """Runs a program, and checks how it ended, what it said, and what it took."""
        limit = COMMAND_LIMIT if words[0] == "ftictl" else PIPELINE_LIMIT
        seconds = self.size(300, 60)
        began = time.monotonic()
        with open(self.path("error"), "w+b") as error, open(self.path("output"), "w+b") as output:
            # A guard for this machine: what asks for more than this ends without it.
            guard = lambda: resource.setrlimit(resource.RLIMIT_AS, (64 << 30, 64 << 30))
            process = subprocess.Popen(
                words, cwd=self.folder, env=self.environment, stdout=output, stderr=error,
                stdin=subprocess.PIPE if pours else subprocess.DEVNULL, preexec_fn=guard)
            if pours:
                threading.Thread(target=pours, args=(process.stdin,), daemon=True).start()
            alarm = threading.Timer(seconds, process.kill)
            alarm.start()
            _, status, usage = os.wait4(process.pid, 0)
            alarm.cancel()
            process.returncode = status
            error.seek(0)
            output.seek(0)
            told, shown = error.read(4096).decode(errors="replace"), output.read(4096).decode(errors="replace")
        code = os.waitstatus_to_exitcode(status)
        took, peak = time.monotonic() - began, usage.ru_maxrss / 1024
        problems = []
        if code not in codes:
            problems.append(f"exit {code}, not {' or '.join(map(str, codes))}")
        if peak > limit:
            problems.append(f"more than {limit} MiB")
        if says not in told + shown:
            problems.append(f"does not say {says!r}")
        print(f"{what:44} {code:5} {peak:8.0f} {took:8.1f}  {'; '.join(problems) or 'ok'}", flush=True)
        if problems:
            self.failures += 1
            print("    " + (told or shown).strip()[:400].replace("\n", "\n    "))


# Documents ------------------------------------------------------------------------------------------------------------

DOCUMENTS = {
    "html: one line of text": ("a.html", b"word ", b"<p>"),
    "html: nothing but elements": ("b.html", b"<b>x", b""),
    "html: nested for ever": ("c.html", b"<div>", b""),
    "html: one tag of attributes": ("d.html", b"x=y ", b"<a "),
    "html: tags of attributes": ("e.html", b"<a b c d e f>", b""),
    "html: a table without end": ("f.html", b"<tr><td>x", b"<table>"),
    "html: ends of paragraphs": ("g.html", b"</p>", b""),
    "html: a comment without end": ("h.html", b"<p>x", b"<!--"),
    "html: entities": ("i.html", b"&amp;", b""),
    "html: lists in lists": ("j.html", b"<ul><li>x", b""),
    "markdown: quotes in quotes": ("k.md", b">", b""),
    "markdown: brackets": ("l.md", b"[", b""),
    "markdown: emphasis": ("m.md", b"*a_ ", b""),
    "markdown: a table": ("n.md", b"a|", b"|-|\n"),
    "markdown: headings": ("o.md", b"# a\n", b""),
    "markdown: lists in lists": ("p.md", b"- ", b""),
    "text: one line": ("q.txt", b"word ", b""),
    "text: no space": ("r.txt", b"a", b""),
    "text: zero bytes": ("s.txt", b"\0", b""),
    "records: a line without end": ("t.jsonl", b"a", b'{"id":"'),
    "records: nested for ever": ("u.jsonl", b"[", b""),
}


def documents(bench):
    configuration = "ref: features/x\nsources: [{files: %s}]\nembed: {dimension: 64}\n"
    for what, (name, unit, start) in DOCUMENTS.items():
        size = bench.size(200 * MIB if name == "t.jsonl" else 60 * MIB, MIB // 4)
        if bench.is_large:
            bench.fill(f"docs/{name}", size, unit, start)
            bench.path("f.yaml").write_text(configuration % f"docs/{name}")
            bench.quiet("rm", "-rf", ".fti")
            bench.quiet("ftictl", "init")
            bench.check(what, ["fti-feature", "run", "f.yaml"], (0, 2, 64))
            bench.path(f"docs/{name}").unlink()
        else:
            bench.fill(f"docs/{name}", size, unit, start)
    if not bench.is_large:
        bench.path("f.yaml").write_text(configuration % "docs")
        bench.check("documents of every hostile shape", ["fti-feature", "run", "f.yaml"], (0,))


# Configurations and other small files ---------------------------------------------------------------------------------


def configurations(bench):
    size = MIB - 100
    for what, unit in [("[", b"["), ("{a: ", b"{a: "), ("- ", b"- "), ("? ", b"? "), ("a:\\n", b"a: "),
                       ("&a ", b"&a [")]:
        name = bench.fill("deep.yaml", size, unit)
        bench.check(f"yaml of {what!r}: features", ["fti-feature", "run", name], (64,))
        if bench.is_large or what == "[":
            bench.check(f"yaml of {what!r}: training", ["fti-training", "run", name], (64,))
    large = bench.sparse("large.yaml", bench.size(4 << 30, 64 * MIB))
    bench.check("a configuration of GiB: features", ["fti-feature", "run", large], (64,), large)
    bench.check("a configuration of GiB: training", ["fti-training", "run", large], (64,), large)
    bench.path("l.yaml").write_text(f"questions: {large}\nmodel: models/x\n")
    bench.check("labels of GiB", ["fti-training", "run", "l.yaml"], (2, 64))
    nested = bench.fill("nested.json", 200 << 10, b"[")
    for what, words in [
        ("a policy", ["policy", "set"]), ("a lock file", ["pin", "--check"]),
        ("a prompt", ["release", "releases/x", "--features", "features/x", "--model", "models/x", "--prompt"]),
    ]:
        bench.check(f"{what} of GiB", ["ftictl", *words, large], (2, 64, 74))
        bench.check(f"{what} that is nested", ["ftictl", *words, nested], (2, 64))


# Files to be stored ---------------------------------------------------------------------------------------------------


def files(bench):
    rows = ["ftictl", "put", "features/a", "rows.jsonl", "--key", "id"]
    size = bench.size(60 * MIB, MIB)
    for what, unit, start, end, codes, says in [
        ("nested for ever", b"[", b'{"id":"a","x":', b"", (64,), "line 1"),
        ("nested and closed", b'{"a":', b'{"id":"a","x":', b"", (64,), "line 1"),
        ("of one long text", b"a", b'{"id":"a","x":"', b'"}\n', (0, 64), ""),
        ("of many fields", b'"a":1,', b'{"id":"a",', b'"b":2}\n', (64,), "line 1"),
        ("of many numbers", b"1,", b'{"id":"a","v":[', b"1]}\n", (0, 64), ""),
    ]:
        bench.fill("rows.jsonl", size, unit, start, end)
        bench.check(f"a row {what}", rows, codes, says)
    if bench.is_large:
        bench.fill("rows.jsonl", 200 * MIB, b"a", b'{"id":"')
        bench.check("a row of more than 64 MiB", rows, (64,), "64 MiB")
    sparse = bench.sparse("sparse", bench.size(5 << 30, 64 * MIB))
    bench.check("a sparse file", ["ftictl", "put", "models/sparse", sparse, "--no-cache"], (0,))
    lie = struct.pack("<Q", 1 << 60) + b"{}"
    bench.check("a safetensors header of 2^60", ["ftictl", "put", "models/s",
                bench.sparse("s.safetensors", 8 * MIB, lie)], (0,))
    bench.check("... is shown for what it is", ["ftictl", "show", "models/s:s.safetensors"], (0, 64))
    gguf = b"GGUF" + struct.pack("<IQQ", 3, 1 << 40, 1 << 40)
    bench.check("GGUF counts of 2^40", ["ftictl", "put", "models/g", bench.sparse("g.gguf", MIB, gguf)], (0,))
    npy = b"\x93NUMPY\x02\x00" + struct.pack("<I", 0xFFFFFFFF)
    bench.check("an NPY header of 4 GiB", ["ftictl", "put", "models/n", bench.sparse("n.npy", MIB, npy)], (0,))


# Repositories ---------------------------------------------------------------------------------------------------------


def forge(repository, codec, size, stored):
    """Replaces the only piece of the first pack, and makes index, name and log fit it."""
    packs = sorted((repository / "packs").iterdir())
    pack = packs[0]
    data = pack.read_bytes()
    length = struct.unpack("<Q", data[-16:-8])[0]
    footer = bytearray(data[-length:])
    count = struct.unpack("<I", footer[24:28])[0]
    entries = 40 + 32 * count
    # The piece that is last in the file grows; what is before it stays.
    last = max(range(count), key=lambda index: struct.unpack_from("<Q", footer, entries + 24 * index)[0])
    place = entries + 24 * last
    offset = struct.unpack_from("<Q", footer, place)[0]
    checksum = crc32c(stored)
    struct.pack_into("<II", footer, place + 8, len(stored), size)
    footer[place + 16] = codec
    struct.pack_into("<I", footer, place + 20, checksum)
    bytes_ = data[:offset] + stored + bytes(footer)
    old, new = pack.name, hashlib.sha256(bytes(footer)).hexdigest()
    pack.unlink()
    (pack.parent / new).write_bytes(bytes_)
    entry = repository / "log/00000000000000000001.json"
    lines = entry.read_bytes().split(b"\n")
    actions = json.loads(lines[0])
    for action in actions["actions"]:
        if action.get("name") == old:
            action.update(name=new, size=len(bytes_), index=len(bytes_) - length)
    line = json.dumps(actions, sort_keys=True, separators=(",", ":")).encode()
    os.chmod(entry, 0o644)
    entry.write_bytes(line + b'\n{"sha256":"%s"}\n' % hashlib.sha256(line).hexdigest().encode())
    (repository / "log/tip").unlink(missing_ok=True)


def crc32c(data):
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def repositories(bench):
    def fresh():
        bench.quiet("rm", "-rf", ".fti", "state", "cache")
        bench.quiet("ftictl", "init")
        bench.path("x").write_bytes(b"x" * 2000)
        bench.quiet("ftictl", "put", "models/a", "x")
        repository = bench.folder / ".fti"
        bench.quiet("chmod", "-R", "u+w", ".fti")
        return repository

    bomb = zlib.compress(bytes(bench.size(1024, 32) * MIB), 9)
    for what, codec, size, stored, says in [
        ("a piece that claims 4 GiB", 1, 0xFFFFFFFF, b"x" * 100, "the size of a piece is out of range"),
        ("a piece that claims 16 MiB and is 1 GiB", 1, 16 * MIB, bomb, "damaged"),
        ("a piece of 16 MiB without content", 2, 16 * MIB, b"\x28\xb5\x2f\xfd\xe0" + b"\xff" * 8, "damaged"),
    ]:
        forge(fresh(), codec, size, stored)
        # Somebody who has not seen the repository before.
        shutil.rmtree(bench.folder / "state", ignore_errors=True)
        for words, codes in [(["cat", "models/a:x"], (5,)), (["verify", "--full"], (1,)),
                             (["gc"], (0, 5))]:
            bench.check(f"{what}: {words[0]}", ["ftictl", *words], codes, says if words[0] == "cat" else "")
    large = bench.size(4 << 30, 300 * MIB)
    for name, codes in [
        ("log/00000000000000000002.json", (5,)), ("log/tip", (0,)),
        ("log/00000000000000000000-00000000000000000063.segment", (5,)),
        ("log/checkpoints/00000000000000000001-" + "a" * 64 + ".json", (0,)),
        ("leases/" + "a" * 32 + ".json", (0,)), ("packs/" + "a" * 64, (0,)),
    ]:
        repository = fresh()
        bench.sparse(f".fti/{name}", large)
        bench.check(f"GiB in {name[:30]}", ["ftictl", "resolve", "models/a"], codes)
        bench.check("... verify", ["ftictl", "verify", "--full"], (0, 1))
        bench.check("... gc", ["ftictl", "gc"], (0, 5))


# Questions ------------------------------------------------------------------------------------------------------------


def questions(bench):
    bench.quiet("rm", "-rf", ".fti", "state", "cache")
    bench.quiet("ftictl", "init")
    documents = ROOT / "Examples/handbook/edition-1/install"
    bench.path("f.yaml").write_text(
        f"ref: features/prod\nsources: [{{files: {documents}}}]\nembed: {{dimension: 64}}\n")
    bench.path("t.yaml").write_text("model: models/current\ncandidates: 50\nsft: {epochs: 2}\ndpo: {epochs: 1}\n")
    bench.quiet("fti-feature", "run", "f.yaml")
    bench.quiet("fti-training", "run", "t.yaml")
    total = bench.size(1 << 30, 8 * MIB)

    def pour(unit):
        def write(pipe):
            try:
                for _ in range(total // MIB):
                    pipe.write(unit * (MIB // len(unit)))
                pipe.close()
            except BrokenPipeError:
                pass
        return write

    for what, unit in [("a question without end", b"a"), ("questions nested for ever", b'{"question":')]:
        bench.check(what, ["fti-inference", "ask", "--stdin"], (0,), "more than", pour(unit))

    def many(pipe):
        for _ in range(bench.size(20, 1)):
            pipe.write(b"drill " * (bench.size(MIB, MIB // 16) // 6) + b"\n")
            pipe.write(b"[" * (MIB - 1) + b"\n")
        pipe.close()
    bench.check("questions of a MiB", ["fti-inference", "ask", "--stdin"], (0,), "", many)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binaries")
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    binaries = str(pathlib.Path(options.binaries).resolve())
    print(f"{'':44} {'exit':>5} {'MiB':>8} {'s':>8}")
    failures = 0
    for part in [documents, configurations, files, repositories, questions]:
        if options.only not in part.__name__:
            continue
        folder = tempfile.mkdtemp(prefix="fti-bounds-")
        try:
            bench = Bench(binaries, folder, options.large)
            bench.quiet("ftictl", "init")
            part(bench)
            failures += bench.failures
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{failures} violations")
    return 1 if failures else 0


sys.exit(main())
