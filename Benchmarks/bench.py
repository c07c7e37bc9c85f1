#!/usr/bin/env python3
"""Measures fti against git, DVC and the data's own size; prints medians and ratios taken in the same run.

    bench.py [--data DIR] [--scratch DIR] [--runs 5] [--only resolve,model,table,memory]

Every operation is one whole process, timed by the kernel's accounting of its process tree, after its input was
synced; the tools take turns, so that a drift of the machine hits them alike. fti returns when its bytes are
durable; what the others leave unsynced is not charged to them.
"""
import argparse, json, os, pathlib, platform, shutil, statistics, subprocess, sys, tempfile, time

HERE = pathlib.Path(__file__).resolve().parent
BIN = HERE.parent / ".build/release"
ROWS = []


def timed(args, cwd=None, env=None):
    """Runs a command -> seconds, peak MiB of its largest process, standard output."""
    os.sync()
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        p = subprocess.Popen([str(a) for a in args], cwd=cwd, env={**os.environ, **(env or {})},
                             stdout=out, stderr=subprocess.PIPE)
        err = p.stderr.read()
        _, status, usage = os.wait4(p.pid, 0)
        seconds = time.perf_counter() - start
        p.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode()
    if p.returncode not in (0, 1):
        sys.exit(f"{args}: exit {p.returncode}\n{err.decode()}")
    return seconds, usage.ru_maxrss / 1024, text


def ftictl(*args, repo, **k):
    return timed([BIN / "ftictl", "--repo", repo, "--json", *args], **k)


def row(what, must, got, ok):
    ROWS.append((what, must, got, "yes" if ok else "NO"))
    print(f"{'ok ' if ok else 'MISS'}  {what}: {got} (must be {must})", flush=True)


def size(path):
    return sum(f.stat().st_size for f in pathlib.Path(path).rglob("*") if f.is_file())


def fresh(scratch, name):
    path = scratch / name
    shutil.rmtree(path, ignore_errors=True)
    return path


def mb(n):
    return f"{n / 1e6:.2f} MB"


def resolve(scratch, data, runs):
    repo, work = fresh(scratch, "resolve.fti"), fresh(scratch, "resolve.git")
    work.mkdir(parents=True)
    (work / "a").write_text("a\n")
    ftictl("init", repo, repo=repo)
    ftictl("put", "models/current", work / "a", repo=repo)
    git = ["git", "-c", "user.name=b", "-c", "user.email=b@b"]
    for args in (["init", "-q"], ["add", "a"], ["commit", "-qm", "a"]):
        timed(git + args, cwd=work)
    ours, theirs = [], []
    for _ in range(max(runs, 40)):
        ours.append(timed_small([BIN / "ftictl", "--repo", repo, "resolve", "models/current"]))
        theirs.append(timed_small(["git", "-C", work, "rev-parse", "HEAD"]))
    ratio = statistics.median(a / b for a, b in zip(ours, theirs))
    row("resolve models/current, whole process, against git rev-parse", "<= 2.5 times",
        f"{ratio:.2f} times ({statistics.median(ours) * 1e3:.2f} ms, {statistics.median(theirs) * 1e3:.2f} ms)", ratio <= 2.5)


def timed_small(args):
    start = time.perf_counter()
    subprocess.run([str(a) for a in args], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def model(scratch, data, runs):
    v = {n: data / "w1" / n / "model.safetensors" for n in ("v1", "v2", "v3")}
    raw = v["v1"].stat().st_size
    dvc = shutil.which("dvc", path=f"{HERE / '.venv/bin'}:{os.environ['PATH']}")
    ours, theirs, stored, new2, new3 = [], [], 0, 0, 0
    for _ in range(runs):
        repo = fresh(scratch, "model.fti")
        ftictl("init", repo, repo=repo)
        before = size(repo)
        ours.append(ftictl("put", "models/candidate", v["v1"], repo=repo)[0])
        stored = size(repo) - before
        new2 = -size(repo)
        ftictl("put", "models/candidate", v["v2"], repo=repo)
        new2 += size(repo)
        # v3 succeeds v1: it is measured in a repository that has not seen v2.
        other = fresh(scratch, "model3.fti")
        ftictl("init", other, repo=other)
        ftictl("put", "models/candidate", v["v1"], repo=other)
        new3 = -size(other)
        ftictl("put", "models/candidate", v["v3"], repo=other)
        new3 += size(other)
        if dvc:
            work = fresh(scratch, "model.dvc")
            work.mkdir(parents=True)
            env = {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(scratch / "dvc-site")}
            timed([dvc, "init", "--no-scm", "-q"], cwd=work, env=env)
            shutil.copy(v["v1"], work / "model.safetensors")
            theirs.append(timed([dvc, "add", "-q", "model.safetensors"], cwd=work, env=env)[0])
    if theirs:
        ratio = statistics.median(a / b for a, b in zip(ours, theirs))
        row(f"put of the {raw / 1e6:.0f} MB model, durable, against dvc add", "<= 1 times",
            f"{ratio:.2f} times ({statistics.median(ours):.2f} s, {statistics.median(theirs):.2f} s)", ratio <= 1)
    row("... stored, of raw", "<= 0.72", f"{stored / raw:.3f}", stored / raw <= 0.72)
    row("new bytes of v2, 5 % of the tensors changed", "<= 25 MB", mb(new2), new2 <= 25e6)
    row("new bytes of v3, one tensor in front", "<= 1 MB", mb(new3), new3 <= 1e6)


def table(scratch, data, runs):
    truth = json.loads((data / "w2/truth.json").read_text())
    repo = fresh(scratch, "table.fti")
    ftictl("init", repo, repo=repo)
    put = lambda v: ftictl("put", "features/staging", data / "w2" / v / "rows.jsonl", "--key", "id,chunk",
                           "--vector", "emb", repo=repo)
    first = put("v1")
    held = size(repo)
    second = put("v2")
    added = size(repo) - held
    row(f"second snapshot of the table ({first[0]:.1f} s, then {second[0]:.1f} s with its JSON Lines parsed)", "<= 5 MB added",
        mb(added), added <= 5e6)
    times, counts = [], None
    for _ in range(max(runs, 5)):
        t, _, out = ftictl("diff", "features/staging~1", "features/staging", "--stat", repo=repo)
        times.append(t)
        counts = json.loads(out.splitlines()[0])
    right = all(counts[k] == truth[k] for k in ("added", "removed", "changed"))
    t = statistics.median(times)
    row("diff --stat of the two, right counts", "< 0.5 s", f"{t * 1e3:.0f} ms, {'right' if right else 'WRONG ' + str(counts)}",
        t < 0.5 and right)
    share = read_bytes(repo) / held
    row("... bytes it reads, of the table's", "< 5 %", f"{share:.2%}", share < 0.05)


def read_bytes(repo):
    """Bytes that the diff asks the kernel for, from the files of the repository."""
    if not shutil.which("strace"):
        return float("nan")
    with tempfile.NamedTemporaryFile("r") as log:
        subprocess.run(["strace", "-f", "-y", "-e", "trace=read,pread64,mmap", "-o", log.name, str(BIN / "ftictl"), "--repo",
                        str(repo), "diff", "features/staging~1", "features/staging", "--stat"], stdout=subprocess.DEVNULL, check=True)
        total = 0
        for line in log:
            if str(repo.resolve()) in line and ("read" in line.split("(")[0]) and " = " in line:
                got = line.rsplit(" = ", 1)[1].split()[0]
                total += int(got) if got.isdigit() else 0
        return total


def memory(scratch, data, runs):
    path = data / "big/model.safetensors"
    repo, out = fresh(scratch, "big.fti"), fresh(scratch, "big.out")
    ftictl("init", repo, repo=repo)
    for name, args in (("put", ("put", "models/candidate", path)),
                       ("get", ("get", "models/candidate", "-o", out)),
                       ("verify --full", ("verify", "--full"))):
        t, rss, _ = ftictl(*args, repo=repo)
        row(f"peak resident memory of {name}, {path.stat().st_size / 1e9:.1f} GB ({t:.1f} s)", "< 256 MiB",
            f"{rss:.0f} MiB", rss < 256)
    t, rss, out2 = timed(["sh", "-c", f"{BIN}/ftictl --repo {repo} cat models/candidate:model.safetensors | sha256sum"])
    same = out2.split()[0] == subprocess.run(["sha256sum", path], capture_output=True, text=True).stdout.split()[0]
    row("... sha256sum of cat is that of the file", "same", "same" if same else "different", same)
    shutil.rmtree(out), shutil.rmtree(repo)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--data", type=pathlib.Path, default=HERE / ".data")
    a.add_argument("--scratch", type=pathlib.Path, default=HERE / ".scratch")
    a.add_argument("--runs", type=int, default=5)
    a.add_argument("--only", default="resolve,model,table,memory")
    o = a.parse_args()
    o.scratch.mkdir(parents=True, exist_ok=True)
    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.machine())
    print(f"{cpu}, {os.cpu_count()} processors, Linux {platform.release()}; medians of {o.runs} runs")
    needs = {"model": ("w1", "w1/v3"), "table": ("w2", "w2/truth.json"), "memory": ("big", "big")}
    for name in o.only.split(","):
        if name in needs and not (o.data / needs[name][1]).exists():
            subprocess.run([sys.executable, HERE / "workloads.py", o.data, needs[name][0]], check=True)
        {"resolve": resolve, "model": model, "table": table, "memory": memory}[name](o.scratch, o.data, o.runs)
    shutil.rmtree(o.scratch, ignore_errors=True)
    print("\n| what | must be | measured | met |\n|---|---|---|---|")
    for r in ROWS:
        print("| " + " | ".join(r) + " |")
    sys.exit(0 if all(r[3] == "yes" for r in ROWS) else 1)


if __name__ == "__main__":
    main()
