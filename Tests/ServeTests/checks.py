"""Runs the checks of a group, and prints one JSON line for each: {"check", "error"}, with null for no error.

    FTI_BIN=FOLDER python checks.py [--text] GROUP [NAME]

With --text it prints words for people instead, and exits with 1 if a check failed. NAME selects the checks with it in their name.

A check is a function `check_...` of the module GROUP in this folder. It gets the value of the module's function `begin`, which
all checks of the group share, if it has one; otherwise a bench of its own. Python must have the package `openai`; see setup.sh.
"""
import argparse
import importlib
import json
import sys
import traceback

from bench import Bench


def run(check, argument, bench):
    """The name of a check and its error, if there is one."""
    error = None
    try:
        check(argument)
    except Exception:
        error = traceback.format_exc(chain=False)
        for process in bench.processes:
            # The access log says little; what the processes complain of says more.
            lines = [line for line in process.output.splitlines() if '"message":"request"' not in line]
            error += "".join(f"{process.output_path.stem}: {line[:400]}\n" for line in lines[-4:])
    return check.__name__.removeprefix("check_").replace("_", " "), error


def outcomes(module, part):
    """Runs the checks of a module whose names contain a part."""
    checks = [value for name, value in vars(module).items()
              if name.startswith("check_") and value.__module__ == module.__name__ and part in name]
    if hasattr(module, "begin"):
        with Bench() as bench:
            shared = module.begin(bench)
            for check in checks:
                yield run(check, shared, bench)
    else:
        for check in checks:
            with Bench() as bench:
                yield run(check, bench, bench)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("group")
    parser.add_argument("name", nargs="?", default="")
    parser.add_argument("--text", action="store_true")
    arguments = parser.parse_args()
    failed = False
    for check, error in outcomes(importlib.import_module(arguments.group), arguments.name):
        failed |= error is not None
        if arguments.text:
            print(f"{'FAILED' if error else 'holds '}  {arguments.group}: {check}", flush=True)
            print(error or "", end="", flush=True)
        else:
            print(json.dumps({"check": check, "error": error}), flush=True)
    sys.exit(1 if failed and arguments.text else 0)


if __name__ == "__main__":
    main()
