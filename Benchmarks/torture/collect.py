"""Runs collections and pack merges in a loop beside writers and readers that never stop.

Writers put directories that partly consist of recent garbage, and move refs back to older versions. Readers fetch the
targets of refs and compare every byte with what was stored. Collectors keep only the targets of refs, and delete at
once. Every command must succeed, except a move to a collected version, which must be refused; each writer has its own
ref, so it never loses a race. Without a retention time, a reader may find that a recent target of a ref has been
collected, and must be told so. At the end the repository must be intact and contain no unneeded file.
"""

import hashlib
import json
import os
import random
import shutil
import threading
import time

from faults import Tally

SECONDS, WRITERS, READERS, COLLECTORS = 300, 8, 8, 2
COLLECT = ["gc", "--keep-last", "1", "--grace", "0s", "--json"]


class Arena:
    """The repository, and the state that all threads share."""

    def __init__(self, sandbox, seconds, retention, counts):
        self.sandbox, self.retention, self.counts = sandbox, retention, counts
        self.folder, self.repository = sandbox.directory, sandbox.repository
        self.end = time.monotonic() + seconds
        self.violations, self.lock = [], threading.Lock()
        # The content digest of every snapshot ever stored, by id.
        self.contents = {}
        self.run("init")

    def run(self, *words, allowed=(0,)):
        outcome = self.sandbox.run(*map(str, words))
        if outcome.status not in allowed:
            self.violate(f"{' '.join(map(str, words))}: {outcome}")
        return outcome

    def violate(self, text):
        with self.lock:
            self.violations.append(text)

    def count(self, what, number=1):
        with self.lock:
            self.counts[what] += number

    def is_over(self):
        return time.monotonic() > self.end or len(self.violations) > 20


def digest(folder):
    """The SHA-256 of the names and bytes in a directory."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            total.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
            total.update(path.read_bytes())
    return total.hexdigest()


def fill(folder, chance):
    """Writes a few files from a small pool, so that the same content is new, needed and garbage by turns. One file may
    be large enough to be split into pieces that other directories share."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number in chance.sample(range(24), chance.randint(1, 6)):
        (folder / f"file{number}").write_bytes(random.Random(number).randbytes(3000))
    if chance.random() < 0.3:
        parts = [random.Random(1000 + number).randbytes(400_000) for number in chance.sample(range(6), 4)]
        (folder / "large").write_bytes(b"".join(parts))


def rows(path, chance):
    """Writes a table that differs from other such tables in a few rows."""
    changed = set(chance.sample(range(900), 5))
    salt = chance.randint(0, 3)
    path.write_text("".join(
        json.dumps({"id": f"{n:04}", "text": f"row {n} {salt if n in changed else 0} " + "word " * 12}) + "\n"
        for n in range(900)))


def write(arena, number, chance):
    folder, old = arena.folder / f"writer{number}", []
    table = arena.folder / f"rows{number}.jsonl"
    while not arena.is_over():
        turn = chance.random()
        if turn < 0.6:
            fill(folder, chance)
            outcome = arena.run("put", f"models/w{number}", folder, "--json")
            if outcome.status == 0:
                id = json.loads(outcome.output)["id"]
                with arena.lock:
                    arena.contents[id] = digest(folder)
                old.append(id)
                arena.count("puts")
        elif turn < 0.8:
            rows(table, chance)
            arena.run("put", f"features/w{number}", table, "--key", "id")
            arena.count("puts of tables")
        elif old:
            outcome = arena.run("move", f"models/m{number}", chance.choice(old[-6:]), allowed=(0, 2))
            arena.count("moves" if outcome.status == 0 else "moves refused")


def read(arena, number, chance):
    out = arena.folder / f"reader{number}"
    while not arena.is_over():
        outcome = arena.run("refs", "--json")
        refs = [json.loads(line) for line in outcome.output.splitlines()]
        if not refs:
            continue
        ref = chance.choice(refs)
        shutil.rmtree(out, ignore_errors=True)
        if not get(arena, ref["id"], out):
            continue
        with arena.lock:
            expected = arena.contents.get(ref["id"])
        if expected and digest(out) != expected:
            arena.violate(f"get {ref['id']} returned the wrong bytes")
        shutil.rmtree(out, ignore_errors=True)
        get(arena, ref["name"], out)


def get(arena, revision, out):
    """Whether a version was fetched. Without a retention time it may have been collected, and the error must say so."""
    outcome = arena.run("get", revision, "-o", out, "--quiet", allowed=(0,) if arena.retention != "0s" else (0, 2))
    if outcome.status == 0:
        arena.count("gets")
    elif outcome.status == 2:
        if b"collected" in outcome.error or b"no object" in outcome.error:
            arena.count("gets of collected versions")
        else:
            arena.violate(f"get {revision}: {outcome}")
    return outcome.status == 0


def collect(arena, number, chance):
    while not arena.is_over():
        outcome = arena.run(*COLLECT, "--keep", arena.retention)
        if outcome.status == 0:
            report = json.loads(outcome.output)
            arena.count("collections")
            for name in ("removed", "rewritten", "condemned", "deleted"):
                arena.count(f"packs {name}", len(report[name]))
        if chance.random() < 0.2:
            arena.run("verify")
            arena.count("verifications")


def meet(context, retention, seconds, tally):
    """Runs all writers, readers and collectors at once, for `seconds`."""
    sandbox = context.tools.sandbox(f"collections-{retention}")
    arena = Arena(sandbox, seconds, retention, tally.counts)
    work = [
        threading.Thread(
            target=task, args=(arena, number, random.Random(f"{task.__name__} {number} {context.seed}")))
        for task, count in ((write, WRITERS), (read, READERS), (collect, COLLECTORS)) for number in range(count)]
    for thread in work:
        thread.start()
    for thread in work:
        while thread.is_alive():
            thread.join(1)
            with arena.lock:
                context.progress(tally)
    for _ in range(2):
        arena.run(*COLLECT, "--keep", "0s")
    arena.run("verify", "--full")
    state = sandbox.json("stats")[0]
    files = len(os.listdir(arena.repository / "packs"))
    if files != state["packs"]:
        arena.violate(f"{files} files in packs/ for {state['packs']} live packs")
    tally.violations += [f"with --keep {retention}: {violation}" for violation in arena.violations]
    tally.notes.append(
        f"--keep {retention}: {seconds:.0f} s, {state['transactions']:,} transactions, "
        f"{state['packs']} live packs at the end")
    if not (context.keep and arena.violations):
        sandbox.remove()


def run(context):
    """One run that keeps old targets of refs for 5 s, and a shorter one that keeps none."""
    tally = Tally("collections beside writers and readers")
    seconds = SECONDS * context.share * (0.2 if context.short else 1)
    meet(context, "5s", max(5, seconds), tally)
    meet(context, "0s", max(5, seconds / 5), tally)
    return tally
