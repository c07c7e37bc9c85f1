"""Runs the checks of a group, and prints one JSON line for each: {"check", "error"}, with null for no error.

    FTI_BIN=FOLDER python checks.py GROUP [NAME]

A check is a function `check_...` of the module GROUP in this folder. It gets the value of the module's function `begin`, which
all checks of the group share, if it has one; otherwise a bench of its own. Python must have the package `openai`; see setup.sh.
"""
import importlib
import json
import sys
import traceback

from bench import Bench


def run(check, argument, bench):
    error = None
    try:
        check(argument)
    except Exception:
        error = traceback.format_exc(chain=False)
        for process in bench.processes:
            # The access log says little; what the processes complain of says more.
            lines = [line for line in process.output.splitlines() if '"message":"request"' not in line]
            error += "".join(f"{process.output_path.stem}: {line[:400]}\n" for line in lines[-4:])
    print(json.dumps({"check": check.__name__.removeprefix("check_").replace("_", " "), "error": error}), flush=True)


def main():
    module = importlib.import_module(sys.argv[1])
    checks = [value for name, value in vars(module).items()
              if name.startswith("check_") and value.__module__ == module.__name__
              and (len(sys.argv) < 3 or sys.argv[2] in name)]
    begin = getattr(module, "begin", None)
    if begin:
        with Bench() as bench:
            shared = begin(bench)
            for check in checks:
                run(check, shared, bench)
    else:
        for check in checks:
            with Bench() as bench:
                run(check, bench, bench)


if __name__ == "__main__":
    main()
