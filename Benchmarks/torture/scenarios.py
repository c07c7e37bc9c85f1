"""The commands under torture, and the repositories they start from."""

import collections
import functools
import hashlib
import json
import random
import shutil
import threading

from invariants import check, check_again, check_damaged


class Scenario:
    """A command that runs in copies of one template.

    `again`: whether the command can run again after it took effect, with the same result; otherwise it must exit with
    one of the codes in `repeated`. `effect` returns what the command changes in a sandbox besides refs. `settled`
    checks a sandbox in which the command ran undisturbed, and returns the problems.
    """

    # Whether a failed command may have completed some of its steps, each of them valid.
    in_steps = False

    def __init__(
            self, name, command, build, again=True, repeated=(0,), changes=True, effect=None, settled=None):
        self.name, self.command, self.build = name, command, build
        self.again, self.repeated, self.changes = again, repeated, changes
        self.effect, self.settled = effect, settled
        # The calls of the command, by tracer options.
        self.recorded = {}

    def prepare(self, tools, seed):
        """Creates the template, runs the command once in a copy, and records its effect."""
        self.template = tools.sandbox(f"template-{self.name}")
        self.seed = seed
        self.build(self.template, random.Random(f"{self.name} {seed}"))
        self.words = self.command(self.template) if callable(self.command) else self.command
        self.note_template()
        self.untouched = digest(self.template)
        finished = self.template.copy(f"{self.name}-finished")
        outcome = finished.run(*self.words)
        if outcome.status != 0:
            raise RuntimeError(f"{self.name} fails without any fault: {outcome}")
        self.new = self.seen(finished, self.learn(finished))
        if self.changes and self.new == self.old:
            raise RuntimeError(f"{self.name} changes nothing")
        finished.remove()
        return self

    def note_template(self):
        self.contents = {}
        view = self.learn(self.template)
        # The snapshots that exist before the command: a promote moves refs to existing ones.
        self.known = set(view.refs.values()) if view else set()
        self.old = self.seen(self.template, view)

    def learn(self, sandbox):
        """Checks an undamaged repository, and records the files of each content."""
        view, problems = check(sandbox, self.contents, learns=True)
        if problems:
            raise RuntimeError(f"{self.name}: {problems}")
        return view

    def look(self, sandbox):
        """The state of a repository, comparable with `old` and `new`, and its problems."""
        view, problems = check(sandbox, self.contents)
        return self.seen(sandbox, view), problems

    def look_again(self, sandbox):
        """The same after the command ran once more in a checked repository; `verify` runs next."""
        view, problems = check_again(sandbox)
        return self.seen(sandbox, view), problems

    def seen(self, sandbox, view):
        """The comparable part of a view: the same on every run of the command."""
        if view is None:
            return None
        state = view.like(self.known)
        if self.effect:
            state["effect"] = self.effect(sandbox)
        return state

    def is_done(self, state):
        """Whether the command took effect."""
        return state == self.new

    def is_undone(self, state):
        return state == self.old

    def is_untouched(self, sandbox):
        """Whether every byte equals the template, so that the outcome of running the command is known."""
        return digest(sandbox) == self.untouched

    def calls(self, *options):
        """The write-like calls of the command."""
        if options not in self.recorded:
            sandbox = self.template.copy(f"{self.name}-calls-{''.join(options)}")
            outcome, self.recorded[options] = sandbox.recorded(self.words, *options)
            sandbox.remove()
            if outcome.status != 0:
                raise RuntimeError(f"{self.name} {' '.join(options)}: {outcome}")
        return self.recorded[options]


class Collection(Scenario):
    """A scenario that moves no ref. On a full disk it may delete only some of the garbage; the next run deletes the
    rest."""

    in_steps = True

    def is_done(self, state):
        return state is not None and all(state[name] == self.old[name] for name in self.old if "/" in name)

    is_undone = is_done


class Steps(Scenario):
    """A scenario of several steps, which may fail between them."""

    in_steps = True


class Repair(Scenario):
    """A scenario that starts from a damaged repository: until it is repaired, no command may return wrong data."""

    in_steps = True

    def note_template(self):
        self.contents = {}
        sound = self.template.copy(f"{self.name}-sound")
        shutil.rmtree(sound.repository)
        shutil.move(sound.directory / "sound.fti", sound.repository)
        view = self.learn(sound)
        self.known = set(view.refs.values())
        self.refs, self.files = view.refs, {name: self.contents[id] for name, id in view.contents.items()}
        sound.remove()
        self.old = "damaged"
        state, problems = self.look(self.template)
        if state != self.old or problems:
            raise RuntimeError(f"{self.name}: {state}: {problems}")

    def look(self, sandbox):
        if sandbox.run("verify", "--full").status == 0:
            return super().look(sandbox)
        return self.old, check_damaged(sandbox, self.refs, self.files)


def digest(sandbox):
    """The SHA-256 of all names, modes and bytes in a sandbox."""
    total = hashlib.sha256()
    for path in sorted(sandbox.directory.rglob("*")):
        status = path.lstat()
        total.update(f"{path.relative_to(sandbox.directory)}\0{status.st_mode}\0{status.st_size}\0".encode())
        if path.is_file():
            total.update(path.read_bytes())
    return total.digest()


def text(chance, words):
    return " ".join(chance.choice(WORDS) for _ in range(words)) + "\n"


WORDS = "a chunk of some pack is what the log says it is and the ref moves when all of it lies there".split()


def files(sandbox, chance, directory="files"):
    """A small text file, one of several pieces, an empty one, and one in a subdirectory."""
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


# The directory of each built stage, and a lock for building it.
_stages, _locks = {}, collections.defaultdict(threading.Lock)


def stage(build):
    """A repository that other templates start from: built once, then copied."""
    @functools.wraps(build)
    def built(sandbox, chance):
        key = (build.__name__, sandbox.is_signed)
        with _locks[key]:
            if key not in _stages:
                base = sandbox.tools.sandbox(f"stage-{build.__name__}{'-signed' if sandbox.is_signed else ''}")
                base.is_signed = sandbox.is_signed
                build(base, random.Random(f"{build.__name__} {sandbox.tools.seed}"))
                _stages[key] = base.directory
        shutil.copytree(_stages[key], sandbox.directory, symlinks=True, dirs_exist_ok=True)
    return built


def nothing(sandbox, chance):
    pass


@stage
def empty(sandbox, chance):
    sandbox.must("init")
    if sandbox.is_signed:
        sandbox.must("key", "new", "ada")
        sandbox.must("policy", "init")


@stage
def first_put(sandbox, chance):
    empty(sandbox, chance)
    files(sandbox, chance)


@stage
def second_put(sandbox, chance):
    first_put(sandbox, chance)
    sandbox.must("put", "models/candidate", "files", "-m", "first")
    sandbox.write("files/README.md", text(chance, 40))
    sandbox.write("files/new.bin", chance.randbytes(900))


def large_put(sandbox, chance):
    """A put large enough that several threads write at once."""
    empty(sandbox, chance)
    for number in range(4):
        # Many pieces but few bytes, because the walker's checksum is slow.
        sandbox.write(f"files/{number}.txt", "".join(text(chance, 4) for _ in range(300)) * 120)


@stage
def first_rows(sandbox, chance):
    second_put(sandbox, chance)
    rows(sandbox, chance)


@stage
def second_rows(sandbox, chance):
    first_rows(sandbox, chance)
    sandbox.must("put", "features/staging", "rows.jsonl", "--key", "id", "--vector", "vector")
    change_rows(sandbox, chance)


def wide_rows(sandbox, chance):
    empty(sandbox, chance)
    rows(sandbox, chance, count=300, dimension=48)


@stage
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


@stage
def promoted(sandbox, chance):
    three_candidates(sandbox, chance)
    sandbox.must(*PROMOTE)


def until(number):
    """A repository whose next transaction has this number. At number 15 there are 15 small packs."""
    def build(sandbox, chance):
        # Start from the stage with the next smaller number.
        reached = next((step for step in (16, 15) if step < number), None)
        if reached:
            until(reached)(sandbox, chance)
        else:
            first_put(sandbox, chance)
        newest = reached - 1 if reached else 0
        while newest < number - 1:
            sandbox.write("small/file.txt", text(chance, 10))
            put = ["put", f"models/small-{chance.randrange(4)}", "small", "-m", str(chance.random())]
            newest = sandbox.json(*put)[0]["transaction"]
            if newest == number:
                raise RuntimeError(f"transaction {number} was committed too early")
        sandbox.write("small/file.txt", text(chance, 10))
    build.__name__ = f"until_{number}"
    return stage(build)


def newest(sandbox):
    return sandbox.json("reflog", "-n", "1")[0]["transaction"]


def long_log(sandbox, chance):
    """A log in which the next transaction gathers the oldest entries into a segment."""
    second_put(sandbox, chance)
    sandbox.must("put", "models/other", "files")
    for number in range(newest(sandbox) + 1, 128):
        sandbox.must("move", "models/shadow", ["models/candidate", "models/other"][number % 2])


def garbage(sandbox, chance):
    """Unneeded versions: all of one pack is garbage, most of another, and little of a third."""
    empty(sandbox, chance)
    for name, sizes in [("all", (3000, 4000)), ("most", (700, 9000)), ("little", (8000, 600))]:
        sandbox.write(f"{name}/kept.bin", chance.randbytes(sizes[0]))
        sandbox.write(f"{name}/lost.bin", chance.randbytes(sizes[1]))
        sandbox.must("put", f"models/{name}", name)
    sandbox.write("all/kept.bin", "now it is this\n")
    for name in ("all", "most", "little"):
        sandbox.write(f"{name}/lost.bin", chance.randbytes(2000))
        sandbox.must("put", f"models/{name}", name)


def sparse(sandbox, chance):
    """Several packs that are mostly garbage, so that a collection rewrites what is still needed."""
    empty(sandbox, chance)
    for name in "abcd":
        sandbox.write(f"{name}/kept.bin", chance.randbytes(700))
        sandbox.write(f"{name}/lost.bin", chance.randbytes(9000))
        sandbox.must("put", f"models/{name}", name)
        sandbox.write(f"{name}/lost.bin", chance.randbytes(20))
        sandbox.must("put", f"models/{name}", name)


COLLECT = ["gc", "--keep", "0s", "--keep-last", "1"]


def collected(sandbox, chance):
    garbage(sandbox, chance)
    sandbox.must(*COLLECT)


def live_packs(sandbox):
    return sandbox.json("stats")[0]["packs"]


def transactions(sandbox):
    return newest(sandbox)


def collect_again(sandbox):
    """An undisturbed collection deletes all garbage, including leftovers of a killed collection."""
    sandbox.must(*COLLECT, "--grace", "0s")
    files = len(list((sandbox.repository / "packs").iterdir()))
    live = live_packs(sandbox)
    return [] if files == live else [f"{files} files in packs/ for {live} live packs after a collection"]


def flip(path):
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[min(20, len(data) - 1)] ^= 1
    path.write_bytes(data)


def damaged(sandbox, chance):
    """Two damaged packs, a missing one, a damaged log entry, a damaged checkpoint and no hint, and an intact copy."""
    three_candidates(sandbox, chance)
    for number in range(newest(sandbox) + 1, 19):
        sandbox.must("move", "models/shadow", ["models/candidate", "models/current"][number % 2])
    shutil.copytree(sandbox.repository, sandbox.directory / "sound.fti")
    packs = sorted((sandbox.repository / "packs").iterdir(), key=lambda path: path.stat().st_size)
    packs[0].unlink()
    flip(packs[-1])
    flip(packs[1])
    flip(sandbox.repository / f"log/{3:020}.json")
    flip(next((sandbox.repository / "log/checkpoints").iterdir()))
    (sandbox.repository / "log/tip").unlink()


def damaged_otherwise(sandbox, chance):
    """Damaged packs whose objects are in other packs of a copy that has received more transactions."""
    until(15)(sandbox, chance)
    shutil.copytree(sandbox.repository, sandbox.directory / "sound.fti")
    shutil.copytree(sandbox.repository, sandbox.directory / "copy.fti")
    for number in range(2):
        sandbox.write("small/file.txt", text(chance, 10))
        sandbox.must("--repo", "copy.fti", "put", "models/small-1", "small")
    theirs = {path.name for path in (sandbox.directory / "copy.fti/packs").iterdir()}
    sandbox.must("--repo", "copy.fti", *COLLECT, "--keep", "1d", "--grace", "0s")
    ours = sorted((sandbox.repository / "packs").iterdir())
    for path in ours[:3]:
        flip(path)
        (sandbox.directory / "copy.fti/packs" / path.name).unlink(missing_ok=True)


def signed(build):
    """The same template under an access policy that requires signatures."""
    def build_signed(sandbox, chance):
        sandbox.is_signed = True
        build(sandbox, chance)
    return build_signed


def with_approvals(sandbox, chance):
    """A policy file under which a ref may move only with an approval."""
    sandbox.is_signed = True
    three_candidates(sandbox, chance)
    gate = '"gates":[{"ref":"models/current","type":"approvals","count":1,"by":["ada"]}'
    sandbox.write("policy.json", sandbox.must("policy", "show").decode().replace('"gates":[', gate))


@stage
def waiting(sandbox, chance):
    with_approvals(sandbox, chance)
    sandbox.must("policy", "set", "policy.json")


def approved(sandbox, chance):
    waiting(sandbox, chance)
    sandbox.must("approve", "models/current", "models/candidate")


def lock_file(sandbox):
    """Whether the lock file exists; if so, its pin must hold."""
    path = sandbox.directory / "fti.lock"
    if not path.exists():
        return "no lock file"
    sandbox.must("pin", "--check", "fti.lock")
    return "a lock file"


PUT_ROWS = ["put", "features/staging", "rows.jsonl", "--key", "id", "--vector", "vector"]
GO_BACK = ["rollback", *(target for _, target in PAIRS)]
REPAIR = ["verify", "--repair", "--from"]

SCENARIOS = [
    Scenario("init", ["init"], nothing, again=False, repeated=(64,)),
    Scenario("put", ["put", "models/candidate", "files", "-m", "first"], first_put),
    Scenario("put-again", ["put", "models/candidate", "files", "-m", "second"], second_put),
    Scenario("put-large", ["put", "models/large", "files"], large_put),
    Scenario("put-rows", PUT_ROWS, first_rows),
    Scenario("put-rows-again", PUT_ROWS, second_rows),
    Scenario("put-vectors", ["put", "features/wide", "rows.jsonl", "--key", "id", "--vector", "vector"], wide_rows),
    Scenario("move", ["move", "models/shadow", "models/candidate"], second_put),
    Scenario("promote", PROMOTE, three_candidates),
    Scenario("rollback", GO_BACK, promoted, again=False, repeated=(0, 2)),
    Scenario("undo", ["undo"], promoted, again=False),
    Scenario("compaction", ["put", "models/small-0", "small"], until(16)),
    Scenario("checkpoint", ["put", "models/small-0", "small"], until(32)),
    Scenario("gather", ["move", "models/shadow", "models/candidate"], long_log),
    Collection("gc", [*COLLECT, "--grace", "0s"], garbage, effect=live_packs, settled=collect_again),
    Collection("gc-grace", COLLECT, garbage, effect=live_packs, settled=collect_again),
    Collection("gc-sparse", [*COLLECT, "--grace", "0s"], sparse, effect=live_packs, settled=collect_again),
    Collection("gc-purge", [*COLLECT, "--purge", "--grace", "0s"], garbage, effect=live_packs, settled=collect_again),
    Scenario(
        "gc-undo", lambda sandbox: ["undo", str(newest(sandbox))], collected, again=False, repeated=(2,),
        effect=live_packs),
    Repair("repair", [*REPAIR, "sound.fti"], damaged),
    Repair("repair-anew", [*REPAIR, "copy.fti"], damaged_otherwise),
    Scenario("signed-put", ["put", "models/candidate", "files", "-m", "second"], signed(second_put)),
    Scenario("signed-promote", PROMOTE, signed(three_candidates)),
    Scenario("policy", ["policy", "set", "policy.json"], with_approvals, again=False, effect=transactions),
    Scenario("approve", ["approve", "models/current", "models/candidate"], waiting, again=False, effect=transactions),
    Scenario("approved", PROMOTE, approved),
    Scenario(
        "release", ["release", "releases/prod", "--features", "features/prod", "--model", "models/current"],
        promoted),
    Steps("pin", ["pin", "models/current", "features/prod"], promoted, effect=lock_file),
]


def named(names):
    chosen = [scenario for scenario in SCENARIOS if not names or scenario.name in names]
    missing = set(names or ()) - {scenario.name for scenario in chosen}
    if missing:
        raise SystemExit(f"torture: unknown scenario: {', '.join(sorted(missing))}")
    return chosen
