"""A repository of 10,000 signed transactions: what the checks add to opening it, against one that nobody signs."""
import os, pathlib, shutil, statistics, tempfile

from . import harness
from .history import VERSIONS, history


def run(bench):
    home = bench.fresh("trust.home")
    home.mkdir()
    users = {"XDG_CONFIG_HOME": str(home / "config"), "XDG_STATE_HOME": str(home / "state")}
    harness.execute([harness.FTICTL, "key", "new", "bench"], env=users)
    plain = bench.shared("history.fti", lambda path: history(bench, path))
    signed = bench.fresh("signed.fti")
    make(bench, signed, home / "config/fti/keys/bench.key")
    resolve = lambda repo: [harness.FTICTL, "--repo", repo, "resolve", "models/current"]
    for repo in (plain, signed):
        harness.execute(resolve(repo), env=users)
    kept = {"plain": plain, "signed": signed}
    for _ in bench.rounds(max(bench.count, 15)):
        for name, repo in kept.items():
            bench.measure("fti", f"known {name}", resolve(repo), env=users)
        for name, repo in kept.items():
            harness.remove(home / "first")
            bench.measure("fti", f"first {name}", resolve(repo), env={**users, "XDG_STATE_HOME": str(home / "first")})
    for kind, what in (("known", "seen before"), ("first", "for the first time, from a checkpoint that an admin has signed")):
        pairs = zip(bench.of("fti", f"{kind} signed"), bench.of("fti", f"{kind} plain"))
        added = statistics.median(s.seconds - p.seconds for s, p in pairs) * 1e3
        bench.line(f"what signatures add to opening {VERSIONS:,} transactions, {what}", "<= 3 ms", added, 3, f"{added:.2f} ms",
                   medians=bench.medians([("fti", f"{kind} signed"), ("fti", f"{kind} plain")]), command="ftictl resolve models/current")
    # Without a checkpoint every signature is checked.
    shutil.rmtree(signed / "log/checkpoints")
    os.remove(signed / "log/tip")
    harness.remove(home / "first")
    bench.measure("fti", "from entry 0", resolve(signed), env={**users, "XDG_STATE_HOME": str(home / "first")})
    bench.line(f"{VERSIONS:,} signatures, one by one", "", bench.median("fti", "from entry 0"), None,
               harness.seconds(bench.median("fti", "from entry 0")), command="ftictl resolve models/current")


def make(bench, path, key):
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        made = pathlib.Path(folder) / "signed.fti"
        bench.program("fixtures", "history", made, "--versions", VERSIONS, "--key", key)
        shutil.copytree(made, path)
    os.sync()
