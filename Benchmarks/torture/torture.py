#!/usr/bin/env python3
"""Kills ftictl, makes its system calls fail and runs crowds of it, and checks that the invariants hold.

Needs Linux, a C compiler and only Python's standard library. Exits with 1 on any violation; each violation shows how to
reproduce it. See docs/reliability.md.
"""

import argparse
import concurrent.futures
import os
import pathlib
import signal
import sys
import time

import collect
import crowd
import errors
import flips
import kills
import lost_writes
import scenarios
from tools import ROOT, VARIANTS, Tools

CAMPAIGNS = {
    "kills": kills.run, "errors": errors.run, "lost-writes": lost_writes.run,
    "crowds": crowd.run, "collections": collect.run, "flips": flips.run}


class Context:
    """The options of a run, its prepared scenarios, and its progress."""

    def __init__(self, options):
        self.options = options
        self.seed, self.jobs, self.keep = options.seed, options.jobs, options.keep
        self.short, self.share = options.short, options.share
        self.campaign = None
        self.tools = Tools(options.ftictl, options.seed, options.scratch)
        self.prepared = {}
        self.shown = time.monotonic()

    def scenarios(self):
        """The requested scenarios, with their templates prepared."""
        chosen = scenarios.named(self.options.scenario)
        missing = [scenario for scenario in chosen if scenario.name not in self.prepared]
        # Threads suffice, because they only wait for processes.
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            for scenario in pool.map(lambda scenario: scenario.prepare(self.tools, self.seed), missing):
                self.prepared[scenario.name] = scenario
        return chosen

    def variants(self):
        return [name for name in VARIANTS if self.options.variant in (None, name)]

    def is_chosen(self, fault, chance):
        """Whether to try a fault: if the options name it, else at random; `chance` is a number from 0 to 1."""
        if self.options.call is None and self.options.mode is None:
            return chance < self.share * fault.share * (0.2 if self.short else 1)
        return self.options.call in (None, fault.call.number) and self.options.mode in (None, fault.mode)

    def progress(self, tally):
        if time.monotonic() - self.shown > 10:
            self.shown = time.monotonic()
            print(f"  ... {tally.title}: {tally.total:,}", flush=True)
            self.tell(tally)

    def tell(self, tally):
        """Prints new violations, up to a limit."""
        for violation in tally.violations[tally.told:50]:
            print(f"VIOLATION {violation}", flush=True)
        tally.told = len(tally.violations)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--ftictl", default=ROOT / ".build/release/ftictl", help="the executable to torture")
    parser.add_argument("--seed", default="1", help="the random seed, which is printed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many processes run at once")
    parser.add_argument("--only", action="append", choices=CAMPAIGNS, help="one campaign; may be repeated")
    parser.add_argument("--short", action="store_true", help="a sample that takes about a minute")
    parser.add_argument("--share", type=float, default=None, help="the share of the points to try, from 0 to 1")
    parser.add_argument("--scenario", action="append", help="one scenario; may be repeated")
    parser.add_argument("--variant", choices=VARIANTS, help="one file system variant")
    parser.add_argument("--call", type=int, help="the number of one call")
    parser.add_argument("--mode", help="one kind of fault")
    parser.add_argument("--keep", action="store_true", help="keep repositories that violate something")
    parser.add_argument("--scratch", type=pathlib.Path, help="the directory for repositories; by default in memory")
    options = parser.parse_args()
    # The caller may have blocked signals, among them the one that ends the workers.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    if options.share is None:
        options.share = 0.1 if options.short else 1
    context = Context(options)
    print(f"torture: seed {options.seed}, {context.jobs} at once, share {options.share}", flush=True)
    violations = 0
    try:
        for name in options.only or CAMPAIGNS:
            context.campaign = name
            began = time.monotonic()
            tally = CAMPAIGNS[name](context)
            print(f"{tally}; {time.monotonic() - began:.0f} s", flush=True)
            for note in tally.notes:
                print(f"  {note}")
            context.tell(tally)
            violations += len(tally.violations)
    finally:
        if not options.keep:
            context.tools.remove()
    print(f"torture: {violations} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
