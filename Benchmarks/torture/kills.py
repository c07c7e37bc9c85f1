"""Kills a command before and after each of its write-like calls, and asks fresh processes what is there."""

from faults import Fault, examine, sweep
from tools import VARIANTS


def points(scenario, variant, chance, share):
    calls = scenario.calls(*VARIANTS[variant])
    for call in calls:
        for mode in ("kill", "killafter"):
            if chance.random() < share:
                yield Fault(scenario, variant, call, mode)


def run(context):
    """Every scenario, every variant of a file system, every call, before and after."""
    def judge(fault, sandbox):
        outcome = sandbox.traced(fault.scenario.words, *fault.options())
        told = bool(outcome.output)
        if outcome.status == 137:
            return examine(fault, sandbox, must_be_new=told)
        if outcome.status == 0:
            # Fewer calls than were recorded: nothing was killed, and nothing is counted.
            return None
        return [f"neither killed nor done: {outcome}"]

    return sweep(context, "kill points", points, judge)
