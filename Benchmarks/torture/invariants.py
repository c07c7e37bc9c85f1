"""What must hold of a repository whatever happened to it, asked of fresh processes and of the walker,
which shares no code with the project."""

import hashlib
import importlib.util
import json
import re
import shutil

from tools import ROOT

EXPECTED_FILES = [
    r"log/\d{20}\.json", r"log/tip", r"log/reserve", r"log/\d{20}-\d{20}\.segment",
    r"log/checkpoints/\d{20}-[0-9a-f]{64}(\.signed)?\.json", r"packs/[0-9a-f]{64}", r"leases/[^/]+\.json",
]
DEBRIS = re.compile(r"(^|/)tmp-[0-9a-f]{32}$")


def load_walker():
    specification = importlib.util.spec_from_file_location(
        "walk_repository", ROOT / "Tests/Fixtures/walk_repository.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


WALKER = load_walker()


class View:
    """What a repository says: the snapshot of each ref, that snapshot's content, and how many older versions were
    collected."""

    def __init__(self, refs, contents, collected):
        self.refs, self.contents, self.collected = refs, contents, collected

    def like(self, known):
        """The same with ids that are not in `known` replaced: new snapshots carry the time."""
        return {
            "collected": self.collected,
            **{name: (id if id in known else "new", self.contents[name]) for name, id in self.refs.items()}}


def walk(repository):
    """The walker's report, and what it objects to."""
    try:
        return WALKER.walk(repository), []
    except SystemExit as error:
        return None, [f"the walker: {error}"]
    except Exception as error:  # a walker that fails at all has found something
        return None, [f"the walker: {type(error).__name__}: {error}"]


def view(sandbox):
    """What a fresh process sees; None and the reason when it sees nothing."""
    outcome = sandbox.run("refs", "--json")
    if outcome.status != 0:
        return None, f"refs: {outcome}"
    refs = {}
    for line in outcome.output.splitlines():
        record = json.loads(line)
        refs[record["name"]] = record["id"]
    return refs, None


def read_out(sandbox, name):
    """The SHA-256 of every file of a ref, as `get` writes them."""
    target = sandbox.directory / "read-out"
    shutil.rmtree(target, ignore_errors=True)
    outcome = sandbox.run("get", name, "-o", str(target))
    if outcome.status != 0:
        return None, f"get {name}: {outcome}"
    files = {
        str(path.relative_to(target)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(target.rglob("*")) if path.is_file()}
    shutil.rmtree(target)
    return files, None


def debris(sandbox):
    """Names that the format does not know: unfinished files, and anything else."""
    unfinished, strange = [], []
    for path in sandbox.repository.rglob("*"):
        name = str(path.relative_to(sandbox.repository))
        if path.is_dir():
            continue
        if DEBRIS.search(name):
            unfinished.append(name)
        elif not any(re.fullmatch(pattern, name) for pattern in EXPECTED_FILES):
            strange.append(name)
    return unfinished, strange


def check(sandbox, contents, learns=False):
    """Everything that must hold of any repository.

    `contents` maps the id of a content to the files that it must give, and learns those that it does not know
    where nothing has happened yet. Gives a View, or None where there is no repository, and the violations.
    """
    if not sandbox.repository.exists():
        return None, []
    problems = []
    refs, problem = view(sandbox)
    if problem:
        return None, [problem]
    outcome = sandbox.run("verify", "--full")
    if outcome.status != 0:
        problems.append(f"verify --full: {outcome} {outcome.output.decode(errors='replace')[:400]}")
    report, objections = walk(sandbox.repository)
    problems += objections
    seen, collected = {}, 0
    if report:
        if report["refs"] != refs:
            problems.append(f"refs are {refs}, the walker says {report['refs']}")
        seen, collected = report["contents"], report["collected"]
    # Several refs may point at one snapshot.
    for name in {id: name for name, id in refs.items()}.values():
        files, problem = read_out(sandbox, name)
        if problem:
            problems.append(problem)
        elif learns:
            contents[seen[name]] = files
        elif name in seen and files != contents.get(seen[name], files):
            problems.append(f"{name} has other files than were stored")
    _, strange = debris(sandbox)
    if strange:
        problems.append(f"files that the format does not know: {strange}")
    return View(refs, {name: seen.get(name) for name in refs}, collected), problems


def check_again(sandbox):
    """What the walker alone finds: for repositories in which `verify --full` follows."""
    report, problems = walk(sandbox.repository)
    if problems:
        return None, problems
    return View(report["refs"], report["contents"], report["collected"]), []


def check_damaged(sandbox, refs, files):
    """What must hold of a repository that is damaged, and known to have these refs with these files: whoever asks is
    given the truth or exit 5, and `verify` finds the damage."""
    problems = []
    outcome = sandbox.run("verify", "--full")
    if outcome.status != 1:
        problems.append(f"verify --full: {outcome}")
    found, problem = view(sandbox)
    if problem is not None and ": exit 5: " not in problem:
        problems.append(problem)
    if found is not None and found != refs:
        problems.append(f"refs are {found} and were {refs}")
    for name in {id: name for name, id in refs.items()}.values():
        found, problem = read_out(sandbox, name)
        if problem is not None and ": exit 5: " not in problem:
            problems.append(problem)
        if found is not None and found != files[name]:
            problems.append(f"{name} has other files than were stored")
    _, strange = debris(sandbox)
    if strange:
        problems.append(f"files that the format does not know: {strange}")
    return problems
