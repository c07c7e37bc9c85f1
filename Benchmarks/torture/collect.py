#!/usr/bin/env python3
"""Collections and merges of packs in a loop beside writers and readers that never stop.

    python3 Benchmarks/torture/collect.py --seconds 300 --writers 8 --readers 8

Writers put directories that partly consist of what was garbage a moment ago, move refs back to older versions and
remove nothing by hand; readers fetch what refs point at and compare every byte with what was stored; collectors keep
nothing but what refs point at, and delete at once. Every command must succeed: a writer may lose its ref to nobody,
because each has its own; a move to a version that was collected is refused, and nothing else is. With --retention 0s readers may find
that what a ref pointed at a moment ago was collected, and must be told so. In the end the repository must be whole, and hold
no file that it does not need."""

import argparse
import collections
import hashlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COLLECT = ["gc", "--keep-last", "1", "--grace", "0s", "--json"]


class Arena:
    """The repository, and what everybody knows of it."""

    def __init__(self, ftictl, folder, seconds, retention):
        self.ftictl, self.folder, self.retention = ftictl, folder, retention
        self.repository = folder / "arena.fti"
        self.end = time.monotonic() + seconds
        self.counts, self.violations, self.lock = collections.Counter(), [], threading.Lock()
        self.environment = {
            **os.environ, "FTI_AUTHOR": "torture", "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CACHE_HOME": str(folder / "cache")}
        # The digest of the content of every snapshot that was ever stored.
        self.contents = {}
        self.run("init", self.repository, bare=True)

    def run(self, *words, allowed=(0,), bare=False):
        command = [self.ftictl, *([] if bare else ["--repo", self.repository]), *words]
        done = subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, env=self.environment,
            timeout=120)
        if done.returncode not in allowed:
            self.violate(f"{' '.join(map(str, words))}: exit {done.returncode}: {done.stderr.strip()}")
        return done

    def violate(self, text):
        with self.lock:
            self.violations.append(text)
            print("VIOLATION", text, flush=True)

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    def is_over(self):
        return time.monotonic() > self.end or len(self.violations) > 20


def digest(folder):
    """Of the names and bytes of a directory."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            total.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
            total.update(path.read_bytes())
    return total.hexdigest()


def fill(folder, chance):
    """A few files out of a small choice, so that much of it is garbage, needed or new by turns; one may be large enough
    to be cut into pieces that others have as well."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number in chance.sample(range(24), chance.randint(1, 6)):
        (folder / f"file{number}").write_bytes(random.Random(number).randbytes(3000))
    if chance.random() < 0.3:
        parts = [random.Random(1000 + number).randbytes(400_000) for number in chance.sample(range(6), 4)]
        (folder / "large").write_bytes(b"".join(parts))


def rows(path, chance):
    """A table of which a few rows differ from the others like it."""
    changed = set(chance.sample(range(900), 5))
    salt = chance.randint(0, 3)
    path.write_text("".join(
        json.dumps({"id": f"{n:04}", "text": f"row {n} {salt if n in changed else 0} " + "word " * 12}) + "\n"
        for n in range(900)))


def write(arena, number):
    chance = random.Random(number)
    folder, old = arena.folder / f"writer{number}", []
    table = arena.folder / f"rows{number}.jsonl"
    while not arena.is_over():
        turn = chance.random()
        if turn < 0.6:
            fill(folder, chance)
            done = arena.run("put", f"models/w{number}", folder, "--json")
            if done.returncode == 0:
                id = json.loads(done.stdout)["id"]
                with arena.lock:
                    arena.contents[id] = digest(folder)
                old.append(id)
                arena.count("put")
        elif turn < 0.8:
            rows(table, chance)
            arena.run("put", f"features/w{number}", table, "--key", "id")
            arena.count("put of a table")
        elif old:
            done = arena.run("move", f"models/m{number}", chance.choice(old[-6:]), allowed=(0, 2))
            arena.count("move" if done.returncode == 0 else "move refused")


def read(arena, number):
    chance = random.Random(1000 + number)
    out = arena.folder / f"reader{number}"
    while not arena.is_over():
        done = arena.run("refs", "--json")
        refs = [json.loads(line) for line in done.stdout.splitlines()]
        if not refs:
            continue
        ref = chance.choice(refs)
        shutil.rmtree(out, ignore_errors=True)
        if not get(arena, ref["id"], out):
            continue
        with arena.lock:
            expected = arena.contents.get(ref["id"])
        if expected and digest(out) != expected:
            arena.violate(f"get {ref['id']} gave other bytes")
        shutil.rmtree(out, ignore_errors=True)
        get(arena, ref["name"], out)


def get(arena, revision, out):
    """Whether a version was fetched; without a retention it may have been collected, which then must be said."""
    done = arena.run("get", revision, "-o", out, "--quiet", allowed=(0,) if arena.retention != "0s" else (0, 2))
    if done.returncode == 0:
        arena.count("get")
    elif "collected" in done.stderr or "no object" in done.stderr:
        arena.count("get of what was collected")
    else:
        arena.violate(f"get {revision}: {done.stderr.strip()}")
    return done.returncode == 0


def collect(arena, chance):
    while not arena.is_over():
        done = arena.run(*COLLECT, "--keep", arena.retention)
        if done.returncode == 0:
            report = json.loads(done.stdout)
            arena.count("collection")
            for name in ("removed", "rewritten", "condemned", "deleted"):
                arena.counts[f"packs {name}"] += len(report[name])
        if chance.random() < 0.2:
            arena.run("verify")
            arena.count("verify")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ftictl", default=ROOT / ".build/release/ftictl", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--collectors", type=int, default=2)
    parser.add_argument("--retention", default="5s", help="how long what refs pointed at is kept")
    parser.add_argument("--keep", action="store_true", help="leave the repository for a look at it")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="collect-"))
    arena = Arena(options.ftictl.resolve(), folder, options.seconds, options.retention)
    work = [
        *(threading.Thread(target=write, args=(arena, n)) for n in range(options.writers)),
        *(threading.Thread(target=read, args=(arena, n)) for n in range(options.readers)),
        *(threading.Thread(target=collect, args=(arena, random.Random(n))) for n in range(options.collectors))]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    arena.run(*COLLECT, "--keep", "0s")
    arena.run(*COLLECT, "--keep", "0s")
    arena.run("verify", "--full")
    state = json.loads(arena.run("stats", "--json").stdout)
    files = len(os.listdir(arena.repository / "packs"))
    if files != state["packs"]:
        arena.violate(f"{files} files in packs/ for {state['packs']} live packs")
    for name in sorted(arena.counts):
        print(f"{arena.counts[name]:8} {name}")
    print(f"{state['transactions']:8} transactions, {state['packs']} live packs at the end")
    print(f"{len(arena.violations):8} violations")
    if options.keep or arena.violations:
        print(f"left in {folder}")
    else:
        shutil.rmtree(folder)
    sys.exit(1 if arena.violations else 0)


if __name__ == "__main__":
    main()
