"""Hybrid search of 100,000 chunks against vectors only, opening, the next snapshot; retrieval as a service from 10,000 (with --all, 1,000,000 as well)."""
import json, pathlib, statistics, subprocess, time

from . import harness

BIN = harness.ROOT / ".build/release"
DIMENSION = 384


# What the lexical index stores for a row of these documents.
WORDS = 290


def run(bench):
    for rows in (100_000, 1_000_000) if bench.everything else (100_000,):
        ask(bench, rows)
    for rows in (10_000, 1_000_000) if bench.everything else (10_000,):
        serve(bench, rows)


def ask(bench, rows):
    name = f"{rows:,} chunks"
    data = documents(bench, rows)
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


def serve(bench, rows):
    """What `fti-inference serve` does for a question, without HTTP, and for a new version of the features."""
    name = f"{rows:,} chunks"
    data = documents(bench, rows)
    repo = bench.fresh("service.fti")
    harness.execute([harness.FTICTL, "--repo", repo, "init", repo])
    for version in ("v1", "v2"):
        feature = configuration(bench, "feature.yaml", "ref: features/prod\nsources:\n  - files: {}\n", data / version)
        pipeline(bench, "fti", f"run of {name}, {version}", repo, "fti-feature", feature)
        if version == "v1":
            model = configuration(bench, "training.yaml", "features: features/prod\nmodel: models/current\nsft: {{epochs: 0}}\ndpo: {{epochs: 0}}\n", data)
            pipeline(bench, "fti", f"training, {name}", repo, "fti-training", model)
    command = "Benchmarks: questions"
    results = {}
    for _ in bench.rounds(3 if rows > 100_000 else None):
        for threads in (1, 2):
            made, peak = bench.program("questions", repo, data / "questions.txt", "--features", "features/prod~1", "--later", "features/prod",
                                       "--threads", threads, "--seconds", 3)
            for key, value in made[0].items():
                if not isinstance(value, str):
                    results.setdefault((key, threads), []).append(value)
            bench.within("fti", f"retrieval on {threads} threads, {name}", made[0]["p50"], peak)

    def figure(key, threads=1):
        return statistics.median(results[key, threads])

    small = rows <= 10_000
    bench.line(f"retrieval from {name}, one at a time, p50", "<= 3 ms" if small else "", figure("p50"), 0.003 if small else None,
               harness.seconds(figure("p50")), command=command)
    bench.line("... p99", "<= 10 ms" if small else "", figure("p99"), 0.010 if small else None, harness.seconds(figure("p99")), command=command)
    bench.line("... a second, on two threads", ">= 1700" if small else "", figure("perSecond", 2), 1700 if small else None,
               f"{figure('perSecond', 2):.0f}/s", least=True, command=command)
    if small:
        return
    own = rows * (DIMENSION * 5 + 12 + WORDS)
    bench.line(f"opening {name}, verified before", "<= 3 s", figure("opening"), 3, harness.seconds(figure("opening")), command=command)
    bench.line("... memory, against vectors, codes and words", "<= 1.5 x", figure("resident") / own, 1.5, f"{figure('resident') / own:.2f} x", command=command)
    bench.line("switch to a version with 0.2 % changed", "<= 1 s", figure("switching"), 1, harness.seconds(figure("switching")), command=command)
    bench.line("... memory of both", "<= 1.7 x", figure("residentWithBoth") / own, 1.7, f"{figure('residentWithBoth') / own:.2f} x", command=command)


def documents(bench, rows):
    """Folders v1 and v2 of documents, and questions; each number of documents has data of its own."""
    if rows == 100_000:
        return bench.workload("documents", "done", "--rows", str(rows))
    data = bench.data / f"documents-{rows}"
    if not (data / "done").exists():
        print(f"  making the data of {rows:,} documents", flush=True)
        harness.execute(["python3", harness.HERE / "workloads.py", data, "documents", "--rows", str(rows)], limit=3600)
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
