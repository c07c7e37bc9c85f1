"""json_parsers.py orjson|json FILE: parses every line of a file; prints `seconds=S`."""
import importlib, sys, time

loads = importlib.import_module(sys.argv[1]).loads
start, rows = time.perf_counter(), 0
with open(sys.argv[2], "rb") as lines:
    for line in lines:
        loads(line)
        rows += 1
print(f"seconds={time.perf_counter() - start:.6f}")
