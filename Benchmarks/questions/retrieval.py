"""100,000 chunks (1,000,000 as well with --all): hybrid search against vectors only, opening, and the next snapshot."""
import json, pathlib, statistics, subprocess, time

from . import harness

BIN = harness.ROOT / ".build/release"
DIMENSION = 384


def run(bench):
    for rows in (100_000, 1_000_000) if bench.everything else (100_000,):
        ask(bench, rows)


def ask(bench, rows):
    name = f"{rows:,} chunks"
    data = bench.workload("documents", "done", "--rows", str(rows)) if rows == 100_000 else million(bench)
    questions = (data / "questions.txt").read_text().splitlines()
    repo = bench.fresh("retrieval.fti")
    feature = configuration(bench, "feature.yaml", f"ref: features/prod\nsources:\n  - files: {{}}\n", data / "v1")
    harness.execute([harness.FTICTL, "--repo", repo, "init", repo])
    pipeline(bench, "fti", f"run of {name}", repo, "fti-feature", feature)
    model = configuration(bench, "training.yaml", "features: features/prod\nmodel: models/current\nsft: {{epochs: 0}}\ndpo: {{epochs: 0}}\n", data)
    pipeline(bench, "fti", "training", repo, "fti-training", model)
    for _ in bench.rounds(3 if rows > 100_000 else None):
        for mode in ("hybrid", "vector", "lexical"):
            answering(bench, repo, questions, mode, name)
    limit = 2
    bench.against(f"a question to {name}, p50, against vectors alone", limit, ("fti", f"hybrid, {name}"), ("fti", f"vector, {name}"), command="fti-inference ask --stdin")
    opened = bench.median("fti", f"opening, hybrid, {name}")
    bench.line(f"opening {name}", "<= 2 s" if rows > 100_000 else "", opened, 2 if rows > 100_000 else None, harness.seconds(opened), command="fti-inference ask")
    peak = bench.median("fti", f"opening, hybrid, {name}", "peak") * 2**20
    # The stored vectors and codes, and a contiguous copy of the codes for the scan.
    own = rows * DIMENSION * 6
    bench.line(f"... memory, against that of vectors and codes ({own / 1e9:.2f} GB)", "<= 1.5 x" if rows > 100_000 else "", peak / own,
               1.5 if rows > 100_000 else None, f"{peak / own:.2f} x", command="fti-inference ask")
    if rows == 100_000:
        later = configuration(bench, "feature.yaml", f"ref: features/prod\nsources:\n  - files: {{}}\n", data / "v2")
        sample = pipeline(bench, "fti", "0.2 % changed", repo, "fti-feature", later)
        bench.line(f"next snapshot of {name}, 0.2 % changed", "<= 1 MB more", sample.added, None, harness.megabytes(sample.added),
                   medians=harness.seconds(sample.seconds), command="fti-feature run")


def million(bench):
    """A million documents: ten folders like the one of 100,000, with different numbers."""
    data = bench.data / "documents-1000000"
    if not (data / "done").exists():
        print("  making the data of a million documents", flush=True)
        harness.execute(["python3", harness.HERE / "workloads.py", data, "documents", "--rows", "1000000"], limit=3600)
        (data / "done").touch()
    return data / "documents"


def configuration(bench, name, text, folder):
    path = bench.scratch / name
    path.write_text(text.format(json.dumps(str(folder))))
    return path


def pipeline(bench, tool, op, repo, program, path):
    return bench.measure(tool, op, [BIN / program, "run", path, "--repo", repo, "--no-progress", "--json"], store=repo)


def answering(bench, repo, questions, mode, name):
    """Asks the questions in sequence, like a service: the first one opens the repository, the others run warm."""
    command = [BIN / "fti-inference", "ask", "--repo", repo, "--features", "features/prod", "--model", "models/current", "--stdin", "--json",
               "--mode", mode]
    process = subprocess.Popen([str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    times = []
    for number, question in enumerate(questions[:1] + questions):
        sent = time.perf_counter()
        process.stdin.write(json.dumps({"id": number, "question": question}) + "\n")
        process.stdin.flush()
        if not process.stdout.readline():
            raise harness.Failed("fti-inference ended")
        times.append(time.perf_counter() - sent)
    opened = times[0]
    peak = int(next(l.split()[1] for l in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines() if l.startswith("VmHWM"))) / 1024
    process.stdin.close()
    process.wait()
    bench.within("fti", f"opening, {mode}, {name}", opened, peak)
    bench.within("fti", f"{mode}, {name}", statistics.median(times[1:]), peak)
