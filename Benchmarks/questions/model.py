"""A 265 MB bf16 model and its successors: put, repeated put, get, verify, and the bytes that each version adds."""
from . import harness, tools

PUT = "ftictl put models/candidate data"


def run(bench):
    data = bench.workload("w1", "done")
    files = {v: data / v / "model.safetensors" for v in ("v1", "v2", "v3")}
    raw = files["v1"].stat().st_size
    halves = {name: bench.shared(f"halves-{name}", lambda path: split([files[v] for v in versions], path))
              for name, versions in (("v1", ["v1"]), ("v1-v3", ["v1", "v2", "v3"]))}
    present = tools.chosen(bench, "models/candidate")
    for _ in bench.rounds():
        for tool in present:
            shop = tools.Shop(bench, tool)
            harness.stage(data / "v1", shop.work)
            if shop.do("put"):
                shop.do("again")
                if tool.name == "fti":
                    shop.do("verify", "verify v1")
                shop.do("get")
                for version in ("v2", "v3"):
                    harness.stage(data / version, shop.work)
                    shop.do("put", f"put {version}", version)
                shop.do("verify")
            shop.close()
        for name, op in (("v1", "verify v1"), ("v1-v3", "verify")):
            bench.measure("sha256 x2", op, f"openssl dgst -sha256 {halves[name]}/a & openssl dgst -sha256 {halves[name]}/b & wait")

    for peer, limit in (("dvc", 0.4), ("borg", 0.4), ("hf-xet", 0.25)):
        bench.against("put of the 265 MB model, durable", limit, ("fti", "put"), (peer, "put"), command=PUT)
    stored = bench.median("fti", "put", "added")
    bench.line("... stored size / raw size", "<= 0.68", stored / raw, 0.68, f"{stored / raw:.3f}", medians=harness.megabytes(stored), command=PUT)
    for version, what, limit in (("v2", "5 % of the tensors changed", 10e6), ("v3", "one tensor prepended, 64 rows appended", 0.2e6)):
        op = f"put {version}"
        bench.against(f"put of {version}, {what}", 0.7, ("fti", op), ("hf-xet", op), command=PUT)
        added = bench.median("fti", op, "added")
        peers = ", ".join(f"{t.name} {harness.megabytes(bench.median(t.name, op, 'added'))}" for t in present[2:] if bench.of(t.name, op))
        bench.line(f"... new bytes of {version}", f"<= {limit / 1e6:g} MB", added, limit, harness.megabytes(added), medians=peers, command=PUT)
    again = bench.median("fti", "again")
    bench.line("put of the same model again", "<= 50 ms", again, 0.05, harness.seconds(again),
               medians=bench.medians([(t.name, "again") for t in present if t.name != "fti"]), command=PUT)
    bench.against("get of v1, verified", 1.5, ("fti", "get"), ("cp", "get"), command="ftictl get models/candidate~2 -o DIR")
    bench.against("verify --full, v1 to v3, against SHA-256 of the raw bytes on two threads", 1.2, ("fti", "verify"), ("sha256 x2", "verify"),
                  command="ftictl verify --full")
    bench.against("verify --full, v1 only, against SHA-256 of v1", 1.2, ("fti", "verify v1"), ("sha256 x2", "verify v1"),
                  command="ftictl verify --full")


def split(paths, folder):
    """Writes the bytes of all files as two files of equal size, so that two processes share the work evenly."""
    folder.mkdir(parents=True)
    half = sum(p.stat().st_size for p in paths) // 2
    names = " ".join(str(p) for p in paths)
    harness.execute(f"cat {names} | head -c {half} > {folder}/a && cat {names} | tail -c +{half + 1} > {folder}/b")
