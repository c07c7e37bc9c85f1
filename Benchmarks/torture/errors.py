"""Lets each write-like call of each command fail, once or from then on, and shortens writes.

A command that fails says so in one line with exit code 74 and leaves everything as it was; where the
outcome is not known it says that. Calls that only save time may fail unnoticed. A call that was interrupted,
and a write that wrote less than it was asked to, is no failure.
"""

import errno

from faults import Fault, debris, examine, sweep
from tools import VARIANTS

WRITES = {"write", "pwrite"}
NAMES = {"linkat", "renameat", "renameat2", "link", "rename", "mkdirat", "mkdir"}
# What a write-like call can fail with, on this medium or over a network.
ONCE = ["ENOSPC", "EIO", "EINTR", "EDQUOT"]
FOREVER = ["ENOSPC", "EIO", "EROFS"]
# An answer that never came, to a call that was done.
LOST = ["EIO", "EEXIST", "ENOENT"]
# What a person is told when the state is not what a failure suggests.
UNKNOWN = (b"may have been committed", b"may not survive a power cut", b"standard output", b"standard error")


# What happens most, at every call of every command; of the rest a share.
ALWAYS = {"ENOSPC", "ENOSPC-forever", "EIO", "short"}
SHARE = 0.15


def points(scenario, variant):
    for call in scenario.calls(*VARIANTS[variant]):
        modes = [(name, f"error={getattr(errno, name)}", False) for name in ONCE]
        modes += [(f"{name}-forever", f"error={getattr(errno, name)}", True) for name in FOREVER]
        if call.name in WRITES:
            modes.append(("short", "short", False))
            modes.append(("short-forever", "short", True))
        if call.name in NAMES:
            modes += [(f"{name}-lost", f"lost={getattr(errno, name)}", False) for name in LOST]
        for mode, action, forever in modes:
            share = 1 if variant == "plain" and mode in ALWAYS else SHARE
            yield Fault(scenario, variant, call, mode, action, forever, share)


def judge(fault, sandbox):
    outcome = fault.strike(sandbox)
    if outcome is None:
        return None
    harmless = fault.mode.startswith("short") or (fault.mode == "EINTR" and fault.call.name != "fsync")
    if outcome.status == 0:
        problems = examine(fault, sandbox, must_be_new=True)
    elif outcome.status != 74:
        return [f"{outcome}; it may end with 0 or 74"]
    elif harmless:
        return [f"{outcome}; this is no failure"]
    else:
        problems = objections_to_message(outcome.error)
        unfinished, _ = debris(sandbox) if sandbox.repository.exists() else ([], [])
        # A name that it was told is not there, or that it may not remove, it cannot remove.
        if unfinished and not fault.forever and fault.call.name not in ("unlinkat", "renameat", "linkat") \
                and not fault.action.startswith("lost"):
            problems.append(f"unfinished files stay: {unfinished}")
        problems += examine(
            fault, sandbox,
            must_be_old=not fault.scenario.in_steps and not any(words in outcome.error for words in UNKNOWN))
    return problems


def objections_to_message(error):
    lines = error.decode(errors="replace").splitlines()
    while lines and lines[0].startswith(("note: ", "warning: ")):
        del lines[0]
    if not lines or not lines[0].startswith("error: "):
        return [f"no error is told: {lines}"]
    if len(lines) > 2 or (len(lines) == 2 and not lines[1].startswith("  try: ")):
        return [f"more than an error and its remedy: {lines}"]
    return []


def run(context):
    """Every scenario, every call; of errors the usual ones, and a share of the others."""
    return sweep(context, "errors", points, judge)
