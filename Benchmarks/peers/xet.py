"""hf_xet, the client of the Hugging Face Hub, against its own local stand-in for the server.

    xet.py init|put|get STORE TREE [VERSION]

Prints `seconds=S`: the work without the start of the interpreter.
"""
import json, pathlib, sys, time

import hf_xet

op, store, tree, *rest = sys.argv[1:]
store, tree = pathlib.Path(store).resolve(), pathlib.Path(tree)
server, start = f"local://{store}", time.perf_counter()
if op == "init":
    store.mkdir(parents=True)
elif op == "put":
    files = sorted(p for p in (tree / "data").rglob("*") if p.is_file())
    made = hf_xet.upload_files([str(f) for f in files], server, None, None, None, None)
    names = [[str(f.relative_to(tree)), m.hash, getattr(m, "filesize", None) or m.file_size] for f, m in zip(files, made)]
    (store / f"{rest[0]}.json").write_text(json.dumps(names))
elif op == "get":
    wanted = []
    for name, digest, size in json.loads((store / f"{rest[0]}.json").read_text()):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        wanted.append(hf_xet.PyXetDownloadInfo(str(tree / name), digest, size))
    hf_xet.download_files(wanted, server, None, None, None)
print(f"seconds={time.perf_counter() - start:.6f}")
