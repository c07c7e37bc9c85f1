"""100,000 rows of JSON Lines (493 MB) and their next version: time against parsing only, and bytes added."""
import importlib.util
import pathlib

from . import harness, tools

PUT = "ftictl put features/rows rows.jsonl --key id,chunk --vector emb"
OPTIONS = ("--key", "id,chunk", "--vector", "emb")


def run(bench):
    data = bench.workload("w2", "done")
    parsers = [m for m in (("orjson", "json") if bench.everything else ("orjson",))]
    stores = [t for t in tools.chosen(bench, "features/rows", ("hf-xet", "borg", "casync"))] if bench.everything else []
    for parser in parsers:
        if not importlib.util.find_spec(parser):
            bench.skip(parser, "it is not installed; Benchmarks/setup.sh installs it")
    for _ in bench.rounds():
        repo = bench.fresh("rows.fti")
        harness.execute([harness.FTICTL, "--repo", repo, "init", repo])
        for version in ("v1", "v2"):
            bench.ftictl(f"put {version}", repo, "put", "features/rows", data / version / "rows.jsonl", *OPTIONS)
        results, peak = bench.program("parse", data / "v2/rows.jsonl", *OPTIONS)
        bench.within("fti's parser", "parse", results[0]["seconds"], peak)
        for parser in parsers:
            if importlib.util.find_spec(parser):
                bench.measure(parser, "parse", bench.python("json_parsers.py", parser, data / "v2/rows.jsonl"))
        for tool in stores:
            shop = tools.Shop(bench, tool)
            for version in ("v1", "v2"):
                stage_rows(data / version, shop.work)
                shop.do("put", f"put {version}", version)
            shop.close()
    bench.keep("rows.fti", repo)

    added = bench.median("fti", "put v2", "added")
    peers = ", ".join(f"{t.name} {harness.megabytes(bench.median(t.name, 'put v2', 'added'))}" for t in stores if bench.of(t.name, "put v2"))
    bench.line("second snapshot of 100,000 rows, 0.2 % changed", "<= 2 MB added", added, 2e6, harness.megabytes(added), medians=peers, command=PUT)
    bench.against("... time, against parsing the file", 2, ("fti", "put v2"), ("fti's parser", "parse"), command=PUT)
    for parser in parsers:
        bench.against(f"... against {parser}.loads of every line", None, ("fti", "put v2"), (parser, "parse"), command=PUT)


def stage_rows(folder: pathlib.Path, work: pathlib.Path):
    """The JSON Lines, without the files that the workload contains for other tools."""
    harness.remove(work / "data")
    (work / "data").mkdir()
    harness.execute(["cp", folder / "rows.jsonl", work / "data"])
    harness.os.sync()


def repository(bench):
    """A repository with both versions, for other questions; reuses the one of this question if it ran before."""
    def make(path):
        data = bench.workload("w2", "done")
        harness.execute([harness.FTICTL, "--repo", path, "init", path])
        for version in ("v1", "v2"):
            harness.execute([harness.FTICTL, "--repo", path, "put", "features/rows", data / version / "rows.jsonl", *OPTIONS])
    return bench.shared("rows.fti", make)
