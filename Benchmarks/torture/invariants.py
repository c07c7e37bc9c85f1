"""The invariants of a repository after any fault, checked with fresh processes and with the walker, which shares no
code with the project."""

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
    """The visible state of a repository: the snapshot of each ref, the content of that snapshot, and how many older
    versions have been collected."""

    def __init__(self, refs, contents, collected):
        self.refs, self.contents, self.collected = refs, contents, collected

    def like(self, known):
        """The state for comparison. Ids outside `known` are replaced, because new snapshots contain the time."""
        return {
            "collected": self.collected,
            **{name: (id if id in known else "new", self.contents[name]) for name, id in self.refs.items()}}


def walk(repository):
    """The walker's report, and the problems it found."""
    try:
        return WALKER.walk(repository), []
    except SystemExit as error:
        return None, [f"the walker: {error}"]
    except Exception as error:  # any failure of the walker is a finding
        return None, [f"the walker: {type(error).__name__}: {error}"]


def view(sandbox):
    """The refs that a fresh process sees; None and the reason if it fails."""
    outcome = sandbox.run("refs", "--json")
    if outcome.status != 0:
        return None, f"refs: {outcome}"
    refs = {}
    for line in outcome.output.splitlines():
        record = json.loads(line)
        refs[record["name"]] = record["id"]
    return refs, None


def read_out(sandbox, name):
    """The SHA-256 of every file that `get` writes for a ref."""
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
    """Files outside the format: unfinished ones, and all others."""
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
    """Checks the invariants of any repository.

    `contents` maps the id of a content to the files that `get` must write for it; with `learns`, missing ids are added
    from an undamaged repository. Returns a View, or None if there is no repository, and the violations.
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
            problems.append(f"refs are {refs}, but the walker found {report['refs']}")
        seen, collected = report["contents"], report["collected"]
    # Several refs may point at one snapshot.
    for name in {id: name for name, id in refs.items()}.values():
        files, problem = read_out(sandbox, name)
        if problem:
            problems.append(problem)
        elif learns:
            contents[seen[name]] = files
        elif name in seen and files != contents.get(seen[name], files):
            problems.append(f"{name} has the wrong files")
    _, strange = debris(sandbox)
    if strange:
        problems.append(f"unknown files: {strange}")
    return View(refs, {name: seen.get(name) for name in refs}, collected), problems


def check_again(sandbox):
    """Checks with the walker only, for repositories on which `verify --full` runs next."""
    report, problems = walk(sandbox.repository)
    if problems:
        return None, problems
    return View(report["refs"], report["contents"], report["collected"]), []


def check_damaged(sandbox, refs, files):
    """Checks a damaged repository that is known to have these refs with these files: every command returns correct data
    or exits with 5, and `verify` finds the damage."""
    problems = []
    outcome = sandbox.run("verify", "--full")
    if outcome.status != 1:
        problems.append(f"verify --full: {outcome}")
    found, problem = view(sandbox)
    if problem is not None and ": exit 5: " not in problem:
        problems.append(problem)
    if found is not None and found != refs:
        problems.append(f"refs are {found}, but were {refs}")
    for name in {id: name for name, id in refs.items()}.values():
        found, problem = read_out(sandbox, name)
        if problem is not None and ": exit 5: " not in problem:
            problems.append(problem)
        if found is not None and found != files[name]:
            problems.append(f"{name} has the wrong files")
    _, strange = debris(sandbox)
    if strange:
        problems.append(f"unknown files: {strange}")
    return problems
