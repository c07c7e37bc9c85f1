"""10,000 text files of 1 to 20 KB: put, repeated put, get."""
from . import harness, tools


def run(bench):
    data = bench.workload("w3", "done")
    present = tools.chosen(bench, "datasets/documents", None if bench.everything else ("fti", "cp", "borg"))
    for _ in bench.rounds():
        for tool in present:
            # Its stand-in for a server returns one file at a time, which takes a minute and does not measure the client.
            if tool.name == "hf-xet":
                tool.get = None
            shop = tools.Shop(bench, tool)
            harness.stage(data / "v1", shop.work)
            if shop.do("put"):
                shop.do("again")
                shop.do("get")
                shop.do("verify")
            shop.close()
    for op, what, limit in (("put", "put of 10,000 small files, durable", 0.5), ("get", "get of 10,000 small files, verified", 0.6), ("again", "put of the same files again", 0.1)):
        bench.against(what, limit, ("fti", op), ("borg", op), command=f"ftictl {'get' if op == 'get' else 'put'} datasets/documents ...")
