"""A fault at one call of one command, what must hold after it, and the sweep over many of them."""

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
    """What happens at which call. `share` is how often it is tried where everything is."""

    def __init__(self, scenario, variant, call, mode, action=None, forever=False, share=1):
        self.scenario, self.variant, self.call, self.mode = scenario, variant, call, mode
        self.action, self.forever, self.share = action or mode, forever, share

    def options(self):
        return [
            *VARIANTS[self.variant], "-a", self.action, "-n", str(self.call.number),
            *(["-f"] if self.forever else [])]

    def strike(self, sandbox):
        """Runs the command with the fault in it; gives its outcome, or None when the fault did not happen.

        Threads may make their calls in another order than when they were recorded: the call is the one that
        was there.
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
    """What is there after a fault: everything holds, the command's effect is there whole or not at all,
    and the next commands work as if nothing had happened. Gives violations."""
    scenario = fault.scenario
    if scenario.is_untouched(sandbox):
        # Then it is as in the template, which was looked at, and in which the command was run.
        return [UNKEPT] if must_be_new and not scenario.is_done(scenario.old) else []
    state, problems = scenario.look(sandbox)
    is_new, is_old = scenario.is_done(state), scenario.is_undone(state)
    if not is_new and not is_old:
        problems.append(f"it is neither as before nor as after: {state}, not {scenario.old} or {scenario.new}")
    if must_be_new and not is_new:
        problems.append(UNKEPT)
    if must_be_old and not is_old:
        problems.append("the command told of its failure and its effect is there")
    return problems + go_on(scenario, sandbox, is_new)


UNKEPT = "the command told of its success and its effect is not there"


def go_on(scenario, sandbox, is_new):
    """The same command again, then another one."""
    outcome = sandbox.run(*scenario.words)
    expected = scenario.repeated if is_new else (0,)
    if outcome.status not in expected:
        return [f"the command, run again: {outcome}"]
    problems = []
    if scenario.again or not is_new:
        state, found = scenario.look_again(sandbox)
        problems += [f"after it ran again: {problem}" for problem in found]
        if not found and state != scenario.new:
            problems.append(f"run again, it had not its effect: {state}, not {scenario.new}")
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
    """What a campaign counted."""

    def __init__(self, title):
        self.title, self.counts, self.violations = title, collections.Counter(), []
        self.notes = []
        # How many violations were printed.
        self.told = 0

    @property
    def total(self):
        return sum(self.counts.values())

    def __str__(self):
        parts = ", ".join(f"{name} {count:,}" for name, count in self.counts.items())
        return f"{self.title}: {self.total:,} ({parts}); {len(self.violations)} violations"


# Set before the workers are forked, which inherit it: scenarios hold functions, which cannot be sent.
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
    """Judges every fault of every scenario, several at once."""
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
