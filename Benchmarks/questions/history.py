"""resolve and log on a ref with 10,000 versions, as whole processes, against git."""
import json, os

from . import harness

VERSIONS = 10_000


def run(bench):
    repo = bench.shared("history.fti", lambda path: bench.fixture(path, "history", "--versions", VERSIONS))
    work = bench.shared("history.git", git_history)
    env = {"LC_ALL": "C"}
    bench.versions["git"] = harness.execute("git --version")[3].strip()
    asked = {"resolve": (["resolve", "models/current"], ["rev-parse", "main"]),
             "log -n 20": (["log", "models/current", "-n", "20"], ["log", "-n", "20", "main"])}
    for _ in bench.rounds(max(bench.count, 15)):
        for op, (ours, theirs) in asked.items():
            bench.measure("fti", op, [harness.FTICTL, "--repo", repo, *ours], env=env)
            bench.measure("git", op, ["git", "-C", work, *theirs], env=env)
    for op, (ours, _) in asked.items():
        bench.against(f"{op}, 10,000 versions, whole process", 2, ("fti", op), ("git", op), command="ftictl " + " ".join(ours))


def git_history(path):
    """Creates the same history in git, in the fastest way."""
    path.mkdir(parents=True)
    harness.execute("git init -q -b main . && git config gc.auto 0", path)
    stream = path.with_suffix(".stream")
    with open(stream, "w") as f:
        for version in range(VERSIONS):
            f.write(f"commit refs/heads/main\ncommitter b <b@b> {1700000000 + version} +0000\ndata 5\nstep\n\n")
            for part in range(20) if version == 0 else [version % 20]:
                text = json.dumps([(version * 20 + part) * 2654435761 * (n + 1) % (1 << 30) for n in range(90)])
                f.write(f"M 100644 inline part-{part:02d}.json\ndata {len(text)}\n{text}\n")
    harness.execute(f"git fast-import --quiet < {stream} && git reset -q --hard", path)
    os.remove(stream)
