"""A repository of 10,000 signed transactions: how much longer opening takes than for an unsigned one."""
import os, shutil, statistics

from . import harness

# With this number the log ends just before a checkpoint is due: without the newest checkpoint, a reader checks 31 entries.
VERSIONS = 10_008


def run(bench):
    home = bench.fresh("trust.home")
    home.mkdir()
    users = {"XDG_CONFIG_HOME": str(home / "config"), "XDG_STATE_HOME": str(home / "state")}
    harness.execute([harness.FTICTL, "key", "new", "bench"], env=users)
    plain, signed = bench.fresh("plain.fti"), bench.fresh("signed.fti")
    bench.fixture(plain, "history", "--versions", VERSIONS)
    bench.fixture(signed, "history", "--versions", VERSIONS, "--key", home / "config/fti/keys/bench.key")
    worst = {}
    for name, repo in (("plain", plain), ("signed", signed)):
        worst[name] = bench.fresh(f"worst-{name}.fti")
        shutil.copytree(repo, worst[name])
        os.remove(max((worst[name] / "log/checkpoints").iterdir()))
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
        for name, repo in worst.items():
            harness.remove(home / "first")
            bench.measure("fti", f"worst {name}", resolve(repo), env={**users, "XDG_STATE_HOME": str(home / "first")})
    for kind, what in (("known", "seen before"), ("first", "for the first time, from a checkpoint signed by an admin"),
                       ("worst", "for the first time, 31 entries after such a checkpoint")):
        pairs = zip(bench.of("fti", f"{kind} signed"), bench.of("fti", f"{kind} plain"))
        added = statistics.median(s.seconds - p.seconds for s, p in pairs) * 1e3
        bench.line(f"cost of signatures when opening {VERSIONS:,} transactions, {what}", "<= 3 ms", added, 3, f"{added:.2f} ms",
                   medians=bench.medians([("fti", f"{kind} signed"), ("fti", f"{kind} plain")]), command="ftictl resolve models/current")
    shutil.rmtree(signed / "log/checkpoints")
    os.remove(signed / "log/tip")
    for _ in bench.rounds():
        harness.remove(home / "first")
        bench.measure("fti", "from entry 0", resolve(signed), env={**users, "XDG_STATE_HOME": str(home / "first")})
        bench.measure("fti", "each signature", [harness.FTICTL, "--repo", signed, "verify"], env=users)
    for op, what in (("from entry 0", "for the first time, from entry 0"), ("each signature", "verify, each signature")):
        command = "ftictl verify" if op == "each signature" else "ftictl resolve models/current"
        bench.line(f"{VERSIONS:,} signed transactions, {what}", "", bench.median("fti", op), None, harness.seconds(bench.median("fti", op)), command=command)
