"""Collection of a repository that is half garbage, against a plain copy of the surviving half."""
import os, random, shutil, statistics

from . import harness

# Incompressible model files: every surviving byte must be copied.
FILES, BYTES = 40, 25_000_000


def fill(folder, seeds):
    harness.remove(folder)
    folder.mkdir(parents=True)
    for seed in seeds:
        (folder / f"part{seed}.bin").write_bytes(random.Random(seed).randbytes(BYTES))


def packs(repo):
    return sorted((repo / "packs").iterdir())


def run(bench):
    """Two kinds of garbage: whole packs, and slightly more than half of each of a few packs, which are rewritten."""
    rounds = bench.count
    ratios, peak = {"whole packs": [], "parts of packs": []}, 0
    for case in ratios:
        origin, work = bench.fresh(f"space-{case.replace(' ', '-')}.fti"), bench.fresh("space-work")
        harness.execute([harness.FTICTL, "init", origin])
        put = lambda ref, folder: harness.execute([harness.FTICTL, "--repo", origin, "put", ref, folder])
        for pack in range(4):
            seeds = list(range(pack * 10, pack * 10 + 10))
            fill(work, seeds)
            put(f"models/m{pack}", work)
            if case == "whole packs" and pack < 2:
                fill(work, [1000 + pack])
                put(f"models/m{pack}", work)
            elif case == "parts of packs":
                # Four of ten files survive, so the pack is rewritten.
                for seed in seeds[4:]:
                    (work / f"part{seed}.bin").unlink()
                put(f"models/m{pack}", work)
        copy, survivors = bench.fresh("space-copy"), bench.fresh("space-survivors.fti")
        collect = ["gc", "--keep", "0s", "--keep-last", "1", "--grace", "0s"]
        shutil.copytree(origin, survivors)
        harness.execute([harness.FTICTL, "--repo", survivors, *collect])
        kept = " ".join(str(path) for path in packs(survivors))
        for _ in bench.rounds(rounds):
            # Both start after a write of a gigabyte, which slows the next writer.
            # A client would remember the newer log of the previous round; `fresh` makes it forget.
            for turn in ("gc", "cp"):
                repo = bench.fresh("space.fti")
                harness.remove(copy)
                shutil.copytree(origin, repo)
                os.sync()
                if turn == "gc":
                    gc = bench.ftictl(f"gc, {case}", repo, *collect)
                    peak = max(peak, gc.peak)
                else:
                    plain = bench.measure(
                        "cp", f"copy, {case}", f"mkdir {copy} && cp --reflink=never {kept} {copy} && sync {copy}/*")
            ratios[case].append(gc.wall / plain.wall)
        harness.remove(survivors)
        for folder in (origin, repo, copy, work):
            harness.remove(folder)
    for case, values in ratios.items():
        bench.line(f"gc of 1 GB, half of it garbage ({case}), against copying the surviving half", "<= 3 x",
                   statistics.median(values), 3, f"{statistics.median(values):.2f} x", command="ftictl gc")
    bench.line("peak memory of gc", "< 512 MiB", peak, 512, f"{peak:.0f} MiB", command="ftictl gc")
