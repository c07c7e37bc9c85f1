"""The commands that are tortured, and the repositories in which they begin."""

import json
import random

from invariants import check, read_out


class Scenario:
    """A command that is run in copies of one template.

    `refs` are those that it moves. `again` is whether the command, when it had its effect already, is done
    again without an error; otherwise the codes in `repeated` are right for it.
    """

    def __init__(self, name, command, build, again=True, repeated=(0,), changes=True):
        self.name, self.command, self.build = name, command, build
        self.again, self.repeated, self.changes = again, repeated, changes

    def prepare(self, tools, seed):
        """Makes the template, runs the command once in a copy, and notes what it does."""
        self.template = tools.sandbox(f"template-{self.name}-{seed}")
        self.seed = seed
        self.build(self.template, random.Random(f"{self.name} {seed}"))
        self.words = self.command(self.template) if callable(self.command) else self.command
        self.contents = {}
        self.before = self.observe(self.template)
        self.known = set(self.before.refs.values()) if self.before else set()
        finished = self.template.copy(f"{self.name}-finished")
        outcome = finished.run(*self.words)
        if outcome.status != 0:
            raise RuntimeError(f"{self.name} does not work without faults: {outcome}")
        self.after = self.observe(finished)
        # What later commands of the template know: a promote moves refs to snapshots that are there.
        self.new = self.after.like(self.known)
        self.old = self.before.like(self.known) if self.before else None
        if self.changes and self.new == self.old:
            raise RuntimeError(f"{self.name} changes nothing")
        finished.remove()
        return self

    def observe(self, sandbox):
        """Checks a repository without faults, and notes which content gives which files."""
        view, problems = check(sandbox)
        if problems:
            raise RuntimeError(f"{self.name}: {problems}")
        if view is None:
            return None
        for name, content in view.contents.items():
            files, problem = read_out(sandbox, name)
            if problem:
                raise RuntimeError(f"{self.name}: {problem}")
            self.contents[content] = files
        return view

    def calls(self, *options):
        """The write-like calls of the command."""
        sandbox = self.template.copy(f"{self.name}-calls")
        outcome, calls = sandbox.recorded(self.words, *options)
        sandbox.remove()
        if outcome.status != 0:
            raise RuntimeError(f"{self.name} {' '.join(options)}: {outcome}")
        return calls


def text(chance, words):
    return " ".join(chance.choice(WORDS) for _ in range(words)) + "\n"


WORDS = "a chunk of some pack is what the log says it is and the ref moves when all of it lies there".split()


def files(sandbox, chance, directory="files"):
    """Small text, a file of several chunks, an empty one, one in a directory."""
    sandbox.write(f"{directory}/README.md", text(chance, 60))
    sandbox.write(f"{directory}/empty", b"")
    sandbox.write(f"{directory}/deep/er/noise.bin", chance.randbytes(3000))
    sandbox.write(f"{directory}/long.txt", "".join(text(chance, 12) for _ in range(2500)))


def rows(sandbox, chance, name="rows.jsonl", count=120, dimension=8):
    lines = []
    for number in range(count):
        row = {"id": f"row-{number:04}", "text": text(chance, 8).strip()}
        if dimension:
            row["vector"] = [round(chance.uniform(-1, 1), 3) for _ in range(dimension)]
        lines.append(json.dumps(row))
    sandbox.write(name, "\n".join(lines) + "\n")


def change_rows(sandbox, chance, name="rows.jsonl"):
    path = sandbox.directory / name
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for row in chance.sample(lines, 5):
        row["text"] = text(chance, 6).strip()
    sandbox.write(name, "\n".join(map(json.dumps, lines)) + "\n")


def nothing(sandbox, chance):
    pass


def empty(sandbox, chance):
    sandbox.must("init")


def first_put(sandbox, chance):
    empty(sandbox, chance)
    files(sandbox, chance)


def second_put(sandbox, chance):
    first_put(sandbox, chance)
    sandbox.must("put", "models/candidate", "files", "-m", "first")
    sandbox.write("files/README.md", text(chance, 40))
    sandbox.write("files/new.bin", chance.randbytes(900))


def large_put(sandbox, chance):
    """Several threads write at once."""
    empty(sandbox, chance)
    for number in range(4):
        # Little to store and many chunks: the walker's checksum is slow.
        sandbox.write(f"files/{number}.txt", "".join(text(chance, 4) for _ in range(300)) * 120)


def first_rows(sandbox, chance):
    second_put(sandbox, chance)
    rows(sandbox, chance)


def second_rows(sandbox, chance):
    first_rows(sandbox, chance)
    sandbox.must("put", "features/staging", "rows.jsonl", "--key", "id", "--vector", "vector")
    change_rows(sandbox, chance)


def wide_rows(sandbox, chance):
    empty(sandbox, chance)
    rows(sandbox, chance, count=300, dimension=48)


def three_candidates(sandbox, chance):
    second_rows(sandbox, chance)
    sandbox.must("put", "datasets/next", "files")
    for name, target in PAIRS:
        sandbox.must("move", target, name)
    sandbox.must("put", "features/staging", "rows.jsonl", "--key", "id", "--vector", "vector")
    sandbox.must("put", "models/candidate", "files", "--metric", "recall@10=0.9")
    sandbox.write("files/README.md", "other words\n")
    sandbox.must("put", "datasets/next", "files", "--input", "features=features/staging")


PAIRS = [
    ("features/staging", "features/prod"), ("models/candidate", "models/current"),
    ("datasets/next", "datasets/sft"),
]
PROMOTE = ["promote", *(word for pair in PAIRS for word in pair)]


def promoted(sandbox, chance):
    three_candidates(sandbox, chance)
    sandbox.must(*PROMOTE)


def until(number):
    """A repository in which the next transaction has a number."""
    def build(sandbox, chance):
        first_put(sandbox, chance)
        while newest(sandbox) < number - 1:
            sandbox.write("small/file.txt", text(chance, 10))
            sandbox.must("put", f"models/small-{chance.randrange(4)}", "small", "-m", str(chance.random()))
            if newest(sandbox) == number:
                raise RuntimeError(f"transaction {number} happened by itself")
        sandbox.write("small/file.txt", text(chance, 10))
    return build


def newest(sandbox):
    return sandbox.json("reflog", "-n", "1")[0]["transaction"]


SCENARIOS = [
    Scenario("init", ["init"], nothing, again=False, repeated=(64,)),
    Scenario("put", ["put", "models/candidate", "files", "-m", "first"], first_put),
    Scenario("put-again", ["put", "models/candidate", "files", "-m", "second"], second_put),
    Scenario("put-large", ["put", "models/large", "files"], large_put),
    Scenario("put-rows", ["put", "features/staging", "rows.jsonl", "--key", "id", "--vector", "vector"], first_rows),
    Scenario(
        "put-rows-again", ["put", "features/staging", "rows.jsonl", "--key", "id", "--vector", "vector"],
        second_rows),
    Scenario("put-vectors", ["put", "features/wide", "rows.jsonl", "--key", "id", "--vector", "vector"], wide_rows),
    Scenario("move", ["move", "models/shadow", "models/candidate"], second_put),
    Scenario("promote", PROMOTE, three_candidates),
    Scenario("rollback", ["rollback", *(target for _, target in PAIRS)], promoted, again=False, repeated=(0, 2)),
    Scenario("undo", ["undo"], promoted, again=False, repeated=(0,)),
    Scenario("compaction", ["put", "models/small-0", "small"], until(16)),
    Scenario("checkpoint", ["put", "models/small-0", "small"], until(32)),
]


def named(names):
    chosen = [scenario for scenario in SCENARIOS if not names or scenario.name in names]
    missing = set(names or ()) - {scenario.name for scenario in chosen}
    if missing:
        raise SystemExit(f"torture: there is no scenario {', '.join(sorted(missing))}")
    return chosen
