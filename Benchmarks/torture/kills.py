"""Kills a command before and after each of its write-like calls, and checks the result with fresh processes."""

from faults import Fault, examine, sweep
from tools import VARIANTS


def points(scenario, variant):
    for call in scenario.calls(*VARIANTS[variant]):
        for mode in ("kill", "killafter"):
            yield Fault(scenario, variant, call, mode)


def run(context):
    """Before and after every call of every scenario, on every file system variant."""
    def judge(fault, sandbox):
        outcome = fault.strike(sandbox)
        if outcome is None:
            return None
        if outcome.status != 137:
            return [f"it was not killed: {outcome}"]
        return examine(fault, sandbox, must_be_new=bool(outcome.output))

    return sweep(context, "kill points", points, judge)
