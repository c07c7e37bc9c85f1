"""A fault at one call of a command, the checks that must hold after it, and the sweep over many faults."""

import collections
import concurrent.futures
import multiprocessing
import os
import random
import shlex
import time
import traceback

from invariants import debris
from tools import VARIANTS


class Fault:
    """A fault at one call. `share` is the probability that a full run tries it."""

    def __init__(self, scenario, variant, call, mode, action=None, forever=False, share=1):
        self.scenario, self.variant, self.call, self.mode = scenario, variant, call, mode
        self.action, self.forever, self.share = action or mode, forever, share

    def options(self):
        return [
            *VARIANTS[self.variant], "-a", self.action, "-n", str(self.call.number),
            *(["-f"] if self.forever else [])]

    def strike(self, sandbox):
        """Runs the command with the fault; returns its outcome, or None if the fault did not occur.

        Threads may make their calls in a different order than when they were recorded, so `call` becomes the call that
        was actually hit.
        """
        outcome, calls = sandbox.recorded(self.scenario.words, *self.options())
        self.call = next((call for call in calls if call.is_hit), None) or self.call
        return outcome if self.call.is_hit else None

    @property
    def name(self):
        return f"{self.scenario.name}-{self.variant}-{self.call.number}-{self.mode}"

    def __str__(self):
        return f"{self.scenario.name} ({self.variant}), {self.mode} at call {self.call}"

    def reproduce(self, campaign):
        return (
            f"--only {campaign} --seed {self.scenario.seed} --scenario {self.scenario.name} "
            f"--variant {self.variant} --call {self.call.number} --mode {shlex.quote(self.mode)} --keep")


def examine(fault, sandbox, must_be_new=False, must_be_old=False):
    """Checks a repository after a fault: all invariants hold, the command took effect entirely or not at all, and later
    commands work as usual. Returns the violations."""
    scenario = fault.scenario
    if scenario.is_untouched(sandbox):
        # It equals the template, which has already been checked and in which the command has run.
        return [UNKEPT] if must_be_new and not scenario.is_done(scenario.old) else []
    state, problems = scenario.look(sandbox)
    is_new, is_old = scenario.is_done(state), scenario.is_undone(state)
    if not is_new and not is_old:
        problems.append(f"the state is neither the old nor the new one: {state}, not {scenario.old} or {scenario.new}")
    if must_be_new and not is_new:
        problems.append(UNKEPT)
    if must_be_old and not is_old:
        problems.append("the command reported failure but took effect")
    return problems + go_on(scenario, sandbox, is_new)


UNKEPT = "the command reported success but did not take effect"


def go_on(scenario, sandbox, is_new):
    """Runs the same command again, then another one."""
    outcome = sandbox.run(*scenario.words)
    expected = scenario.repeated if is_new else (0,)
    if outcome.status not in expected:
        return [f"the command, run again: {outcome}"]
    problems = []
    if scenario.again or not is_new:
        state, found = scenario.look_again(sandbox)
        problems += [f"after it ran again: {problem}" for problem in found]
        if not found and state != scenario.new:
            problems.append(f"run again, it did not take effect: {state}, not {scenario.new}")
        if not found and scenario.settled:
            problems += scenario.settled(sandbox)
    sandbox.write("afterwards.txt", "one more")
    outcome = sandbox.run("put", "models/afterwards", "afterwards.txt")
    if outcome.status != 0:
        problems.append(f"put afterwards: {outcome}")
    outcome = sandbox.run("verify", "--full")
    if outcome.status != 0:
        problems.append(f"verify --full afterwards: {outcome}")
    return problems


class Tally:
    """The counts and violations of a campaign."""

    def __init__(self, title):
        self.title, self.counts, self.violations = title, collections.Counter(), []
        self.notes = []
        # How many violations have been printed.
        self.told = 0

    @property
    def total(self):
        return sum(self.counts.values())

    def __str__(self):
        parts = ", ".join(f"{name} {count:,}" for name, count in self.counts.items())
        return f"{self.title}: {self.total:,} ({parts}); {len(self.violations)} violations"


# Set before the workers are forked, so that they inherit it: scenarios hold functions, which cannot be pickled.
_work = None


def _judge(index):
    faults, judge, keep = _work
    fault = faults[index]
    sandbox = fault.scenario.template.copy(f"{fault.name}-{os.getpid()}")
    try:
        problems = judge(fault, sandbox)
    except Exception:
        problems = [traceback.format_exc(limit=4)]
    if keep and problems:
        problems.append(f"kept in {sandbox.directory}")
    else:
        sandbox.remove()
    return index, problems and [f"{fault}: {problem}" for problem in problems]


def sweep(context, title, points, judge):
    """Tries every chosen fault of every scenario, `context.jobs` at a time."""
    global _work
    tally, faults, began = Tally(title), [], time.monotonic()
    def chosen(scenario):
        chance = random.Random(f"{title} {scenario.name} {context.seed}")
        return [
            fault for variant in context.variants() for fault in points(scenario, variant)
            if context.is_chosen(fault, chance.random())]

    with concurrent.futures.ThreadPoolExecutor(context.jobs) as pool:
        for found in pool.map(chosen, context.scenarios()):
            faults += found
    _work = (faults, judge, context.keep)
    workers = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(context.jobs, mp_context=workers) as pool:
        for index, problems in pool.map(_judge, range(len(faults)), chunksize=8):
            fault = faults[index]
            if problems is None:
                continue
            tally.counts[fault.scenario.name] += 1
            context.progress(tally)
            for problem in problems:
                tally.violations.append(f"{problem}\n    reproduce: {fault.reproduce(context.campaign)}")
    taken = time.monotonic() - began
    tally.notes.append(f"{taken * context.jobs / max(1, tally.total):.2f} s a point")
    return tally
